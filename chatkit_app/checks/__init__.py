"""System checks: one id and one hint per mistake we can see. ``CHECKS`` lists them.

They read settings and import what settings name; they touch neither the database nor the network. One that
does not fit your project can be silenced with ``SILENCED_SYSTEM_CHECKS``. What is no mistake (the level info) is
told by ``check`` and ``runserver`` alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage

from .attachments import check_attachments
from .databases import check_database_vendor, check_databases
from .deployment import (
    check_asgi,
    check_channel_layer,
    check_domain_key,
    check_offline_model,
    check_websockets,
)
from .keys import KEY_RULES as KEY_RULES
from .keys import check_settings
from .limits import check_limits
from .messages import CHECKS as CHECKS
from .messages import Messages
from .options import OPTION_NAMES as OPTION_NAMES
from .options import check_options
from .paths import check_admin_scope, check_agent, check_context, check_database_context, check_server
from .project import check_bundle, check_installed_apps, check_middleware, check_urls
from .staff import check_staff
from .static_files import check_static_files
from .tenants import check_connection_state, check_tenant_apps


def register_checks() -> None:
    """Register the checks with Django."""
    for check, tag in (
        (check_settings, checks.Tags.compatibility),
        (check_server, checks.Tags.compatibility),
        (check_agent, checks.Tags.compatibility),
        (check_context, checks.Tags.compatibility),
        (check_admin_scope, checks.Tags.compatibility),
        (check_database_context, checks.Tags.compatibility),
        (check_options, checks.Tags.compatibility),
        (check_attachments, checks.Tags.compatibility),
        (check_staff, checks.Tags.compatibility),
        (check_limits, checks.Tags.security),
        (check_middleware, checks.Tags.security),
        (check_installed_apps, checks.Tags.compatibility),
        (check_bundle, checks.Tags.compatibility),
        (check_static_files, checks.Tags.compatibility),
        (check_urls, checks.Tags.urls),
        (check_asgi, checks.Tags.compatibility),
        (check_domain_key, checks.Tags.compatibility),
        (check_channel_layer, checks.Tags.compatibility),
        (check_websockets, checks.Tags.compatibility),
        (check_offline_model, checks.Tags.compatibility),
        # Not Tags.database: those run only when a database is named, and these need none.
        (check_databases, checks.Tags.compatibility),
        (check_database_vendor, checks.Tags.compatibility),
        (check_connection_state, checks.Tags.security),
        (check_tenant_apps, checks.Tags.security),
    ):
        checks.register(_as_list(check), "chatkit", tag)


@cache
def _as_list(check: Callable[[], Messages]) -> Callable[..., list[CheckMessage]]:
    # The same function each time: Django keeps a set of them, and an app may be made ready twice.
    def run(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
        found = list(check())
        return found if _tells_notices() else [message for message in found if message.level > checks.INFO]

    run.__name__ = check.__name__
    run.__doc__ = check.__doc__
    return run


def _tells_notices() -> bool:
    """Return whether messages of the level info are wanted: not by ``migrate`` and all other commands, each time."""
    program, *arguments = sys.argv or [""]
    is_command = Path(program).name in ("manage.py", "django-admin", "__main__.py")
    return not is_command or arguments[:1] in ([], ["check"], ["runserver"], ["demo"])
