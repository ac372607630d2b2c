"""The status of a thread: lock it, close it, reopen it, stop an answer. Each is in the audit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import router, transaction

from ..models import AuditEntry, Run, Thread
from ..runs.stopping import request_stop, request_stops
from ..staff import audit

ACTION_OF_STATUS = {
    Thread.Status.ACTIVE: audit.Action.REOPEN,
    Thread.Status.LOCKED: audit.Action.LOCK,
    Thread.Status.CLOSED: audit.Action.CLOSE,
}


def set_status(
    threads: Sequence[Thread],
    status: Thread.Status,
    *,
    reason: str,
    actor: Any,
    replace_reason: bool = False,
) -> list[Thread]:
    """Change the status of threads and write it down. Answers that are being written in them are stopped.

    Only the two columns of the moderators are written: an answer that is being stored at this moment loses
    nothing, and the server, which reads the row again for every message, obeys at once. Of two moderators the last
    one wins, and both are in the audit.

    Args:
        threads: what the caller has found the staff member may moderate.
        status: the new one.
        reason: shown to the user of a locked or closed thread; kept in the audit in any case.
        actor: the staff member who does it.
        replace_reason: change threads that have this status already too, if the reason is another one.

    Returns:
        The threads that were changed, as they are now. What has the status already is left alone.
    """
    using = router.db_for_write(Thread)
    kept = "" if status == Thread.Status.ACTIVE else reason
    with transaction.atomic(using=using):
        changed = [
            row
            for row in Thread.objects.lock_all(threads)
            if row.status != status or (replace_reason and row.status_reason != kept)
        ]
        if not changed:
            return []
        pks = [row.pk for row in changed]
        Thread.objects.filter(pk__in=pks).bump(status=status, status_reason=kept)
        audit.record(ACTION_OF_STATUS[status], actor=actor, threads=changed, reason=reason)
        if status != Thread.Status.ACTIVE:
            # Not before the status can be read by others: see runs.rows.record_start().
            transaction.on_commit(lambda: request_stops(Run.objects.filter(thread__in=pks)), using=using)
    for row in changed:
        row.status, row.status_reason = status, kept
    return changed


def last_change(thread: Thread) -> AuditEntry | None:
    """Return who gave the thread the status it has, if it was a staff member, and when and why."""
    action = ACTION_OF_STATUS[Thread.Status(thread.status)]
    return AuditEntry.objects.filter(thread_key=thread.public_id, action=action).order_by("-pk").first()


def stop_run(run: Run, *, actor: Any) -> bool:
    """Stop an answer that is being generated and write it down.

    Returns:
        Whether the answer was still running.
    """
    with transaction.atomic(using=router.db_for_write(Run)):
        if not request_stop(run_pk=run.pk):
            return False
        audit.record(audit.Action.STOP, actor=actor, thread=run.thread, owner=run.owner, run=run.public_id)
    return True
