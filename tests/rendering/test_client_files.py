"""The client's files under an address that changes with them, on every storage of static files."""

import os
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from django.apps import apps
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.template import Context, Template
from django.test import Client, RequestFactory
from whitenoise.middleware import WhiteNoiseMiddleware

from chatkit_app.finders import ClientFinder
from chatkit_app.rendering import client_files
from chatkit_app.rendering.client_files import (
    CLIENT_DIRECTORY,
    client_file,
    client_folder,
    client_names,
    client_url,
    modules_folder,
)
from chatkit_app.rendering.element import render_chatkit

from ..client_versions import STORAGES, client_version

FINDER = "chatkit_app.finders.ClientFinder"
IMPORT = re.compile(r"""\b(?:from|import) ?\(?["'](\.[^"']*)["'][;)]""")
# The style sheet for django-unfold is asked for where that is installed.
ALL_NAMES = set(client_names(CLIENT_DIRECTORY)) - {"unfold.css"}

pytestmark = pytest.mark.usefixtures("modules")


@pytest.fixture
def client_directory(tmp_path: Path) -> Iterator[Path]:
    """A copy of the client to change."""
    with client_version(tmp_path / "client", "copy"):
        yield tmp_path / "client"


def use_storage(settings: Any, kind: str, root: Path) -> None:
    # Django's own files, of which there are many, are none of ours.
    settings.STATICFILES_FINDERS = [FINDER]
    settings.STATIC_ROOT = str(root)
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": STORAGES[kind]}}


def collect() -> None:
    call_command("collectstatic", interactive=False, verbosity=0)


def names_of(urls: set[str]) -> set[str]:
    """The names that files have in ``client/``."""
    folder = re.compile(r"^.*?/chatkit_app/[0-9a-f]{16}/")
    return {re.sub(r"\.[0-9a-f]{12}(?=\.)", "", folder.sub("", url)) for url in urls}


def addresses(settings: Any) -> set[str]:
    """The URLs of all files of ours that the page with the chat and the admin's pages load, after collecting them."""
    settings.CHATKIT = {"CLIENT": "bundled"}
    html = render_chatkit(RequestFactory().get("/"), launcher=True)
    for script in ("admin/transcript.js", "admin/copy.js", "admin/inbox.js", "admin/counter.js"):
        html += Template(f'{{% load chatkit %}}<script src="{{% chatkit_static "{script}" %}}">').render(
            Context()
        )
    html += Template('{% load chatkit %}<link href="{% chatkit_static "admin.css" %}">').render(Context())
    base = staticfiles_storage.base_url
    waiting = set(re.findall(r'(?:src|href)="([^"]+)"', html))
    assert len(waiting) == 9
    found: set[str] = set()
    while waiting:
        url = waiting.pop()
        found.add(url)
        with staticfiles_storage.open(url.removeprefix(base)) as file:
            content = file.read().decode()
        waiting |= {urljoin(url, target) for target in IMPORT.findall(content)} - found
    return found


# Their folder


def test_folder_is_named_after_the_content():
    assert re.fullmatch("chatkit_app/[0-9a-f]{16}", client_folder())


def test_folder_is_another_one_when_a_file_has_changed(tmp_path):
    before = client_folder()
    with client_version(tmp_path / "client", "2", only="strings.js"):
        assert client_folder() != before


def test_folder_is_another_one_when_a_file_has_another_name(client_directory):
    before = client_folder()
    (client_directory / "chatkit.css").rename(client_directory / "chat.css")
    client_files._folder.cache_clear()
    assert client_folder() != before


def test_folder_depends_on_neither_times_nor_what_is_not_served(client_directory):
    before = client_folder()
    os.utime(client_directory / "bootstrap.js", (1, 1))
    (client_directory / ".DS_Store").write_text("x")
    (client_directory / "chat.js~").write_text("x")
    (client_directory / "config.d.ts").write_text("x")
    client_files._folder.cache_clear()
    assert client_folder() == before


@pytest.mark.parametrize(("debug", "changes"), [(True, True), (False, False)])
def test_folder_follows_an_edit_while_debugging(client_directory, settings, debug, changes):
    settings.DEBUG = debug
    before = client_folder()
    (client_directory / "chatkit.css").write_text("/* edited */")
    assert (client_folder() != before) is changes


def test_folder_of_a_package_without_its_files_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(client_files, "CLIENT_DIRECTORY", tmp_path)
    client_files._folder.cache_clear()
    with pytest.raises(ImproperlyConfigured, match="The chat's client is missing"):
        client_folder()


# How they are found


def test_finder_comes_with_the_app(settings):
    assert settings.STATICFILES_FINDERS == [
        "django.contrib.staticfiles.finders.FileSystemFinder",
        "django.contrib.staticfiles.finders.AppDirectoriesFinder",
        FINDER,
    ]


