"""The limit of patience: threads whose user waits for too long for the next word of the person who has them."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from django.utils import timezone

from ..conf import chatkit_settings
from ..models import Thread
from .handler import STAFF, WAITING, hand_on


def release_overdue() -> list[Thread]:
    """Hand to the team what somebody has left unanswered for longer than ``CHATKIT["STAFF"]["TIMEOUT"]``.

    And what is nobody's, since the member of the staff who had it was deleted. Two of them at once share the work.

    Returns:
        The threads that wait again.
    """
    released = []
    for pk in _left_behind():
        with suppress(Thread.DoesNotExist):
            released.append(hand_on(pk, actor=None))
    allowed = chatkit_settings.staff.timeout
    if allowed is None:
        return released
    before = timezone.now() - timedelta(seconds=allowed)
    overdue = Thread.objects.filter(handler=STAFF, unanswered_since__lt=before).order_by("pk")
    for pk in list(overdue.values_list("pk", flat=True)):
        with suppress(Thread.DoesNotExist):  # deleted just now
            thread = hand_on(pk, actor=None, overdue=before)
            if thread.handler == WAITING:
                released.append(thread)
    return released


def _left_behind() -> list[int]:
    threads = Thread.objects.filter(handler=STAFF, assignment__isnull=True).order_by("pk")
    return list(threads.values_list("pk", flat=True))
