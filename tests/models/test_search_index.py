from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections

from chatkit_app.admin.search import find, parse
from chatkit_app.models import Thread, search_index

pytestmark = pytest.mark.django_db

on_postgres = pytest.mark.skipif("connection.vendor != 'postgresql'")


def command(*args: str) -> str:
    output = StringIO()
    call_command("chatkit_search_index", *args, stdout=output)
    return output.getvalue()


@pytest.fixture
def trigrams() -> None:
    """Skips where the server has no ``pg_trgm`` at all."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'")
        if cursor.fetchone() is None:
            pytest.skip("This PostgreSQL has no pg_trgm.")


def indexes() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexrelid::regclass::text FROM pg_index "
            "WHERE indisvalid AND indexrelid::regclass::text LIKE %s ORDER BY 1",
            ["%trigrams"],
        )
        return [name for (name,) in cursor.fetchall()]


@pytest.mark.skipif("connection.vendor == 'postgresql'")
def test_index_cannot_be_had_on_sqlite() -> None:
    with pytest.raises(CommandError, match=r"SQLite has no trigram index\. Searches work without the index"):
        command()


def test_command_refuses_a_database_that_is_none() -> None:
    with pytest.raises(CommandError, match="no database “elsewhere” in DATABASES"):
        command("--database", "elsewhere")


@on_postgres
def test_migration_makes_the_index(trigrams: None) -> None:
    assert indexes() == ["chatkit_item_trigrams", "chatkit_thread_trigrams"]


@on_postgres
def test_index_is_what_the_search_uses(trigrams: None) -> None:
    rows = []

    def explain(execute, sql, params, many, context):
        result = execute(f"EXPLAIN {sql}", params, many, context)
        rows.extend(line for (line,) in context["cursor"].fetchall())
        return result

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
    with connection.execute_wrapper(explain):
        find(parse("parcel"), Thread.objects.all(), may_read=True)
    plan = "\n".join(rows)
    assert "chatkit_item_trigrams" in plan
    assert "chatkit_thread_trigrams" in plan


@on_postgres
@pytest.mark.django_db(transaction=True)
def test_command_makes_what_is_missing_and_tells(trigrams: None) -> None:
    assert command() == "The search index is there.\n"
    search_index.drop(connection)
    assert indexes() == []
    assert command() == (
        "Created chatkit_item_trigrams.\nCreated chatkit_thread_trigrams.\nThe search index is there.\n"
    )
    assert indexes() == ["chatkit_item_trigrams", "chatkit_thread_trigrams"]


@on_postgres
@pytest.mark.django_db(transaction=True)
def test_command_makes_an_index_anew_that_ended_half_way(trigrams: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'chatkit_item_trigrams'::regclass"
        )
    assert command() == "Created chatkit_item_trigrams.\nThe search index is there.\n"
    assert len(indexes()) == 2


@on_postgres
@pytest.mark.django_db(transaction=True)
def test_command_says_who_can_bring_the_extension_in(trigrams: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP EXTENSION pg_trgm CASCADE")
        cursor.execute("DROP ROLE IF EXISTS chatkit_guest; CREATE ROLE chatkit_guest")
        cursor.execute("SET ROLE chatkit_guest")
    try:
        with pytest.raises(
            CommandError, match="Ask somebody who has the permission to run: CREATE EXTENSION pg_trgm;"
        ):
            command()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")
            cursor.execute("DROP ROLE chatkit_guest")
        command()
    assert len(indexes()) == 2
    assert connections["default"].vendor == "postgresql"
