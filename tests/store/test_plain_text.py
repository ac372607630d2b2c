import pytest

from chatkit_app.store.payloads import preview
from chatkit_app.store.plain_text import plain_line


@pytest.mark.parametrize(
    ("markdown", "line"),
    [
        ("# How to\n\nPour it.", "How to Pour it."),
        ("## Closed ##", "Closed"),
        ("Yes, from **10 to 16**, _mostly_.", "Yes, from 10 to 16, mostly."),
        ("***both*** and **bold *in* bold**", "both and bold in bold"),
        ("日本語**太字**です", "日本語太字です"),
        ("1. Grind\n2. Pour", "1. Grind 2. Pour"),
        ("- milk\n* sugar\n- [x] cups", "• milk • sugar • cups"),
        ("> quoted\n> > twice", "quoted twice"),
        ("[Ask us](https://example.com/) and ![a cat](cat.png)", "Ask us and a cat"),
        ("<https://example.com/>", "https://example.com/"),
        ("| Name | Price |\n|:---|--:|\n| Coffee | 12 |", "Name, Price Coffee, 12"),
        ("```python\nprint('x')\n```", "print('x')"),
        ("call `a*b*c`", "call a*b*c"),
        ("above\n\n---\n\nbelow", "above below"),
        ("Title\n=====", "Title"),
        ("~~12~~ 10 €", "12 10 €"),
        (r"\*no emphasis\*", "*no emphasis*"),
    ],
)
def test_plain_line_says_what_markdown_says(markdown, line):
    assert plain_line(markdown) == line


@pytest.mark.parametrize(
    "text",
    [
        "2 * 3 * 4",
        "2*3*4",
        "snake_case_name",
        "a - b",
        "5 > 3",
        "#1 of all",
        "--",
        "<b>",
        "[1]",
        "** x",
        "a | b",
    ],
)
def test_plain_line_leaves_what_only_looks_like_markdown(text):
    assert plain_line(text) == text


@pytest.mark.parametrize("text", ["one\ntwo", " one \t two ", "one\u2028two", "one\x1d two\r\n"])
def test_plain_line_has_one_space_between_words(text):
    assert plain_line(text) == "one two"
    assert plain_line(f"{text} *three*") == "one two three"


def test_preview_is_without_marks():
    assert preview("# Opening hours\n\nFrom **10** to 16.") == "Opening hours From 10 to 16."
