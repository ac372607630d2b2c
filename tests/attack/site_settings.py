"""``CHATKIT`` of a site whose model says back what it is told. How often something may be done is no matter here."""

from __future__ import annotations

from typing import Any

from chatkit_app.conf import LIMIT_DEFAULTS

UNLIMITED = ("MINUTE", "DAY", "HOUR", "AT_ONCE")
SITE: dict[str, Any] = {
    "SERVER": "tests.attack.mirror.MirrorServer",
    "AGENT": "tests.attack.mirror.agent",
    "ATTACHMENTS": {"ACCEPT": {"text/*": [], "application/*": [], "image/*": [], "*/*": []}},
    "LIMITS": dict.fromkeys(name for name in LIMIT_DEFAULTS if name.endswith(UNLIMITED)),
}
