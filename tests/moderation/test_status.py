"""What staff do to a thread, against answers that are being written at that very moment."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from chatkit.types import ThreadMetadata
from django.contrib.auth.models import User

from chatkit_app import db
from chatkit_app.context import RequestContext
from chatkit_app.models import AuditEntry, Run, Thread
from chatkit_app.moderation import last_change, set_status, stop_run
from chatkit_app.runs import stopping
from chatkit_app.runs.registry import live_runs
from chatkit_app.store import DjangoStore
from chatkit_app.testing.store_contract import NOON
from tests.chat import Chat, eventually, rows_become
from tests.moderation.conversations import begin, make_thread, stored
from tests.runs.test_runs import hold_recording
from tests.servers import SlowServer

pytestmark = pytest.mark.django_db
transactional = pytest.mark.django_db(transaction=True)

LOCKED, CLOSED, ACTIVE = Thread.Status.LOCKED, Thread.Status.CLOSED, Thread.Status.ACTIVE
REFUSED = {
    "type": "error",
    "code": "custom",
    "message": "This conversation is locked. Be kind.",
    "allow_retry": False,
}


async def change(thread_id: str, status: Any, reason: str = "Be kind.") -> None:
    """What a moderator does, in a thread of its own, as the admin has it."""

    def act() -> None:
        set_status([Thread.objects.get(public_id=thread_id)], status, reason=reason, actor=None)

    await db.run(act)


# --- Against an answer --------------------------------------------------------------------------------------


@transactional
@pytest.mark.parametrize("status", [LOCKED, CLOSED])
async def test_answer_that_streams_ends_at_once_and_its_reader_learns_why(use, gate, status):
    use("SlowServer", CHECKPOINT_INTERVAL=60)
    answer = await begin(Chat())
    await db.run(lambda: Thread.objects.update(metadata={"secret": "of the site"}))
    await change(answer.thread_id, status)
    events = (await answer.rest()).events()
    assert [event["type"] for event in events[-2:]] == ["thread.item.done", "thread.updated"]
    assert events[-2]["item"]["content"][0]["text"] == "one "
    assert events[-1]["thread"]["status"] == {"type": status.value, "reason": "Be kind."}
    assert "of the site" not in str(events)
    assert await db.run(stored, answer.thread_id) == ["hi", "one "]
    assert (await db.run(Run.objects.get)).status == "stopped"


@transactional
async def test_reader_of_a_stopped_answer_learns_nothing_of_a_thread_that_stays_open(use, gate):
    use("SlowServer")
    chat = Chat()
    answer = await begin(chat)
    await chat.stop(answer.run_id)
    assert (await answer.rest()).types()[-1] == "thread.item.done"


@transactional
async def test_answer_goes_on_when_its_thread_is_reopened(use, gate):
    use("SlowServer")
    answer = await begin(Chat())
    await change(answer.thread_id, ACTIVE)
    gate.set()
    assert (await answer.rest()).text() == "one two"


@transactional
async def test_answer_of_another_process_is_asked_to_stop(use, gate):
    use("SlowServer")
    thread_id = await make_thread(Chat(), gate)

    def of_another_process() -> Run:
        row = Thread.objects.get(public_id=thread_id)
        return Run.objects.create(public_id="run_x", thread=row, operation="threads.add_user_message")

    run = await db.run(of_another_process)
    await change(thread_id, LOCKED)
    await db.run(run.refresh_from_db)
    assert run.stop_requested


@transactional
async def test_stream_does_not_undo_what_staff_did_meanwhile():
    """The server's copy of the thread is from before."""
    store = DjangoStore()
    await store.save_thread(ThreadMetadata(id="t", created_at=NOON), RequestContext(visitor_id="v"))
    for status, reason in [(LOCKED, "One"), (LOCKED, "Two"), (CLOSED, "Three"), (ACTIVE, "")]:
        context = RequestContext(visitor_id="v")
        stale = await store.load_thread("t", context)
        await db.run(
            lambda status=status, reason=reason: set_status(
                [Thread.objects.get()], status, reason=reason, actor=None, replace_reason=True
            )
        )
        stale.title = f"Title {reason}"
        await store.save_thread(stale, context)
        row = await db.run(Thread.objects.get)
        assert (row.status, row.status_reason, row.title) == (status.value, reason, f"Title {reason}")


@transactional
@pytest.mark.parametrize("when", ["asked", "written"])
async def test_lock_between_admission_and_the_runs_row_refuses_the_message(use, gate, monkeypatch, when):
    use("SlowServer")
    chat = Chat()
    thread_id = await make_thread(chat, gate)
    before = await db.run(stored, thread_id)
    # "asked": the row is written after the lock. "written": staff find the row and stop it before it has begun.
    reached, go_on = hold_recording(monkeypatch, when=when)
    asking = asyncio.create_task(chat.say("more", thread_id))
    await eventually(reached.is_set)
    await change(thread_id, LOCKED)
    go_on.set()
    gate.set()
    answer = await asking
    assert answer.events()[0] == REFUSED
    assert await db.run(stored, thread_id) == before
    run = await db.run(Run.objects.latest, "pk")
    assert (run.status, run.finished_at is not None) == ("stopped", True)
    assert live_runs.of_thread(thread_id) is None


@transactional
async def test_refused_message_is_answered_once_the_thread_is_reopened(use, gate, monkeypatch):
    """Also as a blind repetition, which the refused one's row must not swallow."""
    use("SlowServer")
    chat = Chat()
    thread_id = await make_thread(chat, gate)
    reached, go_on = hold_recording(monkeypatch)
    asking = asyncio.create_task(chat.say("more", thread_id))
    await eventually(reached.is_set)
    await change(thread_id, LOCKED)
    go_on.set()
    gate.set()
    await asking
    await change(thread_id, ACTIVE)
    assert (await chat.say("more", thread_id)).text() == "one two"


