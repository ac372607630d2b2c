"""The canned replies of staff: pages that keep them, and what is offered while one answers."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy

from ..models import CannedReply
from ..staff.canned import offered_in
from ..takeover.handler import name_in
from .base import GuardedAdmin, ReadingAdmin
from .content import shorten, visible


@admin.register(CannedReply)
class CannedReplyAdmin(GuardedAdmin):
    """Pages that add and change canned replies."""

    empty_text = gettext_lazy(
        "No canned reply yet. Add what you say often; whoever answers a user finds it by “/” and its shortcut."
    )
    list_display = ("shown_shortcut", "title", "beginning", "namespace", "language")
    search_fields = ("shortcut", "title", "text")
    fields = ("shortcut", "title", "text", "namespace", "language")
    show_full_result_count = False

    @admin.display(description=gettext_lazy("shortcut"), ordering="shortcut")
    def shown_shortcut(self, obj: CannedReply) -> str:
        return format_html("<bdi>/{}</bdi>", visible(obj.shortcut))

    @admin.display(description=gettext_lazy("text"))
    def beginning(self, obj: CannedReply) -> str:
        return format_html("<bdi>{}</bdi>", shorten(obj.text, 80))


def canned_view(model_admin: ReadingAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Return what one can choose from while one answers in a thread (GET only)."""
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET"])
    thread: Any = model_admin.find(request, object_id, "reply")
    return JsonResponse({"replies": offered_in(thread, staff_name=name_in(thread, request.user))})
