"""An answer belongs to the server process, not to the request that asked for it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterable
from contextlib import aclosing
from datetime import timedelta
from typing import Any, ClassVar, Literal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chatkit_app import db
from chatkit_app.context import RequestContext
from chatkit_app.errors import ThreadBusy
from chatkit_app.models import Run, Thread, ThreadItem
from chatkit_app.moderation.erasure import delete_threads
from chatkit_app.process import identity as process
from chatkit_app.process import shutdown
from chatkit_app.process.identity import current_process
from chatkit_app.runs import heartbeats, keeper, live, opening, stopping
from chatkit_app.runs.live import LiveRun
from chatkit_app.runs.opening import RunRequest, begin_run
from chatkit_app.runs.registry import live_runs
from chatkit_app.signals import run_finished
from chatkit_app.store import item_store
from tests.chat import Chat, Exchange, encode, eventually, message, rows_become
from tests.servers import (
    EchoServer,
    EndlessServer,
    ExitingServer,
    HangingServer,
    LocaleServer,
    PacedServer,
    SlowServer,
)

pytestmark = pytest.mark.django_db(transaction=True)

BUSY = "An answer is still being written in this conversation. Wait for it or stop it, then try again."
TOO_LONG = "The answer became too long and was ended here."


def texts(thread_id: str) -> list[str]:
    items = ThreadItem.objects.filter(thread__public_id=thread_id, type="assistant_message").order_by("pk")
    return [item.text for item in items]


def status_of(run_id: str) -> str:
    return Run.objects.get(public_id=run_id).status


async def stored(thread_id: str) -> list[str]:
    return await db.run(texts, thread_id)


async def ended(run_id: str) -> str:
    """The status of the run when it no longer runs."""

    def look() -> str | None:
        status = status_of(run_id)
        return status if status != "running" else None

    return str(await rows_become(look))


async def begin(server: Any, request: Any, context: RequestContext, **options: str) -> LiveRun:
    """A run as a view begins it."""
    return await begin_run(RunRequest(server=server, request=request, context=context, **options))


async def begin_slowly(chat: Chat, text: str = "hi", thread_id: str | None = None) -> Exchange:
    """An answer of the slow server that has said "one "."""
    answer = await chat.begin_saying(text, thread_id)
    await answer.until('"delta":"one "')
    return answer


# --- What a server sees ---------------------------------------------------------------------------------------


class WatchingServer(PacedServer):
    """Overrides ``stream()``, as one does who moderates or logs what is said."""

    seen: ClassVar[list[str]] = []

    async def stream(self, request, context):
        async with aclosing(super().stream(request, context)) as events:
            async for event in events:
                self.seen.append(event.type)
                yield event


async def test_overridden_stream_sees_every_event_that_the_user_gets(settings):
    settings.CHATKIT = {"SERVER": f"{__name__}.WatchingServer"}
    WatchingServer.seen.clear()
    answer = await Chat().say("5")
    assert answer.types().count("thread.item.updated") == 5
    assert WatchingServer.seen == answer.types()


# --- Readers ------------------------------------------------------------------------------------------------


async def test_disconnect_leaves_the_answer_running(use, gate):
    use("SlowServer")
    chat = Chat()
    answer = await begin_slowly(chat)
    await answer.disconnect()
    gate.set()
    assert await ended(answer.run_id) == "completed"
    assert await stored(answer.thread_id) == ["one two"]


async def test_disconnect_cancels_when_configured(use, gate):
    use("SlowServer", ON_DISCONNECT="cancel")
    chat = Chat()
    answer = await begin_slowly(chat)
    await answer.disconnect()
    assert await ended(answer.run_id) == "stopped"
    assert await stored(answer.thread_id) == ["one "]


async def test_disconnect_of_one_of_two_readers_cancels_nothing(use, gate):
    use("SlowServer", ON_DISCONNECT="cancel")
    chat = Chat()
    first = await begin_slowly(chat)
    second = await chat.follow(first.run_id)
    await first.disconnect()
    gate.set()
    assert (await second.rest()).text() == "one two"
    assert await ended(first.run_id) == "completed"


def hold_recording(
    monkeypatch: pytest.MonkeyPatch, *, when: Literal["asked", "written"] = "asked"
) -> tuple[threading.Event, threading.Event]:
    """Hold up the writing of a run's row. Returns what is set when it has come there, and what lets it go on."""
    reached, go_on = threading.Event(), threading.Event()
    record_start = LiveRun.record_start

    def slow_start(run: LiveRun) -> None:
        if when == "written":
            record_start(run)
        reached.set()
        go_on.wait(20)
        if when == "asked":
            record_start(run)

    monkeypatch.setattr(LiveRun, "record_start", slow_start)
    return reached, go_on


async def test_disconnect_before_the_answer_began_leaves_it_running(use, gate, monkeypatch):
    use("SlowServer")
    gate.set()
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    reached, go_on = hold_recording(monkeypatch, when="written")
    more = encode("threads.add_user_message", thread_id=thread_id, input=message("more"))
    answer = chat.start("POST", "/chatkit", more)
    assert answer._communicator.future is not None
    await eventually(reached.is_set)
    await answer.disconnect()
    go_on.set()
    await rows_become(lambda: not Run.objects.running().exists())
    assert await stored(thread_id) == ["one two", "one two"]


