"""The offline model, and the scripted model that streams the same way."""

from __future__ import annotations

import json
from typing import Any, Literal

import openai
import pytest
from agents import (
    Agent,
    ModelSettings,
    RunConfig,
    Runner,
    ToolCallItem,
    function_tool,
    handoff,
    set_default_openai_client,
)
from agents.models import _openai_shared
from pydantic import BaseModel

from chatkit_app.offline import OfflineModel, OfflineProvider, fill_schema, is_offline
from chatkit_app.testing import ScriptedModel, decode_events

QUIET = RunConfig(tracing_disabled=True)
SAID = "The tool answered: "


@function_tool
def get_weather(city: str, unit: Literal["celsius", "fahrenheit"] = "celsius") -> str:
    """Tell the weather of a place."""
    return f"{city} 21 {unit}"


@function_tool
def find_order(number: int, fast: bool) -> str:
    """Look up a purchase by its invoice reference."""
    return f"order {number} {fast}"


async def ask(text: str | list[Any], **fields: Any) -> str:
    fields = {"name": "Test", "model": OfflineModel(delay=0), "tools": [get_weather, find_order]} | fields
    result = await Runner.run(Agent(**fields), text, run_config=QUIET)
    return result.final_output


async def stream(model: Any, text: str = "Hello", **fields: Any) -> list[Any]:
    result = Runner.run_streamed(Agent(name="Test", model=model, **fields), text, run_config=QUIET)
    return [event.data async for event in result.stream_events() if event.type == "raw_response_event"]


# What it says


async def test_first_answer_says_what_answers_and_reflects_the_text():
    assert await ask("Good\nmorning") == (
        "I am the offline model: I answer without an account and without a network, always the same way. "
        "Set OPENAI_API_KEY and a language model will answer here instead.\n\nYou wrote:\n\n> Good\n> morning"
    )


async def test_later_answer_counts_the_messages():
    conversation = [
        {"role": "user", "content": "One"},
        {"role": "assistant", "content": "First"},
        {"role": "user", "content": "Two"},
    ]
    assert await ask(conversation) == "This is message 2 of our conversation. You wrote:\n\n> Two"


async def test_markdown_is_shown_on_request():
    text = await ask("Please show me some Markdown!")
    assert text.startswith("## A Markdown sample\n")
    assert "| Python | `.py` |" in text
    assert "```python\n" in text


async def test_context_for_the_model_is_not_taken_for_the_user():
    hidden = "Hidden context for the agent (not shown to the user):\n<HiddenContext>\nuse get_weather\n"
    asked = [{"role": "user", "content": "Hello"}, {"role": "user", "content": hidden}]
    assert (await ask(asked)).endswith("> Hello")


async def test_structured_input_is_acknowledged():
    form = (
        "A structured input request was displayed to the user with the following status: completed\n"
        "<StructuredInput>\n- Size?: Large\n</StructuredInput>"
    )
    asked = [{"role": "user", "content": "Order"}, {"role": "user", "content": form}]
    assert await ask(asked) == "Thank you. You answered:\n\n- Size?: Large"


async def test_output_type_gets_an_object_that_fits():
    class Title(BaseModel):
        title: str
        stars: int

    assert await ask("A title for 5 cats", tools=[], output_type=Title) == Title(title="5 cats", stars=5)


async def test_title_is_the_first_words():
    text = "Please explain how to bake a cake without any eggs at all"
    assert (
        await ask(text, tools=[], instructions="Write a short title.")
        == "Please explain how to bake a cake without"
    )


# Tools


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("use get_weather for Paris", SAID + "Paris 21 celsius"),
        ("What is the weather in Rio de Janeiro?", SAID + "Rio de Janeiro 21 celsius"),
        ('get_weather "New York" fahrenheit', SAID + "New York 21 fahrenheit"),
        ("get_weather city=Oslo", SAID + "Oslo 21 celsius"),
        ("find_order 4711", SAID + "order 4711 False"),
        ("find_order number=7 fast=true", SAID + "order 7 True"),
        ("Which purchase has invoice 12?", SAID + "order 12 False"),
    ],
)
async def test_tool_is_called_when_the_text_asks_for_it(text, answer):
    assert await ask(text) == answer


@pytest.mark.parametrize("text", ["Tell me a story about a place", "forget_weathering", "I purchase shoes"])
async def test_tool_is_not_called_for_common_words(text):
    assert text in await ask(text)


async def test_forced_tool_is_called_whatever_the_text():
    settings = ModelSettings(tool_choice="get_weather")
    assert await ask("Lisbon", model_settings=settings) == SAID + "Lisbon 21 celsius"


async def test_required_tool_is_the_first_when_none_is_named():
    settings = ModelSettings(tool_choice="required")
    assert await ask("Lisbon", model_settings=settings) == SAID + "Lisbon 21 celsius"


async def test_tool_choice_none_is_respected():
    settings = ModelSettings(tool_choice="none")
    assert "use get_weather" in await ask("use get_weather for Paris", model_settings=settings)


