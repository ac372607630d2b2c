"""The files of users' messages: what is known of them, and the way to open one."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected as stock_delete_selected
from django.contrib.admin.views.main import ChangeList
from django.db import router, transaction
from django.db.models import QuerySet
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..http.file_response import file_response
from ..models import Attachment
from ..staff import audit
from ..store.stored_files import open_stored
from .base import ReadingAdmin
from .content import ago, long_text, raw, shorten
from .filters import ActivityFilter, ChoicesFilter, OwnerKindFilter
from .pages import MAX_AT_ONCE

# With it the file could be had without a word in the audit.
_SIGNATURE = re.compile(r"\?signature=[^\s\"]+")


def file_view(model_admin: ReadingAdmin, request: HttpRequest, object_id: str) -> HttpResponseBase:
    """Return the file itself to those who may read what is said; the audit records who has."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    attachment = model_admin.find(request, object_id, "content")
    try:
        file = open_stored(attachment)
    except FileNotFoundError:
        model_admin.message_user(request, _("The file is no longer there."), messages.ERROR)
        return HttpResponseRedirect(
            reverse(f"{model_admin.admin_site.name}:chatkit_app_attachment_change", args=[attachment.pk])
        )
    _record(audit.Action.READ, request, attachment, opened=True)
    return file_response(request, attachment, file, headers={"Cross-Origin-Resource-Policy": "same-origin"})


def _record(action: audit.Action, request: HttpRequest, attachment: Attachment, **details: Any) -> None:
    audit.record(
        action,
        actor=request.user,
        thread=attachment.thread,
        owner=attachment.owner,
        attachment=attachment.public_id,
        **details,
    )


@admin.action(permissions=["delete"], description=gettext_lazy("Delete selected attachments"))
def delete_selected(
    model_admin: ReadingAdmin, request: HttpRequest, queryset: QuerySet[Attachment]
) -> HttpResponse | None:
    """Delete the selected attachments as Django does, if they are not too many."""
    if queryset[MAX_AT_ONCE : MAX_AT_ONCE + 1].exists():
        message = _("Please select at most %(count)d attachments at a time.") % {"count": MAX_AT_ONCE}
        model_admin.message_user(request, message, messages.ERROR)
        return None
    with transaction.atomic(using=router.db_for_write(Attachment)):
        return stock_delete_selected(model_admin, request, queryset)


class CreatedFilter(ActivityFilter):
    """Files that came between two days, both of them included."""

    title = gettext_lazy("created")
    column = "created_at"
    FIRST, LAST = "from", "to"


@admin.register(Attachment)
class AttachmentAdmin(ReadingAdmin):
    PAGES = (("file/", file_view, "file"),)

    empty_text = gettext_lazy("No file yet. Those that users attach to their messages appear here.")
    list_display = (
        "file_name",
        "content_type",
        "file_size",
        "owner_label",
        "thread_label",
        "created",
    )
    list_filter = (
        ("type", ChoicesFilter),
        OwnerKindFilter,
        CreatedFilter,
    )
    list_select_related = ("user", "thread")
    ordering = ("-id",)
    day_column = "created_at"
    search_fields = ("name", "public_id__exact", "visitor_id__exact")
    search_help_text = gettext_lazy("A part of a file’s name, or the whole id of an attachment or visitor.")
    # A file's name, and what its owner's page says of it, are content.
    without_content = {
        "file_name": "attachment_key",
        "thread_label": "thread_key",
        "details": "",
        "file_link": "",
        "name": "",
    }
    allowed_lookups = frozenset({"type__exact", "owner_kind", "from", "to", "thread"})
    actions = (delete_selected,)
    fields = (
        "file_name",
        "public_id",
        "type",
        "content_type",
        "file_size",
        "file_link",
        "owner_label",
        "thread_label",
        "namespace",
        "created_at",
        "details",
    )

    @admin.display(description=gettext_lazy("name"))
    def file_name(self, obj: Attachment) -> str:
        return format_html("<bdi>{}</bdi>", shorten(obj.name) or obj.public_id)

    @admin.display(description=gettext_lazy("id"))
    def attachment_key(self, obj: Attachment) -> str:
        return shorten(obj.public_id, 20)

    @admin.display(description=gettext_lazy("MIME type"))
    def content_type(self, obj: Attachment) -> str:
        return shorten(obj.mime_type)

    @admin.display(description=gettext_lazy("size"), ordering="size")
    def file_size(self, obj: Attachment) -> str:
        return filesizeformat(obj.size) if obj.size is not None else "–"

    @admin.display(description=gettext_lazy("created"))
    def created(self, obj: Attachment) -> str:
        return ago(obj.created_at)

    @admin.display(description=gettext_lazy("file"))
    def file_link(self, obj: Attachment) -> str:
        if not obj.file:
            return _("not uploaded, or deleted")
        url = reverse(f"{self.admin_site.name}:chatkit_app_attachment_file", args=[obj.pk])
        return format_html('<a href="{}" target="_blank" rel="noopener">{}</a>', url, _("Open the file"))

    @admin.display(description=gettext_lazy("details"))
    def details(self, obj: Attachment) -> str:
        details = _SIGNATURE.sub("?signature=…", raw(obj.payload))
        return format_html('<pre class="chatkit-code">{}</pre>', long_text(details).head)

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        changelist = super().get_changelist_instance(request)
        if changelist.query:
            audit.record(
                audit.Action.SEARCH,
                actor=request.user,
                reason=changelist.query[:1000],
                found=changelist.result_count,
                list="attachments",
            )
        return changelist

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        attachment = context["original"]
        if self.has_content_permission(request, attachment):
            _record(audit.Action.READ, request, attachment)
        return super().render_change_form(request, context, *args, **kwargs)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for attachment in queryset:
            _record(audit.Action.DELETE, request, attachment)
        return super().log_deletions(request, queryset)