async def test_two_readers_get_the_same_frames(use, gate):
    use("SlowServer")
    chat = Chat()
    first = await begin_slowly(chat)
    second = await chat.follow(first.run_id)
    await second.until('"delta":"one "')
    gate.set()
    assert (await first.rest()).body == (await second.rest()).body


async def test_events_of_a_finished_run_are_replayed_from_the_start(use):
    use("EchoServer")
    chat = Chat()
    answer = await chat.say("hi")
    replay = await (await chat.follow(answer.run_id)).rest()
    assert replay.body == answer.body


async def test_run_of_another_process_reports_the_stored_answer(use):
    use("EchoServer")
    chat = Chat()
    answer = await chat.say("hi")
    live_runs.clear()
    replay = await (await chat.follow(answer.run_id)).rest()
    assert replay.text() == "echo: hi"


async def test_finished_runs_are_forgotten_after_their_retention(use):
    use("EchoServer", RUN_RETENTION=0.01)
    answer = await Chat().say("hi")
    run = live_runs.get(answer.run_id)
    await eventually(lambda: live_runs.get(answer.run_id) is None)
    assert run not in [*live_runs, *live_runs._by_thread.values(), *live_runs._by_request.values()]


async def test_run_keeps_what_staff_may_know_of_who_asked(use):
    use("EchoServer")
    server = EchoServer()
    context = RequestContext(
        visitor_id="visitor", locale="de", session={"plan": "gold\x00", "rate": float("nan")}
    )
    run = await begin(server, server.parse(encode("threads.create", input=message("hi"))), context)
    await run.finished()
    row = await db.run(Run.objects.get)
    assert row.context == {"locale": "de", "session": {"plan": "gold\uf8ff0000", "rate": None}}


# --- Stopping -----------------------------------------------------------------------------------------------


async def test_stop_keeps_the_partial_text_and_tells_the_model(use, gate):
    use("SlowServer")
    chat = Chat()
    answer = await begin_slowly(chat)
    assert (await chat.stop(answer.run_id)).json() == {"stopped": True}
    assert await ended(answer.run_id) == "stopped"

    def rows() -> list[tuple[str, str]]:
        items = ThreadItem.objects.filter(thread__public_id=answer.thread_id).order_by("pk")
        return [(item.type, item.payload["content"]) for item in items][1:]

    (partial_type, partial), (hidden_type, hidden) = await db.run(rows)
    assert (partial_type, partial[0]["text"]) == ("assistant_message", "one ")
    assert hidden_type == "sdk_hidden_context"
    assert hidden == "The user cancelled the stream. Stop responding to the prior request."


async def test_stop_ends_the_stream_of_other_readers_with_the_partial_text(use, gate):
    use("SlowServer")
    chat = Chat()
    answer = await begin_slowly(chat)
    await chat.stop(answer.run_id)
    assert (await answer.rest()).text() == "one "


async def test_stop_leaves_no_empty_message(use, gate):
    use("SilentServer")
    chat = Chat()
    answer = await chat.begin_saying("hi")
    await answer.until("thread.item.added")
    heartbeat = (await db.run(Run.objects.get, public_id=answer.run_id)).heartbeat_at
    await rows_become(lambda: Run.objects.get(public_id=answer.run_id).heartbeat_at > heartbeat)
    await chat.stop(answer.run_id)
    assert await stored(answer.thread_id) == []
    assert (await answer.rest()).types()[-1] == "thread.item.removed"


async def test_stop_works_as_soon_as_the_client_knows_the_run(use, gate, monkeypatch):
    use("SlowServer")
    reached, go_on = hold_recording(monkeypatch)
    chat = Chat()
    answer = await chat.begin_saying("hi")
    await eventually(reached.is_set)
    stopping = asyncio.create_task(chat.stop(answer.run_id))
    await asyncio.sleep(0.05)
    go_on.set()
    assert (await stopping).json() == {"stopped": True}
    assert await db.run(status_of, answer.run_id) == "stopped"


async def test_stop_of_a_finished_run_says_so(use):
    use("EchoServer")
    chat = Chat()
    answer = await chat.say("hi")
    assert (await chat.stop(answer.run_id)).json() == {"stopped": False}
    assert await db.run(status_of, answer.run_id) == "completed"


async def test_stop_before_the_first_step_of_a_new_thread_leaves_no_running_row(use, gate):
    use("SlowServer")
    server = SlowServer()
    request = server.parse(encode("threads.create", input=message("hi")))
    run = await begin(server, request, RequestContext(visitor_id="v"))
    run.stop()
    await run.finished()
    assert run.done
    assert not await db.run(Run.objects.running().exists)


async def test_stop_before_the_first_step_frees_the_thread(use, gate):
    use("SlowServer")
    server = SlowServer()
    gate.set()
    context = RequestContext(visitor_id="v")
    first = await begin(server, server.parse(encode("threads.create", input=message("hi"))), context)
    await first.finished()
    again = encode("threads.add_user_message", thread_id=first.thread_id, input=message("more"))
    run = LiveRun(
        server, server.parse(again), RequestContext(visitor_id="v"), on_thread=live_runs.add_to_thread
    )
    await opening._begin(run)
    run.stop()
    await run.finished()
    assert run.done
    assert await db.run(status_of, run.public_id) == "stopped"


