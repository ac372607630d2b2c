"""The default server, driven through the real openai client over HTTP."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import datetime
from typing import Any, Literal, Required, get_args, get_origin, get_type_hints

import openai
import pytest
from agents import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrail,
    Model,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    OutputGuardrail,
    RunContextWrapper,
    Runner,
    function_tool,
    set_default_openai_api,
)
from agents.models import openai_provider
from chatkit.agents import ClientToolCall
from chatkit.server import StreamingResult
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    AttachmentCreateParams,
    ClientToolCallItem,
    CustomTask,
    EndOfTurnItem,
    FileAttachment,
    GeneratedImage,
    GeneratedImageItem,
    HiddenContextItem,
    InferenceOptions,
    SDKHiddenContextItem,
    StructuredInputItem,
    TaskItem,
    ThreadMetadata,
    UserMessageItem,
    UserMessageTagContent,
    UserMessageTextContent,
    WidgetItem,
    Workflow,
    WorkflowItem,
)
from chatkit.widgets import Card, Text
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.utils.translation import get_language
from openai.types import Reasoning
from openai.types.responses import ResponseInputItemParam

from chatkit_app import db
from chatkit_app.agents import AgentChatKitServer, DjangoAgentContext, DjangoThreadItemConverter
from chatkit_app.context import RequestContext
from chatkit_app.errors import ChatKitError
from chatkit_app.models import Thread, ThreadItem
from chatkit_app.offline import OfflineModel
from chatkit_app.provider.converter import TYPES_WITHOUT_ID
from chatkit_app.server import DjangoChatKitServer
from chatkit_app.store import InMemoryStore
from chatkit_app.testing import ScriptedModel, decode_events
from tests.openai_server import Turn

KINDS = ("responses", "chat_completions")
NOW = datetime(2025, 1, 1)
THREAD = ThreadMetadata(id="thr_1", created_at=NOW, metadata={"topic": "bikes"})
COMPOSER = {
    "models": [{"id": "picked-model", "label": "A"}, {"id": "off-model", "label": "B", "disabled": True}],
    "tools": [{"id": "get_weather", "label": "Weather"}, {"id": "deep_research", "label": "Research"}],
}


class Chat:
    """One visitor's conversation with a server."""

    def __init__(self, server: DjangoChatKitServer | None = None) -> None:
        self.server = server or AgentChatKitServer(store=InMemoryStore())
        self.thread_id: str | None = None
        self.locale = "en"
        self.context = self.new_context()

    def new_context(self) -> RequestContext:
        self.context = RequestContext(visitor_id="visitor", locale=self.locale)
        return self.context

    def body(self, text: str, **options: Any) -> bytes:
        message = {
            "content": [{"type": "input_text", "text": text}],
            "attachments": [],
            "inference_options": options,
        }
        if self.thread_id is None:
            return json.dumps({"type": "threads.create", "params": {"input": message}}).encode()
        params = {"thread_id": self.thread_id, "input": message}
        return json.dumps({"type": "threads.add_user_message", "params": params}).encode()

    async def send(self, body: bytes) -> AsyncIterator[bytes]:
        result = await self.server.process(body, self.new_context())
        assert isinstance(result, StreamingResult)
        return result.json_events

    async def say(self, text: str, **options: Any) -> list[dict[str, Any]]:
        return await self.request(self.body(text, **options))

    async def request(self, body: bytes) -> list[dict[str, Any]]:
        events = decode_events(b"".join([frame async for frame in await self.send(body)]))
        for event in events:
            if event["type"] == "thread.created":
                self.thread_id = event["thread"]["id"]
        return events

    async def items(self) -> list[Any]:
        assert self.thread_id is not None
        page = await self.server.store.load_thread_items(self.thread_id, None, 100, "asc", self.new_context())
        return page.data

    async def thread(self) -> ThreadMetadata:
        assert self.thread_id is not None
        return await self.server.store.load_thread(self.thread_id, self.new_context())


def answers(events: list[dict[str, Any]]) -> list[str]:
    done = [event["item"] for event in events if event["type"] == "thread.item.done"]
    return [item["content"][0]["text"] for item in done if item["type"] == "assistant_message"]


def errors(events: list[dict[str, Any]]) -> list[tuple[str | None, bool]]:
    return [(event.get("message"), event["allow_retry"]) for event in events if event["type"] == "error"]


def text_of(item: dict[str, Any]) -> str:
    content = item["content"]
    return content if isinstance(content, str) else content[0]["text"]


async def settle() -> None:
    """Let abandoned tasks complain."""
    for _ in range(3):
        await asyncio.sleep(0)
    gc.collect()


@pytest.fixture
def model(openai_client: openai.AsyncOpenAI) -> Callable[[str], Model]:
    """Makes a model that talks to ``api`` with the real client, which tries once."""

    def make(kind: str = "responses") -> Model:
        if kind == "responses":
            return OpenAIResponsesModel(model="gpt-test", openai_client=openai_client)
        return OpenAIChatCompletionsModel(model="gpt-test", openai_client=openai_client)

    return make


@pytest.fixture
def reasoning_model(model: Callable[[str], Any]) -> Any:
    made = model("responses")
    made.model = "gpt-5"
    return made


@pytest.fixture
def use_agent(settings: Any) -> Callable[..., Agent[Any]]:
    def use(**fields: Any) -> Agent[Any]:
        agent = Agent(**({"name": "Test"} | fields))
        settings.CHATKIT = {"AGENT": agent, "OPTIONS": {"composer": COMPOSER}}
        return agent

    return use


@function_tool
def get_weather(city: str) -> str:
    """The weather."""
    return f"{city}: sunny"


# Both APIs


