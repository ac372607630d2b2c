"""The socket of a page with a chat: what it hears, of whose threads, and when it is closed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone

from chatkit_app import db
from chatkit_app.context import RequestContext
from chatkit_app.live import codes, pulse, socket, visit
from chatkit_app.live.pulse import get_pulse
from chatkit_app.models import Thread
from chatkit_app.moderation import takeover
from tests.askers import stranger, superuser, user, visitor
from tests.chat import Chat, eventually
from tests.live.pages import Opener, Page

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def echo(use: Any) -> None:
    use("EchoServer")


async def begin() -> tuple[Chat, str, int]:
    """A visitor, their thread, and its version."""
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    version = (await chat.ask("threads.get_by_id", thread_id=thread_id)).json()["version"]
    return chat, thread_id, version


async def rename(title: str) -> None:
    await db.run(lambda: Thread.objects.bump(title=title))


async def beat(after: float) -> None:
    """Let so many seconds have gone by for what looks after sockets."""
    await get_pulse().beat(time.monotonic() + after)


async def test_page_is_told_of_a_change(any_layer: str, open_page: Opener) -> None:
    chat, thread_id, version = await begin()
    page = await open_page(chat)
    await page.send(follow=thread_id, after=version)
    await eventually(lambda: [s for s in get_pulse()._sockets if s.thread_pks])
    await rename("Parcels")
    assert await page.next() == {"type": "changed", "thread": thread_id, "version": version + 1}


async def test_page_that_is_behind_is_told_so_at_once(open_page: Opener) -> None:
    chat, thread_id, version = await begin()
    page = await open_page(chat)
    await page.send(follow=thread_id, after=version - 1)
    assert await page.next() == {"type": "changed", "thread": thread_id, "version": version}


async def test_page_is_told_of_an_answer_in_another_tab(open_page: Opener) -> None:
    chat, thread_id, version = await begin()
    page = await open_page(chat)
    await page.send(follow=thread_id, after=version)
    await chat.say("more", thread_id)
    assert (await page.next("changed"))["thread"] == thread_id


async def test_page_that_follows_no_more_is_told_nothing(open_page: Opener) -> None:
    chat, thread_id, version = await begin()
    other_id = (await chat.say("another")).thread_id
    page = await open_page(chat)
    await page.send(follow=thread_id, after=version)
    await page.send(unfollow=thread_id)
    await page.send(follow=other_id, after=0)
    assert (await page.next())["thread"] == other_id
    await rename("Parcels")
    assert (await page.next())["thread"] == other_id


async def test_ping_names_versions_so_that_a_lost_bell_is_made_good(
    open_page: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat, thread_id, version = await begin()
    page = await open_page(chat)
    await page.send(follow=thread_id, after=version)
    await eventually(lambda: [s for s in get_pulse()._sockets if s.thread_pks])
    monkeypatch.setattr("chatkit_app.live.bells.Bells.ring", lambda *args: None)
    await rename("Parcels")
    await beat(pulse.PING_INTERVAL)
    assert await page.next() == {"type": "ping", "threads": {thread_id: version + 1}}


@pytest.mark.parametrize(("first_name", "told"), [("Maria", "Maria"), ("", "")])
async def test_page_hears_when_the_person_who_has_the_thread_types(
    open_page: Opener, first_name: str, told: str
) -> None:
    chat, thread_id, _version = await begin()

    def take() -> Any:
        maria = User.objects.create_superuser("maria", first_name=first_name)
        takeover.take_over(Thread.objects.get(), actor=maria)
        return maria

    maria = await db.run(take)
    page = await open_page(chat)
    await page.send(follow=thread_id, after=0)
    await page.next("changed")
    staff_chat = Chat()
    await staff_chat.log_in(maria)
    staff = await open_page(staff_chat, "/ws/chatkit/staff/")
    pk = (await db.run(Thread.objects.get)).pk
    await staff.send(open=pk)
    await staff.next("people")
    await staff.send(typing=pk)
    assert await page.next("typing") == {"type": "typing", "thread": thread_id, "name": told}


# --- Who may hear what -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asker", [visitor, user, superuser, stranger], ids=lambda asker: asker.__name__)
@pytest.mark.parametrize("message", ["follow", "unfollow", "typing"])
async def test_foreign_thread_is_told_as_an_absent_one(
    open_page: Opener, asker: Callable[[], Awaitable[Chat]], message: str
) -> None:
    _owner, thread_id, _version = await begin()
    page = await open_page(await asker())
    for name in (thread_id, "thr_absent", "\x00"):
        await page.send(**{message: name})
        if message == "follow":
            assert await page.next() == {"type": "absent", "thread": name}
    await rename("Parcels")
    await beat(pulse.PING_INTERVAL)
    assert await page.next() == {"type": "ping", "threads": {}}


@pytest.mark.urls("tests.test_urls")
@pytest.mark.parametrize("message", ["follow", "unfollow", "typing"])
async def test_thread_of_another_namespace_is_told_as_an_absent_one(open_page: Opener, message: str) -> None:
    chat = Chat(path="/sales/chatkit")
    thread_id = (await chat.say("hi")).thread_id
    page = await open_page(chat, "/ws/chatkit/?endpoint=/support/chatkit")
    for name in (thread_id, "thr_absent"):
        await page.send(**{message: name})
        if message == "follow":
            assert await page.next() == {"type": "absent", "thread": name}
    own = await open_page(chat, "/ws/chatkit/?endpoint=/sales/chatkit")
    await own.send(follow=thread_id, after=0)
    assert (await own.next())["type"] == "changed"
    await rename("Parcels")
    assert (await own.next())["type"] == "changed"
    await beat(pulse.PING_INTERVAL)
    assert await page.next() == {"type": "ping", "threads": {}}


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://testserver.evil.example", "http://testserver:8080", "null", None],
)
async def test_page_of_another_site_is_not_let_in(open_page: Opener, origin: str | None) -> None:
    chat, _thread_id, _version = await begin()
    page = await open_page(chat, origin=origin)
    assert await page.code() == codes.FORBIDDEN


async def test_page_of_a_trusted_origin_is_let_in(open_page: Opener, settings: Any) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://shop.example"]
    chat, thread_id, _version = await begin()
    page = await open_page(chat, origin="https://shop.example")
    await page.send(follow=thread_id, after=0)
    assert (await page.next())["type"] == "changed"


async def test_foreign_host_is_not_let_in(open_page: Opener, settings: Any) -> None:
    chat, _thread_id, _version = await begin()
    settings.ALLOWED_HOSTS = ["shop.example"]
    page = await open_page(chat)
    assert await page.code() == codes.FORBIDDEN


@pytest.mark.parametrize("path", ["", "?endpoint=/", "?endpoint=/admin/", "?endpoint=/nowhere"])
async def test_page_that_names_no_endpoint_is_not_let_in(open_page: Opener, path: str) -> None:
    chat, _thread_id, _version = await begin()
    page = await open_page(chat, f"/ws/chatkit/{path}")
    assert await page.code() == codes.NOT_HERE


async def test_socket_of_another_address_is_closed(open_page: Opener) -> None:
    page = Page(Chat(), "/ws/elsewhere/")
    connected, _code = await page._socket.connect()
    assert not connected


async def test_login_is_wanted_where_the_chat_wants_it(open_page: Opener, use: Any) -> None:
    chat, _thread_id, _version = await begin()
    use("EchoServer", LOGIN_REQUIRED=True)
    page = await open_page(chat)
    assert await page.code() == codes.SESSION_OVER


async def test_page_polls_where_requests_need_a_database_context(
    open_page: Opener, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatkit_app.database_context.is_used", lambda: True)
    chat = Chat()
    page = await open_page(chat)
    monkeypatch.undo()
    assert await page.code() == codes.NOT_HERE


# --- While it is open --------------------------------------------------------------------------------------------


SITES: dict[str, dict[str, Any]] = {
    "Django's own": {},
    "sessions in a cache": {"SESSION_ENGINE": "django.contrib.sessions.backends.cached_db"},
    "sessions in files": {"SESSION_ENGINE": "django.contrib.sessions.backends.file"},
    "backend of its own": {"AUTHENTICATION_BACKENDS": [f"{__name__}.OwnBackend"]},
}


class OwnBackend(ModelBackend):
    """A site's own rule for who may be here."""

    def get_user(self, user_id: Any) -> Any:
        user = super().get_user(user_id)
        return None if user is None or user.last_name == "Locked" else user


