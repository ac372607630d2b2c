"""Sessions and users of the browsers that send several requests, each read by one query.

That is done where Django's own backends keep sessions and find users. A site's own are asked by each request, as they
always are. Only a yes is found here: a session that is over, or a user who may not be here any more, is for Django.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user,
    get_user_model,
)
from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject
from django.utils.module_loading import import_string


def identify(requests: Sequence[HttpRequest]) -> None:
    """Give these requests their sessions and their users, as they are now.

    Call it in a thread that may query the database.
    """
    kind = import_module(settings.SESSION_ENGINE).SessionStore
    for request in requests:
        session: Any = kind(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
        # After a change of SECRET_KEY Django would give the session another key, of which a socket can tell no browser.
        session.cycle_key = _keep_key
        request.session = session
    if kind is SessionStore:
        _load(request.session for request in requests)
    users = _users_of(request.session for request in requests)
    for request in requests:
        # As Django's own middleware does it: what one user's backend raises is no other's trouble.
        user: Any = _confirmed(request.session, users) or SimpleLazyObject(partial(get_user, request))
        request.user = user


def _keep_key() -> None:
    pass


def _load(sessions: Iterable[Any]) -> None:
    by_key = {session.session_key: session for session in sessions if session.session_key}
    rows = SessionStore.get_model_class()._default_manager.filter(
        session_key__in=by_key, expire_date__gt=timezone.now()
    )
    for key, data in rows.values_list("session_key", "session_data"):
        by_key[key]._session_cache = by_key[key].decode(data)


def _users_of(sessions: Iterable[Any]) -> Mapping[Any, Any]:
    """Return by their keys the users whom ``ModelBackend`` would find for these sessions."""
    keys = {_user_key(session) for session in sessions} - {None}
    model: Any = get_user_model()
    return model._default_manager.in_bulk(keys) if keys else {}


def _user_key(session: Any) -> Any:
    path = session.get(BACKEND_SESSION_KEY)
    if path not in settings.AUTHENTICATION_BACKENDS or import_string(path) is not ModelBackend:
        return None
    try:
        return get_user_model()._meta.pk.to_python(session.get(SESSION_KEY))
    except ValidationError:
        return None


def _confirmed(session: Any, users: Mapping[Any, Any]) -> Any:
    """Return the user of a session if it is plain that they still are; None where Django is to find out."""
    user = users.get(_user_key(session))
    if user is None or not ModelBackend().user_can_authenticate(user):
        return None
    hash_now = getattr(user, "get_session_auth_hash", str)()
    kept = session.get(HASH_SESSION_KEY)
    return user if kept and constant_time_compare(kept, hash_now) else None
