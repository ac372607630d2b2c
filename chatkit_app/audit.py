"""Write down what a staff member did or read. Entries stay, whatever becomes of whom they name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.utils.text import capfirst

from .models import NAME_LENGTH, AuditEntry, Thread

Action = AuditEntry.Action

# These change nothing, so Django's own history has no place for them; deletions it has already.
_NOT_IN_HISTORY = frozenset({Action.READ, Action.SEARCH, Action.REFUSED, Action.DELETE})


def record(
    action: Action,
    *,
    actor: Any,
    thread: Thread | None = None,
    threads: Sequence[Thread] = (),
    item_key: str = "",
    owner: str = "",
    reason: str = "",
    **details: Any,
) -> None:
    """Add one entry, or one for each of ``threads``. What changed a thread goes into the admin's history too.

    Call it in the transaction of what it tells of. Never pass it what a message says.

    Args:
        action: what was done.
        actor: the staff member; None for a management command.
        thread: the thread it was done to, if it was one.
        threads: many threads, in place of ``thread``.
        item_key: ``public_id`` of the item it was done to.
        owner: ``Thread.owner`` of whom it concerns; the thread's own unless given.
        reason: the staff member's own words.
        **details: further facts that JSON can hold.
    """
    rows: list[Thread | None] = [*threads] or [thread]
    AuditEntry.objects.bulk_create(
        [
            _entry(
                action,
                actor=actor,
                thread=row,
                item_key=item_key,
                owner=owner,
                reason=reason,
                details=details,
            )
            for row in rows
        ],
        batch_size=500,
    )
    changed = [row for row in rows if row is not None]
    if changed and actor is not None and action not in _NOT_IN_HISTORY:
        label = str(capfirst(action.label))
        message = f"{label}: {reason}" if reason else label
        LogEntry.objects.log_actions(actor.pk, changed, CHANGE, message)


def _entry(
    action: Action,
    *,
    actor: Any,
    thread: Thread | None,
    item_key: str,
    owner: str,
    reason: str,
    details: Mapping[str, Any],
) -> AuditEntry:
    return AuditEntry(
        action=action,
        actor_key="" if actor is None else str(actor.pk),
        actor_name=name_of(actor),
        thread_key="" if thread is None else thread.public_id,
        item_key=item_key,
        owner=owner or ("" if thread is None else thread.owner),
        reason=reason,
        details=dict(details),
    )


def name_of(actor: Any) -> str:
    """The name that is kept of a staff member, who may be gone one day."""
    return "" if actor is None else str(actor.get_username())[:NAME_LENGTH]
