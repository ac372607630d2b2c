"""Fixtures shared by all tests."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import signal
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.extent import IS_WHOLE

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from tests.openai_server import OpenAIServer
    from tests.redis_server import RedisServer

pytest.register_assert_rewrite("chatkit_app.testing.store_contract")


def pytest_configure() -> None:
    """Set what all tests and their processes have."""
    # Let Ctrl-C reach what the tests start: a shell has what it starts in the background ignore it.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Each client of OpenAI's API reads the certificates of all authorities, which takes longer than most tests.
    os.environ.pop("SSL_CERT_FILE", None)
    os.environ["SSL_CERT_DIR"] = "/no/certificates"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect no garbage meanwhile.

    What is imported and collected stays, and to look at it again and again would take a fifth of the time.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """Spare what is there for all tests from the garbage collector, which some tests ask to look at everything."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def quick_flush() -> Iterator[None]:
    """Tests that commit leave an empty database behind, in a fraction of the time that Django's flush takes."""
    from django.test import TransactionTestCase

    from tests.flush import delete_rows

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", delete_rows)
        yield


@pytest.fixture(autouse=True)
def no_leftovers():
    """No answer and no database connection outlives the test that made it."""
    yield
    from chatkit_app import db
    from chatkit_app.runs.registry import live_runs

    live_runs.clear()
    db.shutdown()
    close_connections_of_asgiref()


def close_connections_of_asgiref() -> None:
    """Close what asgiref's own thread has open: it outlives all tests, and PostgreSQL drops no database in use."""
    from asgiref.sync import SyncToAsync
    from django.db import connections

    executor = SyncToAsync.single_thread_executor
    if executor._threads:
        executor.submit(connections.close_all).result()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Say, before the test database is dropped, who else is using it."""
    yield
    from django.db import connection

    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT backend_start, state, query FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            left = cursor.fetchall()
        assert left == [], "A test has left a connection open."


# Who may do what, what pages of the admin show and ask for, what a model's answer becomes, and how text is written into
# files and logs: the queries behind it are tested where they are made. Files, or tests in them.
SAME_ON_POSTGRES = (
    "admin/test_assignment.py",
    "admin/test_bad_input.py::test_forged_requests_are_refused",
    "admin/test_bad_input.py::test_hostile_content_is_only_text",
    "admin/test_confirmation.py",
    "admin/test_content.py",
    "admin/test_exports.py",
    "admin/test_flagging.py",
    "admin/test_labelling.py",
    "admin/test_moderation.py",
    "admin/test_notes.py",
    "admin/test_permissions.py",
    "admin/test_scope.py",
    "admin/test_side_doors.py",
    "admin/test_strange_requests.py::test_foreign_rows",
    "admin/test_strange_requests.py::test_made_up_cookies",
    "admin/test_takeover.py",
    "admin/test_transcript.py",
    "agents/",
    "attack/test_corpus.py::test_export_",
    "attack/test_corpus.py::test_line_of_the_log_is_nobody_elses",
    "attack/test_foreign_ids.py",
    "demo/",
    "docs/",
    "live/test_servers.py",
    "process/test_shutdown.py",
    "provider/",
    "server/",
    "test_asgi.py",
    "test_coming_from_the_sdk.py",
)


# Files that take longest. Begun last, they would keep one of the processes busy when the others have ended.
LONGEST = (
    "test_street.py",
    "test_deploy.py",
    "browser/test_admin_looks.py",
    "runs/test_processes.py",
    "process/test_shutdown.py",
    "attack/test_fuzz.py",
    "demo/test_site.py",
    "attack/test_corpus.py",
)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what opens Chromium, so that ``-m "not browser"`` has none of it, and what asks a Redis."""
    fixtures = getattr(item, "fixturenames", ())
    if "chromium_path" in fixtures:
        item.add_marker(pytest.mark.browser)
    if "redis_server" in fixtures:
        item.add_marker(pytest.mark.processes)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes longest.

    Leave out, on PostgreSQL, what does there what it does on SQLite, unless ``CHATKIT_TESTS=all``.
    """
    from django.db import connection

    items.sort(key=lambda item: not _path_of(item).startswith(LONGEST))
    if connection.vendor != "postgresql" or IS_WHOLE:
        return
    config.hook.pytest_deselected(items=[item for item in items if not _is_tried_on_postgres(item)])
    items[:] = [item for item in items if _is_tried_on_postgres(item)]


def _is_tried_on_postgres(item: pytest.Item) -> bool:
    return _asks_a_database(item) and not _name_of(item).startswith(SAME_ON_POSTGRES)


def _name_of(item: pytest.Item) -> str:
    return f"{_path_of(item)}::{item.name}"


def _path_of(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).as_posix()


def _asks_a_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    marked = any(item.get_closest_marker(name) for name in ("django_db", "postgres"))
    return marked or bool(fixtures & {"db", "transactional_db"})


@pytest.fixture(scope="session")
def built_bundle() -> bool:
    """Whether there is a bundle of the client: without npm there is none."""
    from chatkit_app.rendering import client_files
    from tests.bundle import IS_WANTED, ensure_bundle

    if not IS_WANTED:
        client_files.BUNDLE_DIRECTORY = Path("/no/bundle")
    return IS_WANTED and ensure_bundle()


@pytest.fixture
def bundle(built_bundle: bool) -> None:
    """Pages load the client's bundle."""
    if not built_bundle:
        pytest.skip("There is no bundle of the client, and no npm to build it with.")


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Pages load the client's modules, as where there is no bundle of them."""
    from chatkit_app.rendering import client_files

    monkeypatch.setattr(client_files, "BUNDLE_DIRECTORY", tmp_path / "no bundle")


