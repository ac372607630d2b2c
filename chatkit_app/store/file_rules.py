"""The rules for files: their names, their types, their size in bytes and, of pictures, in pixels."""

from __future__ import annotations

import asyncio
import contextvars
import mimetypes
import unicodedata
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath

from django.core.files import File
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from ..conf import AttachmentSettings
from ..errors import InvalidRequest, RequestTooLarge
from .pictures import HugePicture, UnreadablePicture, make_preview, picture_size

NAME_LENGTH = 200
SNIFF_BYTES = 1024

# A picture takes much memory while it is decoded: once, however many come at the same time.
_painter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="chatkit-pictures")

# What browsers show without running anything, and how such a file begins.
RASTER_IMAGES = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),
}


def clean_name(name: str) -> str:
    """Return the file's own name: without folders, without characters that cannot be seen, with its extension."""
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(c for c in name if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp"))
    path = PurePosixPath(name.strip().lstrip(".") or "file")
    return path.stem[: NAME_LENGTH - len(path.suffix[:20])] + path.suffix[:20]


def accepted_type(name: str, mime_type: str, settings: AttachmentSettings) -> str:
    """Return the MIME type that is taken for a file: the one it says, or the one that its name says.

    Systems disagree on what a ``.csv`` or a ``.md`` is, and some do not say at all.

    Raises:
        InvalidRequest: when neither is in ``ACCEPT`` together with the name's extension.
    """
    said = mime_type.partition(";")[0].strip().lower()
    for candidate in (said, mimetypes.guess_type(name)[0] or "application/octet-stream"):
        for pattern, extensions in settings.accept.items():
            if _matches(candidate, pattern) and _ends(name, extensions):
                return candidate
    raise InvalidRequest(_("Files of this type cannot be sent here."))


def sniffed_type(head: bytes, mime_type: str, settings: AttachmentSettings) -> str:
    """Return the MIME type of a file that begins with these bytes.

    A picture is what it begins as: many a ``.png`` is a JPEG. Other types are believed, since such files are never
    shown by a browser; a PDF has to look like one because the model is told that it is.

    Raises:
        InvalidRequest: when the bytes are not what they were announced as.
    """
    if mime_type == "application/pdf" and b"%PDF-" not in head:
        raise InvalidRequest(_("The file is not a PDF document."))
    if mime_type not in RASTER_IMAGES:
        return mime_type
    found = picture_type(head)
    if not any(_matches(found, pattern) for pattern in settings.accept):
        raise InvalidRequest(_("The file is not a picture that can be sent here."))
    return found


def picture_type(head: bytes) -> str:
    """Return the MIME type of a picture that begins with these bytes; empty when browsers show no such safely."""
    found = next((kind for kind, magic in RASTER_IMAGES.items() if head.startswith(magic)), "")
    return "" if found == "image/webp" and head[8:12] != b"WEBP" else found


def require_size(size: int, settings: AttachmentSettings) -> None:
    """Raise ``RequestTooLarge`` for a file of too many bytes."""
    if size > settings.max_size:
        raise RequestTooLarge(
            _("The file is too large. It may be {size} at most.").format(
                size=filesizeformat(settings.max_size)
            )
        )


async def drawn(content: File[bytes], mime_type: str, settings: AttachmentSettings) -> bytes | None:
    """Return what browsers show of a picture; None for one that may be shown itself.

    One at a time, and in no thread that the database's work waits for.

    Raises:
        RequestTooLarge: when the picture has too many pixels.
        InvalidRequest: when it cannot be read.
    """
    draw = contextvars.copy_context().run
    return await asyncio.get_running_loop().run_in_executor(
        _painter, draw, _drawn, content, mime_type, settings
    )


def draw(content: File[bytes], mime_type: str, settings: AttachmentSettings) -> bytes | None:
    """Return what ``drawn()`` does, for synchronous code; errors as there."""
    return _painter.submit(contextvars.copy_context().run, _drawn, content, mime_type, settings).result()


def _drawn(content: File[bytes], mime_type: str, settings: AttachmentSettings) -> bytes | None:
    try:
        width, height = picture_size(content, mime_type)
        if width * height > settings.max_pixels:
            raise HugePicture
        return make_preview(content, mime_type)
    except HugePicture:
        millions = max(1, settings.max_pixels // 1_000_000)
        raise RequestTooLarge(
            _("The picture is too large. It can have {} million pixels at most.").format(millions)
        ) from None
    except UnreadablePicture:
        raise InvalidRequest(_("The file is not a picture that can be sent here.")) from None


def _matches(mime_type: str, pattern: str) -> bool:
    return mime_type.startswith(pattern[:-1]) if pattern.endswith("/*") else mime_type == pattern


def _ends(name: str, extensions: Sequence[str]) -> bool:
    return not extensions or name.lower().endswith(tuple(extension.lower() for extension in extensions))
