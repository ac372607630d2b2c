"""Tools for your own tests. They need no test framework.

::

    model = ScriptedModel(["Hello!", ("find_order", {"number": 7}), "It is on its way.", TimeoutError()])
    agent = Agent(name="Shop", model=model, tools=[find_order])
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from typing import Any

from agents import ModelSettings
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage

from ..offline.local_model import LocalModel, ModelRequest
from ..offline.responses import message, tool_call
from .store_contract import StoreContract as StoreContract

Turn = str | tuple[str, Mapping[str, Any]] | Exception


class ScriptedModel(LocalModel):
    """An Agents SDK model that does what its script says, one turn for each time it is asked.

    It streams genuine Responses events, word by word, with new ids in every turn.

    Args:
        turns: a text, a tool call as ``(name, arguments)``, or an exception to raise.

    Attributes:
        inputs: what it was asked, one list of input items for each time.
        settings: the ``ModelSettings`` it was asked with.
        turns: what is left of the script.
    """

    name = "scripted"

    def __init__(self, turns: Iterable[Turn]) -> None:
        self.turns: list[Turn] = list(turns)
        self.inputs: list[list[Any]] = []
        self.settings: list[ModelSettings] = []

    def output(self, request: ModelRequest) -> list[ResponseOutputMessage | ResponseFunctionToolCall]:
        text = request.input
        asked: Any = [{"role": "user", "content": text}] if isinstance(text, str) else text
        self.inputs.append(copy.deepcopy(asked))
        self.settings.append(request.settings)
        if not self.turns:
            raise AssertionError(f"The script is over, and the model was asked a {len(self.inputs)}. time.")
        turn = self.turns.pop(0)
        if isinstance(turn, Exception):
            raise turn
        return [message(turn) if isinstance(turn, str) else tool_call(*turn)]


def decode_events(body: bytes) -> list[dict[str, Any]]:
    """Return the events of a ``text/event-stream`` body.

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
