/** A Markdown text as blocks: one that grows, and one that is only to be read as plain text. */
import { BlockParser } from "./blocks.js";
import { cleanText, directionOf, markedLine, placeMarks } from "./characters.js";
import { inlineText, parseInline } from "./inline.js";
/** @import {Block} from "./blocks.js" */

/** Reads one Markdown text that may grow. */
export class MarkdownDocument {
  #parser = new BlockParser();
  #source = "";
  #text = "";
  /** How much of the source the parser has been fed, and which marks were in it. */
  #fed = 0;
  #fedMarks = "";

  /** @returns {Block} the block that holds all others */
  get root() {
    return this.#parser.root;
  }

  /** The direction of the text, once there is a letter in it. */
  get direction() {
    return directionOf(this.#text);
  }

  /**
   * @param {string} text
   * @param {number[]} [marked] where in the text marks are wanted; in the blocks they are numbered in this order
   */
  update(text, marked = []) {
    // What has been read is only compared: nothing here may take longer the longer the text is.
    const isLonger = text.slice(0, this.#source.length) === this.#source;
    if (!isLonger) this.#source = "";
    const known = this.#source.length;
    this.#text = this.#text.slice(0, known) + cleanText(text.slice(known));
    this.#source = /[\ud800-\udbff]$/.test(text.slice(-1)) ? text.slice(0, -1) : text;
    const places = placeMarks(this.#text, marked);
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
    this.#parser.preview(markedLine(this.#text, this.#fed, this.#text.length, places));
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
