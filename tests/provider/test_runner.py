"""Runs that a site's own code starts while it answers, as OpenAI documents them."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import fields
from datetime import datetime
from typing import Any

import openai
import pytest
from agents import (
    Agent,
    ComputerTool,
    FunctionTool,
    GuardrailFunctionOutput,
    Handoff,
    HostedMCPTool,
    InputGuardrail,
    ModelSettings,
    MultiProvider,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    OutputGuardrail,
    RunConfig,
    Runner,
    RunResultStreaming,
    ToolGuardrailFunctionOutput,
    ToolInputGuardrail,
    ToolOutputGuardrail,
    function_tool,
    handoff,
)
from agents.mcp import MCPServerStdio
from agents.run import AgentRunner, get_default_agent_runner, set_default_agent_runner
from chatkit.agents import AgentContext
from chatkit.agents import stream_agent_response as sdk_stream_agent_response
from chatkit.types import SyncCustomActionResponse, ThreadMetadata

from chatkit_app.agents import stream_agent_response
from chatkit_app.context import RequestContext
from chatkit_app.models import Thread
from chatkit_app.offline import OfflineModel
from chatkit_app.provider.agent_graph import FIELDS_LEFT_ALONE, copy_for_run, reachable
from chatkit_app.provider.responses_api import knows_storing
from chatkit_app.provider.runner import Answering, AnswerRunner
from chatkit_app.server import DjangoChatKitServer
from chatkit_app.store import DjangoStore, InMemoryStore
from chatkit_app.testing import ScriptedModel
from tests.agents.test_server import Chat, answers, errors
from tests.openai_server import Turn

BAD_CITATION = {"type": "url_citation", "start_index": 0, "end_index": 2, "title": "A", "url": None}


@pytest.fixture
def model(openai_client: openai.AsyncOpenAI) -> Callable[..., OpenAIResponsesModel]:
    return lambda name="gpt-test": OpenAIResponsesModel(model=name, openai_client=openai_client)


@pytest.fixture
def without_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_DEFAULT_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(OfflineModel.__init__.__kwdefaults__, "delay", 0)


class DocumentedServer(DjangoChatKitServer):
    """Answers as OpenAI's documentation shows it."""

    def __init__(self, agent: Agent[Any], **options: Any) -> None:
        super().__init__(store=InMemoryStore())
        self.agent = agent
        self.options = options

    async def respond(self, thread, input_user_message, context):
        agent_context = AgentContext(thread=thread, store=self.store, request_context=context)
        text = input_user_message.content[0].text
        result = Runner.run_streamed(self.agent, text, context=agent_context, **self.options)
        async with aclosing(self.stream_of(agent_context, result)) as events:
            async for event in events:
                yield event

    def stream_of(self, agent_context, result):
        return sdk_stream_agent_response(agent_context, result)


class OurStreamServer(DocumentedServer):
    def stream_of(self, agent_context, result):
        return stream_agent_response(agent_context, result)


async def output_of(result: RunResultStreaming) -> str:
    async for _event in result.stream_events():
        pass
    return str(result.final_output)


# What the provider stores


@pytest.mark.parametrize(
    "options",
    [{}, {"run_config": RunConfig(workflow_name="Support")}, {"run_config": {"workflow_name": "Support"}}],
    ids=["plain", "run-config", "dictionary"],
)
async def test_documented_run_in_respond_is_not_stored(options, api, model):
    api.script("Hi")
    events = await Chat(DocumentedServer(Agent(name="Test", model=model()), **options)).say("Hello")
    assert answers(events) == ["Hi"]
    assert api.requests[0].body["store"] is False


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        (ModelSettings(store=True), {}),
        (ModelSettings(), {"run_config": RunConfig(model_settings=ModelSettings(store=True))}),
        (ModelSettings(), {"run_config": {"model_settings": {"store": True}}}),
    ],
    ids=["agent", "run-config", "dictionary"],
)
async def test_run_that_asks_for_storing_is_stored(settings, options, api, model):
    api.script("Hi")
    agent = Agent(name="Test", model=model(), model_settings=settings)
    await Chat(DocumentedServer(agent, **options)).say("Hello")
    assert api.requests[0].body["store"] is True


