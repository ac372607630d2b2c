"""SDK objects to rows and back."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    HiddenContextItem,
    InferenceOptions,
    SDKHiddenContextItem,
    ThreadItem,
    ThreadMetadata,
    UserMessageItem,
    UserMessageTextContent,
    WidgetItem,
)
from chatkit.types import Attachment as SDKAttachment
from chatkit.widgets import DynamicWidgetComponent, DynamicWidgetRoot
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from pydantic import BaseModel, TypeAdapter
from pydantic_core import PydanticSerializationError, to_jsonable_python

from ..storable import map_json, original_json, storable_json, storable_text, without_surrogates
from .payloads import is_redacted
from .readable import item_text
from .staff_message import StaffMessage
from .versioned_message import VersionedMessage

if TYPE_CHECKING:
    from ..models import Attachment as AttachmentRow
    from ..models import EarlierItem as EarlierItemRow
    from ..models import Thread as ThreadRow
    from ..models import ThreadItem as ThreadItemRow

_Model = TypeVar("_Model", bound=BaseModel)

_ITEM: TypeAdapter[ThreadItem] = TypeAdapter(ThreadItem)
_ATTACHMENT: TypeAdapter[SDKAttachment] = TypeAdapter(SDKAttachment)
_DYNAMIC_WIDGETS: dict[type, str] = {DynamicWidgetRoot: "root", DynamicWidgetComponent: "component"}
_DYNAMIC_KEY = "$dynamic"
_ITEM_COLUMNS = {"id", "thread_id", "created_at", "type", "author"}
_ATTACHMENT_COLUMNS = {"id", "thread_id", "type", "name", "mime_type"}


def json_data(model: BaseModel, **options: Any) -> Any:
    """Return the JSON data of one of the SDK's models. Options are those of ``model_dump()``."""
    try:
        return model.model_dump(mode="json", **options)
    except (UnicodeEncodeError, PydanticSerializationError):
        # Half a character, as the name of something: a model's JSON can have it.
        return to_jsonable_python(map_json(model.model_dump(**options), without_surrogates))


# --- Time ---------------------------------------------------------------------------------------------------


def to_database_time(value: datetime) -> datetime:
    """Return the SDK's naive local time (or any aware one) as the database wants it."""
    if settings.USE_TZ:
        return value.astimezone(UTC)
    return value.astimezone().replace(tzinfo=None) if value.tzinfo else value


def to_sdk_time(value: datetime) -> datetime:
    """Return naive local time, which is what the SDK computes with (``datetime.now() - item.created_at``)."""
    # Not astimezone(): it forgets which of the two it was in the hour that the clock goes through twice.
    return datetime.fromtimestamp(value.timestamp()) if value.tzinfo else value


# --- Threads ------------------------------------------------------------------------------------------------


def decode_thread(row: ThreadRow) -> ThreadMetadata:
    """Return a thread's row as the SDK knows it."""
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


def copy_thread(thread: ThreadMetadata) -> ThreadMetadata:
    """Copy what may change in a thread, in a tenth of the time that a deep copy of the model takes."""
    domains = thread.allowed_image_domains
    return thread.model_copy(
        update={
            "status": thread.status.model_copy(),
            "allowed_image_domains": None if domains is None else list(domains),
            "metadata": copy.deepcopy(thread.metadata),
        }
    )


def encode_thread(thread: ThreadMetadata) -> dict[str, Any]:
    """Return the columns of a thread that the SDK may write."""
    return {
        "title": storable_text(thread.title or ""),
        "status": thread.status.type,
        "status_reason": storable_text(getattr(thread.status, "reason", None) or ""),
        "allowed_image_domains": storable_json(thread.allowed_image_domains),
        "metadata": storable_json(json_data(thread, include={"metadata"})["metadata"]),
    }


# --- Items --------------------------------------------------------------------------------------------------


ITEM_COLUMNS = (
    "public_id",
    "type",
    "payload",
    "author_name",
    "created_at",
    "earlier_messages",
    "earlier_answers",
)
"""What ``decode_item`` reads of a row, without the columns that only search and the admin read."""


def decode_item(
    row: ThreadItemRow | EarlierItemRow, *, thread_id: str, locale: str | None = None
) -> ThreadItem:
    """Return an item's row as the SDK knows it.

    Args:
        row: the row.
        thread_id: the SDK's id of its thread.
        locale: the reader's language, in which a redacted item says what it is; the active one unless given.
    """
    if is_redacted(row):
        return _versioned(row, _tombstone(row, thread_id, locale))
    payload = original_json(row.payload)
    if row.type == "widget":
        payload["widget"] = _decode_widget(payload["widget"])
    data = payload | {
        "id": row.public_id,
        "thread_id": thread_id,
        "created_at": to_sdk_time(row.created_at),
        "type": row.type,
    }
    if row.author_name and row.type == "assistant_message":
        return StaffMessage.model_validate(data | {"author": {"name": row.author_name}})
    return _versioned(row, _ITEM.validate_python(data))


def _versioned(row: ThreadItemRow | EarlierItemRow, item: ThreadItem) -> ThreadItem:
    counts = {"message": row.earlier_messages, "answer": row.earlier_answers}
    earlier = {of: count for of, count in counts.items() if count}
    if not (earlier and isinstance(item, UserMessageItem)):
        return item
    return VersionedMessage.model_validate(dict(item) | {"earlier": earlier})


def encode_item(item: ThreadItem) -> dict[str, Any]:
    """Return the columns of an item, but for its thread, its run and its author."""
    payload = json_data(item, exclude=_ITEM_COLUMNS)
    if isinstance(item, WidgetItem):
        _mark_dynamic(item.widget, payload["widget"])
    return {
        "public_id": item.id,
        "type": item.type,
        "payload": storable_json(payload),
        "text": storable_text(item_text(item)),
        "created_at": to_database_time(item.created_at),
    }


def _tombstone(row: ThreadItemRow | EarlierItemRow, thread_id: str, locale: str | None) -> ThreadItem:
    """Return what everybody reads of a redacted item, the model too: who wrote it, and that it was removed."""
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
    """Return the widget's data, with the dynamic parts made already."""
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


# --- Attachments --------------------------------------------------------------------------------------------


def decode_attachment(row: AttachmentRow, *, thread_id: str | None) -> SDKAttachment:
    """Return an attachment's row as the SDK knows it."""
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
    """Return the columns of an attachment, but for its owner and its thread."""
    return {
        "type": attachment.type,
        "name": storable_text(attachment.name),
        "mime_type": storable_text(attachment.mime_type)[:255],
        "payload": storable_json(json_data(attachment, exclude=_ATTACHMENT_COLUMNS)),
    }
