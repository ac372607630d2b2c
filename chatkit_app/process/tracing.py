"""The switch of the Agents SDK's tracing, set before the SDK is loaded."""

from __future__ import annotations

import os

from ..conf import chatkit_settings

# The SDK reads it when it makes its first trace. What a site sets by set_tracing_disabled() comes before it.
SWITCH = "OPENAI_AGENTS_DISABLE_TRACING"
# Beside it, so that a process that inherits both knows who has set it: runserver keeps its environment over a reload.
OURS = "CHATKIT_DISABLES_TRACING"


def keep_traces_at_home() -> None:
    """Have no traces exported by this process, whoever runs an agent in it, unless the site has asked for them.

    It asks by ``CHATKIT["TRACING"]``, by this variable of the environment, or by the SDK's ``set_tracing_disabled()``.
    """
    if chatkit_settings.tracing:
        if os.environ.pop(OURS, ""):
            os.environ.pop(SWITCH, None)
    elif SWITCH not in os.environ:
        os.environ |= {SWITCH: "1", OURS: "1"}
