"""The messages: their ids, and how one is made."""

from __future__ import annotations

from collections.abc import Iterator

from django.core import checks
from django.core.checks import CheckMessage

CHECKS = {
    "chatkit.E001": "CHATKIT is not a dictionary",
    "chatkit.E002": "CHATKIT has a key that does not exist",
    "chatkit.E003": "a key of CHATKIT has a value of the wrong kind",
    "chatkit.E010": "SERVER cannot be imported",
    "chatkit.E011": "SERVER is neither a DjangoChatKitServer class nor a function",
    "chatkit.E012": "SERVER is a class without respond()",
    "chatkit.E013": "SERVER cannot be called without arguments",
    "chatkit.E020": "AGENT cannot be imported",
    "chatkit.E021": "AGENT is neither an Agent nor a function",
    "chatkit.W022": "AGENT is set, but SERVER does not use it",
    "chatkit.E030": "CONTEXT cannot be imported",
    "chatkit.E031": "CONTEXT is not a function of the request",
    "chatkit.E032": "CONTEXT is a coroutine function",
    "chatkit.E033": "ADMIN_SCOPE cannot be imported",
    "chatkit.E034": "ADMIN_SCOPE is not a function of a user and of threads",
    "chatkit.E035": "ADMIN_SCOPE is a coroutine function",
    "chatkit.E036": "DATABASE_CONTEXT cannot be imported",
    "chatkit.E037": "DATABASE_CONTEXT is not a function of the request",
    "chatkit.E038": "DATABASE_CONTEXT is a coroutine function",
    "chatkit.E040": "OPTIONS cannot be written as JSON",
    "chatkit.W041": "OPTIONS has a name that the client does not know",
    "chatkit.E042": "OPTIONS has an option that must be a JavaScript function",
    "chatkit.E043": "OPTIONS sets a part of api that the template tag sets",
    "chatkit.E050": "SessionMiddleware is missing",
    "chatkit.E051": "AuthenticationMiddleware is missing",
    "chatkit.E052": "AuthenticationMiddleware stands before SessionMiddleware",
    "chatkit.E053": "CsrfViewMiddleware is missing",
    "chatkit.E054": "an app of Django's that we need is not installed",
    "chatkit.W055": "the app that finds static files is not installed",
    "chatkit.I056": "pages load the client's modules, for want of a bundle of them (without DEBUG)",
    "chatkit.W057": "nothing serves static files",
    "chatkit.W060": "the URLconf does not include chatkit_app.urls",
    "chatkit.W070": "ASGI_APPLICATION is not set",
    "chatkit.W071": "runserver does not serve ASGI, because daphne is not installed (with DEBUG)",
    "chatkit.W080": "no DOMAIN_KEY for OpenAI's client (without DEBUG)",
    "chatkit.E091": "the channel layer needs channels_redis, which is not installed",
    "chatkit.I092": "open pages hear of changes in their own process at once, and in others by pings (without DEBUG)",
    "chatkit.W093": "uvicorn serves no WebSockets, for want of a library",
    "chatkit.I100": "the offline model answers (with DEBUG)",
    "chatkit.W100": "the offline model answers (without DEBUG)",
    "chatkit.W110": "the pool of database connections is too small",
    "chatkit.E111": "a pool of database connections is combined with CONN_MAX_AGE",
    "chatkit.W112": "SQLite without IMMEDIATE transactions (without DEBUG)",
    "chatkit.E113": "the app's models are in a database that is neither SQLite nor PostgreSQL",
    "chatkit.W114": "a middleware puts state on the request's connection, and DATABASE_CONTEXT is not set",
    "chatkit.E115": "tenants have users of their own, but share the app's tables",
    "chatkit.E120": "ATTACHMENTS has a key that does not exist",
    "chatkit.E121": "a key of ATTACHMENTS has a value of the wrong kind",
    "chatkit.E122": "ATTACHMENTS names a storage that is not in STORAGES",
    "chatkit.W123": "OPTIONS offers attachments that nothing takes",
    "chatkit.E130": "LIMITS has a key that does not exist",
    "chatkit.E131": "a key of LIMITS has a value of the wrong kind",
    "chatkit.E132": "LIMITS cannot be imported",
    "chatkit.E133": "LIMITS is not a function of the context",
    "chatkit.E134": "LIMITS is a coroutine function",
    "chatkit.E140": "STAFF has a key that does not exist",
    "chatkit.E141": "a key of STAFF has a value of the wrong kind",
    "chatkit.E142": "STAFF names a function that cannot be imported",
    "chatkit.I143": "users are told no names of those who answer, since the model of users has none",
    "chatkit.W124": "ATTACHMENTS uses a storage in the file system that has no folder, since MEDIA_ROOT is not set",
    "chatkit.W125": "ATTACHMENTS uses the storage of static files, which anybody may read",
}

Messages = Iterator[CheckMessage]


def error(id: str, message: str, hint: str) -> CheckMessage:
    """Return an error. Its id is given without the prefix."""
    return checks.Error(message, hint=hint, id=f"chatkit.{id}")


def warning(id: str, message: str, hint: str) -> CheckMessage:
    """Return a warning. Its id is given without the prefix."""
    return checks.Warning(message, hint=hint, id=f"chatkit.{id}")


def info(id: str, message: str, hint: str) -> CheckMessage:
    """Return a message of the level info. Its id is given without the prefix."""
    return checks.Info(message, hint=hint, id=f"chatkit.{id}")
