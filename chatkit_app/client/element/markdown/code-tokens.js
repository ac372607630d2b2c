/** What the parts of a program's text are, line by line, for the languages that people paste most. */

/** Longer lines have been made by programs, for programs. */
const MAX_LINE = 2000;

/** @typedef {"attribute"|"comment"|"deleted"|"inserted"|"keyword"|"number"|"string"|"title"|"type"} TokenType */
/** @typedef {[type: TokenType, start: number, end: number]} Token */
/** What goes on behind the end of a line: its type, and what ends it. @typedef {[type: TokenType, close: string]} State */

/**
 * @typedef {object} Grammar what may begin where, the first that fits; all of it is the source of regular expressions
 * @property {Set<string>} keywords
 * @property {boolean} [ignoresCase] of keywords
 * @property {[type: TokenType, open: string, close: string][]} [spans] what may reach over lines; `close` is no expression
 * @property {[type: TokenType|"word"|"command", pattern: string][]} rules
 */

const words = (/** @type {string} */ text) => new Set(text.split(" "));

const WORD = "[\\p{L}_][\\p{L}\\p{N}_]*";
const NUMBER = "\\d[\\w.]*";
const DOUBLE = '"(?:\\\\.|[^"\\\\])*"?';
const SINGLE = "'(?:\\\\.|[^'\\\\])*'?";
const COMMENT_BLOCK = /** @type {Grammar["spans"]} */ ([["comment", "/\\*", "*/"]]);
/** A hash begins a comment where it stands at the beginning of a word. */
const HASH_COMMENT = "(?<![^\\s])#.*";

/** @type {Grammar} */
const PYTHON = {
  keywords: words(
    "False None True and as assert async await break case class continue def del elif else except finally for from " +
      "global if import in is lambda match nonlocal not or pass raise return self try while with yield",
  ),
  spans: [
    ["string", '[rbfuRBFU]{0,2}"""', '"""'],
    ["string", "[rbfuRBFU]{0,2}'''", "'''"],
  ],
  rules: [
    ["comment", "#.*"],
    ["string", `[rbfuRBFU]{0,2}(?:${DOUBLE}|${SINGLE})`],
    ["title", "(?<=^\\s*)@[\\w.]+"],
    ["word", WORD],
    ["number", NUMBER],
  ],
};

/** @type {Grammar} */
const JAVASCRIPT = {
  keywords: words(
    "abstract as async await break case catch class const continue debugger declare default delete do else enum " +
      "export extends false finally for from function get if implements import in instanceof interface keyof let new " +
      "null of private protected public readonly return satisfies set static super switch this throw true try type " +
      "typeof undefined var void while yield",
  ),
  spans: [
    ["comment", "/\\*", "*/"],
    ["string", "`", "`"],
  ],
  rules: [
    ["comment", "//.*"],
    ["string", `${DOUBLE}|${SINGLE}`],
    [
      "string",
      "(?<=(?:^|[=(,:[!&|?{};]|\\breturn)\\s*)/(?![*/])(?:\\\\.|\\[(?:\\\\.|[^\\]\\\\])*\\]|[^/\\\\[])+/[a-z]*",
    ],
    ["title", "(?<![\\w)])@[\\w.]+"],
    ["word", "[\\p{L}_$#][\\p{L}\\p{N}_$]*"],
    ["number", NUMBER],
  ],
};

/** @type {Grammar} */
const JSON_TEXT = {
  keywords: words("true false null"),
  spans: COMMENT_BLOCK,
  rules: [
    ["comment", "//.*"],
    ["attribute", '"(?:\\\\.|[^"\\\\])*"(?=\\s*:)'],
    ["string", DOUBLE],
    ["word", WORD],
    ["number", "-?\\d[\\w.+-]*"],
  ],
};

