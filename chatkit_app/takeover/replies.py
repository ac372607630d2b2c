"""Words of a person of the staff to the user, wherever they are said."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db import router, transaction
from django.utils import timezone

from ..models import Attachment, Thread, ThreadItem
from ..signals import staff_replied
from ..staff import audit
from . import mails, messages, webhooks
from .handler import milliseconds, name_in


def add_reply(thread: Thread, text: str, *, actor: Any, attachments: Sequence[Attachment] = ()) -> ThreadItem:
    """Add a person's message, with which the user waits no longer for a word. Call it under the thread's lock.

    Args:
        thread: the thread, as it is under the lock.
        text: Markdown.
        actor: the member of the staff who wrote it.
        attachments: files of this thread that go with it.
    """
    item = messages.add_message(
        thread, text, author=actor, author_name=name_in(thread, actor), attachments=attachments
    )
    waited = milliseconds(thread.unanswered_since, timezone.now())
    Thread.objects.filter(pk=thread.pk).update(unanswered_since=None)
    thread.unanswered_since = None
    audit.record(audit.Action.REPLY, actor=actor, thread=thread, item_key=item.public_id, waited_ms=waited)
    webhooks.record(webhooks.STAFF_REPLIED, thread, item=item.public_id, content={"text": text})
    mails.mail_after_commit(thread)
    transaction.on_commit(partial(_send_replied, thread, item, actor), using=router.db_for_write(Thread))
    return item


def _send_replied(thread: Thread, item: ThreadItem, actor: Any) -> None:
    staff_replied.send_robust(
        sender=Thread, thread=thread, item=item, actor=actor, user_is_present=thread.user_is_present
    )
