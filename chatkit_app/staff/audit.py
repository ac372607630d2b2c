"""Entries of the audit: what a staff member did or read. They stay, whatever becomes of whom they name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.utils import timezone
from django.utils.text import capfirst

from ..models import NAME_LENGTH, AuditEntry, Thread
from ..models.versions import announce_handling
from ..storable import storable_text

Action = AuditEntry.Action

_CHANGES_NOTHING = frozenset({Action.READ, Action.SEARCH, Action.REFUSED})
# What changes nothing has no place in Django's own history; deletions it has already.
_NOT_IN_HISTORY = _CHANGES_NOTHING | {Action.DELETE}

REFUSALS_A_MINUTE = 30
"""Refusals of one staff member that are written down within a minute: enough to see what was tried."""


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
    """Add one entry, or one for each of ``threads``. What changed a thread goes into the admin's history too, and pages
    of the staff hear of it.

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
    entries = [
        _entry(
            action, actor=actor, thread=row, item_key=item_key, owner=owner, reason=reason, details=details
        )
        for row in rows
    ]
    if len(entries) == 1:
        # Reading is written down on every page: without a transaction of its own.
        entries[0].save()
    else:
        AuditEntry.objects.bulk_create(entries, batch_size=500)
    changed = [row for row in rows if row is not None]
    if changed and action not in _CHANGES_NOTHING:
        announce_handling(Thread, [row.pk for row in changed])
    if changed and actor is not None and action not in _NOT_IN_HISTORY:
        _add_to_history(action, actor=actor, threads=changed)


def record_refusal(*, actor: Any, **details: Any) -> bool:
    """Write down that a staff member asked for what they may not have.

    Nobody fills the table with nonsense: of one staff member's refusals only ``REFUSALS_A_MINUTE`` are written.

    Args:
        actor: the staff member.
        **details: what they asked for.

    Returns:
        Whether it was written.
    """
    # The latest of theirs and no more, by an index: it costs the same however many there are.
    latest = AuditEntry.objects.filter(actor_key=str(actor.pk)).order_by("-pk")
    minute_ago = timezone.now() - timedelta(minutes=1)
    recent = [
        action
        for action, created_at in latest.values_list("action", "created_at")[: 2 * REFUSALS_A_MINUTE]
        if created_at > minute_ago
    ]
    if recent.count(Action.REFUSED) >= REFUSALS_A_MINUTE:
        return False
    record(Action.REFUSED, actor=actor, **details)
    return True


def _add_to_history(action: Action, *, actor: Any, threads: Sequence[Thread]) -> None:
    """Add to Django's own history what was done. Not why: not all who see it may read that."""
    if not apps.is_installed("django.contrib.admin"):
        return
    from django.contrib.admin.models import CHANGE, LogEntry

    LogEntry.objects.log_actions(actor.pk, threads, CHANGE, str(capfirst(action.label)))


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
        reason=_storable(reason),
        details=_storable(dict(details)),
    )


def _storable(value: Any) -> Any:
    """Return the same without what no database takes: nonsense in a request is to be recorded as well."""
    if isinstance(value, str):
        return storable_text(value, nul="\N{REPLACEMENT CHARACTER}")
    if isinstance(value, Mapping):
        return {_storable(name): _storable(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(entry) for entry in value]
    return value


def name_of(actor: Any) -> str:
    """Return the name that is kept of a staff member, who may be gone one day."""
    return "" if actor is None else str(actor.get_username())[:NAME_LENGTH]
