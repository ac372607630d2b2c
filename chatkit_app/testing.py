"""What your own tests can use. Needs no test framework.

::

    model = ScriptedModel(["Hello!", ("find_order", {"number": 7}), "It is on its way.", TimeoutError()])
    agent = Agent(name="Shop", model=model, tools=[find_order])
"""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator, Iterable, Mapping
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

from .responses import message, stream_response, tool_call, whole_response
from .store_contract import StoreContract as StoreContract

Turn = str | tuple[str, Mapping[str, Any]] | Exception


class ScriptedModel(Model):
    """An Agents SDK model that does what its script says, one turn for each time it is asked.

    It streams genuine Responses events, word by word, with new ids in every turn.

    Args:
        turns: a text, a tool call as ``(name, arguments)``, or an exception to raise.

    Attributes:
        inputs: what it was asked, one list of input items for each time.
        settings: the ``ModelSettings`` it was asked with.
        turns: what is left of the script.
    """

    def __init__(self, turns: Iterable[Turn]) -> None:
        self.turns: list[Turn] = list(turns)
        self.inputs: list[list[Any]] = []
        self.settings: list[ModelSettings] = []

    def _take(
        self, input: str | list[TResponseInputItem], settings: ModelSettings
    ) -> list[ResponseOutputMessage | ResponseFunctionToolCall]:
        asked: Any = [{"role": "user", "content": input}] if isinstance(input, str) else input
        self.inputs.append(copy.deepcopy(asked))
        self.settings.append(settings)
        if not self.turns:
            raise AssertionError(f"The script is over, and the model was asked a {len(self.inputs)}. time.")
        turn = self.turns.pop(0)
        if isinstance(turn, Exception):
            raise turn
        return [message(turn) if isinstance(turn, str) else tool_call(*turn)]

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
        return whole_response(self._take(input, model_settings), input=input)

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
        async for event in stream_response(self._take(input, model_settings), input=input, model="scripted"):
            yield event


def decode_events(body: bytes) -> list[dict[str, Any]]:
    """The events of a ``text/event-stream`` body.

    Comments and events without data are left out.

    Raises:
        ValueError: when an event's data is not JSON.
    """
    events = []
    for block in body.replace(b"\r\n", b"\n").split(b"\n\n"):
        lines = [line.removeprefix(b"data:") for line in block.split(b"\n") if line.startswith(b"data:")]
        data = b"\n".join(line.removeprefix(b" ") for line in lines)
        if data:
            events.append(json.loads(data))
    return events
