"""Checkpoints: the text of messages that are being written, saved now and then so that a crash takes little of it."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import Any

from chatkit.types import ThreadItem
from django.db import IntegrityError, router, transaction
from django.db.models import F
from django.utils import timezone

from ..context import RequestContext
from ..models import Thread as ThreadRow
from ..models import ThreadItem as ItemRow
from . import codec, queries
from .state import StoreState


def save_unfinished(unfinished: list[tuple[ThreadItem, RequestContext]]) -> None:
    """Save what there is of messages that are being written, in one transaction for all of them."""
    try:
        _upsert_items(unfinished)
    except IntegrityError:
        # One of the threads was deleted meanwhile; the others' text is still worth saving.
        for entry in unfinished:
            with contextlib.suppress(IntegrityError):
                _upsert_items([entry])


def _upsert_items(unfinished: list[tuple[ThreadItem, RequestContext]]) -> None:
    """Write what there is of these items. One that is redacted, or that has gone, stays so."""
    stored: list[dict[str, Any]] = []
    new: list[tuple[dict[str, Any], RequestContext]] = []
    now = timezone.now()
    for item, context in unfinished:
        state = context.state(StoreState)
        columns: dict[str, Any] = {
            "thread_id": state.thread_pks[item.thread_id],
            "updated_at": now,
            **codec.encode_item(item),
        }
        if item.id in state.stored_items:
            stored.append(columns)
        else:
            new.append((columns, context))
    with transaction.atomic(using=router.db_for_write(ItemRow)):
        thread_pks = [columns["thread_id"] for columns in stored]
        thread_pks += [columns["thread_id"] for columns, _context in new]
        versions_by_thread = ThreadRow.objects.filter(pk__in=set(thread_pks)).bump()
        for columns in stored + [columns for columns, _context in new]:
            # A thread that was deleted has none: then its item is refused.
            columns["version"] = versions_by_thread.get(columns["thread_id"], 0)
        if stored:
            # One by one, since a statement for all of them would be another one for each number of them, which
            # costs the driver more to read than the database to do.
            queries.REWRITE_ITEM().run_many(stored)
        added = _insert_unfinished(new) if new else set()
    for columns, context in new:
        context.state(StoreState).stored_items.add(columns["public_id"])
        if (columns["thread_id"], columns["public_id"]) in added:
            context.state(StoreState).unannounced_items.add(columns["public_id"])


def _insert_unfinished(new: list[tuple[dict[str, Any], RequestContext]]) -> set[tuple[int, str]]:
    """Insert items whose threads are locked, and count them. Returns the keys of those that were not there yet."""
    rows = [ItemRow(run_id=context.state(StoreState).run_pk, **columns) for columns, context in new]
    # Locked, so that none of them is redacted between this look and the writing.
    known = ItemRow.objects.locked().filter(
        thread_id__in={row.thread_id for row in rows}, public_id__in={row.public_id for row in rows}
    )
    # An earlier checkpoint may have stored them, if the connection broke just after it.
    stored = {
        (thread_pk, public_id): redacted_at
        for thread_pk, public_id, redacted_at in known.order_by("pk").values_list(
            "thread_id", "public_id", "redacted_at"
        )
    }
    ItemRow.objects.bulk_create(
        [row for row in rows if stored.get((row.thread_id, row.public_id)) is None],
        update_conflicts=True,
        unique_fields=["thread", "public_id"],
        update_fields=["payload", "text", "updated_at", "version"],
    )
    added = {(row.thread_id, row.public_id) for row in rows} - stored.keys()
    numbers = Counter(thread_pk for thread_pk, _public_id in added)
    for number in set(numbers.values()):
        threads = [pk for pk, count in numbers.items() if count == number]
        ThreadRow.objects.filter(pk__in=threads).update(item_count=F("item_count") + number)
    return added
