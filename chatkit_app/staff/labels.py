"""The words that staff sort threads by. They are never told to the model or to the user.

Each change is in the audit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from django.db import router, transaction

from ..models import Label, Thread
from . import audit


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
        locked = Thread.objects.lock_all(threads)
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
