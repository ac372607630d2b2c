"""What comes over a site: ``python -m tests.attack.chaos [--code FOLDER] [name …]`` does it, and prints figures.

Names are those of ``ATTACKS``; all of them unless some are given. Each has a new database: SQLite, or a real PostgreSQL
with ``CHATKIT_TEST_DATABASE=postgres``. ``FOLDER`` is another checkout to attack, for figures of before.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.chat import CSRF_TOKEN, encode, message

CODE = Path(__file__).parents[2]
READERS = 5
PATIENCE = 60.0
# All browsers are of one address here.
UNLIMITED = (
    "MESSAGES_PER_MINUTE",
    "MESSAGES_PER_DAY",
    "ADDRESS_MESSAGES_PER_MINUTE",
    "ADDRESS_ANSWERS_AT_ONCE",
    "ADDRESS_VISITORS_PER_HOUR",
    "PROCESS_ANSWERS_AT_ONCE",
)


# --- A database, and what is in it --------------------------------------------------------------------------------


def make_database(folder: Path) -> None:
    """Make it with the tables of the code that is attacked, and connect Django in this process to it."""
    from tests import settings

    database: dict[str, Any] = dict(settings.DATABASES["default"])
    if database["ENGINE"].endswith("postgresql"):
        import psycopg

        name = f"chatkit_chaos_{os.getpid()}"
        given = {key: database[key.upper()] or None for key in ("user", "password", "host", "port")}
        with psycopg.connect(dbname="postgres", autocommit=True, **given) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name}")
        database["NAME"] = name
    else:
        database["NAME"] = str(folder / "db.sqlite3")
    database.pop("TEST", None)
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "tests.process_settings",
        "CHATKIT_PROCESS_DATABASE": json.dumps(database),
        "CHATKIT_PROCESS_SETTINGS": "{}",
    }
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0", "--skip-checks"],
        cwd=CODE,
        env=os.environ | {"PYTHONPATH": str(CODE)},
        check=True,
    )
    import django

    django.setup()


def rows(query: str) -> list[tuple[Any, ...]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall()) if cursor.description else []


def statuses() -> dict[str, int]:
    return dict(rows("SELECT status, count(*) FROM chatkit_app_run GROUP BY status"))


def stored_texts() -> dict[str, str]:
    """The text of each assistant's message, by its id."""
    found = rows("SELECT public_id, text FROM chatkit_app_threaditem WHERE type = 'assistant_message'")
    return {str(public_id): str(text) for public_id, text in found}


# --- Servers and browsers -----------------------------------------------------------------------------------------


def serve(server: str, application: str = "", **options: Any) -> Any:
    from tests.attack.served import DJANGOS, Served

    limits = dict.fromkeys(UNLIMITED)
    # The code of before knows no limits, and ignores the setting.
    served = Served(server, application or DJANGOS, root=CODE, **({"LIMITS": limits} | options))
    served.wait()
    return served


