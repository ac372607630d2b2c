"""One answer: ids that a provider left out, servers that yield nonsense, answers that break off."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

import pytest
from agents.models.fake_id import FAKE_RESPONSES_ID
from chatkit.errors import CustomStreamError, ErrorCode, StreamError
from chatkit.types import (
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    ClientToolCallItem,
    ErrorEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
)

from chatkit_app.context import RequestContext
from chatkit_app.errors import ChatKitError
from chatkit_app.server import DjangoChatKitServer
from chatkit_app.store import InMemoryStore
from chatkit_app.testing import decode_events
from tests import servers
from tests.chat import encode, eventually, message
from tests.servers import added, assistant, delta


def scripted(*script: Any) -> DjangoChatKitServer:
    """A server that yields these events, and raises those of them that are exceptions."""

    class Scripted(DjangoChatKitServer):
        async def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
            for event in script:
                if isinstance(event, Exception):
                    raise event
                yield event

    return Scripted(InMemoryStore())


CONTEXT = RequestContext(visitor_id="visitor")


async def answer(server: DjangoChatKitServer) -> list[dict[str, Any]]:
    """The events of an answer after the stream's options."""
    context = RequestContext(visitor_id="visitor")
    result = await server.process(encode("threads.create", input=message("hi")), context)
    events = decode_events(b"".join([frame async for frame in result]))
    types = [event["type"] for event in events]
    return events[types.index("stream_options") + 1 :]


async def kept(server: DjangoChatKitServer) -> list[tuple[str, str]]:
    """What is stored after the user's message: id and text."""
    threads = await server.store.load_threads(10, None, "asc", CONTEXT)
    page = await server.store.load_thread_items(threads.data[0].id, None, 100, "asc", CONTEXT)
    found = []
    for item in page.data[1:]:
        content: Any = getattr(item, "content", None)
        text = content if isinstance(content, str) else "".join(part.text for part in content or [])
        found.append((item.id, text))
    return found


def tool_call(item_id: str) -> ClientToolCallItem:
    return ClientToolCallItem(
        id=item_id, thread_id="t", created_at=datetime.now(), call_id="c", name="locate", arguments={}
    )


FAKE = FAKE_RESPONSES_ID


# --- Ids ----------------------------------------------------------------------------------------------------


async def test_fake_ids_become_one_real_id_for_each_item():
    server = scripted(
        added(assistant("", item_id=FAKE)),
        delta(FAKE, "one"),
        ThreadItemDoneEvent(item=assistant("one", item_id=FAKE)),
        ThreadItemDoneEvent(item=tool_call(FAKE)),
        added(assistant("", item_id=FAKE)),
        delta(FAKE, "two"),
        ThreadItemDoneEvent(item=assistant("two", item_id=FAKE)),
    )
    events = await answer(server)
    ids = [event["item"]["id"] if "item" in event else event["item_id"] for event in events]
    first, call, second = ids[0], ids[3], ids[4]
    assert ids == [first, first, first, call, second, second, second]
    assert len({first, call, second, FAKE}) == 4
    assert call.startswith("tc_")
    assert [item_id for item_id, _ in await kept(server)] == [first, call, second]


async def test_fake_id_of_an_unfinished_message_is_real_in_what_is_kept():
    server = scripted(added(assistant("", item_id=FAKE)), delta(FAKE, "half"), ValueError("broken"))
    events = await answer(server)
    assert await kept(server) == [(events[0]["item"]["id"], "half")]


async def test_removal_of_a_fake_id_removes_what_it_stood_for():
    server = scripted(
        ThreadItemDoneEvent(item=assistant("one", item_id=FAKE)),
        ThreadItemDoneEvent(item=assistant("two", item_id=FAKE)),
        ThreadItemRemovedEvent(item_id=FAKE),
        ThreadItemDoneEvent(item=assistant("three", item_id=FAKE)),
    )
    events = await answer(server)
    done = [event["item"]["id"] for event in events if event["type"] == "thread.item.done"]
    removed = [event["item_id"] for event in events if event["type"] == "thread.item.removed"]
    assert removed == done[:2]
    assert await kept(server) == [(done[2], "three")]


