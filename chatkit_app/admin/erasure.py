"""Erase everything of the person whose thread it is."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import Thread
from ..moderation.erasure import Person, erase, summary
from ..staff import scope
from .base import ReadingAdmin
from .confirmation import SHOWN, ReasonForm, confirmation
from .content import shorten
from .pages import list_url, page_url, to_page


class ErasureForm(ReasonForm):
    """Why, and whom once more."""

    owner = forms.CharField(
        label=gettext_lazy("Name or id of the person"),
        max_length=254,
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, data: Any = None, *, person: Person, name: str) -> None:
        super().__init__(data, help_text=gettext_lazy("Kept in the audit."))
        self.names = {name, person.key, person.key.partition(":")[2]} - {""}
        self.fields["owner"].help_text = _("To be sure, type in %(name)s.") % {
            "name": shorten(name or person.visitor_id, 100)
        }

    def clean_owner(self) -> str:
        typed = str(self.cleaned_data["owner"])
        if typed not in self.names:
            raise ValidationError(_("This is somebody else."))
        return typed


def erase_view(model_admin: ReadingAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Tell what goes and ask for a reason and the name (GET); erase it (POST)."""
    thread = model_admin.find(request, object_id, "erase")
    person = Person.of(thread)
    if person is None:
        model_admin.message_user(request, _("This thread has no owner."), messages.ERROR)
        return to_page(model_admin, thread)
    if not _sees_all_of(request, person):
        model_admin.refuse(request)
        model_admin.message_user(
            request,
            _("This person has threads that you may not see. Somebody who sees them all has to do this."),
            messages.ERROR,
        )
        return to_page(model_admin, thread)
    name = thread.user.get_username() if thread.user is not None else ""
    form = ErasureForm(request.POST if request.method == "POST" else None, person=person, name=name)
    if not form.is_valid():
        return _ask(model_admin, request, thread, person, form)
    erased = erase(person, actor=request.user, reason=form.cleaned_data["reason"])
    model_admin.message_user(
        request,
        _("Everything of this person was erased. %(counts)s") % {"counts": summary(erased)},
        messages.SUCCESS,
    )
    return HttpResponseRedirect(list_url(model_admin))


def _sees_all_of(request: HttpRequest, person: Person) -> bool:
    seen = scope.threads_of(request.user).order_by().values("pk")
    return not person.threads().exclude(pk__in=seen).exists()


def _ask(
    model_admin: ReadingAdmin, request: HttpRequest, thread: Thread, person: Person, form: ErasureForm
) -> HttpResponse:
    holdings = person.holdings()
    question = _("Erase everything of this person, in all namespaces? It cannot be undone.")
    if person.user_id is not None:
        question += " " + _("The user’s own account stays; it belongs to the site.")
    return confirmation(
        model_admin,
        request,
        title=_("Erase everything of this person"),
        question=question,
        button=_("Erase everything"),
        form=form,
        back=page_url(model_admin, thread),
        is_final=True,
        threads=[thread, *person.threads().exclude(pk=thread.pk).order_by("-last_activity")[: SHOWN - 1]],
        count=holdings["thread"],
        facts=[_("In all – %(counts)s") % {"counts": summary(holdings)}],
    )