@pytest.mark.parametrize("wrap", [lambda agent: agent, handoff], ids=["agent", "handoff"])
async def test_each_agent_of_a_run_says_itself_what_is_stored(wrap, api, model):
    api.script(Turn(call=("transfer_to_second", {})), Turn(call=("transfer_to_third", {})), "Hi")
    third = Agent(name="third", model=model(), model_settings=ModelSettings(store=True))
    second = Agent(name="second", model=model(), handoffs=[wrap(third)])
    first = Agent(
        name="first", model=model(), model_settings=ModelSettings(store=True), handoffs=[wrap(second)]
    )

    assert answers(await Chat(DocumentedServer(first)).say("Hello")) == ["Hi"]

    assert [request.body["store"] for request in api.requests] == [True, False, True]
    assert second.model_settings.store is None


async def test_agents_that_hand_over_to_one_another_are_run(api, model):
    api.script(Turn(call=("transfer_to_two", {})), Turn(call=("transfer_to_one", {})), "Hi")
    one, two = Agent(name="one", model=model()), Agent(name="two", model=model())
    one.handoffs, two.handoffs = [two], [one]
    assert answers(await Chat(DocumentedServer(one)).say("Hello")) == ["Hi"]
    assert [request.body["store"] for request in api.requests] == [False, False, False]


async def test_agent_used_as_a_tool_is_not_stored(api, model):
    api.script(Turn(call=("ask", {"input": "x"})), "Inner", "Outer")
    inner = Agent(name="inner", model=model())
    outer = Agent(name="outer", model=model(), tools=[inner.as_tool("ask", "Ask it.")])
    assert answers(await Chat(DocumentedServer(outer)).say("Hello")) == ["Outer"]
    assert [request.body["store"] for request in api.requests] == [False, False, False]


async def test_run_in_a_thread_of_a_tool_is_answered_offline(without_key):
    @function_tool
    def ask() -> str:
        """Ask another agent."""
        return str(asyncio.run(Runner.run(Agent(name="inner"), "x")).final_output)

    model = ScriptedModel([("ask", {}), "Outer"])
    assert answers(await Chat(DocumentedServer(Agent(name="Test", model=model, tools=[ask]))).say("Hi")) == [
        "Outer"
    ]
    assert "I am the offline model" in model.inputs[1][-1]["output"]


async def test_run_for_a_title_is_not_stored(api, model):
    class Server(DocumentedServer):
        async def title_for(self, thread, message, context):
            return await output_of(Runner.run_streamed(Agent(name="Titles", model=model()), "x"))

    api.script("Same", "Same")
    chat = Chat(Server(Agent(name="Test", model=model())))
    await chat.say("Hello")
    assert (await chat.thread()).title == "Same"
    assert [request.body["store"] for request in api.requests] == [False, False]


async def test_run_outside_of_an_answer_is_the_sites_own_business(api, model):
    api.script("Hi", "Again")
    await Chat(DocumentedServer(Agent(name="Test", model=model()))).say("Hello")
    assert await output_of(Runner.run_streamed(Agent(name="Test", model=model()), "Hello")) == "Again"
    assert [request.body.get("store") for request in api.requests] == [False, None]


async def test_documented_run_keeps_its_reasoning_encrypted(api, model):
    api.script(Turn(call=("transfer_to_second", {})), "Hi")
    second = Agent(name="second", model=model("gpt-5"))
    await Chat(DocumentedServer(Agent(name="first", model=model(), handoffs=[second]))).say("Hello")
    assert [request.body["include"] for request in api.requests] == [[], ["reasoning.encrypted_content"]]


async def test_documented_run_forgets_reasoning_after_the_sites_own_filter(api, model):
    @function_tool
    def look() -> str:
        """Look."""
        return "seen"

    def shorten(data):
        seen.append([item.get("type") for item in data.model_data.input])
        return data.model_data

    seen: list[Any] = []
    api.script(Turn(call=("look", {}), reasoning=True), "Hi")
    agent = Agent(name="Test", model=model(), tools=[look])
    server = DocumentedServer(agent, run_config=RunConfig(call_model_input_filter=shorten))

    assert answers(await Chat(server).say("Hello")) == ["Hi"]

    assert seen[1] == [None, "reasoning", "function_call", "function_call_output"]
    sent = [item.get("type") for item in api.requests[1].body["input"]]
    assert sent == [None, "function_call", "function_call_output"]


