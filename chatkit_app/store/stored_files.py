"""The bytes of attachments, in the storage of ``CHATKIT["ATTACHMENTS"]``.

Each file has a random name without an extension. What is shown of a picture in its place stands beside it.
"""

from __future__ import annotations

import errno
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages

from ..conf import chatkit_settings
from ..errors import StorageFull

if TYPE_CHECKING:
    from ..models import Attachment

STORAGE_FOLDER = "chatkit"
UNSENT_AGE = timedelta(days=1)
"""After this a file that was never sent is deleted."""
_PREVIEW = "-preview"


def attachment_storage() -> Storage:
    """Return the storage of the bytes."""
    return storages[chatkit_settings.files.storage]


def named_file(name: str) -> str:
    """Return what a row says of the file with this name in the storage: a preview stands beside its picture."""
    return name.removesuffix(_PREVIEW)


def open_stored(attachment: Attachment) -> File[bytes]:
    """Open the bytes of an attachment.

    Raises:
        FileNotFoundError: when there are none (any more).
    """
    if not attachment.file:
        raise FileNotFoundError(attachment.public_id)
    return attachment_storage().open(attachment.file)


def open_preview(attachment: Attachment) -> File[bytes] | None:
    """Open what is shown of a picture in its place; None when it is shown itself."""
    name, storage = f"{attachment.file}{_PREVIEW}", attachment_storage()
    try:
        return storage.open(name) if storage.exists(name) else None
    except FileNotFoundError:
        return None


def save_file(name: str, content: File[bytes]) -> str:
    """Store bytes under this name, in place of what a try that broke off has left there.

    Returns:
        The name under which they are.

    Raises:
        StorageFull: when there is no room for them. Whatever fails, nothing of them is left.
    """
    storage = attachment_storage()
    if storage.exists(name):
        storage.delete(name)
    try:
        with room():
            # A plain File is copied. A storage would move an upload's temporary file, which a second try would miss.
            return storage.save(name, File(content.file, name=name))
    except BaseException:
        # Half a file that no row names would stay for ever.
        with suppress(Exception):
            storage.delete(name)
        raise


def save_preview(name: str, preview: bytes) -> None:
    """Store what is shown of the picture that is stored under this name; neither stays when that fails."""
    try:
        save_file(f"{name}{_PREVIEW}", ContentFile(preview))
    except BaseException:
        with suppress(Exception):
            delete_file(name)
        raise


@contextmanager
def room() -> Iterator[None]:
    """Turn a full disk (or quota) in the block, which writes, into an error that the user is told.

    Raises:
        StorageFull: in place of the system's error.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull from error
        raise


def new_file_name() -> str:
    """Return a name in the storage that nobody can guess, and that tells nothing of the file."""
    token = secrets.token_hex(16)
    return f"{STORAGE_FOLDER}/{token[:2]}/{token}"


def delete_file(name: str) -> None:
    """Delete the bytes that are stored under this name, if they still are, and what is shown of them."""
    storage = attachment_storage()
    storage.delete(name)
    storage.delete(f"{name}{_PREVIEW}")