/** @type {Grammar} */
const MARKUP = {
  keywords: new Set(),
  spans: [
    ["comment", "<!--", "-->"],
    ["comment", "\\{#", "#}"],
  ],
  rules: [
    ["keyword", "\\{%.*?%\\}|\\{\\{.*?\\}\\}|<[!?][^>]*>?"],
    ["title", "</?[\\w:.-]+|/?>"],
    ["string", "(?<==)(?:\"[^\"]*\"?|'[^']*'?)"],
    ["attribute", "[\\w:@.*#-]+(?==[\"'{])"],
    ["number", "&#?\\w+;"],
  ],
};

/** @type {Grammar} */
const STYLES = {
  keywords: words("from to and not only or"),
  spans: COMMENT_BLOCK,
  rules: [
    ["comment", "//\\s.*"],
    ["string", `${DOUBLE}|${SINGLE}`],
    ["keyword", "@[\\w-]+|!\\w+"],
    ["number", "#[\\da-fA-F]{3,8}\\b(?!\\s*[{,.:>])"],
    ["attribute", "[$\\w-]+(?=\\s*:(?:\\s|$))"],
    ["title", "[.#&][\\w-]+|::?[\\w-]+"],
    ["word", "-{0,2}[A-Za-z_][\\w-]*"],
    ["number", "[+-]?\\.?\\d[\\w.]*%?"],
  ],
};

/** @type {Grammar} */
const SHELL = {
  keywords: words(
    "case do done elif else esac exit export fi for function if in local return select set sudo then until while",
  ),
  spans: [
    ["string", "'", "'"],
    ["string", '"', '"'],
  ],
  rules: [
    ["comment", HASH_COMMENT],
    ["comment", "^(?:[\\w@:~-]*[$%>]) "],
    ["attribute", "\\$(?:\\w+|\\{[^}]*\\}|[@#?$!*-])|(?<=\\s)--?[\\w][\\w-]*|\\b[A-Za-z_]\\w*(?==)"],
    ["command", "(?<=(?:^|[$%>|;&(]|\\b(?:then|do|else|sudo))\\s*)[\\w.~/+-]+"],
    ["word", "[\\w./-]+"],
  ],
};

/** @type {Grammar} */
const SQL = {
  keywords: words(
    "ADD ALL ALTER ANALYZE AND AS ASC BEGIN BETWEEN BIGINT BOOLEAN BY CASCADE CASE CAST CHECK COLUMN COMMIT CONFLICT " +
      "CONSTRAINT CREATE CROSS DATABASE DATE DEFAULT DELETE DESC DISTINCT DO DROP ELSE END EXCEPT EXISTS EXPLAIN FALSE " +
      "FETCH FIRST FOR FOREIGN FROM FULL FUNCTION GRANT GROUP HAVING IF ILIKE IN INDEX INNER INSERT INT INTEGER " +
      "INTERSECT INTO IS JOIN JSONB KEY LATERAL LEFT LIKE LIMIT LOCK NOT NULL NUMERIC OFFSET ON OR ORDER OUTER OVER " +
      "PARTITION PRIMARY REFERENCES RETURNING REVOKE RIGHT ROLLBACK ROW ROWS SELECT SERIAL SET TABLE TEXT THEN " +
      "TIMESTAMP TO TRIGGER TRUE TRUNCATE UNION UNIQUE UPDATE USING VALUES VARCHAR VIEW WHEN WHERE WINDOW WITH",
  ),
  ignoresCase: true,
  spans: COMMENT_BLOCK,
  rules: [
    ["comment", "--.*"],
    ["string", "'(?:''|[^'])*'?"],
    ["attribute", '"[^"]*"?|`[^`]*`?|[:@%$]\\w+'],
    ["word", WORD],
    ["number", NUMBER],
  ],
};

