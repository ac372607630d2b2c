"""What staff keep about a thread for one another: notes, labels, and who looks after it.

None of it is ever told to the model or to the user. Each change is in the audit, without what a note says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from django.db import router, transaction
from django.utils import timezone

from ..models import Assignment, Label, Note, Thread
from . import audit


def add_note(thread: Thread, *, author: Any, text: str) -> Note:
    """Write a note about a thread. It keeps the author's name when the author is gone.

    Raises:
        Thread.DoesNotExist: when the thread was deleted meanwhile.
    """
    with transaction.atomic(using=router.db_for_write(Note)):
        if not _locked([thread]):
            raise Thread.DoesNotExist
        note = Note.objects.create(thread=thread, author=author, author_name=audit.name_of(author), text=text)
        audit.record(audit.Action.NOTE, actor=author, thread=thread, note=note.pk)
    return note


def change_labels(
    threads: Sequence[Thread],
    *,
    actor: Any,
    add: Collection[Label] = (),
    remove: Collection[Label] = (),
) -> int:
    """Put labels on threads and take labels off. Others that they have stay.

    Returns:
        How many of the threads were changed.
    """
    through: Any = Thread.labels.through
    changes: defaultdict[tuple[tuple[str, ...], tuple[str, ...]], list[Thread]] = defaultdict(list)
    with transaction.atomic(using=router.db_for_write(Thread)):
        locked = _locked(threads)
        # With a lock, so that nobody deletes a label while it is put on.
        existing = Label.objects.select_for_update().filter(pk__in=[label.pk for label in (*add, *remove)])
        labels = list(existing.order_by("pk"))
        rows = through.objects.filter(thread__in=locked)
        present = set(rows.values_list("thread_id", "label_id"))
        new = []
        for thread in locked:
            on = [label for label in labels if label in add and (thread.pk, label.pk) not in present]
            off = [label for label in labels if label in remove and (thread.pk, label.pk) in present]
            new += [through(thread_id=thread.pk, label_id=label.pk) for label in on]
            if on or off:
                changes[tuple(label.name for label in on), tuple(label.name for label in off)].append(thread)
        through.objects.bulk_create(new)
        rows.filter(label__in=remove).delete()
        for (added, removed), changed in changes.items():
            audit.record(audit.Action.LABEL, actor=actor, threads=changed, added=[*added], removed=[*removed])
    return sum(len(changed) for changed in changes.values())


def assign(threads: Sequence[Thread], assignee: Any, *, actor: Any) -> int:
    """Have a staff member look after threads, in place of whoever did; nobody when ``assignee`` is None.

    Returns:
        How many of the threads were changed.
    """
    with transaction.atomic(using=router.db_for_write(Assignment)):
        locked = _locked(threads)
        assignments = Assignment.objects.filter(thread__in=locked)
        before = dict(assignments.values_list("thread_id", "assignee_id"))
        wanted = None if assignee is None else assignee.pk
        changed = [thread for thread in locked if before.get(thread.pk) != wanted]
        assignments.filter(thread__in=changed).delete()
        if assignee is not None:
            now = timezone.now()
            Assignment.objects.bulk_create(
                Assignment(thread=thread, assignee=assignee, assigned_at=now) for thread in changed
            )
        if changed:
            audit.record(
                audit.Action.ASSIGN,
                actor=actor,
                threads=changed,
                assignee="" if assignee is None else str(assignee.pk),
                assignee_name=audit.name_of(assignee),
            )
    return len(changed)


def _locked(threads: Sequence[Thread]) -> list[Thread]:
    """Those of the threads that are still there, and will be until the end of the transaction."""
    rows = Thread.objects.filter(pk__in=[thread.pk for thread in threads])
    return list(rows.locked().order_by("pk"))
