"""The endpoint: one POST per operation, and two URLs per run."""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import sync_to_async
from chatkit.store import NotFoundError
from chatkit.types import StreamingReq, ThreadMetadata, ThreadsCreateReq, is_streaming_req
from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.core.handlers.asgi import ASGIRequest
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import RawPostDataException
from django.middleware.csrf import CsrfViewMiddleware
from django.utils import translation
from django.utils.decorators import method_decorator
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from . import codec, database_context, db, run_rows, runs
from .conf import chatkit_settings
from .context import SEED_COOKIE, RequestContext, build_context, ensure_visitor, has_used_seed
from .database_context import DatabaseContext
from .errors import (
    ChatKitError,
    CsrfFailed,
    InvalidRequest,
    LoginRequired,
    NotSupported,
    RequestTooLarge,
    ThreadReadOnly,
)
from .frames import Frames
from .models import Run as RunRow
from .replay import StoredRun
from .server import DjangoChatKitServer
from .sse import EventStreamResponse
from .store import DjangoStore

logger = logging.getLogger(__name__)

RUN_HEADER = "X-ChatKit-Run"
LOCALE_HEADER = "X-ChatKit-Locale"
FRAME_HEADER = "chatkit-frame-instance-id"

STREAMING_OPERATIONS = frozenset(kind.model_fields["type"].default for kind in StreamingReq.__args__)
# Operations that make something a visitor owns; the others find nothing for a visitor who has no id yet.
CREATING_OPERATIONS = frozenset({"threads.create", "attachments.create"})

AsyncHandler = Callable[..., Awaitable[HttpResponseBase]]

_OPERATION = re.compile(rb'"type"\s*:\s*"([a-z_.]+)"')

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
    """Raise ``CsrfFailed`` unless the request carries the token. May read the session."""
    check = _CsrfCheck(_unused)
    check.process_request(request)
    reason = check.process_view(request, _unused, (), {})
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
        # Django sets no session cookie on an error of the server, and without one the seed is still needed.
        if self.seed_is_used and response.status_code < 500:
            response.delete_cookie(SEED_COOKIE, samesite="Lax")
        return response

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
            return self._check_in(request, operation)

    def _check_in(self, request: HttpRequest, operation: str | None) -> RequestContext:
        if request.method != "GET":
            check_csrf(request)
        if chatkit_settings.login_required and not request.user.is_authenticated:
            raise LoginRequired(_("Your session has ended. Reload the page and log in again."))
        if operation in CREATING_OPERATIONS:
            ensure_visitor(request)
        self.seed_is_used = has_used_seed(request)
        context = build_context(request)
        if self.namespace is not None:
            context.namespace = self.namespace
        context.memory.endpoint_url = self.endpoint_url(request)
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
            parsed = server.parse(body)
            if is_streaming_req(parsed):
                if not isinstance(request, ASGIRequest):
                    raise NotSupported(
                        _("Answers can only be streamed under ASGI. Serve this site with an ASGI server.")
                    )
                return await self._stream(request, server, parsed, body)
            context = await self.enter(request, parsed.type)
            reply = await server.reply(parsed, context)
            if parsed.type == "threads.delete":
                self._stop_writing(parsed.params.thread_id)
            response = HttpResponse(reply, content_type="application/json")
            response["Cache-Control"] = "no-store"
            return response
        except RequestDataTooBig:
            error = RequestTooLarge(_("The message is too large."))
            return refusal(error, streaming=names_streaming_operation(read_beginning(request)))
        except Exception as error:
            return refusal(error, streaming=names_streaming_operation(body))

    async def _stream(
        self, request: HttpRequest, server: DjangoChatKitServer, parsed: StreamingReq, body: bytes
    ) -> EventStreamResponse:
        frame_id = request.headers.get(FRAME_HEADER, "")
        context, key, repeated = await db.run(self._enter_stream, request, server, parsed, frame_id, body)
        live = runs.find_repeated(key)
        if live is not None and repeated is None:
            # This process may still keep what was redacted through another one.
            repeated = await db.run(run_rows.find_withdrawn_row, live.public_id)
        # What this process knows of its own run is newer than the row.
        if repeated is not None and (
            repeated.withdrawn or (live is None and runs.get_live(repeated.public_id) is None)
        ):
            return run_response(StoredRun(repeated.pk, self.endpoint_url(request)), repeated.public_id)
        if live is None:
            try:
                live = await runs.start(server, parsed, context, request_key=key, frame_id=frame_id)
            except ThreadReadOnly as error:
                thread = context.memory.loaded_threads.get(getattr(parsed.params, "thread_id", ""))
                return closed_response(error, thread)
        return run_response(live, live.public_id)

    def _enter_stream(
        self,
        request: HttpRequest,
        server: DjangoChatKitServer,
        parsed: StreamingReq,
        frame_id: str,
        body: bytes,
    ) -> tuple[RequestContext, str, RunRow | None]:
        context = self._enter(request, parsed.type)
        if isinstance(server.store, DjangoStore) and not isinstance(parsed, ThreadsCreateReq):
            server.store.prefetch_thread(parsed.params.thread_id, context)
        if not frame_id:
            return context, "", None
        part = database_context.partition()
        owner = f"{part}\n{context.user_id}\n{context.visitor_id}\n{context.namespace}\n{request.path}\n{frame_id}\n"
        key = hashlib.sha256(owner.encode() + body).hexdigest()
        return context, key, run_rows.find_repeated_row(key)

    def _stop_writing(self, thread_id: str) -> None:
        live = runs.live_run_of_thread(thread_id)
        if live is not None:
            live.stop()


class RunView(EndpointView):
    """What the two URLs of a run share."""

    depth = 3

    async def load_run(self, request: HttpRequest, public_id: str) -> RunRow:
        live = runs.get_live(public_id)
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
        live = None if row.withdrawn else runs.get_live(run_id)
        return run_response(live or StoredRun(row.pk, self.endpoint_url(request)), run_id)


class RunStopView(RunView):
    """``POST /chatkit/runs/<id>/stop``: end the answer, keeping what there is of it."""

    http_method_names = ["post"]

    @in_page_language
    async def post(self, request: HttpRequest, run_id: str) -> HttpResponseBase:
        try:
            row = await self.load_run(request, run_id)
            stopped = await runs.stop(row)
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


def read_body(request: HttpRequest) -> bytes:
    """The body.

    Raises:
        RequestDataTooBig: when it exceeds ``DATA_UPLOAD_MAX_MEMORY_SIZE``.
        InvalidRequest: when it cannot be read.
    """
    try:
        return request.body
    except (RawPostDataException, OSError):
        raise InvalidRequest(_("The request could not be read.")) from None


def read_beginning(request: HttpRequest) -> bytes:
    """The first bytes of a body that is too large to be read."""
    stream: Any = request._stream
    # To learn the length of a body that announces none, Django goes to its end.
    if stream.seekable():
        stream.seek(0)
    return bytes(stream.read(1024))


def sniff_operation(body: bytes) -> str:
    """The operation a body names, also when the body is cut off or otherwise invalid. May be empty."""
    try:
        operation = json.loads(body).get("type")
    except (ValueError, AttributeError, RecursionError):
        found = _OPERATION.search(body[:1024])
        operation = found[1].decode() if found else ""
    return operation if isinstance(operation, str) else ""


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
            return _message(error.message, status=error.status)
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
