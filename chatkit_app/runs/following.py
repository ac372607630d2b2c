"""An answer that another process makes, as that process sends it."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator
from typing import Any

from ..live import groups, layer
from ..live.bells import bells
from ..live.hub import get_hub
from ..process.threads import callers_thread

SILENCE = 1.0
"""Seconds after which whoever makes the answer is not waited for any longer."""
ASKING_INTERVAL = 0.25
"""Seconds between two requests while nothing has come: whoever makes the answer may just begin to listen."""
RENEWAL_INTERVAL = 10.0
"""Seconds after which it is told that there still is a reader."""


class NotHeard(Exception):
    """Nothing comes from whoever makes the answer, or something was lost on its way."""


class _Mailbox:
    """Letters to one reader, in the order in which they came."""

    def __init__(self) -> None:
        self.letters: asyncio.Queue[Any] = asyncio.Queue()

    def hear(self, message: layer.Message) -> None:
        self.letters.put_nowait(message)


async def hear(run_id: str) -> AsyncGenerator[bytes, None]:
    """Yield the frames of an answer, several at a time, from its first to its last.

    Raises:
        NotHeard: when the rest is to be read from the database.
    """
    if callers_thread() is not None or not layer.is_shared():
        raise NotHeard
    name, mailbox = secrets.token_hex(16), _Mailbox()
    channel = await get_hub().take_letters(name, mailbox)
    follow = {"type": "chatkit.follow", "run": run_id, "follower": name, "channel": channel}
    position, has_begun, is_last = 0, False, False
    heard_at = ask_at = time.monotonic()
    try:
        while not is_last:
            now = time.monotonic()
            if now >= ask_at:
                bells.send_now(groups.ANSWERS, follow)
                ask_at = now + (RENEWAL_INTERVAL if has_begun else ASKING_INTERVAL)
            try:
                async with asyncio.timeout(min(ask_at, heard_at + SILENCE) - now):
                    letter = await mailbox.letters.get()
            except TimeoutError:
                if time.monotonic() - heard_at >= SILENCE:
                    raise NotHeard from None
                continue
            if letter["first"] != position:
                raise NotHeard
            heard_at, has_begun = time.monotonic(), True
            position, is_last = letter["next"], letter["is_last"]
            if letter["text"]:
                yield letter["text"].encode()
    finally:
        get_hub().refuse_letters(name)
        bells.send_now(groups.ANSWERS, {"type": "chatkit.unfollow", "follower": name})
