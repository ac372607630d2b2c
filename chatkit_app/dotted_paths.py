"""Dotted paths in settings, and the objects that they name."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string


class PathNotImportable(ImproperlyConfigured, ImportError):
    """A dotted path names nothing that can be imported."""


def import_path(path: str, *, named_by: str) -> Any:
    """Return the object that a dotted path names.

    Args:
        path: such as ``"myapp.chat.SupportServer"``.
        named_by: what has the path, for the error: ``'CHATKIT["SERVER"]'``.

    Raises:
        PathNotImportable: when there is no such object. Other errors of the module that is imported stay theirs.
    """
    try:
        return import_string(path)
    except ImportError as error:
        raise PathNotImportable(
            f"{named_by} ({path}) cannot be imported: {type(error).__name__}: {error}. Name an object by its full "
            "dotted path; python manage.py check looks at all of them."
        ) from error


def try_import(path: str) -> tuple[Any, str]:
    """Return the object that a dotted path names, or None and what went wrong, whatever its module raised."""
    try:
        return import_string(path), ""
    except Exception as problem:
        return None, f"{type(problem).__name__}: {problem}"
