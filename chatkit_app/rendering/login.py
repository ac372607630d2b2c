"""The login of visitors who have to log in: where it is, and whether one has to."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import SynchronousOnlyOperation
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.urls import Resolver404, get_script_prefix, resolve
from django.utils.crypto import salted_hmac

from ..conf import chatkit_settings


def needs_login(request: HttpRequest) -> bool:
    """Return whether the chat is refused to whoever asks for this page, as far as the page can tell."""
    return chatkit_settings.login_required and _is_logged_in(request) is False


def has_login(request: HttpRequest) -> bool:
    """Return whether the chat wants a login and whoever asks for this page has one, as far as it can tell."""
    return chatkit_settings.login_required and _is_logged_in(request) is True


def owner_of_drafts(request: HttpRequest) -> str | None:
    """Return a name for whoever is logged in, by which a browser knows their words from another user's.

    Returns:
        The name, which tells nothing of the user; empty for nobody; None where the page cannot tell.
    """
    try:
        if (is_logged_in := _is_logged_in(request)) is None:
            return None
        user: Any = request.user
        return salted_hmac("chatkit_app.drafts", str(user.pk)).hexdigest()[:16] if is_logged_in else ""
    except (DatabaseError, InterfaceError):
        # The page can be read without it.
        return None


def _is_logged_in(request: HttpRequest) -> bool | None:
    user = getattr(request, "user", None)
    try:
        return None if user is None else user.is_authenticated
    except SynchronousOnlyOperation:
        # An asynchronous view, and a session in the database. The endpoint tells those who have not.
        return None


def login_url(request: HttpRequest) -> str:
    """Return the address of the login page of ``LOGIN_URL``, which leads back to the page of this request.

    It names the page in the field that the login view reads, be it another one than "next".
    """
    address = resolve_url(settings.LOGIN_URL)
    here, there = urlsplit(request.build_absolute_uri()), urlsplit(address)
    is_near = there.scheme in ("", here.scheme) and there.netloc in ("", here.netloc)
    page = request.get_full_path() if is_near else request.build_absolute_uri()
    return redirect_to_login(
        page, address, _redirect_field(there.path) if is_near else REDIRECT_FIELD_NAME
    ).url


def _redirect_field(path: str) -> str:
    prefix = get_script_prefix()
    try:
        view: Any = resolve(f"/{path.removeprefix(prefix)}" if path.startswith(prefix) else path).func
    except Resolver404:
        return REDIRECT_FIELD_NAME
    given = getattr(view, "view_initkwargs", {}).get("redirect_field_name")
    field = given or getattr(getattr(view, "view_class", None), "redirect_field_name", None)
    return str(field or REDIRECT_FIELD_NAME)
