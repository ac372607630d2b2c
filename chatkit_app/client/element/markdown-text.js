/** A text in Markdown: plain until the part is there that reads it, and for good where that cannot be had. */
import { h, setAttribute, setText } from "./dom.js";
/** @import {Host} from "./host.js" */
/** @import {MarkdownOptions, MarkdownView} from "./markdown/index.js" */

export class MarkdownText {
  #host;
  /** @type {MarkdownView|null} */
  #view = null;
  #isWaiting = false;
  #text = "";
  /** @type {MarkdownOptions} */
  #options = {};

  /** @param {Host} host */
  constructor(host) {
    this.#host = host;
    this.node = h("div", { class: "markdown", part: "markdown" });
  }

  /**
   * @param {string} text
   * @param {MarkdownOptions} [options]
   */
  update(text, options = {}) {
    this.#text = text;
    this.#options = options;
    const part = this.#host.part("markdown");
    if (part) this.#view ??= this.#createView(part.MarkdownView);
    if (this.#view) this.#view.update(text, options);
    else this.#showPlain();
  }

  /** @param {typeof MarkdownView} View */
  #createView(View) {
    this.node.classList.remove("plain");
    this.node.replaceChildren();
    return new View(this.#host, this.node);
  }

  #showPlain() {
    this.node.classList.add("plain");
    setAttribute(this.node, "dir", "auto");
    setText(this.node, this.#text);
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#host.load("markdown").then(
      () => this.update(this.#text, this.#options),
      () => (this.#isWaiting = false),
    );
  }
}
