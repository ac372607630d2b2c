"""The examples of CommonMark's specification, and those among them that the element shows in another way."""

import os
import re
from pathlib import Path
from typing import NamedTuple

import pytest

SPEC = Path(__file__).parents[1] / "js" / "node_modules" / "commonmark-spec" / "spec.txt"
EXAMPLE = re.compile(r"^`{32} example\n(.*?)^\.\n(.*?)^`{32}$", re.DOTALL | re.MULTILINE)


class Example(NamedTuple):
    number: int
    markdown: str
    html: str


def read_examples() -> list[Example]:
    """All examples of the specification, which npm brings; the test is skipped without it."""
    if not SPEC.exists():
        if os.environ.get("CI") == "true":
            pytest.fail("The specification is not installed, and CI=true wants it: npm ci in tests/js.")
        pytest.skip("The specification is not installed: npm ci in tests/js.")
    text = SPEC.read_text().split("<!-- END TESTS -->")[0].replace("→", "\t")
    return [
        Example(number, match[1], match[2]) for number, match in enumerate(EXAMPLE.finditer(text), start=1)
    ]


def numbers(text: str) -> set[int]:
    """The numbers in "1 3-5"."""
    spans = [[int(number) for number in part.split("-")] for part in text.split()]
    return {number for span in spans for number in range(span[0], span[-1] + 1)}


EXCEPTIONS = {
    "HTML is text": numbers(
        "21 31 148-191 308 309 344 475-477 491 494 524 536 538 613-617 623 625-631 642 643"
    ),
    "There are no link reference definitions": numbers(
        "23 33 192-196 198 200-208 210 214-218 317 526-535 537 539-545 549 550 553-571 573 576 577 582-589"
        " 591-593"
    ),
    "Few entities have names": numbers("25"),
    "Links lead to a few schemes only": numbers("596 598 599 601"),
    "The browser reads a backslash in a URL as a slash, or leaves it": numbers("20 502 603"),
    "URLs in the text are links, as in GitHub's flavour": numbers("602 608 611"),
}
