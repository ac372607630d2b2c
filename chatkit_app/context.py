"""The context of who is talking, which every store and server method is given."""

from __future__ import annotations

import copy
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import get_language

from .conf import chatkit_settings
from .dotted_paths import import_path
from .logs import get_logger

if TYPE_CHECKING:
    from django.contrib.sessions.backends.base import SessionBase
    from django.http import HttpRequest, HttpResponseBase

logger = get_logger(__name__)

State = TypeVar("State")

VISITOR_KEY = "_chatkit_visitor"
# Set by fetch.js before a request, and deleted by the response that knows whose it was.
SEED_COOKIE = "chatkit_first"
# Says which session a request named that its client was asked to send again.
AGAIN_COOKIE = "chatkit_again"
AGAIN_HEADER = "X-ChatKit-Again"

_SEED = re.compile("[0-9a-f]{32}")

# What other apps keep in a session under such names lets in whoever has it.
_SECRET = re.compile(
    "token|secret|passw|credential|signature|verifier|oauth|oidc|saml|jwt|bearer|otp|api.?key", re.IGNORECASE
)


@dataclass(kw_only=True)
class Usage:
    """The cost of one answer: filled by the server while it answers, kept on the run."""

    model: str = ""
    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(kw_only=True)
class RequestContext:
    """Owner, language and session of one request.

    Add to it by subclassing, and name a function that builds your class in ``CHATKIT["CONTEXT"]``::

        @dataclass(kw_only=True)
        class ShopContext(RequestContext):
            plan: str = "free"

        def shop_context(request):
            return ShopContext.from_request(request, plan=getattr(request.user, "plan", "free"))

    Attributes:
        user_id: primary key of the logged-in user, or None.
        visitor_id: id of an anonymous visitor, or None. Never set together with ``user_id`` by the app.
        locale: the language to answer in, as Django names it (``"pt-br"``).
        namespace: threads of different namespaces never meet.
        session: a read-only copy of the session's own data; Django's and other apps' private keys
            (those with a leading underscore) are left out, and the session key is never part of it.
        endpoint_url: the path under which the request reached the endpoint, which the URLs of files begin with.
        usage: what the answer cost, filled while it is made.
    """

    user_id: Any = None
    visitor_id: str | None = None
    locale: str = "en"
    namespace: str = field(default_factory=lambda: chatkit_settings.namespace)
    session: Mapping[str, Any] = field(default_factory=dict, repr=False)
    endpoint_url: str = field(default="", repr=False, compare=False)
    usage: Usage = field(default_factory=Usage, repr=False, compare=False)
    _states: dict[type[Any], Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_request(cls, request: HttpRequest, **fields: Any) -> Self:
        """Build the context of a request that has passed the session and authentication middleware.

        Reads the session and the user, so it belongs in a thread that may query the database.

        Args:
            request: the request.
            **fields: further fields of your subclass; they win over what is read from the request.
        """
        user = getattr(request, "user", None)
        session = getattr(request, "session", None)
        logged_in = user is not None and user.is_authenticated
        found: dict[str, Any] = {
            "user_id": user.pk if logged_in and user is not None else None,
            "visitor_id": None if logged_in or session is None else session.get(VISITOR_KEY),
            "locale": get_language() or "en",
            "session": MappingProxyType(
                {
                    key: copy.deepcopy(value)
                    for key, value in (session.items() if session is not None else ())
                    if not str(key).startswith("_")
                }
            ),
        }
        return cls(**(found | fields))

    def state(self, kind: type[State]) -> State:
        """Return what one part of the app remembers while this request is being answered.

        Args:
            kind: that part's own class, which can be made without arguments.

        Returns:
            The one instance of it that belongs to this request, made when it is first asked for.
        """
        try:
            return cast(State, self._states[kind])
        except KeyError:
            return cast(State, self._states.setdefault(kind, kind()))

    def for_staff(self) -> dict[str, Any]:
        """Return what is kept of who asked, with each answer, for staff to read beside the conversation.

        By default the language, and of the session's own data what is plain text, a number or yes and no, and has no
        name like that of a secret ("access_token"): at most 20 entries, each text cut to 200 characters. Override it
        in your class to keep less (``return {}``) or more; whatever JSON can hold may be in it. It is stored as long
        as the thread is.
        """
        plain = [
            (key, value)
            for key, value in self.session.items()
            if isinstance(value, str | int | float) and not _SECRET.search(str(key))
        ]
        session = {
            str(key)[:200]: value[:200] if isinstance(value, str) else value for key, value in plain[:20]
        }
        return {"locale": self.locale, "session": session}


def is_new_visitor(request: HttpRequest) -> bool:
    """Return whether nobody is logged in, and the session names no visitor yet."""
    return not request.user.is_authenticated and VISITOR_KEY not in request.session


def ensure_visitor(
    request: HttpRequest, *, save: Callable[[SessionBase], None] = lambda session: session.save()
) -> None:
    """Give an anonymous visitor an id inside the session's data, where login keeps it and logout drops it.

    The session is saved at once, in the thread that this runs in. The session middleware would do it when the
    response object is returned, but a database that is away then would make of it a page with status 500.

    First requests that a browser sends at once know nothing of one another: each gets a session of its own, or writes
    over the other's, and only the last one is kept. They share the page's seed, so they get the same id.

    Args:
        request: a request that has passed the session middleware.
        save: saves a session; as its backend does it, unless given.
    """
    if is_new_visitor(request):
        request.session[VISITOR_KEY] = _visitor_id(request.COOKIES.get(SEED_COOKIE, ""))
        try:
            _save_once(request.session, save)
        except Exception:
            del request.session[VISITOR_KEY]  # tried again, or refused without another try by the middleware
            request.session.modified = False
            raise


def _visitor_id(seed: str) -> str:
    """Return 128 bits: a seed's own, else random ones. A seed that somebody has seen tells nobody the id."""
    if _SEED.fullmatch(seed):
        return salted_hmac("chatkit_app.visitor", seed, algorithm="sha256").hexdigest()[:32]
    return secrets.token_hex(16)


def visitor_of_seed(request: HttpRequest) -> str | None:
    """Return the id of the visitor whom a first request with this seed makes."""
    seed = request.COOKIES.get(SEED_COOKIE, "")
    return _visitor_id(seed) if _SEED.fullmatch(seed) else None


def has_lost_session(request: HttpRequest) -> bool:
    """Return whether the request names a session that is no more.

    It has ended, or it has another name by now: a login gives it one, and so does a change of the password. A request
    that was sent before has the old one.
    """
    named = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    return bool(named) and not request.session.keys()


def has_come_again(request: HttpRequest) -> bool:
    """Return whether the request was sent again after ``ask_again()``, with no other session."""
    return constant_time_compare(request.COOKIES.get(AGAIN_COOKIE, ""), _sign_of_session(request))


def ask_again(request: HttpRequest, response: HttpResponseBase) -> None:
    """Let the client send the request again, with the session that the browser has by then."""
    response.headers[AGAIN_HEADER] = "1"
    response.set_cookie(
        AGAIN_COOKIE,
        _sign_of_session(request),
        max_age=60,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )


def _sign_of_session(request: HttpRequest) -> str:
    named = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    return salted_hmac("chatkit_app.again", named, algorithm="sha256").hexdigest()[:32]


def leave_session_cookie(request: HttpRequest) -> None:
    """Let this response neither set nor delete the session's cookie: the browser may have a newer one."""
    with suppress(AttributeError):
        # The session middleware passes on what has none.
        del request.session


def has_used_seed(request: HttpRequest) -> bool:
    """Return whether the request carries a seed, though its session tells who it is.

    From then on the browser has the session, and the next person to use it must not get the same id.
    """
    if SEED_COOKIE not in request.COOKIES:
        return False
    return request.user.is_authenticated or VISITOR_KEY in request.session


def keep_session(request: HttpRequest) -> None:
    """Save the session before the response leaves, where the session middleware would do it afterwards.

    It makes an error page of an answer whose session has ended meanwhile, by a login or a logout, or cannot be saved.
    The answer is worth more: it goes out, and the session's cookie stays as the browser has it.
    """
    session = getattr(request, "session", None)
    if session is None or session.is_empty() or not (session.modified or settings.SESSION_SAVE_EVERY_REQUEST):
        return
    try:
        _save_once(session, lambda session: session.save())
    except UpdateError:
        leave_session_cookie(request)
    except Exception:
        logger.exception("A session could not be saved")
        leave_session_cookie(request)


def _save_once(session: SessionBase, save_now: Callable[[SessionBase], None]) -> None:
    """Save the session; the middleware's save, which also sets the cookie, then writes only what is newer."""
    save = session.save
    save_now(session)
    saved = dict(session.items())

    def save_changes(must_create: bool = False) -> None:
        if dict(session.items()) != saved:
            save(must_create=must_create)

    session.save = save_changes  # type: ignore[method-assign]


def build_context(request: HttpRequest) -> RequestContext:
    """Return the request's context, from ``CHATKIT["CONTEXT"]`` when that is set.

    Raises:
        PathNotImportable: when the setting names nothing.
        TypeError: when the named function returns something else than a ``RequestContext``.
    """
    path = chatkit_settings.context
    if path is None:
        return RequestContext.from_request(request)
    context = import_path(path, named_by='CHATKIT["CONTEXT"]')(request)
    if not isinstance(context, RequestContext):
        raise TypeError(
            f'CHATKIT["CONTEXT"] ({path}) returned {type(context).__name__}; '
            "return a RequestContext, for example RequestContext.from_request(request)."
        )
    return context
