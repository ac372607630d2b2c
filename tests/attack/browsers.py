"""Browsers that speak to a server process over connections of their own, many at once."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from contextlib import suppress

from tests.chat import CSRF_TOKEN, encode, message

from .new_database import threads_with_message

READERS = 5


class Answer:
    """One request of a browser, over a connection of its own."""

    def __init__(self) -> None:
        self.status = 0
        self.head = ""
        self.body = b""
        self.broken = False
        self._writer: asyncio.StreamWriter | None = None
        self._reader: asyncio.StreamReader | None = None

    async def begin(
        self,
        port: int,
        body: bytes,
        cookies: dict[str, str],
        path: str = "/chatkit",
        *,
        method: str = "POST",
        content_type: str = "application/json",
    ) -> Answer:
        try:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
            cookie = "; ".join(
                f"{name}={value}" for name, value in ({"csrftoken": CSRF_TOKEN} | cookies).items()
            )
            head = (
                f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {content_type}\r\n"
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
