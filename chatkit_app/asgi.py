"""Django's ASGI application with a bounded number of threads.

Django keeps a thread for each request in flight, so that a thousand open requests are a thousand threads, each with
a database connection of its own as soon as it queries. This wrapper shares ``CHATKIT["REQUEST_THREADS"]`` threads among all
of them; what belongs to one request still runs in one thread. In your ``asgi.py``::

    from chatkit_app.asgi import get_asgi_application

    application = get_asgi_application()
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import ThreadSensitiveContext
from django.core.asgi import get_asgi_application as get_django_application

from . import db

ASGIApplication = Callable[[Any, Any, Any], Awaitable[None]]


def get_asgi_application() -> ASGIApplication:
    """Set Django up and return the wrapped application. Takes the place of Django's function of this name."""
    return share_threads(get_django_application())


def share_threads(application: ASGIApplication) -> ASGIApplication:
    """Wrap any ASGI application over Django, such as a Channels ``ProtocolTypeRouter``."""

    async def shared(scope: Any, receive: Any, send: Any) -> None:
        async with ThreadSensitiveContext(executor=db.request_lane()):
            await application(scope, receive, send)

    return shared
