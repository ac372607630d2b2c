"""The part of the SDK's ``Store`` that keeps threads, over the ORM."""

from __future__ import annotations

import contextlib
from typing import Any

from chatkit.types import Page, ThreadMetadata
from django.db import IntegrityError, router, transaction

from .. import db
from ..context import RequestContext
from ..models import Run as RunRow
from ..models import Thread as ThreadRow
from ..models.querysets import ThreadQuerySet, owner_values, page_size
from ..storable import is_storable_id
from . import codec, queries
from .base import NoOwner, NotFoundError, OwnedStore, sdk_page
from .state import StoreState


class ThreadStore(OwnedStore):
    """Threads as ORM rows, of which a context sees its owner's in its namespace."""

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
        row = queries.THREAD(kind).first(public_id=thread_id, **owner) if kind else None
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

    def thread_pk(self, thread_id: str, context: RequestContext) -> int:
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
        owner = self.owner_columns(context)
        try:
            with db.savepoint(ThreadRow):
                pk = queries.INSERT_THREAD().run(
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

    def owner_columns(self, context: RequestContext) -> dict[str, Any]:
        """Return the columns of a new row that say whose it is.

        Raises:
            NoOwner: when it would be nobody's.
        """
        if context.user_id is not None:
            return {"user_id": context.user_id, "visitor_id": ""}
        if not context.visitor_id:
            raise NoOwner
        return {"user_id": None, "visitor_id": context.visitor_id}

    def _update_thread(
        self, thread: ThreadMetadata, columns: dict[str, Any], before: dict[str, Any], context: RequestContext
    ) -> None:
        rows = ThreadRow.objects.filter(pk=self.thread_pk(thread.id, context))
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
        rows = queries.THREADS(kind, after=after is not None, limit=limit, order=order).rows(**values)
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
