"""Checks of the people who answer in place of the assistant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..conf import STAFF_DEFAULTS
from ..dotted_paths import try_import
from .keys import did_you_mean, value_of
from .messages import Messages, error


def _is_path_or_none(value: Any) -> bool:
    return value is None or (isinstance(value, str) and "." in value.strip("."))


def _is_seconds_or_none(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool) and value > 0)


# What each key takes, in words and as a test.
STAFF_RULES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "NAME": ("the dotted path of a function, or None", _is_path_or_none),
    "TIMEOUT": ("a number of seconds above 0, or None", _is_seconds_or_none),
    "BUTTON": ("True or False", lambda value: isinstance(value, bool)),
}


def check_staff() -> Messages:
    """Check ``STAFF`` (E140-E142)."""
    for key, value in value_of("STAFF").items():
        if key not in STAFF_DEFAULTS:
            hint = did_you_mean(str(key).upper(), STAFF_DEFAULTS)
            yield error("E140", f'CHATKIT["STAFF"] has no key {key!r}.', hint)
        elif not STAFF_RULES[key][1](value):
            must = f"It must be {STAFF_RULES[key][0]}."
            yield error("E141", f'CHATKIT["STAFF"]["{key}"] is {value!r}.', must)
    path = value_of("STAFF").get("NAME")
    if path is None or not _is_path_or_none(path):
        return
    function, problem = try_import(path)
    if problem or not callable(function):
        yield error(
            "E142",
            f'CHATKIT["STAFF"]["NAME"] ({path}) cannot be imported: {problem or "it is no function"}',
            "Name a function of a user that returns the name other users are shown, by its full dotted path.",
        )
