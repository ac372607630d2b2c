"""How costs grow. ``python -m tests.benchmarks.growth users|items|streams|start [--database postgres]``.

``users``: CPU of a turn at 1, 10, 100 and 1,000 conversations at once. ``items``: CPU of a page of 20 items in threads
of 100 to 100,000. ``streams``: memory of a stream that waits, and whether all of 10,000 get their answers.
``start``: a cold ``manage.py check`` beside that of the same site without the app. ``--sizes`` takes other numbers.

Prints a line of JSON for each size. Figures of a machine that is busy do not compare.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from tests.benchmarks.turns import AT_ONCE, Server, Stream, User, at_once, measure

SIZES = {
    "users": [1, 10, 100, 1_000],
    "items": [100, 1_000, 10_000, 100_000],
    "streams": [1_000],
    "start": [7],
}
TURNS = 40
"""Turns at each number of users, at least: the CPU of a few is too little to be measured."""
PAGES = 300
"""Pages that are read of each thread."""
WAITING = {
    "SERVER": "tests.benchmarks.turns_urls.WaitingServer",
    "ANSWER_TIMEOUT": 3600,
    "ANSWER_SECONDS": 3600,
}


def users(database: str, sizes: list[int]) -> Iterator[dict[str, Any]]:
    """Hold so many conversations at once, each number on a server of its own."""
    for size in sizes:
        server = Server(database, {})
        try:
            # The first requests of a process load and compile what all others find.
            asyncio.run(measure(server, users=2, turns=2, reads=2))
            turns = 1 if size >= TURNS else min(10, TURNS // size)
            yield asyncio.run(measure(server, users=size, turns=turns, reads=0))
        finally:
            server.stop()


def items(database: str, sizes: list[int]) -> Iterator[dict[str, Any]]:
    """Read pages of threads of so many items, all of them in one database."""
    server = Server(database, {})
    try:
        readers = {size: User(server.port) for size in sizes}
        for reader in readers.values():
            asyncio.run(_begin(reader))
        _fill({reader.thread_id: size for size, reader in readers.items()}, server)
        for size, reader in readers.items():
            figures: dict[str, Any] = {"items": size}
            for operation in ("items.list", "threads.get_by_id"):
                before = server.cpu()
                asyncio.run(at_once(AT_ONCE, [partial(reader.read, operation)] * PAGES))
                figures[operation] = round(1000 * (server.cpu() - before) / PAGES, 2)
            yield figures
    finally:
        server.stop()


async def _begin(user: User) -> None:
    await user.visit()
    await user.turn("Hello")


def _fill(sizes: dict[str, int], server: Server) -> None:
    """Add items to these threads, from a process with the site's settings."""
    fill = [sys.executable, "-m", "tests.benchmarks.growth_fill", json.dumps(sizes)]
    subprocess.run(fill, env=server.environment, check=True)


def streams(database: str, sizes: list[int]) -> Iterator[dict[str, Any]]:
    """Have so many answers wait at once, and then end."""
    for size in sizes:
        _allow_files(size)
        server = Server(database, WAITING)
        try:
            yield asyncio.run(_wait(server, size))
        finally:
            server.stop()


def _allow_files(number: int) -> None:
    """Let this process, and the server that it starts, have so many sockets open."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = number + 500
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise SystemExit(f"{wanted} files have to be allowed: ulimit -Hn is {hard}.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _wait(server: Server, number: int) -> dict[str, Any]:
    users = [User(server.port) for _ in range(number)]
    waiting: dict[User, Stream] = {}
    failures: list[str] = []

    async def ask(user: User) -> None:
        try:
            await user.visit()
            waiting[user] = await user.say("Are you there?")
        except Exception as error:
            failures.append(repr(error))

    async def hear(user: User, stream: Stream) -> None:
        try:
            user.hear(await stream.rest())
        except Exception as error:
            failures.append(repr(error))

    # The first ones load and compile what all others find.
    first, others = users[:20], users[20:]
    await at_once(AT_ONCE, [partial(ask, user) for user in first])
    before, _threads = server.status()
    await at_once(AT_ONCE, [partial(ask, user) for user in others])
    memory, threads = server.status()
    connections = server.connections()
    cpu = server.cpu()
    await asyncio.sleep(10)
    idle = (server.cpu() - cpu) / 10
    await User(server.port).request("GET", "/release", None)
    await asyncio.gather(*(hear(user, stream) for user, stream in waiting.items()))
    return {
        "streams": number,
        "lost": len(failures),
        "first_failure": next(iter(failures), None),
        "kilobytes_of_each": round(1024 * (memory - before) / max(1, len(others)), 1),
        "percent_of_a_core_while_they_wait": round(100 * idle, 1),
        "threads": threads,
        "connections": connections,
    }


def start(database: str, sizes: list[int]) -> Iterator[dict[str, Any]]:
    """Start ``manage.py check`` so many times, in turn with the app and without it."""
    for size in sizes:
        seconds: dict[str, list[float]] = {"with": [], "without": []}
        with tempfile.TemporaryDirectory(prefix="chatkit-benchmark-") as folder:
            for name in [*seconds] * (size + 1):
                environment = os.environ | {
                    "DJANGO_SETTINGS_MODULE": "tests.benchmarks.start_site",
                    "CHATKIT_BENCHMARK_FOLDER": folder,
                    "CHATKIT_BENCHMARK_APP": name,
                }
                # Containers often set it. With it, what no installer has compiled is compiled anew at each start.
                environment.pop("PYTHONDONTWRITEBYTECODE", None)
                seconds[name].append(_cpu_of([sys.executable, "-m", "django", "check"], environment))
        # The first time, files are read that are in memory afterwards.
        medians = {name: statistics.median(found[1:]) for name, found in seconds.items()}
        yield {
            "starts": size,
            **{f"cpu_ms_{name}": round(1000 * median) for name, median in medians.items()},
            "ratio": round(medians["with"] / medians["without"], 2),
            "cpu_ms_of_import": round(
                1000 * _cpu_of([sys.executable, "-c", "import chatkit_app"], dict(os.environ))
            ),
        }


def _cpu_of(command: list[str], environment: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


COMMANDS: dict[str, Callable[[str, list[int]], Iterator[dict[str, Any]]]] = {
    "users": users,
    "items": items,
    "streams": streams,
    "start": start,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=COMMANDS)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--sizes", type=int, nargs="+")
    asked = parser.parse_args()
    for figures in COMMANDS[asked.what](asked.database, asked.sizes or SIZES[asked.what]):
        print(json.dumps({"database": asked.database, **figures}), flush=True)


if __name__ == "__main__":
    main()
