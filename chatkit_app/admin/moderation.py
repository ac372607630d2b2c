"""What staff do to a thread: lock it, close it, reopen it, stop an answer. Each is in the admin's history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy

from ..models import Run, Thread


@dataclass(frozen=True, kw_only=True)
class Transition:
    """A change of a thread's status, and the words for it."""

    status: str
    button: Any
    question: Any
    help_text: Any
    logged: Any
    done: Any


TRANSITIONS = {
    "lock": Transition(
        status=Thread.Status.LOCKED,
        button=gettext_lazy("Lock"),
        question=gettext_lazy("Lock? The user can read but no longer write, until the thread is reopened."),
        help_text=gettext_lazy("The user reads this."),
        logged=gettext_lazy("Locked: %(reason)s"),
        done=ngettext_lazy("%(count)d thread was locked.", "%(count)d threads were locked.", "count"),
    ),
    "close": Transition(
        status=Thread.Status.CLOSED,
        button=gettext_lazy("Close"),
        question=gettext_lazy("Close? The conversation is over; the user can read but no longer write."),
        help_text=gettext_lazy("The user reads this."),
        logged=gettext_lazy("Closed: %(reason)s"),
        done=ngettext_lazy("%(count)d thread was closed.", "%(count)d threads were closed.", "count"),
    ),
    "reopen": Transition(
        status=Thread.Status.ACTIVE,
        button=gettext_lazy("Reopen"),
        question=gettext_lazy("Reopen? The user can write again."),
        help_text=gettext_lazy("Kept in the history; the user does not see it."),
        logged=gettext_lazy("Reopened: %(reason)s"),
        done=ngettext_lazy("%(count)d thread was reopened.", "%(count)d threads were reopened.", "count"),
    ),
}


class ReasonForm(forms.Form):
    """Why a status is changed."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
    )

    def __init__(self, transition: Transition, data: Any = None) -> None:
        super().__init__(data)
        self.fields["reason"].help_text = transition.help_text


def set_status(threads: Sequence[Thread], transition: Transition, *, reason: str, staff_pk: Any) -> None:
    """Change the status of threads and write it down.

    Only the two columns of the moderators are written: an answer that is being stored at this moment loses
    nothing, and the server, which reads the row again for every message, obeys at once.

    Args:
        threads: what the caller has found the staff member may moderate.
        transition: one of ``TRANSITIONS``.
        reason: shown to the user of a locked or closed thread; kept in the history in any case.
        staff_pk: who does it.
    """
    kept = "" if transition.status == Thread.Status.ACTIVE else reason
    with transaction.atomic():
        Thread.objects.filter(pk__in=[thread.pk for thread in threads]).update(
            status=transition.status, status_reason=kept
        )
        _log(threads, transition.logged % {"reason": reason}, staff_pk=staff_pk)


def stop_run(run: Run, *, staff_pk: Any) -> bool:
    """Stop an answer that is being generated and write it down.

    Returns:
        Whether the answer was still running.
    """
    from ..runs import request_stop

    if not request_stop(run_pk=run.pk):
        return False
    subject = run if run.thread is None else run.thread
    _log([subject], _("Stopped the answer %(run)s.") % {"run": run.public_id}, staff_pk=staff_pk)
    return True


def stopped_message(count: int) -> str:
    return ngettext("%(count)d answer is being stopped.", "%(count)d answers are being stopped.", count) % {
        "count": count
    }


def _log(objects: Sequence[Thread | Run], message: Any, *, staff_pk: Any) -> None:
    if objects:
        LogEntry.objects.log_actions(staff_pk, objects, CHANGE, str(message))
