"""Redact one message: the page that shows which one, asks why, and does it."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..models import Thread, ThreadItem
from ..moderation.redaction import AlreadyRedacted, attachment_ids, redact, sent_files
from ..staff import audit
from .base import ReadingAdmin
from .confirmation import ReasonForm, confirmation
from .content import moment, raw, shorten
from .pages import page_url
from .transcript import UNSEEN_TYPES, item_key

FILES_NAMED = 5


def redact_view(
    model_admin: ReadingAdmin, request: HttpRequest, object_id: str, item_pk: int
) -> HttpResponse:
    """Ask for the reason (GET); redact one message (POST)."""
    thread = model_admin.find(request, object_id, "redact")
    item = _find_item(model_admin, request, thread, item_pk)
    if item.redacted_at is not None:
        return _too_late(model_admin, request, thread, item)
    form = ReasonForm(
        request.POST if request.method == "POST" else None,
        help_text=_("Kept with the message, for staff only. The user does not read it."),
    )
    if not form.is_valid():
        return _ask(model_admin, request, thread, item, form)
    try:
        redact(item, actor=request.user, reason=form.cleaned_data["reason"])
    except AlreadyRedacted as error:
        return _too_late(model_admin, request, thread, error.item)
    except ThreadItem.DoesNotExist:
        raise Http404 from None
    model_admin.message_user(request, _("The message was redacted."), messages.SUCCESS)
    return _back(model_admin, thread, item)


def _find_item(model_admin: ReadingAdmin, request: HttpRequest, thread: Thread, item_pk: int) -> ThreadItem:
    items = ThreadItem.objects.filter(thread=thread).exclude(type=ThreadItem.Type.END_OF_TURN)
    key = item_key(str(item_pk))
    item = items.filter(pk=key).first() if key is not None else None
    if item is None:
        raise Http404
    if item.type in UNSEEN_TYPES and not model_admin.has_hidden_permission(request, thread):
        raise PermissionDenied
    return item


def _ask(
    model_admin: ReadingAdmin, request: HttpRequest, thread: Thread, item: ThreadItem, form: ReasonForm
) -> HttpResponse:
    audit.record(audit.Action.READ, actor=request.user, thread=thread, item_key=item.public_id, count=1)
    return confirmation(
        model_admin,
        request,
        title=_("Redact a message"),
        question=_(
            "Redact? What the message says is removed for good, for the user, for staff, in the search and in "
            "exports, with its files and with quotations of it in later messages. The model never reads it again; "
            "an answer that is being written now is stopped. Who redacted it, when and why remains."
        ),
        button=_("Redact"),
        form=form,
        back=_item_url(model_admin, thread, item),
        is_final=True,
        threads=[thread],
        facts=list(_facts(thread, item)),
    )


def _facts(thread: Thread, item: ThreadItem) -> Iterable[str]:
    """Which message it is, and what goes with it."""
    yield _("%(type)s of %(time)s: “%(text)s”") % {
        "type": capfirst(str(item.get_type_display())),
        "time": moment(item.created_at),
        "text": shorten(item.text or raw(item.payload), 300),
    }
    names = list(sent_files(thread, attachment_ids(item)).order_by("pk").values_list("name", flat=True))
    if names:
        shown = ", ".join(shorten(name, 60) for name in names[:FILES_NAMED])
        more = ", …" if len(names) > FILES_NAMED else ""
        yield ngettext("%(count)d file: %(names)s", "%(count)d files: %(names)s", len(names)) % {
            "count": len(names),
            "names": shown + more,
        }


def _too_late(
    model_admin: ReadingAdmin, request: HttpRequest, thread: Thread, item: ThreadItem
) -> HttpResponse:
    at = moment(item.redacted_at) if item.redacted_at is not None else "–"
    facts = {"name": shorten(item.redacted_by) or "–", "time": at}
    said = _("The message was redacted already. (%(name)s, %(time)s)") % facts
    model_admin.message_user(request, said, messages.WARNING)
    return _back(model_admin, thread, item)


def _item_url(model_admin: ReadingAdmin, thread: Thread, item: ThreadItem) -> str:
    return f"{page_url(model_admin, thread)}?item={item.pk}"


def _back(model_admin: ReadingAdmin, thread: Thread, item: ThreadItem) -> HttpResponse:
    return HttpResponseRedirect(_item_url(model_admin, thread, item))
