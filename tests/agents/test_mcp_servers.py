"""MCP servers of agents: connected for a run, closed after it, once per process where they can be."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import openai
import pytest
from agents import Agent, OpenAIResponsesModel
from agents.mcp import MCPServer, MCPServerStdio, MCPServerStreamableHttp
from asgiref.sync import SyncToAsync, ThreadSensitiveContext
from asgiref.testing import ApplicationCommunicator

from chatkit_app.agents import mcp_servers
from chatkit_app.agents.mcp_servers import MCPServerUnreachable, close_all, connected
from chatkit_app.asgi import share_threads
from chatkit_app.testing import ScriptedModel
from tests import forks
from tests.agents.test_approvals import press, widgets
from tests.agents.test_server import COMPOSER, Chat, answers, errors
from tests.chat import Chat as Browser
from tests.openai_server import Turn

ROOT = Path(__file__).resolve().parents[2]
NOT_AVAILABLE = "The assistant is not available at the moment."
ASK = Turn(call=("in_stock", {"article": "lamp"}))

pytestmark = pytest.mark.processes


@pytest.fixture
async def make_agent(openai_client: openai.AsyncOpenAI) -> AsyncIterator[Callable[..., Agent[Any]]]:
    def make(*servers: MCPServer, **fields: Any) -> Agent[Any]:
        model = OpenAIResponsesModel(model="gpt-test", openai_client=openai_client)
        return Agent(**({"name": "Test", "model": model, "mcp_servers": list(servers)} | fields))

    yield make
    await close_all()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log"
    path.touch()
    return path


@pytest.fixture
def stdio(log: Path) -> Callable[..., MCPServerStdio]:
    def make(module: str = "tests.mcp_stdio", **options: Any) -> MCPServerStdio:
        params: Any = {
            "command": sys.executable,
            "args": ["-m", module],
            "cwd": ROOT,
            "env": {"MCP_LOG": str(log)},
        }
        return MCPServerStdio(params=params, name="stock", **options)

    return make


class OverHttp:
    """A server at a port of its own, which can be started and killed."""

    def __init__(self, log: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = log
        self.process: forks.Fork | None = None

    async def start(self) -> None:
        with Path(os.devnull).open("w") as nowhere:
            self.process = forks.start(
                ["-m", "tests.mcp_server", str(self.port)],
                environment=os.environ | {"MCP_LOG": str(self.log)},
                errors=nowhere,
            )
        while True:
            with suppress(OSError):
                _reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                return
            await asyncio.sleep(0.05)

    async def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def client(self, **options: Any) -> MCPServerStreamableHttp:
        url = f"http://127.0.0.1:{self.port}/mcp"
        return MCPServerStreamableHttp(params={"url": url}, name="stock", **options)


@pytest.fixture
async def over_http(log: Path) -> AsyncIterator[OverHttp]:
    server = OverHttp(log)
    yield server
    await server.kill()


def notes(log: Path, what: str) -> list[str]:
    return [line for line in log.read_text().splitlines() if line.startswith(what)]


def output(request: Any) -> str:
    """What the model was told of the tool's result."""
    (found,) = [item for item in request.body["input"] if item.get("type") == "function_call_output"]
    return str(found["output"])


# How long it is connected


async def test_server_of_the_sites_agent_is_connected_once(api, make_agent, stdio, log, settings):
    settings.CHATKIT = {"AGENT": make_agent(stdio("tests.mcp_server"))}
    api.script(ASK, "Seven", ASK, "Still seven", "Bye")
    chat = Chat()

    said = [answers(await chat.say(text)) for text in ("How many?", "Sure?", "Thanks")]

    assert said == [["Seven"], ["Still seven"], ["Bye"]]
    assert "7 of lamp" in output(api.requests[1])
    assert len(notes(log, "asked for lamp")) == 2
    assert len(notes(log, "start")) == 1
    assert notes(log, "end") == []
    await close_all()
    assert len(notes(log, "end")) == 1


