"""Counts of what waits for staff: users for a person, flags for a review."""

from __future__ import annotations

from typing import Any

from ..models import Flag, Thread
from . import scope

MAX_COUNT = 99
"""So far it is counted."""


def users_waiting(user: Any) -> int | None:
    """Return how many users wait for a person, of those this member of the staff may know of; None if of none."""
    if not user.has_perm("chatkit_app.view_thread"):
        return None
    waiting = scope.threads_of(user).filter(handler=Thread.Handler.WAITING)
    return int(waiting.order_by()[: MAX_COUNT + 1].count())


def flags_open(user: Any) -> int | None:
    """Return how many flags are open, likewise; None for those who do not review them."""
    if not (user.has_perm("chatkit_app.view_thread") and user.has_perm("chatkit_app.moderate_thread")):
        return None
    flags = scope.within(Flag.objects.open(), user)
    return int(flags.order_by()[: MAX_COUNT + 1].count())
