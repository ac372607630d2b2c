/** Blocks as nodes. */
import { h, setAttribute, setChildren, setStyle, setText } from "../dom.js";
import { MARK, numberOf, unescape } from "./characters.js";
import { InlineView, patchText, removeAfter } from "./inline-view.js";
/** @import {Block} from "./blocks.js" */
/** @import {CodeTools} from "./code.js" */
/** @import {MarkdownView} from "./index.js" */

/** A table is laid out in parts, of which only the last one grows. */
const MAX_ROWS = 50;

/** Shows one block, and another of its kind when that takes its place. */
export class BlockView {
  /** @type {Block|null} */
  #block = null;
  #isDone = false;
  /** @type {BlockView[]} */
  #children = [];
  /** @type {InlineView|null} */
  #inline = null;
  /** @type {CodeBlock|null} */
  #code = null;
  /** @type {HTMLTableElement|null} */
  #table = null;
  /** @type {HTMLInputElement|null} */
  #box = null;
  #formula = "";

  /** @param {MarkdownView} view @param {string} tag @param {HTMLElement} [node] one to show it in */
  constructor(view, tag, node) {
    this.view = view;
    this.tag = tag;
    /** Where its children go. @type {HTMLElement} */
    this.content = node ?? h(/** @type {"div"} */ (tag));
    this.node = this.content;
    if (tag === "pre") {
      this.#code = new CodeBlock(view);
      ({ node: this.node, content: this.content } = this.#code);
    } else if (tag === "table") {
      this.#table = h("table");
      this.node = h("div", { class: "table", part: "table", tabindex: "0" }, this.#table);
    } else if (/^(?:p|h\d|t[hd])$/.test(tag)) this.#inline = new InlineView(view, this.content);
    // Above it is the message's own, which says who speaks.
    if (/^h\d$/.test(tag)) setAttribute(this.node, "aria-level", Number(tag[1]) + 1);
  }

  /** @param {Block} block */
  update(block) {
    const isSame = block === this.#block;
    if (isSame && this.#isDone) return;
    this.#block = block;
    this.#isDone = block.isFinal;
    if (this.#inline) {
      this.#inline.update(block.text, block.isUnfinished, block.isVerbatim);
      if (block.isVerbatim) this.#updateFormula(block);
    } else if (this.tag === "span") {
      removeAfter(this.node, patchText(this.node, this.node.firstChild, block.text.replace(MARK, "")));
    } else this.#updateChildren(block, isSame);
    this.#updateAttributes(block);
  }

  /** @param {Block} block a formula, which is set once it is whole */
  #updateFormula({ text, isFinal }) {
    if (!isFinal || text === this.#formula || text.search(MARK) >= 0) return;
    this.#formula = text;
    this.view.formula(this.node, text);
  }

  /** @param {Block} block @param {boolean} isSame of those shown, all but the last two are as they were */
  #updateChildren({ children }, isSame) {
    for (let index = isSame ? Math.max(0, this.#children.length - 2) : 0; index < children.length; index += 1) {
      const old = this.#children[index];
      const child = children[index];
      if (old?.tag !== child.tag) {
        const made = new BlockView(this.view, child.tag);
        this.#children[index] = made;
        if (old) old.node.replaceWith(made.node);
        else {
          if (this.#table && index % MAX_ROWS === 0) this.content = this.#table.createTBody();
          this.content.append(made.node);
        }
      }
      this.#children[index].update(child);
    }
    for (const old of this.#children.splice(children.length)) old.node.remove();
  }

  /** @param {Block} block */
  #updateAttributes(block) {
    const { node } = this;
    if (block.tag === "ol") setAttribute(node, "start", block.start === 1 ? null : block.start);
    if (block.tag === "ol" || block.tag === "ul") setAttribute(node, "data-tight", !block.isLoose);
    else if (block.tag === "li") this.#updateTask(block.isChecked);
    else if (block.tag === "th" || block.tag === "td") setStyle(node, "text-align", block.marker);
    else if (block.tag === "p") setAttribute(node, "class", block.isVerbatim ? "formula" : null);
    this.#code?.update(block);
  }

  /** @param {boolean|null} isChecked */
  #updateTask(isChecked) {
    if (isChecked === null) {
      this.#box?.remove();
      this.#box = null;
      return;
    }
    if (!this.#box) {
      this.#box = h("input", { type: "checkbox", disabled: true });
      this.node.prepend(this.#box);
    }
    this.#box.checked = isChecked;
    setAttribute(this.#box, "aria-label", this.view.host.text(isChecked ? "taskDone" : "taskOpen"));
  }
}

/** Code: its language, and the lines. Its colours and buttons come later, and it can be read without them. */
class CodeBlock {
  #language = "";
  /** @type {CodeTools|null} */
  #tools = null;

  /** @param {MarkdownView} view */
  constructor(view) {
    this.view = view;
    this.language = h("span", { class: "code-language" });
    this.content = h("code");
    this.marks = h("div", { class: "code-marks" });
    const header = h("div", { class: "code-header" }, this.language);
    const pre = h("pre", { tabindex: "0", dir: "ltr" }, this.content);
    this.node = h("div", { class: "code", part: "code" }, header, pre, this.marks);
    const begin = (/** @type {{CodeTools: typeof CodeTools}} */ part) => {
      this.#tools = new part.CodeTools(view.host, { header, pre, content: this.content });
      this.#tools.update(this.#language);
    };
    view.host.load("code").then(begin, () => {});
  }

  /** @param {Block} block */
  update({ language, children }) {
    this.#language = unescape(language.replace(MARK, ""));
    setText(this.language, this.#language);
    this.#tools?.update(this.#language);
    if (!this.view.hasMarks) return;
    const marks = [language, ...children.map(({ text }) => text)].join(" ").match(MARK) ?? [];
    setChildren(
      this.marks,
      marks.map((mark) => this.view.markNode(numberOf(mark))),
    );
  }
}