@pytest.mark.parametrize("kind", KINDS)
async def test_answer_streams_the_models_words(kind, api, model, use_agent):
    api.script("Hello there friend")
    use_agent(model=model(kind), instructions="Be kind.")

    events = await Chat().say("Hi")

    deltas = [
        event["update"]["delta"]
        for event in events
        if event["type"] == "thread.item.updated" and "delta" in event["update"]
    ]
    assert deltas == ["Hello", " there", " friend"]
    assert answers(events) == ["Hello there friend"]
    assert errors(events) == []


@pytest.mark.parametrize("kind", KINDS)
async def test_two_answers_have_two_ids_and_are_both_stored(kind, api, model, use_agent):
    api.script("First", "Second")
    use_agent(model=model(kind))
    chat = Chat()
    await chat.say("One")
    await chat.say("Two")

    stored = [item for item in await chat.items() if isinstance(item, AssistantMessageItem)]

    assert [item.content[0].text for item in stored] == ["First", "Second"]
    assert len({item.id for item in stored}) == 2
    assert "__fake_id__" not in {item.id for item in stored}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", KINDS)
async def test_two_answers_are_two_rows(kind, api, model, use_agent):
    api.script("First", "Second")
    use_agent(model=model(kind))
    chat = Chat(AgentChatKitServer())
    await chat.say("One")
    await chat.say("Two")

    rows = ThreadItem.objects.filter(type="assistant_message").order_by("id")
    assert await db.run(lambda: [row.text for row in rows]) == ["First", "Second"]


@pytest.mark.parametrize("kind", KINDS)
async def test_tool_is_called_with_our_context(kind, api, model, use_agent):
    seen = []

    @function_tool
    def whoami(ctx: RunContextWrapper[DjangoAgentContext], greeting: str) -> str:
        """Who is asking."""
        seen.append((ctx.context.request_context.visitor_id, greeting, ctx.context.input_user_message.id))
        return "the visitor"

    api.script(Turn(call=("whoami", {"greeting": "hey"})), "You are the visitor")
    use_agent(model=model(kind), tools=[whoami])
    chat = Chat()

    events = await chat.say("Who am I?")

    assert answers(events) == ["You are the visitor"]
    assert seen == [("visitor", "hey", (await chat.items())[0].id)]
    assert "the visitor" in json.dumps(api.requests[1].body)


@pytest.mark.parametrize(
    ("kind", "figures"), [("responses", (200, 80, 14)), ("chat_completions", (180, 60, 16))]
)
async def test_usage_counts_every_request_of_the_answer(kind, figures, api, model, use_agent):
    api.script(Turn(call=("get_weather", {"city": "Rome"})), "Sunny")
    use_agent(model=model(kind), tools=[get_weather])
    chat = Chat()

    await chat.say("Weather?")

    usage = chat.context.usage
    assert (usage.input_tokens, usage.cached_tokens, usage.output_tokens) == figures
    assert usage.model == ("gpt-test-2025" if kind == "responses" else "gpt-test")


@pytest.mark.parametrize("kind", KINDS)
async def test_dropped_connection_is_a_retryable_error(kind, api, model, use_agent):
    api.script(Turn(text="one two three four", drop_after=2))
    use_agent(model=model(kind))
    chat = Chat()

    events = await chat.say("Count")

    assert errors(events) == [("The connection to the assistant failed.", True)]
    assert chat.context.usage.input_tokens is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("turn", "text", "allow_retry"),
    [
        (Turn(status=401), "The assistant is not set up correctly. Please tell the site's staff.", False),
        (Turn(status=404), "The assistant is not set up correctly. Please tell the site's staff.", False),
        (Turn(status=429), "The assistant is very busy. Please try again in a moment.", True),
        (Turn(status=429, code="insufficient_quota"), "The assistant is not available at the moment.", False),
        (Turn(status=500), "The assistant failed to finish its answer.", True),
    ],
    ids=["401", "404", "429", "quota", "500"],
)
async def test_http_error_becomes_a_clear_one(kind, turn, text, allow_retry, api, model, use_agent, caplog):
    api.script(turn)
    use_agent(model=model(kind))
    chat = Chat()

    events = await chat.say("Hi")

    assert errors(events) == [(text, allow_retry)]
    assert "secret" not in json.dumps(events)
    assert [item.type for item in await chat.items()] == ["user_message"]
    assert "The agent failed" in caplog.text
    await settle()
    assert [record for record in caplog.records if record.name == "asyncio"] == []


async def test_unreachable_server_is_a_retryable_error(api, use_agent):
    async with openai.AsyncOpenAI(api_key="x", base_url="http://127.0.0.1:1/v1", max_retries=0) as client:
        use_agent(model=OpenAIResponsesModel(model="gpt-test", openai_client=client))
        events = await Chat().say("Hi")

    assert errors(events) == [("The connection to the assistant failed.", True)]


async def test_slow_server_is_a_retryable_error(api, use_agent):
    api.script(Turn(text="late", delay=30))
    async with openai.AsyncOpenAI(api_key="x", base_url=api.url, max_retries=0, timeout=0.2) as client:
        use_agent(model=OpenAIResponsesModel(model="gpt-test", openai_client=client))
        events = await Chat().say("Hi")

    assert errors(events) == [("The assistant took too long to answer.", True)]


async def test_failed_response_is_a_retryable_error_without_details(api, model, use_agent):
    api.script(Turn(text="one two", failed=True))
    use_agent(model=model())

    events = await Chat().say("Hi")

    assert errors(events) == [("The assistant failed to finish its answer.", True)]
    assert "secret" not in json.dumps(events)


# Stopping


