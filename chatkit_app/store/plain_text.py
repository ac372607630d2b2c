"""Plain text of what is written in Markdown, in one line: for lists, where nobody wants to read marks."""

from __future__ import annotations

import re

_FENCE = re.compile(r"\s{0,3}(?:`{3}|~{3})")
_QUOTE = re.compile(r"\s*(?:>\s?)+")
_HEADING = re.compile(r"\s*#{1,6}\s+")
_BULLET = re.compile(r"\s*[-*+]\s+(?:\[[ xX]\]\s+)?")
_CLOSED_HEADING = re.compile(r"\s#+\s*\Z")

# What has none of these has no Markdown that is taken away here.
_ANY_MARK = re.compile(r"[\\`*_~<>\[#+|=-]")

# Marks around words. The first character of each pattern is its own, and none looks behind its end.
_INLINE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"!?\[([^\[\]]{0,500})\]\([^()\s]{0,1000}(?:\s\"[^\"]{0,200}\")?\)"), r"\1"),
    (re.compile(r"<(https?://[^<>\s]{1,500})>"), r"\1"),
    # Two stars also within a word, which is how languages without spaces have it; one is there for a product.
    (re.compile(r"\*\*(?=[^\s*])([^*]{0,500}[^\s*])\*\*"), r"\1"),
    (re.compile(r"(?<![\w*])\*{1,3}(?=[^\s*])([^*]{0,500}[^\s*])\*{1,3}(?![\w*])"), r"\1"),
    (re.compile(r"(?<![\w_])_{1,3}(?=[^\s_])([^_]{0,500}[^\s_])_{1,3}(?![\w_])"), r"\1"),
    (re.compile(r"~~(?=[^\s~])([^~]{0,500}[^\s~])~~"), r"\1"),
)
_CODE = re.compile(r"(`+)([^`]{1,500})\1")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_ASIDE = 0xF0000
"""Where, among the characters for private use, those are kept that are escaped and so no marks."""
_BACK = {_ASIDE + code: code for code in range(0x21, 0x7F)}


def plain_line(markdown: str) -> str:
    """Return one line of plain text: no headings, bullets, links or emphasis, only what they say.

    Made for a few hundred characters at a time. What only looks like Markdown, as ``2 * 3`` or ``snake_case``, stays.

    Args:
        markdown: a text, or a piece of one.
    """
    if not _ANY_MARK.search(markdown):
        return " ".join(markdown.split())
    lines = (_plain(line) for line in markdown.splitlines() if not (_FENCE.match(line) or _is_rule(line)))
    return " ".join(" ".join(lines).split())


def _is_rule(line: str) -> bool:
    """Return whether a line only divides: what is above it from what is below, or a table's head from its rows."""
    marks = "".join(line.split())
    if len(set(marks)) == 1:
        return marks[0] in "-*_=" and len(marks) > 2
    return {"-", "|"} <= set(marks) <= set("-|:")


def _plain(line: str) -> str:
    line = _QUOTE.sub("", line, count=1) if _QUOTE.match(line) else line
    if _HEADING.match(line):
        line = _CLOSED_HEADING.sub("", _HEADING.sub("", line, count=1))
    elif _BULLET.match(line):
        line = _BULLET.sub("• ", line, count=1)
    elif line.lstrip().startswith("|"):
        line = ", ".join(cell.strip() for cell in line.strip().strip("|").split("|"))
    # Code is what it is: its marks go, and what it says is not looked at.
    parts = _CODE.split(line)
    return "".join(
        part if at % 3 == 2 else "" if at % 3 == 1 else _without_marks(part) for at, part in enumerate(parts)
    )


def _without_marks(text: str) -> str:
    text = _ESCAPED.sub(lambda found: chr(_ASIDE + ord(found[1])), text)
    for pattern, said in _INLINE:
        text = pattern.sub(said, text)
        if text and pattern.search(text):  # one within another
            text = pattern.sub(said, text)
    return text.translate(_BACK)
