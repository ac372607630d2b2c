/** Formulas, set: the TeX that is common in answers, as the MathML that browsers know. The rest stays as written. */
import { addStyles } from "../style-sheet.js";
import { mathStyles } from "./math.css.js";
import { ACCENTS, FUNCTIONS, LIMITS, SPACES, STYLED, SYMBOLS } from "./math-symbols.js";

addStyles({ math: mathStyles });

const NAMESPACE = "http://www.w3.org/1998/Math/MathML";
const TOKEN = /\\[a-zA-Z]+\*?|\\[^]|[\p{N}]+(?:[.,]\p{N}+)*|\s+|[^]/gu;
const DELIMITERS = [
  ["$$", "$$"],
  ["\\[", "\\]"],
  ["$", "$"],
  ["\\(", "\\)"],
];
const MAX_LENGTH = 4000;
const MAX_DEPTH = 30;

/**
 * Show a formula in a node.
 *
 * @param {HTMLElement} node that shows it as written
 * @param {string} source with its delimiters
 */
export function typeset(node, source) {
  const text = source.trim();
  const [open, close] = DELIMITERS.find(([start, end]) => text.startsWith(start) && text.endsWith(end)) ?? [];
  if (!open || !close || text.length > MAX_LENGTH || text.length < open.length + close.length) return;
  const isBlock = open === "$$" || open === "\\[";
  try {
    const row = new Formula(text.slice(open.length, -close.length)).read();
    node.replaceChildren(element("math", { display: isBlock ? "block" : "inline", alttext: text }, row));
    node.classList.add("set");
  } catch (error) {
    if (!(error instanceof Unknown)) throw error;
  }
}

/** The formula has something in it that is not known here. */
class Unknown extends Error {}

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {...(Element|string)} children
 */
