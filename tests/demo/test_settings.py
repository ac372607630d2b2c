"""project/settings.py: what the environment changes, and how another module builds on it."""

import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

SETTINGS = Path(__file__).parents[2] / "project" / "settings.py"
VARIABLES = [
    "DATABASE_URL",
    "REDIS_URL",
    "DEBUG",
    "SECRET_KEY",
    "ALLOWED_HOSTS",
    "CHATKIT_DB_WORKERS",
    "MEDIA_ROOT",
]

Load = Callable[..., dict[str, Any]]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    def load(**environment: str) -> dict[str, Any]:
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(SETTINGS))

    return load


def test_missing_extra_is_named(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dj_database_url", None)
    with pytest.raises(ImproperlyConfigured, match=re.escape('pip install -e ".[demo]"')):
        load()


def test_database_is_a_sqlite_file_by_default(load: Load) -> None:
    database = load()["DATABASES"]["default"]
    assert database["ENGINE"] == "django.db.backends.sqlite3"
    assert database["NAME"].endswith("/db.sqlite3")
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert database["OPTIONS"]["timeout"] == 20
    assert "journal_mode=WAL" in database["OPTIONS"]["init_command"]


def test_database_url_moves_to_postgresql(load: Load) -> None:
    database = load(DATABASE_URL="postgres://anna:secret@db.example:5433/chat")["DATABASES"]["default"]
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert (database["HOST"], database["PORT"], database["NAME"]) == ("db.example", 5433, "chat")
    assert (database["USER"], database["PASSWORD"]) == ("anna", "secret")


def test_postgresql_keeps_its_connections_without_a_pool(load: Load) -> None:
    database = load(DATABASE_URL="postgres://db.example/chat")["DATABASES"]["default"]
    assert database["CONN_MAX_AGE"] is None
    assert "pool" not in database.get("OPTIONS", {})
    assert "transaction_mode" not in database.get("OPTIONS", {})


def test_database_url_of_another_sqlite_file_has_the_same_options(load: Load) -> None:
    database = load(DATABASE_URL="sqlite:////srv/chat.sqlite3")["DATABASES"]["default"]
    assert database["NAME"] == "/srv/chat.sqlite3"
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_channel_layer_is_in_memory_by_default(load: Load) -> None:
    assert load()["CHANNEL_LAYERS"]["default"] == {"BACKEND": "channels.layers.InMemoryChannelLayer"}


def test_redis_url_moves_the_channel_layer(load: Load) -> None:
    assert load(REDIS_URL="redis://cache.example:6379/2")["CHANNEL_LAYERS"]["default"] == {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": ["redis://cache.example:6379/2"]},
    }


def test_debug_is_on_by_default_with_a_key_for_the_demo(load: Load) -> None:
    settings = load()
    assert settings["DEBUG"] is True
    assert settings["SECRET_KEY"] == "django-insecure-only-for-the-demo"
    assert settings["ALLOWED_HOSTS"] == []


def test_secret_key_has_no_default_without_debug(load: Load) -> None:
    settings = load(DEBUG="0")
    assert settings["DEBUG"] is False
    assert settings["SECRET_KEY"] == ""


def test_environment_sets_key_and_hosts(load: Load) -> None:
    settings = load(DEBUG="false", SECRET_KEY="long and random", ALLOWED_HOSTS="a.example, b.example")
    assert settings["SECRET_KEY"] == "long and random"
    assert settings["ALLOWED_HOSTS"] == ["a.example", "b.example"]


def test_installed_apps_begin_with_daphne_and_hold_the_demo(load: Load) -> None:
    apps = load()["INSTALLED_APPS"]
    assert apps[0] == "daphne"
    assert apps[-3:] == ["channels", "chatkit_app", "project"]


def test_chatkit_threads_and_workers(load: Load) -> None:
    chatkit = load(CHATKIT_DB_WORKERS="3")["CHATKIT"]
    assert (chatkit["REQUEST_THREADS"], chatkit["DB_WORKERS"]) == (2, 3)


def test_client_is_the_bundled_one_unless_the_environment_wants_another(load: Load) -> None:
    assert load()["CHATKIT"]["CLIENT"] == "bundled"
    assert load(CHATKIT_CLIENT="openai")["CHATKIT"]["CLIENT"] == "openai"


def test_files_are_kept_beside_the_database_or_where_the_environment_says(load: Load) -> None:
    assert load()["MEDIA_ROOT"] == SETTINGS.parents[1] / "media"
    assert load(MEDIA_ROOT="/srv/files")["MEDIA_ROOT"] == "/srv/files"


def test_another_settings_module_overrides_one_key(tmp_path: Path) -> None:
    (tmp_path / "shop_settings.py").write_text(
        'from project.settings import *\n\nCHATKIT = CHATKIT | {"CLIENT": "openai"}\n'
    )
    chatkit = runpy.run_path(str(tmp_path / "shop_settings.py"))["CHATKIT"]
    assert chatkit["CLIENT"] == "openai"
    assert chatkit["SERVER"] == "project.chat.DemoServer"
