"""Types of files: by their names, by what they say, and by how they begin."""

from __future__ import annotations

import mimetypes
import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath

from django.utils.translation import gettext as _

from ..conf import AttachmentSettings
from ..errors import InvalidRequest

NAME_LENGTH = 200
SNIFF_BYTES = 1024

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


def _matches(mime_type: str, pattern: str) -> bool:
    return mime_type.startswith(pattern[:-1]) if pattern.endswith("/*") else mime_type == pattern


def _ends(name: str, extensions: Sequence[str]) -> bool:
    return not extensions or name.lower().endswith(tuple(extension.lower() for extension in extensions))
