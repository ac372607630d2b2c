"""Calls of tools that the browser carries out. It is asked for one at a time, also when a run asks for several.

Those that wait for their turn are kept in the thread's metadata, which every store keeps and no browser sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from agents import RunResultStreaming, ToolCallItem
from chatkit.agents import AgentContext, ClientToolCall
from chatkit.types import (
    ClientToolCallItem,
    ThreadItem,
    ThreadItemDoneEvent,
    ThreadMetadata,
    ThreadStreamEvent,
)
from pydantic import BaseModel, TypeAdapter, ValidationError

from ..context import RequestContext
from ..provider.agent_context import DjangoAgentContext, item_fields
from ..store.payloads import WAITING_CALLS_KEY


class WaitingCall(BaseModel):
    """A call that the browser is to be asked for."""

    name: str
    arguments: dict[str, Any]
    call_id: str

    def as_item(self, agent_context: AgentContext[RequestContext]) -> ClientToolCallItem:
        """Return the item that asks the browser."""
        return ClientToolCallItem(**self.model_dump(), **item_fields(agent_context, "tool_call"))


_CALLS = TypeAdapter(list[WaitingCall])


def waiting_calls(thread: ThreadMetadata) -> list[WaitingCall]:
    """Return the calls that wait for their turn."""
    try:
        return _CALLS.validate_python(thread.metadata.get(WAITING_CALLS_KEY, []))
    except ValidationError:
        return []


def keep_waiting(thread: ThreadMetadata, calls: Sequence[WaitingCall]) -> None:
    """Keep these calls waiting, and no others."""
    others = {name: value for name, value in thread.metadata.items() if name != WAITING_CALLS_KEY}
    thread.metadata = others | ({WAITING_CALLS_KEY: [call.model_dump() for call in calls]} if calls else {})


def next_call(thread: ThreadMetadata, history: Sequence[ThreadItem]) -> WaitingCall | None:
    """Return the call whose turn it is, if the browser has carried out the one before.

    Whatever else the user does is instead of all that wait.
    """
    waiting = waiting_calls(thread) if _has_result(history) else []
    keep_waiting(thread, waiting[1:])
    return waiting[0] if waiting else None


def _has_result(history: Sequence[ThreadItem]) -> bool:
    """Return whether the newest item is a call that the browser has carried out."""
    last = history[-1] if history else None
    return isinstance(last, ClientToolCallItem) and last.status == "completed"


class ClientToolCalls:
    """The calls that a run asks the browser for, in place of the one that the SDK knows of.

    Args:
        agent_context: that of the run.
        goes_on: whether the run has waited for approvals, and the calls that it made before wait, too.
    """

    def __init__(self, agent_context: DjangoAgentContext, *, goes_on: bool) -> None:
        self._agent_context = agent_context
        self._earlier = waiting_calls(agent_context.thread) if goes_on else []
        for call in self._earlier:
            agent_context.client_tool_call = ClientToolCall(name=call.name, arguments=call.arguments)

    def read(self, event: ThreadStreamEvent, result: RunResultStreaming) -> list[ThreadStreamEvent]:
        """Return the event of the run, or in place of the SDK's question that for the first call. The others wait."""
        context = self._agent_context
        if not self._is_question(event):
            return [event]
        calls = self._earlier + _calls_of_run(
            context.client_tool_calls[len(self._earlier) :], result, context
        )
        # One question at a time: those for approval come first.
        asked = [] if result.interruptions else calls[:1]
        keep_waiting(context.thread, calls[len(asked) :])
        return [ThreadItemDoneEvent(item=call.as_item(context)) for call in asked]

    def _is_question(self, event: ThreadStreamEvent) -> bool:
        asked = self._agent_context.client_tool_call
        return (
            asked is not None
            and isinstance(event, ThreadItemDoneEvent)
            and isinstance(event.item, ClientToolCallItem)
            and (event.item.name, event.item.arguments) == (asked.name, asked.arguments)
        )


def _calls_of_run(
    asked: Sequence[ClientToolCall], result: RunResultStreaming, agent_context: AgentContext[RequestContext]
) -> list[WaitingCall]:
    """Return the calls that the tools of a run have asked for, each with the id of the model's call of its tool.

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
