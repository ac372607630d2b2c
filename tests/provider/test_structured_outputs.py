"""Agents with an ``output_type``: what the user, the model and staff get of their outputs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import openai
import pytest
from agents import (
    Agent,
    GuardrailFunctionOutput,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    OutputGuardrail,
    function_tool,
)
from chatkit.types import AssistantMessageContent, AssistantMessageItem
from chatkit.widgets import Card, Text
from django.contrib.auth import get_user_model
from django.utils.translation import override
from pydantic import BaseModel
from typing_extensions import TypedDict

from chatkit_app import db
from chatkit_app.agents import AgentChatKitServer
from chatkit_app.models import Thread, ThreadItem
from chatkit_app.moderation.redaction import redact
from chatkit_app.provider.structured_outputs import as_markdown
from chatkit_app.store import InMemoryStore
from chatkit_app.store.payloads import OUTPUT_KEY
from tests.agents.test_server import NOW, Chat, answers, errors, text_of
from tests.openai_server import Turn

KINDS = {"responses": OpenAIResponsesModel, "chat_completions": OpenAIChatCompletionsModel}


class Plan(BaseModel):
    city: str
    days: int


class Told(BaseModel):
    city: str

    def __str__(self) -> str:
        return f"Off to {self.city}!"


@dataclass
class Stop:
    city: str
    by_train: bool


class Trip(TypedDict):
    stops: list[str]


PLAN = '{"city": "Rome", "days": 3}'


@pytest.fixture
def make_agent(openai_client: openai.AsyncOpenAI) -> Callable[..., Agent[Any]]:
    def make(kind: str = "responses", **fields: Any) -> Agent[Any]:
        model = KINDS[kind](model="gpt-test", openai_client=openai_client)
        return Agent(**({"name": "Test", "model": model, "output_type": Plan} | fields))

    return make


def chat_with(show: Callable[..., Any]) -> Chat:
    """A conversation with a server that shows outputs by this function of the output and the context."""

    class Server(AgentChatKitServer):
        def show_output(self, output, agent_context):
            return show(output, agent_context)

    return Chat(Server(store=InMemoryStore()))


def done(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    items = [event["item"] for event in events if event["type"] == "thread.item.done"]
    return [item for item in items if item["type"] != "user_message"]


# What the user sees


@pytest.mark.parametrize("kind", KINDS)
async def test_output_is_shown_as_a_list_and_never_as_json(kind, api, make_agent, settings):
    settings.CHATKIT = {"AGENT": make_agent(kind)}
    api.script(PLAN)

    events = await Chat().say("Plan")

    assert answers(events) == ["- **City:** Rome\n- **Days:** 3"]
    assert errors(events) == []
    assert '{\\"city' not in json.dumps(events)
    assert [event["type"] for event in events if "updated" in event["type"]] == []


@pytest.mark.parametrize(
    ("output_type", "said", "shown"),
    [
        (Told, '{"city": "Rome"}', "Off to Rome!"),
        (Stop, '{"response": {"city": "Rome", "by_train": true}}', "- **City:** Rome\n- **By train:** yes"),
        (Trip, '{"stops": ["Rome", "Pisa"]}', "- Rome\n- Pisa"),
        (list[str], '{"response": ["Rome", "Pisa"]}', "- Rome\n- Pisa"),
        (int, '{"response": 7}', "7"),
    ],
)
async def test_output_of_each_kind_is_readable(output_type, said, shown, api, make_agent, settings):
    settings.CHATKIT = {"AGENT": make_agent(output_type=output_type)}
    api.script(said)
    assert answers(await Chat().say("Plan")) == [shown]


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ({"a": None, "b": ""}, "- **A:** –\n- **B:** –"),
        ({"total_price": 7.5, "ok": False}, "- **Total price:** 7.5\n- **Ok:** Nein"),
        ({"city": "Rome", "stops": ["A", "B"]}, "- **City:** Rome\n- **Stops:**\n  - A\n  - B"),
        ([{"city": "Rome", "days": 3}, {"city": "Pisa", "days": 1}],
         "- **City:** Rome\n  - **Days:** 3\n- **City:** Pisa\n  - **Days:** 1"),
        ({"a": "one\ntwo", "b": 1}, "- **A:** one\n  two\n- **B:** 1"),
        ({"only": "a text"}, "a text"),
        ([], ""),
    ],
)  # fmt: skip
def test_output_as_markdown(output, text):
    with override("de"):
        assert as_markdown(output) == text


def message(context: Any) -> AssistantMessageItem:
    return AssistantMessageItem(
        id="msg_own",
        thread_id=context.thread.id,
        created_at=NOW,
        content=[AssistantMessageContent(text="own")],
    )


@pytest.mark.parametrize(
    ("show", "types"),
    [
        (lambda plan, context: f"{plan.days} days", ["assistant_message"]),
        (lambda plan, context: Card(children=[Text(value=plan.city)]), ["widget"]),
        (lambda plan, context: message(context), ["assistant_message"]),
        (
            lambda plan, context: [f"{plan.days} days", Card(children=[Text(value=plan.city)])],
            ["assistant_message", "widget"],
        ),
    ],
)
async def test_site_says_how_an_output_is_shown(show, types, api, make_agent, settings):
    settings.CHATKIT = {"AGENT": make_agent()}
    api.script(PLAN)
    chat = chat_with(show)
    events = await chat.say("Plan")
    assert [item["type"] for item in done(events)] == types
    assert [item.type for item in await chat.items()][1:] == [*types, "hidden_context_item"]


async def test_output_is_shown_by_an_async_method_in_the_users_language(api, make_agent, settings):
    async def show(plan: Plan, context: Any) -> str:
        return f"{as_markdown([True])} {context.request_context.locale}"

    settings.CHATKIT = {"AGENT": make_agent()}
    api.script(PLAN)
    chat = chat_with(show)
    chat.locale = "de"
    assert answers(await chat.say("Plan")) == ["- Ja de"]


@pytest.mark.django_db(transaction=True)
async def test_output_may_be_shown_with_what_the_database_knows(api, make_agent, settings):
    class Server(AgentChatKitServer):
        def show_output(self, output, agent_context):
            return f"Plan {Thread.objects.count()}"

    settings.CHATKIT = {"AGENT": make_agent()}
    api.script(PLAN)
    assert answers(await Chat(Server()).say("Plan")) == ["Plan 1"]


async def test_output_that_is_shown_as_nothing_may_come_before_an_answer(api, make_agent, settings):
    writer = make_agent(name="writer", output_type=None)
    settings.CHATKIT = {"AGENT": make_agent(handoffs=[writer])}
    api.script(Turn(call=("transfer_to_writer", {})), "Have fun")
    assert answers(await chat_with(lambda plan, context: None).say("Plan")) == ["Have fun"]


async def test_text_of_an_agent_handed_over_to_is_streamed(api, make_agent, settings):
    writer = make_agent(name="writer", output_type=None)
    settings.CHATKIT = {"AGENT": make_agent(handoffs=[writer])}
    api.script(Turn(call=("transfer_to_writer", {})), "Have fun")
    events = await Chat().say("Plan")
    deltas = [event["update"]["delta"] for event in events if "delta" in event.get("update", {})]
    assert deltas == ["Have", " fun"]


async def test_output_of_an_agent_handed_over_to_is_shown(api, make_agent, settings):
    planner = make_agent(name="planner")
    settings.CHATKIT = {"AGENT": make_agent(output_type=None, handoffs=[planner])}
    api.script(Turn(call=("transfer_to_planner", {})), PLAN)
    events = await Chat().say("Plan")
    assert answers(events) == ["- **City:** Rome\n- **Days:** 3"]
    assert '{\\"city' not in json.dumps(events)


async def test_output_after_a_tool_is_shown(api, make_agent, settings):
    @function_tool
    async def look_up() -> str:
        """Look something up."""
        return "found"

    settings.CHATKIT = {"AGENT": make_agent(tools=[look_up])}
    api.script(Turn(call=("look_up", {})), PLAN)
    assert answers(await Chat().say("Plan")) == ["- **City:** Rome\n- **Days:** 3"]


# When it goes wrong


@pytest.mark.parametrize(
    "turn",
    [
        Turn(text='{"city": "Rome"}'),
        Turn(text="No JSON at all"),
        Turn(text='{"city": "Ro', incomplete="max_output_tokens"),
        Turn(text=PLAN, drop_after=2),
    ],
)
async def test_output_that_is_not_whole_is_an_error_without_json(turn, api, make_agent, settings):
    settings.CHATKIT = {"AGENT": make_agent()}
    api.script(turn)
    chat = Chat()
    events = await chat.say("Plan")
    assert len(errors(events)) == 1
    assert done(events) == []
    assert '{\\"city' not in json.dumps(events)
    assert [item.type for item in await chat.items()] == ["user_message"]


async def test_withheld_output_leaves_nothing(api, make_agent, settings):
    def withhold(*args: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(output_info=None, tripwire_triggered=True)

    guardrail = OutputGuardrail(guardrail_function=withhold)
    settings.CHATKIT = {"AGENT": make_agent(output_guardrails=[guardrail])}
    api.script(PLAN)
    chat = Chat()
    events = await chat.say("Plan")
    assert errors(events) == [("The answer was withheld because it broke a rule of this chat.", False)]
    assert [item.type for item in await chat.items()] == ["user_message"]


async def test_method_that_returns_something_else_is_told_what_to_return(api, make_agent, settings, caplog):
    settings.CHATKIT = {"AGENT": make_agent()}
    api.script(PLAN)
    events = await chat_with(lambda plan, context: plan).say("Plan")
    assert len(errors(events)) == 1
    assert "show_output() returned Plan; return a text, a widget" in caplog.text


# What the model and staff get


@pytest.mark.parametrize("kind", KINDS)
async def test_model_gets_its_own_words_in_the_next_turn(kind, api, make_agent, settings):
    settings.CHATKIT = {"AGENT": make_agent(kind)}
    api.script(PLAN, PLAN)
    chat = Chat()
    await chat.say("Plan")
    await chat.say("Longer")
    body = api.requests[1].body
    sent = body["input"] if kind == "responses" else body["messages"]
    assert [text_of(item) for item in sent] == ["Plan", PLAN, "Longer"]
    assert [item["role"] for item in sent] == ["user", "assistant", "user"]


async def test_model_gets_what_was_shown_when_a_part_of_it_is_gone(api, make_agent, settings):
    settings.CHATKIT = {"AGENT": make_agent()}
    api.script(PLAN, PLAN)
    chat = chat_with(lambda plan, context: ["First part", "Second part"])
    await chat.say("Plan")
    first = (await chat.items())[1]
    await chat.server.store.delete_thread_item(str(chat.thread_id), first.id, chat.new_context())
    await chat.say("Longer")
    assert [text_of(item) for item in api.requests[1].body["input"]] == ["Plan", "Second part", "Longer"]


@pytest.mark.django_db(transaction=True)
async def test_staff_find_the_json_in_hidden_context(api, make_agent, settings):
    settings.CHATKIT = {"AGENT": make_agent()}
    api.script(PLAN)
    await Chat(AgentChatKitServer()).say("Plan")
    (row,) = await db.run(lambda: list(ThreadItem.objects.filter(type="hidden_context_item")))
    assert row.payload["content"][OUTPUT_KEY] == PLAN


@pytest.mark.django_db(transaction=True)
async def test_redaction_takes_the_json_along(api, make_agent, settings):
    settings.CHATKIT = {"AGENT": make_agent()}
    api.script(PLAN, PLAN, PLAN)
    chat = Chat(AgentChatKitServer())
    await chat.say("Plan")
    await chat.say("Again")

    def redact_first() -> list[bool]:
        staff = get_user_model().objects.create_user("staff")
        redact(ThreadItem.objects.filter(type="assistant_message").earliest("pk"), actor=staff, reason="r")
        hidden = ThreadItem.objects.filter(type="hidden_context_item").order_by("pk")
        return ["Rome" in json.dumps(row.payload) for row in hidden]

    assert await db.run(redact_first) == [False, True]
    await chat.say("Once more")
    texts = [text_of(item) for item in api.requests[2].body["input"]]
    assert texts[1] == "This message was removed by a moderator."
    assert texts.count(PLAN) == 1
