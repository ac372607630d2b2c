"""The bundle of the client: when pages load it, on every storage of static files, and what it weighs."""

import gzip
import json
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core import checks as django_checks
from django.core.management import call_command
from django.test import RequestFactory

from chatkit_app import checks
from chatkit_app.rendering import client_files
from chatkit_app.rendering.client_files import client_file, client_folder, client_url, modules_folder
from chatkit_app.rendering.element import render_chatkit

from ..client_versions import STORAGES, client_version

pytestmark = pytest.mark.usefixtures("bundle")

REFERENCE = re.compile(
    r"""(?:from|import) ?\(?["'](\.[^"']*)["']|^//# sourceMappingURL=(\S+)$""", re.MULTILINE
)
HASH = r"\.[0-9a-f]{12}(?=\.)"


def use_storage(settings: Any, kind: str, root: Path) -> None:
    settings.STATICFILES_FINDERS = ["chatkit_app.finders.ClientFinder"]
    settings.STATIC_ROOT = str(root)
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": STORAGES[kind]}}


def collect() -> None:
    call_command("collectstatic", interactive=False, verbosity=0)


def addresses(settings: Any) -> set[str]:
    """The URLs of all files that a page with the chat may load, after collecting them."""
    settings.CHATKIT = {"CLIENT": "bundled"}
    waiting = set(
        re.findall(r'(?:src|href)="([^"]+)"', render_chatkit(RequestFactory().get("/"), launcher=True))
    )
    found: set[str] = set()
    while waiting:
        url = waiting.pop()
        found.add(url)
        with staticfiles_storage.open(url.removeprefix(staticfiles_storage.base_url)) as file:
            content = file.read().decode()
        if url.endswith(".js"):
            references = ("".join(groups) for groups in REFERENCE.findall(content))
            waiting |= {urljoin(url, reference) for reference in references} - found
    return found


# When


def test_pages_load_the_bundle():
    assert client_folder() != modules_folder()
    assert finders.find(client_file("bootstrap.js")) == str(client_files.BUNDLE_DIRECTORY / "bootstrap.js")


def test_pages_load_the_modules_while_debugging(settings):
    settings.DEBUG = True
    assert client_folder() == modules_folder()


@pytest.mark.usefixtures("modules")
def test_pages_load_the_modules_where_there_is_no_bundle():
    assert client_folder() == modules_folder()


def test_pages_load_the_modules_where_these_have_changed_since(tmp_path):
    with client_version(tmp_path / "client", "2", only="dom.js"):
        shutil.copytree(Path(client_files.__file__).parents[1] / "bundle", client_files.BUNDLE_DIRECTORY)
        assert client_files.is_bundle_stale()
        assert client_folder() == modules_folder()


def test_bundle_of_another_version_is_not_collected(tmp_path):
    stale = client_file("bootstrap.js")
    assert finders.find(stale) is not None
    with client_version(tmp_path / "client", "2", only="dom.js"):
        shutil.copytree(Path(client_files.__file__).parents[1] / "bundle", client_files.BUNDLE_DIRECTORY)
        assert finders.find(stale) is None


def test_manifest_is_none_of_the_files_for_browsers():
    assert finders.find(client_file("manifest.json")) is None


def test_modules_are_collected_too_for_sites_that_collect_while_debugging_or_debug_what_is_collected(
    settings,
):
    bundle = client_file("element/index.js")
    settings.DEBUG = True
    modules = client_file("element/index.js")
    assert bundle != modules
    assert None not in (finders.find(bundle), finders.find(modules))


def test_bundle_is_the_same_when_it_is_built_again(tmp_path):
    from ..bundle import build_bundle

    build_bundle(client_files.CLIENT_DIRECTORY, tmp_path / "again")
    built = {path.name: path.read_bytes() for path in client_files.BUNDLE_DIRECTORY.rglob("*.js")}
    assert {path.name: path.read_bytes() for path in (tmp_path / "again").rglob("*.js")} == built


# The check


