"""The server by itself: all operations through ``process()``, and what it refuses."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import datetime
from typing import Any

import pytest
from chatkit.server import NonStreamingResult, StreamingResult
from chatkit.types import FileAttachment
from django.utils import timezone

from chatkit_app import db
from chatkit_app.context import RequestContext
from chatkit_app.errors import InvalidRequest, NotSupported, ThreadReadOnly
from chatkit_app.models import Feedback, Run, Thread, ThreadItem
from chatkit_app.server import DjangoChatKitServer
from chatkit_app.signals import feedback_given
from chatkit_app.store import DjangoStore, InMemoryStore, NotFoundError
from chatkit_app.testing import decode_events
from tests.chat import encode, message
from tests.servers import EchoServer, FurnitureServer, RaisingServer

pytestmark = pytest.mark.django_db(transaction=True)


class Talk:
    """One owner's requests to one server."""

    def __init__(self, server: DjangoChatKitServer, visitor_id: str = "visitor", namespace: str = "") -> None:
        self.server = server
        self.visitor_id = visitor_id
        self.namespace = namespace

    async def events(self, operation: str, **params: Any) -> list[dict[str, Any]]:
        context = RequestContext(visitor_id=self.visitor_id, namespace=self.namespace)
        result = await self.server.process(encode(operation, **params), context)
        assert isinstance(result, StreamingResult)
        return decode_events(b"".join([frame async for frame in result]))

    async def json(self, operation: str, **params: Any) -> Any:
        context = RequestContext(visitor_id=self.visitor_id, namespace=self.namespace)
        result = await self.server.process(encode(operation, **params), context)
        assert isinstance(result, NonStreamingResult)
        return json.loads(result.json)

    async def create(self, text: str = "hi", **fields: Any) -> str:
        events = await self.events("threads.create", input=message(text, **fields))
        return str(events[0]["thread"]["id"])

    async def items(self, thread_id: str) -> list[dict[str, Any]]:
        page = await self.json("items.list", thread_id=thread_id, order="asc")
        return list(page["data"])


@pytest.fixture(params=[DjangoStore, InMemoryStore], ids=["DjangoStore", "InMemoryStore"])
def echo(request: Any) -> Talk:
    return Talk(EchoServer(request.param()))


@pytest.fixture(params=[DjangoStore, InMemoryStore], ids=["DjangoStore", "InMemoryStore"])
def furniture(request: Any) -> Talk:
    return Talk(FurnitureServer(request.param()))


def spoken(events: list[dict[str, Any]]) -> list[str]:
    """The finished assistant messages."""
    items = [event["item"] for event in events if event["type"] == "thread.item.done"]
    return [item["content"][0]["text"] for item in items if item["type"] == "assistant_message"]


def error(events: list[dict[str, Any]]) -> dict[str, Any]:
    (found,) = [event for event in events if event["type"] == "error"]
    return found


# --- The operations -----------------------------------------------------------------------------------------


async def test_create_stores_the_thread_the_message_and_the_answer(echo):
    events = await echo.events("threads.create", input=message("hi"))
    assert [event["type"] for event in events][:3] == [
        "thread.created",
        "thread.item.done",
        "stream_options",
    ]
    assert spoken(events) == ["echo: hi"]
    items = await echo.items(events[0]["thread"]["id"])
    assert [item["content"][0]["text"] for item in items] == ["hi", "echo: hi"]
    assert {item["thread_id"] for item in items} == {events[0]["thread"]["id"]}


async def test_add_user_message_continues_the_thread(echo):
    thread_id = await echo.create()
    events = await echo.events("threads.add_user_message", thread_id=thread_id, input=message("more"))
    assert spoken(events) == ["echo: more"]
    assert len(await echo.items(thread_id)) == 4


async def test_retry_replaces_the_answer(echo):
    thread_id = await echo.create()
    first, answer = await echo.items(thread_id)
    events = await echo.events("threads.retry_after_item", thread_id=thread_id, item_id=first["id"])
    assert spoken(events) == ["echo: hi"]
    items = await echo.items(thread_id)
    assert len(items) == 2
    assert items[0] | {"earlier": None} == first | {"earlier": None}
    assert items[1]["id"] != answer["id"]


