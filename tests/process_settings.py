"""Settings of a server process of its own, on the database and with the ``CHATKIT`` that its parent names."""

import json
import os

from tests.settings import *  # noqa: F403

DATABASES = {"default": json.loads(os.environ["CHATKIT_PROCESS_DATABASE"])}
CHATKIT = json.loads(os.environ["CHATKIT_PROCESS_SETTINGS"])
MEDIA_ROOT = os.environ.get("CHATKIT_PROCESS_FILES", "")
if "CHATKIT_PROCESS_LAYERS" in os.environ:
    CHANNEL_LAYERS = json.loads(os.environ["CHATKIT_PROCESS_LAYERS"])
if "CHATKIT_PROCESS_ASGI" in os.environ:
    ASGI_APPLICATION = os.environ["CHATKIT_PROCESS_ASGI"]
