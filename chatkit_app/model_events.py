"""A model's events, as the SDK's ``stream_agent_response`` can read them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Literal

from agents import RunItemStreamEvent, StreamEvent
from openai.types.responses import ResponseFunctionToolCall, ResponseTextDeltaEvent

from .citations import with_readable_citations


class ModelEvents:
    """The events of one run. What is changed is a copy: the run goes on with the model's own words.

    Every message and every call of a function gets an id of ours. A provider's are no keys: some repeat them, within
    an answer or in the next one, leave them empty, make them longer than any column, or change them in mid-message.

    Args:
        new_id: makes an id for an item of this type.

    Attributes:
        refusal: whether the newest message is one in which the model declines to answer.
    """

    def __init__(self, new_id: Callable[[Literal["message", "tool_call"]], str]) -> None:
        self.refusal = False
        self._new_id = new_id
        self._message_id: str | None = None

    def read(self, event: StreamEvent) -> StreamEvent | None:
        """The event in a form that the SDK reads, or None for one that would tell the user nothing."""
        if event.type == "run_item_stream_event":
            return self._with_call_id(event)
        if event.type != "raw_response_event":
            return event
        data: Any = event.data
        match data.type:
            case "response.output_item.added" | "response.output_item.done" if data.item.type == "message":
                data = data.model_copy(
                    update={"item": data.item.model_copy(update={"id": self._id_of_message(data.type)})}
                )
                self.refusal = any(
                    part.type == "refusal" and part.refusal for part in data.item.content or []
                )
            case (
                "response.content_part.added"
                | "response.output_text.delta"
                | "response.output_text.done"
                | "response.output_text.annotation.added"
            ):
                data = data.model_copy(update={"item_id": self._id_of_message(data.type)})
            case "response.refusal.delta":
                # The SDK reads a refusal only where it stands complete, in the finished message.
                data = ResponseTextDeltaEvent(
                    type="response.output_text.delta",
                    item_id=self._id_of_message(data.type),
                    content_index=data.content_index,
                    output_index=data.output_index,
                    sequence_number=data.sequence_number,
                    delta=data.delta,
                    logprobs=[],
                )
        return with_readable_citations(type(event)(data=data))

    def _id_of_message(self, event_type: str) -> str:
        """Messages come one after another, each from "added" to "done"."""
        if self._message_id is None or event_type == "response.output_item.added":
            self._message_id = self._new_id("message")
        message_id = self._message_id
        if event_type == "response.output_item.done":
            self._message_id = None
        return message_id

    def _with_call_id(self, event: RunItemStreamEvent) -> RunItemStreamEvent:
        call = getattr(event.item, "raw_item", None)
        update = {"id": self._new_id("tool_call")}
        if isinstance(call, ResponseFunctionToolCall):
            call = call.model_copy(update=update)
        elif isinstance(call, dict) and call.get("type") == "function_call":
            call = call | update
        else:
            return event
        item = copy.copy(event.item)
        item.raw_item = call
        return RunItemStreamEvent(name=event.name, item=item)
