"""Frames of bytes as a ``StreamingHttpResponse`` that proxies pass on at once and that holds nothing while it waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from django.http import StreamingHttpResponse

from ..process import shutdown
from ..process.threads import release_request_thread
from ..runs.frames import Frames

KEEP_ALIVE_COMMENT = b": ping\n\n"
PIECE_BYTES = 65_536
"""What one write has at most, unless one frame alone is longer: a server holds it until the reader has taken it."""


class EventStream(AsyncIterator[bytes]):
    """One reader of a source, from its first frame to its last, with a comment whenever it is silent for long."""

    def __init__(self, source: Frames, *, keep_alive: float) -> None:
        self._source = source
        self._keep_alive = keep_alive
        self._position = 0
        self._sent_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._attached = True
        source.readers += 1

    async def __anext__(self) -> bytes:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            release_request_thread()
            self._sent_at = time.monotonic()
            self._arm_timer(self._keep_alive)
        source = self._source
        while True:
            while self._position >= len(source.frames):
                if source.done:
                    source.delivered = True
                    raise StopAsyncIteration
                self._waiter = source.wait()
                await self._waiter
                if self._is_silent():
                    self._sent_at = time.monotonic()
                    return KEEP_ALIVE_COMMENT
            found = self._take()
            # Empty where later frames have made these superfluous.
            if found:
                self._sent_at = time.monotonic()
                return found

    def _take(self) -> bytes:
        """Return the next frames, as many as one write has."""
        first, size, frames = self._position, 0, self._source.frames
        while self._position < len(frames) and (
            not size or size + len(frames[self._position]) <= PIECE_BYTES
        ):
            size += len(frames[self._position])
            self._position += 1
        taken = frames[first : self._position]
        return taken[0] if len(taken) == 1 else b"".join(taken)

    async def aclose(self) -> None:
        """Let go of the source. The handler calls this in any case: at the end, and when the client has gone."""
        self.detach()

    def close(self) -> None:
        """Let go of the source of a stream that a middleware has wrapped, from ``response.close()`` in a thread."""
        if self._loop is not None and self._attached:
            self._loop.call_soon_threadsafe(self.detach)

    def detach(self) -> None:
        """Let go of the source, in its event loop. It may have been done before."""
        if self._timer is not None:
            self._timer.cancel()
        if self._attached:
            self._attached = False
            self._source.detach()

    def _is_silent(self) -> bool:
        return (
            self._position >= len(self._source.frames)
            and not self._source.done
            and time.monotonic() - self._sent_at >= self._keep_alive
        )

    def _arm_timer(self, delay: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(delay, self._on_timer)

    def _on_timer(self) -> None:
        silent = time.monotonic() - self._sent_at
        if silent >= self._keep_alive and self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        # One timer per stream and interval, not one per frame.
        self._arm_timer(self._keep_alive - silent if silent < self._keep_alive else self._keep_alive)


class EventStreamResponse(StreamingHttpResponse):
    """A stream of server-sent events."""

    def __init__(self, source: Frames, *, keep_alive: float, **kwargs: Any) -> None:
        self._stream = EventStream(source, keep_alive=keep_alive)
        super().__init__(self._stream, content_type="text/event-stream", **kwargs)
        self["Cache-Control"] = "no-cache, no-transform"
        # nginx and those that learned from it buffer unless told otherwise.
        self["X-Accel-Buffering"] = "no"
        # A response that has an encoding is left alone by GZipMiddleware, which would hold frames back.
        self["Content-Encoding"] = "identity"

    def __aiter__(self) -> AsyncIterator[bytes]:
        shutdown.delay_shutdown_for(self)
        return self._stream if self._is_untouched else super().__aiter__()

    def close_in_loop(self) -> bool:
        """Let go of the source as ``close()`` does, without a thread. Returns whether nothing is left to be closed."""
        if self._is_untouched:
            self._stream.detach()
        return self._is_untouched

    @property
    def _is_untouched(self) -> bool:
        """Whether frames come straight from the source: a middleware may have put something of its own around it."""
        return self._iterator is self._stream  # type: ignore[attr-defined]
