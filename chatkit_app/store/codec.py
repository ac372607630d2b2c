"""SDK objects to rows and back: JSON that every database takes, time zones, readable text."""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    HiddenContextItem,
    InferenceOptions,
    Page,
    SDKHiddenContextItem,
    StructuredInputItem,
    SyncCustomActionResponse,
    Thread,
    ThreadCreatedEvent,
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemBase,
    ThreadItemDoneEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    ThreadUpdatedEvent,
    UserMessageItem,
    UserMessageTextContent,
    WidgetItem,
    WorkflowItem,
)
from chatkit.types import Attachment as SDKAttachment
from chatkit.widgets import DynamicWidgetComponent, DynamicWidgetRoot
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from pydantic import BaseModel, TypeAdapter
from pydantic_core import PydanticSerializationError, to_jsonable_python

from ..models import PREVIEW_LENGTH

if TYPE_CHECKING:
    from ..models import Attachment as AttachmentRow
    from ..models import Thread as ThreadRow
    from ..models import ThreadItem as ThreadItemRow

_Model = TypeVar("_Model", bound=BaseModel)

_ITEM: TypeAdapter[ThreadItem] = TypeAdapter(ThreadItem)
_ATTACHMENT: TypeAdapter[SDKAttachment] = TypeAdapter(SDKAttachment)
_DYNAMIC_WIDGETS: dict[type, str] = {DynamicWidgetRoot: "root", DynamicWidgetComponent: "component"}
_DYNAMIC_KEY = "$dynamic"
_REDACTED_KEY = "$redacted"
_ITEM_COLUMNS = {"id", "thread_id", "created_at", "type"}
_ATTACHMENT_COLUMNS = {"id", "thread_id", "type", "name", "mime_type"}
_READABLE_WIDGET_KEYS = ("value", "title", "label", "text", "caption", "placeholder", "alt", "children")

# PostgreSQL's jsonb refuses NUL. Inside payloads it is written as this mark and its number, and the mark
# itself likewise, so that exactly what went in comes out. Half of a surrogate pair is no character: nothing
# could ever send it to a browser again, so it becomes U+FFFD.
_MARK = "\uf8ff"
_UNSTORABLE = re.compile("[\x00\uf8ff\ud800-\udfff]")
_MARKED = re.compile(_MARK + "([0-9a-f]{4})")
_SURROGATE = re.compile("[\ud800-\udfff]")
_EXACT = 2.0**53


# --- JSON ---------------------------------------------------------------------------------------------------


def _map_json(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, list):
        return [_map_json(entry, change) for entry in value]
    if isinstance(value, dict):
        return {change(key): _map_json(entry, change) for key, entry in value.items()}
    return change(value)


def storable_json(value: Any) -> Any:
    """JSON data in a form that every database takes. ``original_json()`` is its inverse."""
    return _map_json(value, _storable_value)


def _storable_value(value: Any) -> Any:
    if isinstance(value, str) and _UNSTORABLE.search(value):
        return _UNSTORABLE.sub(_store_character, value)
    if isinstance(value, float) and not -_EXACT < value < _EXACT:
        # JSON has no NaN and no infinity; a browser is sent null for them. A large number comes back from
        # jsonb as the integer that its shortest notation names, which is another one.
        return int(value) if math.isfinite(value) else None
    return value


def _store_character(match: re.Match[str]) -> str:
    character = match[0]
    return "\ufffd" if _SURROGATE.match(character) else f"{_MARK}{ord(character):04x}"


def original_json(value: Any) -> Any:
    """What ``storable_json()`` was given, but for broken surrogates and numbers that are none."""
    return _map_json(value, _original_value)


def _original_value(value: Any) -> Any:
    if isinstance(value, str) and _MARK in value:
        return _MARKED.sub(lambda match: chr(int(match[1], 16)), value)
    return value


def _without_surrogates(value: Any) -> Any:
    return _SURROGATE.sub("\ufffd", value) if isinstance(value, str) else value


def storable_text(text: str) -> str:
    """Text for a text column, which has no escape: NUL is dropped, a broken surrogate replaced."""
    if not _UNSTORABLE.search(text):
        return text
    return _SURROGATE.sub("\ufffd", text.replace("\x00", ""))


def is_storable_id(public_id: str) -> bool:
    """Whether a database could hold this id at all; one that it could not is one that does not exist."""
    return len(public_id) <= 255 and not _UNSTORABLE.search(public_id)


def to_wire(model: BaseModel, *, feedback: Mapping[str, str] | None = None) -> bytes:
    """An event or a reply as JSON for the browser: no nulls, no attachment metadata, times with an offset.

    ``feedback`` holds verdicts by the ids of items. Those of a page or of a thread's items get them as a field of
    their own, which the bundled element reads and others do not know.
    """
    if not isinstance(model, ThreadItemUpdatedEvent):
        model = with_utc_offset(model)
    context = {"exclude_metadata": True}
    if not feedback:
        with contextlib.suppress(PydanticSerializationError, UnicodeEncodeError):
            return model.model_dump_json(by_alias=True, exclude_none=True, context=context).encode()
    data = _dump(model, by_alias=True, exclude_none=True, context=context)
    if feedback:
        for item in (data["items"] if isinstance(model, Thread) else data)["data"]:
            if item["id"] in feedback:
                item["feedback"] = feedback[item["id"]]
    return json.dumps(_map_json(data, _without_surrogates), ensure_ascii=False).encode()


