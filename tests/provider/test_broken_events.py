"""Every event that the SDK reads of a model's, with each of its fields missing, null, or of another type in turn."""

from __future__ import annotations

import copy
import inspect
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from agents import Agent
from agents.models.interface import Model
from chatkit.agents import stream_agent_response as sdk_stream_agent_response
from openai._models import construct_type
from openai.types.responses import ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

from tests.agents.test_server import Chat, answers, errors
from tests.extent import IS_WHOLE

TEXT = "One two"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
URL = {
    "type": "url_citation",
    "url": "https://example.com/a",
    "title": "A page",
    "start_index": 0,
    "end_index": 3,
}
MESSAGE: dict[str, Any] = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
PART: dict[str, Any] = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
DONE = MESSAGE | {"content": [PART | {"text": TEXT, "annotations": [URL]}]}
THOUGHTS: dict[str, Any] = {
    "id": "rs_1",
    "type": "reasoning",
    "summary": [{"type": "summary_text", "text": "Hm"}],
}
IMAGE: dict[str, Any] = {"id": "ig_1", "type": "image_generation_call", "status": "completed", "result": PNG}
IN_THOUGHT: dict[str, Any] = {"item_id": "rs_1", "output_index": 0, "summary_index": 0}
IN_MESSAGE: dict[str, Any] = {"item_id": "msg_1", "output_index": 2, "content_index": 0}

ANSWER: list[dict[str, Any]] = [
    {"type": "response.output_item.added", "output_index": 0, "item": THOUGHTS | {"summary": []}},
    {"type": "response.reasoning_summary_text.delta", **IN_THOUGHT, "delta": "H"},
    {"type": "response.reasoning_summary_text.done", **IN_THOUGHT, "text": "Hm"},
    {"type": "response.output_item.done", "output_index": 0, "item": THOUGHTS},
    {
        "type": "response.output_item.added",
        "output_index": 1,
        "item": IMAGE | {"result": None, "status": "in_progress"},
    },
    {
        "type": "response.image_generation_call.partial_image",
        "item_id": "ig_1",
        "output_index": 1,
        "partial_image_b64": PNG,
        "partial_image_index": 0,
    },
    {"type": "response.output_item.done", "output_index": 1, "item": IMAGE},
    {
        "type": "response.output_item.added",
        "output_index": 2,
        "item": MESSAGE | {"status": "in_progress", "content": []},
    },
    {"type": "response.content_part.added", **IN_MESSAGE, "part": PART},
    {"type": "response.output_text.delta", **IN_MESSAGE, "delta": "One", "logprobs": []},
    {"type": "response.output_text.delta", **IN_MESSAGE, "delta": " two", "logprobs": []},
    {
        "type": "response.output_text.annotation.added",
        **IN_MESSAGE,
        "annotation_index": 0,
        "annotation": URL,
    },
    {"type": "response.output_text.done", **IN_MESSAGE, "text": TEXT, "logprobs": []},
    {"type": "response.content_part.done", **IN_MESSAGE, "part": DONE["content"][0]},
    {"type": "response.output_item.done", "output_index": 2, "item": DONE},
]
for number, sent in enumerate(ANSWER):
    sent["sequence_number"] = number
COMPLETED = {
    "type": "response.completed",
    "sequence_number": len(ANSWER),
    "response": {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_700_000_000,
        "status": "completed",
        "model": "gpt-test",
        "output": [THOUGHTS, IMAGE, DONE],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    },
}

MISSING = object()
REPLACEMENTS = (MISSING, None, [], 7, "odd")
# What else is said there is as good as what was said.
WORDS = ("text", "delta", "refusal")


def read_by_the_sdk() -> set[str]:
    return set(
        re.findall(r'event\.type == "(response\.[\w.]+)"', inspect.getsource(sdk_stream_agent_response))
    )


def as_received(sent: dict[str, Any]) -> Any:
    """As the client of the openai package makes it, which checks nothing."""
    return construct_type(value=copy.deepcopy(sent), type_=ResponseStreamEvent)


def named_fields(value: Any) -> set[str]:
    return set(type(value).model_fields) if isinstance(value, BaseModel) else set()


