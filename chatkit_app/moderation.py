"""What staff do to a thread: lock it, close it, reopen it, stop an answer. Each is in the audit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import router, transaction

from . import audit
from .models import Run, Thread
from .runs import request_stop

ACTION_OF_STATUS = {
    Thread.Status.ACTIVE: audit.Action.REOPEN,
    Thread.Status.LOCKED: audit.Action.LOCK,
    Thread.Status.CLOSED: audit.Action.CLOSE,
}


def set_status(threads: Sequence[Thread], status: Thread.Status, *, reason: str, actor: Any) -> None:
    """Change the status of threads and write it down.

    Only the two columns of the moderators are written: an answer that is being stored at this moment loses
    nothing, and the server, which reads the row again for every message, obeys at once.

    Args:
        threads: what the caller has found the staff member may moderate.
        status: the new one.
        reason: shown to the user of a locked or closed thread; kept in the audit in any case.
        actor: the staff member who does it.
    """
    kept = "" if status == Thread.Status.ACTIVE else reason
    with transaction.atomic(using=router.db_for_write(Thread)):
        Thread.objects.filter(pk__in=[thread.pk for thread in threads]).update(
            status=status, status_reason=kept
        )
        audit.record(ACTION_OF_STATUS[status], actor=actor, threads=threads, reason=reason)


def stop_run(run: Run, *, actor: Any) -> bool:
    """Stop an answer that is being generated and write it down.

    Returns:
        Whether the answer was still running.
    """
    if not request_stop(run_pk=run.pk):
        return False
    audit.record(audit.Action.STOP, actor=actor, thread=run.thread, owner=run.owner, run=run.public_id)
    return True