def test_chat_completions_know_storing_at_openai_alone():
    at = {
        url: OpenAIChatCompletionsModel(
            model="x", openai_client=openai.AsyncOpenAI(api_key="sk-test", base_url=url)
        )
        for url in ("https://api.openai.com/v1", "http://127.0.0.1:1/v1")
    }
    assert [knows_storing(model) for model in at.values()] == [True, False]


@pytest.mark.parametrize(
    ("name", "knows"), [(None, True), ("gpt-5", True), ("openai/gpt-5", True), ("litellm/claude", False)]
)
def test_model_of_another_provider_is_not_told_about_storing(name, knows, without_key):
    assert knows_storing(name) is knows


# Which model answers


@pytest.mark.parametrize(
    "options",
    [{}, {"run_config": RunConfig()}, {"run_config": {}}],
    ids=["plain", "run-config", "dictionary"],
)
async def test_documented_run_without_a_key_is_answered_offline(options, without_key):
    events = await Chat(DocumentedServer(Agent(name="Test"), **options)).say("Hello you")
    assert "I am the offline model" in answers(events)[0]


async def test_provider_of_the_site_makes_the_model(api, without_key):
    api.script("Hi")
    client = openai.AsyncOpenAI(api_key="sk-test", base_url=api.url)
    provider = MultiProvider(openai_client=client)
    server = DocumentedServer(Agent(name="Test"), run_config=RunConfig(model_provider=provider))
    assert answers(await Chat(server).say("Hello")) == ["Hi"]
    await client.close()


async def test_runner_of_the_site_still_runs_the_agents():
    class Own(AgentRunner):
        ran: list[str] = []

        def run_streamed(self, starting_agent, input, **options):
            self.ran.append(starting_agent.name)
            return super().run_streamed(starting_agent, input, **options)

    before = get_default_agent_runner()
    set_default_agent_runner(Own())
    try:
        events = await Chat(DocumentedServer(Agent(name="Test", model=ScriptedModel(["Hi"])))).say("Hello")
        assert isinstance(get_default_agent_runner(), AnswerRunner)
    finally:
        set_default_agent_runner(before)
    assert answers(events) == ["Hi"]
    assert Own.ran == ["Test"]


async def test_answering_ends_where_it_began():
    from chatkit_app.provider.runner import _answered

    context = RequestContext()
    async with Answering(context), Answering(context):
        pass
    assert _answered.get() is None


def test_agents_are_reachable_by_handoffs_of_every_kind():
    third = Agent(name="third")
    second = Agent(name="second", handoffs=[handoff(third)])
    first = Agent(name="first", handoffs=[second, third])
    second.handoffs.append(first)
    assert [agent.name for agent in reachable(first)] == ["first", "second", "third"]


# Synchronous code of the site


class InstructedModel(ScriptedModel):
    """Keeps its instructions, too."""

    def output(self, request):
        self.instructions = [*getattr(self, "instructions", []), request.instructions]
        return super().output(request)


def passed(*args: Any) -> GuardrailFunctionOutput:
    Thread.objects.count()
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered=False)


def allowed(data: Any) -> ToolGuardrailFunctionOutput:
    Thread.objects.count()
    return ToolGuardrailFunctionOutput.allow()


def with_query(value: Any) -> Any:
    """A synchronous function that queries the database and returns the value, or what it was given at this place."""

    def query(*args: Any, **kwargs: Any) -> Any:
        Thread.objects.count()
        return args[value] if isinstance(value, int) and not isinstance(value, bool) else value

    return query


def instructions(context: Any, agent: Any) -> str:
    return f"{Thread.objects.count()} threads"


