"""Pages with a socket, as a browser opens them, for tests."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from channels.testing import WebsocketCommunicator

from chatkit_app.asgi import get_asgi_application
from tests.chat import PATIENCE, Chat

OWN_ORIGIN = "http://testserver"

Opener = Callable[..., Awaitable["Page"]]
"""Opens a page; its arguments are those of ``Page``."""


class Page:
    """A socket of a browser profile.

    Args:
        chat: the browser's.
        path: the address, with its query.
        origin: the origin of the page that opens it; None for a client that names none.
    """

    def __init__(
        self, chat: Chat, path: str = "/ws/chatkit/?endpoint=/chatkit", *, origin: str | None = OWN_ORIGIN
    ) -> None:
        cookies = "; ".join(f"{name}={value}" for name, value in chat.cookies.items())
        headers = [(b"host", b"testserver"), (b"cookie", cookies.encode())]
        if origin is not None:
            headers.append((b"origin", origin.encode()))
        self._socket = WebsocketCommunicator(get_asgi_application(), path, headers)
        self._socket.scope["server"] = ("testserver", 80)

    async def open(self) -> Page:
        await self._socket.connect(timeout=PATIENCE)
        return self

    async def send(self, **message: Any) -> None:
        await self._socket.send_to(text_data=json.dumps(message))

    async def send_text(self, text: str) -> None:
        await self._socket.send_to(text_data=text)

    async def next(self, type: str | None = None) -> dict[str, Any]:
        """The next message, or the next of one type."""
        while True:
            told: dict[str, Any] = await self._socket.receive_json_from(timeout=PATIENCE)
            if type is None or told["type"] == type:
                return told

    async def code(self) -> int:
        """The code with which it is closed, whatever is told before."""
        while True:
            event = await self._socket.receive_output(timeout=PATIENCE)
            if event["type"] == "websocket.close":
                return int(event.get("code", 1000))

    async def close(self) -> None:
        await self._socket.disconnect(timeout=PATIENCE)
