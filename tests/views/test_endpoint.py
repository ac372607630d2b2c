"""The endpoint: what it answers to whom, and that no bad request ever gets a page, a redirect or a 5xx."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.test import Client, TestCase

from chatkit_app import db
from chatkit_app.errors import InvalidRequest
from chatkit_app.models import Run, Thread, ThreadItem
from chatkit_app.runs.live import LiveRun
from chatkit_app.runs.registry import live_runs
from chatkit_app.server.setting import get_server
from tests.chat import CSRF_TOKEN, Chat, encode, message
from tests.servers import EchoServer, SlowServer

pytestmark = pytest.mark.django_db(transaction=True)

GONE = "This conversation or part of it no longer exists."
LOGIN = "Please log in to go on."
ENDED = "Your session has ended. Reload the page and log in again."
STALE = "Your session has changed. Reload the page and send your message again."
NO_DATABASE = "The conversation could not be saved just now. Please try again in a moment."


@pytest.fixture(autouse=True)
def echo(settings: Any) -> None:
    settings.CHATKIT = {"SERVER": "tests.servers.EchoServer", "CHECKPOINT_INTERVAL": 0.05}


@pytest.fixture
def use(settings: Any) -> Any:
    def configure(server: str = "EchoServer", **keys: Any) -> None:
        settings.CHATKIT = {"SERVER": f"tests.servers.{server}", "CHECKPOINT_INTERVAL": 0.05, **keys}

    return configure


def rows() -> tuple[int, int, int]:
    return Thread.objects.count(), ThreadItem.objects.count(), Run.objects.count()


def error_frame(text: str, *, allow_retry: bool = False) -> bytes:
    event = {"type": "error", "code": "custom", "message": text, "allow_retry": allow_retry}
    return b"data: " + json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode() + b"\n\n"


# --- Good requests ------------------------------------------------------------------------------------------


async def test_message_is_answered_and_stored():
    chat = Chat()
    answer = await chat.say("hi")
    assert answer.types() == [
        "thread.created",
        "thread.item.done",
        "stream_options",
        "thread.item.done",
    ]
    assert answer.text() == "echo: hi"
    assert [item["type"] for item in await chat.items(answer.thread_id)] == [
        "user_message",
        "assistant_message",
    ]


async def test_stream_has_the_headers_that_keep_it_flowing():
    answer = await Chat().say("hi")
    assert answer.status == 200
    names = ("content-type", "cache-control", "x-accel-buffering", "content-encoding")
    assert [answer.headers[name] for name in names] == [
        "text/event-stream",
        "no-cache, no-transform",
        "no",
        "identity",
    ]
    assert answer.run_id.startswith("run_")
    assert len(answer.run_id) == 36


async def test_stream_is_left_alone_by_gzip(settings):
    settings.MIDDLEWARE = ["django.middleware.gzip.GZipMiddleware", *settings.MIDDLEWARE]
    answer = await Chat().say("hi " * 200, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "identity"
    assert answer.text() == "echo: " + "hi " * 200


async def test_json_reply_is_not_cached():
    reply = await Chat().ask("threads.list")
    assert reply.json() == {"data": [], "has_more": False}
    assert reply.headers["cache-control"] == "no-store"


async def test_events_of_a_run_have_the_headers_of_a_stream():
    chat = Chat()
    answer = await chat.say("hi")
    replay = await (await chat.follow(answer.run_id)).rest()
    assert replay.headers["content-type"] == "text/event-stream"
    assert replay.run_id == answer.run_id


# --- Bad requests -------------------------------------------------------------------------------------------

BAD_BODIES = {
    "empty": b"",
    "malformed": b'{"type": "threads.li',
    "array": b"[]",
    "string": b'"threads.list"',
    "null": b"null",
    "number": b"1e999",
    "no type": b'{"params": {}}',
    "unknown operation": b'{"type": "threads.explode", "params": {}}',
    "type of a wrong type": b'{"type": {"$ne": 1}, "params": {}}',
    "no params": b'{"type": "threads.get_by_id"}',
    "params of a wrong type": b'{"type": "threads.list", "params": 7}',
    "limit of a wrong type": b'{"type": "threads.list", "params": {"limit": "many"}}',
    "order unknown": b'{"type": "threads.list", "params": {"order": "random"}}',
    "id of a wrong type": b'{"type": "threads.get_by_id", "params": {"thread_id": ["x"]}}',
    "invalid UTF-8": b'{"type": "threads.list", "params": {"after": "\xff\xfe"}}',
    "half a surrogate pair": b'{"type": "threads.get_by_id", "params": {"thread_id": "\\ud800"}}',
    "deeply nested": b'{"type": "threads.list", "params": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "huge number": b'{"type": "threads.list", "params": {"limit": ' + b"9" * 10_000 + b"}}",
}
BAD_STREAMING_BODIES = {
    "malformed": b'{"type": "threads.create", "par',
    "no params": b'{"type": "threads.create"}',
    "no input": b'{"type": "threads.add_user_message", "params": {"thread_id": "x"}}',
    "content of a wrong type": b'{"type": "threads.create", "params": {"input": {"content": 7}}}',
    "invalid UTF-8": encode("threads.create", input=message("X")).replace(b"X", b"\xff"),
    "deeply nested": b'{"type": "threads.create", "params": ' + b'{"a":' * 200 + b"1" + b"}" * 201,
    "type comes last": b'{"params": {}, "type": "threads.retry_after_item"}',
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
async def test_bad_body_gets_a_json_message(body):
    reply = await Chat().post(body)
    assert 400 <= reply.status < 500
    assert list(reply.json()) == ["message"]
    assert await db.run(rows) == (0, 0, 0)


@pytest.mark.parametrize("body", BAD_STREAMING_BODIES.values(), ids=BAD_STREAMING_BODIES)
async def test_bad_body_of_a_streaming_operation_gets_an_error_event(body):
    reply = await Chat().post(body)
    assert reply.status == 200
    assert reply.error()["message"].startswith("Not a valid ChatKit request: ")
    assert reply.error()["allow_retry"] is False
    assert await db.run(rows) == (0, 0, 0)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
async def test_other_method_gets_405(method):
    reply = await (await Chat().open(method, "/chatkit")).rest()
    assert reply.status == 405
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("POST", "/chatkit/runs/x/events", "GET"), ("GET", "/chatkit/runs/x/stop", "POST")],
)
async def test_other_method_on_a_run_gets_405(method, path, allowed):
    reply = await (await Chat().open(method, path)).rest()
    assert reply.status == 405
    assert list(reply.json()) == ["message"]
    assert reply.headers["allow"] == allowed


@pytest.mark.parametrize("length", [True, False], ids=["announced", "chunked"])
async def test_body_over_the_limit_of_a_streaming_operation_gets_an_error_event(settings, length):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    reply = await Chat().post(encode("threads.create", input=message("x" * 2000)), length=length)
    assert reply.status == 200
    assert reply.body == error_frame("The message is too large.")
    assert await db.run(rows) == (0, 0, 0)


@pytest.mark.parametrize("length", [True, False], ids=["announced", "chunked"])
async def test_body_over_the_limit_of_another_operation_gets_413(settings, length):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    body = encode("threads.update", thread_id="x", title="x" * 2000)
    reply = await Chat().post(body, length=length)
    assert reply.status == 413
    assert reply.json() == {"message": "The message is too large."}


async def test_csrf_token_is_not_looked_for_in_a_form():
    """Django would read and parse all of it."""
    body = b"csrfmiddlewaretoken=" + CSRF_TOKEN.encode()
    reply = await Chat().post(body, {"Content-Type": "application/x-www-form-urlencoded"}, csrf=False)
    assert (reply.status, reply.json()) == (403, {"message": STALE})


async def test_form_body_gets_a_json_message():
    reply = await Chat().post(b"type=threads.list", {"Content-Type": "application/x-www-form-urlencoded"})
    assert reply.status == 400
    assert list(reply.json()) == ["message"]


@pytest.mark.parametrize("run_id", ["run_unknown", "%00", "a" * 5000])
async def test_unknown_run_gets_404(run_id):
    chat = Chat()
    await chat.say("hi")
    assert (await chat.stop(run_id)).status == 404
    assert (await (await chat.follow(run_id)).rest()).status == 404


async def test_wrong_server_path_is_no_page(settings):
    settings.CHATKIT = {"SERVER": "tests.servers.not_a_server"}
    reply = await Chat().say("hi")
    assert reply.error()["code"] == "stream.error"


def test_server_path_that_gives_something_else_says_what_to_name():
    with pytest.raises(TypeError, match=r"not_a_server gave str; name a subclass of chatkit_app\.server\."):
        get_server("tests.servers.not_a_server")


MANY = b",".join([b"0"] * 1_000_000)


@pytest.mark.parametrize(
    "params",
    [
        b'{"thread_id": "x", "kind": "positive", "item_ids": [' + MANY + b"]}",
        b'{"thread_id": "x", "kind": "positive", "item_ids": [], "more": {"a": [' + MANY + b"]}}",
        b'{"thread_id": "' + b"x" * 3_000_000 + b'"}',
    ],
    ids=["list", "list that nobody asked for", "text"],
)
async def test_body_that_is_too_much_work_gets_413(settings, params):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = None
    reply = await Chat().post(b'{"type": "items.feedback", "params": ' + params + b"}")
    assert (reply.status, reply.json()) == (413, {"message": "The message is too large."})


async def test_message_that_is_too_much_work_gets_an_error_event():
    body = b'{"type": "threads.create", "params": {"input": {"content": [' + MANY + b"]}}}"
    assert (await Chat().post(body)).body == error_frame("The message is too large.")


@pytest.mark.parametrize("body", [b"[" + MANY + b"]", b'{"type": 7}', b"x" * 2_000_000])
async def test_sender_is_looked_at_before_the_body(body):
    reply = await Chat().post(body, csrf=False)
    assert (reply.status, reply.json()) == (403, {"message": STALE})


async def test_login_is_asked_for_before_the_body_is_looked_at(use):
    use(LOGIN_REQUIRED=True)
    assert (await Chat().post(b"[" + MANY + b"]")).json() == {"message": LOGIN}


async def test_text_full_of_commas_is_a_message_like_any_other():
    assert (await Chat().say("[1, 2, 3], " * 5_000)).text() == "echo: " + "[1, 2, 3], " * 5_000


def test_one_error_of_a_list_is_built():
    body = (
        b'{"type": "items.feedback", "params": {"thread_id": "x", "kind": "positive", "item_ids": [0, 0, 0]}}'
    )
    with pytest.raises(InvalidRequest) as refused:
        EchoServer().parse(body)
    assert refused.value.__context__.error_count() == 1
    assert "item_ids.0: " in refused.value.message


# --- CSRF ---------------------------------------------------------------------------------------------------


async def test_message_without_csrf_token_gets_an_error_event():
    reply = await Chat().post(encode("threads.create", input=message("hi")), csrf=False)
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/event-stream"
    assert reply.body == error_frame(STALE)
    assert await db.run(rows) == (0, 0, 0)


async def test_other_operation_without_csrf_token_gets_403():
    reply = await Chat().post(encode("threads.list"), csrf=False)
    assert reply.status == 403
    assert reply.json() == {"message": STALE}


async def test_stop_without_csrf_token_gets_403(use):
    use("SlowServer")
    SlowServer.gate = asyncio.Event()
    chat = Chat()
    answer = await chat.begin_saying("hi")
    await answer.until('"one "')
    reply = await chat.stop(answer.run_id, csrf=False)
    assert reply.status == 403
    assert reply.json() == {"message": STALE}
    assert await db.run(lambda: Run.objects.get().status) == "running"


# --- Logging in ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("middleware", [False, True], ids=["", "with LoginRequiredMiddleware"])
class TestLoginRequired:
    @pytest.fixture(autouse=True)
    def require_login(self, settings, use, middleware):
        use(LOGIN_REQUIRED=True)
        if middleware:
            settings.MIDDLEWARE = [
                *settings.MIDDLEWARE,
                "django.contrib.auth.middleware.LoginRequiredMiddleware",
            ]

    async def test_message_of_a_visitor_gets_an_error_event(self):
        reply = await Chat().say("hi")
        assert reply.status == 200
        assert reply.body == error_frame(LOGIN)
        assert await db.run(rows) == (0, 0, 0)

    async def test_other_operation_of_a_visitor_gets_401(self):
        reply = await Chat().ask("threads.list")
        assert reply.status == 401
        assert reply.json() == {"message": LOGIN}

    async def test_page_of_somebody_who_was_logged_in_is_told_that_the_session_has_ended(self):
        headers = {"X-ChatKit-Had-Login": "1"}
        assert (await Chat().say("hi", headers=headers)).body == error_frame(ENDED)
        reply = await Chat().ask("threads.list", headers=headers)
        assert (reply.status, reply.json()) == (401, {"message": ENDED})

    async def test_urls_of_a_run_get_401(self):
        chat = Chat()
        assert (await chat.stop("run_x")).status == 401
        assert (await (await chat.follow("run_x")).rest()).status == 401

    async def test_user_is_answered(self):
        chat = Chat()
        await chat.log_in(await db.run(User.objects.create_user, "ada"))
        assert (await chat.say("hi")).text() == "echo: hi"


@pytest.mark.parametrize(("required", "body"), [(None, LOGIN), (False, "echo: hi")])
async def test_login_required_middleware_decides_unless_the_setting_does(required, body, settings, use):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    use(LOGIN_REQUIRED=required)
    reply = await Chat().say("hi")
    assert (reply.status, body in reply.body.decode()) == (200, True)


async def test_visitor_gets_an_id_by_writing_and_not_by_looking():
    chat = Chat()
    await chat.ask("threads.list")
    assert "sessionid" not in chat.cookies
    await chat.say("hi")
    assert "sessionid" in chat.cookies
    thread = await db.run(Thread.objects.get)
    assert len(thread.visitor_id) == 32
    assert thread.visitor_id not in chat.cookies["sessionid"]


async def test_visitor_keeps_the_threads_over_requests_and_others_do_not_see_them():
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    assert [row["id"] for row in (await chat.ask("threads.list")).json()["data"]] == [thread_id]
    stranger = Chat()
    await stranger.say("me too")
    mine = [row["id"] for row in (await stranger.ask("threads.list")).json()["data"]]
    assert len(mine) == 1
    assert mine != [thread_id]


def new_browser() -> Chat:
    """One whose page has set the seed of its first requests."""
    chat = Chat()
    chat.cookies["chatkit_first"] = "5eed" * 8
    return chat


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_threads_that_a_new_visitors_two_tabs_begin_at_once_are_one_visitors(order):
    chat = new_browser()
    tabs = [chat.start("POST", "/chatkit", encode("threads.create", input=message(text))) for text in "ab"]
    for number in order:
        await tabs[number].rest()
    assert await db.run(Session.objects.count) == 2
    listed = (await chat.ask("threads.list")).json()["data"]
    assert {thread["id"] for thread in listed} == {tab.thread_id for tab in tabs}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_dictation_beside_a_new_visitors_first_message_makes_no_second_visitor(order):
    chat = new_browser()
    audio = {"audio_base64": base64.b64encode(b"hello").decode(), "mime_type": "audio/webm"}
    bodies = [encode("input.transcribe", **audio), encode("threads.create", input=message("hello"))]
    exchanges = [chat.start("POST", "/chatkit", body) for body in bodies]
    for number in order:
        await exchanges[number].rest()
    assert exchanges[0].json() == {"text": "hello"}
    assert await db.run(Session.objects.count) == 1
    listed = (await chat.ask("threads.list")).json()["data"]
    assert [thread["id"] for thread in listed] == [exchanges[1].thread_id]


async def test_seed_is_deleted_by_the_response_that_brings_the_session():
    chat = new_browser()
    await chat.ask("threads.list")
    assert chat.cookies["chatkit_first"] == "5eed" * 8
    await chat.begin_saying("hi")
    assert "chatkit_first" not in chat.cookies


async def test_seed_is_deleted_by_every_url_when_the_visitor_is_known():
    chat = new_browser()
    answer = await chat.say("hi")
    for ask in (chat.ask("threads.list"), chat.follow(answer.run_id), chat.stop(answer.run_id)):
        chat.cookies["chatkit_first"] = "5eed" * 8
        await (await ask).rest()
        assert "chatkit_first" not in chat.cookies


async def test_seed_is_deleted_when_a_user_is_logged_in():
    chat = new_browser()
    await chat.log_in(await db.run(User.objects.create_user, "ada"))
    await chat.ask("threads.list")
    assert "chatkit_first" not in chat.cookies


async def test_seed_is_kept_by_an_error_that_brings_no_session(use, monkeypatch):
    def fail(*args: Any) -> None:
        raise RuntimeError

    chat = new_browser()
    monkeypatch.setattr("chatkit_app.views.endpoint.build_context", fail)
    assert (await chat.ask("attachments.create", name="a.txt", size=1, mime_type="text/plain")).status == 500
    assert chat.cookies["chatkit_first"] == "5eed" * 8


async def test_next_visitor_at_the_same_browser_is_somebody_else():
    chat = new_browser()
    await chat.say("mine")
    del chat.cookies["sessionid"]
    await chat.say("theirs")
    visitors = await db.run(list, Thread.objects.values_list("visitor_id", flat=True))
    assert len(set(visitors)) == 2


def test_login_makes_the_visitors_threads_the_users():
    User.objects.create_user("ada", password="secret", is_staff=True)
    browser = Client()

    async def talk() -> tuple[str, str]:
        chat = Chat()
        return (await chat.say("hi")).thread_id, chat.cookies["sessionid"]

    thread_id, browser.cookies["sessionid"] = asyncio.run(talk())
    browser.post("/admin/login/", {"username": "ada", "password": "secret"})

    async def look() -> Any:
        chat = Chat()
        chat.cookies["sessionid"] = browser.cookies["sessionid"].value
        return (await chat.ask("threads.list")).json()["data"]

    assert [thread["id"] for thread in asyncio.run(look())] == [thread_id]
    browser.post("/admin/logout/")
    assert asyncio.run(look()) == []


# --- Languages ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({"Accept-Language": "de"}, "de Montag"),
        ({"Accept-Language": "en", "X-ChatKit-Locale": "de"}, "de Montag"),
        ({"Accept-Language": "de", "X-ChatKit-Locale": "pt-br"}, "pt-br Segunda-feira"),
        ({"Accept-Language": "de", "X-ChatKit-Locale": "xx"}, "de Montag"),
        ({"Accept-Language": "de", "X-ChatKit-Locale": "../../etc/passwd"}, "de Montag"),
        ({}, "en Monday"),
    ],
)
async def test_answer_is_in_the_language_of_the_page(use, headers, text):
    use("LocaleServer")
    answer = await Chat().say("hi", headers=headers)
    assert answer.text() == text


async def test_context_function_runs_in_the_language_of_the_page(use, monkeypatch):
    from django.utils import translation

    from chatkit_app.context import RequestContext

    seen = []

    def context(request: Any) -> RequestContext:
        seen.append(translation.get_language())
        return RequestContext.from_request(request)

    monkeypatch.setattr("tests.servers.context", context, raising=False)
    use(CONTEXT="tests.servers.context")
    await Chat().ask("threads.list", headers={"X-ChatKit-Locale": "de"})
    assert seen == ["de"]


# --- The database goes away ---------------------------------------------------------------------------------


class Outage:
    """The database is away for so many pieces of work."""

    def __init__(self) -> None:
        self.left = 0
        self.work = db._work

    def __call__(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        if self.left > 0:
            self.left -= 1
            raise OperationalError("the database is away")
        return self.work(func, *args, **kwargs)


@pytest.fixture
def outage(monkeypatch: pytest.MonkeyPatch) -> Outage:
    away = Outage()
    monkeypatch.setattr(db, "_work", away)
    return away


async def test_database_away_for_a_moment_loses_nothing(use, outage):
    use("SlowServer")
    SlowServer.gate = asyncio.Event()
    chat = Chat()
    answer = await chat.begin_saying("hi")
    await answer.until('"one "')
    outage.left = 3
    SlowServer.gate.set()
    assert (await answer.rest()).text() == "one two"
    items = await chat.items(answer.thread_id)
    assert items[-1]["content"][0]["text"] == "one two"
    assert await db.run(lambda: Run.objects.get().status) == "completed"


async def test_database_away_for_long_is_told_to_the_user(use, outage):
    use("SlowServer", DB_PATIENCE=0.05)
    SlowServer.gate = asyncio.Event()
    answer = await Chat().begin_saying("hi")
    await answer.until('"one "')
    outage.left = 10_000
    SlowServer.gate.set()
    assert (await answer.rest()).error() == {
        "type": "error",
        "code": "custom",
        "message": NO_DATABASE,
        "allow_retry": True,
    }
    outage.left = 0


async def test_database_away_while_the_run_is_recorded_is_told_to_the_user(use, outage, monkeypatch):
    use(DB_PATIENCE=0.05)

    def record_start(run: LiveRun) -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr(LiveRun, "record_start", record_start)
    answer = await Chat().say("hi")
    assert answer.types() == ["thread.created", "error"]
    assert answer.error()["message"] == NO_DATABASE


async def test_database_away_from_the_start_is_told_to_the_user(use, outage):
    use(DB_PATIENCE=0.05)
    outage.left = 10_000
    chat = Chat()
    assert (await chat.say("hi")).body == error_frame(NO_DATABASE, allow_retry=True)
    reply = await chat.ask("threads.list")
    assert (reply.status, reply.json()) == (503, {"message": NO_DATABASE})
    outage.left = 0


# --- Under what else there is -------------------------------------------------------------------------------


async def test_thread_deleted_meanwhile_ends_its_answer(use):
    use("SlowServer")
    SlowServer.gate = asyncio.Event()
    chat = Chat()
    answer = await chat.begin_saying("hi")
    await answer.until('"one "')
    await chat.ask("threads.delete", thread_id=answer.thread_id)
    await answer.rest()
    assert live_runs.of_thread(answer.thread_id) is None


class ChatTests(TestCase):
    """An integrator's test, inside of a transaction that is rolled back."""

    async def test_message_is_answered_within_the_transaction(self):
        body = encode("threads.create", input=message("hi"))
        self.enterContext(self.settings(CHATKIT={"SERVER": "tests.servers.AsyncOrmServer"}))
        reply = await self.async_client.post("/chatkit", body, content_type="application/json")
        frames = b"".join([chunk async for chunk in reply])
        assert b"items: 1" in frames
        assert await Thread.objects.acount() == 1


def test_json_operation_works_under_wsgi():
    browser = Client(enforce_csrf_checks=False)
    reply = browser.post("/chatkit", encode("threads.list"), content_type="application/json")
    assert reply.status_code == 200
    assert reply.json() == {"data": [], "has_more": False}


def test_message_under_wsgi_is_refused_and_logged_with_what_to_do(caplog):
    body = encode("threads.create", input=message("hi"))
    Client().post("/chatkit", body, content_type="application/json")
    (logged,) = [record.getMessage() for record in caplog.records if record.name == "chatkit_app.views.chat"]
    assert logged == (
        "A message was refused: this site is served by WSGI, which cannot stream answers. Serve ASGI_APPLICATION "
        "with an ASGI server (runserver with daphne, uvicorn)."
    )


async def test_function_that_makes_the_server_may_ask_the_database(use):
    use("server_from_the_database")
    assert (await Chat().say("hi")).text() == "echo: hi"
