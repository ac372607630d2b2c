"""Runs that a site's own code starts while it answers, as OpenAI documents them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import openai
import pytest
from agents import (
    Agent,
    ModelSettings,
    MultiProvider,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    RunConfig,
    Runner,
    RunResultStreaming,
    function_tool,
    handoff,
)
from agents.run import AgentRunner, get_default_agent_runner, set_default_agent_runner
from chatkit.agents import AgentContext
from chatkit.agents import stream_agent_response as sdk_stream_agent_response

from chatkit_app.agent_graph import reachable
from chatkit_app.agent_runner import AnswerRunner, answering
from chatkit_app.agents import stream_agent_response
from chatkit_app.offline import OfflineModel
from chatkit_app.responses_api import knows_storing
from chatkit_app.server import DjangoChatKitServer
from chatkit_app.store import InMemoryStore
from chatkit_app.testing import ScriptedModel
from tests.openai_server import OpenAIServer, Turn, openai_server
from tests.test_agents import Chat, answers, errors

BAD_CITATION = {"type": "url_citation", "start_index": 0, "end_index": 2, "title": "A", "url": None}


@pytest.fixture
async def api() -> AsyncIterator[OpenAIServer]:
    async with openai_server() as server:
        yield server


@pytest.fixture
async def client(api: OpenAIServer) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(api_key="sk-test", base_url=api.url, max_retries=0) as client:
        yield client


@pytest.fixture
def model(client: openai.AsyncOpenAI) -> Callable[..., OpenAIResponsesModel]:
    return lambda name="gpt-test": OpenAIResponsesModel(model=name, openai_client=client)


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


def test_answering_ends_where_it_began():
    from chatkit_app.agent_runner import _answering

    with answering(), answering():
        pass
    assert _answering.get() is False


def test_agents_are_reachable_by_handoffs_of_every_kind():
    third = Agent(name="third")
    second = Agent(name="second", handoffs=[handoff(third)])
    first = Agent(name="first", handoffs=[second, third])
    second.handoffs.append(first)
    assert [agent.name for agent in reachable(first)] == ["first", "second", "third"]


# The events of a run


async def test_own_run_leaves_out_a_citation_that_cannot_be_read(api, model):
    api.script(Turn(text="One two", annotations=[BAD_CITATION]))
    events = await Chat(OurStreamServer(Agent(name="Test", model=model()))).say("Hello")
    assert answers(events) == ["One two"]
    assert errors(events) == []


async def test_own_run_is_counted(api, model):
    api.script("Hi")
    chat = Chat(OurStreamServer(Agent(name="Test", model=model())))
    await chat.say("Hello")
    usage = chat.context.memory.usage
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
