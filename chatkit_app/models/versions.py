"""The version of a thread, by which an open page asks for what it has not seen yet.

Whatever a page shows of a thread and is written in a transaction gets the version that the thread has in it. The thread
is locked first: versions are committed in their order, which keys of rows are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from django.db import router, transaction

from ..signals import thread_changed, thread_handled

if TYPE_CHECKING:
    from .conversation import Thread


def announce(model: type[Thread], versions: Mapping[int, int]) -> None:
    """Send ``thread_changed`` for each of these threads, once what changed them is committed.

    Args:
        model: that of threads, which sends it.
        versions: new ones by the threads' primary keys.
    """
    if thread_changed.has_listeners(model):
        send = partial(_send, model, dict(versions))
        transaction.on_commit(send, using=router.db_for_write(model), robust=True)


def announce_handling(model: type[Thread], pks: Iterable[int]) -> None:
    """Send ``thread_handled`` for these threads, once what only staff see of them is committed.

    Args:
        model: that of threads, which sends it.
        pks: the threads' primary keys.
    """
    if thread_handled.has_listeners(model):
        send = partial(thread_handled.send_robust, sender=model, thread_pks=list(pks))
        transaction.on_commit(send, using=router.db_for_write(model), robust=True)


def _send(model: type[Thread], versions: Mapping[int, int]) -> None:
    for pk, version in versions.items():
        thread_changed.send_robust(sender=model, thread_pk=pk, version=version)
