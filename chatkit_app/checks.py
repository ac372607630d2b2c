"""System checks: one id and one hint per mistake we can see. ``CHECKS`` lists them.

They read settings and import what settings name; they touch neither the database nor the network. One that
does not fit your project can be silenced with ``SILENCED_SYSTEM_CHECKS``.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage
from django.core.serializers.json import DjangoJSONEncoder
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

from .conf import DEFAULT_SERVER, DEFAULTS

CHECKS = {
    "chatkit.E001": "CHATKIT is not a dictionary",
    "chatkit.E002": "CHATKIT has a key that does not exist",
    "chatkit.E003": "a key of CHATKIT has a value of the wrong kind",
    "chatkit.E010": "SERVER cannot be imported",
    "chatkit.E011": "SERVER is neither a ChatKitServer class nor a function",
    "chatkit.E012": "SERVER is a class without respond()",
    "chatkit.E013": "SERVER cannot be called without arguments",
    "chatkit.E020": "AGENT cannot be imported",
    "chatkit.E021": "AGENT is neither an Agent nor a function",
    "chatkit.W022": "AGENT is set, but SERVER does not use it",
    "chatkit.E030": "CONTEXT cannot be imported",
    "chatkit.E031": "CONTEXT is not a function of the request",
    "chatkit.E032": "CONTEXT is a coroutine function",
    "chatkit.E040": "OPTIONS cannot be written as JSON",
    "chatkit.W041": "OPTIONS has a name that the client does not know",
    "chatkit.E042": "OPTIONS has an option that must be a JavaScript function",
    "chatkit.E043": "OPTIONS sets a part of api that the template tag sets",
    "chatkit.E050": "SessionMiddleware is missing",
    "chatkit.E051": "AuthenticationMiddleware is missing",
    "chatkit.E052": "AuthenticationMiddleware stands before SessionMiddleware",
    "chatkit.W053": "CsrfViewMiddleware is missing",
    "chatkit.E054": "an app of Django's that we need is not installed",
    "chatkit.W060": "the URLconf does not include chatkit_app.urls",
    "chatkit.W070": "ASGI_APPLICATION is not set",
    "chatkit.W071": "runserver does not serve ASGI, because daphne is not installed (with DEBUG)",
    "chatkit.W080": "no DOMAIN_KEY for OpenAI's client (without DEBUG)",
    "chatkit.W090": "the channel layer does not leave the process (without DEBUG)",
    "chatkit.E091": "the channel layer needs channels_redis, which is not installed",
    "chatkit.I100": "the offline model answers (with DEBUG)",
    "chatkit.W100": "the offline model answers (without DEBUG)",
    "chatkit.W110": "the pool of database connections is too small",
    "chatkit.E111": "a pool of database connections is combined with CONN_MAX_AGE",
    "chatkit.W112": "SQLite without IMMEDIATE transactions (without DEBUG)",
}

Messages = Iterator[CheckMessage]


def register_checks() -> None:
    """Register the checks with Django."""
    for check, tag in (
        (check_settings, checks.Tags.compatibility),
        (check_server, checks.Tags.compatibility),
        (check_agent, checks.Tags.compatibility),
        (check_context, checks.Tags.compatibility),
        (check_options, checks.Tags.compatibility),
        (check_middleware, checks.Tags.security),
        (check_installed_apps, checks.Tags.compatibility),
        (check_urls, checks.Tags.urls),
        (check_asgi, checks.Tags.compatibility),
        (check_domain_key, checks.Tags.compatibility),
        (check_channel_layer, checks.Tags.compatibility),
        (check_offline_model, checks.Tags.compatibility),
        # Not Tags.database: those run only when a database is named, and these need none.
        (check_databases, checks.Tags.compatibility),
    ):
        checks.register(_as_list(check), "chatkit", tag)


def _as_list(check: Callable[[], Messages]) -> Callable[..., list[CheckMessage]]:
    def run(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
        return list(check())

    run.__name__ = check.__name__
    run.__doc__ = check.__doc__
    return run


def _error(id: str, message: str, hint: str) -> CheckMessage:
    return checks.Error(message, hint=hint, id=f"chatkit.{id}")


def _warning(id: str, message: str, hint: str) -> CheckMessage:
    return checks.Warning(message, hint=hint, id=f"chatkit.{id}")


# --- The CHATKIT setting ------------------------------------------------------------------------------------


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and "." in value.strip(".")


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _choices(*values: str) -> tuple[str, Callable[[Any], bool]]:
    return " or ".join(f'"{value}"' for value in values), lambda value: value in values


_SECONDS = ("a number of seconds above 0", lambda value: _is_number(value) and value > 0)
_SECONDS_OR_ZERO = ("a number of seconds, or 0", lambda value: _is_number(value) and value >= 0)
_WHOLE = ("a whole number of at least 1", _is_whole)
_BOOLEAN = ("True or False", lambda value: isinstance(value, bool))

# What each key takes, in words and as a test.
KEY_RULES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "SERVER": ("the dotted path of a class or function", _is_path),
    "AGENT": (
        "an Agent, a function, or the dotted path of one",
        lambda value: value is None or _is_path(value) or not isinstance(value, str),
    ),
    "CONTEXT": ("the dotted path of a function", lambda value: value is None or _is_path(value)),
    "NAMESPACE": (
        "a string of at most 100 characters",
        lambda value: isinstance(value, str) and len(value) <= 100,
    ),
    "LOGIN_REQUIRED": _BOOLEAN,
    "CLIENT": _choices("openai", "bundled", "auto"),
    "SCRIPT_URL": ("a URL", lambda value: isinstance(value, str) and bool(value)),
    "DOMAIN_KEY": ("a string", lambda value: value is None or isinstance(value, str)),
    "OPTIONS": ("a dictionary", lambda value: isinstance(value, Mapping)),
    "ON_DISCONNECT": _choices("finish", "cancel"),
    "HISTORY_LIMIT": _WHOLE,
    "TRACING": _BOOLEAN,
    "KEEP_ALIVE": _SECONDS,
    "CHECKPOINT_INTERVAL": _SECONDS,
    "ANSWER_TIMEOUT": _SECONDS,
    "RUN_RETENTION": _SECONDS_OR_ZERO,
    "DB_WORKERS": _WHOLE,
    "DB_PATIENCE": _SECONDS_OR_ZERO,
    "REQUEST_THREADS": _WHOLE,
}


def _configured() -> Mapping[str, Any]:
    value = getattr(settings, "CHATKIT", None)
    return value if isinstance(value, Mapping) else {}


def _value(key: str) -> Any:
    """A key's value; its default when the value is of the wrong kind, which E003 tells already."""
    value = _configured().get(key, DEFAULTS[key])
    return value if _is_valid(key, value) else DEFAULTS[key]


