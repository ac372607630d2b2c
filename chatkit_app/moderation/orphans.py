"""Files that no attachment names, and attachments whose file is gone.

Neither comes to be as long as the process lives: a file is deleted when its row could not be written, and after its
row is gone. A process that is killed in between, a storage that was away, or a backup that was put back leaves some.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.core.files.storage import Storage
from django.utils import timezone

from .. import database_context
from ..models import Attachment
from ..store.stored_files import STORAGE_FOLDER, attachment_storage, named_file

ORPHAN_AGE = timedelta(days=1)
"""A younger file may be one whose row is about to be written."""
_AT_ONCE = 500


class SharedStorage(RuntimeError):
    """The storage holds files of other tenants or users, whose rows cannot be seen from here."""


def orphaned_files() -> Iterator[str]:
    """Yield the names of the app's files that no attachment names, and that are older than a day.

    Raises:
        SharedStorage: when a ``DatabaseContext`` hides rows, so that nobody can tell.
        OSError: when the storage cannot be read.
    """
    if database_context.is_used():
        raise SharedStorage(
            "Rows of other tenants or users name files in this storage too, and cannot be seen from here."
        )
    storage, before = attachment_storage(), timezone.now() - ORPHAN_AGE
    for folder in storage.listdir(STORAGE_FOLDER)[0] if _has_files(storage) else ():
        names = [
            f"{STORAGE_FOLDER}/{folder}/{name}" for name in storage.listdir(f"{STORAGE_FOLDER}/{folder}")[1]
        ]
        for start in range(0, len(names), _AT_ONCE):
            some = names[start : start + _AT_ONCE]
            files = {named_file(name) for name in some}
            known = set(Attachment.objects.filter(file__in=files).values_list("file", flat=True))
            yield from (
                name for name in some if named_file(name) not in known and _is_older(storage, name, before)
            )


def _has_files(storage: Storage) -> bool:
    # In a folder that is not mounted nothing is an orphan; in an empty one neither.
    return STORAGE_FOLDER in storage.listdir("")[0]


def _is_older(storage: Storage, name: str, before: datetime) -> bool:
    try:
        changed = storage.get_modified_time(name)
    except FileNotFoundError:  # deleted just now
        return False
    return changed < before


def attachments_without_file() -> Iterator[str]:
    """Yield the ids of attachments whose file is not in the storage any more: they cannot be opened."""
    storage = attachment_storage()
    rows = Attachment.objects.exclude(file="").order_by("pk").values_list("public_id", "file")
    yield from (public_id for public_id, file in rows.iterator() if not storage.exists(file))
