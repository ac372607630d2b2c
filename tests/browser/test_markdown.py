"""Markdown as nodes: what becomes of blocks and texts, and what of them stays while they grow.

How Markdown is read, examples of CommonMark and all, is tested without a browser: ``tests/client/element/markdown``.
"""

import json
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

SETUP = """async () => {
  const {MarkdownView} = await import(CLIENT + "/element/markdown/index.js");
  const {PARTS} = await import(CLIENT + "/element/parts.js");
  const host = {
    text: (key) => key,
    mayLoad: (url) => !url.includes("elsewhere"),
    followLink() {},
    announce() {},
    load: (name) => PARTS[name].load(),
    part: (name) => PARTS[name].module,
  };
  window.PARTS = PARTS;
  const {styleSheet} = await import(CLIENT + "/element/style-sheet.js");
  document.adoptedStyleSheets = [];
  window.style = () => (document.adoptedStyleSheets = [styleSheet()]);
  const newView = () => {
    const node = document.createElement("div");
    node.className = "markdown";
    return new MarkdownView(host, node);
  };
  window.show = (text, options, view = newView()) => {
    view.update(text, options);
    document.body.replaceChildren(view.node);
    return view;
  };
  window.stream = (text, step = 1) => {
    const view = newView();
    for (let end = 0; end < text.length; end += step) view.update(text.slice(0, end));
    return show(text, {}, view);
  };
  // What is shown, without what belongs to the element rather than to the text.
  window.html = (view) => {
    const node = view.node.cloneNode(true);
    for (const header of node.querySelectorAll(".code-header, .code-marks")) header.remove();
    for (const wrapper of node.querySelectorAll(".code, .table, .piece, pre span, tbody")) {
      wrapper.replaceWith(...wrapper.childNodes);
    }
    for (const paragraph of node.querySelectorAll("[data-tight] > li > p")) {
      paragraph.replaceWith(...paragraph.childNodes);
    }
    for (const element of node.querySelectorAll("*")) {
      for (const name of ["dir", "tabindex", "target", "rel", "data-tight"]) element.removeAttribute(name);
    }
    node.normalize();
    return node.innerHTML;
  };
}"""


@pytest_asyncio.fixture(loop_scope="package")
async def markdown(bench: Page) -> Page:
    """A page with `show(text)`, `stream(text)` and `html(view)`."""
    await bench.evaluate(SETUP)
    return bench


async def html(page: Page, text: str, options: dict[str, Any] | None = None) -> str:
    shown = await page.evaluate("([text, options]) => html(show(text, options))", [text, options or {}])
    assert isinstance(shown, str)
    return shown


# What is shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("~~gone~~ ~one~", "<p><del>gone</del> <del>one</del></p>"),
        (
            "- [x] did\n- [ ] do",
            '<ul><li><input type="checkbox" disabled="" aria-label="taskDone">did</li>'
            '<li><input type="checkbox" disabled="" aria-label="taskOpen">do</li></ul>',
        ),
        (
            "| a | b |\n|:-:|--:|\n| `x\\|y` | **2** | 3 |\n| only |\n\nafter",
            '<table><tr><th style="text-align: center;">a</th><th style="text-align: end;">b</th></tr>'
            '<tr><td style="text-align: center;"><code>x|y</code></td>'
            '<td style="text-align: end;"><strong>2</strong></td></tr>'
            '<tr><td style="text-align: center;">only</td><td style="text-align: end;"></td></tr></table>'
            "<p>after</p>",
        ),
        (
            "See (https://a.example/b_(c)), www.d.example.",
            '<p>See (<a href="https://a.example/b_(c)">https://a.example/b_(c)</a>), '
            '<a href="https://www.d.example/">www.d.example</a>.</p>',
        ),
        (
            "$a_1 * b_2$ \\(x_1 * y_2\\) costs $5 and *not* $6",
            '<p><var class="formula">$a_1 * b_2$</var> <var class="formula">\\(x_1 * y_2\\)</var> '
            "costs $5 and <em>not</em> $6</p>",
        ),
        ("so\n\\[\n- *a*\n\\]\n*b*", '<p>so</p><p class="formula">\\[\n- *a*\n\\]</p><p><em>b</em></p>'),
    ],
)
async def test_text_is_shown_as_what_it_is_read_as(markdown: Page, text: str, shown: str):
    assert await html(markdown, text) == shown


