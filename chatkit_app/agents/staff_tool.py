"""The tool by which an agent calls for a person."""

from __future__ import annotations

from agents import RunContextWrapper, function_tool
from django.core.exceptions import ImproperlyConfigured

from ..provider.agent_context import DjangoAgentContext
from ..provider.answer_runs import AnswerRuns
from ..server import staff_request
from ..store.orm import DjangoStore


@function_tool(failure_error_function=None)
async def request_staff(ctx: RunContextWrapper[DjangoAgentContext], reason: str) -> str:
    """Call a person of the team into this conversation. They read all of it, and answer the user in your place.

    Use it when the user asks for a person, and when you cannot help them. The user is told that a person will come.

    Args:
        reason: What the person has to know before they answer, in one or two sentences. The user does not see it.
    """
    agent_context = ctx.context
    if not isinstance(agent_context.store, DjangoStore):
        raise ImproperlyConfigured(
            "request_staff needs a conversation that is kept in a DjangoStore: use it as your server's store, or take "
            "the tool from the agent."
        )
    context = agent_context.request_context
    await staff_request.request_staff(agent_context.thread, reason, context)
    # What the model would say now is the person's to say.
    context.state(AnswerRuns).end_after_turn()
    return "A person of the team has been called, and the user has been told."
