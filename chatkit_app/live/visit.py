"""The person at the other end of a socket, as a request of the same browser would be of them."""

from __future__ import annotations

from importlib import import_module
from io import BytesIO
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
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


class Refused(Exception):
    """A socket that is not let in, or not any more.

    Attributes:
        code: with which it is closed, one of ``codes``.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def request_of(scope: Any, path: str = "/") -> HttpRequest:
    """Return the request of a socket, with its session and its user as they are now.

    It has passed no middleware but those two, which are done here: a socket has none. Call it in a thread that may
    query the database.

    Args:
        scope: the socket's, of ASGI.
        path: the path of the request, for whoever looks at it.

    Raises:
        Refused: when it comes from a page of another site, or where requests need a database context, which only a
            request has that has passed the site's middlewares.
    """
    if database_context.is_used():
        raise Refused(codes.NOT_HERE)
    scheme = "https" if scope.get("scheme") == "wss" else "http"
    http = {"type": "http", "method": "GET", "scheme": scheme, "path": path, "query_string": b""}
    request = ASGIRequest({**scope, **http}, BytesIO())
    if not _is_own_page(request):
        raise Refused(codes.FORBIDDEN)
    store = import_module(settings.SESSION_ENGINE).SessionStore
    request.session = store(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    request.user = get_user(request)
    return request


def context_of(scope: Any, endpoint: str) -> RequestContext:
    """Return the context that a request of this browser to an endpoint would have.

    Args:
        scope: the socket's, of ASGI.
        endpoint: the endpoint's path, as the browser knows it.

    Raises:
        Refused: when there is none, or it would let nobody in.
    """
    request = request_of(scope, endpoint)
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


def staff_of(scope: Any) -> Any:
    """Return the member of the staff who has opened a socket in the admin.

    Raises:
        Refused: when it is nobody who may see threads there.
    """
    user = request_of(scope).user
    if not (user.is_active and user.is_staff and user.has_perm("chatkit_app.view_thread")):
        raise Refused(codes.FORBIDDEN if user.is_authenticated else codes.SESSION_OVER)
    return user


def _unused(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("The check of the origin never calls the next handler.")


def _is_own_page(request: HttpRequest) -> bool:
    # A browser that opens a socket always says where its page is from; cookies it may send along in any case.
    try:
        check: Any = CsrfViewMiddleware(_unused)
        return "origin" in request.headers and bool(check._origin_verified(request))
    except DisallowedHost:
        return False
