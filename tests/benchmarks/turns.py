"""How much a turn and a read cost the server. ``python -m tests.benchmarks.turns [--users 200] [--reads 20]``.

Starts a site of its own under uvicorn, on SQLite or with ``--database postgres`` on a PostgreSQL of its own, and holds
so many conversations at once, each with a model that says 100 words, one every 50 ms. Prints a line of JSON: CPU of the
server per turn and per read, the first event's delay, peaks of memory, threads and connections to the database.
``--settings`` is a dictionary over ``CHATKIT``.

Figures of different machines, or of a machine that is busy, do not compare: measure what you compare with in one run.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

WORDS = 100
PAUSE = 0.05
READS = ("threads.list", "threads.get_by_id", "items.list")
AT_ONCE = 16
"""Page views and reads that are under way at once."""


class Server:
    """The measured process."""

    settings_module = "tests.benchmarks.turns_site"

    def __init__(self, database: str, settings: dict[str, Any]) -> None:
        self._database = database
        self._folder = tempfile.TemporaryDirectory(prefix="chatkit-benchmark-")
        environment = self.environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": self.settings_module,
            "CHATKIT_BENCHMARK_FOLDER": self._folder.name,
            "CHATKIT_BENCHMARK_SETTINGS": json.dumps(settings),
            "CHATKIT_TEST_DATABASE": database,
        }
        if database == "postgres":
            from tests.postgres import postgres_settings

            postgres_settings()
            environment["TEST_POSTGRES_URL"] = os.environ["TEST_POSTGRES_URL"]
        migrate = [sys.executable, "-m", "django", "migrate", "--verbosity", "0"]
        subprocess.run(migrate, env=environment, check=True)
        self.port = free_port()
        self.process = self.start(self.port)

    def start(self, port: int) -> subprocess.Popen[bytes]:
        """Start one process of the site, and wait until it takes requests."""
        serve = [sys.executable, "-m", "uvicorn", "tests.benchmarks.turns_asgi:application"]
        quiet = ["--log-level", "critical", "--no-access-log", "--backlog", "4096"]
        process = subprocess.Popen([*serve, "--port", str(port), *quiet], env=self.environment)
        while process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                return process
            time.sleep(0.1)
        raise SystemExit("The server did not start.")

    def cpu(self) -> float:
        """Seconds that it has worked."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def status(self) -> tuple[float, int]:
        """Its memory in MB, and its threads."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        found = dict(line.split(":", 1) for line in lines)
        return int(found["VmRSS"].split()[0]) / 1024, int(found["Threads"])

    def connections(self) -> int:
        """How many connections to its database it has open."""
        if self._database == "postgres":
            import psycopg

            with psycopg.connect(self.environment["TEST_POSTGRES_URL"], autocommit=True) as asking:
                [mine] = asking.execute(
                    "SELECT COUNT(*) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
                return int(mine[0])
        files = Path(f"/proc/{self.process.pid}/fd").iterdir()
        return sum(os.path.realpath(each).endswith("/db.sqlite3") for each in files)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)
        self._folder.cleanup()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@dataclass
class Stream:
    """A response whose body has begun."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    start: bytes

    async def rest(self) -> bytes:
        """Return the whole body, once it has ended."""
        body = self.start + await self.reader.read()
        self.writer.close()
        return body


