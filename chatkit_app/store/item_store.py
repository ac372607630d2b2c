"""The part of the SDK's ``Store`` that keeps a thread's items, over the ORM."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from chatkit.types import Page, ThreadItem
from django.db import IntegrityError, router, transaction
from django.db.models import F, Subquery
from django.utils import timezone

from .. import db
from ..context import RequestContext
from ..models import Attachment as AttachmentRow
from ..models import Feedback, RemovedItem, versions
from ..models import Thread as ThreadRow
from ..models import ThreadItem as ItemRow
from ..models.querysets import HIDDEN_ITEM_TYPES, owner_values, page_size
from ..signals import item_added
from ..storable import is_storable_id
from . import codec, earlier, queries
from .base import NotFoundError, sdk_page
from .checkpoints import save_unfinished
from .cut_answers import lost_before
from .payloads import kept_image_id, preview
from .state import StoreState
from .thread_store import ThreadStore

_GENERATED_IMAGE = ItemRow.Type.GENERATED_IMAGE


class ItemStore(ThreadStore):
    """Items as ORM rows, in threads that their context may write to."""

    def prefetch_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: RequestContext
    ) -> None:
        """Load a page of visible items, if there is its thread, for the next ``load_visible_items()``, likewise."""
        with contextlib.suppress(NotFoundError):
            page = self._load_items(thread_id, after, limit, order, context, hidden=False)
            context.state(StoreState).fresh_pages[thread_id, after, limit, order] = page

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
        await db.run(save_unfinished, unfinished)

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
        page = queries.ITEMS(
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
            if "heartbeat_at" in values and rows and rows[0].left_as:
                context.state(StoreState).left_as[thread_id] = rows[0].left_as
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
        # A note for the model, that somebody came or went, is no word to the user.
        items = ItemRow.objects.visible().filter(thread_id=self.thread_pk(thread_id, context))
        asked = items.filter(public_id=item_id).values("pk")[:1]
        return items.filter(pk__gt=Subquery(asked)).exclude(author_name="").exists()

    def _write_item(self, thread_id: str, item: ThreadItem, context: RequestContext) -> None:
        """Insert the item, or replace it where it stands when the thread has this id already.

        What was redacted meanwhile stays so, and that is no error.
        """
        thread_pk = self.thread_pk(thread_id, context)
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
                queries.INSERT_ITEM().run(thread_id=thread_pk, run_id=run_pk, version=version, **columns)
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
            if version is not None and queries.REWRITE_ITEM().run(**values):
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
        found = queries.TOUCH_THREAD(counted=added, previewed=previewed).new_values(**values)
        if found is None:
            return None
        version: int = found[0]
        versions.announce(ThreadRow, {thread_pk: version})
        return version

    def _delete_item(self, thread_id: str, item_id: str, context: RequestContext) -> None:
        thread_pk = self.thread_pk(thread_id, context)
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
        thread_pk = self.thread_pk(thread_id, context)
        with transaction.atomic(using=router.db_for_write(ItemRow)):
            earlier.set_answer_aside(self._lock_message(thread_pk, message_id))
        return self._load_item(thread_id, message_id, context)

    def _replace_message(
        self, thread_id: str, message_id: str, item: ThreadItem, context: RequestContext
    ) -> ThreadItem:
        thread_pk = self.thread_pk(thread_id, context)
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
