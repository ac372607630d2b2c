"""The users' feedback on answers."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy

from ..models import Feedback
from .base import RecordAdmin
from .content import ago, shorten
from .filters import ActivityFilter, ChoicesFilter, OwnerKindFilter


class ChangedFilter(ActivityFilter):
    """Feedback that was last changed between two days, both of them included."""

    title = gettext_lazy("changed")
    column = "updated_at"
    FIRST, LAST = "from", "to"


@admin.register(Feedback)
class FeedbackAdmin(RecordAdmin):
    empty_text = gettext_lazy("No feedback yet. Users give it with the thumbs under an answer.")
    list_display = ("kind_label", "owner_label", "thread_label", "changed")
    list_filter = (
        ("kind", ChoicesFilter),
        OwnerKindFilter,
        ChangedFilter,
    )
    ordering = ("-id",)
    day_column = "updated_at"
    thread_path = "item__thread"
    allowed_lookups = frozenset({"kind__exact", "owner_kind", "from", "to"})
    fields = ("kind_label", "owner_label", "thread_label", "namespace", "created_at", "updated_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related("user", "item__thread")
        return rows.defer("item__payload", "item__text", "item__thread__metadata")

    @admin.display(description=gettext_lazy("feedback"))
    def kind_label(self, obj: Feedback) -> str:
        return format_html(
            '<span class="chatkit-badge chatkit-{}">{}</span>', obj.kind, obj.get_kind_display()
        )

    @admin.display(description=gettext_lazy("changed"))
    def changed(self, obj: Feedback) -> str:
        return ago(obj.updated_at)

    @admin.display(description=gettext_lazy("thread"))
    def thread_label(self, obj: Feedback) -> str:
        return self.thread_link(
            obj.item.thread, label=shorten(obj.item.thread.title), suffix=f"?item={obj.item_id}"
        )

    @admin.display(description=gettext_lazy("thread"))
    def thread_key(self, obj: Feedback) -> str:
        return self.thread_link(obj.item.thread, suffix=f"?item={obj.item_id}")
