"""The files of the chat's client: its scripts and style sheets, and the address that browsers have them from.

Browsers keep what they have fetched, for a year if the site tells them so, and a module asks for others by names beside
its own. So all files lie in one folder that is named after their content. Any change of a file changes the address of
all: what a page loads is of one version, whatever the browser has kept, and everything may be kept for good.

It is the same for every storage of static files. The files are where Django's own finders do not look, and
``chatkit_app.finders`` hands them on under the folder's name. The name depends on nothing but the content: what was
collected on one machine is what another one names.

There are two such folders. The modules, in ``client/``, are the source, and what pages load with ``DEBUG``. The bundle,
in ``bundle/``, is what ``bundle/build.js`` of the repository makes of them: a few files under the same names, which
pages load otherwise. Wheels have it; a clone has it once it was built, and loads the modules where it was not, or where
they have changed since. Both are collected, so that it does not matter whether ``DEBUG`` was on while they were.
"""

import hashlib
import json
import os
import posixpath
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static

CLIENT_DIRECTORY = Path(__file__).parents[1] / "client"
BUNDLE_DIRECTORY = Path(__file__).parents[1] / "bundle"
ELEMENT = "element/index.js"
MANIFEST = "manifest.json"
"""What the bundle was made from, and which files of it are needed at once."""


def client_url(name: str) -> str:
    """Return the URL of a file of the client.

    Args:
        name: its path in ``client/``: ``"element/index.js"``.

    Raises:
        ImproperlyConfigured: when the package was installed without these files.
        ValueError: from a strict manifest storage, when this version's files are not collected.
    """
    return static(client_file(name))


def client_file(name: str) -> str:
    """Return the name of a file of the client among the static files. Argument and errors as of ``client_url``."""
    return f"{client_folder()}/{name}"


def preload_urls(name: str) -> list[str]:
    """Return the URLs of the files that a module needs at once, and would ask for only when it runs.

    Of a module that the element loads when it needs it, these are its own file and what that needs beside the element.
    The modules' entries name theirs themselves. Argument and errors as of ``client_url``.
    """
    if loads_modules():
        return []
    return [_imported_url(chunk) for chunk in _manifest()["preloads"].get(name, [])]


def _imported_url(name: str) -> str:
    """Return the URL by which modules ask for a file. Under another one it would be fetched for nothing, and again."""
    if getattr(staticfiles_storage, "support_js_module_import_aggregation", False):
        return client_url(name)
    # A storage that puts a hash into each name leaves the imports alone: they are read beside the importer's URL.
    return urljoin(client_url(ELEMENT), f"../{name}")


def client_folder() -> str:
    """Return the folder, among the static files, of what pages load.

    It is found out once in a process, and with ``DEBUG`` whenever a file has changed.

    Raises:
        ImproperlyConfigured: when the package was installed without these files.
    """
    return modules_folder() if loads_modules() else _folder_of(BUNDLE_DIRECTORY)


def modules_folder() -> str:
    """Return the folder of the modules among the static files. Errors as of ``client_folder``."""
    return _folder_of(CLIENT_DIRECTORY)


def client_folders() -> dict[str, Path]:
    """Return all folders among the static files, each with where its files are. Errors as of ``client_folder``."""
    folders = {modules_folder(): CLIENT_DIRECTORY}
    if has_bundle():
        folders[_folder_of(BUNDLE_DIRECTORY)] = BUNDLE_DIRECTORY
    return folders


def loads_modules() -> bool:
    """Return whether pages load the modules, and not the bundle of them. Errors as of ``client_folder``."""
    return settings.DEBUG or not has_bundle()


def has_bundle() -> bool:
    """Return whether there is a bundle of the modules as they are. Errors as of ``client_folder``."""
    return f"chatkit_app/{_manifest().get('sources')}" == modules_folder()


def is_bundle_stale() -> bool:
    """Return whether there is a bundle of modules that have changed since. Errors as of ``client_folder``."""
    return bool(_manifest()) and not has_bundle()


def client_names(directory: Path) -> list[str]:
    """Return the paths of all files in a directory that browsers may ask for, in alphabetical order.

    Type declarations are not among them, nor what ``collectstatic`` passes over unless it is told otherwise: the
    folder's name would depend on what is not in it.
    """
    # Not Path.rglob(), which takes five times as long: with DEBUG this happens for each file that is asked for.
    found: list[str] = []
    for folder, folders, files in os.walk(directory):
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = os.path.relpath(folder, directory).replace(os.sep, "/")
        found += [posixpath.normpath(f"{below}/{name}") for name in files if _is_served(name)]
    return sorted(found)


def _is_served(name: str) -> bool:
    return not name.startswith(".") and not name.endswith((".d.ts", "~")) and name != MANIFEST


def _folder_of(directory: Path) -> str:
    return _folder(directory, _state(directory) if settings.DEBUG else None)


def _state(directory: Path) -> tuple[tuple[str, int, int], ...]:
    """Return what differs once a file is edited."""
    found = ((name, os.stat(directory / name)) for name in client_names(directory))
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in found)


@lru_cache(maxsize=2)
def _folder(directory: Path, state: object) -> str:
    digest = hashlib.sha256()
    names = client_names(directory)
    if not names:
        raise ImproperlyConfigured(
            f"The chat's client is missing: there are no files in {directory}. "
            "Install django-openai-chatkit with all the files of its package."
        )
    for name in names:
        content = (directory / name).read_bytes()
        digest.update(f"{name}\n{len(content)}\n".encode())
        digest.update(content)
    return f"chatkit_app/{digest.hexdigest()[:16]}"


def _manifest() -> dict[str, Any]:
    """Return the bundle's manifest, which is empty where there is no bundle."""
    path = BUNDLE_DIRECTORY / MANIFEST
    try:
        return _read(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return {}


@lru_cache(maxsize=1)
def _read(path: Path, changed: int) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return manifest
