"""The default server on a model without a network, whose answers leave everything that a later request can name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from agents import Agent
from chatkit.types import (
    ClientToolCallItem,
    StructuredInputFreeform,
    StructuredInputItem,
    SyncCustomActionResponse,
    ThreadItemDoneEvent,
    TranscriptionResult,
    WidgetItem,
)
from chatkit.widgets import Card, Text

from chatkit_app.agents import AgentChatKitServer
from chatkit_app.offline.local_model import LocalModel
from chatkit_app.offline.responses import message
from chatkit_app.store import new_id


class BriefModel(LocalModel):
    """One that has little to say, so that many answers can be had."""

    name = "brief"

    def output(self, request):
        return [message("Yes.")]


agent = Agent(name="Brief", model=BriefModel())


class FurnishedServer(AgentChatKitServer):
    """A widget and a form stand before each answer, and a call that the browser is to carry out is its end."""

    async def respond(self, thread, input_user_message, context):
        common: dict[str, Any] = {"thread_id": thread.id, "created_at": datetime.now()}
        if input_user_message is not None:
            card, question = (
                Card(children=[Text(value="a card")]),
                StructuredInputFreeform(id="q1", question="?"),
            )
            yield ThreadItemDoneEvent(item=WidgetItem(id=new_id("message"), widget=card, **common))
            yield ThreadItemDoneEvent(
                item=StructuredInputItem(id=new_id("message"), inputs=[question], **common)
            )
        async for event in super().respond(thread, input_user_message, context):
            yield event
        if input_user_message is not None:
            call = ClientToolCallItem(
                id=new_id("tool_call"), call_id=new_id("tool_call"), name="locate", arguments={}, **common
            )
            yield ThreadItemDoneEvent(item=call)

    async def action(self, thread, action, sender, context):
        yield self.text_event(f"action: {action.type}")

    async def sync_action(self, thread, action, sender, context):
        return SyncCustomActionResponse(updated_item=sender)

    async def transcribe(self, audio_input, context):
        return TranscriptionResult(text=audio_input.data.decode(errors="replace"))
