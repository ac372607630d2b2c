"""Export conversations: one, all of its owner, a selection, or all that the list has found."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.handlers.asgi import ASGIRequest
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .. import database_context, db
from ..database_context import DatabaseContext
from ..http.sse import release_request_thread
from ..logs import get_logger
from ..models import Thread
from ..moderation.erasure import Person
from ..moderation.exports import Export, Format
from ..staff import audit, scope
from .base import ReadingAdmin
from .confirmation import SHOWN, ReasonForm, confirmation
from .pages import MAX_AT_ONCE, list_url, page_url, to_page
from .paginator import MAX_COUNT

logger = get_logger(__name__)


class ExportForm(ReasonForm):
    """In which format, why, and with what."""

    format = forms.ChoiceField(label=gettext_lazy("Format"), choices=Format.choices)
    hidden = forms.BooleanField(
        label=gettext_lazy("With what only the model was told"),
        help_text=gettext_lazy("Hidden context, and what tools were given and gave."),
        required=False,
    )
    field_order = ("format", "hidden", "reason")

    def __init__(self, data: Any = None, *, may_hidden: bool) -> None:
        super().__init__(data, help_text=gettext_lazy("Kept in the audit."))
        if not may_hidden:
            del self.fields["hidden"]


def export_view(model_admin: ReadingAdmin, request: HttpRequest, object_id: str) -> HttpResponseBase:
    """Ask for format and reason (GET); send the file (POST). With ``?owner=1``, of all threads of the owner."""
    thread = model_admin.find(request, object_id, "export")
    form = _form(model_admin, request, is_sent=request.method == "POST")
    person = Person.of(thread) if request.GET.get("owner") else None
    threads = Thread.objects.filter(pk=thread.pk)
    if person is not None:
        threads = scope.threads_of(request.user, person.threads())
    elif request.GET.get("owner"):
        model_admin.message_user(request, _("This thread has no owner."), messages.ERROR)
        return to_page(model_admin, thread)
    if not form.is_valid():
        title = _("Export all threads of this person") if person else _("Export")
        return _ask(model_admin, request, threads, form, title=title, back=page_url(model_admin, thread))
    return _send(
        model_admin,
        request,
        threads,
        form,
        name=f"owner-{person.key}" if person else f"thread-{thread.public_id}",
        audited={"thread": thread, "whole_owner": True} if person else {"thread": thread},
    )


@admin.action(permissions=["export"], description=gettext_lazy("Export selected threads"))
def export_threads(
    model_admin: ReadingAdmin, request: HttpRequest, queryset: QuerySet[Thread]
) -> HttpResponseBase | None:
    """Any number of them: the file is written while it is sent."""
    form = _form(model_admin, request, is_sent="post" in request.POST)
    if not form.is_valid():
        return _ask(
            model_admin,
            request,
            queryset,
            form,
            title=_("Export"),
            back=list_url(model_admin),
            action="export_threads",
        )
    chosen = list(queryset[: MAX_AT_ONCE + 1])
    if len(chosen) > MAX_AT_ONCE:
        # An entry for each would be more than anybody reads.
        audited: dict[str, Any] = {"filters": request.GET.urlencode()[:500]}
    else:
        chosen = [thread for thread in chosen if model_admin.has_export_permission(request, thread)]
        if not chosen:
            model_admin.message_user(request, _("You may export none of these threads."), messages.ERROR)
            return None
        queryset = Thread.objects.filter(pk__in=[thread.pk for thread in chosen])
        audited = {"threads": chosen}
    return _send(model_admin, request, queryset, form, name="threads", audited=audited)


def _form(model_admin: ReadingAdmin, request: HttpRequest, *, is_sent: bool) -> ExportForm:
    data = request.POST if is_sent else None
    return ExportForm(data, may_hidden=model_admin.has_hidden_permission(request))


def _ask(
    model_admin: ReadingAdmin,
    request: HttpRequest,
    threads: QuerySet[Thread],
    form: ExportForm,
    *,
    title: str,
    back: str,
    action: str = "",
) -> HttpResponseBase:
    count = _capped_count(threads)
    facts = []
    if count > MAX_COUNT:
        facts.append(_("They are not counted any further: there are more, and all of them are exported."))
    found = getattr(request, "chatkit_found", None)
    if action and found is not None and found.is_capped:
        facts.append(_("The search has found more than the list shows; only what it shows is exported."))
    return confirmation(
        model_admin,
        request,
        title=title,
        question=_("The file is written while it is sent. It shows redacted messages as redacted."),
        button=_("Export"),
        form=form,
        back=back,
        threads=list(threads[:SHOWN]),
        count=min(count, MAX_COUNT),
        action=action,
        facts=facts,
    )


def _capped_count(threads: QuerySet[Thread]) -> int:
    return threads.order_by()[: MAX_COUNT + 1].count()


def _send(
    model_admin: ReadingAdmin,
    request: HttpRequest,
    threads: QuerySet[Thread],
    form: ExportForm,
    *,
    name: str,
    audited: dict[str, Any],
) -> HttpResponseBase:
    format = Format(form.cleaned_data["format"])
    hidden = bool(form.cleaned_data.get("hidden"))
    count = _capped_count(threads)
    # Before the first byte: what is read later has been asked for by now.
    audit.record(
        audit.Action.EXPORT,
        actor=request.user,
        reason=form.cleaned_data["reason"],
        format=format.value,
        hidden=hidden,
        count=count if count <= MAX_COUNT else None,
        **audited,
    )
    export = Export(
        threads,
        format=format,
        hidden=hidden,
        allowed=lambda thread: model_admin.has_export_permission(request, thread),
    )
    # Under ASGI, Django would read an ordinary iterator to its end before it sends anything.
    is_async = isinstance(request, ASGIRequest)
    response = StreamingHttpResponse(
        _pieces_async(export, database_context.of(request)) if is_async else _pieces(export),
        content_type=format.content_type,
    )
    response["Content-Disposition"] = (
        content_disposition_header(True, _file_name(name, format)) or "attachment"
    )
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
    """The same for an event loop. Each step borrows a database worker, and none is held while the client reads."""
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
