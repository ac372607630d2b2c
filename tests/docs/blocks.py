"""The fenced blocks of all pages that people read."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [
    page.relative_to(ROOT).as_posix()
    for page in (
        *sorted(ROOT.glob("*.md")),
        *sorted((ROOT / "docs").rglob("*.md")),
        *sorted((ROOT / "deploy").rglob("*.md")),
    )
]
_LINE = re.compile(r"^(?P<indent> *)```(?P<language>.*)$")
_FILE = re.compile(r"# ([\w/]+\.py)(?:, .*)?\n")


@dataclass(frozen=True, kw_only=True)
class Block:
    """One block, as a reader copies it.

    Attributes:
        page: the path of its page in the repository.
        line: the line of its first fence.
        heading: the nearest heading above it.
        language: the word behind its first fence.
    """

    page: str
    line: int
    heading: str
    language: str
    code: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def file(self) -> str:
        """The file that the first line of a Python block names, "" when it names none."""
        match = _FILE.match(self.code)
        return match[1] if match else ""

    @property
    def commands(self) -> list[str]:
        """The commands of a console block, without remarks."""
        lines = [line.removeprefix("$ ") for line in self.code.splitlines() if line.startswith("$ ")]
        return [re.sub(r"\s+# .*", "", line) for line in lines]


def read_blocks(page: str, text: str) -> list[Block]:
    """Return the blocks of a page's text, in its order."""
    blocks = []
    heading = ""
    lines = iter(enumerate(text.splitlines(), start=1))
    for number, line in lines:
        if line.startswith("#"):
            heading = line.lstrip("# ")
        if fence := _LINE.match(line):
            code = []
            for _number, inner in lines:
                if inner.strip() == "```":
                    break
                code.append(f"{inner}\n")
            blocks.append(
                Block(
                    page=page,
                    line=number,
                    heading=heading,
                    language=fence["language"],
                    code=textwrap.dedent("".join(code)),
                )
            )
    return blocks


BLOCKS = [block for page in PAGES for block in read_blocks(page, (ROOT / page).read_text(encoding="utf-8"))]
TUTORIAL = [block for block in BLOCKS if block.page == "docs/tutorial.md"]
"""They are followed in a project of their own, from its start, by test_tutorial.py."""


def blocks_of(page: str, *languages: str) -> list[Block]:
    """Return the blocks of a page, those in one of these languages or all of them."""
    return [
        block for block in BLOCKS if block.page == page and (not languages or block.language in languages)
    ]


def pages_with(language: str) -> list[str]:
    """Return the pages that have blocks in this language, but for the tutorial."""
    return list(dict.fromkeys(block.page for block in blocks_in(language) if block not in TUTORIAL))


def blocks_in(*languages: str) -> list[Block]:
    """Return the blocks in one of these languages."""
    return [block for block in BLOCKS if block.language in languages]


FIRST_SCREEN = [block for block in blocks_of("README.md") if block.heading == "django-openai-chatkit"]
"""What stands above the first section: a project from nothing to an answer."""
