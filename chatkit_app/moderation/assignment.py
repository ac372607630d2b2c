"""Assignment of threads to members of the staff, also of those in which they answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import router, transaction

from ..models import Thread
from ..staff import assignment
from ..takeover.handler import hand_on


def assign(threads: Sequence[Thread], assignee: Any, *, actor: Any) -> int:
    """Have a member of the staff look after threads. What a person answers in goes along.

    A thread that somebody has taken over is answered by the assignee from then on; by nobody's, its user waits for the
    team.

    Args:
        threads: what the caller has found the actor may assign.
        assignee: who looks after them; nobody if it is None.
        actor: who decides it.

    Returns:
        How many of the threads were changed.
    """
    keys = [thread.pk for thread in threads]
    with transaction.atomic(using=router.db_for_write(Thread)):
        locked = Thread.objects.filter(pk__in=keys).locked().order_by("pk")
        taken = [thread.pk for thread in locked if thread.handler == Thread.Handler.STAFF]
        if assignee is not None:
            count = assignment.assign(threads, assignee, actor=actor)
            # Pages show who it is.
            Thread.objects.filter(pk__in=taken).bump()
            return count
        for pk in taken:
            hand_on(pk, actor=actor)
        others = [thread for thread in threads if thread.pk not in taken]
        return len(taken) + assignment.assign(others, None, actor=actor)
