"""The files of users' messages: rows for what is known of them, a Django storage for their bytes.

``CHATKIT["ATTACHMENTS"]`` switches it on::

    CHATKIT = {"ATTACHMENTS": {"STORAGE": "chat_files", "MAX_SIZE": 5 * 1024 * 1024}}

Images that the model makes are kept in the same way, without the setting too: see ``generated_images``.

A file is stored under a random name without an extension and leaves the site only through a URL of ours that is
signed for some time. The row decides: a file whose row is deleted, in whatever way, is deleted after it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, TypeVar
from urllib.parse import quote

from chatkit.store import AttachmentStore
from chatkit.types import Attachment as SDKAttachment
from chatkit.types import (
    AttachmentCreateParams,
    AttachmentUploadDescriptor,
    FileAttachment,
    GeneratedImageItem,
    ImageAttachment,
    ThreadItemBase,
    UserMessageItem,
)
from django.core.files import File
from django.core.signing import BadSignature, TimestampSigner
from django.utils import timezone
from django.utils.translation import gettext as _
from pydantic import AnyUrl

from .. import db
from ..conf import AttachmentSettings, chatkit_settings
from ..context import RequestContext
from ..errors import InvalidRequest, NotSupported
from ..limits import counters
from ..models import Attachment as AttachmentRow
from ..storable import is_storable_id
from . import claims, codec
from .base import NotFoundError, new_id
from .file_rules import (
    RASTER_IMAGES,
    SNIFF_BYTES,
    accepted_type,
    clean_name,
    drawn,
    require_size,
    sniffed_type,
)
from .payloads import is_file_url
from .staff_message import StaffMessage
from .stored_files import (
    UNSENT_AGE,
    delete_file,
    new_file_name,
    open_stored,
    save_file,
    save_preview,
)

UNSENT_LIMIT = 50
"""Files that one owner may have uploaded, or announced, without sending them; the oldest make room for new ones."""
PRUNED_AT_ONCE = 20

Item = TypeVar("Item", bound=ThreadItemBase)

_LOCAL_ENDPOINT = "http://localhost/chatkit"


class DjangoAttachmentStore(AttachmentStore[RequestContext]):
    """The SDK's attachment store over ``django.core.files.storage``. Rows are those of ``DjangoStore``.

    ``DjangoChatKitServer`` has one as soon as ``CHATKIT["ATTACHMENTS"]`` is set. Both ways of the client end in
    ``receive()``: the two-phase upload announces the file first, the direct one brings it along.
    """

    def generate_attachment_id(self, mime_type: str, context: RequestContext) -> str:
        return new_id("attachment")

    async def create_attachment(
        self, input: AttachmentCreateParams, context: RequestContext
    ) -> SDKAttachment:
        """Announce a file: what ``attachments.create`` answers, with the URL to which its bytes are sent.

        Raises:
            InvalidRequest: when files of this name and type are not taken.
            RequestTooLarge: when it says itself that it is too large.
            LimitReached: when its owner has sent as many files today as one may send.
        """
        settings = attachment_settings()
        require_size(input.size, settings)
        name = clean_name(input.name)
        mime_type = accepted_type(name, input.mime_type, settings)
        attachment_id = self.generate_attachment_id(mime_type, context)
        url = f"{_endpoint(context)}/attachments/{attachment_id}"
        await db.run(_count_and_make_room, context)
        return sdk_attachment(
            attachment_id,
            name,
            mime_type,
            context,
            metadata={"size": input.size},
            upload_descriptor=AttachmentUploadDescriptor(url=AnyUrl(url), method="PUT"),
        )

    async def receive(
        self, attachment_id: str, content: File[bytes], context: RequestContext
    ) -> SDKAttachment:
        """Store the bytes of an attachment that the owner announced.

        Raises:
            NotFoundError: when the owner has no such attachment.
            InvalidRequest: when it has its bytes already, or when these are not what was announced.
            RequestTooLarge: when they are too many.
            LimitReached: when they are too many for today.
            StorageFull: when there is no room for them. Nothing of them is left then.
        """
        settings = attachment_settings()
        mime_type = await db.run(self._expect, attachment_id, content, context, settings)
        preview = await drawn(content, mime_type, settings) if mime_type in RASTER_IMAGES else None
        return await db.run(
            self._receive, attachment_id, content, context, new_file_name(), mime_type, preview
        )

    def _find(self, attachment_id: str, context: RequestContext) -> AttachmentRow:
        row = None
        if is_storable_id(attachment_id):
            rows = AttachmentRow.objects.filter(public_id=attachment_id)
            row = claims.find(lambda: rows.owned_by(context).first(), context)
        if row is None:
            raise NotFoundError(f"Attachment {attachment_id!r} not found")
        return row

    def _expect(
        self, attachment_id: str, content: File[bytes], context: RequestContext, settings: AttachmentSettings
    ) -> str:
        """Return the MIME type of bytes that are what was announced."""
        row = self._find(attachment_id, context)
        if row.file:
            raise InvalidRequest(_("This file has been uploaded already."))
        size = content.seek(0, os.SEEK_END)
        require_size(size, settings)
        announced = (codec.decode_attachment(row, thread_id=None).metadata or {}).get("size")
        if isinstance(announced, int) and size > announced:
            raise InvalidRequest(_("The file is larger than it was said to be. Remove it and send it again."))
        content.seek(0)
        return sniffed_type(content.read(SNIFF_BYTES), row.mime_type, settings)

    def _receive(
        self,
        attachment_id: str,
        content: File[bytes],
        context: RequestContext,
        file: str,
        mime_type: str,
        preview: bytes | None,
    ) -> SDKAttachment:
        row = self._find(attachment_id, context)
        if row.file and row.file != file:
            raise InvalidRequest(_("This file has been uploaded already."))
        size = content.seek(0, os.SEEK_END)
        content.seek(0)
        attachment = sdk_attachment(row.public_id, row.name, mime_type, context, metadata={"size": size})
        if row.file == file:
            return attachment  # the connection broke after the row had been written
        counters.spend(context, [counters.file_bytes(size)])
        file = save_file(file, content)
        if preview is not None:
            save_preview(file, preview)
        columns = codec.encode_attachment(attachment)
        if not AttachmentRow.objects.filter(pk=row.pk, file="").update(file=file, size=size, **columns):
            delete_file(file)
            raise InvalidRequest(_("This file has been uploaded already."))
        return attachment

    async def delete_attachment(self, attachment_id: str, context: RequestContext) -> None:
        """Let the store delete the row; the bytes go with it.

        Raises:
            InvalidRequest: when the file is part of a message, which would then show what is not there.
        """
        sent = await db.run(
            AttachmentRow.objects.owned_by(context)
            .filter(public_id=attachment_id, thread__isnull=False)
            .exists
        )
        if sent:
            raise InvalidRequest(_("The file is part of a message and cannot be removed."))

    async def read(
        self, attachments: Iterable[SDKAttachment], context: RequestContext, *, limit: int
    ) -> dict[str, bytes]:
        """Return the bytes of these files by id, in this order, as far as they fit into ``limit`` bytes altogether."""
        return await read_files([attachment.id for attachment in attachments], context, limit=limit)


async def read_files(ids: Iterable[str], context: RequestContext, *, limit: int) -> dict[str, bytes]:
    """Return the bytes of the owner's files by id, in this order, as far as they fit into ``limit`` bytes."""
    wanted = list(dict.fromkeys(ids))
    return await db.run(_read_files, wanted, context, limit) if wanted else {}


