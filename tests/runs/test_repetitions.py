"""Messages that are sent more than once, because their sender cannot know whether they were stored."""

import asyncio
from typing import Any

import pytest

from chatkit_app import db
from chatkit_app.models import Run, Thread, ThreadItem
from chatkit_app.process import shutdown
from chatkit_app.runs.registry import live_runs
from chatkit_app.store.orm import DjangoStore
from tests.chat import Chat, Exchange, rows_become

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "0123456789abcdef" * 2
ITEM = f"msg_{NAME}"
INTERRUPTED = "The answer was interrupted. Please try again."


async def say(chat: Chat, text: str = "hi", thread_id: str | None = None) -> Exchange:
    return await chat.say(text, thread_id, headers={"Idempotency-Key": NAME})


async def begin_saying(chat: Chat, text: str = "hi", thread_id: str | None = None) -> Exchange:
    return await chat.begin_saying(text, thread_id, headers={"Idempotency-Key": NAME})


async def stored() -> list[tuple[str, str]]:
    """The visible items of all threads: their types and texts."""
    return await db.run(lambda: list(ThreadItem.objects.visible().order_by("pk").values_list("type", "text")))


def told(answer: Exchange) -> list[str]:
    """The ids of the user's messages that a stream tells of."""
    items = [event["item"] for event in answer.events() if event["type"] == "thread.item.done"]
    return [item["id"] for item in items if item["type"] == "user_message"]


@pytest.fixture(params=["same", "other"])
def leave(request: Any) -> Any:
    """End the process that has made the answers, or go on with it."""
    return live_runs.clear if request.param == "other" else lambda: None


async def test_name_becomes_the_message_s_id(use):
    use("EchoServer")
    answer = await say(Chat())
    assert told(answer) == [ITEM]


async def test_first_message_sent_again_after_its_answer_was_read_is_stored_once(use, leave):
    use("EchoServer")
    chat = Chat()
    first = await say(chat)
    leave()
    again = await say(chat)
    assert (again.run_id, told(again), again.text()) == (first.run_id, [ITEM], "echo: hi")
    assert await db.run(Thread.objects.count) == 1
    assert await stored() == [("user_message", "hi"), ("assistant_message", "echo: hi")]


async def test_later_message_sent_again_after_its_answer_was_read_is_stored_once(use, leave):
    use("EchoServer")
    chat = Chat()
    thread_id = (await chat.say("first")).thread_id
    first = await say(chat, "hi", thread_id)
    leave()
    again = await say(chat, "hi", thread_id)
    assert (again.run_id, again.text()) == (first.run_id, "echo: hi")
    assert [text for _, text in await stored()] == ["first", "echo: first", "hi", "echo: hi"]


async def test_message_sent_again_to_the_thread_that_it_began_is_stored_once(use, leave):
    use("EchoServer")
    chat = Chat()
    first = await say(chat)
    leave()
    again = await say(chat, "hi", first.thread_id)
    assert again.run_id == first.run_id
    assert len(await stored()) == 2


async def test_message_sent_again_while_it_is_answered_joins_its_answer(use, gate):
    use("SlowServer")
    chat = Chat()
    first = await begin_saying(chat)
    again = await begin_saying(chat)
    gate.set()
    assert (await again.rest()).text() == "one two"
    assert again.run_id == first.run_id


async def test_same_text_under_another_name_is_another_message(use):
    use("EchoServer")
    chat = Chat()
    thread_id = (await say(chat)).thread_id
    await chat.say("hi", thread_id, headers={"Idempotency-Key": "f" * 32})
    assert [text for _, text in await stored()] == ["hi", "echo: hi", "hi", "echo: hi"]


async def test_name_of_somebody_else_s_message_is_another_one(use):
    use("EchoServer")
    first, second = await say(Chat(), "mine"), await say(Chat(), "yours")
    assert first.thread_id != second.thread_id
    assert second.text() == "echo: yours"


@pytest.mark.parametrize("name", ["", "short", "G" * 32, "0" * 33])
async def test_what_is_no_name_is_ignored(use, name):
    use("EchoServer")
    answer = await Chat().say("hi", headers={"Idempotency-Key": name})
    assert answer.text() == "echo: hi"
    assert told(answer) != [f"msg_{name}"]


async def test_message_that_is_stored_is_not_rewritten_by_another_of_its_name(use):
    use("EchoServer")
    chat = Chat()
    thread_id = (await say(chat, "said")).thread_id
    live_runs.clear()
    await db.run(Run.objects.all().delete)
    await say(chat, "never said", thread_id)
    assert (await stored())[0] == ("user_message", "said")
    assert await db.run(ThreadItem.objects.filter(public_id=ITEM).count) == 1


@pytest.fixture
async def storing(monkeypatch: pytest.MonkeyPatch) -> tuple[asyncio.Event, asyncio.Event]:
    """Events: a user's message is about to be stored, and it may be."""
    begun, allowed = asyncio.Event(), asyncio.Event()
    add = DjangoStore.add_thread_item

    async def add_slowly(self: DjangoStore, thread_id: str, item: Any, context: Any) -> None:
        if item.type == "user_message":
            begun.set()
            await allowed.wait()
        await add(self, thread_id, item, context)

    monkeypatch.setattr(DjangoStore, "add_thread_item", add_slowly)
    return begun, allowed


async def test_end_of_the_process_while_a_message_is_stored_tells_of_it(use, storing):
    use("EchoServer")
    begun, allowed = storing
    answer = await begin_saying(Chat())
    await begun.wait()
    ending = asyncio.create_task(shutdown.interrupt_all())
    # It hears of its end before the message is stored.
    for _turn in range(5):
        await asyncio.sleep(0)
    allowed.set()
    await answer.rest()
    await ending
    assert told(answer) == [ITEM]
    assert answer.error()["message"] == INTERRUPTED
    assert await stored() == [("user_message", "hi")]


@pytest.mark.parametrize("is_new", [True, False], ids=["first", "later"])
async def test_message_whose_answer_was_interrupted_is_told_of_when_it_is_sent_again(use, gate, is_new):
    use("SlowServer")
    chat = Chat()
    gate.set()
    thread_id = None if is_new else (await chat.say("first")).thread_id
    gate.clear()
    first = await begin_saying(chat, "hi", thread_id)
    await rows_become(lambda: ThreadItem.objects.filter(public_id=ITEM).exists())
    await shutdown.interrupt_all()
    await first.rest()
    live_runs.clear()
    again = await say(chat, "hi", thread_id)
    assert (again.run_id, told(again)) == (first.run_id, [ITEM])
    assert again.error() == {
        "type": "error",
        "code": "custom",
        "message": INTERRUPTED,
        "allow_retry": True,
    }
    assert await db.run(ThreadItem.objects.filter(text="hi").count) == 1


async def test_message_that_was_not_stored_is_when_it_is_sent_again(use, storing, monkeypatch):
    """The process was killed after it had begun a thread, and before it stored the message."""
    use("EchoServer")
    begun, allowed = storing
    chat = Chat()
    first = await begin_saying(chat)
    await begun.wait()
    run = live_runs.get(first.run_id)
    assert run is not None
    run.task.cancel()
    await first.rest()
    live_runs.clear()
    assert await stored() == []
    allowed.set()
    again = await say(chat)
    assert again.run_id != first.run_id
    assert again.text() == "echo: hi"
    assert await db.run(Thread.objects.count) == 1
    assert [text for _, text in await stored()] == ["hi", "echo: hi"]