def _is_valid(key: str, value: Any) -> bool:
    try:
        return KEY_RULES[key][1](value)
    except TypeError:  # An unhashable value among choices.
        return False


def _did_you_mean(name: str, known: Any) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    return f'Did you mean "{close[0]}"?' if close else f"Known names are {', '.join(sorted(known))}."


def check_settings() -> Messages:
    """E001-E003: the shape of ``CHATKIT``."""
    value = getattr(settings, "CHATKIT", None)
    if value is None:
        return
    if not isinstance(value, Mapping):
        yield _error(
            "E001",
            f"CHATKIT is a {type(value).__name__}; it must be a dictionary.",
            'Write CHATKIT = {"SERVER": "myapp.chat.SupportServer"}, or leave it out.',
        )
        return
    for key, entry in value.items():
        if key not in DEFAULTS:
            hint = _did_you_mean(str(key).upper(), DEFAULTS)
            yield _error("E002", f"CHATKIT has no key {key!r}.", hint)
        elif key in KEY_RULES and not _is_valid(key, entry):
            yield _error("E003", f'CHATKIT["{key}"] is {entry!r}.', f"It must be {KEY_RULES[key][0]}.")


# --- What the settings name ---------------------------------------------------------------------------------


def _import(path: str) -> tuple[Any, str]:
    """The object of a dotted path, and what went wrong."""
    try:
        return import_string(path), ""
    except Exception as error:  # Whatever a project's module raises.
        return None, f"{type(error).__name__}: {error}"


def _takes(function: Any, arguments: int) -> bool:
    """Whether a callable can be called with so many positional arguments."""
    try:
        inspect.signature(function).bind(*range(arguments))
    except TypeError:
        return False
    except ValueError:  # No signature to be had.
        return True
    return True


