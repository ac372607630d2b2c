"""The base of all views of the endpoint: who asks, from which page, and how they are refused."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import translation
from django.utils.translation import gettext as _
from django.views import View

from .. import database_context, db
from ..conf import chatkit_settings
from ..context import (
    SEED_COOKIE,
    VISITOR_KEY,
    RequestContext,
    ask_again,
    build_context,
    ensure_visitor,
    has_come_again,
    has_lost_session,
    has_used_seed,
    is_new_visitor,
    keep_session,
    leave_session_cookie,
    visitor_of_seed,
)
from ..database_context import DatabaseContext
from ..errors import (
    LoginRequired,
    SessionChanged,
)
from ..limits import counters
from ..limits.address import address_key
from ..limits.rules import LimitsState, limits_of
from ..logs import get_logger
from ..process.loading import without_site_rules
from ..server.base import DjangoChatKitServer
from ..server.setting import cached_server, get_server
from ..store import claims
from .csrf import check_csrf
from .refusals import message_response, refusal
from .session import load_session, save_session

logger = get_logger(__name__)

LOCALE_HEADER = "X-ChatKit-Locale"
# Of pages that were made for somebody who was logged in.
LOGIN_HEADER = "X-ChatKit-Had-Login"

# Operations that make something a visitor owns; the others find nothing for a visitor who has no id yet.
CREATING_OPERATIONS = frozenset({"threads.create", "attachments.create"})

AsyncHandler = Callable[..., Awaitable[HttpResponseBase]]


def in_page_language(handler: AsyncHandler) -> AsyncHandler:
    """Run a handler in the language of the page, which our header names; else in the one that is active.

    The client computes its own ``Accept-Language`` wrongly for some languages.
    """

    @functools.wraps(handler)
    async def handle(view: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        locale = request.headers.get(LOCALE_HEADER, "")
        if not translation.check_for_language(locale):
            locale = translation.get_language() or settings.LANGUAGE_CODE
        request.LANGUAGE_CODE = locale
        with translation.override(locale):
            return await handler(view, request, *args, **kwargs)

    return handle


def json_response(body: bytes) -> HttpResponse:
    """Return JSON that nobody keeps."""
    response = HttpResponse(body, content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response


class EndpointView(View):
    """The base of the endpoint's views: who asks, and how they are refused."""

    server: str | None = None
    namespace: str | None = None
    # How many parts of a path stand behind that of the endpoint.
    depth = 0
    http_method_names = ["get", "post"]
    # Of this request: Django makes a view for each.
    seed_is_used = False
    leaves_session = False
    asks_again = False
    new_visitor: str | None = None

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., HttpResponseBase]:
        return without_site_rules(super().as_view(**initkwargs))

    async def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        try:
            context = await self.ask_database_context(request)
        except Exception as error:
            return await self.refuse(request, error)
        with database_context.using(context):
            response: HttpResponseBase = await super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
            if self.new_visitor is not None and await db.run(claims.is_claimed, self.new_visitor):
                self.leaves_session = True  # a login has been faster
        # Django sets no session cookie on an error of the server, and without one the seed is still needed.
        if self.seed_is_used and response.status_code < 500:
            response.delete_cookie(SEED_COOKIE, samesite="Lax")
        if self.asks_again:
            ask_again(request, response)
        if self.leaves_session:
            leave_session_cookie(request)
        elif settings.SESSION_SAVE_EVERY_REQUEST and response.status_code < 500:
            await db.run(self._keep_session, request)
        return response

    def _keep_session(self, request: HttpRequest) -> None:
        visitor_id = request.session.get(VISITOR_KEY)
        if visitor_id and claims.is_claimed(visitor_id):
            leave_session_cookie(request)  # the login's is newer
        else:
            keep_session(request)

    async def ask_database_context(self, request: HttpRequest) -> DatabaseContext | None:
        """Return what the middlewares have put on the connection of the request's own thread, which is asked there."""
        if not database_context.is_used():
            return None
        return await sync_to_async(database_context.of)(request)

    @in_page_language
    async def refuse(self, request: HttpRequest, error: Exception) -> HttpResponseBase:
        """Answer a request that comes to nothing before it is looked at."""
        return refusal(error, streaming=False)

    async def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        response = message_response(
            _("This URL does not take {} requests.").format(request.method), status=405
        )
        response["Allow"] = ", ".join(self.http_method_names).upper()
        return response

    async def enter(self, request: HttpRequest, operation: str | None = None) -> RequestContext:
        """Return the context of a request that may go on.

        Raises:
            CsrfFailed, LoginRequired: when it may not.
        """
        return await db.run(self.enter_in_worker, request, operation)

    def enter_in_worker(self, request: HttpRequest, operation: str | None) -> RequestContext:
        # A database worker does not know which language is active in the view.
        with translation.override(request.LANGUAGE_CODE):
            self.check_sender(request)
            return self.context_for(request, operation)

    def check_sender(self, request: HttpRequest) -> None:
        load_session(request)
        if has_lost_session(request):
            self.leaves_session = True
            if request.method != "GET":
                self._ask_again_once(request)
        if request.method != "GET":
            check_csrf(request)
        if chatkit_settings.login_required and not request.user.is_authenticated:
            if LOGIN_HEADER in request.headers:
                raise LoginRequired(_("Your session has ended. Reload the page and log in again."))
            raise LoginRequired(_("Please log in to go on."))

    def context_for(self, request: HttpRequest, operation: str | None) -> RequestContext:
        if operation in CREATING_OPERATIONS and claims.is_claimed(self.visitor_of(request) or ""):
            self.leave_visitor(request)
        context = self._context_of(request)
        if operation in CREATING_OPERATIONS and is_new_visitor(request):
            counters.spend(context, counters.VISITOR_USES)
            ensure_visitor(request, save=save_session)
            context = self._context_of(request)
            self.leaves_session = False
            self.new_visitor = context.visitor_id
        self.seed_is_used = has_used_seed(request)
        limits_of(context)
        return context

    def _ask_again_once(self, request: HttpRequest) -> None:
        if not has_come_again(request):
            self.asks_again = self.leaves_session = True
            raise SessionChanged

    def visitor_of(self, request: HttpRequest) -> str | None:
        """Return the visitor whom a request of nobody who is logged in names, or is about to make."""
        if request.user.is_authenticated:
            return None
        return request.session.get(VISITOR_KEY) or visitor_of_seed(request)

    def leave_visitor(self, request: HttpRequest) -> None:
        """Forget a visitor who has logged in; what still comes of them is for the user.

        Raises:
            SessionChanged: when the client has not sent the request again yet, with the session of the login.
        """
        self._ask_again_once(request)
        # The login's cookie has not come to this browser, or has gone again: here is somebody else.
        request.session.pop(VISITOR_KEY, None)
        request.COOKIES.pop(SEED_COOKIE, None)

    def _context_of(self, request: HttpRequest) -> RequestContext:
        context = build_context(request)
        if self.namespace is not None:
            context.namespace = self.namespace
        context.endpoint_url = self.endpoint_url(request)
        context.state(LimitsState).address_key = address_key(request)
        return context

    def endpoint_url(self, request: HttpRequest) -> str:
        """Return the endpoint's whole address, beside which those of runs and attachments are."""
        # Not ``request.path``: behind a proxy that strips a prefix it lacks FORCE_SCRIPT_NAME, which reverse() adds.
        path = request.META.get("SCRIPT_NAME", "").rstrip("/") + request.path_info
        return request.build_absolute_uri(path.rsplit("/", self.depth)[0])

    async def get_server(self) -> DjangoChatKitServer:
        """Return the server that answers here."""
        path = self.server or chatkit_settings.server
        # In a worker when it is not made yet, since a function that makes one may ask the database.
        server = cached_server(path)
        return server if server is not None else await db.run(get_server, path)
