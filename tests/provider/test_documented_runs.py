"""What an answer keeps that is written as OpenAI documents it: privacy, the offline model, its costs, and Stop."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import openai
import pytest
from agents import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrail,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    RunConfig,
    Runner,
    function_tool,
    set_default_openai_client,
    set_tracing_disabled,
)
from agents.models import _openai_shared
from agents.usage import Usage as TokenUsage

from chatkit_app import db
from chatkit_app.context import Usage
from chatkit_app.models import Run
from chatkit_app.offline import OfflineModel
from chatkit_app.process import tracing
from chatkit_app.provider.answer_runs import AnswerRuns, Tokens
from chatkit_app.provider.tracing import apply_tracing_setting
from tests.chat import Chat
from tests.documented_servers import (
    BareServer,
    DocumentedServer,
    ForgottenTaskServer,
    ImpatientServer,
    PlainServer,
)
from tests.openai_server import Turn

pytestmark = pytest.mark.django_db(transaction=True)

SERVERS = [DocumentedServer, BareServer, PlainServer]


@pytest.fixture
def without_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_DEFAULT_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(OfflineModel.__init__.__kwdefaults__, "delay", 0)


@pytest.fixture
def site_client(
    without_key: None, openai_client: openai.AsyncOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The site has given the SDK a client, which talks to ``api``."""
    monkeypatch.setattr(_openai_shared, "_default_openai_client", None)
    set_default_openai_client(openai_client, use_for_tracing=False)


@pytest.fixture
def serve(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Chat]:
    """Have this server run this agent at the endpoint."""

    def use(server: type[DocumentedServer], agent: Agent[Any], **options: Any) -> Chat:
        settings.CHATKIT = {"SERVER": f"{server.__module__}.{server.__name__}"}
        monkeypatch.setattr(DocumentedServer, "agent", agent, raising=False)
        monkeypatch.setattr(DocumentedServer, "options", options)
        return Chat()

    return use


async def row() -> Run:
    return await db.run(Run.objects.get)


@function_tool
async def ask() -> str:
    """Ask another agent."""
    return str((await Runner.run(Agent(name="asked", model="gpt-4.1"), "x")).final_output)


@pytest.mark.parametrize("server", SERVERS)
async def test_nothing_is_stored_and_no_trace_leaves(server, serve, api, site_client, traced):
    api.script("Hi")
    answer = await serve(server, Agent(name="Test", model="gpt-4.1")).say("Hello")
    assert answer.text() == "Hi"
    assert [request.body["store"] for request in api.requests] == [False]
    assert traced == []


@pytest.mark.parametrize("server", SERVERS)
async def test_cost_and_model_are_on_the_row(server, serve, api, site_client):
    api.script("Hi")
    await serve(server, Agent(name="Test", model="gpt-4.1")).say("Hello")
    run = await row()
    assert (run.input_tokens, run.cached_tokens, run.output_tokens) == (100, 40, 7)
    assert run.model.startswith("gpt-4.1")


@pytest.mark.parametrize("server", SERVERS)
async def test_without_a_key_the_offline_model_answers(server, serve, without_key, settings):
    settings.DEBUG = True
    answer = await serve(server, Agent(name="Test", model="gpt-4.1")).say("Hello")
    assert "I am the offline model" in answer.text()


@pytest.mark.parametrize("server", SERVERS)
async def test_stop_ends_the_run_and_its_request(server, serve, api, site_client):
    api.script(Turn(text="word " * 4000, delay=0.005))
    chat = serve(server, Agent(name="Test", model="gpt-4.1"))
    answer = await chat.begin_saying("Talk")
    await asyncio.wait_for(api.started.wait(), 20)
    assert (await chat.stop(answer.run_id)).json() == {"stopped": True}
    await answer.rest()
    await asyncio.wait_for(api.hung_up.wait(), 20)
    assert api.words < 4000
    assert (await row()).status == Run.Status.STOPPED


