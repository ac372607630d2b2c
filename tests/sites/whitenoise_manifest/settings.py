"""WhiteNoise where its documentation puts it, with files that are named by their content."""

from tests.sites.base import *  # noqa: F403
from tests.sites.base import MIDDLEWARE as BASE_MIDDLEWARE

MIDDLEWARE = [BASE_MIDDLEWARE[0], "whitenoise.middleware.WhiteNoiseMiddleware", *BASE_MIDDLEWARE[1:]]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
STREET = {"collectstatic": True}