def _dump(model: BaseModel, **options: Any) -> Any:
    """The model's JSON data."""
    try:
        return model.model_dump(mode="json", **options)
    except (UnicodeEncodeError, PydanticSerializationError):
        # Half a character, as the name of something: a model's JSON can have it.
        return to_jsonable_python(_map_json(model.model_dump(**options), _without_surrogates))


def to_frame(event: BaseModel) -> bytes:
    """An event as one server-sent event."""
    return b"data: " + to_wire(event) + b"\n\n"


# --- Time ---------------------------------------------------------------------------------------------------


def to_database_time(value: datetime) -> datetime:
    """The SDK's naive local time (or any aware one) as the database wants it."""
    if settings.USE_TZ:
        return value.astimezone(UTC)
    return value.astimezone().replace(tzinfo=None) if value.tzinfo else value


def to_sdk_time(value: datetime) -> datetime:
    """Naive local time, which is what the SDK computes with (``datetime.now() - item.created_at``)."""
    # Not astimezone(): it forgets which of the two it was in the hour that the clock goes through twice.
    return datetime.fromtimestamp(value.timestamp()) if value.tzinfo else value


def with_utc_offset(model: _Model) -> _Model:
    """A copy of an event or reply with an offset in its times, so that a browser takes none for its own."""
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


# --- Threads ------------------------------------------------------------------------------------------------


def decode_thread(row: ThreadRow) -> ThreadMetadata:
    """A thread's row as the SDK knows it."""
    status: dict[str, Any] = {"type": row.status}
    if row.is_read_only and row.status_reason:
        status["reason"] = row.status_reason
    return ThreadMetadata.model_validate(
        {
            "id": row.public_id,
            "title": row.title or None,
            "created_at": to_sdk_time(row.created_at),
            "status": status,
            "allowed_image_domains": original_json(row.allowed_image_domains),
            "metadata": original_json(row.metadata),
        }
    )


def thread_event(thread: ThreadMetadata) -> ThreadUpdatedEvent:
    """What tells a browser how the thread is now. Its metadata stays here."""
    return ThreadUpdatedEvent(thread=Thread(**thread.model_dump(exclude={"metadata", "items"}), items=Page()))


def encode_thread(thread: ThreadMetadata) -> dict[str, Any]:
    """The columns of a thread that the SDK may write."""
    return {
        "title": storable_text(thread.title or ""),
        "status": thread.status.type,
        "status_reason": storable_text(getattr(thread.status, "reason", None) or ""),
        "allowed_image_domains": storable_json(thread.allowed_image_domains),
        "metadata": storable_json(_dump(thread, include={"metadata"})["metadata"]),
    }


# --- Items --------------------------------------------------------------------------------------------------


def decode_item(row: ThreadItemRow, *, thread_id: str, locale: str | None = None) -> ThreadItem:
    """An item's row as the SDK knows it.

    Args:
        row: the row.
        thread_id: the SDK's id of its thread.
        locale: the reader's language, in which a redacted item says what it is; the active one unless given.
    """
    if is_redacted(row):
        return _tombstone(row, thread_id, locale)
    payload = original_json(row.payload)
    if row.type == "widget":
        payload["widget"] = _decode_widget(payload["widget"])
    return _ITEM.validate_python(
        payload
        | {
            "id": row.public_id,
            "thread_id": thread_id,
            "created_at": to_sdk_time(row.created_at),
            "type": row.type,
        }
    )


def encode_item(item: ThreadItem) -> dict[str, Any]:
    """The columns of an item, but for its thread and its run."""
    payload = _dump(item, exclude=_ITEM_COLUMNS)
    if isinstance(item, WidgetItem):
        _mark_dynamic(item.widget, payload["widget"])
    return {
        "public_id": item.id,
        "type": item.type,
        "payload": storable_json(payload),
        "text": storable_text(item_text(item)),
        "created_at": to_database_time(item.created_at),
    }


def redacted_payload() -> dict[str, Any]:
    """What stands in place of a redacted item's payload."""
    return {_REDACTED_KEY: True}


def is_redacted(row: ThreadItemRow) -> bool:
    """Whether a moderator has removed what this item said."""
    return isinstance(row.payload, dict) and _REDACTED_KEY in row.payload


def _tombstone(row: ThreadItemRow, thread_id: str, locale: str | None) -> ThreadItem:
    """What everybody reads of a redacted item, the model too: who wrote it, and that it was removed."""
    with translation.override(locale or translation.get_language()):
        text = _("This message was removed by a moderator.")
    common: dict[str, Any] = {
        "id": row.public_id,
        "thread_id": thread_id,
        "created_at": to_sdk_time(row.created_at),
    }
    match row.type:
        case "user_message":
            content = UserMessageTextContent(text=text)
            return UserMessageItem(content=[content], inference_options=InferenceOptions(), **common)
        case "hidden_context_item":
            return HiddenContextItem(content=text, **common)
        case "sdk_hidden_context":
            return SDKHiddenContextItem(content=text, **common)
    return AssistantMessageItem(content=[AssistantMessageContent(text=text)], **common)


