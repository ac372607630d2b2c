import asyncio
import threading
import time

import pytest
from asgiref.sync import async_to_sync
from chatkit.types import ThreadMetadata
from django.db import InterfaceError, OperationalError, connection, transaction
from django.test import TestCase

from chatkit_app import db
from chatkit_app.context import RequestContext
from chatkit_app.errors import DatabaseUnavailable, ServerExited
from chatkit_app.models import Thread
from chatkit_app.store import DjangoStore
from chatkit_app.testing.store_contract import NOON


def workers() -> int:
    return sum(thread.name.startswith("chatkit-db") for thread in threading.enumerate())


@pytest.fixture
def few_workers(settings):
    settings.CHATKIT = {"DB_WORKERS": 3}


# Workers


async def test_result_comes_back_from_another_thread():
    assert await db.run(threading.get_ident) != threading.get_ident()


async def test_arguments_are_passed_on():
    def func(*args, **kwargs):
        return args, kwargs

    assert await db.run(func, 1, func=2) == ((1,), {"func": 2})


async def test_never_more_threads_than_workers(few_workers):
    lock = threading.Lock()
    active = peak = 0

    def work() -> None:
        nonlocal active, peak
        with lock:
            active += 1
            peak = max(peak, active)
        time.sleep(0.005)
        with lock:
            active -= 1

    await asyncio.gather(*(db.run(work) for _ in range(60)))
    assert peak == 3
    assert workers() == 3


@pytest.mark.django_db(transaction=True)
async def test_never_more_connections_than_workers(few_workers):
    opened = set()

    def work() -> None:
        Thread.objects.count()
        opened.add(id(connection.connection))
        time.sleep(0.002)

    await asyncio.gather(*(db.run(work) for _ in range(60)))
    assert 1 <= len(opened) <= 3


async def test_at_least_one_worker(settings):
    settings.CHATKIT = {"DB_WORKERS": 0}
    assert await db.run(lambda: 5) == 5


async def test_event_loop_goes_on_while_workers_are_busy(few_workers):
    go_on = threading.Event()
    waiting = [asyncio.ensure_future(db.run(go_on.wait, 10)) for _ in range(5)]
    await asyncio.sleep(0)
    go_on.set()
    assert await asyncio.gather(*waiting) == [True] * 5


async def test_request_lanes_are_shared_in_turn(settings):
    settings.CHATKIT = {"REQUEST_THREADS": 2}
    lanes = [db.request_lane() for _ in range(4)]
    assert len({id(lane) for lane in lanes}) == 2
    assert lanes[0] is lanes[2]
    assert {lane._max_workers for lane in lanes} == {1}


# Trouble


class Flaky:
    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


@pytest.mark.parametrize("error", [OperationalError("gone"), InterfaceError("closed")])
async def test_work_is_tried_again_while_the_database_is_away(error):
    work = Flaky(error, error)
    assert await db.run(work) == "done"
    assert work.calls == 3


async def test_patience_has_an_end(settings):
    settings.CHATKIT = {"DB_PATIENCE": 0.1}
    work = Flaky(*[OperationalError("gone") for _ in range(1000)])
    with pytest.raises(DatabaseUnavailable) as caught:
        await db.run(work)
    assert isinstance(caught.value.__cause__, OperationalError)
    assert caught.value.allow_retry is True
    assert 2 <= work.calls < 10


@pytest.mark.parametrize("error", [ValueError("own"), KeyError("own")])
async def test_other_errors_are_not_tried_again(error):
    work = Flaky(error)
    with pytest.raises(type(error)):
        await db.run(work)
    assert work.calls == 1


@pytest.mark.django_db(transaction=True)
async def test_broken_connection_is_replaced(settings):
    settings.CHATKIT = {"DB_WORKERS": 1}

    work = Flaky(OperationalError("gone"))
    used = []

    def use() -> str:
        Thread.objects.count()
        used.append(connection.connection)
        return work()

    assert await db.run(use) == "done"
    assert used[0] is not used[1]
    assert is_closed(used[0])


@pytest.mark.skipif("connection.vendor != 'postgresql'")
@pytest.mark.django_db(transaction=True)
async def test_connection_that_the_server_ended_is_replaced(settings):
    settings.CHATKIT = {"DB_WORKERS": 2}

    def process() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return cursor.fetchone()[0]

    def end(pid: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])

    barrier = threading.Barrier(2)

    def process_of_each() -> int:
        barrier.wait(10)
        return process()

    one, two = await asyncio.gather(db.run(process_of_each), db.run(process_of_each))
    await asyncio.gather(*(db.run(end, pid) for pid in {one, two}), return_exceptions=True)
    left = {await db.run(process) for _ in range(8)}
    assert not left >= {one, two}


