import json
import types
import typing
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pydantic
import pytest
from chatkit import types as sdk_types
from chatkit import widgets as sdk_widgets
from chatkit.types import (
    ClientToolCallItem,
    FileAttachment,
    HiddenContextItem,
    ImageAttachment,
    ThreadItem,
    ThreadMetadata,
    WidgetItem,
)
from typing_extensions import is_typeddict

from chatkit_app.models import Attachment as AttachmentRow
from chatkit_app.models import Thread as ThreadRow
from chatkit_app.models import ThreadItem as ItemRow
from chatkit_app.server import wire
from chatkit_app.store import codec
from chatkit_app.testing.sample_items import HARD_TEXT, sample_attachments, sample_items
from chatkit_app.testing.store_contract import NOON


def through_json(item: Any) -> Any:
    """What comes back when the row's payload goes through JSON text."""
    row = ItemRow(**codec.encode_item(item))
    row.payload = json.loads(json.dumps(row.payload, allow_nan=False))
    return codec.decode_item(row, thread_id=item.thread_id)


def item_classes() -> set[type]:
    return set(typing.get_args(typing.get_args(ThreadItem)[0]))


def models_in(value: Any) -> typing.Iterator[pydantic.BaseModel]:
    """All SDK objects inside of one."""
    if isinstance(value, pydantic.BaseModel):
        yield value
        for name in type(value).model_fields:
            yield from models_in(value.__dict__[name])
    elif isinstance(value, list):
        for entry in value:
            yield from models_in(entry)


# The samples are worth something only when they leave nothing out.


def test_samples_hold_every_type_of_item():
    assert {type(item) for item in sample_items(thread_id="t")} == item_classes()


def test_samples_hold_every_field_of_every_item():
    seen: dict[type, set[str]] = {}
    for model in models_in(sample_items(thread_id="t")):
        given = {name for name in model.model_fields_set if model.__dict__.get(name) is not None}
        seen.setdefault(type(model), set()).update(given)
    missing = {
        f"{kind.__name__}.{name}"
        for kind, names in seen.items()
        if kind.__module__ == sdk_types.__name__
        for name in set(kind.model_fields) - names
    }
    assert missing == set()


def test_samples_hold_every_widget():
    expected = {
        kind
        for kind in vars(sdk_widgets).values()
        if isinstance(kind, type) and issubclass(kind, sdk_widgets.WidgetComponentBase)
    }
    seen = {type(model) for model in models_in(sample_items(thread_id="t"))}
    assert expected - seen == {sdk_widgets.WidgetComponentBase}


# Items


@pytest.mark.parametrize("index", range(len(sample_items(thread_id="t"))))
def test_item_survives_json(index):
    item = sample_items(thread_id="t")[index]
    assert through_json(item) == item


