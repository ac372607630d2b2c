"""The SDK's ``Store`` over the ORM.

Whatever is asked, only rows of the context's owner and namespace are seen. What belongs to somebody else and
what does not exist give the same answer, ``NotFoundError``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import Any, cast

from chatkit.types import Attachment as SDKAttachment
from chatkit.types import Page, ThreadItem, ThreadMetadata
from django.db import IntegrityError, router, transaction
from django.db.models import F, OuterRef, Subquery
from django.utils import timezone

from .. import db
from ..context import RequestContext
from ..models import Attachment as AttachmentRow
from ..models import Feedback, RemovedItem, versions
from ..models import Run as RunRow
from ..models import Thread as ThreadRow
from ..models import ThreadItem as ItemRow
from ..models.querysets import (
    HIDDEN_ITEM_TYPES,
    MAX_PAGE_SIZE,
    OwnerParameters,
    ThreadQuerySet,
    owner_values,
    page_size,
)
from ..signals import item_added
from ..staff import flags
from ..statements import Insert, Select, Update, parameter
from ..storable import is_storable_id
from . import claims, codec, earlier
from .base import NoOwner, NotFoundError, OwnedStore, new_id, sdk_page
from .cut_answers import is_cut, lost_before
from .memory import InMemoryStore
from .payloads import kept_image_id, preview
from .state import StoreState

__all__ = ["DjangoStore", "InMemoryStore", "NoOwner", "NotFoundError", "OwnedStore", "new_id"]


_GENERATED_IMAGE = ItemRow.Type.GENERATED_IMAGE


# --- Statements ---------------------------------------------------------------------------------------------


def threads_of(kind: str) -> ThreadQuerySet:
    """Select a thread by its id, of an owner of this kind."""
    threads: Any = ThreadRow.objects.owned_by(OwnerParameters.of(kind))
    return cast(ThreadQuerySet, threads.filter(public_id=parameter(ThreadRow, "public_id")))


def _item_page(kind: str, *, known: bool, hidden: bool, after: bool, limit: int, order: str) -> Any:
    """Select a page of a thread's items; of a thread whose key is known, or of the owner's with this id.

    The first page of what people see says too whether the thread's newest answer was cut off.
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
            items = items.annotate(is_cut=is_cut(thread_pk, lost_before=silent_since))
            names.append("is_cut")
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


_THREAD = Select(lambda kind: threads_of(kind)[:1])
_THREADS = Select(_thread_page)
_ITEMS = Select(_item_page)
_INSERT_THREAD = Insert(ThreadRow)
_INSERT_ITEM = Insert(ItemRow)
_REWRITE_ITEM = Update(_rewritten)
_TOUCH_THREAD = Update(_touched, returning=["version"])


