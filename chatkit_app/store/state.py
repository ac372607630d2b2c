"""The store's state while one request is being answered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from chatkit.types import Page, ThreadMetadata

PageKey: TypeAlias = tuple[str | None, str | None, int, str]
"""A page by its thread, its cursor, its length and its order."""


@dataclass(kw_only=True)
class StoreState:
    """The store's state of one request: ``context.state(StoreState)``.

    Attributes:
        thread_pks: keys of the threads that were found or made, by their SDK ids.
        loaded_threads: those threads as they were when they were last read or written.
        fresh_threads: threads that were read just now, for the next one who loads them.
        fresh_pages: pages of threads (of None) or of a thread's visible items that were read just now, likewise.
        item_counts: how many items a thread had when it was loaded.
        handlers: who answered in a thread when it was loaded, a ``Thread.Handler``.
        versions: the version that a thread had when it was loaded.
        left_as: how threads were left without a whole answer when their first items were loaded, see ``cut_answers``.
        stored_items: ids of items that have a row.
        unannounced_items: ids of stored items of which ``item_added`` was not sent yet.
        new_ids: ids that the store has made up for this request, and nothing has had before.
        feedback: the owner's feedback on the items that were loaded, by their ids.
        checkpoint: the checkpoint that is being written, which has to end before the items' last version is.
        run_pk: key of the run that items are written by.
        message_id: the id that the client has given to the message which it sends.
        new_thread_id: the id for a thread that this message begins, the same one each time that it is sent.
    """

    thread_pks: dict[str, int] = field(default_factory=dict)
    loaded_threads: dict[str, ThreadMetadata] = field(default_factory=dict)
    fresh_threads: dict[str, ThreadMetadata] = field(default_factory=dict)
    fresh_pages: dict[PageKey, Page[Any]] = field(default_factory=dict)
    item_counts: dict[str, int] = field(default_factory=dict)
    handlers: dict[str, str] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    left_as: dict[str, str] = field(default_factory=dict)
    stored_items: set[str] = field(default_factory=set)
    unannounced_items: set[str] = field(default_factory=set)
    new_ids: set[str] = field(default_factory=set)
    feedback: dict[str, str] = field(default_factory=dict)
    checkpoint: asyncio.Future[None] | None = None
    run_pk: int | None = None
    message_id: str | None = None
    new_thread_id: str | None = None
