"""What an answer without end costs the memory of its process: ``python -m tests.attack.long_answer``."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from pathlib import Path
from typing import Any

SECONDS = 20.0


def megabytes() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def endless_server() -> Any:
    from chatkit_app.server import DjangoChatKitServer
    from tests.servers import added, assistant, delta

    class EndlessServer(DjangoChatKitServer):
        async def respond(self, thread, input_user_message, context):
            item = assistant("")
            yield added(item)
            while True:
                yield delta(item.id, "word ")
                await asyncio.sleep(0)

    return EndlessServer()


async def measure() -> None:
    from chatkit_app.runs.registry import live_runs
    from tests.chat import Chat

    before, begun = megabytes(), time.perf_counter()
    answer = await Chat().begin_saying("hi")
    run = live_runs.get(answer.run_id)
    assert run is not None
    await answer.disconnect()
    while not run.done and time.perf_counter() - begun < SECONDS:
        await asyncio.sleep(0.1)
    ended = f"ended: {run.failure}" if run.done else "goes on"
    seconds = time.perf_counter() - begun
    print(f"{before:.0f} -> {megabytes():.0f} MB in {seconds:.0f} s, {len(run.frames)} events, {ended}")


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    logging.disable(logging.CRITICAL)
    from django.conf import settings
    from django.test.utils import setup_databases

    setup_databases(0, interactive=False)
    settings.CHATKIT = {"SERVER": "tests.attack.long_answer.endless_server"}
    asyncio.run(measure())
    return 0


if __name__ == "__main__":
    sys.exit(main())