def paths(value: Any, sent: Any) -> Iterator[tuple[Any, ...]]:
    """The way to every field that the models of the openai package have, and to all that was sent beside them."""
    if isinstance(sent, dict):
        for name in sorted(set(sent) | named_fields(value)):
            yield (name,)
            for rest in paths(getattr(value, name, None), sent.get(name)):
                yield (name, *rest)
    elif isinstance(sent, list):
        for index, entry in enumerate(sent):
            yield (index,)
            for rest in paths(value[index], entry):
                yield (index, *rest)


def altered(sent: dict[str, Any], path: tuple[Any, ...], replacement: Any) -> dict[str, Any]:
    sent = copy.deepcopy(sent)
    place: Any = sent
    for step in path[:-1]:
        place = place[step]
    if replacement is not MISSING:
        place[path[-1]] = replacement
    elif isinstance(place, list):
        del place[path[-1]]
    else:
        place.pop(path[-1], None)
    return sent


def replacements_of(number: int) -> Iterator[Any]:
    """What stands in place of the field of this number: nothing, and in turn one other thing."""
    if IS_WHOLE:
        yield from REPLACEMENTS
    else:
        yield MISSING
        yield REPLACEMENTS[1 + number % 4]


class Replay(Model):
    """Sends these events, and then that the response is complete."""

    def __init__(self, sent: list[dict[str, Any]]) -> None:
        self.sent = sent

    async def get_response(self, *args: Any, **options: Any) -> Any:
        raise NotImplementedError

    async def stream_response(self, *args: Any, **options: Any) -> Any:
        for each in [*self.sent, COMPLETED]:
            yield as_received(each)


async def answer_to(sent: list[dict[str, Any]], settings: Any) -> tuple[list[str], list[Any], list[str]]:
    """The messages that the user was sent, the errors, and the messages that are stored."""
    settings.CHATKIT = {"AGENT": Agent(name="Test", model=Replay(sent))}
    chat = Chat()
    events = await chat.say("Hi")
    stored = [
        "".join(part.text for part in item.content)
        for item in await chat.items()
        if item.type == "assistant_message"
    ]
    return answers(events), errors(events), stored


def test_every_event_that_the_sdk_reads_is_among_these() -> None:
    assert read_by_the_sdk() <= {sent["type"] for sent in ANSWER}
    for sent in ANSWER:
        TypeAdapter(ResponseStreamEvent).validate_python(sent)


async def test_whole_answer_arrives(settings, caplog):
    assert await answer_to(ANSWER, settings) == ([TEXT], [], [TEXT])
    assert caplog.records == []


@pytest.mark.parametrize("number", range(len(ANSWER)), ids=lambda n: f"{n} {ANSWER[n]['type']}")
async def test_no_field_of_an_event_ends_an_answer(number, settings, caplog):
    caplog.set_level(logging.CRITICAL)
    sent = ANSWER[number]
    wrong = []
    tried = 0
    for place, path in enumerate(paths(as_received(sent), sent)):
        for replacement in replacements_of(place):
            if path[-1] in WORDS and isinstance(replacement, str):
                continue
            if path == ("type",) and isinstance(replacement, list):
                continue  # the Agents SDK has failed before anybody is given the event
            tried += 1
            broken = [*ANSWER[:number], altered(sent, path, replacement), *ANSWER[number + 1 :]]
            found = await answer_to(broken, settings)
            if found != ([TEXT], [], [TEXT]):
                wrong.append((path, "missing" if replacement is MISSING else replacement, found))
    assert tried >= (20 if IS_WHOLE else 8)
    assert wrong == []


async def test_what_is_left_out_is_logged_once(settings, caplog):
    nothing = ANSWER[9] | {"delta": None}
    await answer_to([*ANSWER[:10], nothing, nothing, *ANSWER[10:]], settings)
    assert [record.getMessage() for record in caplog.records] == [
        "Of what the model sent, this could not be read and was left out: the delta of response.output_text.delta"
    ]


@pytest.mark.parametrize("number", range(len(ANSWER)), ids=lambda n: f"{n} {ANSWER[n]['type']}")
async def test_event_that_is_not_sent_takes_no_text_with_it(number, settings):
    assert await answer_to([*ANSWER[:number], *ANSWER[number + 1 :]], settings) == ([TEXT], [], [TEXT])
