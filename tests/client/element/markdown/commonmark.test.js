/** The examples of CommonMark's specification: what is read as it says, and what the element shows in another way. */
import "../../page.js";
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { html, read } from "./written.js";

const SPECIFICATION = new URL("../../../js/node_modules/commonmark-spec/spec.txt", import.meta.url);
const EXAMPLE = /^`{32} example\n(.*?)^\.\n(.*?)^`{32}$/gms;

const EXCEPTIONS = {
  "HTML is text": "21 31 148-191 308 309 344 475-477 491 494 524 536 538 613-617 623 625-631 642 643",
  "There are no link reference definitions":
    "23 33 192-196 198 200-208 210 214-218 317 526-535 537 539-545 549 550 553-571 573 576 577 582-589 591-593",
  "Few entities have names": "25",
  "Links lead to a few schemes only": "596 598 599 601",
  "URLs are read as browsers do: a backslash as a slash, or it stays": "20 502 603",
  "URLs in the text are links, as in GitHub's flavour": "602 608 611",
};

/** The numbers in "1 3-5". */
function numbersOf(text) {
  return text.split(" ").flatMap((part) => {
    const [first, last = first] = part.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

async function readExamples() {
  const text = (await readFile(SPECIFICATION, "utf8")).split("<!-- END TESTS -->")[0].replaceAll("→", "\t");
  return [...text.matchAll(EXAMPLE)].map(([, markdown, wanted]) => ({ markdown, wanted }));
}

const NAMES = { amp: "&", lt: "<", gt: ">", quot: '"' };
const decode = (text) => text.replace(/&(amp|lt|gt|quot);/g, (_, name) => NAMES[name]);

/** HTML without the space between blocks, with URLs resolved, and headings so many levels down. */
function normal(markup, levels) {
  return markup
    .replace(/<(\/?)([a-z]\w*)((?: [a-z]+="[^"]*")*) ?\/?>/g, (_, slash, name, given) => {
      const heading = /^h([1-6])$/.exec(name);
      const tag = heading ? `h${Math.min(6, Number(heading[1]) + levels)}` : name;
      const values = Object.fromEntries(
        [...given.matchAll(/ ([a-z]+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
      );
      const url = values.href ?? values.src;
      const shown = [
        url === undefined ? "" : new URL(decode(url), location).href,
        decode(values.title ?? ""),
        decode(values.alt ?? ""),
        values.start ?? "",
      ];
      return slash || tag === "br" ? `<${slash}${tag}>` : `<${tag} ${shown.join("|")}>`;
    })
    .replace(/&quot;/g, '"')
    .replace(/<br>\n/g, "<br>")
    .replace(/\n*(<\/?(?:p|li|ul|ol|blockquote|h\d|hr|pre)(?: [^>]*)?>)\n*/g, "$1")
    .trim();
}

test("examples of CommonMark are read as it says", async () => {
  const examples = await readExamples();
  assert.equal(examples.length, 652);
  const different = examples.flatMap(({ markdown, wanted }, index) =>
    normal(html(read(markdown)), 0) === normal(wanted, 2) ? [] : [index + 1],
  );
  const excepted = Object.values(EXCEPTIONS).flatMap(numbersOf);
  assert.deepEqual(
    different,
    [...new Set(excepted)].sort((one, other) => one - other),
  );
});
