"""One answer, from the events of ``respond()`` to what is stored and sent."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, get_args
from weakref import WeakValueDictionary

from agents.models.fake_id import FAKE_RESPONSES_ID
from chatkit.server import agents_sdk_user_agent_override
from chatkit.store import NotFoundError
from chatkit.types import (
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    ClientToolCallItem,
    GeneratedImageItem,
    StreamOptionsEvent,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    ThreadsAddStructuredInputReq,
    ThreadStreamEvent,
    ThreadUpdatedEvent,
)

from .. import db
from ..conf import chatkit_settings
from ..errors import AnswerTooLong, contained
from ..logs import get_logger
from ..models.querysets import HIDDEN_ITEM_TYPES
from ..provider.generated_images import with_kept_image
from ..storable import is_storable_id
from ..store.attachments import signed_again
from ..store.codec import copy_thread
from ..store.orm import DjangoStore
from ..store.readable import item_text
from ..store.state import StoreState
from ..takeover.handler import note_unanswered
from . import staff_request
from .state import AnswerState
from .titles import Title

if TYPE_CHECKING:
    from ..context import RequestContext
    from .base import DjangoChatKitServer

logger = get_logger(__name__)

_NAMED_BY_PROVIDERS = (AssistantMessageItem, ClientToolCallItem)
_EVENT_TYPES: tuple[type, ...] = get_args(get_args(ThreadStreamEvent)[0])


_new_items: WeakValueDictionary[str, AssistantMessageItem] = WeakValueDictionary()


def note_new(item: AssistantMessageItem) -> None:
    """Note that an item's id was made just now, so that no thread has an item of this id until this one is stored."""
    _new_items[item.id] = item


