"""The URLs of files: two ways to send one, and the one way to see it."""

from __future__ import annotations

from tempfile import SpooledTemporaryFile

from chatkit.types import Attachment, AttachmentCreateParams
from django.conf import settings
from django.core.files import File
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _

from .. import db
from ..conf import AttachmentSettings, chatkit_settings
from ..errors import InvalidRequest, NotSupported
from ..http.file_response import file_response
from ..server import wire
from ..server.base import DjangoChatKitServer
from ..store.attachments import DjangoAttachmentStore, attachment_settings, open_file
from ..store.file_rules import require_size
from ..store.pictures import PREVIEW_TYPE
from ..store.stored_files import open_preview, room
from .endpoint import EndpointView, in_page_language, json_response
from .refusals import refusal

CHUNK_BYTES = 256 * 1024


class UploadView(EndpointView):
    """The base of both ways to send a file."""

    async def get_store(self) -> tuple[DjangoChatKitServer, DjangoAttachmentStore]:
        server = await self.get_server()
        if not isinstance(server.attachment_store, DjangoAttachmentStore):
            raise NotSupported(_("This chat takes no files."))
        return server, server.attachment_store


class AttachmentsView(UploadView):
    """``POST /chatkit/attachments``: a whole file as the multipart field ``file``, the strategy ``direct``."""

    depth = 1
    http_method_names = ["post"]

    @in_page_language
    async def post(self, request: HttpRequest) -> HttpResponseBase:
        try:
            server, files = await self.get_store()
            # Before anything reads the body, which a site's function of the context may do.
            request.upload_handlers.insert(0, SizeLimit(attachment_settings()))
            context = await self.enter(request, "attachments.create")
            upload = request.FILES.get("file")
            if upload is None:
                raise InvalidRequest(_("There is no file in this request."))
            announced = AttachmentCreateParams(
                name=upload.name or "",
                size=upload.size or 0,
                mime_type=upload.content_type or "",
            )
            attachment = await files.create_attachment(announced, context)
            await server.store.save_attachment(attachment, context)
            try:
                attachment = await files.receive(attachment.id, upload, context)
            except Exception:
                await server.store.delete_attachment(attachment.id, context)
                raise
        except Exception as error:
            return refusal(error, streaming=False)
        return received(attachment)


def received(attachment: Attachment) -> HttpResponse:
    """Return an attachment whose bytes are here, as the client wants to know it."""
    return json_response(wire.to_wire(attachment))


class AttachmentView(UploadView):
    """``PUT /chatkit/attachments/<id>``: the bytes of a file that ``attachments.create`` announced."""

    depth = 2
    http_method_names = ["put"]

    @in_page_language
    async def put(self, request: HttpRequest, attachment_id: str) -> HttpResponseBase:
        try:
            _server, files = await self.get_store()
            context = await self.enter(request)
            with SpooledTemporaryFile(max_size=settings.FILE_UPLOAD_MAX_MEMORY_SIZE) as spool:
                content = File(spool)
                await db.run(copy_body, request, content, attachment_settings())
                attachment = await files.receive(attachment_id, content, context)
        except Exception as error:
            return refusal(error, streaming=False)
        return received(attachment)


class AttachmentFileView(EndpointView):
    """``GET /chatkit/attachments/<id>/file?signature=…``: the bytes, for whoever has the signed URL."""

    depth = 3
    http_method_names = ["get"]

    @in_page_language
    async def get(self, request: HttpRequest, attachment_id: str) -> HttpResponseBase:
        try:
            row, file = await db.run(open_file, attachment_id, request.GET.get("signature", ""))
            preview = await db.run(open_preview, row) if "preview" in request.GET else None
        except Exception as error:
            return refusal(error, streaming=False)
        headers = {
            # OpenAI's element shows pictures in a frame of another origin.
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Cache-Control": f"private, max-age={chatkit_settings.files.url_expiry}",
        }
        if preview is not None:
            file.close()
            response = file_response(request, row, preview, headers=headers)
            response["Content-Type"] = PREVIEW_TYPE
            response["Content-Length"] = str(preview.size)
            return response
        response = file_response(request, row, file, headers=headers)
        if row.size is not None:
            response["Content-Length"] = str(row.size)
        return response


class SizeLimit(FileUploadHandler):
    """Refuses a body as soon as it is larger than a file may be, whatever it has announced."""

    def __init__(self, limits: AttachmentSettings) -> None:
        super().__init__()
        self.limits = limits
        self.received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.received += len(raw_data)
        require_size(self.received, self.limits)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def copy_body(request: HttpRequest, content: File[bytes], limits: AttachmentSettings) -> None:
    """Copy a request's body, as long as it is not larger than a file may be."""
    received = 0
    try:
        while chunk := request.read(CHUNK_BYTES):
            received += len(chunk)
            require_size(received, limits)
            with room():
                content.write(chunk)
    except OSError:
        raise InvalidRequest(_("The request could not be read.")) from None
