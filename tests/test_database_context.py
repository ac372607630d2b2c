"""What a middleware puts on the request's connection holds wherever work is done for the request, and nowhere else.

The state here is a mark in a thread's local storage, which stands for a schema or a variable on a connection.
"""

from __future__ import annotations

import asyncio
import contextvars
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import connection
from django.db.backends.signals import connection_created
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils.deprecation import MiddlewareMixin

from chatkit_app import database_context, db
from chatkit_app.asgi import get_asgi_application, share_threads
from chatkit_app.database_context import DatabaseContext, Joined, NoDatabaseContext, using
from chatkit_app.models import Run, Thread
from chatkit_app.process.threads import install_site_threads
from chatkit_app.runs.registry import live_runs
from chatkit_app.server import DjangoChatKitServer
from chatkit_app.signals import run_finished
from tests.chat import Chat, eventually

here = threading.local()


def mark() -> str:
    return str(getattr(here, "mark", ""))


class MarkMiddleware(MiddlewareMixin):
    """Marks the request's thread, as others mark its connection."""

    def process_request(self, request: HttpRequest) -> None:
        here.mark = request.headers.get("X-Mark", "")

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        here.mark = ""
        return response


@dataclass(frozen=True)
class Marked(DatabaseContext):
    text: str

    @property
    def partition(self) -> str:
        return self.text

    @contextmanager
    def enter(self) -> Iterator[None]:
        before, here.mark = mark(), self.text
        try:
            yield
        finally:
            here.mark = before


def marked(request: HttpRequest) -> Marked:
    return Marked(mark())


def failing(request: HttpRequest) -> Marked:
    raise LookupError("a secret of the code")


def wrong(request: HttpRequest) -> Any:
    return {"schema": "acme"}


@dataclass
class Unfrozen(DatabaseContext):
    text: str


def unfrozen(request: HttpRequest) -> Unfrozen:
    return Unfrozen("acme")


@dataclass(frozen=True)
class Locked(DatabaseContext):
    """One that cannot be entered."""

    @contextmanager
    def enter(self) -> Iterator[None]:
        raise PermissionError("a secret of the code")
        yield


def locked(request: HttpRequest) -> Locked:
    return Locked()


@dataclass(frozen=True)
class Trap(DatabaseContext):
    """One that cannot be left."""

    @contextmanager
    def enter(self) -> Iterator[None]:
        yield
        raise PermissionError("no way out")


@dataclass(frozen=True)
class Hush(DatabaseContext):
    """One that swallows errors."""

    @contextmanager
    def enter(self) -> Iterator[None]:
        try:
            yield
        except ValueError:
            return


class LookingServer(DjangoChatKitServer):
    """Says where each kind of code finds itself."""

    async def title_for(self, thread: Any, message: Any, context: Any) -> str:
        return await sync_to_async(mark)()

    async def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
        await asyncio.sleep(0.2)  # so that it is looked after meanwhile
        await Thread.objects.acount()
        yield self.text_event(await asyncio.to_thread(mark))
        yield self.text_event(await sync_to_async(mark)())
        yield self.text_event(await sync_to_async(mark, thread_sensitive=False)())
        yield self.text_event(await asyncio.create_task(db.run(mark)))


@pytest.fixture
def site(settings: Any) -> Any:
    """A site whose middleware marks threads, and the function that carries the marks over."""

    def configure(server: str = f"{__name__}.LookingServer", function: Any = marked, **keys: Any) -> None:
        settings.MIDDLEWARE = [f"{__name__}.MarkMiddleware", *settings.MIDDLEWARE]
        settings.CHATKIT = {
            "SERVER": server,
            "DATABASE_CONTEXT": f"{__name__}.{function.__name__}",
            "CHECKPOINT_INTERVAL": 0.05,
            **keys,
        }

    return configure


class MarkedChat(Chat):
    """A browser of this tenant's."""

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(**options)
        self.name = name

    def start(self, method: str, path: str, body: bytes = b"", headers: Any = None, **options: Any) -> Any:
        return super().start(method, path, body, {"x-mark": self.name} | (headers or {}), **options)