async def test_server_made_for_an_answer_is_closed_with_it(api, make_agent, stdio, log, settings):
    settings.CHATKIT = {"AGENT": lambda context: make_agent(stdio())}
    api.script(ASK, "Seven", "Bye")
    chat = Chat()

    await chat.say("How many?")
    assert (len(notes(log, "start")), len(notes(log, "end"))) == (1, 1)
    await chat.say("Thanks")
    assert (len(notes(log, "start")), len(notes(log, "end"))) == (2, 2)


async def test_server_that_a_function_brings_again_is_kept(api, make_agent, stdio, log, settings):
    agent = make_agent(stdio())
    settings.CHATKIT = {"AGENT": lambda context: agent}
    api.script("A", "B", "C")
    chat = Chat()
    for text in ("One", "Two", "Three"):
        await chat.say(text)
    assert (len(notes(log, "start")), len(notes(log, "end"))) == (2, 1)


async def test_server_of_an_agent_handed_over_to_is_connected(api, make_agent, stdio, settings):
    stock = make_agent(stdio(), name="stock")
    settings.CHATKIT = {"AGENT": make_agent(handoffs=[stock])}
    api.script(Turn(call=("transfer_to_stock", {})), ASK, "Seven")

    events = await Chat().say("How many?")

    assert answers(events) == ["Seven"]
    (result,) = [each for each in api.requests[2].body["input"] if "7 of lamp" in str(each.get("output"))]
    assert result["type"] == "function_call_output"


async def test_answers_at_once_share_a_connection(api, make_agent, stdio, log, settings):
    agent = make_agent(stdio())
    settings.CHATKIT = {"AGENT": lambda context: agent}
    api.script("A", "A", "A")
    said = await asyncio.gather(*(Chat().say("Hi") for _ in range(3)))
    assert [answers(events) for events in said] == [["A"]] * 3
    assert len(notes(log, "start")) == 1


async def test_server_that_the_site_connects_is_left_alone(api, make_agent, stdio, log, settings):
    async with stdio() as server:
        settings.CHATKIT = {"AGENT": make_agent(server)}
        api.script(ASK, "Seven")
        await Chat().say("How many?")
        await close_all()
        assert server.session is not None
        assert (len(notes(log, "start")), len(notes(log, "end"))) == (1, 0)


async def test_server_over_http_is_asked(api, make_agent, over_http, settings):
    await over_http.start()
    settings.CHATKIT = {"AGENT": lambda context: make_agent(over_http.client())}
    api.script(ASK, "Seven")
    assert answers(await Chat().say("How many?")) == ["Seven"]
    assert "7 of lamp" in output(api.requests[1])


async def test_tool_of_a_server_can_be_picked_in_the_composer(api, make_agent, stdio, settings):
    tools = [{"id": "in_stock", "label": "Stock"}]
    settings.CHATKIT = {
        "AGENT": make_agent(stdio()),
        "OPTIONS": {"composer": COMPOSER | {"tools": tools}},
    }
    api.script(ASK, "Seven")
    await Chat().say("How many?", tool_choice={"id": "in_stock"})
    assert api.requests[0].body["tool_choice"] == {"type": "function", "name": "in_stock"}


@pytest.mark.django_db(transaction=True)
async def test_approved_tool_of_a_server_is_called(api, make_agent, stdio, log, settings):
    settings.CHATKIT = {"AGENT": lambda context: make_agent(stdio(require_approval="always"))}
    api.script(ASK, "Seven")
    chat = Browser()
    asked = await chat.say("How many?")
    assert notes(log, "asked") == []

    answered = await chat.ask("threads.custom_action", **press(widgets(asked)[0], "Approve"))

    assert answered.text() == "Seven"
    assert notes(log, "asked") == ["asked for lamp"]


# When it is not there


