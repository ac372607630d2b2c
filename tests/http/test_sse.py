"""A stream that waits: comments, joined frames, readers who go, and nothing held meanwhile."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.db import connections

from chatkit_app import db
from chatkit_app.asgi import GroupingASGIHandler, share_threads
from chatkit_app.http.sse import KEEP_ALIVE_COMMENT, EventStream, EventStreamResponse
from chatkit_app.runs.frames import Frames
from tests.chat import Chat, eventually
from tests.servers import SlowServer


class Source:
    """Frames that a test adds."""

    def __init__(self, *frames: bytes) -> None:
        self.frames = list(frames)
        self.done = False
        self.delivered = False
        self.readers = 0
        self.detached = 0
        self.waiting: list[asyncio.Future[None]] = []

    def wait(self) -> asyncio.Future[None]:
        self.waiting.append(asyncio.get_running_loop().create_future())
        return self.waiting[-1]

    def detach(self) -> None:
        self.readers -= 1
        self.detached += 1

    def add(self, frame: bytes) -> None:
        self.frames.append(frame)
        self.wake()

    def end(self) -> None:
        self.done = True
        self.wake()

    def wake(self) -> None:
        for future in self.waiting:
            if not future.done():
                future.set_result(None)


async def rest(stream: EventStream) -> list[bytes]:
    return [chunk async for chunk in stream]


async def test_frames_that_are_there_go_out_together():
    source = Source(b"one", b"two")
    stream = EventStream(source, keep_alive=60)
    assert await anext(stream) == b"onetwo"
    await stream.aclose()


async def test_much_goes_out_in_pieces_of_whole_frames():
    source = Source(b"a" * 40_000, b"b" * 25_536, b"c", b"d" * 70_000, b"e")
    source.done = True
    pieces = await rest(EventStream(source, keep_alive=60))
    assert pieces == [b"a" * 40_000 + b"b" * 25_536, b"c", b"d" * 70_000, b"e"]


async def test_frames_that_come_later_go_out_as_they_come():
    source = Source()
    stream = EventStream(source, keep_alive=60)
    reading = asyncio.create_task(rest(stream))
    for frame in (b"one", b"two"):
        await eventually(lambda: any(not future.done() for future in source.waiting))
        source.add(frame)
    await eventually(lambda: any(not future.done() for future in source.waiting))
    source.end()
    assert await reading == [b"one", b"two"]
    await stream.aclose()


async def test_source_that_has_ended_is_read_to_its_end():
    source = Source(b"one")
    source.done = True
    assert await rest(EventStream(source, keep_alive=60)) == [b"one"]


async def test_silence_is_filled_with_comments():
    source = Source()
    stream = EventStream(source, keep_alive=0.01)
    assert [await anext(stream) for _ in range(3)] == [
        KEEP_ALIVE_COMMENT,
        KEEP_ALIVE_COMMENT,
        KEEP_ALIVE_COMMENT,
    ]
    assert KEEP_ALIVE_COMMENT == b": ping\n\n"
    source.add(b"one")
    assert await anext(stream) == b"one"
    await stream.aclose()


async def test_comments_end_with_the_stream():
    source = Source()
    stream = EventStream(source, keep_alive=0.01)
    assert await anext(stream) == KEEP_ALIVE_COMMENT
    source.end()
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    await stream.aclose()


async def test_reader_is_counted_until_it_goes():
    source = Source(b"one")
    stream = EventStream(source, keep_alive=60)
    assert source.readers == 1
    await anext(stream)
    await stream.aclose()
    await stream.aclose()
    assert (source.readers, source.detached) == (0, 1)


async def test_reader_who_goes_early_was_not_delivered_to():
    source = Source(b"one")
    stream = EventStream(source, keep_alive=60)
    await anext(stream)
    await stream.aclose()
    assert source.delivered is False


async def test_reader_who_stays_was_delivered_to():
    source = Source(b"one")
    source.done = True
    stream = EventStream(source, keep_alive=60)
    await rest(stream)
    await stream.aclose()
    assert source.delivered is True


async def test_finished_frames_are_a_whole_stream():
    response = EventStreamResponse(Frames(b"one", b"two", done=True), keep_alive=60)
    assert [chunk async for chunk in response] == [b"onetwo"]


async def test_stream_wrapped_by_a_middleware_is_still_detached():
    source = Source(b"one")
    response = EventStreamResponse(source, keep_alive=60)
    inner = response.streaming_content

    async def shout() -> Any:
        async for chunk in inner:
            yield chunk.upper()

    response.streaming_content = shout()
    chunks = aiter(response)
    assert await anext(chunks) == b"ONE"
    response.close()
    await eventually(lambda: source.detached == 1)


# --- What a waiting stream holds ----------------------------------------------------------------------------


def request_threads() -> list[str]:
    """The threads that work for requests; neither those of the database nor the main one."""
    return [
        thread.name
        for thread in threading.enumerate()
        if thread is not threading.main_thread() and not thread.name.startswith("chatkit-db")
    ]


@pytest.fixture
def slow(settings: Any) -> None:
    settings.CHATKIT = {"SERVER": "tests.servers.SlowServer", "DB_WORKERS": 2, "REQUEST_THREADS": 2}


@pytest.mark.django_db(transaction=True)
async def test_waiting_streams_hold_no_thread_under_djangos_own_handler(slow):
    SlowServer.gate = asyncio.Event()
    before = len(request_threads())
    application = ASGIHandler()
    answers = [await Chat(application).begin_saying("hi") for _ in range(8)]
    for answer in answers:
        await answer.until('"one "')
    await eventually(lambda: len(request_threads()) <= before)
    SlowServer.gate.set()
    assert [(await answer.rest()).text() for answer in answers] == ["one two"] * 8


@pytest.mark.django_db(transaction=True)
async def test_waiting_streams_hold_no_thread_under_our_handler(slow):
    SlowServer.gate = asyncio.Event()
    application = share_threads(GroupingASGIHandler())
    answers = [await Chat(application).begin_saying("hi") for _ in range(8)]
    for answer in answers:
        await answer.until('"one "')
    lanes = [name for name in request_threads() if name.startswith("chatkit-request")]
    assert len(lanes) <= max(2, len(db._lanes))
    SlowServer.gate.set()
    assert [(await answer.rest()).text() for answer in answers] == ["one two"] * 8


@pytest.mark.django_db(transaction=True)
async def test_connection_of_a_request_is_closed_when_its_stream_begins(slow, monkeypatch):
    from django.db.backends.base.base import BaseDatabaseWrapper

    SlowServer.gate = asyncio.Event()
    open_connections: dict[int, str] = {}
    connect, close = BaseDatabaseWrapper.connect, BaseDatabaseWrapper.close

    def noted_connect(self: Any) -> None:
        connect(self)
        open_connections[id(self)] = threading.current_thread().name

    def noted_close(self: Any) -> Any:
        open_connections.pop(id(self), None)
        return close(self)

    monkeypatch.setattr(BaseDatabaseWrapper, "connect", noted_connect)
    monkeypatch.setattr(BaseDatabaseWrapper, "close", noted_close)
    application = ASGIHandler()
    answers = [await Chat(application).begin_saying("hi") for _ in range(4)]
    for answer in answers:
        await answer.until('"one "')

    def elsewhere() -> list[str]:
        return [name for name in open_connections.values() if not name.startswith("chatkit-db")]

    await eventually(lambda: not elsewhere())
    assert len(open_connections) <= 2
    SlowServer.gate.set()
    for answer in answers:
        await answer.rest()
    connections.close_all()
