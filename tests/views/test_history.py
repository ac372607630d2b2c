"""The owner's list of threads: its order, its search, and what is pinned or archived."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User

from chatkit_app import db
from chatkit_app.models import Thread, ThreadItem
from chatkit_app.moderation.redaction import redact
from chatkit_app.server import history
from chatkit_app.store import InMemoryStore
from tests.chat import Chat, Exchange
from tests.servers import EchoServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


@pytest.fixture(autouse=True)
def echo(use: Any) -> None:
    use("EchoServer")


@pytest.fixture
async def chat() -> Chat:
    return await browser_of("maria")


async def browser_of(name: str) -> Chat:
    chat = Chat()
    await chat.log_in(await db.run(User.objects.create_user, name))
    return chat


async def begin(chat: Chat, *texts: str) -> list[str]:
    """A thread for each of these messages, which is its title as well."""
    return [(await chat.say(text)).thread_id for text in texts]


async def listed(chat: Chat, query: str = "") -> dict[str, Any]:
    reply = await (await chat.open("GET", f"{chat.path}/history{query}")).rest()
    assert reply.status == 200, reply.body
    assert reply.headers["cache-control"] == "no-store"
    return reply.json()


async def titles(chat: Chat, query: str = "") -> list[str]:
    return [thread["title"] for thread in (await listed(chat, query))["data"]]


async def keep(chat: Chat, thread_id: str, **wanted: Any) -> Exchange:
    return await patch(chat, thread_id, json.dumps(wanted).encode())


async def patch(chat: Chat, thread_id: str, body: bytes) -> Exchange:
    return await (await chat.open("PATCH", f"{chat.path}/threads/{thread_id}", body)).rest()


async def test_threads_are_listed_from_the_newest_as_the_protocol_has_them(chat):
    await begin(chat, "one", "two")
    (two, one) = (await listed(chat))["data"]
    of_protocol = (await chat.ask("threads.list", limit=20, order="desc")).json()["data"]
    assert [two, one] == [
        {name: value for name, value in row.items() if name not in ("items", "metadata")}
        for row in of_protocol
    ]


async def test_pages_follow_one_another(chat, monkeypatch):
    monkeypatch.setattr(history, "PAGE_SIZE", 2)
    ids = await begin(chat, "one", "two", "three")
    first = await listed(chat)
    assert ([thread["title"] for thread in first["data"]], first["has_more"]) == (["three", "two"], True)
    assert await titles(chat, f"?after={ids[1]}") == ["one"]


async def test_pinned_threads_come_first_and_once(chat):
    ids = await begin(chat, "one", "two", "three")
    assert (await keep(chat, ids[0], pinned=True)).status == 204
    rows = (await listed(chat))["data"]
    assert [(row["title"], row.get("pinned", False)) for row in rows] == [
        ("one", True),
        ("three", False),
        ("two", False),
    ]
    await keep(chat, ids[0], pinned=False)
    assert await titles(chat) == ["three", "two", "one"]


async def test_archived_threads_are_apart_until_something_happens_in_them(chat):
    ids = await begin(chat, "one", "two")
    await keep(chat, ids[0], archived=True)
    assert await titles(chat) == ["two"]
    (archived,) = (await listed(chat, "?archived=1"))["data"]
    assert (archived["title"], archived["archived"]) == ("one", True)
    await chat.say("more", ids[0])
    assert await titles(chat) == ["two", "one"]
    assert await titles(chat, "?archived=1") == []


async def test_first_page_says_whether_there_are_archived_threads(chat):
    ids = await begin(chat, "one", "two")
    assert (await listed(chat))["has_archived"] is False
    await keep(chat, ids[0], archived=True)
    assert (await listed(chat))["has_archived"] is True


async def test_archived_threads_are_still_in_the_list_of_the_protocol(chat):
    ids = await begin(chat, "one")
    await keep(chat, ids[0], archived=True)
    assert len((await chat.ask("threads.list", limit=20, order="desc")).json()["data"]) == 1


async def test_what_is_archived_is_not_pinned(chat):
    ids = await begin(chat, "one")
    await keep(chat, ids[0], pinned=True)
    await keep(chat, ids[0], archived=True)
    await keep(chat, ids[0], archived=False)
    assert [row.get("pinned") for row in (await listed(chat))["data"]] == [None]


async def test_no_more_than_so_many_can_be_pinned(chat, monkeypatch):
    monkeypatch.setattr(history, "MAX_PINNED", 1)
    ids = await begin(chat, "one", "two")
    assert (await keep(chat, ids[0], pinned=True)).status == 204
    assert (await keep(chat, ids[0], pinned=True)).status == 204
    reply = await keep(chat, ids[1], pinned=True)
    assert (reply.status, reply.json()["message"]) == (400, "No more than 1 conversations can be pinned.")


async def test_search_finds_titles_and_what_was_said(chat):
    ids = await begin(chat, "Trains to Rome", "Something else")
    await chat.say("and a hotel near the Colosseum, please", ids[1])
    assert await titles(chat, "?search=rome") == ["Trains to Rome"]
    (found,) = (await listed(chat, "?search=COLOSSEUM"))["data"]
    assert (found["id"], found["excerpt"]) == (ids[1], "…and a hotel near the Colosseum, please")


async def test_search_finds_archived_threads_and_says_so(chat):
    ids = await begin(chat, "Trains to Rome")
    await keep(chat, ids[0], archived=True)
    assert [row["archived"] for row in (await listed(chat, "?search=rome"))["data"]] == [True]


async def test_search_takes_its_words_as_they_are(chat):
    await begin(chat, "100 % sure", "fully sure")
    assert await titles(chat, "?search=%25") == ["100 % sure"]
    assert await titles(chat, "?search=_") == []
    assert await titles(chat, "?search=a%00") == []


async def test_search_finds_nothing_of_others_nor_what_is_redacted_or_hidden(chat):
    await begin(await browser_of("otto"), "secret of Otto")
    (thread_id,) = await begin(chat, "Hello")

    def change() -> None:
        thread = Thread.objects.get(public_id=thread_id)
        ThreadItem.objects.create(
            thread=thread, public_id="hidden", type="hidden_context_item", text="secret of the house"
        )
        item = ThreadItem.objects.create(
            thread=thread,
            public_id="said",
            type="assistant_message",
            text="my secret",
            payload={"content": [{"type": "output_text", "text": "my secret", "annotations": []}]},
        )
        redact(item, actor=User.objects.create_superuser("admin"), reason="x")

    await db.run(change)
    assert await titles(chat, "?search=secret") == []


async def test_excerpt_is_a_line_around_what_was_found(chat):
    await begin(chat, "Hello")
    text = "x" * 200 + "\n  here it\nis " + "y" * 200

    def add() -> None:
        thread = Thread.objects.get()
        ThreadItem.objects.create(thread=thread, public_id="a", type="assistant_message", text=text)

    await db.run(add)
    (found,) = (await listed(chat, "?search=here"))["data"]
    assert found["excerpt"] == "…" + "x" * 21 + " here it is " + "y" * 93 + "…"


async def test_visitor_without_a_session_has_no_history():
    chat = Chat()
    assert await listed(chat) == {"data": [], "has_more": False, "has_archived": False}
    assert "sessionid" not in chat.cookies


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"pinned": 1}', b'{"title": "x"}', b'{"archived": null}']
)
async def test_order_that_makes_no_sense_is_refused(chat, body):
    ids = await begin(chat, "one")
    reply = await patch(chat, ids[0], body)
    assert reply.status == 400
    assert await titles(chat) == ["one"]


async def test_order_needs_the_token(chat):
    ids = await begin(chat, "one")
    path = f"{chat.path}/threads/{ids[0]}"
    reply = await (await chat.open("PATCH", path, b'{"archived": true}', csrf=False)).rest()
    assert reply.status == 403


async def test_order_leaves_the_thread_as_it_is(chat):
    ids = await begin(chat, "one")
    before = await db.run(lambda: Thread.objects.values("version", "last_activity").get())
    await keep(chat, ids[0], pinned=True)
    assert await db.run(lambda: Thread.objects.values("version", "last_activity").get()) == before


async def test_server_with_another_store_has_none(settings):
    settings.CHATKIT = {"SERVER": f"{__name__}.MemoryServer", "LIMITS": {}}
    reply = await (await Chat().open("GET", "/chatkit/history")).rest()
    assert (reply.status, reply.json()) == (400, {"message": "This chat does not support that."})


class MemoryServer(EchoServer):
    def __init__(self) -> None:
        super().__init__(InMemoryStore())
