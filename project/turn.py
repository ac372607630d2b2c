"""One answer of the demo that is being made, and the ways to fill it that the features share."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from chatkit.server import stream_widget
from chatkit.types import (
    Annotation,
    AssistantMessageContent,
    AssistantMessageContentPartAdded,
    AssistantMessageContentPartAnnotationAdded,
    AssistantMessageContentPartDone,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    ThreadStreamEvent,
)
from chatkit.widgets import DynamicWidgetRoot

from chatkit_app.server import DjangoChatKitServer

from .context import DemoContext

PAUSE = 0.6
"""Seconds between two steps of something that takes its time; words come twenty times as fast."""

Events = AsyncGenerator[ThreadStreamEvent, None]
Item = TypeVar("Item")


@dataclass
class Turn:
    """The tools that a feature needs to answer."""

    server: DjangoChatKitServer
    thread: ThreadMetadata
    context: DemoContext

    def new(self, kind: Callable[..., Item], **fields: Any) -> Item:
        """Return an item of this thread, with an id of its own."""
        item_id = self.server.store.generate_item_id("message", self.thread, self.context)
        return kind(id=item_id, thread_id=self.thread.id, created_at=datetime.now(), **fields)

    async def pause(self, steps: float = 1) -> None:
        """Take as long as something real would."""
        await asyncio.sleep(PAUSE * steps)

    async def say(self, text: str, *annotations: Annotation) -> Events:
        """Write a message that comes word by word, as from a model."""
        message = self.new(AssistantMessageItem, content=[])
        part = AssistantMessageContent(text="")

        def update(kind: Callable[..., Any], **fields: Any) -> ThreadItemUpdatedEvent:
            return ThreadItemUpdatedEvent(item_id=message.id, update=kind(content_index=0, **fields))

        yield ThreadItemAddedEvent(item=message)
        yield update(AssistantMessageContentPartAdded, content=part)
        for word in re.findall(r"\S+\s*", text):
            await self.pause(0.05)
            yield update(AssistantMessageContentPartTextDelta, delta=word)
        for number, annotation in enumerate(annotations):
            yield update(
                AssistantMessageContentPartAnnotationAdded, annotation_index=number, annotation=annotation
            )
        whole = AssistantMessageContent(text=text, annotations=list(annotations))
        yield update(AssistantMessageContentPartDone, content=whole)
        yield ThreadItemDoneEvent(item=message.model_copy(update={"content": [whole]}))

    async def show(
        self, widget: DynamicWidgetRoot | AsyncGenerator[DynamicWidgetRoot, None], *, copy_text: str
    ) -> Events:
        """Show a widget, whole or in the states in which it grows."""
        async for event in stream_widget(
            self.thread,
            widget,
            copy_text,
            lambda kind: self.server.store.generate_item_id(kind, self.thread, self.context),
        ):
            yield event
