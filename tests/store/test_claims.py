"""Two requests of one browser at once, one of which changes the session: a login, a logout, a new password."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client

from chatkit_app import db
from chatkit_app.limits import counters
from chatkit_app.models import Attachment, Feedback, Run, Thread, ThreadItem, VisitorClaim
from chatkit_app.store import DjangoStore, claims
from chatkit_app.store.attachments import DjangoAttachmentStore
from tests.chat import Chat, message

pytestmark = pytest.mark.django_db(transaction=True)

ENGINES = ["db", "cached_db", "signed_cookies"]
SEED = "ab" * 16


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, settings: Any, use: Any) -> str:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{request.param}"
    use("EchoServer", ATTACHMENTS={})
    return str(request.param)


@pytest.fixture
async def user() -> Any:
    return await db.run(lambda: get_user_model().objects.create_superuser("ada", password="secret"))


def log_in(chat: Chat) -> dict[str, str]:
    """A login with the cookies that the browser has now. Returns what it has afterwards."""
    client = Client()
    client.cookies.load(chat.cookies)
    reply = client.post("/admin/login/", {"username": "ada", "password": "secret"})
    assert reply.status_code == 302
    return {name: morsel.value for name, morsel in client.cookies.items()}


@pytest.fixture
def login_before(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, str]]:
    """Let a login come just before this is done for the first time. Returns the cookies it gives."""

    def force(name: str, chat: Chat, of: Any = DjangoStore) -> dict[str, str]:
        original = getattr(of, name)
        given: dict[str, str] = {}

        def interrupted(*arguments: Any, **options: Any) -> Any:
            if not given:
                given.update(log_in(chat))
            return original(*arguments, **options)

        monkeypatch.setattr(of, name, interrupted)
        return given

    return force


def owners(model: Any) -> list[tuple[str | None, str]]:
    return list(model.objects.order_by("pk").values_list("user__username", "visitor_id"))


async def test_message_that_login_overtakes_is_the_users(engine, user, login_before):
    chat = Chat()
    await chat.say("first")
    given = login_before("_insert_thread", chat)
    answer = await chat.say("second")
    assert answer.text() == "echo: second"
    for model in (Thread, Run):
        assert await db.run(owners, model) == [("ada", ""), ("ada", "")]
    assert given["sessionid"] != chat.cookies["sessionid"]  # the test's two browsers are one


async def test_first_message_that_login_overtakes_is_the_users(engine, user, login_before):
    chat = Chat()
    chat.cookies["chatkit_first"] = SEED
    login_before("_insert_thread", chat)
    assert (await chat.say("first")).text() == "echo: first"
    assert await db.run(owners, Thread) == [("ada", "")]


async def test_response_that_login_overtakes_sets_no_cookie_over_the_logins(engine, user, login_before):
    chat = Chat()
    chat.cookies["chatkit_first"] = SEED
    login_before("begin_answer", chat, counters)
    answer = await chat.say("first")
    assert answer.text() == "echo: first"
    assert "sessionid" not in chat.cookies
    assert await db.run(owners, Thread) == [("ada", "")]


async def test_message_that_comes_after_the_login_is_sent_again_to_the_user(engine, user):
    chat = Chat()
    await chat.say("first")
    old = chat.cookies["sessionid"]
    given = await db.run(log_in, chat)
    late = await chat.say("second")
    assert (late.status, late.headers["x-chatkit-again"]) == (409, "1")
    assert chat.cookies["sessionid"] == old  # nothing was set
    chat.cookies["sessionid"] = given["sessionid"]
    assert (await chat.say("second")).text() == "echo: second"
    assert await db.run(owners, Thread) == [("ada", ""), ("ada", "")]


async def test_first_message_that_comes_after_the_login_is_sent_again(engine, user):
    chat = Chat()
    chat.cookies["chatkit_first"] = SEED
    await db.run(log_in, chat)
    assert (await chat.say("first")).status == 409
    assert "sessionid" not in chat.cookies


async def test_message_that_comes_after_another_change_of_the_session_is_sent_again(use, user):
    use("EchoServer")
    chat = Chat()
    await chat.log_in(user)
    old = dict(chat.cookies)

    def change_password() -> dict[str, str]:
        client = Client()
        client.cookies.load(chat.cookies)
        fields = {"old_password": "secret", "new_password1": "k8!xX-new", "new_password2": "k8!xX-new"}
        assert client.post("/admin/password_change/", fields).status_code == 302
        return {name: morsel.value for name, morsel in client.cookies.items()}

    given = await db.run(change_password)
    assert given["sessionid"] != old["sessionid"]
    assert (await chat.say("late")).status == 409
    del chat.cookies["chatkit_again"]
    assert (await chat.ask("threads.list", limit=20)).status == 409
    assert chat.cookies["sessionid"] == old["sessionid"]
    chat.cookies["sessionid"] = given["sessionid"]
    assert (await chat.say("late")).text() == "echo: late"
    assert await db.run(owners, Thread) == [("ada", "")]


async def test_browser_whose_session_has_ended_is_a_new_visitor(use):
    use("EchoServer")
    chat = Chat()
    chat.cookies["sessionid"] = "x" * 32
    assert (await chat.say("hi")).status == 409
    again = await chat.say("hi")
    assert again.text() == "echo: hi"
    assert chat.cookies["sessionid"] != "x" * 32


async def test_browser_that_the_logins_cookie_has_not_reached_is_a_new_visitor(settings, use, user):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    use("EchoServer")
    chat = Chat()
    await chat.say("first")
    await db.run(log_in, chat)
    assert (await chat.say("second")).status == 409
    assert (await chat.say("second")).text() == "echo: second"
    (first, second) = await db.run(owners, Thread)
    assert first == ("ada", "")
    assert second[0] is None
    assert not await db.run(claims.is_claimed, second[1])


async def test_reading_with_a_session_that_has_ended_leaves_the_cookie(use):
    use("EchoServer")
    chat = Chat()
    chat.cookies["sessionid"] = "x" * 32
    assert (await (await chat.follow("run_1")).rest()).status == 404
    assert chat.cookies["sessionid"] == "x" * 32


async def test_feedback_that_login_overtakes_is_the_users(engine, user, login_before):
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    item_id = await db.run(lambda: ThreadItem.objects.get(type="assistant_message").public_id)
    login_before("owner_columns", chat)
    await chat.ask("items.feedback", thread_id=thread_id, item_ids=[item_id], kind="positive")
    assert await db.run(owners, Feedback) == [("ada", "")]


async def test_file_that_login_overtakes_is_the_users(engine, user, login_before):
    chat = Chat()
    await chat.say("hi")
    login_before("owner_columns", chat)
    await chat.ask("attachments.create", name="a.txt", size=1, mime_type="text/plain")
    assert await db.run(owners, Attachment) == [("ada", "")]


async def announce(chat: Chat) -> str:
    reply = await chat.ask("attachments.create", name="a.txt", size=5, mime_type="text/plain")
    return str(reply.json()["id"])


async def test_bytes_of_a_file_that_login_overtakes_are_the_users(
    engine, user, login_before, settings, tmp_path
):
    settings.MEDIA_ROOT = tmp_path
    chat = Chat()
    await chat.say("hi")
    file_id = await announce(chat)
    login_before("_expect", chat, DjangoAttachmentStore)
    sent = await (await chat.open("PUT", f"/chatkit/attachments/{file_id}", b"bytes")).rest()
    assert sent.status == 200
    assert await db.run(lambda: list(Attachment.objects.values_list("user__username", "size"))) == [
        ("ada", 5)
    ]


async def test_bytes_that_login_overtakes_while_they_are_looked_at_are_the_users(
    engine, user, login_before, settings, tmp_path
):
    settings.MEDIA_ROOT = tmp_path
    chat = Chat()
    await chat.say("hi")
    file_id = await announce(chat)
    login_before("_receive", chat, DjangoAttachmentStore)
    sent = await (await chat.open("PUT", f"/chatkit/attachments/{file_id}", b"bytes")).rest()
    assert sent.status == 200
    assert await db.run(lambda: list(Attachment.objects.values_list("user__username", "size"))) == [
        ("ada", 5)
    ]


async def test_message_with_a_file_that_login_overtakes_is_the_users(
    engine, user, login_before, settings, tmp_path
):
    settings.MEDIA_ROOT = tmp_path
    chat = Chat()
    await chat.say("hi")
    file_id = await announce(chat)
    await (await chat.open("PUT", f"/chatkit/attachments/{file_id}", b"bytes")).rest()
    login_before("_load_attachment", chat)
    answer = await chat.ask("threads.create", input=message("look", attachments=[file_id]))
    assert answer.text() == "echo: look"
    assert await db.run(owners, Thread) == [("ada", ""), ("ada", "")]


async def test_file_of_a_visitor_who_did_not_log_in_stays_foreign(user, use):
    use("EchoServer", ATTACHMENTS={})
    chat, other = Chat(), Chat()
    await chat.say("hi")
    await other.say("hi")
    file_id = await announce(chat)
    await db.run(log_in, chat)
    sent = await (await other.open("PUT", f"/chatkit/attachments/{file_id}", b"bytes")).rest()
    assert sent.status == 404


@pytest.mark.parametrize("operation", ["threads.create", "threads.list", "attachments.create"])
async def test_login_that_overtakes_a_request_whose_session_is_always_saved_ends_nothing(
    engine, user, login_before, settings, operation
):
    settings.SESSION_SAVE_EVERY_REQUEST = True
    chat = Chat()
    await chat.say("first")
    old = chat.cookies["sessionid"]
    params = {
        "threads.create": {"input": message("second")},
        "threads.list": {"limit": 20},
        "attachments.create": {"name": "a.txt", "size": 1, "mime_type": "text/plain"},
    }[operation]
    name, of = {
        "threads.create": ("begin_answer", counters),
        "threads.list": ("_load_threads", DjangoStore),
        "attachments.create": ("_save_attachment", DjangoStore),
    }[operation]
    login_before(name, chat, of)
    reply = await chat.ask(operation, **params)
    assert reply.status == 200
    assert chat.cookies["sessionid"] == old
    assert "set-cookie" not in reply.headers


async def test_session_that_is_always_saved_has_its_cookie_set_anew(settings, use):
    settings.SESSION_SAVE_EVERY_REQUEST = True
    use("EchoServer")
    chat = Chat()
    await chat.say("first")
    assert "sessionid=" in (await chat.say("second")).headers["set-cookie"]


async def test_session_that_cannot_be_saved_takes_no_answer_with_it(settings, use, monkeypatch, caplog):
    settings.SESSION_SAVE_EVERY_REQUEST = True
    use("EchoServer")
    chat = Chat()
    await chat.say("first")

    def full(self: Any, *arguments: Any, **options: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(SessionStore, "save", full)
    assert (await chat.say("second")).text() == "echo: second"
    assert (await chat.ask("threads.list", limit=20)).status == 200
    assert "A session could not be saved" in caplog.text


async def test_first_message_whose_session_cannot_be_saved_is_refused_and_can_be_sent_again(use, monkeypatch):
    use("EchoServer")
    chat = Chat()

    def full(self: Any, *arguments: Any, **options: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("chatkit_app.views.endpoint.save_session", full)
        assert (await chat.say("first")).error()["allow_retry"] is True
    assert await db.run(Thread.objects.count) == 0
    assert (await chat.say("first")).text() == "echo: first"


async def test_claims_are_forgotten_after_a_day(user):
    def claim() -> list[str]:
        claims.claim(["old"], user)
        VisitorClaim.objects.update(claimed_at="2020-01-01T00:00:00Z")
        claims.claim(["new"], user)
        return list(VisitorClaim.objects.values_list("visitor_id", flat=True))

    assert await db.run(claim) == ["new"]
