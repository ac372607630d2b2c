"""``GET /chatkit/history`` and ``PATCH /chatkit/threads/<id>``: the owner's list of threads, and its order."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _

from .. import db
from ..errors import InvalidRequest
from ..http.request_body import read_body, require_bounded
from ..server.history import keep_thread, load_history
from .database import DatabaseView
from .endpoint import in_page_language
from .refusals import refusal

_KEYS = {"pinned", "archived"}


class HistoryView(DatabaseView):
    """A page of the owner's threads: ``?search=``, ``?archived=1``, ``?after=<id>``."""

    depth = 1
    http_method_names = ["get"]

    @in_page_language
    async def get(self, request: HttpRequest) -> HttpResponseBase:
        return await self.answer(self._load, request)

    def _load(self, request: HttpRequest) -> bytes:
        context = self.enter_in_worker(request, None)
        asked = request.GET
        return load_history(
            context,
            search=asked.get("search", ""),
            archived=asked.get("archived") == "1",
            after=asked.get("after"),
        )


class ThreadView(DatabaseView):
    """The owner's order of a thread: ``{"pinned": true}``, ``{"archived": true}``, or false."""

    depth = 2
    http_method_names = ["patch"]

    @in_page_language
    async def patch(self, request: HttpRequest, thread_id: str) -> HttpResponseBase:
        try:
            body = read_body(request)
            await self.expect_rows()
            await db.run(self._keep, request, thread_id, body)
        except Exception as error:
            return refusal(error, streaming=False)
        return HttpResponse(status=204)

    def _keep(self, request: HttpRequest, thread_id: str, body: bytes) -> None:
        context = self.enter_in_worker(request, None)
        require_bounded(body)
        wanted = _wanted(body)
        keep_thread(thread_id, context, pinned=wanted.get("pinned"), archived=wanted.get("archived"))


def _wanted(body: bytes) -> dict[str, bool]:
    try:
        wanted: Any = json.loads(body)
    except ValueError:
        wanted = None
    is_known = isinstance(wanted, dict) and bool(wanted) and not set(wanted) - _KEYS
    if not is_known or not all(isinstance(value, bool) for value in wanted.values()):
        raise InvalidRequest(_("Not a valid ChatKit request: {}").format("pinned, archived"))
    return dict(wanted)
