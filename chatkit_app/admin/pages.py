"""Links between a thread's pages, and the threads that were selected in the list."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..models import Thread
from .base import ReadingAdmin
from .content import shorten

MAX_AT_ONCE = 500
"""Threads that one request changes."""

TITLE_LENGTH = 100
"""Characters of a title that stand in a heading; those of a longer one are all among the thread's facts."""


def list_url(model_admin: ReadingAdmin) -> str:
    """Return the URL of the inbox."""
    return reverse(f"{model_admin.admin_site.name}:chatkit_app_thread_changelist")


def page_url(model_admin: ReadingAdmin, thread: Thread, page: str = "change", *args: Any) -> str:
    """Return the URL of a page of a thread: ``"change"`` for its own, or a name that ``ThreadAdmin.PAGES`` has."""
    return reverse(f"{model_admin.admin_site.name}:chatkit_app_thread_{page}", args=[thread.pk, *args])


def to_page(model_admin: ReadingAdmin, thread: Thread) -> HttpResponseRedirect:
    """Redirect to the thread's own page."""
    return HttpResponseRedirect(page_url(model_admin, thread))


def thread_heading(thread: Thread, *, may_read: bool) -> str:
    """Return what a thread's pages call it."""
    if not may_read:
        return _("Thread")
    return shorten(thread.title, TITLE_LENGTH) or _("Untitled thread")


def selected_threads(
    model_admin: ReadingAdmin, request: HttpRequest, queryset: QuerySet[Thread], permission: str
) -> list[Thread]:
    """Return the selected threads with which this user may do this. Empty, and a message, where none can be."""
    threads = list(queryset[: MAX_AT_ONCE + 1])
    if len(threads) > MAX_AT_ONCE:
        model_admin.message_user(
            request,
            _("Please select at most %(count)d threads at a time.") % {"count": MAX_AT_ONCE},
            messages.ERROR,
        )
        return []
    allowed = getattr(model_admin, f"has_{permission}_permission")
    found = [thread for thread in threads if allowed(request, thread)]
    if len(found) < len(threads):
        model_admin.message_user(
            request, _("Threads for which you do not have permission were left out."), messages.WARNING
        )
    return found


def tell_changed(model_admin: ReadingAdmin, request: HttpRequest, count: int) -> None:
    """Tell the user how many threads were changed, where some may have been so already."""
    text = ngettext("%(count)d thread was changed.", "%(count)d threads were changed.", count)
    model_admin.message_user(request, text % {"count": count}, messages.SUCCESS if count else messages.INFO)
