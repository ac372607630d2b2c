"""The keys of ``CHATKIT``, and what each takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from django.conf import settings

from ..conf import DEFAULTS
from .messages import Messages, error


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and "." in value.strip(".")


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _choices(*values: str) -> tuple[str, Callable[[Any], bool]]:
    return " or ".join(f'"{value}"' for value in values), lambda value: value in values


_SECONDS = ("a number of seconds above 0", lambda value: _is_number(value) and value > 0)
_SECONDS_OR_ZERO = ("a number of seconds, or 0", lambda value: _is_number(value) and value >= 0)
WHOLE_NUMBER = ("a whole number of at least 1", _is_whole)
_BOOLEAN = ("True or False", lambda value: isinstance(value, bool))

# What each key takes, in words and as a test.
KEY_RULES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "SERVER": ("the dotted path of a class or function", _is_path),
    "AGENT": (
        "an Agent, a function, or the dotted path of one",
        lambda value: value is None or _is_path(value) or not isinstance(value, str),
    ),
    "CONTEXT": ("the dotted path of a function", lambda value: value is None or _is_path(value)),
    "NAMESPACE": (
        "a string of at most 100 characters",
        lambda value: isinstance(value, str) and len(value) <= 100,
    ),
    "LOGIN_REQUIRED": ("True, False or None", lambda value: value is None or isinstance(value, bool)),
    "ADMIN_SCOPE": ("the dotted path of a function", lambda value: value is None or _is_path(value)),
    "CLIENT": (
        '"openai", "bundled", "auto" or None',
        lambda value: value in ("openai", "bundled", "auto", None),
    ),
    "SCRIPT_URL": ("a URL", lambda value: isinstance(value, str) and bool(value)),
    "DOMAIN_KEY": ("a string", lambda value: value is None or isinstance(value, str)),
    "OPTIONS": ("a dictionary", lambda value: isinstance(value, Mapping)),
    "ATTACHMENTS": ("a dictionary", lambda value: value is None or isinstance(value, Mapping)),
    "STAFF": ("a dictionary", lambda value: isinstance(value, Mapping)),
    "ON_DISCONNECT": _choices("finish", "cancel"),
    "HISTORY_LIMIT": WHOLE_NUMBER,
    "HISTORY_BYTES": WHOLE_NUMBER,
    "TRACING": _BOOLEAN,
    "KEEP_ALIVE": _SECONDS,
    "CHECKPOINT_INTERVAL": _SECONDS,
    "ANSWER_TIMEOUT": _SECONDS,
    "ANSWER_SECONDS": _SECONDS,
    "ANSWER_BYTES": WHOLE_NUMBER,
    "ANSWER_EVENTS": WHOLE_NUMBER,
    "ANSWER_ITEMS": WHOLE_NUMBER,
    "RUN_RETENTION": _SECONDS_OR_ZERO,
    "DB_WORKERS": WHOLE_NUMBER,
    "DB_PATIENCE": _SECONDS_OR_ZERO,
    "REQUEST_THREADS": WHOLE_NUMBER,
    "DATABASE_CONTEXT": ("the dotted path of a function", lambda value: value is None or _is_path(value)),
    "LIMITS": (
        "a dictionary, a function, or the dotted path of one",
        lambda value: isinstance(value, Mapping) or _is_path(value) or callable(value),
    ),
    "PROXIES": ("a whole number, or 0", lambda value: value == 0 or _is_whole(value)),
}


def _configured() -> Mapping[str, Any]:
    value = getattr(settings, "CHATKIT", None)
    return value if isinstance(value, Mapping) else {}


def value_of(key: str) -> Any:
    """Return a key's value; its default when the value is of the wrong kind, which E003 tells already."""
    value = _configured().get(key, DEFAULTS[key])
    return value if _is_valid(key, value) else DEFAULTS[key]


def _is_valid(key: str, value: Any) -> bool:
    try:
        return KEY_RULES[key][1](value)
    except TypeError:  # An unhashable value among choices.
        return False


def did_you_mean(name: str, known: Any) -> str:
    """Return a hint: the known name that comes closest, or all of them."""
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    return f'Did you mean "{close[0]}"?' if close else f"Known names are {', '.join(sorted(known))}."


def check_settings() -> Messages:
    """Check the shape of ``CHATKIT`` (E001-E003)."""
    value = getattr(settings, "CHATKIT", None)
    if value is None:
        return
    if not isinstance(value, Mapping):
        yield error(
            "E001",
            f"CHATKIT is a {type(value).__name__}; it must be a dictionary.",
            'Write CHATKIT = {"SERVER": "myapp.chat.SupportServer"}, or leave it out.',
        )
        return
    for key, entry in value.items():
        if key not in DEFAULTS:
            hint = did_you_mean(str(key).upper(), DEFAULTS)
            yield error("E002", f"CHATKIT has no key {key!r}.", hint)
        elif key in KEY_RULES and not _is_valid(key, entry):
            yield error("E003", f'CHATKIT["{key}"] is {entry!r}.', f"It must be {KEY_RULES[key][0]}.")
