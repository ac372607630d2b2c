"""What users have seen of their threads."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from chatkit_app import db
from chatkit_app.live import pulse
from chatkit_app.live.bells import bells
from chatkit_app.live.seen import note_seen
from chatkit_app.models import Thread
from chatkit_app.moderation import takeover
from tests.chat import Chat, rows_become
from tests.live.pages import Opener
from tests.live.test_user_socket import beat, begin

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def echo(use: Any) -> None:
    use("EchoServer")


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    monkeypatch.setattr(bells, "ring", lambda pk, version: found.append((pk, version)))
    return found


def make(**fields: Any) -> Thread:
    return Thread.objects.create(**{"public_id": "t", "visitor_id": "v", "version": 7} | fields)


def seen() -> tuple[Any, int]:
    return Thread.objects.values_list("seen_at", "seen_version").get()


def test_user_who_has_just_looked_is_present():
    thread = make()
    note_seen([thread.pk])
    thread.refresh_from_db()
    assert (thread.user_is_present, thread.seen_version) == (True, 7)


def test_look_is_written_down_once_in_half_a_minute(django_assert_num_queries):
    thread = make()
    note_seen([thread.pk])
    first = seen()
    Thread.objects.update(version=8)
    with django_assert_num_queries(1):
        note_seen([thread.pk])
    assert seen() == first
    Thread.objects.update(seen_at=timezone.now() - timedelta(seconds=31))
    note_seen([thread.pk])
    assert seen()[1] == 8


def test_staff_know_at_once_that_their_words_are_seen(rung):
    thread = make(handler="staff", seen_at=timezone.now(), seen_version=6)
    note_seen([thread.pk])
    note_seen([thread.pk])
    assert seen()[1] == 7
    assert rung == [(thread.pk, 7)]


def test_page_that_is_behind_takes_nothing_back():
    thread = make(seen_version=7)
    note_seen([thread.pk], version=3)
    assert seen()[1] == 7


def test_seeing_changes_no_version():
    note_seen([make().pk])
    assert Thread.objects.get().version == 7


@pytest.mark.parametrize(("query", "expected"), [("&seen=1", True), ("", False)])
async def test_changes_that_a_page_in_sight_reads_are_seen(query, expected):
    chat, thread_id, version = await begin()
    path = f"/chatkit/threads/{thread_id}/changes?after=0{query}"
    await (await chat.open("GET", path)).rest()
    thread = await db.run(Thread.objects.get)
    assert (thread.user_is_present, thread.seen_version == version) == (expected, expected)


async def test_changes_of_somebody_elses_thread_are_not_seen():
    _chat, thread_id, _version = await begin()
    other = Chat()
    await other.say("hi")
    path = f"/chatkit/threads/{thread_id}/changes?after=0&seen=1"
    await (await other.open("GET", path)).rest()
    assert (await db.run(lambda: Thread.objects.get(public_id=thread_id))).seen_at is None


async def test_page_with_a_socket_is_present_for_as_long_as_it_is_in_sight(open_page: Opener):
    chat, thread_id, version = await begin()
    page = await open_page(chat)
    await page.send(follow=thread_id)
    await rows_become(lambda: seen()[1] == version)
    long_ago = timezone.now() - timedelta(hours=1)
    await db.run(lambda: Thread.objects.update(seen_at=long_ago))
    await beat(pulse.PING_INTERVAL)
    await page.next("ping")
    assert (await db.run(Thread.objects.get)).user_is_present


async def test_page_out_of_sight_sees_nothing(open_page: Opener):
    chat, thread_id, version = await begin()
    page = await open_page(chat)
    await page.send(hidden=True)
    await page.send(follow=thread_id, after=version - 1)
    await page.next("changed")
    await beat(pulse.PING_INTERVAL)
    await page.next("ping")
    assert await db.run(seen) == (None, 0)


async def test_reply_tells_that_the_user_is_there(open_page: Opener):
    chat, thread_id, _version = await begin()
    page = await open_page(chat)
    await page.send(follow=thread_id)
    await rows_become(lambda: seen()[0] is not None)

    def answer() -> Any:
        maria = User.objects.create(username="maria")
        thread = takeover.take_over(Thread.objects.get(), actor=maria)
        takeover.reply(thread, "Hello.", actor=maria)
        return Thread.objects.get().user_is_present

    assert await db.run(answer)
