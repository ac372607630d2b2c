"""The index behind the search in the admin: trigrams of messages and titles, where PostgreSQL has ``pg_trgm``.

It is made of what ``icontains`` compiles to, ``UPPER(column) LIKE UPPER(pattern)``. Without it the search finds the
same, and reads every message for that.
"""

from __future__ import annotations

from typing import NamedTuple

from django.db import Error, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from django.utils.translation import gettext as _

from . import Thread, ThreadItem

INDEXES: dict[str, tuple[type[Model], str]] = {
    "chatkit_item_trigrams": (ThreadItem, "text"),
    "chatkit_thread_trigrams": (Thread, "title"),
}

STATISTICS_TARGET = 1_000


class Unavailable(Exception):
    """This database cannot have the index; the message says why."""


def create(connection: BaseDatabaseWrapper, *, concurrently: bool = False) -> list[str]:
    """Make what is missing of the index.

    Args:
        connection: of the database.
        concurrently: let others write meanwhile. It takes longer, and cannot be done in a transaction.

    Returns:
        The names of what was made; empty where all of it was there.

    Raises:
        Unavailable: the database is no PostgreSQL, or has no ``pg_trgm`` and this user may not bring it in.
    """
    schema = _extension(connection)
    missing = [name for name in INDEXES if not (found := _find(connection, name)) or not found.is_valid]
    drop(connection, names=missing)
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        for name in missing:
            model, column = INDEXES[name]
            cursor.execute(
                f"CREATE INDEX {'CONCURRENTLY ' if concurrently else ''}{quote(name)} "
                f"ON {quote(model._meta.db_table)} "
                f"USING gin (UPPER({quote(column)}) {quote(schema)}.gin_trgm_ops)"
            )
            # With the usual hundred samples rare words are taken for common ones, and the index is passed over.
            cursor.execute(f"ALTER INDEX {quote(name)} ALTER COLUMN 1 SET STATISTICS {STATISTICS_TARGET}")
            cursor.execute(f"ANALYZE {quote(model._meta.db_table)}")
    return missing


def drop(connection: BaseDatabaseWrapper, *, names: list[str] | None = None) -> None:
    """Take the index away, or those parts of it."""
    quote = connection.ops.quote_name
    for name in INDEXES if names is None else names:
        found = _find(connection, name)
        if found is not None:
            with connection.cursor() as cursor:
                cursor.execute(f"DROP INDEX IF EXISTS {quote(found.schema)}.{quote(name)}")


def _extension(connection: BaseDatabaseWrapper) -> str:
    """Return the schema of ``pg_trgm``, which is brought in if need be."""
    if connection.vendor != "postgresql":
        raise Unavailable(_("%(database)s has no trigram index.") % {"database": connection.display_name})
    with connection.cursor() as cursor:
        if (schema := _schema(cursor)) is not None:
            return schema
        cursor.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'")
        if cursor.fetchone() is None:
            raise Unavailable(_("The server has no pg_trgm: it comes with PostgreSQL’s contrib modules."))
        # A tenant's schema may be dropped one day, and all tenants' indexes with the extension in it.
        cursor.execute("SELECT to_regnamespace('public') IS NOT NULL")
        where = " SCHEMA public" if cursor.fetchone() == (True,) else ""
        try:
            with transaction.atomic(using=connection.alias):
                cursor.execute(f"CREATE EXTENSION IF NOT EXISTS pg_trgm{where}")
        except Error as error:
            raise Unavailable(
                _(
                    "pg_trgm could not be installed (%(reason)s). Ask somebody who has the permission to run: "
                    "%(statement)s"
                )
                % {"reason": str(error).strip(), "statement": "CREATE EXTENSION pg_trgm;"}
            ) from error
        schema = _schema(cursor)
        assert schema is not None
        return schema


def _schema(cursor: object) -> str | None:
    execute = cursor.execute  # type: ignore[attr-defined]
    execute("SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'pg_trgm'")
    row = cursor.fetchone()  # type: ignore[attr-defined]
    return None if row is None else str(row[0])


class _Found(NamedTuple):
    schema: str
    is_valid: bool


def _find(connection: BaseDatabaseWrapper, name: str) -> _Found | None:
    """Return the index of our table; what was made concurrently may have ended half way.

    Of a table, and not by its name alone: other schemas on the search path may have one of this name, too.
    """
    model, _column = INDEXES[name]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relnamespace::regnamespace::text, indisvalid FROM pg_index "
            "JOIN pg_class ON pg_class.oid = indexrelid WHERE relname = %s AND indrelid = to_regclass(%s)",
            [name, connection.ops.quote_name(model._meta.db_table)],
        )
        row = cursor.fetchone()
    return None if row is None else _Found(*row)
