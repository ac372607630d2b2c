"""The names of the groups that bells are rung for."""

from __future__ import annotations

STAFF = "chatkit.staff"
"""Whoever of the staff has a page open: which threads have changed."""


def of_thread(pk: int) -> str:
    """Return the group of whoever shows this thread."""
    return f"chatkit.thread.{pk}"
