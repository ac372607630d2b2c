"""A thread says so when it is opened whose newest answer was cut off."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from chatkit_app import db
from chatkit_app.models import Run, Thread, ThreadItem
from chatkit_app.moderation import takeover
from chatkit_app.takeover import handler
from tests.chat import Chat, rows_become

pytestmark = pytest.mark.django_db(transaction=True)

CUT_OFF = [
    {"status": "lost", "failure": "interrupted"},
    {"status": "failed", "failure": "timeout"},
    {"status": "failed", "failure": "interrupted"},
]


@pytest.fixture
async def chat(use: Any) -> Chat:
    use("EchoServer")
    return Chat()


async def answered(chat: Chat, **columns: Any) -> str:
    """A thread whose only answer has ended so."""
    said = await chat.say("hi")
    await rows_become(lambda: Run.objects.exclude(status="running").exists())
    await Run.objects.aupdate(**columns)
    return said.thread_id


async def told(chat: Chat, thread_id: str) -> Any:
    return (await chat.ask("threads.get_by_id", thread_id=thread_id)).json().get("answer")


@pytest.mark.parametrize("columns", CUT_OFF, ids=str)
async def test_answer_that_was_cut_off_is_told_of(chat: Chat, columns: dict[str, str]) -> None:
    assert await told(chat, await answered(chat, **columns)) == "cut"


@pytest.mark.parametrize(
    "columns",
    [
        {"status": "completed"},
        {"status": "stopped"},
        {"status": "held"},
        {"status": "failed", "failure": "error"},
        {"status": "running"},
    ],
    ids=str,
)
async def test_answer_that_ended_otherwise_is_not(chat: Chat, columns: dict[str, str]) -> None:
    assert await told(chat, await answered(chat, **columns, heartbeat_at=timezone.now())) is None


async def test_message_that_was_kept_and_never_answered_is_told_of_once_the_assistant_is_back(
    chat: Chat,
) -> None:
    thread_id = (await chat.say("hi")).thread_id
    await rows_become(lambda: Run.objects.filter(status="completed").exists())
    maria = await db.run(User.objects.create_superuser, "maria")
    thread = await Thread.objects.aget()
    await db.run(lambda: takeover.take_over(thread, actor=maria))
    await chat.say("and now?", thread_id)
    await rows_become(lambda: Run.objects.filter(status="held").exists())
    assert await told(chat, thread_id) is None
    await db.run(lambda: takeover.hand_back(thread, actor=maria, instruction="Be brief."))
    assert await told(chat, thread_id) == "kept"
    question = await ThreadItem.objects.filter(type="user_message").alatest("pk")
    answer = await chat.ask("threads.retry_after_item", thread_id=thread_id, item_id=question.public_id)
    assert answer.text() == "echo: and now?"
    await rows_become(lambda: Run.objects.filter(status="completed").count() == 2)
    assert await told(chat, thread_id) is None


async def test_message_that_was_kept_while_its_user_waited_is_told_of_once_they_do_not(chat: Chat) -> None:
    thread_id = (await chat.say("hi")).thread_id
    await rows_become(lambda: Run.objects.filter(status="completed").exists())
    thread = await Thread.objects.aget()
    await db.run(lambda: handler.request_person(thread.pk))
    await chat.say("and now?", thread_id)
    await rows_become(lambda: Run.objects.filter(status="held").exists())
    await db.run(lambda: handler.stop_waiting(thread.pk))
    assert await told(chat, thread_id) == "kept"
    question = await ThreadItem.objects.filter(type="user_message").alatest("pk")
    answer = await chat.ask("threads.retry_after_item", thread_id=thread_id, item_id=question.public_id)
    assert answer.text() == "echo: and now?"
    # The model is still told that it is to answer.
    assert await ThreadItem.objects.filter(type="hidden_context_item").acount() == 1


async def test_answer_of_a_process_that_is_silent_was_cut_off(chat: Chat) -> None:
    silent = {"status": "running", "heartbeat_at": timezone.now() - timedelta(minutes=5)}
    assert await told(chat, await answered(chat, **silent)) == "cut"


async def test_question_without_any_answer_was_cut_off(chat: Chat) -> None:
    thread_id = await answered(chat, **CUT_OFF[0])
    await ThreadItem.objects.exclude(type="user_message").adelete()
    # As an answer that is given again, and is lost before it has said anything.
    await ThreadItem.objects.aupdate(run=None)
    assert await told(chat, thread_id) == "cut"


async def test_answer_before_the_newest_one_is_not_told_of(chat: Chat) -> None:
    thread_id = await answered(chat, **CUT_OFF[0])
    await chat.say("again", thread_id)
    await rows_become(lambda: Run.objects.filter(status="completed").exists())
    assert await told(chat, thread_id) is None


async def test_answer_after_which_a_person_has_written_is_not(chat: Chat) -> None:
    thread_id = await answered(chat, **CUT_OFF[0])
    thread = await Thread.objects.aget()
    said = {"type": "assistant_message", "public_id": "staff_1", "author_name": "Ada"}
    await ThreadItem.objects.acreate(
        thread=thread, payload={"content": [], "author": {"name": "Ada"}}, **said
    )
    assert await told(chat, thread_id) is None


@pytest.mark.parametrize(
    "columns",
    [{"status": "locked"}, {"status": "closed"}, {"handler": "waiting"}, {"handler": "staff"}],
    ids=str,
)
async def test_answer_that_cannot_be_asked_for_again_is_not(chat: Chat, columns: dict[str, str]) -> None:
    thread_id = await answered(chat, **CUT_OFF[0])
    await Thread.objects.aupdate(**columns)
    assert await told(chat, thread_id) is None
