"""The socket of a page of the admin: which threads have changed, who else is there, who types."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from chatkit_app import db
from chatkit_app.live import codes, presence, pulse
from chatkit_app.live.hub import Hub, Listener
from chatkit_app.live.pulse import get_pulse
from chatkit_app.models import Presence, Thread
from chatkit_app.moderation import takeover
from tests.chat import Chat, eventually, rows_become
from tests.live.pages import Opener, Page

pytestmark = pytest.mark.django_db(transaction=True)

STAFF = "/ws/chatkit/staff/"


def of_the_shop(user: Any, threads: Any) -> Any:
    """A scope."""
    return threads.filter(namespace="shop")


@pytest.fixture
def open_page(open_page: Opener) -> Opener:
    """Opens pages of people by their name, who may see threads."""

    async def open(name: str, **options: Any) -> Page:
        chat = Chat()
        await chat.log_in(await db.run(member, name))
        return await open_page(chat, STAFF, **options)

    return open


def member(name: str) -> User:
    user, _is_new = User.objects.get_or_create(
        username=name, defaults={"first_name": name.title(), "is_staff": True}
    )
    user.user_permissions.add(Permission.objects.get(codename="view_thread"))
    return user


async def thread_of(namespace: str = "") -> int:
    made = await db.run(
        lambda: Thread.objects.create(public_id=f"thr_{namespace}", visitor_id="v", namespace=namespace)
    )
    return int(made.pk)


async def rename(pk: int) -> None:
    await db.run(lambda: Thread.objects.filter(pk=pk).bump(title="Parcels"))


async def beat(after: float) -> None:
    await get_pulse().beat(time.monotonic() + after)


async def test_changed_threads_are_named(any_layer: str, open_page: Opener) -> None:
    pk = await thread_of()
    page = await open_page("maria")
    await page.send(open=pk + 1)
    await page.next("absent")
    await rename(pk)
    assert await page.next() == {"type": "changed", "threads": [pk]}


async def test_threads_out_of_scope_are_not_named(open_page: Opener, settings: Any) -> None:
    settings.CHATKIT = {"ADMIN_SCOPE": "tests.live.test_staff_socket.of_the_shop"}
    foreign, own = await thread_of("bank"), await thread_of("shop")
    page = await open_page("maria")
    await page.send(open=own)
    await page.next("people")
    await rename(foreign)
    await rename(own)
    assert await page.next("changed") == {"type": "changed", "threads": [own]}


@pytest.mark.parametrize("message", ["open", "leave", "typing"])
async def test_thread_out_of_scope_is_told_as_an_absent_one(
    open_page: Opener, settings: Any, message: str
) -> None:
    settings.CHATKIT = {"ADMIN_SCOPE": "tests.live.test_staff_socket.of_the_shop"}
    foreign = await thread_of("bank")
    page = await open_page("maria")
    for pk in (foreign, foreign + 1, -1, 2**70):
        await page.send(**{message: pk})
        if message == "open":
            assert await page.next() == {"type": "absent", "thread": pk}
    await beat(pulse.PING_INTERVAL)
    assert await page.next() == {"type": "ping", "threads": {}}
    assert not await db.run(Presence.objects.exists)


async def test_who_has_the_page_open_is_told(any_layer: str, open_page: Opener) -> None:
    pk = await thread_of()
    maria = await open_page("maria")
    await maria.send(open=pk)
    assert [person["name"] for person in (await maria.next("people"))["people"]] == ["Maria"]
    tim = await open_page("tim")
    await tim.send(open=pk)
    assert [person["name"] for person in (await tim.next("people"))["people"]] == ["Maria", "Tim"]
    assert [person["name"] for person in (await maria.next("people"))["people"]] == ["Maria", "Tim"]
    await tim.close()
    assert [person["name"] for person in (await maria.next("people"))["people"]] == ["Maria"]


async def test_who_comes_is_among_the_first_people_that_are_told(
    open_page: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bell of somebody else's coming may be heard as soon as the group is joined."""
    pk = await thread_of()
    join = Hub.join

    async def join_and_hear(hub: Hub, group: str, listener: Listener) -> None:
        await join(hub, group, listener)
        listener.hear({"type": "chatkit.people", "thread": pk})
        await asyncio.sleep(0.1)  # enough for people to be told before the joining ends

    monkeypatch.setattr(Hub, "join", join_and_hear)
    maria = await open_page("maria")
    await maria.send(open=pk)
    assert [person["name"] for person in (await maria.next("people"))["people"]] == ["Maria"]


async def test_page_that_is_left_is_not_told_of_any_more(open_page: Opener) -> None:
    pk = await thread_of()
    page = await open_page("maria")
    await page.send(open=pk)
    await page.next("people")
    await page.send(leave=pk)
    await rows_become(lambda: not Presence.objects.exists())
    await beat(pulse.PING_INTERVAL)
    assert (await page.next("ping"))["threads"] == {}


async def test_one_person_in_two_tabs_is_told_once(open_page: Opener) -> None:
    pk = await thread_of()
    first, second = await open_page("maria"), await open_page("maria")
    await first.send(open=pk)
    await first.next("people")
    await second.send(open=pk)
    assert len((await second.next("people"))["people"]) == 1
    await second.close()
    await rows_become(lambda: Presence.objects.count() == 1)


