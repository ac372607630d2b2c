"""An Agents SDK model that makes its answers in this process. The base of the offline and the scripted model."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from agents import (
    AgentOutputSchemaBase,
    Handoff,
    Model,
    ModelResponse,
    ModelSettings,
    ModelTracing,
    Tool,
    TResponseInputItem,
)
from agents.items import TResponseStreamEvent
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage
from openai.types.responses.response_prompt_param import ResponsePromptParam

from .responses import stream_response, whole_response


@dataclass(frozen=True)
class ModelRequest:
    """The question to a model, as far as a local one can heed it."""

    instructions: str | None
    input: str | list[TResponseInputItem]
    settings: ModelSettings
    tools: list[Tool]
    output_schema: AgentOutputSchemaBase | None
    handoffs: list[Handoff[Any, Any]]
    streamed: bool = field(kw_only=True)


class LocalModel(Model):
    """A model whose ``output()`` you write; the answer is given whole or streamed as the Responses API does.

    Attributes:
        name: the model's name in the stream.
        delay: seconds between two words.
    """

    name: str
    delay: float = 0.0

    @abstractmethod
    def output(self, request: ModelRequest) -> Sequence[ResponseOutputMessage | ResponseFunctionToolCall]:
        """Return the output items that answer this request."""

    async def get_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Handoff[Any, Any]],
        tracing: ModelTracing,
        *,
        previous_response_id: str | None,
        conversation_id: str | None,
        prompt: ResponsePromptParam | None,
    ) -> ModelResponse:
        request = ModelRequest(
            system_instructions, input, model_settings, tools, output_schema, handoffs, streamed=False
        )
        return whole_response(self.output(request), input=input)

    async def stream_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Handoff[Any, Any]],
        tracing: ModelTracing,
        *,
        previous_response_id: str | None,
        conversation_id: str | None,
        prompt: ResponsePromptParam | None,
    ) -> AsyncIterator[TResponseStreamEvent]:
        request = ModelRequest(
            system_instructions, input, model_settings, tools, output_schema, handoffs, streamed=True
        )
        output = self.output(request)
        async for event in stream_response(output, input=input, model=self.name, delay=self.delay):
            yield event
