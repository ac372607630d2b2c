"""Limits that a crowd of browsers with one address does not meet, though what it does is counted."""

from __future__ import annotations

from chatkit_app.conf import LIMIT_DEFAULTS

UNMET_LIMITS = {name: 10**9 for name in LIMIT_DEFAULTS if name.endswith(("MINUTE", "DAY", "HOUR", "AT_ONCE"))}