class Answer:
    """A writer that stores and forwards the events of one answer, as the SDK does, and beyond it:

    items whose id is missing or another item's get one, every item gets its thread's id, a thread without a title
    gets one, and what is unfinished is known at any time (``AnswerState.pending_items``), for checkpoints and for an
    answer that breaks off.
    """

    def __init__(self, server: DjangoChatKitServer, thread: ThreadMetadata, context: RequestContext) -> None:
        self.server = server
        self.store = server.store
        self.thread = thread
        self.context = context
        self.state = context.state(AnswerState)
        self._names: dict[str, list[str]] = {}  # by the id that an event carries, the newest last
        self._types: dict[str, str] = {}
        self._title = self._find_title()
        self._saved_thread = copy_thread(thread)

    async def events(
        self, stream: Callable[[], AsyncIterator[ThreadStreamEvent]]
    ) -> AsyncIterator[ThreadStreamEvent]:
        """Yield the answer's events. Errors become error events; a cancellation keeps what there is and goes on."""
        yield StreamOptionsEvent(stream_options=self.server.get_stream_options(self.thread, self.context))
        events: AsyncIterator[ThreadStreamEvent] | None = None
        try:
            with agents_sdk_user_agent_override():
                self.state.is_answering = not self.state.is_held
                if self.state.asks_for_staff and not self.state.is_held:
                    stream = partial(staff_request.call, self.server, self.thread, self.context)
                events = self._kept_only(stream) if self.state.is_held else stream()
                if not hasattr(events, "__aiter__"):
                    if inspect.iscoroutine(events):
                        events.close()
                    raise TypeError(
                        'respond() and action() have to be async generators: an "async def" with a "yield".'
                    )
                events = self._bounded(events)
                async for made in events:
                    if self.state.told:
                        for told in self._told():
                            yield told
                    event = await self.server.process_event(made, self.thread, self.context)
                    if event is None:
                        continue
                    if isinstance(event, ThreadItemUpdatedEvent):
                        yield self._updated(event)
                        if self._title is None or not self._title.is_found():
                            continue
                    else:
                        async for stored in self._stored(event):
                            yield stored
                    if self._title is not None:
                        self._title.apply_to(self.thread)
                    if self.thread != self._saved_thread:
                        yield await self._save_thread()
            for told in self._told():
                yield told
            for removed in self._unfinished_images():
                yield removed
            if self._title is not None:
                await self._title.wait_and_apply_to(self.thread)
        except asyncio.CancelledError:
            unfinished = list(self.state.pending_items.values())
            await self.server.handle_stream_cancelled(self.thread, unfinished, self.context)
            raise
        except Exception as error:
            for told in self._told():
                yield told
            for removed in self._unfinished_images():
                yield removed
            await self._keep_unfinished()
            yield self.server.error_event(error)
        finally:
            if self._title is not None:
                self._title.cancel()
            if events is not None and hasattr(events, "aclose"):
                await events.aclose()
        if self.thread != self._saved_thread:
            yield await self._save_thread()

    async def _kept_only(
        self, stream: Callable[[], AsyncIterator[ThreadStreamEvent]]
    ) -> AsyncIterator[ThreadStreamEvent]:
        """Yield what the user has sent, where that is part of the answer, and nothing of what would answer it."""
        pk = self.context.state(StoreState).thread_pks.get(self.thread.id)
        if pk is not None:
            await db.run(note_unanswered, pk)
        if not isinstance(self.state.admitted, ThreadsAddStructuredInputReq):
            return
        events: Any = stream()
        try:
            yield await anext(events)
        finally:
            await events.aclose()

    async def _bounded(self, events: AsyncIterator[ThreadStreamEvent]) -> AsyncIterator[ThreadStreamEvent]:
        """Yield the events of ``respond()``, as many as an answer may have."""
        state, count = self.state, 0
        # Asked once, since it is asked for each word otherwise.
        most_events, most_bytes = chatkit_settings.answer_events, chatkit_settings.answer_bytes
        guard = contained()
        try:
            while True:
                try:
                    with guard:
                        event = await anext(events)
                except StopAsyncIteration:
                    return
                count += 1
                if count > most_events or state.kept_bytes > most_bytes:
                    raise AnswerTooLong
                yield event
        finally:
            if hasattr(events, "aclose"):
                await events.aclose()

    # Events

    def _with_name(self, event: ThreadItemUpdatedEvent) -> ThreadItemUpdatedEvent:
        if event.item_id in self._names or not _is_usable(event.item_id):
            return event.model_copy(update={"item_id": self._named(event.item_id)})
        return event

    def _updated(self, event: ThreadItemUpdatedEvent) -> ThreadItemUpdatedEvent:
        state = self.state
        if state.first_text_at is None:
            state.first_text_at = time.perf_counter()
        names = self._names.get(event.item_id)
        if names is None or names[-1] != event.item_id:
            event = self._with_name(event)
        update, item = event.update, state.pending_items.get(event.item_id)
        if (
            isinstance(update, AssistantMessageContentPartTextDelta)
            and isinstance(item, AssistantMessageItem)
            and update.content_index < len(item.content)
        ):
            item.content[update.content_index].text += update.delta
        else:
            self.server._update_pending_items(state.pending_items, event)
        return event

    async def _stored(self, event: ThreadStreamEvent) -> AsyncIterator[ThreadStreamEvent]:
        """Do to the store what the event says; then it may be sent."""
        if not isinstance(event, _EVENT_TYPES):
            raise TypeError(
                f"The server yielded {type(event).__name__}; yield events of chatkit.types, "
                'for example self.text_event("…").'
            )
        if isinstance(self.store, DjangoStore):
            event = await with_kept_image(event, self.context)
        if isinstance(event, ThreadItemRemovedEvent):
            # One id may have stood for several items; all of them are meant.
            unknown = [event.item_id] if _is_usable(event.item_id) else []
            for item_id in self._names.pop(event.item_id, unknown):
                self.state.pending_items.pop(item_id, None)
                await self.store.delete_thread_item(self.thread.id, item_id, self.context)
                yield ThreadItemRemovedEvent(item_id=item_id)
            return
        if isinstance(event, (ThreadItemAddedEvent, ThreadItemDoneEvent, ThreadItemReplacedEvent)):
            event = await self._with_own_item(event)
        if isinstance(event, ThreadItemDoneEvent):
            await self.store.add_thread_item(self.thread.id, event.item, self.context)
            if event.item.type in HIDDEN_ITEM_TYPES:
                return
        elif isinstance(event, ThreadItemReplacedEvent):
            await self.store.save_item(self.thread.id, event.item, self.context)
        if isinstance(event, (ThreadItemDoneEvent, ThreadItemReplacedEvent)):
            event = event.model_copy(update={"item": signed_again(event.item, self.context.endpoint_url)})
        yield event

    def _told(self) -> Iterator[ThreadItemDoneEvent]:
        """Tell of what was stored by others than the answer itself, in the place where it was."""
        told, self.state.told = self.state.told, []
        for item in told:
            self._types[item.id] = item.type
            yield ThreadItemDoneEvent(item=signed_again(item, self.context.endpoint_url))

    def _unfinished_images(self) -> Iterator[ThreadItemRemovedEvent]:
        """Take away what is still shown as being made, though nobody makes it any more."""
        for item in list(self.state.pending_items.values()):
            if isinstance(item, GeneratedImageItem):
                del self.state.pending_items[item.id]
                yield ThreadItemRemovedEvent(item_id=item.id)

    async def _with_own_item(self, event: Any) -> Any:
        item = event.item
        changes: dict[str, str] = {}
        item_id = await self._id_for(event)
        if item_id not in self._types and len(self._types) >= chatkit_settings.answer_items:
            raise AnswerTooLong
        self._types[item_id] = item.type
        if item_id != item.id:
            changes["id"] = item_id
        if item.thread_id != self.thread.id:
            changes["thread_id"] = self.thread.id
        if changes:
            item = item.model_copy(update=changes)
            event = event.model_copy(update={"item": item})
        if isinstance(event, ThreadItemAddedEvent):
            self.state.pending_items[item.id] = item.model_copy(deep=True)
        else:
            self.state.pending_items.pop(item.id, None)
            if self.state.first_text_at is None:
                self.state.first_text_at = time.perf_counter()
        return event

    # Ids

    async def _id_for(self, event: Any) -> str:
        """Return the id under which the item is kept: the event's, unless that cannot be kept or is another item's.

        Providers repeat the ids of messages and calls, and leave them empty. Other kinds of items have theirs from
        the store, and the SDK adds an unfinished workflow a second time when it is done.
        """
        item, begins = event.item, isinstance(event, ThreadItemAddedEvent)
        names = self._names.get(item.id)
        is_same = names is not None and self._types.get(names[-1], item.type) == item.type
        if isinstance(event, ThreadItemReplacedEvent) and _is_usable(item.id):
            return names[-1] if names else str(item.id)
        if (
            names
            and is_same
            and not begins
            and (_is_usable(item.id) or names[-1] in self.state.pending_items)
        ):
            return names[-1]
        taken = isinstance(item, _NAMED_BY_PROVIDERS) and (bool(names) or await self._is_stored(item))
        if _is_usable(item.id) and not taken:
            self._names[item.id] = [item.id]
            return str(item.id)
        return self._name(item.id, "tool_call" if isinstance(item, ClientToolCallItem) else "message")

    async def _is_stored(self, item: Any) -> bool:
        item_id = item.id
        if not _is_usable(item_id) or item_id in self.context.state(StoreState).new_ids:
            return False
        # Once: who yields the same event in two answers has stored it by then.
        if _new_items.pop(item_id, None) is item:
            return False
        try:
            await self.store.load_item(self.thread.id, item_id, self.context)
        except NotFoundError:
            return False
        return True

    def _named(self, item_id: str) -> str:
        """Return the id of the item that is meant; a new one when the provider gave none and nothing has begun."""
        names = self._names.get(item_id)
        if names and (_is_usable(item_id) or names[-1] in self.state.pending_items):
            return names[-1]
        return self._name(item_id, "message")

    def _name(self, item_id: str, item_type: Any) -> str:
        name = self.store.generate_item_id(item_type, self.thread, self.context)
        self._names.setdefault(item_id, []).append(name)
        return name

    async def _keep_unfinished(self) -> None:
        """Save text that the user has seen: it stays, though the answer failed."""
        unfinished = list(self.state.pending_items.values())
        self.state.pending_items.clear()
        for item in unfinished:
            if isinstance(item, AssistantMessageItem) and item_text(item).strip():
                try:
                    await self.store.add_thread_item(self.thread.id, item, self.context)
                except Exception:
                    logger.exception("The unfinished text of a failed answer could not be kept")

    # The thread

    async def _save_thread(self) -> ThreadUpdatedEvent:
        self._saved_thread = copy_thread(self.thread)
        await self.store.save_thread(self.thread, self.context)
        return ThreadUpdatedEvent(thread=self.server._to_thread_response(self.thread))

    def _find_title(self) -> Title | None:
        message = self.state.user_message
        if self.state.title is not None or message is None or self.thread.title is not None:
            return self.state.title
        return Title(self.server, self.thread, message, self.context)


def _is_usable(item_id: str) -> bool:
    return item_id not in ("", FAKE_RESPONSES_ID) and is_storable_id(item_id)
