"""A thread's history: for those who may read the audit, all that staff did with it and read of it."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.views.main import PAGE_VAR
from django.http import HttpRequest

from ..models import AuditEntry, Thread
from .content import shorten
from .deeds import deed
from .named_items import NamedItems
from .paginator import CappedPaginator

PAGE_SIZE = 50


def audit_history(request: HttpRequest, thread: Thread, *, may_read: bool) -> dict[str, Any]:
    """Return what the history page needs to show the audit, newest first, in place of Django's own history.

    Args:
        request: the request for the page.
        thread: whose history it is.
        may_read: whether this reader may be led to messages.
    """
    entries = AuditEntry.objects.filter(thread_key=thread.public_id).order_by("-pk")
    paginator = CappedPaginator(entries, PAGE_SIZE)
    page = paginator.get_page(request.GET.get(PAGE_VAR, 1))
    items = NamedItems(page, {thread.public_id: thread.pk} if may_read else {})
    return {
        "entries": [
            {
                "row": entry,
                "reason": shorten(entry.reason, 1000),
                "facts": deed(entry, items.times(entry)),
                "item": items.pk(entry),
            }
            for entry in page
        ],
        "page": page,
        "page_numbers": list(paginator.get_elided_page_range(page.number)),
    }