async def test_stop_while_the_run_is_being_recorded_leaves_no_running_row(use, gate, monkeypatch):
    use("SlowServer")
    reached, go_on = hold_recording(monkeypatch)
    server = SlowServer()
    request = server.parse(encode("threads.create", input=message("hi")))
    run = await begin(server, request, RequestContext(visitor_id="v"))
    await eventually(reached.is_set)
    run.stop()
    await asyncio.sleep(0)
    go_on.set()
    await run.finished()
    assert await db.run(status_of, run.public_id) == "stopped"


async def test_stop_from_another_process_takes_effect_at_the_next_checkpoint(use, gate):
    use("SlowServer")
    chat = Chat()
    answer = await begin_slowly(chat)
    await db.run(lambda: Run.objects.filter(public_id=answer.run_id).update(stop_requested=True))
    assert await ended(answer.run_id) == "stopped"
    assert await stored(answer.thread_id) == ["one "]


async def test_stop_of_a_run_of_another_process_leaves_word_for_it(use):
    use("EchoServer")
    chat = Chat()
    answer = await chat.say("hi")
    live_runs.clear()
    await db.run(lambda: Run.objects.filter(public_id=answer.run_id).update(status="running"))
    assert (await chat.stop(answer.run_id)).json() == {"stopped": True}
    assert await db.run(lambda: Run.objects.get(public_id=answer.run_id).stop_requested)


async def test_request_stop_from_a_plain_thread(use, gate):
    use("SlowServer", CHECKPOINT_INTERVAL=1.5)
    chat = Chat()
    answer = await begin_slowly(chat)
    pk = (await db.run(Run.objects.get, public_id=answer.run_id)).pk
    outcome: list[bool] = []

    def stop() -> None:
        from django.db import connections

        outcome.append(stopping.request_stop(run_pk=pk))
        connections.close_all()

    thread = threading.Thread(target=stop)
    thread.start()
    assert await ended(answer.run_id) == "stopped"
    thread.join()
    assert outcome == [True]


async def test_request_stop_of_a_finished_run_does_nothing(use):
    use("EchoServer")
    answer = await Chat().say("hi")
    pk = (await db.run(Run.objects.get, public_id=answer.run_id)).pk
    assert await db.run(lambda: stopping.request_stop(run_pk=pk)) is False


async def test_deleting_the_thread_ends_its_answer(use, gate):
    use("SlowServer")
    chat = Chat()
    answer = await begin_slowly(chat)
    assert (await chat.ask("threads.delete", thread_id=answer.thread_id)).json() == {}
    await answer.rest()
    assert answer.types()[-1] in {"error", "thread.item.done"}
    assert await db.run(Thread.objects.count) == 0
    assert await db.run(ThreadItem.objects.count) == 0


async def test_deleting_the_thread_elsewhere_ends_its_answer_at_the_next_checkpoint(use, gate):
    use("SlowServer")
    answer = await begin_slowly(Chat())
    await db.run(delete_threads, Thread.objects.all())
    await answer.rest()
    assert live_runs.of_thread(answer.thread_id) is None


async def test_deleting_the_thread_leaves_other_answers_their_checkpoints(use):
    use("PacedServer")
    chat = Chat()
    doomed = await chat.begin_saying("100")
    other = await chat.begin_saying("101")
    await doomed.until("thread.item.updated")
    await other.until("thread.item.updated")
    await rows_become(lambda: texts(other.thread_id) != [])
    await db.run(lambda: Thread.objects.filter(public_id=doomed.thread_id).delete())
    [saved] = await db.run(lambda: texts(other.thread_id))
    await rows_become(lambda: len(texts(other.thread_id)[0]) > len(saved))
    assert (await other.rest()).text().startswith("0 1 2 ")


# --- One answer at a time -----------------------------------------------------------------------------------


async def test_second_message_meanwhile_is_refused_and_not_stored(use, gate):
    use("SlowServer")
    chat = Chat()
    answer = await begin_slowly(chat)
    thread_id = answer.thread_id
    second = Chat(frame="frame-2")
    second.cookies = chat.cookies
    refused = await second.say("me too", thread_id)
    assert refused.error() == {"type": "error", "code": "custom", "message": BUSY, "allow_retry": True}
    gate.set()
    await answer.rest()
    assert await db.run(lambda: ThreadItem.objects.filter(type="user_message").count()) == 1


async def test_message_after_the_answer_is_answered(use, gate):
    use("SlowServer")
    chat = Chat()
    gate.set()
    first = await chat.say("hi")
    assert (await chat.say("again", first.thread_id)).text() == "one two"


async def elsewhere(thread_id: str, *, silent_for: float, process: str = "") -> None:
    """A running answer in this thread, of a process that we are not."""
    row = await db.run(Thread.objects.get, public_id=thread_id)
    await db.run(
        lambda: Run.objects.create(
            public_id="run_elsewhere",
            thread=row,
            visitor_id=row.visitor_id,
            operation="threads.add_user_message",
            heartbeat_at=timezone.now() - timedelta(seconds=silent_for),
            process=process,
        )
    )