async def test_tool_output_is_stored_and_answered(furniture):
    thread_id = await furniture.create()
    events = await furniture.events(
        "threads.add_client_tool_output", thread_id=thread_id, result={"place": "here"}
    )
    assert "visible" in spoken(events)
    (call,) = [item for item in await furniture.items(thread_id) if item["type"] == "client_tool_call"]
    assert (call["status"], call["output"]) == ("completed", {"place": "here"})


async def test_structured_input_is_stored_and_answered(furniture):
    thread_id = await furniture.create()
    answers = {"answers": {"q1": {"values": ["because"]}}}
    events = await furniture.events(
        "threads.add_structured_input", thread_id=thread_id, item_id="form_1", input=answers
    )
    replaced = [event["item"] for event in events if event["type"] == "thread.item.replaced"]
    assert replaced[0]["status"] == "answered"
    assert replaced[0]["inputs"][0]["answer"]["values"] == ["because"]


async def test_custom_action_is_answered(furniture):
    thread_id = await furniture.create()
    events = await furniture.events(
        "threads.custom_action",
        thread_id=thread_id,
        item_id="widget_1",
        action={"type": "buy", "payload": {}},
    )
    assert spoken(events) == ["action: buy"]


async def test_sync_custom_action_replies_with_the_item(furniture):
    thread_id = await furniture.create()
    reply = await furniture.json(
        "threads.sync_custom_action",
        thread_id=thread_id,
        item_id="widget_1",
        action={"type": "buy", "payload": {}},
    )
    assert reply["updated_item"]["id"] == "widget_1"


async def test_threads_are_listed_newest_first_and_in_pages(echo):
    first, second = await echo.create("one"), await echo.create("two")
    page = await echo.json("threads.list", limit=1, order="desc")
    assert ([row["id"] for row in page["data"]], page["has_more"]) == ([second], True)
    page = await echo.json("threads.list", limit=1, order="desc", after=second)
    assert ([row["id"] for row in page["data"]], page["has_more"]) == ([first], False)


async def test_thread_is_got_with_its_items(echo):
    thread_id = await echo.create()
    thread = await echo.json("threads.get_by_id", thread_id=thread_id)
    assert thread["id"] == thread_id
    assert [item["type"] for item in thread["items"]["data"]] == ["user_message", "assistant_message"]


async def test_feedback_comes_back_with_the_items(echo):
    thread_id = await echo.create()
    asked, answer = await echo.items(thread_id)
    assert "feedback" not in answer
    for kind in ("positive", "negative"):
        await echo.json("items.feedback", thread_id=thread_id, item_ids=[answer["id"]], kind=kind)
    page = await echo.json("items.list", thread_id=thread_id, order="asc")
    assert page["data"] == [asked, answer | {"feedback": "negative"}]
    thread = await echo.json("threads.get_by_id", thread_id=thread_id)
    assert thread["items"]["data"] == page["data"]


async def test_thread_is_renamed(echo):
    thread_id = await echo.create()
    reply = await echo.json("threads.update", thread_id=thread_id, title="Sofas")
    assert reply["title"] == "Sofas"
    assert (await echo.json("threads.get_by_id", thread_id=thread_id))["title"] == "Sofas"


async def test_thread_is_deleted(echo):
    thread_id = await echo.create()
    assert await echo.json("threads.delete", thread_id=thread_id) == {}
    with pytest.raises(NotFoundError):
        await echo.json("threads.get_by_id", thread_id=thread_id)


async def test_speech_is_transcribed(echo):
    audio = base64.b64encode(b"hello").decode()
    reply = await echo.json("input.transcribe", audio_base64=audio, mime_type="audio/webm")
    assert reply == {"text": "hello"}


class Files:
    """An attachment store that writes down what it is asked to delete."""

    def __init__(self) -> None:
        self.deleted: list[str] = []

    async def create_attachment(self, input: Any, context: RequestContext) -> FileAttachment:
        return FileAttachment(id="atc_1", name=input.name, mime_type=input.mime_type)

    async def delete_attachment(self, attachment_id: str, context: RequestContext) -> None:
        self.deleted.append(attachment_id)


async def test_attachment_is_created_used_and_deleted():
    files = Files()
    talk = Talk(EchoServer(attachment_store=files))  # type: ignore[arg-type]
    created = await talk.json("attachments.create", name="a.txt", size=3, mime_type="text/plain")
    assert created["id"] == "atc_1"
    thread_id = await talk.create(attachments=["atc_1"])
    (attachment,) = (await talk.items(thread_id))[0]["attachments"]
    assert attachment["name"] == "a.txt"
    assert await talk.json("attachments.delete", attachment_id="atc_1") == {}
    assert files.deleted == ["atc_1"]


