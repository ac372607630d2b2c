/** What the server wants to be known about an answer. */
import { h, setChildren } from "../dom.js";
import { icon } from "../icons.js";
import { MarkdownText } from "../markdown-text.js";
import { addStyles } from "../style-sheet.js";
import { asLabel, asText } from "../values.js";
import { noticeStyles } from "./notices.css.js";
/** @import {Chat} from "../chat.js" */

addStyles({ notices: noticeStyles });

const LEVELS = new Set(["info", "warning", "danger"]);

export class NoticesView {
  /** @type {Map<object, HTMLElement>} */
  #notices = new Map();
  /** @type {unknown[]} what notices depend on */
  #setting = [];

  /** @param {Chat} chat */
  constructor(chat) {
    this.chat = chat;
    this.node = h("div", { class: "notices" });
  }

  update() {
    const { strings, language } = this.chat;
    if (this.#setting[0] !== strings || this.#setting[1] !== language) this.#notices.clear();
    this.#setting = [strings, language];
    const { notices } = this.chat.conversation;
    for (const notice of this.#notices.keys()) if (!notices.includes(notice)) this.#notices.delete(notice);
    for (const notice of notices) if (!this.#notices.has(notice)) this.#notices.set(notice, this.#notice(notice));
    setChildren(this.node, [...this.#notices.values()]);
    this.node.hidden = notices.length === 0;
  }

  /** @param {Record<string, unknown>} notice */
  #notice({ level: sent, title, message }) {
    const level = LEVELS.has(asText(sent)) ? asText(sent) : "info";
    const text = new MarkdownText(this.chat.host);
    text.update(asText(message));
    const heading = asLabel(title);
    return h(
      "div",
      { class: "notice", "data-level": level, role: "status", part: "notice" },
      icon(level),
      h("div", { dir: "auto" }, heading && h("strong", {}, heading), text.node),
    );
  }
}
