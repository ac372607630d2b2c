import { h } from "../dom.js";
import { asLabel, asList, asObject, asText } from "../values.js";
import { attachmentList } from "./attachments.js";
import { addStyles } from "../style-sheet.js";
import { userMessageStyles } from "./user-message.css.js";
/** @import {Host} from "../host.js" */

addStyles({ userMessage: userMessageStyles });

/** What somebody has asked: attachments, what it replies to, and the text with its tags. */
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
    const quote = asText(quoted_text);
    const parts = asList(content).map((part) => (part.type === "input_tag" ? this.#tag(part) : asText(part.text)));
    this.node.replaceChildren(
      h("span", { class: "visually-hidden" }, this.#host.text("you")),
      attachmentList(this.#host, attachments) ?? "",
      quote && h("blockquote", { class: "quoted", part: "quote", dir: "auto" }, quote),
      parts.some(Boolean) ? h("div", { class: "bubble", part: "user-message", dir: "auto" }, ...parts) : "",
      isUnsent ? h("span", { class: "muted unsent" }, this.#host.text("unsent")) : "",
    );
  }

  /** @param {Record<string, any>} part */
  #tag({ id, text, data, group, interactive }) {
    const host = this.#host;
    const title = asLabel(text);
    if (!interactive) return h("span", { class: "tag", part: "tag", dir: "auto" }, title);
    const entity = { id: asText(id), title, group: asLabel(group), data: asObject(data), interactive: true };
    const onclick = () => host.clickEntity(entity);
    const button = h("button", { type: "button", class: "tag", part: "tag", dir: "auto", onclick }, title);
    // Without it, a press still tells the page.
    const attach = host
      .load("sources")
      .then(({ attachCard, entityCard }) => attachCard(button, () => entityCard(host, entity)));
    attach.catch(() => {});
    return button;
  }
}
