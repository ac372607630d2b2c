"""All ORM work of the chat, on a small and bounded pool of threads.

A stream that waits for a model holds neither a thread nor a connection: it borrows a worker for the moment it
has something to read or write. ``CHATKIT["DB_WORKERS"]`` bounds both.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    close_old_connections,
    connections,
    reset_queries,
    router,
    transaction,
)
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from . import database_context
from .conf import chatkit_settings
from .errors import DatabaseUnavailable, contained
from .logs import get_logger
from .process.threads import callers_thread

P = ParamSpec("P")
R = TypeVar("R")

logger = get_logger(__name__)

_RETRY_DELAYS = (0.0, 0.05, 0.1, 0.25, 0.5, 1.0)

_pool: Workers | None = None
_pool_lock = threading.Lock()
_thread_connections: list[BaseDatabaseWrapper] = []


class Workers:
    """Threads that go on with what waits, so that under load nobody is woken for each piece of work.

    An executor's ``submit()`` would make two futures of a piece, and wake the event loop for each of them.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._executor = ThreadPoolExecutor(
            max_workers=size, thread_name_prefix="chatkit-db", initializer=_register_connections
        )
        self._lock = threading.Lock()
        self._idle = size
        self._waiting: deque[_Piece] = deque()

    def submit(self, func: Callable[[], Any]) -> asyncio.Future[Any]:
        """Have a thread call the function. Call it in an event loop, which the future belongs to."""
        loop = asyncio.get_running_loop()
        piece = _Piece(func, loop.create_future(), loop)
        with self._lock:
            self._waiting.append(piece)
            wake = self._idle > 0
            self._idle -= wake
        if wake:
            self._executor.submit(self._work)
        return piece.future

    def shutdown(self, *, wait: bool) -> None:
        """End the threads, once what waits is done."""
        self._executor.shutdown(wait=wait)

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._idle += 1
                    return
                piece = self._waiting.popleft()
            piece.work()


