"""The assignment of threads to staff. It is never told to the model or to the user; each change is in the audit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import router, transaction
from django.utils import timezone

from ..models import Assignment, Thread
from . import audit


def assign(threads: Sequence[Thread], assignee: Any, *, actor: Any) -> int:
    """Have a staff member look after threads, in place of whoever did; nobody when ``assignee`` is None.

    Returns:
        How many of the threads were changed.
    """
    with transaction.atomic(using=router.db_for_write(Assignment)):
        locked = Thread.objects.lock_all(threads)
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
