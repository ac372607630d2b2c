"""Heartbeats of runs: what processes say of theirs, and what is presumed of those that are silent."""

from __future__ import annotations

from collections.abc import Collection

from django.db import IntegrityError
from django.db.models import Case, Min, Q, Value, When
from django.utils import timezone

from .. import db
from ..models import Run, Thread
from ..models.querysets import RunQuerySet
from ..process.identity import find_dead
from ..store.cut_answers import lost_before


def record(pks: Collection[int]) -> list[int]:
    """Say that these runs live. Returns the keys of those that are presumed lost."""
    mine = Run.objects.filter(pk__in=list(pks))
    mine.running().update(heartbeat_at=timezone.now())
    return list(mine.filter(status=Run.Status.LOST).values_list("pk", flat=True))


def find_stopped(pks: Collection[int]) -> dict[int, bool]:
    """Return the keys of those of the runs that somebody has stopped, or deleted with their thread.

    With each, whether it ends because a person has taken its thread over.
    """
    rows = Run.objects.on_writer().filter(pk__in=list(pks))
    left_to_staff = Q(thread__status=Thread.Status.ACTIVE) & ~Q(thread__handler=Thread.Handler.ASSISTANT)
    found = {
        pk: (stop_requested, is_left)
        for pk, stop_requested, is_left in rows.annotate(
            is_left=Case(When(left_to_staff, then=Value(True)), default=Value(False))
        ).values_list("pk", "stop_requested", "is_left")
    }
    stopped = {pk: found.get(pk, (True, False)) for pk in pks}
    return {pk: is_left for pk, (stop_requested, is_left) in stopped.items() if stop_requested}


def find_again(pk: int) -> None:
    """Take back that a run is lost: it was out of touch for so long (a database that was away) that it seemed so."""
    try:
        with db.savepoint(Run):
            Run.objects.filter(pk=pk).update(
                status=Run.Status.RUNNING, failure="", finished_at=None, heartbeat_at=timezone.now()
            )
    except IntegrityError:
        # Its thread has another answer by now, and can have one only.
        Run.objects.filter(pk=pk).update(stop_requested=True)


def mark_lost(rows: RunQuerySet) -> int:
    """Close those of the running rows whose process has died. Returns how many there were."""
    silent_since = lost_before()
    oldest = dict(rows.on_writer().running().order_by().values_list("process").annotate(Min("heartbeat_at")))
    dead = find_dead(oldest)
    if not dead and all(heartbeat >= silent_since for heartbeat in oldest.values()):
        return 0
    # Each asked once more: others look, too, and a process may have beaten just now.
    lost = rows.running().filter(Q(heartbeat_at__lt=silent_since) | Q(process__in=dead))
    return int(
        lost.update(status=Run.Status.LOST, failure=Run.Failure.INTERRUPTED, finished_at=timezone.now())
    )