# While it is being written

SAMPLE = """# Title *here*

First **bold** and `code`, a [link](https://a.example/b "c") and ![image](data:image/png;base64,AAAA).
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
> ```js
> let a = `1`;

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
"""


async def test_stream_ends_like_the_whole(markdown: Page):
    assert await markdown.evaluate("text => html(stream(text))", SAMPLE) == await html(markdown, SAMPLE)


async def test_stream_of_a_long_paragraph_ends_like_the_whole(markdown: Page):
    text = "*a **b** `c` [d](e) _f ~~g~~ `` [h ![i](j) <k $l " * 400
    assert await markdown.evaluate("text => html(stream(text, 7))", text) == await html(markdown, text)


async def test_nodes_that_are_shown_stay(markdown: Page):
    stayed = await markdown.evaluate(
        """() => {
          const view = show("One **two** thr");
          const paragraph = view.node.firstChild;
          const nodes = [...paragraph.childNodes];
          view.update("One **two** three\\n\\n- four");
          return paragraph.isConnected && nodes.every((node, index) => node === paragraph.childNodes[index]);
        }"""
    )
    assert stayed


async def test_closed_blocks_are_not_built_again(markdown: Page):
    changed = await markdown.evaluate(
        """async () => {
          const long = "word *word* ".repeat(5000);
          const text = `${"- item\\n".repeat(2000)}\\n${"para\\n\\n".repeat(500)}${long}`;
          const view = show(text);
          let count = 0;
          new MutationObserver((records) => (count += records.length))
            .observe(view.node, {subtree: true, childList: true, characterData: true});
          view.update(`${text} and more`);
          await null;
          return count;
        }"""
    )
    assert 0 < changed < 5


async def test_table_appears_once(markdown: Page):
    changes = await markdown.evaluate(
        """() => {
          const text = "| a | b |\\n|---|---|\\n| 1 | 2 |\\n| 3 | 4 |\\n";
          const tags = [];
          const view = show("");
          for (let end = 1; end <= text.length; end += 1) {
            view.update(text.slice(0, end));
            const tag = html(view).startsWith("<table") ? "table" : "p";
            if (tags.at(-1) !== tag) tags.push(tag);
          }
          return tags;
        }"""
    )
    assert changes == ["p", "table"]


async def test_text_that_is_replaced_is_shown(markdown: Page):
    shown = await markdown.evaluate(
        """() => {
          const view = show("# One\\n\\ntwo *three*\\n\\nfour");
          view.update("five");
          return html(view);
        }"""
    )
    assert shown == "<p>five</p>"


# Marks

MARKS = """([text, places]) => html(show(text, {
  marks: places.map((index) => ({index, node: () => new Text(`[${index}]`)})),
}))"""


@pytest.mark.parametrize(
    ("text", "places", "shown"),
    [
        ("Fact. More", [5], "<p>Fact.[5] More</p>"),
        ("**Fact.** More", [9, 9], "<p><strong>Fact.</strong>[9][9] More</p>"),
        ("| a |\n|---|\n| b |", [17], "<table><tr><th>a</th></tr><tr><td>b[17]</td></tr></table>"),
        ("a `code` b", [5], "<p>a <code>code</code>[5] b</p>"),
        ("[text](https://a.example/)", [3], '<p><a href="https://a.example/">text</a>[3]</p>'),
    ],
)
async def test_marks_stand_in_the_text(markdown: Page, text: str, places: list[int], shown: str):
    assert await markdown.evaluate(MARKS, [text, places]) == shown


async def test_mark_in_code_stands_behind_it(markdown: Page):
    await markdown.evaluate(MARKS, ["```\ncode\n```\nafter", [6]])
    await expect(markdown.locator("pre")).to_have_text("code")
    await expect(markdown.locator(".code-marks")).to_have_text("[6]")


async def test_mark_that_comes_late_keeps_the_others(markdown: Page):
    shown = await markdown.evaluate(
        """() => {
          let made = 0;
          const mark = (index) => ({index, node: () => new Text(`[${index}:${(made += 1)}]`)});
          const text = "One.\\n\\nTwo.";
          const view = show(text, {marks: [mark(10)]});
          view.update(text, {marks: [mark(10), mark(4)]});
          return html(view);
        }"""
    )
    assert shown == "<p>One.[4:2]</p><p>Two.[10:1]</p>"


