"""Tools that the browser carries out: one after the other, however many a run asks for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import openai
import pytest
from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    RunContextWrapper,
    function_tool,
)
from chatkit.agents import ClientToolCall
from django.contrib.auth import get_user_model

from chatkit_app import db
from chatkit_app.agents import AgentChatKitServer, DjangoAgentContext
from chatkit_app.models import Thread, ThreadItem
from chatkit_app.moderation.redaction import redact
from chatkit_app.store.payloads import WAITING_CALLS_KEY
from tests.agents.test_approvals import press, widgets
from tests.agents.test_server import Chat, answers, errors
from tests.chat import Chat as Browser
from tests.openai_server import Turn

Context = RunContextWrapper[DjangoAgentContext]
KINDS = {"responses": OpenAIResponsesModel, "chat_completions": OpenAIChatCompletionsModel}
BOTH = Turn(calls=(("locate", {"exact": True}),), call=("paint", {"color": "red"}))
STOP = {"stop_at_tool_names": ["locate", "paint", "show"]}

sent: list[str] = []


@function_tool
async def locate(ctx: Context, exact: bool = False) -> str:
    """Where the user is."""
    ctx.context.client_tool_call = ClientToolCall(name="locate", arguments={"exact": exact})
    return "asked"


@function_tool
def paint(ctx: Context, color: str) -> str:
    """Paint the page."""
    ctx.context.client_tool_call = ClientToolCall(name="paint", arguments={"color": color})
    return "asked"


@function_tool
async def show(ctx: Context, what: str) -> str:
    """Show something, by a function of the page that has another name."""
    ctx.context.client_tool_call = ClientToolCall(name="showOnMap", arguments={"what": what})
    return "asked"


@function_tool(needs_approval=True)
async def send(to: str) -> str:
    """Send the letter."""
    sent.append(to)
    return f"sent to {to}"


@pytest.fixture
def use_tools(openai_client: openai.AsyncOpenAI, settings: Any) -> Callable[..., None]:
    sent.clear()

    def use(kind: str = "responses", **fields: Any) -> None:
        model = KINDS[kind](model="gpt-test", openai_client=openai_client)
        tools = [locate, paint, show, send]
        fields = {"tool_use_behavior": STOP} | fields
        settings.CHATKIT = {"AGENT": Agent(name="Test", model=model, tools=tools, **fields)}

    use()
    return use


def asked(events: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """What the browser is to do."""
    done = [event["item"] for event in events if event["type"] == "thread.item.done"]
    return [(item["name"], item["arguments"]) for item in done if item["type"] == "client_tool_call"]


async def give(chat: Chat, result: Any) -> list[dict[str, Any]]:
    params = {"thread_id": chat.thread_id, "result": result}
    return await chat.request(
        json.dumps({"type": "threads.add_client_tool_output", "params": params}).encode()
    )


@pytest.mark.parametrize("kind", KINDS)
async def test_each_of_two_calls_is_carried_out_and_known_to_the_model(kind, api, use_tools):
    use_tools(kind)
    api.script(BOTH, "Done")
    chat = Chat()

    first = await chat.say("Go")
    second = await give(chat, {"city": "Rome"})
    last = await give(chat, {"painted": True})

    assert asked(first) + asked(second) == [("locate", {"exact": True}), ("paint", {"color": "red"})]
    assert (answers(second), errors(second)) == ([], [])
    assert answers(last) == ["Done"]
    assert len(api.requests) == 2
    told = json.dumps(api.requests[1].body)
    assert '\\"city\\": \\"Rome\\"' in told
    assert '\\"painted\\": true' in told


async def test_each_call_has_the_id_of_the_models_own(api, use_tools):
    api.script(
        Turn(calls=(("locate", {}), ("show", {"what": "A"})), call=("locate", {"exact": True})), "Done"
    )
    chat = Chat()
    for result in (await chat.say("Go"), await give(chat, 1), await give(chat, 2), await give(chat, 3)):
        assert errors(result) == []
    items = api.requests[1].body["input"]
    calls = [(item["name"], item["call_id"]) for item in items if item.get("type") == "function_call"]
    assert sorted(calls) == [("locate", "call_1"), ("locate", "call_1_0"), ("showOnMap", "call_1_1")]
    outputs = {item["output"] for item in items if item.get("type") == "function_call_output"}
    assert outputs == {"1", "2", "3"}


@pytest.mark.django_db(transaction=True)
async def test_next_call_is_asked_for_after_a_restart(api, use_tools):
    api.script(BOTH, "Done")
    chat = Chat(AgentChatKitServer())
    await chat.say("Go")
    chat.server = AgentChatKitServer()
    use_tools()
    assert asked(await give(chat, 1)) == [("paint", {"color": "red"})]
    assert answers(await give(chat, 2)) == ["Done"]
    assert (await chat.thread()).metadata == {}


async def test_message_in_place_of_a_result_ends_the_waiting(api, use_tools):
    api.script(BOTH, "Never mind", Turn(call=("locate", {})), "Rome")
    chat = Chat()
    await chat.say("Go")
    assert answers(await chat.say("Stop")) == ["Never mind"]
    await chat.say("Where am I?")
    assert answers(await give(chat, "Rome")) == ["Rome"]


async def test_retry_in_place_of_a_result_asks_anew(api, use_tools):
    api.script(BOTH, BOTH, "Done")
    chat = Chat()
    await chat.say("Go")
    message = (await chat.items())[0]
    params = {"thread_id": chat.thread_id, "item_id": message.id}
    again = await chat.request(json.dumps({"type": "threads.retry_after_item", "params": params}).encode())
    assert asked(again) == [("locate", {"exact": True})]
    assert asked(await give(chat, 1)) == [("paint", {"color": "red"})]
    assert answers(await give(chat, 2)) == ["Done"]


async def test_call_after_the_results_is_asked_for(api, use_tools):
    api.script(BOTH, Turn(call=("show", {"what": "Rome"})), "Done")
    chat = Chat()
    await chat.say("Go")
    await give(chat, 1)
    assert asked(await give(chat, 2)) == [("showOnMap", {"what": "Rome"})]
    assert answers(await give(chat, 3)) == ["Done"]


@pytest.mark.parametrize("garbage", [7, [7], [{"name": "x"}], "x"])
async def test_metadata_that_is_not_ours_is_no_obstacle(garbage, api, use_tools):
    api.script("Hi", Turn(call=("locate", {})), "Rome")
    chat = Chat()
    await chat.say("Hi")
    thread = await chat.thread()
    thread.metadata = {WAITING_CALLS_KEY: garbage, "topic": "mine"}
    await chat.server.store.save_thread(thread, chat.new_context())
    await chat.say("Where am I?")
    assert answers(await give(chat, "Rome")) == ["Rome"]
    assert (await chat.thread()).metadata == {"topic": "mine"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("label", ["Approve", "Reject"])
async def test_call_beside_an_approval_is_asked_for_after_it(label, api, use_tools):
    api.script(Turn(calls=(("locate", {}),), call=("send", {"to": "Ann"})), "Working on it", "Done")
    chat = Browser()

    first = await chat.say("Go")
    assert asked(first.events()) == []
    second = await chat.ask("threads.custom_action", **press(widgets(first)[0], label))
    last = await chat.ask(
        "threads.add_client_tool_output", thread_id=first.thread_id, result={"city": "Rome"}
    )

    assert sent == (["Ann"] if label == "Approve" else [])
    assert asked(second.events()) == [("locate", {"exact": False})]
    assert last.text() in ("Done", "Working on it")
    assert '\\"city\\": \\"Rome\\"' in json.dumps(api.requests[-1].body)


@pytest.mark.django_db(transaction=True)
async def test_message_in_place_of_an_approval_gives_the_call_up(api, use_tools):
    api.script(Turn(calls=(("locate", {}),), call=("send", {"to": "Ann"})), "Never mind")
    chat = Browser()
    first = await chat.say("Go")
    second = await chat.say("Stop", first.thread_id)
    assert second.text() == "Never mind"
    assert asked(second.events()) == []
    assert (await db.run(Thread.objects.get)).metadata == {}


@pytest.mark.django_db(transaction=True)
async def test_redaction_forgets_the_calls_that_wait(api, use_tools):
    api.script(BOTH)
    await Chat(AgentChatKitServer()).say("Go")

    def redact_message() -> tuple[bool, bool]:
        staff = get_user_model().objects.create_user("staff")
        before = WAITING_CALLS_KEY in Thread.objects.get().metadata
        redact(ThreadItem.objects.get(type="user_message"), actor=staff, reason="r")
        return before, WAITING_CALLS_KEY in Thread.objects.get().metadata

    assert await db.run(redact_message) == (True, False)
