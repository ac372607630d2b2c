"""Refusals that a user is shown. Raise them, or your own subclass, wherever a server method runs."""

from __future__ import annotations

from asyncio import CancelledError
from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Any

from chatkit.errors import CustomStreamError
from django.utils import timezone
from django.utils.timesince import timeuntil
from django.utils.translation import gettext as _

if TYPE_CHECKING:
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
    """The body exceeds ``DATA_UPLOAD_MAX_MEMORY_SIZE``, or a file or a picture is larger than the site takes."""

    status = 413


class StorageFull(ChatKitError):
    """There is no room left where files are kept, or where they arrive."""

    status = 507

    def __init__(self) -> None:
        super().__init__(
            _("There is no room for the file just now. Please try again later."), allow_retry=True
        )


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


class ThreadWithStaff(ChatKitError):
    """A person of the staff has the thread, or is waited for: only messages are taken meanwhile."""

    status = 409

    def __init__(self) -> None:
        super().__init__(
            _("Our team is looking after this conversation. Write a message, and a person will read it.")
        )


class AnsweredByStaff(ChatKitError):
    """An answer was to be made anew that a person has given, or that one has followed."""

    status = 409

    def __init__(self) -> None:
        super().__init__(_("A person has written since. Please write a new message."))


class AnswerTooLong(ChatKitError):
    """An answer has come to one of its limits: ``CHATKIT["ANSWER_BYTES"]``, ``ANSWER_EVENTS`` or ``ANSWER_ITEMS``."""

    def __init__(self) -> None:
        super().__init__(_("The answer became too long and was ended here."))


class ServerExited(RuntimeError):
    """Code of the site raised what ends a process (``SystemExit``, ``KeyboardInterrupt`` …) in the middle of a request.

    Nothing but an ``Exception`` may leave ``respond()`` and its like: it would take everybody's answers with it.
    """


class contained:  # noqa: N801
    """Call code of the site, so that what would end the process becomes an error like any other.

    A class, since a generator takes several times as long, and it stands around each word of an answer.

    Raises:
        ServerExited: in place of every exception that is neither an ``Exception`` nor a cancellation.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is not None and not isinstance(error, (Exception, CancelledError)):
            raise ServerExited(f"{type(error).__name__} was raised; raise an Exception instead.") from error


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


class LimitReached(ChatKitError):
    """One of ``CHATKIT["LIMITS"]`` is used up.

    Attributes:
        limit: its name.
        until: when there is some of it again; None when waiting does not help.
    """

    status = 429

    def __init__(self, *, limit: str, until: datetime | None = None, message: str = "") -> None:
        self.limit = limit
        self.until = until
        if not message and until is None:
            message = _("You have reached a limit of this chat.")
        elif not message and until is not None:
            # Up to whole minutes: Django's words have no seconds.
            minutes = timedelta(minutes=max(1, ceil((until - timezone.now()) / timedelta(minutes=1))))
            now = timezone.now()
            message = _("You have reached a limit of this chat. Please try again in {time}.").format(
                time=timeuntil(now + minutes, now)
            )
        super().__init__(message, allow_retry=until is not None)

    @property
    def retry_after(self) -> int | None:
        """Seconds to wait, as the header ``Retry-After`` says them."""
        if self.until is None:
            return None
        return max(1, ceil((self.until - timezone.now()).total_seconds()))


class TooManyAnswers(LimitReached):
    """As many answers are being made as may be made at once."""

    def __init__(self, *, limit: str) -> None:
        message = _(
            "Too many answers are being written at once. Wait for one to end or stop it, then try again."
        )
        super().__init__(limit=limit, message=message)
        self.allow_retry = True

    @property
    def retry_after(self) -> int:
        return 5


class ThreadFull(LimitReached):
    """The thread has as many items as one may have."""

    def __init__(self) -> None:
        super().__init__(
            limit="ITEMS_PER_THREAD", message=_("This conversation is full. Please begin a new one.")
        )


class SessionChanged(ChatKitError):
    """The request was sent before a login, or another change of the session. Nothing of it has been stored."""

    # Not a 5xx, of which Django would write to the site's admins.
    status = 409

    def __init__(self) -> None:
        super().__init__(
            _("Your session has changed. Reload the page and send your message again."), allow_retry=True
        )


class ServerRestarting(ChatKitError):
    """The process is going down, and nothing of the request has been stored: another process can take it."""

    status = 503

    def __init__(self) -> None:
        super().__init__(
            _("The conversation could not be saved just now. Please try again in a moment."), allow_retry=True
        )


class DatabaseUnavailable(ChatKitError):
    """The database could not be reached for longer than ``CHATKIT["DB_PATIENCE"]``."""

    status = 503

    def __init__(self) -> None:
        super().__init__(
            _("The conversation could not be saved just now. Please try again in a moment."), allow_retry=True
        )
