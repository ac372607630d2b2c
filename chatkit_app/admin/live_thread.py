"""News for an open page of a thread: its changes, and the answer that is being written, word by word."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    JsonResponse,
    StreamingHttpResponse,
)

from ..conf import chatkit_settings
from ..http.sse import KEEP_ALIVE_COMMENT
from ..live import presence
from ..models import AuditEntry, Run, Thread
from ..process.threads import release_request_thread
from ..staff import audit
from ..takeover.handler import holder_of
from .base import ReadingAdmin
from .transcript import UNSEEN_TYPES, Transcript, endpoint_url, item_key

_PAGE = re.compile("[0-9a-f]{32}")
# What an answer tells besides its items. Not the thread: its image domains tell outsiders where staff are.
_TOLD = frozenset({"progress_update", "notice", "error"})
_QUIET_ACTIONS = (AuditEntry.Action.READ, AuditEntry.Action.SEARCH, AuditEntry.Action.REFUSED)


def changes_view(model_admin: ReadingAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Return what has changed in a thread after the version ``after`` (GET only).

    It is ``{"version", "thread", "removed", "run", "state", "people"}``: the first three as the endpoint tells users,
    with what staff know of each item; ``run`` is the key of the answer that is being written. With another ``state``
    than before, what stands beside the transcript is to be read again. A page without a socket names itself as
    ``page``, so that others see that it is there.
    """
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET"])
    thread = model_admin.find(request, object_id, "content")
    # Read where it is written: who asks has heard that there is something new, and hears it once.
    thread = Thread.objects.on_writer().get(pk=thread.pk)
    page = request.GET.get("page", "")
    if _PAGE.fullmatch(page):
        presence.arrive(thread.pk, user=request.user, page=page)
    run = Run.objects.on_writer().filter(thread=thread).order_by("-pk").values("pk", "status").first()
    told: dict[str, Any] = {
        "version": thread.version,
        "state": state_of(thread, run),
        "people": presence.people_at(thread.pk),
    }
    if run is not None and run["status"] == Run.Status.RUNNING and _can_stream(request):
        told["run"] = str(run["pk"])
    after = item_key(request.GET.get("after", "")) or 0
    changed = Transcript(model_admin, request, thread).changed_after(after)
    if changed is None:
        return JsonResponse({**told, "reset": True})
    items, removed = changed
    told["thread"] = thread_fields(thread) | {"items": {"data": items}}
    return JsonResponse({**told, "removed": removed})


def thread_fields(thread: Thread) -> dict[str, Any]:
    """Return a thread as the element takes it: without its image domains, by which outsiders would learn of staff."""
    return {
        "id": thread.public_id,
        "created_at": thread.created_at.isoformat(),
        "status": {"type": thread.status},
    }


def state_of(thread: Thread, run: Mapping[str, Any] | None) -> str:
    """Return what differs as soon as something differs that stands beside the transcript."""
    deeds = AuditEntry.objects.filter(thread_key=thread.public_id).exclude(action__in=_QUIET_ACTIONS)
    holder = holder_of(thread)
    facts = (
        thread.title,
        thread.status,
        thread.status_reason,
        thread.handler,
        thread.handler_since,
        thread.handler_reason,
        thread.unanswered_since,
        None if holder is None else holder.pk,
        thread.open_flags,
        thread.positive_count,
        thread.negative_count,
        run,
        deeds.order_by("-pk").values_list("pk", flat=True).first(),
    )
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def run_events_view(
    model_admin: ReadingAdmin, request: HttpRequest, object_id: str, run_pk: int
) -> HttpResponse | StreamingHttpResponse:
    """Follow an answer from its first event to its end (GET only), as far as staff are told of it."""
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET"])
    thread = model_admin.find(request, object_id, "content")
    run = Run.objects.on_writer().filter(thread=thread, pk=run_pk).first()
    if run is None or not _can_stream(request):
        raise Http404
    audit.record(audit.Action.READ, actor=request.user, thread=thread, run=run.public_id, followed=True)
    frames = _followed(
        run,
        endpoint_url=endpoint_url(request),
        shows_hidden=model_admin.has_hidden_permission(request, thread),
    )
    response = StreamingHttpResponse(frames, content_type="text/event-stream")
    response["Cache-Control"] = "no-cache, no-transform"
    # nginx buffers unless told otherwise, and GZipMiddleware holds back what it would compress.
    response["X-Accel-Buffering"] = "no"
    response["Content-Encoding"] = "identity"
    return response


def _can_stream(request: HttpRequest) -> bool:
    # Under WSGI a stream would keep a whole process.
    return isinstance(request, ASGIRequest)


async def _followed(run: Run, *, endpoint_url: str, shows_hidden: bool) -> AsyncIterator[bytes]:
    """Yield the frames of an answer, as it is written.

    Staff are none of its readers: it is not theirs to be delivered, and does not go on for them.
    """
    # Late, since the SDK takes seconds to load, and Django starts without it.
    from ..runs.opening import reopen_run
    from ..runs.stored import StoredRun

    release_request_thread()
    source = reopen_run(run, endpoint_url=endpoint_url)
    is_ours = isinstance(source, StoredRun)
    if is_ours:
        source.readers += 1
    position = 0
    try:
        while True:
            while position < len(source.frames):
                frame = source.frames[position]
                position += 1
                if frame and is_told(frame, shows_hidden=shows_hidden):
                    yield frame
            if source.done and position >= len(source.frames):
                return
            try:
                async with asyncio.timeout(chatkit_settings.keep_alive):
                    await source.wait()
            except TimeoutError:
                yield KEEP_ALIVE_COMMENT
    finally:
        if is_ours:
            source.detach()


def is_told(frame: bytes, *, shows_hidden: bool) -> bool:
    """Return whether staff are told of an event of an answer, who may or may not read what no user sees."""
    try:
        event = json.loads(frame.removeprefix(b"data: "))
        kind, item = event["type"], event.get("item")
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    if not kind.startswith("thread.item."):
        return kind in _TOLD
    return shows_hidden or not (isinstance(item, dict) and item.get("type") in UNSEEN_TYPES)
