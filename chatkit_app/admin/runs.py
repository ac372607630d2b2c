"""The list of answers: which ran, how long they took, what they cost."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import Run, Thread
from ..moderation.status import stop_run
from ..staff import audit
from ..storable import is_storable_text
from .base import RecordAdmin
from .charts import seconds, whole_number
from .content import ago, long_text, pretty_json, shorten, visible
from .filters import ActivityFilter, ChoicesFilter, OwnerKindFilter
from .status import stopped_message


class StartedFilter(ActivityFilter):
    """Answers that were started between two days, both of them included."""

    title = gettext_lazy("started")
    column = "started_at"
    FIRST, LAST = "from", "to"


@admin.register(Run)
class RunAdmin(RecordAdmin):
    empty_text = gettext_lazy(
        "No answer yet. Each one that is generated appears here, with its times and tokens."
    )
    list_display = (
        "started",
        "status_badge",
        "owner_label",
        "thread_label",
        "model_name",
        "tokens",
        "duration",
    )
    list_filter = (
        ("status", ChoicesFilter),
        OwnerKindFilter,
        StartedFilter,
    )
    list_select_related = ("user", "thread")
    ordering = ("-id",)
    day_column = "started_at"
    search_fields = ("public_id", "thread", "visitor_id", "model")
    search_help_text = gettext_lazy("The whole id of a run, thread or visitor, or the name of a model.")
    allowed_lookups = frozenset({"status__exact", "owner_kind", "from", "to", "thread"})
    # What went wrong may quote what was said, and the session tells of its owner.
    without_content = {"thread_label": "thread_key", "whole_error": "", "session_context": ""}
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
                    "failure",
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
        (gettext_lazy("Delivery"), {"fields": ("delivered", "stop_requested", "withdrawn")}),
        (gettext_lazy("Session"), {"fields": ("session_context",)}),
    )

    @admin.display(description=gettext_lazy("started"))
    def started(self, obj: Run) -> str:
        return ago(obj.started_at)

    @admin.display(description=gettext_lazy("status"))
    def status_badge(self, obj: Run) -> str:
        return format_html(
            '<span class="chatkit-badge chatkit-{}">{}</span>', obj.status, obj.get_status_display()
        )

    @admin.display(description=gettext_lazy("model"))
    def model_name(self, obj: Run) -> str:
        return format_html("<bdi>{}</bdi>", shorten(obj.model))

    @admin.display(description=gettext_lazy("tokens in / out"))
    def tokens(self, obj: Run) -> str:
        if obj.total_tokens is None:
            return self.get_empty_value_display()
        return f"{whole_number(obj.input_tokens or 0)} / {whole_number(obj.output_tokens or 0)}"

    @admin.display(description=gettext_lazy("took"))
    def duration(self, obj: Run) -> str:
        """Return how long the whole answer took, with when its first words came on hover."""
        if obj.total_ms is None:
            return self.get_empty_value_display()
        if obj.first_token_ms is None:
            return seconds(obj.total_ms)
        first = _("first words after %(time)s") % {"time": seconds(obj.first_token_ms)}
        return format_html('<span title="{}">{}</span>', first, seconds(obj.total_ms))

    @admin.display(description=gettext_lazy("error"))
    def whole_error(self, obj: Run) -> str:
        return visible(obj.error[:4000])

    @admin.display(description=gettext_lazy("context"))
    def session_context(self, obj: Run) -> str:
        return format_html('<pre class="chatkit-code">{}</pre>', long_text(pretty_json(obj.context)).head)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Return runs by a whole id or model. The thread is looked up first, so that indexes are used."""
        if not search_term:
            return queryset, False
        if not is_storable_text(search_term):
            return queryset.none(), False
        threads = Thread.objects.filter(public_id=search_term).values_list("pk", flat=True)
        found = Q(public_id=search_term) | Q(visitor_id=search_term) | Q(model=search_term)
        return queryset.filter(found | Q(thread__in=list(threads))), False

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        run = context["original"]
        if self.has_content_permission(request, run):
            audit.record(
                audit.Action.READ,
                actor=request.user,
                thread=run.thread,
                owner=run.owner,
                run=run.public_id,
            )
        return super().render_change_form(request, context, *args, **kwargs)

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
