/** What users do not see, for those who look after their conversations: calls of the page's tools, hidden context. */
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { asLabel, asText } from "../values.js";
/** @import {Host} from "../host.js" */

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
