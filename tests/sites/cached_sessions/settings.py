"""Sessions in a cache that all processes share."""

import os

from tests.sites.base import *  # noqa: F403
from tests.sites.base import MEDIA_ROOT as FOLDER

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": os.path.join(FOLDER, "cache"),
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.cache"