class Answer:
    """One POST of a browser, over a connection of its own."""

    def __init__(self) -> None:
        self.status = 0
        self.head = ""
        self.body = b""
        self.broken = False
        self._writer: asyncio.StreamWriter | None = None
        self._reader: asyncio.StreamReader | None = None

    async def begin(self, port: int, body: bytes, cookies: dict[str, str], path: str = "/chatkit") -> Answer:
        try:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
            cookie = "; ".join(
                f"{name}={value}" for name, value in ({"csrftoken": CSRF_TOKEN} | cookies).items()
            )
            head = (
                f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
                f"X-CSRFToken: {CSRF_TOKEN}\r\nCookie: {cookie}\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            self._writer.write(head.encode() + body)
            self.head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
            self.status = int(self.head.split()[1])
        except (OSError, asyncio.IncompleteReadError):
            self.broken = True
        return self

    async def until(self, text: bytes) -> Answer:
        while text not in self.body and not self.broken and self._reader is not None:
            chunk = await self._reader.read(65536)
            if not chunk:
                break
            self.body += chunk
        return self

    async def rest(self) -> Answer:
        with suppress(OSError):
            while not self.broken and self._reader is not None and (chunk := await self._reader.read(65536)):
                self.body += chunk
        self.drop()
        return self

    def drop(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()

    def cookies(self) -> dict[str, str]:
        return dict(re.findall(r"(?im)^set-cookie: ([^=]+)=([^;\r]*)", self.head))

    @property
    def is_told(self) -> bool:
        return b'"allow_retry":true' in self.body

    @property
    def seen(self) -> str:
        return "".join(re.findall(r'"delta":"([^"]*)"', self.body.decode()))

    @property
    def item_id(self) -> str:
        found = re.search(rb'thread.item.updated","item_id":"([^"]+)"', self.body)
        return found[1].decode() if found else ""


async def begin_answers(port: int, number: int = READERS, words: int = 5000) -> list[Answer]:
    body = encode("threads.create", input=message(str(words)))
    answers = await asyncio.gather(*(Answer().begin(port, body, {}) for _ in range(number)))
    await asyncio.gather(*(answer.until(b'"20 "') for answer in answers))
    return list(answers)


def lost_letters(answers: list[Answer]) -> int:
    """How many letters readers have seen, at most, that the database has not."""
    texts = stored_texts()
    return max(len(answer.seen) - len(texts.get(answer.item_id, "")) for answer in answers)


def rss(pid: int) -> int:
    """Megabytes."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) // 1024 if found else 0


# --- Attacks ------------------------------------------------------------------------------------------------------


async def sigterm() -> None:
    """SIGTERM in the middle of five answers, on each server, with nothing saved before."""
    from tests.attack.served import COMMANDS, DJANGOS, OURS

    applications = [DJANGOS, OURS] if (CODE / "tests/attack/asgi.py").exists() else [DJANGOS]
    for server in COMMANDS:
        for application in applications[: 1 if "runserver" in server else 2]:
            rows("DELETE FROM chatkit_app_threaditem")
            rows("DELETE FROM chatkit_app_run")
            served = serve(server, application, CHECKPOINT_INTERVAL=60)
            try:
                answers = await begin_answers(served.port)
                began = time.monotonic()
                served.terminate()
                reading = [asyncio.create_task(answer.rest()) for answer in answers]
                code = await asyncio.to_thread(served.ended)
                took = time.monotonic() - began
            finally:
                served.kill()
            await asyncio.gather(*reading)
            told = sum(answer.is_told for answer in answers)
            say(
                f"{server:24} {application:30} exit {code!s:5} after {took:4.1f} s, told {told} of {READERS}, "
                f"rows {statuses()}, letters lost {lost_letters(answers)}"
            )


async def kill_9() -> None:
    """kill -9 in the middle of five answers."""
    served, other = serve("uvicorn"), serve("uvicorn")
    try:
        answers = await begin_answers(served.port)
        await asyncio.sleep(3)
        reading = [asyncio.create_task(answer.rest()) for answer in answers]
        served.process.send_signal(signal.SIGKILL)
        began = time.monotonic()
        await asyncio.gather(*reading)
        await begin_answers(other.port, 1)  # somebody who looks after the rows
        while statuses().get("running", 0) > 1 and time.monotonic() - began < PATIENCE:
            await asyncio.sleep(0.1)
        say(f"rows {statuses()} after {time.monotonic() - began:.1f} s, letters lost {lost_letters(answers)}")
    finally:
        served.kill()
        other.kill()


class Load:
    """Browsers that say something again and again, and do what the client does when it comes to nothing."""

    def __init__(self, ports: list[int]) -> None:
        self.ports = ports
        self.said: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        self.is_over = False

    async def browse(self, number: int) -> None:
        turn = 0
        while not self.is_over:
            turn += 1
            # PacedServer reads the number of words, and a message is known by its zeros.
            text = f"{20:0{4 + number}d}{'':{turn % 7}}"
            await self.say_until_answered(text, f"{number}-{turn}")

    async def say_until_answered(self, text: str, name: str) -> None:
        fresh = body = encode("threads.create", input=message(text), metadata={"name": name})
        for attempt in range(40):
            port = self.ports[attempt % len(self.ports)]
            answer = await (await Answer().begin(port, body, {})).rest()
            if answer.broken or answer.status >= 500 or not answer.status:
                self.events["sent again"] += 1
                await asyncio.sleep(0.1)
                continue
            thread = re.search(rb'"id":"(thr_[^"]+)"', answer.body)
            if answer.is_told or b'"thread.item.done"' not in answer.body or "19 " not in answer.seen:
                stored = thread is not None and thread[1].decode() in threads_with_message()
                self.events["interrupted, message kept" if stored else "interrupted, said again"] += 1
                if stored and thread is not None:
                    self.said["kept"] += 1
                    return
                body = fresh
                continue
            self.said["answered"] += 1
            return
        self.said["lost"] += 1


def threads_with_message() -> set[str]:
    found = rows(
        "SELECT DISTINCT t.public_id FROM chatkit_app_thread t JOIN chatkit_app_threaditem i ON i.thread_id = t.id "
        "WHERE i.type = 'user_message'"
    )
    return {str(public_id) for (public_id,) in found}


async def rolling_restart() -> None:
    """Two processes under load, replaced one after the other, three times."""
    served = [serve("uvicorn"), serve("uvicorn")]
    load = Load([each.port for each in served])
    browsing = [asyncio.create_task(load.browse(number)) for number in range(10)]
    codes: list[int | None] = []
    try:
        for round_ in range(6):
            await asyncio.sleep(1.5)
            index = round_ % 2
            served[index].terminate()
            codes.append(await asyncio.to_thread(served[index].ended))
            served[index].kill()
            served[index] = await asyncio.to_thread(serve, "uvicorn")
            load.ports[index] = served[index].port
        load.is_over = True
        await asyncio.wait(browsing, timeout=PATIENCE)
    finally:
        for each in served:
            each.kill()
    say(f"exit codes {codes}, messages {dict(load.said)}, {dict(load.events)}, rows {statuses()}")


async def database_away() -> None:
    """PostgreSQL takes nobody in for three seconds, in the middle of five answers."""
    from django.db import connection

    if connection.vendor != "postgresql":
        say("only on PostgreSQL")
        return
    import psycopg

    name = connection.settings_dict["NAME"]
    given = {
        key: connection.settings_dict[key.upper()] or None for key in ("user", "password", "host", "port")
    }
    served = serve("uvicorn")
    try:
        answers = await begin_answers(served.port, words=300)
        connection.close()
        with psycopg.connect(dbname="postgres", autocommit=True, **given) as admin:
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
            await asyncio.sleep(3)
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        await asyncio.gather(*(answer.rest() for answer in answers))
        await asyncio.sleep(1)
        say(f"rows {statuses()}, letters lost {lost_letters(answers)}")
    finally:
        served.kill()


async def slow_reader() -> None:
    """Twenty readers who do not read, beside one who does."""
    served = serve("uvicorn")
    try:
        before = rss(served.process.pid)
        slow = await begin_answers(served.port, 20, words=3000)
        began = time.monotonic()
        quick = (await begin_answers(served.port, 1, words=100))[0]
        await quick.rest()
        took = time.monotonic() - began
        say(f"an answer of 2.0 s took {took:.1f} s, memory {before} to {rss(served.process.pid)} MB")
        for answer in slow:
            answer.drop()
        served.terminate()
        say(f"exit {await asyncio.to_thread(served.ended)}, rows {statuses()}")
    finally:
        served.kill()


async def dropped_streams() -> None:
    """2,000 streams whose readers go away as soon as they have begun."""
    served = serve("uvicorn")
    body = encode("threads.create", input=message("10"))

    async def drop() -> None:
        answer = await Answer().begin(served.port, body, {})
        await answer.until(b"thread.created")
        answer.drop()

    try:
        for _ in range(10):
            await drop()
        files = len(os.listdir(f"/proc/{served.process.pid}/fd"))
        before = rss(served.process.pid)
        for _ in range(40):
            await asyncio.gather(*(drop() for _ in range(50)))
        began = time.monotonic()
        while statuses().get("running") and time.monotonic() - began < PATIENCE:
            await asyncio.sleep(0.2)
        left = len(os.listdir(f"/proc/{served.process.pid}/fd"))
        say(f"rows {statuses()}, memory {before} to {rss(served.process.pid)} MB, files {files} to {left}")
    finally:
        served.kill()


async def logins() -> None:
    """200 first messages, each at the same time as its browser's login, with a session in the database and without."""
    from django.contrib.auth.hashers import make_password
    from django.contrib.auth.models import User

    await asyncio.to_thread(
        lambda: User.objects.bulk_create(
            User(username=f"u{number}", password=make_password("secret"), is_staff=True)
            for number in range(200)
        )
    )
    served = serve("uvicorn")
    body = encode("threads.create", input=message("1"))
    overwritten = 0

    async def overlap(number: int) -> None:
        nonlocal overwritten
        jar = {"chatkit_first": f"{number:032x}"}
        if number % 2:
            first = await (await Answer().begin(served.port, body, {})).rest()
            jar |= {name: value for name, value in first.cookies().items() if name == "sessionid"}
        form = f"username=u{number}&password=secret&csrfmiddlewaretoken={CSRF_TOKEN}".encode()

        async def log_in() -> None:
            await asyncio.sleep((number % 10) * 0.004)
            answer = Answer()
            reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
            cookie = "; ".join(f"{name}={value}" for name, value in (jar | {"csrftoken": CSRF_TOKEN}).items())
            writer.write(
                (
                    "POST /admin/login/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: "
                    f"application/x-www-form-urlencoded\r\nCookie: {cookie}\r\nContent-Length: {len(form)}\r\n\r\n"
                ).encode()
                + form
            )
            answer.head = (await reader.readuntil(b"\r\n\r\n")).decode()
            writer.close()
            arrived.append(("login", answer.cookies().get("sessionid")))

        async def talk() -> Answer:
            answer = await Answer().begin(served.port, body, jar)
            arrived.append(("message", answer.cookies().get("sessionid")))
            return await answer.rest()

        arrived: list[tuple[str, str | None]] = []
        answer, _ = await asyncio.gather(talk(), log_in())
        names = [who for who, cookie in arrived if cookie is not None]
        overwritten += bool(names) and names[-1] == "message"
        if answer.status == 409 or answer.status >= 500:
            newest = [cookie for who, cookie in arrived if who == "login" and cookie]
            await (await Answer().begin(served.port, body, {"sessionid": newest[-1]})).rest()

    try:
        for begin in range(0, 200, 10):
            await asyncio.gather(*(overlap(number) for number in range(begin, begin + 10)))
        await asyncio.sleep(1)
    finally:
        served.kill()
    mine, nobodys = (
        rows(f"SELECT count(*) FROM chatkit_app_thread WHERE user_id IS {kind} NULL")[0][0]
        for kind in ("NOT", "")
    )
    say(
        f"threads of users {mine}, of nobody {nobodys} (of 300), login's cookie overwritten {overwritten} times"
    )


ATTACKS: dict[str, Callable[[], Awaitable[None]]] = {
    function.__name__: function
    for function in (sigterm, kill_9, rolling_restart, database_away, slow_reader, dropped_streams, logins)
}


def say(line: str) -> None:
    sys.stdout.write(f"  {line}\n")
    sys.stdout.flush()


def main() -> None:
    global CODE
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--code", type=Path, default=CODE)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(ATTACKS))
    given = parser.parse_args()
    CODE = given.code.resolve()
    for name in given.names or ATTACKS:
        if len(given.names) != 1:
            # Each with a database of its own, in a process of its own.
            command = [sys.executable, "-m", "tests.attack.chaos", "--code", str(CODE), name]
            subprocess.run(command, check=True)
            continue
        sys.stdout.write(f"{name}: {ATTACKS[name].__doc__}\n")
        sys.stdout.flush()
        with tempfile.TemporaryDirectory(prefix="chatkit-chaos-") as folder:
            make_database(Path(folder))
            os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
            asyncio.run(ATTACKS[name]())


if __name__ == "__main__":
    main()