def example(hint: Any) -> Any:
    """Data that fits a type hint of ``chatkit.widgets``, with every optional field."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Annotated, typing.NotRequired, typing.Required):
        return example(arguments[0])
    if origin is typing.Literal:
        return arguments[0]
    if origin in (typing.Union, types.UnionType):
        return example(next(kind for kind in arguments if kind is not type(None)))
    if origin is list:
        return [example(arguments[0])]
    if origin is dict:
        return {"key": example(arguments[1])}
    if is_typeddict(hint):
        hints = typing.get_type_hints(hint, include_extras=True)
        return {key: example(kind) for key, kind in hints.items()}
    if isinstance(hint, type) and issubclass(hint, pydantic.BaseModel):
        hints = typing.get_type_hints(hint, include_extras=True)
        fields = {key: example(hints[key]) for key in hint.model_fields if key != "children"}
        if "children" in hint.model_fields:
            child = {
                "type": "ListViewItem" if hint is sdk_widgets.ListView else "Text",
                "value": "x",
                "children": [],
            }
            fields["children"] = child if hint is sdk_widgets.Transition else [child]
        return fields
    return {str: HARD_TEXT, int: 3, float: 1.5, bool: True, datetime: "2025-01-31T12:00:00Z"}.get(
        hint, HARD_TEXT
    )


WIDGETS = sorted(
    (
        kind.__name__
        for kind in vars(sdk_widgets).values()
        if isinstance(kind, type)
        and issubclass(kind, sdk_widgets.WidgetComponentBase)
        and typing.get_origin(kind.model_fields["type"].annotation) is typing.Literal
    ),
)


@pytest.mark.parametrize("name", WIDGETS)
def test_widget_with_every_field_survives_json(name):
    kind = getattr(sdk_widgets, name)
    widget = kind.model_validate(example(kind))
    assert set(kind.model_fields) <= widget.model_fields_set
    root = (
        widget
        if name in ("Card", "ListView", "BasicRoot", "DynamicWidgetRoot")
        else sdk_widgets.Card.model_validate({"children": [widget]})
    )
    item = WidgetItem(id="w", thread_id="t", created_at=NOON, widget=root)
    assert through_json(item) == item


@pytest.mark.parametrize("root", ["Card", "ListView", "Basic"])
def test_dynamic_widget_keeps_its_class_and_unknown_fields(root):
    data = {
        "type": root,
        "unknown": 1,
        "children": [{"type": "ListViewItem", "unknown": 2, "children": {"type": "Text", "value": "x"}}],
    }
    widget = sdk_widgets.DynamicWidgetRoot.model_validate(data)
    stored = through_json(WidgetItem(id="w", thread_id="t", created_at=NOON, widget=widget))
    assert type(stored.widget) is sdk_widgets.DynamicWidgetRoot
    assert stored.widget == widget


def test_dynamic_part_of_a_strict_widget_keeps_unknown_fields():
    part = sdk_widgets.DynamicWidgetComponent.model_validate({"type": "Text", "value": "x", "unknown": 1})
    card = sdk_widgets.Card.model_validate({"children": [{"type": "Box", "children": [part]}]})
    stored = through_json(WidgetItem(id="w", thread_id="t", created_at=NOON, widget=card))
    assert stored.widget == card


def test_chart_series_without_a_label_is_still_a_chart():
    chart = {
        "type": "Chart",
        "data": [],
        "xAxis": "x",
        "series": [{"type": "bar", "label": None, "dataKey": "x"}],
    }
    card = sdk_widgets.Card.model_validate({"children": [chart]})
    stored = through_json(WidgetItem(id="w", thread_id="t", created_at=NOON, widget=card))
    assert stored.widget == card


def test_encoding_leaves_the_item_alone():
    items = sample_items(thread_id="t")
    for item in items:
        codec.encode_item(item)
    assert items == sample_items(thread_id="t")


def test_decoding_leaves_the_row_alone():
    for item in sample_items(thread_id="t"):
        row = ItemRow(**codec.encode_item(item))
        assert codec.decode_item(row, thread_id="t") == codec.decode_item(row, thread_id="t")


def test_payload_does_not_repeat_the_columns():
    for item in sample_items(thread_id="t"):
        assert not codec.encode_item(item)["payload"].keys() & {"id", "thread_id", "type", "created_at"}


# JSON


@pytest.mark.parametrize("fold", [0, 1])
def test_naive_time_is_local(fold):
    aware = codec.to_database_time(datetime(2025, 10, 26, 2, 30, 0, 1, fold=fold))
    assert aware == datetime(2025, 10, 26, fold, 30, 0, 1, tzinfo=UTC)
    back = codec.to_sdk_time(aware)
    assert (back, back.fold, back.tzinfo) == (datetime(2025, 10, 26, 2, 30, 0, 1), fold, None)


@pytest.mark.parametrize("hour", [1, 3])
def test_time_around_the_missing_hour(hour):
    local = datetime(2025, 3, 30, hour, 59, 59, 999999)
    assert codec.to_sdk_time(codec.to_database_time(local)) == local


def test_aware_time_is_the_same_moment():
    tokyo = datetime(2025, 6, 1, 21, 0, tzinfo=timezone(timedelta(hours=9)))
    assert codec.to_database_time(tokyo) == datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
    assert codec.to_sdk_time(tokyo) == datetime(2025, 6, 1, 14, 0)


def test_time_without_time_zones(settings):
    settings.USE_TZ = False
    assert codec.to_database_time(NOON) == NOON
    assert codec.to_database_time(NOON.astimezone(UTC)) == NOON
    assert codec.to_sdk_time(NOON) == NOON


# To the browser


def test_name_that_is_half_a_character_is_stored_and_sent_as_one_that_can_be_read():
    call = ClientToolCallItem(
        id="c",
        thread_id="t",
        created_at=NOON,
        name="locate",
        call_id="1",
        arguments={"places": [{"\ud800": NOON, "kept": "\udfff"}]},
    )
    readable = {"places": [{"\ufffd": NOON.isoformat(), "kept": "\ufffd"}]}
    assert codec.encode_item(call)["payload"]["arguments"] == readable
    assert json.loads(wire.to_wire(call))["arguments"] == readable


def test_metadata_with_half_a_character_as_a_name_is_stored():
    thread = ThreadMetadata(id="t", created_at=NOON, metadata={"a": {"\ud800": 1}})
    assert codec.encode_thread(thread)["metadata"] == {"a": {"\ufffd": 1}}


# Threads and attachments


def test_thread_without_a_title_has_none():
    row = ThreadRow(public_id="t", created_at=NOON.astimezone())
    assert codec.decode_thread(row) == ThreadMetadata(id="t", created_at=NOON)


@pytest.mark.parametrize(("status", "reason"), [("active", None), ("locked", "Why"), ("closed", "Why")])
def test_reason_belongs_to_a_thread_that_is_read_only(status, reason):
    row = ThreadRow(public_id="t", created_at=NOON.astimezone(), status=status, status_reason="Why")
    assert getattr(codec.decode_thread(row).status, "reason", None) == reason


@pytest.mark.parametrize("kind", [FileAttachment, ImageAttachment])
def test_attachment_survives_json(kind):
    attachment = next(entry for entry in sample_attachments(thread_id="t") if isinstance(entry, kind))
    row = AttachmentRow(public_id=attachment.id, **codec.encode_attachment(attachment))
    row.payload = json.loads(json.dumps(row.payload))
    assert codec.decode_attachment(row, thread_id="t") == attachment


def test_deepest_data_that_the_sdk_takes_survives():
    content: Any = "deep"
    for _ in range(240):
        content = [content]
    item = HiddenContextItem(id="a", thread_id="t", created_at=NOON, content=content)
    assert through_json(item) == item


def test_copy_of_a_thread_shares_nothing_that_changes() -> None:
    thread = ThreadMetadata(
        id="thr_1",
        created_at=NOON,
        status=sdk_types.LockedStatus(reason="spam"),
        allowed_image_domains=["a.example"],
        metadata={"a": {"b": [1]}},
    )
    copied = codec.copy_thread(thread)
    assert copied == thread
    copied.status.reason = "other"
    copied.allowed_image_domains.append("b.example")
    copied.metadata["a"]["b"].append(2)
    assert thread.status.reason == "spam"
    assert thread.allowed_image_domains == ["a.example"]
    assert thread.metadata == {"a": {"b": [1]}}