function element(tag, attributes, ...children) {
  const node = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** @param {Element[]} nodes @returns {Element} */
const group = (nodes) => (nodes.length === 1 ? nodes[0] : element("mrow", {}, ...nodes));
/** @param {string} text */
const operator = (text, attributes = {}) => element("mo", attributes, text);

/** Reads a formula from its beginning to its end. */
class Formula {
  #tokens;
  #at = 0;
  #depth = 0;

  /** @param {string} source */
  constructor(source) {
    this.#tokens = source.match(TOKEN) ?? [];
  }

  /** @returns {Element} */
  read() {
    const rows = this.#readRows([]);
    if (this.#at < this.#tokens.length) throw new Unknown();
    return rows.length === 1 && rows[0].length === 1 ? element("mrow", {}, ...rows[0][0]) : table(rows, "left");
  }

  get #next() {
    return this.#tokens[this.#at] ?? "";
  }

  #skipSpace() {
    while (/^\s/.test(this.#next)) this.#at += 1;
  }

  /** @param {string} token */
  #expect(token) {
    this.#skipSpace();
    if (this.#next !== token) throw new Unknown();
    this.#at += 1;
  }

  /** What is up to one of these tokens, which stays to be read. @param {string[]} ends @returns {Element[]} */
  #readUntil(...ends) {
    if ((this.#depth += 1) > MAX_DEPTH) throw new Unknown();
    const nodes = [];
    for (;;) {
      this.#skipSpace();
      if (!this.#next || ends.includes(this.#next)) break;
      const node = this.#readScripted();
      if (node) nodes.push(node);
    }
    this.#depth -= 1;
    return nodes;
  }

  /** Rows of cells. @param {string[]} ends @returns {Element[][][]} */
  #readRows(ends) {
    /** @type {Element[][][]} */
    const rows = [[]];
    for (;;) {
      rows[rows.length - 1].push(this.#readUntil("&", "\\\\", ...ends));
      if (this.#next === "&") this.#at += 1;
      else if (this.#next === "\\\\") {
        this.#at += 1;
        rows.push([]);
      } else break;
    }
    const last = rows[rows.length - 1];
    if (rows.length > 1 && last.length === 1 && !last[0].length) rows.pop();
    return rows;
  }

  /** Something with what stands above and below it. @returns {Element|null} */
  #readScripted() {
    const hasLimits = LIMITS.has(this.#next.slice(1));
    const base = this.#next === "^" || this.#next === "_" ? element("mrow", {}) : this.#readAtom();
    if (!base) return null;
    let below = null;
    let above = null;
    for (;;) {
      this.#skipSpace();
      if (this.#next === "_" && !below) below = this.#readArgument(1);
      else if (this.#next === "^" && !above) above = this.#readArgument(1);
      else if (/^['’]$/.test(this.#next) && !above) {
        let primes = "";
        for (; /^['’]$/.test(this.#next); this.#at += 1) primes += "′";
        above = operator(primes);
      } else if (/^\\(no)?limits$/.test(this.#next)) this.#at += 1;
      else break;
    }
    const [under, over, both] = hasLimits ? ["munder", "mover", "munderover"] : ["msub", "msup", "msubsup"];
    if (below && above) return element(both, {}, base, below, above);
    if (below) return element(under, {}, base, below);
    return above ? element(over, {}, base, above) : base;
  }

  /** What a command is about: a group or one token. @param {number} [skipped] tokens before it @returns {Element} */
  #readArgument(skipped = 0) {
    this.#at += skipped;
    this.#skipSpace();
    const node = this.#readAtom();
    if (!node) throw new Unknown();
    return node;
  }

  /** @returns {string} what is within braces, as it is */
  #readText() {
    this.#expect("{");
    let text = "";
    for (let depth = 1; ; this.#at += 1) {
      if (!this.#next) throw new Unknown();
      if (this.#next === "{") depth += 1;
      if (this.#next === "}" && (depth -= 1) === 0) break;
      text += this.#next.replace(/^\\(?=[^a-zA-Z])/, "");
    }
    this.#at += 1;
    return text;
  }

  /** @returns {Element|null} null for what shows nothing */
  #readAtom() {
    const token = this.#next;
    this.#at += 1;
    if (token === "{") {
      const nodes = this.#readUntil("}");
      this.#expect("}");
      return element("mrow", {}, ...nodes);
    }
    if (!token || /^[}&^_#]$/.test(token)) throw new Unknown();
    if (token[0] === "\\") return this.#readCommand(token.slice(1));
    if (/^\p{N}/u.test(token)) return element("mn", {}, token);
    if (/^\p{L}/u.test(token)) return element("mi", {}, token);
    if (token === "~") return element("mspace", { width: "0.3em" });
    if (/^[()[\]|]$/.test(token)) return operator(token, { stretchy: "false" });
    return operator(token === "-" ? "−" : token === "*" ? "∗" : token);
  }

  /** @param {string} name @returns {Element|null} */
  #readCommand(name) {
    if (Object.hasOwn(SYMBOLS, name)) {
      const symbol = SYMBOLS[name];
      if (/^[\p{L}∞∅∂∇]$/u.test(symbol)) {
        // Capitals of Greek stand upright.
        return element("mi", /^[Α-Ω]$/u.test(symbol) ? { mathvariant: "normal" } : {}, symbol);
      }
      return operator(symbol, LIMITS.has(name) ? { movablelimits: "true" } : { stretchy: "false" });
    }
    if (Object.hasOwn(SPACES, name)) return element("mspace", { width: SPACES[name] });
    if (FUNCTIONS.has(name)) {
      const text = name.replace(/^(arg|lim)(max|min|sup|inf)$/, "$1 $2");
      return LIMITS.has(name)
        ? operator(text, { movablelimits: "true", lspace: "0", rspace: "0.17em" })
        : element("mrow", {}, element("mi", {}, text), operator("\u2061"));
    }
    if (Object.hasOwn(ACCENTS, name)) {
      const [accent, place] = ACCENTS[name];
      const tag = place === "under" ? "munder" : "mover";
      return element(
        tag,
        { accent: "true", accentunder: "true" },
        this.#readArgument(),
        operator(accent, {
          stretchy: String(/^(?:over|under|wide)/.test(name)),
        }),
      );
    }
    if (Object.hasOwn(STYLED, name)) return element("mi", { mathvariant: "normal" }, STYLED[name](this.#readText()));
    return this.#readStructure(name);
  }

  /** @param {string} name @returns {Element|null} */
  #readStructure(name) {
    switch (name) {
      case "frac":
      case "dfrac":
      case "tfrac":
      case "cfrac":
        return element("mfrac", {}, this.#readArgument(), this.#readArgument());
      case "binom": {
        const fraction = element("mfrac", { linethickness: "0" }, this.#readArgument(), this.#readArgument());
        return element("mrow", {}, operator("("), fraction, operator(")"));
      }
      case "sqrt": {
        this.#skipSpace();
        if (this.#next !== "[") return element("msqrt", {}, this.#readArgument());
        this.#at += 1;
        const degree = group(this.#readUntil("]"));
        this.#expect("]");
        return element("mroot", {}, this.#readArgument(), degree);
      }
      case "text":
      case "textrm":
      case "textit":
      case "mbox":
        return element("mtext", {}, this.#readText().replace(/^ | $/g, "\u00a0"));
      case "textbf":
        return element("mtext", { class: "bold" }, this.#readText());
      case "left":
        return this.#readFenced();
      case "begin":
        return this.#readEnvironment();
      case "overset":
      case "stackrel":
      case "underset": {
        const script = this.#readArgument();
        return element(name === "underset" ? "munder" : "mover", {}, this.#readArgument(), script);
      }
      case "boxed":
        return element("mrow", { class: "boxed" }, this.#readArgument());
      case "not":
        return operator(`${this.#readArgument().textContent}\u0338`);
      case "pmod":
        return element("mrow", {}, element("mtext", {}, " (mod "), this.#readArgument(), element("mtext", {}, ")"));
      case "bmod":
        return operator("mod", { lspace: "0.22em", rspace: "0.22em" });
      case "tag":
      case "tag*":
        return element("mtext", {}, `\u2003(${this.#readText()})`);
      case "label":
        this.#readText();
        return null;
    }
    if (/^(?:big|Big|bigg|Bigg)[lrm]?$/.test(name)) return operator(this.#readFence(), { stretchy: "false" });
    if (/^(?:displaystyle|textstyle|limits|nolimits|nonumber|notag)$/.test(name)) return null;
    if (/^[{}%$#&_]$/.test(name)) return operator(name, { stretchy: "false" });
    if (name === "|") return operator("‖", { stretchy: "false" });
    throw new Unknown();
  }

  /** @returns {string} the delimiter that is next; "" for none */
  #readFence() {
    this.#skipSpace();
    const token = this.#next;
    this.#at += 1;
    if (token === ".") return "";
    if (/^[()[\]|/<>]$/.test(token)) return token.replace("<", "⟨").replace(">", "⟩");
    const name = token.slice(1);
    if (/^[{}]$/.test(name)) return name;
    if (name === "|") return "‖";
    if (token[0] !== "\\" || !Object.hasOwn(SYMBOLS, name)) throw new Unknown();
    return SYMBOLS[name];
  }

  #readFenced() {
    const open = this.#readFence();
    /** @type {Element[]} */
    const nodes = [operator(open, { fence: "true", form: "prefix", stretchy: "true" })];
    for (;;) {
      nodes.push(...this.#readUntil("\\right", "\\middle"));
      if (this.#next !== "\\middle") break;
      this.#at += 1;
      nodes.push(operator(this.#readFence(), { stretchy: "true" }));
    }
    this.#expect("\\right");
    nodes.push(operator(this.#readFence(), { fence: "true", form: "postfix", stretchy: "true" }));
    return element("mrow", {}, ...nodes);
  }

  #readEnvironment() {
    const name = this.#readText().replace("*", "");
    if (name === "array") this.#readText();
    const rows = this.#readRows(["\\end"]);
    this.#expect("\\end");
    this.#readText();
    const fences = { pmatrix: "()", bmatrix: "[]", Bmatrix: "{}", vmatrix: "||", Vmatrix: "‖‖", cases: "{ " }[name];
    const isKnown = fences || /^(?:matrix|smallmatrix|array|aligned|align|split|gathered|gather|equation)$/.test(name);
    if (!isKnown) throw new Unknown();
    const aligns = name === "cases" ? "left" : /^(?:align|split)/.test(name) ? "pairs" : "center";
    const inner = table(rows, aligns);
    if (!fences) return inner;
    const [open, close] = fences;
    const stretchy = { fence: "true", stretchy: "true" };
    const end = close === " " ? [] : [operator(close, { ...stretchy, form: "postfix" })];
    return element("mrow", {}, operator(open, { ...stretchy, form: "prefix" }), inner, ...end);
  }
}

/** @param {Element[][][]} rows @param {"center"|"left"|"pairs"} aligns pairs meet at their middle */
function table(rows, aligns) {
  const cell = (/** @type {Element[]} */ nodes, /** @type {number} */ column) => {
    const align = aligns === "pairs" ? (column % 2 ? "left" : "right") : aligns;
    return element("mtd", { class: align }, ...nodes);
  };
  return element(
    "mtable",
    aligns === "pairs" ? { class: "pairs" } : {},
    ...rows.map((cells) => element("mtr", {}, ...cells.map(cell))),
  );
}
