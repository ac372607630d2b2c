"""What happens to the events of one answer between ``respond()`` and the SDK."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, get_args

from agents.models.fake_id import FAKE_RESPONSES_ID
from chatkit.types import (
    AssistantMessageItem,
    ClientToolCallItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    ThreadStreamEvent,
)

if TYPE_CHECKING:
    from .context import RequestContext
    from .server import DjangoChatKitServer

logger = logging.getLogger(__name__)

TITLE_PATIENCE = 10.0

_EVENT_TYPES: tuple[type, ...] = get_args(get_args(ThreadStreamEvent)[0])


class Answer:
    """One answer on its way: real ids, a thread id on every item, a title, and what is unfinished so far."""

    def __init__(self, server: DjangoChatKitServer, thread: ThreadMetadata, context: RequestContext) -> None:
        self.server = server
        self.thread = thread
        self.context = context
        self.memory = context.memory
        self._fake_id: str | None = None
        self._rewritten: list[str] = []
        self._title: asyncio.Task[str | None] | None = None

    async def events(self, stream: AsyncIterator[ThreadStreamEvent]) -> AsyncIterator[ThreadStreamEvent]:
        """The answer's events, fit for the SDK to store and to send."""
        self._start_title()
        try:
            async for event in stream:
                if isinstance(event, ThreadItemUpdatedEvent):
                    yield self._updated(event)
                elif isinstance(event, ThreadItemRemovedEvent):
                    for removed in self._removed(event):
                        yield removed
                else:
                    yield self._checked(event)
                if self._title is not None and self._title.done():
                    self._apply_title()
            await self._finish_title()
        except Exception:
            await self._keep_unfinished()
            raise
        finally:
            if self._title is not None:
                self._title.cancel()
            if hasattr(stream, "aclose"):
                await stream.aclose()

    # Events

    def _updated(self, event: ThreadItemUpdatedEvent) -> ThreadItemUpdatedEvent:
        if event.item_id == FAKE_RESPONSES_ID:
            event = event.model_copy(update={"item_id": self._real_id("message")})
        if self.memory.first_text_at is None:
            self.memory.first_text_at = time.perf_counter()
        self.server._update_pending_items(self.memory.pending_items, event)
        return event

    def _removed(self, event: ThreadItemRemovedEvent) -> list[ThreadItemRemovedEvent]:
        # One fake id may have stood for several items; all of them are meant.
        ids = self._rewritten if event.item_id == FAKE_RESPONSES_ID else [event.item_id]
        for item_id in ids:
            self.memory.pending_items.pop(item_id, None)
        return [ThreadItemRemovedEvent(item_id=item_id) for item_id in ids]

    def _checked(self, event: ThreadStreamEvent) -> ThreadStreamEvent:
        if not isinstance(event, _EVENT_TYPES):
            raise TypeError(
                f"The server yielded {type(event).__name__}; yield events of chatkit.types, "
                'for example self.text_event("…").'
            )
        if isinstance(event, (ThreadItemAddedEvent, ThreadItemDoneEvent, ThreadItemReplacedEvent)):
            return self._with_real_item(event)
        return event

    def _with_real_item(
        self, event: ThreadItemAddedEvent | ThreadItemDoneEvent | ThreadItemReplacedEvent
    ) -> ThreadStreamEvent:
        item = event.item
        changes: dict[str, str] = {}
        if item.id == FAKE_RESPONSES_ID:
            changes["id"] = self._real_id("tool_call" if isinstance(item, ClientToolCallItem) else "message")
        if item.thread_id != self.thread.id:
            changes["thread_id"] = self.thread.id
        if changes:
            item = item.model_copy(update=changes)
            event = event.model_copy(update={"item": item})
        if isinstance(event, ThreadItemAddedEvent):
            self.memory.pending_items[item.id] = item.model_copy(deep=True)
        else:
            self._fake_id = None
            self.memory.pending_items.pop(item.id, None)
            if self.memory.first_text_at is None:
                self.memory.first_text_at = time.perf_counter()
        return event

    def _real_id(self, item_type: str) -> str:
        """The id of the message that the provider gave no id of its own. A new one after each finished item."""
        if self._fake_id is None:
            self._fake_id = self.server.store.generate_item_id(item_type, self.thread, self.context)  # type: ignore[arg-type]
            self._rewritten.append(self._fake_id)
        return self._fake_id

    async def _keep_unfinished(self) -> None:
        """The user has seen this text: it stays, though the answer failed."""
        unfinished = list(self.memory.pending_items.values())
        self.memory.pending_items.clear()
        for item in unfinished:
            if isinstance(item, AssistantMessageItem) and any(part.text.strip() for part in item.content):
                await self.server.store.add_thread_item(self.thread.id, item, self.context)

    # Title

    def _start_title(self) -> None:
        message = self.memory.user_message
        if message is not None and self.thread.title is None:
            self._title = asyncio.create_task(self.server.title_for(self.thread, message, self.context))

    async def _finish_title(self) -> None:
        if self._title is not None:
            await asyncio.wait([self._title], timeout=TITLE_PATIENCE)
            if self._title.done():
                self._apply_title()
            else:
                logger.warning("title_for() took longer than %s s and was given up", TITLE_PATIENCE)

    def _apply_title(self) -> None:
        title, self._title = self._title, None
        assert title is not None
        if title.exception() is not None:
            logger.error("title_for() failed", exc_info=title.exception())
        elif self.thread.title is None:
            self.thread.title = title.result()
