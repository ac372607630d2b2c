"""Errors of members of the staff who were too late: somebody else has the thread."""

from __future__ import annotations

from typing import Any


class AlreadyTaken(Exception):
    """Another member of the staff has the thread.

    Attributes:
        holder: who has it.
        since: when they took it.
    """

    def __init__(self, holder: Any, since: Any) -> None:
        super().__init__(f"{holder} has this thread; pass take_from={holder!r} to take it from them.")
        self.holder = holder
        self.since = since


class NotTaken(Exception):
    """The thread is not with the member of the staff who was to answer in it. Take it over first."""

    def __init__(self) -> None:
        super().__init__("The thread is not with this member of the staff. Call take_over() first.")
