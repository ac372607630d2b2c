import re
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import DateTimeField
from django.utils import timezone

import chatkit_app
from chatkit_app.admin.content import long_text, raw, shorten, visible


def test_raw_data_is_json_as_it_was_before_it_was_stored() -> None:
    assert raw({"a": "x\uf8ff0000y", "é": [1]}) == '{\n  "a": "x\\u0000y",\n  "é": [\n    1\n  ]\n}'


@pytest.mark.parametrize(
    ("payload", "text"), [(None, "null"), (7, "7"), ("x", '"x"'), ([], "[]"), ({}, "{}")]
)
def test_raw_data_of_any_shape_is_json(payload: Any, text: str) -> None:
    assert raw(payload) == text


def test_raw_data_nested_beyond_the_stack_is_told() -> None:
    payload: Any = {}
    for _ in range(5000):
        payload = {"children": [payload]}
    assert raw(payload) == "This data cannot be shown."


def test_nul_is_shown_by_its_number() -> None:
    assert visible("a\x00b") == "a[U+0000]b"


def test_half_of_a_surrogate_pair_can_be_encoded() -> None:
    assert visible("a\ud800b") == "a[U+D800]b"


def test_bidi_overrides_are_shown() -> None:
    assert visible("photo\u202egpj.exe\u2066") == "photo[U+202E]gpj.exe[U+2066]"


def test_line_breaks_and_right_to_left_text_stay() -> None:
    assert visible("שלום\n\tمرحبا\r\n\u200f") == "שלום\n\tمرحبا\r\n\u200f"


def test_short_text_is_shown_whole() -> None:
    text = long_text("Hello")
    assert (text.head, text.full, text.length, text.is_cut) == ("Hello", "", 5, False)


def test_long_text_has_a_head_and_the_rest() -> None:
    text = long_text("x" * 3000)
    assert (text.head, text.full, text.length, text.is_cut) == ("x" * 2000 + "…", "x" * 3000, 3000, False)


def test_text_of_many_lines_has_a_head() -> None:
    text = long_text("x\n" * 100)
    assert (text.head, len(text.full)) == ("x\n" * 39 + "x…", 200)


def test_text_of_a_megabyte_is_cut() -> None:
    text = long_text("x" * 1_000_000)
    assert (len(text.head), len(text.full), text.length, text.is_cut) == (2001, 20_000, 1_000_000, True)


def test_shorten_makes_one_line() -> None:
    assert shorten("a\n\n  b " + "c" * 200, 10) == "a b ccccc…"


def test_pages_write_times_in_one_way() -> None:
    folder = Path(chatkit_app.__file__).parent / "templates" / "admin"
    formats = {
        name
        for template in folder.rglob("*.html")
        for name in re.findall(r'\|date:"([A-Z_]+)"', template.read_text())
    }
    assert formats == {"SHORT_DATETIME_FORMAT"}


def test_lists_say_how_long_ago_something_was() -> None:
    lists = {
        "attachment": "created",
        "auditentry": "when",
        "feedback": "changed",
        "flag": "raised_at",
        "run": "started",
        "thread": "activity",
        "webhookdelivery": "created",
    }
    then = timezone.now() - timedelta(hours=3)
    for name, column in lists.items():
        model = apps.get_model("chatkit_app", name)
        times = {field.name: then for field in model._meta.fields if isinstance(field, DateTimeField)}
        shown = getattr(admin.site._registry[model], column)(SimpleNamespace(**times))
        assert shown.endswith(">3 h ago</time>"), name
