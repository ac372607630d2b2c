"""The catalogues: complete, faithful to their placeholders, and compiled."""

import ast
import re
from functools import cache
from gettext import c2py
from pathlib import Path

import polib
import pytest
from django.utils.translation.template import templatize

import chatkit_app

PACKAGE = Path(chatkit_app.__file__).parent
LANGUAGES = ["ar", "de", "es", "fr", "ja", "pt", "zh_Hans"]

# How many of its first arguments each function translates.
FUNCTIONS = {"_": 1, "gettext": 1, "gettext_lazy": 1, "ngettext": 2, "ngettext_lazy": 2}
LITERAL = r"""u?("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
IN_TEMPLATE = re.compile(rf"\b(?:_|gettext|ngettext)\({LITERAL}(?:, {LITERAL})?")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*\}")

Message = tuple[str, ...]


@cache
def catalogue(language: str) -> polib.POFile:
    return polib.pofile(str(PACKAGE / "locale" / language / "LC_MESSAGES" / "django.po"))


def messages_in_python(path: Path) -> set[Message]:
    calls = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS
    ]
    return {tuple(ast.literal_eval(arg) for arg in call.args[: FUNCTIONS[call.func.id]]) for call in calls}


def messages_in_template(path: Path) -> set[Message]:
    found = IN_TEMPLATE.findall(templatize(path.read_text(encoding="utf-8")))
    return {tuple(ast.literal_eval(literal) for literal in literals if literal) for literals in found}


@cache
def messages_in_source() -> set[Message]:
    python = (messages_in_python(path) for path in PACKAGE.rglob("*.py"))
    paths = (path for kind in ("*.html", "*.txt") for path in PACKAGE.rglob(kind))
    templates = (messages_in_template(path) for path in paths)
    by_id: dict[str, Message] = {}
    # As in a catalogue, a message with a plural is the message of the same text without one.
    for message in sorted(set().union(*python, *templates), key=len):
        by_id[message[0]] = message
    return set(by_id.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogue_has_the_messages_of_the_source(language: str):
    entries = catalogue(language)
    there = {(entry.msgid, entry.msgid_plural) if entry.msgid_plural else (entry.msgid,) for entry in entries}
    assert there == messages_in_source()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_translated(language: str):
    entries = catalogue(language)
    forms = int(re.findall(r"nplurals=(\d)", entries.metadata["Plural-Forms"])[0])
    assert [entry.msgid for entry in entries if entry.fuzzy or entry.obsolete] == []
    for entry in entries:
        texts = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
        assert len(texts) == (forms if entry.msgid_plural else 1), entry.msgid
        assert all(text.strip() for text in texts), entry.msgid


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_are_kept(language: str):
    entries = catalogue(language)
    form_of = c2py(entries.metadata["Plural-Forms"].partition("plural=")[2].rstrip(";"))
    form_of_numbers = [form_of(number) for number in range(200)]
    for entry in entries:
        wanted = sorted(PLACEHOLDER.findall(entry.msgid))
        if not entry.msgid_plural:
            assert sorted(PLACEHOLDER.findall(entry.msgstr)) == wanted, entry.msgid
        for form, text in entry.msgstr_plural.items():
            # A form of one number alone may say it as a word.
            may_lack = form_of_numbers.count(form) == 1
            assert sorted(PLACEHOLDER.findall(text)) in ([wanted, []] if may_lack else [wanted]), entry.msgid


@pytest.mark.parametrize("language", LANGUAGES)
def test_compiled_catalogue_is_up_to_date(language: str):
    source = catalogue(language)
    compiled = polib.mofile(str(PACKAGE / "locale" / language / "LC_MESSAGES" / "django.mo"))
    texts = {entry.msgid: (entry.msgstr, entry.msgstr_plural) for entry in source}
    assert {entry.msgid: (entry.msgstr, entry.msgstr_plural) for entry in compiled} == texts
    assert compiled.metadata == source.metadata


@pytest.mark.parametrize("language", LANGUAGES)
def test_header_names_neither_people_nor_dates(language: str):
    assert set(catalogue(language).metadata) == {
        "Project-Id-Version",
        "Language",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
        "Plural-Forms",
    }
