"""The session of a request to the endpoint, read and begun as quickly as Django keeps it."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore
from django.db import IntegrityError
from django.http import HttpRequest
from django.utils import timezone

from .. import db
from ..statements import Inserted, Select, Statement, parameter


def _sessions() -> Any:
    model = SessionStore.get_model_class()
    sessions = model._default_manager.filter(
        session_key=parameter(model, "session_key"), expire_date__gt=parameter(model, "expire_date")
    )
    return sessions.values_list("session_data")


_SESSION = Select(_sessions)
_INSERT_SESSION = Statement(lambda: Inserted(SessionStore.get_model_class()))


def load_session(request: HttpRequest) -> None:
    """Load the session where it is one of Django's database backend, by a statement that is compiled once.

    Any other is loaded by itself when it is first asked, and so is one that is not there: its backend knows what to do.
    Call it in a thread that may query the database.
    """
    session: Any = getattr(request, "session", None)
    is_plain = type(session) is SessionStore
    if not is_plain or not session.session_key or hasattr(session, "_session_cache"):
        return
    found = _SESSION().first(session_key=session.session_key, expire_date=timezone.now())
    if found is not None:
        session._session_cache = session.decode(found[0])


def save_session(session: SessionBase) -> None:
    """Save a session: a new one of Django's database backend in one statement, any other as its backend does it.

    Call it in a thread that may query the database.
    """
    if type(session) is not SessionStore or session.session_key:
        session.save()
        return
    model: Any = session.model
    values = {"session_data": session.encode(dict(session.items())), "expire_date": session.get_expiry_date()}
    while True:
        key = secrets.token_hex(16)
        try:
            with db.savepoint(model):
                _INSERT_SESSION().run(session_key=key, **values)
        except IntegrityError:
            continue  # somebody has it, which nobody will live to see
        session._session_key = key
        return