@pytest.mark.django_db(transaction=True)
async def test_approval_stays_open_while_the_server_cannot_be_reached(
    api, make_agent, over_http, log, settings
):
    await over_http.start()
    settings.CHATKIT = {"AGENT": lambda context: make_agent(over_http.client(require_approval="always"))}
    api.script(ASK, "Seven")
    chat = Browser()
    asked = await chat.say("How many?")
    await over_http.kill()

    first = await chat.ask("threads.custom_action", **press(widgets(asked)[0], "Approve"))
    assert first.error()["message"] == NOT_AVAILABLE

    await over_http.start()
    second = await chat.ask("threads.custom_action", **press(widgets(asked)[0], "Approve"))
    assert second.text() == "Seven"
    assert notes(log, "asked") == ["asked for lamp"]


async def test_server_that_cannot_be_reached_is_a_readable_error_and_tried_again(
    api, make_agent, over_http, settings, caplog
):
    settings.CHATKIT = {"AGENT": make_agent(over_http.client())}
    api.script(ASK, "Seven")
    chat = Chat()

    assert errors(await chat.say("How many?")) == [(NOT_AVAILABLE, True)]
    assert "The MCP server 'stock' cannot be reached" in caplog.text
    assert "See whether it runs" in caplog.text

    await over_http.start()
    assert answers(await chat.say("How many?")) == ["Seven"]


async def test_command_that_does_not_exist_is_a_readable_error(api, make_agent, settings, caplog):
    server = MCPServerStdio(params={"command": "/nowhere/server"}, name="lost")
    settings.CHATKIT = {"AGENT": lambda context: make_agent(server)}
    assert errors(await Chat().say("Hi")) == [(NOT_AVAILABLE, True)]
    assert "The MCP server 'lost' cannot be reached (FileNotFoundError" in caplog.text


async def test_server_beside_one_that_cannot_be_reached_is_closed(api, make_agent, stdio, log, settings):
    lost = MCPServerStdio(params={"command": "/nowhere/server"}, name="lost")
    settings.CHATKIT = {"AGENT": lambda context: make_agent(stdio(), lost)}
    assert errors(await Chat().say("Hi")) == [(NOT_AVAILABLE, True)]
    assert (len(notes(log, "start")), len(notes(log, "end"))) == (1, 1)


async def test_process_that_has_died_is_started_again(api, make_agent, stdio, log, settings):
    settings.CHATKIT = {"AGENT": make_agent(stdio())}
    api.script("Hello", ASK, "Seven")
    chat = Chat()
    await chat.say("Hi")
    os.kill(int(notes(log, "start")[0].split()[1]), signal.SIGKILL)

    assert answers(await chat.say("How many?")) == ["Seven"]

    assert "7 of lamp" in output(api.requests[2])
    assert len(notes(log, "start")) == 2


async def test_server_over_http_that_was_restarted_is_connected_again(
    api, make_agent, over_http, log, settings
):
    await over_http.start()
    settings.CHATKIT = {"AGENT": make_agent(over_http.client())}
    api.script("Hello", ASK, "Seven")
    chat = Chat()
    await chat.say("Hi")
    await over_http.kill()
    await over_http.start()

    assert answers(await chat.say("How many?")) == ["Seven"]
    assert "7 of lamp" in output(api.requests[2])


# Without a process, at the seams


class FakeServer(MCPServer):
    """A server whose connection opens and closes as the test says."""

    def __init__(self) -> None:
        super().__init__()
        self.may_open = asyncio.Event()
        self.may_close = asyncio.Event()
        self.may_open.set()
        self.may_close.set()
        self.calls: list[str] = []
        self.tasks: set[Any] = set()

    @property
    def name(self) -> str:
        return "fake"

    async def connect(self) -> None:
        self.calls.append("connect")
        self.tasks.add(asyncio.current_task())
        await self.may_open.wait()

    async def cleanup(self) -> None:
        self.tasks.add(asyncio.current_task())
        await self.may_close.wait()
        self.calls.append("cleanup")

    async def list_tools(self, run_context: Any = None, agent: Any = None) -> list[Any]:
        return []

    async def call_tool(self, *args: Any, **options: Any) -> Any:
        raise NotImplementedError

    async def list_prompts(self) -> Any:
        raise NotImplementedError

    async def get_prompt(self, name: str, arguments: Any = None) -> Any:
        raise NotImplementedError


