"""``GET /chatkit/threads/<id>/changes``: news for a page that shows a thread."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _

from .. import db
from ..errors import InvalidRequest, NotSupported
from ..server.changes import load_changes
from ..store.orm import DjangoStore
from .endpoint import EndpointView, in_page_language
from .refusals import refusal

# That of the column.
_MAX_VERSION = 2**63 - 1


class ChangesView(EndpointView):
    """The changes of a thread after ``?after=<version>``, for its owner; with ``&seen=1`` for one who looks at it."""

    depth = 3
    http_method_names = ["get"]

    @in_page_language
    async def get(self, request: HttpRequest, thread_id: str) -> HttpResponseBase:
        try:
            server = await self.get_server()
            if not isinstance(server.store, DjangoStore):
                raise NotSupported(_("This chat does not support that."))
            body = await db.run(self._load, request, thread_id)
        except Exception as error:
            return refusal(error, streaming=False)
        response = HttpResponse(body, content_type="application/json")
        response["Cache-Control"] = "no-store"
        return response

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
