"""The site under both applications: under Django's for requests that say so."""

from typing import Any

from django.core.asgi import get_asgi_application as get_djangos

from chatkit_app.asgi import get_asgi_application

ours = get_asgi_application()
djangos = get_djangos()


async def application(scope: Any, receive: Any, send: Any) -> None:
    chosen = djangos if (b"x-application", b"Django's") in scope["headers"] else ours
    await chosen(scope, receive, send)
