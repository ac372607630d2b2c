"""What staff keep about threads: pages and actions for notes, labels, the assignee, and for raising a flag."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..models import Label, Note, Thread, ThreadItem
from ..staff import audit, flags, scope
from ..staff.casework import add_note, assign, change_labels
from .base import ReadingAdmin
from .confirmation import ReasonForm, confirmation
from .content import long_text, visible
from .pages import list_url, page_url, selected_threads, to_page

NOTES_SHOWN = 200
NAMES_SHOWN = 50
"""Staff whose names are offered while one types; others can be typed."""
_MAX_PK = 2**63 - 1


# --- Flagging -----------------------------------------------------------------------------------------------


def flag_view(model_admin: ReadingAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Ask for the reason (GET); flag the thread, or the message named in the query string (POST)."""
    thread = model_admin.find(request, object_id, "moderate")
    item = _flagged_item(request, thread)
    form = ReasonForm(
        request.POST if request.method == "POST" else None,
        help_text=gettext_lazy("For those who review it; the user does not see it."),
    )
    if not form.is_valid():
        return confirmation(
            model_admin,
            request,
            title=_("Flag"),
            question=_("Flag? It goes to the review queue, where one of the staff will look at it."),
            button=_("Flag"),
            form=form,
            threads=[thread],
            facts=[_("Message %(id)s") % {"id": item.public_id}] if item is not None else [],
            back=page_url(model_admin, thread),
        )
    try:
        flags.flag(thread, item=item, reason=form.cleaned_data["reason"], actor=request.user)
    except Thread.DoesNotExist:  # deleted just now
        raise Http404 from None
    model_admin.message_user(request, _("The flag is in the review queue."), messages.SUCCESS)
    return to_page(model_admin, thread)


def _flagged_item(request: HttpRequest, thread: Thread) -> ThreadItem | None:
    if "item" not in request.GET:
        return None
    try:
        pk = int(request.GET["item"])
    except ValueError:
        raise Http404 from None
    item = ThreadItem.objects.filter(thread=thread, pk=pk).first() if 0 <= pk <= _MAX_PK else None
    if item is None:
        raise Http404
    return item


# --- Notes --------------------------------------------------------------------------------------------------


class NoteForm(forms.Form):
    """A note about a thread."""

    text = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField"}),
        help_text=gettext_lazy("For other staff. Neither the user nor the model reads it."),
    )


