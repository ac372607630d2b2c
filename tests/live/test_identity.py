"""Who the browsers of several requests are, asked of the database together."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.http import HttpRequest

from chatkit_app.live.identity import identify

pytestmark = pytest.mark.django_db

BACKEND = "django.contrib.auth.backends.ModelBackend"


def request_of(**data: Any) -> HttpRequest:
    """A request with a session of this data."""
    session = SessionStore()
    session.update(data)
    session.save()
    request = HttpRequest()
    request.COOKIES["sessionid"] = str(session.session_key)
    return request


def request_of_user(user: User, **data: Any) -> HttpRequest:
    login = {
        SESSION_KEY: str(user.pk),
        BACKEND_SESSION_KEY: BACKEND,
        HASH_SESSION_KEY: user.get_session_auth_hash(),
    }
    return request_of(**login | data)


def names(requests: list[HttpRequest]) -> list[str]:
    return [request.user.get_username() for request in requests]


def test_many_are_known_by_two_queries(django_assert_num_queries: Any) -> None:
    ada, ben = User.objects.create_user("ada"), User.objects.create_user("ben")
    requests = [request_of_user(ada), request_of_user(ben), request_of_user(ada), request_of(cart=["book"])]
    with django_assert_num_queries(2):
        identify(requests)
        assert names(requests) == ["ada", "ben", "ada", ""]
        assert requests[3].session["cart"] == ["book"]


def test_request_without_a_session_is_nobodys(django_assert_num_queries: Any) -> None:
    request = HttpRequest()
    with django_assert_num_queries(0):
        identify([])
    identify([request])
    assert not request.user.is_authenticated


def test_session_of_no_user_is_nobodys() -> None:
    ada = User.objects.create_user("ada")
    requests = [
        request_of_user(ada, **{HASH_SESSION_KEY: "another"}),
        request_of_user(ada, **{HASH_SESSION_KEY: ""}),
        request_of_user(ada, **{BACKEND_SESSION_KEY: "another.Backend"}),
        request_of_user(ada, **{SESSION_KEY: str(ada.pk + 1)}),
        request_of_user(ada),
    ]
    identify(requests)
    assert names(requests) == ["", "", "", "", "ada"]


def test_change_of_the_secret_key_takes_no_session_from_its_browser(settings: Any) -> None:
    """Django gives it another key, which no socket can tell."""
    ada = User.objects.create_user("ada")
    request = request_of_user(ada)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another " * 8
    identify([request])
    assert names([request]) == ["ada"]
    assert Session.objects.filter(session_key=request.COOKIES["sessionid"]).exists()


def test_what_one_users_backend_raises_is_no_others_trouble(settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = [BACKEND, f"{__name__}.BrokenBackend"]
    ada = User.objects.create_user("ada")
    broken = request_of_user(ada, **{BACKEND_SESSION_KEY: f"{__name__}.BrokenBackend"})
    requests = [broken, request_of_user(ada)]
    identify(requests)
    assert names(requests[1:]) == ["ada"]
    with pytest.raises(ConnectionError):
        names(requests[:1])


class BrokenBackend:
    def get_user(self, user_id: Any) -> Any:
        raise ConnectionError