@function_tool(
    is_enabled=lambda context, agent: Thread.objects.count() == 1,
    tool_input_guardrails=[ToolInputGuardrail(guardrail_function=allowed)],
    tool_output_guardrails=[ToolOutputGuardrail(guardrail_function=allowed)],
    failure_error_function=lambda context, error: f"failed beside {Thread.objects.count()} threads",
)
def breaks() -> str:
    """Fail."""
    raise ValueError("secret")


@pytest.mark.django_db(transaction=True)
async def test_synchronous_code_of_an_agent_may_query_the_database():
    model = InstructedModel([("breaks", {}), "Done"])
    agent = Agent(
        name="Test",
        model=model,
        instructions=instructions,
        tools=[breaks],
        input_guardrails=[InputGuardrail(guardrail_function=passed)],
        output_guardrails=[OutputGuardrail(guardrail_function=passed)],
    )
    config = RunConfig(
        input_guardrails=[InputGuardrail(guardrail_function=passed)],
        call_model_input_filter=lambda data: with_query(data.model_data)(),
    )
    server = DocumentedServer(agent, run_config=config)
    server.store = DjangoStore()

    assert answers(await Chat(server).say("Hello")) == ["Done"]

    assert model.instructions == ["1 threads", "1 threads"]
    assert model.inputs[1][-1]["output"] == "failed beside 1 threads"


@pytest.mark.django_db(transaction=True)
async def test_synchronous_code_of_an_agent_handed_over_to_may_query_the_database():
    noted: list[int] = []
    model = InstructedModel(["Done"])
    second = Agent(name="second", model=model, instructions=instructions)
    leading = handoff(
        second,
        on_handoff=lambda context: noted.append(Thread.objects.count()),
        is_enabled=lambda context, agent: Thread.objects.count() == 1,
        input_filter=with_query(0),
    )
    first = Agent(name="first", model=ScriptedModel([("transfer_to_second", {})]), handoffs=[leading])
    server = DocumentedServer(first)
    server.store = DjangoStore()

    assert answers(await Chat(server).say("Hello")) == ["Done"]

    assert noted == [1]
    assert model.instructions == ["1 threads"]
    assert second.instructions is instructions


@pytest.mark.django_db(transaction=True)
async def test_synchronous_title_may_query_the_database():
    class Server(DocumentedServer):
        def title_for(self, thread, message, context):  # type: ignore[override]
            return f"{Thread.objects.count()} threads"

    chat = Chat(Server(Agent(name="Test", model=ScriptedModel(["Hi"]))))
    await chat.say("Hello")
    assert (await chat.thread()).title == "0 threads"


@pytest.mark.django_db(transaction=True)
async def test_synchronous_tool_of_sync_action_gives_its_connection_back():
    """``reply()`` looks after the threads, too."""

    @function_tool
    def count() -> str:
        """Count."""
        return f"{Thread.objects.count()} {threading.current_thread().name}"

    class Server(DocumentedServer):
        async def sync_action(self, thread, action, sender, context):
            await Runner.run(Agent(name="Test", model=model, tools=[count]), "x")
            return SyncCustomActionResponse()

    model = ScriptedModel([("count", {}), "Done"])
    chat = Chat(Server(Agent(name="Unused")))
    chat.server.store = DjangoStore()
    thread = ThreadMetadata(id="thr_1", created_at=datetime(2025, 1, 1))
    await chat.server.store.save_thread(thread, chat.new_context())
    action = {"type": "x", "payload": {}}
    params = {"thread_id": "thr_1", "item_id": None, "action": action}
    body = json.dumps({"type": "threads.sync_custom_action", "params": params})
    await chat.server.process(body, chat.new_context())
    assert model.inputs[1][-1]["output"].startswith("1 chatkit-site")


async def test_synchronous_filter_of_an_mcp_server_runs_in_a_thread():
    def only_some(context: Any, tool: Any) -> bool:
        return threading.current_thread() is not threading.main_thread()

    server = MCPServerStdio(params={"command": "unused"}, tool_filter=only_some)
    second = Agent(name="second", mcp_servers=[server])
    for _again in range(2):
        copy_for_run(Agent(name="first", handoffs=[second]), RunConfig())
    assert await server.tool_filter(None, None) is True  # type: ignore[operator, arg-type, misc]


