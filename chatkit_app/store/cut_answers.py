"""Answers that were cut off, of which a page tells also when it is loaded again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import BooleanField, Case, F, Q, Subquery, Value, When
from django.utils import timezone

from ..conf import chatkit_settings
from ..models import Run, ThreadItem

LOST_AFTER_CHECKPOINTS = 4


def lost_before() -> datetime:
    """Return the moment since which a running row without a heartbeat belongs to a process that is presumed dead."""
    return timezone.now() - timedelta(
        seconds=max(LOST_AFTER_CHECKPOINTS * chatkit_settings.checkpoint_interval, 3.0)
    )


def is_cut(thread_pk: Any, *, lost_before: Any) -> Subquery:
    """Return an expression that tells whether the newest answer of a thread was cut off, and nobody has answered since.

    It is null where there was no answer at all.

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
    is_last = Q(newest_run=F("pk")) | Q(newest_type=ThreadItem.Type.USER_MESSAGE)
    found = runs.annotate(
        newest_run=Subquery(newest.values("run_id")[:1]), newest_type=Subquery(newest.values("type")[:1])
    ).annotate(
        is_cut=Case(
            When((is_lost | is_silent) & is_last, then=Value(True)),
            default=Value(False),
            output_field=BooleanField(),
        )
    )
    return Subquery(found.values("is_cut")[:1])
