/** The list of conversations, over the chat. */
import { h, setAttribute, setChildren, setText } from "../dom.js";
import { TransportError } from "../transport.js";
import { icon } from "../icons.js";
import { iconButton, nameButton } from "../ui/buttons.js";
import { confirm } from "../ui/dialog.js";
import { titleEditor } from "../ui/title-editor.js";
import { asLabel, asList, asObject, asText } from "../values.js";
import { addStyles } from "../style-sheet.js";
import { dayNames } from "./history-dates.js";
import { HistoryRow } from "./history-row.js";
import { HistorySource } from "./history-source.js";
import { historyStyles } from "./history.css.js";
/** @import {Chat} from "../chat.js" */
/** @import {StringKey} from "../host.js" */
/** @import {MenuEntry} from "../ui/menu.js" */

addStyles({ history: historyStyles });

/** So many can be overlooked without a search. */
const FEW = 6;
/** Milliseconds after the last letter before the server is asked. */
const SEARCH_DELAY = 250;

export class HistoryView {
  /** @type {Map<string, HistoryRow>} */
  #rows = new Map();
  /** @type {Map<string, {heading: HTMLElement, list: HTMLElement}>} */
  #groups = new Map();
  #source;
  #visit = 0;
  #hasMore = false;
  #hasArchived = false;
  #hasFailed = false;
  #isLoading = false;
  #isArchived = false;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #searchTimer;
  #observer;
  /** @type {{onclose: (() => void)|null, destroy: () => void}|undefined} hears of the phone's own way back */
  #watcher;