async def test_foreign_attachment_is_not_deleted():
    files = Files()
    server = EchoServer(attachment_store=files)  # type: ignore[arg-type]
    await Talk(server).json("attachments.create", name="a.txt", size=3, mime_type="text/plain")
    with pytest.raises(NotFoundError):
        await Talk(server, "stranger").json("attachments.delete", attachment_id="atc_1")
    assert files.deleted == []


async def test_foreign_attachment_is_refused_before_the_thread_is_created():
    server = EchoServer(attachment_store=Files())  # type: ignore[arg-type]
    await Talk(server).json("attachments.create", name="a.txt", size=3, mime_type="text/plain")
    events = await Talk(server, "stranger").events(
        "threads.create", input=message("hi", attachments=["atc_1"])
    )
    assert [event["type"] for event in events] == ["error"]
    assert await db.run(Thread.objects.count) == 0


# --- What a server does not offer ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("attachments.create", {"name": "a", "size": 1, "mime_type": "text/plain"}),
        ("attachments.delete", {"attachment_id": "atc_1"}),
        ("input.transcribe", {"audio_base64": "aGk=", "mime_type": "audio/webm"}),
    ],
)
async def test_operation_that_is_not_offered_is_refused(operation, params):
    with pytest.raises(NotSupported) as refused:
        await Talk(RaisingServer()).json(operation, **params)
    assert refused.value.status == 400


async def test_sync_action_that_is_not_offered_is_refused():
    talk = Talk(FurnitureServer())
    thread_id = await talk.create()
    with pytest.raises(NotSupported):
        await Talk(RaisingServer(talk.server.store)).json(
            "threads.sync_custom_action", thread_id=thread_id, action={"type": "buy", "payload": {}}
        )


async def test_action_that_is_not_offered_is_an_error_event():
    talk = Talk(FurnitureServer())
    thread_id = await talk.create()
    events = await Talk(RaisingServer(talk.server.store)).events(
        "threads.custom_action", thread_id=thread_id, action={"type": "buy", "payload": {}}
    )
    assert error(events)["code"] == "stream.error"


@pytest.mark.parametrize("audio", ["a", "ä", "%%%a"])
async def test_recording_that_is_no_base64_is_refused(echo, audio):
    with pytest.raises(InvalidRequest, match="The recording is not valid base64"):
        await echo.json("input.transcribe", audio_base64=audio, mime_type="audio/webm")


