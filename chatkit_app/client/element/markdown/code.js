/** What code has beside its text: colours, and buttons that copy it and wrap its lines. */
import { setAttribute } from "../dom.js";
import { icon } from "../icons.js";
import { addStyles } from "../style-sheet.js";
import { iconButton, nameButton } from "../ui/buttons.js";
import { copyText } from "../ui/clipboard.js";
import { languageOf, tokenize } from "./code-tokens.js";
import { codeStyles } from "./code.css.js";
/** @import {Host} from "../host.js" */
/** @import {Language, State, Token} from "./code-tokens.js" */

addStyles({ code: codeStyles });

const COPIED_FOR = 2000;

/** Buttons for one block of code, and the colours of what is in it. */
export class CodeTools {
  #host;
  #pre;
  #content;
  /** @type {Language|null} */
  #language = null;
  /** @type {Piece[]} */
  #pieces = [];

  /** @param {Host} host @param {{header: HTMLElement, pre: HTMLElement, content: HTMLElement}} code */
  constructor(host, { header, pre, content }) {
    this.#host = host;
    this.#pre = pre;
    this.#content = content;
    this.wrap = iconButton("wrap", () => this.#toggleWrap(), {
      part: "code-wrap",
      "aria-pressed": "false",
      hidden: true,
    });
    this.copy = iconButton("copy", () => this.#copy(), { part: "code-copy" });
    nameButton(this.wrap, host.text("wrapLines"));
    nameButton(this.copy, host.text("copyCode"));
    header.append(this.wrap, this.copy);
    // It is told after the layout, so that looking costs none.
    const observer = new ResizeObserver(() => this.#fit());
    observer.observe(pre);
    observer.observe(content);
  }

  /** The code has changed. @param {string} name its language's */
  update(name) {
    if (!supportsColors) return;
    const language = languageOf(name);
    if (language !== this.#language) for (const piece of this.#pieces.splice(0)) piece.leave();
    this.#language = language;
    if (!language) return;
    const { children } = this.#content;
    for (const piece of this.#pieces.splice(children.length)) piece.leave();
    // Those before the last two are as they were.
    for (let index = Math.max(0, this.#pieces.length - 2); index < children.length; index += 1) {
      const node = /** @type {HTMLElement} */ (children[index]);
      if (this.#pieces[index]?.node !== node) {
        this.#pieces[index]?.leave();
        this.#pieces[index] = new Piece(node, language, this.#pieces[index - 1] ?? null);
      } else this.#pieces[index].update();
    }
  }

  #fit() {
    const isWrapped = this.wrap.ariaPressed === "true";
    this.wrap.hidden = !isWrapped && this.#pre.scrollWidth <= this.#pre.clientWidth;
  }

  #toggleWrap() {
    const isWrapped = this.wrap.ariaPressed !== "true";
    this.wrap.ariaPressed = String(isWrapped);
    setAttribute(this.#pre, "data-wrapped", isWrapped);
  }

  async #copy() {
    if (!(await copyText(this.#content.textContent ?? ""))) {
      // Where the clipboard is out of reach, the keyboard's own way needs one key less.
      getSelection()?.selectAllChildren(this.#content);
      return;
    }
    const show = (/** @type {string} */ name, /** @type {"copied"|"copyCode"} */ key) => {
      this.copy.replaceChildren(icon(name));
      nameButton(this.copy, this.#host.text(key));
    };
    show("check", "copied");
    this.#host.announce(this.#host.text("copied"));
    setTimeout(() => show("copy", "copyCode"), COPIED_FOR);
  }
}

const supportsColors = typeof Highlight === "function" && Boolean(CSS.highlights);

/**
 * The page's highlight for a type of token: no node is made for one, and none has to be laid out.
 *
 * @param {string} type
 */
function highlightOf(type) {
  const name = `chatkit-${type}`;
  const highlight = CSS.highlights.get(name) ?? new Highlight();
  CSS.highlights.set(name, highlight);
  return highlight;
}

/** @type {WeakMap<Element, Piece>} */
const pieceOf = new WeakMap();
/**
 * Only what is in sight, or nearly so, has colours: whenever something changes, browsers look through all that there are.
 * One that leaves the page is out of sight.
 */
const sight = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) pieceOf.get(target)?.show(isIntersecting);
}, /** @type {IntersectionObserverInit} */ ({ scrollMargin: "300px" }));

/** @typedef {{highlight: Highlight, range: StaticRange}} Colored */

/** Some lines of code in a node of theirs. */
class Piece {
  #language;
  #before;
  #isShown = false;
  /** What of the text has been read for good, and what goes on behind it. */
  #read = "";
  /** @type {State|null} */
  #state = null;
  /** @type {Colored[]} */
  #settled = [];
  /** What is of the last line, which may grow. @type {Colored[]} */
  #growing = [];
  /** @type {{text: string, state: State|null}|null} */
  #end = null;

  /** @param {HTMLElement} node @param {Language} language @param {Piece|null} before */
  constructor(node, language, before) {
    this.node = node;
    this.#language = language;
    this.#before = before;
    pieceOf.set(node, this);
    sight.observe(node);
  }

  get #text() {
    return this.node.firstChild instanceof Text ? this.node.firstChild.data : "";
  }

  /** What goes on behind it. @returns {State|null} */
  get end() {
    const text = this.#text;
    if (this.#end?.text !== text) {
      const { state } = tokenize(text.replace(/\n$/, ""), this.#language, this.#before?.end);
      this.#end = { text, state };
    }
    return this.#end?.state ?? null;
  }

  /** @param {boolean} isShown */
  show(isShown) {
    this.#isShown = isShown;
    if (isShown) this.update();
    else this.#clear();
  }

  leave() {
    sight.unobserve(this.node);
    if (pieceOf.get(this.node) === this) pieceOf.delete(this.node);
    this.show(false);
  }

  /** Its text may have changed. */
  update() {
    if (!this.#isShown) return;
    const text = this.#text;
    if (!this.#read || !text.startsWith(this.#read)) {
      this.#clear();
      this.#state = this.#before?.end ?? null;
    }
    const known = this.#read.length;
    const settled = text.lastIndexOf("\n") + 1;
    remove(this.#growing);
    if (settled > known) {
      const { tokens, state } = tokenize(text.slice(known, settled - 1), this.#language, this.#state);
      this.#settled.push(...this.#color(tokens, known));
      this.#state = state;
      this.#read = text.slice(0, settled);
    }
    this.#growing = this.#color(tokenize(text.slice(settled), this.#language, this.#state).tokens, settled);
  }

  #clear() {
    remove(this.#settled);
    remove(this.#growing);
    this.#settled = [];
    this.#growing = [];
    this.#read = "";
  }

  /** @param {Token[]} tokens @param {number} offset @returns {Colored[]} */
  #color(tokens, offset) {
    const node = /** @type {Text} */ (this.node.firstChild);
    return tokens.map(([type, start, end]) => {
      const at = { startContainer: node, startOffset: offset + start, endContainer: node, endOffset: offset + end };
      const highlight = highlightOf(type);
      const range = new StaticRange(at);
      highlight.add(range);
      return { highlight, range };
    });
  }
}

/** @param {Colored[]} colored */
function remove(colored) {
  for (const { highlight, range } of colored) highlight.delete(range);
}
