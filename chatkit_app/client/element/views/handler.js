/** Who answers, where that is not the assistant, and that they type. */
import { h, setText } from "../dom.js";
import { asObject, asText } from "../values.js";
/** @import {Chat} from "../chat.js" */

/** Milliseconds for which somebody types who was heard to; it is told again while they do. */
const TYPING_FOR = 4000;

/** The text for who answers. @type {Record<string, string>} */
const KEYS = { staff: "withTeam", waiting: "waitingForStaff" };

export class HandlerView {
  /** @type {{thread: string|undefined, state: string, wasBack: boolean}} who answered when it was looked last */
  #known = { thread: undefined, state: "", wasBack: false };
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #typing;
  /** The id of the newest message of a person. @type {string|undefined} */
  #newest;

  /** @param {Chat} chat */
  constructor(chat) {
    this.chat = chat;
    this.handler = h("p", { class: "who-answers", role: "status", part: "handler", dir: "auto", hidden: true });
    this.typing = h("p", { class: "who-answers", part: "typing", dir: "auto", hidden: true });
    this.stopWaiting = h("button", { type: "button", class: "link-button", onclick: () => chat.stopWaiting() });
    this.node = h("div", {}, h("div", { class: "handler" }, this.handler, this.stopWaiting), this.typing);
  }

  /** @param {string} name of the person who types at the moment; empty if they have none that users are told */
  showTyping(name) {
    clearTimeout(this.#typing);
    setText(this.typing, this.chat.text(name ? "typing" : "typingTeam", { name }));
    this.typing.hidden = false;
    this.#typing = setTimeout(() => (this.typing.hidden = true), TYPING_FOR);
  }

  update() {
    const { thread, phase, isWritable, items } = this.chat.conversation;
    const { state = "", name = "" } = asObject(thread?.handler);
    const before = this.#known;
    const isSame = before.thread === thread?.id;
    // Told until the assistant has answered something again.
    const isBack = isSame && !state && phase !== "answering" && (before.state !== "" || before.wasBack);
    this.#known = { thread: thread?.id, state: asText(state), wasBack: isBack };
    const newest = items.findLast((item) => "author" in item)?.id;
    if (!isSame || state !== "staff" || !isWritable || newest !== this.#newest) this.typing.hidden = true;
    this.#newest = newest;
    // Where nobody can write any more, nobody answers.
    const said = name ? "withStaff" : (KEYS[asText(state)] ?? (isBack ? "assistantIsBack" : ""));
    const key = isWritable ? said : "";
    this.handler.hidden = !key;
    this.stopWaiting.hidden = state !== "waiting" || this.chat.isReadOnly || !isWritable || phase !== "idle";
    setText(this.stopWaiting, this.chat.text("stopWaiting"));
    if (key) setText(this.handler, this.chat.text(/** @type {any} */ (key), { name: asText(name) }));
  }
}