def check_server() -> Messages:
    """E010-E013: ``SERVER``."""
    path = _value("SERVER")
    server, problem = _import(path)
    if problem:
        yield _error(
            "E010",
            f'CHATKIT["SERVER"] ({path}) cannot be imported: {problem}',
            "Name a ChatKitServer class, or a function that returns an instance, by its full dotted path.",
        )
        return
    if isinstance(server, type):
        from chatkit.server import ChatKitServer

        if not issubclass(server, ChatKitServer):
            yield _error(
                "E011",
                f'CHATKIT["SERVER"] ({path}) is not a ChatKitServer.',
                "Subclass chatkit_app.server.DjangoChatKitServer and write respond().",
            )
            return
        if missing := sorted(getattr(server, "__abstractmethods__", ())):
            yield _error(
                "E012",
                f'CHATKIT["SERVER"] ({path}) has no {", ".join(f"{name}()" for name in missing)}.',
                "Write respond() as an async generator of events, or subclass "
                "chatkit_app.agents.AgentChatKitServer, which has one.",
            )
            return
    elif not callable(server):
        yield _error(
            "E011",
            f'CHATKIT["SERVER"] ({path}) is a {type(server).__name__}.',
            "Name the class, or a function that returns an instance, not an instance.",
        )
        return
    if not _takes(server, 0):
        yield _error(
            "E013",
            f'CHATKIT["SERVER"] ({path}) needs arguments.',
            "It is called without any: give its parameters defaults, or name a function that fills them in.",
        )


def check_agent() -> Messages:
    """E020-W022: ``AGENT``."""
    value = _value("AGENT")
    if value is None:
        return
    agent, problem = _import(value) if isinstance(value, str) else (value, "")
    if problem:
        yield _error(
            "E020",
            f'CHATKIT["AGENT"] ({value}) cannot be imported: {problem}',
            "Name an agents.Agent, or a function of the context that returns one, by its full dotted path.",
        )
        return
    from agents import Agent

    if isinstance(agent, type) or not (isinstance(agent, Agent) or callable(agent)):
        kind = "the class " if isinstance(agent, type) else "a "
        name = agent.__name__ if isinstance(agent, type) else type(agent).__name__
        yield _error(
            "E021",
            f'CHATKIT["AGENT"] is {kind}{name}.',
            "It must be an agents.Agent, or a function that takes the context and returns one.",
        )
    elif not isinstance(agent, Agent) and not _takes(agent, 1):
        yield _error(
            "E021",
            f'CHATKIT["AGENT"] ({agent!r}) does not take exactly one argument.',
            "The function is called with the context: def support_agent(context): …",
        )
    elif not _uses_agent():
        yield _warning(
            "W022",
            f'CHATKIT["AGENT"] is not used: CHATKIT["SERVER"] is {_value("SERVER")}.',
            "Only chatkit_app.agents.AgentChatKitServer and its subclasses use one. Remove one of the two.",
        )


def _uses_agent() -> bool:
    """Whether answers come from ``AgentChatKitServer``. A function's server is unknown: then it may be."""
    path = _value("SERVER")
    if path == DEFAULT_SERVER:
        return True
    server, problem = _import(path)
    if problem or not isinstance(server, type):
        return not problem
    from .agents import AgentChatKitServer

    return issubclass(server, AgentChatKitServer)


def check_context() -> Messages:
    """E030-E032: ``CONTEXT``."""
    path = _value("CONTEXT")
    if path is None:
        return
    context, problem = _import(path)
    if problem:
        yield _error(
            "E030",
            f'CHATKIT["CONTEXT"] ({path}) cannot be imported: {problem}',
            "Name a function that takes the request and returns a RequestContext, by its full dotted path.",
        )
    elif inspect.iscoroutinefunction(context):
        yield _error(
            "E032",
            f'CHATKIT["CONTEXT"] ({path}) is a coroutine function.',
            "Write it with def: it runs in a thread of its own, where it may query the database.",
        )
    elif not callable(context) or isinstance(context, type) or not _takes(context, 1):
        yield _error(
            "E031",
            f'CHATKIT["CONTEXT"] ({path}) is not a function of the request.',
            "Write def my_context(request): return MyContext.from_request(request, …) and name it.",
        )


# --- Options of the client ----------------------------------------------------------------------------------

OPTION_NAMES = (
    "api",
    "locale",
    "theme",
    "frameTitle",
    "initialThread",
    "onClientTool",
    "header",
    "history",
    "startScreen",
    "threadItemActions",
    "composer",
    "disclaimer",
    "entities",
    "commands",
    "widgets",
    "thread",
)
_API_OF_THE_TAG = ("url", "fetch", "domainKey", "getClientSecret")
_FUNCTION_NAME = re.compile(r"on[A-Z]")


