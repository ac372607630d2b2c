"""The SDK's ``Store`` over the ORM.

Whatever is asked, only rows of the context's owner and namespace are seen. What belongs to somebody else and
what does not exist give the same answer, ``NotFoundError``.
"""

from __future__ import annotations

from chatkit.types import Attachment as SDKAttachment
from django.db import IntegrityError, router, transaction
from django.utils import timezone

from .. import db
from ..context import RequestContext
from ..models import Attachment as AttachmentRow
from ..models import Feedback
from ..models import Thread as ThreadRow
from ..models import ThreadItem as ItemRow
from ..models.querysets import MAX_PAGE_SIZE
from ..staff import flags
from ..storable import is_storable_id
from . import claims, codec
from .base import NoOwner, NotFoundError, OwnedStore, new_id
from .item_store import ItemStore
from .memory import InMemoryStore

__all__ = ["DjangoStore", "InMemoryStore", "NoOwner", "NotFoundError", "OwnedStore", "new_id"]


class DjangoStore(ItemStore):
    """Threads, items, feedback and attachments as ORM rows."""

    # Feedback

    async def save_feedback(
        self, thread_id: str, item_ids: list[str], kind: str, context: RequestContext
    ) -> list[str]:
        return await db.run(self._save_feedback, thread_id, item_ids, kind, context)

    def _save_feedback(
        self, thread_id: str, item_ids: list[str], kind: str, context: RequestContext
    ) -> list[str]:
        thread_pk = self.thread_pk(thread_id, context)
        wanted = [item_id for item_id in item_ids[:MAX_PAGE_SIZE] if is_storable_id(item_id)]
        now = timezone.now()
        owner = self.owner_columns(context)
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
            self.thread_pk(attachment.thread_id, context) if attachment.thread_id is not None else None
        )
        rows = AttachmentRow.objects.owned_by(context).filter(public_id=attachment.id)
        if rows.update(**columns):
            return
        try:
            with db.savepoint(AttachmentRow):
                AttachmentRow.objects.create(
                    public_id=attachment.id,
                    namespace=context.namespace,
                    **self.owner_columns(context),
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
