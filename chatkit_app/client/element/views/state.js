/** Below the messages: what is going on, what has to be known, and what went wrong. */
import { h, setAttribute, setText } from "../dom.js";
import { icon } from "../icons.js";
import { asObject, asText } from "../values.js";
/** @import {Chat} from "../chat.js" */
/** @import {HandlerView} from "./handler.js" */
/** @import {NoticesView} from "./notices.js" */

export class StateView {
  #icon = "";
  /** What is loaded once there is something for it to show. @type {NoticesView|null} */
  #notices = null;
  /** @type {HandlerView|null} */
  #handler = null;

  /** @param {Chat} chat */
  constructor(chat) {
    this.chat = chat;
    this.progressIcon = h("span", { class: "progress-icon" });
    this.progressText = h("span", { class: "progress-text", dir: "auto" });
    this.tryNow = h("button", { type: "button", class: "link-button", onclick: () => chat.conversation.tryNow() });
    const progress = [this.progressIcon, this.progressText, " ", this.tryNow];
    this.progress = h("p", { class: "progress", part: "progress" }, ...progress);
    this.notices = h("div", { class: "notices", hidden: true });
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
    this.node = h("div", { class: "state" }, this.progress, this.notices, this.stopped, this.failure, this.problem);
  }

  configure() {
    setText(this.tryNow, this.chat.text("tryNow"));
    setText(this.stopped, this.chat.text("stopped"));
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
    this.#withHandler().then(
      (handler) => handler.showTyping(name),
      () => {},
    );
  }

  async #withHandler() {
    const { HandlerView } = await this.chat.load("handler");
    if (!this.#handler) {
      this.#handler = new HandlerView(this.chat);
      this.node.append(this.#handler.node);
      this.#handler.update();
    }
    return this.#handler;
  }

  #updateHandler() {
    if (this.#handler) this.#handler.update();
    else if (asObject(this.chat.conversation.thread?.handler).state) this.#withHandler().catch(() => {});
  }

  #updateProgress() {
    const { phase, progress, items, answeredFrom, isReconnecting, thread } = this.chat.conversation;
    // Nobody writes yet where a person is to answer.
    const isWaiting = phase === "answering" && items.length <= answeredFrom && !thread?.handler;
    this.progress.hidden = phase === "idle" || !(phase === "loading" || isWaiting || progress || isReconnecting);
    this.tryNow.hidden = !isReconnecting;
    const said = isReconnecting ? "" : progress?.text;
    const text = isReconnecting ? "reconnecting" : phase === "loading" ? "loading" : "answering";
    setText(this.progressText, said || this.chat.text(text));
    const name = said ? asText(progress?.icon) : "";
    if (name === this.#icon) return;
    this.#icon = name;
    this.progressIcon.replaceChildren(...(name ? [icon(name)] : []));
  }

  async #updateNotices() {
    const { notices } = this.chat.conversation;
    if (!this.#notices && notices.length) {
      const part = await this.chat.load("notices").catch(() => null);
      if (part && !this.#notices) {
        this.#notices = new part.NoticesView(this.chat);
        this.notices.replaceWith(this.#notices.node);
      } else if (!part) {
        setText(this.notices, notices.map(({ message }) => asText(message)).join("\n"));
        this.notices.hidden = false;
      }
    }
    this.#notices?.update();
  }

  #updateFailure() {
    const { failure } = this.chat.conversation;
    // What has been so for a while is no news to be read out.
    setAttribute(this.failure, "role", failure?.isOld ? null : "alert");
    this.failure.hidden = !failure;
    if (!failure) return;
    setText(this.retry, this.chat.text(failure.isKept ? "answerKept" : "retry"));
    setText(this.failureText, failure.message || this.chat.text(reasonOf(failure)));
    // To load a thread is all that somebody may do again who is only to read it.
    this.retry.hidden = !failure.canRetry || (this.chat.isReadOnly && !failure.loading);
  }
}

/** @param {import("../turn.js").Failure} failure which says nothing itself */
function reasonOf({ isKept, isOld, loading, network }) {
  if (isKept) return "unanswered";
  if (isOld) return "answerCut";
  if (loading) return "threadFailed";
  return network ? "errorNetwork" : "error";
}
