"""Fixtures shared by all tests."""

import asyncio
from typing import Any

import pytest

pytest.register_assert_rewrite("chatkit_app.store_contract")


@pytest.fixture(autouse=True)
def no_leftovers():
    """No answer and no database connection outlives the test that made it."""
    yield
    from chatkit_app import db, runs

    for index in (runs._live, runs._by_thread, runs._by_request):
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
