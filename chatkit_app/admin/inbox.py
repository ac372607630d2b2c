"""The list of threads: its columns, its filters, and its search."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Aggregate, Exists, JSONField, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..models import PREVIEW_LENGTH, Run, Thread
from ..staff import audit, counts
from ..store.plain_text import plain_line
from ..takeover.names import name_for_staff
from .base import ReadingAdmin
from .content import age, ago, call_of, shorten
from .filters import (
    ActivityFilter,
    AssigneeFilter,
    ChoicesFilter,
    FeedbackFilter,
    FlaggedFilter,
    HandlerFilter,
    LabelFilter,
    NamespaceFilter,
    OwnerKindFilter,
)
from .paginator import CappedPaginator, KnownPaginator
from .quiet import answers_quietly, is_quiet
from .search import EXCERPT_LENGTH, Found, Search, excerpt, find, marked, narrow, parse, remarks

_LISTED = "_chatkit_listed"


class Inbox(ReadingAdmin):
    """The list of threads. Its queries are the same for any number of rows, and quick among millions."""

    list_display = ("heading", "state", "owner_label", "item_count", "activity")
    list_filter = (
        HandlerFilter,
        ("status", ChoicesFilter),
        FlaggedFilter,
        FeedbackFilter,
        AssigneeFilter,
        LabelFilter,
        ActivityFilter,
        OwnerKindFilter,
        NamespaceFilter,
    )
    ordering = ("-last_activity", "-id")
    sortable_by = ("activity",)
    # What is searched is decided in search.py: this is there for the box to be shown.
    search_fields = ("public_id",)
    search_help_text = gettext_lazy(
        "Words, all in one message or in the title; “a phrase” in quotes; a thread’s or a visitor’s whole id. "
        "Also user:name, status:locked, label:name, after:2025-01-31 and before:2025-12-31."
    )
    allowed_lookups = frozenset(
        {
            "status__exact",
            "flagged",
            "handler",
            "feedback",
            "assignee",
            "label",
            "active_from",
            "active_to",
            "owner_kind",
            "namespace",
            "user",
            "visitor_id",
        }
    )

    # --- While it is open -----------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.counts_view)
        return [path("counts/", view, name="chatkit_app_thread_counts"), *super().get_urls()]

    def counts_view(self, request: HttpRequest) -> HttpResponse:
        """Return how much waits for this member of the staff: users for a person, flags for a review."""
        waiting = counts.users_waiting(request.user)
        if waiting is None:
            raise PermissionDenied
        return JsonResponse({"waiting": waiting, "flags": counts.flags_open(request.user)})

    @answers_quietly
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        # What was to be said on the next page is not said to a script.
        quiet = {"messages": ()} if is_quiet(request) and request.method == "GET" else {}
        return super().changelist_view(request, {**(extra_context or {}), **quiet})

    def get_ordering(self, request: HttpRequest) -> Any:
        # Who has waited longest comes first.
        is_queue = request.GET.get("handler") == Thread.Handler.WAITING
        return ("handler_since", "id") if is_queue else super().get_ordering(request)

    # --- Columns --------------------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("thread"))
    def heading(self, obj: Any) -> str:
        """Return the title, and under it the last message, or where the words were found."""
        if found := getattr(obj, "found_text", None):
            said = plain_line(found)
            line = marked(
                shorten(said if len(found) < EXCERPT_LENGTH else f"{said}…", EXCERPT_LENGTH), obj.found_words
            )
        else:
            line = shorten(obj.last_preview, PREVIEW_LENGTH)
        title = (
            marked(shorten(obj.title), getattr(obj, "found_words", ())) if obj.title else _("Untitled thread")
        )
        shown = format_html(
            '<bdi class="chatkit-title">{}</bdi> <bdi class="chatkit-preview">{}</bdi>', title, line
        )
        if not obj.handler_reason:
            return shown
        return format_html('{} <bdi class="chatkit-preview chatkit-call">{}</bdi>', shown, call_of(obj, 200))

    @admin.display(description=gettext_lazy("thread"))
    def key(self, obj: Thread) -> str:
        return format_html("<bdi>{}</bdi>", shorten(obj.public_id, 20))

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def status_badge(self, obj: Thread) -> str:
        return format_html(
            '<span class="chatkit-badge chatkit-{}">{}</span>', obj.status, obj.get_status_display()
        )

    @admin.display(description=gettext_lazy("status"))
    def state(self, obj: Any) -> str:
        """Return the status, what speaks for a second look, and what staff keep: labels and who looks after it."""
        flags = ngettext("%(count)d flag", "%(count)d flags", obj.open_flags) % {"count": obj.open_flags}
        waits, told = obj.handler == Thread.Handler.WAITING, obj.handler == Thread.Handler.STAFF
        since = obj.unanswered_since or obj.handler_since or obj.last_activity
        waited = age(since)
        waiting = _("waiting, %(age)s") % {"age": waited} if waited else _("waiting, less than a minute")
        badges = [
            ("waiting", _("answered by"), waiting, waits),
            ("staff", _("answered by"), _holder_name(obj), told),
            ("running", _("answer"), _("being written"), getattr(obj, "is_answering", False)),
            (obj.status, _("status"), obj.get_status_display(), True),
            ("flagged", _("open flags"), flags, obj.open_flags),
            ("positive", _("positive feedback"), f"+{obj.positive_count}", obj.positive_count),
            ("negative", _("negative feedback"), f"−{obj.negative_count}", obj.negative_count),
        ]
        shown = format_html_join(
            " ",
            '<span class="chatkit-badge chatkit-{0}" title="{1}" role="img" aria-label="{1}: {2}">{2}</span>',
            ((kind, name, text) for kind, name, text, is_shown in badges if is_shown),
        )
        return format_html("{} {}", shown, self.labels_and_assignee(obj))

    def labels_and_assignee(self, obj: Any) -> str:
        labels = format_html_join(
            " ",
            '<span class="chatkit-badge chatkit-label-{}"><bdi>{}</bdi></span>',
            (
                (label["color"], shorten(label["name"], 40))
                for label in sorted(obj.label_list or [], key=lambda label: str(label["name"]))
            ),
        )
        assignment = getattr(obj, "assignment", None)
        if assignment is None:
            return format_html('<span class="chatkit-labels">{}</span>', labels) if labels else ""
        return format_html(
            '<span class="chatkit-labels">{} <span class="chatkit-assignee">→ <bdi>{}</bdi></span></span>',
            labels,
            shorten(assignment.assignee.get_username(), 40),
        )

    @admin.display(description=gettext_lazy("last activity"), ordering="last_activity")
    def activity(self, obj: Thread) -> str:
        return ago(obj.last_activity)

    # --- Search ---------------------------------------------------------------------------------------------

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Return the threads that the operators let through and in which the words are."""
        search = parse(search_term)
        if search_term and not getattr(request, _LISTED, False):
            # Asked by Django's page for autocompletion, which every staff member can call.
            audit.record(
                audit.Action.SEARCH, actor=request.user, reason=search_term[:1000], page="autocomplete"
            )
        queryset = narrow(search, queryset)
        if search.words:
            found = find(search, queryset, may_read=self.has_content_permission(request))
            _remember(request, found)
            queryset = queryset.filter(pk__in=found.keys)
        return queryset, False

    def get_paginator(
        self, request: HttpRequest, queryset: Any, per_page: int, *args: Any, **kwargs: Any
    ) -> CappedPaginator:
        found = _remembered(request)
        if found is None:
            return CappedPaginator(queryset, per_page, *args, **kwargs)
        return KnownPaginator(queryset, per_page, known=len(found.keys))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        setattr(request, _LISTED, True)
        inbox = super().get_changelist_instance(request)
        search = parse(inbox.query)
        may_read = self.has_content_permission(request)
        inbox.result_list = _with_facts(inbox.result_list)
        if search.words and may_read:
            inbox.result_list = _with_words(inbox.result_list, search)
        if inbox.query:
            if request.method == "GET":
                for remark in remarks(search, _remembered(request) or Found(), may_read=may_read):
                    messages.warning(request, remark)
            # However it was asked: the list, and the page before an action, show what was found to a POST too.
            audit.record(
                audit.Action.SEARCH, actor=request.user, reason=inbox.query[:1000], found=inbox.result_count
            )
        return inbox


