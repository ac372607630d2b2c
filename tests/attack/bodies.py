"""What the largest bodies that the limits allow cost the event loop and the memory: ``python -m tests.attack.bodies``.

Every operation of the protocol is sent with each kind of body, by somebody who has a thread of his own, and once more
by a stranger without a session. Figures are the most processor time between two rounds of the event loop, worker
threads included, and what the process had at most beyond what it had before.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import logging
import os
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SIZE = 2_600_000
MILLISECONDS = 20.0
MEGABYTES = 20.0
TIMES = 3

ECHOED = {"content": [{"type": "input_text", "text": "hi"}], "attachments": [], "inference_options": {}}
ACTION = {"type": "a", "payload": {}}


def operations(thread_id: str) -> dict[str, dict[str, Any]]:
    """A valid body's ``params`` for each operation."""
    here = {"thread_id": thread_id}
    return {
        "threads.create": {"input": ECHOED},
        "threads.add_user_message": here | {"input": ECHOED},
        "threads.add_client_tool_output": here | {"result": 1},
        "threads.add_structured_input": here | {"item_id": "x", "answers": {}},
        "threads.retry_after_item": here | {"item_id": "x"},
        "threads.custom_action": here | {"item_id": None, "action": ACTION},
        "threads.sync_custom_action": here | {"item_id": None, "action": ACTION},
        "threads.get_by_id": dict(here),
        "threads.list": {"limit": 20},
        "items.list": dict(here),
        "items.feedback": here | {"item_ids": ["x"], "kind": "positive"},
        "threads.update": here | {"title": "x"},
        "attachments.create": {"name": "a.png", "size": 1, "mime_type": "image/png"},
        "attachments.delete": {"attachment_id": "x"},
        "threads.delete": dict(here),
        "input.transcribe": {"audio_base64": "AAAA", "mime_type": "audio/webm"},
    }


