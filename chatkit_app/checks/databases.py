"""Connections to the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import connections, router

from .keys import value_of
from .messages import Messages, error, warning

SUPPORTED_VENDORS = ("sqlite", "postgresql")


def check_databases() -> Messages:
    """Check the connections to the database (W110-W112)."""
    configured = settings.DATABASES.get("default")
    database: Mapping[str, Any] = configured if isinstance(configured, Mapping) else {}
    engine = str(database.get("ENGINE", ""))
    options = database.get("OPTIONS") or {}
    pool = options.get("pool")
    if pool:
        size = (pool.get("max_size") or pool.get("min_size") or 4) if isinstance(pool, Mapping) else 4
        needed = value_of("DB_WORKERS") + 2
        if size < needed:
            yield warning(
                "W110",
                f"The default database's pool holds {size} connections; the chat can use {needed} at once.",
                f'Set OPTIONS["pool"] = {{"max_size": {needed}}} or more, or lower CHATKIT["DB_WORKERS"].',
            )
        if database.get("CONN_MAX_AGE", 0) != 0:
            yield error(
                "E111",
                'The default database has OPTIONS["pool"] and CONN_MAX_AGE; Django refuses to connect.',
                "Remove CONN_MAX_AGE: the pool keeps the connections.",
            )
    is_sqlite = engine.endswith("sqlite3") or engine.endswith("spatialite")
    if (
        is_sqlite
        and not settings.DEBUG
        and str(options.get("transaction_mode", "")).upper() not in ("IMMEDIATE", "EXCLUSIVE")
    ):
        yield warning(
            "W112",
            "SQLite's transactions begin without a lock; of two answers at once, one can find it locked.",
            'Set DATABASES["default"]["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "timeout": 20, '
            '"init_command": "PRAGMA journal_mode=WAL;"}, or use PostgreSQL.',
        )


def check_database_vendor() -> Messages:
    """Check that the database speaks an SQL that we write (E113). What others lack may show in single pages."""
    from ..models import Thread

    alias = router.db_for_write(Thread)
    # Of the connection, which is not opened for it: an engine of another name can be one of these two.
    vendor = connections[alias].vendor
    if vendor not in SUPPORTED_VENDORS:
        yield error(
            "E113",
            f'The chat\'s tables are in "{alias}", a database of the kind "{vendor}".',
            "Use PostgreSQL or SQLite; on others parts of the chat and of its admin fail.",
        )
