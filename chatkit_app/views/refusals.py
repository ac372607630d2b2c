"""Refusals in the form that a client can show."""

from __future__ import annotations

from chatkit.store import NotFoundError
from chatkit.types import StreamingReq, ThreadMetadata
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpResponseBase, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _

from ..conf import chatkit_settings
from ..errors import ChatKitError, LimitReached, ThreadReadOnly
from ..http.request_body import sniff_operation
from ..http.sse import EventStreamResponse
from ..logs import get_logger
from ..runs.frames import Frames
from ..server import wire
from ..server.base import DjangoChatKitServer

logger = get_logger(__name__)

STREAMING_OPERATIONS = frozenset(kind.model_fields["type"].default for kind in StreamingReq.__args__)


def closed_response(error: ThreadReadOnly, thread: ThreadMetadata | None) -> EventStreamResponse:
    """Return the refusal, and how the thread is now: a page that was opened before can close its composer."""
    frames = [wire.to_frame(DjangoChatKitServer.error_event(error))]
    if thread is not None:
        now = thread.model_copy(update={"status": error.thread_status})
        frames.append(wire.to_frame(wire.thread_event(now)))
    return EventStreamResponse(Frames(*frames, done=True), keep_alive=chatkit_settings.keep_alive)


def names_streaming_operation(body: bytes) -> bool:
    """Return whether the client of this request waits for a stream, as far as the body lets one know."""
    return sniff_operation(body) in STREAMING_OPERATIONS


def refusal(error: Exception, *, streaming: bool) -> HttpResponseBase:
    """Return an error in the form that the client of this kind of operation can show."""
    if streaming:
        event = DjangoChatKitServer.error_event(error)
        return EventStreamResponse(
            Frames(wire.to_frame(event), done=True), keep_alive=chatkit_settings.keep_alive
        )
    match error:
        case ChatKitError():
            response = message_response(error.message, status=error.status)
            if isinstance(error, LimitReached) and error.retry_after is not None:
                response["Retry-After"] = str(error.retry_after)
            return response
        case NotFoundError():
            return message_response(_("This conversation or part of it no longer exists."), status=404)
        case SuspiciousOperation() | BadRequest() | MultiPartParserError():
            return message_response(_("The request was refused."), status=400)
    logger.error("A ChatKit request failed", exc_info=error)
    return message_response(_("Something went wrong. Please try again."), status=500)


def message_response(text: str, *, status: int) -> JsonResponse:
    """Return a sentence that the client shows."""
    response = JsonResponse({"message": text}, status=status)
    response["Cache-Control"] = "no-store"
    return response
