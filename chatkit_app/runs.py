"""Answers being made. A run belongs to the server process, not to the request that asked for it.

One task drives the SDK's stream and keeps its frames; any number of readers follow them, from the start or from
where they are. A reader who leaves detaches; only ``stop()`` cancels (and ``CHATKIT["ON_DISCONNECT"] = "cancel"``).
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import secrets
import time
from collections.abc import Iterable
from contextlib import aclosing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from asgiref.sync import AsyncToSync, ThreadSensitiveContext
from chatkit.types import (
    AssistantMessageItem,
    ErrorEvent,
    StreamingReq,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
)
from django.db import IntegrityError, close_old_connections
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from . import codec, db
from .conf import chatkit_settings
from .errors import ThreadBusy
from .models import Run as RunRow
from .owned_store import OwnedStore
from .signals import run_finished

if TYPE_CHECKING:
    from .context import RequestContext
    from .server import DjangoChatKitServer

logger = logging.getLogger(__name__)

LOST_AFTER_CHECKPOINTS = 4
STOP_PATIENCE = 5.0
REPEAT_WINDOW = timedelta(seconds=30)


class LiveRun:
    """An answer that this process is making, or has just made.

    Attributes:
        public_id: what ``X-ChatKit-Run`` says and the run's URLs contain.
        frames: all server-sent events so far, as bytes.
        done: whether there will be no more of them.
    """

    def __init__(
        self,
        server: DjangoChatKitServer,
        request: StreamingReq,
        context: RequestContext,
        *,
        request_key: str = "",
        frame_id: str = "",
    ) -> None:
        self.server = server
        self.request = request
        self.context = context
        self.request_key = request_key
        self.frame_id = frame_id
        self.public_id = f"run_{secrets.token_hex(16)}"
        self.thread_id: str | None = getattr(request.params, "thread_id", None)
        self.frames: list[bytes] = []
        self.done = False
        self.delivered = False
        self.readers = 0
        self.loop = asyncio.get_running_loop()
        self.started = self.last_event = time.perf_counter()
        self.ended: float | None = None
        self.task: asyncio.Task[None] | None = None
        self._waiting: list[asyncio.Future[None]] = []
        self._stop_status: str | None = None
        self._ending = False
        self._recording: asyncio.Future[None] | None = None
        self.recorded_delivered = False
        self._failure = ""

    # Reading

    def wait(self) -> asyncio.Future[None]:
        """A future that is done when there are new frames, or no more to come."""
        future: asyncio.Future[None] = self.loop.create_future()
        self._waiting.append(future)
        return future

    async def recorded(self) -> None:
        """Return when the run has a row, or has ended without one."""
        while self.context.memory.run_pk is None and not self.done:
            await self.wait()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def detach(self) -> None:
        """A reader has gone: after the end, when ``delivered`` says so, or before it."""
        self.readers -= 1
        if self.done:
            run_pk = self.context.memory.run_pk
            if self.delivered and not self.recorded_delivered and run_pk is not None:
                self.recorded_delivered = True
                record_delivery(run_pk)
        elif not self.readers and chatkit_settings.on_disconnect == "cancel":
            self._cancel(RunRow.Status.STOPPED)

    # Stopping

    def stop(self) -> None:
        """Cancel the answer, keeping what there is of it. Must be called in the run's own event loop."""
        # Who stops an answer does not wait for it: the same message once more wants a new one.
        self.delivered = True
        self._cancel(RunRow.Status.STOPPED)

    def _cancel(self, status: str) -> None:
        if not self._ending and self._stop_status is None and self.task is not None:
            self._stop_status = status
            # A task that is cancelled before its first step would not even record that it has ended.
            self.loop.call_soon(self._cancel_task)

    def _cancel_task(self) -> None:
        if not self._ending and self.task is not None:
            self.task.cancel()

    async def finished(self) -> None:
        """Return when the run has ended, or after some seconds in any case."""
        if self.task is not None:
            await asyncio.wait([self.task], timeout=STOP_PATIENCE)

    def give_up(self) -> None:
        """Nothing has come for too long: end the answer with an error that the user sees."""
        self._failure = "timeout"
        self._cancel(RunRow.Status.FAILED)

    # Driving

    def begin(self) -> None:
        self.task = asyncio.create_task(self._run(), name=self.public_id)
        self.task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Let the readers go, also when the task was cancelled before its first step."""
        self.done = True
        self.ended = time.perf_counter()
        self._wake()
        if not task.cancelled() and task.exception() is not None:
            logger.error("Run %s ended in an error", self.public_id, exc_info=task.exception())

    async def _run(self) -> None:
        if getattr(AsyncToSync.executors, "current", None) is not None:
            # Inside async_to_sync, as in a TestCase: stay in the caller's thread and its transaction.
            await self._drive()
            return
        lane = db.request_lane()
        async with ThreadSensitiveContext(executor=lane):
            await self._drive()
        if lane._threads:
            lane.submit(close_old_connections)

    async def _drive(self) -> None:
        status: str = RunRow.Status.COMPLETED
        self.context.memory.send = self._send
        with translation.override(self.context.locale):
            try:
                async with aclosing(self.server.stream(self.request, self.context)) as frames:
                    async for frame in frames:
                        self._send(frame)
                        if self.context.memory.run_pk is None:
                            await self._record_new_thread()
            except asyncio.CancelledError:
                status = self._stop_status or RunRow.Status.LOST
                self._close_unfinished_items()
                if self._stop_status is None:
                    # Not by us: the process is going down, or respond() was waiting for a task that was cancelled.
                    self._failure = "interrupted"
            except Exception as error:
                self._send(codec.to_frame(self.server.error_event(error)))
            if status == RunRow.Status.COMPLETED:
                # The last frame but one, when the thread has changed as well.
                for frame in self.frames[-2:]:
                    if frame.startswith(b'data: {"type":"error"'):
                        status, self._failure = RunRow.Status.FAILED, frame[6:].decode().strip()
            if self._failure in {"timeout", "interrupted"}:
                message = (
                    _("The answer took too long. Please try again.")
                    if self._failure == "timeout"
                    else _("The answer was interrupted. Please try again.")
                )
                self._send(codec.to_frame(ErrorEvent(code="custom", message=message, allow_retry=True)))
        self._ending = True
        if self._recording is not None:
            await asyncio.wait([self._recording])
        try:
            await db.run(_record_end, self, status)
        except Exception:
            logger.exception("The end of run %s could not be recorded", self.public_id)

    async def _record_new_thread(self) -> None:
        """``threads.create`` has made its thread, which the run's row names."""
        self.thread_id = self.context.memory.created_thread_id
        if self.thread_id is not None:
            _by_thread[self.thread_id] = self
        # Without the shield, a stop would come to the end before the beginning is recorded.
        self._recording = asyncio.ensure_future(db.run(_record_start, self))
        await asyncio.shield(self._recording)

    def _send(self, frame: bytes) -> None:
        self.last_event = time.perf_counter()
        self.frames.append(frame)
        if self._waiting:
            self._wake()

    def _close_unfinished_items(self) -> None:
        """Other readers are still showing a half-written message: for them, this is how it ended."""
        for item in self.context.memory.pending_items.values():
            if isinstance(item, AssistantMessageItem):
                kept = ThreadItemDoneEvent(item=item) if _has_text(item) else None
                self._send(codec.to_frame(kept or ThreadItemRemovedEvent(item_id=item.id)))
        self.context.memory.pending_items.clear()

    def refuse(self, error: Exception) -> None:
        """End before the beginning, for readers who have come already."""
        with translation.override(self.context.locale):
            self.frames.append(codec.to_frame(self.server.error_event(error)))
        self.done = True
        self.ended = time.perf_counter()
        self._wake()

    def unfinished_items(self) -> Iterable[tuple[Any, RequestContext]]:
        """The messages being written that have a text; an empty one would stay behind if the answer ended now."""
        for item in self.context.memory.pending_items.values():
            if (
                isinstance(item, AssistantMessageItem)
                and item.thread_id in self.context.memory.thread_pks
                and _has_text(item)
            ):
                yield item.model_copy(deep=True), self.context


