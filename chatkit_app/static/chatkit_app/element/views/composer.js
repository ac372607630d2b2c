import { h, setAttribute, setText } from "../dom.js";
import { icon } from "../icons.js";
import { renderMarkdown } from "../markdown.js";
import { nameButton } from "./buttons.js";

const GROWS_ITSELF = CSS.supports("field-sizing", "content");
const MAX_ROWS = 8;

/** Where the message is written: Enter sends, Shift+Enter breaks the line, one button sends or stops. */
export class ComposerView {
  #wasComposing = false;

  constructor(chat) {
    this.chat = chat;
    this.input = h("textarea", { class: "input", rows: "1", dir: "auto", enterkeyhint: "send" });
    this.sendIcon = icon("arrow-up");
    this.stopIcon = h("span", { class: "stop-square", "aria-hidden": "true" });
    this.button = h("button", { type: "submit", class: "send" }, this.sendIcon, this.stopIcon);
    this.box = h("div", { class: "box" }, this.input, this.button);
    this.notice = h("p", { class: "read-only", role: "status", dir: "auto" });
    this.disclaimer = h("div", { class: "disclaimer markdown", dir: "auto" });
    this.node = h("form", { class: "composer" }, this.notice, this.box, this.disclaimer);
    this.node.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.box.addEventListener("click", (event) => {
      if (event.target === this.box) this.input.focus();
    });
    this.input.addEventListener("input", () => this.update());
    this.input.addEventListener("keydown", (event) => this.#onKeyDown(event));
    // Safari ends the composition before it tells of the Enter that ended it.
    this.input.addEventListener("compositionend", () => {
      this.#wasComposing = true;
      setTimeout(() => (this.#wasComposing = false));
    });
  }

  configure() {
    const { composer, disclaimer } = this.chat.options;
    const placeholder = composer?.placeholder ?? this.chat.text("placeholder");
    setAttribute(this.input, "placeholder", placeholder);
    setAttribute(this.input, "aria-label", placeholder);
    renderMarkdown(this.disclaimer, disclaimer?.text ?? "");
    this.disclaimer.hidden = !disclaimer?.text;
    setAttribute(this.disclaimer, "data-contrast", disclaimer?.highContrast ? "high" : null);
  }

  update() {
    const { phase, canStop, isWritable, thread } = this.chat.conversation;
    if (!GROWS_ITSELF) this.input.rows = Math.min(this.input.value.split("\n").length, MAX_ROWS);
    const stops = phase === "answering" && canStop;
    const label = this.chat.text(stops ? "stop" : "send");
    nameButton(this.button, label);
    setAttribute(this.button, "data-stops", stops);
    // Not the attribute "disabled": it would drop the focus of who has just sent.
    setAttribute(this.button, "aria-disabled", String(!stops && (phase !== "idle" || !this.input.value.trim())));
    this.box.hidden = !isWritable;
    this.notice.hidden = isWritable;
    if (!isWritable) {
      const { type, reason } = thread.status;
      setText(this.notice, reason || this.chat.text(type === "closed" ? "threadClosed" : "threadLocked"));
    }
  }

  focus() {
    this.input.focus();
  }

  #onKeyDown(event) {
    const isComposing = event.isComposing || event.keyCode === 229 || this.#wasComposing;
    if (event.key !== "Enter" || event.shiftKey || isComposing) return;
    event.preventDefault();
    if (this.chat.conversation.phase === "idle") this.#submit();
  }

  #submit() {
    const { phase, canStop } = this.chat.conversation;
    if (phase === "answering" && canStop) {
      this.chat.stop();
      this.input.focus();
      return;
    }
    const text = this.input.value.trim();
    if (!text || phase !== "idle") return;
    this.input.value = "";
    this.chat.send({ content: [{ type: "input_text", text }] });
  }
}
