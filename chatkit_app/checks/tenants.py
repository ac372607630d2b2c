"""Tenants and row-level security: state on connections, and tables for each tenant."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.conf import settings

from .. import database_context
from ..dotted_paths import try_import
from .keys import value_of
from .messages import Messages, error, warning

# What puts state on a connection, in SQL or by the methods of the packages for it.
_SETS_STATE = re.compile(
    r"\b(?:set_config|set_tenant|set_schema|set_current_tenant)\("
    r"|\bSET\s+(?:LOCAL|SESSION|ROLE|search_path|[a-z_]+\.[a-z_]+)\b"
)


def check_connection_state() -> Messages:
    """Warn of a middleware that puts state on the request's connection, which the chat's do not have (W114)."""
    if value_of("DATABASE_CONTEXT") is not None or database_context.tenant_databases():
        return
    for path in settings.MIDDLEWARE:
        middleware, _problem = try_import(path)
        if middleware is not None and (found := _SETS_STATE.search(_source(middleware))):
            yield warning(
                "W114",
                f"{path} seems to put state on the request's database connection ({found[0].strip('(')}). "
                "The chat's database work runs on other connections, which do not have it.",
                'Name a function in CHATKIT["DATABASE_CONTEXT"] that carries it over ("Tenants and row-level '
                'security" in the docs), or silence this check.',
            )


def _source(middleware: Any) -> str:
    """Return the modules that a middleware is written in, without Django's own."""
    classes = inspect.getmro(middleware) if isinstance(middleware, type) else (middleware,)
    names = dict.fromkeys(str(getattr(part, "__module__", "")) for part in classes)
    sources = []
    for name in names:
        if name in sys.modules and name.partition(".")[0] not in ("builtins", "django"):
            try:
                sources.append(inspect.getsource(sys.modules[name]))
            except (OSError, TypeError):  # Compiled, or made in memory.
                continue
    return "\n".join(sources)


def check_tenant_apps() -> Messages:
    """Refuse users for each tenant of django-tenants with one set of conversations for all (E115)."""
    if not apps.is_installed("django_tenants"):
        return
    kinds: Mapping[str, Any] = getattr(settings, "TENANT_TYPES", {})
    public_name = getattr(settings, "PUBLIC_SCHEMA_NAME", "public")
    if getattr(settings, "HAS_MULTI_TYPE_TENANTS", False):
        shared = kinds.get(public_name, {}).get("APPS", ())
        separate = [kind.get("APPS", ()) for name, kind in kinds.items() if name != public_name]
    else:
        shared = getattr(settings, "SHARED_APPS", ())
        separate = [getattr(settings, "TENANT_APPS", ())]
    if _has(shared, "chatkit_app") and any(
        _has(listed, "django.contrib.auth") and not _has(listed, "chatkit_app") for listed in separate
    ):
        yield error(
            "E115",
            "Each tenant has users of its own, but all share the chat's tables: users of different tenants who have "
            "the same key would read one another's conversations.",
            'Put "chatkit_app" into TENANT_APPS (or the APPS of the tenant type) and run migrate_schemas.',
        )


def _has(listed: Any, name: str) -> bool:
    """Return whether an app is among those listed, by its name or that of its configuration."""
    return any(entry == name or entry.startswith(f"{name}.") for entry in listed)
