"""What open pages cost the server that tells them what is new. ``python -m tests.benchmarks.live [--pages 1000]``.

Starts a Redis of its own, and a site under uvicorn on a PostgreSQL of its own, with so many pages of visitors and
users, and ``--staff`` pages of the admin; other processes write into their threads, and stop answers. Prints a line of
JSON:

- what a page takes: memory, threads, connections to the database (of the last two none, so that a thousand pages have
  no more than the first few), CPU of them all at rest
- how long after a change its page is told, what that costs, and how many statements it takes
- how often pages read that have been told, by how many statements, and how often PostgreSQL reads all of the threads
  or of the items for that, in place of an index
- how long all pages take to come back when the server is started anew
- how long after a stop in another process an answer ends
- CPU of a turn that nobody listens to, with bells and without, in rounds by turns

Figures of different machines, or of a machine that is busy, do not compare: measure what you compare with in one run.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import secrets
import statistics
import subprocess
import sys
import time
from functools import partial
from typing import Any

import django
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.benchmarks import turns
from tests.benchmarks.turns import Server, User, at_once, free_port
from tests.redis_server import RedisServer

MIN_DELAY, MAX_DELAY = 1.0, 30.0
"""Seconds, as ``live.js`` has them."""
AT_ONCE = 16
"""Pages that are opened at once in the beginning."""
ITEMS = 10
"""Of each thread."""
STOPS = 30


class LiveServer(Server):
    """The measured process, which can be started anew on its port."""

    settings_module = "tests.benchmarks.live_site"

    def start_anew(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=60)
        self.process = self.start(self.port)

    async def statements(self) -> int:
        """How many statements it has executed."""
        _first, body = await User(self.port).request("GET", "/statements", None)
        return int(body)


class Database:
    """What PostgreSQL tells of the server."""

    @staticmethod
    def connections() -> int:
        """The connections to the database, but for the one that asks."""
        return _ask(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    @staticmethod
    def whole_reads() -> int:
        """How often the threads or their items were read from the first to the last."""
        tables = "'chatkit_app_thread', 'chatkit_app_threaditem'"
        return _ask(f"SELECT sum(seq_scan) FROM pg_stat_user_tables WHERE relname IN ({tables})")


def _ask(question: str) -> int:
    from django.db import connection, connections

    try:
        with connection.cursor() as cursor:
            cursor.execute(question)
            return int(cursor.fetchone()[0])
    finally:
        connections.close_all()


class Heard:
    """What the pages were told, and when; and what they have read."""

    def __init__(self) -> None:
        self.changes: dict[tuple[str, int], float] = {}
        self.errors: list[str] = []
        self.are_read = False
        self.reads = 0

    def note(self, told: dict[str, Any]) -> None:
        if told["type"] == "changed" and "version" in told:
            self.changes[told["thread"], told["version"]] = time.time()


class Page:
    """A page that is open, and comes back as ``live.js`` does when its socket has gone."""

    def __init__(self, heard: Heard, *, port: int, path: str, session: str, first: dict[str, Any]) -> None:
        self.heard = heard
        self.url = f"ws://127.0.0.1:{port}{path}"
        self.origin = f"http://127.0.0.1:{port}"
        self.session = session
        self.first = first
        self.socket: ClientConnection | None = None
        self._visitor = User(port)
        self._visitor.cookies = {"sessionid": session}
        self._version = 0
        self._told = 0
        self._reading: asyncio.Task[None] | None = None

    async def open(self) -> None:
        self.socket = await connect(
            self.url,
            origin=self.origin,  # type: ignore[arg-type]
            additional_headers={"Cookie": f"sessionid={self.session}"},
            compression=None,
            open_timeout=120,
            ping_interval=None,
        )
        await self.socket.send(json.dumps(self.first))

    async def stay(self) -> None:
        """Take in what is told, and come back, for ever."""
        while True:
            assert self.socket is not None
            with contextlib.suppress(ConnectionClosed):
                async for text in self.socket:
                    told = json.loads(text)
                    self.heard.note(told)
                    if self.heard.are_read and told["type"] == "changed" and "version" in told:
                        self._told = told["version"]
                        if self._reading is None:
                            self._reading = asyncio.create_task(self._read())
            self.socket = None
            await self._come_back()

    async def _read(self) -> None:
        """Read what has changed, as ``live.js`` does: once more where a bell was rung meanwhile."""
        while self._version < self._told:
            path = f"/chatkit/threads/{self.first['follow']}/changes?after={self._version}"
            _first, body = await self._visitor.request("GET", path, None)
            self._version = json.loads(body)["version"]
            self.heard.reads += 1
        self._reading = None

    async def _come_back(self) -> None:
        attempt = 0
        while self.socket is None:
            delay = min(MAX_DELAY, MIN_DELAY * 2**attempt)
            await asyncio.sleep(delay / 2 + random.random() * delay / 2)
            attempt += 1
            try:
                await self.open()
            except ConnectionRefusedError:
                continue  # it has not started yet
            except Exception as error:
                self.heard.errors.append(repr(error))


def make_pages(heard: Heard, *, port: int, users: int, staff: int) -> list[Page]:
    """Make people with a session, and a thread of each who is no staff."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User as UserRow
    from django.contrib.sessions.backends.db import SessionStore
    from django.db import connection

    from chatkit_app.context import VISITOR_KEY
    from chatkit_app.models import Thread, ThreadItem

    def session(**data: Any) -> str:
        store = SessionStore()
        store.update(data)
        store.save()
        return str(store.session_key)

    def login(user: UserRow) -> str:
        return session(
            **{
                SESSION_KEY: str(user.pk),
                BACKEND_SESSION_KEY: "django.contrib.auth.backends.ModelBackend",
                HASH_SESSION_KEY: user.get_session_auth_hash(),
            }
        )

    pages = []
    for number in range(users):
        if number % 2:
            user = UserRow.objects.create_user(f"user{number}")
            owner: dict[str, Any] = {"user": user}
            key = login(user)
        else:
            visitor = secrets.token_hex(16)
            owner = {"visitor_id": visitor}
            key = session(**{VISITOR_KEY: visitor})
        thread = Thread.objects.create(public_id=f"thr_{number}", **owner)
        path = "/ws/chatkit/?endpoint=/chatkit"
        first = {"follow": thread.public_id, "after": 0}
        pages.append(Page(heard, port=port, path=path, session=key, first=first))
    pks = list(Thread.objects.values_list("pk", flat=True))
    said = {"content": [{"type": "input_text", "text": "Hello"}], "inference_options": {}}
    ThreadItem.objects.bulk_create(
        ThreadItem(
            thread_id=pk, public_id=f"msg_{pk}_{number}", type="user_message", payload=said, text="Hello"
        )
        for pk in pks
        for number in range(ITEMS)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # or PostgreSQL takes the tables for small ones
    for number in range(staff):
        key = login(UserRow.objects.create_superuser(f"staff{number}"))
        first = {"open": random.choice(pks)}
        pages.append(Page(heard, port=port, path="/ws/chatkit/staff/", session=key, first=first))
    return pages


async def measure(server: LiveServer, pages: list[Page], heard: Heard, asked: Any) -> dict[str, Any]:
    """Open the pages, and return the figures."""
    # The first few have the server start the threads that all others share.
    first, rest = [*pages[: 2 * AT_ONCE], pages[-1]], pages[2 * AT_ONCE : -1]
    await at_once(AT_ONCE, [page.open for page in first])
    await asyncio.sleep(2)
    before, connections = server.status(), await asyncio.to_thread(Database.connections)
    await at_once(AT_ONCE, [page.open for page in rest])
    staying = [asyncio.create_task(page.stay()) for page in pages]
    await asyncio.sleep(2)
    memory, threads = server.status()
    figures: dict[str, Any] = {
        "pages": len(pages),
        "memory_kb_per_page": round(1024 * (memory - before[0]) / len(rest), 1),
        "threads": threads,
        "threads_of_pages": threads - before[1],
        "connections": connections,
        "connections_of_pages": await asyncio.to_thread(Database.connections) - connections,
    }
    cpu, statements = server.cpu(), await server.statements()
    await asyncio.sleep(asked.rest)
    figures["cpu_at_rest_percent"] = round(100 * (server.cpu() - cpu) / asked.rest, 2)
    at_rest = (await server.statements() - statements) / asked.rest
    figures["statements_at_rest_per_second"] = round(at_rest, 1)
    figures |= await measure_bells(server, heard, rate=asked.rate, seconds=asked.seconds, at_rest=at_rest)
    figures |= await measure_reads(server, heard, rate=asked.rate, seconds=asked.seconds / 2, at_rest=at_rest)
    figures |= await measure_return(server, pages, heard)
    figures |= await measure_stops(server)
    for task in staying:
        task.cancel()
    await asyncio.wait(staying)
    return figures


async def write(server: LiveServer, *, rate: float, seconds: float) -> list[tuple[str, int, float]]:
    """Have another process change threads. Returns of each change the thread, its version and the moment."""
    writer = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.benchmarks.live_writer",
        str(rate),
        str(seconds),
        env=server.environment,
        stdout=subprocess.PIPE,
    )
    output, _none = await writer.communicate()
    written: list[tuple[str, int, float]] = json.loads(output)
    return written


