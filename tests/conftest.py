"""Fixtures shared by all tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from tests.openai_server import OpenAIServer

pytest.register_assert_rewrite("chatkit_app.testing.store_contract")


@pytest.fixture(autouse=True)
def no_leftovers():
    """No answer and no database connection outlives the test that made it."""
    yield
    from chatkit_app import db
    from chatkit_app.runs import registry

    for index in (registry._live, registry._by_thread, registry._by_request):
        index.clear()
    db.shutdown()


@pytest.fixture
def use(settings: Any) -> Any:
    """Configure the app: the name of a class in ``tests.servers``, and other keys."""

    def configure(server: str, **keys: Any) -> None:
        settings.CHATKIT = {
            "SERVER": f"tests.servers.{server}",
            "CHECKPOINT_INTERVAL": 0.05,
            **keys,
        }

    return configure


@pytest.fixture
async def gate() -> asyncio.Event:
    """What ``SlowServer`` waits for in mid-answer."""
    from tests.servers import SlowServer

    SlowServer.gate = asyncio.Event()
    SlowServer.started = 0
    return SlowServer.gate


@pytest.fixture
async def api() -> AsyncIterator[OpenAIServer]:
    """A server with OpenAI's API."""
    from tests.openai_server import openai_server

    async with openai_server() as server:
        yield server


@pytest.fixture
async def openai_client(api: OpenAIServer) -> AsyncIterator[AsyncOpenAI]:
    """OpenAI's own client of ``api``, which tries once."""
    from openai import AsyncOpenAI

    async with AsyncOpenAI(api_key="sk-test", base_url=api.url, max_retries=0) as client:
        yield client
