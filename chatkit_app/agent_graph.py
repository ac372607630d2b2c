"""Agents as a site has made them, fit to answer: the one that begins, and all that it may hand over to."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from agents import Agent, Handoff, RunConfig, RunContextWrapper

from .responses_api import unstored_settings

_AnyHandoff = Agent[Any] | Handoff[Any, Any]


def reachable(agent: Agent[Any]) -> Iterator[Agent[Any]]:
    """The agent, and those that it or they may hand over to, nearest first, each once."""
    found = [agent]
    for each in found:
        yield each
        for target in map(_target, each.handoffs):
            if target is not None and not any(target is known for known in found):
                found.append(target)


def _target(handoff: _AnyHandoff) -> Agent[Any] | None:
    """Whom it leads to; None if only a handoff of the site's own class knows."""
    if isinstance(handoff, Handoff):
        target = handoff._agent_ref() if handoff._agent_ref is not None else None
    else:
        target = handoff
    return target if isinstance(target, Agent) else None


def fit_to_answer(agent: Agent[Any], run_config: RunConfig) -> Agent[Any]:
    """A copy of the agent for one run, with copies of those that it may hand over to.

    It has the name, the instructions, the tools and the output of the agent. The site's own, which may serve many
    runs at once, stays as it is.
    """
    return _Copies(run_config).of(agent)


class _Copies:
    def __init__(self, run_config: RunConfig) -> None:
        self._run_config = run_config
        # By the id of the original, which is kept so that its id stays its own.
        self._known: dict[int, tuple[Agent[Any], Agent[Any]]] = {}

    def of(self, agent: Agent[Any]) -> Agent[Any]:
        if id(agent) not in self._known:
            fit = agent.clone(model_settings=unstored_settings(agent, self._run_config))
            self._known[id(agent)] = agent, fit
            fit.handoffs = [self._of_handoff(handoff) for handoff in agent.handoffs]
        return self._known[id(agent)][1]

    def _of_handoff(self, handoff: _AnyHandoff) -> _AnyHandoff:
        if isinstance(handoff, Agent):
            return self.of(handoff)
        if not isinstance(handoff, Handoff):
            return handoff
        fit = copy.copy(handoff)
        fit.on_invoke_handoff = self._leading_to_copy(handoff.on_invoke_handoff)
        target = _target(handoff)
        if target is not None:
            fit._agent_ref = weakref.ref(self.of(target))
        return fit

    def _leading_to_copy(self, invoke: Callable[[RunContextWrapper[Any], str], Any]) -> Any:
        async def invoke_and_copy(context: RunContextWrapper[Any], arguments: str) -> Any:
            agent = await invoke(context, arguments)
            return self.of(agent) if isinstance(agent, Agent) else agent

        return invoke_and_copy
