"""JSON and text in a form that every database takes: what no row can hold, and what stands for it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

# PostgreSQL's jsonb refuses NUL. Inside payloads it is written as this mark and its number, and the mark
# itself likewise, so that exactly what went in comes out. Half of a surrogate pair is no character: nothing
# could ever send it to a browser again, so it becomes U+FFFD.
_MARK = "\uf8ff"
_UNSTORABLE = re.compile("[\x00\uf8ff\ud800-\udfff]")
_MARKED = re.compile(_MARK + "([0-9a-f]{4})")
_SURROGATE = re.compile("[\ud800-\udfff]")
_EXACT = 2.0**53


def map_json(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return JSON data with each of its values changed, and the names of its fields."""
    if isinstance(value, list):
        return [map_json(entry, change) for entry in value]
    if isinstance(value, dict):
        return {change(key): map_json(entry, change) for key, entry in value.items()}
    return change(value)


def storable_json(value: Any) -> Any:
    """Return JSON data in a form that every database takes. ``original_json()`` is its inverse."""
    return map_json(value, _storable_value)


def _storable_value(value: Any) -> Any:
    if isinstance(value, str) and _UNSTORABLE.search(value):
        return _UNSTORABLE.sub(_store_character, value)
    if isinstance(value, float) and not -_EXACT < value < _EXACT:
        # JSON has no NaN and no infinity; a browser is sent null for them. A large number comes back from
        # jsonb as the integer that its shortest notation names, which is another one.
        return int(value) if math.isfinite(value) else None
    return value


def _store_character(match: re.Match[str]) -> str:
    character = match[0]
    return "\ufffd" if _SURROGATE.match(character) else f"{_MARK}{ord(character):04x}"


def original_json(value: Any) -> Any:
    """Return what ``storable_json()`` was given, but for broken surrogates and numbers that are none."""
    return map_json(value, _original_value)


def _original_value(value: Any) -> Any:
    if isinstance(value, str) and _MARK in value:
        return _MARKED.sub(lambda match: chr(int(match[1], 16)), value)
    return value


def without_surrogates(value: Any) -> Any:
    """Return the value, or if it is a text the same without broken characters, which cannot be sent."""
    return _SURROGATE.sub("\ufffd", value) if isinstance(value, str) else value


def storable_text(text: str, *, nul: str = "") -> str:
    """Return text for a text column, which has no escape.

    Args:
        text: anything that a browser or a provider has sent. A broken surrogate becomes U+FFFD.
        nul: what stands in place of a NUL, which no database takes.
    """
    if not _UNSTORABLE.search(text):
        return text
    return _SURROGATE.sub("\ufffd", text.replace("\x00", nul))


def is_storable_text(text: str) -> bool:
    """Return whether a text column could hold this; what it could not hold, no row has."""
    return storable_text(text) == text


def is_storable_id(public_id: str) -> bool:
    """Return whether a database could hold this id at all; one that it could not is one that does not exist."""
    return len(public_id) <= 255 and not _UNSTORABLE.search(public_id)
