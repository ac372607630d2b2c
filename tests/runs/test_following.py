"""An answer as the process that makes it sends it to a reader in another one. Here both are this process."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from chatkit_app import db
from chatkit_app.context import RequestContext
from chatkit_app.http.sse import EventStream
from chatkit_app.live import groups, layer
from chatkit_app.live.bells import bells
from chatkit_app.live.hub import get_hub
from chatkit_app.models import Run
from chatkit_app.runs import following, relay, stored
from chatkit_app.runs.doorbell import Doorbell
from chatkit_app.runs.live import LiveRun
from chatkit_app.runs.opening import RunRequest, begin_run
from chatkit_app.runs.stored import StoredRun
from chatkit_app.testing import decode_events
from tests.chat import PATIENCE, encode, eventually, message
from tests.servers import SlowServer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def shared(monkeypatch: pytest.MonkeyPatch, use: Any) -> None:
    """A layer that other processes seem to hear, and databases that are hardly ever looked into."""
    use("SlowServer", CHECKPOINT_INTERVAL=300)
    bells.forget()
    monkeypatch.setattr(layer, "state", layer.LayerState())
    monkeypatch.setattr(layer, "is_local", lambda found: False)
    monkeypatch.setattr(stored, "POLL_INTERVAL", 0.01)


@pytest.fixture
async def run(gate: asyncio.Event) -> LiveRun:
    """An answer that has said "one "."""
    server = SlowServer()
    request = server.parse(encode("threads.create", input=message("hi")))
    context = RequestContext(visitor_id="visitor")
    live = await begin_run(RunRequest(server=server, request=request, context=context))
    await eventually(lambda: b"one " in b"".join(live.frames))
    return live


def followers_of(run: LiveRun) -> list[relay.Follower]:
    """Those whom this process sends the answer."""
    members = get_hub()._members.get(groups.ANSWERS, ())
    doorbells: Any = [member for member in members if isinstance(member, Doorbell)]
    return [follower for bell in doorbells for follower in bell._relay._followers.values()]


async def row_of(run: LiveRun) -> Run:
    return await db.run(Run.objects.select_related("thread").get, public_id=run.public_id)


async def test_reader_is_sent_what_there_is_and_what_comes(run: LiveRun, gate: asyncio.Event) -> None:
    async with aclosing(following.hear(run.public_id)) as pieces:
        async with asyncio.timeout(PATIENCE):
            heard = await anext(pieces)
            gate.set()
            async for piece in pieces:
                heard += piece
    assert heard == b"".join(run.frames)
    assert run.done


async def test_reader_follows_instead_of_looking_into_the_database(run: LiveRun, gate: asyncio.Event) -> None:
    reader = StoredRun(await row_of(run))
    await eventually(lambda: b"one " in b"".join(reader.frames))
    gate.set()
    await eventually(lambda: reader.done)
    assert b"".join(reader.frames) == b"".join(run.frames)


async def test_reader_who_has_missed_something_goes_on_with_what_is_stored(
    run: LiveRun, gate: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = StoredRun(await row_of(run))
    await eventually(lambda: b"one " in b"".join(reader.frames))
    # A batch that was never delivered.
    (follower,) = followers_of(run)
    follower.position += 1
    gate.set()
    await eventually(lambda: reader.done)
    events = decode_events(b"".join(reader.frames))
    done = [event["item"]["type"] for event in events if event["type"] == "thread.item.done"]
    assert done == ["user_message", "assistant_message"]
    assert events[-1]["item"]["content"][0]["text"] == "one two"


async def test_reader_whom_nobody_answers_looks_into_the_database(
    run: LiveRun, gate: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "SILENCE", 0.05)
    monkeypatch.setattr(relay.Relay, "follow", lambda *args, **kwargs: None)
    reader = StoredRun(await row_of(run))
    gate.set()
    await eventually(lambda: reader.done)
    events = decode_events(b"".join(reader.frames))
    assert events[-1]["item"]["content"][0]["text"] == "one two"


async def test_silence_of_the_model_is_none_of_the_process(
    run: LiveRun, gate: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "SIGN_OF_LIFE", 0.0)
    reader = StoredRun(await row_of(run))
    await eventually(lambda: b"one " in b"".join(reader.frames))
    (follower,) = followers_of(run)
    sent_at = follower.sent_at
    await eventually(lambda: follower.sent_at > sent_at + 3 * relay.INTERVAL)
    assert not reader._task.done()
    gate.set()
    await eventually(lambda: reader.done)
    assert b"".join(reader.frames) == b"".join(run.frames)


async def test_reader_who_goes_is_sent_nothing_more(run: LiveRun) -> None:
    stream = EventStream(StoredRun(await row_of(run)), keep_alive=60)
    await anext(stream)
    assert len(followers_of(run)) == 1
    await stream.aclose()
    await eventually(lambda: followers_of(run) == [])


async def test_reader_who_has_gone_without_a_word_is_forgotten(run: LiveRun) -> None:
    reader = StoredRun(await row_of(run))
    await eventually(lambda: followers_of(run))
    (follower,) = followers_of(run)
    follower.asked_at -= relay.FORGOTTEN_AFTER + 1
    await eventually(lambda: followers_of(run) == [])
    reader._task.cancel()


async def test_answer_of_which_something_was_redacted_is_sent_to_nobody(run: LiveRun) -> None:
    run.withdrawn = True
    sender = relay.Relay()
    sender.follow("reader", run_id=run.public_id, channel="specific.x!y")
    assert sender._followers == {}


async def test_answer_that_this_process_does_not_make_is_left_to_others(run: LiveRun) -> None:
    sender = relay.Relay()
    sender.follow("reader", run_id="run_of_another", channel="specific.x!y")
    assert sender._followers == {}


async def test_large_answer_is_sent_in_several_batches(
    run: LiveRun, gate: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "MAX_BYTES", 10)
    gate.set()
    await run.finished()
    follower = relay.Follower(run=run, channel="specific.x!y", asked_at=0.0)
    batches = []
    while not batches or not batches[-1]["is_last"]:
        batches.append(follower.take_batch(0.0))
    assert [batch["first"] for batch in batches] == list(range(len(run.frames)))
    assert "".join(batch["text"] for batch in batches).encode() == b"".join(run.frames)


async def test_answer_is_not_waited_for_where_processes_do_not_hear_one_another(
    run: LiveRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layer, "is_local", lambda found: True)
    with pytest.raises(following.NotHeard):
        await anext(following.hear(run.public_id))
