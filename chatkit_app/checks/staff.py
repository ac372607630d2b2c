"""Checks of the people who answer in place of the assistant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib.auth import get_user_model

from ..conf import STAFF_DEFAULTS, WEBHOOK_EVENTS
from ..dotted_paths import try_import
from .keys import did_you_mean, value_of
from .messages import Messages, error, info


def _is_path_or_none(value: Any) -> bool:
    return value is None or (isinstance(value, str) and "." in value.strip("."))


def _is_seconds_or_none(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool) and value > 0)


def _is_address_list(value: Any) -> bool:
    if isinstance(value, str):
        return _is_path_or_none(value) and "@" not in value
    return isinstance(value, list | tuple) and all(isinstance(each, str) and "@" in each for each in value)


def _is_url(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("https://", "http://"))


def _is_webhook_list(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(_is_webhook(hook) for hook in value)


def _is_webhook(hook: Any) -> bool:
    return (
        isinstance(hook, Mapping)
        and hook.keys() <= {"url", "secret", "events", "content"}
        and _is_url(hook.get("url"))
        and isinstance(hook.get("secret"), str)
        and bool(hook["secret"])
        and set(hook.get("events", ())) <= set(WEBHOOK_EVENTS)
    )


# What each key takes, in words and as a test.
STAFF_RULES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "NAME": ("the dotted path of a function, or None", _is_path_or_none),
    "TIMEOUT": ("a number of seconds above 0, or None", _is_seconds_or_none),
    "BUTTON": ("True or False", lambda value: isinstance(value, bool)),
    "URL": ("a whole address, or None", lambda value: value is None or _is_url(value)),
    "MAIL_USERS": ("True or False", lambda value: isinstance(value, bool)),
    "MAIL_STAFF": ("a list of mail addresses, or the dotted path of a function", _is_address_list),
    "PATIENCE": (
        "a number of seconds above 0",
        lambda value: value is not None and _is_seconds_or_none(value),
    ),
    "WEBHOOKS": (
        f'a list of dictionaries with "url" (http or https) and "secret", and if wanted "content" and "events" '
        f"of {', '.join(WEBHOOK_EVENTS)}",
        _is_webhook_list,
    ),
}


_FUNCTIONS = {
    "NAME": "of a user that returns the name other users are shown",
    "MAIL_STAFF": "of a thread that returns the addresses of those who are told that its user waits",
}


def check_staff() -> Messages:
    """Check ``STAFF`` (E140-E142), and whether users can be told who answers (I143)."""
    for key, value in value_of("STAFF").items():
        if key not in STAFF_DEFAULTS:
            hint = did_you_mean(str(key).upper(), STAFF_DEFAULTS)
            yield error("E140", f'CHATKIT["STAFF"] has no key {key!r}.', hint)
        elif not STAFF_RULES[key][1](value):
            must = f"It must be {STAFF_RULES[key][0]}."
            yield error("E141", f'CHATKIT["STAFF"]["{key}"] is {value!r}.', must)
    for key, what in _FUNCTIONS.items():
        path = value_of("STAFF").get(key)
        if not isinstance(path, str) or not STAFF_RULES[key][1](path):
            continue
        function, problem = try_import(path)
        if problem or not callable(function):
            yield error(
                "E142",
                f'CHATKIT["STAFF"]["{key}"] ({path}) cannot be imported: {problem or "it is no function"}',
                f"Name a function {what}, by its full dotted path.",
            )
    if value_of("STAFF") and not value_of("STAFF").get("NAME") and not _has_names(get_user_model()):
        yield info(
            "I143",
            'Users are told "Our team" in place of the name of who answers them: AUTH_USER_MODEL has no names.',
            'Give it get_short_name(), or name a function of a user in CHATKIT["STAFF"]["NAME"].',
        )


def _has_names(model: Any) -> bool:
    return hasattr(model, "get_short_name") or hasattr(model, "get_full_name")
