"""The page between a button and what it does: what will happen, to what, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy

from ..models import Thread
from .base import ReadingAdmin
from .content import shorten
from .pages import list_url, page_url, selected_threads, to_page

MAX_LISTED = 20
"""Threads that the page names; of the others it tells how many there are."""


class ReasonForm(forms.Form):
    """A form that asks for the reason."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
    )

    def __init__(self, data: Any = None, *, help_text: Any = "") -> None:
        super().__init__(data)
        self.fields["reason"].help_text = help_text


class ConfirmedAction:
    """Something that staff do to threads, once a page has told them what will happen and has asked for what it needs.

    A subclass says what it is, and ``perform()`` does it. ``as_view()`` makes a page of one thread of it, and
    ``as_action()`` an action for those selected in the list. An instance serves one request.

    Attributes:
        permission: whom it takes, as in ``has_{permission}_permission()``.
        title: of the page.
        question: what will happen, in a sentence or two.
        button: what is written on the button that does it; the title unless given.
        is_final: whether it cannot be undone; the button then looks like that of a deletion.
        action: the name of the admin action that goes on when the form is sent; empty for the page of one thread.
    """

    permission = "moderate"
    title: Any = ""
    question: Any = ""
    button: Any = ""
    is_final = False

    def __init__(self, model_admin: ReadingAdmin, request: HttpRequest, *, action: str = "") -> None:
        self.model_admin = model_admin
        self.request = request
        self.action = action

    # What differs

    def make_form(self, threads: Sequence[Thread], data: Any) -> forms.Form:
        """Return the form of the page. ``data`` is None until it was sent."""
        return ReasonForm(data)

    def facts(self, threads: Sequence[Thread]) -> Iterable[Any]:
        """Return further lines about what is concerned ("12 messages")."""
        return []

    def concerned(self, threads: Sequence[Thread]) -> tuple[Sequence[Thread], int]:
        """Return the threads that the page names, and how many there are."""
        return threads[:MAX_LISTED], len(threads)

    def perform(self, threads: Sequence[Thread], form: Any) -> HttpResponseBase | None:
        """Do it, and tell that it was done. Without a response, staff go back to where they came from."""
        raise NotImplementedError

    # The two ways to it

    @classmethod
    def as_view(cls) -> Callable[..., HttpResponseBase]:
        """Return the view of one thread: it asks (GET), and does it (POST). The class gets what the URL names."""

        def view(
            model_admin: ReadingAdmin, request: HttpRequest, object_id: str, **named: Any
        ) -> HttpResponseBase:
            doing = cls(model_admin, request, **named)
            thread = model_admin.find(request, object_id, cls.permission)
            return doing.answer([thread]) or to_page(model_admin, thread)

        return view

    @classmethod
    def as_action(
        cls, name: str, *, description: Any, **named: Any
    ) -> Callable[..., HttpResponseBase | None]:
        """Return an action for selected threads, asked for and done by the same POST twice."""

        def act(
            model_admin: ReadingAdmin, request: HttpRequest, queryset: QuerySet[Thread]
        ) -> HttpResponseBase | None:
            return cls(model_admin, request, action=name, **named).answer_for(queryset)

        act.__name__ = name
        decorated: Callable[..., HttpResponseBase | None] = admin.action(
            permissions=[cls.permission], description=description
        )(act)
        return decorated

    def answer_for(self, queryset: QuerySet[Thread]) -> HttpResponseBase | None:
        """Ask, or do what was confirmed, for those of the selected threads with which this user may do this."""
        threads = selected_threads(self.model_admin, self.request, queryset, self.permission)
        return self.answer(threads) if threads else None

    def answer(self, threads: Sequence[Thread]) -> HttpResponseBase | None:
        """Ask, or do what was confirmed."""
        is_sent = "post" in self.request.POST if self.action else self.request.method == "POST"
        form = self.make_form(threads, self.request.POST if is_sent else None)
        return self.perform(threads, form) if form.is_valid() else self.ask(threads, form)

    def ask(self, threads: Sequence[Thread], form: forms.Form) -> HttpResponseBase:
        """Return the page that asks."""
        may_read = self.model_admin.has_content_permission(self.request)
        listed, count = self.concerned(threads)
        context = self.model_admin.page_context(
            self.request,
            title=self.title,
            question=self.question,
            button=self.button or self.title,
            form=form,
            back=self.back(threads),
            threads=[(thread, shorten(thread.title) if may_read else "") for thread in listed],
            thread_count=count,
            hidden_count=max(0, count - len(listed)),
            facts=list(self.facts(threads)),
            is_final=self.is_final,
            action=self.action,
            action_checkbox_name=ACTION_CHECKBOX_NAME,
            selected=self.request.POST.getlist(ACTION_CHECKBOX_NAME) if self.action else [],
            select_across=self.request.POST.get("select_across", "0") if self.action else "0",
        )
        context["media"] += form.media
        return TemplateResponse(self.request, "admin/chatkit_app/confirmation.html", context)

    def back(self, threads: Sequence[Thread]) -> str:
        """Return the URL of the page that the user came from."""
        return list_url(self.model_admin) if self.action else page_url(self.model_admin, threads[0])

    def tell(self, text: Any, level: int = messages.SUCCESS) -> None:
        self.model_admin.message_user(self.request, text, level)
