"""The form in which browsers are sent things: events and replies as JSON, and as server-sent events."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from chatkit.types import (
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

_Model = TypeVar("_Model", bound=BaseModel)


def to_wire(model: BaseModel, *, feedback: Mapping[str, str] | None = None) -> bytes:
    """Return an event or a reply as JSON for the browser: no nulls, no attachment metadata, times with an offset.

    ``feedback`` is the owner's, by the ids of items. Those of a page or of a thread's items get theirs as a field of
    its own, which the bundled element reads and others do not know.
    """
    if not isinstance(model, ThreadItemUpdatedEvent):
        model = with_utc_offset(model)
    context = {"exclude_metadata": True}
    if not feedback:
        with contextlib.suppress(PydanticSerializationError, UnicodeEncodeError):
            return model.model_dump_json(by_alias=True, exclude_none=True, context=context).encode()
    data = json_data(model, by_alias=True, exclude_none=True, context=context)
    if feedback:
        for item in (data["items"] if isinstance(model, Thread) else data)["data"]:
            if item["id"] in feedback:
                item["feedback"] = feedback[item["id"]]
    return json.dumps(map_json(data, without_surrogates), ensure_ascii=False).encode()


def to_frame(event: BaseModel) -> bytes:
    """Return an event as one server-sent event."""
    if type(event) is ThreadItemUpdatedEvent and type(event.update) is AssistantMessageContentPartTextDelta:
        with contextlib.suppress(UnicodeEncodeError):
            return _text_delta_frame(event.item_id, event.update.content_index, event.update.delta)
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


def thread_event(thread: ThreadMetadata) -> ThreadUpdatedEvent:
    """Return the event that tells a browser how the thread is now. Its metadata stays here."""
    return ThreadUpdatedEvent(thread=Thread(**thread.model_dump(exclude={"metadata", "items"}), items=Page()))


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
