"""Taking over, against answers that are being written and messages that come in at that very moment."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.contrib.auth.models import User

from chatkit_app import db
from chatkit_app.context import RequestContext
from chatkit_app.models import Approval, Assignment, AuditEntry, Run, Thread, ThreadItem
from chatkit_app.moderation.assignment import assign
from chatkit_app.moderation.exports import Export, Format
from chatkit_app.moderation.redaction import redact
from chatkit_app.moderation.takeover import AlreadyTaken, NotTaken, hand_back, hand_on, reply, take_over
from chatkit_app.store import DjangoStore
from chatkit_app.takeover.handler import request_person
from tests.chat import Chat, eventually, rows_become
from tests.moderation.conversations import begin, make_thread, stored
from tests.runs.test_runs import hold_recording
from tests.servers import SlowServer

pytestmark = pytest.mark.django_db
transactional = pytest.mark.django_db(transaction=True)

WITH_STAFF = "Our team is looking after this conversation. Write a message, and a person will read it."


def maria() -> Any:
    return User.objects.get_or_create(username="maria", defaults={"first_name": "Maria"})[0]


def ben() -> Any:
    return User.objects.get_or_create(username="ben")[0]


async def take(thread_id: str) -> None:
    """What a member of the staff does, in a thread of its own, as the admin has it."""
    await db.run(lambda: take_over(Thread.objects.get(public_id=thread_id), actor=maria()))


# --- Against an answer --------------------------------------------------------------------------------------


@transactional
async def test_answer_that_streams_ends_at_once_and_its_reader_learns_who_answers(use, gate):
    use("SlowServer", CHECKPOINT_INTERVAL=60)
    answer = await begin(Chat())
    await take(answer.thread_id)
    events = (await answer.rest()).events()
    assert [event["type"] for event in events[-2:]] == ["thread.item.done", "thread.updated"]
    assert events[-2]["item"]["content"][0]["text"] == "one "
    handler = events[-1]["thread"]["handler"]
    assert (handler["state"], handler["name"]) == ("staff", "Maria")
    assert await db.run(stored, answer.thread_id) == ["hi", "one "]
    assert (await db.run(Run.objects.get)).status == "stopped"


@transactional
async def test_answer_of_another_process_ends_at_its_next_checkpoint(use, gate, monkeypatch):
    use("SlowServer")
    answer = await begin(Chat())
    # The process that stops it does not know it.
    monkeypatch.setattr("chatkit_app.runs.stopping.live_runs.get_anywhere", lambda public_id: None)
    await take(answer.thread_id)
    assert (await answer.rest()).text() == "one "
    assert (await db.run(Run.objects.get)).status == "stopped"


@transactional
async def test_message_to_a_person_is_kept_and_no_model_is_asked(use, gate):
    use("SlowServer")
    chat = Chat()
    thread_id = await make_thread(chat, gate)
    await take(thread_id)
    answer = await chat.say("more", thread_id)
    assert answer.types() == ["thread.item.done", "stream_options", "thread.updated"]
    assert answer.events()[-1]["thread"]["handler"]["state"] == "staff"
    assert await db.run(stored, thread_id) == ["hi", "one two", "more"]
    assert SlowServer.started == 0
    run = await db.run(Run.objects.latest, "pk")
    assert (run.status, run.delivered) == ("held", True)
    assert (await db.run(Thread.objects.get)).unanswered_since is not None


@transactional
@pytest.mark.parametrize("when", ["asked", "written"])
async def test_takeover_between_admission_and_the_runs_row_keeps_the_message(use, gate, monkeypatch, when):
    use("SlowServer")
    chat = Chat()
    thread_id = await make_thread(chat, gate)
    # "asked": the row is written after the takeover. "written": the row is found, and told before it has begun.
    reached, go_on = hold_recording(monkeypatch, when=when)
    asking = asyncio.create_task(chat.say("more", thread_id))
    await eventually(reached.is_set)
    await take(thread_id)
    go_on.set()
    gate.set()
    answer = await asking
    assert answer.types() == ["thread.item.done", "stream_options", "thread.updated"]
    assert await db.run(stored, thread_id) == ["hi", "one two", "more"]
    assert (await db.run(Run.objects.latest, "pk")).status == "held"
    assert SlowServer.started == 0


@transactional
async def test_hand_back_between_admission_and_the_runs_row_has_the_message_answered(use, gate, monkeypatch):
    use("SlowServer")
    chat = Chat()
    thread_id = await make_thread(chat, gate)
    await take(thread_id)
    reached, go_on = hold_recording(monkeypatch)
    asking = asyncio.create_task(chat.say("more", thread_id))
    await eventually(reached.is_set)
    await db.run(lambda: hand_back(Thread.objects.get(), actor=maria()))
    go_on.set()
    gate.set()
    assert (await asking).text() == "one two"


@transactional
async def test_retry_between_admission_and_the_runs_row_is_refused_and_takes_nothing_away(
    use, gate, monkeypatch
):
    use("SlowServer")
    chat = Chat()
    thread_id = await make_thread(chat, gate)
    (asked, _answer) = await chat.items(thread_id)
    reached, go_on = hold_recording(monkeypatch)
    retry = asyncio.create_task(
        chat.ask("threads.retry_after_item", thread_id=thread_id, item_id=asked["id"])
    )
    await eventually(reached.is_set)
    await take(thread_id)
    go_on.set()
    assert (await retry).error()["message"] == WITH_STAFF
    assert await db.run(stored, thread_id) == ["hi", "one two"]


@transactional
async def test_new_thread_that_is_taken_before_its_row_is_written_keeps_its_message(use, gate, monkeypatch):
    use("SlowServer")
    reached, go_on = hold_recording(monkeypatch)
    answer = await Chat().begin_saying("hi")
    await answer.until("thread.created")
    await eventually(reached.is_set)
    await take(answer.thread_id)
    go_on.set()
    await answer.rest()
    assert await db.run(stored, answer.thread_id) == ["hi"]
    assert SlowServer.started == 0


@transactional
async def test_answers_to_questions_are_kept_for_the_person(use):
    use("FurnitureServer")
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    await take(thread_id)
    answer = await chat.ask(
        "threads.add_structured_input",
        thread_id=thread_id,
        item_id="form_1",
        input={"status": "answered", "answers": {"q1": {"values": ["Because"]}}},
    )
    assert answer.types() == ["stream_options", "thread.item.replaced", "thread.updated"]
    form = await db.run(lambda: ThreadItem.objects.get(public_id="form_1"))
    assert form.payload["inputs"][0]["answer"]["values"] == ["Because"]


@transactional
async def test_action_of_a_widget_waits_for_the_assistant(use):
    use("FurnitureServer")
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    await take(thread_id)
    action = {"type": "buy", "payload": None}
    answer = await chat.ask("threads.custom_action", thread_id=thread_id, item_id="widget_1", action=action)
    assert answer.error()["message"] == WITH_STAFF


@transactional
async def test_retry_that_would_take_away_what_a_person_wrote_is_refused(use, gate):
    use("SlowServer")
    chat = Chat()
    thread_id = await make_thread(chat, gate)
    (asked, _answer) = await chat.items(thread_id)

    def answer_and_hand_back() -> None:
        thread = take_over(Thread.objects.get(), actor=maria())
        reply(thread, "Let me see.", actor=maria())
        hand_back(thread, actor=maria())

    await db.run(answer_and_hand_back)
    retry = await chat.ask("threads.retry_after_item", thread_id=thread_id, item_id=asked["id"])
    assert retry.error()["message"] == "A person has written since. Please write a new message."
    assert await db.run(stored, thread_id) == ["hi", "one two", "Let me see."]


@transactional
async def test_page_that_loads_the_thread_reads_the_person_and_their_name(use, gate):
    use("SlowServer")
    chat = Chat()
    thread_id = await make_thread(chat, gate)
    await take(thread_id)
    await db.run(lambda: reply(Thread.objects.get(), "**Hello**", actor=maria()))
    thread = (await chat.ask("threads.get_by_id", thread_id=thread_id)).json()
    assert (thread["handler"]["state"], thread["handler"]["name"]) == ("staff", "Maria")
    *_, last = thread["items"]["data"]
    assert (last["type"], last["author"], last["said"]) == (
        "assistant_message",
        {"name": "Maria"},
        "**Hello**",
    )
    # For clients that know of no person.
    assert last["content"][0]["text"] == "**Maria**\n\n**Hello**"
    assert "author" not in thread["items"]["data"][1]


# --- Staff beside each other --------------------------------------------------------------------------------


def make_row() -> Thread:
    return Thread.objects.create(public_id="t", visitor_id="v")


def audited() -> list[tuple[str, str]]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", "actor_name"))


def test_second_of_two_sees_who_has_the_thread():
    thread = take_over(make_row(), actor=maria())
    with pytest.raises(AlreadyTaken) as caught:
        take_over(thread, actor=ben())
    assert (caught.value.holder, caught.value.since) == (maria(), thread.handler_since)
    assert audited() == [("take", "maria")]


def test_thread_is_taken_from_just_the_one_who_was_named():
    carl = User.objects.create(username="carl")
    thread = take_over(make_row(), actor=maria())
    with pytest.raises(AlreadyTaken):
        take_over(thread, actor=ben(), take_from=carl)
    take_over(thread, actor=ben(), take_from=maria())
    assert Assignment.objects.get().assignee == ben()
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.details["taken_from_name"]) == ("take", "maria")


def test_thread_that_one_has_already_is_taken_once():
    thread = take_over(make_row(), actor=maria())
    take_over(thread, actor=maria())
    assert audited() == [("take", "maria")]
    assert ThreadItem.objects.count() == 1


@transactional
async def test_staff_who_take_over_at_the_same_moment_leave_one_who_has_it():
    thread = await db.run(make_row)
    staff = await db.run(lambda: [User.objects.create(username=f"s{number}") for number in range(6)])
    found = await asyncio.gather(
        *(db.run(lambda who=who: take_over(thread, actor=who)) for who in staff), return_exceptions=True
    )
    taken = [row for row in found if isinstance(row, Thread)]
    late = [error for error in found if isinstance(error, AlreadyTaken)]
    assert (len(taken), len(late)) == (1, 5)
    holder = (await db.run(lambda: Assignment.objects.select_related("assignee").get())).assignee
    assert {error.holder for error in late} == {holder}
    assert await db.run(audited) == [("take", holder.username)]


@transactional
async def test_reply_and_the_answers_last_words_are_in_the_order_in_which_they_came(use, gate):
    use("SlowServer", CHECKPOINT_INTERVAL=60)
    answer = await begin(Chat())
    await take(answer.thread_id)
    await rows_become(lambda: Run.objects.get().status == "stopped")
    await db.run(lambda: reply(Thread.objects.get(), "I am here.", actor=maria()))
    await answer.rest()
    assert await db.run(stored, answer.thread_id) == ["hi", "one ", "I am here."]


def test_reply_is_for_the_one_who_has_the_thread():
    thread = make_row()
    with pytest.raises(NotTaken):
        reply(thread, "Hi", actor=maria())
    take_over(thread, actor=maria())
    with pytest.raises(NotTaken):
        reply(thread, "Hi", actor=ben())
    assert not ThreadItem.objects.visible().exists()


def test_reply_says_who_wrote_it_and_how_long_the_user_had_waited():
    thread = make_row()
    request_person(thread.pk, reason="Lost parcel")
    take_over(thread, actor=maria())
    item = reply(thread, "It is here.", actor=maria())
    thread.refresh_from_db()
    assert (item.author, item.author_name, item.text) == (maria(), "Maria", "It is here.")
    assert (thread.last_preview, thread.unanswered_since) == ("It is here.", None)
    took, replied = AuditEntry.objects.order_by("pk")
    assert (took.action, replied.action, replied.item_key) == ("take", "reply", item.public_id)
    assert took.details["waited_ms"] >= 0
    assert replied.details["waited_ms"] >= took.details["waited_ms"]


def test_words_of_a_person_stay_when_an_answer_is_made_anew():
    thread = take_over(make_row(), actor=maria())
    item = reply(thread, "It is here.", actor=maria())
    store, context = DjangoStore(), RequestContext(visitor_id="v")
    store.prefetch_thread("t", context)
    store._delete_item("t", item.public_id, context)
    assert ThreadItem.objects.filter(pk=item.pk).exists()


# --- Waiting, and back --------------------------------------------------------------------------------------


def test_waiting_begins_once_and_keeps_its_time():
    thread, _told = request_person(make_row().pk, reason="Lost parcel")
    again, _told = request_person(thread.pk, reason="Very lost parcel")
    assert (again.handler, again.handler_since) == ("waiting", thread.handler_since)
    assert again.handler_reason == "Very lost parcel"


def test_request_for_a_person_leaves_the_thread_to_the_one_who_has_it():
    thread = take_over(make_row(), actor=maria())
    assert request_person(thread.pk)[0].handler == "staff"


def test_hand_back_gives_the_thread_to_the_assistant_with_an_instruction_for_the_model_alone():
    thread = take_over(make_row(), actor=maria())
    hand_back(thread, actor=maria(), instruction="Offer a refund.")
    thread.refresh_from_db()
    assert (thread.handler, thread.handler_reason, thread.unanswered_since) == ("assistant", "", None)
    assert not ThreadItem.objects.visible().exists()
    taken, back = ThreadItem.objects.order_by("pk").values_list("payload", flat=True)
    assert "Maria, a person of the team, took over this conversation" in taken["content"]
    assert back["content"].endswith("The team asks of you, without the user's knowledge: Offer a refund.")
    assert audited() == [("take", "maria"), ("hand_back", "maria")]


def test_thread_that_is_handed_to_the_team_waits_again_and_is_nobodys():
    thread = take_over(make_row(), actor=maria())
    hand_on(thread, actor=maria(), reason="Needs the warehouse")
    thread.refresh_from_db()
    assert (thread.handler, thread.handler_reason) == ("waiting", "Needs the warehouse")
    assert thread.unanswered_since is not None
    assert not Assignment.objects.exists()


def test_takeover_gives_up_what_would_make_the_assistant_go_on():
    thread = make_row()
    Thread.objects.update(metadata={"chatkit_app.client_tool_calls": [{}], "site": 1})
    Approval.objects.create(thread=thread, state="{}", calls=[])
    take_over(thread, actor=maria())
    assert not Approval.objects.exists()
    assert Thread.objects.get().metadata == {"site": 1}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("user_message", True), ("assistant_message", False)],
)
def test_user_waits_for_the_person_if_the_last_word_was_theirs(kind, expected):
    thread = make_row()
    ThreadItem.objects.create(thread=thread, public_id="m", type=kind)
    assert (take_over(thread, actor=maria()).unanswered_since is not None) is expected


# --- What else happens to such a thread ---------------------------------------------------------------------


def test_thread_that_is_taken_from_its_assignee_waits_for_the_team():
    thread = take_over(make_row(), actor=maria())
    other = Thread.objects.create(public_id="other", visitor_id="v")
    assign([other], maria(), actor=ben())
    assert assign([thread, other], None, actor=ben()) == 2
    assert set(Thread.objects.values_list("public_id", "handler")) == {
        ("t", "waiting"),
        ("other", "assistant"),
    }
    assert not Assignment.objects.exists()


def test_thread_that_is_assigned_to_another_is_answered_by_them():
    thread = take_over(make_row(), actor=maria())
    version = Thread.objects.get().version
    assert assign([thread], ben(), actor=maria()) == 1
    row = Thread.objects.get()
    assert (row.handler, row.version) == ("staff", version + 1)
    with pytest.raises(NotTaken):
        reply(thread, "Hi", actor=maria())
    assert reply(thread, "Hi", actor=ben()).author == ben()


def test_redaction_clears_why_a_person_was_wanted():
    thread = make_row()
    request_person(thread.pk, reason="He said: my card is 1234")
    item = ThreadItem.objects.create(
        thread=thread, public_id="m", type="user_message", text="my card is 1234"
    )
    redact(item, actor=maria(), reason="card")
    assert Thread.objects.get().handler_reason == ""


@pytest.mark.parametrize(
    ("format", "expected"),
    [
        (Format.JSONL, '"author": {"name": "Maria"}'),
        (Format.CSV, ",It is here.,,,Maria"),
        (Format.MARKDOWN, "Maria:\nIt is here."),
        (Format.MARKDOWN, "### Message of the team · "),
    ],
)
def test_export_says_who_wrote_a_message(format, expected):
    thread = take_over(make_row(), actor=maria())
    reply(thread, "It is here.", actor=maria())
    assert expected in "".join(Export(Thread.objects.all(), format=format))
