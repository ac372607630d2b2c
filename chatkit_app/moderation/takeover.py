"""Taking over: a person of the staff answers in place of the assistant, until they hand the thread back.

``take_over()``, ``reply()``, ``hand_back()`` and ``hand_on()`` are what the admin's buttons do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import router, transaction

from ..models import Attachment, Run, Thread, ThreadItem
from ..runs.stopping import leave_to_staff
from ..takeover import handler
from ..takeover.errors import AlreadyTaken, NotTaken
from ..takeover.handler import hand_back as _hand_back
from ..takeover.handler import hand_on as _hand_on
from ..takeover.replies import add_reply

__all__ = ["AlreadyTaken", "NotTaken", "hand_back", "hand_on", "reply", "take_over"]


def take_over(thread: Thread, *, actor: Any, take_from: Any = None) -> Thread:
    """Answer in a thread in place of the assistant.

    An answer that is being written ends, and what there is of it stays. From then on what the user writes is kept,
    and no model is asked.

    Args:
        thread: what the caller has found the member of the staff may answer in.
        actor: who takes it over.
        take_from: whom to take it from; without it a thread that another has is left to them.

    Returns:
        The thread as it is now.

    Raises:
        AlreadyTaken: when another one has it.
        Thread.DoesNotExist: when it was deleted meanwhile.
    """
    using = router.db_for_write(Thread)
    with transaction.atomic(using=using):
        taken = handler.take(thread.pk, actor=actor, take_from=take_from)
        # Not before others can read who answers: see runs.rows.record_start().
        transaction.on_commit(lambda: leave_to_staff(Run.objects.filter(thread=thread.pk)), using=using)
    return taken


def hand_back(thread: Thread, *, actor: Any, instruction: str = "") -> Thread:
    """Let the assistant answer again, from the user's next message on.

    Args:
        thread: the thread.
        actor: the member of the staff who hands it back.
        instruction: what the model is to do from now on. The user does not see it.

    Raises:
        Thread.DoesNotExist: when it was deleted meanwhile.
    """
    return _hand_back(thread.pk, actor=actor, instruction=instruction)


def hand_on(thread: Thread, *, actor: Any, reason: str = "") -> Thread:
    """Leave a thread to the team: the user waits for whoever takes it over next.

    Args:
        thread: the thread.
        actor: the member of the staff who does it; None for a timer.
        reason: for the others.

    Raises:
        Thread.DoesNotExist: when it was deleted meanwhile.
    """
    return _hand_on(thread.pk, actor=actor, reason=reason)


def reply(thread: Thread, text: str, *, actor: Any, attachments: Sequence[Attachment] = ()) -> ThreadItem:
    """Answer the user of a thread that one has taken over.

    Args:
        thread: the thread.
        text: Markdown.
        actor: the member of the staff who has it.
        attachments: files of this thread that go with it.

    Returns:
        The message.

    Raises:
        NotTaken: when the thread is not with this member of the staff (any more).
        Thread.DoesNotExist: when it was deleted meanwhile.
    """
    using = router.db_for_write(Thread)
    with transaction.atomic(using=using):
        row = Thread.objects.locked().get(pk=thread.pk)
        if handler.holder_of(row) != actor:
            raise NotTaken
        return add_reply(row, text, actor=actor, attachments=attachments)