class DjangoStore(OwnedStore):
    """Threads, items and attachments as ORM rows."""

    # Threads

    def take_thread(self, row: ThreadRow, context: RequestContext) -> None:
        """Take a thread's row, which is this context's and was read just now, for the next ``load_thread()``."""
        context.state(StoreState).fresh_threads[row.public_id] = self._decode_thread(row, context)

    def prefetch_thread(self, thread_id: str, context: RequestContext) -> None:
        """Load the thread, if there is one, for the next ``load_thread()``. For code in a worker already."""
        with contextlib.suppress(NotFoundError):
            context.state(StoreState).fresh_threads[thread_id] = self._load_thread(thread_id, context)

    def prefetch_threads(self, limit: int, after: str | None, order: str, context: RequestContext) -> None:
        """Load a page of threads for the next ``load_threads()``, likewise."""
        page = self._load_threads(limit, after, order, context)
        context.state(StoreState).fresh_pages[None, after, limit, order] = page

    def prefetch_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: RequestContext
    ) -> None:
        """Load a page of visible items, if there is its thread, for the next ``load_visible_items()``, likewise."""
        with contextlib.suppress(NotFoundError):
            page = self._load_items(thread_id, after, limit, order, context, hidden=False)
            context.state(StoreState).fresh_pages[thread_id, after, limit, order] = page

    async def load_thread(self, thread_id: str, context: RequestContext) -> ThreadMetadata:
        # Admitting a request loads its thread, and the SDK asks for it again at once.
        fresh = context.state(StoreState).fresh_threads.pop(thread_id, None)
        if fresh is not None:
            return fresh
        return await db.run(self._load_thread, thread_id, context)

    async def save_thread(self, thread: ThreadMetadata, context: RequestContext) -> None:
        """Insert the thread, or write what changed since this context loaded or saved it.

        What staff changed meanwhile stays: their columns are not written unless the SDK changed them itself,
        and a status is written only over the status that the SDK has seen.

        Raises:
            NotFoundError: when the id is somebody else's.
            NoOwner: when a new thread would belong to nobody.
        """
        await db.run(self._save_thread, thread, context)

    async def load_threads(
        self, limit: int, after: str | None, order: str, context: RequestContext
    ) -> Page[ThreadMetadata]:
        fresh = context.state(StoreState).fresh_pages.pop((None, after, limit, order), None)
        if fresh is not None:
            return fresh
        return await db.run(self._load_threads, limit, after, order, context)

    async def delete_thread(self, thread_id: str, context: RequestContext) -> None:
        await db.run(self._delete_thread, thread_id, context)

    def _load_thread(self, thread_id: str, context: RequestContext) -> ThreadMetadata:
        if not is_storable_id(thread_id):
            raise NotFoundError(f"Thread {thread_id!r} not found")
        kind, owner = owner_values(context)
        row = _THREAD(kind).first(public_id=thread_id, **owner) if kind else None
        if row is None:
            raise NotFoundError(f"Thread {thread_id!r} not found")
        return self._decode_thread(row, context)

    def _decode_thread(self, row: ThreadRow, context: RequestContext) -> ThreadMetadata:
        state, thread = context.state(StoreState), codec.decode_thread(row)
        state.item_counts[thread.id] = row.item_count
        state.handlers[thread.id] = row.handler
        state.versions[thread.id] = row.version
        state.thread_pks[thread.id] = row.pk
        state.loaded_threads[thread.id] = codec.copy_thread(thread)
        return thread

    def _thread_pk(self, thread_id: str, context: RequestContext) -> int:
        """Return the key of a thread that this context may write to.

        A thread that was found once stays writable for the rest of the request, so that a visitor who logs in
        while an answer streams does not lose it.
        """
        pks = context.state(StoreState).thread_pks
        pk = pks.get(thread_id)
        if pk is None:
            self._load_thread(thread_id, context)
            pk = pks[thread_id]
        return pk

    def _save_thread(self, thread: ThreadMetadata, context: RequestContext) -> None:
        columns = codec.encode_thread(thread)
        before = context.state(StoreState).loaded_threads.get(thread.id)
        if before is None:
            before = self._insert_thread(thread, columns, context)
        if before is not None:
            self._update_thread(thread, columns, codec.encode_thread(before), context)
        context.state(StoreState).loaded_threads[thread.id] = codec.copy_thread(thread)

    def _insert_thread(
        self, thread: ThreadMetadata, columns: dict[str, Any], context: RequestContext
    ) -> ThreadMetadata | None:
        """Insert and return None, or return the owner's thread that has this id already."""
        owner = self._owner_columns(context)
        try:
            with db.savepoint(ThreadRow):
                pk = _INSERT_THREAD().run(
                    public_id=thread.id,
                    namespace=context.namespace,
                    created_at=codec.to_database_time(thread.created_at),
                    **owner,
                    **columns,
                )
        except IntegrityError:
            return self._load_thread(thread.id, context)
        context.state(StoreState).thread_pks[thread.id] = pk
        return None

    def _owner_columns(self, context: RequestContext) -> dict[str, Any]:
        if context.user_id is not None:
            return {"user_id": context.user_id, "visitor_id": ""}
        if not context.visitor_id:
            raise NoOwner
        return {"user_id": None, "visitor_id": context.visitor_id}

    def _update_thread(
        self, thread: ThreadMetadata, columns: dict[str, Any], before: dict[str, Any], context: RequestContext
    ) -> None:
        rows = ThreadRow.objects.filter(pk=self._thread_pk(thread.id, context))
        changed = {name: value for name, value in columns.items() if value != before[name]}
        status = {name: columns[name] for name in ("status", "status_reason")}
        if changed.keys() & status.keys():
            # Staff's reason may still stand beside the status "active", where the SDK has no place for it.
            seen = {name: before[name] for name in status if before["status"] != "active" or name == "status"}
            rows.filter(**seen).bump(**status)
        rest = {name: value for name, value in changed.items() if name not in status}
        run_pk = context.state(StoreState).run_pk
        if "title" in rest and run_pk is not None:
            found = self._update_title(rows, rest, run_pk)
        else:
            found = self._write_columns(rows, rest) if rest else not changed or rows.exists()
        if not found:
            raise NotFoundError(f"Thread {thread.id!r} not found")

    def _update_title(self, rows: ThreadQuerySet, columns: dict[str, Any], run_pk: int) -> int:
        """Write what an answer changed, without a title that it made of a message that was redacted meanwhile."""
        with transaction.atomic(using=router.db_for_write(ThreadRow)):
            # Whoever redacts holds this lock too: the run is withdrawn by now, or this title is still redacted.
            list(rows.locked().values_list("pk"))
            if RunRow.objects.filter(pk=run_pk, withdrawn=True).exists():
                columns = {name: value for name, value in columns.items() if name != "title"}
            return self._write_columns(rows, columns) if columns else rows.count()

    def _write_columns(self, rows: ThreadQuerySet, columns: dict[str, Any]) -> int:
        return len(rows.bump(**columns)) if "title" in columns else rows.update(**columns)

    def _load_threads(
        self, limit: int, after: str | None, order: str, context: RequestContext
    ) -> Page[ThreadMetadata]:
        if after is not None and not is_storable_id(after):
            return Page()
        kind, values = owner_values(context)
        if not kind:
            return Page()
        if after is not None:
            values["after"] = after
        limit = page_size(limit)
        rows = _THREADS(kind, after=after is not None, limit=limit, order=order).rows(**values)
        return sdk_page([codec.decode_thread(row) for row in rows[:limit]], len(rows) > limit)

    def _delete_thread(self, thread_id: str, context: RequestContext) -> None:
        self._load_thread(thread_id, context)
        rows = ThreadRow.objects.filter(pk=context.state(StoreState).thread_pks.pop(thread_id))
        with transaction.atomic(using=router.db_for_write(ThreadRow)):
            # Whoever adds an item updates the thread as well: with this lock, either both are there to be
            # deleted, or the item is refused.
            list(rows.select_for_update().values_list("pk"))
            rows.delete()
        context.state(StoreState).loaded_threads.pop(thread_id, None)

    # Items

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: RequestContext
    ) -> Page[ThreadItem]:
        return await db.run(self._load_items, thread_id, after, limit, order, context, hidden=True)

    async def load_visible_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: RequestContext
    ) -> Page[ThreadItem]:
        fresh = context.state(StoreState).fresh_pages.pop((thread_id, after, limit, order), None)
        if fresh is not None:
            return fresh
        return await db.run(self._load_items, thread_id, after, limit, order, context, hidden=False)

    async def load_item(self, thread_id: str, item_id: str, context: RequestContext) -> ThreadItem:
        return await db.run(self._load_item, thread_id, item_id, context)

    async def has_word_of_staff(self, thread_id: str, item_id: str, context: RequestContext) -> bool:
        """Return whether a person of the staff has written something in the thread after this item."""
        return await db.run(self._has_word_of_staff, thread_id, item_id, context)

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: RequestContext) -> None:
        await self._checkpoint_written(context)
        await db.run(self._write_item, thread_id, item, context)

    async def save_item(self, thread_id: str, item: ThreadItem, context: RequestContext) -> None:
        await self.add_thread_item(thread_id, item, context)

    async def checkpoint(self, unfinished: list[tuple[ThreadItem, RequestContext]]) -> None:
        await db.run(self._checkpoint, unfinished)

    async def set_answer_aside(self, thread_id: str, message_id: str, context: RequestContext) -> ThreadItem:
        """Set aside what comes after one of the user's messages, as an earlier version of its answer.

        Returns:
            The message as it is now.

        Raises:
            NotFoundError: when there is none.
        """
        await self._checkpoint_written(context)
        return await db.run(self._set_answer_aside, thread_id, message_id, context)

    async def replace_message(
        self, thread_id: str, message_id: str, item: ThreadItem, context: RequestContext
    ) -> ThreadItem:
        """Set aside the last of the user's messages, with its answer, and put another one in its place.

        Returns:
            The new message, as it is stored.

        Raises:
            NotFoundError: when there is no such message.
            InvalidRequest: when it is not the last one.
        """
        await self._checkpoint_written(context)
        return await db.run(self._replace_message, thread_id, message_id, item, context)

    async def _checkpoint_written(self, context: RequestContext) -> None:
        """Wait until a half-finished copy has been written: it must not arrive after the item's end."""
        checkpoint = context.state(StoreState).checkpoint
        if checkpoint is not None:
            await asyncio.wait([checkpoint])

    async def delete_thread_item(self, thread_id: str, item_id: str, context: RequestContext) -> None:
        await self._checkpoint_written(context)
        await db.run(self._delete_item, thread_id, item_id, context)

    def _load_items(
        self,
        thread_id: str,
        after: str | None,
        limit: int,
        order: str,
        context: RequestContext,
        *,
        hidden: bool,
    ) -> Page[ThreadItem]:
        if not is_storable_id(thread_id):
            raise NotFoundError(f"Thread {thread_id!r} not found")
        if after is not None and not is_storable_id(after):
            return Page()
        pk = context.state(StoreState).thread_pks.get(thread_id)
        kind, owner = owner_values(context)
        values: dict[str, Any]
        if pk is not None:
            values = {"id": pk} if hidden else {"id": pk, **owner}
        elif kind:
            values = {"public_id": thread_id, **owner}
        else:
            raise NotFoundError(f"Thread {thread_id!r} not found")
        limit = page_size(limit)
        if after is not None:
            values["after"] = after
        elif pk is not None and not hidden:
            values["heartbeat_at"] = lost_before()
        page = _ITEMS(
            kind, known=pk is not None, hidden=hidden, after=after is not None, limit=limit, order=order
        )
        rows = page.rows(**values)
        if not rows and not self._exists(thread_id, pk, context):
            raise NotFoundError(f"Thread {thread_id!r} not found")
        rows, has_more = rows[:limit], len(rows) > limit
        if not hidden:
            context.state(StoreState).feedback |= {
                row.public_id: row.feedback_kind for row in rows if row.feedback_kind
            }
            if "heartbeat_at" in values and rows and rows[0].is_cut:
                context.state(StoreState).cut_answers.add(thread_id)
        return sdk_page(
            [codec.decode_item(row, thread_id=thread_id, locale=context.locale) for row in rows], has_more
        )

    def _exists(self, thread_id: str, pk: int | None, context: RequestContext) -> bool:
        if pk is not None:
            return ThreadRow.objects.filter(pk=pk).exists()
        return ThreadRow.objects.owned_by(context).filter(public_id=thread_id).exists()

    def _load_item(self, thread_id: str, item_id: str, context: RequestContext) -> ThreadItem:
        row = None
        pk = context.state(StoreState).thread_pks.get(thread_id)
        if is_storable_id(thread_id) and is_storable_id(item_id):
            if pk is None:
                rows = ItemRow.objects.owned_by(context).filter(thread__public_id=thread_id)
            else:
                rows = ItemRow.objects.filter(thread_id=pk)
            row = rows.filter(public_id=item_id).first()
        if row is None:
            raise NotFoundError(f"Item {item_id!r} not found")
        context.state(StoreState).stored_items.add(item_id)
        return codec.decode_item(row, thread_id=thread_id, locale=context.locale)

    def _has_word_of_staff(self, thread_id: str, item_id: str, context: RequestContext) -> bool:
        items = ItemRow.objects.filter(thread_id=self._thread_pk(thread_id, context))
        asked = items.filter(public_id=item_id).values("pk")[:1]
        return items.filter(pk__gt=Subquery(asked)).exclude(author_name="").exists()

    def _write_item(self, thread_id: str, item: ThreadItem, context: RequestContext) -> None:
        """Insert the item, or replace it where it stands when the thread has this id already.

        What was redacted meanwhile stays so, and that is no error.
        """
        thread_pk = self._thread_pk(thread_id, context)
        columns = codec.encode_item(item)
        state = context.state(StoreState)
        attempts = [self._update_item, self._insert_item]
        if item.id not in state.stored_items:
            attempts.reverse()
            if item.id == state.message_id:
                # A message that is sent again does not change the one that stands there.
                attempts[1] = self._has_item
        if not any(attempt(thread_pk, columns, context) for attempt in attempts):
            raise NotFoundError(f"Thread {thread_id!r} not found")
        state.stored_items.add(item.id)
        self._announce_item(thread_pk, item.id, context)

    def _announce_item(self, thread_pk: int, item_id: str, context: RequestContext) -> None:
        """Send ``item_added`` for an item that is stored whole for the first time."""
        if item_id in context.state(StoreState).unannounced_items and item_added.has_listeners(ItemRow):
            # What was written just now may not have come to a replica yet.
            items = ItemRow.objects.on_writer().select_related("thread")
            row = items.filter(thread_id=thread_pk, public_id=item_id).first()
            if row is not None:
                transaction.on_commit(
                    lambda: item_added.send_robust(sender=ItemRow, item=row),
                    using=router.db_for_write(ItemRow),
                )
        context.state(StoreState).unannounced_items.discard(item_id)

    def _insert_item(self, thread_pk: int, columns: dict[str, Any], context: RequestContext) -> bool:
        try:
            with transaction.atomic(using=router.db_for_write(ItemRow)):
                version = self._touch_thread(thread_pk, columns, added=True)
                if version is None:
                    raise NotFoundError(f"Thread of item {columns['public_id']!r} not found")
                run_pk = context.state(StoreState).run_pk
                _INSERT_ITEM().run(thread_id=thread_pk, run_id=run_pk, version=version, **columns)
                self._take_image(thread_pk, columns)
        except IntegrityError:
            return False
        context.state(StoreState).unannounced_items.add(columns["public_id"])
        return True

    def _update_item(self, thread_pk: int, columns: dict[str, Any], context: RequestContext) -> bool:
        using = router.db_for_write(ItemRow)
        with transaction.atomic(using=using):
            version = self._touch_thread(thread_pk, columns, added=False)
            values = {"thread_id": thread_pk, "updated_at": timezone.now(), "version": version, **columns}
            if version is not None and _REWRITE_ITEM().run(**values):
                self._take_image(thread_pk, columns)
                return True
            # The thread's preview must not show a text that is not in it, or no longer.
            transaction.set_rollback(True, using=using)
        return self._has_item(thread_pk, columns, context)

    def _has_item(self, thread_pk: int, columns: dict[str, Any], context: RequestContext) -> bool:
        rows = ItemRow.objects.on_writer().filter(thread_id=thread_pk, public_id=columns["public_id"])
        return rows.exists()

    def _take_image(self, thread_pk: int, columns: dict[str, Any]) -> None:
        """Give the file of a generated image to the thread in the moment in which its item is stored.

        And to the thread's owner: a visitor may have logged in while the image was made.
        """
        image_id = kept_image_id(columns["payload"]) if columns["type"] == _GENERATED_IMAGE else None
        thread = ThreadRow.objects.filter(pk=thread_pk).first() if image_id is not None else None
        if thread is not None:
            AttachmentRow.objects.unsent().filter(public_id=image_id).update(
                thread=thread, user_id=thread.user_id, visitor_id=thread.visitor_id
            )

    def _touch_thread(self, thread_pk: int, columns: dict[str, Any], *, added: bool) -> int | None:
        """Write what an item changes of its thread, and return the item's version; None if there is no thread.

        Called before the item is written, since the thread is locked by it.
        """
        values: dict[str, Any] = {"id": thread_pk, "last_activity": timezone.now()}
        previewed = bool(columns["text"]) and columns["type"] not in HIDDEN_ITEM_TYPES
        if previewed:
            values["last_preview"] = preview(columns["text"])
        found = _TOUCH_THREAD(counted=added, previewed=previewed).new_values(**values)
        if found is None:
            return None
        version: int = found[0]
        versions.announce(ThreadRow, {thread_pk: version})
        return version

    def _checkpoint(self, unfinished: list[tuple[ThreadItem, RequestContext]]) -> None:
        try:
            self._upsert_items(unfinished)
        except IntegrityError:
            # One of the threads was deleted meanwhile; the others' text is still worth saving.
            for entry in unfinished:
                with contextlib.suppress(IntegrityError):
                    self._upsert_items([entry])

    def _upsert_items(self, unfinished: list[tuple[ThreadItem, RequestContext]]) -> None:
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
                _REWRITE_ITEM().run_many(stored)
            added = self._insert_unfinished(new) if new else set()
        for columns, context in new:
            context.state(StoreState).stored_items.add(columns["public_id"])
            if (columns["thread_id"], columns["public_id"]) in added:
                context.state(StoreState).unannounced_items.add(columns["public_id"])

    def _insert_unfinished(self, new: list[tuple[dict[str, Any], RequestContext]]) -> set[tuple[int, str]]:
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

    def _delete_item(self, thread_id: str, item_id: str, context: RequestContext) -> None:
        thread_pk = self._thread_pk(thread_id, context)
        if not is_storable_id(item_id):
            return
        with transaction.atomic(using=router.db_for_write(ItemRow)):
            # The thread before its item, as whoever writes or redacts it locks them. The thread's lock also keeps
            # away those who judge or flag the item.
            threads = ThreadRow.objects.filter(pk=thread_pk)
            list(threads.locked().values_list("pk"))
            items = ItemRow.objects.filter(thread_id=thread_pk)
            found = list(items.filter(public_id=item_id).locked().values_list("pk", "type", "payload"))
            # Of what staff redacted a trace remains, also when its answer is made anew; so does what they wrote.
            pks = [pk for pk, _type, _payload in found]
            _, deleted = items.filter(pk__in=pks, redacted_at__isnull=True, author_name="").delete()
            count = deleted.get(ItemRow._meta.label, 0)
            images = [kept_image_id(payload) for _pk, type, payload in found if type == _GENERATED_IMAGE]
            if images:
                AttachmentRow.objects.filter(thread_id=thread_pk, public_id__in=images).delete()
            if deleted.get(Feedback._meta.label):
                threads.recount_feedback()
            if count:
                texts = items.visible().exclude(text="").order_by("-id").values_list("text", flat=True)
                shown = preview(texts.first() or "")
                new_versions = threads.bump(item_count=F("item_count") - count, last_preview=shown)
                for version in new_versions.values():
                    RemovedItem.objects.create(thread_id=thread_pk, public_id=item_id, version=version)
        context.state(StoreState).stored_items.discard(item_id)
        context.state(StoreState).unannounced_items.discard(item_id)

    def _set_answer_aside(self, thread_id: str, message_id: str, context: RequestContext) -> ThreadItem:
        thread_pk = self._thread_pk(thread_id, context)
        with transaction.atomic(using=router.db_for_write(ItemRow)):
            earlier.set_answer_aside(self._lock_message(thread_pk, message_id))
        return self._load_item(thread_id, message_id, context)

    def _replace_message(
        self, thread_id: str, message_id: str, item: ThreadItem, context: RequestContext
    ) -> ThreadItem:
        thread_pk = self._thread_pk(thread_id, context)
        items = ItemRow.objects.filter(thread_id=thread_pk, public_id=item.id)
        with transaction.atomic(using=router.db_for_write(ItemRow)):
            replaced = self._lock_message(thread_pk, message_id)
            number = earlier.set_message_aside(replaced, replaced_by=item.id)
            self._write_item(thread_id, item, context)
            items.update(earlier_messages=number)
        return self._load_item(thread_id, item.id, context)

    def _lock_message(self, thread_pk: int, message_id: str) -> ItemRow:
        """Lock the thread and then one of the user's messages in it, as whoever writes or redacts items does."""
        list(ThreadRow.objects.filter(pk=thread_pk).locked().values_list("pk"))
        messages = ItemRow.objects.filter(thread_id=thread_pk, type=ItemRow.Type.USER_MESSAGE)
        found = messages.filter(public_id=message_id).locked().first() if is_storable_id(message_id) else None
        if found is None:
            raise NotFoundError(f"Message {message_id!r} not found")
        return found

    # Feedback

    async def save_feedback(
        self, thread_id: str, item_ids: list[str], kind: str, context: RequestContext
    ) -> list[str]:
        return await db.run(self._save_feedback, thread_id, item_ids, kind, context)

    def _save_feedback(
        self, thread_id: str, item_ids: list[str], kind: str, context: RequestContext
    ) -> list[str]:
        thread_pk = self._thread_pk(thread_id, context)
        wanted = [item_id for item_id in item_ids[:MAX_PAGE_SIZE] if is_storable_id(item_id)]
        now = timezone.now()
        owner = self._owner_columns(context)
        with transaction.atomic(using=router.db_for_write(Feedback)):
            # The thread's row is the lock under which two tabs of one owner take turns, and items stay.
            if not ThreadRow.objects.filter(pk=thread_pk).locked().exists():
                raise NotFoundError(f"Thread {thread_id!r} not found")
            items = dict(
                ItemRow.objects.visible()
                .filter(thread_id=thread_pk, public_id__in=wanted)
                .values_list("public_id", "pk")
            )
            if not items:
                raise NotFoundError("None of the items exists")
            feedback = Feedback.objects.filter(item_id__in=items.values(), **owner)
            judged = dict(feedback.values_list("item_id", "kind"))
            feedback.update(kind=kind, updated_at=now)
            Feedback.objects.bulk_create(
                Feedback(
                    item_id=pk,
                    kind=kind,
                    namespace=context.namespace,
                    created_at=now,
                    updated_at=now,
                    **owner,
                )
                for pk in items.values()
                if pk not in judged
            )
            changed = [pk for pk in items.values() if judged.get(pk) != kind]
            if changed:
                flags.follow_feedback(thread_pk, changed, kind)
        claims.settle(context)
        return [item_id for item_id in dict.fromkeys(wanted) if item_id in items]

    # Attachments

    async def save_attachment(self, attachment: SDKAttachment, context: RequestContext) -> None:
        await db.run(self._save_attachment, attachment, context)

    async def load_attachment(self, attachment_id: str, context: RequestContext) -> SDKAttachment:
        return await db.run(self._load_attachment, attachment_id, context)

    async def delete_attachment(self, attachment_id: str, context: RequestContext) -> None:
        await db.run(self._delete_attachment, attachment_id, context)

    def _save_attachment(self, attachment: SDKAttachment, context: RequestContext) -> None:
        columns = codec.encode_attachment(attachment)
        columns["thread_id"] = (
            self._thread_pk(attachment.thread_id, context) if attachment.thread_id is not None else None
        )
        rows = AttachmentRow.objects.owned_by(context).filter(public_id=attachment.id)
        if rows.update(**columns):
            return
        try:
            with db.savepoint(AttachmentRow):
                AttachmentRow.objects.create(
                    public_id=attachment.id,
                    namespace=context.namespace,
                    **self._owner_columns(context),
                    **columns,
                )
        except IntegrityError:
            raise NotFoundError(f"Attachment {attachment.id!r} not found") from None
        claims.settle(context)

    def _load_attachment(self, attachment_id: str, context: RequestContext) -> SDKAttachment:
        row = None
        if is_storable_id(attachment_id):
            rows = AttachmentRow.objects.select_related("thread").filter(public_id=attachment_id)
            row = claims.find(lambda: rows.owned_by(context).first(), context)
        if row is None:
            raise NotFoundError(f"Attachment {attachment_id!r} not found")
        return codec.decode_attachment(row, thread_id=row.thread.public_id if row.thread else None)

    def _delete_attachment(self, attachment_id: str, context: RequestContext) -> None:
        count = 0
        if is_storable_id(attachment_id):
            count, _ = AttachmentRow.objects.owned_by(context).filter(public_id=attachment_id).delete()
        if not count:
            raise NotFoundError(f"Attachment {attachment_id!r} not found")
