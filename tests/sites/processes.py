"""A site in a process of its own, on a database of its own on a real PostgreSQL, and browsers that visit its hosts."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
from contextlib import suppress
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

import psycopg
from django.conf import settings

from tests import forks
from tests.chat import CSRF_TOKEN, encode, message
from tests.runs.test_processes import Answer

# A first request waits until the server has started.
PATIENCE = 180.0

SERVE = """
import socket, sys, uvicorn
from django.utils.module_loading import import_string
config = uvicorn.Config(import_string(sys.argv[2]), log_level="warning", lifespan="off")
uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])
"""


class Database:
    """A database on the tests' PostgreSQL that belongs to a role of its own.

    Policies apply to that role, as they do not to a superuser.
    """

    def __init__(self, name: str) -> None:
        self._server = settings.DATABASES["default"]
        self.name = f"{name}_{os.getpid()}"
        with self._connect("postgres") as connection:
            connection.execute(f"CREATE ROLE {self.name}")
            connection.execute(f"CREATE DATABASE {self.name} OWNER {self.name}")

    def settings(self) -> dict[str, Any]:
        """What ``DATABASES["default"]`` is in a process that uses it."""
        names = ("ENGINE", "USER", "PASSWORD", "HOST", "PORT")
        options = {"options": f"-c role={self.name}"}
        return {name: self._server[name] for name in names} | {"NAME": self.name, "OPTIONS": options}

    def execute(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements as a superuser. Returns the rows of the last one, if it has any."""
        with self._connect(self.name) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description is not None else []

    def empty(self, *tables: str) -> None:
        """Delete all rows of these tables and of those that refer to them.

        The site may still be writing the end of an answer, and lock the same tables in another order: then again.
        """
        while True:
            try:
                self.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
            except psycopg.errors.DeadlockDetected:
                continue
            return

    def drop(self) -> None:
        with self._connect("postgres") as connection:
            connection.execute(f"DROP DATABASE {self.name} WITH (FORCE)")
            connection.execute(f"DROP ROLE {self.name}")

    def _connect(self, name: str) -> psycopg.Connection[Any]:
        given = {key: self._server[key.upper()] or None for key in ("user", "password", "host", "port")}
        return psycopg.connect(dbname=name, autocommit=True, **given)


class Site:
    """The processes of one site.

    Args:
        module: where it lives, with ``settings.py`` in it.
        files: the folder for what users send.
    """

    def __init__(self, module: str, database: Database, files: Any) -> None:
        self._environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": f"{module}.settings",
            "CHATKIT_TEST_DATABASE": "",
            "CHATKIT_SITE_DATABASE": json.dumps(database.settings()),
            "CHATKIT_SITE_FILES": str(files),
        }
        self._servers: list[forks.Fork | subprocess.Popen[bytes]] = []

    def run(self, *arguments: str) -> str:
        """What Python prints that is given these arguments."""
        return forks.run([*arguments], environment=self._environment)

    def serve(self, application: str) -> int:
        """Start a server of the application with this path. Returns its port, which can be connected to at once."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            number = listening.fileno()
            self.fork_server(["-c", SERVE, str(number), application], number)
            return int(listening.getsockname()[1])

    def fork_server(self, arguments: list[str], *shared: int) -> forks.Fork:
        """Start Python with these arguments and descriptors. It goes on until ``stop()``."""
        server = forks.start(arguments, environment=self._environment, shared=shared)
        self._servers.append(server)
        return server

    def start_server(self, command: list[str]) -> subprocess.Popen[bytes]:
        """Start a command that goes on until ``stop()``."""
        # In a group of its own: servers have workers, which outlive their master when it is killed.
        server = subprocess.Popen(command, env=self._environment, start_new_session=True)
        self._servers.append(server)
        return server

    def stop(self) -> None:
        for server in self._servers:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()


class Visitor:
    """A browser that visits one host of a site.

    Args:
        headers: further ones that it always sends.
    """

    def __init__(self, port: int, host: str = "testserver", **headers: str) -> None:
        self.port = port
        self.headers = {"Host": host} | headers
        self.cookies = {"csrftoken": CSRF_TOKEN}
        self.endpoint, self.admin = "/chatkit", "/admin/"
        self._open: list[Any] = []

    def close(self) -> None:
        for each in reversed(self._open):
            each.close()

    def ask(
        self, method: str, path: str, body: bytes = b"", content_type: str = "application/json"
    ) -> Answer:
        """A request, and its response as soon as that has begun."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        self._open.append(client)
        headers = self.headers | {
            "Content-Type": content_type,
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "X-CSRFToken": self.cookies["csrftoken"],
        }
        client.request(method, path, body, headers)
        response = client.getresponse()
        self._open.append(response)
        for value in response.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(value).items():
                self.cookies[name] = morsel.value
        return Answer(response)

    def get(self, path: str) -> Answer:
        return self.ask("GET", path).rest()

    def send(self, path: str, **fields: str) -> Answer:
        """A form."""
        body = urlencode({"csrfmiddlewaretoken": self.cookies["csrftoken"]} | fields).encode()
        return self.ask("POST", path, body, "application/x-www-form-urlencoded").rest()

    def log_in(self, name: str, password: str) -> None:
        self.get(f"{self.admin}login/")
        login = self.send(f"{self.admin}login/?next={self.admin}", username=name, password=password)
        assert login.status == 302

    def upload(self, name: str, mime_type: str, content: bytes) -> Answer:
        """A file, sent directly."""
        head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: {mime_type}'
        body = b"--x\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n--x--\r\n"
        return self.ask(
            "POST", f"{self.endpoint}/attachments", body, "multipart/form-data; boundary=x"
        ).rest()

    def chat(self, operation: str, **params: Any) -> Answer:
        return self.ask("POST", self.endpoint, encode(operation, **params))

    def say(self, text: str, thread_id: str | None = None, **fields: Any) -> Answer:
        """A message, in a new thread unless one is named, and its answer as soon as that has begun."""
        if thread_id is None:
            return self.chat("threads.create", input=message(text, **fields))
        return self.chat("threads.add_user_message", thread_id=thread_id, input=message(text, **fields))


def thread_of(answer: Answer) -> str:
    """The id of the thread that an answer has made."""
    return str(next(event["thread"]["id"] for event in answer.events() if event["type"] == "thread.created"))


def texts_of(answer: Answer) -> list[str]:
    """What the assistant has said, message by message."""
    items = [event["item"] for event in answer.events() if event["type"] == "thread.item.done"]
    return [item["content"][0]["text"] for item in items if item["type"] == "assistant_message"]


def visible(answer: Answer) -> str:
    """The words of a page, without its markup."""
    return " ".join(re.sub(r"<[^>]*>", " ", answer.body.decode()).split())
