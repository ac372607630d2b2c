"""One socket: let in, told things, asked things, closed. Two subclasses say what about.

At rest it is one waiting coroutine. What it is to be told waits under a key, so that a reader who is slow finds the
newest of each and no queue; whoever reads nothing for a while is closed.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping
from typing import Any

from django.http import HttpRequest

from .. import db
from ..errors import DatabaseUnavailable
from ..logs import get_logger
from . import codes, layer, pulse
from .hub import get_hub
from .visit import Refused, request_of

logger = get_logger(__name__)

SEND_PATIENCE = 10.0
"""Seconds for which a reader may take nothing."""
MAX_MESSAGE = 2000
"""Characters that a message of a page may have."""
MAX_MESSAGES, WINDOW = 60, 10.0
"""So many messages a page may send in so many seconds."""

Told = Mapping[str, Any]
Teller = Callable[[], Awaitable[Told | None]]
"""Finds out what is to be told when it is time to; None for nothing."""


class Socket:
    """A page at the other end of a WebSocket, as an ASGI application for one connection.

    Attributes:
        path: of the requests that the page would send instead.
    """

    __slots__ = (
        "_code",
        "_count",
        "_counted_since",
        "_main",
        "_outbox",
        "_receive",
        "_send",
        "_writer",
        "checked_at",
        "hub",
        "pinged_at",
        "scope",
    )

    path = "/"

    def __init__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope = scope
        self.checked_at = self.pinged_at = time.monotonic()
        self.hub = get_hub()
        self._receive = receive
        self._send = send
        self._outbox: dict[Hashable, Told | Teller] = {}
        self._writer: asyncio.Task[None] | None = None
        self._main = asyncio.current_task()
        self._code: int | None = None
        self._count, self._counted_since = 0, self.checked_at

    @classmethod
    def serve(cls, scope: Any, receive: Any, send: Any) -> Coroutine[Any, Any, None]:
        """Serve one connection to its end: the ASGI application."""
        return cls(scope, receive, send).run()

    # What subclasses say

    def enter(self, request: HttpRequest) -> None:
        """Find out who it is. In a database worker.

        Raises:
            Refused: when they may not be here.
        """
        raise NotImplementedError

    def check(self, request: HttpRequest, owners: Mapping[int, Any]) -> Any:
        """Look again whether they may be here, and what of. In a database worker, every minute.

        Args:
            request: the page's, as it would be now.
            owners: those of the threads that are looked at, as ``owner_values()`` has them, by keys.

        Returns:
            What ``apply_check()`` is given.

        Raises:
            Refused: when they may not be here any more.
        """
        raise NotImplementedError

    async def apply_check(self, found: Any) -> None:
        """Act on what a check has found."""

    async def entered(self) -> None:
        """Begin, once the socket is open."""

    async def left(self) -> None:
        """Clean up, however it has ended."""

    async def take(self, message: dict[str, Any]) -> None:
        """Act on a message of the page.

        Raises:
            ValueError, KeyError, TypeError: when it is none.
        """
        raise NotImplementedError

    def hear(self, message: layer.Message) -> None:
        """Take in a bell."""
        raise NotImplementedError

    @property
    def thread_pks(self) -> list[int]:
        """The keys of the threads that the page shows, whose versions a ping names."""
        return []

    @property
    def seen_pks(self) -> list[int]:
        """The keys of those that a user has before their eyes."""
        return []

    def ping(self, versions: Mapping[int, int]) -> None:
        """Tell the page that the socket is alive, and the versions of its threads."""
        raise NotImplementedError

    # Its life

    async def run(self) -> None:
        """Let the page in, if it may be here, and serve it until one of both ends it."""
        await self._receive()  # websocket.connect
        try:
            await db.run(lambda: self.enter(request_of(self.scope, self.path)))
        except Exception as error:
            await self._refuse(error)
            return
        await self._send({"type": "websocket.accept"})
        pulse.get_pulse().add(self)
        try:
            await self.entered()
            await self._read()
        except asyncio.CancelledError:
            if self._code is None or self._main is None:
                raise
            self._main.uncancel()
        finally:
            pulse.get_pulse().discard(self)
            if self._writer is not None:
                self._writer.cancel()
            await self.left()
        if self._code is not None:
            await self._close(self._code)

    def tell(self, key: Hashable, told: Told | Teller) -> None:
        """Tell the page something, in place of what has waited under the same key."""
        self._outbox[key] = told
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._write())

    def end(self, code: int) -> None:
        """Close the socket."""
        if self._code is None and self._main is not None:
            self._code = code
            self._main.cancel()

    async def _refuse(self, error: Exception) -> None:
        code = codes.NOT_HERE
        if isinstance(error, Refused):
            code = error.code
        elif not isinstance(error, DatabaseUnavailable):
            logger.error("A socket could not be let in", exc_info=error)
        # Accepted first: a browser is told no code of a socket that was never open.
        await self._send({"type": "websocket.accept"})
        await self._send({"type": "websocket.close", "code": code})

    async def _read(self) -> None:
        while True:
            event = await self._receive()
            if event["type"] == "websocket.disconnect":
                return
            if event["type"] != "websocket.receive":
                continue
            code = await self._take_text(event.get("text"))
            if code is not None:
                self._code = code
                return

    async def _take_text(self, text: str | None) -> int | None:
        """Return the code with which to close the socket, if that is what it has come to."""
        if self._sends_too_much():
            return codes.TOO_MUCH
        if text is None or len(text) > MAX_MESSAGE:
            return codes.BAD_MESSAGE
        try:
            message = json.loads(text)
            if not isinstance(message, dict):
                return codes.BAD_MESSAGE
            await self.take(message)
        except (ValueError, KeyError, TypeError, RecursionError):
            return codes.BAD_MESSAGE
        except DatabaseUnavailable:
            return codes.NOT_HERE
        return None

    def _sends_too_much(self) -> bool:
        now = time.monotonic()
        if now - self._counted_since > WINDOW:
            self._count, self._counted_since = 0, now
        self._count += 1
        return self._count > MAX_MESSAGES

    async def _write(self) -> None:
        try:
            while self._outbox:
                told = self._outbox.pop(next(iter(self._outbox)))
                found = await told() if callable(told) else told
                if found is None:
                    continue
                async with asyncio.timeout(SEND_PATIENCE):
                    await self._send({"type": "websocket.send", "text": json.dumps(found)})
            self._outbox = {}  # one that has been filled stays large
        except TimeoutError:
            self.end(codes.TOO_SLOW)
        except Exception as error:
            if not isinstance(error, (OSError, RuntimeError)):
                logger.error("A page could not be told what is new", exc_info=error)
            self.end(codes.NOT_HERE)
        finally:
            self._writer = None

    async def _close(self, code: int) -> None:
        try:
            async with asyncio.timeout(1):
                await self._send({"type": "websocket.close", "code": code})
        except Exception:
            return  # it has gone by itself
