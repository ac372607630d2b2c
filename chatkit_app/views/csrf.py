"""Django's CSRF check, in a way that a client of JSON can show."""

from __future__ import annotations

import copy

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.translation import gettext as _

from ..errors import CsrfFailed
from ..logs import get_logger

logger = get_logger(__name__)


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
