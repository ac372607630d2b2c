"""The end of a server in the middle of an answer: real servers, and what they are told."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from chatkit_app import db
from chatkit_app.http.sse import EventStreamResponse
from chatkit_app.models import Run, ThreadItem
from chatkit_app.process import shutdown
from chatkit_app.runs.frames import Frames
from chatkit_app.runs.registry import live_runs
from tests.attack.served import DJANGOS, EXIT_CODES, OURS, Served
from tests.chat import Chat
from tests.chat import eventually as eventually_async
from tests.runs.test_processes import Browser, Process, stored_text, words

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]
INTERRUPTED = "The answer was interrupted. Please try again."


@pytest.fixture
def browser() -> Iterator[Browser]:
    browser = Browser()
    yield browser
    browser.close()


@pytest.mark.parametrize(
    ("server", "application"),
    [
        ("uvicorn", DJANGOS),
        ("daphne", DJANGOS),
        ("hypercorn", DJANGOS),
        ("gunicorn", OURS),
        ("granian", OURS),
        ("runserver", DJANGOS),
        ("runserver with reloader", DJANGOS),
    ],
    ids=lambda name: name.split(".")[-1],
)
def test_server_ends_with_its_answers_saved_and_their_readers_told(server, application, browser):
    # Nothing but the end saves anything.
    served = Served(server, application, CHECKPOINT_INTERVAL=60)
    try:
        served.wait()
        answer = browser.say(served, "5000").until('"5 "')
        served.terminate()
        events = answer.rest().events()
        assert served.ended() == EXIT_CODES.get(server, 0), served.output()
    finally:
        served.kill()
    assert events[-1] == {"type": "error", "code": "custom", "message": INTERRUPTED, "allow_retry": True}
    assert words(5000).startswith(answer.text())
    assert stored_text(events[0]["thread"]["id"]) == answer.text() == answer.deltas()
    assert Run.objects.get().status == "lost"


def test_server_ends_while_it_follows_the_answer_of_another_one(browser):
    writing, served = Process(CHECKPOINT_INTERVAL=0.2), Served("uvicorn", is_forked=True)
    try:
        answer = browser.say(writing, "5000").until('"5 "')
        served.wait()
        followed = browser.ask(served, "GET", f"/chatkit/runs/{answer.run_id}/events").until("5 ")
        served.terminate()
        assert followed.rest().events()[-1]["message"] == INTERRUPTED
        assert served.ended() == -signal.SIGTERM
        assert Run.objects.get().status == "running"
    finally:
        writing.kill()
        served.kill()


# --- In the process itself -----------------------------------------------------------------------------------------


@pytest.fixture
async def going_down(use: Any) -> AsyncIterator[None]:
    use("EchoServer")
    await shutdown.interrupt_all()
    yield
    shutdown._loops.clear()


async def test_message_that_comes_too_late_is_for_another_process(going_down):
    refused = await Chat().say("hi")
    assert (refused.status, refused.headers["content-type"]) == (503, "application/json")
    assert await db.run(ThreadItem.objects.count) == 0
    assert await db.run(Run.objects.count) == 0


async def test_message_in_a_thread_that_comes_too_late_is_not_taken_for_repeated(use):
    use("EchoServer")
    chat = Chat()
    thread_id = (await chat.say("first")).thread_id
    await shutdown.interrupt_all()
    refused = await chat.say("second", thread_id)
    assert refused.status == 503
    shutdown._loops.clear()
    again = await chat.say("second", thread_id)
    assert again.text() == "echo: second"


async def test_list_is_given_until_the_end(going_down):
    assert (await Chat().ask("threads.list", limit=20)).status == 200


async def test_process_that_did_not_end_after_all_answers_again(going_down, monkeypatch):
    monkeypatch.setattr(shutdown, "FALSE_ALARM_AFTER", 0.0)
    assert (await Chat().say("hi")).text() == "echo: hi"


async def test_answer_that_does_not_let_itself_be_cancelled_holds_nobody_up(use, gate, monkeypatch):
    use("StubbornServer")
    monkeypatch.setattr("chatkit_app.runs.live.LAST_STOP_TIMEOUT", 0.05)
    answer = await Chat().begin_saying("hi")
    await answer.until("well")
    run = live_runs.get(answer.run_id)
    await shutdown.interrupt_all()
    assert run.done
    assert (await answer.rest()).events()[-1]["message"] == INTERRUPTED


async def test_reader_who_does_not_read_holds_the_end_up_for_a_moment_only(use, monkeypatch):
    use("EchoServer")
    monkeypatch.setattr(shutdown, "SHUTDOWN_TIMEOUT", 0.05)
    response = EventStreamResponse(Frames(b"data: 1\n\n", done=True), keep_alive=60)
    aiter(response)
    await shutdown.interrupt_all()
    assert not response.closed


@pytest.fixture
def handlers() -> Iterator[list[int]]:
    """SIGTERM as a server has it: what it is given."""
    given: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda signum, frame: given.append(signum))
    yield given
    signal.signal(signal.SIGTERM, before)


async def test_server_hears_of_the_signal_when_the_answers_are_saved(use, gate, handlers):
    use("SlowServer")
    answer = await Chat().begin_saying("hi")
    await answer.until('"delta":"one "')
    os.kill(os.getpid(), signal.SIGTERM)
    assert handlers == []
    assert (await answer.rest()).error()["message"] == INTERRUPTED
    await eventually_async(lambda: handlers == [signal.SIGTERM])
    assert (await db.run(Run.objects.get)).status == "lost"


async def test_second_signal_is_passed_on_at_once(use, gate, handlers):
    use("SlowServer")
    answer = await Chat().begin_saying("hi")
    await answer.until('"delta":"one "')
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGTERM)
    assert handlers == [signal.SIGTERM]
    await answer.rest()
    await eventually_async(lambda: handlers == [signal.SIGTERM] * 2)


async def test_signal_that_is_ignored_stays_ignored(use):
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        use("EchoServer")
        await Chat().say("hi")
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_loop_in_another_thread_leaves_the_handlers_alone(use, handlers):
    before = signal.getsignal(signal.SIGTERM)
    use("EchoServer")
    thread = threading.Thread(target=lambda: asyncio.run(Chat().say("hi")))
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is before
