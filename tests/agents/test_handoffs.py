"""A conversation goes on with the agent that it was handed over to."""

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
    OpenAIResponsesModel,
    OutputGuardrail,
    RunContextWrapper,
    function_tool,
)
from chatkit.agents import ClientToolCall
from chatkit.types import UserMessageItem

from chatkit_app import db
from chatkit_app.agents import AgentChatKitServer, DjangoAgentContext
from chatkit_app.agents.handoffs import HANDOFFS_KEY
from chatkit_app.models import Thread
from chatkit_app.store import InMemoryStore
from tests.agents.test_approvals import press, widgets
from tests.agents.test_server import COMPOSER, Chat, answers
from tests.chat import Chat as Browser
from tests.openai_server import OpenAIServer, Turn

TO_BILLING = Turn(call=("transfer_to_billing", {}))
TO_TECH = Turn(call=("transfer_to_tech", {}))
TO_TRIAGE = Turn(call=("transfer_to_triage", {}))


@function_tool(needs_approval=True)
async def refund(amount: int) -> str:
    """Give money back."""
    return f"{amount} given back"


@function_tool
async def locate(ctx: RunContextWrapper[DjangoAgentContext]) -> str:
    """Where the user is."""
    ctx.context.client_tool_call = ClientToolCall(name="locate", arguments={})
    return "asked"


@dataclass
class Agents:
    """Triage hands over to billing, billing to tech and back to triage; tech to nobody."""

    triage: Agent[Any]
    billing: Agent[Any]
    tech: Agent[Any]


@pytest.fixture
def agents(openai_client: openai.AsyncOpenAI, settings: Any) -> Agents:
    def make(name: str, *, handoffs: list[Any], **fields: Any) -> Agent[Any]:
        model = OpenAIResponsesModel(model=f"model-of-{name}", openai_client=openai_client)
        return Agent(name=name, instructions=f"You are {name}.", model=model, handoffs=handoffs, **fields)

    tech = make("tech", handoffs=[])
    billing = make(
        "billing",
        handoffs=[tech],
        tools=[refund, locate],
        tool_use_behavior={"stop_at_tool_names": ["locate"]},
    )
    triage = make("triage", handoffs=[billing])
    billing.handoffs.append(triage)
    settings.CHATKIT = {"AGENT": triage, "OPTIONS": {"composer": COMPOSER}}
    return Agents(triage, billing, tech)


def asked(api: OpenAIServer) -> list[str]:
    """Whom each request to the model was for."""
    return [request.body["instructions"].removeprefix("You are ").rstrip(".") for request in api.requests]


async def messages(chat: Chat) -> list[UserMessageItem]:
    return [item for item in await chat.items() if isinstance(item, UserMessageItem)]


async def retry(chat: Chat, message: UserMessageItem) -> list[dict[str, Any]]:
    params = {"thread_id": chat.thread_id, "item_id": message.id}
    return await chat.request(json.dumps({"type": "threads.retry_after_item", "params": params}).encode())


@pytest.fixture(params=[pytest.param("database", marks=pytest.mark.django_db(transaction=True)), "memory"])
def make_chat(request: Any) -> Callable[[], Chat]:
    return Chat if request.param == "memory" else lambda: Chat(AgentChatKitServer())


async def test_next_turn_begins_with_the_agent_handed_over_to(make_chat, api, agents):
    api.script(TO_BILLING, "Which bill?", "It is paid.", "Goodbye")
    chat = make_chat()

    await chat.say("My bill")
    await chat.say("The last one")
    await chat.say("Thanks")

    assert asked(api) == ["triage", "billing", "billing", "billing"]


@pytest.mark.django_db(transaction=True)
async def test_agent_is_remembered_after_a_restart(api, agents):
    api.script(TO_BILLING, "Which bill?", "It is paid.")
    chat = Chat(AgentChatKitServer())
    await chat.say("My bill")
    chat.server = AgentChatKitServer()

    await chat.say("The last one")

    assert asked(api) == ["triage", "billing", "billing"]


async def test_thread_without_handoff_keeps_nothing(api, agents):
    api.script("Hello")
    chat = Chat()
    await chat.say("Hi")
    assert (await chat.thread()).metadata == {}


async def test_agent_that_hands_back_is_followed(api, agents):
    api.script(TO_BILLING, "Which bill?", TO_TRIAGE, "What else?", "Bye")
    chat = Chat()

    await chat.say("My bill")
    await chat.say("Something else")
    await chat.say("Nothing")

    assert asked(api) == ["triage", "billing", "billing", "triage", "triage"]


