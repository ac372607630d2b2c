"""The doorbell of a process that makes answers, for the processes that do not make them.

One of them has written into an answer's row that it is to end, and rings so that it is looked for at once; or it has a
reader, and asks for what there is to read. Where processes cannot hear one another, the keeper looks at every row now
and then, and readers look into the database.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable

from ..live import groups, layer
from ..live.hub import get_hub
from ..logs import get_logger
from ..process.threads import callers_thread
from .live import LiveRun
from .registry import live_runs
from .relay import Relay

logger = get_logger(__name__)


class Doorbell:
    """The doorbell of the answers that one event loop makes.

    Args:
        look: looks what the rows of these answers say, and acts on it.
    """

    def __init__(self, look: Callable[[list[LiveRun]], Awaitable[None]]) -> None:
        self._look = look
        self._loop = asyncio.get_running_loop()
        self._relay = Relay()
        self._looks: set[asyncio.Task[None]] = set()
        self._is_connected = False

    async def connect(self) -> None:
        """See that it is heard, where processes hear one another. Call it now and then."""
        try:
            if self._is_connected:
                await get_hub().refresh()
            elif callers_thread() is None and layer.is_shared():
                self._is_connected = True
                await get_hub().join(groups.ANSWERS, self)
        except Exception:
            logger.exception("Other processes cannot be heard; their stops are found at each checkpoint")

    async def disconnect(self) -> None:
        """Be heard no more."""
        self._relay.close()
        if self._is_connected:
            await get_hub().leave(groups.ANSWERS, self)

    def hear(self, message: layer.Message) -> None:
        """Take in what another process wants."""
        match message["type"]:
            case "chatkit.look":
                named = map(live_runs.get_anywhere, message["runs"])
                mine = [run for run in named if run is not None and run.loop is self._loop and not run.done]
                if mine:
                    looking = self._loop.create_task(self._look_at(mine), context=contextvars.Context())
                    self._looks.add(looking)
                    looking.add_done_callback(self._looks.discard)
            case "chatkit.follow":
                self._relay.follow(message["follower"], run_id=message["run"], channel=message["channel"])
            case "chatkit.unfollow":
                self._relay.leave(message["follower"])

    async def _look_at(self, runs: list[LiveRun]) -> None:
        try:
            await self._look(runs)
        except Exception:
            logger.exception("Answers that were stopped could not be looked at; the next checkpoint does it")
