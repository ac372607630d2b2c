"""Deletion of threads with all that hangs on them, counted instead of listed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected as stock_delete_selected
from django.core.exceptions import PermissionDenied
from django.db import router, transaction
from django.db.models import CASCADE, DO_NOTHING, SET_DEFAULT, SET_NULL, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy, ngettext

from ..models import Feedback, Presence, Thread
from .base import ReadingAdmin
from .content import shorten
from .pages import selected_threads

MAX_LISTED = 20


@admin.action(permissions=["delete"], description=gettext_lazy("Delete selected threads"))
def delete_selected(
    model_admin: ReadingAdmin, request: HttpRequest, queryset: QuerySet[Thread]
) -> HttpResponse | None:
    """Delete the selected threads with which this user may do this, in one transaction."""
    threads = selected_threads(model_admin, request, queryset, "delete")
    if not threads:
        return None
    allowed = queryset.filter(pk__in=[thread.pk for thread in threads])
    *_, refused, protected = deleted_objects(model_admin, request, threads)
    if request.POST.get("post") and not protected:
        if refused:
            raise PermissionDenied
        # The audit is written before the rows go, and must not tell of what then failed.
        with transaction.atomic(using=router.db_for_write(Thread)):
            model_admin.log_deletions(request, allowed)
            model_admin.delete_queryset(request, allowed)
        text = ngettext("%(count)d thread was deleted.", "%(count)d threads were deleted.", len(threads))
        model_admin.message_user(request, text % {"count": len(threads)}, messages.SUCCESS)
        return None
    response = stock_delete_selected(model_admin, request, allowed)
    if isinstance(response, TemplateResponse) and response.context_data is not None:
        # Django would ask whether to delete the inbox.
        response.context_data["objects_name"] = model_admin.rows_name
    return response


def deleted_objects(
    model_admin: ReadingAdmin, request: HttpRequest, threads: list[Thread]
) -> tuple[list[Any], dict[str, int], set[Any], list[Any]]:
    """Return what goes with the threads, in the form of ``get_deleted_objects()``.

    The stock version lists every item, and asks whether each of them may be deleted.
    """
    counts = {model_admin.rows_name: len(threads)}
    protected: list[Any] = []
    for relation in Thread._meta.related_objects:
        model: Any = relation.related_model
        if model is Presence:  # who has its page open now is nothing that anybody could miss
            continue
        found = model._base_manager.filter(**{f"{relation.field.name}__in": threads})
        if relation.on_delete is CASCADE:
            if count := found.count():
                counts[str(model._meta.verbose_name_plural)] = count
        elif relation.on_delete not in (SET_NULL, SET_DEFAULT, DO_NOTHING):
            protected += [
                f"{capfirst(model._meta.verbose_name)}: {shorten(str(obj))}" for obj in found[:MAX_LISTED]
            ]
    if feedback := Feedback.objects.filter(item__thread__in=threads).count():
        counts[str(Feedback._meta.verbose_name_plural)] = feedback
    refused = not all(model_admin.has_delete_permission(request, thread) for thread in threads)
    may_read = model_admin.has_content_permission(request)
    names = [
        " — ".join(filter(None, (thread.public_id, shorten(thread.title) if may_read else "")))
        for thread in threads
    ]
    return names, counts, {model_admin.opts.verbose_name} if refused else set(), protected
