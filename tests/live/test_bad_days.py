"""What goes wrong between processes and pages, and what an open page shows once it is quiet."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client

from chatkit_app import db
from chatkit_app.context import RequestContext
from chatkit_app.live import bells, groups, layer, peal, pulse
from chatkit_app.live.hub import Hub, get_hub
from chatkit_app.live.pulse import get_pulse
from chatkit_app.models import Thread
from chatkit_app.moderation import set_status, takeover
from chatkit_app.moderation.redaction import redact
from chatkit_app.store import DjangoStore
from chatkit_app.takeover import messages
from tests.chat import CSRF_TOKEN, Chat, eventually
from tests.live.pages import Page
from tests.redis_server import RedisServer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def echo(use: Any) -> None:
    use("EchoServer")


class Reader:
    """A page that shows a thread, and reads what has changed whenever it is told that something has."""

    def __init__(self, chat: Chat, thread_id: str) -> None:
        self.chat = chat
        self.thread_id = thread_id
        self.version = 0
        self.items: dict[str, Any] = {}
        self.status: dict[str, Any] = {}
        self.handler: dict[str, Any] = {}
        self.told = 0
        self._socket = Page(chat)
        self._task: asyncio.Task[None] | None = None
        self._reading = asyncio.Lock()

    async def open(self) -> Reader:
        await self._socket.open()
        await self._socket.send(follow=self.thread_id, after=0)
        self._task = asyncio.create_task(self._listen())
        await eventually(lambda: self.version)
        return self

    async def close(self) -> None:
        assert self._task is not None
        async with self._reading:  # a request that is under way asks the database to its end
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._socket.close()

    async def _listen(self) -> None:
        while True:
            told = await self._socket.next()
            self.told += 1
            version = told["version"] if told["type"] == "changed" else told["threads"][self.thread_id]
            if version > self.version:
                async with self._reading:
                    await self._catch_up()

    async def _catch_up(self) -> None:
        path = f"{self.chat.path}/threads/{self.thread_id}/changes?after={self.version}"
        news = (await (await self.chat.open("GET", path)).rest()).json()
        for item_id in news["removed"]:
            self.items.pop(item_id, None)
        for item in news["thread"]["items"]["data"]:
            self.items[item["id"]] = item
        self.status, self.handler = news["thread"]["status"], news["thread"].get("handler", {})
        self.version = news["version"]

    async def shows_what_is_stored(self) -> bool:
        stored = {item["id"]: item for item in await self.chat.items(self.thread_id)}
        thread = (await self.chat.ask("threads.get_by_id", thread_id=self.thread_id)).json()
        mine = (self.items, self.status, self.handler)
        return mine == (stored, thread["status"], thread.get("handler", {}))


@pytest.fixture
async def reader() -> AsyncIterator[Reader]:
    """A visitor's page, which shows a thread of one turn."""
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    opened = await Reader(chat, thread_id).open()
    yield opened
    await opened.close()


