"""The body of a request to the endpoint: the little that is done with it before it is known to make sense.

Whoever can reach the site can send one, so what it costs to read, parse and refuse it is bounded by what these limits
say and not by what its sender likes.
"""

from __future__ import annotations

import os
import re
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.http.request import RawPostDataException
from django.utils.translation import gettext as _
from pydantic_core import from_json

from ..errors import InvalidRequest, RequestTooLarge

MAX_BYTES = 2_621_440
"""Bytes of a body, also where ``DATA_UPLOAD_MAX_MEMORY_SIZE`` allows more. A recording is the largest that is sent."""
MAX_VALUES = 5_000
"""Values of the JSON, those in lists and objects counted one by one."""
MAX_DEPTH = 60
"""Lists and objects that may stand in one another."""

BEGINNING_BYTES = 1024
# A body is parsed to find its operation only up to here; the clients name it first.
_SNIFF_WHOLE_BYTES = 65_536

_FIRST = re.compile(rb'\s*\{\s*"type"\s*:\s*"([a-z_.]+)"')
_ANYWHERE = re.compile(rb'"type"\s*:\s*"([a-z_.]+)"')
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")


def read_body(request: HttpRequest) -> bytes:
    """Return the body.

    Raises:
        RequestTooLarge: when it has too many bytes; it has not been read then.
        InvalidRequest: when it cannot be read.
    """
    try:
        # Django itself asks what the request announces, and older versions nothing else.
        if _size(request) > min(MAX_BYTES, settings.DATA_UPLOAD_MAX_MEMORY_SIZE or MAX_BYTES):
            raise RequestDataTooBig
        return request.body
    except RequestDataTooBig:
        raise RequestTooLarge(_("The message is too large.")) from None
    except (RawPostDataException, OSError):
        raise InvalidRequest(_("The request could not be read.")) from None


def _size(request: HttpRequest) -> int:
    """Return how large the body is, or is said to be where it has not arrived yet."""
    stream: Any = request._stream
    if not stream.seekable():
        return int(request.headers.get("content-length") or 0)
    position = stream.tell()
    size: int = stream.seek(0, os.SEEK_END)
    stream.seek(position)
    return size


def read_beginning(request: HttpRequest) -> bytes:
    """Return the first bytes of a body that is too large to be read, or has not been looked at."""
    stream: Any = request._stream
    # To learn the length of a body that announces none, Django goes to its end.
    if stream.seekable():
        stream.seek(0)
    return bytes(stream.read(BEGINNING_BYTES))


def require_bounded(body: bytes) -> None:
    """Refuse JSON that is too deep, or made of too many values, before anything parses it.

    Raises:
        RequestTooLarge: when it has too many values.
        InvalidRequest: when it is nested too deeply.
    """
    if _might_have_too_many(body):
        body = _without_strings(body)
        if _might_have_too_many(body):
            raise RequestTooLarge(_("The message is too large."))
    # Brackets in texts count as well, unless there are very many: that can only make a body look deeper.
    if _depth(body) > MAX_DEPTH and _depth(_without_strings(body)) > MAX_DEPTH:
        raise InvalidRequest(_("Not a valid ChatKit request: {}").format("It is nested too deeply."))


def _might_have_too_many(body: bytes) -> bool:
    values = body.count(b",") + body.count(b"[") + body.count(b"{")
    return max(values, body.count(b"]") + body.count(b"}")) > MAX_VALUES


def _without_strings(body: bytes) -> bytes:
    """Return the JSON without its strings: brackets, commas, numbers. In steps that C takes, for any body.

    Raises:
        RequestTooLarge: when there are more strings than there may be values with their names.
    """
    body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    if body.count(b'"') > 4 * MAX_VALUES:
        raise RequestTooLarge(_("The message is too large."))
    return b"".join(body.split(b'"')[::2])


def _depth(body: bytes) -> int:
    depth = deepest = 0
    for byte in body.translate(None, _NOT_BRACKETS):
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest


def sniff_operation(body: bytes) -> str:
    """Return the operation a body names, also when the body is cut off or otherwise invalid. May be empty."""
    beginning = body[:BEGINNING_BYTES]
    found = _FIRST.match(beginning)
    if found is None:
        try:
            return _parsed_operation(body)
        except (ValueError, InvalidRequest, RequestTooLarge):
            found = _ANYWHERE.search(beginning)
    return found[1].decode() if found else ""


def _parsed_operation(body: bytes) -> str:
    if len(body) > _SNIFF_WHOLE_BYTES:
        raise ValueError("too long to be parsed for its name alone")
    require_bounded(body)
    parsed: Any = from_json(body)
    operation = parsed.get("type") if isinstance(parsed, dict) else ""
    return operation if isinstance(operation, str) else ""
