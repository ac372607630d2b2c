"""The page that redacts one message."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..models import EarlierItem, Thread, ThreadItem
from ..moderation.redaction import AlreadyRedacted, attachment_ids, others_with_words, redact, sent_files
from ..staff import audit
from .base import ReadingAdmin
from .confirmation import ConfirmedAction, ReasonForm
from .content import item_name, moment, raw, shorten
from .pages import page_url
from .transcript import UNSEEN_TYPES, find_item, shown_at

FILES_NAMED = 5
OTHERS_LINKED = 10


class RedactMessage(ConfirmedAction):
    """The page that redacts one message: it shows which one, and asks why."""

    permission = "redact"
    title = gettext_lazy("Redact a message")
    question = gettext_lazy(
        "Redact? What the message says is removed for good, for the user, for staff, in the search and in "
        "exports, with its files, its earlier versions and quotations of it in later messages. The model "
        "never reads it again; an answer that is being written now is stopped. Who redacted it, when and "
        "why remains."
    )
    button = gettext_lazy("Redact")
    is_final = True

    def __init__(self, model_admin: ReadingAdmin, request: HttpRequest, *, item_pk: int) -> None:
        super().__init__(model_admin, request)
        self.item_pk = item_pk

    item: ThreadItem | EarlierItem

    def answer(self, threads: Sequence[Thread]) -> HttpResponseBase | None:
        self.item = self.find_item(threads[0])
        return self.tell_too_late() if self.item.redacted_at is not None else super().answer(threads)

    def find_item(self, thread: Thread) -> ThreadItem | EarlierItem:
        item = find_item(thread, self.item_pk)
        if item is None or item.type == ThreadItem.Type.END_OF_TURN:
            raise Http404
        if item.type in UNSEEN_TYPES and not self.model_admin.has_hidden_permission(self.request, thread):
            raise PermissionDenied
        return item

    def make_form(self, threads: Sequence[Thread], data: Any) -> ReasonForm:
        return ReasonForm(
            data, help_text=_("Kept with the message, for staff only. The user does not read it.")
        )

    def ask(self, threads: Sequence[Thread], form: forms.Form) -> HttpResponseBase:
        audit.record(
            audit.Action.READ,
            actor=self.request.user,
            thread=threads[0],
            item_key=self.item.public_id,
            count=1,
        )
        return super().ask(threads, form)

    def facts(self, threads: Sequence[Thread]) -> Iterable[Any]:
        """Return which message it is, what goes with it, and where its words stay."""
        item = self.item
        yield _("%(type)s of %(time)s: “%(text)s”") % {
            "type": item_name(item),
            "time": moment(item.created_at),
            "text": shorten(item.text or raw(item.payload), 300),
        }
        files = sent_files(threads[0], attachment_ids(item)).order_by("pk")
        names = list(files.values_list("name", flat=True))
        if names:
            shown = ", ".join(shorten(name, 60) for name in names[:FILES_NAMED])
            more = ", …" if len(names) > FILES_NAMED else ""
            yield ngettext("%(count)d file: %(names)s", "%(count)d files: %(names)s", len(names)) % {
                "count": len(names),
                "names": shown + more,
            }
        hidden = self.model_admin.has_hidden_permission(self.request, threads[0])
        if others := others_with_words(item, hidden=hidden):
            yield self._links_to(threads[0], others)

    def _links_to(self, thread: Thread, others: Sequence[ThreadItem]) -> str:
        url = page_url(self.model_admin, thread)
        places = ((f"{url}?item={other.pk}", moment(other.created_at)) for other in others[:OTHERS_LINKED])
        links = format_html_join(", ", '<a href="{}">{}</a>', places)
        told = ngettext(
            "%(count)d other message has the same words, and stays as it is:",
            "%(count)d other messages have the same words, and stay as they are:",
            len(others),
        ) % {"count": len(others)}
        return format_html("{} {}{}", told, links, ", …" if len(others) > OTHERS_LINKED else "")

    def perform(self, threads: Sequence[Thread], form: Any) -> HttpResponseBase | None:
        try:
            self._redact(threads[0], form.cleaned_data["reason"])
        except AlreadyRedacted as error:
            self.item = error.item
            return self.tell_too_late()
        except ObjectDoesNotExist:
            raise Http404 from None
        self.tell(_("The message was redacted."))
        return HttpResponseRedirect(self.back(threads))

    def _redact(self, thread: Thread, reason: str) -> None:
        try:
            redact(self.item, actor=self.request.user, reason=reason)
        except ObjectDoesNotExist:
            # The user has just put another one in its place.
            self.item = self.find_item(thread)
            redact(self.item, actor=self.request.user, reason=reason)

    def tell_too_late(self) -> HttpResponseBase:
        redacted_at = self.item.redacted_at
        facts = {
            "name": shorten(self.item.redacted_by) or "–",
            "time": moment(redacted_at) if redacted_at is not None else "–",
        }
        self.tell(_("The message was redacted already. (%(name)s, %(time)s)") % facts, messages.WARNING)
        return HttpResponseRedirect(self.back([self.item.thread]))

    def back(self, threads: Sequence[Thread]) -> str:
        return f"{super().back(threads)}?item={shown_at(self.item)}"


redact_view = RedactMessage.as_view()
