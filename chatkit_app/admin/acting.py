"""Lock, close, reopen, stop: the pages and actions that ask for a reason and do it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy

from ..models import AuditEntry, Run, Thread
from ..moderation.status import last_change, set_status, stop_run
from .base import ReadingAdmin
from .confirmation import ReasonForm, confirmation
from .content import moment, shorten
from .pages import list_url, page_url, selected_threads, to_page


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
    """Another reason for a thread that is locked or closed already, which a moderator may not have known."""

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


def moderate_view(model_admin: ReadingAdmin, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
    """Ask for the reason (GET); lock, close or reopen one thread (POST).

    Who finds that it has this status already is told by whom, and may put another reason in place of theirs.
    """
    transition = TRANSITIONS.get(name)
    if transition is None:
        raise Http404
    thread = model_admin.find(request, object_id, "moderate")
    is_late = thread.status == transition.status
    if is_late and not thread.is_read_only:
        return _too_late(model_admin, request, thread, transition)
    form_class = NewReasonForm if is_late else ReasonForm
    form = form_class(request.POST if request.method == "POST" else None, help_text=transition.help_text)
    if not form.is_valid():
        may_read = model_admin.has_content_permission(request, thread)
        facts = [_already(thread, transition, last_change(thread), may_read=may_read)] if is_late else []
        back = page_url(model_admin, thread)
        return _ask(model_admin, request, [thread], transition, form, back=back, facts=facts)
    reason = form.cleaned_data["reason"]
    if not set_status([thread], transition.status, reason=reason, actor=request.user, replace_reason=is_late):
        # Another moderator was faster, or the owner has deleted it.
        thread = model_admin.find(request, object_id, "moderate")
        return _too_late(model_admin, request, thread, transition)
    model_admin.message_user(request, transition.done % {"count": 1}, messages.SUCCESS)
    return to_page(model_admin, thread)


def _too_late(
    model_admin: ReadingAdmin, request: HttpRequest, thread: Thread, transition: Transition
) -> HttpResponse:
    may_read = model_admin.has_content_permission(request, thread)
    said = _already(thread, transition, last_change(thread), may_read=may_read)
    model_admin.message_user(request, said, messages.WARNING)
    return to_page(model_admin, thread)


def _already(thread: Thread, transition: Transition, entry: AuditEntry | None, *, may_read: bool) -> str:
    """That the thread has this status already, by whom, since when and, for those who may read, why."""
    said = str(transition.already % {"count": 1})
    if entry is not None:
        facts = {"name": shorten(entry.actor_name) or "–", "time": moment(entry.created_at)}
        said += " " + _("(%(name)s, %(time)s)") % facts
    if thread.status_reason and may_read:
        said += " " + _("The user reads: “%(reason)s”") % {"reason": shorten(thread.status_reason, 300)}
    return said


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
    return ngettext("%(count)d answer is being stopped.", "%(count)d answers are being stopped.", count) % {
        "count": count
    }


@admin.action(permissions=["moderate"], description=gettext_lazy("Lock selected threads"))
def lock_threads(
    model_admin: ReadingAdmin, request: HttpRequest, queryset: QuerySet[Thread]
) -> HttpResponse | None:
    return _moderate_selected(model_admin, request, queryset, "lock")


@admin.action(permissions=["moderate"], description=gettext_lazy("Close selected threads"))
def close_threads(
    model_admin: ReadingAdmin, request: HttpRequest, queryset: QuerySet[Thread]
) -> HttpResponse | None:
    return _moderate_selected(model_admin, request, queryset, "close")


@admin.action(permissions=["moderate"], description=gettext_lazy("Reopen selected threads"))
def reopen_threads(
    model_admin: ReadingAdmin, request: HttpRequest, queryset: QuerySet[Thread]
) -> HttpResponse | None:
    return _moderate_selected(model_admin, request, queryset, "reopen")


def _moderate_selected(
    model_admin: ReadingAdmin, request: HttpRequest, queryset: QuerySet[Thread], name: str
) -> HttpResponse | None:
    transition = TRANSITIONS[name]
    threads = selected_threads(model_admin, request, queryset, "moderate")
    if not threads:
        return None
    form = ReasonForm(request.POST if "post" in request.POST else None, help_text=transition.help_text)
    if not form.is_valid():
        return _ask(
            model_admin,
            request,
            threads,
            transition,
            form,
            action=f"{name}_threads",
            back=list_url(model_admin),
        )
    changed = set_status(threads, transition.status, reason=form.cleaned_data["reason"], actor=request.user)
    if changed:
        model_admin.message_user(request, transition.done % {"count": len(changed)}, messages.SUCCESS)
    if len(changed) < len(threads):
        left = transition.already % {"count": len(threads) - len(changed)}
        model_admin.message_user(request, left, messages.WARNING)
    return None


def _ask(
    model_admin: ReadingAdmin,
    request: HttpRequest,
    threads: list[Thread],
    transition: Transition,
    form: ReasonForm,
    *,
    back: str,
    action: str = "",
    facts: list[Any] | None = None,
) -> HttpResponse:
    return confirmation(
        model_admin,
        request,
        title=transition.button,
        question=transition.question,
        button=transition.button,
        form=form,
        threads=threads,
        action=action,
        back=back,
        facts=facts,
    )