class _Piece:
    """A piece of work, and who waits for it."""

    __slots__ = ("func", "future", "loop")

    def __init__(
        self, func: Callable[[], Any], future: asyncio.Future[Any], loop: asyncio.AbstractEventLoop
    ) -> None:
        self.func = func
        self.future = future
        self.loop = loop

    def work(self) -> None:
        if self.future.cancelled():
            return
        try:
            result = self.func()
        except StopIteration as stop:
            self._hand_over(None, RuntimeError(f"Database work raised {stop!r}, which no future takes"))
        except BaseException as error:
            self._hand_over(None, error)
        else:
            self._hand_over(result, None)

    def _hand_over(self, result: Any, error: BaseException | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has been closed, and nobody waits
            self.loop.call_soon_threadsafe(self._tell, result, error)

    def _tell(self, result: Any, error: BaseException | None) -> None:
        if self.future.done():
            return
        if error is not None:
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


def _get_pool() -> Workers:
    global _pool
    size = max(1, chatkit_settings.db_workers)
    if _pool is None or size != _pool.size:
        with _pool_lock:
            if _pool is None or size != _pool.size:
                if _pool is not None:
                    _pool.shutdown(wait=False)
                _pool = Workers(size)
    return _pool


def _work(func: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run ``func`` in a worker, and leave its connections fit for the next piece of work.

    A worker's connection stays open (there are few of them, and opening one costs more than most queries), unless
    it broke or came from psycopg's pool, to which it is given back.
    """
    try:
        return func(*args, **kwargs)
    except (OperationalError, InterfaceError):
        _close(connections.all(initialized_only=True))
        raise
    finally:
        # With DEBUG each connection keeps its queries until a request begins, which none ever does in here.
        reset_queries()
        pooled = [alias for alias, database in settings.DATABASES.items() if _is_pooled(database)]
        if pooled:
            _close(connections[alias] for alias in pooled)


def _is_pooled(database: dict[str, Any]) -> bool:
    return "pool" in database.get("OPTIONS", {})


def _close(used: Iterable[BaseDatabaseWrapper]) -> None:
    for connection in used:
        if connection.connection is not None and not connection.in_atomic_block:
            connection.close()


async def run(func: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run synchronous ORM work and return its result.

    While the database cannot be reached the work is tried again for ``CHATKIT["DB_PATIENCE"]`` seconds, so ``func``
    must come to the same end when it is run twice: write with upserts, in one transaction.

    Under ``async_to_sync`` (a synchronous view, a ``TestCase``) the work runs in the calling thread, inside its
    transaction. Elsewhere it runs in the current ``DatabaseContext``, where the site uses them.

    Raises:
        ServerExited: in place of an exception that would end the process.
        DatabaseUnavailable: when the database stays away for longer than that.
        NoDatabaseContext: when there is none, so that nothing says in which schema the work belongs.
    """
    if callers_thread() is None and database_context.current() is None and database_context.is_used():
        raise database_context.NoDatabaseContext
    return await _run_patiently(database_context.bound(func), *args, **kwargs)


async def is_there(*, using: str, timeout: float) -> bool:
    """Return whether a database can be asked, within so many seconds.

    The question is nobody's work, and asked in no ``DatabaseContext``.
    """
    try:
        async with asyncio.timeout(timeout):
            await _run_patiently(_ask, using)
    except (TimeoutError, DatabaseError, DatabaseUnavailable) as error:
        logger.warning("The database %r cannot be asked: %s", using, type(error).__name__)
        return False
    return True


def _ask(using: str) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT 1")


async def _run_patiently(func: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    deadline = time.monotonic() + chatkit_settings.db_patience
    attempt = 0
    while True:
        try:
            if callers_thread() is not None:
                return await sync_to_async(func)(*args, **kwargs)
            # Functions of settings and receivers of signals run in here too.
            with contained():
                result: R = await _get_pool().submit(lambda: _work(func, *args, **kwargs))
                return result
        except (OperationalError, InterfaceError) as error:
            delay = _RETRY_DELAYS[min(attempt, len(_RETRY_DELAYS) - 1)]
            if time.monotonic() + delay > deadline:
                raise DatabaseUnavailable from error
            attempt += 1
            await asyncio.sleep(delay)


def savepoint(model: type[Model]) -> AbstractContextManager[None]:
    """Guard a single statement whose ``IntegrityError`` is caught: spoil no transaction that is open, and open none."""
    using = router.db_for_write(model)
    return transaction.atomic(using=using) if connections[using].in_atomic_block else nullcontext()


class Lane(ThreadPoolExecutor):
    """A single thread, which knows how much it has to do, and in which ``DatabaseContext``."""

    def __init__(self) -> None:
        super().__init__(
            max_workers=1, thread_name_prefix="chatkit-request", initializer=_register_connections
        )
        self.pending = 0
        self._counting = threading.Lock()

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        with self._counting:
            self.pending += 1
        future = super().submit(database_context.bound(fn), *args, **kwargs)
        future.add_done_callback(self._done)
        return future

    def close_old_connections(self) -> None:
        """Close what has become too old, or broken, as Django does between two requests."""
        # Not inside a context, which would ask for a connection once more on its way out.
        if self._threads:
            super().submit(_close_old_connections)

    def _done(self, future: Future[Any]) -> None:
        with self._counting:
            self.pending -= 1


def _close_old_connections() -> None:
    close_old_connections()
    reset_queries()


_lanes: list[Lane] = []
_next_lane = itertools.count()


def request_lane() -> Lane:
    """Return one of ``CHATKIT["REQUEST_THREADS"]`` single threads.

    For code that Django runs "thread sensitive": what belongs to one request has to stay in one thread, but a
    thousand requests need not have a thousand threads. The one with the least to do is taken, so that a slow view
    holds up only those that come when all others are busy too.
    """
    count = max(1, chatkit_settings.request_threads)
    with _pool_lock:
        while len(_lanes) < count:
            _lanes.append(Lane())
        first = next(_next_lane) % count
        return min(_lanes[first:] + _lanes[:first], key=lambda lane: lane.pending)


class RequestLane(Executor):
    """The lane of one request, or of one answer, with its connections looked after before the first use and at the end.

    Django does that by signals, in the thread of each request. Here a request that needs no thread is given none.
    """

    def __init__(self) -> None:
        self._lane = request_lane()
        self._is_used = False

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        if not self._is_used:
            self._is_used = True
            self._lane.close_old_connections()
        return self._lane.submit(fn, *args, **kwargs)

    def end(self) -> None:
        """Look after the connections that were used. Call it when the request or the answer has ended."""
        if self._is_used:
            self._lane.close_old_connections()


def _register_connections() -> None:
    """Note the connection objects of a new thread, so that ``shutdown()`` can close them after its end."""
    with _pool_lock:
        _thread_connections.extend(connections.all())


def shutdown() -> None:
    """End all threads and close their connections. The next ``run()`` starts new ones."""
    global _pool
    with _pool_lock:
        ending: list[ThreadPoolExecutor | Workers] = [*_lanes, *([_pool] if _pool is not None else [])]
        _lanes.clear()
        _pool = None
    for executor in ending:
        executor.shutdown(wait=True)
    with _pool_lock:
        left, _thread_connections[:] = list(_thread_connections), []
    for connection in left:
        connection.inc_thread_sharing()
        connection.close()
