"""Frames of this process's answers for readers in other processes, for as long as they follow.

What they are sent is numbered, so that one who has missed something notices it, and goes on with what the database has.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ..live import layer
from ..logs import get_logger
from .registry import live_runs

if TYPE_CHECKING:
    from .live import LiveRun

logger = get_logger(__name__)

INTERVAL = 0.1
"""Seconds between two messages to the same process."""
SIGN_OF_LIFE = 0.4
"""Seconds after which a follower is sent something though there is nothing new: it takes silence for the end."""
FORGOTTEN_AFTER = 30.0
"""Seconds after which a follower who has not asked again is gone."""
MAX_BYTES = 262_144
"""What one batch has at most, unless one frame alone is longer. The rest comes with the next."""


@dataclass(kw_only=True)
class Follower:
    """A reader in another process.

    Attributes:
        run: the answer that is read.
        channel: that process's own.
        asked_at: when it has asked last.
        position: how many frames it has been sent.
        sent_at: when that was.
    """

    run: LiveRun
    channel: str
    asked_at: float
    position: int = 0
    sent_at: float = float("-inf")

    def take_batch(self, now: float) -> dict[str, Any] | None:
        """Return what is to be sent; None for nothing."""
        first, size, frames = self.position, 0, self.run.frames
        while self.position < len(frames) and (not size or size + len(frames[self.position]) <= MAX_BYTES):
            size += len(frames[self.position])
            self.position += 1
        is_last = self.run.done and self.position == len(frames)
        if first == self.position and not is_last and now - self.sent_at < SIGN_OF_LIFE:
            return None
        self.sent_at = now
        text = b"".join(frames[first : self.position]).decode()
        return {"first": first, "next": self.position, "text": text, "is_last": is_last}


class Relay:
    """The followers of the answers that one event loop makes."""

    def __init__(self) -> None:
        self._followers: dict[str, Follower] = {}
        self._task: asyncio.Task[None] | None = None

    def follow(self, name: str, *, run_id: str, channel: str) -> None:
        """Send a follower the frames of an answer, from the first one on, or take note that it is still there."""
        now, known = time.monotonic(), self._followers.get(name)
        if known is not None:
            known.asked_at = now
            return
        run = live_runs.get_anywhere(run_id)
        # What was redacted is sent to nobody again; the database has the rest.
        if run is None or run.withdrawn or run.loop is not asyncio.get_running_loop():
            return
        self._followers[name] = Follower(run=run, channel=channel, asked_at=now)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._go_on(), context=contextvars.Context())

    def leave(self, name: str) -> None:
        """Send a follower nothing more."""
        self._followers.pop(name, None)

    def close(self) -> None:
        """Send nobody anything more."""
        self._followers.clear()

    async def _go_on(self) -> None:
        while self._followers:
            try:
                await self._send(self._take_batches(time.monotonic()))
            except Exception:
                logger.exception("Readers in other processes could not be sent an answer")
                self._followers.clear()
            await asyncio.sleep(INTERVAL)

    def _take_batches(self, now: float) -> dict[str, dict[str, Any]]:
        """Return what is to be sent, by the followers' names, for each channel."""
        found: dict[str, dict[str, Any]] = {}
        for name, follower in list(self._followers.items()):
            if now - follower.asked_at > FORGOTTEN_AFTER:
                self.leave(name)
            elif (batch := follower.take_batch(now)) is not None:
                found.setdefault(follower.channel, {})[name] = batch
                if batch["is_last"]:
                    self.leave(name)
        return found

    async def _send(self, batches: dict[str, dict[str, Any]]) -> None:
        send = layer.find_layer().send
        await layer.call_all(
            [
                partial(send, channel, {"type": "chatkit.letters", "letters": letters})
                for channel, letters in batches.items()
            ]
        )
