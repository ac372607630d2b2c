"""A peal: what is rung at one moment, for whichever threads, as one message to all processes that have pages open.

A message for each thread would cost several calls of the layer for each, above all where nobody has it open. What a
process hears of threads that none of its pages shows costs it a look into a dictionary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from . import groups

MAX_THREADS = 1000
"""So many threads are named in one message. Redis lets nobody else have a turn while it takes a longer one."""

Message = Mapping[str, Any]
Addressed = tuple[str, Message]


def pack(
    *, versions: Mapping[int, int], handled: Sequence[int], others: Sequence[Addressed]
) -> list[Message]:
    """Return the messages that tell all this: one, unless very many threads have changed.

    Args:
        versions: the newest of each thread that has changed, by its key.
        handled: the keys of threads of which something has changed that only staff see.
        others: what else a group is told.
    """
    # Lists: not every serializer takes numbers as keys.
    named = [[pk, version] for pk, version in versions.items()]
    named += [[pk, 0] for pk in handled if pk not in versions]
    rows = [named[first : first + MAX_THREADS] for first in range(0, len(named), MAX_THREADS)] or [[]]
    first, *rest = ({"type": "chatkit.peal", "threads": part} for part in rows)
    return [{**first, "others": [(group, dict(told)) for group, told in others]}, *rest]


def unpack(message: Message) -> Iterator[Addressed]:
    """Yield each group that is told something, and what."""
    yield from message.get("others", ())
    threads = message["threads"]
    for pk, version in threads:
        if version:
            yield groups.of_thread(pk), {"type": "chatkit.changed", "thread": pk, "version": version}
    if threads:
        pks = [pk for pk, _version in threads]
        yield groups.STAFF, {"type": "chatkit.changed", "group": groups.STAFF, "threads": pks}
