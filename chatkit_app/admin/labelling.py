"""Pages that put labels on threads and take them off: those of one thread, or one of many threads."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import Label, Thread
from ..staff.labels import change_labels
from .confirmation import ConfirmedAction
from .content import visible
from .pages import tell_changed


class LabelsForm(forms.Form):
    """The labels of one thread. The form knows which ones were there when it was shown."""

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
            field.help_text = _("There are no labels yet. They are added on a page of their own.")


class LabelForm(forms.Form):
    """One label, for many threads."""

    label: Any = forms.ModelChoiceField(label=gettext_lazy("Label"), queryset=Label.objects.all())


class ChooseLabels(ConfirmedAction):
    """The page that sets the labels of one thread.

    What another moderator changed meanwhile stays: only the difference to what this one saw is applied.
    """

    title = gettext_lazy("Labels")
    question = gettext_lazy("Labels are for staff: neither the user nor the model sees them.")
    button = gettext_lazy("Save")

    def make_form(self, threads: Sequence[Thread], data: Any) -> LabelsForm:
        self.labels = {str(label.pk): label for label in Label.objects.all()}
        present = [str(pk) for pk in threads[0].labels.values_list("pk", flat=True)] if data is None else []
        form = LabelsForm(data, labels=self.labels, present=present)
        if not self.labels and self.request.user.has_perm("chatkit_app.add_label"):
            field: Any = form.fields["labels"]
            page = reverse(f"{self.model_admin.admin_site.name}:chatkit_app_label_add")
            field.help_text = format_html('<a href="{}">{}</a>', page, field.help_text)
        return form

    def perform(self, threads: Sequence[Thread], form: Any) -> None:
        chosen, seen = form.cleaned_data["labels"], self.request.POST.getlist("initial-labels")
        change_labels(
            threads,
            actor=self.request.user,
            add=[self.labels[key] for key in chosen if key not in seen],
            remove=[self.labels[key] for key in seen if key not in chosen and key in self.labels],
        )
        self.tell(_("The labels were saved."))


class AddLabel(ConfirmedAction):
    """The page that puts one label on many threads."""

    title = gettext_lazy("Add a label")
    question = gettext_lazy("Which one? Their other labels stay.")
    button = gettext_lazy("Add")

    def make_form(self, threads: Sequence[Thread], data: Any) -> LabelForm:
        return LabelForm(data)

    def perform(self, threads: Sequence[Thread], form: Any) -> None:
        count = change_labels(threads, actor=self.request.user, add=[form.cleaned_data["label"]])
        tell_changed(self.model_admin, self.request, count)


class RemoveLabel(AddLabel):
    """The page that takes one label off many threads."""

    title = gettext_lazy("Remove a label")
    button = gettext_lazy("Remove")

    def perform(self, threads: Sequence[Thread], form: Any) -> None:
        count = change_labels(threads, actor=self.request.user, remove=[form.cleaned_data["label"]])
        tell_changed(self.model_admin, self.request, count)


labels_view = ChooseLabels.as_view()
add_label = AddLabel.as_action("add_label", description=gettext_lazy("Add a label to selected threads…"))
remove_label = RemoveLabel.as_action(
    "remove_label", description=gettext_lazy("Remove a label from selected threads…")
)
