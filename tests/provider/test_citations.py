"""Citations of every kind and in every state, through the real openai client: none of them ends an answer."""

from __future__ import annotations

import logging
from typing import Any

import openai
import pytest
from agents import Agent, OpenAIResponsesModel, function_tool
from chatkit.agents import ResponseStreamConverter

from chatkit_app.agents import AgentChatKitServer
from chatkit_app.store import InMemoryStore
from tests.agents.test_server import Chat, answers, errors
from tests.openai_server import OpenAIServer, Turn

URL = {
    "type": "url_citation",
    "url": "https://example.com/a",
    "title": "A page",
    "start_index": 0,
    "end_index": 5,
}
FILE = {"type": "file_citation", "file_id": "file_1", "filename": "a.pdf", "index": 5}
CONTAINER_FILE = {
    "type": "container_file_citation",
    "container_id": "cntr_1",
    "file_id": "cfile_1",
    "filename": "plot.png",
    "start_index": 0,
    "end_index": 5,
}
PATH = {"type": "file_path", "file_id": "file_2", "index": 0}


def url_source(index: int = 5, **source: str) -> dict[str, Any]:
    source = {"type": "url", "title": "A page", "url": "https://example.com/a"} | source
    return {"type": "annotation", "source": source, "index": index}


def file_source(name: str) -> dict[str, Any]:
    return {"type": "annotation", "source": {"type": "file", "title": name, "filename": name}, "index": 5}


def without(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}


@pytest.fixture
def api(api: OpenAIServer, openai_client: openai.AsyncOpenAI, settings: Any) -> OpenAIServer:
    """A server that an agent of the settings talks to."""
    model = OpenAIResponsesModel(model="gpt-test", openai_client=openai_client)
    settings.CHATKIT = {"AGENT": Agent(name="Test", model=model, tools=[look_up])}
    return api


@function_tool
def look_up() -> str:
    """Look something up."""
    return "found"


def announced(events: list[dict[str, Any]]) -> list[tuple[int, Any]]:
    updates = [event["update"] for event in events if event["type"] == "thread.item.updated"]
    return [
        (update["annotation_index"], update["annotation"]) for update in updates if "annotation" in update
    ]


async def stored(chat: Chat) -> list[Any]:
    message = (await chat.items())[-1]
    return [found.model_dump(exclude_none=True) for found in message.content[0].annotations]


@pytest.mark.parametrize(
    ("annotation", "shown"),
    [
        pytest.param(URL, [url_source()], id="url"),
        pytest.param(FILE, [file_source("a.pdf")], id="file"),
        pytest.param(CONTAINER_FILE, [file_source("plot.png")], id="container file"),
        pytest.param(PATH, [], id="path"),
        pytest.param(URL | {"end_index": "last"}, [url_source(11)], id="url, place is no number"),
        pytest.param(
            without(URL, "start_index", "end_index"), [url_source(11)], id="url without a place is at the end"
        ),
        pytest.param(
            without(FILE, "index"),
            [file_source("a.pdf") | {"index": 11}],
            id="file without a place is at the end",
        ),
        pytest.param(
            URL | {"title": None}, [url_source(title="https://example.com/a")], id="url, title is null"
        ),
        pytest.param(
            without(URL, "title"), [url_source(title="https://example.com/a")], id="url without a title"
        ),
        pytest.param(without(FILE, "filename"), [], id="file without a name"),
        pytest.param(FILE | {"filename": None}, [], id="file, name is null"),
        pytest.param(without(CONTAINER_FILE, "filename"), [], id="container file without a name"),
    ],
)
async def test_citation_is_shown_where_it_can_be(annotation, shown, api, caplog):
    api.script(Turn(text="Hello there", annotations=[annotation]))
    chat = Chat()
    events = await chat.say("Hi")
    assert answers(events) == ["Hello there"]
    assert errors(events) == []
    assert announced(events) == list(enumerate(shown))
    assert await stored(chat) == shown
    assert caplog.records == []


@pytest.mark.parametrize(
    "annotation",
    [
        pytest.param({"type": "moon_citation", "phase": 3}, id="unknown type"),
        pytest.param({"url": "https://example.com"}, id="no type"),
        pytest.param({"type": ["url_citation"]}, id="type is no text"),
        pytest.param(without(URL, "url"), id="url without its address"),
        pytest.param(None, id="null"),
        pytest.param("https://example.com", id="a text"),
    ],
)
async def test_citation_that_cannot_be_read_is_left_out_and_logged(annotation, api, caplog):
    api.script(Turn(text="Hello there", annotations=[annotation, URL]))
    chat = Chat()
    events = await chat.say("Hi")
    assert answers(events) == ["Hello there"]
    assert errors(events) == []
    assert announced(events) == [(0, url_source())]
    assert await stored(chat) == [url_source()]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "this could not be read and was left out: a citation" in caplog.text


async def test_cited_text_can_be_gone_on_from(api):
    api.script(
        Turn(text="Hello", annotations=[URL | {"title": None}, {"type": "moon_citation"}]),
        Turn(call=("look_up", {})),
        Turn(text="Bye", annotations=[FILE]),
    )
    chat = Chat()
    await chat.say("Hi")
    events = await chat.say("Go on")
    assert answers(events) == ["Bye"]
    assert errors(events) == []
    assert len(api.requests) == 3


async def test_text_without_a_field_for_citations_is_an_answer(api):
    api.script(Turn(text="Hello there", annotations=None))
    events = await Chat().say("Hi")
    assert answers(events) == ["Hello there"]
    assert errors(events) == []


class BrokenConverter(ResponseStreamConverter):
    async def url_citation_to_annotation(self, url_citation: Any) -> Any:
        raise LookupError(url_citation.url)

    async def file_citation_to_annotation(self, file_citation: Any) -> Any:
        return file_citation.filename

    async def container_file_citation_to_annotation(self, container_file_citation: Any) -> Any:
        container_file_citation.filename = f"the {container_file_citation.filename}"
        return await super().container_file_citation_to_annotation(container_file_citation)


async def test_citation_on_which_the_converter_fails_is_left_out_and_logged(api, caplog):
    server = AgentChatKitServer(InMemoryStore())
    server.response_converter = BrokenConverter()
    api.script(Turn(text="Hello there", annotations=[URL, FILE, CONTAINER_FILE]))
    chat = Chat(server)
    events = await chat.say("Hi")
    assert answers(events) == ["Hello there"]
    assert errors(events) == []
    assert announced(events) == [(0, file_source("the plot.png"))]
    assert await stored(chat) == [file_source("the plot.png")]
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [
        LookupError,
        TypeError,
    ] * 2