async def test_person_whose_process_was_killed_is_gone_after_a_minute(open_page: Opener) -> None:
    pk = await thread_of()
    await db.run(lambda: presence.arrive(pk, user=member("tim"), page="a process that is gone"))
    page = await open_page("maria")
    await page.send(open=pk)
    assert len((await page.next("people"))["people"]) == 2
    gone = timezone.now() - timedelta(seconds=61)
    await db.run(lambda: Presence.objects.filter(user__username="tim").update(seen_at=gone))
    await beat(pulse.PING_INTERVAL)
    assert [person["name"] for person in (await page.next("people"))["people"]] == ["Maria"]


async def test_ping_says_that_a_page_is_still_there(open_page: Opener) -> None:
    pk = await thread_of()
    page = await open_page("maria")
    await page.send(open=pk)
    await page.next("people")
    long_ago = timezone.now() - timedelta(minutes=30)
    await db.run(lambda: Presence.objects.update(seen_at=long_ago))
    await beat(pulse.PING_INTERVAL)
    assert (await page.next("ping"))["threads"] == {str(pk): 0}
    assert await db.run(lambda: Presence.objects.get().seen_at) > long_ago


async def test_user_who_types_is_heard(open_page: Opener, use: Any) -> None:
    use("EchoServer")
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    pk = (await db.run(Thread.objects.get)).pk
    staff = await open_page("maria")
    await staff.send(open=pk)
    await staff.next("people")
    user = await Page(chat).open()
    await user.send(follow=thread_id, after=0)
    await user.next("changed")
    await user.send(typing=thread_id)
    assert await staff.next("typing") == {"type": "typing", "thread": pk, "name": ""}
    await user.close()


async def test_staff_know_one_another_by_user_names_where_there_are_no_others(open_page: Opener) -> None:
    pk = await thread_of()
    maria, tim = await open_page("maria"), await open_page("tim")
    await db.run(lambda: User.objects.filter(username="maria").update(first_name=""))
    await db.run(lambda: takeover.take_over(Thread.objects.get(), actor=User.objects.get(username="maria")))
    for page in (maria, tim):
        # One after the other: people are named in the order in which they came.
        await page.send(open=pk)
        told = await page.next("people")
    assert [person["name"] for person in told["people"]] == ["maria", "Tim"]
    await maria.send(typing=pk)
    assert await tim.next("typing") == {"type": "typing", "thread": pk, "name": "maria"}


async def test_only_who_has_the_thread_is_told_as_typing(open_page: Opener) -> None:
    pk = await thread_of()
    maria, tim = await open_page("maria"), await open_page("tim")
    for page in (maria, tim):
        await page.send(open=pk)
        await page.next("people")
    await db.run(lambda: takeover.take_over(Thread.objects.get(), actor=User.objects.get(username="maria")))
    await tim.send(typing=pk)
    await maria.send(typing=pk)
    assert await tim.next("typing") == {"type": "typing", "thread": pk, "name": "Maria"}
    await beat(pulse.PING_INTERVAL)
    while (told := await maria.next())["type"] != "ping":
        assert told["type"] != "typing"


# --- Who is let in, and stays ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("nobody", codes.SESSION_OVER),
        ("user", codes.FORBIDDEN),
        ("staff without permission", codes.FORBIDDEN),
    ],
)
async def test_who_may_not_see_threads_is_not_let_in(name: str, code: int) -> None:
    chat = Chat()
    if name != "nobody":
        is_staff = name.startswith("staff")
        await chat.log_in(await db.run(lambda: User.objects.create_user("ada", is_staff=is_staff)))
    page = await Page(chat, STAFF).open()
    assert await page.code() == code


async def test_page_of_another_site_is_not_let_in(open_page: Opener) -> None:
    page = await open_page("maria", origin="https://evil.example")
    assert await page.code() == codes.FORBIDDEN


@pytest.mark.parametrize(
    "change",
    [
        lambda user: user.user_permissions.clear(),
        lambda user: User.objects.filter(pk=user.pk).update(is_staff=False),
    ],
    ids=["permission", "staff"],
)
async def test_socket_is_closed_when_a_right_is_withdrawn(open_page: Opener, change: Any) -> None:
    page = await open_page("maria")
    await eventually(lambda: get_pulse()._sockets)
    await db.run(lambda: change(User.objects.get(username="maria")))
    await beat(pulse.CHECK_INTERVAL)
    assert await page.code() == codes.FORBIDDEN


async def test_thread_that_leaves_the_scope_is_told_as_absent(open_page: Opener, settings: Any) -> None:
    settings.CHATKIT = {"ADMIN_SCOPE": "tests.live.test_staff_socket.of_the_shop"}
    pk = await thread_of("shop")
    page = await open_page("maria")
    await page.send(open=pk)
    await page.next("people")
    await db.run(lambda: Thread.objects.update(namespace="bank"))
    await beat(pulse.CHECK_INTERVAL)
    assert await page.next("absent") == {"type": "absent", "thread": pk}


@pytest.mark.parametrize("text", ['{"open": true}', '{"open": "1"}', "[]", '{"open": 1.5}', "{"])
async def test_what_is_no_message_closes_the_socket(open_page: Opener, text: str) -> None:
    page = await open_page("maria")
    await page.send_text(text)
    assert await page.code() == codes.BAD_MESSAGE
