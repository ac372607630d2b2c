"""The files of users' messages: what is known of them. Their bytes are not shown."""

from __future__ import annotations

from django.contrib import admin
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html
from django.utils.translation import gettext_lazy

from ..models import Attachment
from .base import ReadingAdmin
from .content import long_text, raw, shorten, visible
from .filters import OwnerKindFilter


@admin.register(Attachment)
class AttachmentAdmin(ReadingAdmin):
    list_display = (
        "file_name",
        "type",
        "content_type",
        "file_size",
        "owner_label",
        "thread_label",
        "created_at",
    )
    list_filter = (
        ("type", admin.ChoicesFieldListFilter),
        OwnerKindFilter,
        ("created_at", admin.DateFieldListFilter),
    )
    list_select_related = ("user", "thread")
    ordering = ("-id",)
    search_fields = ("name", "public_id__exact", "visitor_id__exact")
    search_help_text = gettext_lazy("A part of a file’s name, or the whole id of an attachment or visitor.")
    # A file's name, and what its owner's page says of it, are content.
    without_content = {
        "file_name": "attachment_key",
        "thread_label": "thread_key",
        "details": "",
        "name": "",
    }
    allowed_lookups = frozenset({"type__exact", "owner_kind", "created_at__gte", "created_at__lt"})
    fields = (
        "file_name",
        "public_id",
        "type",
        "content_type",
        "file_size",
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
        return visible(obj.mime_type)

    @admin.display(description=gettext_lazy("size"), ordering="size")
    def file_size(self, obj: Attachment) -> str:
        return filesizeformat(obj.size) if obj.size is not None else "–"

    @admin.display(description=gettext_lazy("details"))
    def details(self, obj: Attachment) -> str:
        return format_html('<pre class="chatkit-code">{}</pre>', long_text(raw(obj.payload)).head)
