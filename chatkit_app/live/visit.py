"""The people at the other ends of sockets, as requests of the same browsers would be of them."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.urls import Resolver404, resolve

from .. import database_context
from ..conf import chatkit_settings
from ..context import RequestContext, build_context
from ..process.loading import endpoint_options
from . import codes
from .identity import identify


class Refused(Exception):
    """A socket that is not let in, or not any more.

    Attributes:
        code: with which it is closed, one of ``codes``.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def requests_of(asked: Sequence[tuple[Any, str]], *, are_in: bool = False) -> list[HttpRequest | Refused]:
    """Return the requests of sockets, with their sessions and their users as they are now.

    They have passed no middleware but those two, which are done here: a socket has none. Call it in a thread that may
    query the database.

    Args:
        asked: the scope of each socket, and the path of its request, for whoever looks at it.
        are_in: whether they were let in before, so that it is known which pages they are of.

    Returns:
        For each the request; or why there is none: it comes from a page of another site, or requests need a database
        context here, which only one has that has passed the site's middlewares.
    """
    if database_context.is_used():
        return [Refused(codes.NOT_HERE) for _ in asked]
    requests = [_bare_request(scope, path, is_in=are_in) for scope, path in asked]
    identify([request for request in requests if not isinstance(request, Refused)])
    return requests


def request_of(scope: Any, path: str) -> HttpRequest:
    """Return the request of one socket, as ``requests_of()`` does.

    Raises:
        Refused: when there is none.
    """
    [request] = requests_of([(scope, path)])
    if isinstance(request, Refused):
        raise request
    return request


def context_of(request: HttpRequest) -> RequestContext:
    """Return the context that a request to the endpoint of this path would have.

    Raises:
        Refused: when there is none, or it would let nobody in.
    """
    try:
        options = endpoint_options(resolve(request.path_info).func)
    except Resolver404:
        options = None
    if options is None:
        raise Refused(codes.NOT_HERE)
    if chatkit_settings.login_required and not request.user.is_authenticated:
        raise Refused(codes.SESSION_OVER)
    context = build_context(request)
    if options["namespace"] is not None:
        context.namespace = options["namespace"]
    return context


def staff_of(request: HttpRequest) -> Any:
    """Return the member of the staff who has opened a socket in the admin.

    Raises:
        Refused: when it is nobody who may see threads there.
    """
    user: Any = request.user
    if not (user.is_active and user.is_staff and user.has_perm("chatkit_app.view_thread")):
        raise Refused(codes.FORBIDDEN if user.is_authenticated else codes.SESSION_OVER)
    return user


def _bare_request(scope: Any, path: str, *, is_in: bool) -> HttpRequest | Refused:
    scheme = "https" if scope.get("scheme") == "wss" else "http"
    http = {"type": "http", "method": "GET", "scheme": scheme, "path": path, "query_string": b""}
    request = ASGIRequest({**scope, **http}, BytesIO())
    return request if is_in or _is_own_page(request) else Refused(codes.FORBIDDEN)


def _unused(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("The check of the origin never calls the next handler.")


def _is_own_page(request: HttpRequest) -> bool:
    # A browser that opens a socket always says where its page is from; cookies it may send along in any case.
    try:
        check: Any = CsrfViewMiddleware(_unused)
        return "origin" in request.headers and bool(check._origin_verified(request))
    except DisallowedHost:
        return False
