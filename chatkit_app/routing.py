"""The addresses of WebSockets, for a site with a router of its own::

    application = share_threads(
        ProtocolTypeRouter(
            {"http": django_application, "websocket": URLRouter([*websocket_urlpatterns, *my_own])}
        )
    )

``chatkit_app.asgi.get_asgi_application()`` serves them by itself. They ask for no middleware: who is there, and from
whose page, they find out themselves.
"""

from __future__ import annotations

from typing import Any

from django.urls import path

from .live.staff_socket import StaffSocket
from .live.user_socket import UserSocket

websocket_urlpatterns: list[Any] = [
    path("ws/chatkit/", UserSocket.serve),  # type: ignore[arg-type]
    path("ws/chatkit/staff/", StaffSocket.serve),  # type: ignore[arg-type]
]
