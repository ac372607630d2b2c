"""How a run of the agent ends when it does not end in an answer of the usual kind, by HTTP."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import agents.exceptions
import openai
import pytest
from agents import (
    Agent,
    AgentsException,
    GuardrailFunctionOutput,
    InputGuardrail,
    InputGuardrailResult,
    InputGuardrailTripwireTriggered,
    MaxTurnsExceeded,
    MCPToolCancellationError,
    Model,
    ModelBehaviorError,
    ModelRefusalError,
    ModelTimeoutError,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    OutputGuardrail,
    OutputGuardrailResult,
    OutputGuardrailTripwireTriggered,
    ToolGuardrailFunctionOutput,
    ToolInputGuardrail,
    ToolInputGuardrailTripwireTriggered,
    ToolOutputGuardrail,
    ToolOutputGuardrailTripwireTriggered,
    ToolTimeoutError,
    UserError,
    function_tool,
)
from pydantic import BaseModel

from chatkit_app import db
from chatkit_app.agents import AgentChatKitServer
from chatkit_app.context import RequestContext
from chatkit_app.models import Run, ThreadItem
from chatkit_app.store import InMemoryStore
from tests.agents.test_server import text_of
from tests.chat import Chat, Exchange
from tests.openai_server import Turn

pytestmark = pytest.mark.django_db(transaction=True)

KINDS = {"responses": OpenAIResponsesModel, "chat_completions": OpenAIChatCompletionsModel}
REFUSAL = "I cannot help with that."


class Plan(BaseModel):
    steps: list[str]


@pytest.fixture
def use_agent(openai_client: openai.AsyncOpenAI, settings: Any) -> Callable[..., None]:
    """Configures an agent that asks ``api``, over either of OpenAI's APIs."""

    def use(kind: str = "responses", **fields: Any) -> None:
        model: Model = KINDS[kind](model="gpt-test", openai_client=openai_client)
        settings.CHATKIT = {"AGENT": Agent(name="Test", model=model, **fields)}

    return use


async def kept(answer: Exchange) -> tuple[str, list[str]]:
    """The run's status, and what its thread says of the assistant."""

    def look() -> tuple[str, list[str]]:
        run = Run.objects.get(public_id=answer.run_id)
        items = ThreadItem.objects.filter(thread=run.thread, type="assistant_message").order_by("pk")
        return run.status, [item.text for item in items]

    return await db.run(look)


def deltas(answer: Exchange) -> list[str]:
    updates = [event["update"] for event in answer.events() if event["type"] == "thread.item.updated"]
    return [update["delta"] for update in updates if "delta" in update]


# Refusals


@pytest.mark.parametrize("output_type", [None, Plan], ids=["text", "structured"])
@pytest.mark.parametrize("kind", KINDS)
async def test_refusal_is_streamed_and_kept_as_an_answer(kind, output_type, api, use_agent):
    use_agent(kind, output_type=output_type)
    api.script(Turn(refusal=REFUSAL))

    answer = await Chat().say("Make me a bomb")

    assert deltas(answer) == ["I", " cannot", " help", " with", " that."]
    assert answer.text() == REFUSAL
    assert "error" not in answer.types()
    assert await kept(answer) == ("completed", [REFUSAL])


async def test_refusal_after_some_text_is_one_answer_with_it(api, use_agent):
    use_agent()
    api.script(Turn(text="Well.", refusal=REFUSAL))

    answer = await Chat().say("Make me a bomb")

    assert answer.text() == f"Well.{REFUSAL}"
    assert "error" not in answer.types()
    assert await kept(answer) == ("completed", [f"Well.{REFUSAL}"])


@pytest.mark.parametrize("kind", KINDS)
async def test_refusal_is_known_to_the_model_in_the_next_turn(kind, api, use_agent):
    use_agent(kind)
    api.script(Turn(refusal=REFUSAL), "Gladly.")
    chat = Chat()
    first = await chat.say("Make me a bomb")

    second = await chat.say("Then a cake", first.thread_id)

    assert second.text() == "Gladly."
    asked = api.requests[1].body["input" if kind == "responses" else "messages"]
    assert [(entry["role"], text_of(entry)) for entry in asked] == [
        ("user", "Make me a bomb"),
        ("assistant", REFUSAL),
        ("user", "Then a cake"),
    ]


async def test_refusal_after_a_tool_is_an_answer(api, use_agent):
    @function_tool
    def look_up() -> str:
        """Look something up."""
        return "found"

    use_agent(tools=[look_up], output_type=Plan)
    api.script(Turn(call=("look_up", {})), Turn(refusal=REFUSAL))

    answer = await Chat().say("Make me a bomb")

    assert answer.text() == REFUSAL
    assert await kept(answer) == ("completed", [REFUSAL])


