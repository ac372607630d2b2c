"""The items that entries of the audit name by their ids: which they are, as long as they are there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from ..models import AuditEntry, ThreadItem
from .content import moment
from .deeds import item_keys


class NamedItems:
    """The items of some entries, in one query.

    Args:
        entries: of the audit.
        threads: the keys of threads by their ids, of those whose items this reader may know of.
    """

    def __init__(self, entries: Iterable[AuditEntry], threads: Mapping[str, int]) -> None:
        self._threads = threads
        named = {key for entry in entries if entry.thread_key in threads for key in item_keys(entry)}
        self._found: defaultdict[int, dict[str, tuple[int, str]]] = defaultdict(dict)
        if not named:
            return
        items = ThreadItem.objects.filter(thread__in=set(threads.values()), public_id__in=named).order_by()
        for thread, public_id, pk, created_at in items.values_list(
            "thread_id", "public_id", "pk", "created_at"
        ):
            # Of "p.m." at the end of a sentence one full stop is enough.
            self._found[thread][public_id] = (pk, moment(created_at).removesuffix("."))

    def times(self, entry: AuditEntry) -> dict[str, str]:
        """Return when the entry's items were said, by their ids."""
        return {public_id: time for public_id, (_pk, time) in self._of(entry).items()}

    def pk(self, entry: AuditEntry) -> int | None:
        """Return the key of the one item that the entry is about, if it is about one that is there."""
        pk, _time = self._of(entry).get(entry.item_key, (None, ""))
        return pk

    def _of(self, entry: AuditEntry) -> dict[str, tuple[int, str]]:
        thread = self._threads.get(entry.thread_key)
        return {} if thread is None else self._found[thread]
