"""Pictures for tests: real ones, of any size."""

from __future__ import annotations

import zlib
from io import BytesIO
from struct import pack

from PIL import Image


def png(width: int = 1, height: int = 1, *, rows: int | None = None) -> bytes:
    """A black PNG. It says that it has this size also when it has fewer ``rows`` in it."""
    data = zlib.compress(bytes((width // 8 + 2) * (height if rows is None else rows)), 9)
    head = pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(kind, content) for kind, content in ((b"IHDR", head), (b"IDAT", data), (b"IEND", b""))
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return pack(">I", len(content)) + kind + content + pack(">I", zlib.crc32(kind + content))


def picture(format: str, width: int = 1, height: int = 1, *, mode: str = "RGB") -> bytes:
    """A picture as Pillow writes it."""
    content = BytesIO()
    Image.new(mode, (width, height)).save(content, format)
    return content.getvalue()


# What stands behind a picture's end is not looked at.
PNG = png().ljust(108, b"p")
JPEG = picture("JPEG")
WEBP = picture("WEBP").ljust(112, b"w")
