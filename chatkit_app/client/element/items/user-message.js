import { h } from "../dom.js";
import { icon } from "../icons.js";
import { asLabel, asList, asObject, asText } from "../values.js";
import { imageNode } from "../ui/remote-image.js";
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
    const files = asList(attachments).map((attachment) => this.#attachment(asObject(attachment)));
    const quote = asText(quoted_text);
    const parts = asList(content).map((part) => (part.type === "input_tag" ? this.#tag(part) : asText(part.text)));
    this.node.replaceChildren(
      h("span", { class: "visually-hidden" }, this.#host.text("you")),
      files.length ? h("ul", { class: "attachments", role: "list", part: "attachments" }, ...files) : "",
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

  /** @param {Record<string, any>} attachment */
  #attachment({ name, type, mime_type: mimeType, preview_url: src }) {
    const alt = asLabel(name);
    if (type === "image" && asText(src)) {
      const node = h("li", { class: "attached-image" }, imageNode(this.#host, { src, alt }));
      const enclose = this.#host.load("images").then(({ makeEnlargeable }) => makeEnlargeable(this.#host, node));
      enclose.catch(() => {});
      return node;
    }
    return h(
      "li",
      { class: "attached-file" },
      icon(type === "image" ? "square-image" : "document"),
      h("span", { class: "ellipsis", dir: "auto", title: alt }, alt),
      h("span", { class: "muted" }, kindOf(alt, asLabel(mimeType))),
    );
  }
}

/** @param {string} name @param {string} mimeType @returns {string} the kind of file, in a few letters */
function kindOf(name, mimeType) {
  const extension = /\.(\w{1,5})$/.exec(name)?.[1] ?? mimeType.split("/").at(-1) ?? "";
  return extension.slice(0, 12).toUpperCase();
}
