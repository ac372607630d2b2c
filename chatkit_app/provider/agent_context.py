"""The context of an agent's run: what it knows of the conversation that it answers in."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from chatkit.agents import AgentContext, ClientToolCall
from chatkit.types import UserMessageItem

from ..context import RequestContext

if TYPE_CHECKING:
    _AgentContext = AgentContext[RequestContext]
else:
    _AgentContext = AgentContext  # pydantic would look into the dataclass


class DjangoAgentContext(_AgentContext):
    """The object that tools, guardrails and dynamic instructions of the agent get as ``ctx.context``.

    Attributes:
        request_context: our ``RequestContext``: user, locale, session.
        input_user_message: the message being answered, or None after a client tool, a structured input or an
            approval.
        tool_choice: id of the tool the user picked in the composer, if it is one that you offer. A tool of
            the agent with that name is called for certain; any other id is yours to react to, for example
            in dynamic instructions.
        last_agent: the agent that the run has ended with, once it has: the one it began with, or another to
            which it was handed over.
        client_tool_calls: all that tools have set as ``client_tool_call``, in this order. The browser is asked for one
            after the other.
    """

    input_user_message: UserMessageItem | None = None
    tool_choice: str | None = None
    last_agent: Any = None
    client_tool_calls: list[ClientToolCall] = []

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "client_tool_call" and value is not None:
            # The next tool of the turn sets it anew.
            self.client_tool_calls.append(value)
        super().__setattr__(name, value)


def item_fields(
    agent_context: AgentContext[RequestContext], kind: Literal["message", "tool_call"]
) -> dict[str, Any]:
    """Return the fields that all new items of the answer have: the id, of this kind, the thread and the time."""
    return {
        "id": agent_context.generate_id(kind),
        "thread_id": agent_context.thread.id,
        "created_at": datetime.now(),
    }