async def test_removed_item_is_not_kept():
    item = assistant("one")
    server = scripted(added(item), ThreadItemRemovedEvent(item_id=item.id), ValueError("broken"))
    await answer(server)
    assert await kept(server) == []


async def test_replaced_item_is_stored():
    item = assistant("one")
    changed = item.model_copy(deep=True)
    changed.content[0].text = "two"
    server = scripted(ThreadItemDoneEvent(item=item), ThreadItemReplacedEvent(item=changed))
    await answer(server)
    assert await kept(server) == [(item.id, "two")]


async def test_same_id_twice_is_one_item():
    """The SDK stores an unfinished workflow itself and adds it again when it is done."""
    first, second = assistant("one", item_id="same"), assistant("two", item_id="same")
    server = scripted(ThreadItemDoneEvent(item=first), ThreadItemDoneEvent(item=second))
    await answer(server)
    assert await kept(server) == [("same", "two")]


@pytest.mark.parametrize("item_id", ["", "m" * 256, "m\x00"], ids=["empty", "too long", "not storable"])
async def test_id_that_cannot_be_kept_becomes_one_of_ours_for_each_item(item_id):
    server = scripted(
        added(assistant("", item_id="msg_x").model_copy(update={"id": item_id})),
        delta(item_id, "one"),
        ThreadItemDoneEvent(item=assistant("one").model_copy(update={"id": item_id})),
        ThreadItemDoneEvent(item=assistant("two").model_copy(update={"id": item_id})),
    )
    events = await answer(server)
    ids = [event["item"]["id"] if "item" in event else event["item_id"] for event in events]
    assert ids[:3] == [ids[0]] * 3
    assert ids[3] != ids[0]
    assert await kept(server) == [(ids[0], "one"), (ids[3], "two")]


async def test_id_that_begins_a_second_message_is_another_one():
    server = scripted(
        added(assistant("", item_id="same")),
        ThreadItemDoneEvent(item=assistant("one", item_id="same")),
        added(assistant("", item_id="same")),
        delta("same", "two"),
        ThreadItemDoneEvent(item=assistant("two", item_id="same")),
    )
    events = await answer(server)
    ids = [event["item"]["id"] if "item" in event else event["item_id"] for event in events]
    assert ids == ["same", "same", ids[2], ids[2], ids[2]]
    assert await kept(server) == [("same", "one"), (ids[2], "two")]


async def test_id_of_a_message_is_not_that_of_a_tool_call():
    server = scripted(
        ThreadItemDoneEvent(item=assistant("one", item_id="same")),
        ThreadItemDoneEvent(item=tool_call("same")),
    )
    events = await answer(server)
    assert events[0]["item"]["id"] == "same"
    assert events[1]["item"]["id"].startswith("tc_")
    assert [item_id for item_id, _ in await kept(server)] == ["same", events[1]["item"]["id"]]


async def test_removal_of_a_repeated_id_removes_what_it_stood_for():
    server = scripted(
        added(assistant("", item_id="same")),
        ThreadItemDoneEvent(item=assistant("one", item_id="same")),
        added(assistant("", item_id="same")),
        ThreadItemDoneEvent(item=assistant("two", item_id="same")),
        ThreadItemRemovedEvent(item_id="same"),
    )
    await answer(server)
    assert await kept(server) == []


@pytest.mark.parametrize("begins", [True, False])
async def test_id_of_another_turn_is_not_taken_twice(begins):
    script = [ThreadItemDoneEvent(item=assistant("answer", item_id="same"))]
    server = scripted(*([added(assistant("", item_id="same"))] if begins else []), *script)
    await answer(server)
    (thread,) = (await server.store.load_threads(10, None, "asc", CONTEXT)).data
    request = server.parse(encode("threads.add_user_message", thread_id=thread.id, input=message("again")))
    async for _ in server.stream(request, RequestContext(visitor_id="visitor")):
        pass
    page = await server.store.load_thread_items(thread.id, None, 100, "asc", CONTEXT)
    assert [item.type for item in page.data] == ["user_message", "assistant_message"] * 2
    assert [item.id for item in page.data].count("same") == 1


