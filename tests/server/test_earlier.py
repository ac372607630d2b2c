"""Messages that are edited and answers that are made again: what was there before is kept beside them."""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import Any

import pytest
from django.contrib.auth.models import User

from chatkit_app import db
from chatkit_app.models import Attachment, EarlierItem, Feedback, Run, Thread, ThreadItem
from chatkit_app.moderation import redaction, set_status, takeover
from chatkit_app.store import InMemoryStore
from tests.chat import Chat, Exchange, message, rows_become
from tests.servers import EchoServer, SlowServer

pytestmark = pytest.mark.django_db(transaction=True)

GONE = "This conversation or part of it no longer exists."
UNFIT = "This does not fit the conversation. Reload the page and try again."


@pytest.fixture(autouse=True)
def echo(use: Any) -> None:
    use("EchoServer")


def encode_edit(thread_id: str, replaces: Any, text: str, **fields: Any) -> bytes:
    """A message in the place of another one."""
    params = {"thread_id": thread_id, "input": message(text, **fields)}
    metadata = {"chatkit_app.replaces": replaces}
    return json.dumps({"type": "threads.add_user_message", "params": params, "metadata": metadata}).encode()


async def edit(chat: Chat, thread_id: str, replaces: Any, text: str, **fields: Any) -> Exchange:
    return await chat.post(encode_edit(thread_id, replaces, text, **fields))


async def look(chat: Chat, thread_id: str, item: str, of: str, number: Any = 1, more: str = "") -> Exchange:
    query = f"item={item}&of={of}&number={number}{more}"
    return await (await chat.open("GET", f"{chat.path}/threads/{thread_id}/earlier?{query}")).rest()


def texts(items: list[dict[str, Any]]) -> list[str]:
    return [item["content"][0]["text"] for item in items]


def earlier() -> list[tuple[str, str, int, str]]:
    rows = EarlierItem.objects.order_by("pk")
    return list(rows.values_list("place", "of", "number", "text"))


async def begun(text: str = "hi") -> tuple[Chat, str, str]:
    """A visitor, their thread with one turn, and the id of their message."""
    chat = Chat()
    thread_id = (await chat.say(text)).thread_id
    return chat, thread_id, (await chat.items(thread_id))[0]["id"]


# --- Answered again -----------------------------------------------------------------------------------------


async def test_answer_is_kept_beside_the_one_that_is_made_again():
    chat, thread_id, asked = await begun()
    again = await chat.ask("threads.retry_after_item", thread_id=thread_id, item_id=asked)
    assert again.text() == "echo: hi"
    assert await db.run(earlier) == [(asked, "answer", 1, "echo: hi")]
    question, answer = await chat.items(thread_id)
    assert question["earlier"] == {"answer": 1}
    told = (await look(chat, thread_id, asked, "answer")).json()
    assert (texts(told["data"]), told["has_more"]) == (["echo: hi"], False)
    assert told["data"][0]["id"] != answer["id"]


async def test_reader_of_the_new_answer_is_told_that_there_is_an_earlier_one():
    chat, thread_id, asked = await begun()
    events = (await chat.ask("threads.retry_after_item", thread_id=thread_id, item_id=asked)).events()
    assert events[0]["type"] == "thread.item.replaced"
    assert (events[0]["item"]["id"], events[0]["item"]["earlier"]) == (asked, {"answer": 1})


async def test_other_pages_hear_of_the_earlier_answer():
    chat, thread_id, asked = await begun()
    answer = (await chat.items(thread_id))[1]["id"]
    version = await db.run(lambda: Thread.objects.get().version)
    await chat.ask("threads.retry_after_item", thread_id=thread_id, item_id=asked)
    path = f"{chat.path}/threads/{thread_id}/changes?after={version}"
    told = (await (await chat.open("GET", path)).rest()).json()
    assert told["removed"] == [answer]
    assert told["thread"]["items"]["data"][0]["earlier"] == {"answer": 1}