# Whatever it says


@pytest.mark.parametrize(
    "url",
    [
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
    ],
)
async def test_dangerous_url_is_no_link(markdown: Page, url: str):
    await markdown.evaluate("text => show(text)", f"[a]({url}) <{url.strip('<>')}> [![b](c)]({url})")
    hrefs = await markdown.evaluate("[...document.querySelectorAll('a')].map((a) => a.protocol)")
    assert set(hrefs) <= {"http:", "https:"}


async def test_html_is_text(markdown: Page):
    text = '<script>alert(1)</script> <img src=x onerror=alert(1)>\n\n<div onclick="a">*b*</div>'
    assert await html(markdown, text) == (
        "<p>&lt;script&gt;alert(1)&lt;/script&gt; &lt;img src=x onerror=alert(1)&gt;</p>"
        '<p>&lt;div onclick="a"&gt;<em>b</em>&lt;/div&gt;</p>'
    )


async def test_image_of_elsewhere_is_asked_for(markdown: Page):
    await markdown.evaluate("show('![cat](https://elsewhere.example/c.png)')")
    await expect(markdown.get_by_role("img")).to_have_count(0)
    await expect(markdown.get_by_role("button")).to_contain_text("cat")


async def test_images_that_are_not_allowed_are_links(markdown: Page):
    shown = await html(markdown, "![cat](https://x.example/c.png)", {"allowsImages": False})
    assert shown == '<p><a href="https://x.example/c.png">cat</a></p>'


async def test_broken_characters_are_replaced(markdown: Page):
    shown = await markdown.evaluate("html(stream('a\\0b \\ud83d c \\ud83d\\ude00 \\uffff'))")
    assert shown == "<p>a\ufffdb \ufffd c \U0001f600 \ufffd</p>"


