import { h, setAttribute, setText } from "../dom.js";
import { asLabel, asList, asObject, asText } from "../values.js";
import { addStyles } from "../style-sheet.js";
import { iconButton, nameButton } from "../ui/buttons.js";
import { sourceStyles } from "./sources.css.js";
import { structuredInputStyles } from "./structured-input.css.js";
/** @import {ComposerView} from "../composer/composer.js" */
/** @import {Host} from "../host.js" */
/** @import {StructuredInputAnswer, StructuredInputItem, StructuredInputSubmission} from "../protocol.js" */

addStyles({ sources: sourceStyles, structuredInput: structuredInputStyles });

/**
 * Questions of the assistant: a form until they are answered, then what was said.
 *
 * The server takes the answers at any time, and goes on with them at the end of the thread. Those at the end of the
 * thread are asked one by one in the composer, unless somebody wants to see all of them.
 */
export class StructuredInputView {
  #host;
  #shown = "";
  /** @type {QuestionForm|null} */
  #form = null;

  /** @param {Host} host */
  constructor(host) {
    this.#host = host;
    this.node = h("li", { class: "item", part: "item structured-input" });
  }

  /** @param {StructuredInputItem} item */
  update(item) {
    const { isClosed, isReadOnly } = this.#host;
    const shown = JSON.stringify([item.status, item.inputs, isClosed]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const root = /** @type {Document|ShadowRoot} */ (this.node.getRootNode());
    const hadFocus = this.node.contains(root.activeElement);
    const isOpen = item.status === "pending" && !isReadOnly && !isClosed;
    const inputs = asList(item.inputs).map(asObject);
    if (this.#form) this.#form.onMove = () => {};
    this.#form = isOpen ? formOf(this.#host, item) : null;
    const form = this.#form;
    const show = () => {
      const isAsked = form?.isAskedOneByOne;
      const content = isAsked ? this.#waiting() : (form?.node ?? this.#answers(inputs));
      this.node.replaceChildren(content);
      return content;
    };
    if (form) form.onMove = show;
    const content = show();
    if (hadFocus) content.focus();
  }

  /** What stands here while the composer asks: the questions can be read there. */
  #waiting() {
    return h("p", { class: "muted", tabindex: "-1" }, this.#host.text("unanswered"));
  }

  /** @param {Record<string, any>[]} inputs */
  #answers(inputs) {
    return h("dl", { class: "panel", tabindex: "-1" }, ...inputs.map((input) => this.#answer(input)));
  }

  /** @param {Record<string, any>} input */
  #answer(input) {
    const answer = asObject(input.answer);
    const values = asList(answer.values).map(asText).filter(Boolean);
    const none = () => h("dd", { class: "muted" }, this.#host.text(input.answer ? "skipped" : "unanswered"));
    return h(
      "div",
      {},
      h("dt", { dir: "auto" }, asText(input.question)),
      ...(values.length && !answer.skipped ? values.map((value) => h("dd", { dir: "auto" }, value)) : [none()]),
    );
  }
}

/** The forms that are not sent yet, by what is asked in them. @type {WeakMap<Host, Map<string, QuestionForm>>} */
const forms = new WeakMap();

/**
 * @param {Host} host
 * @param {StructuredInputItem} item
 * @returns {QuestionForm} the same as long as the same is asked
 */
export function formOf(host, item) {
  const known = forms.get(host) ?? new Map();
  forms.set(host, known);
  const key = JSON.stringify([item.id, item.inputs]);
  const form = known.get(key) ?? new QuestionForm(host, item, asList(item.inputs).map(asObject));
  known.set(key, form);
  return form;
}

class QuestionForm {
  /** It is in the composer, and asks one question after the other. */
  isAskedOneByOne = false;
  /** Somebody wants to see all questions. */
  isWhole = false;
  /** Told when it goes to another place. */
  onMove = () => {};
  #host;
  #item;
  #questions;
  #isSending = false;
  /** The question that is asked. */
  #step = 0;

  /** @param {Host} host @param {StructuredInputItem} item @param {Record<string, any>[]} inputs */
  constructor(host, item, inputs) {
    this.#host = host;
    this.#item = item;
    this.#questions = inputs.map((input, index) => new Question(host, input, `question-${index}`));
    const onclick = () => (this.isAskedOneByOne ? this.#skip() : this.#send("skipped"));
    this.skip = h("button", { type: "button", class: "link-button", onclick });
    this.submit = h("button", { class: "button", "data-kind": "primary" });
    this.back = iconButton("chevron-left", () => this.#go(this.#step - 1));
    this.place = h("span", { class: "muted", "aria-live": "polite" });
    const expand = iconButton("expand-small", () => this.#showAll());
    nameButton(this.back, host.text("questionBefore"));
    nameButton(expand, host.text("expand"));
    this.steps = h("div", { class: "question-steps" }, this.back, this.place, expand);
    this.node = h(
      "form",
      { class: "panel questions", part: "questions", tabindex: "-1" },
      this.steps,
      ...this.#questions.map(({ node }) => node),
      h("div", { class: "question-buttons" }, this.skip, this.submit),
    );
    this.node.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.submit.ariaDisabled !== "true") this.#goOn();
    });
    this.node.addEventListener("keydown", (event) => this.#onKeyDown(event));
    this.node.addEventListener("input", () => this.#refresh());
    this.node.addEventListener("click", () => this.#refresh());
    this.#refresh();
  }

  /** @param {boolean} isAskedOneByOne it is in the composer now, or in the conversation */
  move(isAskedOneByOne) {
    if (this.isAskedOneByOne === isAskedOneByOne) return;
    this.isAskedOneByOne = isAskedOneByOne;
    this.#refresh();
    this.onMove();
  }

  /** Have the focus where the answer is given. */
  focus() {
    const question = this.isAskedOneByOne ? this.#questions[this.#step].node : this.node;
    /** @type {HTMLElement} */ (question.querySelector("input, textarea") ?? this.node).focus();
  }

  #showAll() {
    this.isWhole = true;
    this.#host.askAgain();
    this.focus();
  }

  /** @param {number} step */
  #go(step) {
    this.#step = step;
    this.#refresh();
    this.focus();
  }

  /** To the next question, or to the end. */
  #goOn() {
    const isLast = this.#step === this.#questions.length - 1;
    if (this.isAskedOneByOne && !isLast) this.#go(this.#step + 1);
    else this.#send(this.#questions.every(({ answer }) => answer.skipped) ? "skipped" : "answered");
  }

  #skip() {
    this.#questions[this.#step].clear();
    this.#goOn();
  }

  #refresh() {
    const { isAskedOneByOne } = this;
    const count = this.#questions.length;
    const isLast = this.#step === count - 1;
    const asked = isAskedOneByOne ? [this.#questions[this.#step]] : this.#questions;
    const isEmpty = asked.every(({ answer }) => answer.skipped);
    for (const question of this.#questions) {
      question.node.hidden = !asked.includes(question);
      question.skip.hidden = isAskedOneByOne;
    }
    this.steps.hidden = !isAskedOneByOne || count < 2;
    this.back.hidden = !this.#step;
    setText(this.place, this.#host.text("questionOf", { number: this.#step + 1, count }));
    setText(this.skip, this.#host.text(isAskedOneByOne ? "skip" : "skipAll"));
    setText(this.submit, this.#host.text(isAskedOneByOne && !isLast ? "questionNext" : "submit"));
    setAttribute(this.submit, "aria-disabled", isEmpty || this.#isSending ? "true" : null);
    setAttribute(this.skip, "aria-disabled", this.#isSending ? "true" : null);
    setAttribute(this.node, "aria-busy", this.#isSending ? "true" : null);
  }

  /** @param {KeyboardEvent} event */
  #onKeyDown(event) {
    if (event.key !== "Enter" || event.isComposing) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.matches("textarea") && (event.ctrlKey || event.metaKey)) this.node.requestSubmit();
    // Half a form is not sent by the way.
    const isHalf = !this.isAskedOneByOne && this.#questions.some(({ isOpen }) => isOpen);
    if (target.matches("input") && isHalf) event.preventDefault();
  }

  /** @param {StructuredInputSubmission["status"]} status */
  async #send(status) {
    if (this.#isSending) return;
    if (this.#host.isAnswering) return this.#host.announce(this.#host.text("answering"));
    this.#isSending = true;
    this.#refresh();
    const skipped = { values: [], skipped: true };
    const answers = Object.fromEntries(
      this.#questions.map(({ id, answer }) => [id, status === "skipped" ? skipped : answer]),
    );
    const sent = this.#host.submitInputs(this.#item, { status, answers });
    await sent.catch(() => this.#host.announce(this.#host.text("error")));
    this.#isSending = false;
    this.#refresh();
  }
}

/** Questions in the composer: those at the end of the conversation, one after the other, in place of its box. */
export class Asking {
  /** @type {QuestionForm|null} */
  #form = null;
  #composer;

  /** @param {ComposerView} composer */
  constructor(composer) {
    this.#composer = composer;
  }

  /** @returns {boolean} whether there is a question that can have the focus */
  focus() {
    const isAsked = this.#form?.isAskedOneByOne ?? false;
    if (isAsked) this.#form?.focus();
    return isAsked;
  }

  /** @param {any} item what is to be asked, if anything @returns {boolean} whether it is asked here */
  update(item) {
    const { chat, box, questions } = this.#composer;
    const form = item && !chat.isReadOnly ? formOf(chat.host, item) : null;
    const isAsked = form !== null && !form.isWhole;
    if (this.#form && (this.#form !== form || !isAsked)) this.#form.move(false);
    this.#form = form;
    if (!isAsked) questions.replaceChildren();
    else if (form.node.parentNode !== questions) {
      const hadFocus = box.matches(":focus-within");
      questions.replaceChildren(form.node);
      form.move(true);
      if (hadFocus) form.focus();
    }
    return isAsked;
  }
}

class Question {
  /** @type {(HTMLInputElement|HTMLTextAreaElement)[]} */
  #controls;
  #read;
  #isSkipped = false;

  /** @param {Host} host @param {Record<string, any>} input @param {string} name */
  constructor(host, input, name) {
    this.id = asText(input.id);
    const question = asText(input.question);
    const description = asText(input.description);
    const { nodes, controls, read } =
      input.type === "multiple_choice" ? choices(host, input, name) : freeform(asLabel(question));
    this.#controls = controls;
    this.#read = read;
    this.skip = h("button", { type: "button", class: "link-button", onclick: () => this.#toggle() }, host.text("skip"));
    setAttribute(this.skip, "aria-pressed", "false");
    this.node = h(
      "fieldset",
      { class: "question", part: "question" },
      h("legend", { dir: "auto" }, question),
      description && h("p", { class: "muted", dir: "auto" }, description),
      ...nodes,
      this.skip,
    );
  }

  /** @returns {StructuredInputAnswer} */
  get answer() {
    const values = this.#isSkipped ? [] : this.#read().filter((value) => value.trim());
    return { values, skipped: !values.length };
  }

  /** Whether it has been neither answered nor skipped. */
  get isOpen() {
    return !this.#isSkipped && this.answer.skipped;
  }

  /** Forget what has been answered. */
  clear() {
    for (const control of this.#controls) {
      if (control instanceof HTMLInputElement && control.type !== "text") control.checked = false;
      else control.value = "";
    }
  }

  #toggle() {
    this.#isSkipped = !this.#isSkipped;
    for (const control of this.#controls) control.disabled = this.#isSkipped;
    setAttribute(this.skip, "aria-pressed", String(this.#isSkipped));
    setAttribute(this.node, "data-skipped", this.#isSkipped);
  }
}

/**
 * What can be chosen, and a field for what is not among it.
 *
 * @param {Host} host
 * @param {Record<string, any>} input
 * @param {string} name
 */
function choices(host, { options, multiple }, name) {
  const type = multiple === true ? "checkbox" : "radio";
  const label = host.text("otherAnswer");
  const boxes = asList(options)
    .map((option) => asText(option.value))
    .filter((value) => value.trim())
    .map((value) => h("input", { type, name, value }));
  const other = h("input", { type, name, "aria-label": label });
  const field = h("input", { class: "text-field", dir: "auto", placeholder: label, "aria-label": label });
  field.addEventListener("input", () => (other.checked = field.value.trim() !== ""));
  const nodes = boxes.map((box) => h("label", { class: "choice" }, box, h("span", { dir: "auto" }, box.value)));
  return {
    nodes: [...nodes, h("div", { class: "choice" }, other, field)],
    controls: [...boxes, other, field],
    read: () => {
      const chosen = boxes.filter(({ checked }) => checked).map(({ value }) => value);
      return other.checked ? [...chosen, field.value] : chosen;
    },
  };
}

/** @param {string} label */
function freeform(label) {
  const field = h("textarea", { class: "text-field", rows: "2", dir: "auto", "aria-label": label });
  return { nodes: [field], controls: [field], read: () => [field.value] };
}

export const ITEM_VIEWS = { structured_input: StructuredInputView };