async def test_thread_in_use_by_another_process_is_busy(use):
    use("EchoServer")
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    await elsewhere(thread_id, silent_for=0)
    assert (await chat.say("and?", thread_id)).error()["message"] == BUSY
    assert await stored(thread_id) == ["echo: hi"]


async def test_thread_of_a_dead_process_is_free(use):
    use("EchoServer")
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    await elsewhere(thread_id, silent_for=60)
    assert (await chat.say("and?", thread_id)).text() == "echo: and?"
    assert await db.run(status_of, "run_elsewhere") == "lost"


async def test_process_on_another_machine_that_shows_life_keeps_its_thread(use):
    use("EchoServer")
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    machine, _pid, _start_time = current_process().rsplit(" ", 2)
    await elsewhere(thread_id, silent_for=0, process=f"another-{machine} {gone()} 1")
    assert (await chat.say("and?", thread_id)).error()["message"] == BUSY
    assert await db.run(status_of, "run_elsewhere") == "running"


async def test_process_on_another_machine_that_shows_no_life_frees_its_thread(use):
    use("EchoServer")
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    machine, _pid, _start_time = current_process().rsplit(" ", 2)
    await elsewhere(thread_id, silent_for=60, process=f"another-{machine} {gone()} 1")
    assert (await chat.say("and?", thread_id)).text() == "echo: and?"


