"""The base of the app's pages: permissions, scope, and lists that stay quick."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial, update_wrapper
from typing import TYPE_CHECKING, Any, ClassVar

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, SuspiciousOperation, ValidationError
from django.db.models import DateTimeField, ForeignKey, QuerySet
from django.forms import Media
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from ..models import OwnedModel, Thread
from ..rendering.client_files import client_file
from ..staff import scope
from ..storable import is_storable_text
from .content import moment, shorten
from .paginator import CappedPaginator
from .quiet import answers_quietly
from .refusals import audit_refusals, refuse

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
elif apps.is_installed("unfold"):
    # Its pages are styled by what its own class brings along.
    import unfold.admin

    class ModelAdmin(unfold.admin.ModelAdmin):
        @property
        def media(self) -> Media:
            return super().media + Media(css={"all": [client_file("unfold.css")]})
else:
    ModelAdmin = admin.ModelAdmin

PERMISSIONS = {
    "content": "chatkit_app.view_content",
    "hidden": "chatkit_app.view_hidden_context",
    "moderate": "chatkit_app.moderate_thread",
    "reply": "chatkit_app.reply_thread",
    "redact": "chatkit_app.redact_item",
    "export": "chatkit_app.export_thread",
    "erase": "chatkit_app.erase_owner",
    "audit": "chatkit_app.view_auditentry",
}
"""What staff may be allowed beyond Django's own permissions, by the names that actions and pages use."""


def may(request: HttpRequest, permission: str) -> bool:
    """Return whether the user of the request has one of ``PERMISSIONS``."""
    return bool(request.user.has_perm(PERMISSIONS[permission]))


def is_key(field: Any, text: Any) -> bool:
    """Return whether a text can be a primary key: numbers may be too large for any database."""
    try:
        field.clean(text, None)
    except ValidationError:
        return False
    return True


def exact_time(field: DateTimeField[Any, Any]) -> Callable[[Any], str | None]:
    """Return a column with the time of a row, written as on all pages: Django's own would name the month."""

    @admin.display(description=field.verbose_name)
    def time(row: Any) -> str | None:
        value = getattr(row, field.name)
        return None if value is None else moment(value)

    # By which style sheets know it.
    time.__name__ = field.name
    return time


