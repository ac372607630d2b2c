"""The SDK's ``Store`` in memory, for tests and prototypes."""

from __future__ import annotations

from dataclasses import dataclass, field

from chatkit.types import Attachment as SDKAttachment
from chatkit.types import Page, ThreadItem, ThreadMetadata

from ..context import RequestContext
from ..models import Attachment as AttachmentRow
from ..models import Thread as ThreadRow
from ..models import ThreadItem as ItemRow
from ..models.querysets import HIDDEN_ITEM_TYPES, MAX_PAGE_SIZE
from . import codec
from .base import NoOwner, NotFoundError, OwnedStore, sdk_page
from .state import StoreState

Owner = tuple[str, str, str]


@dataclass
class _StoredThread:
    owner: Owner
    row: ThreadRow
    items: dict[str, ItemRow] = field(default_factory=dict)
    feedback: dict[str, str] = field(default_factory=dict)


class InMemoryStore(OwnedStore):
    """A store with the contract of ``DjangoStore`` and without a database. Everything is gone with the process.

    It keeps the very rows that the database would get, unsaved, so that what comes back from it is what would
    come back from there.
    """

    def __init__(self) -> None:
        self._threads: dict[str, _StoredThread] = {}
        self._attachments: dict[str, tuple[Owner, AttachmentRow, str | None]] = {}

    def _owner(self, context: RequestContext) -> Owner | None:
        if context.user_id is not None:
            return (context.namespace, "user", str(context.user_id))
        return (context.namespace, "visitor", context.visitor_id) if context.visitor_id else None

    def _find(self, thread_id: str, context: RequestContext) -> _StoredThread:
        found = self._threads.get(thread_id)
        if found is None or found.owner != self._owner(context):
            raise NotFoundError(f"Thread {thread_id!r} not found")
        return found

    def _cut(self, ids: list[str], after: str | None, limit: int, order: str) -> tuple[list[str], bool]:
        if order == "desc":
            ids = ids[::-1]
        if after is not None:
            ids = ids[ids.index(after) + 1 :] if after in ids else []
        limit = max(1, min(limit, MAX_PAGE_SIZE))
        return ids[:limit], len(ids) > limit

    # Threads

    async def load_thread(self, thread_id: str, context: RequestContext) -> ThreadMetadata:
        return codec.decode_thread(self._find(thread_id, context).row)

    async def save_thread(self, thread: ThreadMetadata, context: RequestContext) -> None:
        owner = self._owner(context)
        if thread.id in self._threads:
            stored = self._find(thread.id, context)
            for name, value in codec.encode_thread(thread).items():
                setattr(stored.row, name, value)
            return
        if owner is None:
            raise NoOwner
        row = ThreadRow(
            public_id=thread.id,
            created_at=codec.to_database_time(thread.created_at),
            **codec.encode_thread(thread),
        )
        self._threads[thread.id] = _StoredThread(owner=owner, row=row)

    async def load_threads(
        self, limit: int, after: str | None, order: str, context: RequestContext
    ) -> Page[ThreadMetadata]:
        owner = self._owner(context)
        ids = [thread_id for thread_id, stored in self._threads.items() if stored.owner == owner]
        ids, has_more = self._cut(ids, after, limit, order)
        return sdk_page([codec.decode_thread(self._threads[thread_id].row) for thread_id in ids], has_more)

    async def delete_thread(self, thread_id: str, context: RequestContext) -> None:
        self._find(thread_id, context)
        del self._threads[thread_id]
        self._attachments = {key: entry for key, entry in self._attachments.items() if entry[2] != thread_id}

    # Items

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: RequestContext
    ) -> Page[ThreadItem]:
        items = self._find(thread_id, context).items
        return self._item_page(thread_id, items, after, limit, order)

    async def load_visible_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: RequestContext
    ) -> Page[ThreadItem]:
        items = self._find(thread_id, context).items.items()
        visible = {item_id: row for item_id, row in items if row.type not in HIDDEN_ITEM_TYPES}
        context.state(StoreState).feedback |= self._find(thread_id, context).feedback
        return self._item_page(thread_id, visible, after, limit, order)

    def _item_page(
        self, thread_id: str, items: dict[str, ItemRow], after: str | None, limit: int, order: str
    ) -> Page[ThreadItem]:
        ids, has_more = self._cut(list(items), after, limit, order)
        return sdk_page([codec.decode_item(items[item_id], thread_id=thread_id) for item_id in ids], has_more)

    async def load_item(self, thread_id: str, item_id: str, context: RequestContext) -> ThreadItem:
        row = self._find(thread_id, context).items.get(item_id)
        if row is None:
            raise NotFoundError(f"Item {item_id!r} not found")
        return codec.decode_item(row, thread_id=thread_id)

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: RequestContext) -> None:
        self._find(thread_id, context).items[item.id] = ItemRow(**codec.encode_item(item))

    async def save_item(self, thread_id: str, item: ThreadItem, context: RequestContext) -> None:
        await self.add_thread_item(thread_id, item, context)

    async def delete_thread_item(self, thread_id: str, item_id: str, context: RequestContext) -> None:
        stored = self._find(thread_id, context)
        stored.items.pop(item_id, None)
        stored.feedback.pop(item_id, None)

    # Feedback

    async def save_feedback(
        self, thread_id: str, item_ids: list[str], kind: str, context: RequestContext
    ) -> list[str]:
        stored = self._find(thread_id, context)
        known = [
            item_id
            for item_id in dict.fromkeys(item_ids)
            if item_id in stored.items and stored.items[item_id].type not in HIDDEN_ITEM_TYPES
        ]
        if not known:
            raise NotFoundError("None of the items exists")
        stored.feedback.update(dict.fromkeys(known, kind))
        return known

    # Attachments

    async def save_attachment(self, attachment: SDKAttachment, context: RequestContext) -> None:
        owner = self._owner(context)
        if owner is None:
            raise NoOwner
        if attachment.thread_id is not None:
            self._find(attachment.thread_id, context)
        if self._attachments.get(attachment.id, (owner,))[0] != owner:
            raise NotFoundError(f"Attachment {attachment.id!r} not found")
        row = AttachmentRow(public_id=attachment.id, **codec.encode_attachment(attachment))
        self._attachments[attachment.id] = (owner, row, attachment.thread_id)

    async def load_attachment(self, attachment_id: str, context: RequestContext) -> SDKAttachment:
        entry = self._attachments.get(attachment_id)
        if entry is None or entry[0] != self._owner(context):
            raise NotFoundError(f"Attachment {attachment_id!r} not found")
        _owner, row, thread_id = entry
        return codec.decode_attachment(row, thread_id=thread_id)

    async def delete_attachment(self, attachment_id: str, context: RequestContext) -> None:
        await self.load_attachment(attachment_id, context)
        del self._attachments[attachment_id]
