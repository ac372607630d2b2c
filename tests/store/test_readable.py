"""What a person would read of an item."""

import pytest
from chatkit import widgets as sdk_widgets
from chatkit.types import (
    WidgetItem,
)

from chatkit_app.store.payloads import preview
from chatkit_app.store.readable import item_text
from chatkit_app.testing.sample_items import sample_items
from chatkit_app.testing.store_contract import NOON


@pytest.mark.parametrize(
    ("item_type", "part"),
    [
        ("user_message", "@Tag"),
        ("user_message", "plan \U0001f600.pdf"),
        ("assistant_message", "quoted"),
        ("structured_input", "Why?"),
        ("structured_input", "red, blue"),
        ("workflow", "Search"),
        ("task", "Thought\nHm"),
        ("client_tool_call", "locate"),
        ("widget", "basic"),
        ("widget", "row"),
    ],
)
def test_what_a_reader_reads_is_searched(item_type, part):
    items = [item for item in sample_items(thread_id="t") if item.type == item_type]
    texts = [
        item_text(item.model_copy(update={"copy_text": None} if item_type == "widget" else {}))
        for item in items
    ]
    assert any(part in text for text in texts)


@pytest.mark.parametrize("item_type", ["hidden_context_item", "sdk_hidden_context", "end_of_turn"])
def test_what_only_the_model_reads_is_not_searched(item_type):
    items = [item for item in sample_items(thread_id="t") if item.type == item_type]
    assert {item_text(item) for item in items} == {""}


def test_copy_text_of_a_widget_is_its_text():
    widget = sdk_widgets.Card.model_validate({"children": [{"type": "Text", "value": "shown"}]})
    item = WidgetItem(id="w", thread_id="t", created_at=NOON, widget=widget, copy_text="copied")
    assert item_text(item) == "copied"


@pytest.mark.parametrize(
    ("text", "line"),
    [(" a\n\n b\tc ", "a b c"), ("x" * 200, "x" * 200), ("x" * 201, "x" * 199 + "…"), ("", "")],
)
def test_preview_is_one_short_line(text, line):
    assert preview(text) == line


# Feedback
