"""What pages send, and what is rung, by and for whom it does not concern: they are told of no thread, there or not.

The messages and the bells are read from the code, so that a new one fails here until it is tried.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from chatkit_app import db
from chatkit_app.live import bells, codes, groups
from chatkit_app.live.hub import get_hub
from chatkit_app.live.pulse import get_pulse
from chatkit_app.live.socket import Socket
from chatkit_app.live.staff_socket import StaffSocket
from chatkit_app.live.user_socket import UserSocket
from chatkit_app.models import Presence, Thread
from tests.askers import stranger, superuser, user, visitor
from tests.chat import Chat, eventually
from tests.live.pages import Opener, Page

pytestmark = pytest.mark.django_db(transaction=True)

STAFF = "/ws/chatkit/staff/"
ABSENT = {"follow", "open"}
"""The messages on which a page is told that there is no such thread."""

BY_USERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "follow": lambda thread: {"follow": thread, "after": 0},
    "unfollow": lambda thread: {"unfollow": thread},
    "typing": lambda thread: {"typing": thread},
    "hidden": lambda thread: {"hidden": True},
}
BY_STAFF: dict[str, Callable[[Any], dict[str, Any]]] = {
    "open": lambda thread: {"open": thread},
    "leave": lambda thread: {"leave": thread},
    "typing": lambda thread: {"typing": thread},
}
BELLS: dict[str, dict[str, Any]] = {
    "chatkit.changed": {"version": 70},
    "chatkit.typing": {"staff": None},
    "chatkit.people": {},
}


class Ear:
    """Hears what is rung for a thread."""

    def __init__(self, thread_pk: int) -> None:
        self.thread_pk = thread_pk
        self.heard: list[Any] = []

    def hear(self, message: Any) -> None:
        self.heard.append(message)


@pytest.fixture(autouse=True)
def echo(use: Any) -> None:
    use("EchoServer")


@pytest.fixture
async def ear() -> AsyncIterator[Ear]:
    """Hears all that is rung for the bank's thread."""
    thread = await db.run(
        lambda: Thread.objects.create(public_id="thr_bank", visitor_id="another", namespace="bank")
    )
    ear = Ear(thread.pk)
    await get_hub().join(groups.of_thread(thread.pk), ear)
    yield ear
    await get_hub().leave(groups.of_thread(thread.pk), ear)


def of_the_shop(user: Any, threads: Any) -> Any:
    """A scope."""
    return threads.filter(namespace="shop")


async def member(*permissions: str) -> Chat:
    """The browser of a member of the staff."""

    def make() -> User:
        made = User.objects.create_user("maria", is_staff=True)
        made.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        return made

    chat = Chat()
    await chat.log_in(await db.run(make))
    return chat


async def ring_all(pk: int) -> None:
    """Ring every bell for a thread."""
    for type, fields in BELLS.items():
        bells.bells.send(groups.of_thread(pk), {"type": type, "thread": pk, **fields})
    await db.run(lambda: Thread.objects.filter(pk=pk).bump(title="Parcels"))
    await eventually(lambda: bells.bells.is_quiet)


async def answers(page: Page, message: dict[str, Any], then: dict[str, Any]) -> list[dict[str, Any]]:
    """What a page is told on its message.

    Args:
        then: another message, on which it is told of an absent thread: what comes before is the answer to the first.
    """
    await page.send(**message)
    await page.send(**then)
    told = [await page.next()]
    while told[-1] != {"type": "absent", "thread": next(iter(then.values()))}:
        told.append(await page.next())
    return told[:-1]


async def told_until_ping(page: Page) -> list[dict[str, Any]]:
    """All that a page is told, with the ping that comes next."""
    await get_pulse().ping_all()
    told = [await page.next()]
    while told[-1]["type"] != "ping":
        told.append(await page.next())
    return told


def strings_of(part: Any) -> set[str]:
    nodes = ast.walk(ast.parse(textwrap.dedent(inspect.getsource(part))))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def messages_of(socket: type[Socket]) -> set[str]:
    """What the messages of a page begin with, as ``take()`` knows them apart."""
    nodes = ast.walk(ast.parse(textwrap.dedent(inspect.getsource(socket.take))))
    return {str(ast.literal_eval(node.keys[0])) for node in nodes if isinstance(node, ast.MatchMapping)}


