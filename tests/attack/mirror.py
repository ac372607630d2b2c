"""A server that says back what it is told, with every kind of item and event that a model can make."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from agents import Agent
from chatkit.types import (
    ClientEffectEvent,
    NoticeEvent,
    ProgressUpdateEvent,
    SyncCustomActionResponse,
    ThreadItem,
    ThreadItemDoneEvent,
    TranscriptionResult,
)
from pydantic import TypeAdapter

from chatkit_app.agents import AgentChatKitServer
from chatkit_app.offline.local_model import LocalModel
from chatkit_app.offline.responses import message, tool_call
from chatkit_app.store import new_id

ITEM: TypeAdapter[ThreadItem] = TypeAdapter(ThreadItem)
CALL = "call: "
"""A message that begins so is answered with a call of a tool of that name."""
FURNISH = "furnish"
"""This message is answered with a widget, a form, and a call that the browser is to carry out."""


def said(input: Any) -> str:
    """What the model was sent last."""
    last = input if isinstance(input, str) else input[-1].get("content", "")
    return last if isinstance(last, str) else str(last[0].get("text", ""))


class MirrorModel(LocalModel):
    name = "mirror"

    def output(self, request):
        text = said(request.input)
        return [tool_call(text.removeprefix(CALL), {text: text}) if text.startswith(CALL) else message(text)]


agent = Agent(name="Mirror", model=MirrorModel())


def half(text: str) -> str:
    """The name of a component's field, which can have no half of a surrogate pair."""
    return text.encode(errors="replace").decode()


def items(text: str) -> Iterator[dict[str, Any]]:
    """An item of each type that has texts, with this text in all of them."""
    source = {"title": text, "description": text, "timestamp": text, "group": text}
    url = source | {"type": "url", "url": text, "attribution": text}
    file = source | {"type": "file", "filename": text}
    entity = source | {
        "type": "entity",
        "id": text,
        "icon": "star",
        "label": text,
        "inline_label": text,
        "interactive": True,
        "data": {text: text},
        "preview": "lazy",
    }
    action = {"type": text, "payload": {text: text}}
    annotations = [{"type": "annotation", "source": each, "index": 1} for each in (url, file, entity)]
    yield {
        "type": "assistant_message",
        "content": [{"type": "output_text", "text": text, "annotations": annotations}],
    }
    yield {
        "type": "workflow",
        "workflow": {
            "type": "custom",
            "summary": {"title": text, "icon": "bolt"},
            "expanded": True,
            "tasks": [
                {"type": "custom", "title": text, "content": text},
                {
                    "type": "web_search",
                    "title": text,
                    "title_query": text,
                    "queries": [text],
                    "sources": [url],
                },
                {"type": "thought", "title": text, "content": text},
                {"type": "file", "title": text, "sources": [file]},
            ],
        },
    }
    options = [{"value": text, "label": text}]
    yield {
        "type": "widget",
        "copy_text": text,
        "widget": {
            "type": "Card",
            "id": text,
            "status": {"text": text, "favicon": text},
            "confirm": {"label": text, "action": action},
            "children": [
                {
                    "type": "Text",
                    "value": text,
                    "color": text,
                    "editable": {"name": text, "placeholder": text},
                },
                {"type": "Title", "value": text},
                {"type": "Badge", "label": text},
                {"type": "Markdown", "value": text},
                {"type": "Box", "background": text, "width": text, "children": []},
                {"type": "Image", "src": text, "alt": text},
                {"type": "Button", "label": text, "onClickAction": action},
                {
                    "type": "Form",
                    "onSubmitAction": action,
                    "children": [
                        {"type": "Label", "value": text, "fieldName": text},
                        {"type": "Input", "name": text, "defaultValue": text, "pattern": text},
                        {"type": "Textarea", "name": text, "placeholder": text},
                        {"type": "Select", "name": text, "options": options, "defaultValue": text},
                        {"type": "RadioGroup", "name": text, "options": options},
                        {"type": "DatePicker", "name": text, "min": text},
                    ],
                },
                {"type": "FromTheFuture", "value": text, half(text): text},
            ],
        },
    }
    yield {
        "type": "structured_input",
        "inputs": [
            {
                "type": "multiple_choice",
                "id": text,
                "question": text,
                "description": text,
                "options": [{"value": text}],
                "answer": {"values": [text], "skipped": False},
            },
        ],
        "status": "answered",
    }
    yield {
        "type": "client_tool_call",
        "status": "completed",
        "call_id": text,
        "name": text,
        "arguments": {text: text},
        "output": {text: [text]},
    }
    yield {"type": "generated_image", "image": {"id": text, "url": text}}
    yield {"type": "hidden_context_item", "content": {text: text}}


def pending() -> Iterator[dict[str, Any]]:
    """What a user can answer."""
    yield {"type": "widget", "widget": {"type": "Card", "children": []}}
    yield {"type": "structured_input", "inputs": [{"type": "freeform", "id": "q1", "question": "?"}]}
    yield {"type": "client_tool_call", "call_id": "1", "name": "locate", "arguments": {}}


class MirrorServer(AgentChatKitServer):
    async def respond(self, thread, input_user_message, context):
        texts = [part.text for part in input_user_message.content] if input_user_message else []
        common = {"thread_id": thread.id, "created_at": datetime.now()}
        if texts == [FURNISH]:
            for fields in pending():
                yield ThreadItemDoneEvent(
                    item=ITEM.validate_python(fields | common | {"id": new_id("message")})
                )
            return
        if len(texts) > 1:
            for number, text in enumerate(texts):
                yield ProgressUpdateEvent(text=text)
                yield NoticeEvent(level="info", message=text, title=text)
                yield ClientEffectEvent(name=text, data={text: text})
                answer, *others = items(text)
                for fields in (answer, others[number % len(others)]):
                    yield ThreadItemDoneEvent(
                        item=ITEM.validate_python(fields | common | {"id": new_id("message")})
                    )
        async for event in super().respond(thread, input_user_message, context):
            yield event

    async def action(self, thread, action, sender, context):
        yield self.text_event(action.type)
        yield self.text_event(str(action.payload))

    async def sync_action(self, thread, action, sender, context):
        return SyncCustomActionResponse(updated_item=sender)

    async def transcribe(self, audio_input, context):
        return TranscriptionResult(text=audio_input.data.decode(errors="replace") + audio_input.mime_type)