/** Of YAML, TOML, INI and the like. @type {Grammar} */
const KEYS = {
  keywords: words("true false null yes no on off True False"),
  spans: [
    ["string", '"""', '"""'],
    ["string", "'''", "'''"],
  ],
  rules: [
    ["comment", "(?<![^\\s])[#;].*"],
    ["title", "^\\s*\\[[^\\]]*\\]+|(?<=\\s)[&*]\\w+|^---$"],
    ["attribute", "(?<=^[\\s-]*|[{,]\\s*)[\\w.\"'/$@-]+(?=\\s*(?::(?:\\s|$)|=))"],
    ["string", `${DOUBLE}|${SINGLE}`],
    ["word", "[\\w/-]*[A-Za-z_][\\w./-]*"],
    ["number", "-?\\d[\\w.:-]*"],
  ],
};

/** C and what has its braces: one list for all of them, since few words of one are names in another. @type {Grammar} */
const BRACES = {
  keywords: words(
    "abstract as async auto await base bool boolean break byte case catch chan char class companion const constexpr " +
      "continue data def default defer delegate delete do double dyn echo else enum event explicit extends extern fallthrough " +
      "false final finally float fn for foreach fun func function get global go goto guard if impl implements import in " +
      "init inline instanceof int interface internal is lambda lateinit let lock long loop map match mod module mut " +
      "mutable namespace native new nil null nullptr object operator out override package params private protected " +
      "protocol pub public range readonly record ref register require return sealed select self set short signed sizeof " +
      "static string struct super suspend switch synchronized template this throw throws trait true try type typedef " +
      "typename uint union unsafe unsigned use using val var virtual void volatile when where while yield",
  ),
  spans: COMMENT_BLOCK,
  rules: [
    ["comment", "//.*"],
    ["keyword", "^\\s*#\\s*\\w+|<\\?php|\\?>"],
    ["string", `[a-zA-Z$@]{0,2}${DOUBLE}|${SINGLE}|\`[^\`]*\`?`],
    ["title", "@\\w+|#\\[[^\\]]*\\]"],
    ["attribute", "\\$\\w+"],
    ["word", WORD],
    ["number", NUMBER],
  ],
};

/** Its single quotes are around one character, or before the name of a lifetime. @type {Grammar} */
const RUST = {
  ...BRACES,
  rules: BRACES.rules.map(([type, pattern]) =>
    type === "string" ? [type, `[br]{0,2}#?${DOUBLE}#?|b?'(?:\\\\[^']+|[^'\\\\])'`] : [type, pattern],
  ),
};

/** @type {Grammar} */
const RUBY = {
  keywords: words(
    "BEGIN END alias and begin break case class def do else elsif end ensure extend false for if in include module " +
      "next nil not or private protected public raise redo require rescue retry return self super then true undef " +
      "unless until when while yield",
  ),
  rules: [
    ["comment", HASH_COMMENT],
    ["string", `${DOUBLE}|${SINGLE}`],
    ["attribute", "@{1,2}\\w+|\\$\\w+|(?<![:\\w]):\\w+[?!]?|\\b\\w+:(?!:)"],
    ["word", "[\\p{L}_][\\p{L}\\p{N}_]*[?!]?"],
    ["number", NUMBER],
  ],
};

/** @type {Grammar} */
const DIFF = {
  keywords: new Set(),
  rules: [
    ["comment", "^(?:diff |index |---|\\+\\+\\+).*"],
    ["title", "^@@.*"],
    ["inserted", "^\\+.*"],
    ["deleted", "^-.*"],
  ],
};

/** What is written behind a fence. @type {[names: string, Grammar][]} */
const LANGUAGES = [
  ["python py python3 pycon ipython", PYTHON],
  ["javascript js jsx mjs cjs typescript ts tsx node", JAVASCRIPT],
  ["json jsonc json5 jsonl", JSON_TEXT],
  ["html xml svg xhtml vue svelte django jinja jinja2 htmldjango htmlbars", MARKUP],
  ["css scss sass less", STYLES],
  ["bash sh shell zsh console shell-session shellsession fish dockerfile docker", SHELL],
  ["sql postgresql postgres psql mysql sqlite plpgsql tsql", SQL],
  ["yaml yml toml ini cfg conf env dotenv properties", KEYS],
  ["c cpp c++ h hpp cc cs csharp c# java kotlin kt go golang php swift scala dart objc objective-c", BRACES],
  ["rust rs", RUST],
  ["ruby rb rails", RUBY],
  ["diff patch", DIFF],
];

