"""``POST /chatkit``: every ChatKit operation."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from chatkit.types import NonStreamingReq, StreamingReq, is_streaming_req
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from django.utils.translation import gettext as _

from .. import database_context, db
from ..context import RequestContext
from ..errors import (
    NotSupported,
    RequestTooLarge,
    ServerRestarting,
    SessionChanged,
    ThreadReadOnly,
    contained,
)
from ..http.request_body import read_beginning, read_body, require_bounded
from ..http.sse import EventStreamResponse
from ..logs import get_logger
from ..runs.opening import RunRequest, look_up, open_run
from ..runs.stopping import stop_in_thread
from ..server.base import DjangoChatKitServer
from ..store import claims
from ..store.state import StoreState
from .endpoint import CREATING_OPERATIONS, EndpointView, in_page_language, json_response
from .refusals import closed_response, names_streaming_operation, refusal
from .runs import run_response

logger = get_logger(__name__)

INSTANCE_HEADER = "chatkit-frame-instance-id"
NAME_HEADER = "Idempotency-Key"
# Of 128 bits, as all ids are: the client's name for a message becomes the message's.
_NAME = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, kw_only=True)
class Entered:
    """A request for something else than an answer, which may go on."""

    parsed: NonStreamingReq
    context: RequestContext


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
            if isinstance(entered, RunRequest):
                return await self._stream(entered)
            with contained():
                reply = await server.reply(entered.parsed, entered.context)
            if entered.parsed.type == "threads.delete":
                stop_in_thread(entered.parsed.params.thread_id)
            return json_response(reply)
        except RequestTooLarge as error:
            return refusal(error, streaming=names_streaming_operation(body or read_beginning(request)))
        except (SessionChanged, ServerRestarting) as error:
            # No stream: the client sends the request again, to another process or with another session.
            return refusal(error, streaming=False)
        except Exception as error:
            return refusal(error, streaming=names_streaming_operation(body))

    async def _stream(self, asked: RunRequest) -> EventStreamResponse:
        try:
            return run_response(await open_run(asked))
        except ThreadReadOnly as error:
            thread_id = getattr(asked.request.params, "thread_id", "")
            return closed_response(error, asked.context.state(StoreState).loaded_threads.get(thread_id))

    def _enter_with(
        self, request: HttpRequest, server: DjangoChatKitServer, body: bytes
    ) -> Entered | RunRequest:
        """Look at the body once its sender has been let in; in a worker, since even what is allowed takes a while."""
        with translation.override(request.LANGUAGE_CODE):
            self.check_sender(request)
            require_bounded(body)
            parsed = server.parse(body)
            if is_streaming_req(parsed) and not isinstance(request, ASGIRequest):
                logger.error(
                    "A message was refused: this site is served by WSGI, which cannot stream answers. Serve "
                    "ASGI_APPLICATION with an ASGI server (runserver with daphne, uvicorn)."
                )
                raise NotSupported(
                    _("Answers can only be streamed under ASGI. Serve this site with an ASGI server.")
                )
            context = self.context_for(request, parsed.type)
            if not is_streaming_req(parsed):
                server.prefetch(parsed, context)
                return Entered(parsed=parsed, context=context)
            asked = self._asked(request, server, parsed, context, body)
            is_new = parsed.type in CREATING_OPERATIONS
            try:
                return look_up(asked, visitor_id=None if is_new else self.visitor_of(request))
            except claims.VisitorHasLoggedIn:
                self.leave_visitor(request)
            context = self.context_for(request, parsed.type)
            return look_up(self._asked(request, server, parsed, context, body), visitor_id=None)

    def _asked(
        self,
        request: HttpRequest,
        server: DjangoChatKitServer,
        parsed: StreamingReq,
        context: RequestContext,
        body: bytes,
    ) -> RunRequest:
        name = _name_of(request)
        key = _request_key(request, context, body) if name is None else _named_key(name, request, context)
        if name is not None:
            state = context.state(StoreState)
            state.message_id, state.new_thread_id = f"msg_{name}", f"thr_{key[:32]}"
        return RunRequest(
            server=server,
            request=parsed,
            context=context,
            request_key=key,
            is_named=name is not None,
            instance_id=request.headers.get(INSTANCE_HEADER, ""),
        )


def _name_of(request: HttpRequest) -> str | None:
    """Return the name that the client has given this request, the same one each time that it sends it."""
    name = request.headers.get(NAME_HEADER, "")
    return name if _NAME.fullmatch(name) else None


def _named_key(name: str, request: HttpRequest, context: RequestContext) -> str:
    return hashlib.sha256(f"{_sender(request, context)}{name}".encode()).hexdigest()


def _request_key(request: HttpRequest, context: RequestContext, body: bytes) -> str:
    """Return what a client that names nothing sends again alike: the same bytes, from the same instance."""
    instance_id = request.headers.get(INSTANCE_HEADER, "")
    if not instance_id:
        return ""
    return hashlib.sha256(f"{_sender(request, context)}{instance_id}\n".encode() + body).hexdigest()


def _sender(request: HttpRequest, context: RequestContext) -> str:
    part = database_context.partition()
    return f"{part}\n{context.user_id}\n{context.visitor_id}\n{context.namespace}\n{request.path}\n"
