/**
 * Markdown to DOM nodes: paragraphs, headings, lists, quotes, code, tables and links, as assistants write them.
 *
 * HTML in the text stays text, and links lead to http, https and mailto only.
 */
import { h, safeUrl } from "./dom.js";

const FENCE = /^ {0,3}(```+|~~~+)\s*([\w+#.-]*)[^`]*$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;
/** Quotes and lists within one another beyond this are text: nobody reads them, and the stack ends somewhere. */
const MAX_DEPTH = 12;
// What is between two markers is bounded, or a text of nothing but opening markers would take for ever.
const INLINE = new RegExp(
  [
    /\\(?<escaped>[!-/:-@[-`{-~])/,
    /(?<!`)(?<ticks>`+)(?!`)(?<code>[^]{0,2000}?[^`])\k<ticks>(?!`)/,
    /!?\[(?<label>(?:[^\][]|\[[^\][]{0,200}\]){0,1000})\]\((?<target>[^\s()]*(?:\([^\s()]*\)[^\s()]*)*)(?:\s+"[^"]*")?\)/,
    /(?<![\w*])\*\*(?=\S)(?<strong>[^]{1,2000}?)(?<=\S)\*\*(?!\*)/,
    /(?<!\w)__(?=\S)(?<strong2>[^]{1,2000}?)(?<=\S)__(?!\w)/,
    /(?<!\*)\*(?=[^\s*])(?<em>[^*]{1,2000}?)(?<=\S)\*(?!\*)/,
    /(?<!\w)_(?=\S)(?<em2>[^_]{1,2000}?)(?<=\S)_(?!\w)/,
    /~~(?=\S)(?<del>[^]{1,2000}?)(?<=\S)~~/,
    /<?(?<url>https?:\/\/[^\s<>()]*[^\s<>().,;:!?'"*_])>?/,
    /(?<br>(?: {2,}|\\)?\n)/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "g",
);

/**
 * Show a text in a container. While the text grows, only the blocks that differ from the last time are built again.
 */
export function renderMarkdown(container, text) {
  const blocks = splitBlocks(text.split(/\r\n?|\n/));
  const shown = container.children;
  let same = 0;
  while (same < blocks.length && shown[same]?.markdownSource === blocks[same].source) same += 1;
  while (shown.length > same) shown[shown.length - 1].remove();
  for (const block of blocks.slice(same)) {
    const node = block.build();
    node.markdownSource = block.source;
    container.append(node);
  }
}

/** Split lines into blocks of `{source, build}`. */
function splitBlocks(lines, depth = 0) {
  const blocks = [];
  let at = 0;
  const take = (end, build) => {
    blocks.push({ source: lines.slice(at, end).join("\n"), build });
    at = end;
  };
  while (at < lines.length) {
    const line = lines[at];
    const fence = line.match(FENCE);
    const heading = line.match(HEADING);
    if (!line.trim()) at += 1;
    else if (fence) {
      let end = at + 1;
      while (end < lines.length && !lines[end].trim().startsWith(fence[1])) end += 1;
      const code = lines.slice(at + 1, end).join("\n");
      take(Math.min(end + 1, lines.length), () => codeBlock(code, fence[2]));
    } else if (heading) {
      // The page has headings of its own above these.
      take(at + 1, () => h(`h${Math.min(heading[1].length + 2, 6)}`, {}, ...inline(heading[2])));
    } else if (RULE.test(line)) take(at + 1, () => h("hr"));
    else if (QUOTE.test(line) && depth < MAX_DEPTH) {
      const end = endOf(lines, at, (next) => QUOTE.test(next));
      const quoted = lines.slice(at, end).map((next) => next.replace(QUOTE, ""));
      take(end, () => h("blockquote", {}, ...buildAll(quoted, depth + 1)));
    } else if (ITEM.test(line) && depth < MAX_DEPTH) {
      const end = endOfList(lines, at);
      const listed = lines.slice(at, end);
      take(end, () => list(listed, depth));
    } else if (line.includes("|") && TABLE_RULE.test(lines[at + 1] ?? "") && lines[at + 1].includes("-")) {
      const end = endOf(lines, at, (next) => next.includes("|"));
      const rows = lines.slice(at, end);
      take(end, () => table(rows));
    } else {
      const end = endOf(lines, at, (next) => next.trim() && !startsBlock(next));
      const paragraph = lines.slice(at, end).join("\n");
      take(end, () => h("p", {}, ...inline(paragraph)));
    }
  }
  return blocks;
}

function buildAll(lines, depth) {
  return splitBlocks(lines, depth).map((block) => block.build());
}

function startsBlock(line) {
  return [FENCE, HEADING, RULE, QUOTE, ITEM].some((pattern) => pattern.test(line));
}

function endOf(lines, start, belongs) {
  let end = start + 1;
  while (end < lines.length && belongs(lines[end])) end += 1;
  return end;
}

/** A list goes on over items of its own kind, indented lines, and blank lines that such a line follows. */
function endOfList(lines, start) {
  const ordered = /\d/.test(lines[start].match(ITEM)[2]);
  const belongs = (line) => {
    const item = line.match(ITEM);
    return /^\s{2,}\S/.test(line) || (item && /\d/.test(item[2]) === ordered && !RULE.test(line));
  };
  let end = start + 1;
  while (end < lines.length) {
    if (belongs(lines[end]) || (lines[end].trim() && !startsBlock(lines[end]) && lines[end - 1].trim())) end += 1;
    else if (!lines[end].trim() && belongs(lines[end + 1] ?? "")) end += 2;
    else break;
  }
  return end;
}

function list(lines, depth) {
  const [, indent, marker] = lines[0].match(ITEM);
  const items = [];
  for (const line of lines) {
    const item = line.match(ITEM);
    if (item && item[1].length <= indent.length + 1) items.push([item[3]]);
    else items.at(-1).push(line.replace(/^\s{1,4}/, ""));
  }
  const isLoose = lines.some((line) => !line.trim());
  const start = Number.parseInt(marker, 10);
  return h(
    Number.isNaN(start) ? "ul" : "ol",
    { start: start > 1 ? start : null },
    ...items.map((item) => {
      const nodes = buildAll(item, depth + 1);
      if (!isLoose && nodes[0]?.tagName === "P") nodes.splice(0, 1, ...nodes[0].childNodes);
      return h("li", {}, ...nodes);
    }),
  );
}

function codeBlock(code, language) {
  return h("pre", { dir: "ltr", tabindex: "0" }, h("code", { "data-language": language || null }, code));
}

function table([head, , ...rows]) {
  const cells = (row) => row.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/);
  const row = (tag, line) => h("tr", {}, ...cells(line).map((cell) => h(tag, {}, ...inline(cell.trim()))));
  return h(
    "div",
    { class: "table", tabindex: "0" },
    h("table", {}, h("thead", {}, row("th", head)), h("tbody", {}, ...rows.map((line) => row("td", line)))),
  );
}

/** Text with emphasis, code and links, as nodes. */
function inline(text) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > at) nodes.push(text.slice(at, match.index));
    nodes.push(inlineNode(match));
    at = match.index + match[0].length;
  }
  if (at < text.length) nodes.push(text.slice(at));
  return nodes;
}

function inlineNode({ 0: source, groups }) {
  const { escaped, code, label, target, url, br } = groups;
  const strong = groups.strong ?? groups.strong2;
  const em = groups.em ?? groups.em2;
  if (escaped !== undefined) return escaped;
  if (code !== undefined) return h("code", { dir: "ltr" }, code.trim());
  if (label !== undefined) return link(target, inline(label)) ?? source;
  if (strong !== undefined) return h("strong", {}, ...inline(strong));
  if (em !== undefined) return h("em", {}, ...inline(em));
  if (groups.del !== undefined) return h("del", {}, ...inline(groups.del));
  if (url !== undefined) return link(url, [url]) ?? source;
  if (br !== undefined) return h("br");
  return source;
}

function link(target, children) {
  const url = safeUrl(target);
  if (!target || !url) return null;
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer nofollow" }, ...children);
}
