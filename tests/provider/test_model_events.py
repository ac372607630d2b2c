"""A provider's ids and other oddities, by HTTP through the real openai client: none of them costs an answer."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from agents import Agent, OpenAIResponsesModel, RunContextWrapper, StopAtTools, function_tool
from chatkit.agents import ClientToolCall

from tests.chat import Chat, Exchange
from tests.openai_server import OpenAIServer, Turn

pytestmark = pytest.mark.django_db(transaction=True)


@function_tool
def look_up() -> str:
    """Look something up."""
    return "found"


@function_tool
async def locate(ctx: RunContextWrapper[Any]) -> str:
    """Ask the browser where it is."""
    ctx.context.client_tool_call = ClientToolCall(name="locate", arguments={})
    return "asked"


@pytest.fixture
def api(api: OpenAIServer, openai_client: openai.AsyncOpenAI, settings: Any) -> OpenAIServer:
    """A server that the agent of the settings talks to."""
    agent = Agent(
        name="Test",
        model=OpenAIResponsesModel(model="gpt-test", openai_client=openai_client),
        tools=[look_up, locate],
        tool_use_behavior=StopAtTools(stop_at_tool_names=["locate"]),
    )
    settings.CHATKIT = {"AGENT": agent}
    return api


def ids(answer: Exchange) -> set[str]:
    """The ids in the events about items of the assistant's."""
    return {
        event["item"]["id"] if "item" in event else event["item_id"]
        for event in answer.events()
        if "item_id" in event or event.get("item", {}).get("type") not in (None, "user_message")
    }


ODD = [
    pytest.param(("msg_same", "msg_same"), id="repeated"),
    pytest.param(("", ""), id="empty"),
    pytest.param((None, None), id="null"),
    pytest.param(("m" * 300, "m" * 300), id="too long"),
    pytest.param(("msg_begun", "msg_done"), id="changing"),
]


@pytest.mark.parametrize("odd", ODD)
async def test_answers_with_odd_ids_are_two_messages(odd, api):
    api.script(Turn(text="One two", ids=odd), Turn(text="Three", ids=odd))
    chat = Chat()

    first = await chat.say("Hi")
    second = await chat.say("Go on", first.thread_id)

    assert (first.text(), second.text()) == ("One two", "Three")
    assert (len(ids(first)), len(ids(second)), len(ids(first) | ids(second))) == (1, 1, 2)
    items = await chat.items(first.thread_id)
    texts = [item["content"][0]["text"] for item in items]
    assert texts == ["Hi", "One two", "Go on", "Three"]


@pytest.mark.parametrize("odd", ODD)
async def test_client_tool_calls_with_odd_ids_are_two_items(odd, api):
    api.script(
        Turn(call=("locate", {}), ids=odd), "Thanks", Turn(call=("locate", {}), ids=odd), Turn(text="Bye")
    )
    chat = Chat()
    first = await chat.say("Where am I?")
    await chat.ask("threads.add_client_tool_output", thread_id=first.thread_id, result="Rome")

    second = await chat.say("And now?", first.thread_id)

    assert "error" not in first.types() + second.types()
    types = [item["type"] for item in await chat.items(first.thread_id)]
    assert types == [
        "user_message",
        "client_tool_call",
        "assistant_message",
        "user_message",
        "client_tool_call",
    ]


async def test_two_messages_of_one_answer_with_one_id_are_two(api):
    message = {
        "id": "msg_same",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "Let me see.", "annotations": [], "logprobs": []}],
    }
    api.script(Turn(hosted=(message,), text="Found", ids=("msg_same", "msg_same")))
    chat = Chat()

    answer = await chat.say("Hi")

    assert answer.text() == "Let me see.|Found"
    texts = [item["content"][0]["text"] for item in await chat.items(answer.thread_id)]
    assert texts == ["Hi", "Let me see.", "Found"]


def without_places(event: dict[str, Any]) -> dict[str, Any]:
    for name in ("content_index", "output_index", "summary_index", "sequence_number"):
        event.pop(name, None)
    return event


def with_null_texts(event: dict[str, Any]) -> dict[str, Any]:
    if event["type"].startswith(("response.content_part", "response.output_text.done")):
        event |= {"text": None, "part": {"type": "output_text", "text": None, "annotations": None}}
    elif event["type"] == "response.output_item.done":
        event["item"] |= {"content": [{"type": "output_text", "text": None, "annotations": None}]}
    return event


def with_a_part_of_its_own(event: dict[str, Any]) -> dict[str, Any]:
    if "content_index" in event:
        event["content_index"] += 1
    if event["type"] == "response.output_item.done":
        event["item"]["content"].insert(0, {"type": "reasoning_text", "text": "Hm"})
    return event


def with_a_part_called_text(event: dict[str, Any]) -> dict[str, Any]:
    for part in [event.get("part"), *event.get("item", {}).get("content", [])]:
        if part is not None:
            part["type"] = "text"
    return event


def without_items(event: dict[str, Any]) -> dict[str, Any]:
    return event | ({"item": None} if "item" in event else {})


def only_deltas(event: dict[str, Any]) -> dict[str, Any] | None:
    kept = ("response.created", "response.output_text.delta", "response.completed")
    return event if event["type"] in kept else None


@pytest.mark.parametrize(
    "alter",
    [
        without_places,
        with_null_texts,
        with_a_part_of_its_own,
        with_a_part_called_text,
        without_items,
        only_deltas,
    ],
)
async def test_text_of_a_server_with_a_stream_of_its_own_arrives_and_is_kept(alter, api):
    api.script(Turn(text="One two", alter=alter), Turn(text="Three", alter=alter))
    chat = Chat()
    first = await chat.say("Hi")
    second = await chat.say("Go on", first.thread_id)
    assert "error" not in first.types() + second.types()
    assert (first.text(), second.text()) == ("One two", "Three")
    deltas = [event["update"].get("delta", "") for event in first.events() if "update" in event]
    assert "".join(deltas) == "One two"
    texts = [item["content"][0]["text"] for item in await chat.items(first.thread_id)]
    assert texts == ["Hi", "One two", "Go on", "Three"]


async def test_item_of_an_unknown_type_is_left_out(api):
    api.script(Turn(text="One two", hosted=({"id": "x_1", "type": "moon_call", "phase": 3},)))
    answer = await Chat().say("Hi")
    assert answer.text() == "One two"
    assert "error" not in answer.types()


async def test_thought_without_a_text_costs_no_answer(api):
    def with_thoughts(event: dict[str, Any]) -> dict[str, Any]:
        if event["type"] == "response.in_progress":
            return {"type": "response.reasoning_summary_text.done", "item_id": None, "text": None}
        return event

    api.script(Turn(text="One two", reasoning=True, alter=with_thoughts))
    answer = await Chat().say("Hi")
    assert answer.text() == "One two"
    assert "error" not in answer.types()


async def test_two_parts_of_a_message_stay_two_beside_one_that_cannot_be_read(api):
    def in_three(event: dict[str, Any]) -> dict[str, Any]:
        if event["type"] == "response.output_item.done":
            text = event["item"]["content"][0]
            event["item"]["content"] = [text, {"type": "audio"}, {"type": "refusal", "refusal": "But no."}]
        return event

    api.script(Turn(text="One two", alter=in_three))
    chat = Chat()
    answer = await chat.say("Hi")
    assert answer.text() == "One twoBut no."
    items = await chat.items(answer.thread_id)
    assert [part["text"] for part in items[1]["content"]] == ["One two", "But no."]