def test_i056_there_is_a_bundle():
    assert list(checks.check_bundle()) == []


@pytest.mark.usefixtures("modules")
def test_i056_no_bundle():
    (message,) = checks.check_bundle()
    assert (message.id, message.level) == ("chatkit.I056", django_checks.INFO)
    assert "there is no bundle of them" in message.msg
    assert "npm run build --prefix bundle" in message.hint


@pytest.mark.usefixtures("modules")
def test_i056_no_bundle_while_debugging(settings):
    settings.DEBUG = True
    assert list(checks.check_bundle()) == []


def test_i056_bundle_of_another_version(tmp_path):
    with client_version(tmp_path / "client", "2", only="dom.js"):
        shutil.copytree(Path(client_files.__file__).parents[1] / "bundle", client_files.BUNDLE_DIRECTORY)
        (message,) = checks.check_bundle()
    assert "its bundle was built from other modules than those that are there" in message.msg


# Storages


@pytest.mark.parametrize("kind", STORAGES)
def test_every_address_is_another_one_after_an_upgrade(kind, settings, tmp_path):
    use_storage(settings, kind, tmp_path / "static")
    collect()
    before = addresses(settings)
    with client_version(tmp_path / "client", "2", only="dom.js", is_bundled=True):
        collect()
        after = addresses(settings)
    assert len(before) == len(after)
    assert before & after == set()


@pytest.mark.parametrize("kind", ["rewritten imports", "whitenoise with rewritten imports"])
def test_all_files_have_their_hashes_when_imports_are_rewritten(kind, settings, tmp_path):
    use_storage(settings, kind, tmp_path)
    settings.WHITENOISE_KEEP_ONLY_HASHED_FILES = True
    collect()
    assert [url for url in addresses(settings) if not re.search(HASH, url)] == []


# What a page loads


def test_page_preloads_what_the_element_would_ask_for_later(settings):
    settings.CHATKIT = {"CLIENT": "bundled"}
    html = render_chatkit(RequestFactory().get("/"), nonce="abc")
    manifest = json.loads((client_files.BUNDLE_DIRECTORY / "manifest.json").read_text())
    preloads = re.findall(r'<link rel="modulepreload" href="([^"]+)" nonce="abc">', html)
    assert preloads == [client_url(chunk) for chunk in manifest["preloads"]["element/index.js"]]


@pytest.mark.parametrize("kind", STORAGES)
def test_page_loads_early_by_the_addresses_that_the_element_asks_for(kind, settings, tmp_path):
    use_storage(settings, kind, tmp_path)
    collect()
    settings.CHATKIT = {"CLIENT": "bundled"}
    html = render_chatkit(RequestFactory().get("/"))
    element = client_url("element/index.js")
    with staticfiles_storage.open(element.removeprefix(staticfiles_storage.base_url)) as file:
        content = file.read().decode()
    (imported,) = re.findall(r"""from ?["'](\.[^"']*)["']""", content)
    (markdown,) = re.findall(r"""import\(["'](\.[^"']*/markdown-[^"']*)["']\)""", content)
    assert re.findall(r'modulepreload" href="([^"]+)"', html) == [urljoin(element, imported)]
    assert re.findall(r'fetchpriority="low" src="([^"]+)"', html) == [urljoin(element, markdown)]