  /** @param {Chat} chat */
  constructor(chat) {
    this.chat = chat;
    this.#source = new HistorySource(chat);
    this.back = iconButton("back-large", () => this.#goBack());
    this.title = h("h2", { class: "title" });
    this.newChatText = h("span", { dir: "auto" });
    const onclick = () => chat.newChat();
    this.newChat = h("button", { type: "button", class: "history-new", onclick }, icon("compose"), this.newChatText);
    this.search = h("input", { type: "search", class: "text-field history-search", oninput: () => this.#onSearch() });
    this.problem = h("p", { class: "history-problem", role: "alert", dir: "auto" });
    this.list = h("div", { class: "threads" });
    this.status = h("p", { class: "history-status", role: "status" });
    this.more = h("button", { type: "button", class: "button", onclick: () => this.#load() });
    this.archived = h("button", { type: "button", class: "history-archived", onclick: () => this.#showArchived(true) });
    const column = [this.newChat, this.search, this.problem, this.list, this.status, this.more, this.archived];
    this.scroller = h("div", { class: "scroller" }, h("div", { class: "history-column" }, ...column));
    this.node = h(
      "section",
      { class: "history", part: "history", hidden: true },
      h("header", { class: "header" }, this.back, this.title),
      this.scroller,
    );
    this.node.addEventListener("keydown", (event) => this.#onKeyDown(event));
    this.#observer = new IntersectionObserver(
      ([{ isIntersecting }]) => {
        // Who searches among titles asks for more; and what has failed waits to be tried again.
        if (isIntersecting && (this.#source.isOwn || !this.#query) && !this.#hasFailed) this.#load();
      },
      { root: this.scroller, rootMargin: "300px" },
    );
  }

  get isOpen() {
    return !this.node.hidden;
  }

  configure() {
    const { chat } = this;
    setText(this.newChatText, chat.text("newChat"));
    setAttribute(this.node, "aria-label", chat.text("conversations"));
    setAttribute(this.search, "aria-label", chat.text("historySearch"));
    setAttribute(this.search, "placeholder", chat.text("historySearch"));
    setText(this.archived, chat.text("archivedThreads"));
    for (const row of this.#rows.values()) row.name();
    this.#show();
  }

  /** Also while it is open: what is being answered may have ended, or have got a title. */
  update() {
    for (const row of this.#rows.values()) row.update(this.#query);
  }

  async open() {
    this.node.hidden = false;
    this.#watcher = this.#watch();
    this.back.focus();
    this.search.value = "";
    this.#isArchived = false;
    await this.#loadAnew();
  }

  close() {
    this.node.hidden = true;
    this.#watcher?.destroy();
    this.#visit += 1;
    clearTimeout(this.#searchTimer);
    this.#observer.disconnect();
  }

  /** Some browsers tell of the button or the gesture that means "back". */
  #watch() {
    const Watcher = /** @type {any} */ (globalThis).CloseWatcher;
    return Watcher && Object.assign(new Watcher(), { onclose: () => this.chat.hideHistory() });
  }

  get #query() {
    return this.search.value.trim();
  }

  /** @param {boolean} isArchived */
  async #showArchived(isArchived) {
    this.#isArchived = isArchived;
    this.search.value = "";
    this.#rows = new Map();
    this.back.focus();
    await this.#loadAnew();
  }

  #goBack() {
    if (this.#isArchived) this.#showArchived(false);
    else this.chat.hideHistory();
  }

  #onSearch() {
    clearTimeout(this.#searchTimer);
    if (!this.#source.isOwn) this.#show();
    else if (!this.#query) this.#loadAnew();
    else this.#searchTimer = setTimeout(() => this.#loadAnew(), SEARCH_DELAY);
  }

  /** What is still on its way is for another list. */
  #loadAnew() {
    this.#visit += 1;
    this.#isLoading = false;
    return this.#load({ afresh: true });
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
      const asked = { after, search: this.#source.isOwn ? this.#query : "", isArchived: this.#isArchived };
      const page = await this.#source.page(asked);
      if (visit !== this.#visit) return;
      const known = this.#rows;
      if (afresh) this.#rows = new Map();
      const threads = asList(page.data).filter(({ id }) => asText(id) && !this.#rows.has(id));
      for (const thread of threads) {
        const row = known.get(thread.id) ?? new HistoryRow(this.chat, thread, (each) => this.#actions(each));
        row.take(thread);
        row.name();
        this.#rows.set(thread.id, row);
      }
      // A server that only repeats itself has no more.
      this.#hasMore = Boolean(page.has_more) && threads.length > 0;
      if (afresh && !asked.search) this.#hasArchived = page.has_archived === true;
    } catch (error) {
      if (visit !== this.#visit) return;
      this.#hasFailed = true;
      this.#tell(error, "historyFailed");
    }
    this.#isLoading = false;
    this.#show();
  }

  /** The rows that are searched for, or all under their days. */
  #show() {
    const { chat } = this;
    const query = this.#query;
    const isPlain = !this.#source.isOwn;
    const dayOf = dayNames(chat);
    /** @type {Map<string, HTMLElement[]>} */
    const days = new Map();
    let day = "";
    for (const { thread, node } of this.#rows.values()) {
      day = dayOf(thread) ?? day;
      if (isPlain && query && !asLabel(thread.title).toLowerCase().includes(query.toLowerCase())) continue;
      const group = thread.pinned && !query ? chat.text("pinned") : query && !isPlain ? "" : day;
      if (!days.has(group)) days.set(group, []);
      days.get(group)?.push(node);
    }
    setChildren(
      this.list,
      [...days].flatMap(([name, nodes]) => this.#group(name, nodes)),
    );
    this.update();
    setText(this.title, chat.text(this.#isArchived ? "archivedThreads" : "conversations"));
    nameButton(this.back, chat.text(this.#isArchived ? "conversations" : "back"));
    const nothing = this.#isLoading ? "loading" : query || this.#rows.size ? "nothingFound" : "historyEmpty";
    setText(this.status, days.size || this.#hasFailed ? "" : chat.text(nothing));
    const isShort = this.#rows.size <= FEW && !this.#hasMore && !this.#hasArchived;
    this.newChat.hidden = this.#isArchived;
    this.search.hidden = this.#isArchived || (!query && isShort);
    this.more.hidden = this.#isLoading || !(this.#hasFailed || this.#hasMore);
    this.archived.hidden = this.#isArchived || Boolean(query) || !this.#hasArchived;
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
   * @param {HistoryRow} row
   * @returns {MenuEntry[]}
   */
  #actions(row) {
    const { chat } = this;
    const { pinned, archived } = row.thread;
    const { showRename, showDelete } = asObject(chat.options.history);
    /** @type {MenuEntry[]} */
    const entries = [];
    const order = (/** @type {StringKey} */ key, /** @type {string} */ icon, /** @type {object} */ wanted) =>
      entries.push({ label: chat.text(key), icon, onSelect: () => this.#keep(row, wanted) });
    if (this.#source.isOwn && !archived) order(pinned ? "unpin" : "pin", "pin", { pinned: !pinned });
    if (showRename) entries.push({ label: chat.text("rename"), icon: "pencil", onSelect: () => this.#rename(row) });
    if (this.#source.isOwn) order(archived ? "unarchive" : "archive", "archive", { archived: !archived });
    if (showDelete) {
      entries.push({ label: chat.text("delete"), icon: "trash", danger: true, onSelect: () => this.#delete(row) });
    }
    return entries;
  }

  /**
   * @param {HistoryRow} row
   * @param {{pinned?: boolean, archived?: boolean}} order
   */
  async #keep(row, order) {
    const buttons = this.#buttons;
    const index = buttons.indexOf(row.button);
    try {
      await this.#source.keep(row.thread.id, order);
    } catch (error) {
      this.#tell(error, "error");
      return;
    }
    await this.#loadAnew();
    const isLeft = row.node.isConnected;
    (isLeft ? row.button : (buttons[index + 1] ?? buttons[index - 1] ?? this.back)).focus();
  }

  /** @param {HistoryRow} row */
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

  /** @param {HistoryRow} row */
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
    if (!isSearching || !this.search.value) return this.#goBack();
    this.search.value = "";
    this.#onSearch();
  }
}
