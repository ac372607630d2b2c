"""What the sites of the street have in common. Each adds to it what makes it that kind of site.

A site may say in ``STREET`` how it is served: ``server``, a command with ``{port}`` for a server other than uvicorn;
``proxy``, what nginx in front of it does with the prefix ``/shop`` (``"strips"`` or ``"keeps"``); ``database``, the
only one it can be tried on; ``page``, where the page with the chat is.
"""

import json
import os

from tests.settings import *  # noqa: F403

DATABASES = {"default": json.loads(os.environ.get("CHATKIT_SITE_DATABASE", "{}"))}
MEDIA_ROOT = os.environ.get("CHATKIT_SITE_FILES", "")
STATIC_ROOT = os.path.join(MEDIA_ROOT, "static")
ROOT_URLCONF = "tests.sites.urls"
ASGI_APPLICATION = "tests.sites.asgi.application"
CSRF_TRUSTED_ORIGINS = ["http://127.0.0.1"]
CHATKIT = {
    "AGENT": "tests.sites.agent.agent",
    "ATTACHMENTS": {},
    "CHECKPOINT_INTERVAL": 0.3,
    # All tests come from one address.
    "LIMITS": {"ADDRESS_VISITORS_PER_HOUR": None, "ADDRESS_MESSAGES_PER_MINUTE": None},
}
STREET: dict[str, object] = {}