def test_each_message_and_each_bell_is_tried() -> None:
    assert messages_of(UserSocket) == set(BY_USERS)
    assert messages_of(StaffSocket) == set(BY_STAFF)
    rung = strings_of(UserSocket.hear) | strings_of(StaffSocket.hear)
    assert {name for name in rung if name.startswith("chatkit.")} == set(BELLS)


@pytest.mark.parametrize("asker", [visitor, user, superuser, stranger], ids=lambda asker: asker.__name__)
@pytest.mark.parametrize("name", BY_USERS)
async def test_another_persons_thread_is_as_an_absent_one(
    open_page: Opener, ear: Ear, asker: Callable[[], Awaitable[Chat]], name: str
) -> None:
    page = await open_page(await asker())
    for thread_id in ("thr_bank", "thr_absent", "\x00"):
        told = await answers(page, BY_USERS[name](thread_id), {"follow": "thr_none"})
        assert told == ([{"type": "absent", "thread": thread_id}] if name in ABSENT else [])
    assert await told_until_ping(page) == [{"type": "ping", "threads": {}}]
    assert ear.heard == []
    await ring_all(ear.thread_pk)
    assert await told_until_ping(page) == [{"type": "ping", "threads": {}}]
    assert {heard["type"] for heard in ear.heard} == set(BELLS)


@pytest.mark.urls("tests.test_urls")
@pytest.mark.parametrize("name", BY_USERS)
async def test_own_thread_of_another_namespace_is_as_an_absent_one(open_page: Opener, name: str) -> None:
    chat = Chat(path="/sales/chatkit")
    thread_id = (await chat.say("hi")).thread_id
    page = await open_page(chat, "/ws/chatkit/?endpoint=/support/chatkit")
    for each in (thread_id, "thr_absent"):
        told = await answers(page, BY_USERS[name](each), {"follow": "thr_none"})
        assert told == ([{"type": "absent", "thread": each}] if name in ABSENT else [])
    await ring_all((await db.run(Thread.objects.get)).pk)
    assert await told_until_ping(page) == [{"type": "ping", "threads": {}}]
    own = await open_page(chat, "/ws/chatkit/?endpoint=/sales/chatkit")
    await own.send(follow=thread_id, after=0)
    assert (await own.next())["type"] == "changed"


@pytest.mark.parametrize("name", BY_STAFF)
async def test_thread_out_of_scope_is_as_an_absent_one(
    open_page: Opener, ear: Ear, settings: Any, name: str
) -> None:
    settings.CHATKIT |= {"ADMIN_SCOPE": f"{__name__}.of_the_shop"}
    page = await open_page(await member("view_thread", "reply_thread"), STAFF)
    for pk in (ear.thread_pk, ear.thread_pk + 1, -1, 2**70):
        told = await answers(page, BY_STAFF[name](pk), {"open": 2**71})
        assert told == ([{"type": "absent", "thread": pk}] if name in ABSENT else [])
    assert await told_until_ping(page) == [{"type": "ping", "threads": {}}]
    assert ear.heard == []
    assert not await db.run(Presence.objects.exists)
    await ring_all(ear.thread_pk)
    assert await told_until_ping(page) == [{"type": "ping", "threads": {}}]


@pytest.mark.parametrize("name", BY_STAFF)
async def test_member_of_the_staff_without_the_permission_is_told_nothing(
    open_page: Opener, ear: Ear, name: str
) -> None:
    page = await open_page(await member("view_flag", "reply_thread"), STAFF)
    await page.send(**BY_STAFF[name](ear.thread_pk))
    await ring_all(ear.thread_pk)
    event = await page._socket.receive_output(timeout=20)
    assert event == {"type": "websocket.close", "code": codes.FORBIDDEN}
    assert {heard["type"] for heard in ear.heard} == set(BELLS)
    assert not await db.run(Presence.objects.exists)
