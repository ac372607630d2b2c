import { h, setAttribute, setText } from "../dom.js";
import { iconButton, nameButton } from "./buttons.js";

const PAGE_SIZE = 9999;
const DAY = 86_400_000;

/** The list of conversations, over the chat. */
export class HistoryView {
  #load = 0;

  constructor(chat) {
    this.chat = chat;
    this.back = iconButton("back", () => chat.hideHistory());
    this.title = h("h2", { class: "title" });
    this.newChat = iconButton("compose", () => chat.newChat());
    this.status = h("p", { class: "history-status", role: "status" });
    this.list = h("ul", { class: "threads", role: "list" });
    this.node = h(
      "section",
      { class: "history", hidden: true },
      h("header", { class: "header" }, this.back, this.title, this.newChat),
      h("div", { class: "scroller" }, this.status, this.list),
    );
    this.node.addEventListener("keydown", (event) => this.#onKeyDown(event));
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
  }

  async open() {
    this.node.hidden = false;
    this.back.focus();
    const load = ++this.#load;
    this.#setStatus(this.list.children.length ? "" : this.chat.text("loading"));
    try {
      const threads = await this.#fetchThreads();
      if (load !== this.#load) return;
      this.list.replaceChildren(...threads.map((thread) => this.#row(thread)));
      this.#setStatus(threads.length ? "" : this.chat.text("historyEmpty"));
    } catch (error) {
      if (load === this.#load) this.#setStatus(error.message || this.chat.text("historyFailed"));
    }
  }

  close() {
    this.node.hidden = true;
    this.#load += 1;
  }

  async #fetchThreads() {
    const threads = [];
    for (;;) {
      const page = await this.chat.transport.request("threads.list", {
        limit: PAGE_SIZE,
        order: "desc",
        after: threads.at(-1)?.id,
      });
      threads.push(...page.data);
      if (!page.has_more || !page.data.length) return threads;
    }
  }

  #row(thread) {
    const isCurrent = thread.id === this.chat.conversation.thread?.id;
    return h(
      "li",
      {},
      h(
        "button",
        {
          type: "button",
          class: "thread-row",
          "aria-current": isCurrent ? "true" : null,
          onclick: () => this.chat.openThread(thread.id),
        },
        h("span", { class: "thread-title", dir: "auto" }, thread.title || this.chat.text("untitled")),
        h("time", { datetime: thread.created_at }, this.#when(new Date(thread.created_at))),
      ),
    );
  }

  #when(date) {
    const midnight = new Date().setHours(0, 0, 0, 0);
    if (date >= midnight) return this.chat.text("today");
    if (date >= midnight - DAY) return this.chat.text("yesterday");
    const thisYear = date.getFullYear() === new Date().getFullYear();
    return date.toLocaleDateString(this.chat.language, {
      day: "numeric",
      month: "short",
      year: thisYear ? undefined : "numeric",
    });
  }

  #setStatus(text) {
    setText(this.status, text);
    this.status.hidden = !text;
  }

  #onKeyDown(event) {
    if (event.key === "Escape") this.chat.hideHistory();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const rows = [...this.list.querySelectorAll("button")];
    const current = rows.indexOf(this.node.getRootNode().activeElement);
    rows[Math.min(Math.max(current + step, 0), rows.length - 1)]?.focus();
    event.preventDefault();
  }
}
