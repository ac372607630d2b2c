"""The page that flags a thread, or one of its messages, for those who review."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import Thread, ThreadItem
from ..staff import flags
from .confirmation import ConfirmedAction, ReasonForm
from .transcript import item_key


class FlagThread(ConfirmedAction):
    """The page that flags the thread, or the message that the query string names."""

    title = gettext_lazy("Flag")
    question = gettext_lazy("Flag? It goes to the review queue, where one of the staff will look at it.")

    def answer(self, threads: Sequence[Thread]) -> HttpResponseBase | None:
        self.item = self.find_item(threads[0])
        return super().answer(threads)

    def find_item(self, thread: Thread) -> ThreadItem | None:
        if "item" not in self.request.GET:
            return None
        pk = item_key(self.request.GET["item"])
        item = ThreadItem.objects.filter(thread=thread, pk=pk).first() if pk is not None else None
        if item is None:
            raise Http404
        return item

    def make_form(self, threads: Sequence[Thread], data: Any) -> ReasonForm:
        return ReasonForm(data, help_text=gettext_lazy("For those who review it; the user does not see it."))

    def facts(self, threads: Sequence[Thread]) -> list[str]:
        return [_("Message %(id)s") % {"id": self.item.public_id}] if self.item is not None else []

    def perform(self, threads: Sequence[Thread], form: Any) -> None:
        try:
            flags.flag(
                threads[0], item=self.item, reason=form.cleaned_data["reason"], actor=self.request.user
            )
        except Thread.DoesNotExist:  # deleted just now
            raise Http404 from None
        self.tell(_("The flag is in the review queue."))


flag_view = FlagThread.as_view()
