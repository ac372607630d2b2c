/** Items that are shown as what is written in them. */
import { h, setText } from "../dom.js";
import { asText } from "../values.js";
/** @import {Host} from "../host.js" */

const READABLE = /^(?:content|description|label|message|name|question|text|title|value)$/;
const MAX_DEPTH = 5;

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
