"""The page that erases everything of the person whose thread it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponseBase, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import Thread
from ..moderation.erasure import Person, erase, summary
from ..staff import scope
from .confirmation import MAX_LISTED, ConfirmedAction, ReasonForm
from .content import shorten
from .pages import list_url


class ErasureForm(ReasonForm):
    """A form that asks for the reason, and for the person's name once more."""

    owner = forms.CharField(
        label=gettext_lazy("Name or id of the person"),
        max_length=254,
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, data: Any = None, *, person: Person, name: str) -> None:
        super().__init__(data, help_text=gettext_lazy("Kept in the audit."))
        self.names = {name, person.key, person.key.partition(":")[2]} - {""}
        self.fields["owner"].help_text = _("To confirm, type %(name)s.") % {
            "name": shorten(name or person.visitor_id, 100)
        }

    def clean_owner(self) -> str:
        typed = str(self.cleaned_data["owner"])
        if typed not in self.names:
            raise ValidationError(_("This is not the name of the person."))
        return typed


class ErasePerson(ConfirmedAction):
    """The page that erases everything of the person whose thread it is, once their name was typed in."""

    permission = "erase"
    title = gettext_lazy("Erase all data of this person")
    button = gettext_lazy("Erase all data")
    is_final = True

    def answer(self, threads: Sequence[Thread]) -> HttpResponseBase | None:
        person = Person.of(threads[0])
        if person is None:
            self.tell(_("This thread has no owner."), messages.ERROR)
            return None
        self.person = person
        if not self.sees_all():
            self.model_admin.refuse(self.request)
            self.tell(
                _("This person has threads that you may not see. Somebody who sees them all has to do this."),
                messages.ERROR,
            )
            return None
        return super().answer(threads)

    def sees_all(self) -> bool:
        seen = scope.threads_of(self.request.user).order_by().values("pk")
        return not self.person.threads().exclude(pk__in=seen).exists()

    def make_form(self, threads: Sequence[Thread], data: Any) -> ErasureForm:
        user = threads[0].user
        return ErasureForm(data, person=self.person, name=user.get_username() if user is not None else "")

    def ask(self, threads: Sequence[Thread], form: forms.Form) -> HttpResponseBase:
        self.holdings = self.person.holdings()
        self.question = _("Erase all data of this person, in all namespaces? This cannot be undone.")
        if self.person.user_id is not None:
            self.question += " " + _("The user’s own account stays; it belongs to the site.")
        return super().ask(threads, form)

    def concerned(self, threads: Sequence[Thread]) -> tuple[Sequence[Thread], int]:
        others = self.person.threads().exclude(pk=threads[0].pk).order_by("-last_activity")
        return [*threads, *others[: MAX_LISTED - 1]], self.holdings["thread"]

    def facts(self, threads: Sequence[Thread]) -> list[str]:
        return [_("Total: %(counts)s") % {"counts": summary(self.holdings)}]

    def perform(self, threads: Sequence[Thread], form: Any) -> HttpResponseBase:
        erased = erase(self.person, actor=self.request.user, reason=form.cleaned_data["reason"])
        self.tell(_("All data of this person was erased. %(counts)s") % {"counts": summary(erased)})
        return HttpResponseRedirect(list_url(self.model_admin))


erase_view = ErasePerson.as_view()
