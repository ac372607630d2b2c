"""Stored payloads, as far as they can be read without the SDK: the admin does without it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..models import PREVIEW_LENGTH
from .plain_text import plain_line

if TYPE_CHECKING:
    from ..models import EarlierItem, ThreadItem

OUTPUT_KEY = "chatkit_app.output"
"""In hidden context, the output of a model of which the user was shown something else."""

WAITING_CALLS_KEY = "chatkit_app.client_tool_calls"
"""In the thread's metadata, the calls that wait, the next one first."""

_REDACTED_KEY = "$redacted"


def redacted_payload() -> dict[str, Any]:
    """Return what stands in place of a redacted item's payload."""
    return {_REDACTED_KEY: True}


def is_redacted(row: ThreadItem | EarlierItem) -> bool:
    """Tell whether a moderator has removed what this item said."""
    return isinstance(row.payload, dict) and _REDACTED_KEY in row.payload


def is_file_url(url: str, attachment_id: str) -> bool:
    """Tell whether it is one of the URLs under which the app shows this attachment, whatever its signature."""
    return url.partition("?")[0].endswith(f"/attachments/{attachment_id}/file")


def kept_image_id(payload: Any) -> str | None:
    """Return the id of the attachment that a generated image's payload shows. A row that is broken shows none.

    None also for an image that is somewhere else: on another site, or in a ``data:`` URL.
    """
    image = payload.get("image") if isinstance(payload, Mapping) else None
    public_id, url = (image.get("id"), image.get("url")) if isinstance(image, Mapping) else (None, None)
    if isinstance(public_id, str) and isinstance(url, str) and is_file_url(url, public_id):
        return public_id
    return None


def is_output(content: Any) -> bool:
    """Tell whether a hidden context's content is the output of a model, with what the user was shown of it."""
    return (
        isinstance(content, dict)
        and isinstance(content.get(OUTPUT_KEY), str)
        and isinstance(content.get("shown"), list)
    )


def shown_of(payload: Any) -> list[str]:
    """Return the ids of what the user was shown, from the stored payload of hidden context; none if it is no output."""
    content = payload.get("content") if isinstance(payload, dict) else None
    return content["shown"] if isinstance(content, dict) and is_output(content) else []


def preview(text: str) -> str:
    """Return one line of a message, for lists: plain text, whatever Markdown it is written in."""
    line = plain_line(text[: PREVIEW_LENGTH * 4])
    return line if len(line) <= PREVIEW_LENGTH else line[: PREVIEW_LENGTH - 1] + "…"
