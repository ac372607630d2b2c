"""Checks of what visitors may cost."""

from __future__ import annotations

from collections.abc import Mapping

from ..conf import LIMIT_DEFAULTS, is_limit
from .keys import did_you_mean, value_of
from .messages import Messages, error
from .paths import check_function


def check_limits() -> Messages:
    """Check ``LIMITS`` (E130-E134)."""
    configured = value_of("LIMITS")
    if not isinstance(configured, Mapping):
        yield from check_function(
            "LIMITS",
            ids=("E132", "E133", "E134"),
            arguments=1,
            takes="the context and returns a dictionary",
            of="of the context",
            example="def my_limits(context): return {…}",
        )
        return
    for key, value in configured.items():
        if key not in LIMIT_DEFAULTS:
            hint = did_you_mean(str(key).upper(), LIMIT_DEFAULTS)
            yield error("E130", f'CHATKIT["LIMITS"] has no key {key!r}.', hint)
        elif not is_limit(key, value):
            yield error(
                "E131", f'CHATKIT["LIMITS"]["{key}"] is {value!r}.', "It must be a whole number, or None."
            )
