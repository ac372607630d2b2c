"""Checks of the objects that ``SERVER``, ``AGENT``, ``CONTEXT``, ``ADMIN_SCOPE`` and ``DATABASE_CONTEXT`` name."""

from __future__ import annotations

import inspect
from typing import Any

from ..conf import DEFAULT_SERVER
from ..dotted_paths import try_import
from .keys import value_of
from .messages import Messages, error, warning


def _takes(function: Any, arguments: int) -> bool:
    """Return whether a callable can be called with so many positional arguments."""
    try:
        inspect.signature(function).bind(*range(arguments))
    except TypeError:
        return False
    except ValueError:  # No signature to be had.
        return True
    return True


def _hint(problem: str, usual: str) -> str:
    """Return what to do about a path that cannot be imported: it may well be right, and its module may not."""
    if problem.startswith(("ImportError", "ModuleNotFoundError")):
        return usual
    return "What it names raises this when it is imported. Import it in manage.py shell to see where."


def check_server() -> Messages:
    """Check ``SERVER`` (E010-E013)."""
    path = value_of("SERVER")
    if path == DEFAULT_SERVER:
        return  # Ours: to load it, and the SDK, would take seconds.
    server, problem = try_import(path)
    if problem:
        yield error(
            "E010",
            f'CHATKIT["SERVER"] ({path}) cannot be imported: {problem}',
            _hint(
                problem,
                "Name a DjangoChatKitServer class, or a function that returns an instance, by its full dotted path.",
            ),
        )
        return
    if isinstance(server, type):
        from ..server.base import DjangoChatKitServer

        if not issubclass(server, DjangoChatKitServer):
            yield error(
                "E011",
                f'CHATKIT["SERVER"] ({path}) is not a DjangoChatKitServer.',
                "Subclass chatkit_app.server.DjangoChatKitServer and write respond().",
            )
            return
        if missing := sorted(getattr(server, "__abstractmethods__", ())):
            yield error(
                "E012",
                f'CHATKIT["SERVER"] ({path}) has no {", ".join(f"{name}()" for name in missing)}.',
                "Write respond() as an async generator of events, or subclass "
                "chatkit_app.agents.AgentChatKitServer, which has one.",
            )
            return
    elif not callable(server):
        yield error(
            "E011",
            f'CHATKIT["SERVER"] ({path}) is a {type(server).__name__}.',
            "Name the class, or a function that returns an instance, not an instance.",
        )
        return
    if not _takes(server, 0):
        yield error(
            "E013",
            f'CHATKIT["SERVER"] ({path}) needs arguments.',
            "It is called without any: give its parameters defaults, or name a function that fills them in.",
        )


def check_agent() -> Messages:
    """Check ``AGENT`` (E020-W022)."""
    value = value_of("AGENT")
    if value is None:
        return
    agent, problem = try_import(value) if isinstance(value, str) else (value, "")
    if problem:
        yield error(
            "E020",
            f'CHATKIT["AGENT"] ({value}) cannot be imported: {problem}',
            _hint(problem, "Name an agents.Agent, or a function that returns one, by its full dotted path."),
        )
        return
    from agents import Agent

    if isinstance(agent, type) or not (isinstance(agent, Agent) or callable(agent)):
        kind = "the class " if isinstance(agent, type) else "a "
        name = agent.__name__ if isinstance(agent, type) else type(agent).__name__
        yield error(
            "E021",
            f'CHATKIT["AGENT"] is {kind}{name}.',
            "It must be an agents.Agent, or a function that takes the context and returns one.",
        )
    elif not isinstance(agent, Agent) and not _is_agent_function(agent):
        yield error(
            "E021",
            f'CHATKIT["AGENT"] ({agent!r}) takes neither the context nor the context and the thread.',
            "The function is called as def support_agent(context): … or def support_agent(context, thread): …",
        )
    elif not uses_agent():
        yield warning(
            "W022",
            f'CHATKIT["AGENT"] is not used: CHATKIT["SERVER"] is {value_of("SERVER")}.',
            "Only chatkit_app.agents.AgentChatKitServer and its subclasses use one. Remove one of the two.",
        )


def _is_agent_function(function: Any) -> bool:
    from ..agents.setting import takes_thread

    try:
        takes_thread(function)
    except TypeError:
        return False
    return True


def uses_agent() -> bool:
    """Return whether answers come from ``AgentChatKitServer``. A function's server is unknown: then it may be."""
    path = value_of("SERVER")
    if path == DEFAULT_SERVER:
        return True
    server, problem = try_import(path)
    if problem or not isinstance(server, type):
        return not problem
    from ..agents.server import AgentChatKitServer

    return issubclass(server, AgentChatKitServer)


def check_context() -> Messages:
    """Check ``CONTEXT`` (E030-E032)."""
    yield from check_function(
        "CONTEXT",
        ids=("E030", "E031", "E032"),
        arguments=1,
        takes="the request and returns a RequestContext",
        of="of the request",
        example="def my_context(request): return MyContext.from_request(request, …)",
    )


def check_admin_scope() -> Messages:
    """Check ``ADMIN_SCOPE`` (E033-E035)."""
    yield from check_function(
        "ADMIN_SCOPE",
        ids=("E033", "E034", "E035"),
        arguments=2,
        takes="the staff member and the threads and returns those that they may see",
        of="of a user and of threads",
        example="def my_scope(user, threads): return threads.filter(…)",
    )


def check_database_context() -> Messages:
    """Check ``DATABASE_CONTEXT`` (E036-E038)."""
    yield from check_function(
        "DATABASE_CONTEXT",
        ids=("E036", "E037", "E038"),
        arguments=1,
        takes="the request and returns a DatabaseContext",
        of="of the request",
        example="def my_context(request): return MyContext(…)",
    )


def check_function(
    key: str, *, ids: tuple[str, str, str], arguments: int, takes: str, of: str, example: str
) -> Messages:
    """Check that a key names a function, or is one, that can be called with so many arguments."""
    path = value_of(key)
    if path is None:
        return
    function, problem = try_import(path) if isinstance(path, str) else (path, "")
    if problem:
        yield error(
            ids[0],
            f'CHATKIT["{key}"] ({path}) cannot be imported: {problem}',
            _hint(problem, f"Name a function that takes {takes}, by its full dotted path."),
        )
    elif inspect.iscoroutinefunction(function):
        yield error(
            ids[2],
            f'CHATKIT["{key}"] ({path}) is a coroutine function.',
            "Write it with def: it runs in a thread that may query the database.",
        )
    elif not callable(function) or isinstance(function, type) or not _takes(function, arguments):
        yield error(
            ids[1],
            f'CHATKIT["{key}"] ({path}) is not a function {of}.',
            f"Write {example} and name it.",
        )
