"""The rows of what people of the staff write in a thread: messages for the user, notes for the model."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import router, transaction
from django.db.models import F
from django.utils import timezone

from ..models import NAME_LENGTH, Attachment, Thread, ThreadItem
from ..signals import item_added
from ..storable import storable_json, storable_text
from ..store.payloads import preview


def add_message(
    thread: Thread,
    text: str,
    *,
    author: Any = None,
    author_name: str = "",
    attachments: Sequence[Attachment] = (),
) -> ThreadItem:
    """Add a message that the user reads. Call it in a transaction that has the thread's lock.

    Args:
        thread: the thread.
        text: Markdown.
        author: the member of the staff who wrote it.
        author_name: their name as the user is shown it; empty for a message of the assistant.
        attachments: files of this thread that are sent with it.
    """
    payload: dict[str, Any] = {"content": [{"type": "output_text", "text": text, "annotations": []}]}
    if attachments:
        payload["attachments"] = [_file(attachment) for attachment in attachments]
    names = [attachment.name for attachment in attachments]
    return _add(
        thread,
        ThreadItem.Type.ASSISTANT_MESSAGE,
        payload,
        text="\n".join(part for part in [text, *names] if part),
        author=author,
        author_name=author_name,
    )


def add_note(thread: Thread, text: str, *, author: Any = None, author_name: str = "") -> ThreadItem:
    """Add what only the model reads. Call it in a transaction that has the thread's lock."""
    return _add(
        thread,
        ThreadItem.Type.HIDDEN_CONTEXT_ITEM,
        {"content": text},
        text="",
        author=author,
        author_name=author_name,
    )


def when(moment: datetime) -> str:
    """Return a moment as the model reads it."""
    return moment.isoformat(timespec="minutes")


def _file(attachment: Attachment) -> dict[str, Any]:
    payload = attachment.payload if isinstance(attachment.payload, dict) else {}
    return payload | {
        "id": attachment.public_id,
        "type": attachment.type,
        "name": attachment.name,
        "mime_type": attachment.mime_type,
    }


def _add(
    thread: Thread, kind: str, payload: dict[str, Any], *, text: str, author: Any, author_name: str
) -> ThreadItem:
    now = timezone.now()
    text = storable_text(text)
    changes: dict[str, Any] = {"last_activity": now, "item_count": F("item_count") + 1}
    if text:
        changes["last_preview"] = preview(text)
    versions = Thread.objects.filter(pk=thread.pk).bump(**changes)
    item = ThreadItem.objects.create(
        thread=thread,
        version=versions[thread.pk],
        public_id=f"msg_{secrets.token_hex(16)}",
        type=kind,
        payload=storable_json(payload),
        text=text,
        author=author,
        author_name=storable_text(author_name)[:NAME_LENGTH],
        created_at=now,
        updated_at=now,
    )
    send = partial(item_added.send_robust, sender=ThreadItem, item=item)
    transaction.on_commit(send, using=router.db_for_write(ThreadItem))
    return item
