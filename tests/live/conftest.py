"""A channel layer: the one in memory, and Redis where it is installed."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import pytest

from chatkit_app.live import bells, layer


class RedisServer:
    """A Redis of our own, which can be killed and started again."""

    def __init__(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.port = taken.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        command = ["redis-server", "--port", str(self.port), "--save", "", "--loglevel", "warning"]
        self.process = subprocess.Popen(command, cwd=tempfile.gettempdir(), stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise TimeoutError("redis-server does not answer")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    @property
    def layers(self) -> dict[str, Any]:
        """``CHANNEL_LAYERS`` of a site that has it."""
        config = {"hosts": [self.url]}
        return {"default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": config}}


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed.")
    server = RedisServer()
    server.start()
    yield server
    server.kill()


@pytest.fixture
def redis(redis_server: RedisServer, settings: Any) -> RedisServer:
    """The site's channel layer is Redis."""
    if redis_server.process is None:
        redis_server.start()
    settings.CHANNEL_LAYERS = redis_server.layers
    return redis_server


@pytest.fixture(params=["memory", "redis"])
def any_layer(request: pytest.FixtureRequest) -> str:
    """The site's channel layer is the one in memory, and then Redis."""
    if request.param == "redis":
        request.getfixturevalue("redis")
    return str(request.param)


@pytest.fixture(autouse=True)
def no_bells_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins with a layer that has not failed, and with nothing to be rung."""
    bells.bells.forget()
    monkeypatch.setattr(layer, "state", layer.LayerState())