async def test_what_was_said_after_an_earlier_message_is_kept_with_its_answer():
    chat, thread_id, asked = await begun("one")
    await chat.say("two", thread_id)
    await chat.ask("threads.retry_after_item", thread_id=thread_id, item_id=asked)
    assert texts(await chat.items(thread_id)) == ["one", "echo: one"]
    told = (await look(chat, thread_id, asked, "answer")).json()
    assert texts(told["data"]) == ["echo: one", "two", "echo: two"]


async def test_answers_are_numbered_from_the_oldest():
    chat, thread_id, asked = await begun()
    first = (await chat.items(thread_id))[1]["id"]
    for _ in range(2):
        await chat.ask("threads.retry_after_item", thread_id=thread_id, item_id=asked)
    assert (await chat.items(thread_id))[0]["earlier"] == {"answer": 2}
    assert (await look(chat, thread_id, asked, "answer", 1)).json()["data"][0]["id"] == first
    assert (await look(chat, thread_id, asked, "answer", 2)).json()["data"][0]["id"] != first


async def test_answer_that_said_nothing_is_no_version(use):
    use("RaisingServer")
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    use("EchoServer")
    asked = (await chat.items(thread_id))[0]["id"]
    events = (await chat.ask("threads.retry_after_item", thread_id=thread_id, item_id=asked)).events()
    assert "thread.item.replaced" not in [event["type"] for event in events]
    assert "earlier" not in (await chat.items(thread_id))[0]
    assert await db.run(earlier) == []


async def test_oldest_versions_go(monkeypatch):
    monkeypatch.setattr("chatkit_app.store.earlier.MAX_VERSIONS", 2)
    chat, thread_id, asked = await begun()
    first = (await chat.items(thread_id))[1]["id"]
    for _ in range(3):
        await chat.ask("threads.retry_after_item", thread_id=thread_id, item_id=asked)
    assert (await chat.items(thread_id))[0]["earlier"] == {"answer": 2}
    assert [number for _, _, number, _ in await db.run(earlier)] == [2, 3]
    kept = [(await look(chat, thread_id, asked, "answer", number)).json() for number in (1, 2)]
    assert first not in [page["data"][0]["id"] for page in kept]


async def test_thread_counts_and_shows_what_is_in_it():
    chat, thread_id, asked = await begun()
    answer = (await chat.items(thread_id))[1]["id"]
    await chat.ask("items.feedback", thread_id=thread_id, item_ids=[answer], kind="negative")
    await chat.ask("threads.retry_after_item", thread_id=thread_id, item_id=asked)
    thread = await db.run(Thread.objects.get)
    assert (thread.item_count, thread.last_preview, thread.negative_count) == (2, "echo: hi", 0)
    assert await db.run(Feedback.objects.count) == 0
    assert await db.run(lambda: ThreadItem.objects.count()) == 2


# --- Edited -------------------------------------------------------------------------------------------------


async def test_message_is_edited_and_answered():
    chat, thread_id, asked = await begun()
    answer = await edit(chat, thread_id, asked, "hello")
    assert answer.text() == "echo: hello"
    question, told = await chat.items(thread_id)
    assert texts([question, told]) == ["hello", "echo: hello"]
    assert question["earlier"] == {"message": 1}
    assert answer.events()[0]["item"] == question
    assert texts((await look(chat, thread_id, question["id"], "message")).json()["data"]) == [
        "hi",
        "echo: hi",
    ]


async def test_message_that_is_edited_twice_has_two_earlier_versions():
    chat, thread_id, asked = await begun("one")
    await edit(chat, thread_id, asked, "two")
    await edit(chat, thread_id, (await chat.items(thread_id))[0]["id"], "three")
    question = (await chat.items(thread_id))[0]
    assert question["earlier"] == {"message": 2}
    for number, text in ((1, "one"), (2, "two")):
        found = (await look(chat, thread_id, question["id"], "message", number)).json()["data"]
        assert texts(found) == [text, f"echo: {text}"]


