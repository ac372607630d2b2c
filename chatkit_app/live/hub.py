"""All that one event loop hears of the channel layer, on one channel.

A channel for each socket would cost each of them several tasks, and Redis a key; a thread that a thousand pages show
would be rung a thousand times. Here a process is in two groups at most, ``ANSWERS`` and ``PAGES``, whichever its
listeners are in. Letters come to this channel alone, and are for one listener.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
import weakref
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from typing import Protocol

from channels.layers import BaseChannelLayer

from ..logs import get_logger
from . import groups, layer, peal
from .bells import bells

logger = get_logger(__name__)

REJOIN_INTERVAL = 12 * 3600.0
"""Seconds after which groups are joined again: a layer forgets members after a day."""
_RETRY_DELAYS = (0.5, 1.0, 2.0, 5.0)


class Listener(Protocol):
    """Whoever hears of a group."""

    def hear(self, message: layer.Message) -> None:
        """Take in a message, without waiting for anything."""


class Hub:
    """The listeners of one event loop: members of groups, and who waits for letters.

    Attributes:
        channel: what the layer knows it by; it changes when all have left and somebody comes.
        on_return: called when the layer can be heard again, for what was missed meanwhile.
    """

    def __init__(self) -> None:
        self.on_return: Callable[[], Awaitable[None]] | None = None
        self._members: dict[str, set[Listener]] = {}
        self._addressees: dict[str, Listener] = {}
        self._task: asyncio.Task[None] | None = None
        # The groups of the layer that this process has joined, and when it has joined all of them.
        self._joined: set[str] = set()
        self._joined_at = 0.0
        self._layer: BaseChannelLayer | None = None
        self.channel = ""
        self._failures = 0
        # Who comes second waits until the first has joined, and a leave is not overtaken by a join.
        self._changing = asyncio.Lock()

    async def join(self, group: str, listener: Listener) -> None:
        """Let the listener hear what is sent to a group."""
        self._members.setdefault(group, set()).add(listener)
        async with self._changing:
            await self._begin_if_asleep()
            missing = self._wanted - self._joined
            if missing and layer.state.is_left_alone:
                self._joined_at = float("-inf")  # at the next refresh, and until then by this process alone
            elif missing:
                await self._add(missing)

    async def leave(self, group: str, listener: Listener) -> None:
        """Let the listener hear no more of a group."""
        members = self._members.get(group)
        if members is None:
            return
        members.discard(listener)
        if members:
            return
        del self._members[group]
        async with self._changing:
            found, channel = self._layer, self.channel
            unwanted = self._joined - self._wanted
            self._joined -= unwanted
            self._end_if_unused()
            if found is not None and not layer.state.is_left_alone:
                await layer.call_all([partial(found.group_discard, name, channel) for name in unwanted])

    async def take_letters(self, addressee: str, listener: Listener) -> str:
        """Let the listener have letters to an addressee. Returns the channel that they are to be sent to."""
        self._addressees[addressee] = listener
        async with self._changing:
            await self._begin_if_asleep()
        return self.channel

    def refuse_letters(self, addressee: str) -> None:
        """Drop what still comes for an addressee."""
        self._addressees.pop(addressee, None)
        self._end_if_unused()

    def dispatch(self, group: str, message: layer.Message) -> None:
        """Hand a message to those who hear of the group."""
        for listener in list(self._members.get(group, ())):
            _tell(listener, message)

    async def refresh(self) -> None:
        """Join the groups once more where that is due. Call it now and then."""
        is_due = time.monotonic() - self._joined_at > REJOIN_INTERVAL
        if self._members and is_due and not layer.state.is_left_alone:
            async with self._changing:
                await self._add(self._wanted)

    @property
    def _wanted(self) -> set[str]:
        """The groups of the layer by which listeners hear of theirs."""
        answers = {groups.ANSWERS} & self._members.keys()
        return answers | {groups.PAGES} if len(self._members) > len(answers) else answers

    async def _begin_if_asleep(self) -> None:
        if self._task is not None and not self._task.done():
            return
        bells.send_from(asyncio.get_running_loop(), self)
        found = layer.find_layer()
        layer.shorten_waits(found)
        self._layer = found
        self._joined = set()
        self.channel = await found.new_channel()
        # A context of its own: it must not inherit the language of whoever came first.
        self._task = asyncio.get_running_loop().create_task(self._listen(), context=contextvars.Context())

    def _end_if_unused(self) -> None:
        if self._task is not None and not self._members and not self._addressees:
            self._task.cancel()
            self._task = None

    async def _add(self, names: Collection[str]) -> bool:
        found, channel = self._layer, self.channel
        if found is None:
            return False
        succeeded = await layer.call_all([partial(found.group_add, name, channel) for name in names])
        if succeeded:
            self._joined.update(names)
            if self._joined >= self._wanted:
                self._joined_at = time.monotonic()
        else:
            # Tried again as soon as the layer can be heard, and in any case at the next refresh.
            self._joined_at = float("-inf")
        return succeeded

    async def _listen(self) -> None:
        assert self._layer is not None
        while True:
            try:
                message = await self._layer.receive(self.channel)
            except Exception as error:
                layer.state.note_failure(error)
                await self._return()
                continue
            self._take(message)

    def _take(self, message: layer.Message) -> None:
        if "letters" in message:
            for addressee, letter in message["letters"].items():
                if addressee in self._addressees:
                    _tell(self._addressees[addressee], letter)
        elif "threads" not in message:
            self.dispatch(message["group"], message)
        elif message.get("heard_by") != self.channel:
            for group, told in peal.unpack(message):
                self.dispatch(group, told)

    async def _return(self) -> None:
        """Wait until the layer is back. Redis has forgotten the groups when it was started anew."""
        while True:
            await asyncio.sleep(_RETRY_DELAYS[min(self._failures, len(_RETRY_DELAYS) - 1)])
            self._failures += 1
            async with self._changing:
                if await self._add(self._wanted):
                    break
        self._failures = 0
        if self.on_return is not None:
            try:
                await self.on_return()
            except Exception:
                logger.exception("Pages could not be told what was missed; they find it at their next look")


def _tell(listener: Listener, message: layer.Message) -> None:
    try:
        listener.hear(message)
    except Exception:
        logger.exception("A bell could not be told to a page")


_hubs: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = weakref.WeakKeyDictionary()


def get_hub() -> Hub:
    """Return the hub of the running event loop."""
    loop = asyncio.get_running_loop()
    hub = _hubs.get(loop)
    if hub is None:
        hub = _hubs[loop] = Hub()
    return hub