async def test_agents_are_handed_over_to_over_several_turns(api, agents):
    api.script(TO_BILLING, "Which bill?", TO_TECH, "Reboot", "Again")
    chat = Chat()

    await chat.say("My bill")
    await chat.say("It is blank")
    await chat.say("Still")

    assert asked(api) == ["triage", "billing", "billing", "tech", "tech"]


async def test_retry_begins_with_the_agent_that_the_message_was_sent_to(make_chat, api, agents):
    api.script(TO_BILLING, "Which bill?", TO_TECH, "Reboot", "No bill is blank", "Bye")
    chat = make_chat()
    await chat.say("My bill")
    await chat.say("It is blank")

    await retry(chat, (await messages(chat))[1])
    await chat.say("Thanks")

    assert asked(api)[4:] == ["billing", "billing"]


async def test_retry_of_an_earlier_message_takes_later_handoffs_back(make_chat, api, agents):
    api.script(TO_BILLING, "Which bill?", TO_TECH, "Reboot", "Hello", "Hello again")
    chat = make_chat()
    await chat.say("My bill")
    await chat.say("It is blank")

    await retry(chat, (await messages(chat))[0])
    await chat.say("Thanks")

    assert asked(api)[4:] == ["triage", "triage"]


async def test_retried_message_can_be_handed_over_once_more(api, agents):
    api.script(TO_BILLING, "Which bill?", TO_BILLING, "Which one?", "Thanks")
    chat = Chat()
    await chat.say("My bill")

    await retry(chat, (await messages(chat))[0])
    await chat.say("The last one")

    assert asked(api)[2:] == ["triage", "billing", "billing"]


async def test_handoff_older_than_the_history_still_counts(api, agents, settings):
    settings.CHATKIT = settings.CHATKIT | {"HISTORY_LIMIT": 1}
    api.script(TO_BILLING, "Which bill?", "Paid", "Bye")
    chat = Chat()

    await chat.say("My bill")
    await chat.say("The last one")
    await chat.say("Thanks")

    assert asked(api)[2:] == ["billing", "billing"]


@pytest.mark.parametrize("failure", [Turn(status=500), Turn(text="Half an ans", drop_after=1), Turn(text="")])
async def test_answer_that_fails_after_a_handoff_does_not_move_the_thread(failure, api, agents):
    api.script(TO_BILLING, failure, "Hello")
    chat = Chat()

    await chat.say("My bill")
    await chat.say("Hi")

    assert asked(api) == ["triage", "billing", "triage"]