@pytest.mark.parametrize("kind", KINDS)
async def test_cancelled_answer_closes_the_connection(kind, api, model, use_agent, caplog):
    api.script(Turn(text="word " * 1000, delay=0.005))
    use_agent(model=model(kind))
    chat = Chat()

    answer = asyncio.create_task(chat.say("Talk"))
    await asyncio.wait_for(api.started.wait(), 5)
    answer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answer

    await asyncio.wait_for(api.hung_up.wait(), 5)
    assert api.words < 1000
    await settle()
    assert [record for record in caplog.records if record.name == "asyncio"] == []


async def test_cancelled_answer_cancels_its_tool(use_agent):
    ended = []
    running = asyncio.Event()

    @function_tool
    async def wait() -> str:
        """Wait."""
        running.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("cancelled")
        return "never"

    use_agent(model=ScriptedModel([("wait", {}), "never"]), tools=[wait])
    answer = asyncio.create_task(Chat().say("Wait"))
    await asyncio.wait_for(running.wait(), 5)
    answer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answer

    assert ended == ["cancelled"]


async def test_failed_answer_keeps_the_cost_of_its_finished_requests(api, model, use_agent):
    api.script(Turn(call=("get_weather", {"city": "Rome"})), Turn(status=500))
    use_agent(model=model(), tools=[get_weather])
    chat = Chat()

    await chat.say("Weather?")

    assert (chat.context.usage.input_tokens, chat.context.usage.output_tokens) == (100, 7)


@pytest.mark.parametrize("kind", KINDS)
async def test_answer_cancelled_in_a_silence_closes_the_connection(kind, api, model, use_agent, caplog):
    api.script(Turn(text="much later", delay=60))
    use_agent(model=model(kind))
    chat = Chat()

    answer = asyncio.create_task(chat.say("Talk"))
    while not chat.context.usage.model:
        await asyncio.sleep(0.01)
    await settle()
    answer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answer

    await asyncio.wait_for(api.hung_up.wait(), 5)
    await settle()
    assert [record for record in caplog.records if record.name == "asyncio"] == []


async def test_reader_that_stops_early_closes_the_connection(api, model, use_agent):
    api.script(Turn(text="word " * 1000, delay=0.005))
    agent = use_agent(model=model())
    server = AgentChatKitServer(store=InMemoryStore())
    context = RequestContext(visitor_id="visitor")
    thread = ThreadMetadata(id="thr_1", created_at=NOW)
    await server.store.save_thread(thread, context)
    agent_context = DjangoAgentContext(thread=thread, store=server.store, request_context=context)

    async with aclosing(
        server.stream_agent(agent, [{"role": "user", "content": "Hi"}], agent_context)
    ) as events:
        async for event in events:
            if event.type == "thread.item.updated":
                break

    await asyncio.wait_for(api.hung_up.wait(), 5)
    assert api.words < 1000


async def test_cancelled_answer_keeps_the_cost_of_its_finished_requests(api, model, use_agent):
    api.script(Turn(call=("get_weather", {"city": "Rome"})), Turn(text="word " * 1000, delay=0.005))
    use_agent(model=model(), tools=[get_weather])
    chat = Chat()

    answer = asyncio.create_task(chat.say("Talk"))
    await asyncio.wait_for(api.started.wait(), 5)
    usage = chat.context.usage
    answer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answer

    assert (usage.model, usage.input_tokens, usage.output_tokens) == ("gpt-test-2025", 100, 7)


async def test_tool_can_show_a_widget(use_agent):
    @function_tool
    async def show(ctx: RunContextWrapper[DjangoAgentContext]) -> str:
        """Show a card."""
        await ctx.context.stream_widget(Card(children=[Text(value="card")]))
        return "shown"

    use_agent(model=ScriptedModel([("show", {}), "There it is."]), tools=[show])
    chat = Chat()

    await chat.say("Show me")

    assert [item.type for item in await chat.items()] == ["user_message", "widget", "assistant_message"]


async def test_tool_speaks_the_users_language(use_agent):
    @function_tool
    async def language() -> str:
        """Which language is active."""
        return f"active: {get_language()}"

    model = ScriptedModel([("language", {}), "Ja."])
    use_agent(model=model, tools=[language])
    chat = Chat()
    chat.locale = "de"

    await chat.say("Sprache?")

    assert model.inputs[1][-1]["output"] == "active: de"


async def test_error_is_told_in_the_users_language(use_agent):
    class Server(AgentChatKitServer):
        def describe_error(self, error, context):
            return ChatKitError(f"In {get_language()}")

    use_agent(model=ScriptedModel([ValueError("x")]))
    chat = Chat(Server(store=InMemoryStore()))
    chat.locale = "pt-br"

    assert errors(await chat.say("Oi")) == [("In pt-br", False)]


async def test_two_answers_at_once_do_not_share_events():
    fields = {"thread": ThreadMetadata(id="t", created_at=NOW), "store": InMemoryStore()}
    one = DjangoAgentContext(request_context=RequestContext(), **fields)
    two = DjangoAgentContext(request_context=RequestContext(), **fields)

    await one.stream_widget(Card(children=[Text(value="mine")]))

    assert (one._events.qsize(), two._events.qsize()) == (1, 0)


# What the model is asked


async def test_history_is_in_order(api, model, use_agent):
    api.script("A1", "A2", "A3")
    use_agent(model=model())
    chat = Chat()
    for text in ("Q1", "Q2", "Q3"):
        await chat.say(text)

    assert [(item["role"], text_of(item)) for item in api.requests[2].body["input"]] == [
        ("user", "Q1"),
        ("assistant", "A1"),
        ("user", "Q2"),
        ("assistant", "A2"),
        ("user", "Q3"),
    ]