async def test_items_get_the_id_of_their_thread():
    events = await answer(scripted(ThreadItemDoneEvent(item=assistant("one"))))
    assert events[0]["item"]["thread_id"].startswith("thr_")


async def test_text_event_is_one_complete_message():
    class Talking(DjangoChatKitServer):
        async def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
            yield self.text_event("response text")

    server = Talking(InMemoryStore())
    (event,) = await answer(server)
    assert event["type"] == "thread.item.done"
    assert event["item"]["type"] == "assistant_message"
    assert event["item"]["content"] == [{"annotations": [], "text": "response text", "type": "output_text"}]
    assert await kept(server) == [(event["item"]["id"], "response text")]


async def test_one_event_in_two_answers_of_a_thread_is_two_messages():
    class Repeating(DjangoChatKitServer):
        async def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
            yield self.event

    server = Repeating(InMemoryStore())
    server.event = server.text_event("as always")
    await answer(server)
    thread = (await server.store.load_threads(1, None, "asc", CONTEXT)).data[0]
    request = server.parse(encode("threads.add_user_message", thread_id=thread.id, input=message("again")))
    async for _event in server.stream(request, CONTEXT):
        pass
    page = await server.store.load_thread_items(thread.id, None, 100, "asc", CONTEXT)
    said = [item.id for item in page.data if isinstance(item, AssistantMessageItem)]
    assert said[0] == server.event.item.id
    assert len(set(said)) == 2


# --- Bad servers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "server_class",
    [servers.RaisingServer, servers.GarbageServer, servers.NoGeneratorServer, servers.NoneServer],
)
async def test_bad_server_is_an_error_event_and_the_message_is_kept(server_class):
    server = server_class(InMemoryStore())
    assert await answer(server) == [{"type": "error", "code": "stream.error", "allow_retry": True}]
    threads = await server.store.load_threads(10, None, "asc", CONTEXT)
    page = await server.store.load_thread_items(threads.data[0].id, None, 10, "asc", CONTEXT)
    assert [item.type for item in page.data] == ["user_message"]


@pytest.mark.parametrize(
    ("server_class", "hint"),
    [
        (servers.GarbageServer, "The server yielded dict; yield events of chatkit.types"),
        (servers.NoGeneratorServer, 'have to be async generators: an "async def" with a "yield"'),
    ],
)
async def test_bad_server_is_told_in_the_log_what_to_do(server_class, hint, caplog):
    with caplog.at_level(logging.ERROR, logger="chatkit_app"):
        await answer(server_class(InMemoryStore()))
    assert hint in caplog.text


async def test_text_that_was_seen_stays_when_the_answer_breaks_off():
    item = assistant("")
    server = scripted(added(item), delta(item.id, "half a "), ValueError("a secret of the code"))
    events = await answer(server)
    assert events[-1] == {"type": "error", "code": "stream.error", "allow_retry": True}
    assert "secret" not in str(events)
    assert await kept(server) == [(item.id, "half a ")]


async def test_empty_text_is_not_kept_when_the_answer_breaks_off():
    server = scripted(added(assistant("")), ValueError("broken"))
    await answer(server)
    assert await kept(server) == []


async def test_error_for_the_user_is_shown_to_the_user():
    server = scripted(CustomStreamError("Out of sofas.", allow_retry=True))
    assert await answer(server) == [
        {"type": "error", "code": "custom", "message": "Out of sofas.", "allow_retry": True}
    ]


async def test_error_of_the_app_is_shown_to_the_user():
    assert await answer(scripted(ChatKitError("Not today."))) == [
        {"type": "error", "code": "custom", "message": "Not today.", "allow_retry": False}
    ]


async def test_error_with_a_code_keeps_its_code():
    error = StreamError(ErrorCode.STREAM_ERROR, allow_retry=False)
    assert await answer(scripted(error)) == [{"type": "error", "code": "stream.error", "allow_retry": False}]


