"""The handler of a thread, which answers: the assistant or a person; in between the user waits for one.

Every change is made under the lock of the thread's row. Whoever would answer a message looks there after writing that
it is about to, so that either sees the other. The thread's ``Assignment`` says which person it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import router, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from ..models import Approval, Assignment, Run, Thread, ThreadItem
from ..signals import handler_changed, staff_needed
from ..staff import audit
from ..storable import storable_text
from ..store.payloads import WAITING_CALLS_KEY
from . import messages, webhooks
from .errors import AlreadyTaken
from .names import shown_name, team_name

ASSISTANT, WAITING, STAFF = Thread.Handler.ASSISTANT, Thread.Handler.WAITING, Thread.Handler.STAFF


def request_person(
    thread_pk: int, *, reason: str = "", message: str = ""
) -> tuple[Thread, ThreadItem | None]:
    """Have the user wait for a person.

    A thread that a person has already stays with them; one that is locked or closed stays as it is.

    Args:
        thread_pk: key of the thread.
        reason: why, for staff.
        message: what the user is told when they begin to wait; nothing if it is empty.

    Returns:
        The thread as it is now, and the message, if there is a new one.

    Raises:
        Thread.DoesNotExist: when it was deleted meanwhile.
    """
    told = None
    with _locked(thread_pk) as thread:
        if thread.handler == STAFF or thread.is_read_only:
            return thread, None
        reason = storable_text(reason)
        if thread.handler == ASSISTANT:
            if message:
                told = messages.add_message(thread, message)
            _change(thread, WAITING, actor=None, reason=reason, unanswered_since=timezone.now())
            _call_staff(thread)
        elif reason and reason != thread.handler_reason:
            _save(thread, handler_reason=reason)
    return thread, told


def stop_waiting(thread_pk: int) -> Thread:
    """Let the assistant answer again, since the user does not want to wait. What a person has stays with them.

    Raises:
        Thread.DoesNotExist: when it was deleted meanwhile.
    """
    with _locked(thread_pk) as thread:
        if thread.handler == WAITING:
            messages.add_note(thread, _not_waiting_note(timezone.now()))
            _change(thread, ASSISTANT, actor=None)
    return thread


def take(thread_pk: int, *, actor: Any, take_from: Any = None) -> Thread:
    """Give the thread to a member of the staff. Use ``moderation.takeover.take_over()``, which also stops answers.

    Raises:
        AlreadyTaken: when another one has it, unless it was to be taken from just this one.
        Thread.DoesNotExist: when it was deleted meanwhile.
    """
    with _locked(thread_pk) as thread:
        holder = _holder(thread)
        if holder is not None and holder == actor:
            return thread
        if holder is not None and holder != take_from:
            raise AlreadyTaken(holder, thread.handler_since)
        now = timezone.now()
        waited = milliseconds(thread.handler_since, now) if thread.handler == WAITING else None
        _assign(thread, actor)
        note = _taken_note(shown_name(actor), now)
        messages.add_note(thread, note, author=actor, author_name=name_in(thread, actor))
        _forget_unfinished(thread)
        _change(
            thread,
            STAFF,
            actor=actor,
            reason=thread.handler_reason,
            unanswered_since=thread.unanswered_since or (now if _waits_for_answer(thread) else None),
        )
        audit.record(
            audit.Action.TAKE,
            actor=actor,
            thread=thread,
            waited_ms=waited,
            taken_from="" if holder is None else str(holder.pk),
            taken_from_name=audit.name_of(holder),
        )
    return thread


def hand_back(thread_pk: int, *, actor: Any, instruction: str = "") -> Thread:
    """Let the assistant answer again.

    Args:
        thread_pk: key of the thread.
        actor: the member of the staff who hands it back; None for the site's own code.
        instruction: what the model is to do from now on. The user does not see it.

    Raises:
        Thread.DoesNotExist: when it was deleted meanwhile.
    """
    with _locked(thread_pk) as thread:
        if thread.handler == ASSISTANT:
            return thread
        name, author_name = ("", "") if actor is None else (shown_name(actor), name_in(thread, actor))
        note = _handed_back_note(name, timezone.now(), instruction)
        messages.add_note(thread, note, author=actor, author_name=author_name)
        _change(thread, ASSISTANT, actor=actor)
        if actor is not None:
            audit.record(audit.Action.HAND_BACK, actor=actor, thread=thread, instructed=bool(instruction))
    return thread


def hand_on(thread_pk: int, *, actor: Any, reason: str = "", overdue: datetime | None = None) -> Thread:
    """Take the thread from whoever has it and let the user wait for another person of the team.

    Args:
        thread_pk: key of the thread.
        actor: the member of the staff who does it; None for a timer.
        reason: for the others.
        overdue: only if the user has waited since before then. They are told, since they were waiting for somebody.

    Raises:
        Thread.DoesNotExist: when it was deleted meanwhile.
    """
    with _locked(thread_pk) as thread:
        if thread.handler == WAITING or not _is_due(thread, overdue):
            return thread
        if overdue is not None:
            with translation.override(language_of(thread)):
                messages.add_message(thread, _late_notice())
        Assignment.objects.filter(thread=thread).delete()
        since = thread.unanswered_since or timezone.now()
        reason = storable_text(reason) or thread.handler_reason
        _change(thread, WAITING, actor=actor, reason=reason, unanswered_since=since)
        audit.record(audit.Action.HAND_ON, actor=actor, thread=thread, reason=reason)
        _call_staff(thread)
    return thread


def note_unanswered(thread_pk: int) -> None:
    """Note that the user waits for the next word of a person from now on, unless they do already."""
    waiting = Thread.objects.filter(pk=thread_pk, unanswered_since__isnull=True)
    now = timezone.now()
    waiting.exclude(handler=ASSISTANT).update(unanswered_since=now)
    # Who writes is there.
    Thread.objects.filter(pk=thread_pk).update(seen_at=now)


def holder_of(thread: Thread) -> Any:
    """Return the member of the staff who has the thread, if one has."""
    return _holder(thread)


def name_in(thread: Thread, user: Any) -> str:
    """Return the name that stands at a message of this member of the staff; the team's for one who has none."""
    if name := shown_name(user):
        return name
    with translation.override(language_of(thread)):
        return team_name()