def _holder_name(thread: Any) -> str:
    assignment = getattr(thread, "assignment", None)
    return str(_("a person")) if assignment is None else shorten(name_for_staff(assignment.assignee), 40)


def _remember(request: HttpRequest, found: Found) -> None:
    request.chatkit_found = found  # type: ignore[attr-defined]


def _remembered(request: HttpRequest) -> Found | None:
    """Return what the search of this request found, if it looked for words: its paginator need not count that again."""
    return getattr(request, "chatkit_found", None)


class _JSONGroup(Aggregate):
    """Values of many rows as one JSON array."""

    function = "JSON_GROUP_ARRAY"
    output_field = JSONField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, function="JSONB_AGG", **context)


def _with_facts(threads: QuerySet[Any]) -> QuerySet[Any]:
    """Return the rows with what they show besides their own columns."""
    labels = (
        Thread.labels.through._default_manager.filter(thread=OuterRef("pk"))
        .order_by()
        .values("thread")
        .annotate(found=_JSONGroup(JSONObject(name="label__name", color="label__color")))
        .values("found")
    )
    rows: QuerySet[Any] = (
        threads.select_related("user", "assignment__assignee")
        .defer("metadata", "allowed_image_domains", "status_reason")
        .annotate(
            label_list=Subquery(labels),
            is_answering=Exists(Run.objects.running().filter(thread=OuterRef("pk")).order_by()),
        )
    )
    return rows


def _with_words(threads: QuerySet[Any], search: Search) -> list[Any]:
    """Return the rows with the words that were looked for, and where they were found."""
    rows = list(threads.annotate(found_text=excerpt(search)))
    for row in rows:
        row.found_words = search.words
    return rows
