"""The notes that staff write one another about a thread."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import Note, Thread
from ..staff import audit
from ..staff.notes import add_note
from .base import ReadingAdmin
from .content import long_text
from .pages import page_url, thread_heading

MAX_LISTED = 200
"""Notes that the page shows."""


class NoteForm(forms.Form):
    """A note about a thread."""

    text = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField"}),
        help_text=gettext_lazy("For other staff. Neither the user nor the model reads it."),
    )


def notes_view(model_admin: ReadingAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Show all notes about a thread (GET), or write one (POST). Notes tell what is said: who may not read has none."""
    thread = model_admin.find(request, object_id, "moderate")
    thread = model_admin.find(request, object_id, "content")
    form = NoteForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            add_note(thread, actor=request.user, text=form.cleaned_data["text"])
        except Thread.DoesNotExist:  # deleted just now
            raise Http404 from None
        model_admin.message_user(request, _("The note was saved."), messages.SUCCESS)
        return HttpResponseRedirect(page_url(model_admin, thread))
    rows = list(Note.objects.filter(thread=thread).order_by("-pk")[: MAX_LISTED + 1])
    audit.record(audit.Action.READ, actor=request.user, thread=thread, page="notes", count=len(rows))
    context = model_admin.page_context(
        request,
        title=_("Notes"),
        thread_title=thread_heading(thread, may_read=True),
        form=form,
        notes=[{"row": note, "text": long_text(note.text)} for note in rows[:MAX_LISTED]],
        has_more=len(rows) > MAX_LISTED,
        back=page_url(model_admin, thread),
    )
    return TemplateResponse(request, "admin/chatkit_app/thread/notes.html", context)