@pytest.fixture(params=SITES)
def site(request: pytest.FixtureRequest, settings: Any) -> None:
    for name, value in SITES[request.param].items():
        setattr(settings, name, value)


async def log_out(chat: Chat) -> None:
    store = import_module(django_settings.SESSION_ENGINE).SessionStore(chat.cookies["sessionid"])
    await db.run(store.delete)


async def change_password(chat: Chat) -> None:
    def change() -> None:
        ada = User.objects.get(username="ada")
        ada.set_password("new")
        ada.save()

    await db.run(change)


async def deactivate(chat: Chat) -> None:
    await db.run(lambda: User.objects.filter(username="ada").update(is_active=False))


async def delete_user(chat: Chat) -> None:
    await db.run(lambda: User.objects.get(username="ada").delete())


async def log_in_as_another(chat: Chat) -> None:
    """The browser sends the same cookie, whose session has become somebody else's."""

    def change() -> None:
        eve = User.objects.create_user("eve")
        session = import_module(django_settings.SESSION_ENGINE).SessionStore(chat.cookies["sessionid"])
        session[SESSION_KEY], session[HASH_SESSION_KEY] = str(eve.pk), eve.get_session_auth_hash()
        session.save()

    await db.run(change)


@pytest.mark.parametrize(
    "happens",
    [log_out, change_password, deactivate, delete_user, log_in_as_another],
    ids=lambda each: each.__name__,
)
async def test_socket_is_closed_when_its_session_is_over(
    site: None, open_page: Opener, happens: Callable[[Chat], Awaitable[None]]
) -> None:
    chat = await user()
    thread_id = (await chat.say("hi")).thread_id
    page = await open_page(chat)
    await page.send(follow=thread_id, after=0)
    await page.next("changed")
    await happens(chat)
    await beat(pulse.CHECK_INTERVAL)
    assert await page.code() == codes.SESSION_OVER