def _read_files(ids: list[str], context: RequestContext, limit: int) -> dict[str, bytes]:
    rows = AttachmentRow.objects.owned_by(context).filter(public_id__in=ids).exclude(file="")
    known = {row.public_id: row for row in rows}
    found = {}
    for row in (known[public_id] for public_id in ids if public_id in known):
        if row.size is not None and row.size <= limit:
            limit -= row.size
            try:
                with open_stored(row) as file:
                    found[row.public_id] = file.read()
            except FileNotFoundError:
                continue
    return found


# What is taken


def attachment_settings() -> AttachmentSettings:
    """Return the settings in force.

    Raises:
        NotSupported: when there are none.
    """
    settings = chatkit_settings.attachments
    if settings is None:
        raise NotSupported(_("This chat takes no files."))
    return settings


# URLs


def _signer() -> TimestampSigner:
    return TimestampSigner(salt="chatkit_app.attachments")


def file_url(attachment_id: str, endpoint_url: str) -> str:
    """Return the URL of a file, good for ``URL_EXPIRY`` seconds for all who have it: pictures come without cookies."""
    signature = _signer().sign(attachment_id).removeprefix(f"{attachment_id}:")
    return f"{endpoint_url}/attachments/{attachment_id}/file?signature={quote(signature)}"