class GuardedAdmin(ModelAdmin):
    """Pages that write into the audit what they refuse, and lists that cannot be probed.

    Attributes:
        allowed_lookups: all that may stand in a list's query string.
        empty_text: what an empty list says: how rows get there, and what to do.
    """

    allowed_lookups: frozenset[str] = frozenset()
    empty_text: Any = ""

    @property
    def list_title(self) -> str:
        """What the list is called, in headings and in what leads back to it."""
        return str(capfirst(self.opts.verbose_name_plural))

    @property
    def rows_name(self) -> str:
        """What several rows of the list are called, and counted as."""
        return str(getattr(self.model, "PLURAL", self.opts.verbose_name_plural))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {"title": self.list_title, "empty_text": self.empty_text, **(extra_context or {})}
        return super().changelist_view(request, context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        return super().render_change_form(
            request, {"list_title": self.list_title, **context}, *args, **kwargs
        )

    @property
    def urls(self) -> list[Any]:
        """All pages, with what they refuse written into the audit."""
        patterns = self.get_urls()
        for pattern in patterns:
            pattern.callback = audit_refusals(self.admin_site, pattern.callback)
        return patterns

    def refuse(self, request: HttpRequest) -> None:
        """Have a request written into the audit as refused. Not needed where the answer is a 400, 403, 404 or 405."""
        refuse(request)

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> Any:
        # Django sends those who ask for an absent row away with a message.
        self.refuse(request)
        return super()._get_obj_does_not_exist_redirect(request, opts, object_id)  # type: ignore[misc]

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # Django looks for the row first, and so would tell anybody whether there is one.
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        # The stock rule lets any reader ask about any column: ?title__startswith=…
        if lookup not in self.allowed_lookups or not is_storable_text(str(value)):
            return False
        keys = {field.name: field.target_field for field in self.opts.fields if isinstance(field, ForeignKey)}
        return lookup not in keys or is_key(keys[lookup], value)

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        return to_field == self.opts.pk.attname

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> Any:
        # Django asks the database for whatever was selected.
        if not all(is_key(self.opts.pk, key) for key in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            raise SuspiciousOperation("What was selected is no key.")
        return super().response_action(request, queryset, *args, **kwargs)


class ReadingAdmin(GuardedAdmin):
    """A list and a page to read. Changes happen through pages of their own, never through a form of columns.

    Attributes:
        PAGES: the pages around an object's own: where each is, its view, and the end of its URL's name. A view takes
            the model admin, the request, ``object_id`` and what its route says, and begins with ``find()``.
        day_column: what ``from`` and ``to`` in the query string are about, if a list has such a filter. As long as they
            are there the list is sorted by it, so that one index gives both.
        thread_path: the way from a row to its thread, by which rows are kept to the staff member's scope.
        without_content: what takes the place of columns, fields and search fields that tell what is said, for those
            who may not read it; an empty string where nothing does.
    """

    PAGES: tuple[tuple[str, Callable[..., HttpResponseBase], str], ...] = ()

    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = CappedPaginator
    sortable_by: ClassVar[Any] = ()
    day_column = ""
    thread_path = "thread"
    without_content: Mapping[str, str] = {"thread_label": "thread_key"}

    # Who may

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_content_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether this user may read what is said."""
        return self.has_view_permission(request, obj) and may(request, "content")

    def has_hidden_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether this user may read what only the model was told."""
        return self.has_content_permission(request, obj) and may(request, "hidden")

    def has_moderate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether this user may moderate, in general or one object."""
        return self.has_view_permission(request, obj) and may(request, "moderate")

    def has_reply_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether this user may answer in threads. Who answers has to read them first."""
        return self.has_content_permission(request, obj) and may(request, "reply")

    def has_redact_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether this user may redact messages. Who redacts has to read them first."""
        return self.has_content_permission(request, obj) and may(request, "redact")

    def has_export_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether this user may export what they may read."""
        return self.has_content_permission(request, obj) and may(request, "export")

    def has_erase_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether this user may erase everything of a person."""
        return self.has_view_permission(request, obj) and may(request, "erase")

    def has_audit_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether this user may read what staff did."""
        return may(request, "audit")

    # Whose

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return scope.within(super().get_queryset(request), request.user, thread=self.thread_path)

    def get_ordering(self, request: HttpRequest) -> Any:
        if self.day_column and request.GET.keys() & {"from", "to"}:
            return (f"-{self.day_column}", "-id")
        return super().get_ordering(request)

    def find(self, request: HttpRequest, object_id: str, permission: str = "view") -> Any:
        """Return the object of a page, for those who may do this with it. Out of reach is the same as absent.

        Args:
            object_id: as it stands in the URL.
            permission: ``"view"`` or one of ``PERMISSIONS``.

        Raises:
            PermissionDenied, Http404: which is written into the audit, as all that the pages refuse.
        """
        allowed = getattr(self, f"has_{permission}_permission")
        obj = self.get_object(request, unquote(object_id)) if allowed(request) else None
        if obj is not None and allowed(request, obj):
            return obj
        if not allowed(request) or obj is not None:
            raise PermissionDenied
        raise Http404

    def get_urls(self) -> list[Any]:
        pages = [
            path(
                f"<path:object_id>/{route}",
                self.admin_site.admin_view(update_wrapper(partial(answers_quietly(view), self), view)),
                name=f"{self.opts.app_label}_{self.opts.model_name}_{name}",
            )
            for route, view, name in self.PAGES
        ]
        return pages + super().get_urls()

    # What those see who may not read

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return self._shown(request, super().get_list_display(request))

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return self._shown(request, super().get_search_fields(request))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        # Of a time, what a page shows of times elsewhere.
        times = {
            field.name: exact_time(field) for field in self.opts.fields if isinstance(field, DateTimeField)
        }
        return [
            (
                name,
                {
                    **options,
                    "fields": [times.get(each, each) for each in self._shown(request, options["fields"])],
                },
            )
            for name, options in super().get_fieldsets(request, obj)
        ]

    def _shown(self, request: HttpRequest, names: Iterable[Any]) -> list[Any]:
        if self.has_content_permission(request):
            return list(names)
        return [shown for name in names if (shown := self.without_content.get(name, name))]

    # Columns and links

    @admin.display(description=_("owner"))
    def owner_label(self, obj: OwnedModel) -> str:
        """Return the user's name or the beginning of the visitor's id. Select the user with the row."""
        if obj.user is not None:
            return format_html("<bdi>{}</bdi>", shorten(obj.user.get_username(), 60))
        if obj.visitor_id:
            return format_html(
                '<span title="{}">{}</span>',
                obj.visitor_id,
                _("visitor %(id)s") % {"id": shorten(obj.visitor_id, 9)},
            )
        return self.get_empty_value_display()

    @admin.display(description=_("thread"))
    def thread_label(self, obj: Any) -> str:
        """Return a link to the row's thread by its title. Select the thread with the row."""
        return self.thread_link(obj.thread, label=shorten(obj.thread.title) if obj.thread else "")

    @admin.display(description=_("thread"))
    def thread_key(self, obj: Any) -> str:
        """Return a link to the row's thread by its id, for those who may not read."""
        return self.thread_link(obj.thread)

    def thread_link(self, thread: Thread | None, *, label: str = "", suffix: str = "") -> str:
        """Return a link to a thread's page, or a dash."""
        if thread is None:
            return self.get_empty_value_display()
        url = reverse(f"{self.admin_site.name}:chatkit_app_thread_change", args=[thread.pk])
        return format_html(
            '<a href="{}"><bdi>{}</bdi></a>', url + suffix, label or shorten(thread.public_id, 20)
        )

    def page_context(self, request: HttpRequest, **context: Any) -> dict[str, Any]:
        """Return the template context that every page of ours needs of the admin around it."""
        request.current_app = self.admin_site.name
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "list_title": self.list_title,
            **context,
        }


class RecordAdmin(ReadingAdmin):
    """Rows that come and go with their thread and owner, and are never deleted one by one.

    The delete *permission* stays what it is: Django asks for it, row by row, when a user is deleted.
    """

    def get_actions(self, request: HttpRequest, action_location: Any = None) -> dict[str, Any]:
        """Return Django's actions without the deletion. Only Django 6.1 and newer give ``action_location``."""
        location = {} if action_location is None else {"action_location": action_location}
        actions = super().get_actions(request, **location)
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