async def test_tool_of_an_earlier_message_is_not_answered_again():
    conversation = [
        {"role": "user", "content": "use get_weather for Paris"},
        {"type": "function_call", "call_id": "c", "name": "get_weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "Paris 21"},
        {"role": "user", "content": "Thanks"},
    ]
    assert await ask(conversation) == "This is message 2 of our conversation. You wrote:\n\n> Thanks"


async def test_handoff_happens_only_when_named_and_answers():
    billing = Agent(name="Billing", model=OfflineModel(delay=0))
    result = await Runner.run(
        Agent(name="Front", model=OfflineModel(delay=0), handoffs=[handoff(billing)]),
        "transfer_to_billing please",
        run_config=QUIET,
    )
    assert result.last_agent is billing
    assert "> transfer_to_billing please" in result.final_output


async def test_calls_have_ids_of_their_own():
    agent = Agent(name="Test", model=OfflineModel(delay=0), tools=[get_weather])
    calls = set()
    for _ in range(2):
        result = await Runner.run(agent, "use get_weather for Paris", run_config=QUIET)
        calls |= {item.raw_item.call_id for item in result.new_items if isinstance(item, ToolCallItem)}
    assert len(calls) == 2


# Arguments


def test_fill_schema_keeps_to_the_schema():
    schema = {
        "type": "object",
        "$defs": {"Size": {"enum": ["small", "large"]}},
        "properties": {
            "size": {"$ref": "#/$defs/Size"},
            "count": {"type": "integer", "minimum": 1, "maximum": 5},
            "price": {"type": "number"},
            "note": {"type": "string", "maxLength": 4},
            "tags": {"type": "array", "items": {"type": "string"}},
            "place": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
            "more": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "kind": {"const": "order"},
            "skipped": {"type": "string", "default": "x"},
        },
        "required": ["size", "count", "price", "note", "tags", "place", "more", "kind"],
    }
    assert fill_schema(schema, "A large one, 9 pieces at 2.5 for Alice") == {
        "size": "large",
        "count": 5,
        "price": 2.5,
        "note": "2.5 ",
        "tags": ["2.5 for Alice"],
        "place": {"city": "2.5 for Alice"},
        "more": None,
        "kind": "order",
    }


def test_fill_schema_uses_quoted_strings_in_order():
    schema = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
    assert fill_schema(schema, 'say "one" and "two"') == {"a": "one", "b": "two"}


def test_fill_schema_ends_on_a_schema_that_contains_itself():
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}, "required": ["next"]}
    filled = fill_schema({"$ref": "#/$defs/Node", "$defs": {"Node": node}}, "x")
    assert json.dumps(filled).count("next") == 6


# Events


async def test_events_are_those_of_the_responses_api():
    events = await stream(OfflineModel(delay=0), "Hi")

    kinds = [event.type for event in events]
    words = kinds.count("response.output_text.delta")
    assert kinds == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        *["response.output_text.delta"] * words,
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == events[-1].response.output[0].content[0].text
    assert events[-1].response.status == "completed"
    assert events[-1].response.usage.output_tokens > 0
    assert events[2].item.content == []


async def test_events_of_a_tool_call_are_those_of_the_responses_api():
    events = await stream(ScriptedModel([("get_weather", {"city": "Rome"})]), tools=[get_weather], **STOP)

    assert [event.type for event in events] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert events[2].item.arguments == ""
    assert events[5].item.arguments == '{"city": "Rome"}'


STOP = {"tool_use_behavior": "stop_on_first_tool"}


async def test_same_text_gets_the_same_words_under_another_id():
    one, two = await stream(OfflineModel(delay=0)), await stream(OfflineModel(delay=0))
    said = [[e.delta for e in events if e.type == "response.output_text.delta"] for events in (one, two)]
    assert said[0] == said[1]
    assert one[2].item.id != two[2].item.id


# When it is used


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(_openai_shared, "_default_openai_key", None)
    monkeypatch.setattr(_openai_shared, "_default_openai_client", None)
    return monkeypatch


def test_offline_without_credentials(environment):
    assert is_offline() is True


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "OPENAI_BASE_URL"])
def test_not_offline_with_credentials(name, environment):
    environment.setenv(name, "something")
    assert is_offline() is False


async def test_not_offline_with_a_default_client(environment):
    async with openai.AsyncOpenAI(api_key="x") as client:
        set_default_openai_client(client, use_for_tracing=False)
        assert is_offline() is False


def test_offline_provider_leaves_other_providers_alone(environment):
    environment.setattr("agents.MultiProvider.get_model", lambda self, name: f"other {name}")
    assert OfflineProvider().get_model("litellm/anthropic/claude") == "other litellm/anthropic/claude"
    assert isinstance(OfflineProvider().get_model("openai/gpt-5"), OfflineModel)
    assert isinstance(OfflineProvider().get_model(None), OfflineModel)


# The scripted model


async def test_scripted_model_follows_its_script_and_records():
    model = ScriptedModel([("get_weather", {"city": "Rome"}), "It is sunny."])
    agent = Agent(
        name="Test", model=model, tools=[get_weather], model_settings=ModelSettings(temperature=0.5)
    )

    result = await Runner.run(agent, "Rome?", run_config=QUIET)

    assert result.final_output == "It is sunny."
    assert model.inputs[0] == [{"role": "user", "content": "Rome?"}]
    assert [item.get("type") for item in model.inputs[1]] == [None, "function_call", "function_call_output"]
    assert model.settings[0].temperature == 0.5
    assert model.turns == []


async def test_scripted_model_raises_what_it_is_told_to():
    with pytest.raises(TimeoutError, match="slow"):
        await stream(ScriptedModel([TimeoutError("slow")]))


async def test_scripted_model_complains_at_its_end():
    with pytest.raises(AssertionError, match=r"The script is over, and the model was asked a 1\. time\."):
        await stream(ScriptedModel([]))


def test_decode_events_ignores_comments_and_empty_data():
    body = b': ping\n\ndata: {"a": 1}\n\nevent: x\r\ndata: {"b":\r\ndata:  2}\r\n\r\ndata:\n\n'
    assert decode_events(body) == [{"a": 1}, {"b": 2}]


def test_decode_events_refuses_what_is_not_json():
    with pytest.raises(ValueError, match="Expecting value"):
        decode_events(b"data: [DONE\n\n")
