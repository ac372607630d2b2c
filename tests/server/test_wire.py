"""What browsers are sent of events and replies."""

import json
from datetime import UTC
from typing import Any

import pydantic
import pytest
from chatkit.types import (
    AssistantMessageContentPartTextDelta,
    ClientToolCallItem,
    Page,
    SyncCustomActionResponse,
    Thread,
    ThreadCreatedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    UserMessageItem,
)

from chatkit_app.server import wire
from chatkit_app.testing.sample_items import sample_attachments, sample_items
from chatkit_app.testing.store_contract import NOON, message


def as_sent(model: pydantic.BaseModel) -> Any:
    return json.loads(wire.to_wire(model))


def test_times_leave_with_an_offset():
    thread = Thread(id="t", created_at=NOON, items=Page(data=[message("a")]))
    sent = as_sent(ThreadCreatedEvent(thread=thread))["thread"]
    assert sent["created_at"] == "2025-06-01T10:00:00.123456Z"
    assert sent["items"]["data"][0]["created_at"] == "2025-06-01T10:00:00.123456Z"


@pytest.mark.parametrize(
    ("model", "path"),
    [
        (Page(data=[message("a")]), ("data", 0)),
        (ThreadItemDoneEvent(item=message("a")), ("item",)),
        (SyncCustomActionResponse(updated_item=message("a")), ("updated_item",)),
        (ThreadMetadata(id="t", created_at=NOON), ()),
    ],
)
def test_every_reply_has_times_with_an_offset(model, path):
    sent = as_sent(model)
    for key in path:
        sent = sent[key]
    assert sent["created_at"] == "2025-06-01T10:00:00.123456Z"


def test_time_with_an_offset_stays():
    aware = NOON.replace(tzinfo=UTC)
    assert as_sent(message("a", created_at=aware))["created_at"] == "2025-06-01T12:00:00.123456Z"


def test_sending_leaves_the_object_alone():
    event = ThreadItemDoneEvent(item=message("a"))
    wire.to_wire(event)
    assert event.item.created_at == NOON


def test_nothing_of_an_attachments_metadata_is_sent():
    item = next(item for item in sample_items(thread_id="t") if isinstance(item, UserMessageItem))
    assert "metadata" not in as_sent(ThreadItemDoneEvent(item=item))["item"]["attachments"][0]
    assert "metadata" not in as_sent(sample_attachments()[0])


def test_nulls_are_not_sent():
    item = ClientToolCallItem(id="c", thread_id="t", created_at=NOON, call_id="c", name="n", arguments={})
    assert "output" not in as_sent(item)


def test_half_a_character_can_be_sent():
    sent = as_sent(ThreadItemDoneEvent(item=message("a", "x\ud83dy")))
    assert sent["item"]["content"][0]["text"] == "x\ufffdy"


def test_frame_is_one_line_of_data():
    update = AssistantMessageContentPartTextDelta(content_index=0, delta="a\r\n\u2028b\n\n")
    frame = wire.to_frame(ThreadItemUpdatedEvent(item_id="i", update=update))
    assert frame == (
        b'data: {"type":"thread.item.updated","item_id":"i","update":{"type":"assistant_message.content_part.'
        b'text_delta","content_index":0,"delta":"a\\r\\n\xe2\x80\xa8b\\n\\n"}}\n\n'
    )


# Readable text


def test_feedback_is_written_beside_broken_surrogates():
    item = message("a", "\ud800")
    data = json.loads(wire.to_wire(Page(data=[item]), feedback={"a": "positive", "b": "negative"}))["data"]
    assert (data[0]["feedback"], data[0]["content"][0]["text"]) == ("positive", "\ufffd")


@pytest.mark.parametrize(
    "delta",
    [
        "",
        "token ",
        'a "quoted" \\ word\n',
        "".join(map(chr, range(0x3000))),
        "\u2028\ufeff\uffff😀",
        "\ud83d",
    ],
)
def test_frame_of_a_word_is_what_the_serializer_makes(delta: str) -> None:
    update = AssistantMessageContentPartTextDelta(content_index=3, delta=delta)
    event = ThreadItemUpdatedEvent(item_id='msg"1', update=update)
    assert wire.to_frame(event) == b"data: " + wire.to_wire(event) + b"\n\n"


def test_word_of_a_subclass_keeps_its_fields() -> None:
    class Marked(AssistantMessageContentPartTextDelta):
        mark: str = "x"

    update = Marked(content_index=0, delta="a")
    event = ThreadItemUpdatedEvent.model_construct(item_id="msg_1", update=update)
    assert b'"delta":"a"' in wire.to_frame(event)
    assert wire.to_frame(event) == b"data: " + wire.to_wire(event) + b"\n\n"
