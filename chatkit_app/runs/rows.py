"""What the database knows of runs: that they began, live, and how they ended."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from chatkit.types import ThreadItemReplacedEvent, ThreadStreamEvent
from django.db import IntegrityError
from django.db.models import Min, Q
from django.utils import timezone

from .. import db
from ..conf import chatkit_settings
from ..errors import ThreadBusy, ThreadReadOnly
from ..limits import counters
from ..models import Run as RunRow
from ..models import Thread as ThreadRow
from ..models import ThreadItem as ItemRow
from ..models.querysets import RunQuerySet
from ..process.identity import current_process, find_dead
from ..server.state import AnswerState
from ..signals import run_finished
from ..store import claims, codec
from ..store.state import StoreState

if TYPE_CHECKING:
    from .live import LiveRun

LOST_AFTER_CHECKPOINTS = 4
REPEAT_WINDOW = timedelta(seconds=30)


def record_start(run: LiveRun) -> None:
    """Give the run its row.

    Raises:
        ThreadBusy: when the thread has another one that is running.
        ThreadReadOnly: when staff locked or closed the thread after the request had been admitted.
    """
    thread_pk = run.context.state(StoreState).thread_pks.get(run.thread_id or "")
    pk = _insert(run, thread_pk)
    # Staff write the status and then look for answers to stop; here it is the row first and then the status. Of two
    # who write before they look, one at least sees the other.
    thread = None if thread_pk is None else ThreadRow.objects.on_writer().filter(pk=thread_pk).first()
    if thread is not None and thread.is_read_only:
        RunRow.objects.filter(pk=pk).update(
            status=RunRow.Status.STOPPED, delivered=True, finished_at=timezone.now()
        )
        raise ThreadReadOnly(codec.decode_thread(thread).status)
    run.context.state(StoreState).run_pk = pk
    claims.settle(run.context)


def _insert(run: LiveRun, thread_pk: int | None) -> int:
    context = run.context
    fields = {
        "public_id": run.public_id,
        "thread_id": thread_pk,
        "user_id": context.user_id,
        "visitor_id": "" if context.user_id is not None else (context.visitor_id or ""),
        "namespace": context.namespace,
        "operation": run.request.type,
        "request_key": run.request_key,
        "process": current_process(),
        "context": codec.storable_json(context.for_staff()),
    }
    for _attempt in (1, 2):
        try:
            with db.savepoint(RunRow):
                return int(RunRow.objects.create(**fields).pk)
        except IntegrityError:
            mine = RunRow.objects.filter(public_id=run.public_id).first()
            if mine is not None:  # the connection broke after the row was written
                return int(mine.pk)
            if thread_pk is None or not mark_lost(RunRow.objects.filter(thread_id=thread_pk)):
                break
    raise ThreadBusy


def _milliseconds(start: float, end: float | None) -> int | None:
    return None if end is None else max(0, round((end - start) * 1000))


def record_end(run: LiveRun, status: str) -> list[ThreadStreamEvent]:
    """Write down how the run ended. Returns what staff did meanwhile, for its readers."""
    counters.end_answer(run.public_id)
    run_pk, usage = run.context.state(StoreState).run_pk, run.context.usage
    if run_pk is None:
        return []
    fields: dict[str, Any] = {
        "status": status,
        "error": codec.storable_text(run.failure)[:2000],
        "delivered": run.delivered or run.readers > 0,
        "model": codec.storable_text(usage.model)[:200],
        "input_tokens": usage.input_tokens,
        "cached_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
        "first_token_ms": _milliseconds(run.started, run.context.state(AnswerState).first_text_at),
        "total_ms": _milliseconds(run.started, time.perf_counter()),
        "finished_at": timezone.now(),
    }
    run.recorded_delivered = fields["delivered"]
    RunRow.objects.filter(pk=run_pk).update(**fields)
    if fields["error"]:
        # What was redacted while the answer was made may be quoted there.
        RunRow.objects.filter(pk=run_pk, withdrawn=True).update(error="")
    if run_finished.has_listeners(RunRow):
        row = RunRow.objects.filter(pk=run_pk).first()
        if row is not None:
            run_finished.send(sender=RunRow, run=row)
    return staff_events(run_pk, locale=run.context.locale)


def staff_events(run_pk: int, *, locale: str | None) -> list[ThreadStreamEvent]:
    """What a reader of the run is to know of what staff did while it ran: what they redacted, and the thread's status.

    Without it an open page would show until its next reload what is no longer there.
    """
    concerned = Q(withdrawn=True) | ~Q(thread__status=ThreadRow.Status.ACTIVE)
    row = RunRow.objects.filter(concerned, pk=run_pk).select_related("thread").first()
    if row is None or row.thread is None:
        return []
    events: list[ThreadStreamEvent] = []
    if row.withdrawn:
        until = row.finished_at or timezone.now()
        redacted = ItemRow.objects.visible().filter(
            thread_id=row.thread.pk, redacted_at__range=(row.started_at, until)
        )
        for item in redacted.order_by("pk"):
            found = codec.decode_item(item, thread_id=row.thread.public_id, locale=locale)
            events.append(ThreadItemReplacedEvent(item=found))
    events.append(codec.thread_event(codec.decode_thread(row.thread)))
    return events


def sign_of_life(active: list[LiveRun]) -> list[int]:
    """Say that these runs live; return the keys of those that somebody stopped, or deleted with their thread."""
    counters.renew_answers([run.public_id for run in active])
    by_pk = {pk: run for run in active if (pk := run.context.state(StoreState).run_pk) is not None}
    rows = RunRow.objects.filter(pk__in=list(by_pk))
    rows.running().update(heartbeat_at=timezone.now())
    for pk in rows.filter(status=RunRow.Status.LOST).values_list("pk", flat=True):
        # Looked at after the rows: a run that has written itself that it is lost has said before that it is ending.
        if not by_pk[pk].is_ending:
            _find_again(pk)
    mark_lost(RunRow.objects.all())
    stop_requested = dict(rows.values_list("pk", "stop_requested"))
    return [pk for pk in by_pk if stop_requested.get(pk, True)]


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
    """A running row without a sign of life since this moment belongs to a process that is taken for dead."""
    return timezone.now() - timedelta(
        seconds=max(LOST_AFTER_CHECKPOINTS * chatkit_settings.checkpoint_interval, 3.0)
    )


def mark_lost(rows: RunQuerySet) -> int:
    """Close those of the running rows whose process has died. Returns how many there were."""
    silent_since = lost_before()
    oldest = dict(rows.on_writer().running().order_by().values_list("process").annotate(Min("heartbeat_at")))
    dead = find_dead(oldest)
    if not dead and all(heartbeat >= silent_since for heartbeat in oldest.values()):
        return 0
    # Each asked once more: others look, too, and a process may have shown life just now.
    lost = rows.running().filter(Q(heartbeat_at__lt=silent_since) | Q(process__in=dead))
    return int(lost.update(status=RunRow.Status.LOST, finished_at=timezone.now()))


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


def find_withdrawn_row(public_id: str) -> RunRow | None:
    """The row of this run if something that it sent was redacted."""
    return RunRow.objects.on_writer().filter(public_id=public_id, withdrawn=True).first()
