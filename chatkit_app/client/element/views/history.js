/** The list of conversations, over the chat. */
import { h, setAttribute, setChildren, setText } from "../dom.js";
import { TransportError } from "../transport.js";
import { iconButton, nameButton } from "../ui/buttons.js";
import { confirm } from "../ui/dialog.js";
import { Menu } from "../ui/menu.js";
import { titleEditor } from "../ui/title-editor.js";
import { asLabel, asList, asObject, asText } from "../values.js";
import { addStyles } from "../style-sheet.js";
import { historyStyles } from "./history.css.js";
/** @import {Chat} from "../chat.js" */
/** @import {StringKey} from "../host.js" */
/** @import {ThreadMetadata} from "../protocol.js" */
/** @import {MenuEntry} from "../ui/menu.js" */

addStyles({ history: historyStyles });

/**
 * @typedef {object} Row
 * @property {ThreadMetadata} thread
 * @property {HTMLElement} node
 * @property {HTMLElement} button
 * @property {HTMLElement} title
 * @property {HTMLElement} dot
 * @property {HTMLElement} time
 * @property {HTMLElement} more
 */

const PAGE_SIZE = 50;
/** So many can be overlooked without a search. */
const FEW = 6;

export class HistoryView {
  /** @type {Map<string, Row>} */
  #rows = new Map();
  /** @type {Map<string, {heading: HTMLElement, list: HTMLElement}>} */
  #groups = new Map();
  #visit = 0;
  #hasMore = false;
  #hasFailed = false;
  #isLoading = false;
  #observer;

