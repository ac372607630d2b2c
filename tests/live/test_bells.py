"""Bells: what is rung when a thread has changed, by which layer, and what a layer that fails costs."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.layers import InMemoryChannelLayer, get_channel_layer

from chatkit_app import db
from chatkit_app.live import groups, layer, peal
from chatkit_app.live.bells import bells
from chatkit_app.live.hub import get_hub
from chatkit_app.models import Thread
from chatkit_app.staff.notes import add_note
from tests.chat import PATIENCE, eventually
from tests.redis_server import RedisServer


class Ear:
    """Hears of groups, and keeps what it has heard."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []

    def hear(self, message: Any) -> None:
        self.heard.append(dict(message))

    @property
    def versions(self) -> list[int]:
        return [message["version"] for message in self.heard]


@asynccontextmanager
async def listening(*names: str) -> AsyncIterator[Ear]:
    ear, hub = Ear(), get_hub()
    for name in names:
        await hub.join(name, ear)
    yield ear
    for name in names:
        await hub.leave(name, ear)


async def ring_elsewhere(pk: int, version: int) -> None:
    """What the bell of another process does."""
    [message] = peal.pack(versions={pk: version}, handled=[], others=[])
    await layer.send_all([(groups.PAGES, message)])


async def test_bell_is_heard_by_who_listens_to_the_thread(any_layer: str) -> None:
    async with listening(groups.of_thread(7)) as ear, listening(groups.of_thread(8)) as other:
        bells.ring(7, 3)
        await eventually(lambda: ear.heard)
    assert ear.heard == [{"type": "chatkit.changed", "thread": 7, "version": 3}]
    assert other.heard == []


async def test_bell_is_heard_once_by_a_process_that_rings_it_itself(redis: RedisServer) -> None:
    async with listening(groups.of_thread(7)) as ear:
        bells.ring(7, 3)
        await eventually(lambda: bells.is_quiet)
        # One channel keeps the order.
        await ring_elsewhere(7, 4)
        await eventually(lambda: 4 in ear.versions)
    assert ear.versions == [3, 4]


async def test_process_that_left_redis_alone_joins_when_it_is_tried_again(
    redis: RedisServer,
) -> None:
    hub = get_hub()
    async with listening(groups.of_thread(7)), AsyncExitStack() as stack:
        layer.state.back_at = float("inf")
        ear = await stack.enter_async_context(listening(groups.of_thread(8)))
        bells.ring(8, 1)
        await eventually(lambda: ear.versions == [1])
        layer.state.note_success()
        await hub.refresh()
        await ring_elsewhere(8, 2)
        await eventually(lambda: ear.versions == [1, 2])


async def test_bell_is_heard_by_staff_without_its_version(any_layer: str) -> None:
    async with listening(groups.STAFF) as ear:
        bells.ring(7, 3)
        await eventually(lambda: ear.heard)
    assert ear.heard == [{"type": "chatkit.changed", "group": "chatkit.staff", "threads": [7]}]


@pytest.mark.django_db(transaction=True)
async def test_what_only_staff_see_rings_for_staff_alone(any_layer: str) -> None:
    thread = await db.run(lambda: Thread.objects.create(public_id="t", visitor_id="v"))
    async with listening(groups.STAFF) as staff, listening(groups.of_thread(thread.pk)) as user:
        await db.run(lambda: add_note(thread, actor=None, text="Rude"))
        await eventually(lambda: staff.heard)
    assert staff.heard == [{"type": "chatkit.changed", "group": "chatkit.staff", "threads": [thread.pk]}]
    assert user.heard == []


async def test_bells_that_come_at_once_are_one_with_the_highest_version(any_layer: str) -> None:
    async with listening(groups.of_thread(7), groups.STAFF) as ear:
        for version in (1, 4, 3, 2):
            bells.ring(7, version)
        await eventually(lambda: len(ear.heard) == 2)
        bells.ring(7, 5)
        await eventually(lambda: len(ear.heard) == 4)
    assert [message.get("version") for message in ear.heard if "version" in message] == [4, 5]


@pytest.mark.django_db(transaction=True)
async def test_committed_change_rings(any_layer: str) -> None:
    thread = await db.run(lambda: Thread.objects.create(public_id="t", visitor_id="v"))
    async with listening(groups.of_thread(thread.pk)) as ear:
        await db.run(lambda: Thread.objects.filter(pk=thread.pk).bump(title="Parcels"))
        await eventually(lambda: ear.heard)
    assert ear.versions == [1]


