"""One answer being made: a task that drives the SDK's stream, and the frames that its readers follow."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import aclosing
from typing import TYPE_CHECKING

from asgiref.sync import ThreadSensitiveContext
from chatkit.errors import ErrorCode
from chatkit.types import (
    AssistantMessageItem,
    ErrorEvent,
    GeneratedImageItem,
    StreamingReq,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
    ThreadUpdatedEvent,
)
from django.utils import translation
from django.utils.translation import gettext_lazy

from .. import database_context, db
from ..conf import chatkit_settings
from ..errors import ThreadReadOnly
from ..limits import counters
from ..logs import get_logger
from ..models import Run as RunRow
from ..process import shutdown
from ..process.threads import callers_thread, context_beyond_request
from ..provider.endings import EndingState
from ..server import wire
from ..server.admission import MESSAGES
from ..server.state import AnswerState
from ..store.readable import item_text
from ..store.state import StoreState
from . import rows
from .growing_frames import GrowingFrames
from .pace import Pace
from .registry import live_runs

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

    from ..context import RequestContext
    from ..server.base import DjangoChatKitServer

logger = get_logger(__name__)

STOP_TIMEOUT = 5.0
# The same when the process is going down, which has ``shutdown.SHUTDOWN_TIMEOUT`` in all.
LAST_STOP_TIMEOUT = 1.0
# Before that, for the message to be stored, so that its sender need not wonder whether it was.
MESSAGE_TIMEOUT = 0.5

_NEW_MESSAGES = frozenset({"threads.create", "threads.add_user_message"})
_WELL_ENDED = frozenset({RunRow.Status.COMPLETED, RunRow.Status.HELD})

FAILURE_MESSAGES: dict[RunRow.Failure | None, StrPromise] = {
    RunRow.Failure.TIMEOUT: gettext_lazy("The answer took too long. Please try again."),
    RunRow.Failure.INTERRUPTED: gettext_lazy("The answer was interrupted. Please try again."),
}
"""What the user is told of a failure of which the server has said nothing."""

_notes: set[asyncio.Future[int]] = set()


class LiveRun(GrowingFrames):
    """An answer that this process is making, or has just made.

    Attributes:
        public_id: what ``X-ChatKit-Run`` says and the run's URLs contain.
        withdrawn: whether something in its frames was redacted, so that nobody is given them again.
        database_context: that of its request. Who stops it, reads it or looks after it may have another one, or none.
        on_thread: called with the run as soon as ``threads.create`` has given it a thread.
    """

    def __init__(
        self,
        server: DjangoChatKitServer,
        request: StreamingReq,
        context: RequestContext,
        *,
        request_key: str = "",
        instance_id: str = "",
        on_thread: Callable[[LiveRun], None],
    ) -> None:
        super().__init__()
        self.server = server
        self.request = request
        self.context = context
        self.request_key = request_key
        self.instance_id = instance_id
        self.on_thread = on_thread
        self.public_id = f"run_{secrets.token_hex(16)}"
        self.thread_id: str | None = getattr(request.params, "thread_id", None)
        self.withdrawn = False
        self.database_context = database_context.current()
        self.loop = asyncio.get_running_loop()
        self._pace = Pace(self.wake, self.loop)
        self._answer = context.state(AnswerState)
        self.started = self.last_event = time.perf_counter()
        self.ended: float | None = None
        self.task: asyncio.Task[None] | None = None
        self._stop_status: RunRow.Status | None = None
        self._ending = False
        self._ends_after_message = False
        self._recording: asyncio.Future[None] | None = None
        self._abandoned: asyncio.Future[None] | None = None
        self._recorded_delivered = False
        self._failure: RunRow.Failure | None = None
        self._error: ErrorEvent | None = None
        self._saved: dict[str, tuple[str, int]] = {}
        shutdown.interrupt_at_shutdown(self)

    @property
    def partition(self) -> str:
        """The part of the database in which the run has its row."""
        return self.database_context.partition if self.database_context is not None else ""

    @property
    def row_pk(self) -> int | None:
        """The key of the run's row, when it has one."""
        return self.context.state(StoreState).run_pk

    @property
    def may_be_repeated(self) -> bool:
        """Whether its request, coming once more, is to get this answer: as long as it has not reached anybody."""
        if self.delivered or self.withdrawn:
            return False
        return self.ended is None or time.perf_counter() - self.ended < rows.REPEAT_WINDOW.total_seconds()

    @property
    def is_ending(self) -> bool:
        """Whether nothing more is sent, and the end is being recorded or has been."""
        return self._ending

    # Reading

    async def recorded(self) -> None:
        """Return when the run has a row, or has ended without one."""
        while self.row_pk is None and not self.done:
            await self.wait()

    def detach(self) -> None:
        super().detach()
        if self.done:
            if self.delivered and not self._recorded_delivered and self.row_pk is not None:
                self._recorded_delivered = True
                with database_context.using(self.database_context):
                    record_delivery(self.row_pk)
        elif not self.readers and chatkit_settings.on_disconnect == "cancel":
            self._cancel(RunRow.Status.STOPPED)

    # Stopping

    def stop(self) -> None:
        """Cancel the answer, keeping what there is of it. Must be called in the run's own event loop."""
        # Who stops an answer does not wait for it: the same message once more wants a new one.
        self.delivered = True
        self._cancel(RunRow.Status.STOPPED)

    def leave_to_staff(self) -> None:
        """Write no more of the answer, because a person has taken the thread over. The message is kept in any case.

        Must be called in the run's own event loop.
        """
        if self.request.type in MESSAGES and not self._answer.is_answering:
            self._answer.is_held = True
        else:
            self._cancel(RunRow.Status.STOPPED)

    def _cancel(self, status: RunRow.Status) -> None:
        if not self._ending and self._stop_status is None:
            self._stop_status = status
            if self.task is not None:
                is_last = self._failure is RunRow.Failure.INTERRUPTED
                # A task that is cancelled before its first step would not even record that it has ended.
                self.loop.call_soon(self._cancel_after_message if is_last else self._cancel_task)

    def _cancel_task(self) -> None:
        if not self._ending and self.task is not None:
            self.task.cancel()
            is_last = self._failure is RunRow.Failure.INTERRUPTED
            patience = LAST_STOP_TIMEOUT if is_last else STOP_TIMEOUT
            self.loop.call_later(patience, self._give_up_task)

    def _cancel_after_message(self) -> None:
        if self._is_storing_message:
            self._ends_after_message = True
            self.loop.call_later(MESSAGE_TIMEOUT, self._cancel_task)
        else:
            self._cancel_task()

    @property
    def _is_storing_message(self) -> bool:
        """Whether the user sends something that they have not been told of yet: it may be stored or not."""
        return self.request.type in _NEW_MESSAGES and self._answer.user_message is None

    def _give_up_task(self) -> None:
        """End without the task: a ``respond()`` that swallows its cancellation is not waited for."""
        if not self._ending:
            logger.error("Run %s went on after it was cancelled; let CancelledError pass", self.public_id)
            self._abandoned = asyncio.ensure_future(self._end_without_task())

    async def _end_without_task(self) -> None:
        with database_context.using(self.database_context), translation.override(self.context.locale):
            self._close_unfinished_items()
            await self._end(self._stop_status or RunRow.Status.LOST)
        self._close()

    async def finished(self) -> None:
        """Return when the run has ended, or after some seconds in any case."""
        if self.task is not None:
            await asyncio.wait([self.task], timeout=STOP_TIMEOUT)

    def interrupt(self) -> None:
        """Keep what there is of the answer, and tell its readers, because the process is going down.

        Who has just sent a message is told of it first.
        """
        self._failure = RunRow.Failure.INTERRUPTED
        self._cancel(RunRow.Status.LOST)

    def give_up(self) -> None:
        """End the answer with an error that the user sees, because nothing has come for too long."""
        self._failure = RunRow.Failure.TIMEOUT
        self._cancel(RunRow.Status.FAILED)

    # Driving

    def begin(self) -> None:
        # Staff may have stopped it already: then nothing of it is done.
        work = self._run() if self._stop_status is None else self._end_without_task()
        self.task = asyncio.create_task(work, name=self.public_id, context=context_beyond_request())
        self.task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Let the readers go, also when the task was cancelled before its first step."""
        error = None if task.cancelled() else task.exception()
        if error is not None:
            logger.error("Run %s ended in an error", self.public_id, exc_info=error)
            self._send(ErrorEvent(code=ErrorCode.STREAM_ERROR, allow_retry=True))
        if not self.done:
            self._close()

    def _close(self) -> None:
        self.done = True
        live_runs.discard_active(self)
        self.ended = time.perf_counter()
        self.wake()

    async def _run(self) -> None:
        if callers_thread() is not None:
            # Inside async_to_sync, as in a TestCase: stay in the caller's thread and its transaction.
            await self._drive()
            return
        lane = db.RequestLane()
        async with ThreadSensitiveContext(executor=lane):
            await self._drive()
        lane.end()

    async def _drive(self) -> None:
        status = RunRow.Status.COMPLETED
        with translation.override(self.context.locale):
            try:
                stored = self.context.state(StoreState)
                async with aclosing(self.server.stream(self.request, self.context)) as events:
                    async for event in events:
                        self._send(event)
                        if stored.run_pk is None:
                            await self._record_new_thread()
                        if self._ends_after_message and not self._is_storing_message:
                            raise asyncio.CancelledError
            except asyncio.CancelledError:
                status = self._stop_status or RunRow.Status.LOST
                self._close_unfinished_items()
                if self._stop_status is None:
                    # Not by us: the process is going down, or respond() was waiting for a task that was cancelled.
                    self._failure = RunRow.Failure.INTERRUPTED
            except BaseException as error:
                # SystemExit and its like would take the whole process, and everybody's answers, with them.
                self._send(self.server.error_event(error))
            if status == RunRow.Status.COMPLETED and self._answer.is_held:
                status = RunRow.Status.HELD
            if status in _WELL_ENDED and self._error is not None:
                status, self._failure = RunRow.Status.FAILED, RunRow.Failure.ERROR
            if not self._ending:
                await self._end(status)

    async def _end(self, status: RunRow.Status) -> None:
        if self._failure in FAILURE_MESSAGES:
            message = str(FAILURE_MESSAGES[self._failure])
            self._send(ErrorEvent(code="custom", message=message, allow_retry=True))
        self._ending = True
        if self._recording is not None:
            await asyncio.wait([self._recording])
        try:
            self._tell(await self.record_end(status))
        except Exception:
            logger.exception("The end of run %s could not be recorded", self.public_id)

    def _tell(self, events: list[ThreadStreamEvent]) -> None:
        """Add what staff did while the answer was made, behind everything else."""
        if not self.frames:
            # Nothing of the request has come to anything: it was refused.
            statuses = [event.thread.status for event in events if isinstance(event, ThreadUpdatedEvent)]
            refusals = [ThreadReadOnly(status) for status in statuses if status.type != "active"]
            self.frames += [wire.to_frame(self.server.error_event(refusal)) for refusal in refusals]
        self.frames += [wire.to_frame(event) for event in events]

    # Recording

    def record_start(self) -> None:
        """Give the run its row. To be called in a worker."""
        state = self.context.state(StoreState)
        state.run_pk = rows.record_start(
            rows.RunStart(
                public_id=self.public_id,
                thread_pk=state.thread_pks.get(self.thread_id or ""),
                operation=self.request.type,
                request_key=self.request_key,
                context=self.context,
            )
        )

    async def _record_new_thread(self) -> None:
        """Record in the run's row the thread that ``threads.create`` has made."""
        self.thread_id = self._answer.created_thread_id
        if self.thread_id is not None:
            self.on_thread(self)
        # Without the shield, a stop would come to the end before the beginning is recorded.
        self._recording = asyncio.ensure_future(db.run(self.record_start))
        await asyncio.shield(self._recording)

    async def record_end(self, status: RunRow.Status) -> list[ThreadStreamEvent]:
        """Write down how the run ended. Returns what staff did meanwhile, for its readers."""
        outcome = self._outcome(status)
        self._recorded_delivered = outcome.delivered
        return await db.run(self._record_end, outcome)

    def _record_end(self, outcome: rows.RunOutcome) -> list[ThreadStreamEvent]:
        counters.end_answer(self.public_id)
        if self.row_pk is None:
            return []
        return rows.record_end(self.row_pk, outcome, locale=self.context.locale)

    def _outcome(self, status: RunRow.Status) -> rows.RunOutcome:
        first_text_at = self._answer.first_text_at
        return rows.RunOutcome(
            status=status,
            failure=self._failure,
            error=self._error_for_staff() if self._failure is RunRow.Failure.ERROR else "",
            delivered=self.delivered or self.readers > 0,
            usage=self.context.usage,
            first_token_ms=None if first_text_at is None else self._milliseconds_until(first_text_at),
            total_ms=self._milliseconds_until(time.perf_counter()),
        )

    def _milliseconds_until(self, moment: float) -> int:
        return max(0, round((moment - self.started) * 1000))

    def _error_for_staff(self) -> str:
        """Return what the user was told, or the code that the client has a text for, and what is known beyond that."""
        error, reason = self._error, self.context.state(EndingState).reason
        told = "" if error is None else error.message or str(getattr(error.code, "value", error.code))
        return f"{told} ({reason})" if reason else told

    def _send(self, event: ThreadStreamEvent) -> None:
        if self._ending:
            return
        self.last_event = time.perf_counter()
        is_word = type(event) is ThreadItemUpdatedEvent
        if not is_word and isinstance(event, ErrorEvent):
            self._error = event
        elif self._error is not None and not isinstance(event, ThreadUpdatedEvent):
            self._error = None  # the server has gone on after it
        self.add(event, pending_items=self._answer.pending_items)
        self._answer.kept_bytes = self.size
        if is_word:
            self._pace.wake_for_word(answers=live_runs.active_count)
        else:
            self._pace.wake()

    def _close_unfinished_items(self) -> None:
        """Send other readers the end of each item that they still show unfinished."""
        for item in self._answer.pending_items.values():
            if isinstance(item, AssistantMessageItem):
                kept = ThreadItemDoneEvent(item=item) if item_text(item).strip() else None
                self._send(kept or ThreadItemRemovedEvent(item_id=item.id))
            elif isinstance(item, GeneratedImageItem):
                self._send(ThreadItemRemovedEvent(item_id=item.id))
        self._answer.pending_items.clear()

    def refuse(self, error: Exception) -> None:
        """End before the beginning, for readers who have come already."""
        with translation.override(self.context.locale):
            self.frames.append(wire.to_frame(self.server.error_event(error)))
        self._close()

    def unsaved_items(self) -> Iterable[tuple[AssistantMessageItem, RequestContext]]:
        """Yield the messages being written that say something else than when they were saved last.

        One without a text would stay behind if the answer ended now.
        """
        for item in self._answer.pending_items.values():
            if (
                isinstance(item, AssistantMessageItem)
                and item.thread_id in self.context.state(StoreState).thread_pks
                and item_text(item).strip()
                and self._saved.get(item.id) != _version(item)
            ):
                yield _copy(item), self.context

    def mark_saved(self, item: AssistantMessageItem) -> None:
        """Note that this copy of an unfinished message has come to the database."""
        self._saved[item.id] = _version(item)


def _version(item: AssistantMessageItem) -> tuple[str, int]:
    """Return what changes while a message is being written."""
    return item_text(item), sum(len(part.annotations) for part in item.content)


def _copy(item: AssistantMessageItem) -> AssistantMessageItem:
    """Copy as much of a message as changes while it is being written, which a deep copy takes ten times as long for."""
    parts = [part.model_copy(update={"annotations": list(part.annotations)}) for part in item.content]
    return item.model_copy(update={"content": parts})


def record_delivery(run_pk: int) -> None:
    """Note, in the background, that a reader got this answer to its end after all."""
    noting = asyncio.create_task(
        db.run(lambda: RunRow.objects.filter(pk=run_pk, delivered=False).update(delivered=True)),
        context=context_beyond_request(),
    )
    _notes.add(noting)
    noting.add_done_callback(_noted)


def _noted(noting: asyncio.Future[int]) -> None:
    _notes.discard(noting)
    if not noting.cancelled() and noting.exception() is not None:
        logger.warning("That an answer was delivered could not be recorded", exc_info=noting.exception())
