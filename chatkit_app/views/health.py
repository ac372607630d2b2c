"""``GET /chatkit/health``, for balancers and containers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import router
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils.cache import add_never_cache_headers
from django.views import View

from .. import db
from ..models import Thread
from ..process import shutdown
from ..process.loading import without_site_rules

# Seconds. Shorter than balancers and containers wait.
TIMEOUT = 2.0


class HealthView(View):
    """Say whether this process takes requests: 200 if the chat's database can be asked, else 503.

    A process that has been told to end says 503, so that a balancer sends the next visitor elsewhere. Nobody has to log
    in, no session is looked at, and nothing is said of the site or of anybody.
    """

    http_method_names = ["get", "head"]

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., HttpResponseBase]:
        return without_site_rules(super().as_view(**initkwargs))

    async def get(self, request: HttpRequest) -> HttpResponseBase:
        shutdown.listen_for_shutdown()
        if shutdown.is_shutting_down():
            return _said("ending", status=503)
        if not await db.is_there(using=router.db_for_write(Thread), timeout=TIMEOUT):
            return _said("no database", status=503)
        return _said("ok", status=200)


def _said(text: str, *, status: int) -> JsonResponse:
    response = JsonResponse({"status": text}, status=status)
    add_never_cache_headers(response)
    return response
