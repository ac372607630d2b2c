/** Items that are shown as what is written in them. */
import { h, setText } from "../dom.js";
import { icon } from "../icons.js";
import { asLabel, asText } from "../values.js";
/** @import {Host} from "../host.js" */

const READABLE = /^(?:content|description|label|message|name|question|text|title|value)$/;
const MAX_DEPTH = 5;

/** What users do not see, for those who look after their conversations: calls of the page's tools, hidden context. */
export class RecordView {
  /** @param {Host} host */
  constructor(host) {
    this.host = host;
    this.node = h("li", { class: "item", part: "item" });
  }

  /** @param {Record<string, any>} item */
  update({ type, name, content, arguments: params, output }) {
    const { host } = this;
    const isCall = type === "client_tool_call";
    const title = `${host.text(isCall ? "toolCall" : "hiddenContext")} ${isCall ? asLabel(name) : ""}`;
    const sign = isCall ? "square-code" : "info";
    const summary = h("summary", { class: "toggle" }, icon(sign), title, icon("chevron-right"));
    /** @type {[string, unknown][]} */
    const blocks = isCall
      ? [
          [host.text("toolArguments"), params],
          [host.text("toolOutput"), output],
        ]
      : [["", content]];
    const nodes = blocks
      .filter(([, value]) => value !== undefined && value !== null)
      .flatMap(([label, value]) => {
        const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
        return [label, h("pre", { class: "record", dir: "auto", tabindex: "0" }, asText(text))];
      });
    this.node.replaceChildren(h("details", { part: "record" }, summary, ...nodes));
  }
}

/** What says nothing, and still has its place for what the page puts beside it. */
export class EmptyView {
  node = h("li", { class: "item", part: "item" });
  update() {}
}

/** For types without a view of their own: what there is to read in them. */
export class FallbackView {
  /** @param {Host} host */
  constructor(host) {
    this.host = host;
    this.text = h("p", { class: "fallback muted", dir: "auto" });
    this.node = h("li", { class: "item", part: "item" }, this.text);
  }

  /** @param {object} item */
  update(item) {
    setText(this.text, textsIn(item).join("\n").trim() || this.host.text("unsupported"));
  }
}

/** @param {unknown} value @param {number} [depth] @returns {string[]} what is written for people, by its names */
function textsIn(value, depth = 0) {
  if (typeof value !== "object" || !value || depth > MAX_DEPTH) return [];
  return Object.entries(value).flatMap(([name, entry]) =>
    READABLE.test(name) && asText(entry) ? [asText(entry)] : textsIn(entry, depth + 1),
  );
}