/** @param {Grammar} grammar */
function compile({ spans = [], rules, ...grammar }) {
  const kinds = [...spans.map(([type]) => type), ...rules.map(([type]) => type)];
  const sources = [...spans.map(([, open]) => open), ...rules.map(([, pattern]) => pattern)];
  return {
    ...grammar,
    kinds,
    closes: spans.map(([, , close]) => close),
    pattern: new RegExp(sources.map((source) => `(${source})`).join("|"), "gu"),
  };
}

/** @typedef {ReturnType<typeof compile>} Language */

/** @type {Map<string, Language|Grammar>} compiled when they are first asked for */
const known = new Map(LANGUAGES.flatMap(([names, grammar]) => names.split(" ").map((name) => [name, grammar])));

/** @param {string} name as written behind a fence @returns {Language|null} */
export function languageOf(name) {
  const key = name.toLowerCase().replace(/^\{?\.?|[,:}{].*$/g, "");
  const language = known.get(key);
  if (!language) return null;
  if ("pattern" in language) return language;
  const compiled = compile(language);
  known.set(key, compiled);
  return compiled;
}

/**
 * @param {string} text from the beginning of a line on
 * @param {Language} language
 * @param {State|null} state what goes on there
 * @returns {{tokens: Token[], state: State|null}} with what goes on behind the text
 */
export function tokenize(text, language, state = null) {
  /** @type {Token[]} */
  const tokens = [];
  let start = 0;
  for (const line of text.split("\n")) {
    if (line.length <= MAX_LINE)
      state = readLine(line, language, state, (type, from, to) => tokens.push([type, start + from, start + to]));
    start += line.length + 1;
  }
  return { tokens, state };
}

/**
 * @param {string} line
 * @param {Language} language
 * @param {State|null} state
 * @param {(type: TokenType, from: number, to: number) => void} put
 * @returns {State|null} what goes on behind it
 */
function readLine(line, { pattern, kinds, closes, keywords, ignoresCase }, state, put) {
  let at = 0;
  while (at < line.length || state) {
    if (state) {
      const [type, close] = state;
      const end = endOf(line, at, type, close);
      if (line.length > at) put(type, at, end < 0 ? line.length : end);
      if (end < 0) return state;
      at = end;
      state = null;
      continue;
    }
    pattern.lastIndex = at;
    const match = pattern.exec(line);
    if (!match) break;
    const kind = match.findIndex((group, index) => index > 0 && group !== undefined) - 1;
    const [found] = match;
    const from = match.index;
    at = from + Math.max(found.length, 1);
    const type = kinds[kind];
    if (kind < closes.length) {
      const close = closes[kind];
      const end = endOf(line, at, /** @type {TokenType} */ (type), close);
      put(/** @type {TokenType} */ (type), from, end < 0 ? line.length : end);
      if (end < 0) return [/** @type {TokenType} */ (type), close];
      at = end;
    } else if (type === "word" || type === "command") {
      if (keywords.has(ignoresCase ? found.toUpperCase() : found)) put("keyword", from, at);
      // What is written like the name of a class, and what is called.
      else if (type === "word" && /^\p{Lu}\w*\p{Ll}/u.test(found)) put("type", from, at);
      else if (type === "command" || line[at] === "(") put("title", from, at);
    } else put(type, from, at);
  }
  return null;
}

/** @param {string} line @param {number} from @param {TokenType} type @param {string} close @returns {number} behind it, or -1 */
function endOf(line, from, type, close) {
  for (let at = line.indexOf(close, from); at >= 0; at = line.indexOf(close, at + 1)) {
    const slashes = /\\*$/.exec(line.slice(from, at))?.[0].length ?? 0;
    if (type !== "string" || slashes % 2 === 0) return at + close.length;
  }
  return -1;
}
