"""The endpoint: one POST per operation, and two URLs per run."""

from __future__ import annotations

import copy
import functools
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from chatkit.store import NotFoundError
from chatkit.types import ChatKitReq, StreamingReq, ThreadMetadata, ThreadsCreateReq, is_streaming_req
from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.core.handlers.asgi import ASGIRequest
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.middleware.csrf import CsrfViewMiddleware
from django.utils import translation
from django.utils.decorators import method_decorator
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.csrf import csrf_exempt

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
    ChatKitError,
    CsrfFailed,
    LimitReached,
    LoginRequired,
    NotSupported,
    RequestTooLarge,
    ServerRestarting,
    SessionChanged,
    ThreadReadOnly,
    contained,
)
from ..http.request_body import read_beginning, read_body, require_bounded, sniff_operation
from ..http.sse import EventStreamResponse
from ..limits import counters
from ..limits.address import address_key
from ..limits.rules import LimitsState, limits_of
from ..logs import get_logger
from ..models import Run as RunRow
from ..runs import registry, rows
from ..runs.frames import Frames
from ..runs.stored import StoredRun
from ..server.base import DjangoChatKitServer
from ..store import claims, codec
from ..store.orm import DjangoStore
from ..store.state import StoreState

logger = get_logger(__name__)

RUN_HEADER = "X-ChatKit-Run"
LOCALE_HEADER = "X-ChatKit-Locale"
# Of pages that were made for somebody who was logged in.
LOGIN_HEADER = "X-ChatKit-Had-Login"
FRAME_HEADER = "chatkit-frame-instance-id"

STREAMING_OPERATIONS = frozenset(kind.model_fields["type"].default for kind in StreamingReq.__args__)
# Operations that make something a visitor owns; the others find nothing for a visitor who has no id yet.
CREATING_OPERATIONS = frozenset({"threads.create", "attachments.create"})

AsyncHandler = Callable[..., Awaitable[HttpResponseBase]]

# By partition too: what makes one may have asked the database.
_servers: dict[tuple[str, str], DjangoChatKitServer] = {}


def get_server(path: str) -> DjangoChatKitServer:
    """The server that a dotted path names: a class, called without arguments, or a callable that returns one.

    It is made when first asked for, in each partition of the database, and kept.

    Raises:
        TypeError: when the path names something else.
    """
    key = (database_context.partition(), path)
    if key not in _servers:
        server = import_string(path)()
        if not isinstance(server, DjangoChatKitServer):
            raise TypeError(
                f"{path} gave {type(server).__name__}; name a subclass of chatkit_app.server.DjangoChatKitServer, "
                "or a function that returns an instance of one."
            )
        _servers[key] = server
    return _servers[key]


class _CsrfCheck(CsrfViewMiddleware):
    """Django's check, telling the reason instead of answering with a page of HTML."""

    def _reject(self, request: HttpRequest, reason: str) -> str:
        return reason


