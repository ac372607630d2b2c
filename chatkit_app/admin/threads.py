"""The inbox and a thread's page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import CASCADE, DO_NOTHING, SET_DEFAULT, SET_NULL, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.text import capfirst, smart_split, unescape_string_literal
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import Feedback, Run, Thread, ThreadItem
from .base import ReadingAdmin
from .content import long_text, raw, shorten, visible
from .filters import NamespaceFilter, OwnerKindFilter
from .moderation import TRANSITIONS, ReasonForm, Transition, set_status, stop_run, stopped_message
from .transcript import cursor, read_transcript

MAX_AT_ONCE = 500
RUNS_SHOWN = 20
_TITLES_SHOWN = 20


@admin.register(Thread)
class ThreadAdmin(ReadingAdmin):
    """Browse conversations, read one, moderate."""

    list_display = ("heading", "owner_label", "status_badge", "item_count", "activity", "preview")
    list_display_links = ("heading",)
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
    actions = ("lock_threads", "close_threads", "reopen_threads", "delete_selected")
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
        return super().get_queryset(request).select_related("user")

    @admin.display(description=gettext_lazy("title"))
    def whole_title(self, obj: Thread) -> str:
        return format_html("<bdi>{}</bdi>", long_text(obj.title).head) if obj.title else ""

    @admin.display(description=gettext_lazy("owner"))
    def owner_and_threads(self, obj: Thread) -> str:
        query = {"user": obj.user_id} if obj.user_id is not None else {"visitor_id": obj.visitor_id}
        return format_html(
            '{} (<a href="{}?{}">{}</a>)',
            self.owner_label(obj),
            reverse(self._url("changelist")),
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
        wrap = self.admin_site.admin_view
        return [
            path(
                "<path:object_id>/moderate/<str:name>/",
                wrap(self.moderate_view),
                name="chatkit_app_thread_moderate",
            ),
            path("<path:object_id>/stop/<int:run_pk>/", wrap(self.stop_view), name="chatkit_app_thread_stop"),
            path(
                "<path:object_id>/items/<int:item_pk>/", wrap(self.item_view), name="chatkit_app_thread_item"
            ),
            *super().get_urls(),
        ]

    def item_view(self, request: HttpRequest, object_id: str, item_pk: int) -> HttpResponse:
        """One item whole, however long, as plain text that no browser takes for anything else."""
        thread = self._get_thread(request, object_id)
        item = ThreadItem.objects.filter(thread=thread, pk=item_pk).first()
        if item is None:
            raise Http404
        parts = [visible(item.text)] if item.text else []
        parts += [visible(raw(item.payload))]
        response = HttpResponse("\n\n".join(parts), content_type="text/plain; charset=utf-8")
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
        return response

    # --- Moderation -----------------------------------------------------------------------------------------

    def moderate_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Ask for the reason (GET); lock, close or reopen one thread (POST)."""
        transition = TRANSITIONS.get(name)
        if transition is None:
            raise Http404
        thread = self._get_thread(request, object_id, moderate=True)
        form = ReasonForm(transition, request.POST if request.method == "POST" else None)
        if not form.is_valid():
            return self._ask_for_reason(request, [thread], transition, form)
        set_status([thread], transition, reason=form.cleaned_data["reason"], staff_pk=request.user.pk)
        self.message_user(request, transition.done % {"count": 1}, messages.SUCCESS)
        return self._to_page(thread)

    def stop_view(self, request: HttpRequest, object_id: str, run_pk: int) -> HttpResponse:
        """Stop one running answer (POST only)."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        thread = self._get_thread(request, object_id, moderate=True)
        run = Run.objects.filter(thread=thread, pk=run_pk).select_related("thread").first()
        if run is None:
            raise Http404
        if stop_run(run, staff_pk=request.user.pk):
            self.message_user(request, stopped_message(1), messages.SUCCESS)
        else:
            self.message_user(request, _("The answer had already ended."), messages.WARNING)
        return self._to_page(thread)

    @admin.action(permissions=["moderate"], description=gettext_lazy("Lock selected threads"))
    def lock_threads(self, request: HttpRequest, queryset: QuerySet[Thread]) -> HttpResponse | None:
        return self._moderate_selected(request, queryset, "lock")

    @admin.action(permissions=["moderate"], description=gettext_lazy("Close selected threads"))
    def close_threads(self, request: HttpRequest, queryset: QuerySet[Thread]) -> HttpResponse | None:
        return self._moderate_selected(request, queryset, "close")

    @admin.action(permissions=["moderate"], description=gettext_lazy("Reopen selected threads"))
    def reopen_threads(self, request: HttpRequest, queryset: QuerySet[Thread]) -> HttpResponse | None:
        return self._moderate_selected(request, queryset, "reopen")

    def _moderate_selected(
        self, request: HttpRequest, queryset: QuerySet[Thread], name: str
    ) -> HttpResponse | None:
        transition = TRANSITIONS[name]
        threads = self._selected(request, queryset)
        if threads is None:
            return None
        allowed = [thread for thread in threads if self.has_moderate_permission(request, thread)]
        if len(allowed) < len(threads):
            self.message_user(
                request, _("Threads that you may not moderate were left out."), messages.WARNING
            )
        if not allowed:
            return None
        form = ReasonForm(transition, request.POST if "post" in request.POST else None)
        if not form.is_valid():
            return self._ask_for_reason(request, allowed, transition, form, action=f"{name}_threads")
        set_status(allowed, transition, reason=form.cleaned_data["reason"], staff_pk=request.user.pk)
        self.message_user(request, transition.done % {"count": len(allowed)}, messages.SUCCESS)
        return None

    def _selected(self, request: HttpRequest, queryset: QuerySet[Thread]) -> list[Thread] | None:
        """The selected threads; None, and a message, when there are too many for one request."""
        threads = list(queryset[: MAX_AT_ONCE + 1])
        if len(threads) <= MAX_AT_ONCE:
            return threads
        self.message_user(
            request,
            _("Please select at most %(count)d threads at a time.") % {"count": MAX_AT_ONCE},
            messages.ERROR,
        )
        return None

    def _ask_for_reason(
        self,
        request: HttpRequest,
        threads: list[Thread],
        transition: Transition,
        form: ReasonForm,
        *,
        action: str = "",
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media + form.media,
            "title": transition.button,
            "transition": transition,
            "form": form,
            "threads": [(thread, shorten(thread.title)) for thread in threads[:_TITLES_SHOWN]],
            "thread_count": len(threads),
            "hidden_count": max(0, len(threads) - _TITLES_SHOWN),
            "action": action,
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
            "pks": [thread.pk for thread in threads] if action else [],
            "back": self._page_url(threads[0]) if not action else reverse(self._url("changelist")),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/chatkit_app/thread/moderate.html", context)

    # --- Deletion -------------------------------------------------------------------------------------------

    @admin.action(permissions=["delete"], description=gettext_lazy("Delete selected threads"))
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[Thread]) -> HttpResponse | None:
        if self._selected(request, queryset) is None:
            return None
        return delete_selected(self, request, queryset)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[Any], list[Any]]:
        """Count what goes with the threads; the stock version lists every item and asks about each."""
        threads = list(objs)
        counts = {str(self.opts.verbose_name_plural): len(threads)}
        protected: list[Any] = []
        for relation in Thread._meta.related_objects:
            model: Any = relation.related_model
            found = model._base_manager.filter(**{f"{relation.field.name}__in": threads})
            if relation.on_delete is CASCADE:
                if count := found.count():
                    counts[str(model._meta.verbose_name_plural)] = count
            elif relation.on_delete not in (SET_NULL, SET_DEFAULT, DO_NOTHING):
                protected += [
                    f"{capfirst(model._meta.verbose_name)}: {shorten(str(obj))}"
                    for obj in found[:_TITLES_SHOWN]
                ]
        if verdicts := Feedback.objects.filter(item__thread__in=threads).count():
            counts[str(Feedback._meta.verbose_name_plural)] = verdicts
        refused = not all(self.has_delete_permission(request, thread) for thread in threads)
        names = [" — ".join(filter(None, (thread.public_id, shorten(thread.title)))) for thread in threads]
        return names, counts, {self.opts.verbose_name} if refused else set(), protected

    # --- Ways around ----------------------------------------------------------------------------------------

    def _get_thread(self, request: HttpRequest, object_id: str, *, moderate: bool = False) -> Thread:
        """The thread, for those who may read (or moderate) it. Out of reach is the same as absent."""
        allowed = self.has_moderate_permission if moderate else self.has_view_permission
        if not allowed(request):
            raise PermissionDenied
        thread: Thread | None = self.get_object(request, unquote(object_id))
        if thread is None:
            raise Http404
        if not allowed(request, thread):
            raise PermissionDenied
        return thread

    def _url(self, page: str) -> str:
        return f"{self.admin_site.name}:chatkit_app_thread_{page}"

    def _page_url(self, thread: Thread) -> str:
        return reverse(self._url("change"), args=[thread.pk])

    def _to_page(self, thread: Thread) -> HttpResponse:
        return HttpResponseRedirect(self._page_url(thread))