async def measure_bells(
    server: LiveServer, heard: Heard, *, rate: float, seconds: float, at_rest: float
) -> dict[str, Any]:
    cpu, statements, began = server.cpu(), await server.statements(), time.monotonic()
    written = await write(server, rate=rate, seconds=seconds)
    await asyncio.sleep(2)
    used, executed = server.cpu() - cpu, await server.statements() - statements
    # Of two changes within a tenth of a second a page is told the second.
    delays = [
        heard.changes[thread, version] - moment
        for thread, version, moment in written
        if (thread, version) in heard.changes
    ]
    newest = {thread: version for thread, version, _moment in written}
    return {
        "changes": len(written),
        "changes_per_second": round(len(written) / (written[-1][2] - written[0][2]), 1),
        "told": len(delays),
        "newest_not_told": sum((thread, version) not in heard.changes for thread, version in newest.items()),
        "bell_p95_ms": _p95(delays),
        "cpu_ms_per_change": round(1000 * used / len(written), 2),
        "statements_per_change": round((executed - at_rest * (time.monotonic() - began)) / len(written), 2),
    }


async def measure_reads(
    server: LiveServer, heard: Heard, *, rate: float, seconds: float, at_rest: float
) -> dict[str, Any]:
    """Let pages read what they are told of."""
    heard.are_read = True
    statements, began = await server.statements(), time.monotonic()
    whole_reads = await asyncio.to_thread(Database.whole_reads)
    written = await write(server, rate=rate, seconds=seconds)
    await asyncio.sleep(3)
    executed = await server.statements() - statements - at_rest * (time.monotonic() - began)
    heard.are_read = False
    return {
        "reads_per_change": round(heard.reads / len(written), 2),
        "statements_per_read": round(executed / max(1, heard.reads), 1),
        # Those of the pings, which ask for many threads at once, are among them.
        "whole_reads_per_read": round(
            (await asyncio.to_thread(Database.whole_reads) - whole_reads) / max(1, heard.reads), 2
        ),
    }


