import { h } from "../dom.js";
import { asLabel, asList, asText } from "../values.js";
import { addStyles } from "../style-sheet.js";
import { userMessageStyles } from "./user-message.css.js";
/** @import {Host} from "../host.js" */

addStyles({ userMessage: userMessageStyles });

/** What somebody has asked: the text, and around it what it replies to, its files and tags, which are shown by a part. */
export class UserMessageView {
  #host;
  /** @type {Record<string, any>} */
  #shown = {};

  /** @param {Host} host */
  constructor(host) {
    this.#host = host;
    this.node = h("li", { class: "item user", part: "item" });
  }

  /** @param {Record<string, any>} item */
  update(item) {
    const { content, attachments, quoted_text, isUnsent } = item;
    const shown = this.#shown;
    // A text that is read, or selected, is left alone when the same message comes again.
    if (
      this.node.firstChild &&
      JSON.stringify(shown) === JSON.stringify({ content, attachments, quoted_text, isUnsent })
    )
      return;
    this.#shown = { content, attachments, quoted_text, isUnsent };
    const { before, tag } = this.#extras();
    const parts = asList(content).map((part) => (part.type === "input_tag" ? tag(part) : asText(part.text)));
    this.node.replaceChildren(
      // What the page has put there stays.
      this.node.querySelector(":scope > slot") ?? "",
      h("h3", { class: "visually-hidden" }, this.#host.text("you")),
      ...before,
      parts.some(Boolean) ? h("div", { class: "bubble", part: "user-message", dir: "auto" }, ...parts) : "",
      isUnsent ? h("span", { class: "muted unsent" }, this.#host.text("unsent")) : "",
    );
  }

  /** @returns {{before: (Node|string)[], tag: (part: any) => Node|string}} what stands before the text, and what tags are */
  #extras() {
    const { content, attachments, quoted_text: quote } = this.#shown;
    const tag = (/** @type {any} */ { text }) => asLabel(text);
    const files = asList(attachments);
    if (!files.length && !asText(quote) && asList(content).every(({ type }) => type !== "input_tag")) {
      return { before: [], tag };
    }
    const part = this.#host.part("messageExtras");
    if (part) return part.messageExtras(this.#host, this.#shown);
    // Meanwhile, and where that cannot be had, there is its text.
    const item = this.#shown;
    const show = () => {
      if (this.#shown !== item) return;
      this.#shown = {};
      this.update(item);
    };
    this.#host.load("messageExtras").then(show, () => {});
    const text = [...files.map(({ name }) => asLabel(name)), asText(quote)].filter(Boolean).join("\n");
    return { before: [h("p", { class: "fallback muted", dir: "auto" }, text)], tag };
  }
}
