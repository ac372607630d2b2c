"""The demo behind nginx, on PostgreSQL and Redis, all from the environment. Start from it for a site of your own."""

import os

# Before the demo's settings are read: without a key of its own this site does not start.
os.environ["DEBUG"] = "0"

from project.settings import *  # noqa: F403
from project.settings import BASE_DIR, CHATKIT

STATIC_ROOT = os.environ.get("STATIC_ROOT") or BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
}

# nginx sets the header in every request, whatever the browser has sent.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# HTTPS=0 is for trying it without a certificate.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = os.environ.get("HTTPS", "1") != "0"

CHATKIT = CHATKIT | {"PROXIES": int(os.environ.get("PROXIES", "1"))}
