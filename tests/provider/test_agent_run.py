"""A run of an agent, asked for its events as the SDK asks: each in a task that it may forget."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from agents import Agent, ModelBehaviorError, RunResultStreaming
from agents.usage import Usage as TokenUsage

from chatkit_app.context import RequestContext
from chatkit_app.provider.agent_run import AgentRun


class Result:
    """What ``AgentRun`` reads of a run, whose stream ends or fails at once."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error
        self.current_agent = Agent(name="Test")
        self.context_wrapper = SimpleNamespace(usage=TokenUsage())

    async def stream_events(self) -> AsyncIterator[Any]:
        if self.error is not None:
            raise self.error
        for event in ():
            yield event


def run_of(error: Exception | None) -> AgentRun:
    agent_context = SimpleNamespace(generate_id=lambda *_arguments: "x", request_context=RequestContext())
    return AgentRun(cast(RunResultStreaming, Result(error)), cast(Any, agent_context))


@pytest.mark.parametrize("error", [None, ModelBehaviorError("It speaks in riddles.")])
async def test_end_that_nobody_reads_is_no_complaint(error: Exception | None) -> None:
    complaints: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, said: complaints.append(said["message"]))
    asking = asyncio.ensure_future(run_of(error).__anext__())
    await asyncio.wait({asking})
    del asking
    gc.collect()
    assert complaints == []


async def test_end_is_the_end_of_the_iteration() -> None:
    assert [event async for event in run_of(None)] == []


async def test_failure_is_raised_to_who_reads() -> None:
    with pytest.raises(ModelBehaviorError, match="It speaks in riddles"):
        await anext(aiter(run_of(ModelBehaviorError("It speaks in riddles."))))
