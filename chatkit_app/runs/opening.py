"""The door to runs: which answer a request gets, a new one or one that there is already."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from chatkit.types import StreamingReq, ThreadsCreateReq

from .. import db
from ..errors import ServerRestarting, ThreadBusy, TooManyAnswers, contained
from ..limits import counters
from ..limits.rules import load_limits
from ..models import Run as RunRow
from ..process import shutdown
from ..store.orm import DjangoStore
from . import keeper, rows
from .live import LiveRun
from .registry import live_runs
from .stored import StoredRun

if TYPE_CHECKING:
    from ..context import RequestContext
    from ..server.base import DjangoChatKitServer

Run: TypeAlias = LiveRun | StoredRun
"""An answer, as its readers see it."""


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """A request for an answer.

    Attributes:
        request_key: what a repetition of this very request would carry again; a repetition gets the first one's run
            while that runs, or ended just now without having reached anybody. Empty: never repeated.
        is_named: whether the client has given the request a name of its own, so that whatever has the key is this
            request: also long after, and when all of its answer has been read.
        instance_id: which instance of the client asks. The same one asks again only after it has aborted its answer.
        repeated: the row of the run that the same request has begun, as ``look_up()`` found it.
    """

    server: DjangoChatKitServer
    request: StreamingReq
    context: RequestContext
    request_key: str = ""
    is_named: bool = False
    instance_id: str = ""
    repeated: RunRow | None = None


def look_up(asked: RunRequest, *, visitor_id: str | None) -> RunRequest:
    """Return the request with what ``open_run()`` has to know of the database, in one piece of a worker's work.

    Args:
        asked: the request.
        visitor_id: the visitor of the session; None for a user, and for somebody new.

    Raises:
        VisitorHasLoggedIn: when the request is no longer this visitor's.
    """
    store, request = asked.server.store, asked.request
    is_here = isinstance(store, DjangoStore) and not isinstance(request, ThreadsCreateReq)
    entry = rows.find_entry(
        getattr(request.params, "thread_id", None) if is_here else None,
        asked.context,
        visitor_id=visitor_id,
        request_key=asked.request_key,
        is_named=asked.is_named,
    )
    if entry.thread is not None and isinstance(store, DjangoStore):
        store.take_thread(entry.thread, asked.context)
    return replace(asked, repeated=entry.begun)


async def open_run(asked: RunRequest) -> Run:
    """Return the answer to a request: the one that it has begun already, live or stored, or else a new one.

    Raises:
        ThreadBusy: when an answer is being made in this thread.
        ThreadReadOnly: when staff have locked or closed the thread.
        LimitReached: when its owner, its address or this process has used up a limit.
        ServerRestarting: when the process is going down. Nothing has been stored then.
        Exception: whatever ``server.admit()`` raises to refuse the request.
    """
    live, row = live_runs.of_request(asked.request_key), asked.repeated
    if live is not None and row is None:
        # This process may still keep what was redacted through another one.
        row = await db.run(rows.find_withdrawn_row, live.public_id)
    if row is not None and row.withdrawn:
        return StoredRun(row, asked.context.endpoint_url)
    if live is not None:
        return live
    # What this process knows of its own run is newer than the row: it has reached somebody.
    if row is not None and (asked.is_named or live_runs.get(row.public_id) is None):
        return reopen_run(row, endpoint_url=asked.context.endpoint_url)
    return await begin_run(asked)


def reopen_run(row: RunRow, *, endpoint_url: str) -> Run:
    """Return the answer with this row once more, from its beginning."""
    live = None if row.withdrawn else live_runs.get(row.public_id)
    return live or StoredRun(row, endpoint_url)


async def begin_run(asked: RunRequest) -> LiveRun:
    """Begin an answer and return at once; read it with ``LiveRun.frames`` and ``wait()``.

    Raises:
        Exception: what ``open_run()`` raises.
    """
    allowed = (await load_limits(asked.context))["PROCESS_ANSWERS_AT_ONCE"]
    repeated = live_runs.of_request(asked.request_key)
    if repeated is not None:  # it has begun while the limits were loaded
        return repeated
    if shutdown.is_shutting_down():
        raise ServerRestarting
    if allowed is not None and live_runs.active_count >= allowed:
        raise TooManyAnswers(limit="PROCESS_ANSWERS_AT_ONCE")
    run = LiveRun(
        asked.server,
        asked.request,
        asked.context,
        request_key=asked.request_key,
        instance_id=asked.instance_id,
        on_thread=live_runs.add_to_thread,
    )
    live_runs.add(run)
    # A client that goes away now has sent its message nevertheless.
    await asyncio.shield(_begin(run))
    return run


async def _begin(run: LiveRun) -> None:
    try:
        # First of all, since whether a thread is busy is for its owner to know.
        await run.server.admit(run.request, run.context)
        if run.thread_id is not None:
            if await _await_turn(run.thread_id, run.instance_id):
                await run.server.admit(run.request, run.context)
                _refuse_busy(run.thread_id)
            live_runs.add_to_thread(run)
        await db.run(_record, run)
        if shutdown.is_shutting_down():
            # Sent again, the request finds no row that it would be taken for a repetition of.
            run.delivered = True
            await run.record_end(RunRow.Status.LOST)
            raise ServerRestarting
    except BaseException as error:
        live_runs.remove(run)
        run.refuse(error if isinstance(error, Exception) else ThreadBusy())
        with contained():
            raise
    run.begin()
    keeper.keep(run.loop)


def _record(run: LiveRun) -> None:
    """Count the answer, before it costs anything, and give it its row when it has a thread already."""
    counters.begin_answer(run.request, run.context, run.public_id)
    if run.thread_id is not None:
        try:
            run.record_start()
        except Exception:
            counters.end_answer(run.public_id)
            raise


async def _await_turn(thread_id: str, instance_id: str) -> bool:
    """Return when no answer is being made in this thread, or raise ``ThreadBusy``.

    Returns:
        Whether one was, so that the thread is no longer as it was.
    """
    other = live_runs.of_thread(thread_id)
    waits = other is not None and bool(instance_id) and other.instance_id == instance_id and not other.readers
    if other is not None and waits:
        # The user pressed Stop and wrote on, faster than the client says so.
        other.stop()
        await other.finished()
    _refuse_busy(thread_id)
    return waits


def _refuse_busy(thread_id: str) -> None:
    if live_runs.of_thread(thread_id) is not None:
        raise ThreadBusy
