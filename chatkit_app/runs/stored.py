"""An answer whose run is not in this process (any more): as another sends it, or as the database has it."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing

from chatkit.types import (
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    ErrorEvent,
    ThreadCreatedEvent,
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
)
from django.utils import translation
from pydantic import BaseModel

from .. import database_context, db
from ..errors import ChatKitError
from ..logs import get_logger
from ..models import Run as RunRow
from ..models import Thread as ThreadRow
from ..models import ThreadItem as ItemRow
from ..process import shutdown
from ..process.threads import context_beyond_request
from ..server import wire
from ..store import codec
from ..store.attachments import signed_again
from . import following
from .frames import Frames
from .heartbeats import mark_lost
from .live import FAILURE_MESSAGES, record_delivery
from .rows import staff_events

logger = get_logger(__name__)

POLL_INTERVAL = 1.0


class StoredRun(Frames):
    """A source of frames: those of the process that makes the answer, while it does and can be heard.

    Else they are made of the run's items. While the run goes on elsewhere these are looked at every second.
    """

    def __init__(self, row: RunRow, endpoint_url: str = "") -> None:
        super().__init__()
        self.public_id = row.public_id
        self._run_pk = row.pk
        self._is_running = row.status == RunRow.Status.RUNNING and not row.withdrawn
        self._endpoint_url = endpoint_url
        self._locale = translation.get_language()
        self._database_context = database_context.current()
        self._texts: dict[str, str] = {}
        self._finished: set[str] = set()
        self._task = asyncio.create_task(self._follow(), context=context_beyond_request())
        shutdown.interrupt_at_shutdown(self)

    def interrupt(self) -> None:
        """Send an error and end, because the process is going down. The answer may go on in another one."""
        self._send(ErrorEvent(code="custom", message=self._interrupted(), allow_retry=True))
        self._task.cancel()

    def detach(self) -> None:
        super().detach()
        if self.readers <= 0:
            self._task.cancel()
            if self.delivered:
                with database_context.using(self._database_context):
                    record_delivery(self._run_pk)

    async def _follow(self) -> None:
        try:
            if self._is_running and await self._hear():
                return
            while await db.run(self._look):
                self.wake()
                await asyncio.sleep(POLL_INTERVAL)
        except Exception as error:
            logger.error("A run could not be followed", exc_info=error)
            message = error.message if isinstance(error, ChatKitError) else self._interrupted()
            self._send(ErrorEvent(code="custom", message=message, allow_retry=True))
        finally:
            self.done = True
            self.wake()

    async def _hear(self) -> bool:
        """Take in what the process sends that makes the answer. Returns whether it was heard to its end."""
        try:
            async with aclosing(following.hear(self.public_id)) as pieces:
                async for piece in pieces:
                    self.frames.append(piece)
                    self.wake()
        except following.NotHeard:
            self._finished |= _finished_in(self.frames)
            return False
        return True

    def _look(self) -> bool:
        """Turn what is new into frames. Returns whether more may come."""
        mark_lost(RunRow.objects.filter(pk=self._run_pk))
        run = RunRow.objects.select_related("thread").filter(pk=self._run_pk).first()
        if run is None:
            return False
        if run.thread is not None:
            self._read(run, run.thread)
        if run.status == RunRow.Status.RUNNING:
            return True
        if run.status in {RunRow.Status.FAILED, RunRow.Status.LOST}:
            self._send(ErrorEvent(code="custom", message=self._interrupted(), allow_retry=True))
        self.frames += [wire.to_frame(event) for event in staff_events(run.pk, locale=self._locale)]
        return False

    def _interrupted(self) -> str:
        # A database worker does not know which language is active in the view.
        with translation.override(self._locale):
            return str(FAILURE_MESSAGES[RunRow.Failure.INTERRUPTED])

    def _send(self, event: BaseModel) -> None:
        self.frames.append(wire.to_frame(event))

    def _read(self, run: RunRow, thread: ThreadRow) -> None:
        events: list[BaseModel] = []
        if not self.frames and run.operation == "threads.create":
            events.append(ThreadCreatedEvent(thread=wire.thread_event(codec.decode_thread(thread)).thread))
        for row in ItemRow.objects.visible().filter(run_id=run.pk).order_by("pk"):
            item = codec.decode_item(row, thread_id=thread.public_id, locale=self._locale)
            item = signed_again(item, self._endpoint_url)
            events += self._growth(item) if run.status == RunRow.Status.RUNNING else self._end(item)
        # All at once: the reader looks at them from another thread.
        self.frames += [wire.to_frame(event) for event in events]

    def _growth(self, item: ThreadItem) -> list[BaseModel]:
        if not isinstance(item, AssistantMessageItem):
            return self._end(item)
        text = "".join(part.text for part in item.content)
        before = self._texts.get(item.id)
        self._texts[item.id] = text
        if before is None:
            return [ThreadItemAddedEvent(item=item)]
        if text == before or not text.startswith(before):
            return []
        delta = AssistantMessageContentPartTextDelta(
            content_index=max(0, len(item.content) - 1), delta=text[len(before) :]
        )
        return [ThreadItemUpdatedEvent(item_id=item.id, update=delta)]

    def _end(self, item: ThreadItem) -> list[BaseModel]:
        if item.id in self._finished:
            return []
        self._finished.add(item.id)
        return [ThreadItemDoneEvent(item=item)]


def _finished_in(frames: list[bytes]) -> set[str]:
    """Return the ids of the items that are finished in these frames."""
    lines = b"".join(frames).splitlines()
    events = [json.loads(line.removeprefix(b"data: ")) for line in lines if b'"thread.item.done"' in line]
    return {event["item"]["id"] for event in events if event["type"] == "thread.item.done"}