async def test_earlier_answers_of_an_edited_message_are_kept_with_it():
    chat, thread_id, asked = await begun()
    await chat.ask("threads.retry_after_item", thread_id=thread_id, item_id=asked)
    await edit(chat, thread_id, asked, "hello")
    question = (await chat.items(thread_id))[0]
    assert question["earlier"] == {"message": 1}
    before = (await look(chat, thread_id, question["id"], "message")).json()["data"][0]
    assert (before["id"], before["earlier"]) == (asked, {"answer": 1})
    assert texts((await look(chat, thread_id, asked, "answer")).json()["data"]) == ["echo: hi"]


async def test_model_reads_what_is_shown_alone(monkeypatch):
    seen: list[list[str]] = []

    async def respond(self, thread, input_user_message, context):
        page = await self.store.load_thread_items(thread.id, None, 50, "asc", context)
        seen.append([item.content[0].text for item in page.data])
        yield self.text_event("read")

    monkeypatch.setattr(EchoServer, "respond", respond)
    chat, thread_id, asked = await begun()
    await edit(chat, thread_id, asked, "hello")
    assert seen == [["hi"], ["hello"]]


async def test_edit_keeps_what_was_quoted_and_the_model_that_was_chosen():
    chat, thread_id, asked = await begun()
    await edit(
        chat, thread_id, asked, "hello", quoted_text="as said", inference_options={"model": "gpt-large"}
    )
    question = (await chat.items(thread_id))[0]
    assert (question["quoted_text"], question["inference_options"]["model"]) == ("as said", "gpt-large")


