"""The keeper of a process's answers: checkpoints, heartbeats, stops from elsewhere, time limits.

What stands in an answer's row it looks at with every heartbeat, and at once when another process rings for it.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
from typing import TYPE_CHECKING

from .. import database_context, db
from ..conf import chatkit_settings
from ..errors import DatabaseUnavailable
from ..limits import counters
from ..logs import get_logger
from ..models import Run as RunRow
from ..store.base import OwnedStore
from ..store.state import StoreState
from ..takeover.timeouts import release_overdue
from . import heartbeats
from .doorbell import Doorbell
from .live import LiveRun
from .registry import live_runs

if TYPE_CHECKING:
    from chatkit.types import ThreadItem

    from ..context import RequestContext
    from ..database_context import DatabaseContext

logger = get_logger(__name__)

# Rows that others wait for are never silent for longer, however rarely texts are saved.
MAX_INTERVAL = 1.9

RELEASE_INTERVAL = 15.0
"""Seconds between two looks at what people have left unanswered."""
_released_at = 0.0

_keepers: dict[asyncio.AbstractEventLoop, asyncio.Task[None]] = {}


def keep(loop: asyncio.AbstractEventLoop) -> None:
    """See that the live runs of an event loop are looked after until there are none."""
    if loop not in _keepers or _keepers[loop].done():
        # A context of its own: the keeper must not inherit the language or the threads of one request.
        _keepers[loop] = loop.create_task(_look_after_all(loop), context=contextvars.Context())


async def _look_after_all(loop: asyncio.AbstractEventLoop) -> None:
    doorbell = Doorbell(look_at)
    try:
        while any(run.loop is loop for run in live_runs):
            await doorbell.connect()
            await asyncio.sleep(min(chatkit_settings.checkpoint_interval, MAX_INTERVAL))
            # Those that began meanwhile, too: nobody's text waits for longer than one interval.
            runs = [run for run in live_runs if run.loop is loop]
            active = [run for run in runs if run.task is not None and not run.done]
            for context, together in _by_database_context(active):
                with database_context.using(context):
                    await _look_after(together)
            _end_overdue(active)
            _forget(runs)
    finally:
        _keepers.pop(loop, None)
        await doorbell.disconnect()


async def _look_after(active: list[LiveRun]) -> None:
    for duty in (_checkpoint, _beat, _release_overdue):
        try:
            await duty(active)
        except DatabaseUnavailable as error:
            # Nothing of ours is wrong, and where it was asked says nothing.
            logger.warning(
                "The database is away (%r); unfinished answers are saved when it is back", error.__cause__
            )
        except Exception:
            logger.exception("A checkpoint of unfinished answers failed; the next one tries again")


def _by_database_context(active: list[LiveRun]) -> list[tuple[DatabaseContext | None, list[LiveRun]]]:
    """Group the runs by their database context: one piece of work looks after a group."""
    groups: dict[DatabaseContext | None, list[LiveRun]] = {}
    for run in active:
        groups.setdefault(run.database_context, []).append(run)
    return list(groups.items())


async def _checkpoint(active: list[LiveRun]) -> None:
    by_store: dict[OwnedStore, list[LiveRun]] = {}
    for run in active:
        if isinstance(run.server.store, OwnedStore):
            by_store.setdefault(run.server.store, []).append(run)
    for store, runs in by_store.items():
        unsaved = [(run, item, context) for run in runs for item, context in run.unsaved_items()]
        if unsaved:
            unfinished: list[tuple[ThreadItem, RequestContext]] = [
                (item, context) for _run, item, context in unsaved
            ]
            saving = asyncio.ensure_future(store.checkpoint(unfinished))
            for _item, context in unfinished:
                context.state(StoreState).checkpoint = saving
            try:
                await saving
                for run, item, _context in unsaved:
                    run.mark_saved(item)
            finally:
                for _item, context in unfinished:
                    context.state(StoreState).checkpoint = None


async def _beat(active: list[LiveRun]) -> None:
    """Record heartbeats, and stop the runs for which another process was asked."""
    _end_stopped(await db.run(record_heartbeats, active))


async def look_at(runs: list[LiveRun]) -> None:
    """Stop those of the runs for which another process was asked."""
    for context, together in _by_database_context(runs):
        with database_context.using(context):
            _end_stopped(await db.run(_find_stopped, together))


def _end_stopped(stopped: list[tuple[LiveRun, bool]]) -> None:
    for run, is_left_to_staff in stopped:
        if is_left_to_staff:
            run.leave_to_staff()
        else:
            run.stop()


def _find_stopped(runs: list[LiveRun]) -> list[tuple[LiveRun, bool]]:
    by_pk = {run.row_pk: run for run in runs if run.row_pk is not None}
    return [(by_pk[pk], is_left) for pk, is_left in heartbeats.find_stopped(by_pk).items()]


async def _release_overdue(active: list[LiveRun]) -> None:
    """Hand to the team what a person has left unanswered, now and then."""
    global _released_at
    now = time.monotonic()
    if now - _released_at > RELEASE_INTERVAL:
        _released_at = now
        await db.run(release_overdue)


def record_heartbeats(active: list[LiveRun]) -> list[tuple[LiveRun, bool]]:
    """Say that these runs live. Returns those that somebody has stopped, as ``heartbeats.find_stopped()`` does."""
    counters.renew_answers([run.public_id for run in active])
    by_pk = {run.row_pk: run for run in active if run.row_pk is not None}
    for pk in heartbeats.record(by_pk):
        # Asked after the row was looked at: a run that has written itself that it is lost is ending since before.
        if not by_pk[pk].is_ending:
            heartbeats.find_again(pk)
    heartbeats.mark_lost(RunRow.objects.all())
    return _find_stopped(active)


def _end_overdue(active: list[LiveRun]) -> None:
    silent, long = chatkit_settings.answer_timeout, chatkit_settings.answer_seconds
    for run in active:
        now = time.perf_counter()
        if now - run.last_event > silent or now - run.started > long:
            run.give_up()


def _forget(runs: list[LiveRun]) -> None:
    limit = chatkit_settings.run_retention
    for run in runs:
        if run.ended is not None and (run.withdrawn or time.perf_counter() - run.ended > limit):
            live_runs.remove(run)
