"""Answers being made. A run belongs to the server process, not to the request that asked for it.

One task drives the SDK's stream and keeps its frames; any number of readers follow them, from the start or from
where they are. A reader who leaves detaches; only ``stop()`` cancels (and ``CHATKIT["ON_DISCONNECT"] = "cancel"``).
"""

from __future__ import annotations

import asyncio
import contextvars
import time
from typing import TYPE_CHECKING

from chatkit.types import StreamingReq

from .. import database_context, db
from ..conf import chatkit_settings
from ..errors import ServerRestarting, ThreadBusy, TooManyAnswers, contained
from ..limits import counters
from ..limits.rules import load_limits
from ..logs import get_logger
from ..models import Run as RunRow
from ..models.querysets import RunQuerySet
from ..process import shutdown
from ..store.base import OwnedStore
from ..store.state import StoreState
from . import rows as run_rows
from .live import LiveRun

if TYPE_CHECKING:
    from ..context import RequestContext
    from ..database_context import DatabaseContext
    from ..server.base import DjangoChatKitServer

logger = get_logger(__name__)

_live: dict[str, LiveRun] = {}
# Of two schemas, each may have a thread of the same id.
_by_thread: dict[tuple[str, str], LiveRun] = {}
_by_request: dict[str, LiveRun] = {}
_keepers: dict[asyncio.AbstractEventLoop, asyncio.Task[None]] = {}


async def start(
    server: DjangoChatKitServer,
    request: StreamingReq,
    context: RequestContext,
    *,
    request_key: str = "",
    frame_id: str = "",
) -> LiveRun:
    """Begin an answer and return at once; read it with ``LiveRun.frames`` and ``wait()``.

    Args:
        request_key: what a blind repetition of this very request would carry again; a repetition gets the first
            one's run while that runs, or ended just now without having reached anybody. Empty: never repeated.
        frame_id: which of the client's frames asks. The same frame asks again only after it has aborted its answer.

    Raises:
        ThreadBusy: when an answer is being made in this thread.
        LimitReached: when its owner, its address or this process has used up a limit.
        ServerRestarting: when the process is going down. Nothing has been stored then.
        Exception: whatever ``server.admit()`` raises to refuse the request.
    """
    allowed = (await load_limits(context))["PROCESS_ANSWERS_AT_ONCE"]
    repeated = find_repeated(request_key)
    if repeated is not None:
        return repeated
    if shutdown.is_under_way():
        raise ServerRestarting
    if allowed is not None and sum(not run.done for run in _live.values()) >= allowed:
        raise TooManyAnswers(limit="PROCESS_ANSWERS_AT_ONCE")
    run = LiveRun(
        server, request, context, request_key=request_key, frame_id=frame_id, on_thread=_index_thread
    )
    _live[run.public_id] = run
    if request_key:
        _by_request[request_key] = run
    # A client that goes away now has sent its message nevertheless.
    await asyncio.shield(_begin(run))
    return run


async def _begin(run: LiveRun) -> None:
    try:
        # First of all, since whether a thread is busy is for its owner to know.
        await run.server.admit(run.request, run.context)
        if run.thread_id is not None:
            if await _await_turn(run.thread_id, run.frame_id):
                await run.server.admit(run.request, run.context)
                _refuse_busy(run.thread_id)
            _index_thread(run)
        await db.run(_record, run)
        if shutdown.is_under_way():
            # Sent again, the request finds no row that it would be taken for a repetition of.
            run.delivered = True
            await db.run(run_rows.record_end, run, RunRow.Status.LOST)
            raise ServerRestarting
    except BaseException as error:
        _unregister(run)
        run.refuse(error if isinstance(error, Exception) else ThreadBusy())
        with contained():
            raise
    run.begin()
    _keep(run.loop)


def _record(run: LiveRun) -> None:
    """Count the answer, before it costs anything, and give it its row when it has a thread already."""
    counters.begin_answer(run.request, run.context, run.public_id)
    if run.thread_id is not None:
        try:
            run_rows.record_start(run)
        except Exception:
            counters.end_answer(run.public_id)
            raise


def _index_thread(run: LiveRun) -> None:
    if run.thread_id is not None:
        _by_thread[run.partition, run.thread_id] = run


def _unregister(run: LiveRun) -> None:
    _live.pop(run.public_id, None)
    if run.thread_id is not None and _by_thread.get((run.partition, run.thread_id)) is run:
        del _by_thread[run.partition, run.thread_id]
    if _by_request.get(run.request_key) is run:
        del _by_request[run.request_key]


async def _await_turn(thread_id: str, frame_id: str) -> bool:
    """Return when no answer is being made in this thread, or raise ``ThreadBusy``.

    Returns:
        Whether one was, so that the thread is no longer as it was.
    """
    other = live_run_of_thread(thread_id)
    waits = other is not None and bool(frame_id) and other.frame_id == frame_id and not other.readers
    if other is not None and waits:
        # The user pressed Stop and wrote on, faster than the client says so.
        other.stop()
        await other.finished()
    _refuse_busy(thread_id)
    return waits


