/**
 * Markdown as nodes: GitHub's flavour as CommonMark 0.31 defines it, while it is being written.
 *
 * Blocks are read line by line, and what is closed is neither read nor built again. Not supported: HTML, which stays
 * text; link reference definitions and links that refer to them; all but a few named entities; addresses without "<>".
 * Links lead to http, https, mailto, tel and chatkit-link only; others are text. Emphasis, code and links end within
 * 1,000 characters. Formulas ($…$, $$…$$, \(…\), \[…\]) are shown as written.
 */
import { setAttribute } from "../dom.js";
import { BlockView } from "./block-view.js";
import { BlockParser } from "./blocks.js";
import { cleanText, directionOf, markedLine, placeMarks } from "./characters.js";
import { inlineText, parseInline } from "./inline.js";
/** @import {Host} from "../host.js" */
/** @import {Block} from "./blocks.js" */
/** @typedef {{index: number, node: () => Node}} Mark */

/** Shows one Markdown text that may grow. */
export class MarkdownView {
  #parser = new BlockParser();
  #root;
  #source = "";
  #text = "";
  /** How much of the source the parser has been fed, and which marks were in it. */
  #fed = 0;
  #fedMarks = "";
  /** @type {Mark[]} */
  #marks = [];
  /** @type {Map<string, Node>} */
  #markNodes = new Map();
  allowsImages = true;

  /** @param {Host} host */
  constructor(host) {
    this.host = host;
    this.#root = new BlockView(this, "div");
    this.node = this.#root.node;
    setAttribute(this.node, "class", "markdown");
    setAttribute(this.node, "part", "markdown");
  }

  /**
   * @param {string} text
   * @param {{marks?: Mark[], allowsImages?: boolean}} [options] marks are nodes to put in, and where in the text; one
   *   that has the same index and number among those there as before is not made anew
   */
  update(text, { marks = [], allowsImages = true } = {}) {
    this.#marks = marks;
    this.allowsImages = allowsImages;
    // What has been read is only compared: nothing here may take longer the longer the text is.
    const isLonger = text.slice(0, this.#source.length) === this.#source;
    if (!isLonger) this.#source = "";
    const known = this.#source.length;
    this.#text = this.#text.slice(0, known) + cleanText(text.slice(known));
    this.#source = /[\ud800-\udbff]$/.test(text.slice(-1)) ? text.slice(0, -1) : text;
    const places = placeMarks(
      this.#text,
      marks.map(({ index }) => index),
    );
    const marksUntil = (/** @type {number} */ end) => {
      return places.map(({ at, mark }) => (at <= end ? `${at}${mark}` : "")).join("");
    };
    if (!isLonger || marksUntil(this.#fed) !== this.#fedMarks) {
      this.#parser = new BlockParser();
      this.#fed = 0;
    }
    for (let end; (end = this.#text.indexOf("\n", this.#fed)) >= 0; this.#fed = end + 1) {
      this.#parser.feed(markedLine(this.#text, this.#fed, end, places));
    }
    this.#fedMarks = marksUntil(this.#fed);
    // Not "auto": with it, browsers look for the direction again with every node that is added.
    setAttribute(this.node, "dir", directionOf(this.#text));
    this.#parser.preview(markedLine(this.#text, this.#fed, this.#text.length, places));
    this.#root.update(this.#parser.root);
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

/** @param {string} text @returns {string} without what Markdown is made of: to be copied, or read aloud */
export function plainText(text) {
  const parser = new BlockParser();
  for (const line of cleanText(text).split(/\r?\n/)) parser.feed(line);
  return write(parser.root).trim();
}

/** @param {Block} block @returns {string} */
function write({ tag, text, children, start, isVerbatim }) {
  if (tag === "hr") return "---";
  if (tag === "pre")
    return children
      .map((piece) => piece.text)
      .join("")
      .replace(/\n$/, "");
  if (!children.length) {
    const { settled, rest } = parseInline(text);
    return isVerbatim ? text : inlineText([...settled, ...rest]);
  }
  const texts = children.map(write);
  if (tag === "tr") return texts.join("\t");
  if (tag === "ol") return texts.map((item, index) => `${start + index}. ${item}`).join("\n");
  if (tag === "ul") return texts.map((item) => `- ${item}`).join("\n");
  return texts.join(tag === "table" || tag === "li" ? "\n" : "\n\n");
}
