"""``GET /chatkit/threads/<id>/earlier``: earlier versions of a message, or of its answer."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _

from ..errors import InvalidRequest
from ..models import EarlierItem
from ..server.earlier import load_earlier
from .database import DatabaseView
from .endpoint import in_page_language


class EarlierView(DatabaseView):
    """The items of one version, for the thread's owner: ``?item=<id>&of=answer&number=1``, and ``&after=<id>``."""

    depth = 3
    http_method_names = ["get"]

    @in_page_language
    async def get(self, request: HttpRequest, thread_id: str) -> HttpResponseBase:
        return await self.answer(self._load, request, thread_id)

    def _load(self, request: HttpRequest, thread_id: str) -> bytes:
        context = self.enter_in_worker(request, None)
        asked = request.GET
        return load_earlier(
            thread_id,
            context,
            place=asked.get("item", ""),
            of=_of(asked.get("of", "")),
            number=_number(asked.get("number", "")),
            after=asked.get("after"),
        )


def _of(given: str) -> str:
    if given not in EarlierItem.Of.values:
        raise InvalidRequest(_("Not a valid ChatKit request: {}").format("of"))
    return given


def _number(given: str) -> int:
    if not (given.isascii() and given.isdigit() and len(given) < 5):
        raise InvalidRequest(_("Not a valid ChatKit request: {}").format("number"))
    return int(given)
