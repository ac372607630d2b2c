"""Refusals that a user is shown. Raise them, or your own subclass, wherever a server method runs."""

from __future__ import annotations

from typing import Any

from chatkit.errors import CustomStreamError
from django.utils.translation import gettext as _
from pydantic import ValidationError


class ChatKitError(CustomStreamError):
    """A refusal with a text for the user.

    On a streaming operation the text goes out as an error event; on any other as ``{"message": …}`` with ``status``.
    """

    status = 400

    def __init__(self, message: str, *, allow_retry: bool = False) -> None:
        Exception.__init__(self, message)
        super().__init__(message, allow_retry=allow_retry)


class InvalidRequest(ChatKitError):
    """The request is malformed, or does not fit the state of the conversation."""

    @classmethod
    def from_validation(cls, error: ValidationError) -> InvalidRequest:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        return cls(_("Not a valid ChatKit request: {}").format(f"{place}: {first['msg']}".lstrip(": ")))


class NotSupported(ChatKitError):
    """The server does not offer this operation."""


class RequestTooLarge(ChatKitError):
    """The body exceeds ``DATA_UPLOAD_MAX_MEMORY_SIZE``."""

    status = 413


class CsrfFailed(ChatKitError):
    """The CSRF check failed; usually the page is older than the login."""

    status = 403


class LoginRequired(ChatKitError):
    """Nobody is logged in, and ``CHATKIT["LOGIN_REQUIRED"]`` or the site's middleware wants somebody to be."""

    status = 401


class ThreadReadOnly(ChatKitError):
    """Staff locked or closed the thread.

    Attributes:
        thread_status: the SDK's ``LockedStatus`` or ``ClosedStatus``.
    """

    status = 403

    def __init__(self, thread_status: Any) -> None:
        self.thread_status = thread_status
        closed = thread_status.type == "closed"
        message = _("This conversation is closed.") if closed else _("This conversation is locked.")
        reason = getattr(thread_status, "reason", None)
        super().__init__(f"{message} {reason}" if reason else message)


class ThreadBusy(ChatKitError):
    """Another answer is still being made in this thread."""

    status = 409

    def __init__(self) -> None:
        super().__init__(
            _(
                "An answer is still being written in this conversation. Wait for it or stop it, then try again."
            ),
            allow_retry=True,
        )


class DatabaseUnavailable(ChatKitError):
    """The database could not be reached for longer than ``CHATKIT["DB_PATIENCE"]``."""

    status = 503

    def __init__(self) -> None:
        super().__init__(
            _("The conversation could not be saved just now. Please try again in a moment."), allow_retry=True
        )