def preview_url(attachment_id: str, endpoint_url: str) -> str:
    """Return the URL of what is shown of a picture, good for as long as that of ``file_url()``."""
    return f"{file_url(attachment_id, endpoint_url)}&preview=1"


def open_file(attachment_id: str, signature: str) -> tuple[AttachmentRow, File[bytes]]:
    """Return the file that a signed URL names.

    Raises:
        NotFoundError: when the signature is another file's, or too old, or the file is gone.
    """
    try:
        _signer().unsign(f"{attachment_id}:{signature}", max_age=chatkit_settings.files.url_expiry)
        row = AttachmentRow.objects.exclude(file="").get(public_id=attachment_id)
        return row, open_stored(row)
    except (BadSignature, AttachmentRow.DoesNotExist, FileNotFoundError):
        raise NotFoundError(f"Attachment {attachment_id!r} not found") from None


def signed_again(item: Item, endpoint_url: str) -> Item:
    """Return the item with fresh URLs of its pictures, for the browser. Those of other sites are left alone."""
    if not endpoint_url:
        return item
    sent: list[SDKAttachment] = item.attachments if isinstance(item, (UserMessageItem, StaffMessage)) else []
    if sent:
        changes: dict[str, Any] = {
            "attachments": [_signed_again(attachment, endpoint_url) for attachment in sent]
        }
        if isinstance(item, StaffMessage):
            changes["urls"] = {attachment.id: file_url(attachment.id, endpoint_url) for attachment in sent}
        return item.model_copy(update=changes)
    if isinstance(item, GeneratedImageItem) and item.image is not None:
        image = item.image
        if is_file_url(image.url, image.id):
            image = image.model_copy(update={"url": file_url(image.id, endpoint_url)})
            return item.model_copy(update={"image": image})
    return item


def _signed_again(attachment: SDKAttachment, endpoint_url: str) -> SDKAttachment:
    if not isinstance(attachment, ImageAttachment):
        return attachment
    if not is_file_url(str(attachment.preview_url), attachment.id):
        return attachment
    return attachment.model_copy(update={"preview_url": AnyUrl(preview_url(attachment.id, endpoint_url))})


def _endpoint(context: RequestContext) -> str:
    return context.endpoint_url or _LOCAL_ENDPOINT


def sdk_attachment(
    attachment_id: str, name: str, mime_type: str, context: RequestContext, **fields: Any
) -> SDKAttachment:
    """Return a file as the SDK knows it; a picture has the URL under which the app shows it, signed for now."""
    fields |= {"id": attachment_id, "name": name, "mime_type": mime_type}
    if mime_type in RASTER_IMAGES:
        return ImageAttachment(preview_url=AnyUrl(preview_url(attachment_id, _endpoint(context))), **fields)
    return FileAttachment(**fields)


def _count_and_make_room(context: RequestContext) -> None:
    counters.spend(context, counters.FILE_USES)
    make_room(context)


def make_room(context: RequestContext) -> None:
    """Delete what was never sent: some of what is old, and the oldest of an owner who has too much of it."""
    prune_attachments(limit=PRUNED_AT_ONCE)
    mine = AttachmentRow.objects.unsent().owned_by(context).order_by("-pk")
    too_many = list(mine.values_list("pk", flat=True)[UNSENT_LIMIT - 1 : UNSENT_LIMIT + PRUNED_AT_ONCE])
    if too_many:
        AttachmentRow.objects.unsent().filter(pk__in=too_many).delete()


def prune_attachments(*, limit: int) -> int:
    """Delete at most so many files that were uploaded, or announced, a day ago and never sent. Returns how many."""
    old = AttachmentRow.objects.unsent().filter(created_at__lt=timezone.now() - UNSENT_AGE)
    keys = list(old.order_by("pk").values_list("pk", flat=True)[:limit])
    # Asked again: one of them may have been sent just now.
    return AttachmentRow.objects.unsent().filter(pk__in=keys).delete()[0] if keys else 0
