"""The page between a button and what it does: what will happen, to what, and why."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy

from ..models import Thread
from .base import ReadingAdmin
from .content import shorten

SHOWN = 20
"""Threads that the page names; of the others it tells how many there are."""


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
    )

    def __init__(self, data: Any = None, *, help_text: Any = "") -> None:
        super().__init__(data)
        self.fields["reason"].help_text = help_text


def confirmation(
    model_admin: ReadingAdmin,
    request: HttpRequest,
    *,
    title: Any,
    question: Any,
    button: Any,
    form: forms.Form,
    back: str,
    threads: list[Thread],
    count: int | None = None,
    action: str = "",
    facts: list[Any] | None = None,
    is_final: bool = False,
) -> HttpResponse:
    """Ask before something is done.

    Args:
        title: of the page.
        question: what will happen, in a sentence or two.
        button: what is written on the button that does it.
        form: what is asked; usually a ``ReasonForm``.
        back: URL of the way out.
        threads: those that are concerned; the first are named.
        count: how many there are, where ``threads`` is only the beginning.
        action: name of the admin action that goes on when the form is sent. It is called again with the same
            selection, and ``"post"`` in ``request.POST``.
        facts: further lines of what is concerned ("12 messages").
        is_final: whether it cannot be undone; the button then looks like that of a deletion.
    """
    count = len(threads) if count is None else count
    may_read = model_admin.has_content_permission(request)
    context = model_admin.page_context(
        request,
        title=title,
        question=question,
        button=button,
        form=form,
        back=back,
        threads=[(thread, shorten(thread.title) if may_read else "") for thread in threads[:SHOWN]],
        thread_count=count,
        hidden_count=max(0, count - min(len(threads), SHOWN)),
        facts=facts or [],
        is_final=is_final,
        action=action,
        action_checkbox_name=ACTION_CHECKBOX_NAME,
        selected=request.POST.getlist(ACTION_CHECKBOX_NAME) if action else [],
        select_across=request.POST.get("select_across", "0") if action else "0",
    )
    context["media"] += form.media
    return TemplateResponse(request, "admin/chatkit_app/confirmation.html", context)
