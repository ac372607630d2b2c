"""What comes over a site: ``python -m tests.attack.chaos [--code FOLDER] [name …]`` does it, and prints figures.

Names are those of ``ATTACKS``; all of them unless some are given. Each has a new database: SQLite, or a real PostgreSQL
with ``CHATKIT_TEST_DATABASE=postgres``. ``FOLDER`` is another checkout to attack, for figures of before.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.attack.browsers import READERS, Answer, Load, begin_answers
from tests.attack.new_database import attacked_code, make_database, rows, statuses, stored_texts
from tests.attack.unmet_limits import UNMET_LIMITS
from tests.chat import CSRF_TOKEN, encode, message

PATIENCE = 60.0


def serve(server: str, application: str = "", *, port: int = 0, **options: Any) -> Any:
    from tests.attack.served import DJANGOS, Served

    # The code of before knows no limits, and ignores the setting.
    served = Served(
        server,
        application or DJANGOS,
        port=port,
        root=attacked_code(),
        **({"LIMITS": UNMET_LIMITS} | options),
    )
    served.wait()
    return served


def lost_letters(answers: list[Answer]) -> int:
    """How many letters readers have seen, at most, that the database has not."""
    texts = stored_texts()
    return max(len(answer.seen) - len(texts.get(answer.item_id, "")) for answer in answers)


def rss(pid: int) -> int:
    """Megabytes."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) // 1024 if found else 0


async def sigterm() -> None:
    """SIGTERM in the middle of five answers, on each server, with nothing saved before."""
    from tests.attack.served import COMMANDS, DJANGOS, OURS

    applications = [DJANGOS, OURS] if (attacked_code() / "tests/attack/asgi.py").exists() else [DJANGOS]
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


async def rolling_restart() -> None:
    """Two processes under load, replaced one after the other, three times."""
    served = [serve("uvicorn"), serve("uvicorn")]
    await replace_under_load(served, Load([each.port for each in served]))


async def replace_under_load(served: list[Any], load: Load) -> None:
    """Replace the processes one after the other, three times; each comes back at its own port."""
    browsing = [asyncio.create_task(load.browse(number)) for number in range(10)]
    codes: list[int | None] = []
    try:
        for round_ in range(6):
            await asyncio.sleep(1.5)
            index = round_ % 2
            served[index].terminate()
            codes.append(await asyncio.to_thread(served[index].ended))
            served[index].kill()
            served[index] = await asyncio.to_thread(serve, "uvicorn", port=served[index].port)
        load.is_over = True
        await asyncio.wait(browsing, timeout=PATIENCE)
    finally:
        for each in served:
            each.kill()
    say(f"exit codes {codes}, messages {dict(load.said)}, {dict(load.events)}, rows {statuses()}")


NGINX = """
daemon off; pid {folder}/nginx.pid; error_log stderr crit; events {{}}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream site {{ server 127.0.0.1:{first} max_fails=0; server 127.0.0.1:{second} max_fails=0; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://site; proxy_buffering off; proxy_set_header Host localhost; }}
  }}
}}
"""


async def rolling_restart_behind_nginx() -> None:
    """The same, behind nginx: browsers know one address."""
    from tests.attack.served import free_port

    if shutil.which("nginx") is None:
        say("nginx is not installed")
        return
    served = [serve("uvicorn"), serve("uvicorn")]
    front = free_port()
    with tempfile.TemporaryDirectory(prefix="chatkit-nginx-") as folder:
        config = Path(folder) / "nginx.conf"
        first, second = (each.port for each in served)
        config.write_text(NGINX.format(folder=folder, port=front, first=first, second=second))
        proxy = subprocess.Popen(["nginx", "-e", "stderr", "-p", folder, "-c", str(config)])
        try:
            await asyncio.sleep(0.5)
            await replace_under_load(served, Load([front]))
        finally:
            proxy.terminate()
            proxy.wait()


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


