"""The inbox, and a thread's page with the pages around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext_lazy

from ..models import Thread
from ..moderation.erasure import delete_threads
from ..staff import audit, scope
from .assignment import assign_threads, assign_view, unassign_threads, unassign_view
from .canned import canned_view
from .deletion import delete_selected, deleted_objects
from .erasure import erase_view
from .exports import export_threads, export_view
from .flagging import flag_view
from .history import audit_history
from .inbox import Inbox
from .labelling import add_label, labels_view, remove_label
from .live_thread import changes_view, run_events_view
from .notes import notes_view
from .redaction import redact_view
from .status import change_status_view, close_threads, lock_threads, reopen_threads, stop_view
from .takeover import hand_back_view, hand_on_view, reply_view, take_view
from .thread_page import ThreadPage
from .transcript import earlier_view, item_view, transcript_view


@admin.register(Thread)
class ThreadAdmin(Inbox, ThreadPage):
    """Pages to browse conversations, read one, act on it."""

    # The pages around a thread's own: where it is, its view, and the name of its URL.
    PAGES: tuple[tuple[str, Callable[..., HttpResponseBase], str], ...] = (
        ("moderate/<str:change>/", change_status_view, "moderate"),
        ("stop/<int:run_pk>/", stop_view, "stop"),
        ("items/<int:item_pk>/", item_view, "item"),
        ("items/<int:item_pk>/redact/", redact_view, "redact"),
        ("transcript/", transcript_view, "transcript"),
        ("earlier/", earlier_view, "earlier"),
        ("changes/", changes_view, "changes"),
        ("runs/<int:run_pk>/events/", run_events_view, "run_events"),
        ("flag/", flag_view, "flag"),
        ("notes/", notes_view, "notes"),
        ("labels/", labels_view, "labels"),
        ("assign/", assign_view, "assign"),
        ("unassign/", unassign_view, "unassign"),
        ("take/", take_view, "take"),
        ("reply/", reply_view, "reply"),
        ("canned/", canned_view, "canned"),
        ("hand-back/", hand_back_view, "hand_back"),
        ("hand-on/", hand_on_view, "hand_on"),
        ("export/", export_view, "export"),
        ("erase/", erase_view, "erase"),
    )

    thread_path = ""
    empty_text = gettext_lazy(
        "No conversation yet. Each one that somebody begins in the chat appears here, with its first message."
    )
    without_content = {
        "heading": "key",
        "whole_title": "",
        "metadata_json": "",
        "reason": "",
        "title": "",
    }
    actions = (
        lock_threads,
        close_threads,
        reopen_threads,
        add_label,
        remove_label,
        assign_threads,
        unassign_threads,
        export_threads,
        delete_selected,
    )

    # --- A thread's page ------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # Not as other rows are kept to the scope: these are the threads themselves.
        threads = self.model._default_manager.order_by(*self.ordering).select_related("user")
        return scope.threads_of(request.user, threads)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        thread = self.find(request, object_id)
        may_read = self.has_content_permission(request, thread)
        audited = (
            audit_history(request, thread, may_read=may_read)
            if self.has_audit_permission(request, thread)
            else {}
        )
        context = {"media": self.media, **audited, **(extra_context or {})}
        return super().history_view(request, object_id, context)

    # --- Deletion -------------------------------------------------------------------------------------------

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[Any], list[Any]]:
        return deleted_objects(self, request, list(objs))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        delete_threads(Thread.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        delete_threads(Thread.objects.filter(pk__in=queryset.values_list("pk", flat=True)))

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        audit.record(audit.Action.DELETE, actor=request.user, threads=list(queryset))
        return super().log_deletions(request, queryset)
