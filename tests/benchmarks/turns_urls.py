"""A page that gives a CSRF token, and chats: of a model that says a word every 50 ms, and of one that waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
)
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import ensure_csrf_cookie

from chatkit_app.server import DjangoChatKitServer
from tests.benchmarks.turns import PAUSE, WORDS


class TalkingServer(DjangoChatKitServer):
    async def respond(self, thread: Any, message: Any, context: Any) -> AsyncIterator[ThreadStreamEvent]:
        item = AssistantMessageItem(
            id=self.store.generate_item_id("message", thread, context),
            thread_id=thread.id,
            created_at=datetime.now(),
            content=[AssistantMessageContent(text="")],
        )
        yield ThreadItemAddedEvent(item=item)
        words = [f"word{number} " for number in range(WORDS)]
        for word in words:
            await asyncio.sleep(PAUSE)
            update = AssistantMessageContentPartTextDelta(content_index=0, delta=word)
            yield ThreadItemUpdatedEvent(item_id=item.id, update=update)
        whole = AssistantMessageContent(text="".join(words))
        yield ThreadItemDoneEvent(item=item.model_copy(update={"content": [whole]}))


released = asyncio.Event()


class WaitingServer(DjangoChatKitServer):
    """Says nothing until all are released."""

    async def respond(self, thread: Any, message: Any, context: Any) -> AsyncIterator[ThreadStreamEvent]:
        await released.wait()
        yield self.text_event("At last.")


async def release(request: HttpRequest) -> HttpResponse:
    released.set()
    return HttpResponse("Released")


@ensure_csrf_cookie
def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Hello")


urlpatterns = [path("", page), path("release", release), path("", include("chatkit_app.urls"))]