def gone() -> int:
    """The pid of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


async def killed_elsewhere(thread_id: str) -> None:
    """A running answer of a process on this machine that has just been killed."""
    machine, _pid, _start_time = current_process().rsplit(" ", 2)
    await elsewhere(thread_id, silent_for=0, process=f"{machine} {gone()} 1")


async def test_thread_of_a_killed_process_is_free_at_once(use):
    use("EchoServer")
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    await killed_elsewhere(thread_id)
    assert (await chat.say("and?", thread_id)).text() == "echo: and?"
    assert await db.run(status_of, "run_elsewhere") == "lost"


async def test_stop_of_a_run_whose_process_was_killed_closes_it(use):
    use("EchoServer")
    chat = Chat()
    await killed_elsewhere((await chat.say("hi")).thread_id)
    assert (await chat.stop("run_elsewhere")).json() == {"stopped": False}
    assert await db.run(status_of, "run_elsewhere") == "lost"


@pytest.mark.parametrize("meanwhile", ["lost", "completed"])
async def test_run_of_a_killed_process_that_has_ended_meanwhile_stays_as_it_is(use, monkeypatch, meanwhile):
    """Somebody else has seen it, too, or it had ended just before the kill."""
    use("EchoServer")
    await killed_elsewhere((await Chat().say("hi")).thread_id)
    ended_at = timezone.now() - timedelta(hours=1)

    def find_dead(names: Iterable[str]) -> set[str]:
        found = process.find_dead(names)
        Run.objects.filter(public_id="run_elsewhere").update(status=meanwhile, finished_at=ended_at)
        return found

    monkeypatch.setattr(heartbeats, "find_dead", find_dead)
    assert await db.run(heartbeats.mark_lost, Run.objects.all()) == 0
    row = await db.run(Run.objects.get, public_id="run_elsewhere")
    assert (row.status, row.finished_at) == (meanwhile, ended_at)


async def test_one_statement_sees_that_nobody_has_died(use, gate):
    use("SlowServer")
    await begin_slowly(Chat())

    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert heartbeats.mark_lost(Run.objects.all()) == 0
        return len(queries)

    assert await db.run(statements) == 1


async def test_one_of_two_simultaneous_messages_is_answered(use, gate):
    use("SlowServer")
    gate.set()
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    gate.clear()
    frames = [Chat(frame=f"frame-{number}") for number in range(4)]
    for frame in frames:
        frame.cookies = chat.cookies
    answers = await asyncio.gather(*(frame.begin_saying("now", thread_id) for frame in frames))
    gate.set()
    for answer in answers:
        await answer.rest()
    assert sorted(answer.types()[-1] for answer in answers) == ["error"] * 3 + ["thread.item.done"]


@pytest.mark.parametrize("place", ["new thread", "old thread"])
async def test_same_frame_writing_on_after_an_abort_stops_the_first_answer(use, gate, place):
    use("SlowServer")
    chat = Chat()
    old = (await first_thread(chat, gate)).thread_id if place == "old thread" else None
    first = await begin_slowly(chat, "this", old)
    await first.disconnect()
    thread_id = old or first.thread_id
    second = await chat.begin_saying("rather this", thread_id)
    gate.set()
    assert (await second.rest()).text() == "one two"
    assert await db.run(status_of, first.run_id) == "stopped"
    assert (await stored(thread_id))[-2:] == ["one ", "one two"]


async def test_other_frame_does_not_stop_the_first_answer(use, gate):
    use("SlowServer")
    chat = Chat()
    first = await begin_slowly(chat)
    await first.disconnect()
    other = Chat(frame="frame-2")
    other.cookies = chat.cookies
    assert (await other.say("rather this", first.thread_id)).error()["message"] == BUSY
    gate.set()
    assert await ended(first.run_id) == "completed"


# --- Repeated requests --------------------------------------------------------------------------------------


async def test_blind_repetition_attaches_while_the_answer_is_made(use, gate):
    use("SlowServer")
    chat = Chat()
    thread_id = (await first_thread(chat, gate)).thread_id
    first = await begin_slowly(chat, "more", thread_id)
    repeated = await chat.begin_saying("more", thread_id)
    gate.set()
    assert repeated.run_id == first.run_id
    assert (await repeated.rest()).body == (await first.rest()).body
    assert await stored(thread_id) == ["one two", "one two"]


async def first_thread(chat: Chat, gate: asyncio.Event) -> Exchange:
    gate.set()
    answer = await chat.say("hi")
    gate.clear()
    return answer


async def test_blind_repetition_attaches_to_an_answer_that_ended_unheard(use, gate):
    use("SlowServer")
    chat = Chat()
    thread_id = (await first_thread(chat, gate)).thread_id
    first = await begin_slowly(chat, "more", thread_id)
    await first.disconnect()
    gate.set()
    await ended(first.run_id)
    repeated = await chat.say("more", thread_id)
    assert repeated.run_id == first.run_id
    assert repeated.text() == "one two"


async def test_blind_repetition_attaches_to_an_unheard_answer_of_another_process(use, gate):
    use("SlowServer")
    chat = Chat()
    thread_id = (await first_thread(chat, gate)).thread_id
    first = await begin_slowly(chat, "more", thread_id)
    await first.disconnect()
    gate.set()
    await ended(first.run_id)
    live_runs.clear()
    repeated = await chat.say("more", thread_id)
    assert repeated.run_id == first.run_id
    assert repeated.text() == "one two"


@pytest.mark.parametrize("process", ["same", "other"])
async def test_same_text_on_purpose_is_answered_after_a_repetition_was_heard(use, gate, process):
    use("SlowServer")
    chat = Chat()
    thread_id = (await first_thread(chat, gate)).thread_id
    first = await begin_slowly(chat, "more", thread_id)
    await first.disconnect()
    gate.set()
    await ended(first.run_id)
    if process == "other":
        live_runs.clear()
    await chat.say("more", thread_id)
    await rows_become(lambda: Run.objects.get(public_id=first.run_id).delivered)
    assert (await chat.say("more", thread_id)).run_id != first.run_id


async def test_same_text_on_purpose_makes_two_answers(use):
    use("EchoServer")
    chat = Chat()
    first = await chat.say("hi")
    second = await chat.say("more", first.thread_id)
    third = await chat.say("more", first.thread_id)
    assert second.run_id != third.run_id
    assert await stored(first.thread_id) == ["echo: hi", "echo: more", "echo: more"]


async def test_same_text_after_a_stop_is_answered_anew(use, gate):
    use("SlowServer")
    chat = Chat()
    thread_id = (await first_thread(chat, gate)).thread_id
    first = await begin_slowly(chat, "more", thread_id)
    await first.disconnect()
    await chat.stop(first.run_id)
    gate.set()
    assert (await chat.say("more", thread_id)).text() == "one two"
    assert await stored(thread_id) == ["one two", "one ", "one two"]


async def test_repetition_without_an_instance_id_does_not_attach(use, gate):
    use("SlowServer")
    chat = Chat(frame="")
    thread_id = (await first_thread(chat, gate)).thread_id
    await begin_slowly(chat, "more", thread_id)
    assert (await chat.say("more", thread_id)).error()["message"] == BUSY


async def test_repetition_by_another_frame_does_not_attach(use, gate):
    use("SlowServer")
    chat = Chat()
    thread_id = (await first_thread(chat, gate)).thread_id
    await begin_slowly(chat, "more", thread_id)
    other = Chat(frame="frame-2")
    other.cookies = chat.cookies
    assert (await other.say("more", thread_id)).error()["message"] == BUSY


async def test_repetition_by_another_owner_does_not_attach(use, gate):
    use("SlowServer")
    first = await begin_slowly(Chat(), "hi")
    second = await begin_slowly(Chat(), "hi")
    assert first.run_id != second.run_id
    assert first.thread_id != second.thread_id


async def test_repetition_during_admission_shares_the_refusal(use):
    """It has been given the first one's run, so it must not wait for ever when that is refused."""

    class Refusing(EchoServer):
        async def admit(self, request: Any, context: RequestContext) -> None:
            await gate.wait()
            raise ThreadBusy

    gate = asyncio.Event()
    server = Refusing()
    request = server.parse(encode("threads.create", input=message("hi")))

    def start() -> Any:
        return begin(server, request, RequestContext(visitor_id="v"), request_key="key", instance_id="f")

    first = asyncio.create_task(start())
    await asyncio.sleep(0)
    repeated = await start()
    gate.set()
    with pytest.raises(ThreadBusy):
        await first
    assert repeated.done
    assert BUSY.encode() in repeated.frames[-1]


# --- Checkpoints and time -----------------------------------------------------------------------------------


async def test_checkpoint_saves_the_partial_text(use, gate):
    use("SlowServer")
    answer = await begin_slowly(Chat())
    await rows_become(lambda: texts(answer.thread_id) == ["one "])
    assert await db.run(status_of, answer.run_id) == "running"