@pytest.mark.parametrize("unit", ["*a ", "[a ", "a", "`", ">", "|-"])
async def test_pathological_text_is_shown_whole(markdown: Page, unit: str):
    text = "x" + unit * (300_000 // len(unit)) + "\n\ny"
    shown = await markdown.evaluate("text => show(text).node.textContent", text)
    assert shown.startswith("x")
    assert shown.endswith("y")
    assert shown.count("a") == text.count("a")


# Code


async def test_code_is_copied(markdown: Page):
    await markdown.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await markdown.evaluate("show('```python\\nif a:\\n    b()\\n```')")
    await expect(markdown.locator(".code-language")).to_have_text("python")
    await expect(markdown.get_by_role("button", name="copyCode")).to_be_visible()
    await markdown.keyboard.press("Tab")
    await markdown.keyboard.press("Enter")
    await expect(markdown.get_by_role("button", name="copied")).to_be_visible()
    assert await markdown.evaluate("navigator.clipboard.readText()") == "if a:\n    b()\n"


async def test_code_is_scrolled_with_the_keyboard(markdown: Page):
    await markdown.evaluate("show('```\\nx\\n```')")
    await expect(markdown.get_by_role("button", name="copyCode")).to_be_visible()
    await markdown.keyboard.press("Tab")
    await markdown.keyboard.press("Tab")
    await expect(markdown.locator("pre")).to_be_focused()


COLORED = """() => [...CSS.highlights].flatMap(([name, ranges]) =>
  [...ranges].map((range) => `${name} ${range.startContainer.data.slice(range.startOffset, range.endOffset)}`),
).sort()"""


async def colored(page: Page, expected: list[str]) -> None:
    """Wait until these parts of the code are coloured, and no others."""
    await page.wait_for_function(
        f"expected => JSON.stringify(({COLORED})()) === expected", arg=as_json(expected)
    )


def as_json(value: list[str]) -> str:
    return json.dumps(value, separators=(",", ":"))


async def test_code_is_coloured_without_a_node_for_each_word(markdown: Page):
    await markdown.evaluate("show('```python\\nif a: # why\\n    f(1)\\n```')")
    await colored(
        markdown, ["chatkit-comment # why", "chatkit-keyword if", "chatkit-number 1", "chatkit-title f"]
    )
    assert await markdown.evaluate("document.querySelectorAll('pre *').length") == 2


async def test_colours_of_code_have_their_styles(markdown: Page):
    await markdown.evaluate("show('```python\\nif\\n```')")
    await colored(markdown, ["chatkit-keyword if"])
    sheets = await markdown.evaluate(
        "import(CLIENT + '/element/style-sheet.js').then(({styleSheet}) => "
        "[...styleSheet().cssRules].map((rule) => rule.cssText).join(' '))"
    )
    assert "::highlight(chatkit-keyword)" in sheets


async def test_code_that_grows_is_coloured_as_what_it_has_become(markdown: Page):
    await markdown.evaluate("window.view = show('```js\\nlet a = `b')")
    await colored(markdown, ["chatkit-keyword let", "chatkit-string `b"])
    await markdown.evaluate("view.update('```js\\nlet a = `b\\nif` // c')")
    await colored(
        markdown, ["chatkit-comment // c", "chatkit-keyword let", "chatkit-string `b", "chatkit-string if`"]
    )


async def test_code_is_coloured_across_its_pieces(markdown: Page):
    text = "```py\n" + '"""\n' + "text\n" * 1500 + '"""\nif\n```'
    await markdown.evaluate(
        "text => show(text).node.querySelector('pre').lastChild.scrollIntoView(false)", text
    )
    await markdown.evaluate("scrollTo(0, document.body.scrollHeight)")
    await markdown.wait_for_function(f"({COLORED})().includes('chatkit-keyword if')")
    assert not await markdown.evaluate(f"({COLORED})().includes('chatkit-keyword text')")


async def test_code_out_of_sight_has_no_colours(markdown: Page):
    await markdown.evaluate("show('```py\\nif\\n```\\n' + 'text\\n\\n'.repeat(300))")
    await markdown.evaluate("scrollTo(0, 0)")
    await colored(markdown, ["chatkit-keyword if"])
    await markdown.evaluate("scrollTo(0, document.body.scrollHeight)")
    await colored(markdown, [])


async def test_code_of_a_language_that_is_not_known_stays_plain(markdown: Page):
    await markdown.evaluate("show('```brainfuck\\nif 1\\n```\\n\\n```py\\nif\\n```')")
    await colored(markdown, ["chatkit-keyword if"])


async def test_lines_of_code_are_wrapped_when_asked_for(markdown: Page):
    await markdown.evaluate("style(), show('```\\n' + 'word '.repeat(300) + '\\n```')")
    await markdown.get_by_role("button", name="wrapLines").click()
    reaches_out = "(pre) => pre.scrollWidth > pre.clientWidth"
    assert not await markdown.locator("pre").evaluate(reaches_out)
    await markdown.get_by_role("button", name="wrapLines", pressed=True).click()
    assert await markdown.locator("pre").evaluate(reaches_out)


async def test_short_lines_of_code_need_no_wrapping(markdown: Page):
    await markdown.evaluate("show('```\\nshort\\n```')")
    await expect(markdown.get_by_role("button", name="copyCode")).to_be_visible()
    await expect(markdown.get_by_role("button", name="wrapLines")).to_be_hidden()


# Tables


async def test_head_of_a_table_stays_in_sight(markdown: Page):
    await markdown.evaluate("style(), show('| head |\\n|---|\\n' + '| row |\\n'.repeat(200))")
    await markdown.evaluate("document.querySelector('.table').scrollTop = 2000")
    top = "(node) => node.getBoundingClientRect().top"
    assert await markdown.locator("th").evaluate(top) == await markdown.locator(".table").evaluate(top)


# Formulas

FORMULAS = [
    ("\\frac{a}{2}", "<mfrac><mrow><mi>a</mi></mrow><mrow><mn>2</mn></mrow></mfrac>"),
    ("x_1^2", "<msubsup><mi>x</mi><mn>1</mn><mn>2</mn></msubsup>"),
    ("\\sqrt[3]{x}", "<mroot><mrow><mi>x</mi></mrow><mn>3</mn></mroot>"),
    ("f'", "<msup><mi>f</mi><mo>′</mo></msup>"),
    ("a \\le \\alpha", '<mi>a</mi><mo stretchy="false">≤</mo><mi>α</mi>'),
    ("\\mathbb{R}", '<mi mathvariant="normal">ℝ</mi>'),
    (
        "\\sum_{i}^n",
        '<munderover><mo movablelimits="true">∑</mo><mrow><mi>i</mi></mrow><mi>n</mi></munderover>',
    ),
]


@pytest.mark.parametrize(("formula", "shown"), FORMULAS)
async def test_formula_is_set(markdown: Page, formula: str, shown: str):
    await markdown.evaluate("text => show(text)", f"So ${formula}$.")
    math = markdown.locator("p > var > math")
    await expect(math).to_have_attribute("alttext", f"${formula}$")
    assert await math.evaluate("node => node.firstChild.innerHTML") == shown


async def test_formula_of_its_own_is_set_once_it_is_whole(markdown: Page):
    await markdown.evaluate("window.view = show('$$\\nx')")
    await expect(markdown.locator("p.formula")).to_have_text("$$ x")
    await markdown.evaluate("view.update('$$\\nx\\n$$\\nafter')")
    await expect(markdown.locator("p.formula > math[display=block] mi")).to_have_text("x")


@pytest.mark.parametrize(
    "formula",
    ["\\unknown{x}", "{x", "\\frac{a}", "\\left( x", "\\begin{tikz}x\\end{tikz}", "{" * 50 + "x" + "}" * 50],
)
async def test_formula_that_is_not_known_stays_as_written(markdown: Page, formula: str):
    await markdown.evaluate("text => show(text)", f"So $$x$$ and $${formula}$$.")
    await expect(markdown.locator("math")).to_have_count(1)
    await expect(markdown.locator("var").last).to_have_text(f"$${formula}$$")


async def test_text_between_prices_is_no_formula(markdown: Page):
    assert await html(markdown, "It costs $5, or 6$ there.") == "<p>It costs $5, or 6$ there.</p>"


async def test_formula_needs_no_inline_style(markdown: Page):
    await markdown.evaluate("text => show(text)", "$\\boxed{x} \\textbf{y}$")
    await expect(markdown.locator("math")).to_have_count(1)
    assert await markdown.evaluate("document.querySelectorAll('math [style], math[style]').length") == 0


# Words that are being written

FRESH = "[...CSS.highlights].filter(([name, {size}]) => name.startsWith('chatkit-fresh') && size).length"


async def test_words_fade_in_from_the_colour_of_the_text(markdown: Page):
    await markdown.evaluate("PARTS.fade.load()")
    colour = await markdown.evaluate(
        """() => {
          style();
          const {node} = show("One two");
          node.style.setProperty("--text", "rgb(255 255 255)");
          return getComputedStyle(node, "::highlight(chatkit-fresh-3)").color;
        }"""
    )
    assert colour == "color(srgb 1 1 1 / 0.8)"


async def test_words_fade_in_as_they_are_written(markdown: Page):
    await markdown.evaluate("PARTS.fade.load()")
    fresh = await markdown.evaluate(
        """() => {
          const view = show("One", {isLive: true});
          view.update("One **two**", {isLive: true});
          return [...CSS.highlights.get("chatkit-fresh-0")].map(({startContainer}) => startContainer.data);
        }"""
    )
    assert fresh == ["One ", "two", "One "]
    assert await markdown.evaluate("document.querySelectorAll('.markdown *').length") == 2
    await markdown.wait_for_function(f"{FRESH} === 0")


@pytest.mark.parametrize("text", ["a" * 500, "\n\n"])
async def test_what_comes_at_once_does_not_fade(markdown: Page, text: str):
    await markdown.evaluate("PARTS.fade.load()")
    await markdown.evaluate("text => show(text, {isLive: true})", text)
    assert await markdown.evaluate(FRESH) == 0


async def test_words_are_there_at_once_for_those_who_want_no_motion(bench: Page):
    await bench.emulate_media(reduced_motion="reduce")
    await bench.evaluate(SETUP)
    await bench.evaluate("PARTS.fade.load()")
    await bench.evaluate("show('One', {isLive: true})")
    assert await bench.evaluate(FRESH) == 0
    await bench.emulate_media(reduced_motion="no-preference")
