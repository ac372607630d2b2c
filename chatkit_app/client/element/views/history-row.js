/** A conversation in the list. */
import { h, setAttribute, setChildren, setText } from "../dom.js";
import { iconButton, nameButton } from "../ui/buttons.js";
import { Menu } from "../ui/menu.js";
import { asLabel } from "../values.js";
import { timeOf } from "./history-dates.js";
/** @import {Chat} from "../chat.js" */
/** @import {ThreadMetadata} from "../protocol.js" */
/** @import {MenuEntry} from "../ui/menu.js" */

/** @typedef {ThreadMetadata & {pinned?: boolean, archived?: boolean, excerpt?: string}} ListedThread */

export class HistoryRow {
  #actions;

  /**
   * @param {Chat} chat
   * @param {ListedThread} thread
   * @param {(row: HistoryRow) => MenuEntry[]} actions
   */
  constructor(chat, thread, actions) {
    this.chat = chat;
    this.thread = { ...thread };
    this.#actions = actions;
    this.title = h("bdi");
    this.excerpt = h("span", { class: "thread-excerpt", dir: "auto" });
    this.dot = h("span", { class: "thread-dot", role: "img" });
    this.time = h("time");
    this.button = h(
      "button",
      { type: "button", class: "thread-row", onclick: () => chat.openThread(thread.id) },
      h("span", { class: "thread-text" }, h("span", { class: "thread-title" }, this.title), this.excerpt),
      this.dot,
      this.time,
    );
    this.more = iconButton("dots-horizontal", () => {}, { class: "icon-button thread-actions" });
    this.node = h("li", { class: "thread-item", part: "history-thread" }, this.button, this.more);
    new Menu(this.more, () => actions(this), { alignEnd: true });
    this.name();
  }

  /** @param {ListedThread} thread as it is now */
  take({ pinned, archived, excerpt, ...thread }) {
    Object.assign(this.thread, thread, { pinned, archived, excerpt });
  }

  /** What depends on the options. The nodes stay: a press or a focus is lost on one that is made anew. */
  name() {
    setAttribute(this.dot, "aria-label", this.chat.text("answering"));
    setText(this.time, timeOf(this.chat, this.thread));
    nameButton(this.more, this.chat.text("threadActions"));
    this.more.hidden = this.#actions(this).length === 0;
  }

  /** @param {string} query what is searched for */
  update(query) {
    const { chat, thread } = this;
    const { thread: current } = chat.conversation;
    const isCurrent = thread.id === current?.id;
    if (isCurrent && current?.title) thread.title = current.title;
    mark(this.title, asLabel(thread.title) || chat.text("untitled"), query);
    mark(this.excerpt, query ? asLabel(thread.excerpt) : "", query);
    setAttribute(this.button, "aria-current", isCurrent && "true");
    this.dot.hidden = !chat.conversations.isAnsweringIn(thread.id);
  }
}

/**
 * @param {HTMLElement} node shows a text, with what is searched for marked
 * @param {string} text
 * @param {string} query
 */
function mark(node, text, query) {
  const place = query ? text.toLowerCase().indexOf(query.toLowerCase()) : -1;
  if (place < 0) {
    if (node.childElementCount || node.textContent !== text) setChildren(node, [new Text(text)]);
    return;
  }
  const end = place + query.length;
  setChildren(node, [new Text(text.slice(0, place)), h("mark", {}, text.slice(place, end)), new Text(text.slice(end))]);
}
