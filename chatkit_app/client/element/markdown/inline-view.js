/** A block's text as nodes. Those that stand stay: a selection in them survives, and only what has grown is drawn. */
import { h } from "../dom.js";
import { link } from "../ui/link.js";
import { imageNode } from "../ui/remote-image.js";
import { stripEnd } from "./characters.js";
import { inlineText, parseInline, parseVerbatim } from "./inline.js";
/** @import {InlineElement, InlineNode} from "./inline.js" */
/** @import {MarkdownView} from "./index.js" */

/** A text much longer than this is laid out in pieces, so that a word more does not break all its lines again. */
const MAX_PIECE = 8000;
/** What a node was made for: one made for the same may stay. @type {WeakMap<Node, string>} */
const keys = new WeakMap();

export class InlineView {
  #text = "";
  #isUnfinished = false;
  /** How much of the text will be read no more, and its last node. */
  #settled = 0;
  /** @type {Node|null} */
  #lastSettled = null;
  /** Where the piece that grows begins, and its node. */
  #pieceStart = 0;
  #piece;

  /** @param {MarkdownView} view @param {HTMLElement} node */
  constructor(view, node) {
    this.view = view;
    this.node = node;
    this.#piece = node;
  }

  /** @param {string} source @param {boolean} isUnfinished @param {boolean} isVerbatim shown as written */
  update(source, isUnfinished, isVerbatim) {
    const text = stripEnd(source, " \t\n");
    if (text === this.#text && isUnfinished === this.#isUnfinished) return;
    if (text.slice(0, this.#settled) !== this.#text.slice(0, this.#settled)) {
      this.#settled = this.#pieceStart = 0;
      this.#lastSettled = null;
      if (this.#piece !== this.node) this.node.replaceChildren();
      this.#piece = this.node;
    }
    this.#text = text;
    this.#isUnfinished = isUnfinished;
    const parse = isVerbatim ? parseVerbatim : parseInline;
    const { settled, end, rest } = parse(text, this.#settled, isUnfinished);
    this.#lastSettled = this.#patch(this.#piece, this.#lastSettled, settled);
    this.#settled = end;
    if (end - this.#pieceStart > MAX_PIECE) this.#startPiece();
    removeAfter(this.#piece, this.#patch(this.#piece, this.#lastSettled, rest));
  }

  #startPiece() {
    removeAfter(this.#piece, this.#lastSettled);
    this.#piece = h("span", { class: "piece" });
    this.node.append(this.#piece);
    this.#pieceStart = this.#settled;
    this.#lastSettled = null;
  }

  /**
   * Have these nodes behind one.
   *
   * @param {HTMLElement} parent
   * @param {Node|null} last
   * @param {InlineNode[]} wanted
   * @returns {Node|null} the last of them
   */
  #patch(parent, last, wanted) {
    for (const node of wanted) {
      const place = last ? last.nextSibling : parent.firstChild;
      if (typeof node === "string") last = patchText(parent, place, node);
      else if (node.tag === "mark") last = insert(parent, place, this.view.markNode(node.number ?? 0));
      else last = this.#patchElement(parent, place, node);
    }
    return last;
  }

  /** @param {HTMLElement} parent @param {Node|null} place @param {InlineElement} element */
  #patchElement(parent, place, element) {
    const { tag, href, title, children } = element;
    const alt = tag === "img" || tag === "var" ? inlineText(children) : "";
    const key = JSON.stringify([tag, href, title, alt]);
    /** @type {any} */
    let node = place;
    if (!place || keys.get(place) !== key) {
      node = insert(parent, place, this.#element(tag, href ?? "", alt));
      if (title) node.title = title;
      keys.set(node, key);
    }
    if (tag !== "img" && tag !== "br" && tag !== "var") removeAfter(node, this.#patch(node, null, children));
    return node;
  }

  /** @param {string} tag @param {string} href @param {string} alt @returns {Node} */
  #element(tag, href, alt) {
    const { host, allowsImages } = this.view;
    if (tag === "img" && allowsImages) return imageNode(host, { src: href, alt });
    if (tag === "img") return link(host, href, alt || href) ?? h("span", {}, alt);
    if (tag === "var") return this.view.formula(h("var", { class: "formula", dir: "ltr" }), alt);
    if (tag === "a") return link(host, href) ?? h("span");
    return h(/** @type {"em"} */ (tag), tag === "code" ? { dir: "ltr" } : {});
  }
}

/**
 * @template {Node} Inserted
 * @param {Node} parent
 * @param {Node|null} place
 * @param {Inserted} node
 * @returns {Inserted}
 */
function insert(parent, place, node) {
  if (node !== place) parent.insertBefore(node, place);
  return node;
}

/** @param {Node} parent @param {Node|null} place @param {string} text */
export function patchText(parent, place, text) {
  if (!(place instanceof Text)) return insert(parent, place, new Text(text));
  const { data } = place;
  if (data.length > text.length && data.startsWith(text)) place.splitText(text.length);
  else if (data !== text) {
    let same = text.slice(0, data.length) === data ? data.length : 0;
    while (data[same] === text[same] && same < data.length) same += 1;
    place.replaceData(same, data.length - same, text.slice(same));
  }
  return place;
}

/** @param {Node} parent @param {Node|null} last */
export function removeAfter(parent, last) {
  while (parent.lastChild && parent.lastChild !== last) parent.lastChild.remove();
}
