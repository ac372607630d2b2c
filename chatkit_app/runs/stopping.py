"""Stops of answers from outside: the user's, that of staff, and what must not be given to readers any more.

A stop that another process has to carry out is a column of the run's row. That process is rung for, hears it in
``doorbell.py`` and looks there at once; where it hears nothing, ``keeper.py`` looks at each heartbeat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from django.db import router, transaction

from .. import db
from ..live import layer
from ..live.bells import bells
from ..models import Run as RunRow
from ..models.querysets import RunQuerySet
from .heartbeats import mark_lost
from .registry import live_runs

if TYPE_CHECKING:
    from .live import LiveRun

_LOOKS = (0.02, 0.05, 0.1, 0.2, 0.4)
"""Seconds before each look whether an answer of another process has ended."""


async def stop(row: RunRow) -> bool:
    """Stop the answer of this row and wait a moment until what there is of it is saved.

    Returns:
        Whether it was still running.
    """
    live = live_runs.get_anywhere(row.public_id)
    if live is None:
        return await _stop_elsewhere(row.pk)
    if live.done:
        return False
    live.stop()
    await live.finished()
    return True


async def _stop_elsewhere(run_pk: int) -> bool:
    if not await db.run(lambda: request_stop(run_pk=run_pk)):
        return False
    # Whoever hears one another is done within milliseconds; nobody is kept waiting for a checkpoint.
    for delay in _LOOKS if layer.is_shared() else ():
        await asyncio.sleep(delay)
        if not await db.run(RunRow.objects.on_writer().running().filter(pk=run_pk).exists):
            break
    return True


def stop_in_thread(thread_id: str) -> None:
    """Stop the answer that this process is writing into the thread, if there is one."""
    live = live_runs.of_thread(thread_id)
    if live is not None:
        live.stop()


def request_stop(*, run_pk: int) -> bool:
    """Stop a running answer, in whichever process it runs. For synchronous code, such as the admin.

    Returns:
        Whether the run was still running. One of another process stops at its next checkpoint.
    """
    return bool(request_stops(RunRow.objects.filter(pk=run_pk)))


def request_stops(rows: RunQuerySet) -> int:
    """Stop those of many runs that are running. Returns how many these were."""
    mark_lost(rows)
    return _request(rows, lambda run: run.stop())


def leave_to_staff(rows: RunQuerySet) -> int:
    """Stop those that are running, since a person has taken over their threads. What users have sent is kept.

    Call it once others can read who answers there: a process that finds the request knows by that what it is to do.
    """
    mark_lost(rows)
    return _request(rows, lambda run: run.leave_to_staff())


def _request(rows: RunQuerySet, act: Callable[[LiveRun], None]) -> int:
    running = list(rows.on_writer().running().values_list("pk", "public_id"))
    if not running:
        return 0
    stopped = RunRow.objects.running().filter(pk__in=[pk for pk, _ in running]).update(stop_requested=True)
    elsewhere = []
    for _pk, public_id in running:
        run = live_runs.get_anywhere(public_id)
        if run is None:
            elsewhere.append(public_id)
        else:
            run.loop.call_soon_threadsafe(act, run)
    if elsewhere:
        transaction.on_commit(lambda: bells.look(elsewhere), using=router.db_for_write(RunRow), robust=True)
    return stopped


def withdraw(thread_id: str) -> None:
    """Give nobody the frames again that this process keeps of answers in this thread.

    Readers who come from now on get what the database has. Those of other processes are known by
    ``Run.withdrawn``, which every reader's row has.
    """
    for run in live_runs:
        # Should another schema have a thread of this id, its readers get the same from the database.
        if run.thread_id == thread_id:
            run.withdrawn = True