async def measure_return(server: LiveServer, pages: list[Page], heard: Heard) -> dict[str, Any]:
    heard.errors.clear()
    await asyncio.to_thread(server.start_anew)
    began = time.monotonic()
    while any(page.socket is None for page in pages) and time.monotonic() - began < 120:
        await asyncio.sleep(0.1)
    return {
        "all_back_after_s": round(time.monotonic() - began, 1),
        "not_back": sum(page.socket is None for page in pages),
        "errors_on_return": len(heard.errors),
        "first_error": next(iter(heard.errors), None),
    }


async def measure_stops(server: LiveServer) -> dict[str, Any]:
    other = free_port()
    process = await asyncio.to_thread(server.start, other)
    try:
        user, delays = User(server.port), []
        await user.visit()
        elsewhere = User(other)
        for _ in range(STOPS):
            delays.append(await _time_of_stop(user, elsewhere))
        return {"stop_p50_ms": _percentile(delays, 0.5), "stop_p95_ms": _p95(delays)}
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 30)


async def measure_turns(asked: Any, servers: list[LiveServer]) -> dict[str, Any]:
    """Measure turns of two servers by turns, of which the second rings no bells."""
    costs: list[list[float]] = [[], []]
    for number in range(asked.rounds + 1):
        for which in (0, 1) if number % 2 else (1, 0):
            figures = await turns.measure(servers[which], users=asked.users, turns=1, reads=0)
            if figures["failures"]:
                raise RuntimeError(figures["first_failure"])
            if number:  # the first warms up
                costs[which].append(figures["cpu_ms_per_turn"])
    with_bells, without = (statistics.median(each) for each in costs)
    return {
        "turn_cpu_ms": with_bells,
        "turn_cpu_ms_without_bells": without,
        "bells_percent_of_turn": round(100 * (with_bells / without - 1), 1),
        "bells_percent_of_turn_by_round": [
            round(100 * (one / other - 1), 1) for one, other in zip(*costs, strict=True)
        ],
    }