async def test_who_has_left_hears_nothing_more(any_layer: str) -> None:
    async with listening(groups.of_thread(7)) as stays:
        async with listening(groups.of_thread(7)) as leaves:
            pass
        bells.ring(7, 1)
        await eventually(lambda: stays.heard)
    assert leaves.heard == []


async def test_process_that_listens_to_nothing_more_is_in_no_group(redis: RedisServer) -> None:
    """Redis would keep for it what nobody takes, for a day."""
    async with listening(groups.of_thread(7)):
        pass
    found: Any = get_channel_layer()
    assert await found.connection(0).zcard("asgi:group:chatkit.pages") == 0
    assert get_hub()._task is None


async def test_letter_comes_to_its_addressee_alone(any_layer: str) -> None:
    hub, ear, other = get_hub(), Ear(), Ear()
    channel = await hub.take_letters("ada", ear)
    await hub.take_letters("ben", other)
    found: Any = layer.find_layer()
    letters = {"ada": {"text": "hello"}, "nobody": {"text": "lost"}}
    await found.send(channel, {"type": "chatkit.letters", "letters": letters})
    await eventually(lambda: ear.heard)
    hub.refuse_letters("ada")
    hub.refuse_letters("ben")
    assert (ear.heard, other.heard) == ([{"text": "hello"}], [])
    assert hub._task is None


async def test_listener_that_raises_harms_no_other(any_layer: str, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Ear):
        def hear(self, message: Any) -> None:
            raise RuntimeError("broken")

    hub, broken = get_hub(), Broken()
    await hub.join(groups.of_thread(7), broken)
    async with listening(groups.of_thread(7)) as ear:
        bells.ring(7, 1)
        await eventually(lambda: ear.heard)
    await hub.leave(groups.of_thread(7), broken)
    assert "A bell could not be told to a page" in caplog.text


def test_bell_of_a_process_without_sockets_is_heard_in_another(redis: RedisServer) -> None:
    """A command or a task queue rings, and ends at once."""
    code = (
        "import django; from django.conf import settings; "
        f"settings.configure(CHANNEL_LAYERS={redis.layers!r}, DATABASES={{}}); django.setup(); "
        "from chatkit_app.live.bells import bells; bells.ring(7, 3)"
    )

    async def hear() -> list[dict[str, Any]]:
        async with listening(groups.of_thread(7)) as ear:
            process = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
            assert await process.wait() == 0
            await eventually(lambda: ear.heard)
            return ear.heard

    assert async_to_sync(hear)() == [{"type": "chatkit.changed", "thread": 7, "version": 3}]


async def test_redis_that_was_killed_is_heard_again(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layer, "LEFT_ALONE", 0.0)
    returned = asyncio.Event()
    hub = get_hub()

    async def note() -> None:
        returned.set()

    hub.on_return = note
    async with listening(groups.of_thread(7)) as ear:
        await ring_elsewhere(7, 1)
        await eventually(lambda: ear.heard)
        redis.kill()
        await ring_elsewhere(7, 2)
        redis.start()
        async with asyncio.timeout(PATIENCE):
            await returned.wait()
        await ring_elsewhere(7, 3)
        await eventually(lambda: 3 in ear.versions)
    assert ear.versions == [1, 3]


async def test_quiet_redis_is_not_taken_for_one_that_is_away(redis: RedisServer) -> None:
    """Version 8 of redis-py gives up a connection on which Redis has said nothing for five seconds."""
    async with listening(groups.of_thread(7)):
        found: Any = get_channel_layer()
        assert found.brpop_timeout < 5


async def test_groups_are_joined_again_after_half_a_day(
    redis: RedisServer,
) -> None:
    hub = get_hub()
    async with listening(groups.of_thread(7)) as ear:
        # What Redis does with members that are older than a day.
        await get_channel_layer().group_discard(groups.PAGES, hub.channel)
        await ring_elsewhere(7, 1)
        await hub.refresh()
        hub._joined_at -= 12.5 * 3600
        await hub.refresh()
        await ring_elsewhere(7, 2)
        await eventually(lambda: ear.heard)
    assert ear.versions == [2]


async def test_pages_that_come_at_once_make_few_calls_of_the_layer(redis: RedisServer) -> None:
    """Redis takes no more than a hundred connections of a process."""
    hub, ears = get_hub(), [Ear() for _ in range(300)]
    await asyncio.gather(*(hub.join(groups.of_thread(pk), ear) for pk, ear in enumerate(ears)))
    bells.ring(299, 1)
    await eventually(lambda: ears[299].heard)
    await asyncio.gather(*(hub.leave(groups.of_thread(pk), ear) for pk, ear in enumerate(ears)))
    assert not layer.state.is_left_alone


