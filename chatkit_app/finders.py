"""The finder of static files that brings the client under the name of its version, as ``rendering.client_files`` says.

The app adds it to ``STATICFILES_FINDERS`` by itself, so it serves ``collectstatic``, ``runserver`` and whatever else
asks Django for static files. Name it there yourself to have it in another place than the last.
"""

import os
import posixpath
import re
from collections.abc import Iterable, Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder, searched_locations
from django.contrib.staticfiles.utils import get_files
from django.core.files.storage import FileSystemStorage

from .rendering import client_files

IMPORT = re.compile(r"""\b(?:from|import)\s*\(?["'](\.[^"']+)["']\s*[;)]""")


class ClientStorage(FileSystemStorage):
    """One folder of the client's files, with the name that Django puts before theirs."""

    def __init__(self, prefix: str, directory: Path) -> None:
        super().__init__(location=directory)
        self.prefix = prefix


class ClientFinder(BaseFinder):
    """A finder of the files of this version, and of none under another's name: a browser would keep them as that."""

    def check(self, **kwargs: Any) -> list[Any]:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        """Return the path of a file, as Django's own finders do."""
        name = path.replace(os.sep, "/")
        for folder, directory in client_files.client_folders().items():
            if str(directory) not in searched_locations:
                searched_locations.append(str(directory))
            below = name.removeprefix(f"{folder}/")
            if below != name and below in client_files.client_names(directory):
                found = str(directory / below)
                return [found] if find_all else found
        return []

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileSystemStorage]]:
        """Yield all files, each after those that it imports.

        A storage that puts hashes into names goes through the files at most six times (``max_post_process_passes``),
        and a module's hash depends on those of its imports. In another order it would have to go through them once for
        every link in the longest chain of imports.
        """
        for folder, directory in client_files.client_folders().items():
            storage = ClientStorage(folder, directory)
            wanted = set(get_files(storage, ignore_patterns))
            for name in _importers_last(directory):
                path = os.path.normpath(name)
                if path in wanted:
                    yield path, storage


def _importers_last(directory: Path) -> list[str]:
    names = client_files.client_names(directory)
    graph = {name: _imports_of(directory, name) if name.endswith(".js") else [] for name in names}
    order = [*TopologicalSorter(graph).static_order()]
    return [name for name in order if name in graph]


def _imports_of(directory: Path, name: str) -> list[str]:
    source = (directory / name).read_text(encoding="utf-8")
    folder = posixpath.dirname(name)
    return [posixpath.normpath(posixpath.join(folder, target)) for target in IMPORT.findall(source)]
