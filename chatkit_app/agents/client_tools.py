"""Calls of tools that the browser carries out. It is asked for one at a time, also when a run asks for several.

Those that wait for their turn are kept in the thread's metadata, which every store keeps and no browser sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from agents import RunResultStreaming, ToolCallItem
from chatkit.agents import AgentContext, ClientToolCall
from chatkit.types import ClientToolCallItem, ThreadItem, ThreadMetadata
from pydantic import BaseModel, TypeAdapter, ValidationError

from ..context import RequestContext

KEY = "chatkit_app.client_tool_calls"
"""In the thread's metadata, the calls that wait, the next one first."""


class WaitingCall(BaseModel):
    """A call that the browser is to be asked for."""

    name: str
    arguments: dict[str, Any]
    call_id: str

    def as_item(self, agent_context: AgentContext[RequestContext]) -> ClientToolCallItem:
        """What asks the browser."""
        return ClientToolCallItem(
            id=agent_context.generate_id("tool_call"),
            thread_id=agent_context.thread.id,
            created_at=datetime.now(),
            **self.model_dump(),
        )


_CALLS = TypeAdapter(list[WaitingCall])


def waiting_calls(thread: ThreadMetadata) -> list[WaitingCall]:
    """The calls that wait for their turn."""
    try:
        return _CALLS.validate_python(thread.metadata.get(KEY, []))
    except ValidationError:
        return []


def keep_waiting(thread: ThreadMetadata, calls: Sequence[WaitingCall]) -> None:
    """Let these wait, and no others."""
    others = {name: value for name, value in thread.metadata.items() if name != KEY}
    thread.metadata = others | ({KEY: [call.model_dump() for call in calls]} if calls else {})


def has_result(history: Sequence[ThreadItem]) -> bool:
    """Whether the newest item is a call that the browser has carried out."""
    last = history[-1] if history else None
    return isinstance(last, ClientToolCallItem) and last.status == "completed"


def calls_of_run(
    asked: Sequence[ClientToolCall], result: RunResultStreaming, agent_context: AgentContext[RequestContext]
) -> list[WaitingCall]:
    """The calls that the tools of a run have asked for, each with the id of the model's call of its tool.

    Which tool has asked is known by its name; where a tool and the browser's have different names, the newest call
    that is left is taken, as the SDK does.
    """
    made = [item.raw_item for item in result.new_items if isinstance(item, ToolCallItem)]
    unused = [call for call in cast(list[Any], made) if getattr(call, "type", "") == "function_call"]
    ids: dict[int, str] = {}
    for index, call in enumerate(asked):
        same = next((each for each in unused if each.name == call.name), None)
        if same is not None:
            ids[index] = same.call_id
            unused.remove(same)
    return [
        WaitingCall(
            name=call.name,
            arguments=call.arguments,
            call_id=ids[index] if index in ids else _newest(unused, agent_context),
        )
        for index, call in enumerate(asked)
    ]


def _newest(unused: list[Any], agent_context: AgentContext[RequestContext]) -> str:
    return str(unused.pop().call_id) if unused else agent_context.generate_id("tool_call")
