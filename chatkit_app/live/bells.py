"""Bells: that something has changed, for pages that are open in any process.

Ringing one costs whoever rings nothing but a note in a dictionary. What is noted is sent in one message (``peal.py``),
at most ten times a second, in the event loop of this process's sockets or, where it has none, by a thread of its own.
Of several bells for one thread the last is enough, since it carries the highest version. Pages of this process hear
without the channel layer, and are not late when it is slow or away. What one process wants of another is sent at once.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Protocol

from .. import database_context
from . import groups, layer, peal

INTERVAL = 0.1
"""Seconds between two peals."""


class Listeners(Protocol):
    """Those of this process who hear of groups.

    Attributes:
        channel: by which they hear of the layer.
    """

    channel: str

    def dispatch(self, group: str, message: layer.Message) -> None:
        """Hand a message to those who hear of the group."""


class Round:
    """One way to those who hear: the bells that are to be rung on it, and whether somebody goes it just now."""

    def __init__(self, send: Callable[[Sequence[layer.Message]], Awaitable[None]]) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._versions: dict[int, int] = {}
        # What only staff hear of.
        self._handled: dict[int, None] = {}
        self._others: dict[tuple[str, str], layer.Message] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def is_under_way(self) -> bool:
        return _is_alive(self._loop)

    def note_version(self, thread_pk: int, version: int) -> None:
        with self._lock:
            self._versions[thread_pk] = max(version, self._versions.get(thread_pk, 0))

    def note_handled(self, thread_pks: Iterable[int]) -> None:
        with self._lock:
            self._handled.update(dict.fromkeys(thread_pks))

    def note(self, group: str, message: layer.Message) -> None:
        with self._lock:
            self._others[group, message["type"]] = message

    def begin(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Return whether somebody has to go it now, in this event loop."""
        with self._lock:
            if self.is_under_way:
                return False
            self._loop = loop
            return True

    async def go(self) -> None:
        """Send what there is, until there is nothing more."""
        try:
            while messages := self._take():
                await self._send(messages)
                await asyncio.sleep(INTERVAL)
        except BaseException:
            self._loop = None
            raise

    def _take(self) -> list[layer.Message]:
        with self._lock:
            versions, self._versions = self._versions, {}
            handled, self._handled = self._handled, {}
            others, self._others = self._others, {}
            if not (versions or handled or others):
                self._loop = None
                return []
        told = [(group, message) for (group, _type), message in others.items()]
        return peal.pack(versions=versions, handled=list(handled), others=told)


class Bells:
    """The bells of one process that are to be rung."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._here = Round(self._tell_listeners)
        self._elsewhere = Round(self._send_by_layer)
        self._listeners: Listeners | None = None
        self._sockets: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Future[None]] = set()
        self._under_way = 0

    def send_from(self, loop: asyncio.AbstractEventLoop, listeners: Listeners) -> None:
        """Send from this event loop from now on, since it has sockets: one layer is good in one loop only."""
        self._sockets, self._listeners = loop, listeners

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is to be rung."""
        return not (self._here.is_under_way or self._elsewhere.is_under_way or self._under_way)

    def ring(self, thread_pk: int, version: int) -> None:
        """Say that a thread has this version now. From any thread, after the commit."""
        for way in self._ways():
            way.note_version(thread_pk, version)
            self._set_out(way)

    def ring_staff(self, thread_pks: Collection[int]) -> None:
        """Say that something has changed which only staff see. From any thread, after the commit."""
        for way in self._ways():
            way.note_handled(thread_pks)
            self._set_out(way)

    def send(self, group: str, message: layer.Message) -> None:
        """Send something else to a group. Of several of one type for the same group the last is sent."""
        for way in self._ways():
            way.note(group, message)
            self._set_out(way)

    def send_now(self, group: str, message: layer.Message) -> None:
        """Send something at once to a group of other processes, where they can be heard. From any thread."""
        if not layer.is_shared():
            return
        with self._lock:
            loop = self._loop()
            self._under_way += 1
        loop.call_soon_threadsafe(self._start, lambda: self._send(group, {**message, "group": group}))

    def look(self, run_ids: Iterable[str]) -> None:
        """Have whoever makes these answers look at once what their rows say. From any thread, after the commit."""
        self.send_now(groups.ANSWERS, {"type": "chatkit.look", "runs": list(run_ids)})

    def wait(self, timeout: float) -> None:
        """Wait until all is sent, so many seconds at most. For the end of a process that rang."""
        deadline = time.monotonic() + timeout
        while not self.is_quiet and time.monotonic() < deadline:
            time.sleep(0.005)

    def forget(self) -> None:
        """Begin anew, in a process that was forked from one that was sending."""
        self.__init__()  # type: ignore[misc]

    def _ways(self) -> list[Round]:
        """Return the ways to those who may hear."""
        # Two tenants may have threads of the same key.
        if database_context.is_used():
            return []
        here = [self._here] if _is_alive(self._sockets) else []
        return [*here, self._elsewhere] if layer.is_shared() else here

    def _set_out(self, way: Round) -> None:
        with self._lock:
            loop = self._loop()
        if way.begin(loop):
            loop.call_soon_threadsafe(self._start, way.go)

    def _loop(self) -> asyncio.AbstractEventLoop:
        sockets = self._sockets
        return sockets if sockets is not None and sockets.is_running() else _own_loop()

    def _start(self, work: Callable[[], Awaitable[None]]) -> None:
        task = asyncio.ensure_future(work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell_listeners(self, messages: Sequence[layer.Message]) -> None:
        for message in messages:
            for group, told in peal.unpack(message):
                if self._listeners is not None:
                    self._listeners.dispatch(group, told)

    async def _send_by_layer(self, messages: Sequence[layer.Message]) -> None:
        # By the name of their channel the listeners of this process know what they have heard already.
        heard = {} if self._listeners is None else {"heard_by": self._listeners.channel}
        await layer.send_all([(groups.PAGES, {**message, **heard}) for message in messages])

    async def _send(self, group: str, message: layer.Message) -> None:
        try:
            await layer.send_all([(group, message)])
        finally:
            with self._lock:
                self._under_way -= 1


def _is_alive(loop: asyncio.AbstractEventLoop | None) -> bool:
    return loop is not None and loop.is_running()


_thread_loop: asyncio.AbstractEventLoop | None = None


def _own_loop() -> asyncio.AbstractEventLoop:
    """Return the event loop of a thread that does nothing but send."""
    global _thread_loop
    if _thread_loop is None:
        _thread_loop = asyncio.new_event_loop()
        started = threading.Event()
        _thread_loop.call_soon(started.set)
        threading.Thread(target=_thread_loop.run_forever, name="chatkit-bells", daemon=True).start()
        started.wait()
    return _thread_loop


bells = Bells()
"""Those of this process."""


def _after_fork() -> None:
    global _thread_loop
    _thread_loop = None
    bells.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
# A command ends at once, and its last bell is the one that somebody waits for.
atexit.register(bells.wait, layer.PATIENCE)
