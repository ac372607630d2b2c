"""An attachment's bytes as a response that no browser runs, whoever asked for them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from django.core.files import File
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header

from .. import database_context, db
from ..database_context import DatabaseContext
from ..models import Attachment
from ..store.file_rules import RASTER_IMAGES, clean_name

CHUNK_BYTES = 256 * 1024


def file_response(
    request: HttpRequest, attachment: Attachment, file: File[bytes], *, headers: Mapping[str, str]
) -> StreamingHttpResponse:
    """Stream a file and close it in the end.

    Only pictures that cannot run anything are shown; everything else is a download of no particular type.

    Args:
        file: the attachment's bytes, open.
        headers: further ones: who may embed the file, and how long it may be kept.
    """
    shown = attachment.mime_type in RASTER_IMAGES
    context = database_context.current() or database_context.of(request)
    content: Any = _chunks(file, context) if isinstance(request, ASGIRequest) else file.chunks(CHUNK_BYTES)
    response = StreamingHttpResponse(
        content,
        content_type=attachment.mime_type if shown else "application/octet-stream",
        headers={
            "Content-Disposition": content_disposition_header(not shown, clean_name(attachment.name)),
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            **headers,
        },
    )
    # Also when nobody reads it to its end.
    response._resource_closers.append(file.close)  # type: ignore[attr-defined]
    return response


async def _chunks(file: File[bytes], context: DatabaseContext | None) -> AsyncIterator[bytes]:
    while True:
        # Not around the yield: who iterates goes on there.
        with database_context.using(context):
            chunk = await db.run(file.read, CHUNK_BYTES)
        if not chunk:
            return
        yield chunk