@transactional
async def test_new_thread_that_is_locked_before_its_row_is_written_gets_no_answer(use, gate, monkeypatch):
    use("SlowServer")
    reached, go_on = hold_recording(monkeypatch)
    answer = await Chat().begin_saying("hi")
    await answer.until("thread.created")
    await eventually(reached.is_set)
    await change(answer.thread_id, LOCKED)
    go_on.set()
    assert (await answer.rest()).error() == REFUSED
    assert SlowServer.started == 0
    assert not await db.run(Run.objects.running().exists)


@transactional
async def test_message_to_a_locked_thread_is_refused_with_the_reason(use, gate):
    use("SlowServer")
    chat = Chat()
    thread_id = await make_thread(chat, gate)
    await change(thread_id, LOCKED)
    refused, updated = (await chat.say("more", thread_id)).events()
    assert refused == REFUSED
    assert updated["type"] == "thread.updated"
    assert (updated["thread"]["id"], updated["thread"]["title"]) == (thread_id, "hi")
    assert updated["thread"]["status"] == {"type": "locked", "reason": "Be kind."}


@transactional
async def test_feedback_on_an_answer_of_a_closed_thread_is_taken(use, gate):
    """It changes nothing that was said, and the end of a conversation is when users judge it."""
    use("SlowServer")
    chat = Chat()
    thread_id = await make_thread(chat, gate)
    (_, answer) = await chat.items(thread_id)
    await change(thread_id, CLOSED)
    reply = await chat.ask("items.feedback", thread_id=thread_id, item_ids=[answer["id"]], kind="positive")
    assert reply.json() == {}


@transactional
async def test_stop_of_a_moderator_keeps_what_there_is(use, gate):
    use("SlowServer", CHECKPOINT_INTERVAL=60)
    answer = await begin(Chat())

    def stop() -> bool:
        return stop_run(Run.objects.select_related("thread").get(), actor=None)

    assert await db.run(stop) is True
    assert (await answer.rest()).text() == "one "
    await rows_become(lambda: Run.objects.get().status == "stopped")
    assert await db.run(stop) is False
    assert await db.run(AuditEntry.objects.filter(action="stop").count) == 1


# --- Moderators beside each other ---------------------------------------------------------------------------


def people() -> tuple[User, User, Thread]:
    anna, ben = (User.objects.create_user(name, is_staff=True) for name in ("anna", "ben"))
    return anna, ben, Thread.objects.create(public_id="t", visitor_id="v")


def audited() -> list[tuple[str, str, str]]:
    entries = AuditEntry.objects.order_by("pk")
    return list(entries.values_list("action", "actor_name", "reason"))


def test_last_of_two_moderators_wins_and_both_are_in_the_audit():
    anna, ben, thread = people()
    set_status([thread], LOCKED, reason="Spam", actor=anna)
    set_status([thread], ACTIVE, reason="No spam", actor=ben)
    thread.refresh_from_db()
    assert (thread.status, thread.status_reason) == ("active", "")
    assert audited() == [("lock", "anna", "Spam"), ("reopen", "ben", "No spam")]


def test_second_of_two_same_changes_is_told_and_not_audited():
    anna, ben, thread = people()
    stale = Thread.objects.get()
    assert set_status([thread], LOCKED, reason="Spam", actor=anna) == [thread]
    assert set_status([stale], LOCKED, reason="Rude", actor=ben) == []
    thread.refresh_from_db()
    assert thread.status_reason == "Spam"
    assert audited() == [("lock", "anna", "Spam")]
    entry = last_change(thread)
    assert entry is not None
    assert (entry.actor_name, entry.reason) == ("anna", "Spam")


def test_reason_is_replaced_on_purpose_and_only_by_another_one():
    anna, ben, thread = people()
    set_status([thread], LOCKED, reason="Spam", actor=anna)
    (changed,) = set_status([thread], LOCKED, reason="Rude", actor=ben, replace_reason=True)
    assert changed.status_reason == "Rude"
    assert set_status([thread], LOCKED, reason="Rude", actor=anna, replace_reason=True) == []
    thread.refresh_from_db()
    assert thread.status_reason == "Rude"
    assert audited() == [("lock", "anna", "Spam"), ("lock", "ben", "Rude")]


def test_status_that_no_staff_member_gave_was_given_by_nobody():
    thread = Thread.objects.create(public_id="t", visitor_id="v", status=LOCKED)
    assert last_change(thread) is None


@transactional
async def test_moderators_at_the_same_moment_leave_one_status_and_no_gap_in_the_audit():
    anna, ben, thread = await db.run(people)
    await asyncio.gather(
        *(
            db.run(set_status, [thread], status, reason=f"{number}", actor=actor, replace_reason=True)
            for number, (status, actor) in enumerate([(LOCKED, anna), (CLOSED, ben)] * 6)
        )
    )
    row = await db.run(Thread.objects.get)
    (*_, last) = await db.run(audited)
    assert len(await db.run(audited)) == 12 or last[2] == row.status_reason
    assert ({"lock": "locked", "close": "closed"}[last[0]], last[2]) == (row.status, row.status_reason)


def test_answers_of_many_threads_are_stopped_with_as_many_queries(django_assert_num_queries: Any):
    threads = [Thread.objects.create(public_id=f"t{number}", visitor_id="v") for number in range(6)]
    for thread in threads:
        Run.objects.create(public_id=f"run_{thread.public_id}", thread=thread, operation="x")
    with django_assert_num_queries(3):
        assert stopping.request_stops(Run.objects.filter(thread__in=[thread.pk for thread in threads])) == 6
    assert Run.objects.filter(stop_requested=True).count() == 6
