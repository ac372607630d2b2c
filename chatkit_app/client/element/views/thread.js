/** The messages of a conversation, and the scrolling through them. */
import { h, setAttribute, setText } from "../dom.js";
import { icon } from "../icons.js";
import { createItemView } from "../items/index.js";
import { StateView } from "./state.js";
import { addStyles } from "../style-sheet.js";
import { threadStyles } from "./thread.css.js";
/** @import {Chat} from "../chat.js" */
/** @import {AnyItem} from "../items.js" */
/** @import {ThreadActions} from "../items/thread-actions.js" */
/** @import {StartView} from "./start.js" */

addStyles({ thread: threadStyles });

/** How near the end, in pixels, counts as reading along. */
const NEAR_END = 80;
/** How near the beginning, in pixels, the page before is asked for. */
const NEAR_START = 1200;
/** Milliseconds before a page that could not be had is asked for again. */
const RETRY_DELAY = 5000;

/** Types of items that come whole, and may be taller than the window. */
const READ_FROM_THE_TOP = new Set(["widget", "structured_input"]);
/** Pixels between the window's edge and the item that is read from its top. */
const MARGIN = 16;

/** @typedef {{type: string, item: AnyItem, isLive?: boolean, view: {node: HTMLElement, update: Function}}} Shown */

export class ThreadView {
  /** @type {Map<string, Shown>} by the item's id */
  #shown = new Map();
  /** What is loaded once there is something to do. @type {ThreadActions|null} */
  #actions = null;
  /** @type {AnyItem[]|undefined} */
  #items;
  #answering = false;
  #isWithStaff = false;
  /** Something was said elsewhere, and stands below what is in sight. */
  #hasNews = false;
  #isClosed = false;
  /** Whether the end stays in sight while it moves. */
  #followsEnd = true;
  /** Only as far as the end of what is answered stays in sight, too. */
  #keepsQuestion = false;
  /** @type {Element|null} in which a message is edited: as long as it is there the end is not followed, away from it */
  editor = null;
  /** @type {unknown[]} what every item depends on */
  #setting = [];
  /** @type {object|null} the conversation whose older items are asked for */
  #growing = null;
  /** Where the scroller was put last, and how high it was then. */
  #top = 0;
  #height = 0;

