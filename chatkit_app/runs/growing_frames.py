"""The frames of an answer in the making: as many as a late reader needs, and not every letter one by one."""

from __future__ import annotations

from collections.abc import Mapping

from chatkit.types import (
    AssistantMessageItem,
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
)

from ..server import wire
from .frames import Frames

DROP_BYTES = 4_096
"""Bytes of an item's steps that are kept though they are superfluous: most answers are given again as they were."""
MERGE_BYTES = 65_536
"""Bytes of an unfinished message's steps that become one frame; more for a long one, which is not written so often."""


class GrowingFrames(Frames):
    """Frames that forget what later ones say again.

    A frame that is forgotten stays as an empty one, so that every reader keeps its place. One who has not read it yet
    gets the whole item instead, which clients show in place of what they have of it.

    Attributes:
        size: bytes that are kept.
    """

    def __init__(self) -> None:
        super().__init__()
        self.size = 0
        self._steps: dict[str, _Steps] = {}

    def add(self, event: ThreadStreamEvent, *, pending_items: Mapping[str, ThreadItem]) -> None:
        """Append an event.

        Args:
            pending_items: the unfinished items as they are with this event.
        """
        frame = wire.to_frame(event)
        self.frames.append(frame)
        self.size += len(frame)
        match event:
            case ThreadItemUpdatedEvent(item_id=item_id):
                self._step(item_id, pending_items.get(item_id))
            case ThreadItemRemovedEvent(item_id=item_id):
                self._drop_steps(item_id)
            case ThreadItemDoneEvent(item=item) | ThreadItemReplacedEvent(item=item):
                self._drop_steps(item.id)

    def _drop_steps(self, item_id: str) -> None:
        steps = self._steps.pop(item_id, None)
        if steps is not None and steps.size > DROP_BYTES:
            self._forget(steps.positions)

    def _step(self, item_id: str, item: ThreadItem | None) -> None:
        steps = self._steps.get(item_id)
        if steps is None:
            steps = self._steps[item_id] = _Steps()
        steps.positions.append(len(self.frames) - 1)
        steps.size += len(self.frames[-1])
        if steps.size > steps.most and isinstance(item, AssistantMessageItem):
            self._forget(steps.positions)
            merged = wire.to_frame(ThreadItemAddedEvent(item=item))
            self.frames[-1] = merged
            self.size += len(merged)
            steps.positions = [len(self.frames) - 1]
            steps.size = len(merged)
            steps.most = max(MERGE_BYTES, 2 * len(merged))

    def _forget(self, positions: list[int]) -> None:
        for position in positions:
            self.size -= len(self.frames[position])
            self.frames[position] = b""


class _Steps:
    """The additions to an unfinished item since it began."""

    def __init__(self) -> None:
        self.positions: list[int] = []
        self.size = 0
        self.most = MERGE_BYTES
