"""What browsers are sent of events and replies."""

import json
from datetime import UTC
from typing import Any

import pydantic
import pytest
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageContentPartTextDelta,
    ClientToolCallItem,
    FileAttachment,
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
from chatkit_app.store.staff_message import Author, StaffMessage
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


# --- A person's message -------------------------------------------------------------------------------------

URL = "http://testserver/chatkit/attachments/atc_1/file?signature=x"


def staff_message(text: str, *, name: str = "Maria", urls: dict[str, str] | None = None) -> StaffMessage:
    return StaffMessage(
        id="msg_1",
        thread_id="thr_1",
        created_at=NOON,
        content=[AssistantMessageContent(text=text)] if text else [],
        author=Author(name=name),
        attachments=[FileAttachment(id="atc_1", name="the [bill].pdf", mime_type="application/pdf")],
        urls={"atc_1": URL} if urls is None else urls,
    )


def sent(item: StaffMessage) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(wire.to_wire(ThreadItemDoneEvent(item=item)))["item"]
    return found


def test_message_of_a_person_has_their_words_and_files_beside_the_text_for_other_clients():
    item = sent(staff_message("Here is the **bill**."))
    assert (item["author"], item["said"]) == ({"name": "Maria"}, "Here is the **bill**.")
    (file,) = item["attachments"]
    assert (file["name"], file["url"]) == ("the [bill].pdf", URL)
    assert item["content"][0]["text"] == (
        f"**Maria**\n\nHere is the **bill**.\n\n- [the \\[bill\\]\\.pdf]({URL})"
    )


def test_file_without_words_is_linked_all_the_same():
    assert sent(staff_message(""))["content"][0]["text"] == f"**Maria**\n\n- [the \\[bill\\]\\.pdf]({URL})"


def test_file_without_an_address_is_not_linked():
    item = sent(staff_message("Here.", urls={}))
    assert item["content"][0]["text"] == "**Maria**\n\nHere."
    assert "url" not in item["attachments"][0]


def test_name_of_a_person_is_no_markup():
    item = sent(staff_message("Hi.", name="**x** [y](z)", urls={}))
    assert item["content"][0]["text"].startswith("**\\*\\*x\\*\\* \\[y\\]\\(z\\)**\n\n")


def test_addresses_of_files_are_not_kept():
    assert "urls" not in staff_message("Hi.").model_dump()