def test_each_function_that_the_sdk_is_given_has_a_decision():
    """A new one is awaited or not; those that are not belong into FIELDS_LEFT_ALONE."""
    kinds = (
        Agent,
        FunctionTool,
        Handoff,
        InputGuardrail,
        OutputGuardrail,
        RunConfig,
        ToolInputGuardrail,
        ToolOutputGuardrail,
        ComputerTool,
        HostedMCPTool,
    )
    takes_function = re.compile("Callable|Function|Filter|Formatter|Callback|Mapper|Extractor|Create")
    named = {field.name for kind in kinds for field in fields(kind) if takes_function.search(str(field.type))}
    awaited = {
        "_failure_error_function",
        "call_model_input_filter",
        "custom_data_extractor",
        "guardrail_function",
        "handoff_input_filter",
        "input_filter",
        "instructions",
        "is_enabled",
        "needs_approval",
        "on_approval_request",
        "on_safety_check",
        "prompt",
        "session_input_callback",
        "timeout_error_function",
        "tool_error_formatter",
        "tool_use_behavior",
    }
    assert named == awaited | FIELDS_LEFT_ALONE


# The events of a run


@pytest.fixture(params=[DocumentedServer, OurStreamServer], ids=["of the SDK", "ours"])
def streaming(request: pytest.FixtureRequest) -> Any:
    """A server that shows its runs with the SDK's function, or with ours."""
    return request.param


async def test_own_run_leaves_out_a_citation_that_cannot_be_read(streaming, api, model, caplog):
    api.script(Turn(text="One two", annotations=[BAD_CITATION]))
    events = await Chat(streaming(Agent(name="Test", model=model()))).say("Hello")
    assert answers(events) == ["One two"]
    assert errors(events) == []
    assert len(caplog.records) == 1


async def test_own_run_shows_a_refusal_as_an_answer(streaming, api, model):
    api.script(Turn(refusal="I would rather not."))
    events = await Chat(streaming(Agent(name="Test", model=model()))).say("Hello")
    assert answers(events) == ["I would rather not."]
    assert errors(events) == []
    deltas = [event["update"].get("delta", "") for event in events if "update" in event]
    assert "".join(deltas) == "I would rather not."


async def test_own_run_reads_a_text_that_is_null(streaming, api, model):
    def with_nulls(event: dict[str, Any]) -> dict[str, Any]:
        return event | ({"part": None} if "part" in event else {})

    api.script(Turn(text="One two", alter=with_nulls))
    events = await Chat(streaming(Agent(name="Test", model=model()))).say("Hello")
    assert answers(events) == ["One two"]
    assert errors(events) == []


async def test_message_of_an_own_run_is_given_one_id(streaming, api, model):
    class CountingStore(InMemoryStore):
        made: list[str] = []

        def generate_item_id(self, item_type, thread, context):
            self.made.append(item_type)
            return super().generate_item_id(item_type, thread, context)

    api.script(Turn(text="One", ids=("", "")), Turn(text="Two", ids=("", "")))
    server = streaming(Agent(name="Test", model=model()))
    server.store = CountingStore()
    server.store.made = []
    chat = Chat(server)
    await chat.say("Hello")
    await chat.say("Again")
    assert server.store.made.count("message") == 4  # two of the user's, two of the model's
    assert [item.content[0].text for item in await chat.items()] == ["Hello", "One", "Again", "Two"]


async def test_own_run_is_counted(api, model):
    api.script("Hi")
    chat = Chat(OurStreamServer(Agent(name="Test", model=model())))
    await chat.say("Hello")
    usage = chat.context.usage
    assert (usage.model, usage.input_tokens, usage.output_tokens) == ("gpt-test-2025", 100, 7)


async def test_own_run_ends_when_its_reader_stops(api, model):
    api.script(Turn(text="word " * 1000, delay=0.005))
    chat = Chat(OurStreamServer(Agent(name="Test", model=model())))
    answer = asyncio.create_task(chat.say("Talk"))
    await asyncio.wait_for(api.started.wait(), 5)
    answer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answer
    await asyncio.wait_for(api.hung_up.wait(), 5)
    assert api.words < 1000
