"""What the database knows of runs: that they began, live, and how they ended."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError
from django.db.models import Q
from django.utils import timezone

from . import codec, db
from .conf import chatkit_settings
from .errors import ThreadBusy
from .models import Run as RunRow
from .querysets import RunQuerySet
from .signals import run_finished

if TYPE_CHECKING:
    from .live_run import LiveRun

LOST_AFTER_CHECKPOINTS = 4
REPEAT_WINDOW = timedelta(seconds=30)


def record_start(run: LiveRun) -> None:
    context = run.context
    thread_pk = context.memory.thread_pks.get(run.thread_id or "")
    fields = {
        "public_id": run.public_id,
        "thread_id": thread_pk,
        "user_id": context.user_id,
        "visitor_id": "" if context.user_id is not None else (context.visitor_id or ""),
        "namespace": context.namespace,
        "operation": run.request.type,
        "request_key": run.request_key,
    }
    for attempt in (1, 2):
        try:
            with db.savepoint(RunRow):
                context.memory.run_pk = RunRow.objects.create(**fields).pk
                return
        except IntegrityError:
            mine = RunRow.objects.filter(public_id=run.public_id).first()
            if mine is not None:  # the connection broke after the row was written
                context.memory.run_pk = mine.pk
                return
            lost = thread_pk is not None and mark_lost(RunRow.objects.filter(thread_id=thread_pk))
            if attempt == 2 or not lost:
                raise ThreadBusy from None


def _milliseconds(start: float, end: float | None) -> int | None:
    return None if end is None else max(0, round((end - start) * 1000))


def record_end(run: LiveRun, status: str) -> None:
    memory = run.context.memory
    if memory.run_pk is None:
        return
    usage = memory.usage
    fields: dict[str, Any] = {
        "status": status,
        "error": codec.storable_text(run._failure)[:2000],
        "delivered": run.delivered or run.readers > 0,
        "model": usage.model[:200],
        "input_tokens": usage.input_tokens,
        "cached_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
        "first_token_ms": _milliseconds(run.started, memory.first_text_at),
        "total_ms": _milliseconds(run.started, time.perf_counter()),
        "finished_at": timezone.now(),
    }
    run.recorded_delivered = fields["delivered"]
    RunRow.objects.filter(pk=memory.run_pk).update(**fields)
    if run_finished.has_listeners(RunRow):
        row = RunRow.objects.filter(pk=memory.run_pk).first()
        if row is not None:
            run_finished.send(sender=RunRow, run=row)


def sign_of_life(active: list[LiveRun]) -> list[int]:
    """Say that these runs live; return the keys of those that somebody stopped, or deleted with their thread."""
    keys = [pk for run in active if (pk := run.context.memory.run_pk) is not None]
    rows = RunRow.objects.filter(pk__in=keys)
    rows.running().update(heartbeat_at=timezone.now())
    for pk in rows.filter(status=RunRow.Status.LOST).values_list("pk", flat=True):
        _find_again(pk)
    mark_lost(RunRow.objects.all())
    stop_requested = dict(rows.values_list("pk", "stop_requested"))
    return [pk for pk in keys if stop_requested.get(pk, True)]


def _find_again(pk: int) -> None:
    """We were out of touch for so long (a database that was away) that somebody has taken us for dead."""
    try:
        with db.savepoint(RunRow):
            RunRow.objects.filter(pk=pk).update(
                status=RunRow.Status.RUNNING, finished_at=None, heartbeat_at=timezone.now()
            )
    except IntegrityError:
        # Its thread has another answer by now, and can have one only.
        RunRow.objects.filter(pk=pk).update(stop_requested=True)


def lost_before() -> datetime:
    """A running row without a sign of life since this moment belongs to a process that has died."""
    return timezone.now() - timedelta(
        seconds=max(LOST_AFTER_CHECKPOINTS * chatkit_settings.checkpoint_interval, 3.0)
    )


def mark_lost(rows: RunQuerySet) -> int:
    """Close those of the running rows whose process has died. Returns how many there were."""
    return int(
        rows.filter(status=RunRow.Status.RUNNING, heartbeat_at__lt=lost_before()).update(
            status=RunRow.Status.LOST, finished_at=timezone.now()
        )
    )


def find_repeated_row(request_key: str) -> RunRow | None:
    """The run of any process that the same request has started, if it has not reached anybody yet."""
    return (
        RunRow.objects.filter(request_key=request_key)
        .filter(
            Q(status=RunRow.Status.RUNNING, heartbeat_at__gte=lost_before())
            | Q(delivered=False, finished_at__gte=timezone.now() - REPEAT_WINDOW)
        )
        .exclude(request_key="")
        .first()
    )
