/** Markdown beyond CommonMark, while it is being written, and whatever it says. */
import "../../page.js";
import assert from "node:assert/strict";
import test from "node:test";
import { plainText } from "../../../../chatkit_app/client/element/markdown/document.js";
import { depthOf, html, read, readInSteps, textOf } from "./written.js";

// Beyond CommonMark

const SHOWN = [
  ["~~gone~~ ~one~", "<p><del>gone</del> <del>one</del></p>"],
  ["- [x] did\n- [ ] do", "<ul><li>[x] did</li><li>[ ] do</li></ul>"],
  [
    "| a | b |\n|:-:|--:|\n| `x\\|y` | **2** | 3 |\n| only |\n\nafter",
    '<table><tr><th style="text-align: center;">a</th><th style="text-align: end;">b</th></tr>' +
      '<tr><td style="text-align: center;"><code>x|y</code></td>' +
      '<td style="text-align: end;"><strong>2</strong></td></tr>' +
      '<tr><td style="text-align: center;">only</td><td style="text-align: end;"></td></tr></table>' +
      "<p>after</p>",
  ],
  [
    "See (https://a.example/b_(c)), www.d.example.",
    '<p>See (<a href="https://a.example/b_(c)">https://a.example/b_(c)</a>), ' +
      '<a href="https://www.d.example/">www.d.example</a>.</p>',
  ],
  [
    "$a_1 * b_2$ \\(x_1 * y_2\\) costs $5 and *not* $6",
    "<p><var>$a_1 * b_2$</var> <var>\\(x_1 * y_2\\)</var> costs $5 and <em>not</em> $6</p>",
  ],
  ["so\n\\[\n- *a*\n\\]\n*b*", '<p>so</p><p class="formula">\\[\n- *a*\n\\]</p><p><em>b</em></p>'],
];

for (const [text, shown] of SHOWN) {
  test(`beyond CommonMark: ${JSON.stringify(text)}`, () => assert.equal(html(read(text)), shown));
}

test("plain text is without marks", () => {
  const text =
    "# One\n\n- **two** [three](https://x.example)\n1. four\n\n```\nfi *ve*\n```\n| a | b |\n|-|-|\n| c | d |";
  assert.equal(plainText(text), "One\n\n- two three\n\n1. four\n\nfi *ve*\n\na\tb\nc\td");
});

// While it is being written

const SAMPLE = `# Title *here*

First **bold** and \`code\`, a [link](https://a.example/b "c") and ![image](data:image/png;base64,AAAA).
Second line\\
third\x20\x20
fourth &amp; fifth https://b.example/c?d=e.

Setext
===
1. one
   - nested

     loose
2. two
> quoted
lazy
> \`\`\`js
> let a = \`1\`;

| a | b |
|---|---|
| 1 | *2* |
	code?

    indented

    code

- [x] task
***
~~~
~~
~~~
`;

test("stream ends like the whole", () => {
  assert.equal(html(readInSteps(SAMPLE)), html(read(SAMPLE)));
});

const UNFINISHED = [
  ["```py\nx =", "<pre><code>x =</code></pre>"],
  ["```py\nx\n``", "<pre><code>x\n</code></pre>"],
  ["see [text](http", "<p>see text</p>"],
  ["Below:\n-", "<p>Below:\n-</p>"],
];

for (const [text, shown] of UNFINISHED) {
  test(`unfinished text is what it becomes: ${JSON.stringify(text)}`, () => assert.equal(html(read(text)), shown));
}

test("table appears once", () => {
  const text = "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n";
  const document = read("");
  const tags = [];
  for (let end = 1; end <= text.length; end += 1) {
    document.update(text.slice(0, end));
    const tag = html(document).startsWith("<table") ? "table" : "p";
    if (tags.at(-1) !== tag) tags.push(tag);
  }
  assert.deepEqual(tags, ["p", "table"]);
});

test("text that is replaced is read", () => {
  const document = read("# One\n\ntwo *three*\n\nfour");
  document.update("five");
  assert.equal(html(document), "<p>five</p>");
});

// Marks

