"""The Agents SDK's export of traces of conversations: on or off for the whole process, whoever starts a run in it."""

from __future__ import annotations

from agents import set_tracing_disabled

from ..conf import chatkit_settings

_disabled_by_us = False


def apply_tracing_setting() -> None:
    """Turn the SDK's tracing off unless ``CHATKIT["TRACING"]`` is true.

    A ``RunConfig`` can do so for one run only, and a ``Runner.run()`` in somebody's ``respond()`` has another one. What
    the site has turned off itself stays off.
    """
    global _disabled_by_us
    wanted = chatkit_settings.tracing
    if not wanted or _disabled_by_us:
        set_tracing_disabled(not wanted)
    _disabled_by_us = not wanted