async def becomes_equal(reader: Reader) -> None:
    """Wait until the page shows what is stored, which a test that waits for it in vain compares in the end."""
    deadline = time.monotonic() + 20
    while not await reader.shows_what_is_stored():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def change_elsewhere(change: Callable[[], Any]) -> None:
    """Change something as another process would, whose bell this one has not heard."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bells.Bells, "ring", lambda *args: None)
        await db.run(change)


async def ping() -> None:
    await get_pulse().beat(time.monotonic() + pulse.PING_INTERVAL)


# --- Bells that are lost ----------------------------------------------------------------------------------------------


class Loss:
    """Loses at random what pages are to hear."""

    def __init__(self, *, seed: int, share: float) -> None:
        self.chance, self.share, self.lost = random.Random(seed), share, 0

    def __call__(self, hub: Hub, group: str, message: Any) -> None:
        if self.chance.random() < self.share:
            self.lost += 1
        else:
            DISPATCH(hub, group, message)


DISPATCH = Hub.dispatch


def change_something(chance: random.Random) -> None:
    """Do to the thread what happens to threads, as the app does it."""
    thread = Thread.objects.get()
    items = list(thread.items.filter(redacted_at=None, type="assistant_message"))
    match chance.randrange(6):
        case 0:
            thread.title = f"Title {chance.random()}"
            Thread.objects.filter(pk=thread.pk).bump(title=thread.title)
        case 1 if items:
            redact(chance.choice(items), actor=None, reason="Private")
        case 2 if len(items) > 1:
            owner = RequestContext(visitor_id=thread.visitor_id)
            DjangoStore()._delete_item(thread.public_id, chance.choice(items).public_id, owner)
        case 3:
            status = Thread.Status.ACTIVE if thread.status == "locked" else Thread.Status.LOCKED
            set_status([thread], status, reason="Be kind.", actor=None)
        case 4:
            maria = User.objects.get_or_create(username="maria", defaults={"is_superuser": True})[0]
            act: Any = takeover.hand_back if thread.handler == "staff" else takeover.take_over
            act(thread, actor=maria)
        case _:
            with transaction.atomic():
                messages.add_message(Thread.objects.locked().get(), "more")


@pytest.mark.parametrize(("seed", "share"), [(1, 0.3), (2, 0.5), (3, 0.9), (4, 1.0)])
async def test_page_and_database_are_equal_once_it_is_quiet_however_many_bells_are_lost(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, seed: int, share: float
) -> None:
    loss, chance = Loss(seed=seed, share=share), random.Random(seed)
    monkeypatch.setattr(Hub, "dispatch", lambda hub, group, message: loss(hub, group, message))
    monkeypatch.setattr(bells, "INTERVAL", 0.002)
    for _ in range(40):
        await db.run(change_something, chance)
    await eventually(lambda: bells.bells.is_quiet)
    assert loss.lost
    await ping()
    await becomes_equal(reader)


async def hears_of_title(reader: Reader, title: str) -> None:
    """Change the title, which a reader does not keep, and wait until the page has read that something has changed."""
    await db.run(lambda: Thread.objects.bump(title=title))
    version = await db.run(lambda: Thread.objects.get().version)
    await eventually(lambda: reader.version == version)


# --- Redis that goes, and comes back ----------------------------------------------------------------------------------


async def test_page_is_told_what_happened_elsewhere_while_redis_was_away(
    redis: RedisServer, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layer, "LEFT_ALONE", 0.0)
    await hears_of_title(reader, "Before")
    await becomes_equal(reader)
    redis.kill()
    for _ in range(5):
        await change_elsewhere(lambda: change_something(random.Random(5)))
    assert not await reader.shows_what_is_stored()
    redis.start()
    await becomes_equal(reader)
    await hears_of_title(reader, "Afterwards")


@pytest.fixture(params=["killed", "stopped"])
def redis_away(
    request: pytest.FixtureRequest, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], None]]:
    """Lets Redis be away when it is called: it refuses connections, or takes them and says nothing."""
    process = redis.process
    assert process is not None
    monkeypatch.setattr(layer, "PATIENCE", 1.0)

    def go_away() -> None:
        process.send_signal(signal.SIGSTOP if request.param == "stopped" else signal.SIGKILL)

    yield go_away
    process.send_signal(signal.SIGCONT)
    redis.kill()


async def test_page_of_the_same_process_hears_while_redis_is_away(
    redis_away: Callable[[], None], reader: Reader
) -> None:
    redis_away()
    for number in range(3):
        await db.run(lambda title: Thread.objects.bump(title=title), f"Title {number}")
        await becomes_equal(reader)
    assert layer.state.is_left_alone or not bells.bells.is_quiet


async def test_page_that_is_opened_while_redis_is_away_hears(
    redis_away: Callable[[], None], reader: Reader
) -> None:
    redis_away()
    other = (await reader.chat.say("another")).thread_id
    later = await Reader(reader.chat, other).open()
    version = later.version
    await db.run(lambda: Thread.objects.filter(public_id=other).bump(title="Parcels"))
    await eventually(lambda: later.version > version)
    await later.close()


async def test_request_is_answered_while_redis_is_away(redis: RedisServer, reader: Reader) -> None:
    redis.kill()
    answer = await reader.chat.say("more", reader.thread_id)
    assert answer.text() == "echo: more"
    await ping()
    await becomes_equal(reader)


async def test_page_that_is_open_for_more_than_a_day_still_hears(redis: RedisServer, reader: Reader) -> None:
    """A layer forgets members after a day, and its groups are joined again after half of one."""
    hub = get_hub()
    members: Any = layer.find_layer()
    pk = (await db.run(Thread.objects.get)).pk
    await members.group_discard(groups.PAGES, hub.channel)
    hub._joined_at -= 12.5 * 3600
    await ping()
    version = reader.version
    await change_elsewhere(lambda: Thread.objects.bump(title="On the next day"))
    [message] = peal.pack(versions={pk: version + 1}, handled=[], others=[])
    await layer.send_all([(groups.PAGES, message)])
    await eventually(lambda: reader.version > version)


# --- Processes that are killed ----------------------------------------------------------------------------------------


async def test_takeover_whose_process_is_killed_before_it_rings_is_shown_at_the_next_ping(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bells.Bells, "ring", lambda *args: None)
    maria = await db.run(User.objects.create_superuser, "maria", first_name="Maria")
    await db.run(lambda: takeover.take_over(Thread.objects.get(), actor=maria))
    assert reader.handler == {}
    await ping()
    await becomes_equal(reader)
    assert (reader.handler["state"], reader.handler["name"]) == ("staff", "Maria")


# --- Sites without sockets --------------------------------------------------------------------------------------------


async def test_page_under_wsgi_reads_what_is_new_when_it_asks(reader: Reader) -> None:
    client = Client()
    client.cookies.load({**reader.chat.cookies, "csrftoken": CSRF_TOKEN})
    await db.run(lambda: Thread.objects.bump(title="Parcels"))
    path = f"/chatkit/threads/{reader.thread_id}/changes?after=0"
    response = await sync_to_async(client.get)(path)
    assert response.status_code == 200
    assert response.json()["thread"]["title"] == "Parcels"
