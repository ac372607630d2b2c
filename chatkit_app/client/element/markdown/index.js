/**
 * Markdown as nodes: GitHub's flavour as CommonMark 0.31 defines it, while it is being written.
 *
 * Blocks are read line by line, and what is closed is neither read nor built again. Not supported: HTML, which stays
 * text; link reference definitions and links that refer to them; all but a few named entities; addresses without "<>".
 * Links lead to http, https, mailto, tel and chatkit-link only; others are text. Emphasis, code and links end within
 * 1,000 characters. Formulas ($…$, $$…$$, \(…\), \[…\]) are set by math.js, as far as it knows them.
 */
import { setAttribute, setText } from "../dom.js";
import { BlockView } from "./block-view.js";
import { MarkdownDocument } from "./document.js";
import { addStyles } from "../style-sheet.js";
import { markdownStyles } from "./markdown.css.js";
export { plainText } from "./document.js";
/** @import {Host} from "../host.js" */

addStyles({ markdown: markdownStyles });
/** @typedef {{index: number, node: () => Node}} Mark */
/**
 * @typedef {object} MarkdownOptions
 * @property {Mark[]} [marks] nodes to put in, and where in the text; one that has the same index and number among those
 *   there as before is not made anew
 * @property {boolean} [allowsImages]
 * @property {boolean} [isLive] it is being written
 */

/** Shows one Markdown text that may grow. */
export class MarkdownView {
  #document = new MarkdownDocument();
  #root;
  /** @type {Mark[]} */
  #marks = [];
  /** @type {Map<string, Node>} */
  #markNodes = new Map();
  #length = 0;
  allowsImages = true;

  /** @param {Host} host @param {HTMLElement} node an empty one, to show it in */
  constructor(host, node) {
    this.host = host;
    this.node = node;
    this.#root = new BlockView(this, "div", node);
  }

  /**
   * @param {string} text
   * @param {MarkdownOptions} [options]
   */
  update(text, { marks = [], allowsImages = true, isLive = false } = {}) {
    this.#marks = marks;
    this.allowsImages = allowsImages;
    this.#document.update(
      text,
      marks.map(({ index }) => index),
    );
    // Not "auto": with it, browsers look for the direction again with every node that is added.
    setAttribute(this.node, "dir", this.#document.direction);
    this.#root.update(this.#document.root);
    if (isLive) this.#fade(text.length - this.#length);
    this.#length = text.length;
  }

  /** @param {number} count how many characters have come */
  #fade(count) {
    const part = this.host.part("fade");
    if (part) part.fadeIn(this.node, count);
    else this.host.load("fade").catch(() => {});
  }

  /**
   * Set a formula in a node, which until then shows it as written.
   *
   * @template {HTMLElement} Shown
   * @param {Shown} node
   * @param {string} source
   * @returns {Shown}
   */
  formula(node, source) {
    setText(node, source);
    this.host.load("math").then(
      ({ typeset }) => typeset(node, source),
      () => {},
    );
    return node;
  }

  get hasMarks() {
    return this.#marks.length > 0;
  }

  /** @param {number} number */
  markNode(number) {
    const { index, node } = this.#marks[number];
    const key = `${index} ${this.#marks.slice(0, number).filter((mark) => mark.index === index).length}`;
    const made = this.#markNodes.get(key) ?? node();
    this.#markNodes.set(key, made);
    return made;
  }
}