def _has_text(item: AssistantMessageItem) -> bool:
    return any(part.text.strip() for part in item.content)


# --- The runs of this process -------------------------------------------------------------------------------

_live: dict[str, LiveRun] = {}
_by_thread: dict[str, LiveRun] = {}
_by_request: dict[str, LiveRun] = {}
_keepers: dict[asyncio.AbstractEventLoop, asyncio.Task[None]] = {}
_notes: set[asyncio.Future[int]] = set()


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
        Exception: whatever ``server.admit()`` raises to refuse the request.
    """
    repeated = find_repeated(request_key)
    if repeated is not None:
        return repeated
    run = LiveRun(server, request, context, request_key=request_key, frame_id=frame_id)
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
            _by_thread[run.thread_id] = run
            await db.run(_record_start, run)
    except BaseException as error:
        _unregister(run)
        run.refuse(error if isinstance(error, Exception) else ThreadBusy())
        raise
    run.begin()
    _keep(run.loop)


def _unregister(run: LiveRun) -> None:
    _live.pop(run.public_id, None)
    for index, key in ((_by_thread, run.thread_id), (_by_request, run.request_key)):
        if key is not None and index.get(key) is run:
            del index[key]


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
    if run is None or run.delivered:
        return None
    fresh = run.ended is None or time.perf_counter() - run.ended < REPEAT_WINDOW.total_seconds()
    return run if fresh else None


def find_repeated_row(request_key: str) -> RunRow | None:
    """The same for runs of all processes."""
    return (
        RunRow.objects.filter(request_key=request_key)
        .filter(
            Q(status=RunRow.Status.RUNNING, heartbeat_at__gte=lost_before())
            | Q(delivered=False, finished_at__gte=timezone.now() - REPEAT_WINDOW)
        )
        .exclude(request_key="")
        .first()
    )


def record_delivery(run_pk: int) -> None:
    """Note, in the background, that a reader got this answer to its end after all."""
    noting = asyncio.ensure_future(
        db.run(lambda: RunRow.objects.filter(pk=run_pk, delivered=False).update(delivered=True))
    )
    _notes.add(noting)
    noting.add_done_callback(_noted)


def _noted(noting: asyncio.Future[int]) -> None:
    _notes.discard(noting)
    if not noting.cancelled() and noting.exception() is not None:
        logger.warning("That an answer was delivered could not be recorded", exc_info=noting.exception())


def get_live(public_id: str) -> LiveRun | None:
    """The run, if this process is making it or has made it a moment ago."""
    return _live.get(public_id)


def live_run_of_thread(thread_id: str) -> LiveRun | None:
    """The run that is writing into the thread with this SDK id in this process."""
    run = _by_thread.get(thread_id)
    return run if run is not None and not run.done else None


def request_stop(*, run_pk: int) -> bool:
    """Stop a running answer, in whichever process it runs. For synchronous code, such as the admin.

    Returns:
        Whether the run was still running. One of another process stops at its next checkpoint.
    """
    if not RunRow.objects.running().filter(pk=run_pk).update(stop_requested=True):
        return False
    for run in list(_live.values()):
        if run.context.memory.run_pk == run_pk:
            run.loop.call_soon_threadsafe(run.stop)
    return True


def lost_before() -> Any:
    """A running row without a sign of life since this moment belongs to a process that has died."""
    return timezone.now() - timedelta(
        seconds=max(LOST_AFTER_CHECKPOINTS * chatkit_settings.checkpoint_interval, 3.0)
    )


def mark_lost(rows: Any) -> int:
    """Close those of the running rows whose process has died. Returns how many there were."""
    return int(
        rows.filter(status=RunRow.Status.RUNNING, heartbeat_at__lt=lost_before()).update(
            status=RunRow.Status.LOST, finished_at=timezone.now()
        )
    )


# --- Rows ---------------------------------------------------------------------------------------------------


def _record_start(run: LiveRun) -> None:
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


def _record_end(run: LiveRun, status: str) -> None:
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
            for duty in (_checkpoint, _show_life) if active else ():
                try:
                    await duty(active)
                except Exception:
                    logger.exception("A checkpoint of unfinished answers failed; the next one tries again")
            _end_overdue(active)
            _forget(runs)
    finally:
        _keepers.pop(loop, None)


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
                context.memory.checkpoint = saving
            try:
                await saving
            finally:
                for _item, context in unfinished:
                    context.memory.checkpoint = None


async def _show_life(active: list[LiveRun]) -> None:
    for pk in await db.run(_sign_of_life, active):
        for run in active:
            if run.context.memory.run_pk == pk:
                run.stop()


def _sign_of_life(active: list[LiveRun]) -> list[int]:
    """Say that these runs live; return the keys of those that somebody stopped, or deleted with their thread."""
    keys = [pk for run in active if (pk := run.context.memory.run_pk) is not None]
    rows = RunRow.objects.filter(pk__in=keys)
    rows.running().update(heartbeat_at=timezone.now())
    mark_lost(RunRow.objects.all())
    stop_requested = dict(rows.values_list("pk", "stop_requested"))
    return [pk for pk in keys if stop_requested.get(pk, True)]


def _end_overdue(active: list[LiveRun]) -> None:
    limit = chatkit_settings.answer_timeout
    for run in active:
        if time.perf_counter() - run.last_event > limit:
            run.give_up()


def _forget(runs: list[LiveRun]) -> None:
    limit = chatkit_settings.run_retention
    for run in runs:
        if run.ended is not None and time.perf_counter() - run.ended > limit:
            _unregister(run)


__all__ = [
    "LiveRun",
    "find_repeated",
    "find_repeated_row",
    "get_live",
    "live_run_of_thread",
    "lost_before",
    "mark_lost",
    "record_delivery",
    "request_stop",
    "start",
    "stop",
]
