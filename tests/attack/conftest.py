"""A site in this process that is asked by HTTP, and its log."""

from __future__ import annotations

import io
import logging
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from .site_settings import SITE

PATIENCE = 20.0


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a uvicorn in a thread."""
    from .asgi import application

    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        application,
        log_config=None,
        # Of an older uvicorn, what it imports for these warns with a newer websockets.
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=60,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    deadline = time.monotonic() + PATIENCE
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    yield int(listener.getsockname()[1])
    server.should_exit = True
    thread.join(timeout=10)
    listener.close()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the log of a site has, in Python's own format."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def site(port: int, settings: Any, tmp_path: Path, transactional_db: None) -> int:
    """The port of a site whose model says back what it is told. Whoever wants may do so as often as he likes."""
    settings.MEDIA_ROOT = tmp_path
    settings.CHATKIT = SITE
    return port