async def test_text_that_has_not_changed_is_saved_once(use, gate, monkeypatch):
    use("SlowServer", CHECKPOINT_INTERVAL=0.02)
    saved: list[str] = []
    checkpoint = item_store.save_unfinished

    def record(unfinished: Any) -> None:
        saved.extend(item.content[0].text for item, _context in unfinished)
        checkpoint(unfinished)

    monkeypatch.setattr(item_store, "save_unfinished", record)
    answer = await begin_slowly(Chat())

    def heartbeat() -> Any:
        return Run.objects.get(public_id=answer.run_id).heartbeat_at

    # The keeper comes round several times.
    for _round in range(3):
        last = await db.run(heartbeat)
        await rows_become(lambda last=last: heartbeat() > last)
    assert saved == ["one "]


async def test_checkpoint_that_failed_is_made_again(use, gate, monkeypatch):
    use("SlowServer", CHECKPOINT_INTERVAL=0.02)
    checkpoint, failures = item_store.save_unfinished, [ValueError("cannot be stored")]

    def fail_once(unfinished: Any) -> None:
        if failures:
            raise failures.pop()
        checkpoint(unfinished)

    monkeypatch.setattr(item_store, "save_unfinished", fail_once)
    answer = await begin_slowly(Chat())
    await rows_become(lambda: texts(answer.thread_id) == ["one "])


async def test_checkpoint_of_a_run_comes_within_one_interval(use, gate, monkeypatch):
    """Also for a run that begins while the keeper sleeps."""
    use("SlowServer", CHECKPOINT_INTERVAL=1.0)
    checkpointed: list[list[str]] = []
    checkpoint = keeper._checkpoint

    async def record(active: list[LiveRun]) -> None:
        checkpointed.append([run.public_id for run in active])
        await checkpoint(active)

    monkeypatch.setattr(keeper, "_checkpoint", record)
    chat = Chat()
    first = await begin_slowly(chat)
    second = await begin_slowly(chat, "hello")
    await eventually(lambda: checkpointed)
    assert checkpointed[0] == [first.run_id, second.run_id]


async def test_failing_checkpoint_does_not_stop_the_heartbeats(use, gate, monkeypatch):
    use("SlowServer")
    chat = Chat()
    answer = await begin_slowly(chat)

    async def fail(self: Any, unfinished: Any) -> None:
        raise ValueError("cannot be stored")

    monkeypatch.setattr("chatkit_app.store.DjangoStore.checkpoint", fail)
    before = (await db.run(Run.objects.get, public_id=answer.run_id)).heartbeat_at
    await rows_become(lambda: Run.objects.get(public_id=answer.run_id).heartbeat_at > before)


async def test_final_text_is_never_overwritten_by_a_checkpoint(use, gate, monkeypatch):
    """A checkpoint that is on its way when the message is done is waited for."""

    use("SlowServer")
    reached, go_on = threading.Event(), threading.Event()
    checkpoint = item_store.save_unfinished

    def slow_checkpoint(unfinished: Any) -> None:
        reached.set()
        go_on.wait(20)
        checkpoint(unfinished)

    monkeypatch.setattr(item_store, "save_unfinished", slow_checkpoint)
    answer = await begin_slowly(Chat())
    await eventually(reached.is_set)
    gate.set()
    await answer.until('"delta":"two"')
    go_on.set()
    await answer.rest()
    assert await stored(answer.thread_id) == ["one two"]


async def test_hanging_server_ends_in_an_error_and_a_usable_thread(use):
    use("HangingServer", ANSWER_TIMEOUT=1)
    chat = Chat()
    answer = await chat.say("hi")
    assert answer.error() == {
        "type": "error",
        "code": "custom",
        "message": "The answer took too long. Please try again.",
        "allow_retry": True,
    }
    assert await ended(answer.run_id) == "failed"
    assert await stored(answer.thread_id) == ["well"]
    use("EchoServer")
    assert (await chat.say("still there?", answer.thread_id)).text() == "echo: still there?"


async def test_server_that_swallows_its_cancellation_does_not_keep_its_thread(use, monkeypatch):
    monkeypatch.setattr(live, "STOP_TIMEOUT", 0.05)
    use("StubbornServer", ANSWER_TIMEOUT=0.05)
    chat = Chat()
    answer = await chat.say("hi")
    assert answer.error()["message"] == "The answer took too long. Please try again."
    assert await ended(answer.run_id) == "failed"
    use("EchoServer")
    assert (await chat.say("still there?", answer.thread_id)).text() == "echo: still there?"


async def test_cancellation_that_is_no_stop_ends_in_an_error_and_a_usable_thread(use):
    use("CancelledServer")
    chat = Chat()
    answer = await chat.say("hi")
    assert answer.error() == {
        "type": "error",
        "code": "custom",
        "message": "The answer was interrupted. Please try again.",
        "allow_retry": True,
    }
    assert await ended(answer.run_id) == "lost"
    use("EchoServer")
    assert (await chat.say("still there?", answer.thread_id)).text() == "echo: still there?"


async def test_failure_of_a_run_is_kept_with_what_the_user_was_told(use):
    use("HangingServer", ANSWER_TIMEOUT=1)
    answer = await Chat().say("hi")
    assert await ended(answer.run_id) == "failed"
    use("RaisingServer")
    raised = await Chat().say("hi")
    assert await ended(raised.run_id) == "failed"
    rows = await db.run(lambda: list(Run.objects.order_by("pk").values_list("public_id", "failure", "error")))
    assert rows == [(answer.run_id, "timeout", ""), (raised.run_id, "error", "stream.error")]