async def test_history_is_limited_to_the_newest_turns(settings):
    model = ScriptedModel(["A1", "A2", "A3"])
    settings.CHATKIT = {"AGENT": Agent(name="Test", model=model), "HISTORY_LIMIT": 2}
    chat = Chat()
    for text in ("Q1", "Q2", "Q3"):
        await chat.say(text)

    assert [text_of(item) for item in model.inputs[2]] == ["Q2", "A2", "Q3"]


class ManyTextsServer(AgentChatKitServer):
    """Answers a message with this many texts, the first time."""

    texts = 120

    async def respond(self, thread, input_user_message, context):
        if input_user_message.content[0].text == "Many":
            for number in range(self.texts):
                yield self.text_event(f"Text {number}")
            return
        async for event in super().respond(thread, input_user_message, context):
            yield event


async def test_long_answer_does_not_part_the_user_from_the_question(settings):
    model = ScriptedModel(["Done"])
    settings.CHATKIT = {"AGENT": Agent(name="Test", model=model), "HISTORY_LIMIT": 2}
    chat = Chat(ManyTextsServer(store=InMemoryStore()))
    await chat.say("Many")
    await chat.say("And then?")

    asked = [text_of(item) for item in model.inputs[0]]
    assert asked == ["Many", *(f"Text {number}" for number in range(120)), "And then?"]


@pytest.mark.django_db(transaction=True)
async def test_long_answer_is_loaded_whole_from_the_database(settings):
    model = ScriptedModel(["Done"])
    settings.CHATKIT = {"AGENT": Agent(name="Test", model=model), "HISTORY_LIMIT": 2}
    chat = Chat(ManyTextsServer())
    await chat.say("Many")
    await chat.say("And then?")

    assert len(model.inputs[0]) == 122
    assert text_of(model.inputs[0][0]) == "Many"


async def test_history_is_cut_between_turns_where_it_becomes_too_large(settings):
    model = ScriptedModel(["x" * 3000, "A2", "A3"])
    settings.CHATKIT = {"AGENT": Agent(name="Test", model=model), "HISTORY_BYTES": 3000}
    chat = Chat()
    for text in ("Q1", "Q2", "Q3"):
        await chat.say(text)

    assert [text_of(item) for item in model.inputs[2]] == ["Q2", "A2", "Q3"]


async def test_newest_turn_is_shown_however_large_it_is(settings):
    model = ScriptedModel(["A1", "A2"])
    settings.CHATKIT = {"AGENT": Agent(name="Test", model=model), "HISTORY_BYTES": 1}
    chat = Chat()
    await chat.say("Q1")
    await chat.say("Q2" * 100)

    assert [text_of(item) for item in model.inputs[1]] == ["Q2" * 100]


async def test_history_without_any_message_is_bounded(monkeypatch):
    monkeypatch.setattr("chatkit_app.agents.model_history._LONGEST_TURN", 2)
    server = AgentChatKitServer(store=InMemoryStore())
    context = RequestContext(visitor_id="visitor")
    thread = ThreadMetadata(id="thr_1", created_at=NOW)
    await server.store.save_thread(thread, context)
    for name in ("a", "b", "c"):
        item = HiddenContextItem(id=name, thread_id="thr_1", created_at=NOW, content=name)
        await server.store.add_thread_item("thr_1", item, context)

    assert [item.id for item in await server.get_history(thread, context)] == ["b", "c"]


async def test_pending_client_tool_call_never_reaches_the_model(use_agent):
    model = ScriptedModel(["A1", "A2"])
    use_agent(model=model)
    chat = Chat()
    await chat.say("Q1")
    pending = ClientToolCallItem(
        id="tc", thread_id=chat.thread_id, created_at=NOW, call_id="call", name="locate", arguments={}
    )
    await chat.server.store.add_thread_item(chat.thread_id, pending, chat.new_context())

    await chat.say("Q2")

    assert [text_of(item) for item in model.inputs[1]] == ["Q1", "A1", "Q2"]


async def test_client_tool_output_reaches_the_model(api, model, use_agent):
    @function_tool
    async def locate(ctx: RunContextWrapper[DjangoAgentContext]) -> str:
        """Where the user is."""
        ctx.context.client_tool_call = ClientToolCall(name="locate", arguments={"exact": True})
        return "asked"

    api.script(Turn(call=("locate", {})), "You are in Rome")
    use_agent(model=model(), tools=[locate], tool_use_behavior={"stop_at_tool_names": ["locate"]})
    chat = Chat()
    await chat.say("Where am I?")
    params = {"thread_id": chat.thread_id, "result": {"city": "Rome"}}

    events = await chat.request(
        json.dumps({"type": "threads.add_client_tool_output", "params": params}).encode()
    )

    assert answers(events) == ["You are in Rome"]
    call, output = api.requests[1].body["input"][1:]
    assert (call["type"], call["name"]) == ("function_call", "locate")
    assert (output["type"], output["output"]) == ("function_call_output", '{"city": "Rome"}')


async def test_output_without_its_call_is_left_out(use_agent):
    class Converter(DjangoThreadItemConverter):
        async def hidden_context_to_input(self, item):
            return {"type": "function_call_output", "call_id": "cut away", "output": "x"}

    class Server(AgentChatKitServer):
        converter = Converter()

    model = ScriptedModel(["A1", "A2"])
    use_agent(model=model)
    chat = Chat(Server(store=InMemoryStore()))
    await chat.say("Q1")
    hidden = HiddenContextItem(id="h", thread_id=chat.thread_id, created_at=NOW, content="x")
    await chat.server.store.add_thread_item(chat.thread_id, hidden, chat.new_context())

    await chat.say("Q2")

    assert [text_of(item) for item in model.inputs[1]] == ["Q1", "A1", "Q2"]