async def test_withheld_answer_does_not_move_the_thread(api, agents):
    def withhold(*args: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(output_info=None, tripwire_triggered=True)

    agents.billing.output_guardrails = [OutputGuardrail(guardrail_function=withhold)]
    api.script(TO_BILLING, "Your password is", "Hello")
    chat = Chat()

    await chat.say("My bill")
    await chat.say("Hi")

    assert asked(api) == ["triage", "billing", "triage"]


@pytest.mark.parametrize("change", ["renamed", "gone"])
async def test_agent_that_is_not_to_be_found_any_more_is_forgotten(change, api, agents):
    api.script(TO_BILLING, "Which bill?", "Hello")
    chat = Chat()
    await chat.say("My bill")
    if change == "gone":
        agents.triage.handoffs.clear()
    else:
        agents.billing.name = "accounts"

    await chat.say("Hi")

    assert asked(api)[2:] == ["triage"]


async def test_agent_made_for_each_request_is_found_by_its_name(api, agents, settings):
    settings.CHATKIT = {
        "AGENT": lambda context: agents.triage.clone(handoffs=[agents.billing.clone(handoffs=[])])
    }
    api.script(TO_BILLING, "Which bill?", "Paid")
    chat = Chat()

    await chat.say("My bill")
    await chat.say("The last one")

    assert asked(api) == ["triage", "billing", "billing"]


async def test_server_can_begin_each_answer_with_the_first_agent(api, agents):
    class Server(AgentChatKitServer):
        def get_starting_agent(self, agent, last_agent, thread, context):
            return agent

    api.script(TO_BILLING, "Which bill?", "Hello")
    chat = Chat(Server(store=InMemoryStore()))

    await chat.say("My bill")
    await chat.say("Hi")

    assert asked(api) == ["triage", "billing", "triage"]


@pytest.mark.django_db(transaction=True)
async def test_server_may_ask_the_database_which_agent_begins(api, agents):
    class Server(AgentChatKitServer):
        def get_starting_agent(self, agent, last_agent, thread, context):
            return last_agent if last_agent and Thread.objects.exists() else agent

    api.script(TO_BILLING, "Which bill?", "Paid")
    chat = Chat(Server())

    await chat.say("My bill")
    await chat.say("The last one")

    assert asked(api) == ["triage", "billing", "billing"]


async def test_picked_model_is_used_by_the_agent_that_begins(api, agents):
    api.script(TO_BILLING, "Which bill?", "Paid")
    chat = Chat()
    await chat.say("My bill")

    await chat.say("The last one", model="picked-model")

    assert [request.body["model"] for request in api.requests][1:] == ["model-of-billing", "picked-model"]


async def test_tools_result_from_the_browser_goes_to_the_agent_that_asked(api, agents):
    api.script(TO_BILLING, Turn(call=("locate", {})), "You are in Rome", "Bye")
    chat = Chat()
    await chat.say("Where is my bill?")
    params = {"thread_id": chat.thread_id, "result": {"city": "Rome"}}

    events = await chat.request(
        json.dumps({"type": "threads.add_client_tool_output", "params": params}).encode()
    )
    await chat.say("Thanks")

    assert answers(events) == ["You are in Rome"]
    assert asked(api) == ["triage", "billing", "billing", "billing"]


@pytest.mark.django_db(transaction=True)
async def test_approved_call_goes_on_with_its_agent_and_so_does_the_thread(api, agents):
    api.script(TO_BILLING, Turn(call=("refund", {"amount": 5})), "Done", "Bye")
    chat = Browser()
    first = await chat.say("My money")

    answered = await chat.ask("threads.custom_action", **press(widgets(first)[0], "Approve"))
    await chat.say("Thanks", first.thread_id)

    assert answered.text() == "Done"
    assert asked(api) == ["triage", "billing", "billing", "billing"]


@pytest.mark.django_db(transaction=True)
async def test_approval_that_an_agent_asks_for_in_a_later_turn_goes_on(api, agents):
    agents.billing.handoffs.clear()
    api.script(TO_BILLING, "Which bill?", Turn(call=("refund", {"amount": 5})), "Done")
    chat = Browser()
    first = await chat.say("My money", model="gpt-5")
    second = await chat.say("The last one", first.thread_id)

    answered = await chat.ask("threads.custom_action", **press(widgets(second)[0], "Approve"))

    assert answered.text() == "Done"
    assert asked(api) == ["triage", "billing", "billing", "billing"]


@pytest.mark.django_db(transaction=True)
async def test_message_in_place_of_an_approval_goes_to_the_agent_that_asked(api, agents):
    api.script(TO_BILLING, Turn(call=("refund", {"amount": 5})), "Three, then")
    chat = Browser()
    first = await chat.say("My money")

    await chat.say("No, only three", first.thread_id)

    assert asked(api) == ["triage", "billing", "billing"]


@pytest.mark.django_db(transaction=True)
async def test_browser_is_not_told_the_agents_names(api, agents):
    api.script(TO_BILLING, "Which bill?", "Paid")
    chat = Browser()
    first = await chat.say("My bill")
    second = await chat.say("The last one", first.thread_id)
    thread = await chat.ask("threads.get_by_id", thread_id=first.thread_id)
    threads = await chat.ask("threads.list")

    (kept,) = await db.run(lambda: list(Thread.objects.values_list("metadata", flat=True)))
    assert [name for _message, name in kept[HANDOFFS_KEY]] == ["billing"]
    for exchange in (first, second, thread, threads):
        assert b"billing" not in exchange.body


@pytest.mark.parametrize("garbage", [7, [7], [["a"]], [["a", 7]], {"a": "billing"}])
async def test_metadata_that_is_not_ours_is_no_obstacle(garbage, api, agents):
    api.script("Hello", TO_BILLING, "Which bill?", "Paid")
    chat = Chat()
    await chat.say("Hi")
    thread = await chat.thread()
    thread.metadata = {HANDOFFS_KEY: garbage, "topic": "mine"}
    await chat.server.store.save_thread(thread, chat.new_context())

    await chat.say("My bill")
    await chat.say("The last one")

    assert asked(api) == ["triage", "triage", "billing", "billing"]
    assert (await chat.thread()).metadata["topic"] == "mine"