def _refuse_busy(thread_id: str) -> None:
    if live_run_of_thread(thread_id) is not None:
        raise ThreadBusy


async def stop(row: RunRow) -> bool:
    """Stop the answer of this row and wait a moment until what there is of it is saved.

    Returns:
        Whether it was still running.
    """
    live = _live.get(row.public_id)
    if live is None:
        return await db.run(lambda: request_stop(run_pk=row.pk))
    if live.done:
        return False
    live.stop()
    await live.finished()
    return True


def find_repeated(request_key: str) -> LiveRun | None:
    """The run of this process that the same request has started, if it has not reached anybody yet."""
    run = _by_request.get(request_key)
    if run is None or run.delivered or run.withdrawn:
        return None
    fresh = run.ended is None or time.perf_counter() - run.ended < run_rows.REPEAT_WINDOW.total_seconds()
    return run if fresh else None


def get_live(public_id: str) -> LiveRun | None:
    """The run, if this process is making it or has made it a moment ago, in this part of the database."""
    run = _live.get(public_id)
    return run if run is not None and run.partition == database_context.partition() else None


def live_run_of_thread(thread_id: str) -> LiveRun | None:
    """The run that is writing into the thread with this SDK id, in this process and this part of the database."""
    run = _by_thread.get((database_context.partition(), thread_id))
    return run if run is not None and not run.done else None


def request_stop(*, run_pk: int) -> bool:
    """Stop a running answer, in whichever process it runs. For synchronous code, such as the admin.

    Returns:
        Whether the run was still running. One of another process stops at its next checkpoint.
    """
    return bool(request_stops(RunRow.objects.filter(pk=run_pk)))


def request_stops(rows: RunQuerySet) -> int:
    """The same for those of many runs that are running. Returns how many these were."""
    run_rows.mark_lost(rows)
    running = list(rows.on_writer().running().values_list("pk", "public_id"))
    if not running:
        return 0
    stopped = RunRow.objects.running().filter(pk__in=[pk for pk, _ in running]).update(stop_requested=True)
    for _pk, public_id in running:
        run = _live.get(public_id)
        if run is not None:
            run.loop.call_soon_threadsafe(run.stop)
    return stopped


def withdraw(thread_id: str) -> None:
    """Give nobody the frames again that this process keeps of answers in this thread.

    Readers who come from now on get what the database has. Those of other processes are known by
    ``Run.withdrawn``, which every reader's row has.
    """
    for run in list(_live.values()):
        # Should another schema have a thread of this id, its readers get the same from the database.
        if run.thread_id == thread_id:
            run.withdrawn = True


# --- Keeping: checkpoints, signs of life, stops from elsewhere, time limits ------------------------------------


def _keep(loop: asyncio.AbstractEventLoop) -> None:
    if loop not in _keepers or _keepers[loop].done():
        # A context of its own: the keeper must not inherit the language or the threads of one request.
        _keepers[loop] = loop.create_task(_keeper(loop), context=contextvars.Context())


async def _keeper(loop: asyncio.AbstractEventLoop) -> None:
    try:
        while any(run.loop is loop for run in _live.values()):
            await asyncio.sleep(min(chatkit_settings.checkpoint_interval, 1.9))
            # Those that began meanwhile, too: nobody's text waits for longer than one interval.
            runs = [run for run in _live.values() if run.loop is loop]
            active = [run for run in runs if run.task is not None and not run.done]
            for context, together in _by_database_context(active):
                with database_context.using(context):
                    await _look_after(together)
            _end_overdue(active)
            _forget(runs)
    finally:
        _keepers.pop(loop, None)


async def _look_after(active: list[LiveRun]) -> None:
    for duty in (_checkpoint, _show_life):
        try:
            await duty(active)
        except Exception:
            logger.exception("A checkpoint of unfinished answers failed; the next one tries again")


def _by_database_context(active: list[LiveRun]) -> list[tuple[DatabaseContext | None, list[LiveRun]]]:
    """Those that one piece of work can look after."""
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
        unfinished = [entry for run in runs for entry in run.unfinished_items()]
        if unfinished:
            saving = asyncio.ensure_future(store.checkpoint(unfinished))
            for _item, context in unfinished:
                context.state(StoreState).checkpoint = saving
            try:
                await saving
            finally:
                for _item, context in unfinished:
                    context.state(StoreState).checkpoint = None


async def _show_life(active: list[LiveRun]) -> None:
    for pk in await db.run(run_rows.sign_of_life, active):
        for run in active:
            if run.context.state(StoreState).run_pk == pk:
                run.stop()


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
            _unregister(run)
