"""Flags: something in a thread that somebody should look at. Raised here, reviewed one by one, resolved.

A user's thumbs-down raises one, a staff member does, or a rule of the site::

    @receiver(item_added)
    def look_for_card_numbers(item, **kwargs):
        if CARD_NUMBER.search(item.text):
            flags.flag(item.thread, item=item, rule="card-number", reason="Looks like a card number.")

Whoever changes a thread's flags or feedback holds the lock of the thread's row while doing so. Thus what is counted
on that row is right, however many do it at once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import nullcontext
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import connections, router, transaction
from django.db.models import Q
from django.utils import timezone

from ..models import NAME_LENGTH, Feedback, Flag, Thread, ThreadItem
from ..models.querysets import FeedbackQuerySet, FlagQuerySet
from ..models.versions import announce_handling
from ..signals import thread_flagged
from . import audit

REVIEW_TIME = timedelta(minutes=15)
"""How long a flag is kept for the reviewer who took it."""


# --- Raising ------------------------------------------------------------------------------------------------


def flag(
    thread: Thread,
    *,
    item: ThreadItem | None = None,
    reason: str = "",
    rule: str = "",
    actor: Any = None,
) -> Flag:
    """Flag a thread, or one item of it. What has been said already, and is still open, is not said again.

    Args:
        thread: the thread.
        item: one of its items. If it is deleted meanwhile, the thread is flagged without it.
        reason: what there is to look at, for the reviewer.
        rule: name of the rule that found it. It flags the same item, or thread, once at a time.
        actor: the staff member who found it, in place of a rule. This is written into the audit.

    Returns:
        The new flag, or the open one.

    Raises:
        ValueError: without either rule or staff member, with both, or when the item is another thread's.
        Thread.DoesNotExist: when the thread was deleted meanwhile.
    """
    if bool(rule) == (actor is not None):
        raise ValueError("A flag is raised by a rule or by a staff member: pass rule=… or actor=….")
    if item is not None and item.thread_id != thread.pk:
        raise ValueError("The item is another thread's.")
    raised: dict[str, Any] = {
        "thread": thread,
        "source": Flag.Source.STAFF if actor is not None else Flag.Source.RULE,
        "raised_by": audit.name_of(actor) if actor is not None else rule[:NAME_LENGTH],
    }
    with transaction.atomic(using=router.db_for_write(Flag)):
        _lock(thread.pk)
        raised["item"] = None if item is None else ThreadItem.objects.filter(pk=item.pk).only("pk").first()
        said = {"reason": reason} if actor is not None else {}
        already = Flag.objects.open().filter(**raised, **said).first()
        if already is not None:
            return already
        new = Flag.objects.create(**raised, reason=reason)
        Thread.objects.filter(pk=thread.pk).recount_flags()
        announce_handling(Thread, [thread.pk])
        if actor is not None:
            key = "" if item is None else item.public_id
            audit.record(
                audit.Action.FLAG, actor=actor, thread=thread, item_key=key, reason=reason, flag=new.pk
            )
        _tell([new.pk])
    return new


def follow_feedback(thread_pk: int, item_pks: Collection[int], kind: str) -> None:
    """Bring counts and flags in line with feedback that has just changed to ``kind``, or went with it.

    Each item with a thumbs-down has one open flag; it is withdrawn when nobody holds to the thumbs-down.
    Call it in the transaction of the change, with the lock of the thread's row.
    """
    disliked = Feedback.objects.filter(item_id__in=item_pks, kind=Feedback.Kind.NEGATIVE)
    disliked_pks = set(disliked.values_list("item_id", flat=True))
    flags = Flag.objects.open().filter(source=Flag.Source.FEEDBACK, item_id__in=item_pks)
    changed = flags.exclude(item_id__in=disliked_pks).update(
        resolved_at=timezone.now(), resolution=Flag.Resolution.WITHDRAWN
    )
    if kind == Feedback.Kind.NEGATIVE:
        missing = disliked_pks - set(flags.values_list("item_id", flat=True))
        Flag.objects.bulk_create(
            Flag(thread_id=thread_pk, item_id=pk, source=Flag.Source.FEEDBACK) for pk in sorted(missing)
        )
        changed += len(missing)
        if missing and thread_flagged.has_listeners(Flag):
            _tell([*flags.filter(item_id__in=missing).values_list("pk", flat=True)])
    thread = Thread.objects.filter(pk=thread_pk)
    thread.recount_feedback()
    if changed:
        thread.recount_flags()
    announce_handling(Thread, [thread_pk])


def drop_feedback(thread_pk: int, feedback: FeedbackQuerySet) -> None:
    """Delete what of the feedback is on items of this thread, and bring counts and flags in line."""
    with transaction.atomic(using=router.db_for_write(Feedback)):
        _lock(thread_pk)
        going = feedback.filter(item__thread=thread_pk)
        item_pks = list(going.values_list("item_id", flat=True))
        going.delete()
        follow_feedback(thread_pk, item_pks, Feedback.Kind.POSITIVE)


def _lock(thread_pk: int) -> None:
    Thread.objects.locked().only("pk").get(pk=thread_pk)


def _tell(flag_pks: list[int]) -> None:
    """Tell the site of new flags, as soon as it is certain that they stay."""
    if thread_flagged.has_listeners(Flag):
        transaction.on_commit(partial(_send, flag_pks), using=router.db_for_write(Flag))


def _send(flag_pks: list[int]) -> None:
    for new in (
        Flag.objects.on_writer().filter(pk__in=flag_pks).select_related("thread", "item").order_by("pk")
    ):
        thread_flagged.send_robust(sender=Flag, flag=new)


# --- Reviewing ----------------------------------------------------------------------------------------------


def taken_by(reviewer: Any, *, among: FlagQuerySet) -> Flag | None:
    """Return the flag that this reviewer took first and has not finished with, if nobody took it over."""
    return among.open().filter(claimed_by=reviewer).order_by("claimed_at", "pk").first()


def claim_next(reviewer: Any, *, among: FlagQuerySet, skipped: Sequence[int] = ()) -> int | None:
    """Take the oldest flag that nobody is reviewing. No two reviewers are given the same one.

    A reviewer who has one already is given that one, and new time for it.

    Args:
        reviewer: the staff member.
        among: the flags in the reviewer's scope, with no relation selected.
        skipped: keys of flags that are to come last, the one skipped first before the others.

    Returns:
        The flag's key, or None when there is none to review.
    """
    held = taken_by(reviewer, among=among)
    if held is not None and claim(held.pk, reviewer, among=among):
        return held.pk
    pk = _claim_one(reviewer, among.exclude(pk__in=skipped))
    if pk is None:
        pk = next((pk for pk in skipped if claim(pk, reviewer, among=among)), None)
    return pk


def claim(flag_pk: int, reviewer: Any, *, among: FlagQuerySet) -> bool:
    """Take this very flag. Returns whether it could be had: it is open, and nobody else is reviewing it."""
    return _claim_one(reviewer, among.filter(pk=flag_pk), held=True) is not None


def release(flag_pk: int, reviewer: Any) -> None:
    """Give a flag back that this reviewer has taken."""
    flags = Flag.objects.open().filter(pk=flag_pk, claimed_by=reviewer)
    flags.update(claimed_by=None, claimed_at=None)


def resolve(flag: Flag, *, actor: Any, resolution: Flag.Resolution, note: str = "") -> bool:
    """Finish with a flag that a reviewer has taken, and write it down. The note stays with the flag.

    Args:
        flag: the flag.
        actor: the staff member, who is its reviewer.
        resolution: how it ends.
        note: for other staff.

    Returns:
        False, and nothing was changed, when it was resolved or taken over by somebody else meanwhile, or deleted
        with its thread.
    """
    with transaction.atomic(using=router.db_for_write(Flag)):
        # With the lock of a thread that is gone there is no flag of it either.
        Thread.objects.locked().only("pk").filter(pk=flag.thread_id).first()
        mine = Flag.objects.open().filter(pk=flag.pk, claimed_by=actor)
        if not mine.update(
            resolved_at=timezone.now(),
            resolved_by=audit.name_of(actor),
            resolution=resolution,
            resolution_note=note,
        ):
            return False
        Thread.objects.filter(pk=flag.thread_id).recount_flags()
        audit.record(
            audit.Action.RESOLVE,
            actor=actor,
            thread=flag.thread,
            item_key="" if flag.item is None else flag.item.public_id,
            flag=flag.pk,
            resolution=str(resolution),
        )
    return True


def _claim_one(reviewer: Any, flags: FlagQuerySet, *, held: bool = False) -> int | None:
    """Take the first of the flags that can be had. ``held`` ones of this reviewer count among them."""
    using = router.db_for_write(Flag)
    can_skip = connections[using].features.has_select_for_update_skip_locked
    while True:
        now = timezone.now()
        free = Q(claimed_by__isnull=True) | Q(claimed_at__lt=now - REVIEW_TIME)
        if held:
            free |= Q(claimed_by=reviewer)
        candidates = flags.using(using).open().filter(free).order_by("pk")
        with transaction.atomic(using=using) if can_skip else nullcontext():
            if can_skip:
                candidates = candidates.select_for_update(skip_locked=True)
            pk = candidates.values_list("pk", flat=True).first()
            # Where nothing keeps others from the row, the condition decides who was first.
            if pk is None:
                return None
            rows = Flag.objects.using(using).open().filter(free, pk=pk)
            if rows.update(claimed_by=reviewer, claimed_at=now):
                return int(pk)
