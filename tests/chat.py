"""A browser for tests: it speaks ASGI to the whole site, keeps cookies, reads bit by bit and may walk away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from http.cookies import SimpleCookie
from importlib import import_module
from typing import Any

from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core.handlers.asgi import ASGIHandler

from chatkit_app import db

CSRF_TOKEN = "t" * 32
PATIENCE = 60.0


class Exchange:
    """One request, and what has come of its response so far."""

    def __init__(self, communicator: ApplicationCommunicator, chat: Chat) -> None:
        self._communicator = communicator
        self._chat = chat
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.ended = False
        self._read = 0

    async def _receive(self) -> None:
        message = await self._communicator.receive_output(timeout=PATIENCE)
        if message["type"] == "http.response.start":
            self.status = message["status"]
            for name, value in message["headers"]:
                if name.lower() == b"set-cookie":
                    for key, morsel in SimpleCookie(value.decode()).items():
                        if morsel["max-age"] == "0":
                            self._chat.cookies.pop(key, None)
                        else:
                            self._chat.cookies[key] = morsel.value
                self.headers[name.decode().lower()] = value.decode()
        else:
            self.body += message.get("body", b"")
            self.ended = not message.get("more_body", False)

    async def begin(self) -> Exchange:
        """Wait for the response's head."""
        while not self.status:
            await self._receive()
        return self

    async def rest(self) -> Exchange:
        """Wait for the response's end."""
        while not self.ended:
            await self._receive()
        await self._communicator.wait(timeout=PATIENCE)
        return self

    async def until(self, text: str) -> bytes:
        """Read until the body holds this text."""
        while text.encode() not in self.body:
            assert not self.ended, f"{text!r} never came: {self.body!r}"
            await self._receive()
        return self.body

    async def disconnect(self) -> None:
        """Go away in the middle, and wait until the application has noticed."""
        await self._communicator.send_input({"type": "http.disconnect"})
        await self._communicator.wait(timeout=PATIENCE)

    @property
    def run_id(self) -> str:
        return self.headers["x-chatkit-run"]

    @property
    def thread_id(self) -> str:
        return next(event["thread"]["id"] for event in self.events() if event["type"] == "thread.created")

    def json(self) -> Any:
        assert self.headers["content-type"] == "application/json"
        return json.loads(self.body)

    def events(self) -> list[dict[str, Any]]:
        from chatkit_app.testing import decode_events  # scripts set Django up later than they import this

        assert self.headers["content-type"] == "text/event-stream"
        return decode_events(self.body)

    def types(self) -> list[str]:
        return [event["type"] for event in self.events()]

    def text(self) -> str:
        """The text of the assistant's finished messages."""
        return "|".join(
            "".join(part["text"] for part in event["item"]["content"])
            for event in self.events()
            if event["type"] == "thread.item.done" and event["item"]["type"] == "assistant_message"
        )

    def error(self) -> dict[str, Any]:
        """The one error event of this stream."""
        (error,) = [event for event in self.events() if event["type"] == "error"]
        return error


