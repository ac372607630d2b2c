"""JSON and text in a form that every database takes."""

import json

import pytest

from chatkit_app.storable import is_storable_id, original_json, storable_json, storable_text
from chatkit_app.testing.sample_items import HARD_JSON, HARD_TEXT


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("plain \U0001f600", "plain \U0001f600"),
        ("\x00", "\uf8ff0000"),
        ("\uf8ff", "\uf8fff8ff"),
        ("\uf8ff0000", "\uf8fff8ff0000"),
        ({"\x00": ["\x00", {"a": "\x00"}]}, {"\uf8ff0000": ["\uf8ff0000", {"a": "\uf8ff0000"}]}),
        (10**100, 10**100),
        (1e23, 99999999999999991611392),
        (0.1, 0.1),
        (None, None),
    ],
)
def test_json_is_storable_and_comes_back(value, stored):
    assert storable_json(value) == stored
    assert original_json(stored) == value


@pytest.mark.parametrize("value", [HARD_TEXT, HARD_JSON])
def test_storable_json_holds_nothing_that_a_database_refuses(value):
    text = json.dumps(storable_json(value), ensure_ascii=False)
    assert "\x00" not in text
    assert "\\u0000" not in text.replace("\\\\u0000", "")
    text.encode()


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_number_that_is_none_becomes_null(number):
    assert storable_json([number]) == [None]


@pytest.mark.parametrize(("text", "stored"), [("a\x00b", "ab"), ("\ud83d", "\ufffd"), ("\uf8ff", "\uf8ff")])
def test_text_is_storable(text, stored):
    assert storable_text(text) == stored


@pytest.mark.parametrize(
    ("public_id", "storable"),
    [("thr_1", True), ("", True), ("x" * 255, True), ("x" * 256, False), ("\x00", False), ("\ud800", False)],
)
def test_id_that_no_database_holds(public_id, storable):
    assert is_storable_id(public_id) is storable


# Time
