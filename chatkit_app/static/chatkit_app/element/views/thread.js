import { h, setAttribute, setText } from "../dom.js";
import { icon } from "../icons.js";
import { renderMarkdown } from "../markdown.js";
import { createItemView } from "./items.js";

/** How near the end, in pixels, counts as reading along. */
const NEAR_END = 80;

/** The messages, what is going on below them, and the scrolling. */
export class ThreadView {
  #views = new Map();
  #followsEnd = true;

  constructor(chat, start) {
    this.chat = chat;
    this.list = h("ol", { class: "items", role: "list" });
    this.progress = h("p", { class: "progress", dir: "auto" });
    this.notices = h("div", { class: "notices" });
    this.stopped = h("p", { class: "stopped" });
    this.failureText = h("span", { dir: "auto" });
    this.retry = h("button", { type: "button", class: "button", onclick: () => chat.retry() });
    this.failure = h("div", { class: "failure", role: "alert" }, icon("warning"), this.failureText, this.retry);
    this.jump = h(
      "button",
      { type: "button", class: "jump icon-button", hidden: true, onclick: () => this.scrollToEnd({ smooth: true }) },
      icon("arrow-down"),
    );
    const column = h("div", { class: "column" }, this.list, this.progress, this.notices, this.stopped, this.failure);
    this.scroller = h("div", { class: "scroller", tabindex: "-1", role: "region" }, start.node, column);
    this.scroller.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    this.column = column;
    this.node = h("div", { class: "thread" }, this.scroller, this.jump);
    // Also when the composer grows or the window shrinks.
    new ResizeObserver(() => this.#keepEnd()).observe(this.scroller);
  }

  configure() {
    setAttribute(this.scroller, "aria-label", this.chat.text("messages"));
    setAttribute(this.jump, "aria-label", this.chat.text("jumpToLatest"));
    setText(this.retry, this.chat.text("retry"));
    setText(this.stopped, this.chat.text("stopped"));
    this.#views.clear();
    this.list.replaceChildren();
  }

  update() {
    const { items, phase, isNew, wasStopped } = this.chat.conversation;
    this.column.hidden = isNew;
    setAttribute(this.list, "aria-busy", phase === "answering" ? "true" : null);
    this.#updateItems(items);
    this.#updateProgress();
    this.#updateNotices();
    this.stopped.hidden = !wasStopped;
    this.#updateFailure();
    this.#keepEnd();
  }

  /** Read along from here on. */
  scrollToEnd({ smooth = false } = {}) {
    this.#followsEnd = true;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.scroller.scrollTo({ top: this.scroller.scrollHeight, behavior: smooth && !calm ? "smooth" : "instant" });
  }

  #updateItems(items) {
    const ids = new Set(items.map(({ id }) => id));
    for (const [id, { view }] of this.#views) {
      if (ids.has(id)) continue;
      view.node.remove();
      this.#views.delete(id);
    }
    items.forEach((item, index) => {
      const known = this.#views.get(item.id);
      const view = known?.type === item.type ? known.view : createItemView(this.chat, item);
      if (known && known.view !== view) known.view.node.remove();
      if (known?.item !== item) this.#show(view, item);
      this.#views.set(item.id, { type: item.type, item, view });
      const place = this.list.children[index];
      if (place !== view.node) this.list.insertBefore(view.node, place ?? null);
    });
  }

  /** One item that is not what its type promises must not take the others with it. */
  #show(view, item) {
    try {
      view.update(item);
    } catch (error) {
      console.error("An item could not be shown.", error);
      view.node.replaceChildren(this.chat.text("unsupported"));
    }
  }

  #updateProgress() {
    const { phase, progress, items } = this.chat.conversation;
    const isWaiting = phase === "answering" && items.at(-1)?.type === "user_message";
    this.progress.hidden = phase === "idle" || !(phase === "loading" || isWaiting || progress);
    const text = progress?.text ?? this.chat.text(phase === "loading" ? "loading" : "answering");
    setText(this.progress, text);
  }

  #updateNotices() {
    const { notices } = this.chat.conversation;
    if (this.notices.children.length === notices.length) return;
    this.notices.replaceChildren(...notices.map(noticeNode));
  }

  #updateFailure() {
    const { failure } = this.chat.conversation;
    this.failure.hidden = !failure;
    if (!failure) return;
    const text = failure.loading ? "threadFailed" : failure.network ? "errorNetwork" : "error";
    setText(this.failureText, failure.message || this.chat.text(text));
    this.retry.hidden = !failure.canRetry;
  }

  #onScroll() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    this.#followsEnd = scrollHeight - scrollTop - clientHeight < NEAR_END;
    this.jump.hidden = this.#followsEnd;
  }

  #keepEnd() {
    if (this.#followsEnd && !this.chat.conversation.isNew) this.scrollToEnd();
  }
}

function noticeNode({ level, title, message }) {
  const text = h("div", { class: "markdown" });
  renderMarkdown(text, message);
  return h(
    "div",
    { class: "notice", "data-level": level, role: "status" },
    icon(level === "info" ? "info" : "warning"),
    h("div", { dir: "auto" }, title ? h("strong", {}, title) : null, text),
  );
}
