"""Each limit as the client meets it: what it is told, and that nothing has been stored or asked of a model."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from chatkit_app import db
from chatkit_app.conf import LIMIT_DEFAULTS
from chatkit_app.context import RequestContext
from chatkit_app.limits import counters
from chatkit_app.limits.rules import limits_of
from chatkit_app.models import AnswerLease, Attachment, Run, Thread, ThreadItem
from tests.chat import Chat, Exchange, encode, message, rows_become
from tests.pictures import png
from tests.servers import EchoServer, FurnitureServer, SlowServer
from tests.store.test_attachments import upload

pytestmark = pytest.mark.django_db(transaction=True)

AGAIN = "You have reached a limit of this chat. Please try again in "
AT_ONCE = "Too many answers are being written at once. Wait for one to end or stop it, then try again."
REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "settings.md"


class CountingServer(EchoServer):
    asked = 0

    async def respond(self, thread, input_user_message, context):
        type(self).asked += 1
        async for event in super().respond(thread, input_user_message, context):
            yield event


@pytest.fixture
def limits(settings: Any) -> Any:
    CountingServer.asked = 0

    def configure(server: str = "tests.limits.test_rules.CountingServer", **limits: Any) -> None:
        settings.CHATKIT = {
            "SERVER": server,
            "CHECKPOINT_INTERVAL": 0.05,
            "LIMITS": limits,
            "ATTACHMENTS": {},
        }

    return configure


def counts() -> tuple[int, int, int]:
    return Thread.objects.count(), ThreadItem.objects.count(), Run.objects.count()


def refusal(answer: Exchange) -> dict[str, Any]:
    (event,) = answer.events()
    assert event["type"] == "error"
    return event


def test_every_limit_and_its_default_is_documented():
    section = REFERENCE.read_text().partition("## Limits\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`\"[A-Z].+?) \| (.+?) \|", section, re.M)
    names = [name for row in rows for name in re.findall(r'"([A-Z_]+)"', row[0])]
    values = [value.strip("`") for row in rows for value in row[1].split(", ")]
    expected = {name: "1 GiB" if value == 1024**3 else str(value) for name, value in LIMIT_DEFAULTS.items()}
    assert dict(zip(names, values, strict=True)) == expected


@pytest.mark.parametrize("limit", ["MESSAGES_PER_MINUTE", "MESSAGES_PER_DAY", "ADDRESS_MESSAGES_PER_MINUTE"])
async def test_message_beyond_the_limit_is_refused_before_anything_is_stored(limits, limit):
    limits(**{limit: 2})
    chat = Chat()
    thread_id = (await chat.say("one")).thread_id
    await chat.say("two", thread_id)
    before = await db.run(counts)
    for refused in (await chat.say("three", thread_id), await chat.say("four")):
        event = refusal(refused)
        assert refused.status == 200
        assert event["message"].startswith(AGAIN)
        assert event["allow_retry"] is True
    assert await db.run(counts) == before
    assert CountingServer.asked == 2


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("threads.retry_after_item", {"item_id": "{message}"}),
        ("threads.custom_action", {"item_id": "widget_1", "action": {"type": "buy", "payload": {}}}),
        ("threads.add_client_tool_output", {"result": {}}),
        (
            "threads.add_structured_input",
            {"item_id": "form_1", "input": {"status": "answered", "answers": {"q1": {"values": ["x"]}}}},
        ),
    ],
)
async def test_whatever_makes_an_answer_is_a_message(limits, operation, params):
    limits("tests.servers.FurnitureServer", MESSAGES_PER_DAY=1)
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    items = await chat.items(thread_id)
    params = {name: items[0]["id"] if value == "{message}" else value for name, value in params.items()}
    before = await db.run(counts)
    assert refusal(await chat.ask(operation, thread_id=thread_id, **params))["message"].startswith(AGAIN)
    assert await db.run(counts) == before


async def test_sync_action_beyond_the_limit_is_refused(limits):
    limits("tests.servers.FurnitureServer", MESSAGES_PER_DAY=1)
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    action = {"type": "buy", "payload": {}}
    refused = await chat.ask(
        "threads.sync_custom_action", thread_id=thread_id, item_id="widget_1", action=action
    )
    assert refused.status == 429
    assert int(refused.headers["retry-after"]) > 86_000
    assert refused.json()["message"].startswith(AGAIN)


@pytest.mark.parametrize(
    "limit", ["RECORDINGS_PER_MINUTE", "RECORDINGS_PER_DAY", "ADDRESS_MESSAGES_PER_MINUTE"]
)
async def test_dictation_beyond_the_limit_is_refused(limits, limit):
    limits(**{limit: 2})
    chat = Chat()
    audio = {"audio_base64": base64.b64encode(b"hello").decode(), "mime_type": "audio/webm"}
    await chat.say("hi")
    replies = [await chat.ask("input.transcribe", **audio) for _ in range(3)]
    expected = [200, 429, 429] if limit.startswith("ADDRESS") else [200, 200, 429]
    assert [reply.status for reply in replies] == expected
    assert replies[2].json()["message"].startswith(AGAIN)
    assert int(replies[2].headers["retry-after"]) > 0


async def test_threads_beyond_the_limit_are_refused_and_messages_are_not(limits):
    limits(THREADS_PER_DAY=1)
    chat = Chat()
    thread_id = (await chat.say("one")).thread_id
    assert refusal(await chat.say("two"))["message"].startswith(AGAIN)
    assert (await chat.say("three", thread_id)).text() == "echo: three"


async def test_full_thread_takes_no_more_messages_but_a_retry(limits):
    limits(ITEMS_PER_THREAD=4)
    chat = Chat()
    thread_id = (await chat.say("one")).thread_id
    assert (await chat.say("two", thread_id)).text() == "echo: two"
    event = refusal(await chat.say("three", thread_id))
    assert event["message"] == "This conversation is full. Please begin a new one."
    assert event["allow_retry"] is False
    last = (await chat.items(thread_id))[2]["id"]
    again = await chat.ask("threads.retry_after_item", thread_id=thread_id, item_id=last)
    assert again.text() == "echo: two"
    assert (await chat.say("a new one")).text() == "echo: a new one"


@pytest.mark.parametrize(
    ("limit", "fields"),
    [
        ("MESSAGE_LENGTH", {"content": [{"type": "input_text", "text": "x" * 21}]}),
        ("MESSAGE_LENGTH", {"quoted_text": "x" * 20}),
        ("NAME_LENGTH", {"inference_options": {"model": "x" * 21}}),
        ("NAME_LENGTH", {"inference_options": {"tool_choice": {"id": "x" * 21}}}),
        (
            "PAYLOAD_LENGTH",
            {"content": [{"type": "input_tag", "id": "t", "text": "tag", "data": {"a": ["x" * 21]}}]},
        ),
    ],
)
async def test_message_that_is_too_long_anywhere_is_refused(limits, limit, fields):
    limits(**{limit: 20})
    event = refusal(await Chat().ask("threads.create", input=message("hi", **fields)))
    assert "20 characters at most" in event["message"]
    assert event["allow_retry"] is False
    assert await db.run(counts) == (0, 0, 0)


async def test_message_of_exactly_the_longest_length_is_taken(limits):
    limits(MESSAGE_LENGTH=20)
    assert (await Chat().say("x" * 20)).text() == "echo: " + "x" * 20


@pytest.mark.parametrize(
    ("operation", "params", "metadata"),
    [
        (
            "threads.custom_action",
            {"item_id": "widget_1", "action": {"type": "buy", "payload": {"a": "x" * 200}}},
            {},
        ),
        ("threads.custom_action", {"item_id": "widget_1", "action": {"type": "x" * 200, "payload": {}}}, {}),
        (
            "threads.sync_custom_action",
            {"item_id": "widget_1", "action": {"type": "b", "payload": "x" * 200}},
            {},
        ),
        ("threads.add_client_tool_output", {"result": ["x" * 200]}, {}),
        (
            "threads.add_structured_input",
            {
                "item_id": "form_1",
                "input": {"status": "answered", "answers": {"q1": {"values": ["x" * 200]}}},
            },
            {},
        ),
        ("threads.update", {"title": "x" * 200}, {}),
        ("items.feedback", {"item_ids": ["x" * 200], "kind": "positive"}, {}),
        ("threads.get_by_id", {}, {"a": "x" * 200}),
    ],
)
async def test_every_other_field_has_its_length(limits, operation, params, metadata):
    limits(
        "tests.servers.FurnitureServer",
        PAYLOAD_LENGTH=150,
        TITLE_LENGTH=150,
        NAME_LENGTH=150,
        MESSAGE_LENGTH=150,
    )
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    before = await db.run(counts)
    body = {"type": operation, "params": {"thread_id": thread_id, **params}, "metadata": metadata}
    refused = await chat.post(json.dumps(body).encode())
    streams = refused.headers["content-type"] == "text/event-stream"
    told = refusal(refused)["message"] if streams else refused.json()["message"]
    assert "150 characters at most" in told
    assert refused.status == (200 if streams else 400)
    assert await db.run(counts) == before


# --- Files --------------------------------------------------------------------------------------------------


async def test_files_beyond_the_limit_are_refused_on_both_ways(limits, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path
    limits(FILES_PER_DAY=1)
    chat = Chat()
    assert (await upload(chat)).status == 200
    direct = await upload(chat)
    announced = await chat.ask("attachments.create", name="a.png", size=1, mime_type="image/png")
    for refused in (direct, announced):
        assert refused.status == 429
        assert refused.json()["message"].startswith(AGAIN)
        assert int(refused.headers["retry-after"]) > 86_000
    assert await db.run(Attachment.objects.count) == 1


async def test_bytes_beyond_the_limit_are_refused_and_nothing_is_left(limits, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path
    limits(FILE_BYTES_PER_DAY=500)
    chat = Chat()
    sizes = [200, 200, 200, 80]
    replies = [await upload(chat, png().ljust(size, b"p")) for size in sizes]
    assert [reply.status for reply in replies] == [200, 200, 429, 200]
    assert await db.run(Attachment.objects.count) == 3
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) == 480


# --- Addresses and processes --------------------------------------------------------------------------------


async def test_new_visitors_beyond_the_limit_are_refused_and_others_go_on(limits, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path
    limits(ADDRESS_VISITORS_PER_HOUR=2)
    first = Chat()
    thread_id = (await first.say("hi")).thread_id
    await upload(Chat())
    made_up = Chat()
    made_up.cookies["sessionid"] = "x" * 32
    assert (await made_up.say("hi")).status == 409  # asked to come again, which costs nothing
    assert refusal(await made_up.say("hi"))["message"].startswith(AGAIN)
    assert (await upload(Chat())).status == 429
    assert (await first.say("again", thread_id)).text() == "echo: again"
    elsewhere = Chat()
    answer = await elsewhere.say("hi", headers={"X-Forwarded-For": "198.51.100.1"})
    assert answer.text() == "echo: hi"  # behind a proxy that is not set, nobody knows
    settings.CHATKIT |= {"PROXIES": 1}
    for expected in ("echo: 0", "echo: 1", ""):
        answer = await Chat().say(
            expected.removeprefix("echo: "), headers={"X-Forwarded-For": "198.51.100.2"}
        )
        assert answer.text() == expected


@pytest.mark.parametrize("limit", ["ANSWERS_AT_ONCE", "ADDRESS_ANSWERS_AT_ONCE", "PROCESS_ANSWERS_AT_ONCE"])
async def test_answers_at_once_beyond_the_limit_are_refused_until_one_has_ended(limits, gate, limit):
    limits("tests.servers.SlowServer", **{limit: 2})
    chats = [Chat() if limit != "ANSWERS_AT_ONCE" else Chat(frame=f"frame-{n}") for n in range(3)]
    first = await chats[0].begin_saying("hi")
    await first.until("one ")
    if limit == "ANSWERS_AT_ONCE":
        for chat in chats[1:]:
            chat.cookies = chats[0].cookies
    second = await chats[1].begin_saying("hi")
    await second.until("one ")
    event = refusal(await chats[2].say("hi"))
    assert (event["message"], event["allow_retry"]) == (AT_ONCE, True)
    assert SlowServer.started == 2
    await chats[0].stop(first.run_id)
    third = await chats[2].begin_saying("hi")
    await third.until("one ")
    gate.set()
    for answer in (second, third):
        assert (await answer.rest()).text() == "one two"
    await rows_become(lambda: not AnswerLease.objects.exists())


async def test_answer_longer_than_its_lease_keeps_it(limits, gate, monkeypatch):
    lease = timedelta(seconds=2)
    monkeypatch.setattr(counters, "_lease_time", lambda: lease)
    limits("tests.servers.SlowServer", ANSWERS_AT_ONCE=1)
    chat = Chat()
    answer = await chat.begin_saying("hi")
    await answer.until("one ")
    begun = await db.run(lambda: AnswerLease.objects.get().expires_at)
    await rows_become(lambda: AnswerLease.objects.get().expires_at > begun + lease)
    gate.set()
    await answer.rest()


async def test_message_that_finds_its_thread_busy_leaves_no_lease(limits, gate):
    limits("tests.servers.SlowServer")
    chat = Chat()
    answer = await chat.begin_saying("hi")
    await answer.until("one ")
    other = Chat(frame="another")
    other.cookies = chat.cookies
    refused = await other.say("hi", answer.thread_id)
    assert refusal(refused)["message"].startswith("An answer is still being written")
    assert await db.run(AnswerLease.objects.count) == 1
    gate.set()
    await answer.rest()


async def test_many_messages_at_once_of_one_visitor_are_let_through_exactly(limits):
    limits(MESSAGES_PER_MINUTE=6)
    chat = Chat()
    await chat.say("first")
    exchanges = [
        chat.start("POST", "/chatkit", encode("threads.create", input=message(f"{number}")))
        for number in range(30)
    ]
    answers = await asyncio.gather(*(exchange.rest() for exchange in exchanges))
    assert sum(answer.types()[0] == "thread.created" for answer in answers) == 5
    assert CountingServer.asked == 6


# --- For whom -----------------------------------------------------------------------------------------------


def limits_by_plan(context: RequestContext) -> dict[str, int | None]:
    # That it may ask the database is a part of the promise.
    return {"MESSAGES_PER_DAY": 1 + Run.objects.filter(user_id=99).count() if context.visitor_id else None}


def wrong_limits(context: RequestContext) -> dict[str, int | None]:
    return {"MESSAGES_PER_WEEK": 1}


@pytest.mark.parametrize("own", [limits_by_plan, "tests.limits.test_rules.limits_by_plan"])
async def test_limits_are_those_of_the_context(limits, settings, own, django_user_model):
    limits()
    settings.CHATKIT |= {"LIMITS": own}
    visitor, member = Chat(), Chat()
    user = await db.run(lambda: django_user_model.objects.create_user("maria"))
    await member.log_in(user)
    assert [(await chat.say("hi")).types()[0] for chat in (visitor, visitor, member, member)] == [
        "thread.created",
        "error",
        "thread.created",
        "thread.created",
    ]


def test_function_that_returns_no_limits_is_named(settings):
    settings.CHATKIT = {"LIMITS": wrong_limits}
    with pytest.raises(ImproperlyConfigured, match="MESSAGES_PER_WEEK"):
        limits_of(RequestContext(visitor_id="v"))


def test_what_is_not_set_has_its_default(settings):
    settings.CHATKIT = {"LIMITS": {"MESSAGES_PER_DAY": 3}}
    assert limits_of(RequestContext()) == LIMIT_DEFAULTS | {"MESSAGES_PER_DAY": 3}


async def test_server_without_the_endpoint_checks_lengths_too(settings):
    settings.CHATKIT = {"LIMITS": limits_by_plan}
    server = FurnitureServer()
    context = RequestContext(visitor_id="v")
    frames = await server.process(encode("threads.create", input=message("x" * 100_001)), context)
    told = b"".join([frame async for frame in frames]).decode()  # type: ignore[union-attr]
    assert "The message is too long. It can have 100000 characters at most." in told