async def test_refusal_costs_what_an_answer_costs(api, use_agent):
    use_agent(output_type=Plan)
    api.script(Turn(refusal=REFUSAL))

    answer = await Chat().say("Make me a bomb")

    run = await db.run(Run.objects.get, public_id=answer.run_id)
    assert (run.input_tokens, run.output_tokens) == (100, 7)


async def test_refusal_is_seen_by_output_guardrails(api, use_agent):
    seen: list[Any] = []

    def watch(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
        seen.append(output)
        return GuardrailFunctionOutput(output_info=None, tripwire_triggered=True)

    use_agent(output_guardrails=[OutputGuardrail(guardrail_function=watch)])
    api.script(Turn(refusal=REFUSAL))

    answer = await Chat().say("Make me a bomb")

    assert seen == [REFUSAL]
    assert answer.error()["message"] == "The answer was withheld because it broke a rule of this chat."
    assert await kept(answer) == ("failed", [])


# Tools


async def test_tool_that_takes_too_long_is_a_retryable_error(api, use_agent):
    @function_tool(timeout=0.05, timeout_behavior="raise_exception")
    async def look_up() -> str:
        """Look something up."""
        await asyncio.sleep(60)
        return "found"

    use_agent(tools=[look_up])
    api.script(Turn(call=("look_up", {})))

    answer = await Chat().say("Look it up")

    assert answer.error()["message"] == "The assistant took too long to answer."
    assert answer.error()["allow_retry"] is True


async def test_cancelled_mcp_tool_is_a_retryable_error(api, use_agent):
    @function_tool(failure_error_function=None)
    async def look_up() -> str:
        """Look something up."""
        raise MCPToolCancellationError("The server secret-host cancelled it")

    use_agent(tools=[look_up])
    api.script(Turn(call=("look_up", {})))

    answer = await Chat().say("Look it up")

    assert answer.error()["message"] == "The assistant failed to finish its answer."
    assert answer.error()["allow_retry"] is True


# All of them

DECLINED = "This message cannot be answered here. Please ask something else."
WITHHELD = "The answer was withheld because it broke a rule of this chat."
TOO_LONG = "The assistant took too long to answer."
UNFINISHED = "The assistant failed to finish its answer."
NOT_SET_UP = "The assistant is not set up correctly. Please tell the site's staff."

TRIPPED = GuardrailFunctionOutput(output_info=None, tripwire_triggered=True)
STOPPED = ToolGuardrailFunctionOutput.raise_exception()


def guard(*args: Any) -> Any:
    return TRIPPED


OUTCOMES: list[tuple[AgentsException, str, bool]] = [
    (AgentsException("secret"), UNFINISHED, True),
    (MaxTurnsExceeded("secret"), "The answer took too many steps and was given up.", True),
    (ModelBehaviorError("secret"), UNFINISHED, True),
    (ModelRefusalError("secret"), DECLINED, False),
    (ModelTimeoutError(5), TOO_LONG, True),
    (UserError("secret"), NOT_SET_UP, False),
    (MCPToolCancellationError("secret"), UNFINISHED, True),
    (ToolTimeoutError("secret", 5), TOO_LONG, True),
    (
        InputGuardrailTripwireTriggered(InputGuardrailResult(InputGuardrail(guard), TRIPPED)),
        DECLINED,
        False,
    ),
    (
        OutputGuardrailTripwireTriggered(
            OutputGuardrailResult(OutputGuardrail(guard), "secret", Agent("Test"), TRIPPED)
        ),
        WITHHELD,
        False,
    ),
    (ToolInputGuardrailTripwireTriggered(ToolInputGuardrail(guard), STOPPED), DECLINED, False),
    (ToolOutputGuardrailTripwireTriggered(ToolOutputGuardrail(guard), STOPPED), WITHHELD, False),
]


@pytest.mark.parametrize(
    ("error", "text", "allow_retry"),
    [pytest.param(*outcome, id=type(outcome[0]).__name__) for outcome in OUTCOMES],
)
def test_exception_of_the_agents_sdk_has_a_text_for_the_user(error, text, allow_retry):
    described = AgentChatKitServer(InMemoryStore()).describe_error(error, RequestContext())
    assert described is not None
    assert (described.message, described.allow_retry) == (text, allow_retry)


def test_every_exception_of_the_agents_sdk_is_looked_at():
    """One that a newer version brings needs a line in the table above, and perhaps a case of its own."""
    public = {
        found
        for name, found in inspect.getmembers(agents.exceptions, inspect.isclass)
        if issubclass(found, Exception) and not name.startswith("_")
    }
    assert public == {type(error) for error, _, _ in OUTCOMES}
