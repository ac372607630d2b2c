"""The files that people of the staff send: taken by the rules, and kept where those of users are."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import UploadedFile

from ..context import RequestContext
from ..models import Attachment, Thread
from ..store.attachments import attachment_settings, sdk_attachment
from ..store.base import new_id
from ..store.codec import encode_attachment
from ..store.file_rules import (
    RASTER_IMAGES,
    SNIFF_BYTES,
    accepted_type,
    clean_name,
    draw,
    require_size,
    sniffed_type,
)
from ..store.stored_files import new_file_name, save_file, save_preview


def keep(thread: Thread, upload: UploadedFile[Any]) -> Attachment:
    """Store a file for a message of this thread. It belongs to whoever the thread belongs to.

    Raises:
        NotSupported: where no files are taken.
        RequestTooLarge, InvalidRequest: when this one is not.
        StorageFull: when there is no room for it.
    """
    settings = attachment_settings()
    content: Any = upload
    size = upload.size or 0
    require_size(size, settings)
    name = clean_name(upload.name or "")
    announced = accepted_type(name, upload.content_type or "", settings)
    content.seek(0)
    mime_type = sniffed_type(content.read(SNIFF_BYTES), announced, settings)
    content.seek(0)
    preview = draw(content, mime_type, settings) if mime_type in RASTER_IMAGES else None
    content.seek(0)
    owner = RequestContext(
        user_id=thread.user_id, visitor_id=thread.visitor_id or None, namespace=thread.namespace
    )
    attachment = sdk_attachment(new_id("attachment"), name, mime_type, owner, metadata={"size": size})
    file = save_file(new_file_name(), content)
    if preview is not None:
        save_preview(file, preview)
    return Attachment.objects.create(
        public_id=attachment.id,
        thread=thread,
        user_id=thread.user_id,
        visitor_id=thread.visitor_id,
        namespace=thread.namespace,
        file=file,
        size=size,
        **encode_attachment(attachment),
    )