async def test_stop_of_a_run_whose_process_has_died_closes_it(use):
    use("EchoServer")
    chat = Chat()
    answer = await chat.say("hi")
    live_runs.clear()
    long_ago = timezone.now() - timedelta(minutes=1)
    await db.run(lambda: Run.objects.update(status="running", heartbeat_at=long_ago))
    assert (await chat.stop(answer.run_id)).json() == {"stopped": False}
    assert await db.run(status_of, answer.run_id) == "lost"


async def test_run_that_fails_outside_its_answer_tells_its_readers(use, monkeypatch):
    async def fail(self: LiveRun) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(LiveRun, "_drive", fail)
    use("EchoServer")
    answer = await Chat().say("hi")
    assert answer.error() == {"type": "error", "code": "stream.error", "allow_retry": True}


class Enough(BaseException):
    """Of the kind that ``except Exception`` lets through."""


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), Enough()], ids=repr)
async def test_respond_that_would_end_the_process_ends_its_answer(use, monkeypatch, error):
    use("ExitingServer")
    monkeypatch.setattr(ExitingServer, "error", error)
    answer = await Chat().say("hi")
    assert answer.error() == {"type": "error", "code": "stream.error", "allow_retry": True}
    assert await ended(answer.run_id) == "failed"
    assert await stored(answer.thread_id) == ["well"]


async def test_title_that_would_end_the_process_is_left_out(use):
    use("ExitingTitleServer")
    assert (await Chat().say("hi")).text() == "echo: hi"


async def test_admission_that_would_end_the_process_is_an_error(use):
    use("ExitingAdmissionServer")
    assert (await Chat().say("hi")).error()["code"] == "stream.error"


async def test_receiver_that_would_end_the_process_ends_no_more_than_its_work(use):
    def leave(**kwargs: Any) -> None:
        raise SystemExit(3)

    use("EchoServer")
    run_finished.connect(leave)
    try:
        answer = await Chat().say("hi")
    finally:
        run_finished.disconnect(leave)
    assert answer.text() == "echo: hi"
    assert await ended(answer.run_id) == "completed"


async def test_action_that_would_end_the_process_gets_a_500(use, gate):
    use("SlowServer")
    gate.set()
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    use("ExitingServer")
    action = {"type": "a", "payload": {}}
    reply = await chat.post(
        encode("threads.sync_custom_action", thread_id=thread_id, item_id=None, action=action)
    )
    assert (reply.status, list(reply.json())) == (500, ["message"])


@pytest.mark.parametrize(
    ("endless", "limit", "words"),
    [("text", {"ANSWER_EVENTS": 11}, 10), ("items", {"ANSWER_ITEMS": 11}, 10)],
    ids=["events", "items"],
)
async def test_answer_without_end_is_ended_with_an_error(use, monkeypatch, endless, limit, words):
    monkeypatch.setattr(EndlessServer, "endless", endless)
    use("EndlessServer", **limit)
    answer = await Chat().say("hi")
    assert answer.error()["message"] == TOO_LONG
    assert answer.error()["allow_retry"] is False
    assert "".join(await stored(answer.thread_id)).count("word ") == words
    assert await ended(answer.run_id) == "failed"


async def test_answer_of_too_many_bytes_is_ended_with_an_error_and_its_text_stays(use):
    use("EndlessServer", ANSWER_BYTES=20_000)
    answer = await Chat().say("hi")
    assert answer.error()["message"] == TOO_LONG
    (text,) = await stored(answer.thread_id)
    assert answer.body.decode().count('"delta":"word "') == text.count("word ") > 100


async def test_answer_that_goes_on_for_too_long_is_given_up_and_its_text_stays(use):
    use("EndlessServer", ANSWER_SECONDS=1)
    answer = await Chat().say("hi")
    assert answer.error()["message"] == "The answer took too long. Please try again."
    (text,) = await stored(answer.thread_id)
    assert text.startswith("word word ")


async def test_run_that_was_taken_for_lost_is_found_again(use, gate):
    use("SlowServer", CHECKPOINT_INTERVAL=0.1)
    answer = await begin_slowly(Chat())
    await db.run(lambda: Run.objects.update(status="lost", finished_at=timezone.now()))
    await rows_become(lambda: Run.objects.get(public_id=answer.run_id).status == "running")
    gate.set()
    await answer.rest()
    assert await ended(answer.run_id) == "completed"


async def test_run_whose_thread_has_another_answer_by_now_is_stopped(use, gate):
    use("SlowServer", CHECKPOINT_INTERVAL=0.1)
    answer = await begin_slowly(Chat())
    await db.run(lambda: Run.objects.update(status="lost"))
    await elsewhere(answer.thread_id, silent_for=-60)
    await eventually(lambda: live_runs.get(answer.run_id).done)
    assert await db.run(status_of, answer.run_id) == "stopped"


async def test_interrupted_answers_are_saved_and_their_readers_told(use, gate):
    use("SlowServer")
    answer = await begin_slowly(Chat())
    await shutdown.interrupt_all()
    assert (await answer.rest()).error()["message"] == "The answer was interrupted. Please try again."
    assert await ended(answer.run_id) == "lost"
    assert await stored(answer.thread_id) == ["one "]