class Chat:
    """One browser profile.

    Args:
        application: the ASGI application; Django's own with the settings of this moment unless given.
        path: where the endpoint is.
        frame: the id of the client's frame.
    """

    def __init__(self, application: Any = None, *, path: str = "/chatkit", frame: str = "frame-1") -> None:
        self.application = application or ASGIHandler()
        self.path = path
        self.frame = frame
        self.cookies: dict[str, str] = {"csrftoken": CSRF_TOKEN}

    async def open(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        *,
        csrf: bool = True,
        length: bool = True,
    ) -> Exchange:
        """Begin a request and return as soon as the response has begun."""
        exchange = self.start(method, path, body, headers, csrf=csrf, length=length)
        return await exchange.begin()

    def start(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        *,
        csrf: bool = True,
        length: bool = True,
    ) -> Exchange:
        """Begin a request and return at once."""
        sent = {
            "host": "testserver",
            "content-type": "application/json",
            "cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "chatkit-frame-instance-id": self.frame,
        }
        if length:
            sent["content-length"] = str(len(body))
        if csrf:
            sent["x-csrftoken"] = CSRF_TOKEN
        sent |= {name.lower(): value for name, value in (headers or {}).items()}
        path, _, query = path.partition("?")
        communicator = ApplicationCommunicator(
            self.application,
            {
                "type": "http",
                "asgi": {"version": "3.0"},
                "http_version": "1.1",
                "method": method,
                "scheme": "http",
                "path": path,
                "raw_path": path.encode(),
                "root_path": "",
                "query_string": query.encode(),
                "headers": [(name.encode(), value.encode()) for name, value in sent.items() if value],
                "client": ("127.0.0.1", 40000),
                "server": ("testserver", 80),
            },
        )
        communicator.input_queue.put_nowait({"type": "http.request", "body": body, "more_body": False})
        assert communicator.future is not None
        return Exchange(communicator, self)

    # The protocol

    async def begin(self, operation: str, headers: dict[str, str] | None = None, **params: Any) -> Exchange:
        """An operation whose response has begun."""
        return await self.open("POST", self.path, encode(operation, **params), headers)

    async def ask(self, operation: str, headers: dict[str, str] | None = None, **params: Any) -> Exchange:
        """An operation and its whole response."""
        return await (await self.begin(operation, headers, **params)).rest()

    async def post(self, body: bytes, headers: dict[str, str] | None = None, **options: Any) -> Exchange:
        """Any body and its whole response."""
        return await (await self.open("POST", self.path, body, headers, **options)).rest()

    async def say(self, text: str, thread_id: str | None = None, **options: Any) -> Exchange:
        """A message, in a new thread unless one is named, and the whole answer."""
        return await (await self.begin_saying(text, thread_id, **options)).rest()

    async def begin_saying(self, text: str, thread_id: str | None = None, **options: Any) -> Exchange:
        if thread_id is None:
            return await self.begin("threads.create", input=message(text), **options)
        return await self.begin(
            "threads.add_user_message", thread_id=thread_id, input=message(text), **options
        )

    async def stop(self, run_id: str, **options: Any) -> Exchange:
        path = f"{self.path}/runs/{run_id}/stop"
        return await (await self.open("POST", path, **options)).rest()

    async def follow(self, run_id: str) -> Exchange:
        """The run's events from the start; the response has begun."""
        return await self.open("GET", f"{self.path}/runs/{run_id}/events")

    async def items(self, thread_id: str) -> list[dict[str, Any]]:
        reply = await self.ask("items.list", thread_id=thread_id, order="asc", limit=100)
        return list(reply.json()["data"])

    async def log_in(self, user: Any) -> None:
        """A session of this user, without the visitor's data."""

        def make_session() -> str:
            session = import_module(settings.SESSION_ENGINE).SessionStore()
            session[SESSION_KEY] = str(user.pk)
            session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
            session[HASH_SESSION_KEY] = user.get_session_auth_hash()
            session.save()
            return str(session.session_key)

        self.cookies["sessionid"] = await db.run(make_session)


def encode(operation: str, **params: Any) -> bytes:
    return json.dumps({"type": operation, "params": params}).encode()


def message(text: str, **fields: Any) -> dict[str, Any]:
    """The ``input`` of a message."""
    return {
        "content": [{"type": "input_text", "text": text}],
        "attachments": [],
        "inference_options": {},
    } | fields


async def eventually(condition: Callable[[], Any]) -> Any:
    """Wait until this is true. For things that happen on their own, a moment later."""
    async with asyncio.timeout(PATIENCE):
        while not (result := condition()):
            await asyncio.sleep(0.01)
    return result


async def rows_become(condition: Callable[[], Any]) -> Any:
    """Wait until this is true of the database."""
    async with asyncio.timeout(PATIENCE):
        while not (result := await db.run(condition)):
            await asyncio.sleep(0.02)
    return result


async def collect(frames: AsyncIterator[bytes]) -> list[dict[str, Any]]:
    """All events of an iterator of frames."""
    from chatkit_app.testing import decode_events

    return decode_events(b"".join([frame async for frame in frames]))
