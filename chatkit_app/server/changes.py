"""The changes of a thread since a page has read it last: the only way by which an open page hears more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chatkit.store import NotFoundError
from chatkit.types import Page, Thread
from django.db.models import OuterRef, Subquery

from ..live.seen import note_seen
from ..models import Feedback, RemovedItem
from ..models import Thread as ThreadRow
from ..models import ThreadItem as ItemRow
from ..storable import is_storable_id
from ..store import codec
from ..store.attachments import signed_again
from ..takeover.handler import handler_fields
from . import wire

if TYPE_CHECKING:
    from ..context import RequestContext

MAX_CHANGES = 200
"""So many items a page is told of at once. Behind that it reads the thread anew, which comes in pages."""


def load_changes(thread_id: str, after: int, context: RequestContext, *, is_seen: bool = False) -> bytes:
    """Return what has changed in a thread, as JSON. Call it in a thread that may query the database.

    Rows are read where they are written: who asks has heard that there is something new, and hears it once.

    Args:
        thread_id: the SDK's id.
        after: the version up to which the page knows the thread.
        context: whoever asks; only the owner's threads are seen.
        is_seen: whether the page is in sight, so that what it reads is seen.

    Returns:
        ``{"version", "thread", "removed"}``: the thread as ``threads.get_by_id`` has it, with those of its items that
        are new or different, in the thread's order, and the ids of those that are gone. The next ``after`` is the
        version. Where it is too much, ``{"version", "reset": true}``.

    Raises:
        NotFoundError: when there is no such thread, or it is somebody else's.
    """
    # Its version first: whatever is committed later has a higher one, and is read again the next time.
    threads = ThreadRow.objects.on_writer().owned_by(context).select_related("assignment__assignee")
    row = threads.filter(public_id=thread_id).first() if is_storable_id(thread_id) else None
    if row is None:
        raise NotFoundError(f"Thread {thread_id!r} not found")
    items, removed = _changed_items(row, after, context) if row.version > after else ([], [])
    if is_seen:
        note_seen([row.pk], version=row.version)
    if len(items) > MAX_CHANGES or len(removed) > MAX_CHANGES:
        return json.dumps({"version": row.version, "reset": True}).encode()
    feedback = {item.public_id: item.feedback_kind for item in items if item.feedback_kind}
    decoded = [
        signed_again(
            codec.decode_item(item, thread_id=thread_id, locale=context.locale), context.endpoint_url
        )
        for item in items
    ]
    metadata = codec.decode_thread(row).model_dump(exclude={"metadata"})
    thread = wire.to_wire(
        Thread(**metadata, items=Page(data=decoded)),
        feedback=feedback,
        handler=handler_fields(row) if row.is_with_staff else None,
    )
    return b'{"version":%d,"thread":%b,"removed":%b}' % (row.version, thread, json.dumps(removed).encode())


def _changed_items(thread: ThreadRow, after: int, context: RequestContext) -> tuple[list[Any], list[str]]:
    mine = Feedback.objects.owned_by(context).filter(item_id=OuterRef("pk"))
    changed = ItemRow.objects.on_writer().visible().filter(thread_id=thread.pk, version__gt=after)
    columns = changed.annotate(feedback_kind=Subquery(mine.values("kind")[:1])).values_list(
        "pk", *codec.ITEM_COLUMNS, "feedback_kind", named=True
    )
    # By the version, which has an index with the thread's key; the thread's order is that of the keys.
    items = sorted(columns.order_by("version")[: MAX_CHANGES + 1], key=lambda item: item.pk)
    gone = RemovedItem.objects.using(thread._state.db).filter(thread_id=thread.pk, version__gt=after)
    removed = gone.order_by("version").values_list("public_id", flat=True)[: MAX_CHANGES + 1]
    here = {item.public_id for item in items}
    return items, [public_id for public_id in removed if public_id not in here]
