"""Pages that lock, close and reopen threads, and stop answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy

from ..models import Run, Thread
from ..moderation.status import last_change, set_status, stop_run
from .base import ReadingAdmin
from .confirmation import ConfirmedAction, ReasonForm
from .content import moment, shorten
from .pages import to_page


@dataclass(frozen=True, kw_only=True)
class Transition:
    """A change of a thread's status, and the words for it."""

    status: Thread.Status
    link: Any
    button: Any
    question: Any
    help_text: Any
    done: Any
    already: Any


class NewReasonForm(ReasonForm):
    """A form for another reason, of a thread that is locked or closed already, perhaps unknown to the moderator."""

    replace = forms.BooleanField(
        label=gettext_lazy("Replace the reason that the user reads now"),
        error_messages={
            "required": gettext_lazy("It has this status already. Tick this to replace the reason.")
        },
    )


TRANSITIONS = {
    "lock": Transition(
        status=Thread.Status.LOCKED,
        link=gettext_lazy("Lock the thread"),
        button=gettext_lazy("Lock"),
        question=gettext_lazy("Lock? The user can read but no longer write, until the thread is reopened."),
        help_text=gettext_lazy("The user reads this."),
        done=ngettext_lazy("%(count)d thread was locked.", "%(count)d threads were locked.", "count"),
        already=ngettext_lazy(
            "%(count)d thread was locked already.",
            "%(count)d threads were locked already.",
            "count",
        ),
    ),
    "close": Transition(
        status=Thread.Status.CLOSED,
        link=gettext_lazy("Close the thread"),
        button=gettext_lazy("Close"),
        question=gettext_lazy("Close? The conversation is over; the user can read but no longer write."),
        help_text=gettext_lazy("The user reads this."),
        done=ngettext_lazy("%(count)d thread was closed.", "%(count)d threads were closed.", "count"),
        already=ngettext_lazy(
            "%(count)d thread was closed already.",
            "%(count)d threads were closed already.",
            "count",
        ),
    ),
    "reopen": Transition(
        status=Thread.Status.ACTIVE,
        link=gettext_lazy("Reopen the thread"),
        button=gettext_lazy("Reopen"),
        question=gettext_lazy("Reopen? The user can write again."),
        help_text=gettext_lazy("Kept in the history; the user does not see it."),
        done=ngettext_lazy("%(count)d thread was reopened.", "%(count)d threads were reopened.", "count"),
        already=ngettext_lazy(
            "%(count)d thread was open already.",
            "%(count)d threads were open already.",
            "count",
        ),
    ),
}


class ChangeStatus(ConfirmedAction):
    """The page that locks, closes or reopens threads.

    Who finds that one has this status already is told by whom, and may put another reason in place of theirs.
    """

    def __init__(
        self, model_admin: ReadingAdmin, request: HttpRequest, *, change: str, action: str = ""
    ) -> None:
        super().__init__(model_admin, request, action=action)
        if change not in TRANSITIONS:
            raise Http404
        self.transition = TRANSITIONS[change]
        self.title, self.question = self.transition.button, self.transition.question

    def answer(self, threads: Sequence[Thread]) -> HttpResponseBase | None:
        if self.is_late(threads) and not threads[0].is_read_only:
            return self.tell_too_late(threads[0])
        return super().answer(threads)

    def is_late(self, threads: Sequence[Thread]) -> bool:
        """Return whether it is the page of a thread that has the status already."""
        return not self.action and threads[0].status == self.transition.status

    def make_form(self, threads: Sequence[Thread], data: Any) -> ReasonForm:
        form_class = NewReasonForm if self.is_late(threads) else ReasonForm
        return form_class(data, help_text=self.transition.help_text)

    def facts(self, threads: Sequence[Thread]) -> list[str]:
        return [self.already(threads[0])] if self.is_late(threads) else []

    def perform(self, threads: Sequence[Thread], form: Any) -> HttpResponseBase | None:
        changed = set_status(
            threads,
            self.transition.status,
            reason=form.cleaned_data["reason"],
            actor=self.request.user,
            replace_reason=self.is_late(threads),
        )
        if not self.action and not changed:
            # Another moderator was faster, or the owner has deleted it.
            return self.tell_too_late(
                self.model_admin.find(self.request, str(threads[0].pk), self.permission)
            )
        if changed:
            self.tell(self.transition.done % {"count": len(changed)})
        if len(changed) < len(threads):
            left = self.transition.already % {"count": len(threads) - len(changed)}
            self.tell(left, messages.WARNING)
        return None

    def tell_too_late(self, thread: Thread) -> HttpResponseBase:
        self.tell(self.already(thread), messages.WARNING)
        return to_page(self.model_admin, thread)

    def already(self, thread: Thread) -> str:
        """Return that the thread has this status already, by whom, since when and, for who may read, why."""
        said, entry = str(self.transition.already % {"count": 1}), last_change(thread)
        if entry is not None:
            facts = {"name": shorten(entry.actor_name) or "–", "time": moment(entry.created_at)}
            said += " " + _("(%(name)s, %(time)s)") % facts
        if thread.status_reason and self.model_admin.has_content_permission(self.request, thread):
            reason = shorten(thread.status_reason, 300)
            said += " " + _("The user reads: “%(reason)s”") % {"reason": reason}
        return said


change_status_view = ChangeStatus.as_view()
lock_threads = ChangeStatus.as_action(
    "lock_threads", change="lock", description=gettext_lazy("Lock selected threads")
)
close_threads = ChangeStatus.as_action(
    "close_threads", change="close", description=gettext_lazy("Close selected threads")
)
reopen_threads = ChangeStatus.as_action(
    "reopen_threads", change="reopen", description=gettext_lazy("Reopen selected threads")
)


def stop_view(model_admin: ReadingAdmin, request: HttpRequest, object_id: str, run_pk: int) -> HttpResponse:
    """Stop one running answer (POST only)."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    thread = model_admin.find(request, object_id, "moderate")
    run = Run.objects.filter(thread=thread, pk=run_pk).select_related("thread").first()
    if run is None:
        raise Http404
    if stop_run(run, actor=request.user):
        model_admin.message_user(request, stopped_message(1), messages.SUCCESS)
    else:
        model_admin.message_user(request, _("The answer had already ended."), messages.WARNING)
    return to_page(model_admin, thread)


def stopped_message(count: int) -> str:
    """Return the message that so many answers are being stopped."""
    return ngettext("%(count)d answer is being stopped.", "%(count)d answers are being stopped.", count) % {
        "count": count
    }