  /**
   * @param {Chat} chat
   * @param {StartView} start
   */
  constructor(chat, start) {
    this.chat = chat;
    this.list = h("ol", { class: "items", role: "list", part: "items" });
    this.state = new StateView(chat);
    this.column = h("div", { class: "column" }, this.list, this.state.node);
    this.scroller = h("div", { class: "scroller", tabindex: "0", role: "region" }, start.node, this.column);
    this.scroller.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    const onclick = () => this.showNewest("smooth");
    this.news = h("span", { class: "news", dir: "auto" });
    const jump = { type: "button", class: "jump icon-button", hidden: true, onclick };
    this.jump = h("button", jump, icon("arrow-down"), this.news);
    this.node = h("div", { class: "thread", part: "thread" }, this.scroller, this.jump);
    // The end moves when something grows: an answer, an image, the composer.
    const observer = new ResizeObserver(() => this.#keepEnd());
    observer.observe(this.scroller);
    observer.observe(this.column);
  }

  configure() {
    setAttribute(this.scroller, "aria-label", this.chat.text("messages"));
    this.state.configure();
    // Once more for what depends on the options; but what is half filled in, open or selected stays as it is.
    this.#items = undefined;
    const { strings, language, isReadOnly } = this.chat;
    const setting = [strings, language, isReadOnly];
    if (setting.every((value, index) => value === this.#setting[index])) return;
    this.#setting = setting;
    this.#shown.clear();
    this.#actions?.remove();
    this.#actions = null;
    this.list.replaceChildren();
  }

  update() {
    const { phase, isNew } = this.chat.conversation;
    const items = this.#shownItems;
    this.column.hidden = isNew;
    const isAnswering = phase === "answering";
    setAttribute(this.list, "aria-busy", isAnswering ? "true" : null);
    if (this.chat.host.isClosed !== this.#isClosed) {
      this.#isClosed = this.chat.host.isClosed;
      // Each is shown anew: what sends something is not offered, or again.
      for (const shown of this.#shown.values()) delete shown.isLive;
      this.#items = undefined;
    }
    const { isWithStaff } = this.chat.host;
    if (items !== this.#items || isAnswering !== this.#answering || isWithStaff !== this.#isWithStaff) {
      const last = items.at(-1)?.id;
      if (last && this.#items?.length && !isAnswering && !this.#answering && !this.#shown.has(last)) {
        this.#hasNews = true;
        if (this.#isNearEnd) this.showNewest();
      }
      const grewUp = this.#items?.length && items[0]?.id !== this.#items[0].id;
      this.#items = items;
      this.#answering = isAnswering;
      this.#isWithStaff = isWithStaff;
      if (grewUp) this.#keepPlace(() => this.#updateItems(items));
      else this.#updateItems(items);
    }
    this.state.update();
    this.#keepEnd();
    this.#loadOlder();
  }

  /** The conversation's, and earlier versions in their place where one looks at them. */
  get #shownItems() {
    const { items } = this.chat.conversation;
    return this.#actions?.shown(items) ?? items;
  }

  /** Show others of the items, which are no news. */
  redraw() {
    this.#items = undefined;
    this.update();
  }

  /** Show what was just sent, and the answer as it grows. */
  showSent() {
    this.showNewest();
    // Unless the page wants it, nothing moves under the reader's eyes once an answer fills the window.
    this.#keepsQuestion = !this.chat.options.thread?.autoScroll;
  }

  /** @param {string} message what went wrong, or "" */
  showProblem(message) {
    this.state.showProblem(message);
    this.#keepEnd();
  }

  /** @param {AnyItem[]} items */
  #updateItems(items) {
    const ids = new Set(items.map(({ id }) => id));
    for (const [id, { view }] of this.#shown) {
      if (ids.has(id)) continue;
      view.node.remove();
      this.#shown.delete(id);
    }
    const { answeredFrom } = this.chat.conversation;
    items.forEach((item, index) => {
      const node = this.#updateItem(item, this.#answering && index >= answeredFrom);
      const place = this.list.children[index];
      if (place !== node) this.list.insertBefore(node, place ?? null);
    });
    this.#updateActions(items);
  }

  /**
   * @param {AnyItem} item
   * @param {boolean} isLive
   */
  #updateItem(item, isLive) {
    const known = this.#shown.get(item.id);
    const isKnown = known?.type === item.type && known.item.isEarlier === item.isEarlier;
    const view = isKnown ? known.view : createItemView(this.#actions?.hostOf(item) ?? this.chat.host, item);
    if (known && known.view !== view) known.view.node.remove();
    if (known?.item !== item || known.isLive !== isLive) {
      try {
        view.update(item, { isLive });
      } catch (error) {
        // One item that is not what its type promises must not take the others with it.
        console.error("An item could not be shown.", error);
        view.node.replaceChildren(this.chat.text("unsupported"));
      }
    }
    // Where the page puts what it has to say of an item.
    if (this.chat.isReadOnly && view.node.firstElementChild?.tagName !== "SLOT") {
      view.node.prepend(h("slot", { name: `item-${item.id}` }));
    }
    this.#shown.set(item.id, { type: item.type, item, isLive, view });
    return view.node;
  }

  /**
   * Below messages and answers: what can be done with them.
   *
   * @param {AnyItem[]} items
   */
  #updateActions(items) {
    const part = this.chat.part("turnActions");
    if (part) this.#actions ??= new part.ThreadActions(this);
    if (this.#actions) this.#actions.update(items, this.#shown, this.#answering);
    else if (items.length) {
      const update = () => this.#items && this.#updateActions(this.#items);
      // Without them the answer can still be read.
      this.chat.load("turnActions").then(update, () => {});
    }
  }

  /**
   * Show the end of the thread, and keep it in sight.
   *
   * @param {ScrollBehavior} [behavior]
   */
  showNewest(behavior = "instant") {
    this.#followsEnd = true;
    this.#keepsQuestion = false;
    this.#top = 0;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.scroller.scrollTo({ top: this.scroller.scrollHeight, behavior: calm ? "instant" : behavior });
  }

  #keepEnd() {
    // Somebody has scrolled up, and the event that says so is still to come.
    if (this.scroller.scrollTop < this.#top - 1 && !this.#isNearEnd) this.#followsEnd = false;
    if (this.#followsEnd && !this.editor?.isConnected && !this.chat.conversation.isNew) {
      this.scroller.scrollTop = this.#end;
      this.#top = this.scroller.scrollTop;
    }
    this.#height = this.scroller.clientHeight;
    this.#updateJump();
  }

  /** Where to follow to: what has to be read from its beginning is not left behind. */
  get #end() {
    const { items, answeredFrom } = this.chat.conversation;
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    const above = scrollTop - this.scroller.getBoundingClientRect().top - MARGIN;
    const last = this.#shown.get(items.at(-1)?.id ?? "");
    if (last && READ_FROM_THE_TOP.has(last.type)) return above + last.view.node.getBoundingClientRect().top;
    const question = this.#shown.get(items.at(answeredFrom - 1)?.id ?? "");
    if (!this.#keepsQuestion || !question) return scrollHeight;
    const { top, bottom } = question.view.node.getBoundingClientRect();
    return Math.max(scrollTop, above + Math.max(top, bottom - clientHeight / 3));
  }

  /**
   * What one reads stays where it is when something comes in above it.
   *
   * @param {() => void} change
   */
  #keepPlace(change) {
    // Browsers do it themselves, except at the very beginning.
    const isOurs = this.scroller.scrollTop < 1 || !CSS.supports("overflow-anchor", "auto");
    const first = isOurs && !this.#followsEnd ? this.#firstInSight() : null;
    const before = first?.getBoundingClientRect().top ?? 0;
    change();
    if (first?.isConnected) this.scroller.scrollTop += first.getBoundingClientRect().top - before;
  }

  #firstInSight() {
    const { top } = this.scroller.getBoundingClientRect();
    return [...this.list.children].find((node) => node.getBoundingClientRect().bottom > top) ?? null;
  }

  #onScroll() {
    // A keyboard has come up, say: the end is out of sight, and is about to be followed.
    if (this.scroller.clientHeight !== this.#height) return;
    this.#top = Math.min(this.#top, this.scroller.scrollTop);
    this.#followsEnd = this.#isNearEnd;
    this.#updateJump();
    this.#loadOlder();
  }

  #updateJump() {
    this.jump.hidden = this.chat.conversation.isNew || this.#isNearEnd;
    this.#hasNews &&= !this.jump.hidden;
    setText(this.news, this.#hasNews ? this.chat.text("newMessages") : "");
    setAttribute(this.jump, "aria-label", this.#hasNews ? null : this.chat.text("jumpToLatest"));
  }

  get #isNearEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_END;
  }

  #loadOlder() {
    const { conversation } = this.chat;
    if (!conversation.hasOlder || conversation.phase === "loading" || this.#growing === conversation) return;
    if (this.scroller.scrollTop > NEAR_START) return;
    this.#growing = conversation;
    const finish = () => {
      if (this.#growing === conversation) this.#growing = null;
    };
    conversation.loadOlder().then(finish, (error) => {
      this.chat.dispatchError(error);
      setTimeout(finish, RETRY_DELAY);
    });
  }
}
