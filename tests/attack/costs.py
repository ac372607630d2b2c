"""What one stranger can make a site pay for: ``python -m tests.attack.costs``.

Two server processes on one database, SQLite or with ``CHATKIT_TEST_DATABASE=postgres`` PostgreSQL, are attacked with
all limits off, and with those that a site has unless it says otherwise. It ends with 1 when one of these lets
more through than it allows, or when there was no more to stop.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

from tests.chat import CSRF_TOKEN, encode, message

ANSWERS, THREADS, VISITORS = 2_000, 1_000, 100
AT_ONCE = 40
LONG = "x" * 2_400_000
FILE = b"a file"
SERVE = """
import sys, socket, uvicorn
config = uvicorn.Config("tests.asgi:application", log_level="critical", lifespan="off")
uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])
"""


@contextmanager
def site(folder: Path, limits: dict[str, Any], server: str) -> Iterator[list[int]]:
    """The ports of two processes, which end with the block. Its tables are there and empty."""
    from django.apps import apps
    from django.conf import settings
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("flush", verbosity=0, interactive=False)
    assert apps.ready
    names = ("ENGINE", "NAME", "OPTIONS", "USER", "PASSWORD", "HOST", "PORT")
    database = {name: settings.DATABASES["default"][name] for name in names}
    environment = os.environ | {
        "CHATKIT_PROCESS_DATABASE": json.dumps(database),
        "CHATKIT_PROCESS_SETTINGS": json.dumps(
            {
                "SERVER": f"tests.servers.{server}",
                "LIMITS": limits,
                "ATTACHMENTS": {"STORAGE": "default"},
            }
        ),
    }
    processes, ports = [], []
    for _ in range(2):
        listening = socket.create_server(("127.0.0.1", 0), backlog=512)
        ports.append(listening.getsockname()[1])
        command = [sys.executable, "-c", SERVE, str(listening.fileno())]
        processes.append(
            subprocess.Popen(
                command,
                env=environment | {"PYTHONPATH": str(Path.cwd())},
                pass_fds=[listening.fileno()],
                stderr=subprocess.DEVNULL,
                cwd=folder,
            )
        )
        listening.close()
    try:
        yield ports
    finally:
        for process in processes:
            process.kill()
            process.wait()


class Stranger:
    """Somebody with a script, who keeps cookies and reads no further than needed."""

    def __init__(self, **cookies: str) -> None:
        self.cookies = {"csrftoken": CSRF_TOKEN, **cookies}

    def post(
        self, port: int, path: str, body: bytes, *, kind: str = "application/json", read: bool = True
    ) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        try:
            headers = {
                "Content-Type": kind,
                "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
                "X-CSRFToken": CSRF_TOKEN,
            }
            connection.request("POST", path, body, headers)
            with connection.getresponse() as response:
                for value in response.headers.get_all("Set-Cookie", []):
                    for name, morsel in SimpleCookie(value).items():
                        self.cookies[name] = morsel.value
                if read:
                    response.read()
                else:
                    response.read1(100)
        finally:
            connection.close()

    def say(self, port: int, text: str, *, read: bool = True, **fields: Any) -> None:
        body = encode("threads.create", input=message(text, **fields))
        self.post(port, "/chatkit", body, read=read)


def at_once(count: int, one: Callable[[int], None]) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, range(count)))


def start_answers(ports: list[int]) -> None:
    """Answers that nobody reads: the connection is closed with the first bytes."""
    visitor = Stranger()
    visitor.say(ports[0], "0")
    at_once(ANSWERS - 1, lambda number: visitor.say(ports[number % 2], "150", read=False))


def make_threads(ports: list[int]) -> None:
    visitor = Stranger()
    visitor.say(ports[0], "hi")
    at_once(THREADS - 1, lambda number: visitor.say(ports[number % 2], "hi"))


def send_as_new_visitors(ports: list[int]) -> None:
    head = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="cat.txt"\r\n'
        b"Content-Type: text/plain\r\n\r\n"
    )

    def one(number: int) -> None:
        visitor = Stranger(sessionid=f"{number:032}", chatkit_first=f"{number:032x}")
        path, kind = "/chatkit/attachments", "multipart/form-data; boundary=b"
        visitor.post(ports[number % 2], path, head + FILE + b"\r\n--b--\r\n", kind=kind)

    at_once(VISITORS, one)


def write_at_length(ports: list[int]) -> None:
    fields: list[dict[str, Any]] = [
        {"content": [{"type": "input_text", "text": LONG}]},
        {"quoted_text": LONG},
        {"inference_options": {"model": LONG}},
    ]
    for number, field in enumerate(fields):
        Stranger().say(ports[number % 2], "hi", **field)


def count_runs() -> int:
    from chatkit_app.models import Run

    return Run.objects.count()


def count_threads() -> int:
    from chatkit_app.models import Thread

    return Thread.objects.count()


def count_files() -> int:
    from chatkit_app.models import Attachment

    return Attachment.objects.count()


# What is done, with which server, what is counted, and how much of it the limits allow.
ATTACKS: list[tuple[str, str, Any, Callable[[], int], int]] = [
    (f"{ANSWERS} answers of one visitor, unread", "PacedServer", start_answers, count_runs, 30),
    (f"{THREADS} threads of one visitor", "EchoServer", make_threads, count_threads, 30),
    (
        f"{VISITORS} visitors with a made-up cookie, a file each",
        "EchoServer",
        send_as_new_visitors,
        count_files,
        60,
    ),
    ("3 messages with 2.4 MB in a field", "EchoServer", write_at_length, count_threads, 0),
]


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="chatkit-attack-"))
    from tests.settings import DATABASES

    database: dict[str, Any] = {**DATABASES["default"]}
    database.pop("TEST", None)
    if database["ENGINE"].endswith("sqlite3"):
        database["NAME"] = str(folder / "db.sqlite3")
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "tests.process_settings",
        "CHATKIT_PROCESS_DATABASE": json.dumps(database),
        "CHATKIT_PROCESS_SETTINGS": "{}",
    }
    import django

    django.setup()
    from django.db import connections

    from chatkit_app.conf import LIMIT_DEFAULTS

    failed = False
    print(f"{'attack':<55} {'no limits':>18} {'limits':>18}")
    for name, server, attack, count, allowed in ATTACKS:
        figures: list[int] = []
        times: list[str] = []
        for limits in (dict.fromkeys(LIMIT_DEFAULTS), {}):
            with site(folder, limits, server) as ports:
                started = time.perf_counter()
                attack(ports)
                taken = time.perf_counter() - started
            figures.append(count())
            times.append(f"{figures[-1]} in {taken:.0f} s")
            connections.close_all()
        print(f"{name:<55} {times[0]:>18} {times[1]:>18}", flush=True)
        # An attack that comes to nothing without limits says nothing about them.
        failed |= figures[1] > allowed or figures[0] <= allowed
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