def check_options() -> Messages:
    """E040-E043: ``OPTIONS``."""
    options = _value("OPTIONS")
    try:
        json.dumps(options, cls=DjangoJSONEncoder)
    except (TypeError, ValueError, RecursionError) as error:
        yield _error(
            "E040",
            f'CHATKIT["OPTIONS"] cannot be written as JSON: {error}',
            "Use dictionaries with string keys, lists, strings, numbers, booleans and None only.",
        )
    for name in options:
        if name not in OPTION_NAMES:
            yield _warning(
                "W041",
                f'CHATKIT["OPTIONS"] has {name!r}, which the client does not know.',
                _did_you_mean(str(name), OPTION_NAMES),
            )
    for name in _function_options(options):
        yield _error(
            "E042",
            f'CHATKIT["OPTIONS"] has "{name}", which must be a JavaScript function.',
            "Set it in the page: (window.chatkitConfigure ??= []).push((options) => { … }).",
        )
    api = options.get("api")
    for name in api if isinstance(api, Mapping) else ():
        if name in _API_OF_THE_TAG:
            yield _error(
                "E043",
                f'CHATKIT["OPTIONS"]["api"] has "{name}", which {{% chatkit %}} sets itself.',
                'Remove it. The domain key belongs into CHATKIT["DOMAIN_KEY"]; the tag takes another url.',
            )


def _function_options(options: Mapping[Any, Any], depth: int = 0) -> Iterator[str]:
    for name, value in options.items():
        if isinstance(name, str) and _FUNCTION_NAME.match(name):
            yield name
        elif isinstance(value, Mapping) and depth < 3:
            yield from (f"{name}.{inner}" for inner in _function_options(value, depth + 1))


# --- The project around it ----------------------------------------------------------------------------------


def _middleware(name: str) -> int | None:
    """The position of a middleware or of a subclass of it."""
    wanted = import_string(name)
    for position, path in enumerate(settings.MIDDLEWARE):
        if path == name:
            return position
        found, _problem = _import(path)
        if isinstance(found, type) and issubclass(found, wanted):
            return position
    return None


def check_middleware() -> Messages:
    """E050-W053: who is asking, and whether the request is ours."""
    session_path = "django.contrib.sessions.middleware.SessionMiddleware"
    authentication_path = "django.contrib.auth.middleware.AuthenticationMiddleware"
    session = _middleware(session_path)
    authentication = _middleware(authentication_path)
    if session is None:
        yield _error(
            "E050",
            "SessionMiddleware is not in MIDDLEWARE; visitors cannot be told apart.",
            f'Add "{session_path}".',
        )
    if authentication is None:
        yield _error(
            "E051",
            "AuthenticationMiddleware is not in MIDDLEWARE; nobody is logged in.",
            f'Add "{authentication_path}" behind SessionMiddleware.',
        )
    if session is not None and authentication is not None and authentication < session:
        yield _error(
            "E052",
            "AuthenticationMiddleware stands before SessionMiddleware in MIDDLEWARE.",
            "Put SessionMiddleware first: the user is read from the session.",
        )
    csrf_path = "django.middleware.csrf.CsrfViewMiddleware"
    if _middleware(csrf_path) is None:
        yield _warning(
            "W053",
            "CsrfViewMiddleware is not in MIDDLEWARE; other sites can write in your users' names.",
            f'Add "{csrf_path}". The template tag sends its token.',
        )


def check_installed_apps() -> Messages:
    """E054: Django's own apps."""
    wanted = ["django.contrib.auth", "django.contrib.contenttypes"]
    if settings.SESSION_ENGINE.rsplit(".", 1)[-1] in ("db", "cached_db"):
        wanted.append("django.contrib.sessions")
    for name in wanted:
        if not apps.is_installed(name):
            yield _error(
                "E054", f"{name} is not installed.", f'Add "{name}" to INSTALLED_APPS and run migrate.'
            )


def check_urls() -> Messages:
    """W060: the endpoint."""
    if not getattr(settings, "ROOT_URLCONF", None):
        return
    try:
        reverse("chatkit:chatkit")
    except NoReverseMatch:
        yield _warning(
            "W060",
            "The URLconf does not include chatkit_app.urls; {% chatkit %} has nothing to talk to.",
            'Add path("", include("chatkit_app.urls")) to urlpatterns.',
        )
    except Exception:
        # A URLconf that cannot be loaded is what Django's own checks tell.
        return


