"""No more of a body than the endpoint could take, for ``chatkit_app.asgi``.

Django writes a body to the disk to its end before it asks anybody who sent it. The view sees by the length that there
was more, and says so. A browser hears an answer only once it has sent what it has: that is read on, and thrown away, up
to a point.
"""

from __future__ import annotations

import re
from typing import Any

from ..conf import chatkit_settings
from .request_body import MAX_BYTES

# Wherever it is included: which URLconf and which language's prefix is the middlewares' to say.
_ENDPOINT = re.compile(r"/chatkit(?P<uploads>/attachments(/[^/]*)?)?$")
# Beside the file, a multipart body has its headers.
_FORM_BYTES = 65_536
_DISCARDED = 100 * 1024 * 1024


def bounded(path: str, receive: Any) -> Any:
    """Return ASGI's ``receive`` for a request with a body to this path."""
    found = _ENDPOINT.search(path)
    if found is None:
        return receive
    files = chatkit_settings.attachments if found["uploads"] else None
    return BoundedBody(receive, MAX_BYTES if files is None else files.max_size + _FORM_BYTES)


class BoundedBody:
    """A ``receive`` that passes one byte more than ``limit`` on, and ends the body there."""

    def __init__(self, receive: Any, limit: int) -> None:
        self._receive = receive
        self._left = limit + 1

    async def __call__(self) -> Any:
        message = await self._receive()
        while self._left == 0 and message["type"] == "http.request":
            # The body has ended for Django, which waits for a disconnect now.
            message = await self._receive()
        body = message.get("body", b"")
        if message["type"] != "http.request":
            return message
        if len(body) < self._left:
            self._left -= len(body)
            return message
        passed, self._left = body[: self._left], 0
        return await self._discard(message) or {"type": "http.request", "body": passed, "more_body": False}

    async def _discard(self, message: Any) -> Any:
        """Read to the end of what is sent, if it has one. Returns the message of a client that has gone."""
        discarded = 0
        while message.get("more_body") and discarded < _DISCARDED:
            message = await self._receive()
            if message["type"] != "http.request":
                return message
            discarded += len(message.get("body", b""))
        return None
