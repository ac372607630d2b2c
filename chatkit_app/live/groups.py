"""The names of the groups that bells are rung for, and of those that processes are in at the layer."""

from __future__ import annotations

STAFF = "chatkit.staff"
"""Whoever of the staff has a page open: which threads have changed."""

ANSWERS = "chatkit.answers"
"""The processes that make answers: an answer has been stopped, or somebody wants to read it."""

PAGES = "chatkit.pages"
"""The processes that have pages open, of users or of staff: all that is rung for one of these."""


def of_thread(pk: int) -> str:
    """Return the group of whoever shows this thread."""
    return f"chatkit.thread.{pk}"
