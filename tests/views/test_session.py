"""The session of a request to the endpoint."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.backends import cached_db, db
from django.contrib.sessions.models import Session
from django.test import RequestFactory
from django.utils import timezone

from chatkit_app.views.session import load_session, save_session

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


@pytest.mark.django_db(transaction=True)
def test_new_session_is_saved_in_one_statement(django_assert_num_queries: Any) -> None:
    session = db.SessionStore()
    session["colour"] = "red"
    save_session(session)
    with django_assert_num_queries(1):
        session = db.SessionStore()
        session["colour"] = "red"
        save_session(session)
    assert db.SessionStore(session.session_key)["colour"] == "red"
    assert Session.objects.get(pk=session.session_key).expire_date > timezone.now() + timedelta(days=13)


def test_new_session_takes_no_key_that_another_has(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = iter([key, "b" * 32])
    monkeypatch.setattr("chatkit_app.views.session.secrets.token_hex", lambda size: next(keys))
    session = db.SessionStore()
    session["colour"] = "blue"
    save_session(session)
    assert session.session_key == "b" * 32
    assert db.SessionStore(key)["colour"] == "red"


def test_session_that_there_is_keeps_its_key(key: str) -> None:
    session = db.SessionStore(key)
    session["size"] = 7
    save_session(session)
    assert session.session_key == key
    assert dict(db.SessionStore(key).items()) == {"colour": "red", "size": 7}


def test_session_of_another_backend_saves_itself() -> None:
    session = cached_db.SessionStore()
    session["colour"] = "red"
    save_session(session)
    assert cached_db.SessionStore(session.session_key)["colour"] == "red"
    assert cached_db.SessionStore(session.session_key)._cache.get(session.cache_key)