async def test_every_kind_of_item_can_be_asked_about():
    base = {"id": "i", "thread_id": "t", "created_at": NOW}
    user = UserMessageItem(
        **base,
        content=[
            UserMessageTextContent(text="Look at "),
            UserMessageTagContent(id="7", text="Rome", data={"zip": "00100"}),
        ],
        attachments=[FileAttachment(id="a", name="plan.pdf", mime_type="application/pdf")],
        quoted_text="this",
        inference_options=InferenceOptions(),
    )
    items = [
        AssistantMessageItem(**base, content=[AssistantMessageContent(text="")]),
        AssistantMessageItem(**base, content=[AssistantMessageContent(text="said")]),
        ClientToolCallItem(**base, call_id="c", name="n", arguments={}, status="completed", output=1),
        WidgetItem(**base, widget=Card(children=[])),
        GeneratedImageItem(**base, image=GeneratedImage(id="g", url="https://example.com/a.png")),
        StructuredInputItem(**base, status="pending", inputs=[]),
        WorkflowItem(**base, workflow=Workflow(type="custom", tasks=[])),
        TaskItem(**base, task=CustomTask(title="done")),
        HiddenContextItem(**base, content={"secret": 1}),
        SDKHiddenContextItem(**base, content="stopped"),
        EndOfTurnItem(**base),
        user,
    ]

    asked = json.dumps(await DjangoThreadItemConverter().to_agent_input(items))

    assert 'The user attached the file \\"plan.pdf\\" (application/pdf).' in asked
    assert '{\\"id\\": \\"7\\", \\"name\\": \\"Rome\\", \\"data\\": {\\"zip\\": \\"00100\\"}}' in asked
    assert '{\\"secret\\": 1}' in asked
    assert asked.count('"role": "assistant"') == 1


# Files


def attached(name: str, mime_type: str) -> UserMessageItem:
    return UserMessageItem(
        id=name,
        thread_id="t",
        created_at=NOW,
        content=[UserMessageTextContent(text="Look")],
        attachments=[FileAttachment(id=name, name=name, mime_type=mime_type)],
        inference_options=InferenceOptions(),
    )


@pytest.mark.parametrize(
    ("name", "mime_type", "content", "part"),
    [
        (
            "a.png",
            "image/png",
            b"abc",
            {"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,YWJj"},
        ),
        (
            "a.pdf",
            "application/pdf",
            b"abc",
            {
                "type": "input_file",
                "filename": "a.pdf",
                "file_data": "data:application/pdf;base64,YWJj",
            },
        ),
        (
            "a.txt",
            "text/plain",
            b"\xef\xbb\xbfb\xc3\xa9 \xff",
            {
                "type": "input_text",
                "text": 'The user attached the file "a.txt" (text/plain).\n<File>\nbé \ufffd\n</File>',
            },
        ),
        (
            "a.svg",
            "image/svg+xml",
            b"<svg>",
            {
                "type": "input_text",
                "text": 'The user attached the file "a.svg" (image/svg+xml). '
                "Its content is not part of this conversation.",
            },
        ),
    ],
)
async def test_file_is_read_by_the_model(name, mime_type, content, part):
    converter = DjangoThreadItemConverter().with_files({name: content})
    (asked,) = await converter.to_agent_input([attached(name, mime_type)])
    assert asked["content"][1:] == [part]


async def test_long_text_is_cut_and_the_model_told_so():
    converter = DjangoThreadItemConverter().with_files({"a.txt": b"x" * 100_001})
    (asked,) = await converter.to_agent_input([attached("a.txt", "text/plain")])
    text = asked["content"][1]["text"]
    assert text.count("x" * 100_000) == 1
    assert "These are its first 100000 characters." in text
    assert len(text) < 100_200


def test_converter_with_files_leaves_the_servers_own_alone():
    AgentChatKitServer.converter.with_files({"a": b"b"})  # type: ignore[attr-defined]
    assert AgentChatKitServer.converter.files == {}  # type: ignore[attr-defined]


@pytest.mark.django_db(transaction=True)
async def test_uploaded_file_reaches_the_model_newest_first_within_the_bound(settings, tmp_path, monkeypatch):
    storage = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = settings.STORAGES | {"chat": storage}
    settings.CHATKIT = {"ATTACHMENTS": {"STORAGE": "chat"}}
    monkeypatch.setattr("chatkit_app.agents.server.MODEL_FILE_BYTES", 5)
    server, context = AgentChatKitServer(), RequestContext(visitor_id="v")
    files = server.attachment_store
    messages = []
    for name, content in (("old.txt", b"old"), ("new.txt", b"new")):
        announced = await files.create_attachment(
            AttachmentCreateParams(name=name, size=3, mime_type="text/plain"), context
        )
        await server.store.save_attachment(announced, context)
        uploaded = await files.receive(announced.id, ContentFile(content), context)
        messages.append(attached(name, "text/plain").model_copy(update={"attachments": [uploaded]}))

    asked = json.dumps(await server.get_input(messages, context))

    assert "<File>\\nnew\\n</File>" in asked
    assert '\\"old.txt\\" (text/plain). Its content is not part' in asked


async def test_offline_model_does_not_repeat_an_attached_file():
    converter = DjangoThreadItemConverter().with_files({"a.txt": b"secret"})
    asked = await converter.to_agent_input([attached("a.txt", "text/plain")])
    result = await Runner.run(Agent(name="A", model=OfflineModel(delay=0)), asked)
    assert "> Look" in result.final_output
    assert "secret" not in result.final_output


# The user's choices


async def test_offered_model_is_used(api, model, use_agent):
    api.script("Hi")
    use_agent(model=model())

    await Chat().say("Hi", model="picked-model")

    assert api.requests[0].body["model"] == "picked-model"


