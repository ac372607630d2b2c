"""Messages from anywhere in the site: a view, a task, a management command."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db import router, transaction

from .. import db
from ..models import Attachment, Thread, ThreadItem
from ..takeover.messages import add_message
from ..takeover.replies import add_reply


def say(
    thread: Thread | int | str, text: str, *, by: Any = None, attachments: Sequence[Attachment] = ()
) -> ThreadItem:
    """Add a message to a thread. Pages that show it show the message at once, and the model reads it from then on.

    It changes nothing about who answers, and may be said in a locked thread. An answer that is being written goes on.
    In a transaction, pages hear of it after the commit. Nobody's permission is asked: that is for the caller to do.

    Args:
        thread: the thread, its primary key or its id.
        text: Markdown.
        by: the member of the staff who says it, whose name is shown; None for the assistant.
        attachments: files of this thread that go with it.

    Returns:
        The message.

    Raises:
        Thread.DoesNotExist: when there is no such thread.
    """
    with transaction.atomic(using=router.db_for_write(Thread)):
        row = Thread.objects.locked().get(**_key_of(thread))
        if by is None:
            return add_message(row, text, attachments=attachments)
        return add_reply(row, text, actor=by, attachments=attachments)


async def asay(
    thread: Thread | int | str, text: str, *, by: Any = None, attachments: Sequence[Attachment] = ()
) -> ThreadItem:
    """Add a message to a thread, as ``say()`` does, in a database worker."""
    return await db.run(partial(say, thread, text, by=by, attachments=attachments))


def _key_of(thread: Thread | int | str) -> dict[str, Any]:
    if isinstance(thread, str):
        return {"public_id": thread}
    return {"pk": thread.pk if isinstance(thread, Thread) else thread}
