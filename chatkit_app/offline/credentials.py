"""The credentials of the project: without them the offline model answers."""

from __future__ import annotations

import os
import sys


def has_key() -> bool:
    """Return whether there is an ``OPENAI_API_KEY``, or the project gave the Agents SDK a key or a client."""
    return bool(os.environ.get("OPENAI_API_KEY")) or _was_given_to_sdk()


def is_offline() -> bool:
    """Return whether the offline model answers for agents that bring no model object of their own.

    It does as long as there is neither a key nor an ``OPENAI_BASE_URL`` in the environment.
    """
    return not has_key() and not os.environ.get("OPENAI_BASE_URL")


def _was_given_to_sdk() -> bool:
    if "agents" not in sys.modules:
        return False  # nobody has loaded it yet, and this is no reason to
    from agents.models import _openai_shared

    return bool(_openai_shared.get_default_openai_key() or _openai_shared.get_default_openai_client())
