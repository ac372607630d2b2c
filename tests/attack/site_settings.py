"""``CHATKIT`` of a site whose model says back what it is told. How often something may be done is no matter here."""

from __future__ import annotations

from typing import Any

from .unmet_limits import UNMET_LIMITS

SITE: dict[str, Any] = {
    "SERVER": "tests.attack.mirror.MirrorServer",
    "AGENT": "tests.attack.mirror.agent",
    "ATTACHMENTS": {"ACCEPT": {"text/*": [], "application/*": [], "image/*": [], "*/*": []}},
    "LIMITS": UNMET_LIMITS,
}
