"""The audit of what staff did and what they read: it can be read, and that is all."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..models import AuditEntry
from ..staff import scope
from .base import ReadingAdmin
from .content import ago, long_text, pretty_json, shorten, visible
from .deeds import deed
from .filters import ActivityFilter, ChoicesFilter, other_params
from .named_items import NamedItems
from .paginator import CappedPaginator


class StaffFilter(admin.SimpleListFilter):
    """One staff member, by id or by the whole name. It is typed in: to list them all would read the whole table."""

    title = _("staff member")
    parameter_name = "staff"
    template = "admin/chatkit_app/namespace_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        name = self.value()
        return [(name, name)] if name else [("", "")]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        yield next(super().choices(changelist))
        if name := self.value():
            yield {"selected": True, "query_string": changelist.get_query_string(), "display": name}
        yield {"parameter": self.parameter_name, "others": other_params(changelist, self.parameter_name)}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(Q(actor_key=value) | Q(actor_name=value)) if value else queryset


class WhenFilter(ActivityFilter):
    """Entries between two days, both of them included."""

    title = _("date")
    column = "created_at"
    FIRST, LAST = "from", "to"


class AuditPaginator(CappedPaginator):
    """A paginator that counts less far: in a scope, each entry it counts is looked up among the threads."""

    max_count = 1_000


@admin.register(AuditEntry)
class AuditAdmin(ReadingAdmin):
    paginator = AuditPaginator
    empty_text = _("No entry yet. What staff read and do is written down here.")
    list_display = ("when", "actor", "done", "thread_label", "why")
    list_filter = (
        ("action", ChoicesFilter),
        StaffFilter,
        WhenFilter,
    )
    ordering = ("-id",)
    day_column = "created_at"
    search_fields = ("thread_key__exact", "item_key__exact", "owner__exact", "actor_name__exact")
    search_help_text = _(
        "The whole id of a thread, item or owner (user:7, visitor:…), or the whole name of a staff member."
    )
    allowed_lookups = frozenset({"action__exact", "staff", "from", "to"})
    without_content = {}
    fields = (
        "created_at",
        "actor",
        "actor_key",
        "done",
        "told",
        "thread_label",
        "item",
        "owner_key",
        "whole_reason",
        "whole_details",
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return scope.entries_of(request.user).order_by(*self.ordering)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        entry = super().get_object(request, object_id, from_field)
        if entry is not None:
            self.find_threads(request, [entry])
        return entry

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        changelist = super().get_changelist_instance(request)
        self.find_threads(request, changelist.result_list)
        return changelist

    def find_threads(self, request: HttpRequest, entries: Collection[AuditEntry]) -> None:
        """Give each entry the ``thread_pk`` of its thread, if it is still there and this user may open it, and its
        items.
        """
        keys = {entry.thread_key for entry in entries if entry.thread_key}
        found: dict[str, int] = {}
        if keys and request.user.has_perm("chatkit_app.view_thread"):
            threads = scope.threads_of(request.user).order_by().filter(public_id__in=keys)
            found = dict(threads.values_list("public_id", "pk"))
        items = NamedItems(entries, found if self.has_content_permission(request) else {})
        for entry in entries:
            entry.thread_pk = found.get(entry.thread_key)  # type: ignore[attr-defined]
            entry.times, entry.item_pk = items.times(entry), items.pk(entry)  # type: ignore[attr-defined]

    @admin.display(description=_("when"))
    def when(self, obj: AuditEntry) -> str:
        return ago(obj.created_at)

    @admin.display(description=_("staff member"))
    def actor(self, obj: AuditEntry) -> str:
        return format_html("<bdi>{}</bdi>", shorten(obj.actor_name, 60) or _("a command"))

    @admin.display(description=_("action"))
    def done(self, obj: AuditEntry) -> str:
        return format_html(
            '<span class="chatkit-badge chatkit-audit-{}">{}</span>', obj.action, obj.get_action_display()
        )

    @admin.display(description=_("thread"))
    def thread_label(self, obj: AuditEntry) -> str:
        key = shorten(obj.thread_key, 20)
        thread_pk = obj.thread_pk  # type: ignore[attr-defined]
        if not key:
            return self.get_empty_value_display()
        if thread_pk is None:
            return format_html("<bdi>{}</bdi>", key)
        url = reverse(f"{self.admin_site.name}:chatkit_app_thread_change", args=[thread_pk])
        return format_html('<a href="{}"><bdi>{}</bdi></a>', url, key)

    @admin.display(description=_("item"))
    def item(self, obj: AuditEntry) -> str:
        key = shorten(obj.item_key, 20) or self.get_empty_value_display()
        link = self.item_link(obj)
        return format_html("{} ({})", key, link) if link else key

    def item_link(self, entry: Any) -> str:
        """Return a link to the message that an entry is about, for those who may read it."""
        if entry.item_pk is None:
            return ""
        url = reverse(f"{self.admin_site.name}:chatkit_app_thread_change", args=[entry.thread_pk])
        text = gettext("Show the message")
        return format_html('<a href="{}?item={}#transcript">{}</a>', url, entry.item_pk, text)

    @admin.display(description=_("owner"))
    def owner_key(self, obj: AuditEntry) -> str:
        return shorten(obj.owner, 20) or self.get_empty_value_display()

    @admin.display(description=_("reason and details"))
    def why(self, obj: Any) -> str:
        told, link = deed(obj, obj.times), self.item_link(obj)
        return format_html(
            '<bdi class="chatkit-preview">{}</bdi><div class="chatkit-entry-facts">{}</div>',
            shorten(obj.reason, 300),
            format_html("{} {}", told, link) if link else told,
        )

    @admin.display(description=_("in words"))
    def told(self, obj: Any) -> str:
        return deed(obj, obj.times) or self.get_empty_value_display()

    @admin.display(description=_("reason"))
    def whole_reason(self, obj: AuditEntry) -> str:
        return visible(obj.reason[:4000])

    @admin.display(description=_("details"))
    def whole_details(self, obj: AuditEntry) -> str:
        return format_html('<pre class="chatkit-code">{}</pre>', long_text(pretty_json(obj.details)).head)
