"""Exports of conversations: one, all of its owner, a selection, or all that the list has found."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.core.handlers.asgi import ASGIRequest
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .. import database_context, db
from ..database_context import DatabaseContext
from ..logs import get_logger
from ..models import Thread
from ..moderation.erasure import Person
from ..moderation.exports import Export, Format
from ..process.threads import release_request_thread
from ..staff import audit, scope
from .confirmation import MAX_LISTED, ConfirmedAction, ReasonForm
from .pages import MAX_AT_ONCE
from .paginator import MAX_COUNT

logger = get_logger(__name__)


class ExportForm(ReasonForm):
    """A form that asks for the format, the reason and the extent."""

    format = forms.ChoiceField(label=gettext_lazy("Format"), choices=Format.choices)
    hidden = forms.BooleanField(
        label=gettext_lazy("Include what only the model was told"),
        help_text=gettext_lazy("Hidden context, and the input and output of tools."),
        required=False,
    )
    field_order = ("format", "hidden", "reason")

    def __init__(self, data: Any = None, *, may_hidden: bool) -> None:
        super().__init__(data, help_text=gettext_lazy("Kept in the audit."))
        if not may_hidden:
            del self.fields["hidden"]


class ExportThreads(ConfirmedAction):
    """The page that exports one thread, with ``?owner=1`` all of its owner, or any number of selected ones.

    The file is written while it is sent.
    """

    permission = "export"
    title: Any = gettext_lazy("Export")
    question = gettext_lazy("The file is written while it is sent. It shows redacted messages as redacted.")
    button = gettext_lazy("Export")
    person: Person | None = None
    threads: QuerySet[Thread]

    def answer_for(self, queryset: QuerySet[Thread]) -> HttpResponseBase | None:
        # Any number, which may be all that there are: none is read before it has its turn.
        self.threads = queryset
        return super().answer([])

    def answer(self, threads: Sequence[Thread]) -> HttpResponseBase | None:
        self.threads = Thread.objects.filter(pk=threads[0].pk)
        if self.request.GET.get("owner"):
            self.person = Person.of(threads[0])
            if self.person is None:
                self.tell(_("This thread has no owner."), messages.ERROR)
                return None
            self.threads = scope.threads_of(self.request.user, self.person.threads())
            self.title = _("Export all threads of this person")
        return super().answer(threads)

    def make_form(self, threads: Sequence[Thread], data: Any) -> ExportForm:
        return ExportForm(data, may_hidden=self.model_admin.has_hidden_permission(self.request))

    def ask(self, threads: Sequence[Thread], form: forms.Form) -> HttpResponseBase:
        self.count = _capped_count(self.threads)
        return super().ask(threads, form)

    def concerned(self, threads: Sequence[Thread]) -> tuple[Sequence[Thread], int]:
        return list(self.threads[:MAX_LISTED]), min(self.count, MAX_COUNT)

    def facts(self, threads: Sequence[Thread]) -> Iterable[str]:
        if self.count > MAX_COUNT:
            yield _("There are more than were counted, and all of them are exported.")
        found = getattr(self.request, "chatkit_found", None)
        if self.action and found is not None and found.is_capped:
            yield _("The search found more than the list shows; only the threads in the list are exported.")

    def perform(self, threads: Sequence[Thread], form: Any) -> HttpResponseBase | None:
        if self.person is not None:
            audited = {"thread": threads[0], "whole_owner": True}
            return self.send(form, name=f"owner-{self.person.key}", audited=audited)
        if not self.action:
            name = f"thread-{threads[0].public_id}"
            return self.send(form, name=name, audited={"thread": threads[0]})
        chosen = list(self.threads[: MAX_AT_ONCE + 1])
        if len(chosen) > MAX_AT_ONCE:
            # An entry for each would be more than anybody reads.
            filters = self.request.GET.urlencode()[:500]
            return self.send(form, name="threads", audited={"filters": filters})
        chosen = [thread for thread in chosen if self.may_export(thread)]
        if not chosen:
            self.tell(_("You may not export any of these threads."), messages.ERROR)
            return None
        self.threads = Thread.objects.filter(pk__in=[thread.pk for thread in chosen])
        return self.send(form, name="threads", audited={"threads": chosen})

    def may_export(self, thread: Thread) -> bool:
        return self.model_admin.has_export_permission(self.request, thread)

    def send(self, form: Any, *, name: str, audited: dict[str, Any]) -> HttpResponseBase:
        format = Format(form.cleaned_data["format"])
        hidden = bool(form.cleaned_data.get("hidden"))
        count = _capped_count(self.threads)
        # Before the first byte: what is read later has been asked for by now.
        audit.record(
            audit.Action.EXPORT,
            actor=self.request.user,
            reason=form.cleaned_data["reason"],
            format=format.value,
            hidden=hidden,
            count=count if count <= MAX_COUNT else None,
            **audited,
        )
        export = Export(self.threads, format=format, hidden=hidden, allowed=self.may_export)
        return _response(self.request, export, format=format, name=_file_name(name, format))


export_view = ExportThreads.as_view()
export_threads = ExportThreads.as_action(
    "export_threads", description=gettext_lazy("Export selected threads")
)


def _capped_count(threads: QuerySet[Thread]) -> int:
    return threads.order_by()[: MAX_COUNT + 1].count()


def _response(request: HttpRequest, export: Export, *, format: Format, name: str) -> StreamingHttpResponse:
    # Under ASGI, Django would read an ordinary iterator to its end before it sends anything.
    is_async = isinstance(request, ASGIRequest)
    response = StreamingHttpResponse(
        _pieces_async(export, database_context.of(request)) if is_async else _pieces(export),
        content_type=format.content_type,
    )
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response["Cache-Control"] = "no-store, private"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _file_name(name: str, format: Format) -> str:
    safe = re.sub("[^A-Za-z0-9_-]+", "-", name)[:80].strip("-")
    return f"chatkit-{safe}-{timezone.now():%Y-%m-%d}.{format.extension}"


def _pieces(export: Export) -> Iterator[str]:
    try:
        yield from export
    except Exception:
        logger.exception("An export broke off")
        yield export.incomplete()


async def _pieces_async(export: Export, context: DatabaseContext | None) -> AsyncIterator[str]:
    """Yield the pieces in an event loop. Each borrows a database worker; none is held while the client reads."""
    release_request_thread()
    try:
        while True:
            # Not around the yield: who iterates goes on there.
            with database_context.using(context):
                piece = await db.run(next, export, None)
            if piece is None:
                return
            yield piece
    except Exception:
        logger.exception("An export broke off")
        yield export.incomplete()
