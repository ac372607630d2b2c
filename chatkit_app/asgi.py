"""Django's ASGI application, with few threads and few changes between them. In your ``asgi.py``::

    from chatkit_app.asgi import get_asgi_application

    application = get_asgi_application()

Django keeps a thread for each request in flight, so that a thousand open requests are a thousand threads, each with a
database connection of its own as soon as it queries; and it enters and leaves that thread twice for every middleware.
Here ``CHATKIT["REQUEST_THREADS"]`` threads are shared by all requests, and neighbouring middlewares run in one go; in
no thread at all where they are Django's own and have nothing to save. A request that has done nothing in a thread needs
none to end in either. What belongs to one request still runs in one
thread, in the same order. Where ``CHATKIT["DATABASE_CONTEXT"]`` is used, a request has a thread of its own here too.
Open pages hear what happens by WebSockets, which are served here as well; a site with sockets of its own adds
``chatkit_app.routing.websocket_urlpatterns`` to its router. The endpoint works under Django's own
``get_asgi_application()`` as well.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import django
from asgiref.sync import ThreadSensitiveContext, iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.core import signals
from django.core.cache import caches, close_caches
from django.core.cache.backends.base import BaseCache
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import reset_urlconf
from django.core.handlers.exception import response_for_exception
from django.db import close_old_connections, reset_queries
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.urls import get_resolver, set_script_prefix, set_urlconf
from django.utils.deprecation import MiddlewareMixin

from . import database_context, db
from .http.bounded_body import bounded
from .process import garbage, shutdown
from .process.loading import load_views

ASGIApplication = Callable[[Any, Any, Any], Awaitable[None]]
AsyncHandler = Callable[[HttpRequest], Awaitable[HttpResponseBase]]

# Unless there is something to save, these wait for nothing, and to change the thread for them costs more than they do.
_QUIET = frozenset(
    {
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.middleware.locale.LocaleMiddleware",
        "django.middleware.security.SecurityMiddleware",
    }
)

# What Django itself does before and after each request: to caches and connections, which are looked after where they
# are used, and to the URLconf.
_RECEIVERS: dict[Signal, set[Any]] = {
    signals.request_started: {reset_queries, close_old_connections},
    signals.request_finished: {close_caches, close_old_connections, reset_urlconf},
}
_LANE = "chatkit.lane"
"""The key of a scope under which the request's ``RequestLane`` is."""


def get_asgi_application() -> ASGIApplication:
    """Set Django up and return its application. Takes the place of Django's function of this name.

    The URLconf, and with it the SDK, is loaded now and not while the first visitor waits. The process looks for cyclic
    garbage less often from now on; a site that wants it otherwise calls ``gc.set_threshold()`` after this.
    """
    django.setup(set_prefix=False)
    application = GroupingASGIHandler()
    _ = get_resolver().url_patterns
    load_views()
    garbage.collect_less_often()
    return with_sockets(share_threads(application))


