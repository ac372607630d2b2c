"""Emptying the database between tests: Django's flush makes all permissions anew each time, which nobody changes."""

from __future__ import annotations

from django.apps import apps
from django.db import connections, transaction
from django.test import TransactionTestCase

# What migrating has put there.
KEPT = {"django_content_type", "auth_permission", "django_migrations"}


def delete_rows(case: TransactionTestCase) -> None:
    """Leave the case's databases as they are after migrating: in place of ``TransactionTestCase._fixture_teardown``."""
    for alias in case._databases_names(include_mirrors=False):  # type: ignore[attr-defined]
        connection = connections[alias]
        models = apps.get_models(include_auto_created=True)
        tables = {model._meta.db_table for model in models if model._meta.managed} - KEPT
        tables &= set(connection.introspection.table_names())
        name = connection.ops.quote_name
        filled = " UNION ALL ".join(
            f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {name(table)})" for table in sorted(tables)
        )
        # All at once: keys are checked at the end of a transaction.
        with transaction.atomic(using=alias), connection.cursor() as cursor:
            cursor.execute(filled)
            for (table,) in cursor.fetchall():
                cursor.execute(f"DELETE FROM {name(table)}")
