"""The channel layer, by which processes hear one another, as one that may be slow, full or gone.

Nobody waits for it for longer than ``PATIENCE``. Where it has failed it is left alone for a while: what was to be sent
meanwhile is lost, and whoever listens finds it in the database at the next ping.
"""

from __future__ import annotations

import asyncio
import time
import weakref
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

from channels.exceptions import ChannelFull
from channels.layers import BaseChannelLayer, InMemoryChannelLayer, get_channel_layer

from ..logs import get_logger

logger = get_logger(__name__)

PATIENCE = 1.0
"""Seconds that one call of the layer may take. No request waits for it."""
LEFT_ALONE = 10.0
"""Seconds for which nothing is sent by a layer that has failed."""
WAIT = 2
"""Seconds that Redis is asked to wait for a message before it says that there is none."""
LOG_INTERVAL = 60.0
"""Seconds between two lines in the log about it."""

# Each call in flight has a connection to Redis.
_AT_ONCE = 8
# Of so many looks each is late at most once.
_LOOKS = 10

Message = Mapping[str, Any]

_turns: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = weakref.WeakKeyDictionary()


def _turn() -> asyncio.Semaphore:
    """Return what all calls of this event loop wait for, so that a thousand pages at once are no thousand calls."""
    return _turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(_AT_ONCE))


class LayerState:
    """Health of the layer, as far as this process knows: since when it has failed, and when that was told."""

    def __init__(self) -> None:
        self.back_at = 0.0
        self._told_at = float("-inf")

    @property
    def is_left_alone(self) -> bool:
        return time.monotonic() < self.back_at

    def note_failure(self, error: BaseException) -> None:
        """Leave the layer alone for a while, and say so, once a minute."""
        now = time.monotonic()
        self.back_at = now + LEFT_ALONE
        if now - self._told_at >= LOG_INTERVAL:
            self._told_at = now
            logger.warning(
                "The channel layer cannot be reached (%s). Open pages hear of changes at their next look; "
                "see CHANNEL_LAYERS.",
                str(error) or type(error).__name__,
            )

    def note_success(self) -> None:
        """Use the layer again."""
        self.back_at = 0.0


state = LayerState()


# For a site without one: its only process needs no other.
_own = InMemoryChannelLayer()


def find_layer() -> BaseChannelLayer:
    """Return the site's default channel layer; where there is none, one by which only this process hears itself."""
    found = get_channel_layer()
    return _own if found is None else found


def is_local(layer: BaseChannelLayer) -> bool:
    """Return whether nobody outside of this process hears what is sent by this layer."""
    return isinstance(layer, InMemoryChannelLayer)


def is_shared() -> bool:
    """Return whether other processes hear what is sent now, as far as this one knows."""
    return not state.is_left_alone and not is_local(find_layer())


def shorten_waits(layer: BaseChannelLayer) -> None:
    """Have a layer of channels_redis wait for messages in pieces that redis-py allows.

    It asks Redis to answer within five seconds, which is when redis-py 8 gives a connection up, unless the site has
    said otherwise. Every quiet moment would be taken for a Redis that is away.
    """
    if getattr(layer, "brpop_timeout", 0) > WAIT:
        layer.brpop_timeout = WAIT


async def send_all(messages: Sequence[tuple[str, Message]]) -> None:
    """Send each of these messages to its group, or none of them while the layer is left alone."""
    layer = find_layer()
    if not state.is_left_alone:
        await call_all([partial(layer.group_send, group, dict(message)) for group, message in messages])


async def call_all(calls: list[Callable[[], Coroutine[Any, Any, Any]]]) -> bool:
    """Make these calls of the layer, a few at once. What has not begun when one fails is not tried any more.

    Returns:
        Whether all of them succeeded.
    """
    waiting = iter(calls)
    has_failed = False

    async def work() -> None:
        nonlocal has_failed
        for call in waiting:
            if has_failed:
                return
            try:
                async with _turn():
                    await _patiently(call())
            except ChannelFull:
                continue  # who reads that slowly finds out at the next ping
            except Exception as error:
                has_failed = True
                state.note_failure(error)

    await asyncio.gather(*(work() for _ in range(min(_AT_ONCE, len(calls)))))
    if calls and not has_failed:
        state.note_success()
    return not has_failed


async def _patiently(call: Coroutine[Any, Any, Any]) -> None:
    """Wait for a call, for ``PATIENCE`` in which this event loop has its turns.

    While an import or whatever else holds up the loop, the layer's answer waits for the loop and not the other way.

    Raises:
        TimeoutError: when it takes longer.
    """
    task = asyncio.ensure_future(call)
    try:
        for _ in range(_LOOKS):
            if (await asyncio.wait({task}, timeout=PATIENCE / _LOOKS))[0]:
                task.result()
                return
        raise TimeoutError
    finally:
        task.cancel()
