"""The form in which browsers are sent things: events and replies as JSON, and as server-sent events."""

from __future__ import annotations

import contextlib
import functools
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageContentPartTextDelta,
    Page,
    SyncCustomActionResponse,
    Thread,
    ThreadCreatedEvent,
    ThreadItemAddedEvent,
    ThreadItemBase,
    ThreadItemDoneEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    ThreadUpdatedEvent,
)
from pydantic import BaseModel
from pydantic_core import PydanticSerializationError

from ..storable import map_json, without_surrogates
from ..store.codec import json_data
from ..store.staff_message import StaffMessage
from ..store.versioned_message import VersionedMessage

_MARKUP = re.compile(r"[\\`*_{}\[\]()<>#+!|~&.-]")

_Model = TypeVar("_Model", bound=BaseModel)


class HandlerEvent(ThreadUpdatedEvent):
    """The event of a thread that is with a person, or waits for one.

    Attributes:
        handler: who answers, as ``takeover.handler.handler_fields()`` tells it.
    """

    handler: dict[str, Any]


def to_wire(
    model: BaseModel,
    *,
    feedback: Mapping[str, str] | None = None,
    handler: Mapping[str, Any] | None = None,
    version: int | None = None,
    answer: str = "",
) -> bytes:
    """Return an event or a reply as JSON for the browser: no nulls, no attachment metadata, times with an offset.

    What the SDK has no place for gets fields of its own, which the bundled element reads and others do not know: the
    author, the words and the files of a person's message, how many earlier versions a message or its answer has, and
    what is given here. Clients that do not know these read of a person's message the same in its text, which nobody
    stores: a signature, the words, links to the files.

    Args:
        model: the event or the reply.
        feedback: the owner's, by the ids of items, for those of a page or of a thread.
        handler: who answers in the thread, if it is one.
        version: the thread's, after which a page asks for changes, if it is one.
        answer: how the thread's newest question was left without a whole one, see ``store.cut_answers``.
    """
    if not isinstance(model, ThreadItemUpdatedEvent):
        model = with_utc_offset(model)
    context = {"exclude_metadata": True}
    added: dict[str, dict[str, Any]] = {}
    for item in _items(model):
        if isinstance(item, StaffMessage):
            added[item.id] = _of_staff(item, context)
        elif isinstance(item, VersionedMessage) and item.earlier:
            added[item.id] = {"earlier": dict(item.earlier)}
    for item_id, kind in (feedback or {}).items():
        added.setdefault(item_id, {})["feedback"] = kind
    if isinstance(model, HandlerEvent):
        handler = model.handler
    if not (added or handler or answer or version is not None):
        with contextlib.suppress(PydanticSerializationError, UnicodeEncodeError):
            return model.model_dump_json(by_alias=True, exclude_none=True, context=context).encode()
    data = json_data(model, by_alias=True, exclude_none=True, context=context)
    for item_data in _item_data(data):
        item_data |= added.get(item_data["id"], {})
    if isinstance(model, HandlerEvent):
        del data["handler"]
    if handler:
        data.get("thread", data)["handler"] = dict(handler)
    if version is not None:
        data["version"] = version
    if answer:
        data["answer"] = answer
    return json.dumps(map_json(data, without_surrogates), ensure_ascii=False).encode()


def _of_staff(item: StaffMessage, context: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a person's message that it has beyond an assistant's, and its text for other clients."""
    fields: dict[str, Any] = json_data(
        item, include={"author", "attachments"}, by_alias=True, exclude_none=True, context=context
    )
    for attachment in fields["attachments"]:
        if url := item.urls.get(attachment["id"]):
            attachment["url"] = url
    said = "\n\n".join(part.text for part in item.content)
    links = [
        f"- [{_escaped(each.name)}]({url})" for each in item.attachments if (url := item.urls.get(each.id))
    ]
    parts = [f"**{_escaped(item.author.name)}**", said, "\n".join(links)]
    told = AssistantMessageContent(text="\n\n".join(part for part in parts if part))
    return fields | {"said": said, "content": [json_data(told, by_alias=True, exclude_none=True)]}


def _escaped(text: str) -> str:
    """Return a text that Markdown leaves as it is."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(text.split()))


def _items(model: BaseModel) -> Sequence[Any]:
    match model:
        case ThreadItemAddedEvent() | ThreadItemDoneEvent() | ThreadItemReplacedEvent():
            return [model.item]
        case Thread():
            return model.items.data
        case Page():
            return model.data
        case VersionedMessage():
            return [model]
    return []


def _item_data(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the parts of a model's JSON that are those of ``_items()``."""
    if "item" in data:
        return [data["item"]]
    if "thread_id" in data:
        return [data]
    page = data.get("items", data)
    found = page.get("data")
    return found if isinstance(found, list) else []


def to_frame(event: BaseModel) -> bytes:
    """Return an event as one server-sent event."""
    if type(event) is ThreadItemUpdatedEvent and type(event.update) is AssistantMessageContentPartTextDelta:
        try:
            return _text_delta_frame(event.item_id, event.update.content_index, event.update.delta)
        except UnicodeEncodeError:
            pass
    return b"data: " + to_wire(event) + b"\n\n"


def _text_delta_frame(item_id: str, content_index: int, delta: str) -> bytes:
    """Return a word of an answer, the most frequent event, without the serializer: only the word differs."""
    return _before_delta(item_id, content_index) + _to_json(delta).encode() + b"}}\n\n"


@functools.lru_cache(maxsize=1024)
def _before_delta(item_id: str, content_index: int) -> bytes:
    update = AssistantMessageContentPartTextDelta(content_index=content_index, delta="")
    frame = b"data: " + to_wire(ThreadItemUpdatedEvent(item_id=item_id, update=update))
    return frame.removesuffix(b'""}}')


_to_json = json.JSONEncoder(ensure_ascii=False).encode


def thread_event(thread: ThreadMetadata, *, handler: dict[str, Any] | None = None) -> ThreadUpdatedEvent:
    """Return the event that tells a browser how the thread is now, and who answers in it. Its metadata stays here."""
    told = Thread(**thread.model_dump(exclude={"metadata", "items"}), items=Page())
    return ThreadUpdatedEvent(thread=told) if handler is None else HandlerEvent(thread=told, handler=handler)


def with_utc_offset(model: _Model) -> _Model:
    """Return a copy of an event or reply with an offset in its times, so that a browser takes none for its own."""
    match model:
        case ThreadItemBase() | ThreadMetadata():
            changes: dict[str, Any] = {"created_at": _to_utc(model.created_at)}
            if isinstance(model, Thread):
                changes["items"] = with_utc_offset(model.items)
        case ThreadItemAddedEvent() | ThreadItemDoneEvent() | ThreadItemReplacedEvent():
            changes = {"item": with_utc_offset(model.item)}
        case ThreadCreatedEvent() | ThreadUpdatedEvent():
            changes = {"thread": with_utc_offset(model.thread)}
        case Page():
            changes = {"data": [with_utc_offset(row) for row in model.data]}
        case SyncCustomActionResponse(updated_item=item) if item is not None:
            changes = {"updated_item": with_utc_offset(item)}
        case _:
            return model
    return model.model_copy(update=changes)


def _to_utc(value: datetime) -> datetime:
    return value if value.tzinfo else value.astimezone(UTC)