async def test_stop_ends_what_a_task_of_the_sites_own_waits_for(serve, api, site_client, monkeypatch):
    api.script(Turn(text="word " * 4000, delay=0.005), Turn(text="word " * 4000, delay=0.005))
    monkeypatch.setattr(
        ForgottenTaskServer, "title_agent", Agent(name="Titles", model="gpt-4.1"), raising=False
    )
    chat = serve(ForgottenTaskServer, Agent(name="Test", model="gpt-4.1"))
    answer = await chat.begin_saying("Talk")
    while len(api.requests) < 2 or api.words < 2:
        await asyncio.sleep(0.01)
    await chat.stop(answer.run_id)
    await answer.rest()
    running = [task for task in asyncio.all_tasks() if "AnswerRunner.run" in repr(task)]
    assert running == []
    words = api.words
    await asyncio.sleep(0.05)
    assert api.words - words <= 2  # one of each that was on its way


def in_a_loop(agent: Agent[Any]) -> Any:
    return asyncio.run(Runner.run(agent, "x"))


def synchronously(agent: Agent[Any]) -> Any:
    # The SDK takes the thread's loop, or makes one that it leaves open.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        return Runner.run_sync(agent, "x")
    finally:
        asyncio.set_event_loop(None)
        loop.close()


@pytest.mark.parametrize("run", [in_a_loop, synchronously])
async def test_stop_ends_the_run_of_a_synchronous_tool(run, serve, api, site_client, monkeypatch):
    ended = threading.Event()

    @function_tool
    def ask_in_thread() -> str:
        """Ask another agent."""
        client = openai.AsyncOpenAI(api_key="sk-test", base_url=api.url, max_retries=0)
        try:
            model = OpenAIResponsesModel(model="gpt-4.1", openai_client=client)
            return str(run(Agent(name="asked", model=model)).final_output)
        finally:
            ended.set()

    api.script(Turn(call=("ask_in_thread", {})), Turn(text="word " * 4000, delay=0.005))
    chat = serve(DocumentedServer, Agent(name="Test", model="gpt-4.1", tools=[ask_in_thread]))
    answer = await chat.begin_saying("Ask")
    await asyncio.wait_for(api.started.wait(), 20)
    await chat.stop(answer.run_id)
    await answer.rest()
    await asyncio.wait_for(api.hung_up.wait(), 20)
    await asyncio.to_thread(ended.wait, 20)
    assert ended.is_set()


async def test_task_of_the_sites_own_may_go_on_behind_a_whole_answer():
    runs = AnswerRuns()

    async def work() -> str:
        with runs.in_task():
            await asyncio.sleep(0.01)
            return "done"

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    await runs.end(stopped=False)
    assert await task == "done"


async def test_run_left_unread_ends_with_its_answer(serve, api, site_client):
    api.script(Turn(text="word " * 4000, delay=0.005))
    answer = await serve(ImpatientServer, Agent(name="Test", model="gpt-4.1")).say("Hello")
    assert answer.text() == "Enough."
    await asyncio.wait_for(api.hung_up.wait(), 20)


# Runs within a run


async def test_every_run_of_an_answer_is_counted_once_and_not_stored(serve, api, site_client, traced):
    """A guardrail's, an agent's that is used as a tool, a tool's own, that of one handed over to, and the answer's."""

    async def guard(context: Any, agent: Any, text: Any) -> GuardrailFunctionOutput:
        await Runner.run(Agent(name="guard", model="gpt-4.1"), "x", context=context.context)
        return GuardrailFunctionOutput(output_info=None, tripwire_triggered=False)

    inner = Agent(name="inner", model="gpt-4.1").as_tool("consult", "Ask it.")
    second = Agent(name="second", model="gpt-4.1", tools=[ask, inner])
    first = Agent(
        name="first",
        model="gpt-4.1",
        handoffs=[second],
        input_guardrails=[InputGuardrail(guardrail_function=guard, run_in_parallel=False)],
    )
    api.script(
        "Allowed",
        Turn(call=("transfer_to_second", {})),
        Turn(call=("ask", {})),
        "Asked",
        Turn(call=("consult", {"input": "x"})),
        "Consulted",
        "Hi",
    )
    answer = await serve(DocumentedServer, first).say("Hello")
    assert answer.text() == "Hi"
    run = await row()
    assert (run.input_tokens, run.output_tokens) == (700, 49)
    assert [request.body["store"] for request in api.requests] == [False] * 7
    assert traced == []


async def test_run_that_fails_is_counted(serve, api, site_client):
    api.script(Turn(call=("ask", {})), "Asked")
    agent = Agent(name="Test", model="gpt-4.1", tools=[ask])
    answer = await serve(PlainServer, agent, max_turns=1).say("Hello")
    assert answer.error()["code"] == "stream.error"
    assert (await row()).output_tokens == 14


