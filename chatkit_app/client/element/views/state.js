/** Below the messages: what is going on, what has to be known, and what went wrong. */
import { h, setChildren, setText } from "../dom.js";
import { icon } from "../icons.js";
import { MarkdownView } from "../markdown/index.js";
import { asLabel, asObject, asText } from "../values.js";
/** @import {Chat} from "../chat.js" */

/** Milliseconds for which somebody types who was heard to; it is told again while they do. */
const TYPING_FOR = 4000;

const LEVELS = new Set(["info", "warning", "danger"]);

export class StateView {
  #icon = "";
  /** @type {Map<object, HTMLElement>} */
  #notices = new Map();
  /** @type {unknown[]} what notices depend on */
  #setting = [];
  /** @type {{thread: string|undefined, state: string, wasBack: boolean}} who answered when it was looked last */
  #handler = { thread: undefined, state: "", wasBack: false };
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #typing;

  /** @param {Chat} chat */
  constructor(chat) {
    this.chat = chat;
    this.progressIcon = h("span", { class: "progress-icon" });
    this.progressText = h("span", { class: "progress-text", dir: "auto" });
    this.progress = h("p", { class: "progress", part: "progress" }, this.progressIcon, this.progressText);
    this.notices = h("div", { class: "notices" });
    this.stopped = h("p", { class: "stopped" });
    this.failureText = h("span", { dir: "auto" });
    this.retry = h("button", { type: "button", class: "button", onclick: () => chat.retry() });
    this.failure = h(
      "div",
      { class: "failure", role: "alert", part: "error" },
      icon("warning"),
      this.failureText,
      this.retry,
    );
    this.problem = h("p", { class: "failure problem", role: "alert", dir: "auto", hidden: true });
    this.handler = h("p", { class: "who-answers", role: "status", part: "handler", dir: "auto", hidden: true });
    this.typing = h("p", { class: "who-answers", part: "typing", dir: "auto", hidden: true });
    this.stopWaiting = h("button", { type: "button", class: "link-button", onclick: () => chat.stopWaiting() });
    const lines = [h("div", { class: "handler" }, this.handler, this.stopWaiting), this.typing];
    this.node = h(
      "div",
      { class: "state" },
      this.progress,
      this.notices,
      this.stopped,
      this.failure,
      this.problem,
      ...lines,
    );
  }

  configure() {
    setText(this.retry, this.chat.text("retry"));
    setText(this.stopped, this.chat.text("stopped"));
    setText(this.stopWaiting, this.chat.text("stopWaiting"));
    const { strings, language } = this.chat;
    if (this.#setting[0] === strings && this.#setting[1] === language) return;
    this.#setting = [strings, language];
    this.#notices.clear();
  }

  update() {
    this.#updateProgress();
    this.#updateNotices();
    this.stopped.hidden = !this.chat.conversation.wasStopped;
    this.#updateFailure();
    this.#updateHandler();
    if (this.chat.conversation.phase !== "idle") this.problem.hidden = true;
  }

  /** @param {string} message of something that is no answer: a button of a widget, say */
  showProblem(message) {
    setText(this.problem, message || this.chat.text("error"));
    this.problem.hidden = false;
  }

  /** @param {string} name of the person who types at the moment */
  showTyping(name) {
    clearTimeout(this.#typing);
    setText(this.typing, this.chat.text("typing", { name }));
    this.typing.hidden = false;
    this.#typing = setTimeout(() => (this.typing.hidden = true), TYPING_FOR);
  }

  #updateHandler() {
    const { thread, phase, isWritable } = this.chat.conversation;
    const { state = "", name = "" } = asObject(thread?.handler);
    const before = this.#handler;
    const isSame = before.thread === thread?.id;
    // Told until the assistant has answered something again.
    const isBack = isSame && !state && phase !== "answering" && (before.state !== "" || before.wasBack);
    this.#handler = { thread: thread?.id, state: asText(state), wasBack: isBack };
    if (!isSame || state !== "staff") this.typing.hidden = true;
    const key =
      state === "staff" ? "withStaff" : state === "waiting" ? "waitingForStaff" : isBack ? "assistantIsBack" : "";
    this.handler.hidden = !key;
    this.stopWaiting.hidden = state !== "waiting" || this.chat.isReadOnly || !isWritable || phase !== "idle";
    if (key) setText(this.handler, this.chat.text(/** @type {any} */ (key), { name: asText(name) }));
  }

  #updateProgress() {
    const { phase, progress, items, answeredFrom, isReconnecting, thread } = this.chat.conversation;
    // Nobody writes yet where a person is to answer.
    const isWaiting = phase === "answering" && items.length <= answeredFrom && !thread?.handler;
    this.progress.hidden = phase === "idle" || !(phase === "loading" || isWaiting || progress || isReconnecting);
    const said = isReconnecting ? "" : progress?.text;
    const text = isReconnecting ? "reconnecting" : phase === "loading" ? "loading" : "answering";
    setText(this.progressText, said || this.chat.text(text));
    const name = said ? asText(progress?.icon) : "";
    if (name === this.#icon) return;
    this.#icon = name;
    this.progressIcon.replaceChildren(...(name ? [icon(name)] : []));
  }

  #updateNotices() {
    const { notices } = this.chat.conversation;
    for (const notice of this.#notices.keys()) if (!notices.includes(notice)) this.#notices.delete(notice);
    for (const notice of notices) if (!this.#notices.has(notice)) this.#notices.set(notice, this.#notice(notice));
    setChildren(this.notices, [...this.#notices.values()]);
    this.notices.hidden = notices.length === 0;
  }

  /** @param {Record<string, unknown>} notice */
  #notice({ level: sent, title, message }) {
    const level = LEVELS.has(asText(sent)) ? asText(sent) : "info";
    const text = new MarkdownView(this.chat.host);
    text.update(asText(message));
    const heading = asLabel(title);
    return h(
      "div",
      { class: "notice", "data-level": level, role: "status", part: "notice" },
      icon(level),
      h("div", { dir: "auto" }, heading && h("strong", {}, heading), text.node),
    );
  }

  #updateFailure() {
    const { failure } = this.chat.conversation;
    this.failure.hidden = !failure;
    if (!failure) return;
    const text = failure.loading ? "threadFailed" : failure.network ? "errorNetwork" : "error";
    setText(this.failureText, failure.message || this.chat.text(text));
    // To load a thread is all that somebody may do again who is only to read it.
    this.retry.hidden = !failure.canRetry || (this.chat.isReadOnly && !failure.loading);
  }
}
