"""What an open page of a thread is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient, Client

from chatkit_app import db
from chatkit_app.admin.live_thread import is_told
from chatkit_app.models import AuditEntry, Presence, RemovedItem, Thread
from chatkit_app.moderation import set_status

from .conftest import make_item, make_run, make_thread

READER = ("view_thread", "view_content")


def changes(client: Client, thread: Thread, after: int = 0, **query: Any) -> dict[str, Any]:
    response = client.get(f"/admin/chatkit_app/thread/{thread.pk}/changes/", {"after": after, **query})
    assert response.status_code == 200
    told: dict[str, Any] = response.json()
    return told


@pytest.fixture
def reader(staff: Callable[..., Client]) -> Client:
    return staff(*READER)


@pytest.fixture
def thread(db: None) -> Thread:
    """A thread of version 3, whose second item is the newest."""
    thread = make_thread("Lost parcel", version=3)
    make_item(thread, text="first", version=1)
    make_item(thread, text="second", version=3)
    return thread


def texts(told: dict[str, Any]) -> list[str]:
    return [item["content"][0]["text"] for item in told["thread"]["items"]["data"]]


def test_page_is_told_of_items_that_came_or_changed_after_its_version(reader: Client, thread: Thread) -> None:
    assert texts(changes(reader, thread)) == ["first", "second"]
    told = changes(reader, thread, after=2)
    assert texts(told) == ["second"]
    assert told["version"] == 3
    assert told["thread"]["items"]["data"][0]["staff"]["label"] == "User message"
    assert changes(reader, thread, after=3)["thread"]["items"]["data"] == []


def test_page_is_told_what_is_gone(reader: Client, thread: Thread) -> None:
    RemovedItem.objects.create(thread=thread, public_id="msg_gone", version=3)
    assert changes(reader, thread, after=2)["removed"] == ["msg_gone"]


def test_page_that_has_missed_too_much_reads_anew(reader: Client, thread: Thread) -> None:
    for number in range(50):
        make_item(thread, text=f"{number}", version=3)
    told = changes(reader, thread)
    assert told["reset"] is True
    assert "thread" not in told


@pytest.mark.parametrize("after", ["", "x", "-1", "9" * 30])
def test_nonsense_is_the_beginning(reader: Client, thread: Thread, after: Any) -> None:
    assert texts(changes(reader, thread, after=after)) == ["first", "second"]


def test_what_only_the_model_was_told_is_for_those_who_may_read_it(
    reader: Client, staff: Callable[..., Client], thread: Thread
) -> None:
    make_item(thread, "hidden_context_item", payload={"content": "the plan"}, version=3)
    assert len(changes(reader, thread, after=2)["thread"]["items"]["data"]) == 1
    deep = changes(staff(*READER, "view_hidden_context"), thread, after=2)
    assert [item["type"] for item in deep["thread"]["items"]["data"]] == [
        "user_message",
        "hidden_context_item",
    ]


def test_what_is_read_is_in_the_audit_but_not_ones_own_words(reader: Client, thread: Thread) -> None:
    changes(reader, thread, after=3)
    assert AuditEntry.objects.count() == 0
    changes(reader, thread, after=2)
    assert AuditEntry.objects.get().details["count"] == 1
    me = reader.staff  # type: ignore[attr-defined]
    Thread.objects.filter(pk=thread.pk).update(version=4)
    make_item(thread, "assistant_message", payload={"content": []}, version=4, author=me, author_name="Me")
    changes(reader, thread, after=3)
    assert AuditEntry.objects.count() == 1


def test_state_differs_when_something_beside_the_transcript_does(reader: Client, thread: Thread) -> None:
    before = changes(reader, thread)["state"]
    assert changes(reader, thread)["state"] == before
    set_status([thread], Thread.Status.LOCKED, reason="x", actor=User.objects.create_superuser("boss"))
    assert changes(reader, thread)["state"] != before


def test_page_without_a_socket_is_seen_by_others(
    reader: Client, staff: Callable[..., Client], thread: Thread
) -> None:
    changes(reader, thread, page="0" * 32)
    changes(reader, thread, page="no key")
    assert Presence.objects.count() == 1
    name = reader.staff.username  # type: ignore[attr-defined]
    assert [person["name"] for person in changes(staff(*READER), thread)["people"]] == [name]


def test_page_that_a_script_asks_for_reads_no_transcript(reader: Client, thread: Thread) -> None:
    address = f"/admin/chatkit_app/thread/{thread.pk}/change/"
    html = reader.get(address, headers={"X-ChatKit-Quiet": "1"}).content.decode()
    assert AuditEntry.objects.count() == 0
    assert "second" not in html
    assert 'data-chatkit-part="facts"' in html


def test_answer_can_be_followed_only_where_requests_are_asynchronous(reader: Client, thread: Thread) -> None:
    run = make_run(thread)
    assert "run" not in changes(reader, thread)
    assert reader.get(f"/admin/chatkit_app/thread/{thread.pk}/runs/{run.pk}/events/").status_code == 404


# --- Following an answer ------------------------------------------------------------------------------------


def follower(*permissions: str) -> tuple[str, int, int]:
    """A session of a member of the staff, and the keys of a thread and of an answer in it that has ended."""
    from django.contrib.auth.models import Permission

    user = User.objects.create_user("anna", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    thread = make_thread("x", allowed_image_domains=["example.com"])
    run = make_run(thread, "completed")
    message = {"content": [{"type": "output_text", "text": "Here you are.", "annotations": []}]}
    make_item(thread, "assistant_message", payload=message, run=run)
    tool = {"name": "look", "call_id": "1", "arguments": {"a": "secret"}, "status": "completed"}
    make_item(thread, "client_tool_call", payload=tool, run=run)
    return client.cookies["sessionid"].value, thread.pk, run.pk


async def follow(session: str, thread: int, run: int) -> Any:
    client = AsyncClient()
    client.cookies["sessionid"] = session
    return await client.get(f"/admin/chatkit_app/thread/{thread}/runs/{run}/events/")


@pytest.mark.parametrize("permissions", [READER, (*READER, "view_hidden_context")])
@pytest.mark.django_db(transaction=True)
async def test_answer_is_followed_as_far_as_one_may_read(permissions: tuple[str, ...]) -> None:
    session, thread, run = await db.run(lambda: follower(*permissions))
    response = await follow(session, thread, run)
    assert response["Content-Type"] == "text/event-stream"
    body = b"".join([part async for part in response.streaming_content])
    assert b"Here you are." in body
    assert (b"secret" in body) == ("view_hidden_context" in permissions)
    assert b"example.com" not in body
    (entry,) = await db.run(lambda: list(AuditEntry.objects.all()))
    assert entry.details["followed"] is True


@pytest.mark.parametrize(
    "permissions", [("view_thread",), ("view_content",), ("view_run", "moderate_thread")]
)
@pytest.mark.django_db(transaction=True)
async def test_answer_is_followed_by_nobody_who_may_not_read(permissions: tuple[str, ...]) -> None:
    session, thread, run = await db.run(lambda: follower(*permissions))
    assert (await follow(session, thread, run)).status_code == 403


@pytest.mark.django_db(transaction=True)
async def test_answer_of_another_thread_is_none() -> None:
    session, _thread, run = await db.run(lambda: follower(*READER))
    other = await db.run(lambda: make_thread("y").pk)
    assert (await follow(session, other, run)).status_code == 404


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({"type": "thread.item.updated", "item_id": "1", "update": {}}, True),
        ({"type": "thread.item.done", "item": {"type": "assistant_message"}}, True),
        ({"type": "thread.item.done", "item": {"type": "client_tool_call"}}, False),
        ({"type": "thread.updated", "thread": {}}, False),
        ({"type": "client_effect", "name": "x"}, False),
        ({"type": "error", "message": "x"}, True),
        ([], False),
    ],
)
def test_events_of_an_answer_that_staff_are_told_of(event: Any, told: bool) -> None:
    assert is_told(b"data: " + json.dumps(event).encode() + b"\n\n", shows_hidden=False) is told