@pytest.mark.django_db(transaction=True)
async def test_error_inside_a_transaction_leaves_a_usable_connection(settings):
    settings.CHATKIT = {"DB_WORKERS": 1}
    work = Flaky(OperationalError("deadlock"))

    def write() -> str:
        with transaction.atomic():
            Thread.objects.create(public_id="t", visitor_id="v")
            return work()

    assert await db.run(write) == "done"
    assert await db.run(Thread.objects.count) == 1


@pytest.mark.django_db(transaction=True)
async def test_connection_stays_open_between_two_pieces_of_work(settings):
    settings.CHATKIT = {"DB_WORKERS": 1}
    await db.run(Thread.objects.count)
    first = await db.run(lambda: connection.connection)
    await db.run(Thread.objects.count)
    assert first is not None
    assert await db.run(lambda: connection.connection) is first


# Synchronous callers


class SynchronousTest(TestCase):
    """What a site's own ``TestCase`` does; its transaction is rolled back in the end."""

    def test_work_runs_in_the_callers_transaction(self) -> None:
        context = RequestContext(visitor_id="v")
        thread = ThreadMetadata(id="t", created_at=NOON)
        async_to_sync(DjangoStore().save_thread)(thread, context)
        assert Thread.objects.get().public_id == "t"
        assert async_to_sync(db.run)(threading.get_ident) == threading.get_ident()

    def test_work_left_nothing_behind(self) -> None:
        assert Thread.objects.count() == 0
        assert workers() == 0


# The end


@pytest.mark.django_db(transaction=True)
def test_shutdown_closes_connections_and_ends_threads(few_workers):
    connections = []

    def work() -> None:
        Thread.objects.count()
        connections.append(connection.connection)
        time.sleep(0.01)

    async def use() -> None:
        await asyncio.gather(*(db.run(work) for _ in range(12)))

    asyncio.run(use())
    db.shutdown()
    assert workers() == 0
    assert all(is_closed(used) for used in connections)


def is_closed(used) -> bool:
    if connection.vendor == "postgresql":
        return used.closed
    try:
        used.execute("SELECT 1")
    except Exception as error:
        return "closed" in str(error)
    return False


def test_shutdown_before_the_first_work():
    db.shutdown()
    db.shutdown()
    assert workers() == 0


def test_work_after_shutdown_gets_new_workers():
    for _ in range(2):
        assert asyncio.run(db.run(lambda: "done")) == "done"
        db.shutdown()


def test_request_lane_with_the_least_to_do_is_taken(settings):
    settings.CHATKIT = {"REQUEST_THREADS": 3}
    busy = {db.request_lane() for _ in range(3)}
    assert len(busy) == 3
    idle = busy.pop()
    gate = threading.Event()
    waiting = [lane.submit(gate.wait, 10) for lane in busy]
    assert [db.request_lane() for _ in range(4)] == [idle] * 4
    gate.set()
    for future in waiting:
        future.result()
    assert [lane.pending for lane in busy] == [0, 0]


@pytest.mark.django_db(transaction=True)
async def test_worker_forgets_its_queries(settings):
    """With DEBUG, Django keeps each query until the next request begins in its thread."""
    settings.CHATKIT = {"DB_WORKERS": 1}

    def ask() -> int:
        connection.force_debug_cursor = True
        Thread.objects.count()
        return len(connection.queries_log)

    assert await db.run(ask) == 1
    assert await db.run(lambda: len(connection.queries_log)) == 0


class Enough(BaseException):
    """Of the kind that ``except Exception`` lets through."""


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), Enough()], ids=repr)
async def test_work_that_would_end_the_process_is_an_error(error):
    def work() -> None:
        raise error

    with pytest.raises(ServerExited, match=type(error).__name__):
        await db.run(work)


# --- Workers ------------------------------------------------------------------------------------------------


async def test_work_that_nobody_waits_for_any_more_is_not_begun(settings):
    settings.CHATKIT = {"DB_WORKERS": 1}
    release, done = threading.Event(), []
    first = asyncio.create_task(db.run(release.wait))
    second = asyncio.create_task(db.run(done.append, "second"))
    third = asyncio.create_task(db.run(done.append, "third"))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.sleep(0)
    release.set()
    await asyncio.gather(first, third)
    assert done == ["third"]


async def test_waiting_work_is_begun_in_its_order(settings):
    settings.CHATKIT = {"DB_WORKERS": 1}
    done: list[int] = []
    await asyncio.gather(*(db.run(done.append, number) for number in range(50)))
    assert done == list(range(50))


async def test_stop_iteration_in_the_database_is_an_error_of_whoever_asked():
    with pytest.raises(RuntimeError, match="StopIteration"):
        await db.run(next, iter(()))
    assert await db.run(lambda: 7) == 7


def test_result_for_a_loop_that_has_ended_is_dropped(settings):
    settings.CHATKIT = {"DB_WORKERS": 1}
    release = threading.Event()

    async def leave() -> None:
        asyncio.ensure_future(db.run(release.wait))  # noqa: RUF006
        await asyncio.sleep(0)

    asyncio.run(leave())
    release.set()
    assert asyncio.run(db.run(lambda: 7)) == 7
