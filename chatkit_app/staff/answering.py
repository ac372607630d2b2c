"""Numbers of answers that people gave in place of the assistant, and of the time that users waited for them.

It is told by the audit, which outlives threads and members of the staff, and says nothing of what was said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Any

from django.db.models import QuerySet

from ..models import AuditEntry, Thread
from .statistics import start_of

MAX_ENTRIES = 100_000
"""So many entries of the audit are looked at, the newest."""
_Action = AuditEntry.Action


@dataclass(frozen=True, kw_only=True)
class Answering:
    """The work of one member of the staff, or of all, for users.

    Attributes:
        name: the member's user name; empty for all together.
        taken: threads that were taken over.
        answers: messages that were written.
        to_person: milliseconds that users waited for a person to come, the median; None when nobody waited.
        to_answer: milliseconds that users waited for a person's next word, likewise.
    """

    name: str
    taken: int
    answers: int
    to_person: int | None
    to_answer: int | None


def count_answering(first: date, last: date, threads: QuerySet[Thread] | None = None) -> list[Answering]:
    """Return what all did in these days, and behind it what each did, those with the most answers first.

    Args:
        first: the first day.
        last: the last one, which may not be over.
        threads: what to keep to, for staff who may know of these threads only.

    Returns:
        An empty list if nobody did anything.
    """
    entries = AuditEntry.objects.filter(
        action__in=(_Action.TAKE, _Action.REPLY),
        created_at__gte=start_of(first),
        created_at__lt=start_of(last + timedelta(days=1)),
    )
    if threads is not None:
        entries = entries.filter(thread_key__in=threads.order_by().values("public_id"))
    rows = entries.order_by("-pk").values_list("actor_key", "actor_name", "action", "details")
    by_member: defaultdict[str, list[tuple[str, Any]]] = defaultdict(list)
    names: dict[str, str] = {}
    for key, name, action, details in rows[:MAX_ENTRIES]:
        # Who was renamed has the newest name.
        names.setdefault(key, name)
        by_member[key].append((action, details.get("waited_ms") if isinstance(details, dict) else None))
    if not by_member:
        return []
    members = [_counted(names[key], deeds) for key, deeds in by_member.items()]
    members.sort(key=lambda member: (-member.answers, -member.taken, member.name))
    return [_counted("", [deed for deeds in by_member.values() for deed in deeds]), *members]


def _counted(name: str, deeds: Iterable[tuple[str, Any]]) -> Answering:
    waited: defaultdict[str, list[int]] = defaultdict(list)
    number: defaultdict[str, int] = defaultdict(int)
    for action, milliseconds in deeds:
        number[action] += 1
        if isinstance(milliseconds, int):
            waited[action].append(milliseconds)
    return Answering(
        name=name,
        taken=number[_Action.TAKE],
        answers=number[_Action.REPLY],
        to_person=_median(waited[_Action.TAKE]),
        to_answer=_median(waited[_Action.REPLY]),
    )


def _median(milliseconds: list[int]) -> int | None:
    return round(median(milliseconds)) if milliseconds else None