@pytest.mark.parametrize("asked", ["gpt-expensive", "off-model", ""])
async def test_model_that_is_not_offered_is_ignored(asked, api, model, use_agent, caplog):
    api.script("Hi")
    use_agent(model=model())

    events = await Chat().say("Hi", model=asked)

    assert answers(events) == ["Hi"]
    assert api.requests[0].body["model"] == "gpt-test"
    logged = [record.getMessage() for record in caplog.records if record.name == "chatkit_app.agents.server"]
    assert logged == ["A model that is not offered was asked for and ignored"]


async def test_picked_tool_is_forced_once(api, model, use_agent):
    api.script(Turn(call=("get_weather", {"city": "Rome"})), "Sunny")
    use_agent(model=model(), tools=[get_weather], reset_tool_choice=False)

    events = await Chat().say("Rome", tool_choice={"id": "get_weather"})

    assert answers(events) == ["Sunny"]
    assert api.requests[0].body["tool_choice"] == {"type": "function", "name": "get_weather"}
    assert "tool_choice" not in api.requests[1].body


async def test_picked_tool_the_agent_lacks_is_told_to_the_agent(use_agent):
    def instructions(ctx: RunContextWrapper[DjangoAgentContext], agent: Any) -> str:
        seen.append(ctx.context.tool_choice)
        return "…"

    seen: list[str | None] = []
    model = ScriptedModel(["Hi"])
    use_agent(model=model, instructions=instructions)

    await Chat().say("Rome", tool_choice={"id": "deep_research"})

    assert seen == ["deep_research"]
    assert model.settings[0].tool_choice is None


async def test_picked_tool_that_is_not_offered_is_ignored(use_agent, caplog):
    @function_tool
    def delete_everything() -> str:
        """Do not offer this."""
        return "gone"

    model = ScriptedModel(["Hi"])
    use_agent(model=model, tools=[delete_everything])

    await Chat().say("Rome", tool_choice={"id": "delete_everything"})

    assert model.settings[0].tool_choice is None
    logged = [record.getMessage() for record in caplog.records if record.name == "chatkit_app.agents.server"]
    assert logged == ["A tool that is not offered was asked for and ignored"]


# Guardrails and limits


