"""The end of the process. Answers are saved and their readers are told; only then does the server hear of it.

ASGI has no word for it that comes in time: a server tells an application by "lifespan" when all connections have ended,
and an answer is one that does not end. So the first stream of an event loop, or the first who asks for its health, does
three things:

- It puts a handler of its own before the server's for SIGTERM and SIGINT, in the main thread, where there is one. That
  handler ends the loop's streams and then calls the server's, ``SHUTDOWN_TIMEOUT`` seconds later at most; at once when
  there is nothing to end, or when the signal comes a second time.
- The workers of hypercorn get no signal, they look at a flag of their parent's: we wait for the same task as they do.
- Before the interpreter ends, what a loop was stopped in the middle of is brought to its end, as ``asyncio.run()``
  does it. Daphne only stops its loop, and Django leaves tasks behind in it. CPython 3.11 crashes when it collects them
  after its module ``_asyncio``: a ``Queue.get()`` that is thrown away then shows a future that can be shown no more.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import signal
import threading
import weakref
from contextlib import suppress
from types import FrameType
from typing import Any, Protocol

from django.http import HttpResponseBase

from ..logs import get_logger
from .threads import callers_thread

logger = get_logger(__name__)

SHUTDOWN_TIMEOUT = 2.0
# After a signal that was not the end after all, for instance since the server's own handler does nothing.
FALSE_ALARM_AFTER = 30.0

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_POLL = 0.01


class Source(Protocol):
    """A source of frames for readers, such as an answer."""

    done: bool

    def interrupt(self) -> None:
        """End soon, with an error event that can be retried, and be ``done`` then."""


class _Open:
    """The sources and responses to end in one event loop."""

    def __init__(self) -> None:
        self.sources: weakref.WeakSet[Source] = weakref.WeakSet()
        self.responses: weakref.WeakSet[HttpResponseBase] = weakref.WeakSet()
        self.ending_until: float | None = None
        self.hears_hypercorn = False

    def is_busy(self) -> bool:
        return any(not source.done for source in self.sources) or any(
            not response.closed for response in self.responses
        )


_loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Open] = weakref.WeakKeyDictionary()
_hook = threading.Lock()
_is_hooked = False
_endings: set[asyncio.Task[None]] = set()


def interrupt_at_shutdown(source: Source) -> None:
    """Interrupt this source when the process goes down. Called in its event loop."""
    _here().sources.add(source)


def delay_shutdown_for(response: HttpResponseBase) -> None:
    """Let the end of the process wait, a moment, until the last frames of this response are sent."""
    _here().responses.add(response)


def listen_for_shutdown() -> None:
    """Notice from now on, without any stream too, when the process is told to end. Called in its event loop."""
    _here()


def is_shutting_down() -> bool:
    """Return whether the process is going down, so that an answer that began now would be interrupted at once."""
    loop = asyncio.get_running_loop()
    here = _loops.get(loop)
    if here is None or here.ending_until is None:
        return False
    return loop.time() < here.ending_until - SHUTDOWN_TIMEOUT + FALSE_ALARM_AFTER


async def interrupt_all() -> None:
    """End what this event loop streams. Returns when the readers have it, or after ``SHUTDOWN_TIMEOUT`` seconds."""
    here = _here()
    now = asyncio.get_running_loop().time
    if not is_shutting_down() or here.ending_until is None:
        here.ending_until = now() + SHUTDOWN_TIMEOUT
    for source in list(here.sources):
        if not source.done:
            source.interrupt()
    while here.is_busy() and now() < here.ending_until:
        await asyncio.sleep(_POLL)


def _here() -> _Open:
    loop = asyncio.get_running_loop()
    here = _loops.get(loop)
    if here is None:
        here = _loops[loop] = _Open()
    # Under async_to_sync it is the caller whom a signal concerns.
    if callers_thread() is None:
        _listen(loop)
        _hook_exit()
    return here


# --- By signal --------------------------------------------------------------------------------------------------


class Handler:
    """A handler of a signal that ends the streams of an event loop before it calls the one that was there before."""

    def __init__(self, signum: signal.Signals, previous: Any, loop: asyncio.AbstractEventLoop) -> None:
        self.previous = previous
        self._signum = signum
        self._loop = weakref.ref(loop)
        self._task: asyncio.Task[None] | None = None
        self._is_asked = False

    def is_of(self, loop: asyncio.AbstractEventLoop) -> bool:
        return self._loop() is loop

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        loop = self._loop()
        if self._is_asked or loop is None or not loop.is_running():
            self._pass_on(frame)
            return
        self._is_asked = True
        loop.call_soon_threadsafe(self._begin, loop)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        # The context of whatever is interrupted here is nobody's.
        self._task = loop.create_task(self._end_streams(), context=contextvars.Context())

    async def _end_streams(self) -> None:
        try:
            await interrupt_all()
        except Exception:
            logger.exception("The answers could not be ended before the server")
        finally:
            self._is_asked = False
            self._pass_on(None)

    def _pass_on(self, frame: FrameType | None) -> None:
        if callable(self.previous):
            self.previous(self._signum, frame)
        else:
            signal.signal(self._signum, self.previous)
            os.kill(os.getpid(), self._signum)


def _listen(loop: asyncio.AbstractEventLoop) -> None:
    if threading.current_thread() is not threading.main_thread():
        return
    for signum in _SIGNALS:
        current = signal.getsignal(signum)
        if isinstance(current, Handler):
            if current.is_of(loop):
                continue
            current = current.previous
        # None: a handler that was not set by Python, and cannot be called by it.
        if current is not None and current != signal.SIG_IGN:
            signal.signal(signum, Handler(signum, current, loop))
    _listen_to_hypercorn(loop)


def _listen_to_hypercorn(loop: asyncio.AbstractEventLoop) -> None:
    here = _loops[loop]
    if here.hears_hypercorn:
        return
    here.hears_hypercorn = True
    for task in asyncio.all_tasks(loop):
        coroutine: Any = task.get_coro()
        frame = getattr(coroutine, "cr_frame", None)
        if frame is not None and frame.f_globals.get("__name__") == "hypercorn.utils":
            task.add_done_callback(_on_hypercorn, context=contextvars.Context())


def _on_hypercorn(task: asyncio.Task[Any]) -> None:
    ending = task.get_loop().create_task(interrupt_all())
    ending.add_done_callback(_endings.discard)
    _endings.add(ending)


# --- Before the interpreter ends --------------------------------------------------------------------------------


def _hook_exit() -> None:
    global _is_hooked
    with _hook:
        if not _is_hooked:
            _is_hooked = True
            # atexit would be too late: by then the executors of ORM work take no more of it.
            threading._register_atexit(_end_loops)  # type: ignore[attr-defined]


def _end_loops() -> None:
    for loop in list(_loops):
        if loop.is_closed():
            continue
        try:
            if loop.is_running():
                asyncio.run_coroutine_threadsafe(interrupt_all(), loop).result(SHUTDOWN_TIMEOUT + 1)
            else:
                loop.run_until_complete(_end_tasks())
        except Exception:
            logger.exception("The answers could not be ended before the process")


async def _end_tasks() -> None:
    await interrupt_all()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(asyncio.gather(*left, return_exceptions=True), SHUTDOWN_TIMEOUT)