async def test_socket_is_closed_when_the_sites_own_backend_says_so(open_page: Opener, settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.OwnBackend"]
    chat = await user()
    page = await open_page(chat)
    await db.run(lambda: User.objects.update(last_name="Locked"))
    await eventually(lambda: get_pulse()._sockets)
    await beat(pulse.CHECK_INTERVAL)
    assert await page.code() == codes.SESSION_OVER


async def test_session_whose_time_is_over_closes_the_socket(open_page: Opener) -> None:
    page = await open_page(await user())
    await db.run(lambda: Session.objects.update(expire_date=timezone.now()))
    await eventually(lambda: get_pulse()._sockets)
    await beat(pulse.CHECK_INTERVAL)
    assert await page.code() == codes.SESSION_OVER


async def test_other_sockets_stay_when_one_is_closed(open_page: Opener) -> None:
    """They are looked at together."""
    leaves, stays, also_stays = await user(), await superuser(), await visitor()
    pages = [await open_page(chat) for chat in (leaves, stays, also_stays)]
    await eventually(lambda: len(get_pulse()._sockets) == 3)
    await log_out(leaves)
    await beat(pulse.CHECK_INTERVAL)
    assert await pages[0].code() == codes.SESSION_OVER
    assert [(await page.next())["type"] for page in pages[1:]] == ["ping", "ping"]


async def test_page_of_a_socket_that_is_in_is_not_asked_for_again(
    open_page: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot change, and to ask takes as long as all else of a request."""
    page = await open_page(await user())
    await eventually(lambda: get_pulse()._sockets)
    monkeypatch.setattr(visit, "_is_own_page", lambda request: False)
    await beat(pulse.CHECK_INTERVAL)
    assert (await page.next())["type"] == "ping"


async def test_page_that_cannot_be_looked_at_keeps_no_other_from_it(
    open_page: Opener, use: Any, caplog: pytest.LogCaptureFixture
) -> None:
    chat, other = await user(), await superuser()
    page, leaves = await open_page(chat), await open_page(other)
    await eventually(lambda: len(get_pulse()._sockets) == 2)
    use("EchoServer", CONTEXT=f"{__name__}.context_without_ada")
    await log_out(other)
    await beat(pulse.CHECK_INTERVAL)
    assert await leaves.code() == codes.SESSION_OVER
    assert await page.code() == codes.NOT_HERE
    assert "A socket could not be looked at again" in caplog.text


def context_without_ada(request: Any) -> RequestContext:
    if request.user.username == "ada":
        raise LookupError("no profile")
    return RequestContext.from_request(request)


@pytest.mark.usefixtures("site")
async def test_socket_stays_open_while_its_session_does(open_page: Opener) -> None:
    chat = await user()
    thread_id = (await chat.say("hi")).thread_id
    page = await open_page(chat)
    await page.send(follow=thread_id, after=0)
    await page.next("changed")
    await beat(pulse.CHECK_INTERVAL)
    await page.next("ping")
    await rename("Parcels")
    assert (await page.next())["type"] == "changed"


async def test_thread_that_is_gone_is_told_as_absent(open_page: Opener) -> None:
    chat, thread_id, _version = await begin()
    page = await open_page(chat)
    await page.send(follow=thread_id, after=0)
    await page.next("changed")
    await db.run(lambda: Thread.objects.get().delete())
    await beat(pulse.CHECK_INTERVAL)
    assert await page.next("absent") == {"type": "absent", "thread": thread_id}


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "[]",
        "7",
        "{}",
        '{"follow": 7}',
        '{"follow": "t", "after": "1"}',
        '{"follow": "t", "after": true}',
        "[" * 1500,
        '{"follow": "' + "x" * 2000 + '"}',
        '{"explode": "t"}',
    ],
)
async def test_what_is_no_message_closes_the_socket(open_page: Opener, text: str) -> None:
    page = await open_page(Chat())
    await page.send_text(text)
    assert await page.code() == codes.BAD_MESSAGE


async def test_page_that_sends_too_much_is_closed(open_page: Opener) -> None:
    page = await open_page(Chat())
    for _ in range(socket.MAX_MESSAGES + 1):
        await page.send(unfollow="t")
    assert await page.code() == codes.TOO_MUCH


async def test_reader_that_takes_nothing_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it was to be told is not kept for it."""
    monkeypatch.setattr(socket, "SEND_PATIENCE", 0.05)
    chat, thread_id, _version = await begin()
    page = Page(chat)
    incoming: asyncio.Queue[Any] = asyncio.Queue()
    closed: list[int] = []
    stuck = asyncio.Event()

    async def send(event: Any) -> None:
        if event["type"] == "websocket.send":
            stuck.set()
            await asyncio.sleep(3600)
        if event["type"] == "websocket.close":
            closed.append(event["code"])

    incoming.put_nowait({"type": "websocket.connect"})
    incoming.put_nowait({"type": "websocket.receive", "text": f'{{"follow": "{thread_id}", "after": 0}}'})
    await page._socket.application(page._socket.scope, incoming.get, send)
    assert stuck.is_set()
    assert closed == [codes.TOO_SLOW]
    assert get_pulse()._sockets == set()