def with_fake(server: FakeServer) -> Agent[Any]:
    return Agent(name="Test", model=ScriptedModel(["A", "B"]), mcp_servers=[server])


async def test_connection_is_closed_by_the_task_that_opened_it():
    server = FakeServer()
    async with connected(with_fake(server)):
        assert server.calls == ["connect"]
    assert server.calls == ["connect", "cleanup"]
    (task,) = server.tasks
    assert task is not asyncio.current_task()


async def test_answer_stopped_while_it_connects_leaves_the_connection_usable():
    server = FakeServer()
    server.may_open.clear()
    agent = with_fake(server)

    async def use() -> None:
        async with connected(agent):
            pass

    first, second = asyncio.create_task(use()), asyncio.create_task(use())
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.wait([first])
    server.may_open.set()
    await second

    assert first.cancelled()
    assert server.calls == ["connect"]
    await close_all()
    assert server.calls == ["connect", "cleanup"]


async def test_answer_stopped_while_it_connects_alone_waits_for_nothing():
    server = FakeServer()
    server.may_open.clear()

    async def use() -> None:
        async with connected(with_fake(server)):
            pass

    answer = asyncio.create_task(use())
    await asyncio.sleep(0.01)
    answer.cancel()
    await asyncio.wait([answer], timeout=5)

    assert answer.cancelled()
    assert server.calls == ["connect", "cleanup"]


async def test_server_that_comes_again_while_it_is_being_closed_is_connected():
    server = FakeServer()
    server.may_close.clear()
    agent = with_fake(server)

    async def use() -> list[str]:
        async with connected(agent):
            return list(server.calls)

    first = asyncio.create_task(use())
    await asyncio.sleep(0.01)
    second = asyncio.create_task(use())
    await asyncio.sleep(0.01)
    server.may_close.set()

    assert await first == ["connect"]
    assert await second == ["connect", "cleanup", "connect"]
    await close_all()


async def test_server_that_does_not_connect_is_given_up(monkeypatch):
    monkeypatch.setattr(mcp_servers, "CONNECT_TIMEOUT", 0.05)
    server = FakeServer()
    server.may_open.clear()
    with pytest.raises(MCPServerUnreachable, match=r"'fake' cannot be reached \(TimeoutError"):
        async with connected(with_fake(server)):
            pass
    assert server.calls == ["connect", "cleanup"]


async def test_server_that_does_not_close_holds_nothing_up(monkeypatch, caplog):
    monkeypatch.setattr(mcp_servers, "CLOSE_TIMEOUT", 0.05)
    server = FakeServer()
    server.may_close.clear()
    async with connected(with_fake(server)):
        pass
    assert "The MCP server 'fake' was not closed properly" in caplog.text


async def test_connection_does_not_keep_the_threads_of_the_request_that_opened_it():
    found = []

    class Server(FakeServer):
        async def connect(self) -> None:
            found.append(SyncToAsync.thread_sensitive_context.get(None))

    async with ThreadSensitiveContext(), connected(with_fake(Server())):
        pass
    assert found == [None]


# The end of the process


async def test_lifespan_closes_the_connections(settings):
    server = FakeServer()
    agent = with_fake(server)
    settings.CHATKIT = {"AGENT": agent}
    async with connected(agent):
        pass
    assert server.calls == ["connect"]
    communicator = ApplicationCommunicator(share_threads(None), {"type": "lifespan"})
    await communicator.send_input({"type": "lifespan.startup"})
    await communicator.receive_output()
    await communicator.send_input({"type": "lifespan.shutdown"})

    assert await communicator.receive_output(timeout=10) == {"type": "lifespan.shutdown.complete"}
    assert server.calls == ["connect", "cleanup"]


def test_end_of_the_event_loop_closes_the_connections(settings, stdio, log):
    async def answer() -> None:
        agent = Agent(name="Test", mcp_servers=[stdio()])
        settings.CHATKIT = {"AGENT": agent}
        async with connected(agent):
            pass
        assert notes(log, "end") == []

    asyncio.run(answer())

    assert len(notes(log, "end")) == 1
