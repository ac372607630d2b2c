/** Markdown's blocks, read line by line. */
import { stripEnd } from "./characters.js";

/** Lists and quotes within one another beyond this are text: nobody reads them, and the stack ends somewhere. */
const MAX_DEPTH = 24;
/** Code is shown in pieces, so that a line more does not lay out all the others again. */
const MAX_PIECE = 4000;
const HEADING = /^(#{1,6})(?=[ \t]|$)/;
const RULE = /^(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const FENCE = /^(?:(`{3,})(?=[^`]*$)|(~{3,}))[ \t]*(\S*)/;
const MARKER = /^(?:[-+*]|(\d{1,9})[.)])(?=[ \t]|$)/;
const TASK = /^\[([ xX])\][ \t]+(?=\S)/;
const TABLE_RULE = /^\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?$/;
const FORMULA = /^(?:\$\$|\\\[(?=\s|$|.*\\\]$))/;

/**
 * A block: an element that will be shown, with blocks or with a text in it.
 *
 * @typedef {object} Block
 * @property {string} tag the element's
 * @property {Block[]} children
 * @property {string} text Markdown for inline.js; in code the text itself
 * @property {boolean} isFinal nothing will ever change in it
 * @property {boolean} isUnfinished the text's last line has not ended
 * @property {boolean} isLoose a list whose items stand apart
 * @property {boolean} isVerbatim a formula, shown as written
 * @property {string} marker a list's kind of marker, or what opened code: "" for indented code
 * @property {number} indent an item's content's, or that of the fence
 * @property {string} blank an indented code's empty lines that are part of it if more follows
 * @property {string} language
 * @property {number} start the number of an ordered list's first item
 * @property {boolean|null} isChecked a task's state
 * @property {string[]} aligns how a table's columns are aligned
 */

/** @param {string} tag @param {Partial<Block>} [properties] @returns {Block} */
function newBlock(tag, properties) {
  return {
    tag,
    children: [],
    text: "",
    isFinal: false,
    isUnfinished: false,
    isLoose: false,
    isVerbatim: false,
    marker: "",
    indent: 0,
    blank: "",
    language: "",
    start: 1,
    isChecked: null,
    aligns: [],
    ...properties,
  };
}

const isList = (/** @type {Block|undefined} */ block) => block?.tag === "ul" || block?.tag === "ol";

