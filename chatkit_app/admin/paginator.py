"""A paginator that does not count a million rows to show a hundred."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core import paginator
from django.db import connections
from django.utils.functional import cached_property

if TYPE_CHECKING:
    Paginator = paginator.Paginator[Any]
else:
    Paginator = paginator.Paginator

MAX_COUNT = 10_000


class CappedPaginator(Paginator):
    """A paginator that counts no further than ``max_count``. Who is looking for older rows filters or searches.

    A whole table is not even counted that far on PostgreSQL, which keeps an estimate of what is in it.
    """

    max_count = MAX_COUNT

    @cached_property
    def _capped_count(self) -> int:
        rows: Any = self.object_list
        connection = connections[rows.db]
        if connection.vendor != "postgresql" or rows.query.where or rows.query.distinct:
            return int(rows.order_by()[: self.max_count + 1].count())
        table = connection.ops.quote_name(rows.model._meta.db_table)
        with connection.cursor() as cursor:
            # The estimate may be off by what was deleted lately: only one far above the cap takes its place.
            cursor.execute(
                f"SELECT CASE WHEN reltuples > %s THEN reltuples::bigint "
                f"ELSE (SELECT COUNT(*) FROM (SELECT 1 FROM {table} LIMIT %s) AS first) END "
                f"FROM pg_class WHERE oid = %s::regclass",
                [2 * self.max_count, self.max_count + 1, table],
            )
            return int(cursor.fetchone()[0])

    @cached_property
    def count(self) -> int:
        return min(self._capped_count, self.max_count)

    @property
    def is_capped(self) -> bool:
        """Whether there are more rows than can be paged to."""
        return self._capped_count > self.max_count

    @property
    def estimate(self) -> int | None:
        """About how many there are, to two digits, where more is known than that they are too many."""
        count = self._capped_count
        return int(float(f"{count:.1e}")) if count > self.max_count + 1 else None


class KnownPaginator(CappedPaginator):
    """A paginator for rows whose number is known already."""

    def __init__(self, object_list: Any, per_page: int, *, known: int) -> None:
        super().__init__(object_list, per_page)
        self._capped_count = known
