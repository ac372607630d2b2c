"""Work that takes its time and that nobody waits for: mails, and webhooks.

A site with workers for Django's tasks (Django 6) has it done there. Elsewhere one thread of this process does it; what
a process does not come to is done by the next ``manage.py chatkit_staff``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, partial
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.db import connections, router, transaction

from .. import database_context
from ..logs import get_logger
from ..models import Thread

logger = get_logger(__name__)

# These do it at once, in whoever asks, or never.
_NO_WORKERS = ("ImmediateBackend", "DummyBackend")

_executor: ThreadPoolExecutor | None = None
_waiting: set[Future[None]] = set()


def do_after_commit(function: Callable[..., Any], *args: Any) -> None:
    """Have a function of a module called with these arguments, which JSON can hold, once all is committed."""
    transaction.on_commit(partial(_do, function, *args), using=router.db_for_write(Thread))


def wait() -> None:
    """Wait until all is done that this process has to do."""
    for future in list(_waiting):
        future.result()


def _do(function: Callable[..., Any], *args: Any) -> None:
    if has_workers():
        _task_of(function).enqueue(*args)
        return
    global _executor
    if _executor is None:
        _executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="chatkit-later")
    future = _executor.submit(database_context.bound(_call), function, *args)
    _waiting.add(future)
    future.add_done_callback(_waiting.discard)


def _call(function: Callable[..., Any], *args: Any) -> None:
    try:
        function(*args)
    except Exception:
        logger.exception("Mails or webhooks could not be sent; the next chatkit_staff tries again")
    finally:
        connections.close_all()


def has_workers() -> bool:
    """Return whether the site has somebody who does Django's tasks."""
    backend = getattr(settings, "TASKS", {}).get("default", {}).get("BACKEND", "")
    return find_spec("django.tasks") is not None and bool(backend) and not backend.endswith(_NO_WORKERS)


@cache
def _task_of(function: Callable[..., Any]) -> Any:
    from django.tasks import task  # type: ignore[import-not-found, unused-ignore]

    return task()(function)


def _after_fork() -> None:
    global _executor
    _executor = None
    _waiting.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
