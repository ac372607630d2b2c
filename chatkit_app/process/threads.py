"""Threads that work runs in: that of an answer, which outlives its request, and that of a site's own code.

Under ASGI a request has threads of its own, which end with it; a synchronous middleware gives it one that ends even
before its stream does. Code that goes on afterwards must not look for them. Under ``async_to_sync``, as in a
``TestCase``, the whole event loop belongs to one thread, and to that thread's transaction.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import socket
import weakref
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar, get_origin

from asgiref.sync import AsyncToSync, SyncToAsync
from django.db import connections

from .. import database_context

P = ParamSpec("P")
R = TypeVar("R")


def callers_thread() -> Executor | None:
    """Return what runs code in the thread that waits for the running event loop in ``async_to_sync``.

    Returns:
        None in a server. It is the loop that decides and not the context: a task inherits the context of the
        request that made it, with threads that may have ended.
    """
    try:
        return AsyncToSync.loop_thread_executors.get(asyncio.get_running_loop())
    except RuntimeError:
        return None


def context_beyond_request() -> contextvars.Context:
    """Return a copy of the current context, language included, without the threads of its request."""
    context = contextvars.copy_context()
    context.run(_forget_request_threads)
    return context


def _forget_request_threads() -> None:
    AsyncToSync.executors.current = None
    SyncToAsync.thread_sensitive_context.set(None)  # type: ignore[arg-type]
    SyncToAsync.deadlock_context.set(False)


def release_request_thread() -> None:
    """Give back the thread, and the connection in it, that Django keeps for a request until its response ends.

    Everything synchronous about the request is over when its stream begins. Should anything synchronous come
    after all (``response.close()`` does), asgiref starts a new thread for that moment.
    """
    sensitive = SyncToAsync.thread_sensitive_context.get(None)
    if sensitive is None or getattr(sensitive, "_executor", None) is not None:
        return  # no thread of its own, or one that chatkit_app.asgi shares among requests
    executor = SyncToAsync.context_to_thread_executor.pop(sensitive, None)
    if executor is not None:
        executor.submit(connections.close_all)
        executor.shutdown(wait=False)


class SiteThreads(ThreadPoolExecutor):
    """Threads for a site's own synchronous code that goes through ``asyncio.to_thread()``, as the SDK calls tools.

    It runs in the event loop's default executor, whose database connections are nobody's: a broken one would be used
    for ever, and one from psycopg's pool would never go back. Here a connection lives as long as the call that opened
    it, and belongs to the current ``DatabaseContext``; under ``async_to_sync`` the call joins the caller's thread and
    its transaction.
    """

    def __init__(self) -> None:
        super().__init__(thread_name_prefix="chatkit-site")

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        if not _looks_up_hosts(fn):
            fn = database_context.bound(fn)
        executor = callers_thread()
        if executor is not None:
            return executor.submit(fn, *args, **kwargs)
        return super().submit(_and_close_connections, fn, *args, **kwargs)


def _looks_up_hosts(fn: object) -> bool:
    """Return whether it is the event loop itself that calls: that needs no database, and must not fail with it."""
    return fn in (socket.getaddrinfo, socket.getnameinfo)


def _and_close_connections(fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    try:
        return fn(*args, **kwargs)
    finally:
        connections.close_all()


def on_site_threads(function: Any) -> Any:
    """Return the function as one to be awaited, which runs in a thread; what is not synchronous, as it is.

    The SDK calls much of a site's code in the event loop, where Django refuses every query, and where everybody waits
    for what it does.
    """
    if not callable(function) or _is_type(function) or _is_async(function):
        return function

    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        result = await asyncio.to_thread(function, *args, **kwargs)
        return await result if inspect.isawaitable(result) else result

    return call


def _is_type(value: Any) -> bool:
    """Return whether it is a class, or one with parameters, such as the ``list[str]`` that an agent's output may be."""
    return isinstance(value, type) or get_origin(value) is not None


def _is_async(function: Any) -> bool:
    return any(inspect.iscoroutinefunction(each) for each in (function, type(function).__call__))


_looked_after: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()


def install_site_threads() -> None:
    """Make ``SiteThreads`` the default executor of the running event loop, once."""
    loop = asyncio.get_running_loop()
    if loop not in _looked_after:
        _looked_after.add(loop)
        loop.set_default_executor(SiteThreads())
