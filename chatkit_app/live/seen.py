"""The user's eyes: what they have seen of their threads, and when they were there last.

A page that is in sight says so by what it reads and by its socket. It is written down at most once in half a minute,
but at once where a person of the staff wants to know whether their words have been read.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import F, Q, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from ..models import Thread
from .bells import bells

INTERVAL = timedelta(seconds=30)
"""How long nothing is written after it was."""


def note_seen(pks: Iterable[int], *, version: int | None = None) -> None:
    """Note that users have these threads before their eyes. Call it in a thread that may query the database.

    Args:
        pks: the threads' primary keys.
        version: the one that is seen; the newest unless given.
    """
    now = timezone.now()
    newest = F("version") if version is None else Value(version)
    is_due = Q(seen_at__isnull=True) | Q(seen_at__lt=now - INTERVAL)
    is_watched = Q(seen_version__lt=newest) & ~Q(handler=Thread.Handler.ASSISTANT)
    found = Thread.objects.on_writer().filter(is_due | is_watched, pk__in=list(pks))
    rows = list(found.values_list("pk", "version", "handler", "seen_version"))
    if not rows:
        return
    threads = Thread.objects.filter(pk__in=[row[0] for row in rows])
    # Of two pages, one may be behind the other.
    threads.update(seen_at=now, seen_version=Greatest("seen_version", newest))
    for pk, current, handler, seen in rows:
        if handler != Thread.Handler.ASSISTANT and seen < current:
            # Nothing of the thread has changed: only staff look again.
            bells.ring(pk, current)