BUDGETS = {
    "bootstrap.js": 6_700,  # hears of changes, tells who types, keeps what is not sent
    "element/index.js": 23_350,  # whom one writes to, what came only in part or not at all, an edit, "Try now"
    "chunks/chunk.js": 6_400,
    "chatkit.css": 800,  # an outline of the chat before it is there
    "launcher.js": 5_600,  # can be pushed away, and looks like the chat before it is there
    "launcher/news.js": 1_650,
    "admin/transcript.js": 8_500,  # live, with a form to answer in
    "admin/copy.js": 400,
    "admin/counter.js": 2_400,
    "admin/inbox.js": 3_400,  # asks in dialogs
    "admin.css": 6_000,  # lists are cards on phones, and narrow on laptops; one can answer
    "unfold.css": 2_500,
    "chunks/attachments.js": 3_700,  # says why a file was refused
    "chunks/calendar.js": 2_300,
    "chunks/chart.js": 4_600,
    "chunks/choices.js": 1_600,
    "chunks/code.js": 5_700,  # colours of eleven kinds of languages
    "chunks/completion.js": 3_300,
    "chunks/dictation.js": 2_000,
    "chunks/fade.js": 850,
    "chunks/handler.js": 730,  # nobody types whose message is there; people without a name
    "chunks/header-actions.js": 600,
    "chunks/history.js": 5_300,  # begins with a new chat, searches what was said, pins and archives
    "chunks/icon-drawings.js": 3_400,
    "chunks/images.js": 1_600,
    "chunks/markdown.js": 9_600,
    "chunks/math.js": 4_700,
    "chunks/message-editor.js": 1_000,  # what was refused is still there; in sight on phones, too
    "chunks/message-extras.js": 1_250,
    "chunks/notices.js": 800,
    "chunks/sources.js": 350,
    "chunks/strings.js": 2_250,
    "chunks/staff-tools.js": 800,  # of the official client
    "chunks/structured-input.js": 3_200,  # one question after the other
    "chunks/thread-actions.js": 4_100,  # earlier versions, and a pencil
    "chunks/theme.js": 1_800,
    "chunks/title-editor.js": 250,
    "chunks/touch.js": 1_200,  # a keyboard on the screen, swipes
    "chunks/widget.js": 11_700,  # lists in the looks of the chat, the official client's measures and spaces
    "chunks/workflow.js": 2_500,
}
"""Bytes of each file, gzipped. One rises when its feature is worth it, together with a word on what for.

"chunk" is the largest of those without a name of their own: what the element shares with the others."""
COMPOSER_BUDGET = 37_000
"""Bytes of all that a page needs before one can write in it, and hear of changes. To read answers as they are meant it
needs "chunks/markdown.js" too, which comes at the same time."""


def test_no_file_outgrows_its_budget():
    files = [path for path in client_files.BUNDLE_DIRECTORY.rglob("*") if path.suffix in (".js", ".css")]
    sizes: dict[str, int] = {}
    for path in files:
        name = name_in_budget(path)
        sizes[name] = max(sizes.get(name, 0), gzipped(path))
    assert sizes.keys() == BUDGETS.keys()
    assert {name: size for name, size in sizes.items() if size > BUDGETS[name]} == {}


def test_composer_needs_four_files_that_keep_to_their_budget_and_text_a_fifth(settings):
    settings.CHATKIT = {"CLIENT": "bundled"}
    urls = set(re.findall(r'(?:src|href)="([^"]+)"', render_chatkit(RequestFactory().get("/"))))
    paths = {Path(str(finders.find(url.removeprefix("/static/")))) for url in urls}
    (markdown,) = [path for path in paths if name_in_budget(path) == "chunks/markdown.js"]
    assert len(paths) == 5
    assert sum(map(gzipped, paths - {markdown})) <= COMPOSER_BUDGET


def test_page_preloads_the_parts_that_its_options_ask_for(settings):
    settings.CHATKIT = {"CLIENT": "bundled"}
    options = {"composer": {"models": [{"id": "a", "label": "A"}]}, "theme": {"color": {}}}
    html = render_chatkit(RequestFactory().get("/"), options=options)
    names = re.findall(r'modulepreload" href="[^"]+/([a-z-]+)-[0-9A-Z]{8}\.js"', html)
    # What they share with other parts comes along.
    assert [name for name in names if name != "chunk"] == ["choices"]


def gzipped(path: Path) -> int:
    return len(gzip.compress(path.read_bytes(), 9))


def name_in_budget(path: Path) -> str:
    """Its path in the bundle, without the hash of a chunk."""
    return re.sub(r"-[0-9A-Z]{8}\.js$", ".js", path.relative_to(client_files.BUNDLE_DIRECTORY).as_posix())