async def test_edit_keeps_the_files_of_the_message(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    settings.CHATKIT = settings.CHATKIT | {"ATTACHMENTS": {}}
    chat, thread_id, asked = await begun()

    def attach() -> None:
        thread = Thread.objects.get()
        Attachment.objects.create(
            public_id="atc_1",
            thread=thread,
            visitor_id=thread.visitor_id,
            type="file",
            name="a.txt",
            mime_type="text/plain",
            file="chatkit/a",
        )

    await db.run(attach)
    await edit(chat, thread_id, asked, "with a file", attachments=["atc_1"])
    first = (await chat.items(thread_id))[0]
    await edit(chat, thread_id, first["id"], "still with it", attachments=["atc_1"])
    question = (await chat.items(thread_id))[0]
    assert [file["name"] for file in question["attachments"]] == ["a.txt"]
    before = (await look(chat, thread_id, question["id"], "message", 2)).json()["data"][0]
    assert [file["name"] for file in before["attachments"]] == ["a.txt"]


async def test_edit_that_is_sent_again_is_done_once():
    chat, thread_id, asked = await begun()
    body = encode_edit(thread_id, asked, "hello")
    named = {"Idempotency-Key": secrets.token_hex(16)}
    answers = [(await chat.post(body, named)).text() for _ in range(2)]
    assert answers == ["echo: hello", "echo: hello"]
    question = (await chat.items(thread_id))[0]
    assert (question["id"], question["earlier"]) == (f"msg_{named['Idempotency-Key']}", {"message": 1})
    assert await db.run(Run.objects.count) == 2


async def test_message_that_is_sent_again_after_its_edit_stays_replaced(use):
    use("RaisingServer")
    chat = Chat()
    thread_id = (await chat.say("before")).thread_id
    named = {"Idempotency-Key": secrets.token_hex(16)}
    await chat.say("hi", thread_id, headers=named)
    use("EchoServer")
    await edit(chat, thread_id, f"msg_{named['Idempotency-Key']}", "hello")
    await chat.say("hi", thread_id, headers=named)
    assert texts(await chat.items(thread_id)) == ["before", "hello", "echo: hello"]


@pytest.mark.parametrize("replaces", [7, None, ["a"]], ids=repr)
async def test_edit_of_no_id_is_refused(replaces):
    chat, thread_id, _asked = await begun()
    refused = await edit(chat, thread_id, replaces, "hello")
    assert refused.error()["message"] == "Not a valid ChatKit request: chatkit_app.replaces"
    assert texts(await chat.items(thread_id)) == ["hi", "echo: hi"]


@pytest.mark.parametrize("replaces", ["msg_unknown", "", "\0"])
async def test_edit_of_an_unknown_message_is_refused(replaces):
    chat, thread_id, _asked = await begun()
    assert (await edit(chat, thread_id, replaces, "hello")).error()["message"] == GONE
    assert texts(await chat.items(thread_id)) == ["hi", "echo: hi"]


async def test_edit_of_a_message_of_another_thread_is_refused():
    chat, thread_id, _asked = await begun()
    other = (await chat.say("else")).thread_id
    for message_id in ((await chat.items(other))[0]["id"], (await begun())[2]):
        assert (await edit(chat, thread_id, message_id, "hello")).error()["message"] == GONE
    assert texts(await chat.items(thread_id)) == ["hi", "echo: hi"]
    assert texts(await chat.items(other)) == ["else", "echo: else"]


async def test_edit_of_an_answer_is_refused():
    chat, thread_id, _asked = await begun()
    answer = (await chat.items(thread_id))[1]["id"]
    assert (await edit(chat, thread_id, answer, "hello")).error()["message"] == UNFIT


async def test_edit_of_a_message_that_is_not_the_last_is_refused():
    chat, thread_id, asked = await begun()
    await chat.say("more", thread_id)
    assert (await edit(chat, thread_id, asked, "hello")).error()["message"] == UNFIT
    assert texts(await chat.items(thread_id)) == ["hi", "echo: hi", "more", "echo: more"]
    assert await db.run(earlier) == []


async def test_edit_of_a_redacted_message_is_refused():
    chat, thread_id, asked = await begun()
    await db.run(lambda: redaction.redact(ThreadItem.objects.get(public_id=asked), actor=None, reason=""))
    assert (await edit(chat, thread_id, asked, "hello")).error()["message"] == UNFIT


async def test_edit_in_a_locked_thread_is_refused():
    chat, thread_id, asked = await begun()
    await db.run(lambda: set_status(Thread.objects.all(), Thread.Status.LOCKED, reason="", actor=None))
    assert (await edit(chat, thread_id, asked, "hello")).error()["message"] == "This conversation is locked."


async def test_edit_of_nothing_is_refused():
    chat, thread_id, asked = await begun()
    assert (await edit(chat, thread_id, asked, " ")).error()["message"] == "The message is empty."


async def test_edit_while_an_answer_is_written_is_refused(use, gate):
    use("SlowServer")
    chat = Chat()
    begun = await chat.begin_saying("hi")
    await begun.until('"delta":"one "')
    thread_id = begun.thread_id
    asked = (await chat.items(thread_id))[0]["id"]
    other = Chat(frame="frame-2")
    other.cookies = chat.cookies
    refused = await edit(other, thread_id, asked, "hello")
    assert refused.error()["message"].startswith("An answer is still being written")
    gate.set()
    await begun.rest()
    assert await db.run(earlier) == []


async def test_only_one_of_two_edits_at_once_is_done(use, gate):
    chat, thread_id, asked = await begun()
    use("SlowServer")
    other = Chat(frame="frame-2")
    other.cookies = chat.cookies
    edits = [
        asyncio.create_task(edit(each, thread_id, asked, text)) for each, text in ((chat, "a"), (other, "b"))
    ]
    await rows_become(lambda: EarlierItem.objects.exists())
    gate.set()
    answers = [await task for task in edits]
    assert sorted("error" in answer.types() for answer in answers) == [False, True]
    assert SlowServer.started == 1
    assert (await chat.items(thread_id))[0]["earlier"] == {"message": 1}


async def test_edit_of_what_a_person_looks_after_is_refused():
    chat, thread_id, asked = await begun()
    await db.run(
        lambda: takeover.take_over(Thread.objects.get(), actor=User.objects.create_superuser("boss"))
    )
    refused = await edit(chat, thread_id, asked, "hello")
    assert refused.error()["message"].startswith("Our team is looking after this conversation.")
    assert texts(await chat.items(thread_id)) == ["hi", "echo: hi"]


async def test_edit_counts_as_a_message(settings):
    settings.CHATKIT = settings.CHATKIT | {"LIMITS": {"MESSAGES_PER_DAY": 2}}
    chat, thread_id, asked = await begun()
    await edit(chat, thread_id, asked, "hello")
    last = (await chat.items(thread_id))[0]["id"]
    refused = await edit(chat, thread_id, last, "and again")
    assert refused.error()["message"].startswith("You have reached a limit of this chat.")


async def test_full_thread_takes_an_edit(settings):
    settings.CHATKIT = settings.CHATKIT | {"LIMITS": {"ITEMS_PER_THREAD": 2}}
    chat, thread_id, asked = await begun()
    assert (await edit(chat, thread_id, asked, "hello")).text() == "echo: hello"


class MemoryServer(EchoServer):
    def __init__(self) -> None:
        super().__init__(InMemoryStore())


async def test_other_stores_take_no_edit(settings):
    settings.CHATKIT = {"SERVER": "tests.server.test_earlier.MemoryServer"}
    chat, thread_id, asked = await begun()
    assert (await edit(chat, thread_id, asked, "x")).error()["message"] == "This chat does not support that."
    reply = await look(chat, thread_id, asked, "message")
    assert (reply.status, reply.json()) == (400, {"message": "This chat does not support that."})


# --- Looked at ----------------------------------------------------------------------------------------------


async def test_redacted_part_of_a_version_says_so():
    chat, thread_id, asked = await begun()
    await edit(chat, thread_id, asked, "hello")
    await db.run(lambda: redaction.redact(EarlierItem.objects.get(text="echo: hi"), actor=None, reason=""))
    question = (await chat.items(thread_id))[0]["id"]
    found = (await look(chat, thread_id, question, "message")).json()["data"]
    assert texts(found) == ["hi", "This message was removed by a moderator."]


async def test_hidden_items_of_a_version_stay_hidden(use):
    use("FurnitureServer")
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    asked = (await chat.items(thread_id))[0]["id"]
    await chat.ask("threads.retry_after_item", thread_id=thread_id, item_id=asked)
    found = (await look(chat, thread_id, asked, "answer")).json()["data"]
    assert "hidden_context_item" in await db.run(lambda: [row.type for row in EarlierItem.objects.all()])
    assert "hidden_context_item" not in [item["type"] for item in found]


async def test_long_version_comes_in_pages(monkeypatch):
    monkeypatch.setattr("chatkit_app.server.earlier.PAGE_SIZE", 2)
    chat, thread_id, asked = await begun("one")
    await chat.say("two", thread_id)
    await chat.ask("threads.retry_after_item", thread_id=thread_id, item_id=asked)
    first = (await look(chat, thread_id, asked, "answer")).json()
    assert (texts(first["data"]), first["has_more"]) == (["echo: one", "two"], True)
    rest = (await look(chat, thread_id, asked, "answer", 1, f"&after={first['data'][1]['id']}")).json()
    assert (texts(rest["data"]), rest["has_more"]) == (["echo: two"], False)


@pytest.mark.parametrize(
    ("of", "number", "status"),
    [
        ("answer", 2, 404),
        ("answer", 0, 404),
        ("message", 1, 404),
        ("answer", "x", 400),
        ("answer", "-1", 400),
        ("answer", "99999999999999999999", 400),
        ("other", 1, 400),
    ],
)
async def test_version_that_there_is_not_is_not_found(of, number, status):
    chat, thread_id, asked = await begun()
    await chat.ask("threads.retry_after_item", thread_id=thread_id, item_id=asked)
    assert (await look(chat, thread_id, asked, of, number)).status == status


async def test_version_is_its_owners_alone():
    chat, thread_id, asked = await begun()
    await chat.ask("threads.retry_after_item", thread_id=thread_id, item_id=asked)
    stranger = Chat()
    await stranger.say("hello")
    assert (await look(stranger, thread_id, asked, "answer")).status == 404
    assert (await look(chat, thread_id, asked, "answer")).status == 200


async def test_deleted_thread_takes_its_versions_along():
    chat, thread_id, asked = await begun()
    await edit(chat, thread_id, asked, "hello")
    await chat.ask("threads.delete", thread_id=thread_id)
    assert await db.run(EarlierItem.objects.count) == 0
