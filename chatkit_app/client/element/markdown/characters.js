/** What a Markdown text's characters stand for. */

/**
 * A place that something else is put in: a citation. It is three noncharacters, its number, which are carried along
 * until text becomes nodes.
 */
export const MARK = /[\ufdd0-\ufddf]{3}/g;
const NO_TEXT = /[\0\ufdd0-\ufdef\ufffe\uffff]/g;
const MAX_MARKS = 4096;
/** What a line may begin with before there is any text in it that a mark can stand behind. */
const BEFORE_TEXT = /^[\s>*+\-#\d.)|`~:=_$\\[\]]*$/;
const TEXT = /[^\s>*+\-#\d.)|`~:=_$\\[\]].*/;
const ENTITIES = new Map(
  Object.entries({
    amp: "&",
    apos: "'",
    bull: "•",
    copy: "©",
    deg: "°",
    euro: "€",
    gt: ">",
    hellip: "…",
    larr: "←",
    ldquo: "“",
    lsquo: "‘",
    lt: "<",
    mdash: "—",
    middot: "·",
    minus: "−",
    nbsp: "\u00a0",
    ndash: "–",
    quot: '"',
    rarr: "→",
    rdquo: "”",
    reg: "®",
    rsquo: "’",
    times: "×",
    trade: "™",
    auml: "ä",
    ouml: "ö",
    uuml: "ü",
    szlig: "ß",
  }),
);
export const ENTITY = /&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|([a-zA-Z]{2,8}));/y;
const ESCAPES = /\\([!-/:-@[-`{-~])|&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[a-zA-Z]{2,8});/g;

/**
 * @param {string} source from "&" to ";"
 * @returns {string} the character, or the source where there is none of that name
 */
export function decodeEntity(source) {
  const [, decimal, hex, name] = source.match(/&(?:#(\d+)|#[xX](.+)|(.+));/) ?? [];
  if (name) return ENTITIES.get(name) ?? source;
  const code = decimal ? Number(decimal) : Number.parseInt(hex, 16);
  const isText = code > 0 && code <= 0x10ffff && !isMark(String.fromCodePoint(code));
  return isText ? String.fromCodePoint(code).toWellFormed() : "\ufffd";
}

/** @param {string} text with escapes and entities, of a link's target or title */
export function unescape(text) {
  return text.replace(ESCAPES, (source, escaped) => escaped ?? decodeEntity(source));
}

/**
 * A text without certain characters at its end. (A pattern would be quadratic on a long run of them that something
 * follows.)
 *
 * @param {string} text
 * @param {string} characters
 */
export function stripEnd(text, characters) {
  let end = text.length;
  while (end && characters.includes(text[end - 1])) end -= 1;
  return text.slice(0, end);
}

/**
 * The characters on both sides of a place, marks aside: they may not change what is around them.
 *
 * @param {string} text
 * @param {number} start
 * @param {number} end
 */
export function around(text, start, end) {
  while (start > 0 && isMark(text[start - 1])) start -= 1;
  while (end < text.length && isMark(text[end])) end += 1;
  const before = text.slice(Math.max(0, start - 2), start);
  const code = text.codePointAt(end);
  return {
    before: kindOf([...before].pop()),
    after: kindOf(code === undefined ? undefined : String.fromCodePoint(code)),
  };
}

/** @param {string|undefined} character */
function kindOf(character) {
  if (!character || /\s/.test(character)) return "space";
  return /[\p{P}\p{S}]/u.test(character) ? "punctuation" : "letter";
}

/** @param {string} text @returns {string} as long, without what is no text, and what would be taken for a mark */
export function cleanText(text) {
  return text.toWellFormed().replace(NO_TEXT, "\ufffd");
}

export const isMark = (/** @type {string} */ character) => character >= "\ufdd0" && character <= "\ufddf";

/** @param {number} number */
function markOf(number) {
  return String.fromCharCode(...[number >> 8, (number >> 4) & 15, number & 15].map((digit) => 0xfdd0 + digit));
}

/** @param {string} mark */
export function numberOf(mark) {
  return [...mark].reduce((number, digit) => number * 16 + digit.charCodeAt(0) - 0xfdd0, 0);
}

/**
 * Where in the source marks go: behind text, where they cannot make a list or a fence something else.
 *
 * @param {string} text
 * @param {number[]} indexes where they should go
 * @returns {{at: number, mark: string}[]} in the order of the text
 */
export function placeMarks(text, indexes) {
  return indexes
    .slice(0, MAX_MARKS)
    .map((index, number) => ({ at: placeMark(text, index), mark: markOf(number) }))
    .sort((one, other) => one.at - other.at);
}

/** @param {string} text @param {number} index */
function placeMark(text, index) {
  let end = Math.max(0, Math.min(Math.trunc(index) || 0, text.length));
  while (end > 0) {
    const start = text.lastIndexOf("\n", end - 1) + 1;
    const before = text.slice(start, end);
    if (!BEFORE_TEXT.test(before)) {
      while (/[\s|\\]/.test(text[end - 1])) end -= 1;
      const isInPair = /[\udc00-\udfff]/.test(text[end] ?? "") && /[\ud800-\udbff]/.test(text[end - 1]);
      return isInPair ? end - 1 : end;
    }
    end = start - 1;
  }
  const first = TEXT.exec(text);
  return first ? first.index + first[0].trimEnd().length : text.length;
}

/**
 * @param {string} source
 * @param {number} start of the line
 * @param {number} end
 * @param {{at: number, mark: string}[]} places
 * @returns {string} the line with its marks
 */
export function markedLine(source, start, end, places) {
  let line = "";
  let from = start;
  for (const { at, mark } of places) {
    if (at <= start || at > end) continue;
    line += source.slice(from, at) + mark;
    from = at;
  }
  return line + source.slice(from, source[end - 1] === "\r" && end > from ? end - 1 : end);
}

/**
 * @param {string} text
 * @returns {"ltr"|"rtl"|null} as its first letter says; null before there is one
 */
export function directionOf(text) {
  const letter = text.slice(0, 1000).match(/\p{L}/u)?.[0];
  if (!letter) return null;
  return /[\p{sc=Arab}\p{sc=Hebr}\p{sc=Syrc}\p{sc=Thaa}\p{sc=Nkoo}\p{sc=Adlm}]/u.test(letter) ? "rtl" : "ltr";
}