@pytest.mark.parametrize("body", [b"", b"[]", b'{"type": "threads.explode"}', "\ud800"])
async def test_request_that_is_none_is_refused(body):
    with pytest.raises(InvalidRequest, match="Not a valid ChatKit request"):
        await EchoServer().process(body, RequestContext(visitor_id="v"))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"type": "@"}, "type should be one of: threads.create, "),
        (
            {
                "type": "threads.create",
                "params": {"input": {"content": [{"type": "@"}], "attachments": [], "inference_options": {}}},
            },
            "threads.create.params.input.content.0: type should be one of: input_text, input_tag",
        ),
    ],
    ids=["operation", "part of a message"],
)
def test_unknown_kind_is_not_repeated(body: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        EchoServer().parse(json.dumps(body).replace("@", "x" * 1000))
    assert str(refused.value).startswith(f"Not a valid ChatKit request: {told}")
    assert "xxx" not in str(refused.value)


# --- What does not fit --------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["unknown", "assistant"])
async def test_retry_after_something_else_than_a_user_message_is_an_error(echo, place):
    thread_id = await echo.create()
    items = await echo.items(thread_id)
    item_id = items[1]["id"] if place == "assistant" else "msg_unknown"
    events = await echo.events("threads.retry_after_item", thread_id=thread_id, item_id=item_id)
    assert [event["type"] for event in events] == ["error"]
    assert await echo.items(thread_id) == items


async def test_tool_output_without_a_pending_call_is_an_error(echo):
    thread_id = await echo.create()
    events = await echo.events("threads.add_client_tool_output", thread_id=thread_id, result={})
    assert events == [
        {
            "type": "error",
            "code": "custom",
            "message": "Nothing in this conversation waits for a tool's result.",
            "allow_retry": False,
        }
    ]


async def test_title_that_is_too_long_is_refused(echo):
    thread_id = await echo.create()
    with pytest.raises(InvalidRequest, match="A title can have 500 characters"):
        await echo.json("threads.update", thread_id=thread_id, title="x" * 501)
    assert (await echo.json("threads.get_by_id", thread_id=thread_id))["title"] == "hi"


@pytest.mark.parametrize("text", ["", " \n"])
async def test_empty_message_is_refused_before_there_is_a_thread(echo, text):
    events = await echo.events("threads.create", input=message(text))
    assert [event["message"] for event in events] == ["The message is empty."]
    assert await echo.json("threads.list") == {"data": [], "has_more": False}


async def test_structured_input_for_another_kind_of_item_is_an_error(furniture):
    thread_id = await furniture.create()
    events = await furniture.events(
        "threads.add_structured_input", thread_id=thread_id, item_id="widget_1", input={}
    )
    assert [event["type"] for event in events] == ["error"]


async def test_structured_input_is_taken_once(furniture):
    thread_id = await furniture.create()
    params = {"thread_id": thread_id, "item_id": "form_1", "input": {"status": "skipped"}}
    await furniture.events("threads.add_structured_input", **params)
    events = await furniture.events("threads.add_structured_input", **params)
    assert error(events)["message"] == "This has been answered already."


@pytest.mark.parametrize("item_id", ["form_1", "unknown"])
async def test_action_on_something_else_than_a_widget_is_an_error(furniture, item_id):
    thread_id = await furniture.create()
    params = {"thread_id": thread_id, "item_id": item_id, "action": {"type": "buy", "payload": {}}}
    events = await furniture.events("threads.custom_action", **params)
    assert [event["type"] for event in events] == ["error"]
    with pytest.raises((InvalidRequest, NotFoundError)):
        await furniture.json("threads.sync_custom_action", **params)


# --- Locked and closed --------------------------------------------------------------------------------------

CHANGES: dict[str, dict[str, Any]] = {
    "threads.add_user_message": {"input": message("more")},
    "threads.retry_after_item": {"item_id": "{message}"},
    "threads.add_client_tool_output": {"result": {}},
    "threads.add_structured_input": {"item_id": "form_1", "input": {"status": "skipped"}},
    "threads.custom_action": {"item_id": "widget_1", "action": {"type": "buy", "payload": {}}},
}
JSON_CHANGES: dict[str, dict[str, Any]] = {
    "threads.sync_custom_action": {"item_id": "widget_1", "action": {"type": "buy", "payload": {}}},
    "threads.update": {"title": "Sofas"},
}


async def moderated(status: str, reason: str) -> tuple[Talk, str, str]:
    talk = Talk(FurnitureServer())
    thread_id = await talk.create()
    message_id = (await talk.items(thread_id))[0]["id"]
    await db.run(
        lambda: Thread.objects.filter(public_id=thread_id).update(status=status, status_reason=reason)
    )
    return talk, thread_id, message_id


def everything() -> list[Any]:
    return [
        list(Thread.objects.values().order_by("pk")),
        list(ThreadItem.objects.values().order_by("pk")),
        Run.objects.count(),
    ]


@pytest.mark.parametrize("operation", CHANGES)
@pytest.mark.parametrize(
    ("status", "reason", "text"),
    [
        ("locked", "Be kind.", "This conversation is locked. Be kind."),
        ("closed", "", "This conversation is closed."),
    ],
)
async def test_moderated_thread_is_not_changed_by_a_stream(operation, status, reason, text):
    talk, thread_id, message_id = await moderated(status, reason)
    before = await db.run(everything)
    params = json.loads(json.dumps(CHANGES[operation]).replace("{message}", message_id))
    events = await talk.events(operation, thread_id=thread_id, **params)
    assert events == [{"type": "error", "code": "custom", "message": text, "allow_retry": False}]
    assert await db.run(everything) == before


@pytest.mark.parametrize("operation", JSON_CHANGES)
@pytest.mark.parametrize("status", ["locked", "closed"])
async def test_moderated_thread_is_not_changed_by_another_operation(operation, status):
    talk, thread_id, _message_id = await moderated(status, "Be kind.")
    before = await db.run(everything)
    with pytest.raises(ThreadReadOnly) as refused:
        await talk.json(operation, thread_id=thread_id, **JSON_CHANGES[operation])
    assert refused.value.message == f"This conversation is {status}. Be kind."
    assert refused.value.status == 403
    assert await db.run(everything) == before


async def test_moderated_thread_can_be_read():
    talk, thread_id, _message_id = await moderated("locked", "Be kind.")
    thread = await talk.json("threads.get_by_id", thread_id=thread_id)
    assert thread["status"] == {"type": "locked", "reason": "Be kind."}


# --- Titles -------------------------------------------------------------------------------------------------


async def title_of(talk: Talk, thread_id: str) -> str | None:
    thread = await talk.json("threads.get_by_id", thread_id=thread_id)
    title: str | None = thread.get("title")
    return title


async def test_title_is_the_beginning_of_the_first_message(echo):
    thread_id = await echo.create("  Where\n is my   sofa?  ")
    assert await title_of(echo, thread_id) == "Where is my sofa?"
    await echo.events("threads.add_user_message", thread_id=thread_id, input=message("And the table?"))
    assert await title_of(echo, thread_id) == "Where is my sofa?"


async def test_title_of_a_long_message_is_cut(echo):
    title = await title_of(echo, await echo.create("word " * 100))
    assert title is not None
    assert len(title) <= 60
    assert title.endswith("…")


async def test_title_may_come_from_a_slow_hook():
    answered = asyncio.Event()

    class Slow(EchoServer):
        async def title_for(self, thread: Any, message: Any, context: Any) -> str:
            await answered.wait()
            return "From a model"

        async def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
            yield self.text_event("answered")
            answered.set()

    talk = Talk(Slow())
    events = await talk.events("threads.create", input=message("hi"))
    assert events[-1]["thread"]["title"] == "From a model"
    assert await title_of(talk, events[0]["thread"]["id"]) == "From a model"


async def test_title_hook_that_never_ends_is_given_up(monkeypatch):
    class Endless(EchoServer):
        async def title_for(self, thread: Any, message: Any, context: Any) -> str:
            await asyncio.Event().wait()
            return "never"

    monkeypatch.setattr("chatkit_app.server.titles.TITLE_TIMEOUT", 0.01)
    talk = Talk(Endless())
    events = await talk.events("threads.create", input=message("hi"))
    assert spoken(events) == ["echo: hi"]
    assert await title_of(talk, events[0]["thread"]["id"]) is None


async def test_title_hook_that_raises_leaves_the_answer_alone():
    class Raising(EchoServer):
        async def title_for(self, thread: Any, message: Any, context: Any) -> str:
            raise ValueError("no title")

    talk = Talk(Raising())
    events = await talk.events("threads.create", input=message("hi"))
    assert spoken(events) == ["echo: hi"]
    assert "error" not in [event["type"] for event in events]
    assert await title_of(talk, events[0]["thread"]["id"]) is None


async def test_title_that_respond_sets_stays():
    class Own(EchoServer):
        async def title_for(self, thread: Any, message: Any, context: Any) -> str:
            await asyncio.sleep(0.01)
            return "From the hook"

        async def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
            thread.title = "My own"
            yield self.text_event("answered")

    talk = Talk(Own())
    assert await title_of(talk, await talk.create()) == "My own"


async def test_title_hook_may_say_that_there_is_none():
    class Untitled(EchoServer):
        async def title_for(self, thread: Any, message: Any, context: Any) -> None:
            return None

    talk = Talk(Untitled())
    assert await title_of(talk, await talk.create()) is None


# --- Feedback -----------------------------------------------------------------------------------------------


async def feedback() -> list[tuple[str, str]]:
    return list(await db.run(lambda: list(Feedback.objects.values_list("item__type", "kind"))))


async def test_feedback_is_stored_and_changed():
    talk = Talk(EchoServer())
    thread_id = await talk.create()
    answer = (await talk.items(thread_id))[1]["id"]
    for kind in ("positive", "negative"):
        params = {"thread_id": thread_id, "item_ids": [answer], "kind": kind}
        assert await talk.json("items.feedback", **params) == {}
    assert await feedback() == [("assistant_message", "negative")]


async def test_feedback_on_foreign_items_is_refused():
    talk = Talk(EchoServer())
    thread_id = await talk.create()
    answer = (await talk.items(thread_id))[1]["id"]
    stranger = Talk(talk.server, "stranger")
    with pytest.raises(NotFoundError):
        await stranger.json("items.feedback", thread_id=thread_id, item_ids=[answer], kind="positive")
    own = await stranger.create()
    with pytest.raises(NotFoundError):
        await stranger.json("items.feedback", thread_id=own, item_ids=[answer], kind="positive")
    assert await feedback() == []


async def test_feedback_sends_a_signal():
    seen: list[Any] = []

    def receiver(thread_id: str, item_ids: list[str], kind: str, **kwargs: Any) -> None:
        seen.append((thread_id, item_ids, kind, Feedback.objects.count()))

    talk = Talk(EchoServer())
    thread_id = await talk.create()
    answer = (await talk.items(thread_id))[1]["id"]
    feedback_given.connect(receiver)
    try:
        await talk.json("items.feedback", thread_id=thread_id, item_ids=[answer, "gone"], kind="positive")
    finally:
        feedback_given.disconnect(receiver)
    assert seen == [(thread_id, [answer], "positive", 1)]


# --- What leaves --------------------------------------------------------------------------------------------


async def test_hidden_items_never_leave(furniture):
    thread_id = await furniture.create()
    replies = [
        await furniture.events("threads.add_user_message", thread_id=thread_id, input=message("more")),
        await furniture.json("items.list", thread_id=thread_id, order="asc"),
        await furniture.json("items.list", thread_id=thread_id, order="desc"),
        await furniture.json("threads.get_by_id", thread_id=thread_id),
    ]
    assert "a secret of the model" not in json.dumps(replies)


async def test_page_of_items_is_full_though_some_are_hidden(furniture):
    thread_id = await furniture.create()
    page = await furniture.json("items.list", thread_id=thread_id, order="asc", limit=2)
    assert [item["type"] for item in page["data"]] == ["user_message", "assistant_message"]
    assert page["has_more"] is True


def times(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["created_at"]] if "created_at" in value else []
        return own + [time for entry in value.values() for time in times(entry)]
    return [time for entry in value for time in times(entry)] if isinstance(value, list) else []


async def test_every_time_that_leaves_has_an_offset(furniture):
    created = await furniture.events("threads.create", input=message("hi"))
    thread_id = created[0]["thread"]["id"]
    replies = [
        created,
        await furniture.events("threads.add_user_message", thread_id=thread_id, input=message("more")),
        await furniture.events(
            "threads.add_structured_input",
            thread_id=thread_id,
            item_id="form_1",
            input={"status": "skipped"},
        ),
        await furniture.json("threads.list"),
        await furniture.json("threads.get_by_id", thread_id=thread_id),
        await furniture.json("threads.update", thread_id=thread_id, title="Sofas"),
        await furniture.json("items.list", thread_id=thread_id),
        await furniture.json(
            "threads.sync_custom_action",
            thread_id=thread_id,
            item_id="widget_1",
            action={"type": "buy", "payload": {}},
        ),
    ]
    for reply in replies:
        found = times(reply)
        assert found
        for time in found:
            moment = datetime.fromisoformat(time)
            assert moment.tzinfo is not None
            assert abs((timezone.now() - moment).total_seconds()) < 60


async def test_metadata_of_a_thread_stays_here():
    class Noting(EchoServer):
        async def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
            thread.metadata["model_state"] = "a secret"
            yield self.text_event("noted")

    talk = Talk(Noting())
    thread_id = await talk.create()
    replies = [
        await talk.events("threads.add_user_message", thread_id=thread_id, input=message("more")),
        await talk.json("threads.get_by_id", thread_id=thread_id),
        await talk.json("threads.list"),
    ]
    assert "a secret" not in json.dumps(replies)


async def test_ids_carry_128_bits(echo):
    thread_id = await echo.create()
    ids = [thread_id, *(item["id"] for item in await echo.items(thread_id))]
    assert [len(entry.rsplit("_", 1)[1]) for entry in ids] == [32, 32, 32]


async def test_namespaces_do_not_meet(echo):
    thread_id = await echo.create()
    other = Talk(echo.server, namespace="sales")
    assert (await other.json("threads.list"))["data"] == []
    with pytest.raises(NotFoundError):
        await other.json("threads.get_by_id", thread_id=thread_id)


async def test_lock_that_is_placed_during_an_answer_stays():
    class Locked(EchoServer):
        async def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
            await db.run(lambda: Thread.objects.update(status="locked", status_reason="Be kind."))
            thread.metadata["changed"] = True
            yield self.text_event("answered")

    talk = Talk(Locked())
    thread_id = await talk.create()
    row = await db.run(Thread.objects.get, public_id=thread_id)
    assert (row.status, row.status_reason, row.metadata) == ("locked", "Be kind.", {"changed": True})
