"""The inbox, and a thread's page with the pages around it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.text import smart_split, unescape_string_literal
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .. import audit, scope
from ..models import Run, Thread, ThreadItem
from .acting import TRANSITIONS, close_threads, lock_threads, moderate_view, reopen_threads, stop_view
from .base import ReadingAdmin
from .content import long_text, raw, shorten, visible
from .deletion import delete_selected, deleted_objects
from .filters import NamespaceFilter, OwnerKindFilter
from .pages import list_url
from .transcript import cursor, item_view, read_transcript

RUNS_SHOWN = 20


@admin.register(Thread)
class ThreadAdmin(ReadingAdmin):
    """Browse conversations, read one, act on it."""

    # The pages around a thread's own: where it is, its view, and the name of its URL.
    PAGES: tuple[tuple[str, Callable[..., HttpResponse], str], ...] = (
        ("moderate/<str:name>/", moderate_view, "moderate"),
        ("stop/<int:run_pk>/", stop_view, "stop"),
        ("items/<int:item_pk>/", item_view, "item"),
    )

    list_display = ("heading", "owner_label", "status_badge", "item_count", "activity", "preview")
    thread_path = ""
    without_content = {"heading": "key", "preview": "", "whole_title": "", "metadata_json": "", "title": ""}
    list_filter = (
        ("status", admin.ChoicesFieldListFilter),
        OwnerKindFilter,
        ("last_activity", admin.DateFieldListFilter),
        NamespaceFilter,
    )
    ordering = ("-last_activity", "-id")
    sortable_by = ("activity",)
    search_fields = ("title",)
    search_help_text = gettext_lazy(
        "Words of titles and messages, a user’s name, or a thread’s or visitor’s whole id."
    )
    allowed_lookups = frozenset(
        {
            "status__exact",
            "owner_kind",
            "namespace",
            "last_activity__gte",
            "last_activity__lt",
            "user",
            "visitor_id",
        }
    )
    actions = (lock_threads, close_threads, reopen_threads, delete_selected)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "whole_title",
                    "owner_and_threads",
                    "status_badge",
                    "reason",
                    "last_activity",
                    "item_count",
                )
            },
        ),
        (
            gettext_lazy("More"),
            {
                "classes": ("collapse",),
                "fields": ("public_id", "namespace", "created_at", "image_domains", "metadata_json"),
            },
        ),
    )

    # --- The inbox ------------------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("thread"))
    def heading(self, obj: Thread) -> str:
        return format_html("<bdi>{}</bdi>", shorten(obj.title) or shorten(obj.public_id, 20))

    @admin.display(description=gettext_lazy("thread"))
    def key(self, obj: Thread) -> str:
        return shorten(obj.public_id, 20)

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def status_badge(self, obj: Thread) -> str:
        return format_html(
            '<span class="chatkit-badge chatkit-{}">{}</span>', obj.status, obj.get_status_display()
        )

    @admin.display(description=gettext_lazy("last message"))
    def preview(self, obj: Thread) -> str:
        return format_html('<bdi class="chatkit-preview">{}</bdi>', shorten(obj.last_preview, 120))

    @admin.display(description=gettext_lazy("last activity"), ordering="last_activity")
    def activity(self, obj: Thread) -> str:
        moment = obj.last_activity
        return date_format(localtime(moment) if is_aware(moment) else moment, "SHORT_DATETIME_FORMAT")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Threads in which every word is found: in the title, in a message, or in who owns it.

        Messages and users are looked up by subquery: a join would give a thread once per message found.
        """
        users = get_user_model()._default_manager.all()
        for word in smart_split(search_term):
            if word[0] in "\"'" and word[0] == word[-1] and len(word) > 1:
                word = unescape_string_literal(word)
            if not word:
                continue
            queryset = queryset.filter(
                Q(title__icontains=word)
                | Q(public_id=word)
                | Q(visitor_id=word)
                | Q(pk__in=ThreadItem.objects.filter(text__icontains=word).values("thread_id"))
                | Q(
                    user__in=users.filter(**{f"{get_user_model().USERNAME_FIELD}__icontains": word}).values(
                        "pk"
                    )
                )
            )
        return queryset, False

    # --- A thread's page ------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # Not as other rows are kept to the scope: these are the threads themselves.
        threads = self.model._default_manager.order_by(*self.ordering).select_related("user")
        return scope.threads_of(request.user, threads)

    @admin.display(description=gettext_lazy("title"))
    def whole_title(self, obj: Thread) -> str:
        return format_html("<bdi>{}</bdi>", long_text(obj.title).head) if obj.title else ""

    @admin.display(description=gettext_lazy("owner"))
    def owner_and_threads(self, obj: Thread) -> str:
        query = {"user": obj.user_id} if obj.user_id is not None else {"visitor_id": obj.visitor_id}
        return format_html(
            '{} (<a href="{}?{}">{}</a>)',
            self.owner_label(obj),
            list_url(self),
            urlencode(query),
            _("all threads"),
        )

    @admin.display(description=gettext_lazy("reason"))
    def reason(self, obj: Thread) -> str:
        return visible(obj.status_reason[:4000])

    @admin.display(description=gettext_lazy("allowed image domains"))
    def image_domains(self, obj: Thread) -> str:
        domains = obj.allowed_image_domains
        return ", ".join(visible(str(domain)) for domain in domains) if isinstance(domains, list) else ""

    @admin.display(description=gettext_lazy("metadata"))
    def metadata_json(self, obj: Thread) -> str:
        return format_html('<pre class="chatkit-code">{}</pre>', long_text(raw(obj.metadata)).head)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Thread | None = None,
    ) -> HttpResponse:
        assert obj is not None
        may_moderate = self.has_moderate_permission(request, obj)
        runs = list(Run.objects.filter(thread=obj).order_by("-pk")[: RUNS_SHOWN + 1])
        context |= {
            "title": shorten(obj.title) or _("Thread"),
            "transcript": read_transcript(
                obj, after=cursor(request.GET, "after"), before=cursor(request.GET, "before")
            ),
            "runs": [
                {"row": run, "model": shorten(run.model, 80), "error": shorten(run.error, 500)}
                for run in runs[:RUNS_SHOWN]
            ],
            "has_more_runs": len(runs) > RUNS_SHOWN,
            "may_view_runs": request.user.has_perm("chatkit_app.view_run"),
            "may_moderate": may_moderate,
            "transitions": [
                (name, transition)
                for name, transition in TRANSITIONS.items()
                if may_moderate and transition.status != obj.status
            ],
        }
        return super().render_change_form(request, context, add, change, form_url, obj)

    def get_urls(self) -> list[Any]:
        return [
            path(
                f"<path:object_id>/{route}",
                self.admin_site.admin_view(update_wrapper(partial(view, self), view)),
                name=f"chatkit_app_thread_{name}",
            )
            for route, view, name in self.PAGES
        ] + super().get_urls()

    # --- Deletion -------------------------------------------------------------------------------------------

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[Any], list[Any]]:
        return deleted_objects(self, request, list(objs))

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        audit.record(audit.Action.DELETE, actor=request.user, threads=list(queryset))
        return super().log_deletions(request, queryset)
