"""A database for an attack, in this process and for the servers that it starts, and what is in it afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def attacked_code() -> Path:
    """The checkout whose servers are attacked: this one, unless another is named in the environment."""
    return Path(os.environ.get("CHATKIT_ATTACKED_CODE", Path(__file__).parents[2]))


def make_database(folder: Path) -> None:
    """Make it with the tables of the code that is attacked, and connect Django in this process to it."""
    from tests import settings

    database: dict[str, Any] = dict(settings.DATABASES["default"])
    if database["ENGINE"].endswith("postgresql"):
        import psycopg

        name = f"chatkit_chaos_{os.getpid()}"
        given = {key: database[key.upper()] or None for key in ("user", "password", "host", "port")}
        with psycopg.connect(dbname="postgres", autocommit=True, **given) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name}")
        database["NAME"] = name
    else:
        database["NAME"] = str(folder / "db.sqlite3")
    database.pop("TEST", None)
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "tests.process_settings",
        "CHATKIT_PROCESS_DATABASE": json.dumps(database),
        "CHATKIT_PROCESS_SETTINGS": "{}",
    }
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0", "--skip-checks"],
        cwd=attacked_code(),
        env=os.environ | {"PYTHONPATH": str(attacked_code())},
        check=True,
    )
    import django

    django.setup()


def rows(query: str) -> list[tuple[Any, ...]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall()) if cursor.description else []


def statuses() -> dict[str, int]:
    return dict(rows("SELECT status, count(*) FROM chatkit_app_run GROUP BY status"))


def stored_texts() -> dict[str, str]:
    """The text of each assistant's message, by its id."""
    found = rows("SELECT public_id, text FROM chatkit_app_threaditem WHERE type = 'assistant_message'")
    return {str(public_id): str(text) for public_id, text in found}


def threads_with_message() -> set[str]:
    found = rows(
        "SELECT DISTINCT t.public_id FROM chatkit_app_thread t JOIN chatkit_app_threaditem i ON i.thread_id = t.id "
        "WHERE i.type = 'user_message'"
    )
    return {str(public_id) for (public_id,) in found}
