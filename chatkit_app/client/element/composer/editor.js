/** The field that is written in: a textarea, so that undo, input methods and both directions are the browser's. */
import { h, setAttribute, setChildren } from "../dom.js";
import { fromContent, shiftTags, tagText, toContent } from "./tags.js";
import { addStyles } from "../style-sheet.js";
import { editorStyles } from "./editor.css.js";
/** @import {Entity, UserMessageContent} from "@openai/chatkit" */
/** @import {Tag} from "./tags.js" */

addStyles({ editor: editorStyles });

const MAX_KNOWN = 200;

export class Editor {
  /** @type {Tag[]} */
  tags = [];
  #text = "";
  /** @type {Entity|null} */
  #inserted = null;
  /** @type {Map<string, Tag[]>} the tags of earlier texts, which undo may bring back */
  #known = new Map();
  #onChange;
  #wasComposing = false;

  /** @param {() => void} onChange called after every edit */
  constructor(onChange) {
    this.#onChange = onChange;
    this.input = h("textarea", { class: "input", part: "input", rows: "1", enterkeyhint: "send" });
    // Lies behind the textarea, has the same text, makes both grow, and draws what a textarea cannot: the tags.
    this.backdrop = h("div", { class: "input backdrop", "aria-hidden": "true" });
    this.node = h("div", { class: "editor" }, this.backdrop, this.input);
    this.input.addEventListener("beforeinput", (event) => this.#beforeInput(event));
    this.input.addEventListener("input", (event) => this.#afterInput(/** @type {InputEvent} */ (event)));
    this.input.addEventListener("scroll", () => (this.backdrop.scrollTop = this.input.scrollTop));
    // Safari ends the composition before it tells of the Enter that ended it.
    this.input.addEventListener("compositionend", () => {
      this.#wasComposing = true;
      setTimeout(() => (this.#wasComposing = false));
    });
    this.#draw();
  }

  get text() {
    return this.#text;
  }

  /** As messages have it. @type {UserMessageContent[]} */
  get content() {
    return toContent(this);
  }

  set content(content) {
    const { text, tags } = fromContent(content);
    this.set(text, tags);
  }

  get isEmpty() {
    return !this.#text.trim();
  }

  get isFocused() {
    return /** @type {ShadowRoot|Document} */ (this.node.getRootNode()).activeElement === this.input;
  }

  /** The text before the caret; null while something is selected. */
  get beforeCaret() {
    const { selectionStart, selectionEnd } = this.input;
    return selectionStart === selectionEnd ? this.#text.slice(0, selectionEnd) : null;
  }

  /** @param {KeyboardEvent} event one that belongs to an input method */
  isComposing(event) {
    return event.isComposing || event.keyCode === 229 || this.#wasComposing;
  }

  /**
   * Have another text.
   *
   * @param {string} text
   * @param {Tag[]} [tags]
   */
  set(text, tags = []) {
    this.input.value = text;
    // A textarea has its own idea of line ends.
    this.#text = this.input.value;
    this.tags = tags;
    this.#known.clear();
    this.#draw();
    this.#onChange();
  }

  /**
   * Write a text in place of a part of what is there, so that undo takes it back.
   *
   * @param {string} text
   * @param {number} [start] the selection's without one
   * @param {number} [end]
   */
  insert(text, start = this.input.selectionStart, end = this.input.selectionEnd) {
    this.input.setSelectionRange(start, end);
    if (!text && start === end) return;
    if (this.isFocused && document.execCommand(text ? "insertText" : "delete", false, text)) return;
    this.input.setRangeText(text, start, end, "end");
    this.#afterInput();
  }

  /**
   * @param {Entity} entity
   * @param {number} [start]
   * @param {number} [end]
   */
  insertTag(entity, start, end) {
    this.#inserted = entity;
    this.insert(tagText(entity), start, end);
    this.#inserted = null;
    const { selectionEnd } = this.input;
    if (/^\s/.test(this.#text.slice(selectionEnd))) this.input.setSelectionRange(selectionEnd + 1, selectionEnd + 1);
    else this.insert(" ");
  }

  /** A text that stands apart from its neighbours. @param {string} text */
  insertWords(text) {
    const { selectionStart, selectionEnd } = this.input;
    const gapBefore = /\S$/.test(this.#text.slice(0, selectionStart)) ? " " : "";
    const gapAfter = /^\S/.test(this.#text.slice(selectionEnd)) ? " " : "";
    this.insert(gapBefore + text + gapAfter);
  }

  /** A tag goes as a whole. @param {InputEvent} event */
  #beforeInput(event) {
    const { selectionStart, selectionEnd } = this.input;
    const edge = /^delete.*(Backward|Forward)$/.exec(event.inputType)?.[1];
    if (!edge || selectionStart !== selectionEnd) return;
    const tag = this.tags.find(({ start, end }) => (edge === "Backward" ? end : start) === selectionEnd);
    if (!tag || !event.cancelable) return;
    event.preventDefault();
    this.insert("", tag.start, tag.end);
  }

  /** @param {InputEvent} [event] */
  #afterInput(event) {
    const { value, selectionEnd } = this.input;
    const known = event?.inputType?.startsWith("history") ? this.#known.get(value) : null;
    this.tags = known ?? shiftTags(this.tags, this.#text, value, selectionEnd);
    this.#text = value;
    if (this.#inserted) {
      const tag = { entity: this.#inserted, start: selectionEnd - tagText(this.#inserted).length, end: selectionEnd };
      this.tags = [...this.tags, tag].sort((one, other) => one.start - other.start);
    }
    if (this.tags.length) this.#known.set(value, this.tags);
    if (this.#known.size > MAX_KNOWN) this.#known.delete([...this.#known.keys()][0]);
    this.#draw();
    this.#onChange();
  }

  #draw() {
    /** @type {Node[]} */
    const pieces = [];
    let from = 0;
    for (const { start, end } of this.tags) {
      pieces.push(new Text(this.#text.slice(from, start)), h("span", {}, this.#text.slice(start, end)));
      from = end;
    }
    // Without a character on it a last empty line would have no height.
    pieces.push(new Text(`${this.#text.slice(from)}\u200b`));
    setChildren(this.backdrop, pieces);
    // An empty text has no direction of its own: the placeholder's is the page's.
    for (const node of [this.input, this.backdrop]) setAttribute(node, "dir", this.#text ? "auto" : null);
    this.backdrop.scrollTop = this.input.scrollTop;
  }
}