def trip(*args: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(output_info="internal", tripwire_triggered=True)


async def test_input_guardrail_is_a_readable_error(use_agent, caplog):
    guard = InputGuardrail(guardrail_function=trip)
    use_agent(model=ScriptedModel(["Never shown"]), input_guardrails=[guard])
    chat = Chat()

    events = await chat.say("Bad")

    assert errors(events) == [("This message cannot be answered here. Please ask something else.", False)]
    assert [item.type for item in await chat.items()] == ["user_message"]
    await settle()
    assert [record for record in caplog.records if record.name == "asyncio"] == []


async def test_output_guardrail_takes_the_answer_back(use_agent):
    guard = OutputGuardrail(guardrail_function=trip)
    use_agent(model=ScriptedModel(["Something forbidden"]), output_guardrails=[guard])
    chat = Chat()

    events = await chat.say("Hi")

    assert errors(events) == [("The answer was withheld because it broke a rule of this chat.", False)]
    assert [item.type for item in await chat.items()] == ["user_message"]


async def test_error_text_can_be_overridden(use_agent):
    class Server(AgentChatKitServer):
        def describe_error(self, error, context):
            return ChatKitError(f"Ours for {context.locale}", allow_retry=True)

    use_agent(model=ScriptedModel([ValueError("x")]))

    events = await Chat(Server(store=InMemoryStore())).say("Hi")

    assert errors(events) == [("Ours for en", True)]


async def test_too_many_turns_is_a_readable_error(use_agent):
    use_agent(model=ScriptedModel([("get_weather", {"city": "Rome"})] * 20), tools=[get_weather])

    events = await Chat().say("Hi")

    assert errors(events) == [("The answer took too many steps and was given up.", True)]


async def test_tools_own_refusal_reaches_the_user(use_agent):
    @function_tool(failure_error_function=None)
    def book() -> str:
        """Book."""
        raise ChatKitError("Sold out.")

    use_agent(model=ScriptedModel([("book", {})]), tools=[book])

    assert errors(await Chat().say("Book")) == [("Sold out.", False)]


async def test_failing_tool_without_a_text_for_users_tells_nothing(use_agent):
    @function_tool(failure_error_function=None)
    def book() -> str:
        """Book."""
        raise ValueError("secret detail")

    use_agent(model=ScriptedModel([("book", {})]), tools=[book])

    events = await Chat().say("Book")

    assert errors(events) == [(None, True)]
    assert "secret" not in json.dumps(events)


# Which agent, which model


async def test_agent_is_named_by_its_path(settings):
    settings.CHATKIT = {"AGENT": "tests.agents.test_server.path_agent"}
    agent = await AgentChatKitServer(store=InMemoryStore()).get_agent(THREAD, RequestContext())
    assert agent is path_agent


async def test_agent_comes_from_an_async_function_of_the_context(settings):
    async def agent_for(context: RequestContext) -> Agent[Any]:
        return Agent(name=context.locale)

    settings.CHATKIT = {"AGENT": agent_for}
    agent = await AgentChatKitServer(store=InMemoryStore()).get_agent(THREAD, RequestContext(locale="de"))
    assert agent.name == "de"


async def test_agent_comes_from_a_function_that_takes_the_thread(settings):
    async def later(context: RequestContext, thread: ThreadMetadata) -> Agent[Any]:
        return Agent(name=f"{thread.metadata['topic']} {context.locale}")

    def named(context: RequestContext, thread: ThreadMetadata | None = None) -> Agent[Any]:
        return Agent(name=thread.id if thread else "nobody's")

    server = AgentChatKitServer(store=InMemoryStore())
    settings.CHATKIT = {"AGENT": later}
    assert (await server.get_agent(THREAD, RequestContext())).name == "bikes en"
    settings.CHATKIT = {"AGENT": named}
    assert (await server.get_agent(THREAD, RequestContext())).name == "thr_1"


async def test_agent_functions_own_parameters_are_left_to_their_defaults(settings):
    settings.CHATKIT = {"AGENT": lambda context, name="mine", *more: Agent(name=name)}
    agent = await AgentChatKitServer(store=InMemoryStore()).get_agent(THREAD, RequestContext())
    assert agent.name == "mine"


async def test_agent_function_gets_the_thread_that_is_answered(api, model, settings):
    threads: list[Any] = []

    def agent_for(context: RequestContext, thread: ThreadMetadata) -> Agent[Any]:
        threads.append(thread.id)
        return Agent(name="Test", model=model())

    settings.CHATKIT = {"AGENT": agent_for}
    api.script("A1", "A2")
    chat = Chat()
    await chat.say("Q1")
    await chat.say("Q2")
    assert threads == [chat.thread_id, chat.thread_id]


async def test_agent_function_of_another_signature_is_refused(settings):
    settings.CHATKIT = {"AGENT": lambda: None}
    with pytest.raises(
        ImproperlyConfigured, match="called with the context, or with the context and the thread"
    ):
        await AgentChatKitServer(store=InMemoryStore()).get_agent(THREAD, RequestContext())


@pytest.mark.django_db(transaction=True)
async def test_agent_function_may_query_the_database(settings):
    settings.CHATKIT = {"AGENT": lambda context: Agent(name=f"{Thread.objects.count()} threads")}
    agent = await AgentChatKitServer(store=InMemoryStore()).get_agent(THREAD, RequestContext())
    assert agent.name == "0 threads"


async def test_agent_that_is_none_is_refused(settings):
    settings.CHATKIT = {"AGENT": lambda context: "gpt-5"}
    with pytest.raises(ImproperlyConfigured, match='CHATKIT\\["AGENT"\\] leads to str'):
        await AgentChatKitServer(store=InMemoryStore()).get_agent(THREAD, RequestContext())


async def test_wrong_agent_setting_is_a_clear_error(settings):
    settings.CHATKIT = {"AGENT": lambda context: None}
    text = "The assistant is not set up correctly. Please tell the site's staff."
    assert errors(await Chat().say("Hi")) == [(text, False)]


path_agent = Agent(name="By path", model=OfflineModel(delay=0))


@pytest.fixture
async def environment(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[pytest.MonkeyPatch]:
    """No credentials, and an HTTP client of the Agents SDK that belongs to this test's event loop."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_DEFAULT_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(openai_provider, "_http_client", None)
    yield monkeypatch
    if openai_provider._http_client is not None:
        await openai_provider._http_client.aclose()


async def test_no_credentials_answers_offline(environment, settings):
    settings.CHATKIT = {}
    environment.setitem(OfflineModel.__init__.__kwdefaults__, "delay", 0)
    chat = Chat()

    events = await chat.say("Hello you")

    assert "I am the offline model" in answers(events)[0]
    assert "> Hello you" in answers(events)[0]
    assert chat.context.usage.model == "offline"


async def test_agents_own_model_answers_without_credentials(environment, api, model, use_agent):
    api.script("Not offline")
    use_agent(model=model())
    assert answers(await Chat().say("Hello")) == ["Not offline"]


async def test_compatible_server_needs_no_key(environment, settings, api):
    api.script("Hi")
    environment.setenv("OPENAI_BASE_URL", api.url)
    settings.CHATKIT = {"AGENT": Agent(name="Test", model="openai/some-model")}

    events = await Chat().say("Hello")

    assert answers(events) == ["Hi"]
    assert api.requests[0].path == "/v1/responses"
    assert api.requests[0].body["model"] == "openai/some-model"


async def test_compatible_server_can_speak_chat_completions(environment, settings, api):
    api.script("Hi")
    environment.setenv("OPENAI_BASE_URL", api.url)
    environment.setenv("OPENAI_API_KEY", "sk-own")
    settings.CHATKIT = {"AGENT": Agent(name="Test", model="some-model")}
    set_default_openai_api("chat_completions")
    try:
        chat = Chat()
        events = await chat.say("Hello")
    finally:
        set_default_openai_api("responses")

    assert answers(events) == ["Hi"]
    assert api.requests[0].path == "/v1/chat/completions"
    assert api.requests[0].headers["authorization"] == "Bearer sk-own"
    assert chat.context.usage.input_tokens == 90


# Privacy


async def test_requests_are_not_stored_at_the_provider(api, model, use_agent):
    api.script("Hi")
    use_agent(model=model())
    await Chat().say("Hello")
    assert api.requests[0].body["store"] is False


async def test_agent_may_ask_the_provider_to_store(api, model, use_agent):
    api.script("Hi")
    use_agent(model=model(), model_settings=ModelSettings(store=True))
    await Chat().say("Hello")
    assert api.requests[0].body["store"] is True


async def test_chat_completions_server_is_not_sent_what_it_may_refuse(api, model, use_agent):
    api.script("Hi")
    use_agent(model=model("chat_completions"))
    await Chat().say("Hello")
    assert "store" not in api.requests[0].body


async def test_reasoning_that_was_not_stored_is_not_referred_to(api, model, use_agent):
    api.script(Turn(call=("get_weather", {"city": "Rome"}), reasoning=True), "Sunny")
    use_agent(model=model(), tools=[get_weather])

    await Chat().say("Rome")

    sent = api.requests[1].body["input"]
    assert [item["type"] for item in sent] == ["message", "function_call", "function_call_output"]
    assert [item for item in sent if "id" in item] == []


HOSTED = (
    {
        "id": "ws_1",
        "type": "web_search_call",
        "status": "completed",
        "action": {"type": "search", "query": "Rome"},
    },
    {"id": "fs_1", "type": "file_search_call", "status": "completed", "queries": ["Rome"], "results": None},
    {
        "id": "mcp_1",
        "type": "mcp_call",
        "status": "completed",
        "server_label": "m",
        "name": "n",
        "arguments": "{}",
    },
)


async def test_hosted_calls_keep_their_ids_when_their_reasoning_is_lost(api, model, use_agent):
    api.script(Turn(call=("get_weather", {"city": "Rome"}), reasoning=True, hosted=HOSTED), "Sunny")
    use_agent(model=model(), tools=[get_weather])

    assert answers(await Chat().say("Rome")) == ["Sunny"]

    assert [(item["type"], item.get("id")) for item in api.requests[1].body["input"]] == [
        ("message", None),
        ("web_search_call", "ws_1"),
        ("file_search_call", "fs_1"),
        ("mcp_call", "mcp_1"),
        ("function_call", None),
        ("function_call_output", None),
    ]


def _input_kinds() -> dict[str, bool]:
    """Each kind of input the openai package knows, and whether it is complete without an id."""
    without: dict[str, bool] = {}
    for shape in get_args(ResponseInputItemParam):
        hints = get_type_hints(shape, include_extras=True)
        kind = hints["type"]
        while get_origin(kind) is not Literal:
            kind = get_args(kind)[0]
        for name in get_args(kind):
            without[name] = without.get(name, False) or get_origin(hints.get("id")) is not Required
    return without


def test_every_kind_of_input_has_a_decision_about_its_id():
    keep = {
        "code_interpreter_call",
        "computer_call",
        "file_search_call",
        "image_generation_call",
        "item_reference",
        "local_shell_call",
        "local_shell_call_output",
        "mcp_approval_request",
        "mcp_call",
        "mcp_list_tools",
        "program",
        "program_output",
        "reasoning",
        "web_search_call",
    }
    assert _input_kinds() == dict.fromkeys(keep, False) | dict.fromkeys(TYPES_WITHOUT_ID, True)


async def test_reasoning_that_is_not_stored_goes_back_encrypted(api, reasoning_model, use_agent):
    api.script(Turn(call=("get_weather", {"city": "Rome"}), reasoning=True, hosted=HOSTED[:1]), "Sunny")
    use_agent(
        model=reasoning_model,
        tools=[get_weather],
        model_settings=ModelSettings(response_include=["web_search_call.action.sources"]),
    )

    assert answers(await Chat().say("Rome")) == ["Sunny"]

    assert sorted(api.requests[0].body["include"]) == [
        "reasoning.encrypted_content",
        "web_search_call.action.sources",
    ]
    sent = api.requests[1].body["input"]
    assert [(item["type"], item.get("id")) for item in sent[1:4]] == [
        ("reasoning", "rs_1"),
        ("web_search_call", "ws_1"),
        ("function_call", "fc_1"),
    ]
    assert sent[1]["encrypted_content"] == "secret 1"


@pytest.mark.parametrize(
    "settings_of_agent",
    [ModelSettings(store=True), ModelSettings(reasoning=Reasoning(effort="none"))],
    ids=["stored", "not-reasoning"],
)
async def test_encrypted_reasoning_is_not_asked_for_without_need(
    settings_of_agent, api, reasoning_model, use_agent
):
    api.script("Hi")
    use_agent(model=reasoning_model, model_settings=settings_of_agent)
    await Chat().say("Hello")
    assert api.requests[0].body["include"] == []


@pytest.mark.parametrize("name", ["gpt-4o", "gpt-5-chat-latest", "gpt-5.1-chat-latest", "omni"])
async def test_model_that_does_not_reason_is_not_asked_for_encrypted_reasoning(
    name, api, reasoning_model, use_agent
):
    api.script("Hi")
    reasoning_model.model = name
    use_agent(model=reasoning_model)
    await Chat().say("Hello")
    assert api.requests[0].body["include"] == []


async def test_agent_handed_over_to_is_not_asked_for_what_its_model_refuses(
    api, model, reasoning_model, use_agent
):
    api.script(Turn(call=("transfer_to_plain", {}), reasoning=True), "Hi")
    use_agent(model=reasoning_model, handoffs=[Agent(name="plain", model=model())])

    assert answers(await Chat().say("Hello")) == ["Hi"]

    assert [request.body["include"] for request in api.requests] == [["reasoning.encrypted_content"], []]


async def test_no_trace_is_exported(use_agent, traced):
    use_agent(model=ScriptedModel(["Hi"]))
    await Chat().say("Hello")
    assert traced == []


class OwnRunServer(DjangoChatKitServer):
    """Runs an agent as OpenAI's documentation shows it."""

    async def respond(self, thread, input_user_message, context):
        result = Runner.run_streamed(Agent(name="Test", model=ScriptedModel(["Hi"])), "Hello")
        async for _event in result.stream_events():
            pass
        yield self.text_event(result.final_output)


@pytest.mark.parametrize("tracing", [False, True])
async def test_run_in_respond_is_traced_only_when_asked_for(tracing, settings, traced):
    settings.CHATKIT = {"TRACING": tracing}
    events = await Chat(OwnRunServer(store=InMemoryStore())).say("Hello")
    assert answers(events) == ["Hi"]
    assert bool(traced) is tracing


async def test_traces_are_exported_when_asked_for(settings, traced):
    settings.CHATKIT = {"AGENT": Agent(name="Test", model=ScriptedModel(["Hi"])), "TRACING": True}
    chat = Chat()
    await chat.say("Hello")
    assert (traced[0]["object"], traced[0]["group_id"]) == ("trace", chat.thread_id)
