"""The session of a request to the endpoint."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.backends import cached_db, db
from django.contrib.sessions.models import Session
from django.test import RequestFactory
from django.utils import timezone

from chatkit_app.views.session import load_session

pytestmark = pytest.mark.django_db


def request_with(session: Any) -> Any:
    request = RequestFactory().post("/chatkit")
    request.session = session
    return request


@pytest.fixture
def key() -> str:
    session = db.SessionStore()
    session["colour"] = "red"
    session.save()
    return str(session.session_key)


def test_loaded_session_has_its_data_and_asks_no_more(key: str, django_assert_num_queries: Any) -> None:
    request = request_with(db.SessionStore(key))
    with django_assert_num_queries(1):
        load_session(request)
        load_session(request)
        assert request.session["colour"] == "red"
    assert request.session.session_key == key
    assert not request.session.modified


def test_session_that_has_expired_is_none(key: str) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    request = request_with(db.SessionStore(key))
    load_session(request)
    assert dict(request.session.items()) == {}
    assert request.session.session_key is None


def test_session_with_another_signature_is_empty(key: str, caplog: pytest.LogCaptureFixture) -> None:
    Session.objects.update(session_data="forged")
    request = request_with(db.SessionStore(key))
    load_session(request)
    assert dict(request.session.items()) == {}


def test_session_of_another_backend_loads_itself(key: str, django_assert_num_queries: Any) -> None:
    request = request_with(cached_db.SessionStore(key))
    with django_assert_num_queries(0):
        load_session(request)
    assert request.session["colour"] == "red"


def test_request_without_a_session_is_left_alone(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        load_session(RequestFactory().post("/chatkit"))
        load_session(request_with(db.SessionStore()))
