"""Entries in the audit about what the admin refused, made in one place for every page.

So does what the database refuses for the sake of another transaction: it is tried again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError, connections, transaction
from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from ..staff import audit

View = Callable[..., HttpResponseBase]

STATUS_OF_ERROR = {PermissionDenied: 403, Http404: 404, SuspiciousOperation: 400}
REFUSAL_STATUSES = frozenset({400, 403, 404, 405})
ATTEMPTS = 3
"""How often a page is tried that the database has given up, since two transactions waited for each other."""

_MARK = "_chatkit_refused"
# Of SQL: a deadlock, and transactions that cannot be put into an order.
_IN_THE_WAY = frozenset({"40P01", "40001"})


def refuse(request: HttpRequest) -> None:
    """Mark a request, so that it is recorded as refused although its answer does not look like it."""
    setattr(request, _MARK, True)


def audit_refusals(site: AdminSite, view: View) -> View:
    """Return the view, with what it refuses to staff written into the audit.

    What a view writes before it raises is lost where requests are transactions. So the transaction begins in here,
    and the refusal is written behind it. The check for forged requests is made in here too, for the same reason.
    """
    inner = csrf_protect(view)
    exempt = frozenset(getattr(view, "_non_atomic_requests", ()))

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        def answer() -> HttpResponseBase:
            with ExitStack() as transactions:
                for alias in connections:
                    if connections.settings[alias]["ATOMIC_REQUESTS"] and alias not in exempt:
                        transactions.enter_context(transaction.atomic(using=alias))
                return inner(request, *args, **kwargs)

        try:
            response = _in_spite_of_others(answer)
        except tuple(STATUS_OF_ERROR) as refusal:
            status = next(code for kind, code in STATUS_OF_ERROR.items() if isinstance(refusal, kind))
            _write_down(site, request, status)
            raise
        if response.status_code in REFUSAL_STATUSES or getattr(request, _MARK, False):
            _write_down(site, request, response.status_code)
        return response

    for using in connections:
        transaction.non_atomic_requests(using)(wrapper)
    return csrf_exempt(wrapper)


def _in_spite_of_others(answer: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    for _attempt in range(ATTEMPTS - 1):
        try:
            return answer()
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) not in _IN_THE_WAY:
                raise
    return answer()


def _write_down(site: AdminSite, request: HttpRequest, status: int) -> None:
    if not site.has_permission(request):
        return
    asked = {"query": query} if (query := request.META.get("QUERY_STRING", "")[:500]) else {}
    audit.record_refusal(
        actor=request.user, method=request.method, path=request.path[:500], status=status, **asked
    )