@pytest.fixture
def asked() -> Iterator[list[tuple[str, str]]]:
    """The mark of the thread, and the statement, of each that concerns one of our tables."""
    statements: list[tuple[str, str]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "chatkit_app_" in sql:
            statements.append((mark(), sql))
        return execute(sql, params, many, context)

    def listen(connection: Any, **kwargs: Any) -> None:
        if note not in connection.execute_wrappers:
            connection.execute_wrappers.append(note)

    connection_created.connect(listen)
    yield statements
    connection_created.disconnect(listen)


# Where it holds


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("application", [ASGIHandler, get_asgi_application])
async def test_all_code_of_an_answer_is_in_the_context_of_its_request(site, application):
    site()
    answer = await MarkedChat("acme", application=application()).say("hi")
    assert answer.text() == "acme|acme|acme|acme"
    with using(Marked("acme")):
        assert await db.run(lambda: Thread.objects.get().title) == "acme"


@pytest.mark.django_db(transaction=True)
async def test_all_statements_of_all_operations_are_in_the_context_of_their_request(site, asked):
    """Signs of life, checkpoints, titles, notes of deliveries and replays among them."""
    site(RUN_RETENTION=0.0)
    chat = MarkedChat("acme")
    answer = await chat.say("hi")
    await eventually(lambda: not list(live_runs))
    assert (await (await chat.follow(answer.run_id)).rest()).text() == "acme|acme|acme|acme"
    assert (await chat.stop(answer.run_id)).json() == {"stopped": False}
    await chat.say("again", answer.thread_id)
    assert len(await chat.items(answer.thread_id)) == 10
    await chat.ask("threads.delete", thread_id=answer.thread_id)

    assert {found for found, _sql in asked} == {"acme"}
    told = " ".join(sql for _found, sql in asked)
    for part in ('"heartbeat_at" = ', '"title"', "INSERT", "DELETE", '"stop_requested"'):
        assert part in told, part


@pytest.mark.django_db(transaction=True)
async def test_answers_are_looked_after_each_in_its_own_context(site, gate, asked):
    site("tests.servers.SlowServer")
    answers = [await MarkedChat(name).begin_saying("hi") for name in ("acme", "bolt")]
    for answer in answers:
        await answer.until('"delta":"one "')
    asked.clear()
    await eventually(
        lambda: {found for found, sql in asked if '"heartbeat_at" = ' in sql} == {"acme", "bolt"}
    )
    gate.set()
    assert [(await answer.rest()).text() for answer in answers] == ["one two", "one two"]
    assert {found for found, _sql in asked} == {"acme", "bolt"}


@pytest.mark.django_db(transaction=True)
async def test_answer_that_does_not_let_itself_be_stopped_ends_in_its_context(site, monkeypatch):
    site("tests.servers.StubbornServer")
    monkeypatch.setattr("chatkit_app.runs.live.STOP_TIMEOUT", 0.05)
    ends = []

    def note(sender: Any, run: Run, **kwargs: Any) -> None:
        ends.append((mark(), run.status))

    run_finished.connect(note)
    chat = MarkedChat("acme")
    answer = await chat.begin_saying("hi")
    await answer.until("well")
    (run,) = live_runs
    run.loop.call_soon_threadsafe(run.stop, context=contextvars.Context())  # by somebody who has none
    await eventually(lambda: ends)
    run_finished.disconnect(note)
    assert ends == [("acme", "stopped")]
    await answer.rest()


@pytest.mark.django_db(transaction=True)
async def test_delivery_is_noted_in_the_context_of_the_answer(site, asked):
    site("tests.servers.EchoServer")
    answer = await MarkedChat("acme").begin_saying("hi")
    (run,) = live_runs
    await answer.rest()
    asked.clear()
    run._recorded_delivered, run.delivered = False, True
    run.readers += 1
    run.detach()  # by somebody who has no context
    await eventually(lambda: asked)
    assert {found for found, _sql in asked} == {"acme"}


# Where it does not


@pytest.mark.django_db(transaction=True)
async def test_threads_are_clean_after_each_piece_of_work(settings):
    settings.CHATKIT = {"DB_WORKERS": 1}
    install_site_threads()
    lane = db.request_lane()
    with using(Marked("acme")):
        assert await db.run(mark) == "acme"
        assert await asyncio.wrap_future(lane.submit(mark)) == "acme"
        assert await asyncio.to_thread(mark) == "acme"
    assert await db.run(mark) == ""
    assert await asyncio.wrap_future(lane.submit(mark)) == ""
    assert await asyncio.to_thread(mark) == ""


async def test_work_of_no_request_is_refused(site):
    site()
    with pytest.raises(NoDatabaseContext, match="belongs to no request"):
        await db.run(mark)


@pytest.mark.django_db(transaction=True)
async def test_host_names_are_looked_up_outside_of_it():
    install_site_threads()
    with using(Locked()):
        found = await asyncio.get_running_loop().getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)
        with pytest.raises(PermissionError):
            await asyncio.to_thread(mark)
    assert found[0][4] == ("127.0.0.1", 80)


