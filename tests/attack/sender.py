"""Requests by HTTP, with whatever in them, and what comes back."""

from __future__ import annotations

import http.client
import json
import re
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote, urlencode

from tests.chat import CSRF_TOKEN, encode

# What no value of a header can have: a server would see another header.
_LINE_END = re.compile("[\r\n]")


@dataclass
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def type(self) -> str:
        return self.headers.get_content_type()

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)

    def events(self) -> list[dict[str, Any]]:
        from chatkit_app.testing import decode_events

        return decode_events(self.body)


class Sender:
    """A browser profile: cookies, and one connection.

    Args:
        port: the server's.
        session: the key of a session that is somebody's already.
    """

    def __init__(self, port: int, session: str = "") -> None:
        self.cookies = {"csrftoken": CSRF_TOKEN} | ({"sessionid": session} if session else {})
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Reply:
        """Send it. Characters that a path cannot have are quoted, those that a header cannot have left out."""
        self._connection.putrequest(method, quoted(path), skip_accept_encoding=True)
        sent = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "X-CSRFToken": CSRF_TOKEN,
            "Content-Length": str(len(body)),
        } | (headers or {})
        for name, value in sent.items():
            self._connection.putheader(name, in_header(value))
        self._connection.endheaders(body)
        with self._connection.getresponse() as response:
            for value in response.headers.get_all("Set-Cookie", []):
                for name, morsel in SimpleCookie(value).items():
                    self.cookies[name] = morsel.value
            reply = Reply(response.status, response.headers, response.read())
            closes = response.will_close
        if closes:
            self._connection.close()
        return reply

    def get(self, path: str, headers: dict[str, str] | None = None, **query: str) -> Reply:
        return self.request("GET", f"{path}?{encoded(query)}" if query else path, headers=headers)

    def ask(self, operation: str, headers: dict[str, str] | None = None, **params: Any) -> Reply:
        """An operation of the protocol."""
        body = encode(operation, **params)
        return self.request("POST", "/chatkit", body, {"Content-Type": "application/json"} | (headers or {}))

    def post(self, path: str, **fields: Any) -> Reply:
        """A form."""
        data = encoded({"csrfmiddlewaretoken": CSRF_TOKEN, **fields}).encode()
        return self.request("POST", path, data, {"Content-Type": "application/x-www-form-urlencoded"})

    def upload(self, path: str, name: str, mime_type: str, content: bytes) -> Reply:
        """A form with a file, as a browser writes it; what has line ends in its name may break it."""
        name, mime_type = name.replace('"', "%22"), in_header(mime_type).decode(errors="replace")
        head = (
            f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            f"Content-Type: {mime_type}\r\n\r\n"
        )
        body = head.encode(errors="surrogatepass") + content + b"\r\n--x--\r\n"
        return self.request("POST", path, body, {"Content-Type": "multipart/form-data; boundary=x"})

    def leave(self) -> None:
        self._connection.close()


def in_header(text: str) -> bytes:
    return _LINE_END.sub(" ", text).encode(errors="surrogatepass")


def quoted(text: str) -> str:
    return quote(text.encode(errors="surrogatepass"), safe="/?&=%+:;,@!$'()*~#[]-._")


def encoded(fields: dict[str, Any]) -> str:
    return urlencode(
        [
            (name.encode(errors="surrogatepass"), str(each).encode(errors="surrogatepass"))
            for name, value in fields.items()
            for each in (value if isinstance(value, list) else [value])
        ]
    )
