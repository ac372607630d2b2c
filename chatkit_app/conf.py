"""The ``CHATKIT`` setting: every key, its type and its default.

Each property reads ``settings.CHATKIT`` when it is asked, so ``override_settings`` works without any reset::

    from chatkit_app.conf import chatkit_settings

    chatkit_settings.db_workers
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from django.conf import settings

OFFICIAL_SCRIPT_URL = "https://cdn.platform.openai.com/deployments/chatkit/chatkit.js"
LOGIN_REQUIRED_MIDDLEWARE = "django.contrib.auth.middleware.LoginRequiredMiddleware"
DEFAULT_SERVER = "chatkit_app.agents.AgentChatKitServer"

DEFAULTS: dict[str, Any] = {
    "SERVER": DEFAULT_SERVER,
    "AGENT": None,
    "CONTEXT": None,
    "NAMESPACE": "",
    "LOGIN_REQUIRED": None,
    "ADMIN_SCOPE": None,
    "CLIENT": None,
    "SCRIPT_URL": OFFICIAL_SCRIPT_URL,
    "DOMAIN_KEY": None,
    "OPTIONS": {},
    "ATTACHMENTS": None,
    "STAFF": {},
    "ON_DISCONNECT": "finish",
    "HISTORY_LIMIT": 50,
    "HISTORY_BYTES": 400_000,
    "TRACING": False,
    "KEEP_ALIVE": 15.0,
    "CHECKPOINT_INTERVAL": 1.5,
    "ANSWER_TIMEOUT": 300.0,
    "ANSWER_SECONDS": 3600.0,
    "ANSWER_BYTES": 16_777_216,
    "ANSWER_EVENTS": 200_000,
    "ANSWER_ITEMS": 500,
    "RUN_RETENTION": 60.0,
    "DB_WORKERS": 4,
    "DB_PATIENCE": 10.0,
    "REQUEST_THREADS": 8,
    "DATABASE_CONTEXT": None,
    "LIMITS": {},
    "PROXIES": 0,
}

# A busy person meets none of them. ``None`` is no limit.
LIMIT_DEFAULTS: dict[str, int | None] = {
    "MESSAGES_PER_MINUTE": 30,
    "MESSAGES_PER_DAY": 1_000,
    "ANSWERS_AT_ONCE": 10,
    "THREADS_PER_DAY": 200,
    "ITEMS_PER_THREAD": 10_000,
    "RECORDINGS_PER_MINUTE": 30,
    "RECORDINGS_PER_DAY": 1_000,
    "FILES_PER_DAY": 200,
    "FILE_BYTES_PER_DAY": 1024 * 1024 * 1024,
    "MESSAGE_LENGTH": 100_000,
    "PAYLOAD_LENGTH": 100_000,
    "TITLE_LENGTH": 500,
    "NAME_LENGTH": 200,
    "ADDRESS_MESSAGES_PER_MINUTE": 300,
    "ADDRESS_ANSWERS_AT_ONCE": 100,
    "ADDRESS_VISITORS_PER_HOUR": 60,
    "PROCESS_ANSWERS_AT_ONCE": 1_000,
}

ATTACHMENT_DEFAULTS: dict[str, Any] = {
    "STORAGE": "default",
    "MAX_SIZE": 20 * 1024 * 1024,
    "MAX_PIXELS": 50_000_000,
    "MAX_COUNT": 10,
    "ACCEPT": {
        "image/png": [".png"],
        "image/jpeg": [".jpg", ".jpeg"],
        "image/gif": [".gif"],
        "image/webp": [".webp"],
        "application/pdf": [".pdf"],
        "text/plain": [".txt"],
        "text/markdown": [".md"],
        "text/csv": [".csv"],
        "application/json": [".json"],
    },
    "URL_EXPIRY": 3600,
}


WEBHOOK_EVENTS = ("staff_needed", "staff_overdue", "staff_replied", "handler_changed")
"""What webhooks may be told of."""

STAFF_DEFAULTS: dict[str, Any] = {
    "NAME": None,
    "TIMEOUT": 900.0,
    "BUTTON": False,
    "URL": None,
    "MAIL_USERS": False,
    "MAIL_STAFF": (),
    "PATIENCE": 300.0,
    "WEBHOOKS": (),
}


def is_limit(name: Any, value: Any) -> bool:
    """Return whether a limit has this name, and can have this value."""
    is_whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return name in LIMIT_DEFAULTS and (value is None or is_whole)


@dataclass(frozen=True, kw_only=True)
class AttachmentSettings:
    """``CHATKIT["ATTACHMENTS"]``, with the defaults of what it leaves out.

    Attributes:
        storage: alias in ``STORAGES`` of where the bytes go.
        max_size: bytes that a file may have.
        max_pixels: pixels that a picture may have.
        max_count: files that a message may have.
        accept: MIME types (``"image/*"`` too) and the extensions that may go with each; none are any.
        url_expiry: seconds for which the URL of a file is good.
    """

    storage: str
    max_size: int
    max_pixels: int
    max_count: int
    accept: Mapping[str, Sequence[str]]
    url_expiry: int


@dataclass(frozen=True, kw_only=True)
class StaffSettings:
    """``CHATKIT["STAFF"]``, with the defaults of what it leaves out.

    Attributes:
        name: dotted path of a function of a member of the staff that returns the name users are shown; None for the
            first name, or else the user name.
        timeout: seconds that a user waits for the next word of a person who has the thread, before it is handed to the
            team; None for ever.
        button: whether the chat has a button by which users ask for a person.
        url: whole address of the page with the chat, which mails lead to.
        mail_users: whether users with an address are told by mail of an answer that they have not seen.
        mail_staff: addresses that are told when somebody waits for too long, or the dotted path of a function of the
            thread that returns them.
        patience: seconds after which that is.
        webhooks: what is told of what happens: ``{"url": …, "secret": …, "events": […], "content": False}`` each.
    """

    name: str | None
    timeout: float | None
    button: bool
    url: str | None
    mail_users: bool
    mail_staff: str | Sequence[str]
    patience: float
    webhooks: Sequence[Mapping[str, Any]]


class ChatKitSettings:
    """Typed, uncached access to ``settings.CHATKIT``."""

    def _get(self, key: str) -> Any:
        return self.configured.get(key, DEFAULTS[key])

    @property
    def configured(self) -> Mapping[str, Any]:
        """The keys that the project itself has set, without the defaults."""
        return cast("Mapping[str, Any]", getattr(settings, "CHATKIT", None) or {})

    @property
    def server(self) -> str:
        """Dotted path of a ChatKitServer class (called without arguments) or of a callable that returns one."""
        return cast(str, self._get("SERVER"))

    @property
    def agent(self) -> Any:
        """Dotted path of (or the very) ``agents.Agent``, or a function of the context, or of it and the thread."""
        return self._get("AGENT")

    @property
    def context(self) -> str | None:
        """Dotted path of a function ``(request) -> RequestContext``; ``None`` for the plain context."""
        return cast("str | None", self._get("CONTEXT"))

    @property
    def namespace(self) -> str:
        """Namespace of contexts that name none. Threads of different namespaces never meet."""
        return cast(str, self._get("NAMESPACE"))

    @property
    def login_required(self) -> bool:
        """Refuse anonymous visitors. Unless set, as the rest of the site does by ``LoginRequiredMiddleware``."""
        required = self._get("LOGIN_REQUIRED")
        return LOGIN_REQUIRED_MIDDLEWARE in settings.MIDDLEWARE if required is None else bool(required)

    @property
    def admin_scope(self) -> str | None:
        """Dotted path of a function ``(user, threads) -> threads``; ``None`` when staff see all threads."""
        return cast("str | None", self._get("ADMIN_SCOPE"))

    @property
    def client(self) -> Literal["openai", "bundled", "auto"]:
        """The element that the template tag loads. Unless set, the official one where there is a key for it."""
        default = "openai" if self.domain_key else "bundled"
        return cast("Literal['openai', 'bundled', 'auto']", self._get("CLIENT") or default)

    @property
    def script_url(self) -> str:
        """The URL of the official client's script."""
        return cast(str, self._get("SCRIPT_URL"))

    @property
    def domain_key(self) -> str | None:
        """The key OpenAI issued for the site's domain; the official client wants one outside development."""
        return cast("str | None", self._get("DOMAIN_KEY"))

    @property
    def options(self) -> dict[str, Any]:
        """ChatKit options (the client's own names) for every ``{% chatkit %}``."""
        return cast("dict[str, Any]", self._get("OPTIONS"))

    @property
    def attachments(self) -> AttachmentSettings | None:
        """The files that users may send; ``None`` when the app stores none."""
        return None if self._get("ATTACHMENTS") is None else self.files

    @property
    def files(self) -> AttachmentSettings:
        """The storage and display of files, those that the model makes too, also where users may send none."""
        values = ATTACHMENT_DEFAULTS | (self._get("ATTACHMENTS") or {})
        return AttachmentSettings(**{name.lower(): values[name] for name in ATTACHMENT_DEFAULTS})

    @property
    def staff(self) -> StaffSettings:
        """The people who answer in place of the assistant."""
        values = STAFF_DEFAULTS | (self._get("STAFF") or {})
        return StaffSettings(**{name.lower(): values[name] for name in STAFF_DEFAULTS})

    @property
    def on_disconnect(self) -> Literal["finish", "cancel"]:
        """The fate of an answer whose last reader has gone."""
        return cast("Literal['finish', 'cancel']", self._get("ON_DISCONNECT"))

    @property
    def history_limit(self) -> int:
        """The number of the newest turns, each a message with its answer, that the default server shows the model."""
        return int(self._get("HISTORY_LIMIT"))

    @property
    def history_bytes(self) -> int:
        """Bytes that these turns may have; the newest turn is shown in any case."""
        return int(self._get("HISTORY_BYTES"))

    @property
    def tracing(self) -> bool:
        """Let the Agents SDK export traces of conversations."""
        return bool(self._get("TRACING"))

    @property
    def keep_alive(self) -> float:
        """Seconds of silence after which a comment is sent to keep a stream open."""
        return float(self._get("KEEP_ALIVE"))

    @property
    def checkpoint_interval(self) -> float:
        """Seconds between two savings of unfinished answers; what a killed process can lose at most."""
        return float(self._get("CHECKPOINT_INTERVAL"))

    @property
    def answer_timeout(self) -> float:
        """Seconds without any event after which an answer is given up."""
        return float(self._get("ANSWER_TIMEOUT"))

    @property
    def answer_seconds(self) -> float:
        """Seconds after which an answer is given up in any case."""
        return float(self._get("ANSWER_SECONDS"))

    @property
    def answer_bytes(self) -> int:
        """Bytes that the events of an answer may have, without those that later ones have made superfluous."""
        return int(self._get("ANSWER_BYTES"))

    @property
    def answer_events(self) -> int:
        """Events that an answer may have."""
        return int(self._get("ANSWER_EVENTS"))

    @property
    def answer_items(self) -> int:
        """Items (messages, widgets, images …) that an answer may have."""
        return int(self._get("ANSWER_ITEMS"))

    @property
    def run_retention(self) -> float:
        """Seconds for which a finished answer's frames are kept in memory for late readers."""
        return float(self._get("RUN_RETENTION"))

    @property
    def db_workers(self) -> int:
        """Threads (and so database connections) that do all ORM work of the chat."""
        return int(self._get("DB_WORKERS"))

    @property
    def db_patience(self) -> float:
        """Seconds for which work is tried again while the database is away."""
        return float(self._get("DB_PATIENCE"))

    @property
    def request_threads(self) -> int:
        """Threads that ``chatkit_app.asgi`` shares among all requests for their synchronous parts."""
        return int(self._get("REQUEST_THREADS"))

    @property
    def database_context(self) -> str | None:
        """Dotted path of a function ``(request) -> DatabaseContext``; ``None`` for what the database's engine needs."""
        return cast("str | None", self._get("DATABASE_CONTEXT"))

    @property
    def limits(self) -> Any:
        """The limits, over ``LIMIT_DEFAULTS``; or the (dotted path of a) function of the context that returns them."""
        return self._get("LIMITS")

    @property
    def proxies(self) -> int:
        """The number of proxies in front of the site that add to ``X-Forwarded-For``."""
        return int(self._get("PROXIES"))


chatkit_settings = ChatKitSettings()