def test_finder_that_a_site_names_stays_where_it_is(settings):
    settings.STATICFILES_FINDERS = (FINDER, "django.contrib.staticfiles.finders.AppDirectoriesFinder")
    apps.get_app_config("chatkit_app").ready()
    assert settings.STATICFILES_FINDERS == (
        FINDER,
        "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    )


def test_no_file_of_ours_has_an_address_that_stays():
    names = [
        posixpath.join(getattr(storage, "prefix", None) or "", path)
        for finder in finders.get_finders()
        for path, storage in finder.list([])
    ]
    ours = [name for name in names if name.startswith("chatkit_app/")]
    assert f"{client_folder()}/element/index.js" in ours
    assert [name for name in ours if not name.startswith(f"{client_folder()}/")] == []


def test_file_is_found_by_its_name():
    found = Path(finders.find(client_file("element/index.js")))
    assert (found.parent.name, found.name) == ("element", "index.js")
    assert finders.find(client_file("chatkit.css"), find_all=True) == [
        str(client_files.CLIENT_DIRECTORY / "chatkit.css")
    ]


@pytest.mark.parametrize(
    "name",
    [
        "chatkit_app/chatkit.css",
        "chatkit_app/0123456789abcdef/chatkit.css",
        f"{modules_folder()}/config.d.ts",
        f"{modules_folder()}/../../apps.py",
        f"{modules_folder()}/missing.js",
        modules_folder(),
    ],
)
def test_file_is_not_found_by_another_name(name):
    assert finders.find(name) is None
    assert finders.find(name, find_all=True) == []


def test_old_name_of_a_file_finds_nothing_after_an_edit(client_directory, settings):
    settings.DEBUG = True
    before = client_file("chatkit.css")
    (client_directory / "chatkit.css").write_text("/* edited */")
    assert finders.find(before) is None
    assert finders.find(client_file("chatkit.css")) == str(client_directory / "chatkit.css")


def test_collecting_passes_over_what_it_is_told_to():
    names = [path for path, _ in ClientFinder().list(["*.css", "element"])]
    assert "bootstrap.js" in names
    assert [name for name in names if name.endswith(".css") or name.startswith("element")] == []


def test_collecting_has_all_files_each_after_its_imports():
    names = [path for path, _ in ClientFinder().list(None)]
    assert sorted(names) == client_names(CLIENT_DIRECTORY)
    for name in names:
        source = (client_files.CLIENT_DIRECTORY / name).read_text()
        for target in IMPORT.findall(source):
            imported = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
            assert names.index(imported) < names.index(name), f"{name} imports {imported}"


def test_whitenoise_without_collected_files_has_them(settings, tmp_path):
    settings.STATIC_ROOT = str(tmp_path)
    settings.WHITENOISE_USE_FINDERS = True
    middleware = WhiteNoiseMiddleware(lambda request: None)
    assert client_url("element/index.js") in middleware.files


# Storages


@pytest.mark.parametrize("kind", STORAGES)
def test_every_address_is_another_one_after_an_upgrade(kind, settings, tmp_path):
    use_storage(settings, kind, tmp_path / "static")
    collect()
    before = addresses(settings)
    with client_version(tmp_path / "client", "2", only="dom.js"):
        collect()
        after = addresses(settings)
    assert names_of(before) == names_of(after) == ALL_NAMES
    assert before & after == set()


def test_imports_are_rewritten_within_the_passes_that_django_makes(settings, tmp_path):
    use_storage(settings, "rewritten imports", tmp_path)
    collect()
    modules = {url for url in addresses(settings) if url.endswith(".js")}
    assert [url for url in modules if not re.search(r"\.[0-9a-f]{12}\.js$", url)] == []


def test_modules_do_without_their_plain_names_when_imports_are_rewritten(settings, tmp_path):
    settings.WHITENOISE_KEEP_ONLY_HASHED_FILES = True
    use_storage(settings, "whitenoise with rewritten imports", tmp_path)
    collect()
    assert names_of(addresses(settings)) == ALL_NAMES
    assert not (tmp_path / client_file("bootstrap.js")).exists()


def test_collecting_with_all_of_django_s_files_is_the_same(settings, tmp_path):
    settings.STATIC_ROOT = str(tmp_path)
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": STORAGES["rewritten imports"]}}
    collect()
    assert names_of(addresses(settings)) == ALL_NAMES


def test_pages_of_the_admin_have_style_sheets_of_this_version(admin_client: Client):
    page = admin_client.get("/admin/chatkit_app/thread/").content.decode()
    assert f'<link rel="stylesheet" href="/static/{client_folder()}/admin.css">' in page