def with_sockets(application: ASGIApplication) -> ASGIApplication:
    """Serve the app's WebSockets beside an application that has none. A socket of another address is closed."""
    from .routing import websocket_urlpatterns  # needs the app registry, which this module is there to fill

    # Not by Channels' router: of each open page it would keep a frame, and a copy of its scope.
    sockets: dict[str, Any] = {f"/{route.pattern}": route.callback for route in websocket_urlpatterns}

    async def served(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "websocket":
            await application(scope, receive, send)
            return
        # Where the site has a path of its own in front of all others, servers name that as well.
        serve = sockets.get(scope["path"].removeprefix(scope.get("root_path", "")))
        if serve is not None:
            await serve(scope, receive, send)
            return
        await receive()
        await send({"type": "websocket.close"})

    return served


def share_threads(application: ASGIApplication) -> ASGIApplication:
    """Wrap any ASGI application over Django, such as a Channels ``ProtocolTypeRouter``.

    At the end of the process running answers are saved and closed, and then the threads and their connections.
    """

    async def shared(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await follow_lifespan(receive, send)
            return
        if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD"):
            receive = bounded(scope["path"], receive)
        if database_context.is_used():
            # What a middleware puts on a connection would be there for other requests in the same thread.
            await application(scope, receive, send)
            return
        lane = db.RequestLane()
        async with ThreadSensitiveContext(executor=lane):
            try:
                await application({**scope, _LANE: lane}, receive, send)
            finally:
                lane.end()

    return shared


async def follow_lifespan(receive: Any, send: Any) -> None:
    """Follow ASGI's lifespan: end the answers being made, and the MCP servers they use, before the process ends."""
    from .agents import mcp_servers  # needs the app registry, which this module is there to fill

    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await shutdown.interrupt_all()
            await mcp_servers.close_all()
            await asyncio.to_thread(db.shutdown)
            await send({"type": "lifespan.shutdown.complete"})
            return


class GroupingASGIHandler(ASGIHandler):
    """Django's handler, with fewer changes of threads.

    It runs neighbouring plain ``MiddlewareMixin`` classes in one of them, and makes none to begin and to end a request
    of which nobody but Django wants to hear.
    """

    _middleware_chain: Any
    _view_middleware: list[Any]

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=is_async)
        if is_async:
            self._middleware_chain = group_middleware(self._middleware_chain)
            self._view_middleware = [_without_exempt(process) for process in self._view_middleware]

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request as Django does, without the signals at its two ends where only Django receives them."""
        if _LANE not in scope or _has_other_receivers(type(self)):
            await super().handle(scope, receive, send)
            return
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        with contextlib.closing(body):
            set_script_prefix(get_script_prefix(scope))
            request, response = self.create_request(scope, body)
            if request is not None:
                response = await self._answer(request, receive, send)
            elif response is not None:
                await self.send_response(response, send)
            if response is None:
                await signals.request_finished.asend(sender=type(self))
            elif _close_at_once(request, response):
                set_urlconf(None)
            else:
                await sync_to_async(response.close)()

    async def _answer(self, request: Any, receive: Any, send: Any) -> Any:
        """Return the response that was sent, at least in part; None where the client left before there was one."""
        answering = asyncio.create_task(self._send_answer(request, send))
        leaving = asyncio.create_task(self.listen_for_disconnect(receive))
        await asyncio.wait([leaving, answering], return_when=asyncio.FIRST_COMPLETED)
        for task in (leaving, answering):
            if not task.done():
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError, RequestAborted):
                await task
        return None if answering.cancelled() else answering.result()

    async def _send_answer(self, request: Any, send: Any) -> Any:
        response = await self.run_get_response(request)
        with contextlib.suppress(asyncio.CancelledError):  # the client has left
            await self.send_response(response, send)
        return response


def _has_other_receivers(sender: type) -> bool:
    """Return whether somebody else than Django wants to hear of the beginning or the end of requests."""
    for signal, djangos in _RECEIVERS.items():
        synchronous, asynchronous = signal._live_receivers(sender)
        if asynchronous or not djangos.issuperset(synchronous):
            return True
    return False


def _close_at_once(request: Any, response: Any) -> bool:
    """Close a response that leaves nothing open: no file, no iterator, no cache. Returns whether that has been done."""
    if type(response).close is not HttpResponseBase.close:
        return False
    if any(type(cache).close is not BaseCache.close for cache in caches.all(initialized_only=True)):
        return False
    close_in_loop = getattr(response, "close_in_loop", None)
    others = [closer for closer in response._resource_closers if request is None or closer != request.close]
    if others and (close_in_loop is None or not close_in_loop()):
        return False
    if request is not None:
        request.close()
    response.closed = True
    return True


def _without_exempt(process_view: Any) -> Any:
    """Return the CSRF middleware's ``process_view()`` so that it changes no threads for views it does nothing for."""
    inner = getattr(process_view, "__wrapped__", process_view)
    if getattr(inner, "__func__", None) is not CsrfViewMiddleware.process_view:
        return process_view

    async def process(request: HttpRequest, callback: Any, args: Any, kwargs: Any) -> Any:
        if getattr(callback, "csrf_exempt", False):
            return None
        return await process_view(request, callback, args, kwargs)

    return process


def group_middleware(handler: Any) -> Any:
    """Return the chain that begins at ``handler``, with its first run of plain middlewares as one group."""
    members: list[Any] = []
    inner = handler
    while _is_plain(getattr(inner, "__wrapped__", None)):
        members.append(inner.__wrapped__)
        inner = members[-1].get_response
    if len(members) < 2 or not iscoroutinefunction(inner):
        return handler
    return MiddlewareGroup(members, inner)


def _is_plain(middleware: Any) -> bool:
    """Return whether all that a middleware does stands in process_request() and process_response()."""
    kind = type(middleware)
    return (
        isinstance(middleware, MiddlewareMixin)
        and kind.__call__ is MiddlewareMixin.__call__
        and kind.__acall__ is MiddlewareMixin.__acall__
        and not iscoroutinefunction(getattr(middleware, "process_request", None))
        and not iscoroutinefunction(getattr(middleware, "process_response", None))
    )


class MiddlewareGroup:
    """Several middlewares as one: in through all of them, then the inner handler, then out through all of them.

    What each sees is what it sees in Django's chain: one that answers a request keeps it from those inside it and
    still gets to process its own response; an exception becomes a response for those outside.
    """

    def __init__(self, members: list[Any], get_response: AsyncHandler) -> None:
        self.members = members
        self.get_response = get_response
        self._are_quiet = all(_path(type(member)) in _QUIET for member in members)
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if self._are_quiet and _touches_no_store():
            found, depth = self._enter(request)
        else:
            found, depth = await sync_to_async(self._enter)(request)
        response = await self.get_response(request) if found is None else await _response(request, found)
        while depth:
            if self._are_quiet and _touches_no_store() and _has_nothing_to_save(request, response):
                left, depth = self._leave(request, response, depth)
            else:
                left, depth = await sync_to_async(self._leave)(request, response, depth)
            response = await _response(request, left)
        return response

    def _enter(self, request: HttpRequest) -> tuple[HttpResponseBase | Exception | None, int]:
        """Return the response, or the error, of the first that has one, and how many have been entered."""
        for depth, member in enumerate(self.members):
            if not hasattr(member, "process_request"):
                continue
            try:
                response = member.process_request(request)
            except Exception as error:
                return error, depth
            if response:
                return response, depth + 1
        return None, len(self.members)

    def _leave(
        self, request: HttpRequest, response: HttpResponseBase, depth: int
    ) -> tuple[HttpResponseBase | Exception, int]:
        """Return the response, or the first error, and how many are still to be left."""
        while depth:
            depth -= 1
            member = self.members[depth]
            if hasattr(member, "process_response"):
                try:
                    response = member.process_response(request, response)
                except Exception as error:
                    return error, depth
        return response, 0


def _path(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _touches_no_store() -> bool:
    """Return whether sessions and messages are kept as Django keeps them, so that nothing of them is loaded unasked."""
    return (
        not settings.CSRF_USE_SESSIONS
        and settings.SESSION_ENGINE.startswith("django.contrib.sessions.backends.")
        and settings.MESSAGE_STORAGE.startswith("django.contrib.messages.storage.")
    )


def _has_nothing_to_save(request: Any, response: HttpResponseBase) -> bool:
    """Return whether the session stays as it is, no message waits to be shown, and no other address is looked for."""
    session, messages = getattr(request, "session", None), getattr(request, "_messages", None)
    # A view may have put something of its own in the place of either.
    is_changed = session is not None and (
        getattr(session, "modified", True) or settings.SESSION_SAVE_EVERY_REQUEST
    )
    is_said = messages is not None and (
        getattr(messages, "used", True) or getattr(messages, "added_new", True)
    )
    return response.status_code != 404 and not is_changed and not is_said


async def _response(request: HttpRequest, found: HttpResponseBase | Exception) -> HttpResponseBase:
    """Return the response, or the one to an error, which may be a page of the site's."""
    if isinstance(found, Exception):
        response: HttpResponseBase = await sync_to_async(response_for_exception)(request, found)
        return response
    return found
