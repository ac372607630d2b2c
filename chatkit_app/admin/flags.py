"""The list of flags. They are worked through in the review queue."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import Flag
from ..staff.flags import REVIEW_TIME
from .base import RecordAdmin
from .content import ago, item_name, long_text, shorten
from .filters import ChoicesFilter
from .review import may_review, place_of, record_reading


class StateFilter(admin.SimpleListFilter):
    """Open flags, unless others are asked for."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("open", _("Open")),
            ("taken", _("Being reviewed")),
            ("resolved", _("Resolved")),
            ("all", _("All")),
        ]

    def choices(self, changelist: ChangeList) -> Any:
        chosen = self.value() or "open"
        for name, label in self.lookup_choices:
            yield {
                "selected": chosen == str(name),
                "query_string": changelist.get_query_string({self.parameter_name: name}),
                "display": label,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "all":
                return queryset
            case "resolved":
                return queryset.filter(resolved_at__isnull=False)
            case "taken":
                since = timezone.now() - REVIEW_TIME
                return queryset.filter(resolved_at__isnull=True, claimed_at__gte=since)
            case _:
                return queryset.filter(resolved_at__isnull=True)


class ReviewerFilter(admin.SimpleListFilter):
    """Flags that the user is reviewing, or has reviewed."""

    title = gettext_lazy("reviewer")
    parameter_name = "reviewer"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("me", _("Me")), ("nobody", _("Nobody"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "me":
                return queryset.filter(claimed_by=request.user.pk)
            case "nobody":
                return queryset.filter(claimed_by__isnull=True)
            case _:
                return queryset


class AgeFilter(admin.SimpleListFilter):
    """Flags that were raised some time ago."""

    title = gettext_lazy("age")
    parameter_name = "older_than"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("More than a day")), ("7", _("More than a week")), ("30", _("More than 30 days"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("1", "7", "30"):
            return queryset
        return queryset.filter(created_at__lt=timezone.now() - timedelta(days=int(str(self.value()))))


@admin.register(Flag)
class FlagAdmin(RecordAdmin):
    """All flags to look at, and the way to the review queue."""

    empty_text = gettext_lazy(
        "No flag is open: there is nothing to review. Negative feedback, rules and staff raise flags."
    )
    list_display = ("raised", "state", "thread_label", "reason_line", "raised_at")
    list_filter = (StateFilter, ("source", ChoicesFilter), ReviewerFilter, AgeFilter)
    ordering = ("-id",)
    search_fields = ("thread__public_id__exact",)
    search_help_text = gettext_lazy("A thread’s whole id.")
    allowed_lookups = frozenset({"state", "source__exact", "reviewer", "older_than"})
    without_content = {
        "thread_label": "thread_key",
        "reason_line": "",
        "reason_text": "",
        "resolution_text": "",
    }
    fields = (
        "raised",
        "created_at",
        "thread_label",
        "message",
        "reason_text",
        "state",
        "claimed_at",
        "resolved_at",
        "resolution_text",
    )

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether this user may view flags, or is to work on them."""
        return super().has_view_permission(request, obj) or self.has_moderate_permission(request, obj)

    def has_moderate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether this user may review flags."""
        return may_review(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related("thread", "item", "claimed_by")
        return rows.defer("thread__metadata", "item__payload", "item__text")

    @admin.display(description=gettext_lazy("raised by"))
    def raised(self, obj: Flag) -> str:
        source = capfirst(obj.get_source_display())
        name = shorten(obj.raised_by, 40)
        return format_html('{}: <span dir="auto">{}</span>', source, name) if name else source

    @admin.display(description=gettext_lazy("created"))
    def raised_at(self, obj: Flag) -> str:
        return ago(obj.created_at)

    @admin.display(description=gettext_lazy("state"))
    def state(self, obj: Flag) -> str:
        if obj.resolved_at is not None:
            kind, label, name = "active", obj.get_resolution_display(), obj.resolved_by
        elif obj.claimed_by is not None:
            kind, label, name = "running", _("being reviewed"), obj.claimed_by.get_username()
        else:
            kind, label, name = "locked", _("open"), ""
        return format_html(
            '<span class="chatkit-badge chatkit-{}">{}</span> <span dir="auto">{}</span>',
            kind,
            label,
            shorten(name, 40),
        )

    @admin.display(description=gettext_lazy("thread"))
    def thread_label(self, obj: Flag) -> str:
        return self.thread_link(obj.thread, label=shorten(obj.thread.title), suffix=place_of(obj))

    @admin.display(description=gettext_lazy("thread"))
    def thread_key(self, obj: Flag) -> str:
        return self.thread_link(obj.thread, suffix=place_of(obj))

    @admin.display(description=gettext_lazy("message"))
    def message(self, obj: Flag) -> str:
        return self.get_empty_value_display() if obj.item is None else item_name(obj.item)

    @admin.display(description=gettext_lazy("reason"))
    def reason_line(self, obj: Flag) -> str:
        return format_html('<bdi class="chatkit-preview">{}</bdi>', shorten(obj.reason, 120))

    @admin.display(description=gettext_lazy("reason"))
    def reason_text(self, obj: Flag) -> str:
        return format_html('<div class="chatkit-text" dir="auto">{}</div>', long_text(obj.reason).head)

    @admin.display(description=gettext_lazy("note on the resolution"))
    def resolution_text(self, obj: Flag) -> str:
        note = long_text(obj.resolution_note).head
        return format_html('<div class="chatkit-text" dir="auto">{}</div>', note)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {"may_review": self.has_moderate_permission(request), **(extra_context or {})}
        return super().changelist_view(request, context)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Flag | None = None,
    ) -> HttpResponse:
        assert obj is not None
        if self.has_content_permission(request, obj):
            record_reading(request, obj, page="flag")
        context |= {
            "title": _("The flag"),
            "may_review": obj.resolved_at is None and self.has_moderate_permission(request, obj),
        }
        return super().render_change_form(request, context, add, change, form_url, obj)
