"""The session of a request to the endpoint, read as quickly as Django keeps it."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.utils import timezone

from ..statements import Select, parameter


def _sessions() -> Any:
    model = SessionStore.get_model_class()
    sessions = model._default_manager.filter(
        session_key=parameter(model, "session_key"), expire_date__gt=parameter(model, "expire_date")
    )
    return sessions.values_list("session_data")


_SESSION = Select(_sessions)


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
