"""``CHATKIT["TRACING"]``, where it has changed after the process began, as under ``override_settings``."""

from __future__ import annotations

import os

from agents import set_tracing_disabled

from ..conf import chatkit_settings
from ..process.tracing import OURS

_enabled_by_us = False


def apply_tracing_setting() -> None:
    """Turn the SDK's tracing on, and off again, where it is off since the process began because of the setting.

    What the site has turned on or off itself stays as it is.
    """
    global _enabled_by_us
    wanted = chatkit_settings.tracing and OURS in os.environ
    if wanted is not _enabled_by_us:
        set_tracing_disabled(not wanted)
        _enabled_by_us = wanted