async def test_error_event_of_the_server_is_passed_on():
    event = ErrorEvent(code="custom", message="No.", allow_retry=False)
    assert await answer(scripted(event)) == [
        {"type": "error", "code": "custom", "message": "No.", "allow_retry": False}
    ]


async def test_delta_of_an_unknown_item_is_passed_on():
    events = await answer(scripted(delta("msg_unknown", "text")))
    assert [event["type"] for event in events] == ["thread.item.updated"]


async def test_change_of_the_thread_is_stored_and_sent():
    class Changing(DjangoChatKitServer):
        async def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
            thread.title = "Sofas"
            item = assistant("")
            yield added(item)
            yield delta(item.id, "text")
            thread.metadata["step"] = 2

    server = Changing(InMemoryStore())
    events = await answer(server)
    assert [event["type"] for event in events].count("thread.updated") == 2
    thread = (await server.store.load_threads(10, None, "asc", CONTEXT)).data[0]
    assert (thread.title, thread.metadata) == ("Sofas", {"step": 2})


async def test_generator_of_the_server_is_closed_when_the_reader_goes():
    closed: list[bool] = []

    class Careful(DjangoChatKitServer):
        async def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
            try:
                yield self.text_event("one")
                yield self.text_event("two")
            finally:
                closed.append(True)

    server = Careful(InMemoryStore())
    request = server.parse(encode("threads.create", input=message("hi")))
    stream = server.stream(request, RequestContext(visitor_id="visitor"))
    async for event in stream:
        if isinstance(event, ThreadItemDoneEvent) and isinstance(event.item, AssistantMessageItem):
            break
    await stream.aclose()
    assert await eventually(lambda: closed) == [True]


# --- process_event() ------------------------------------------------------------------------------------------


def moderated(change: Any, *script: Any) -> DjangoChatKitServer:
    """A server that yields these events and changes them with a function before they are stored and sent."""

    class Moderated(DjangoChatKitServer):
        async def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
            for event in script:
                yield event

        async def process_event(self, event: Any, thread: Any, context: Any) -> Any:
            return change(event)

    return Moderated(InMemoryStore())


async def test_process_event_is_given_each_event_of_respond_also_pieces_of_text():
    seen: list[str] = []

    def see(event: Any) -> Any:
        seen.append(event.type)
        return event

    text = assistant("", item_id="a")
    done = ThreadItemDoneEvent(item=assistant("one two", item_id="a"))
    await answer(moderated(see, added(text), delta("a", "one "), delta("a", "two"), done))
    assert seen == ["thread.item.added", "thread.item.updated", "thread.item.updated", "thread.item.done"]


async def test_event_that_process_event_returns_is_sent_and_stored_in_place_of_the_other():
    def mask(event: Any) -> Any:
        if isinstance(event, ThreadItemUpdatedEvent):
            assert isinstance(event.update, AssistantMessageContentPartTextDelta)
            return delta(event.item_id, event.update.delta.replace("4111", "****"))
        if isinstance(event, ThreadItemDoneEvent):
            return ThreadItemDoneEvent(item=assistant("card ****", item_id="a"))
        return event

    done = ThreadItemDoneEvent(item=assistant("card 4111", item_id="a"))
    server = moderated(mask, added(assistant("", item_id="a")), delta("a", "card 4111"), done)
    events = await answer(server)
    assert "4111" not in str(events)
    assert [text for _, text in await kept(server)] == ["card ****"]


async def test_event_that_process_event_leaves_out_is_neither_sent_nor_stored():
    server = moderated(lambda event: None, ThreadItemDoneEvent(item=assistant("secret", item_id="a")))
    assert await answer(server) == []
    assert await kept(server) == []


async def test_error_of_process_event_ends_the_answer_and_shows_its_text():
    def refuse(event: Any) -> Any:
        raise ChatKitError("This answer was withheld.")

    server = moderated(refuse, ThreadItemDoneEvent(item=assistant("secret", item_id="a")))
    (error,) = await answer(server)
    assert (error["type"], error["message"]) == ("error", "This answer was withheld.")
    assert await kept(server) == []
