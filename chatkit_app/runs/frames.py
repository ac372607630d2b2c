"""Sources of event streams: frames of bytes that grow, and readers who wait for more."""

from __future__ import annotations

import asyncio


class Frames:
    """Frames that may still become more. Runs are such, and a refusal is one that is complete.

    Attributes:
        frames: all server-sent events so far, as bytes.
        done: whether there will be no more of them.
        delivered: whether a reader got them to their end.
        readers: how many are reading.
    """

    def __init__(self, *frames: bytes, done: bool = False) -> None:
        self.frames = list(frames)
        self.done = done
        self.delivered = False
        self.readers = 0
        self._waiting: list[asyncio.Future[None]] = []

    def wait(self) -> asyncio.Future[None]:
        """Return a future that is done when there are new frames, or no more to come.

        A reader may set its result itself, to wake up for a reason of its own.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        return future

    def wake(self) -> None:
        """Let all who wait look again."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def detach(self) -> None:
        """Take note that a reader has gone: after the end, when ``delivered`` says so, or before it."""
        self.readers -= 1