# A widget from a template is a "dynamic" one, which may have any field. Its JSON can also be read as that of
# the strict class of the same name, which drops the fields it does not know: so it says which one it was.


def _mark_dynamic(widget: Any, data: dict[str, Any]) -> None:
    if type(widget) in _DYNAMIC_WIDGETS:
        data[_DYNAMIC_KEY] = _DYNAMIC_WIDGETS[type(widget)]
    elif not isinstance(widget, DynamicWidgetComponent):
        children, stored = getattr(widget, "children", None), data.get("children")
        if isinstance(children, list) and isinstance(stored, list):
            for child, child_data in zip(children, stored, strict=True):
                _mark_dynamic(child, child_data)
        elif children is not None and stored is not None:
            _mark_dynamic(children, stored)


def _decode_widget(data: Any) -> Any:
    """The widget's data, with the dynamic parts made already."""
    if isinstance(data, list):
        return [_decode_widget(entry) for entry in data]
    if not isinstance(data, dict):
        return data
    match data.pop(_DYNAMIC_KEY, None):
        case "root":
            return DynamicWidgetRoot.model_validate(data)
        case "component":
            return DynamicWidgetComponent.model_validate(data)
    if "children" in data and data.get("type") != "Basic":
        data["children"] = _decode_widget(data["children"])
    if data.get("type") == "Chart":
        # The SDK writes no nulls, and then misses this one.
        data["series"] = [{"label": None} | series for series in data["series"]]
    return data


def item_text(item: ThreadItem) -> str:
    """What a person would read of an item; empty for what is only the model's."""
    return "\n".join(part for part in _readable_parts(item) if part)


def _readable_parts(item: ThreadItem) -> Iterator[str]:
    match item.type:
        case "user_message":
            assert isinstance(item, UserMessageItem)
            yield "".join(f"@{part.text}" if part.type == "input_tag" else part.text for part in item.content)
            yield from (attachment.name for attachment in item.attachments)
        case "assistant_message":
            yield "".join(part.text for part in item.content)
        case "widget":
            assert isinstance(item, WidgetItem)
            yield item.copy_text or "\n".join(_widget_text(item.widget.model_dump(mode="json")))
        case "structured_input":
            assert isinstance(item, StructuredInputItem)
            for question in item.inputs:
                yield question.question
                yield ", ".join(question.answer.values) if question.answer else ""
        case "workflow":
            assert isinstance(item, WorkflowItem)
            yield getattr(item.workflow.summary, "title", None) or ""
            for task in item.workflow.tasks:
                yield task.title or ""
                yield getattr(task, "content", None) or ""
        case "task":
            yield item.task.title or ""
            yield getattr(item.task, "content", None) or ""
        case "client_tool_call":
            yield item.name


def _widget_text(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for child in node:
            if isinstance(child, Mapping):
                yield from _widget_text(child)
    elif isinstance(node, Mapping):
        for key in _READABLE_WIDGET_KEYS:
            if isinstance(node.get(key), (str, list, Mapping)):
                yield from _widget_text(node[key])


def preview(text: str) -> str:
    """One line of a message, for lists."""
    line = " ".join(text[: PREVIEW_LENGTH * 4].split())
    return line if len(line) <= PREVIEW_LENGTH else line[: PREVIEW_LENGTH - 1] + "…"


# --- Attachments --------------------------------------------------------------------------------------------


def is_file_url(url: str, attachment_id: str) -> bool:
    """Whether it is one of the URLs under which the app shows this attachment, whatever its signature."""
    return url.partition("?")[0].endswith(f"/attachments/{attachment_id}/file")


def kept_image_id(payload: Any) -> str | None:
    """The id of the attachment that a generated image's payload shows. A row that is broken shows none.

    None also for an image that is somewhere else: on another site, or in a ``data:`` URL.
    """
    image = payload.get("image") if isinstance(payload, Mapping) else None
    public_id, url = (image.get("id"), image.get("url")) if isinstance(image, Mapping) else (None, None)
    if isinstance(public_id, str) and isinstance(url, str) and is_file_url(url, public_id):
        return public_id
    return None


def decode_attachment(row: AttachmentRow, *, thread_id: str | None) -> SDKAttachment:
    """An attachment's row as the SDK knows it."""
    return _ATTACHMENT.validate_python(
        original_json(row.payload)
        | {
            "id": row.public_id,
            "type": row.type,
            "name": row.name,
            "mime_type": row.mime_type,
            "thread_id": thread_id,
        }
    )


def encode_attachment(attachment: SDKAttachment) -> dict[str, Any]:
    """The columns of an attachment, but for its owner and its thread."""
    return {
        "type": attachment.type,
        "name": storable_text(attachment.name),
        "mime_type": storable_text(attachment.mime_type)[:255],
        "payload": storable_json(_dump(attachment, exclude=_ATTACHMENT_COLUMNS)),
    }
