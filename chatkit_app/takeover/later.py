"""Work that takes its time and that nobody waits for: mails, and webhooks.

A site with workers for Django's tasks (Django 6) has it done there, by the task of the same name in ``tasks``.
Elsewhere one thread of this process does it; what a process does not come to is done by the next
``manage.py chatkit_staff``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.db import connections, router, transaction
from django.utils.module_loading import import_string

from .. import database_context
from ..logs import get_logger
from ..models import Thread

logger = get_logger(__name__)

# These do it at once, in whoever asks, or never.
_NO_WORKERS = ("ImmediateBackend", "DummyBackend")

_executor: ThreadPoolExecutor | None = None
_waiting: set[Future[None]] = set()


def do_after_commit(function: Callable[..., Any], *args: Any) -> None:
    """Have a function called with these arguments, which JSON can hold, once all is committed.

    Args:
        function: one that has a task of its name.
        args: its arguments.
    """
    transaction.on_commit(partial(_do, function, *args), using=router.db_for_write(Thread))


def wait() -> None:
    """Wait until all is done that this process has to do."""
    for future in list(_waiting):
        future.result()


def _do(function: Callable[..., Any], *args: Any) -> None:
    if has_workers() and _enqueue(function.__name__, *args):
        return
    global _executor
    if _executor is None:
        _executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="chatkit-later")
    future = _executor.submit(database_context.bound(_call), function, *args)
    _waiting.add(future)
    future.add_done_callback(_waiting.discard)


def _enqueue(name: str, *args: Any) -> bool:
    """Return whether the site's workers have been given the task of this name."""
    try:
        # By its name, as workers find it: its module imports those that import this one.
        import_string(f"{__package__}.tasks.{name}").enqueue(*args)
    except Exception:
        # What has been committed is no failure of the request's.
        logger.exception("TASKS took no task of the chat; a thread of this process does it")
        return False
    return True


def _call(function: Callable[..., Any], *args: Any) -> None:
    try:
        function(*args)
    except Exception:
        logger.exception("Mails or webhooks could not be sent; the next chatkit_staff tries again")
    finally:
        connections.close_all()


def has_workers() -> bool:
    """Return whether the site has somebody who does Django's tasks, and may do those of the chat.

    Where requests need a database context, only a thread of this process has that.
    """
    backend = getattr(settings, "TASKS", {}).get("default", {}).get("BACKEND", "")
    if not backend or backend.endswith(_NO_WORKERS) or database_context.is_used():
        return False
    return find_spec("django.tasks") is not None


def _after_fork() -> None:
    global _executor
    _executor = None
    _waiting.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