async def test_bells_that_nobody_hears_are_two_commands_however_many_threads_change(
    redis: RedisServer,
) -> None:
    found: Any = get_channel_layer()
    async with listening(groups.ANSWERS):
        await found.connection(0).config_resetstat()
        for pk in range(1, 301):  # without a turn of this event loop, which sends
            bells.ring(pk, 1)
        await eventually(lambda: bells.is_quiet)
        stats = await found.connection(0).info("commandstats")
    sending = ("zremrangebyscore", "zrange")
    assert [stats[f"cmdstat_{name}"]["calls"] for name in sending] == [1, 1]


async def test_page_that_comes_while_the_first_one_joins_waits_for_it(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is committed before it is in the group would ring for nobody."""
    found: Any = get_channel_layer()
    add, may_go, calls = found.group_add, asyncio.Event(), []

    async def slowly(*args: Any) -> None:
        calls.append(args)
        await may_go.wait()
        await add(*args)

    monkeypatch.setattr(found, "group_add", slowly)
    hub, ears = get_hub(), [Ear(), Ear()]
    joining = [asyncio.create_task(hub.join(groups.of_thread(pk), ear)) for pk, ear in enumerate(ears)]
    await eventually(lambda: calls)
    assert not any(task.done() for task in joining)
    may_go.set()
    await asyncio.gather(*joining)
    assert await found.connection(0).zcard("asgi:group:chatkit.pages") == 1
    assert len(calls) == 1
    for pk, ear in enumerate(ears):
        await hub.leave(groups.of_thread(pk), ear)


# --- Layers that fail, or are not there --------------------------------------------------------------------------


class BrokenLayer(InMemoryChannelLayer):
    """Fails at once, or hangs."""

    hangs = False
    calls = 0

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        type(self).calls += 1
        if self.hangs:
            await asyncio.sleep(3600)
        raise ConnectionError("no Redis here")


@pytest.fixture(params=["fails", "hangs"])
def broken(
    request: pytest.FixtureRequest, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> type[BrokenLayer]:
    monkeypatch.setattr(BrokenLayer, "hangs", request.param == "hangs")
    monkeypatch.setattr(BrokenLayer, "calls", 0)
    monkeypatch.setattr(layer, "is_local", lambda found: False)
    monkeypatch.setattr(layer, "PATIENCE", 0.1)
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "tests.live.test_bells.BrokenLayer"}}
    return BrokenLayer


def test_layer_that_fails_is_left_alone_and_told_of_once(
    broken: type[BrokenLayer], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    bells.ring(7, 1)
    bells.wait(PATIENCE)
    assert layer.state.is_left_alone
    # As many as are under way at once.
    calls = broken.calls
    assert 1 <= calls <= 2
    bells.ring(7, 2)
    bells.wait(PATIENCE)
    assert broken.calls == calls
    assert caplog.text.count("The channel layer cannot be reached") == 1


def test_layer_that_failed_is_tried_again_later(
    broken: type[BrokenLayer], caplog: pytest.LogCaptureFixture
) -> None:
    bells.ring(7, 1)
    bells.wait(PATIENCE)
    calls = broken.calls
    layer.state.back_at -= layer.LEFT_ALONE
    bells.ring(7, 2)
    bells.wait(PATIENCE)
    assert broken.calls > calls
    assert caplog.text.count("The channel layer cannot be reached") == 1


async def test_event_loop_that_is_held_up_is_not_taken_for_a_layer_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(layer, "PATIENCE", 0.2)

    async def call() -> None:
        asyncio.get_running_loop().call_soon(time.sleep, 0.6)  # an import
        for _ in range(3):
            await asyncio.sleep(0.005)  # it has the loop's turn again, as for each answer of Redis

    assert await layer.call_all([call])
    assert not layer.state.is_left_alone


async def test_process_hears_itself_where_there_is_no_layer(settings: Any) -> None:
    settings.CHANNEL_LAYERS = {}
    async with listening(groups.of_thread(7)) as ear:
        bells.ring(7, 1)
        await eventually(lambda: ear.heard)
    assert ear.versions == [1]


def test_nothing_is_sent_by_a_layer_in_memory_that_nobody_listens_to(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []

    async def send_all(messages: Any) -> None:
        sent.append(messages)

    monkeypatch.setattr(layer, "send_all", send_all)
    bells.ring(7, 1)
    bells.wait(PATIENCE)
    assert sent == []


async def test_full_channel_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    from channels.exceptions import ChannelFull

    async def full() -> None:
        raise ChannelFull

    assert await layer.call_all([full])
    assert not layer.state.is_left_alone
