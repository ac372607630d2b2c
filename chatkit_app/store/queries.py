"""The fixed statements of threads and items: see ``chatkit_app/statements.py``."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import F, OuterRef, Subquery

from ..models import Feedback
from ..models import Run as RunRow
from ..models import Thread as ThreadRow
from ..models import ThreadItem as ItemRow
from ..models.querysets import OwnerParameters, ThreadQuerySet
from ..statements import Insert, Select, Update, parameter
from . import codec
from .cut_answers import left_as


def threads_of(kind: str) -> ThreadQuerySet:
    """Select a thread by its id, of an owner of this kind."""
    threads: Any = ThreadRow.objects.owned_by(OwnerParameters.of(kind))
    return cast(ThreadQuerySet, threads.filter(public_id=parameter(ThreadRow, "public_id")))


def _item_page(kind: str, *, known: bool, hidden: bool, after: bool, limit: int, order: str) -> Any:
    """Select a page of a thread's items; of a thread whose key is known, or of the owner's with this id.

    The first page of what people see says too whether the thread's newest question was left without a whole answer.
    """
    # The thread's key comes from a subquery also when it is known: a planner that sees the key of a
    # thread with very many items reads all items of the site in order, hoping to meet its own soon.
    threads: Any = ThreadRow.objects.filter(pk=parameter(ThreadRow, "id")) if known else threads_of(kind)
    thread_pk = Subquery(threads.values("pk")[:1])
    items = ItemRow.objects.filter(thread_id=thread_pk)
    names = [*codec.ITEM_COLUMNS]
    if not hidden:
        mine = Feedback.objects.owned_by(OwnerParameters.of(kind)).filter(item_id=OuterRef("pk"))
        items = items.visible().annotate(feedback_kind=Subquery(mine.values("kind")[:1]))
        names.append("feedback_kind")
        if known and not after:
            silent_since = parameter(RunRow, "heartbeat_at")
            items = items.annotate(left_as=left_as(thread_pk, lost_before=silent_since))
            names.append("left_as")
    cursor = parameter(ItemRow, "public_id", "after") if after else None
    columns: Any = items.values_list(*names, named=True)
    return columns.page_and_next(after=cursor, limit=limit, order=order)


def _thread_page(kind: str, *, after: bool, limit: int, order: str) -> Any:
    cursor = parameter(ThreadRow, "public_id", "after") if after else None
    threads = ThreadRow.objects.owned_by(OwnerParameters.of(kind))
    return threads.page_and_next(after=cursor, limit=limit, order=order)


def _touched(*, counted: bool, previewed: bool) -> Any:
    """Select a thread, and what changes of it when an item is added to it or a text that its preview shows."""
    changes: dict[str, Any] = {
        "last_activity": parameter(ThreadRow, "last_activity"),
        "version": F("version") + 1,
    }
    if counted:
        changes["item_count"] = F("item_count") + 1
    if previewed:
        changes["last_preview"] = parameter(ThreadRow, "last_preview")
    return ThreadRow.objects.filter(pk=parameter(ThreadRow, "id")), changes


def _rewritten() -> Any:
    """Select an item, unless it has been redacted, and what changes of it when it says something else."""
    items = ItemRow.objects.filter(
        thread_id=parameter(ItemRow, "thread_id"), public_id=parameter(ItemRow, "public_id")
    )
    names = ("type", "payload", "text", "created_at", "updated_at", "version")
    return items.filter(redacted_at__isnull=True), {name: parameter(ItemRow, name) for name in names}


THREAD = Select(lambda kind: threads_of(kind)[:1])
THREADS = Select(_thread_page)
ITEMS = Select(_item_page)
INSERT_THREAD = Insert(ThreadRow)
INSERT_ITEM = Insert(ItemRow)
REWRITE_ITEM = Update(_rewritten)
TOUCH_THREAD = Update(_touched, returning=["version"])
