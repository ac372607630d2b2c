import { h, setAttribute } from "../dom.js";
import { asLabel, asList, asObject, asText } from "../values.js";
import { addStyles } from "../style-sheet.js";
import { sourceStyles } from "./sources.css.js";
import { structuredInputStyles } from "./structured-input.css.js";
/** @import {Host} from "../host.js" */
/** @import {StructuredInputAnswer, StructuredInputItem, StructuredInputSubmission} from "../protocol.js" */

addStyles({ sources: sourceStyles, structuredInput: structuredInputStyles });

/**
 * Questions of the assistant: a form until they are answered, then what was said.
 *
 * The server takes the answers at any time, and goes on with them at the end of the thread.
 */
export class StructuredInputView {
  #host;
  #shown = "";

  /** @param {Host} host */
  constructor(host) {
    this.#host = host;
    this.node = h("li", { class: "item", part: "item structured-input" });
  }

  /** @param {StructuredInputItem} item */
  update(item) {
    const shown = JSON.stringify([item.status, item.inputs]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const root = /** @type {Document|ShadowRoot} */ (this.node.getRootNode());
    const hadFocus = this.node.contains(root.activeElement);
    const isOpen = item.status === "pending" && !this.#host.isReadOnly;
    const inputs = asList(item.inputs).map(asObject);
    const content = isOpen ? new QuestionForm(this.#host, item, inputs).node : this.#answers(inputs);
    this.node.replaceChildren(content);
    if (hadFocus) content.focus();
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

class QuestionForm {
  #host;
  #item;
  #questions;
  #isSending = false;

  /** @param {Host} host @param {StructuredInputItem} item @param {Record<string, any>[]} inputs */
  constructor(host, item, inputs) {
    this.#host = host;
    this.#item = item;
    this.#questions = inputs.map((input, index) => new Question(host, input, `question-${index}`));
    const onclick = () => this.#send("skipped");
    this.skip = h("button", { type: "button", class: "link-button", onclick }, host.text("skipAll"));
    this.submit = h("button", { class: "button", "data-kind": "primary" }, host.text("submit"));
    this.node = h(
      "form",
      { class: "panel questions", part: "questions", tabindex: "-1" },
      ...this.#questions.map(({ node }) => node),
      h("div", { class: "question-buttons" }, this.skip, this.submit),
    );
    this.node.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.submit.ariaDisabled !== "true") this.#send("answered");
    });
    this.node.addEventListener("keydown", (event) => this.#onKeyDown(event));
    this.node.addEventListener("input", () => this.#refresh());
    this.node.addEventListener("click", () => this.#refresh());
    this.#refresh();
  }

  #refresh() {
    const isEmpty = this.#questions.every(({ answer }) => answer.skipped);
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
    if (target.matches("input") && this.#questions.some(({ isOpen }) => isOpen)) event.preventDefault();
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