def handler_fields(thread: Thread) -> dict[str, Any]:
    """Return who answers, as pages are told it: ``state``, ``since`` and, of a person who has one, ``name``."""
    fields: dict[str, Any] = {"state": str(thread.handler)}
    if thread.handler_since is not None:
        fields["since"] = thread.handler_since.isoformat()
    if (holder := _holder(thread)) is not None and (name := shown_name(holder)):
        fields["name"] = name
    return fields


def ends_with_question(thread: Thread) -> bool:
    """Return whether nothing has come behind the user's last message."""
    items = ThreadItem.objects.visible().filter(thread=thread).exclude(type=ThreadItem.Type.END_OF_TURN)
    last = items.order_by("-pk").values_list("type", flat=True).first()
    return last == ThreadItem.Type.USER_MESSAGE


def milliseconds(since: datetime | None, until: datetime) -> int | None:
    """Return how long somebody has waited, as the audit keeps it: None for nobody."""
    return None if since is None else max(0, round((until - since) / timedelta(milliseconds=1)))


# --- Under the lock -----------------------------------------------------------------------------------------


@contextmanager
def _locked(thread_pk: int) -> Iterator[Thread]:
    with transaction.atomic(using=router.db_for_write(Thread)):
        yield Thread.objects.locked().get(pk=thread_pk)


def _holder(thread: Thread) -> Any:
    if thread.handler != STAFF:
        return None
    if Thread.assignment.is_cached(thread):
        found = getattr(thread, "assignment", None)
    else:
        found = Assignment.objects.select_related("assignee").filter(thread=thread).first()
    return None if found is None else found.assignee


def _assign(thread: Thread, assignee: Any) -> None:
    Assignment.objects.update_or_create(
        thread=thread, defaults={"assignee": assignee, "assigned_at": timezone.now()}
    )


