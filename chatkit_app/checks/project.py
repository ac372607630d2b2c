"""The project around it: middleware, apps and URLs."""

from __future__ import annotations

from django.apps import apps
from django.conf import settings
from django.urls import NoReverseMatch, reverse

from ..dotted_paths import try_import
from ..rendering import client_files
from .messages import Messages, error, info, warning


def _middleware(name: str) -> int | None:
    """Return the position of a middleware or of a subclass of it."""
    wanted, _problem = try_import(name)
    for position, path in enumerate(settings.MIDDLEWARE):
        if path == name:
            return position
        found, _problem = try_import(path)
        if isinstance(found, type) and issubclass(found, wanted):
            return position
    return None


def check_middleware() -> Messages:
    """Check that it is known who is asking, and whether the request is ours (E050-E053)."""
    session_path = "django.contrib.sessions.middleware.SessionMiddleware"
    authentication_path = "django.contrib.auth.middleware.AuthenticationMiddleware"
    session = _middleware(session_path)
    authentication = _middleware(authentication_path)
    if session is None:
        yield error(
            "E050",
            "SessionMiddleware is not in MIDDLEWARE; visitors cannot be told apart.",
            f'Add "{session_path}".',
        )
    if authentication is None:
        yield error(
            "E051",
            "AuthenticationMiddleware is not in MIDDLEWARE; nobody is logged in.",
            f'Add "{authentication_path}" behind SessionMiddleware.',
        )
    if session is not None and authentication is not None and authentication < session:
        yield error(
            "E052",
            "AuthenticationMiddleware stands before SessionMiddleware in MIDDLEWARE.",
            "Put SessionMiddleware first: the user is read from the session.",
        )
    csrf_path = "django.middleware.csrf.CsrfViewMiddleware"
    if _middleware(csrf_path) is None:
        yield error(
            "E053",
            "CsrfViewMiddleware is not in MIDDLEWARE; pages get no CSRF cookie, so every message is refused.",
            f'Add "{csrf_path}". The template tag sends its token.',
        )


def check_installed_apps() -> Messages:
    """Check that Django's own apps are there that we need (E054, W055)."""
    wanted = ["django.contrib.auth", "django.contrib.contenttypes"]
    if settings.SESSION_ENGINE.rsplit(".", 1)[-1] in ("db", "cached_db"):
        wanted.append("django.contrib.sessions")
    for name in wanted:
        if not apps.is_installed(name):
            yield error(
                "E054", f"{name} is not installed.", f'Add "{name}" to INSTALLED_APPS and run migrate.'
            )
    if not apps.is_installed("django.contrib.staticfiles"):
        yield warning(
            "W055",
            "django.contrib.staticfiles is not installed; neither runserver nor collectstatic has the chat's scripts.",
            'Add "django.contrib.staticfiles" to INSTALLED_APPS, and set STATIC_URL.',
        )


def check_bundle() -> Messages:
    """Tell when the client comes as its many modules (I056)."""
    if settings.DEBUG or client_files.has_bundle():
        return
    problem = (
        "its bundle was built from other modules than those that are there"
        if client_files.is_bundle_stale()
        else "there is no bundle of them"
    )
    yield info(
        "I056",
        f"Pages load the chat's client as some ninety modules, since {problem}.",
        "Install a wheel, which has the bundle, or build it in your clone: npm run build --prefix bundle",
    )


def check_urls() -> Messages:
    """Check that the endpoint has a URL (W060)."""
    if not getattr(settings, "ROOT_URLCONF", None):
        return
    try:
        reverse("chatkit:chatkit")
    except NoReverseMatch:
        yield warning(
            "W060",
            "The URLconf does not include chatkit_app.urls; {% chatkit %} has nothing to talk to.",
            'Add path("", include("chatkit_app.urls")) to urlpatterns.',
        )
    except Exception:
        # A URLconf that cannot be loaded is what Django's own checks tell.
        return