def test_synchronous_caller_needs_none(site):
    site()
    assert async_to_sync(db.run)(mark) == ""


def test_requests_get_threads_of_their_own_where_it_is_used(site, settings):
    """On a shared thread, another request would find what this one has put there."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0)
        lanes.append(await sync_to_async(threading.current_thread)())

    lanes: list[threading.Thread] = []
    shared = share_threads(application)
    asyncio.run(shared({"type": "http", "method": "GET"}, None, None))
    site()
    asyncio.run(shared({"type": "http", "method": "GET"}, None, None))
    assert [thread.name.startswith("chatkit-request") for thread in lanes] == [True, False]


# Rows with the same keys


@pytest.mark.django_db(transaction=True)
async def test_answer_is_not_found_from_another_partition(site, gate):
    """Two schemas may have the same ids: one tenant's tables are often a copy of another's."""
    site("tests.servers.SlowServer")
    answer = await MarkedChat("acme").begin_saying("hi")
    await answer.until('"delta":"one "')
    found = {}
    for name in ("acme", "bolt"):
        with using(Marked(name)):
            thread, run = live_runs.of_thread(answer.thread_id), live_runs.get(answer.run_id)
            found[name] = (thread is not None, run is not None)
    gate.set()
    await answer.rest()
    assert found == {"acme": (True, True), "bolt": (False, False)}


@pytest.mark.django_db(transaction=True)
async def test_same_request_in_another_partition_is_no_repetition(site, gate):
    """With the same visitor, frame and words: a copy of one tenant's page, or of its tables."""
    site("tests.servers.SlowServer")
    acme, bolt = MarkedChat("acme"), MarkedChat("bolt")
    await acme.ask("threads.list")
    first = await acme.begin_saying("hi")
    bolt.cookies = dict(acme.cookies)
    second = await bolt.begin_saying("hi")
    assert first.run_id != second.run_id
    gate.set()
    await first.rest()
    await second.rest()


@pytest.mark.django_db(transaction=True)
async def test_server_is_made_for_each_partition(site):
    site(f"{__name__}.server_of_mark")
    texts = [(await MarkedChat(name).say("hi")).text() for name in ("acme", "bolt", "acme")]
    assert texts == ["made for acme", "made for bolt", "made for acme"]


class MadeServer(DjangoChatKitServer):
    made_for = ""

    async def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
        yield self.text_event(f"made for {self.made_for}")


def server_of_mark() -> MadeServer:
    server = MadeServer()
    server.made_for = mark()
    return server


# Loud


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("function", [failing, wrong, unfrozen, locked])
async def test_request_whose_context_cannot_be_had_is_refused(site, function, caplog):
    site("tests.servers.EchoServer", function)
    chat = MarkedChat("acme")
    answer = await chat.say("hi")
    listed = await chat.ask("threads.list")
    assert answer.events() == [{"type": "error", "code": "stream.error", "allow_retry": True}]
    assert (listed.status, listed.json()) == (500, {"message": "Something went wrong. Please try again."})
    assert len(caplog.records) >= 2
    with using(Marked("any")):
        assert await db.run(Thread.objects.count) == 0


def test_context_that_cannot_be_compared_is_refused(site):
    site(function=unfrozen)
    with pytest.raises(TypeError, match="unhashable"):
        database_context.of(RequestFactory().get("/"))


@pytest.mark.django_db(transaction=True)
async def test_connection_whose_context_cannot_be_left_is_closed(settings):
    settings.CHATKIT = {"DB_WORKERS": 1}
    used = []

    def look() -> None:
        Thread.objects.count()
        used.append(connection.connection)

    with using(Trap()), pytest.raises(PermissionError, match="no way out"):
        await db.run(look)
    assert await db.run(lambda: connection.connection) is None
    assert used != [None]


async def test_error_that_a_context_swallows_is_raised():
    def fail() -> None:
        raise ValueError("no")

    with using(Hush()), pytest.raises(ValueError, match="no"):
        await db.run(fail)


def test_joined_contexts_are_entered_in_turn_and_left_in_reverse():
    outer, inner = Marked("outer"), Marked("inner")
    joined = Joined.of([outer, inner])
    with joined.enter():
        assert mark() == "inner"
    assert (mark(), joined.partition) == ("", "outer\ninner")
    assert Joined.of([outer]) is outer
