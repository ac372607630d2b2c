"""The agent that ``CHATKIT["AGENT"]`` leads to."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from agents import Agent
from chatkit.types import ThreadMetadata
from django.core.exceptions import ImproperlyConfigured

from .. import db
from ..conf import chatkit_settings
from ..context import RequestContext
from ..dotted_paths import import_path

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def named_agent() -> Any:
    """Return the agent, or the function that returns one, of ``CHATKIT["AGENT"]``; None when the site names neither.

    Raises:
        PathNotImportable: when the dotted path names nothing.
    """
    found = chatkit_settings.agent
    return import_path(found, named_by='CHATKIT["AGENT"]') if isinstance(found, str) else found


async def configured_agent(thread: ThreadMetadata, context: RequestContext) -> Agent[Any] | None:
    """Return the agent itself, or what the function returns for this thread; None when the site names neither.

    Raises:
        ImproperlyConfigured: when the setting leads to something that is no agent.
    """
    found = named_agent()
    if found is None:
        return None
    if callable(found) and not isinstance(found, Agent):
        found = await _call(found, thread, context)
    if not isinstance(found, Agent):
        raise ImproperlyConfigured(
            f'CHATKIT["AGENT"] leads to {type(found).__name__}; name an agents.Agent, '
            "or a function of the context (and the thread) that returns one."
        )
    return found


async def _call(function: Callable[..., Any], thread: ThreadMetadata, context: RequestContext) -> Any:
    try:
        arguments: tuple[Any, ...] = (context, thread) if takes_thread(function) else (context,)
    except TypeError as problem:
        raise ImproperlyConfigured(
            f'CHATKIT["AGENT"] ({function!r}) cannot be called: {problem}. It is called with the context, or with '
            "the context and the thread."
        ) from problem
    if inspect.iscoroutinefunction(function):
        return await function(*arguments)
    found = await db.run(function, *arguments)
    return await found if inspect.isawaitable(found) else found


def takes_thread(function: Callable[..., Any]) -> bool:
    """Return whether the function is to be called with the context and the thread, or with the context alone.

    A second parameter that has a default is the thread only when that is its name.

    Raises:
        TypeError: when it can be called in neither way.
    """
    try:
        signature = inspect.signature(function)
    except ValueError:  # No signature to be had.
        return False
    positional = [each for each in signature.parameters.values() if each.kind in _POSITIONAL]
    second = positional[1] if len(positional) > 1 else None
    asks = second is not None and (second.default is second.empty or second.name == "thread")
    signature.bind(*range(2 if asks else 1))
    return asks
