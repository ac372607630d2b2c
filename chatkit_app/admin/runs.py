"""Answers: which ran, how long they took, what they cost."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import Run
from ..moderation import stop_run
from .acting import stopped_message
from .base import RecordAdmin
from .content import visible
from .filters import OwnerKindFilter


@admin.register(Run)
class RunAdmin(RecordAdmin):
    list_display = (
        "public_id",
        "status_badge",
        "owner_label",
        "thread_label",
        "model_name",
        "tokens",
        "first_token_ms",
        "total_ms",
        "started_at",
    )
    list_filter = (
        ("status", admin.ChoicesFieldListFilter),
        OwnerKindFilter,
        ("started_at", admin.DateFieldListFilter),
    )
    list_select_related = ("user", "thread")
    ordering = ("-id",)
    search_fields = ("public_id__exact", "thread__public_id__exact", "visitor_id__exact", "model__exact")
    search_help_text = gettext_lazy("The whole id of a run, thread or visitor, or the name of a model.")
    allowed_lookups = frozenset(
        {"status__exact", "owner_kind", "started_at__gte", "started_at__lt", "thread"}
    )
    actions = ("stop_runs",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "public_id",
                    "status_badge",
                    "owner_label",
                    "thread_label",
                    "operation",
                    "whole_error",
                )
            },
        ),
        (
            gettext_lazy("Model"),
            {"fields": ("model_name", "input_tokens", "cached_tokens", "output_tokens")},
        ),
        (
            gettext_lazy("Times"),
            {"fields": ("started_at", "first_token_ms", "total_ms", "heartbeat_at", "finished_at")},
        ),
        (gettext_lazy("Delivery"), {"fields": ("delivered", "stop_requested")}),
    )

    @admin.display(description=gettext_lazy("status"))
    def status_badge(self, obj: Run) -> str:
        return format_html(
            '<span class="chatkit-badge chatkit-{}">{}</span>', obj.status, obj.get_status_display()
        )

    @admin.display(description=gettext_lazy("model"))
    def model_name(self, obj: Run) -> str:
        return visible(obj.model)

    @admin.display(description=gettext_lazy("tokens in / out"))
    def tokens(self, obj: Run) -> str:
        if obj.total_tokens is None:
            return self.get_empty_value_display()
        return f"{obj.input_tokens} / {obj.output_tokens}"

    @admin.display(description=gettext_lazy("error"))
    def whole_error(self, obj: Run) -> str:
        return visible(obj.error[:4000])

    @admin.action(permissions=["moderate"], description=gettext_lazy("Stop selected running answers"))
    def stop_runs(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        stopped = 0
        for run in queryset.running().select_related("thread")[:500]:  # type: ignore[attr-defined]
            if self.has_moderate_permission(request, run) and stop_run(run, actor=request.user):
                stopped += 1
        if stopped:
            self.message_user(request, stopped_message(stopped), messages.SUCCESS)
        else:
            self.message_user(request, _("None of these answers is running."), messages.WARNING)