  /** @param {Chat} chat */
  constructor(chat) {
    this.chat = chat;
    this.back = iconButton("back-large", () => chat.hideHistory());
    this.title = h("h2", { class: "title" });
    this.newChat = iconButton("compose", () => chat.newChat());
    this.search = h("input", { type: "search", class: "text-field history-search", oninput: () => this.#show() });
    this.problem = h("p", { class: "history-problem", role: "alert", dir: "auto" });
    this.list = h("div", { class: "threads" });
    this.status = h("p", { class: "history-status", role: "status" });
    this.more = h("button", { type: "button", class: "button", onclick: () => this.#load() });
    const column = h("div", { class: "history-column" }, this.search, this.problem, this.list, this.status, this.more);
    this.scroller = h("div", { class: "scroller" }, column);
    this.node = h(
      "section",
      { class: "history", part: "history", hidden: true },
      h("header", { class: "header" }, this.back, this.title, this.newChat),
      this.scroller,
    );
    this.node.addEventListener("keydown", (event) => this.#onKeyDown(event));
    this.#observer = new IntersectionObserver(
      ([{ isIntersecting }]) => {
        // Who searches asks for more; and what has failed waits to be tried again.
        if (isIntersecting && !this.#query && !this.#hasFailed) this.#load();
      },
      { root: this.scroller, rootMargin: "300px" },
    );
  }

  get isOpen() {
    return !this.node.hidden;
  }

  configure() {
    const { chat } = this;
    setText(this.title, chat.text("conversations"));
    nameButton(this.back, chat.text("back"));
    nameButton(this.newChat, chat.text("newChat"));
    setAttribute(this.node, "aria-label", chat.text("conversations"));
    setAttribute(this.search, "aria-label", chat.text("historySearch"));
    setAttribute(this.search, "placeholder", chat.text("historySearch"));
    for (const row of this.#rows.values()) this.#name(row);
    this.#show();
  }

  /** Also while it is open: what is being answered may have ended, or have got a title. */
  update() {
    const { thread: current } = this.chat.conversation;
    for (const { thread, button, title, dot } of this.#rows.values()) {
      const isCurrent = thread.id === current?.id;
      if (isCurrent && current?.title) thread.title = current.title;
      setText(title, asLabel(thread.title) || this.chat.text("untitled"));
      setAttribute(button, "aria-current", isCurrent && "true");
      dot.hidden = !this.chat.conversations.isAnsweringIn(thread.id);
    }
  }

  async open() {
    this.node.hidden = false;
    this.back.focus();
    this.search.value = "";
    this.#visit += 1;
    this.#isLoading = false;
    await this.#load({ afresh: true });
  }

  close() {
    this.node.hidden = true;
    this.#visit += 1;
    this.#observer.disconnect();
  }

  get #query() {
    return this.search.value.trim().toLowerCase();
  }

  /** The next page, or the first one again. */
  async #load({ afresh = this.#rows.size === 0 } = {}) {
    if (this.#isLoading) return;
    const visit = this.#visit;
    this.#isLoading = true;
    this.#hasFailed = false;
    setText(this.problem, "");
    this.#show();
    try {
      const after = afresh ? undefined : [...this.#rows.keys()].at(-1);
      const params = { limit: PAGE_SIZE, order: /** @type {const} */ ("desc"), after };
      const page = asObject(await this.chat.transport.request("threads.list", params));
      if (visit !== this.#visit) return;
      const known = this.#rows;
      if (afresh) this.#rows = new Map();
      const threads = asList(page.data).filter(({ id }) => asText(id) && !this.#rows.has(id));
      for (const thread of threads) this.#rows.set(thread.id, this.#keep(known.get(thread.id), thread));
      // A server that only repeats itself has no more.
      this.#hasMore = Boolean(page.has_more) && threads.length > 0;
    } catch (error) {
      if (visit !== this.#visit) return;
      this.#hasFailed = true;
      this.#tell(error, "historyFailed");
    }
    this.#isLoading = false;
    this.#show();
  }

  /**
   * @param {Row|undefined} row with what has the focus, perhaps
   * @param {ThreadMetadata} thread
   */
  #keep(row, thread) {
    if (!row) return this.#row({ ...thread });
    Object.assign(row.thread, thread);
    return row;
  }

  /** The rows that are searched for, under their days. */
  #show() {
    const { chat } = this;
    const query = this.#query;
    const dayOf = dayNames(chat);
    /** @type {Map<string, HTMLElement[]>} */
    const days = new Map();
    let day = "";
    for (const { thread, node } of this.#rows.values()) {
      day = dayOf(thread) ?? day;
      if (query && !asLabel(thread.title).toLowerCase().includes(query)) continue;
      if (!days.has(day)) days.set(day, []);
      days.get(day)?.push(node);
    }
    setChildren(
      this.list,
      [...days].flatMap(([name, nodes]) => this.#group(name, nodes)),
    );
    this.update();
    const nothing = this.#isLoading ? "loading" : this.#rows.size ? "nothingFound" : "historyEmpty";
    setText(this.status, days.size || this.#hasFailed ? "" : chat.text(nothing));
    this.search.hidden = this.#rows.size <= FEW && !this.#hasMore;
    this.more.hidden = this.#isLoading || !(this.#hasFailed || this.#hasMore);
    setText(this.more, chat.text(this.#hasFailed ? "retry" : "showMore"));
    // Anew, so that it is told of a button that has never left the window.
    this.#observer.disconnect();
    if (!this.more.hidden) this.#observer.observe(this.more);
  }

  /**
   * @param {string} name
   * @param {HTMLElement[]} nodes
   */
  #group(name, nodes) {
    const group = this.#groups.get(name) ?? { heading: h("h3", {}, name), list: h("ul", { role: "list" }) };
    this.#groups.set(name, group);
    setChildren(group.list, nodes);
    return name ? [group.heading, group.list] : [group.list];
  }

  /**
   * @param {ThreadMetadata} thread
   * @returns {Row}
   */
  #row(thread) {
    const { chat } = this;
    const title = h("bdi");
    const dot = h("span", { class: "thread-dot", role: "img" });
    const time = h("time");
    const button = h(
      "button",
      { type: "button", class: "thread-row", onclick: () => chat.openThread(thread.id) },
      h("span", { class: "thread-title" }, title),
      dot,
      time,
    );
    const more = iconButton("dots-horizontal", () => {}, { class: "icon-button thread-actions" });
    const node = h("li", { class: "thread-item", part: "history-thread" }, button, more);
    const row = { thread, node, button, title, dot, time, more };
    new Menu(more, () => this.#actions(row), { alignEnd: true });
    this.#name(row);
    return row;
  }

  /** What depends on the options. The nodes stay: a press or a focus is lost on one that is made anew. @param {Row} row */
  #name(row) {
    setAttribute(row.dot, "aria-label", this.chat.text("answering"));
    setText(row.time, timeOf(this.chat, row.thread));
    nameButton(row.more, this.chat.text("threadActions"));
    row.more.hidden = this.#actions(row).length === 0;
  }

  /**
   * @param {Row} row
   * @returns {MenuEntry[]}
   */
  #actions(row) {
    const { chat } = this;
    const { showRename, showDelete } = asObject(chat.options.history);
    const entries = [];
    if (showRename) entries.push({ label: chat.text("rename"), icon: "pencil", onSelect: () => this.#rename(row) });
    if (showDelete) {
      entries.push({ label: chat.text("delete"), icon: "trash", danger: true, onSelect: () => this.#delete(row) });
    }
    return entries;
  }

  /** @param {Row} row */
  #rename({ thread, button }) {
    if (button.hidden) return;
    const editor = titleEditor(this.chat, thread, (hadFocus) => {
      button.hidden = false;
      if (hadFocus) button.focus();
      editor.remove();
      this.update();
    });
    button.after(editor);
    button.hidden = true;
    editor.querySelector("input")?.focus();
  }

  /** @param {Row} row */
  async #delete({ thread, node, button }) {
    const { chat } = this;
    const isSure = await confirm(chat.frame.node, {
      title: chat.text("deleteThread"),
      text: chat.text("deleteThreadText", { title: `\u2068${asLabel(thread.title) || chat.text("untitled")}\u2069` }),
      confirm: chat.text("delete"),
      cancel: chat.text("cancel"),
      danger: true,
    });
    if (!isSure) return;
    setText(this.problem, "");
    try {
      await chat.deleteThread(thread.id);
    } catch (error) {
      this.#tell(error, "deleteFailed");
      return;
    }
    const hadFocus = node.matches(":focus-within");
    const buttons = this.#buttons;
    const index = buttons.indexOf(button);
    this.#rows.delete(thread.id);
    node.remove();
    this.#show();
    if (hadFocus) (buttons[index + 1] ?? buttons[index - 1] ?? this.back).focus();
  }

  get #buttons() {
    return /** @type {HTMLElement[]} */ ([...this.list.querySelectorAll(".thread-row")]);
  }

  /**
   * @param {unknown} error
   * @param {StringKey} otherwise
   */
  #tell(error, otherwise) {
    setText(this.problem, (error instanceof TransportError && error.message) || this.chat.text(otherwise));
  }

  /** @param {KeyboardEvent} event */
  #onKeyDown(event) {
    const { key, target } = event;
    if (event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    const isSearching = target === this.search;
    const buttons = this.#buttons;
    const item = /** @type {Element} */ (target).closest(".thread-item");
    const current = buttons.findIndex((button) => button.parentNode === item);
    const row = item && [...this.#rows.values()].find(({ node }) => node === item);
    const { showRename, showDelete } = asObject(this.chat.options.history);
    /** @type {(button: HTMLElement|undefined) => () => void} */
    const focus = (button) => () => button?.focus();
    /** @type {Record<string, (() => void)|false|null>} */
    const elsewhere = {
      ArrowUp: focus(buttons[Math.max(current - 1, 0)]),
      Home: focus(buttons[0]),
      End: focus(buttons.at(-1)),
      F2: row && showRename && (() => this.#rename(row)),
      Delete: row && showDelete && (() => this.#delete(row)),
    };
    const anywhere = {
      ArrowDown: focus(buttons[Math.min(current + 1, buttons.length - 1)]),
      Escape: () => this.#escape(isSearching),
    };
    // In the search these keys move the caret.
    /** @type {typeof elsewhere} */
    const actions = isSearching ? anywhere : { ...anywhere, ...elsewhere };
    const action = actions[key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }

  /** @param {boolean} isSearching */
  #escape(isSearching) {
    if (!isSearching || !this.search.value) return this.chat.hideHistory();
    this.search.value = "";
    this.#show();
  }
}

/**
 * @param {Chat} chat
 * @returns {(thread: ThreadMetadata) => string|null} the day or month it began; null when that is not known
 */
function dayNames(chat) {
  const today = new Date();
  const month = { month: /** @type {const} */ ("long") };
  const ofThisYear = new Intl.DateTimeFormat(chat.language, month);
  const ofOthers = new Intl.DateTimeFormat(chat.language, { ...month, year: "numeric" });
  return ({ created_at }) => {
    const date = dateOf(created_at);
    if (!date) return null;
    if (date >= midnight(0)) return chat.text("today");
    if (date >= midnight(1)) return chat.text("yesterday");
    if (date >= midnight(7)) return chat.text("previousDays");
    return (date.getFullYear() === today.getFullYear() ? ofThisYear : ofOthers).format(date);
  };
}

/**
 * @param {Chat} chat
 * @param {ThreadMetadata} thread
 * @returns {string} the hour of today's and yesterday's, the day of others
 */
function timeOf(chat, { created_at }) {
  const date = dateOf(created_at);
  if (!date) return "";
  /** @type {Intl.DateTimeFormatOptions} */
  const format = date >= midnight(1) ? { timeStyle: "short" } : { day: "numeric", month: "short" };
  return new Intl.DateTimeFormat(chat.language, format).format(date);
}

/** @param {unknown} text */
function dateOf(text) {
  const date = new Date(asText(text));
  return Number.isNaN(date.getTime()) ? null : date;
}

/** @param {number} daysAgo */
function midnight(daysAgo) {
  const date = new Date();
  date.setHours(0, 0, 0, 0);
  date.setDate(date.getDate() - daysAgo);
  return date;
}
