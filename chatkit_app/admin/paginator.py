"""A paginator that does not count a million rows to show a hundred."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core import paginator
from django.utils.functional import cached_property

if TYPE_CHECKING:
    Paginator = paginator.Paginator[Any]
else:
    Paginator = paginator.Paginator

MAX_COUNT = 10_000


class CappedPaginator(Paginator):
    """Counts no further than ``MAX_COUNT``. Who is looking for older rows filters or searches."""

    @cached_property
    def _capped_count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[: MAX_COUNT + 1].count())

    @cached_property
    def count(self) -> int:
        return min(self._capped_count, MAX_COUNT)

    @property
    def is_capped(self) -> bool:
        """Whether there are more rows than can be paged to."""
        return self._capped_count > MAX_COUNT
