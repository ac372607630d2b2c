"""The answer of a run that this process does not make (any more), read from the database."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone, translation

from chatkit_app import db
from chatkit_app.context import RequestContext
from chatkit_app.http.sse import EventStream
from chatkit_app.models import Run, Thread, ThreadItem
from chatkit_app.runs import stored as replay
from chatkit_app.runs.opening import RunRequest, begin_run
from chatkit_app.runs.stored import StoredRun
from chatkit_app.server import DjangoChatKitServer
from chatkit_app.testing import decode_events
from tests.chat import PATIENCE, encode, message, rows_become
from tests.servers import EchoServer, FurnitureServer, RaisingServer

pytestmark = pytest.mark.django_db(transaction=True)

INTERRUPTED = {
    "type": "error",
    "code": "custom",
    "message": "The answer was interrupted. Please try again.",
    "allow_retry": True,
}


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "POLL_INTERVAL", 0.01)


async def make_run(server: DjangoChatKitServer, operation: str = "threads.create", **params: Any) -> Run:
    """A run that has ended, as another process would have left it."""
    if operation == "threads.create":
        params = {"input": message("hi")}
    request = server.parse(encode(operation, **params))
    live = await begin_run(
        RunRequest(server=server, request=request, context=RequestContext(visitor_id="visitor"))
    )
    await live.finished()
    return await db.run(Run.objects.select_related("thread").get, public_id=live.public_id)


async def change(run: Run, **columns: Any) -> None:
    await db.run(lambda: Run.objects.filter(pk=run.pk).update(**columns))


async def read(stored: StoredRun) -> list[dict[str, Any]]:
    stream = EventStream(stored, keep_alive=60)
    async with asyncio.timeout(PATIENCE):
        body = b"".join([chunk async for chunk in stream])
    await stream.aclose()
    return decode_events(body)


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


async def test_new_thread_and_its_items_are_replayed():
    run = await make_run(EchoServer())
    events = await read(StoredRun(run))
    assert kinds(events) == ["thread.created", "thread.item.done", "thread.item.done"]
    assert events[2]["item"]["content"][0]["text"] == "echo: hi"


async def test_metadata_of_a_thread_stays_here():
    run = await make_run(EchoServer())
    await db.run(lambda: Thread.objects.update(metadata={"secret": "of the site"}))
    assert "of the site" not in str(await read(StoredRun(run)))


async def test_lock_is_replayed_behind_the_answer():
    run = await make_run(EchoServer())
    await db.run(lambda: Thread.objects.update(status="locked", status_reason="Be kind."))
    events = await read(StoredRun(run))
    assert kinds(events)[-2:] == ["thread.item.done", "thread.updated"]
    assert events[-1]["thread"]["status"] == {"type": "locked", "reason": "Be kind."}


async def test_later_answer_is_replayed_without_earlier_ones():
    server = EchoServer()
    first = await make_run(server)
    run = await make_run(
        server,
        "threads.add_user_message",
        thread_id=first.thread.public_id,
        input=message("more"),
    )
    events = await read(StoredRun(run))
    assert kinds(events) == ["thread.item.done", "thread.item.done"]
    assert events[1]["item"]["content"][0]["text"] == "echo: more"


async def test_hidden_items_are_not_replayed():
    run = await make_run(FurnitureServer())
    events = await read(StoredRun(run))
    assert "hidden_context_item" not in [event["item"]["type"] for event in events[1:]]
    assert "a secret of the model" not in str(events)


async def test_times_that_leave_have_an_offset():
    run = await make_run(EchoServer())
    events = await read(StoredRun(run))
    assert [event["item"]["created_at"][-1] for event in events[1:]] == ["Z", "Z"]


async def test_failed_run_ends_in_an_error():
    run = await make_run(RaisingServer())
    assert (await read(StoredRun(run)))[-1] == INTERRUPTED


async def test_failed_run_without_a_thread_ends_in_an_error():
    run = await make_run(EchoServer())
    await change(run, status="failed", thread=None)
    assert await read(StoredRun(run)) == [INTERRUPTED]


async def test_stopped_run_ends_without_an_error():
    run = await make_run(EchoServer())
    await change(run, status="stopped")
    assert "error" not in kinds(await read(StoredRun(run)))


async def test_run_of_a_dead_process_ends_in_an_error():
    run = await make_run(EchoServer())
    await change(run, status="running", heartbeat_at=timezone.now() - timedelta(minutes=1))
    assert (await read(StoredRun(run)))[-1] == INTERRUPTED
    assert (await db.run(Run.objects.get, pk=run.pk)).status == "lost"


async def test_error_is_in_the_language_of_the_reader():
    run = await make_run(RaisingServer())
    with translation.override("de"):
        stored = StoredRun(run)
    assert stored._locale == "de"
    await read(stored)


async def test_deleted_run_ends():
    run = await make_run(EchoServer())
    await db.run(Thread.objects.all().delete)
    assert await read(StoredRun(run)) == []


async def test_running_answer_is_followed_to_its_end():
    run = await make_run(EchoServer())
    await change(run, status="running", heartbeat_at=timezone.now() + timedelta(minutes=1))
    item = await db.run(ThreadItem.objects.get, type="assistant_message")

    async def say(text: str) -> None:
        payload = item.payload | {"content": [{"type": "output_text", "text": text, "annotations": []}]}
        await db.run(lambda: ThreadItem.objects.filter(pk=item.pk).update(payload=payload))

    await say("one ")
    stored = StoredRun(run)
    reading = asyncio.create_task(read(stored))
    await rows_become(lambda: any(b'"one "' in frame for frame in stored.frames))
    await say("one two ")
    await rows_become(lambda: any(b'"two "' in frame for frame in stored.frames))
    await say("one two three")
    await change(run, status="completed")
    *beginning, end = await reading
    updates = beginning[3:]
    assert kinds(beginning[:3]) == ["thread.created", "thread.item.done", "thread.item.added"]
    # The last words come with the end, unless the reader looked just before it.
    assert [event["update"]["delta"] for event in updates] in (["two "], ["two ", "three"])
    assert end["type"] == "thread.item.done"
    assert end["item"]["content"][0]["text"] == "one two three"


async def test_reader_who_goes_ends_the_following():
    run = await make_run(EchoServer())
    await change(run, status="running", heartbeat_at=timezone.now() + timedelta(minutes=1))
    stored = StoredRun(run)
    stream = EventStream(stored, keep_alive=60)
    await anext(stream)
    await stream.aclose()
    with pytest.raises(asyncio.CancelledError):
        await stored._task
    assert stored.done


async def test_reading_to_the_end_is_recorded():
    run = await make_run(EchoServer())
    assert run.delivered is False
    await read(StoredRun(run))
    await rows_become(lambda: Run.objects.get(pk=run.pk).delivered)


async def test_database_that_stays_away_is_told_to_the_reader(settings, monkeypatch):
    run = await make_run(EchoServer())
    settings.CHATKIT = {"DB_PATIENCE": 0.01}

    def away(*args: Any) -> None:
        raise OperationalError("a secret of the database")

    monkeypatch.setattr(db, "_work", away)
    events = await read(StoredRun(run))
    monkeypatch.undo()
    assert events == [
        {
            "type": "error",
            "code": "custom",
            "message": "The conversation could not be saved just now. Please try again in a moment.",
            "allow_retry": True,
        }
    ]


async def test_error_of_our_own_is_told_without_its_text(monkeypatch):
    run = await make_run(EchoServer())

    def fail(self: StoredRun) -> bool:
        raise ValueError("a secret of the code")

    monkeypatch.setattr(StoredRun, "_look", fail)
    assert await read(StoredRun(run)) == [INTERRUPTED]
