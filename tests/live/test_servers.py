"""Sockets of real servers: a page hears by each of them, and holds none up that is to end."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from chatkit_app.models import Thread
from tests.attack.served import EXIT_CODES, OURS, Served
from tests.runs.test_processes import PATIENCE, Browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


@pytest.fixture
def browser() -> Iterator[Browser]:
    browser = Browser()
    yield browser
    browser.close()


def open_page(served: Served, browser: Browser) -> ClientConnection:
    address = f"127.0.0.1:{served.port}"
    return connect(
        f"ws://{address}/ws/chatkit/?endpoint=/chatkit",
        additional_headers={
            "Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        },
        origin=f"http://{address}",  # type: ignore[arg-type]
        open_timeout=PATIENCE,
    )


def next_of(page: ClientConnection, type: str) -> dict[str, Any]:
    while True:
        told: dict[str, Any] = json.loads(page.recv(timeout=PATIENCE))
        if told["type"] == type:
            return told


@pytest.mark.parametrize("server", ["uvicorn", "daphne", "hypercorn", "gunicorn", "granian", "runserver"])
def test_page_hears_by_each_server_which_ends_in_spite_of_it(server: str, browser: Browser) -> None:
    if server == "hypercorn" and sys.version_info >= (3, 12, 1):
        pytest.skip("It waits for open connections, in spite of its limit: docs/deployment/servers.md")
    # The others have workers that are no forks. Each is started as usual in process/test_shutdown.py.
    is_forked = server in ("uvicorn", "daphne", "gunicorn", "runserver")
    served = Served(server, OURS, is_forked=is_forked)
    try:
        served.wait()
        thread_id = browser.say(served, "1").rest().events()[0]["thread"]["id"]
        with open_page(served, browser) as page:
            page.send(json.dumps({"follow": thread_id, "after": 0}))
            assert next_of(page, "changed")["thread"] == thread_id
            browser.say(served, "2", thread_id).rest()
            version = Thread.objects.get().version
            while next_of(page, "changed")["version"] < version:
                pass
            served.terminate()
            assert served.ended() == EXIT_CODES.get(server, 0), served.output()
    finally:
        served.kill()