async def _time_of_stop(user: User, elsewhere: User) -> float:
    """Begin an answer, and stop it in the other process. Returns the seconds until it has ended."""
    elsewhere.cookies = user.cookies
    content = [{"type": "input_text", "text": "Hello"}]
    said = {"content": content, "attachments": [], "inference_options": {}}
    body = json.dumps({"type": "threads.create", "params": {"input": said}}).encode()
    cookies = "; ".join(f"{name}={value}" for name, value in user.cookies.items())
    head = [
        "POST /chatkit HTTP/1.1",
        f"Host: 127.0.0.1:{user.port}",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"Cookie: {cookies}",
        f"X-CSRFToken: {user.cookies.get('csrftoken', '')}",
    ]
    reader, writer = await asyncio.open_connection("127.0.0.1", user.port)
    writer.write("\r\n".join([*head, "", ""]).encode() + body)
    answered = (await reader.readuntil(b"\r\n\r\n")).decode("latin1")
    user.cookies |= dict(re.findall(r"(?im)^set-cookie: ([^=]+)=([^;]*)", answered))
    (run,) = re.findall(r"(?im)^x-chatkit-run: (\S+)", answered)
    await reader.readuntil(b"word3 ")
    began = time.perf_counter()
    stopping = asyncio.create_task(elsewhere.request("POST", f"/chatkit/runs/{run}/stop", None))
    rest = await reader.read()
    took = time.perf_counter() - began
    await stopping
    writer.close()
    if b"word99 " in rest:
        raise RuntimeError("The answer was not stopped.")
    return took


def _percentile(values: list[float], share: float) -> int | None:
    return round(1000 * sorted(values)[int(len(values) * share)]) if values else None


_p95 = partial(_percentile, share=0.95)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pages", type=int, default=1000, help="pages of visitors and users")
    parser.add_argument("--staff", type=int, default=50, help="pages of the admin")
    parser.add_argument("--rest", type=float, default=60, help="seconds at rest")
    parser.add_argument("--rate", type=float, default=100, help="changes a second")
    parser.add_argument("--seconds", type=float, default=20, help="seconds of changes")
    parser.add_argument(
        "--users", type=int, default=100, help="turns at once, where bells are compared with none"
    )
    parser.add_argument("--rounds", type=int, default=6, help="of such turns")
    parser.add_argument("--settings", type=json.loads, default={})
    asked = parser.parse_args()
    redis, heard = RedisServer(), Heard()
    redis.start()
    os.environ["CHATKIT_BENCHMARK_LAYERS"] = json.dumps(redis.layers)
    servers = [LiveServer("postgres", asked.settings)]
    try:
        os.environ |= servers[0].environment
        django.setup()
        from django.db import connections

        pages = make_pages(heard, port=servers[0].port, users=asked.pages, staff=asked.staff)
        connections.close_all()
        figures = asyncio.run(measure(servers[0], pages, heard, asked))
        servers.pop().stop()
        servers.append(LiveServer("postgres", asked.settings))
        os.environ["CHATKIT_BENCHMARK_BELLS"] = "none"
        servers.append(LiveServer("postgres", asked.settings))
        figures |= asyncio.run(measure_turns(asked, servers))
    finally:
        for server in servers:
            server.stop()
        redis.kill()
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
