"""The same pages over the app's own endpoint, with a server that writes slowly."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
)
from django.contrib import admin
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from chatkit_app.server import DjangoChatKitServer

from .site import page

KEEP_TYPING = """
    const set = window.setTimeout;
    window.setTimeout = (callback, delay, ...rest) => (delay === 4000 ? 0 : set(callback, delay, ...rest));
"""
"""A page on which nobody stops typing by themselves."""


async def in_database(function: Callable[[], Any]) -> Any:
    """Have a thread of its own do what other people do meanwhile. It leaves no connection open."""

    def work() -> Any:
        try:
            return function()
        finally:
            connections.close_all()

    return await sync_to_async(work, thread_sensitive=False)()


class SlowServer(DjangoChatKitServer):
    """Says "one two three …" up to sixty, twenty words a second; "hello" is answered at once."""

    async def respond(self, thread: Any, item: Any, context: Any) -> AsyncIterator[ThreadStreamEvent]:
        if item.content[0].text == "hello":
            yield self.text_event("Hello to you.")
            return
        message = AssistantMessageItem(
            id=self.store.generate_item_id("message", thread, context),
            thread_id=thread.id,
            created_at=datetime.now(),
            content=[AssistantMessageContent(text="")],
        )
        yield ThreadItemAddedEvent(item=message.model_copy(deep=True))
        for number in range(1, 61):
            message.content[0].text += f"{number} "
            delta = AssistantMessageContentPartTextDelta(content_index=0, delta=f"{number} ")
            yield ThreadItemUpdatedEvent(item_id=message.id, update=delta)
            await asyncio.sleep(0.05)
        yield ThreadItemDoneEvent(item=message)


def members(request: HttpRequest) -> HttpResponse:
    """The page from a view that knows who is there."""
    _ = request.user.is_authenticated
    return async_to_sync(page)(request)


urlpatterns = [
    path("", page),
    path("members/", members),
    path("admin/", admin.site.urls),
    path("", include("chatkit_app.urls")),
]
