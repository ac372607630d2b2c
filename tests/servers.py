"""Server classes for tests: good ones, and every kind of bad one."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from datetime import datetime
from typing import Any, ClassVar

from asgiref.sync import sync_to_async
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    AudioInput,
    ClientToolCallItem,
    HiddenContextItem,
    StructuredInputFreeform,
    StructuredInputItem,
    SyncCustomActionResponse,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    TranscriptionResult,
    WidgetItem,
)
from chatkit.widgets import Card, Text
from django.contrib.auth import get_user_model
from django.utils.translation import gettext

from chatkit_app.context import Usage
from chatkit_app.server import DjangoChatKitServer
from chatkit_app.store import new_id


def assistant(text: str, *, item_id: str | None = None) -> AssistantMessageItem:
    return AssistantMessageItem(
        id=item_id or new_id("message"),
        thread_id="",
        created_at=datetime.now(),
        content=[AssistantMessageContent(text=text)],
    )


def added(item: AssistantMessageItem) -> ThreadItemAddedEvent:
    return ThreadItemAddedEvent(item=item.model_copy(deep=True))


def delta(item_id: str, text: str) -> ThreadItemUpdatedEvent:
    return ThreadItemUpdatedEvent(
        item_id=item_id, update=AssistantMessageContentPartTextDelta(content_index=0, delta=text)
    )


class EchoServer(DjangoChatKitServer):
    """Says the message again, and does a little of everything else."""

    async def respond(self, thread, input_user_message, context):
        text = input_user_message.content[0].text if input_user_message else "nothing"
        yield self.text_event(f"echo: {text}")

    async def action(self, thread, action, sender, context):
        yield self.text_event(f"action: {action.type}")

    async def sync_action(self, thread, action, sender, context):
        return SyncCustomActionResponse(updated_item=sender)

    async def transcribe(self, audio_input: AudioInput, context):
        return TranscriptionResult(text=audio_input.data.decode())


class FurnitureServer(EchoServer):
    """Answers with one item of each kind that a later operation refers to."""

    async def respond(self, thread, input_user_message, context):
        common: dict[str, Any] = {"thread_id": thread.id, "created_at": datetime.now()}
        yield ThreadItemDoneEvent(
            item=HiddenContextItem(id=new_id("message"), content="a secret of the model", **common)
        )
        yield self.text_event("visible")
        yield ThreadItemDoneEvent(
            item=WidgetItem(id="widget_1", widget=Card(children=[Text(value="a card")]), **common)
        )
        if input_user_message is None:
            return
        question = StructuredInputFreeform(id="q1", question="Why?")
        yield ThreadItemDoneEvent(item=StructuredInputItem(id="form_1", inputs=[question], **common))
        yield ThreadItemDoneEvent(
            item=ClientToolCallItem(id="call_1", call_id="call_1", name="locate", arguments={}, **common)
        )


class SlowServer(DjangoChatKitServer):
    """Says "one ", waits until ``gate`` opens, says "two"."""

    gate: ClassVar[asyncio.Event]
    started: ClassVar[int] = 0

    async def respond(self, thread, input_user_message, context):
        type(self).started += 1
        item = assistant("")
        yield added(item)
        yield delta(item.id, "one ")
        await self.gate.wait()
        yield delta(item.id, "two")
        item.content[0].text = "one two"
        yield ThreadItemDoneEvent(item=item)


class PacedServer(DjangoChatKitServer):
    """Says as many words as the message asks for, one every 20 ms."""

    async def respond(self, thread, input_user_message, context):
        item = assistant("")
        yield added(item)
        for number in range(int(input_user_message.content[0].text)):
            await asyncio.sleep(0.02)
            yield delta(item.id, f"{number} ")
            item.content[0].text += f"{number} "
        yield ThreadItemDoneEvent(item=item)


class HangingServer(DjangoChatKitServer):
    """Says "well" and then nothing, for ever."""

    async def respond(self, thread, input_user_message, context):
        item = assistant("")
        yield added(item)
        yield delta(item.id, "well")
        await asyncio.Event().wait()


class SilentServer(DjangoChatKitServer):
    """Says nothing at all, for ever, after an empty beginning."""

    async def respond(self, thread, input_user_message, context):
        yield added(assistant(""))
        await asyncio.Event().wait()


class RaisingServer(DjangoChatKitServer):
    async def respond(self, thread, input_user_message, context):
        raise ValueError("a secret of the code")
        yield


class StubbornServer(DjangoChatKitServer):
    """Does not let itself be cancelled."""

    async def respond(self, thread, input_user_message, context):
        yield self.text_event("well")
        while True:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(1)
                return


class ExitingServer(DjangoChatKitServer):
    """Raises what ends a process, in the middle of a message."""

    error: ClassVar[BaseException] = SystemExit(3)

    async def respond(self, thread, input_user_message, context):
        item = assistant("")
        yield added(item)
        yield delta(item.id, "well")
        raise self.error

    async def sync_action(self, thread, action, sender, context):
        raise self.error


class ExitingTitleServer(EchoServer):
    async def title_for(self, thread, message, context):
        raise SystemExit(3)


class ExitingAdmissionServer(EchoServer):
    async def admit(self, request, context):
        raise SystemExit(3)


class EndlessServer(DjangoChatKitServer):
    """Says "word " for ever, in one message or in one after another."""

    endless: ClassVar[str] = "text"

    async def respond(self, thread, input_user_message, context):
        item = assistant("")
        yield added(item)
        while True:
            await asyncio.sleep(0)
            if self.endless == "items":
                yield self.text_event("word ")
            else:
                yield delta(item.id, "word ")


class CancelledServer(DjangoChatKitServer):
    """Waits for a task that somebody else cancels."""

    async def respond(self, thread, input_user_message, context):
        task = asyncio.ensure_future(asyncio.sleep(60))
        task.cancel()
        await task
        yield self.text_event("never")


class PartialServer(DjangoChatKitServer):
    """Breaks off in the middle of a message."""

    async def respond(self, thread, input_user_message, context):
        item = assistant("")
        yield added(item)
        yield delta(item.id, "half a ")
        thread.metadata["tried"] = True
        raise ValueError("a secret of the code")


class GarbageServer(DjangoChatKitServer):
    async def respond(self, thread, input_user_message, context):
        yield {"type": "thread.item.done"}


class NoGeneratorServer(DjangoChatKitServer):
    """The ``yield`` was forgotten."""

    async def respond(self, thread, input_user_message, context):
        return None


class NoneServer(DjangoChatKitServer):
    def respond(self, thread, input_user_message, context):
        return None


class LocaleServer(DjangoChatKitServer):
    """Says the language that is active in ``respond()``."""

    async def respond(self, thread, input_user_message, context):
        yield self.text_event(f"{context.locale} {gettext('Monday')}")


class AsyncOrmServer(DjangoChatKitServer):
    async def respond(self, thread, input_user_message, context):
        from chatkit_app.models import Thread

        row = await Thread.objects.aget(public_id=thread.id)
        yield self.text_event(f"items: {await row.items.acount()}")


class ThreadNameServer(DjangoChatKitServer):
    """Says in which thread its synchronous code runs."""

    async def respond(self, thread, input_user_message, context):
        working = await sync_to_async(threading.current_thread)()
        yield self.text_event(working.name)


class UsageServer(DjangoChatKitServer):
    async def respond(self, thread, input_user_message, context):
        context.usage = Usage(model="gpt-test", input_tokens=7, cached_tokens=3, output_tokens=5)
        yield self.text_event("counted")


def server_from_the_database() -> EchoServer:
    get_user_model().objects.exists()
    return EchoServer()


def not_a_server() -> str:
    return "surprise"