def notes_view(model_admin: ReadingAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """All notes about a thread (GET); write one (POST). Notes tell what is said: who may not read has none."""
    thread = model_admin.find(request, object_id, "moderate")
    thread = model_admin.find(request, object_id, "content")
    form = NoteForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            add_note(thread, author=request.user, text=form.cleaned_data["text"])
        except Thread.DoesNotExist:  # deleted just now
            raise Http404 from None
        model_admin.message_user(request, _("The note was saved."), messages.SUCCESS)
        return HttpResponseRedirect(page_url(model_admin, thread))
    rows = list(Note.objects.filter(thread=thread).order_by("-pk")[: NOTES_SHOWN + 1])
    audit.record(audit.Action.READ, actor=request.user, thread=thread, page="notes", count=len(rows))
    context = model_admin.page_context(
        request,
        title=_("Notes"),
        thread=thread,
        form=form,
        notes=[{"row": note, "text": long_text(note.text)} for note in rows[:NOTES_SHOWN]],
        has_more=len(rows) > NOTES_SHOWN,
        back=page_url(model_admin, thread),
    )
    return TemplateResponse(request, "admin/chatkit_app/thread/notes.html", context)


# --- Labels -------------------------------------------------------------------------------------------------


class LabelsForm(forms.Form):
    """The labels of one thread. It knows which ones were there when it was shown."""

    labels = forms.MultipleChoiceField(
        label=gettext_lazy("Labels"),
        required=False,
        show_hidden_initial=True,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(
        self, data: Any = None, *, labels: Mapping[str, Label], present: Collection[str] = ()
    ) -> None:
        super().__init__(data, initial={"labels": present})
        field: Any = self.fields["labels"]
        field.choices = [(key, visible(label.name)) for key, label in labels.items()]
        if not labels:
            field.help_text = _("There are no labels yet. They are made on a page of their own.")


class LabelForm(forms.Form):
    """One label, for many threads."""

    label: Any = forms.ModelChoiceField(label=gettext_lazy("Label"), queryset=Label.objects.all())


def labels_view(model_admin: ReadingAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Show the labels to choose from (GET); put on and take off what was changed (POST).

    What another moderator changed meanwhile stays: only the difference to what this one saw is applied.
    """
    thread = model_admin.find(request, object_id, "moderate")
    labels = {str(label.pk): label for label in Label.objects.all()}
    if request.method == "POST":
        form = LabelsForm(request.POST, labels=labels)
        if form.is_valid():
            chosen, seen = form.cleaned_data["labels"], request.POST.getlist("initial-labels")
            change_labels(
                [thread],
                actor=request.user,
                add=[labels[key] for key in chosen if key not in seen],
                remove=[labels[key] for key in seen if key not in chosen and key in labels],
            )
            model_admin.message_user(request, _("The labels were saved."), messages.SUCCESS)
            return to_page(model_admin, thread)
    else:
        present = [str(pk) for pk in thread.labels.values_list("pk", flat=True)]
        form = LabelsForm(labels=labels, present=present)
    if not labels and request.user.has_perm("chatkit_app.add_label"):
        field: Any = form.fields["labels"]
        page = reverse(f"{model_admin.admin_site.name}:chatkit_app_label_add")
        field.help_text = format_html('<a href="{}">{}</a>', page, field.help_text)
    return confirmation(
        model_admin,
        request,
        title=_("Labels"),
        question=_("Labels are for staff: neither the user nor the model sees them."),
        button=_("Save"),
        form=form,
        threads=[thread],
        back=page_url(model_admin, thread),
    )


@admin.action(permissions=["moderate"], description=gettext_lazy("Add a label to selected threads…"))
def add_label(model_admin: ReadingAdmin, request: HttpRequest, queryset: QuerySet[Thread]) -> Any:
    return _label_selected(model_admin, request, queryset, "add_label")


@admin.action(permissions=["moderate"], description=gettext_lazy("Remove a label from selected threads…"))
def remove_label(model_admin: ReadingAdmin, request: HttpRequest, queryset: QuerySet[Thread]) -> Any:
    return _label_selected(model_admin, request, queryset, "remove_label")


def _label_selected(
    model_admin: ReadingAdmin, request: HttpRequest, queryset: QuerySet[Thread], name: str
) -> HttpResponse | None:
    threads = selected_threads(model_admin, request, queryset, "moderate")
    if not threads:
        return None
    adds = name == "add_label"
    form = LabelForm(request.POST if "post" in request.POST else None)
    if not form.is_valid():
        return confirmation(
            model_admin,
            request,
            title=_("Add a label") if adds else _("Remove a label"),
            question=_("Which one? Their other labels stay."),
            button=_("Add") if adds else _("Remove"),
            form=form,
            threads=threads,
            action=name,
            back=list_url(model_admin),
        )
    chosen = {"add" if adds else "remove": [form.cleaned_data["label"]]}
    count = change_labels(threads, actor=request.user, **chosen)
    _tell_changed(model_admin, request, count)
    return None


# --- The assignee -------------------------------------------------------------------------------------------


class StaffNameInput(forms.TextInput):
    """A text field that offers the names of staff."""

    template_name = "admin/chatkit_app/staff_name.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["attrs"]["list"] = f"{name}-names"
        return {**context, "names": _staff_names()}


class AssignForm(forms.Form):
    """Who is to look after threads. A name is typed in: a list of all users may be very long."""

    user = forms.CharField(
        label=gettext_lazy("User name"),
        max_length=254,
        widget=StaffNameInput(attrs={"autocomplete": "off", "autocapitalize": "none", "class": "vTextField"}),
        help_text=gettext_lazy("Of an active staff member who may see the threads."),
    )

    def __init__(self, data: Any = None, *, threads: Sequence[Thread], initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        self._threads = threads

    def clean_user(self) -> Any:
        users = get_user_model()._default_manager
        found = users.filter(**{get_user_model().USERNAME_FIELD: self.cleaned_data["user"]}).first()
        user: Any = found
        if user is None or not (user.is_active and user.is_staff):
            raise ValidationError(_("There is no active staff member of this name."))
        wanted = {thread.pk for thread in self._threads}
        if not user.has_perm("chatkit_app.view_thread") or wanted - set(
            scope.threads_of(user).filter(pk__in=wanted).values_list("pk", flat=True)
        ):
            raise ValidationError(_("This staff member may not see all of these threads."))
        return user


def _staff_names() -> list[str]:
    """The first active staff, where the site's users tell it in columns."""
    user_model = get_user_model()
    try:
        for name in ("is_staff", "is_active"):
            user_model._meta.get_field(name)
    except FieldDoesNotExist:
        return []
    name = user_model.USERNAME_FIELD
    staff = user_model._default_manager.filter(is_staff=True, is_active=True).order_by(name)
    return [str(found) for found in staff.values_list(name, flat=True)[:NAMES_SHOWN]]


def assign_view(model_admin: ReadingAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Ask who is to look after the thread (GET); note it down (POST)."""
    thread = model_admin.find(request, object_id, "moderate")
    form = AssignForm(request.POST if request.method == "POST" else None, threads=[thread])
    if not form.is_valid():
        return _ask_whom(model_admin, request, [thread], form, back=page_url(model_admin, thread))
    assign([thread], form.cleaned_data["user"], actor=request.user)
    model_admin.message_user(
        request,
        _("The thread was assigned to %(name)s.") % {"name": form.cleaned_data["user"].get_username()},
        messages.SUCCESS,
    )
    return to_page(model_admin, thread)


def unassign_view(model_admin: ReadingAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Have nobody look after the thread (POST only)."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    thread = model_admin.find(request, object_id, "moderate")
    assign([thread], None, actor=request.user)
    model_admin.message_user(request, _("Nobody looks after this thread now."), messages.SUCCESS)
    return to_page(model_admin, thread)


@admin.action(permissions=["moderate"], description=gettext_lazy("Assign selected threads…"))
def assign_threads(model_admin: ReadingAdmin, request: HttpRequest, queryset: QuerySet[Thread]) -> Any:
    threads = selected_threads(model_admin, request, queryset, "moderate")
    if not threads:
        return None
    data = request.POST if "post" in request.POST else None
    form = AssignForm(data, threads=threads, initial={"user": request.user.get_username()})
    if not form.is_valid():
        back = list_url(model_admin)
        return _ask_whom(model_admin, request, threads, form, action="assign_threads", back=back)
    _tell_changed(model_admin, request, assign(threads, form.cleaned_data["user"], actor=request.user))
    return None


@admin.action(permissions=["moderate"], description=gettext_lazy("Unassign selected threads"))
def unassign_threads(model_admin: ReadingAdmin, request: HttpRequest, queryset: QuerySet[Thread]) -> Any:
    threads = selected_threads(model_admin, request, queryset, "moderate")
    if threads:
        _tell_changed(model_admin, request, assign(threads, None, actor=request.user))


def _ask_whom(
    model_admin: ReadingAdmin,
    request: HttpRequest,
    threads: list[Thread],
    form: AssignForm,
    *,
    back: str,
    action: str = "",
) -> HttpResponse:
    return confirmation(
        model_admin,
        request,
        title=_("Assign"),
        question=_("Who looks after it? That is for staff: neither the user nor the model sees it."),
        button=_("Assign"),
        form=form,
        threads=threads,
        action=action,
        back=back,
    )


def _tell_changed(model_admin: ReadingAdmin, request: HttpRequest, count: int) -> None:
    text = ngettext("%(count)d thread was changed.", "%(count)d threads were changed.", count)
    model_admin.message_user(request, text % {"count": count}, messages.SUCCESS if count else messages.INFO)
