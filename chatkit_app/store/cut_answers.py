"""Answers that were cut off or never came, of which a page tells also when it is loaded again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, CharField, F, Q, Subquery, Value, When
from django.utils import timezone

from ..conf import chatkit_settings
from ..models import Run, ThreadItem

LOST_AFTER_CHECKPOINTS = 4
CUT, KEPT = "cut", "kept"
"""What pages are told of an answer that was cut off, and of a message that was kept for a person who never answered."""


def lost_before() -> datetime:
    """Return the moment since which a running row without a heartbeat belongs to a process that is presumed dead."""
    return timezone.now() - timedelta(
        seconds=max(LOST_AFTER_CHECKPOINTS * chatkit_settings.checkpoint_interval, 3.0)
    )


def left_as(thread_pk: Any, *, lost_before: Any) -> Subquery:
    """Return an expression that tells how the newest question of a thread was left without a whole answer.

    It is ``CUT``, ``KEPT``, or empty for one that was answered; null where nothing was ever to be answered.

    Args:
        thread_pk: an expression for the thread's key.
        lost_before: what ``lost_before()`` returns, or an expression for it.
    """
    newest = ThreadItem.objects.visible().filter(thread_id=thread_pk).order_by("-pk")
    runs = Run.objects.filter(thread_id=thread_pk).order_by("-pk")
    is_lost = Q(status=Run.Status.LOST) | Q(
        status=Run.Status.FAILED, failure__in=(Run.Failure.TIMEOUT, Run.Failure.INTERRUPTED)
    )
    is_silent = Q(status=Run.Status.RUNNING, heartbeat_at__lt=lost_before)
    # The end of the thread is what the answer came to, or the question. What a person has written belongs to no run.
    is_question = Q(newest_type=ThreadItem.Type.USER_MESSAGE)
    is_last = Q(newest_run=F("pk")) | is_question
    found = runs.annotate(
        newest_run=Subquery(newest.values("run_id")[:1]), newest_type=Subquery(newest.values("type")[:1])
    ).annotate(
        left_as=Case(
            When((is_lost | is_silent) & is_last, then=Value(CUT)),
            When(Q(status=Run.Status.HELD) & is_question, then=Value(KEPT)),
            default=Value(""),
            output_field=CharField(),
        )
    )
    return Subquery(found.values("left_as")[:1])