async def late_readers() -> None:
    """Twenty readers who come to an answer of 100,000 words when it is half done, and one who was there."""
    served = serve("uvicorn", SERVER="tests.attack.chaos.wordy_server", ANSWER_EVENTS=200_000)
    try:
        body = encode("threads.create", input=message("hi"))
        first = await Answer().begin(served.port, body, {})
        cookies = first.cookies()
        found = re.search(r"(?im)^x-chatkit-run: (\S+)", first.head)
        assert found is not None
        await first.until(b'"50000 "')
        before = rss(served.process.pid)
        path = f"/chatkit/runs/{found[1]}/events"
        late = await asyncio.gather(
            *(Answer().begin(served.port, b"", cookies, path, method="GET") for _ in range(20))
        )
        await asyncio.gather(first.rest(), *(answer.rest() for answer in late))
        whole = sum(b"99999 " in answer.body for answer in late)
        after = rss(served.process.pid)
        say(f"{whole} of 20 got the whole of {len(first.body) >> 20} MB, memory {before} to {after} MB")
    finally:
        served.kill()


def wordy_server() -> Any:
    from chatkit.types import ThreadItemDoneEvent

    from chatkit_app.server import DjangoChatKitServer
    from tests.servers import added, assistant, delta

    class WordyServer(DjangoChatKitServer):
        async def respond(self, thread, input_user_message, context):
            item = assistant("")
            yield added(item)
            words = [f"{number} " for number in range(100_000)]
            for number, word in enumerate(words):
                yield delta(item.id, word)
                if number % 50 == 0:
                    await asyncio.sleep(0.001)
            item.content[0].text = "".join(words)
            yield ThreadItemDoneEvent(item=item)

    return WordyServer()


async def disk_full() -> None:
    """Files are sent to a disk of 2 MB until it is full; then something on it is deleted."""
    with tempfile.TemporaryDirectory(prefix="chatkit-disk-") as folder:
        disk = Path(folder) / "disk"
        disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
        if subprocess.run(mount, check=False, capture_output=True).returncode:
            say("only where one may mount a disk")
            return
        os.environ["CHATKIT_PROCESS_FILES"] = str(disk)
        served = serve("uvicorn", "tests.attack.asgi:application", ATTACHMENTS={})
        try:
            await _fill(served.port, disk)
        finally:
            served.kill()
            subprocess.run(["umount", str(disk)], check=True)


async def _fill(port: int, disk: Path) -> None:
    (disk / "something else").write_bytes(b"x" * 500_000)
    first = await (await Answer().begin(port, encode("threads.create", input=message("1")), {})).rest()
    cookies = first.cookies()

    async def send() -> int:
        head = b'Content-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain'
        body = b"--x\r\n" + head + b"\r\n\r\n" + b"words " * 60_000 + b"\r\n--x--\r\n"
        form = "multipart/form-data; boundary=x"
        answer = await Answer().begin(port, body, cookies, "/chatkit/attachments", content_type=form)
        return (await answer.rest()).status

    codes = [await send() for _ in range(8)]
    kept = rows("SELECT count(*) FROM chatkit_app_attachment WHERE file <> ''")[0][0]
    files = len([path for path in disk.rglob("*") if path.is_file()]) - 1
    talks = (
        b"thread.item.done"
        in (await (await Answer().begin(port, encode("threads.create", input=message("1")), {})).rest()).body
    )
    (disk / "something else").unlink()
    say(
        f"{dict(Counter(codes))}, rows with a file {kept}, files {files}; answers go on: {talks}; "
        f"with room again {await send()}"
    )


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
    for function in (
        sigterm,
        kill_9,
        rolling_restart,
        rolling_restart_behind_nginx,
        database_away,
        slow_reader,
        late_readers,
        disk_full,
        dropped_streams,
        logins,
    )
}


def say(line: str) -> None:
    sys.stdout.write(f"  {line}\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--code", type=Path, default=attacked_code())
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(ATTACKS))
    given = parser.parse_args()
    os.environ["CHATKIT_ATTACKED_CODE"] = str(given.code.resolve())
    for name in given.names or ATTACKS:
        if len(given.names) != 1:
            # Each with a database of its own, in a process of its own.
            command = [sys.executable, "-m", "tests.attack.chaos", name]
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
