"""Notes that staff write one another about a thread. They are never told to the model or to the user."""

from __future__ import annotations

from typing import Any

from django.db import router, transaction

from ..models import Note, Thread
from . import audit


def add_note(thread: Thread, *, actor: Any, text: str) -> Note:
    """Write a note about a thread. It keeps the author's name when the author is gone.

    Args:
        thread: the thread.
        actor: the staff member who writes it.
        text: what it says.

    Raises:
        Thread.DoesNotExist: when the thread was deleted meanwhile.
    """
    with transaction.atomic(using=router.db_for_write(Note)):
        if not Thread.objects.lock_all([thread]):
            raise Thread.DoesNotExist
        note = Note.objects.create(thread=thread, author=actor, author_name=audit.name_of(actor), text=text)
        audit.record(audit.Action.NOTE, actor=actor, thread=thread, note=note.pk)
    return note
