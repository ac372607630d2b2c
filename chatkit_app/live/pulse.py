"""The pulse of a process's sockets: pings with versions, and whether those who are here may still be.

One task for all of them. Versions of all threads that are due are read by one query, and their owners by another.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
import weakref
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest

from .. import db
from ..logs import get_logger
from ..models import Thread
from ..models.querysets import owner_values
from . import codes
from .hub import get_hub
from .seen import note_seen
from .visit import Refused, requests_of

if TYPE_CHECKING:
    from .socket import Socket

logger = get_logger(__name__)

TICK = 5.0
"""Seconds between two looks at what is due."""
PING_INTERVAL = 25.0
"""Seconds between two pings of a socket."""
CHECK_INTERVAL = 60.0
"""Seconds after which it is looked again whether a socket may be here."""

# Other work gets its turn in between.
_CHECKED_AT_ONCE = 50


class Pulse:
    """The sockets of one event loop, and the task that looks after them."""

    def __init__(self) -> None:
        self._sockets: set[Socket] = set()
        self._task: asyncio.Task[None] | None = None

    def add(self, socket: Socket) -> None:
        """Look after this socket from now on."""
        self._sockets.add(socket)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._go_on(), context=contextvars.Context())
            get_hub().on_return = self.ping_all

    def discard(self, socket: Socket) -> None:
        """Look after it no more."""
        self._sockets.discard(socket)
        if not self._sockets and self._task is not None:
            self._task.cancel()
            self._task = None

    async def ping_all(self) -> None:
        """Tell all pages the versions of their threads: bells have been missed."""
        await self._ping(list(self._sockets))

    async def beat(self, now: float | None = None) -> None:
        """Do what is due.

        Args:
            now: by ``time.monotonic()``; this moment unless given.
        """
        now = time.monotonic() if now is None else now
        due = [socket for socket in self._sockets if now - socket.checked_at >= CHECK_INTERVAL]
        for first in range(0, len(due), _CHECKED_AT_ONCE):
            await self._check(due[first : first + _CHECKED_AT_ONCE], now)
        silent = [socket for socket in self._sockets if now - socket.pinged_at >= PING_INTERVAL]
        for socket in silent:
            socket.pinged_at = now
        await self._ping(silent)
        await get_hub().refresh()

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            try:
                await self.beat()
            except Exception:
                logger.exception("Open pages could not be looked after; the next time tries again")

    async def _check(self, due: Sequence[Socket], now: float) -> None:
        for socket, found in await db.run(_check_each, due):
            socket.checked_at = now
            if isinstance(found, Refused):
                socket.end(found.code)
            elif socket in self._sockets:
                await socket.apply_check(found)

    async def _ping(self, sockets: Iterable[Socket]) -> None:
        pks = {pk for socket in sockets for pk in socket.thread_pks}
        seen = {pk for socket in sockets for pk in socket.seen_pks}
        versions = await db.run(_read_and_note, pks, seen) if pks else {}
        for socket in sockets:
            socket.ping(versions)


def read_versions(pks: Iterable[int]) -> dict[int, int]:
    """Return the versions of those of the threads that are there, by their keys."""
    threads = Thread.objects.on_writer().filter(pk__in=list(pks))
    return dict(threads.values_list("pk", "version"))


def read_owners(pks: Iterable[int]) -> dict[int, Any]:
    """Return the owners of those of the threads that are there, by their keys, as ``owner_values()`` has them."""
    threads = Thread.objects.on_writer().filter(pk__in=list(pks))
    rows = threads.values_list("pk", "user_id", "visitor_id", "namespace", named=True)
    return {row.pk: owner_values(row) for row in rows}


def _read_and_note(pks: Iterable[int], seen: Iterable[int]) -> dict[int, int]:
    versions = read_versions(pks)
    note_seen(seen)
    return versions


def _check_each(sockets: Sequence[Socket]) -> list[tuple[Socket, Any]]:
    requests = requests_of([(socket.scope, socket.path) for socket in sockets], are_in=True)
    pks = {pk for socket in sockets for pk in socket.thread_pks}
    owners = read_owners(pks) if pks else {}
    return [
        (socket, _checked(socket, request, owners)) for socket, request in zip(sockets, requests, strict=True)
    ]


def _checked(socket: Socket, request: HttpRequest | Refused, owners: Mapping[int, Any]) -> Any:
    """Return what a socket's check has found, or why the socket may not stay."""
    if isinstance(request, Refused):
        return request
    try:
        return socket.check(request, owners)
    except Refused as refused:
        return refused
    except (DatabaseError, InterfaceError):
        raise
    except Exception:
        # One page that cannot be looked at would keep all others from it.
        logger.exception("A socket could not be looked at again, and is closed")
        return Refused(codes.NOT_HERE)


_pulses: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Pulse] = weakref.WeakKeyDictionary()


def get_pulse() -> Pulse:
    """Return the pulse of the running event loop."""
    return _pulses.setdefault(asyncio.get_running_loop(), Pulse())
