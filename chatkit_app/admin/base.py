"""What the pages of this app share: nothing is added or edited by hand, and lists stay quick."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from ..models import OwnedModel, Thread
from .content import shorten
from .paginator import CappedPaginator

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin

MODERATE = "chatkit_app.moderate_thread"


class ReadingAdmin(ModelAdmin):
    """A list and a page to read. Changes happen through moderation, never through a form of columns."""

    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = CappedPaginator
    sortable_by: ClassVar[Any] = ()
    allowed_lookups: frozenset[str] = frozenset()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_moderate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this user may moderate, in general or one object."""
        return self.has_view_permission(request, obj) and request.user.has_perm(MODERATE)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        # The stock rule lets any reader ask about any column: ?title__startswith=…
        values = value if isinstance(value, list) else [value]
        return lookup in self.allowed_lookups and not any("\x00" in str(entry) for entry in values)

    @admin.display(description=_("owner"))
    def owner_label(self, obj: OwnedModel) -> str:
        """The user's name or the beginning of the visitor's id. Select the user with the row."""
        if obj.user is not None:
            return format_html("<bdi>{}</bdi>", shorten(obj.user.get_username(), 60))
        if obj.visitor_id:
            return format_html(
                '<span title="{}">{}</span>',
                obj.visitor_id,
                _("visitor %(id)s") % {"id": shorten(obj.visitor_id, 9)},
            )
        return self.get_empty_value_display()

    def thread_link(self, thread: Thread | None, *, suffix: str = "") -> str:
        """A link to the thread's page, or a dash."""
        if thread is None:
            return self.get_empty_value_display()
        url = reverse(f"{self.admin_site.name}:chatkit_app_thread_change", args=[thread.pk])
        label = shorten(thread.title) or shorten(thread.public_id, 20)
        return format_html('<a href="{}"><bdi>{}</bdi></a>', url + suffix, label)


class RecordAdmin(ReadingAdmin):
    """Rows that come and go with their thread and owner, and are never deleted one by one.

    The delete *permission* stays what it is: Django asks for it, row by row, when a user is deleted.
    """

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        raise PermissionDenied

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> Any:
        return super().change_view(
            request, object_id, form_url, {"show_delete": False, **(extra_context or {})}
        )
