"""The files of the chat's client: its scripts and style sheets, and the address that browsers have them from.

Browsers keep what they have fetched, for a year if the site tells them so, and a module asks for others by names beside
its own. So all files lie in one folder that is named after their content. Any change of a file changes the address of
all: what a page loads is of one version, whatever the browser has kept, and everything may be kept for good.

It is the same for every storage of static files. The files are in ``client/``, where Django's own finders do not look,
and ``chatkit_app.finders`` hands them on under the folder's name. The name depends on nothing but the content: what
was collected on one machine is what another one names.
"""

import hashlib
import os
import posixpath
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static

CLIENT_DIRECTORY = Path(__file__).parents[1] / "client"


def client_url(name: str) -> str:
    """The URL of a file of the client.

    Args:
        name: its path in ``client/``: ``"element/index.js"``.

    Raises:
        ImproperlyConfigured: when the package was installed without these files.
        ValueError: from a strict manifest storage, when this version's files are not collected.
    """
    return static(client_file(name))


def client_file(name: str) -> str:
    """The name of a file of the client among the static files. Argument and errors as of ``client_url``."""
    return f"{client_folder()}/{name}"


def client_folder() -> str:
    """The folder of the client among the static files.

    It is found out once in a process, and with ``DEBUG`` whenever a file has changed.

    Raises:
        ImproperlyConfigured: when the package was installed without these files.
    """
    return _folder(_state() if settings.DEBUG else None)


def client_names() -> list[str]:
    """The paths of all files in ``client/`` that browsers may ask for, in alphabetical order.

    Type declarations are not among them, nor what ``collectstatic`` passes over unless it is told otherwise: the
    folder's name would depend on what is not in it.
    """
    # Not Path.rglob(), which takes five times as long: with DEBUG this happens for each file that is asked for.
    found: list[str] = []
    for folder, folders, files in os.walk(CLIENT_DIRECTORY):
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = os.path.relpath(folder, CLIENT_DIRECTORY).replace(os.sep, "/")
        found += [posixpath.normpath(f"{below}/{name}") for name in files if _is_served(name)]
    return sorted(found)


def _is_served(name: str) -> bool:
    return not name.startswith(".") and not name.endswith((".d.ts", "~"))


def _state() -> tuple[tuple[str, int, int], ...]:
    """What differs once a file is edited."""
    found = ((name, os.stat(f"{CLIENT_DIRECTORY}/{name}")) for name in client_names())
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in found)


@lru_cache(maxsize=1)
def _folder(state: object) -> str:
    digest = hashlib.sha256()
    names = client_names()
    if not names:
        raise ImproperlyConfigured(
            f"The chat's client is missing: there are no files in {CLIENT_DIRECTORY}. "
            "Install django-openai-chatkit with all the files of its package."
        )
    for name in names:
        content = (CLIENT_DIRECTORY / name).read_bytes()
        digest.update(f"{name}\n{len(content)}\n".encode())
        digest.update(content)
    return f"chatkit_app/{digest.hexdigest()[:16]}"