const MARKED = [
  ["Fact. More", [5], "<p>Fact.[5] More</p>"],
  ["**Fact.** More", [9, 9], "<p><strong>Fact.</strong>[9][9] More</p>"],
  ["# Head\n\n- item\n", [6, 14], "<h3>Head[6]</h3><ul><li>item[14]</li></ul>"],
  ["one\n- two", [4], "<p>one[4]</p><ul><li>two</li></ul>"],
  ["# One", [0], "<h3>One[0]</h3>"],
  ["| a |\n|---|\n| b |", [17], "<table><tr><th>a</th></tr><tr><td>b[17]</td></tr></table>"],
  ["a `code` b", [5], "<p>a <code>code</code>[5] b</p>"],
  ["[text](https://a.example/)", [3], '<p><a href="https://a.example/">text</a>[3]</p>'],
  ["a \u{1f600} b", [3], "<p>a [3]\u{1f600} b</p>"],
  ["text", [99, -1], "<p>text[99][-1]</p>"],
];

for (const [text, places, shown] of MARKED) {
  test(`marks stand in the text: ${JSON.stringify(text)}`, () => {
    assert.equal(html(read(text, places), places), shown);
  });
}

test("characters of marks in a text are none", () => {
  assert.equal(html(read("a\ufdd0\ufdd0\ufdd0b &#xfdd0;")), "<p>a\ufffd\ufffd\ufffdb \ufffd</p>");
});

// Whatever it says

const DANGEROUS = [
  "javascript:alert(1)",
  "JaVaScRiPt:alert(1)",
  "javascript&colon;alert(1)",
  "&#106;avascript:alert(1)",
  "&#x6A;avascript:alert(1)",
  "\\javascript:alert(1)",
  "<java\tscript:alert(1)>",
  "<\x01javascript:alert(1)>",
  "data:text/html,<script>alert(1)</script>",
  "vbscript:msgbox(1)",
  "blob:https://x.example/1",
  "file:///etc/passwd",
];

for (const url of DANGEROUS) {
  test(`dangerous URL is no link: ${JSON.stringify(url)}`, () => {
    const shown = html(read(`[a](${url}) <${url.replace(/^[<>]+|[<>]+$/g, "")}> [![b](c)](${url})`));
    for (const [, href] of shown.matchAll(/<a href="([^"]*)"/g)) assert.match(href, /^https?:/);
  });
}

test("HTML is text", () => {
  const text = '<script>alert(1)</script> <img src=x onerror=alert(1)>\n\n<div onclick="a">*b*</div>';
  assert.equal(
    html(read(text)),
    "<p>&lt;script&gt;alert(1)&lt;/script&gt; &lt;img src=x onerror=alert(1)&gt;</p>" +
      '<p>&lt;div onclick="a"&gt;<em>b</em>&lt;/div&gt;</p>',
  );
});

test("broken characters are replaced", () => {
  const document = readInSteps("a\0b \ud83d c \ud83d\ude00 \uffff");
  assert.equal(html(document), "<p>a\ufffdb \ufffd c \u{1f600} \ufffd</p>");
});

const PATHOLOGICAL = [
  "*a ",
  "[a ",
  "[",
  "![",
  "`",
  "a``",
  "<a:",
  "$a ",
  "\\(",
  '[a](b "',
  "**a **",
  "~a",
  "a",
  " ",
  ">",
  "#",
  "|-",
  "\t",
  "&a",
];

for (const unit of PATHOLOGICAL) {
  test(`pathological text is read whole: ${JSON.stringify(unit)}`, () => {
    const text = `x${unit.repeat(Math.floor(300_000 / unit.length))}\n\ny`;
    const shown = textOf(read(text));
    assert.ok(shown.startsWith("x"));
    assert.ok(shown.endsWith("y"));
    assert.equal(shown.split("a").length, text.split("a").length);
  });
}

const DEEP = [
  `${">".repeat(5000)}a`,
  Array.from({ length: 300 }, (_, depth) => `${"  ".repeat(depth)}- a\n`).join(""),
  `${"*a **b ".repeat(300)}${"c** d*".repeat(300)}`,
];

for (const text of DEEP) {
  test(`depth is limited: ${JSON.stringify(text.slice(0, 20))}`, () => {
    const depth = depthOf(read(text));
    assert.ok(depth > 20 && depth < 700, String(depth));
  });
}
