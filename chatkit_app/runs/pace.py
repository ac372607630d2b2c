"""The pace at which the readers of an answer are woken: for each word, or where many are read at once for several."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

CROWD = 50
"""So many answers at once are read word by word."""
INTERVAL = 0.1
"""Seconds between two wakings for words of one answer, when there are more."""


class Pace:
    """Wakes the readers of one answer.

    Most of what a word costs is to wake its reader and to send it. Nobody reads faster than ten words a second, so that
    a crowd is sent the words of a tenth of a second together.

    Args:
        wake: wakes them.
        loop: the event loop in which all of this is called.
    """

    def __init__(self, wake: Callable[[], None], loop: asyncio.AbstractEventLoop) -> None:
        self._wake = wake
        self._loop = loop
        self._woken_at = float("-inf")
        self._timer: asyncio.TimerHandle | None = None

    def wake(self) -> None:
        """Wake them now, also for the words that have waited."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._woken_at = self._loop.time()
        self._wake()

    def wake_for_word(self, *, answers: int) -> None:
        """Wake them for one more word, now or within ``INTERVAL``.

        Args:
            answers: how many answers are being made.
        """
        if answers <= CROWD:
            self.wake()
        elif self._timer is None:
            rest = self._woken_at + INTERVAL - self._loop.time()
            if rest > 0:
                self._timer = self._loop.call_later(rest, self._wake_late)
            else:
                self.wake()

    def _wake_late(self) -> None:
        self._timer = None
        self.wake()
