/**
 * Markdown's text within a block: emphasis, code, links, images and line breaks.
 *
 * A text that grows is not read from its beginning each time: what is far from its end is settled. So that there is a
 * "far", whatever opens has to close within LIMIT characters.
 */
import { safeUrl } from "../urls.js";
import { ENTITY, MARK, around, decodeEntity, isMark, numberOf, stripEnd, unescape } from "./characters.js";

const LIMIT = 1000;
const MAX_RUN = 64;
/** What is to come may complete a code, say, up to LIMIT before; that may undo a link, and so free its delimiters. */
const FAR = 3 * LIMIT + 200;
const MAX_TEXT = 200;
/** Less is not worth settling. */
const MIN_SETTLED = 500;

const PLAIN = /[^\\`*_~![\]<&$\n]{1,200}/y;
const RUN = /([`*_~])\1*/y;
const URL_START = /(?<![a-z\d/.@-])(?:https?:\/\/|www\.)[^\s<]/gi;
const URL_TEXT = /[^\s<>"`*[\]|\u3000-\u303f\uff01-\uff65\ufdd0-\ufddf]{1,1000}/y;
const AUTOLINK = /<(?:([a-z][a-z\d+.-]{1,31}:[^\s<>]{0,1000})|([\w.!#$%&'*+/=?^`{|}~-]{1,64}@[a-z\d.-]{1,255}))>/iy;
const FORMULA = /\$\$[^$]{1,900}\$\$|\$(?![\s$])[^$\n]{1,500}(?<![\s\\])\$(?!\d)/y;
const BRACKET_FORMULA = /\\(?:\((?:(?!\\[()])[^]){1,900}\\\)|\[(?:(?!\\[[\]])[^]){1,900}\\\])/y;
const SPACE = /[ \t]*\n?[ \t]*/y;
const ANGLED = /<((?:[^<>\\\n]|\\.)*)(>|\\?$)/y;
const TITLE = /"(?:[^"\\]|\\[^]){0,500}"|'(?:[^'\\]|\\[^]){0,500}'|\((?:[^()\\]|\\[^]){0,500}\)/y;

/**
 * What a text consists of: text, elements, and the marks in it.
 *
 * @typedef {object} InlineElement
 * @property {string} tag the element's; "mark" for a mark
 * @property {InlineNode[]} children
 * @property {string} [href] of a link or an image
 * @property {string} [title]
 * @property {number} [number] of a mark
 * @typedef {string|InlineElement} InlineNode
 *
 * @typedef {{at: number, text: string, node: InlineElement|null, closes: number, opens: InlineElement[]}} Token
 *   what ends, what there is, and what begins at a place
 * @typedef {{at: number, token: Token, character: string, size: number, left: number, canOpen: boolean,
 *   canClose: boolean}} Delimiter
 * @typedef {{at: number, token: Token, isImage: boolean, bottom: number}} Bracket
 */

/** @param {RegExp} pattern a sticky one @param {string} text @param {number} at */
function matchAt(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/**
 * @param {string} source a block's text
 * @param {number} [from] where what is settled ends
 * @param {boolean} [isUnfinished] more of its last line may come
 */
export function parseInline(source, from = 0, isUnfinished = false) {
  return new InlineParser(source, from, isUnfinished).parse();
}

/** @param {string} source shown as it is, but for its marks */
export function parseVerbatim(source) {
  return { settled: [], end: 0, rest: build([{ at: 0, text: source, node: null, closes: 0, opens: [] }]) };
}

/** @param {InlineNode[]} nodes @returns {string} what can be read of them */
export function inlineText(nodes) {
  return nodes
    .map((node) => (typeof node === "string" ? node : node.tag === "br" ? "\n" : inlineText(node.children)))
    .join("");
}

class InlineParser {
  /** @type {Token[]} */
  #tokens = [];
  /** @type {Delimiter[]} */
  #delimiters = [];
  /** @type {Bracket[]} */
  #brackets = [];
  /** How many brackets have a link in them, and so cannot become one. */
  #inactive = 0;
  #nextUrl = -1;

  /** @param {string} source @param {number} from @param {boolean} isUnfinished */
  constructor(source, from, isUnfinished) {
    this.source = source;
    this.at = from;
    this.isUnfinished = isUnfinished;
  }

  /** @returns {{settled: InlineNode[], end: number, rest: InlineNode[]}} `end` is where what is settled ends */
  parse() {
    const from = this.at;
    while (this.at < this.source.length) this.#read(this.source[this.at]);
    this.#emphasize(0);
    const cut = this.#findCut(this.source.length - FAR);
    const end = this.#tokens[cut]?.at ?? from;
    if (end - from < MIN_SETTLED) return { settled: [], end: from, rest: build(this.#tokens) };
    return { settled: build(this.#tokens.slice(0, cut)), end, rest: build(this.#tokens.slice(cut)) };
  }

  /**
   * The last token before a place that is in no element.
   *
   * @param {number} place
   */
  #findCut(place) {
    let cut = 0;
    let depth = 0;
    for (const [index, token] of this.#tokens.entries()) {
      if (token.at > place) break;
      if (!depth) cut = index;
      depth += token.opens.length - token.closes;
    }
    return cut;
  }

  /** @param {number} length of the source that this is @param {string} text @param {InlineElement|null} [node] */
  #push(length, text, node = null) {
    /** @type {Token} */
    const token = { at: this.at, text, node, closes: 0, opens: [] };
    this.#tokens.push(token);
    this.at += length;
    return token;
  }

  /** @param {string} character the next one */
  #read(character) {
    if (this.#nextUrl < this.at) this.#findUrl(this.at);
    if (this.#nextUrl === this.at) {
      if (this.#readUrl()) return;
      this.#findUrl(this.at + 1);
    }
    if (character === "\\") this.#readEscape();
    else if (character === "`") this.#readCode();
    else if (character === "*" || character === "_" || character === "~") this.#readDelimiters(character);
    else if (character === "[") this.#openBracket("[");
    else if (character === "!" && this.source[this.at + 1] === "[") this.#openBracket("![");
    else if (character === "]") this.#closeBracket();
    else if (character === "<") this.#readAutolink();
    else if (character === "&") this.#readEntity();
    else if (character === "$") this.#readFormula(FORMULA);
    else if (character === "\n") this.#readLineEnd();
    else this.#readPlain();
  }

  /** @param {number} from */
  #findUrl(from) {
    this.#nextUrl = matchAt(URL_START, this.source, from)?.index ?? Infinity;
  }

  #readPlain() {
    const { source } = this;
    let end = this.at + (matchAt(PLAIN, source, this.at)?.[0].length ?? 1);
    const goesOn = (/** @type {string} */ next) => {
      return (next === " " && source[end - 1] === " ") || isMark(next) || (next >= "\udc00" && next <= "\udfff");
    };
    while (end < source.length && goesOn(source[end])) end += 1;
    end = Math.min(end, this.#nextUrl);
    this.#push(end - this.at, source.slice(this.at, end));
  }

  #readLineEnd() {
    const last = this.#tokens[this.#tokens.length - 1];
    const text = last?.node ? "" : (last?.text ?? "");
    const bare = stripEnd(text, " \t");
    if (text !== bare) last.text = bare;
    if (text.length - bare.length > 1) this.#push(1, "", { tag: "br", children: [] });
    else this.#push(1, "\n");
  }

  #readEscape() {
    const next = this.source[this.at + 1] ?? "";
    if ((next === "(" || next === "[") && this.#readFormula(BRACKET_FORMULA)) return;
    if (next === "\n") this.#push(2, "", { tag: "br", children: [] });
    else if (/[!-/:-@[-`{-~]/.test(next)) this.#push(2, next);
    else this.#push(1, "\\");
  }

  /**
   * In a formula nothing is emphasis, and nothing escaped.
   *
   * @param {RegExp} pattern
   */
  #readFormula(pattern) {
    const source = matchAt(pattern, this.source, this.at)?.[0];
    if (!source || !/[\p{L}\p{N}]/u.test(source)) return pattern === FORMULA ? this.#push(1, "$") : null;
    const marks = (source.match(MARK) ?? []).join("");
    const formula = source.replace(MARK, "");
    // What is between two prices is none.
    if (/\s/.test(formula) && !/[\\^_={}+*/<>|]/.test(formula)) return this.#push(source.length, source);
    return this.#push(source.length, marks, { tag: "var", children: [formula] });
  }

  #readEntity() {
    const source = matchAt(ENTITY, this.source, this.at)?.[0];
    if (source) this.#push(source.length, decodeEntity(source));
    else this.#push(1, "&");
  }

  #readCode() {
    const { source, at } = this;
    const length = /** @type {RegExpExecArray} */ (matchAt(RUN, source, at))[0].length;
    const start = at + length;
    const end = length > MAX_RUN ? -1 : this.#findRun(length, start);
    if (end < 0) return void this.#push(length, source.slice(at, start));
    const inside = source.slice(start, end).replaceAll("\n", " ");
    const code = inside.replace(MARK, "");
    const isPadded = code.startsWith(" ") && code.endsWith(" ") && code.trim();
    const node = { tag: "code", children: [isPadded ? code.slice(1, -1) : code] };
    this.#push(end + length - at, (inside.match(MARK) ?? []).join(""), node);
  }

  /**
   * @param {number} length
   * @param {number} from
   * @returns {number} where the next run of so many backticks begins, or -1
   */
  #findRun(length, from) {
    let at = this.source.indexOf("`", from);
    while (at >= 0 && at - from <= LIMIT) {
      const found = /** @type {RegExpExecArray} */ (matchAt(RUN, this.source, at))[0].length;
      if (found === length) return at;
      at = this.source.indexOf("`", at + found);
    }
    return -1;
  }

  #readAutolink() {
    const match = matchAt(AUTOLINK, this.source, this.at);
    if (!match) return void this.#push(1, "<");
    const [all, url, address] = match;
    this.#pushLink(all.length, url ?? address, url ?? `mailto:${address}`);
  }

  /** @returns {boolean} whether there is one */
  #readUrl() {
    let url = /** @type {RegExpExecArray} */ (matchAt(URL_TEXT, this.source, this.at))[0];
    let surplus = url.split(")").length - url.split("(").length;
    while (url) {
      const last = url[url.length - 1];
      if (last === ")" && surplus > 0) surplus -= 1;
      else if (!"?!.,:;'_~)".includes(last) || last === ")") break;
      url = url.slice(0, -1);
    }
    const href = /^www/i.test(url) ? `https://${url}` : url;
    if (!/^https?:\/\/[\p{L}\p{N}_[-]/iu.test(href) || !/^(?:h|www\.[^.]+\.[^.])/i.test(url)) return false;
    this.#pushLink(url.length, url, href);
    return true;
  }

  /** @param {number} length @param {string} text @param {string} href */
  #pushLink(length, text, href) {
    const marks = (text.match(MARK) ?? []).join("");
    const bare = text.replace(MARK, "");
    if (safeUrl(href)) this.#push(length, marks, { tag: "a", href: href.replace(MARK, ""), children: [bare] });
    else this.#push(length, bare + marks);
  }

  /** @param {string} character */
  #readDelimiters(character) {
    const { source, at } = this;
    const { length } = /** @type {RegExpExecArray} */ (matchAt(RUN, source, at))[0];
    const token = this.#push(length, source.slice(at, at + length));
    if (length > (character === "~" ? 2 : MAX_RUN)) return;
    const { before, after } = around(source, at, at + length);
    const isLeft = after !== "space" && (after === "letter" || before !== "letter");
    const isRight = before !== "space" && (before === "letter" || after !== "letter");
    const isWord = character === "_";
    const canOpen = isLeft && (!isWord || !isRight || before === "punctuation");
    const canClose = isRight && (!isWord || !isLeft || after === "punctuation");
    this.#delimiters.push({ at, token, character, size: length, left: length, canOpen, canClose });
  }

  /**
   * Make emphasis of the delimiters from an index on, and forget them.
   *
   * @param {number} bottom
   */
  #emphasize(bottom) {
    /** @type {Delimiter[]} */
    const openers = [];
    /** Below this no opener fits a closer of the kind. @type {Map<string, number>} */
    const floors = new Map();
    for (const closer of this.#delimiters.splice(bottom)) {
      const kind = `${closer.character}${closer.canOpen}${closer.character === "~" ? closer.size : closer.size % 3}`;
      while (closer.canClose && closer.left) {
        const index = findOpener(openers, closer, floors.get(kind) ?? 0);
        if (index < 0) {
          floors.set(kind, openers.length);
          break;
        }
        const opener = openers[index];
        emphasize(opener, closer);
        openers.length = opener.left ? index + 1 : index;
        for (const [other, floor] of floors) floors.set(other, Math.min(floor, openers.length));
      }
      if (closer.canOpen && closer.left) openers.push(closer);
    }
  }

  /** @param {string} text */
  #openBracket(text) {
    const { at } = this;
    const token = this.#push(text.length, text);
    this.#brackets.push({ at, token, isImage: text === "![", bottom: this.#delimiters.length });
  }

  #closeBracket() {
    const token = this.#push(1, "]");
    const opener = this.#brackets.pop();
    const isActive = opener?.isImage || this.#brackets.length >= this.#inactive;
    this.#inactive = Math.min(this.#inactive, this.#brackets.length);
    if (!opener || !isActive || token.at - opener.at > LIMIT) return;
    const { source, at } = this;
    const text = source.slice(at + 1, at + 1 + LIMIT);
    const target = source[at] === "(" ? readTarget(text) : null;
    const isCut = target === "cut" && this.isUnfinished && at + 1 + text.length >= source.length;
    if (!target || (target === "cut" && !isCut)) return;
    this.#emphasize(opener.bottom);
    opener.token.text = "";
    token.text = "";
    if (!opener.isImage) this.#inactive = this.#brackets.length;
    // The beginning of a target is not shown.
    if (target === "cut") return void (this.at = source.length);
    this.at += target.length + 1;
    token.text = (text.slice(0, target.length).match(MARK) ?? []).join("");
    const href = unescape(target.href.replace(MARK, ""));
    if (!safeUrl(href) && !opener.isImage) return;
    const title = unescape(target.title.replace(MARK, ""));
    opener.token.opens.push({ tag: opener.isImage ? "img" : "a", href, title, children: [] });
    token.closes = 1;
  }
}

/**
 * @param {Delimiter[]} openers
 * @param {Delimiter} closer
 * @param {number} floor
 * @returns {number} the index of the nearest one that the closer closes, or -1
 */
function findOpener(openers, closer, floor) {
  for (let index = openers.length - 1; index >= floor; index -= 1) {
    const opener = openers[index];
    if (closer.at - opener.at > LIMIT) return -1;
    if (opener.character !== closer.character) continue;
    if (closer.character === "~") {
      if (opener.size === closer.size) return index;
    } else {
      const isAmbiguous = opener.canClose || closer.canOpen;
      if (!isAmbiguous || closer.size % 3 === 0 || (opener.size + closer.size) % 3 !== 0) return index;
    }
  }
  return -1;
}

/**
 * Take what they need of an opener and a closer.
 *
 * @param {Delimiter} opener
 * @param {Delimiter} closer
 */
function emphasize(opener, closer) {
  const isDeleted = closer.character === "~";
  const used = isDeleted ? closer.size : opener.left > 1 && closer.left > 1 ? 2 : 1;
  const tag = isDeleted ? "del" : used > 1 ? "strong" : "em";
  for (const delimiter of [opener, closer]) {
    delimiter.left -= used;
    delimiter.token.text = delimiter.character.repeat(delimiter.left);
  }
  opener.token.opens.unshift({ tag, children: [] });
  closer.token.closes += 1;
}

/**
 * @param {string} text what follows a link's "]("
 * @returns {{href: string, title: string, length: number}|"cut"|null} "cut" when it ended too early to tell
 */
function readTarget(text) {
  const spaceAt = (/** @type {number} */ place) => matchAt(SPACE, text, place)?.[0].length ?? 0;
  let at = spaceAt(0);
  let href;
  if (text[at] === "<") {
    const angled = matchAt(ANGLED, text, at);
    if (angled?.[2] !== ">") return angled ? "cut" : null;
    href = angled[1];
    at += angled[0].length;
  } else {
    const end = bareTargetEnd(text, at);
    if (end < 0) return null;
    href = text.slice(at, end);
    at = end;
  }
  const space = spaceAt(at);
  at += space;
  let title = "";
  if (space && /["'(]/.test(text[at] ?? "")) {
    const quoted = matchAt(TITLE, text, at);
    if (!quoted) return text.length - at > 1000 ? null : "cut";
    title = quoted[0].slice(1, -1);
    at += quoted[0].length;
    at += spaceAt(at);
  }
  if (at === text.length) return "cut";
  return text[at] === ")" ? { href, title, length: at + 1 } : null;
}

/**
 * @param {string} text
 * @param {number} from
 * @returns {number} where a target without angles ends: before a space, or a parenthesis too many; -1 for one too few
 */
function bareTargetEnd(text, from) {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    const character = text[at];
    if (character <= " " || character === "\x7f") return depth ? -1 : at;
    if (character === "\\" && /[!-/:-@[-`{-~]/.test(text[at + 1] ?? "")) at += 1;
    else if (character === "(" && (depth += 1) > 32) return -1;
    else if (character === ")" && (depth -= 1) < 0) return at;
  }
  return text.length;
}

/** @param {Token[]} tokens @returns {InlineNode[]} */
function build(tokens) {
  /** @type {InlineNode[]} */
  const root = [];
  const stack = [root];
  /** @type {InlineElement[]} */
  const elements = [];
  let links = 0;
  /** Marks that are in a link go behind it: they may be links themselves. @type {InlineNode[]} */
  let held = [];
  const isLink = (/** @type {InlineElement|undefined} */ node) => node?.tag === "a" || node?.tag === "img";
  const addText = (/** @type {string} */ text) => {
    if (!text) return;
    const nodes = stack[stack.length - 1];
    const last = nodes.length - 1;
    const before = nodes[last];
    // Short texts, since one that changes is shaped anew as a whole.
    if (typeof before === "string" && before.length < MAX_TEXT) nodes[last] = before + text;
    else nodes.push(text);
  };
  for (const { text, node, closes, opens } of tokens) {
    for (let count = closes; count > 0; count -= 1) {
      stack.pop();
      if (!isLink(elements.pop())) continue;
      links -= 1;
      if (links) continue;
      stack[stack.length - 1].push(...held);
      held = [];
    }
    if (node?.tag === "a" && links) addText(String(node.children[0]));
    else if (node) stack[stack.length - 1].push(node);
    let from = 0;
    for (const { index, 0: mark } of text.matchAll(MARK)) {
      addText(text.slice(from, index));
      (links ? held : stack[stack.length - 1]).push({ tag: "mark", number: numberOf(mark), children: [] });
      from = index + mark.length;
    }
    addText(text.slice(from));
    for (const element of opens) {
      stack[stack.length - 1].push(element);
      stack.push(element.children);
      elements.push(element);
      if (isLink(element)) links += 1;
    }
  }
  return root;
}