def _change(
    thread: Thread,
    handler: Thread.Handler,
    *,
    actor: Any,
    reason: str = "",
    unanswered_since: datetime | None = None,
) -> None:
    before = thread.handler
    changes = {
        "handler": handler,
        "handler_since": timezone.now(),
        "handler_reason": reason,
        "unanswered_since": unanswered_since,
    }
    Thread.objects.filter(pk=thread.pk).bump(**changes)
    _set(thread, changes)
    webhooks.record(webhooks.HANDLER_CHANGED, thread, before=str(before))
    _after_commit(partial(_send_changed, thread, before, actor))


def _call_staff(thread: Thread) -> None:
    webhooks.record(webhooks.STAFF_NEEDED, thread, content={"reason": thread.handler_reason})
    _after_commit(partial(_send_needed, thread))


def _save(thread: Thread, **changes: Any) -> None:
    Thread.objects.filter(pk=thread.pk).update(**changes)
    _set(thread, changes)


def _set(thread: Thread, changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        setattr(thread, name, value)


def _waits_for_answer(thread: Thread) -> bool:
    """Return whether the user has had no answer yet: none has begun, or one is being written."""
    return ends_with_question(thread) or Run.objects.on_writer().running().filter(thread=thread).exists()


def _forget_unfinished(thread: Thread) -> None:
    """Give up what would make the assistant go on by itself: approvals that wait, and calls for the browser."""
    Approval.objects.filter(thread=thread).delete()
    if isinstance(thread.metadata, dict) and thread.metadata.pop(WAITING_CALLS_KEY, None) is not None:
        _save(thread, metadata=thread.metadata)


def _is_due(thread: Thread, overdue: datetime | None) -> bool:
    since = thread.unanswered_since
    return overdue is None or (thread.handler == STAFF and since is not None and since < overdue)


def _late_notice() -> str:
    return _("Nobody could answer you so far. Your conversation waits for the next free person of our team.")


def language_of(thread: Thread) -> str:
    """Return the language in which the user asked last, as far as it is known."""
    run = Run.objects.filter(thread=thread).order_by("-pk").values_list("context", flat=True).first()
    locale = run.get("locale") if isinstance(run, dict) else None
    if isinstance(locale, str) and translation.check_for_language(locale):
        return locale
    return str(settings.LANGUAGE_CODE)


# --- What the model is told ---------------------------------------------------------------------------------


def _taken_note(name: str, moment: datetime) -> str:
    who = f"{name}, a person of the team," if name else "a person of the team"
    return (
        f"At {messages.when(moment)} {who} took over this conversation. "
        "What the user is answered from here on is written by people, until a note says that it is yours again."
    )


# A model that reads "a person will answer" in the conversation, and nothing of its end, stays silent for good.
_YOURS_AGAIN = (
    "You answer the user yourself again, as before. Nothing said earlier about waiting, staying silent or a "
    "person who answers applies any more."
)


def _not_waiting_note(moment: datetime) -> str:
    return f"At {messages.when(moment)} the user stopped waiting for a person of the team. {_YOURS_AGAIN}"


def _handed_back_note(name: str, moment: datetime, instruction: str) -> str:
    who = f"{name}, a person of the team," if name else "the team"
    note = f"At {messages.when(moment)} {who} handed this conversation back to you. {_YOURS_AGAIN}"
    return (
        f"{note}\nThe team asks of you, without the user's knowledge: {instruction}" if instruction else note
    )


# --- Signals ------------------------------------------------------------------------------------------------


def _after_commit(act: Callable[[], Any]) -> None:
    transaction.on_commit(act, using=router.db_for_write(Thread))


def _send_changed(thread: Thread, before: str, actor: Any) -> None:
    handler_changed.send_robust(
        sender=Thread, thread=thread, before=before, actor=actor, user_is_present=thread.user_is_present
    )


def _send_needed(thread: Thread) -> None:
    staff_needed.send_robust(
        sender=Thread,
        thread=thread,
        reason=thread.handler_reason,
        user_is_present=thread.user_is_present,
    )
