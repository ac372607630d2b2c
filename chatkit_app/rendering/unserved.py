"""A line in the log when a browser is told that the client's files do not exist.

Without them the chat's page stays empty, and the server's own line, "Not Found", does not say why. Whoever serves the
static files, a request for one of them that comes to Django and finds nothing was not served.
"""

from __future__ import annotations

import logging

from django.conf import settings

from ..logs import get_logger
from .client_files import client_folder

logger = get_logger(__name__)

_told: set[str] = set()


class UnservedFiles(logging.Filter):
    """A filter that passes every record, and adds one, once a version, when a file of the client was not found."""

    def filter(self, record: logging.LogRecord) -> bool:
        path = getattr(getattr(record, "request", None), "path", "")
        # The folder's name is looked up only for what may be in it.
        if getattr(record, "status_code", None) == 404 and "/chatkit_app/" in path:
            folder = client_folder()
            if f"/{folder}/" in path and folder not in _told:
                _told.add(folder)
                logger.warning("%s was not found, so the chat does not appear. %s", path, how_to_serve())
        return True


def how_to_serve() -> str:
    """Return what a developer can do so that static files are served here."""
    if settings.DEBUG:
        return (
            '"runserver" serves static files by itself; for another server add staticfiles_urlpatterns() '
            "from django.contrib.staticfiles.urls to the urlpatterns, or use WhiteNoise."
        )
    return (
        "Run collectstatic after each upgrade, and let the web server or WhiteNoise serve STATIC_ROOT "
        "at STATIC_URL."
    )


def watch_unserved_files() -> None:
    """Log the client's files that are not served, from now on."""
    logging.getLogger("django.request").addFilter(UnservedFiles())