async def test_compatible_server_is_asked_to_count(serve, api, openai_client):
    api.script("Hi")
    model = OpenAIChatCompletionsModel(model="llama", openai_client=openai_client)
    await serve(DocumentedServer, Agent(name="Test", model=model)).say("Hello")
    assert api.requests[0].body["stream_options"] == {"include_usage": True}
    assert (await row()).input_tokens == 90


async def test_site_that_counts_for_itself_is_not_counted_twice():
    runs, usage = AnswerRuns(), Usage(input_tokens=5)
    runs.count(TokenUsage(input_tokens=100), counted=Tokens())
    runs.settle(usage)
    assert usage == Usage(input_tokens=5)


# What a site has chosen itself


async def test_choices_of_the_site_win(serve, api, openai_client, without_key):
    api.script("Hi")
    settings = ModelSettings(store=True, include_usage=False)
    model = OpenAIChatCompletionsModel(model="llama", openai_client=openai_client)
    agent = Agent(name="Test", model=model, model_settings=settings)
    await serve(DocumentedServer, agent, run_config=RunConfig(workflow_name="Mine")).say("Hello")
    assert api.requests[0].body["store"] is True
    assert api.requests[0].body["stream_options"] == {"include_usage": False}


async def test_answer_is_traced_when_the_setting_asks_for_it(serve, api, site_client, traced, settings):
    api.script("Hi")
    chat = serve(DocumentedServer, Agent(name="Test", model="gpt-4.1"))
    settings.CHATKIT |= {"TRACING": True}
    await chat.say("Hello")
    assert traced[0]["object"] == "trace"


PROCESS = """
import asyncio, json, django
django.setup()
import agents
from agents.tracing.processors import BatchTraceProcessor
from agents.usage import Usage as TokenUsage
from chatkit_app.testing import ScriptedModel
exported = []
BatchTraceProcessor.on_trace_start = lambda self, trace: exported.append(trace.name)
agent = agents.Agent(name="Job", model=ScriptedModel(["One", "Two"]))
asyncio.run(agents.Runner.run(agent, "Before anybody has chatted"))
before = list(exported)
agents.set_tracing_disabled(False)
asyncio.run(agents.Runner.run(agent, "The site has chosen"))
print(json.dumps([before, exported]))
"""


def test_no_run_of_the_process_is_traced_unless_the_site_chooses_so():
    """A job, in a process where nobody has chatted yet."""
    environment = {name: value for name, value in os.environ.items() if "TRACING" not in name}
    environment |= {"DJANGO_SETTINGS_MODULE": "tests.settings", "OPENAI_API_KEY": "sk-test"}
    done = subprocess.run([sys.executable, "-c", PROCESS], env=environment, capture_output=True, text=True)
    assert json.loads(done.stdout or done.stderr) == [[], ["Agent workflow"]]


@pytest.mark.parametrize(
    ("setting", "before", "after"),
    [
        (False, {}, {tracing.SWITCH: "1", tracing.OURS: "1"}),
        (False, {tracing.SWITCH: "0"}, {tracing.SWITCH: "0"}),
        (True, {}, {}),
        (True, {tracing.SWITCH: "1"}, {tracing.SWITCH: "1"}),
        # Of a process that has reloaded with another setting.
        (True, {tracing.SWITCH: "1", tracing.OURS: "1"}, {}),
    ],
    ids=["off", "the site's own", "on", "off in the environment", "turned on and reloaded"],
)
def test_environment_says_whether_traces_are_exported(setting, before, after, settings, monkeypatch):
    settings.CHATKIT = {"TRACING": setting}
    monkeypatch.setattr(os, "environ", dict(before))
    tracing.keep_traces_at_home()
    assert os.environ == after


async def test_answer_is_not_traced_in_a_process_where_other_runs_are(serve, api, site_client, traced):
    apply_tracing_setting()  # of the test before
    api.script("Hi", "Again")
    chat = serve(DocumentedServer, Agent(name="Test", model="gpt-4.1"))
    set_tracing_disabled(False)
    try:
        await chat.say("Hello")
        assert traced == []
        await Runner.run(Agent(name="Job", model="gpt-4.1"), "Hello")
        assert [entry["object"] for entry in traced][:1] == ["trace"]
    finally:
        set_tracing_disabled(True)
