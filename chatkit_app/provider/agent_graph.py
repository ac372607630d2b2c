"""Agents of a site, made fit to answer: the one that begins, and all that it may hand over to."""

from __future__ import annotations

import copy
import functools
import weakref
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from types import CellType, FunctionType
from typing import Any

from agents import Agent, Handoff, RunConfig, RunContextWrapper

from ..process.threads import on_site_threads
from .responses_api import unstored_settings

# Fields of the SDK's dataclasses with functions that it does not wait for, or that see to it themselves.
FIELDS_LEFT_ALONE = frozenset(
    {
        "computer",
        "handoff_history_mapper",
        "on_invoke_handoff",
        "on_invoke_tool",
        "output_guardrail_blocked_message",
    }
)
# Variables of the functions that ``handoff()`` makes, with what it was given.
_KEPT_BY_HANDOFF = ("is_enabled", "on_handoff")

_AnyHandoff = Agent[Any] | Handoff[Any, Any]


def reachable(agent: Agent[Any]) -> Iterator[Agent[Any]]:
    """Yield the agent, and those that it or they may hand over to, nearest first, each once."""
    found = [agent]
    for each in found:
        yield each
        for target in map(_target, each.handoffs):
            if target is not None and not any(target is known for known in found):
                found.append(target)


def _target(handoff: _AnyHandoff) -> Agent[Any] | None:
    """Return the agent that a handoff leads to; None if only a handoff of the site's own class knows."""
    if isinstance(handoff, Handoff):
        target = handoff._agent_ref() if handoff._agent_ref is not None else None
    else:
        target = handoff
    return target if isinstance(target, Agent) else None


def copy_for_run(agent: Agent[Any], run_config: RunConfig) -> Agent[Any]:
    """Return a copy of the agent for one run, with copies of those that it may hand over to.

    It has the name, the instructions, the tools and the output of the agent. What is synchronous in it (instructions,
    guardrails, filters …) runs in ``SiteThreads``. The site's own, which may serve many runs at once, stays as it is.
    """
    return _Copies(run_config).of(agent)


class _Copies:
    def __init__(self, run_config: RunConfig) -> None:
        self._run_config = run_config
        # By the id of the original, which is kept so that its id stays its own.
        self._known: dict[int, tuple[Agent[Any], Agent[Any]]] = {}

    def of(self, agent: Agent[Any]) -> Agent[Any]:
        if id(agent) not in self._known:
            settings = unstored_settings(agent, self._run_config)
            if settings.include_usage is None:
                # Compatible servers count only when they are asked to.
                settings = settings.resolve({"include_usage": True})
            fit = agent.clone(**in_threads(agent), model_settings=settings)
            self._known[id(agent)] = agent, fit
            for server in agent.mcp_servers:
                # A connection cannot be copied. These functions are called by it and may be awaited as well.
                for name in ("tool_filter", "tool_meta_resolver"):
                    if callable(getattr(server, name, None)):
                        setattr(server, name, on_site_threads(getattr(server, name)))
            fit.handoffs = [self._of_handoff(handoff) for handoff in agent.handoffs]
        return self._known[id(agent)][1]

    def _of_handoff(self, handoff: _AnyHandoff) -> _AnyHandoff:
        if isinstance(handoff, Agent):
            return self.of(handoff)
        if not isinstance(handoff, Handoff):
            return handoff
        fit: Handoff[Any, Any] = _copy_in_threads(handoff)
        if fit is handoff:
            fit = copy.copy(handoff)
        fit.is_enabled = _made_by_handoff(fit.is_enabled)
        fit.on_invoke_handoff = self._leading_to_copy(_made_by_handoff(handoff.on_invoke_handoff))
        target = _target(handoff)
        if target is not None:
            fit._agent_ref = weakref.ref(self.of(target))
        return fit

    def _leading_to_copy(self, invoke: Callable[[RunContextWrapper[Any], str], Any]) -> Any:
        async def invoke_and_copy(context: RunContextWrapper[Any], arguments: str) -> Any:
            agent = await invoke(context, arguments)
            return self.of(agent) if isinstance(agent, Agent) else agent

        return invoke_and_copy


def in_threads(settings: Any) -> dict[str, Any]:
    """Return those fields of an agent, tool or run's settings that change, so that nothing blocks the event loop."""
    changes: dict[str, Any] = {}
    for name in (field.name for field in fields(settings)):
        value = getattr(settings, name, None)
        changed: Any = value
        if name == "mcp_config":
            changed = {key: on_site_threads(entry) for key, entry in (value or {}).items()}
        elif isinstance(value, list) and name != "handoffs":
            changed = [_copy_in_threads(entry) for entry in value]
        elif name not in FIELDS_LEFT_ALONE:
            changed = on_site_threads(value)
        is_other = changed is not value
        if isinstance(value, list) and isinstance(changed, list):
            is_other = any(new is not old for new, old in zip(changed, value, strict=True))
        if is_other:
            changes[name] = changed
    return changes


def _copy_in_threads(entry: Any) -> Any:
    """Return a copy of a tool, a guardrail or a handoff; itself when there is nothing to change."""
    if not is_dataclass(entry) or isinstance(entry, type):
        return entry
    changes = in_threads(entry)
    if changes:
        entry = copy.copy(entry)
        for name, value in changes.items():
            setattr(entry, name, value)
    return entry


def _made_by_handoff(function: Any) -> Any:
    """Return a function that ``handoff()`` has made, with the site's own in it running in threads."""
    if isinstance(function, functools.partial):
        return functools.partial(function.func, *map(_made_by_handoff, function.args), **function.keywords)
    if not isinstance(function, FunctionType) or function.__module__ != Handoff.__module__:
        return function
    names, cells = function.__code__.co_freevars, function.__closure__ or ()
    rebound = tuple(
        CellType(on_site_threads(cell.cell_contents)) if name in _KEPT_BY_HANDOFF else cell
        for name, cell in zip(names, cells, strict=True)
    )
    return FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, rebound
    )