class User:
    """A browser with a conversation."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}
        self.thread_id = ""

    async def visit(self) -> None:
        await self.request("GET", "/", None)

    async def request(self, method: str, path: str, data: Any) -> tuple[float, bytes]:
        """Send it and read the whole response. Returns the seconds until its body began, and the body."""
        began = time.perf_counter()
        stream = await self.open(method, path, data)
        first = time.perf_counter() - began
        return first, await stream.rest()

    async def open(self, method: str, path: str, data: Any) -> Stream:
        """Send it and return its response as soon as its body has begun."""
        body = json.dumps(data).encode() if data is not None else b""
        headers = {
            "Host": f"127.0.0.1:{self.port}",
            "Connection": "close",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "X-CSRFToken": self.cookies.get("csrftoken", ""),
        }
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin1")
        stream = Stream(reader, writer, await reader.read(65_536))
        self.cookies |= re.findall(r"(?im)^set-cookie: ([^=]+)=([^;]*)", head)
        if " 200 " not in head.split("\r\n", 1)[0]:
            raise RuntimeError(f"{head}{(await stream.rest())[:300]!r}")
        return stream

    async def turn(self, text: str) -> float:
        """Say something and read the answer to its end. Returns the seconds until its first event."""
        began = time.perf_counter()
        stream = await self.say(text)
        first = time.perf_counter() - began
        self.hear(await stream.rest())
        return first

    async def say(self, text: str) -> Stream:
        """Say something, and return the answer as soon as it has begun."""
        said = {
            "content": [{"type": "input_text", "text": text}],
            "attachments": [],
            "inference_options": {},
        }
        in_thread = {"thread_id": self.thread_id} if self.thread_id else {}
        operation = "threads.add_user_message" if self.thread_id else "threads.create"
        return await self.open(
            "POST", "/chatkit", {"type": operation, "params": {"input": said, **in_thread}}
        )

    def hear(self, body: bytes) -> None:
        """Take note of a whole answer.

        Raises:
            RuntimeError: when it is none.
        """
        events = [json.loads(line[6:]) for line in body.split(b"\n") if line.startswith(b"data: ")]
        for event in events:
            if event["type"] == "thread.created":
                self.thread_id = event["thread"]["id"]
        done = [event["item"]["type"] for event in events if event["type"] == "thread.item.done"]
        if done != ["user_message", "assistant_message"]:
            raise RuntimeError(f"No answer: {body[:300]!r}")

    async def read(self, operation: str) -> None:
        params: dict[str, Any] = {"limit": 20, "order": "desc"}
        if operation != "threads.list":
            params |= {"thread_id": self.thread_id}
        await self.request("POST", "/chatkit", {"type": operation, "params": params})


async def at_once(number: int, calls: list[Callable[[], Awaitable[None]]]) -> None:
    """Make the calls, so many at a time."""
    waiting = iter(calls)

    async def work() -> None:
        for call in waiting:
            await call()

    await asyncio.gather(*(work() for _ in range(number)))


async def measure(server: Server, *, users: int, turns: int, reads: int) -> dict[str, Any]:
    """Hold the conversations, and return the figures."""
    crowd = [User(server.port) for _ in range(users)]
    await at_once(AT_ONCE, [user.visit for user in crowd])
    first_events: list[float] = []
    failures: list[str] = []
    peak = (0.0, 0, 0)

    async def converse(number: int, user: User) -> None:
        await asyncio.sleep(number / users)
        try:
            for turn in range(turns):
                first_events.append(await user.turn(f"Hello {turn}, says {number}"))
        except Exception as error:
            failures.append(repr(error))

    async def watch() -> None:
        nonlocal peak
        while True:
            peak = tuple(map(max, peak, (*server.status(), await asyncio.to_thread(server.connections))))
            await asyncio.sleep(0.5)

    watching = asyncio.create_task(watch())
    before = server.cpu()
    await asyncio.gather(*(converse(number, user) for number, user in enumerate(crowd)))
    cpu = server.cpu() - before
    watching.cancel()
    figures: dict[str, Any] = {
        "users": users,
        "turns": len(first_events),
        "failures": len(failures),
        "first_failure": next(iter(failures), None),
        "cpu_ms_per_turn": round(1000 * cpu / max(1, len(first_events)), 2),
        "first_event_p95_ms": round(1000 * sorted(first_events)[int(len(first_events) * 0.95)]),
        "memory_mb": round(peak[0]),
        "threads": peak[1],
        "connections": peak[2],
    }
    some = [user for user in crowd if user.thread_id][:50]
    for operation in READS if reads else ():
        before = server.cpu()
        calls = [partial(user.read, operation) for user in some for _ in range(reads)]
        await at_once(AT_ONCE, calls)
        figures[operation] = round(1000 * (server.cpu() - before) / len(calls), 2)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--reads", type=int, default=20)
    parser.add_argument("--settings", type=json.loads, default={})
    asked = parser.parse_args()
    server = Server(asked.database, asked.settings)
    try:
        figures = asyncio.run(measure(server, users=asked.users, turns=asked.turns, reads=asked.reads))
    finally:
        server.stop()
    print(json.dumps({"database": asked.database, **figures}))


if __name__ == "__main__":
    main()
