"""Pages that assign threads to members of staff."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import Thread
from ..moderation.assignment import assign
from ..staff import scope
from .base import ReadingAdmin
from .confirmation import ConfirmedAction
from .pages import selected_threads, tell_changed, to_page

MAX_NAMES = 50
"""Staff whose names are offered while one types; others can be typed."""


class StaffNameInput(forms.TextInput):
    """A text field that offers the names of staff."""

    template_name = "admin/chatkit_app/staff_name.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["attrs"]["list"] = f"{name}-names"
        return {**context, "names": _staff_names()}


class AssignForm(forms.Form):
    """A form that asks who is to look after threads. A name is typed in: a list of all users may be very long."""

    user = forms.CharField(
        label=gettext_lazy("User name"),
        max_length=254,
        widget=StaffNameInput(attrs={"autocomplete": "off", "autocapitalize": "none", "class": "vTextField"}),
        help_text=gettext_lazy("The name of an active staff member who may see the threads."),
    )

    def __init__(self, data: Any = None, *, threads: Sequence[Thread], initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        self._threads = threads

    def clean_user(self) -> Any:
        users = get_user_model()._default_manager
        found = users.filter(**{get_user_model().USERNAME_FIELD: self.cleaned_data["user"]}).first()
        user: Any = found
        if user is None or not (user.is_active and user.is_staff):
            raise ValidationError(_("There is no active staff member with this name."))
        wanted = {thread.pk for thread in self._threads}
        if not user.has_perm("chatkit_app.view_thread") or wanted - set(
            scope.threads_of(user).filter(pk__in=wanted).values_list("pk", flat=True)
        ):
            raise ValidationError(_("This staff member may not see all of these threads."))
        return user


def _staff_names() -> list[str]:
    """Return the names of the first active staff, where the site's users tell it in columns."""
    user_model = get_user_model()
    try:
        for name in ("is_staff", "is_active"):
            user_model._meta.get_field(name)
    except FieldDoesNotExist:
        return []
    name = user_model.USERNAME_FIELD
    staff = user_model._default_manager.filter(is_staff=True, is_active=True).order_by(name)
    return [str(found) for found in staff.values_list(name, flat=True)[:MAX_NAMES]]


class AssignThreads(ConfirmedAction):
    """The page that asks who is to look after threads, and assigns them."""

    title = gettext_lazy("Assign")
    question = gettext_lazy(
        "Who takes care of it? This is for staff only: neither the user nor the model sees it."
    )

    def make_form(self, threads: Sequence[Thread], data: Any) -> AssignForm:
        # Many at once are usually one's own.
        initial = {"user": self.request.user.get_username()} if self.action else None
        return AssignForm(data, threads=threads, initial=initial)

    def perform(self, threads: Sequence[Thread], form: Any) -> None:
        assignee = form.cleaned_data["user"]
        count = assign(threads, assignee, actor=self.request.user)
        if self.action:
            tell_changed(self.model_admin, self.request, count)
        else:
            self.tell(_("The thread was assigned to %(name)s.") % {"name": assignee.get_username()})


assign_view = AssignThreads.as_view()
assign_threads = AssignThreads.as_action(
    "assign_threads", description=gettext_lazy("Assign selected threads…")
)


def unassign_view(model_admin: ReadingAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Have nobody look after the thread (POST only)."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    thread = model_admin.find(request, object_id, "moderate")
    assign([thread], None, actor=request.user)
    model_admin.message_user(request, _("This thread is no longer assigned to anybody."), messages.SUCCESS)
    return to_page(model_admin, thread)


@admin.action(permissions=["moderate"], description=gettext_lazy("Unassign selected threads"))
def unassign_threads(model_admin: ReadingAdmin, request: HttpRequest, queryset: QuerySet[Thread]) -> Any:
    """Have nobody look after the selected threads."""
    threads = selected_threads(model_admin, request, queryset, "moderate")
    if threads:
        tell_changed(model_admin, request, assign(threads, None, actor=request.user))
