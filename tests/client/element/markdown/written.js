/** What a Markdown text is read as, written as HTML the way CommonMark's examples are. */
import { MARK, stripEnd } from "../../../../chatkit_app/client/element/markdown/characters.js";
import { MarkdownDocument } from "../../../../chatkit_app/client/element/markdown/document.js";
import { inlineText, parseInline, parseVerbatim } from "../../../../chatkit_app/client/element/markdown/inline.js";
import { safeUrl } from "../../../../chatkit_app/client/element/urls.js";

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/** The document of a text, with marks wanted at these places of it. */
export function read(text, places = []) {
  const document = new MarkdownDocument();
  document.update(text, places);
  return document;
}

/** The same of a text that arrives so many characters at a time. */
export function readInSteps(text, step = 1) {
  const document = new MarkdownDocument();
  for (let end = 0; end < text.length; end += step) document.update(text.slice(0, end));
  document.update(text);
  return document;
}

/** A document's HTML; a mark is written as the place that it was wanted at: "[5]". */
export function html({ root }, places = []) {
  return write(root.children, places);
}

/** All that can be read of a document. */
export function textOf({ root }) {
  const texts = (node) => (typeof node === "string" ? node : childrenOf(node).map(texts).join(""));
  return root.children.map(texts).join("\n");
}

/** How many blocks and elements are at most within one another. */
export function depthOf({ root }) {
  let deepest = 0;
  const waiting = [[root, 1]];
  for (let next; (next = waiting.pop());) {
    const [node, depth] = next;
    deepest = Math.max(deepest, depth);
    if (typeof node !== "string") for (const child of childrenOf(node)) waiting.push([child, depth + 1]);
  }
  return deepest;
}

/** A block's blocks, or what its text consists of. */
function childrenOf(node) {
  if (node.tag === "span") return [node.text.replace(MARK, "")];
  if (!("isVerbatim" in node) || !/^(?:p|h\d|t[hd])$/.test(node.tag)) return node.children;
  const parse = node.isVerbatim ? parseVerbatim : parseInline;
  const { settled, rest } = parse(stripEnd(node.text, " \t\n"), 0, node.isUnfinished);
  return [...settled, ...rest];
}

function write(nodes, places) {
  return nodes.map((node) => (typeof node === "string" ? escape(node) : writeElement(node, places))).join("");
}

function writeElement(node, places) {
  const { tag, number, href, title } = node;
  if (tag === "mark") return `[${places[number]}]`;
  if (tag === "img") return `<img${attributes({ src: href, alt: inlineText(node.children), title: title || null })}>`;
  const given = attributes({
    href: safeUrl(href),
    title: title || null,
    start: tag === "ol" && node.start !== 1 ? node.start : null,
    class: node.isVerbatim ? "formula" : null,
    style: node.marker && /^t[hd]$/.test(tag) ? `text-align: ${node.marker};` : null,
  });
  if (tag === "br" || tag === "hr") return `<${tag}>`;
  const task = typeof node.isChecked === "boolean" ? (node.isChecked ? "[x] " : "[ ] ") : "";
  const inner = task + write(shownOf(node), places);
  if (tag === "pre") return `<pre><code>${inner}</code></pre>`;
  return tag === "span" ? inner : `<${tag}${given}>${inner}</${tag}>`;
}

/** A list's items without the paragraphs of theirs that are written without a tag: those of a list that is not loose. */
function shownOf(node) {
  if ((node.tag !== "ul" && node.tag !== "ol") || node.isLoose) return childrenOf(node);
  return node.children.map((item) => ({
    ...item,
    children: item.children.flatMap((child) => (child.tag === "p" && !child.isVerbatim ? childrenOf(child) : [child])),
  }));
}

function attributes(values) {
  return Object.entries(values)
    .map(([name, value]) => (value === null || value === undefined ? "" : ` ${name}="${quoted(value)}"`))
    .join("");
}

const escape = (text) => text.replace(/[&<>]/g, (character) => ESCAPES[character]);
const quoted = (value) => escape(String(value)).replaceAll('"', "&quot;");
