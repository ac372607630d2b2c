"""Files of users' messages."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from django.conf import STATICFILES_STORAGE_ALIAS, settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage, storages

from ..conf import ATTACHMENT_DEFAULTS
from .keys import WHOLE_NUMBER, did_you_mean, value_of
from .messages import Messages, error, warning

_MIME_TYPE = re.compile(r"[a-z]+/(\*|[\w.+-]+)")


def _is_accept(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(pattern, str)
        and _MIME_TYPE.fullmatch(pattern)
        and isinstance(extensions, list | tuple)
        and all(isinstance(extension, str) and extension.startswith(".") for extension in extensions)
        for pattern, extensions in value.items()
    )


# What each key takes, in words and as a test.
ATTACHMENT_RULES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "STORAGE": ("an alias of STORAGES", lambda value: isinstance(value, str)),
    "MAX_SIZE": WHOLE_NUMBER,
    "MAX_PIXELS": WHOLE_NUMBER,
    "MAX_COUNT": WHOLE_NUMBER,
    "ACCEPT": ('a dictionary such as {"image/png": [".png"], "text/*": []}', _is_accept),
    "URL_EXPIRY": WHOLE_NUMBER,
}


def check_attachments() -> Messages:
    """Check ``ATTACHMENTS`` (E120-W125)."""
    configured = value_of("ATTACHMENTS")
    for key, value in (configured or {}).items():
        if key not in ATTACHMENT_DEFAULTS:
            hint = did_you_mean(str(key).upper(), ATTACHMENT_DEFAULTS)
            yield error("E120", f'CHATKIT["ATTACHMENTS"] has no key {key!r}.', hint)
        elif not ATTACHMENT_RULES[key][1](value):
            yield error(
                "E121",
                f'CHATKIT["ATTACHMENTS"]["{key}"] is {value!r}.',
                f"It must be {ATTACHMENT_RULES[key][0]}.",
            )
    if configured is not None:
        storage = configured.get("STORAGE", ATTACHMENT_DEFAULTS["STORAGE"])
        if isinstance(storage, str) and storage not in settings.STORAGES:
            yield error(
                "E122",
                f'CHATKIT["ATTACHMENTS"]["STORAGE"] is "{storage}", which is not in STORAGES.',
                _storage_hint(storage),
            )
        elif storage == STATICFILES_STORAGE_ALIAS:
            yield warning(
                "W125",
                "Users' files go to the storage of static files, which anybody may read.",
                'Name another storage in CHATKIT["ATTACHMENTS"]["STORAGE"]: "default", or a private one of its own.',
            )
        elif isinstance(storage, str) and _is_working_directory(storage):
            yield warning(
                "W124",
                f'Users\' files go to the storage "{storage}", which has no folder: they would lie in the directory '
                "that the server is started in.",
                f'Set MEDIA_ROOT, or the location of the storage: STORAGES["{storage}"]["OPTIONS"]["location"].',
            )
        return
    options = value_of("OPTIONS")
    offered = _at(options, "composer", "attachments", "enabled")
    if offered and not _at(options, "api", "uploadStrategy"):
        yield warning(
            "W123",
            'CHATKIT["OPTIONS"] offers attachments, but nothing takes them.',
            'Set CHATKIT["ATTACHMENTS"] = {}, which also sets these options; with an attachment store of your '
            'own, set OPTIONS["api"]["uploadStrategy"].',
        )


def _storage_hint(alias: str) -> str:
    """Return what to do about an alias that is not there. The storage of static files is never what was meant."""
    private = [name for name in settings.STORAGES if name != STATICFILES_STORAGE_ALIAS]
    add = f'Add STORAGES["{alias}"], a folder or bucket that no web server serves.'
    close = get_close_matches(alias, private, n=1, cutoff=0.6)
    return f'Did you mean "{close[0]}"? Otherwise: {add}' if close else add


def _is_working_directory(alias: str) -> bool:
    try:
        storage = storages[alias]
    except (ImproperlyConfigured, ImportError, TypeError):
        return False  # Django and the storage's own package say more of it than we could
    return isinstance(storage, FileSystemStorage) and not storage.base_location


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