async def test_heartbeat_during_the_end_does_not_bring_an_interrupted_run_back(use, gate):
    use("SlowServer", CHECKPOINT_INTERVAL=60)
    answer = await begin_slowly(Chat())
    run = live_runs.get(answer.run_id)
    await shutdown.interrupt_all()
    await ended(answer.run_id)
    await db.run(keeper.record_heartbeats, [run])
    assert await db.run(status_of, answer.run_id) == "lost"


async def test_raising_server_fails_the_run(use):
    use("RaisingServer")
    answer = await Chat().say("hi")
    assert await ended(answer.run_id) == "failed"


async def test_raising_server_fails_the_run_though_it_changed_the_thread(use):
    use("PartialServer")
    answer = await Chat().say("hi")
    assert answer.types()[-1] == "thread.updated"
    assert await ended(answer.run_id) == "failed"
    assert await stored(answer.thread_id) == ["half a "]


# --- What is recorded ---------------------------------------------------------------------------------------


async def test_run_records_usage_and_times(use):
    use("UsageServer")
    answer = await Chat().say("hi")
    run = await db.run(Run.objects.get, public_id=answer.run_id)
    assert (run.model, run.input_tokens, run.cached_tokens, run.output_tokens) == ("gpt-test", 7, 3, 5)
    assert run.first_token_ms is not None
    assert run.total_ms >= run.first_token_ms
    assert run.finished_at is not None
    assert run.delivered


async def test_run_of_a_new_thread_gets_its_thread(use):
    use("EchoServer")
    answer = await Chat().say("hi")
    run = await db.run(Run.objects.select_related("thread").get, public_id=answer.run_id)
    assert run.thread.public_id == answer.thread_id


async def test_running_run_of_a_new_thread_gets_its_thread(use, gate):
    use("SlowServer")
    answer = await begin_slowly(Chat())
    await rows_become(
        lambda: Run.objects.filter(thread__public_id=answer.thread_id, status="running").first()
    )


async def test_run_finished_is_sent_once_with_the_final_row(use):
    use("EchoServer")
    seen: list[tuple[str, str]] = []

    def receiver(run: Run, **kwargs: Any) -> None:
        seen.append((run.public_id, run.status))

    run_finished.connect(receiver)
    try:
        answer = await Chat().say("hi")
        await eventually(lambda: seen)
    finally:
        run_finished.disconnect(receiver)
    assert seen == [(answer.run_id, "completed")]


# --- Surroundings -------------------------------------------------------------------------------------------


async def test_language_of_the_context_is_active_in_respond(use):
    use("LocaleServer")
    answer = await Chat().say("hi", headers={"X-ChatKit-Locale": "de", "Accept-Language": "en"})
    assert answer.text() == "de Montag"


async def test_language_of_a_context_that_chose_its_own_is_active_in_respond(use):
    use("LocaleServer")
    server = LocaleServer()
    request = server.parse(encode("threads.create", input=message("hi")))
    run = await begin(server, request, RequestContext(visitor_id="v", locale="de"))
    await run.finished()
    assert b"de Montag" in b"".join(run.frames)


async def test_synchronous_code_of_respond_runs_in_a_shared_thread(use):
    use("ThreadNameServer")
    assert (await Chat().say("hi")).text().startswith("chatkit-request")


async def test_async_orm_in_respond_works_and_leaves_no_thread_behind(use):
    use("AsyncOrmServer", REQUEST_THREADS=2)
    chat = Chat()
    await chat.say("hi")
    before = set(threading.enumerate())
    for _ in range(5):
        assert (await chat.say("hi")).text() == "items: 1"

    def new_threads() -> list[str]:
        return [thread.name for thread in threading.enumerate() if thread not in before]

    await eventually(lambda: all(name.startswith("chatkit-") for name in new_threads()))
    assert len([name for name in new_threads() if name.startswith("chatkit-request")]) <= 2


async def test_many_runs_use_no_more_than_the_workers(use):
    use("EchoServer", DB_WORKERS=3, CHECKPOINT_INTERVAL=0.02)
    server = EchoServer()

    async def answer(number: int) -> bytes:
        context = RequestContext(visitor_id=f"visitor-{number}")
        request = server.parse(encode("threads.create", input=message("hi")))
        run = await begin(server, request, context)
        await run.finished()
        return b"".join(run.frames)

    db.shutdown()
    answers = await asyncio.gather(*(answer(number) for number in range(30)))
    assert all(b"echo: hi" in body for body in answers)
    workers = [thread for thread in threading.enumerate() if thread.name.startswith("chatkit-db")]
    assert len(workers) == 3


async def test_run_that_hangs_holds_no_worker(use):
    use("HangingServer", DB_WORKERS=1)
    server = HangingServer()
    for number in range(3):
        context = RequestContext(visitor_id=f"visitor-{number}")
        request = server.parse(encode("threads.create", input=message("hi")))
        run = await begin(server, request, context)
        await eventually(lambda run=run: any(b'"well"' in frame for frame in run.frames))
    assert await db.run(Run.objects.running().count) == 3
