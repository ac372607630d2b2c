"""Conversations with ``SlowServer`` that staff do something to."""

from __future__ import annotations

import asyncio

from chatkit_app.models import ThreadItem
from tests.chat import Chat, Exchange
from tests.servers import SlowServer


async def begin(chat: Chat, thread_id: str | None = None) -> Exchange:
    """Say something, and return as soon as the answer has begun."""
    answer = await chat.begin_saying("hi", thread_id)
    await answer.until('"delta":"one "')
    return answer


async def make_thread(chat: Chat, gate: asyncio.Event) -> str:
    """Have a whole turn. Answers that begin afterwards are counted from none."""
    gate.set()
    thread_id = (await chat.say("hi")).thread_id
    gate.clear()
    SlowServer.started = 0
    return thread_id


def stored(thread_id: str) -> list[str]:
    """Return what is said in a thread."""
    items = ThreadItem.objects.visible().filter(thread__public_id=thread_id).order_by("pk")
    return list(items.values_list("text", flat=True))
