"""Static files: what serves them, as far as settings and URLs tell."""

from __future__ import annotations

from inspect import unwrap
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles import views as staticfiles_views
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.files.storage import FileSystemStorage, storages
from django.core.handlers.asgi import ASGIHandler
from django.urls import Resolver404, resolve
from django.views import static as static_views

from ..dotted_paths import try_import
from .messages import Messages, warning


def check_static_files() -> Messages:
    """Warn when the chat's scripts would not be found (W057).

    With ``DEBUG`` and daphne, ``runserver`` has them. Without ``DEBUG``, a ``STATIC_ROOT`` is taken for a web server
    that serves it.
    """
    if not apps.is_installed("django.contrib.staticfiles"):
        return
    is_expected = apps.is_installed("daphne") if settings.DEBUG else bool(settings.STATIC_ROOT)
    if is_expected or _has_whitenoise() or _is_elsewhere() or _is_routed() or _is_wrapped():
        return
    if settings.DEBUG:
        yield warning(
            "W057",
            "Nothing serves static files under uvicorn and other ASGI servers: the chat would not appear.",
            'Put "daphne" at the top of INSTALLED_APPS and develop with runserver, which serves them; or add '
            "staticfiles_urlpatterns() of django.contrib.staticfiles.urls to the urlpatterns, or use WhiteNoise.",
        )
    else:
        yield warning(
            "W057",
            "Nothing serves static files: STATIC_ROOT is not set, so the chat would not appear.",
            "Set STATIC_ROOT, run collectstatic, and let the web server serve that folder at STATIC_URL, or WhiteNoise "
            '("whitenoise.middleware.WhiteNoiseMiddleware" behind SecurityMiddleware).',
        )


def _has_whitenoise() -> bool:
    return any(path.rpartition(".")[2].startswith("WhiteNoise") for path in settings.MIDDLEWARE)


def _is_elsewhere() -> bool:
    """Return whether the files have another host, or a storage that is no folder of this machine."""
    try:
        storage = storages["staticfiles"]
    except Exception:
        # What is wrong with it others tell.
        return True
    return not isinstance(storage, FileSystemStorage) or bool(urlsplit(str(storage.base_url)).netloc)


def _is_routed() -> bool:
    """Return whether the URLconf has Django's own view of static files at ``STATIC_URL``."""
    try:
        view = resolve(f"{urlsplit(str(settings.STATIC_URL)).path}chatkit_app/bootstrap.js").func
    except Resolver404:
        return False
    except Exception:
        # A URLconf that cannot be loaded is what Django's own checks tell.
        return True
    return unwrap(view) in (staticfiles_views.serve, static_views.serve)


def _is_wrapped() -> bool:
    """Return whether the application is another one than Django's, which may serve them itself."""
    path = getattr(settings, "ASGI_APPLICATION", None)
    application = try_import(path)[0] if isinstance(path, str) else None
    if application is None:
        return False
    return isinstance(application, ASGIStaticFilesHandler) or not isinstance(application, ASGIHandler)