def _unused(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("The CSRF check never calls the next handler.")


def check_csrf(request: HttpRequest) -> None:
    """Raise ``CsrfFailed`` unless a header of the request carries the token. May read the session."""
    check = _CsrfCheck(_unused)
    check.process_request(request)
    asked = copy.copy(request)
    # Of a POST Django also looks into the form, and would read and parse a stranger's body for that.
    asked.method = "PUT"
    reason = check.process_view(asked, _unused, (), {})
    if reason is not None:
        logger.warning("CSRF check failed: %s", reason)
        raise CsrfFailed(_("Your session has changed. Reload the page and send your message again."))


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


@method_decorator(csrf_exempt, name="dispatch")  # checked by hand, in a way that the client can show
class EndpointView(View):
    """What the endpoint's views share: who asks, and how they are refused.

    ``login_required = False`` keeps Django's ``LoginRequiredMiddleware`` from redirecting: a client that is sent to a
    login page posts its message again and again.
    """

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
        view = super().as_view(**initkwargs)
        view.login_required = False  # type: ignore[attr-defined]
        # Django refuses to serve async views where ATOMIC_REQUESTS is set, unless they say this.
        return transaction.non_atomic_requests(view)

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
        """What the middlewares have put on the connection of the request's own thread, which is asked there."""
        if not database_context.is_used():
            return None
        return await sync_to_async(database_context.of)(request)

    @in_page_language
    async def refuse(self, request: HttpRequest, error: Exception) -> HttpResponseBase:
        """Answer a request that comes to nothing before it is looked at."""
        return refusal(error, streaming=False)

    async def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        response = _message(_("This URL does not take {} requests.").format(request.method), status=405)
        response["Allow"] = ", ".join(self.http_method_names).upper()
        return response

    async def enter(self, request: HttpRequest, operation: str | None = None) -> RequestContext:
        """The context of a request that may go on.

        Raises:
            CsrfFailed, LoginRequired: when it may not.
        """
        return await db.run(self._enter, request, operation)

    def _enter(self, request: HttpRequest, operation: str | None) -> RequestContext:
        # A database worker does not know which language is active in the view.
        with translation.override(request.LANGUAGE_CODE):
            self._check_sender(request)
            return self._build_context(request, operation)

    def _check_sender(self, request: HttpRequest) -> None:
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

    def _build_context(self, request: HttpRequest, operation: str | None) -> RequestContext:
        if operation in CREATING_OPERATIONS | STREAMING_OPERATIONS:
            self._leave_claimed_visitor(request)
        context = self._context_of(request)
        if operation in CREATING_OPERATIONS and is_new_visitor(request):
            counters.spend(context, counters.VISITORS)
            ensure_visitor(request)
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

    def _leave_claimed_visitor(self, request: HttpRequest) -> None:
        """A visitor who has logged in is nobody any more; what still comes of him is for the user."""
        if request.user.is_authenticated:
            return
        visitor_id = request.session.get(VISITOR_KEY) or visitor_of_seed(request)
        if visitor_id is None or not claims.is_claimed(visitor_id):
            return
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
        """The endpoint's whole address, beside which those of runs and attachments are."""
        # Not ``request.path``: behind a proxy that strips a prefix it lacks FORCE_SCRIPT_NAME, which reverse() adds.
        path = request.META.get("SCRIPT_NAME", "").rstrip("/") + request.path_info
        return request.build_absolute_uri(path.rsplit("/", self.depth)[0])

    async def get_server(self) -> DjangoChatKitServer:
        """The server that answers here."""
        path = self.server or chatkit_settings.server
        # In a worker when it is not made yet, since a function that makes one may ask the database.
        server = _servers.get((database_context.partition(), path))
        return server if server is not None else await db.run(get_server, path)


@dataclass(frozen=True, kw_only=True)
class Entered:
    """A request that may go on: what it wants, for whom, and the run that the very same request has started already."""

    parsed: ChatKitReq
    context: RequestContext
    key: str = ""
    repeated: RunRow | None = None


class ChatKitView(EndpointView):
    """``POST /chatkit``: every ChatKit operation.

    Streaming operations always answer 200 with an event stream, also when they are refused: the client repeats a
    5xx, a redirect or a page five times, and drops the user's message without a word on a 4xx.
    """

    http_method_names = ["post"]

    @in_page_language
    async def refuse(self, request: HttpRequest, error: Exception) -> HttpResponseBase:
        return refusal(error, streaming=names_streaming_operation(read_beginning(request)))

    @in_page_language
    async def post(self, request: HttpRequest) -> HttpResponseBase:
        body = b""
        try:
            body = read_body(request)
            server = await self.get_server()
            entered = await db.run(self._enter_with, request, server, body)
            parsed, context = entered.parsed, entered.context
            if is_streaming_req(parsed):
                return await self._stream(request, server, parsed, entered)
            with contained():
                reply = await server.reply(parsed, context)
            if parsed.type == "threads.delete":
                self._stop_writing(parsed.params.thread_id)
            response = HttpResponse(reply, content_type="application/json")
            response["Cache-Control"] = "no-store"
            return response
        except RequestTooLarge as error:
            return refusal(error, streaming=names_streaming_operation(body or read_beginning(request)))
        except (SessionChanged, ServerRestarting) as error:
            # No stream: the client sends the request again, to another process or with another session.
            return refusal(error, streaming=False)
        except Exception as error:
            return refusal(error, streaming=names_streaming_operation(body))

    async def _stream(
        self, request: HttpRequest, server: DjangoChatKitServer, parsed: StreamingReq, entered: Entered
    ) -> EventStreamResponse:
        context, repeated = entered.context, entered.repeated
        live = registry.find_repeated(entered.key)
        if live is not None and repeated is None:
            # This process may still keep what was redacted through another one.
            repeated = await db.run(rows.find_withdrawn_row, live.public_id)
        # What this process knows of its own run is newer than the row.
        if repeated is not None and (
            repeated.withdrawn or (live is None and registry.get_live(repeated.public_id) is None)
        ):
            return run_response(StoredRun(repeated.pk, self.endpoint_url(request)), repeated.public_id)
        if live is None:
            try:
                frame_id = request.headers.get(FRAME_HEADER, "")
                live = await registry.start(
                    server, parsed, context, request_key=entered.key, frame_id=frame_id
                )
            except ThreadReadOnly as error:
                thread = context.state(StoreState).loaded_threads.get(getattr(parsed.params, "thread_id", ""))
                return closed_response(error, thread)
        return run_response(live, live.public_id)

    def _enter_with(self, request: HttpRequest, server: DjangoChatKitServer, body: bytes) -> Entered:
        """Look at the body once its sender has been let in; in a worker, since even what is allowed takes a while."""
        with translation.override(request.LANGUAGE_CODE):
            self._check_sender(request)
            require_bounded(body)
            parsed = server.parse(body)
            if is_streaming_req(parsed) and not isinstance(request, ASGIRequest):
                raise NotSupported(
                    _("Answers can only be streamed under ASGI. Serve this site with an ASGI server.")
                )
            context = self._build_context(request, parsed.type)
            if not is_streaming_req(parsed):
                return Entered(parsed=parsed, context=context)
            if isinstance(server.store, DjangoStore) and not isinstance(parsed, ThreadsCreateReq):
                server.store.prefetch_thread(parsed.params.thread_id, context)
            key = self._request_key(request, context, body)
            repeated = rows.find_repeated_row(key) if key else None
            return Entered(parsed=parsed, context=context, key=key, repeated=repeated)

    def _request_key(self, request: HttpRequest, context: RequestContext, body: bytes) -> str:
        frame_id = request.headers.get(FRAME_HEADER, "")
        if not frame_id:
            return ""
        part = database_context.partition()
        owner = f"{part}\n{context.user_id}\n{context.visitor_id}\n{context.namespace}\n{request.path}\n{frame_id}\n"
        return hashlib.sha256(owner.encode() + body).hexdigest()

    def _stop_writing(self, thread_id: str) -> None:
        live = registry.live_run_of_thread(thread_id)
        if live is not None:
            live.stop()


class RunView(EndpointView):
    """What the two URLs of a run share."""

    depth = 3

    async def load_run(self, request: HttpRequest, public_id: str) -> RunRow:
        live = registry.get_live(public_id)
        if live is not None:
            # Its id was told to the client before its thread was made.
            await live.recorded()
        return await db.run(self._load_run, request, public_id)

    def _load_run(self, request: HttpRequest, public_id: str) -> RunRow:
        context = self._enter(request, None)
        row = None
        if codec.is_storable_id(public_id):
            row = RunRow.objects.owned_by(context).filter(public_id=public_id).first()
        if row is None:
            raise NotFoundError(f"Run {public_id!r} not found")
        return row


class RunEventsView(RunView):
    """``GET /chatkit/runs/<id>/events``: the answer from its first event, followed to its end."""

    http_method_names = ["get"]

    @in_page_language
    async def get(self, request: HttpRequest, run_id: str) -> HttpResponseBase:
        try:
            row = await self.load_run(request, run_id)
        except Exception as error:
            return refusal(error, streaming=False)
        live = None if row.withdrawn else registry.get_live(run_id)
        return run_response(live or StoredRun(row.pk, self.endpoint_url(request)), run_id)


class RunStopView(RunView):
    """``POST /chatkit/runs/<id>/stop``: end the answer, keeping what there is of it."""

    http_method_names = ["post"]

    @in_page_language
    async def post(self, request: HttpRequest, run_id: str) -> HttpResponseBase:
        try:
            row = await self.load_run(request, run_id)
            stopped = await registry.stop(row)
        except Exception as error:
            return refusal(error, streaming=False)
        return JsonResponse({"stopped": stopped})


def run_response(source: Any, run_id: str) -> EventStreamResponse:
    response = EventStreamResponse(source, keep_alive=chatkit_settings.keep_alive)
    response[RUN_HEADER] = run_id
    return response


def closed_response(error: ThreadReadOnly, thread: ThreadMetadata | None) -> EventStreamResponse:
    """The refusal, and how the thread is now: a page that was opened before can close its composer."""
    frames = [codec.to_frame(DjangoChatKitServer.error_event(error))]
    if thread is not None:
        now = thread.model_copy(update={"status": error.thread_status})
        frames.append(codec.to_frame(codec.thread_event(now)))
    return EventStreamResponse(Frames(*frames, done=True), keep_alive=chatkit_settings.keep_alive)


def names_streaming_operation(body: bytes) -> bool:
    """Whether the client of this request waits for a stream, as far as the body lets one know."""
    return sniff_operation(body) in STREAMING_OPERATIONS


def refusal(error: Exception, *, streaming: bool) -> HttpResponseBase:
    """An error in the form that the client of this kind of operation can show."""
    if streaming:
        event = DjangoChatKitServer.error_event(error)
        return EventStreamResponse(
            Frames(codec.to_frame(event), done=True), keep_alive=chatkit_settings.keep_alive
        )
    match error:
        case ChatKitError():
            response = _message(error.message, status=error.status)
            if isinstance(error, LimitReached) and error.retry_after is not None:
                response["Retry-After"] = str(error.retry_after)
            return response
        case NotFoundError():
            return _message(_("This conversation or part of it no longer exists."), status=404)
        case SuspiciousOperation() | BadRequest() | MultiPartParserError():
            return _message(_("The request was refused."), status=400)
    logger.error("A ChatKit request failed", exc_info=error)
    return _message(_("Something went wrong. Please try again."), status=500)


def _message(text: str, *, status: int) -> JsonResponse:
    response = JsonResponse({"message": text}, status=status)
    response["Cache-Control"] = "no-store"
    return response