@pytest.fixture
def use(settings: Any) -> Any:
    """Configure the app: the name of a class in ``tests.servers``, and other keys."""

    def configure(server: str, **keys: Any) -> None:
        settings.CHATKIT = {
            "SERVER": f"tests.servers.{server}",
            "CHECKPOINT_INTERVAL": 0.05,
            **keys,
        }

    return configure


@pytest.fixture
async def gate() -> asyncio.Event:
    """What ``SlowServer`` waits for in mid-answer."""
    from tests.servers import SlowServer

    SlowServer.gate = asyncio.Event()
    SlowServer.started = 0
    return SlowServer.gate


@pytest.fixture
async def api() -> AsyncIterator[OpenAIServer]:
    """A server with OpenAI's API."""
    from tests.openai_server import openai_server

    async with openai_server() as server:
        yield server


@pytest.fixture
async def openai_client(api: OpenAIServer) -> AsyncIterator[AsyncOpenAI]:
    """OpenAI's own client of ``api``, which tries once, and has the patience to be connected on a busy machine."""
    from openai import AsyncOpenAI

    async with AsyncOpenAI(api_key="sk-test", base_url=api.url, max_retries=0, timeout=60) as client:
        yield client


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the Agents SDK would have exported."""
    from agents.tracing.processors import BatchTraceProcessor

    exported: list[dict[str, Any]] = []

    def keep(self: Any, entry: Any) -> None:
        exported.append(entry.export())

    monkeypatch.setattr(BatchTraceProcessor, "on_trace_start", keep)
    monkeypatch.setattr(BatchTraceProcessor, "on_span_end", keep)
    return exported


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A Redis for all tests of this process."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed.")
    from tests.redis_server import RedisServer

    server = RedisServer()
    server.start()
    yield server
    server.kill()


@pytest.fixture
def redis(redis_server: RedisServer, settings: Any) -> RedisServer:
    """The site's channel layer is Redis."""
    if redis_server.process is None:
        redis_server.start()
    settings.CHANNEL_LAYERS = redis_server.layers
    return redis_server
