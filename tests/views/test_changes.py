"""What an open page is told of a thread that has changed."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from chatkit_app import db
from chatkit_app.models import RemovedItem, Thread, ThreadItem
from chatkit_app.moderation import set_status, takeover
from chatkit_app.moderation.redaction import redact
from chatkit_app.server.changes import MAX_CHANGES
from chatkit_app.store import InMemoryStore
from tests.chat import Chat, Exchange
from tests.servers import EchoServer

pytestmark = pytest.mark.django_db(transaction=True)

GONE = "This conversation or part of it no longer exists."


@pytest.fixture(autouse=True)
def echo(use: Any) -> None:
    use("EchoServer")


@pytest.fixture
async def begun() -> tuple[Chat, str, int]:
    """A visitor, their thread with one turn, and its version."""
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    thread = (await chat.ask("threads.get_by_id", thread_id=thread_id)).json()
    return chat, thread_id, thread["version"]


async def changes(chat: Chat, thread_id: str, after: Any = 0) -> Exchange:
    path = f"{chat.path}/threads/{thread_id}/changes?after={after}"
    return await (await chat.open("GET", path)).rest()


def item_row(thread_id: str, public_id: str, **columns: Any) -> ThreadItem:
    """Add an item as whatever adds one does."""
    threads = Thread.objects.filter(public_id=thread_id)
    [(pk, version)] = threads.bump().items()
    payload = {"content": [{"type": "output_text", "text": public_id, "annotations": []}]}
    columns = {"type": "assistant_message", "payload": payload, "text": public_id} | columns
    return ThreadItem.objects.create(thread_id=pk, public_id=public_id, version=version, **columns)


def texts(items: list[dict[str, Any]]) -> list[str]:
    return [item["content"][0]["text"] for item in items]


async def test_page_that_knows_nothing_is_told_the_whole_thread(begun):
    chat, thread_id, version = begun
    reply = await changes(chat, thread_id)
    assert reply.status == 200
    assert reply.headers["cache-control"] == "no-store"
    told = reply.json()
    assert told["version"] == version
    assert told["removed"] == []
    whole = (await chat.ask("threads.get_by_id", thread_id=thread_id)).json()
    del whole["version"]
    assert told["thread"] == whole
    assert texts(told["thread"]["items"]["data"]) == ["hi", "echo: hi"]


async def test_page_that_knows_all_is_told_no_items(begun):
    chat, thread_id, version = begun
    told = (await changes(chat, thread_id, version)).json()
    assert (told["version"], told["removed"]) == (version, [])
    assert told["thread"]["items"]["data"] == []


async def test_page_is_told_of_what_came_later_alone(begun):
    chat, thread_id, version = begun
    await chat.say("more", thread_id)
    told = (await changes(chat, thread_id, version)).json()
    assert texts(told["thread"]["items"]["data"]) == ["more", "echo: more"]
    assert told["version"] > version


async def test_redacted_message_is_told_as_it_is_shown(begun):
    chat, thread_id, version = begun
    await db.run(lambda: redact(ThreadItem.objects.get(text="hi"), actor=None, reason="Private"))
    items = (await changes(chat, thread_id, version)).json()["thread"]["items"]["data"]
    assert texts(items)[0] == "This message was removed by a moderator."
    assert items == (await chat.items(thread_id))[: len(items)]


async def test_lock_is_told_with_its_reason(begun):
    chat, thread_id, version = begun
    await db.run(
        lambda: set_status([Thread.objects.get()], Thread.Status.LOCKED, reason="Too rude", actor=None)
    )
    told = (await changes(chat, thread_id, version)).json()
    assert told["thread"]["status"] == {"type": "locked", "reason": "Too rude"}
    assert told["thread"]["items"]["data"] == []


async def test_person_and_what_they_write_are_told_with_their_name(begun):
    chat, thread_id, version = begun

    def answer() -> None:
        maria = User.objects.create_user("maria", first_name="Maria", is_staff=True)
        takeover.take_over(Thread.objects.get(), actor=maria)
        takeover.reply(Thread.objects.get(), "Hello, this is Maria", actor=maria)

    await db.run(answer)
    thread = (await changes(chat, thread_id, version)).json()["thread"]
    assert (thread["handler"]["state"], thread["handler"]["name"]) == ("staff", "Maria")
    [item] = thread["items"]["data"]
    assert item["author"] == {"name": "Maria"}
    assert item["said"] == "Hello, this is Maria"


async def test_removed_item_is_named(begun):
    chat, thread_id, version = begun

    def remove() -> None:
        row = ThreadItem.objects.get(text="echo: hi")
        [(pk, new)] = Thread.objects.filter(public_id=thread_id).bump().items()
        RemovedItem.objects.create(thread_id=pk, public_id=row.public_id, version=new)
        row.delete()

    answer = (await chat.items(thread_id))[1]["id"]
    await db.run(remove)
    told = (await changes(chat, thread_id, version)).json()
    assert told["removed"] == [answer]
    assert (await changes(chat, thread_id, told["version"])).json()["removed"] == []


async def test_item_that_has_come_back_is_not_named_as_removed(begun):
    chat, thread_id, version = begun

    def come_back() -> None:
        [(pk, new)] = Thread.objects.filter(public_id=thread_id).bump().items()
        RemovedItem.objects.create(thread_id=pk, public_id="msg_back", version=new)
        item_row(thread_id, "msg_back")

    await db.run(come_back)
    told = (await changes(chat, thread_id, version)).json()
    assert told["removed"] == []
    assert texts(told["thread"]["items"]["data"]) == ["msg_back"]


async def test_what_only_the_model_reads_is_not_told(begun):
    chat, thread_id, version = begun
    await db.run(
        lambda: item_row(thread_id, "msg_note", type="hidden_context_item", payload={"content": "secret"})
    )
    reply = await changes(chat, thread_id, version)
    assert reply.json()["thread"]["items"]["data"] == []
    assert b"secret" not in reply.body
    assert reply.json()["version"] == version + 1


async def test_items_come_in_the_order_of_the_thread(begun):
    chat, thread_id, version = begun

    def change() -> None:
        for name in ("msg_a", "msg_b", "msg_c"):
            item_row(thread_id, name)
        [new] = Thread.objects.filter(public_id=thread_id).bump().values()
        ThreadItem.objects.filter(public_id="msg_a").update(version=new)

    await db.run(change)
    items = (await changes(chat, thread_id, version)).json()["thread"]["items"]["data"]
    assert texts(items) == ["msg_a", "msg_b", "msg_c"]


async def test_feedback_is_told_beside_what_changed(begun):
    chat, thread_id, _version = begun
    answer = (await chat.items(thread_id))[1]["id"]
    await chat.ask("items.feedback", thread_id=thread_id, item_ids=[answer], kind="positive")
    items = (await changes(chat, thread_id)).json()["thread"]["items"]["data"]
    assert [item.get("feedback") for item in items] == [None, "positive"]


@pytest.mark.parametrize(("more", "is_reset"), [(0, False), (1, True)])
async def test_page_that_has_missed_too_much_reads_the_thread_anew(begun, more, is_reset):
    chat, thread_id, version = begun

    def fill() -> None:
        first = item_row(thread_id, "msg_0")
        ThreadItem.objects.bulk_create(
            ThreadItem(
                thread_id=first.thread_id,
                public_id=f"msg_{number}",
                type=first.type,
                payload=first.payload,
                version=first.version,
            )
            for number in range(1, MAX_CHANGES + more)
        )

    await db.run(fill)
    told = (await changes(chat, thread_id, version)).json()
    assert told.get("reset", False) is is_reset
    assert told["version"] == version + 1
    if is_reset:
        assert set(told) == {"version", "reset"}
    else:
        assert len(told["thread"]["items"]["data"]) == 200


@pytest.mark.parametrize("after", ["", "-1", "1.5", "abc", "٣", "9" * 19, "9" * 20, "%00"])
async def test_what_is_no_version_is_refused(begun, after):
    chat, thread_id, _version = begun
    reply = await changes(chat, thread_id, after)
    assert reply.status == 400
    assert reply.json() == {"message": "Not a valid ChatKit request: after"}


async def test_version_of_the_future_is_no_error(begun):
    chat, thread_id, version = begun
    told = (await changes(chat, thread_id, 2**63 - 1)).json()
    assert told["version"] == version
    assert told["thread"]["items"]["data"] == []


@pytest.mark.parametrize("thread_id", ["thr_absent", "%00", "x" * 300])
async def test_thread_that_there_is_not_is_told_as_one(begun, thread_id):
    chat = begun[0]
    reply = await changes(chat, thread_id)
    assert (reply.status, reply.json()) == (404, {"message": GONE})


async def test_url_takes_nothing_but_get(begun):
    chat, thread_id, _version = begun
    reply = await (await chat.open("POST", f"{chat.path}/threads/{thread_id}/changes")).rest()
    assert (reply.status, reply.headers["allow"]) == (405, "GET")


async def test_login_is_wanted_where_the_chat_wants_it(begun, use):
    chat, thread_id, _version = begun
    use("EchoServer", LOGIN_REQUIRED=True)
    assert (await changes(chat, thread_id)).status == 401


class MemoryServer(EchoServer):
    def __init__(self) -> None:
        super().__init__(InMemoryStore())


async def test_server_with_a_store_of_its_own_tells_no_changes(begun, settings):
    chat, thread_id, _version = begun
    settings.CHATKIT = {"SERVER": "tests.views.test_changes.MemoryServer"}
    reply = await changes(chat, thread_id)
    assert (reply.status, reply.json()) == (400, {"message": "This chat does not support that."})