def fillings() -> dict[str, bytes]:
    """JSON values as large as a body can have them."""
    return {
        "plain text": b'"' + b"a" * SIZE + b'"',
        "words": b'"' + b"a " * (SIZE // 2) + b'"',
        "escapes": b'"' + b"\\n" * (SIZE // 2) + b'"',
        "backslashes": b'"' + b"\\\\" * (SIZE // 2) + b'"',
        "quotes": b'"' + b'\\"' * (SIZE // 2) + b'"',
        "wide text": b'"' + "😀".encode() + b"a" * SIZE + b'"',
        "brackets in text": b'"' + b"]" * SIZE + b'"',
        "commas in text": b'"' + b"," * SIZE + b'"',
        "zeros": b"[" + b"0," * (SIZE // 2) + b"0]",
        "zeros within limits": b"[" + b"0," * 4_900 + b"0]",
        "objects within limits": b"[" + b'{"type":"input_text"},' * 2_400 + b"{}]",
        "lists": b"[" + b"[]," * (SIZE // 3) + b"0]",
        "names": b"{" + b",".join(b'"%d":0' % n for n in range(SIZE // 11)) + b"}",
        "names within limits": b"{" + b",".join(b'"%d":0' % n for n in range(4_900)) + b"}",
        "deep": b"[" * (SIZE // 2) + b"]" * (SIZE // 2),
        "depth within limits": b'{"a":' * 50 + b"0" + b"}" * 50,
        "blanks": b" " * SIZE + b"0",
        "a number": b"9" * SIZE,
    }


def bodies(thread_id: str) -> Iterator[tuple[str, str, bytes]]:
    """(operation, kind, body): each filling as metadata and in place of each of the operation's own values."""
    mark = "@@@"
    for operation, params in operations(thread_id).items():
        places: list[dict[str, Any]] = [{"params": params, "metadata": {"x": mark}}]
        for key, value in params.items():
            if key != "thread_id":
                places.append({"params": params | {key: mark}})
            if isinstance(value, list):
                places.append({"params": params | {key: [mark]}})
            if isinstance(value, dict):
                places += [
                    {"params": params | {key: value | {inner: mark}}}
                    for inner in ("content", "payload")
                    if inner in value
                ]
        if "input" in params:
            for part in ({"type": "input_text", "text": mark}, {"type": mark, "text": "hi"}):
                places.append({"params": params | {"input": ECHOED | {"content": [part]}}})
        # Once more with an operation that there is not.
        places.append({"type": mark, "params": params})
        for place in places:
            body = json.dumps({"type": operation} | place).encode()
            for kind, filling in fillings().items():
                yield operation, kind, body.replace(b'"@@@"', filling)


class Clock:
    """The most work that the process did, in all its threads, between two rounds of the event loop.

    In processor time: that of other processes, which share the machine, does not count.
    """

    def __init__(self) -> None:
        self.longest = 0.0
        self._task = asyncio.ensure_future(self._tick())

    async def _tick(self) -> None:
        before = time.process_time()
        while True:
            await asyncio.sleep(0.001)
            now = time.process_time()
            self.longest = max(self.longest, (now - before) * 1000)
            before = now

    def stop(self) -> float:
        self._task.cancel()
        return self.longest


def memory(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1024


def forget_memory() -> float:
    """Give back what can be given back, and let the highest mark begin here. Returns the megabytes in use."""
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    return memory("VmRSS")


async def cost(chat: Any, body: bytes) -> tuple[float, float, int]:
    """The best of some tries: other processes of the machine only ever add to it."""
    times, megabytes, status = [], [], 0
    for _attempt in range(TIMES):
        before = forget_memory()
        gc.disable()
        clock = Clock()
        reply = await chat.post(body)
        times.append(clock.stop())
        gc.enable()
        megabytes.append(memory("VmHWM") - before)
        status = reply.status
        del reply
        if times[-1] <= MILLISECONDS and megabytes[-1] <= MEGABYTES:
            break
    return min(times), min(megabytes), status


def require_all_operations() -> None:
    """Let no operation of the protocol be forgotten."""
    from chatkit.types import ChatKitReq
    from pydantic import TypeAdapter

    with warnings.catch_warnings(action="ignore"):  # a default of the SDK's is no JSON
        there_are = {*TypeAdapter(ChatKitReq).json_schema()["discriminator"]["mapping"]}
    if there_are != {*operations("x")}:
        raise AssertionError(f"Listed wrongly: {sorted(there_are ^ {*operations('x')})}")


async def measure() -> int:
    from tests.chat import Chat

    require_all_operations()
    worst: dict[str, list[tuple[float, float, str, int, str]]] = {}
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    only = sys.argv[1:]
    for operation, kind, body in bodies(thread_id):
        if only and operation not in only:
            continue
        print(f"\r{operation}: {kind:30}", end="", file=sys.stderr)
        # What a stranger sends is looked at in the same way: one body of each kind tells.
        senders = [("visitor", chat)] + [("stranger", Chat())] * (b'"metadata"' in body)
        for who, sender in senders:
            longest, most, status = await cost(sender, body)
            worst.setdefault(operation, []).append((longest, most, kind, status, who))
    over = 0
    print(f"{'operation':32}{'event loop':>12}  {'(worst body)':40}{'memory':>10}  (worst body)")
    for operation, figures in worst.items():
        slow, fat = max(figures, key=lambda f: f[0]), max(figures, key=lambda f: f[1])
        over += slow[0] > MILLISECONDS or fat[1] > MEGABYTES
        name_slow, name_fat = (f"{f[2]}, {f[4]}, {f[3]}" for f in (slow, fat))
        print(f"{operation:32}{slow[0]:9.1f} ms  {name_slow:40}{fat[1]:7.1f} MB  {name_fat}")
    print(f"{over} of {len(worst)} operations above {MILLISECONDS:.0f} ms or {MEGABYTES:.0f} MB")
    return 1 if over else 0


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    logging.disable(logging.CRITICAL)
    from django.conf import settings
    from django.test.utils import setup_databases

    setup_databases(0, interactive=False)
    settings.CHATKIT = {"SERVER": "tests.servers.EchoServer", "ATTACHMENTS": {}, "RUN_RETENTION": 0.0}
    return asyncio.run(measure())


if __name__ == "__main__":
    sys.exit(main())
