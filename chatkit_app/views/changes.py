"""``GET /chatkit/threads/<id>/changes``: news for a page that shows a thread."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _

from ..errors import InvalidRequest
from ..server.changes import load_changes
from .database import DatabaseView
from .endpoint import in_page_language

# That of the column.
_MAX_VERSION = 2**63 - 1


class ChangesView(DatabaseView):
    """The changes of a thread after ``?after=<version>``, for its owner; with ``&seen=1`` for one who looks at it."""

    depth = 3
    http_method_names = ["get"]

    @in_page_language
    async def get(self, request: HttpRequest, thread_id: str) -> HttpResponseBase:
        return await self.answer(self._load, request, thread_id)

    def _load(self, request: HttpRequest, thread_id: str) -> bytes:
        context = self.enter_in_worker(request, None)
        is_seen = request.GET.get("seen") == "1"
        return load_changes(thread_id, _after(request), context, is_seen=is_seen)


def _after(request: HttpRequest) -> int:
    given = request.GET.get("after", "0")
    # Longer ones are no versions, and take long to read.
    if not (given.isascii() and given.isdigit() and len(given) <= 19 and int(given) <= _MAX_VERSION):
        raise InvalidRequest(_("Not a valid ChatKit request: {}").format("after"))
    return int(given)