def check_asgi() -> Messages:
    """W070, W071: a server that can stream."""
    if not getattr(settings, "ASGI_APPLICATION", None):
        yield _warning(
            "W070",
            "ASGI_APPLICATION is not set; under WSGI every answer occupies a worker.",
            'Set ASGI_APPLICATION = "<project>.asgi.application" and serve it with uvicorn or daphne.',
        )
    # That daphne stands before staticfiles is daphne's own check (daphne.E001).
    if settings.DEBUG and not apps.is_installed("daphne"):
        yield _warning(
            "W071",
            "daphne is not in INSTALLED_APPS; runserver serves WSGI, where answers do not stream.",
            'Put "daphne" at the top of INSTALLED_APPS, or develop with uvicorn and silence this check.',
        )


def check_domain_key() -> Messages:
    """W080: OpenAI's client away from localhost."""
    if not settings.DEBUG and _value("CLIENT") in ("openai", "auto") and not _value("DOMAIN_KEY"):
        yield _warning(
            "W080",
            'CHATKIT["DOMAIN_KEY"] is not set; OpenAI\'s client refuses to start on a public domain.',
            "Register your domain with OpenAI (platform.openai.com, Settings, Security, Domain allowlist) "
            'and put the key here, or set CHATKIT["CLIENT"] = "bundled".',
        )


def check_channel_layer() -> Messages:
    """W090, E091: messages between processes."""
    layers = getattr(settings, "CHANNEL_LAYERS", None)
    layer = layers.get("default") if isinstance(layers, Mapping) else None
    backend = layer.get("BACKEND") if isinstance(layer, Mapping) else None
    if not isinstance(backend, str):
        return
    if backend == "channels.layers.InMemoryChannelLayer" and not settings.DEBUG:
        yield _warning(
            "W090",
            "The channel layer is in memory; processes do not hear one another.",
            "With more than one process, configure channels_redis "
            "(pip install django-openai-chatkit[redis]). With exactly one, silence this check.",
        )
    if backend.startswith("channels_redis.") and find_spec("channels_redis") is None:
        yield _error(
            "E091",
            "CHANNEL_LAYERS names channels_redis, which is not installed.",
            "pip install django-openai-chatkit[redis]",
        )


def check_offline_model() -> Messages:
    """I100, W100: answers that come from no model. Expected while developing, a mistake in production."""
    if not _uses_agent() or _brings_its_model():
        return
    from .offline import is_offline

    if not is_offline():
        return
    message = "No OpenAI credentials are configured: the built-in offline model answers."
    hint = (
        "Set OPENAI_API_KEY in the environment, or OPENAI_BASE_URL for a compatible server, or give your "
        'Agent a model object (CHATKIT["AGENT"]).'
    )
    if settings.DEBUG:
        yield checks.Info(message, hint=hint, id="chatkit.I100")
    else:
        yield _warning("W100", message, hint)


def _brings_its_model() -> bool:
    """Whether the answering agent has a model that needs none of OpenAI's credentials."""
    value = _value("AGENT")
    agent = _import(value)[0] if isinstance(value, str) else value
    model = getattr(agent, "model", None)
    if isinstance(model, str):
        return "/" in model and not model.startswith("openai/")
    return model is not None


def check_databases() -> Messages:
    """W110-W112: connections."""
    configured = settings.DATABASES.get("default")
    database: Mapping[str, Any] = configured if isinstance(configured, Mapping) else {}
    engine = str(database.get("ENGINE", ""))
    options = database.get("OPTIONS") or {}
    pool = options.get("pool")
    if pool:
        size = (pool.get("max_size") or pool.get("min_size") or 4) if isinstance(pool, Mapping) else 4
        needed = _value("DB_WORKERS") + 2
        if size < needed:
            yield _warning(
                "W110",
                f"The default database's pool holds {size} connections; the chat can use {needed} at once.",
                f'Set OPTIONS["pool"] = {{"max_size": {needed}}} or more, or lower CHATKIT["DB_WORKERS"].',
            )
        if database.get("CONN_MAX_AGE", 0) != 0:
            yield _error(
                "E111",
                'The default database has OPTIONS["pool"] and CONN_MAX_AGE; Django refuses to connect.',
                "Remove CONN_MAX_AGE: the pool keeps the connections.",
            )
    is_sqlite = engine.endswith("sqlite3") or engine.endswith("spatialite")
    if (
        is_sqlite
        and not settings.DEBUG
        and str(options.get("transaction_mode", "")).upper() not in ("IMMEDIATE", "EXCLUSIVE")
    ):
        yield _warning(
            "W112",
            "SQLite's transactions begin without a lock; of two answers at once, one can find it locked.",
            'Set DATABASES["default"]["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "timeout": 20, '
            '"init_command": "PRAGMA journal_mode=WAL;"}, or use PostgreSQL.',
        )