/** @param {string} line a table's row */
function splitCells(line) {
  const row = line.replace(/^\|/, "").replace(/(?<!\\)\|$/, "");
  return row.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

/** The blocks of a text that arrives line by line, the last of them perhaps in part. */
export class BlockParser {
  root = newBlock("div");
  /** From the root to the innermost block that the next line may go on with. */
  #open = [this.root];
  /** The last line was empty for the open blocks from here on: all of them, or those in a quote. */
  #blankFrom = Infinity;
  /** @type {(() => void)|null} */
  #undo = null;
  #rest = "";
  #column = 0;

  /** @param {string} line a whole line, without its end */
  feed(line) {
    this.#undo?.();
    this.#undo = null;
    this.#blankFrom = this.#read(line);
  }

  /** @param {string} line the beginning of a line, until the next call */
  preview(line) {
    this.#undo?.();
    const open = [...this.#open];
    const blocks = open.map((block) => ({ ...block, count: block.children.length }));
    const blankFrom = this.#blankFrom;
    this.#undo = () => {
      this.#open = open;
      this.#blankFrom = blankFrom;
      open.forEach((block, index) => {
        const { count, ...properties } = blocks[index];
        Object.assign(block, properties);
        block.children.length = count;
      });
    };
    this.#read(line);
  }

  /** @param {string} line @returns {number} what #blankFrom is after it */
  #read(line) {
    this.#rest = line;
    this.#column = 0;
    let depth = 1;
    let quoted = 0;
    for (; depth < this.#open.length; depth += 1) {
      const block = this.#open[depth];
      if (block.tag === "blockquote") {
        if (!this.#skipQuoteMark()) break;
        quoted = depth;
      } else if (block.tag === "li") {
        if (this.#isBlank() ? !block.children.length : this.#indent() < block.indent) break;
        this.#skip(block.indent);
      } else if (!isList(block)) break;
    }
    const leaf = this.#open[depth];
    const isBlank = this.#isBlank();
    if (leaf?.tag === "pre" && this.#continueCode(leaf, depth)) return isBlank && !leaf.marker ? quoted : Infinity;
    if (isBlank) {
      this.#close(depth);
      return quoted;
    }
    if (leaf?.isVerbatim) this.#continueFormula(leaf, depth);
    else this.#readBlock(depth);
    return Infinity;
  }

  /**
   * A line that is not empty, after the marks of the blocks that it goes on with.
   *
   * @param {number} depth how many they are
   */
  #readBlock(depth) {
    while (true) {
      if (this.#isBlank()) return this.#close(depth);
      const tip = this.#open[this.#open.length - 1];
      const isParagraph = tip.tag === "p" && !tip.isVerbatim;
      const isOwn = isParagraph && depth === this.#open.length - 1;
      const indent = this.#indent();
      if (indent > 3) {
        if (isParagraph) return this.#continueParagraph(tip);
        const code = this.#add(depth, "pre");
        this.#continueCode(code, this.#open.length - 1);
        return;
      }
      const line = this.#rest.slice(this.#rest.search(/[^ \t]|$/));
      const text = stripEnd(line, " \t");
      if (text[0] === ">" && depth < MAX_DEPTH) {
        this.#close(depth);
        this.#skipQuoteMark();
        this.#add(depth, "blockquote");
      } else if (HEADING.test(text)) return this.#addHeading(depth, text);
      else if (FENCE.test(text)) return this.#addFence(depth, text, indent);
      else if (FORMULA.test(text)) {
        return this.#continueFormula(this.#add(depth, "p", { isVerbatim: true }), this.#open.length - 1);
      } else if (isOwn && this.#isUnderline(text)) {
        tip.tag = text[0] === "=" ? "h3" : "h4";
        return this.#close(depth);
      } else if (isOwn && this.#startTable(tip, depth, text)) return;
      else if (RULE.test(text)) {
        this.#add(depth, "hr");
        return this.#close(this.#open.length - 1);
      } else if (!this.#addItem(depth, text, isOwn)) {
        if (isParagraph) return this.#continueParagraph(tip);
        const leaf = this.#open[depth];
        if (leaf?.tag === "table") return this.#pushRow(leaf, "td", splitCells(text));
        this.#add(depth, "p", { text: line, isUnfinished: this.#undo !== null });
        return;
      }
      depth = this.#open.length;
    }
  }

  /** @param {string} text */
  #isUnderline(text) {
    // One stroke at the end of what has arrived so far is more likely the marker of a list.
    return /^(?:=+|-+)$/.test(text) && !(this.#undo && text.length < 3);
  }

  /** @param {Block} paragraph */
  #continueParagraph(paragraph) {
    paragraph.text += `\n${this.#rest.slice(this.#rest.search(/[^ \t]|$/))}`;
    paragraph.isUnfinished = this.#undo !== null;
  }

  /** @param {number} depth @param {string} text */
  #addHeading(depth, text) {
    const level = text.search(/[^#]|$/);
    const title = text.slice(level);
    const bare = stripEnd(title, "#");
    const heading = this.#add(depth, `h${Math.min(level + 2, 6)}`);
    heading.text = (/[ \t]$|^$/.test(bare.slice(-1)) ? bare : title).trim();
    heading.isUnfinished = this.#undo !== null;
    this.#close(this.#open.length - 1);
  }

  /** @param {number} depth @param {string} text @param {number} indent */
  #addFence(depth, text, indent) {
    const [, ticks, tildes, language] = /** @type {string[]} */ (FENCE.exec(text));
    const marker = ticks ?? tildes;
    this.#add(depth, "pre", { marker, indent, language });
  }

  /** @param {Block} code @param {number} depth the code's @returns {boolean} whether the line was part of it */
  #continueCode(code, depth) {
    const indent = this.#indent();
    if (code.marker) {
      const text = indent < 4 ? this.#rest.trim() : "";
      const isMarker = text !== "" && stripEnd(text, code.marker[0]) === "";
      if (isMarker && text.length >= code.marker.length) this.#close(depth);
      // What is likely to become the closing fence is not shown before.
      else if (!isMarker || !this.#undo) {
        this.#skip(Math.min(indent, code.indent));
        this.#addCode(depth, this.#rest);
      }
      return true;
    }
    const isBlank = this.#isBlank();
    if (indent < 4 && !isBlank) return false;
    this.#skip(4);
    if (isBlank) code.blank += `${this.#rest}\n`;
    else {
      this.#addCode(depth, code.blank + this.#rest);
      code.blank = "";
    }
    return true;
  }

  /** @param {number} depth the code's @param {string} line */
  #addCode(depth, line) {
    let piece = this.#open[depth + 1];
    if (!piece || piece.text.length > MAX_PIECE) piece = this.#add(depth + 1, "span");
    piece.text += this.#undo ? line : `${line}\n`;
  }

  /** @param {Block} formula @param {number} depth the formula's */
  #continueFormula(formula, depth) {
    const line = this.#rest.trim();
    const closes = line.endsWith((formula.text || line)[0] === "$" ? "$$" : "\\]");
    if (closes && (formula.text || line.length > 3)) this.#close(depth);
    formula.text += formula.text ? `\n${line}` : line;
  }

  /** @param {Block} paragraph what may be the table's head @param {number} depth @param {string} text the line below */
  #startTable(paragraph, depth, text) {
    if (!text.includes("|") || !TABLE_RULE.test(text)) return false;
    const before = paragraph.text.lastIndexOf("\n");
    const cells = splitCells(paragraph.text.slice(before + 1).trim());
    const aligns = splitCells(text).map((rule) => {
      const isEnd = rule.endsWith(":");
      return rule[0] === ":" ? (isEnd ? "center" : "start") : isEnd ? "end" : "";
    });
    if (cells.length !== aligns.length) return false;
    let table = paragraph;
    if (before > 0) {
      paragraph.text = paragraph.text.slice(0, before);
      paragraph.isUnfinished = false;
      table = this.#add(depth, "table");
    }
    Object.assign(table, { tag: "table", text: "", aligns });
    this.#pushRow(table, "th", cells);
    return true;
  }

  /** @param {Block} table @param {string} tag its cells' @param {string[]} cells */
  #pushRow(table, tag, cells) {
    const isFinal = !this.#undo;
    const children = table.aligns.map((marker, index) => {
      return newBlock(tag, { text: cells[index] ?? "", marker, isUnfinished: !isFinal });
    });
    table.children.push(newBlock("tr", { children, isFinal }));
  }

  /**
   * @param {number} depth
   * @param {string} text
   * @param {boolean} interrupts a paragraph, which takes more than a number at the beginning of a line
   * @returns {boolean} whether the line begins an item of a list
   */
  #addItem(depth, text, interrupts) {
    const marker = MARKER.exec(text);
    if (!marker || depth > MAX_DEPTH) return false;
    const width = marker[0].length;
    const isEmpty = text.length === width;
    if (interrupts && (isEmpty || (marker[1] && Number(marker[1]) !== 1))) return false;
    this.#close(depth);
    const indent = this.#indent();
    this.#skip(indent);
    this.#rest = this.#rest.slice(width);
    this.#column += width;
    const space = this.#indent();
    const padding = isEmpty || space > 4 ? 1 : space;
    this.#skip(padding);
    const kind = text[width - 1];
    if (!isList(this.#open[depth - 1]) || this.#open[depth - 1].marker !== kind) {
      this.#add(depth, marker[1] ? "ol" : "ul", { marker: kind, start: Number(marker[1]) });
    }
    const item = this.#add(this.#open.length, "li", { indent: indent + width + padding });
    const task = space > 4 ? null : TASK.exec(this.#rest);
    if (task) {
      item.isChecked = task[1] !== " ";
      this.#rest = this.#rest.slice(task[0].length);
      this.#column += task[0].length;
    }
    return true;
  }

  /**
   * Open a block within those that the line goes on with.
   *
   * @param {number} depth how many they are
   * @param {string} tag
   * @param {Partial<Block>} [properties]
   */
  #add(depth, tag, properties) {
    this.#close(depth);
    if (tag !== "li" && isList(this.#open[depth - 1])) this.#close((depth -= 1));
    const parent = this.#open[depth - 1];
    if (parent.children.length && depth > this.#blankFrom) {
      if (isList(parent)) parent.isLoose = true;
      else if (parent.tag === "li") this.#open[depth - 2].isLoose = true;
    }
    const block = newBlock(tag, properties);
    parent.children.push(block);
    this.#open.push(block);
    return block;
  }

  /** @param {number} depth how many open blocks stay open */
  #close(depth) {
    const closed = this.#open.splice(depth);
    if (!this.#undo) for (const block of closed) block.isFinal = true;
  }

  #isBlank() {
    return /^[ \t]*$/.test(this.#rest);
  }

  /** How many columns the line is indented here. */
  #indent() {
    let column = this.#column;
    for (const character of this.#rest) {
      if (character === " ") column += 1;
      else if (character === "\t") column += 4 - (column % 4);
      else break;
    }
    return column - this.#column;
  }

  /**
   * Go past this many columns of space. A tab that reaches further leaves spaces.
   *
   * @param {number} columns
   */
  #skip(columns) {
    const space = /^[ \t]*/.exec(this.#rest)?.[0] ?? "";
    let at = 0;
    let left = columns;
    let more = "";
    for (; at < space.length && left > 0; at += 1) {
      const width = space[at] === "\t" ? 4 - (this.#column % 4) : 1;
      if (width > left) more = " ".repeat(width - left);
      this.#column += Math.min(width, left);
      left -= width;
    }
    if (at) this.#rest = more + this.#rest.slice(at);
  }

  /** Go past a ">" and the space after it, if they are next. */
  #skipQuoteMark() {
    const indent = this.#indent();
    if (indent > 3 || this.#rest[indent] !== ">") return false;
    this.#rest = this.#rest.slice(indent + 1);
    this.#column += indent + 1;
    this.#skip(1);
    return true;
  }
}
