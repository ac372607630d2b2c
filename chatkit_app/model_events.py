"""A model's events, as the SDK's ``stream_agent_response`` can read them."""

from __future__ import annotations

from typing import Any

from agents import StreamEvent
from openai.types.responses import ResponseTextDeltaEvent

from .citations import with_readable_citations


class ModelEvents:
    """The events of one run. What is changed is a copy: the run goes on with the model's own words.

    Attributes:
        refusal: whether the newest message is one in which the model declines to answer.
    """

    def __init__(self) -> None:
        self.refusal = False

    def read(self, event: StreamEvent) -> StreamEvent | None:
        """The event in a form that the SDK reads, or None for one that would tell the user nothing."""
        if event.type != "raw_response_event":
            return event
        data: Any = event.data
        match data.type:
            # The SDK reads a refusal only where it stands complete, in the finished message.
            case "response.refusal.delta":
                fields = data.model_dump(exclude={"type"})
                return type(event)(
                    data=ResponseTextDeltaEvent(type="response.output_text.delta", logprobs=[], **fields)
                )
            case "response.output_item.done" if data.item.type == "message":
                self.refusal = any(
                    part.type == "refusal" and part.refusal for part in data.item.content or []
                )
        return with_readable_citations(event)
