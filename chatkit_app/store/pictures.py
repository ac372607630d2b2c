"""Pictures that users send: how many pixels they have, and a small one for the browser to show.

A file of a hundred kilobytes can be a picture of a billion pixels, which whoever shows it decodes in full. Pillow,
which Django's own ``ImageField`` asks for as well, reads a picture's head; only what is small enough is decoded. It is
loaded with the first picture, so that no command waits for it.
"""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

PREVIEW_TYPE = "image/webp"
PREVIEW_SIDE = 1024
"""Pixels that a preview has at most in each direction; a picture that has no more is its own preview."""

_QUALITY = 80
_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP"}


class HugePicture(ValueError):
    """The picture has more pixels than Pillow would ever decode."""


class UnreadablePicture(ValueError):
    """The file is no picture of this type, or a broken one."""


def picture_size(content: IO[bytes], mime_type: str) -> tuple[int, int]:
    """Return width and height, from the file's head.

    Raises:
        HugePicture: when Pillow refuses it for its size.
        UnreadablePicture: when it has no head that makes sense.
    """
    with _opened(content, mime_type) as picture:
        return picture.size


def make_preview(content: IO[bytes], mime_type: str) -> bytes | None:
    """Return the picture within ``PREVIEW_SIDE``, upright, as WebP; None when it is as small itself.

    Takes memory for all of its pixels, so ask for the size first.

    Raises:
        UnreadablePicture: when it cannot be decoded.
    """
    from PIL import ImageOps

    with _opened(content, mime_type) as picture:
        if max(picture.size) <= PREVIEW_SIDE:
            return None
        try:
            picture.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
            small = ImageOps.exif_transpose(picture)
            result = BytesIO()
            mode = "RGBA" if small.has_transparency_data else "RGB"
            small.convert(mode).save(result, "WEBP", quality=_QUALITY)
        except Exception as error:  # whatever a decoder finds wrong with a stranger's bytes
            raise UnreadablePicture(str(error)) from error
        return result.getvalue()


def _opened(content: IO[bytes], mime_type: str) -> Image.Image:
    from PIL import Image

    content.seek(0)
    try:
        with warnings.catch_warnings():
            # Pillow's own limit: ours is looked at as soon as the size is known.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return Image.open(content, formats=[_FORMATS[mime_type]])
    except Image.DecompressionBombError as error:
        raise HugePicture(str(error)) from error
    except Exception as error:  # whatever a parser finds wrong with a stranger's bytes
        raise UnreadablePicture(str(error)) from error
