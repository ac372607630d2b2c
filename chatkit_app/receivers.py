"""What the app does about things that happen elsewhere in the site."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.db import router, transaction
from django.db.models.signals import post_delete
from django.http import HttpRequest

logger = logging.getLogger(__name__)


def connect_receivers() -> None:
    user_logged_in.connect(claim_visitor, dispatch_uid="chatkit_claim_visitor")
    post_delete.connect(delete_bytes, sender="chatkit_app.Attachment", dispatch_uid="chatkit_delete_bytes")


def claim_visitor(sender: Any, request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    """At login, what the visitor wrote becomes the user's. A verdict of the user's own stands against the visitor's."""
    from . import flags
    from .context import VISITOR_KEY
    from .models import Attachment, Feedback, Run, Thread
    from .signals import visitor_claimed

    session = getattr(request, "session", None)
    visitor_id = session.pop(VISITOR_KEY, None) if session is not None else None
    if not visitor_id:
        return
    with transaction.atomic(using=router.db_for_write(Thread)):
        threads = Thread.objects.claim(visitor_id=visitor_id, user_id=user.pk)
        Attachment.objects.claim(visitor_id=visitor_id, user_id=user.pk)
        Run.objects.claim(visitor_id=visitor_id, user_id=user.pk)
        judged = Feedback.objects.filter(user=user).values("item_id")
        outdone = Feedback.objects.filter(user__isnull=True, visitor_id=visitor_id, item_id__in=judged)
        for thread_pk in sorted(set(outdone.values_list("item__thread_id", flat=True))):
            flags.drop_verdicts(thread_pk, outdone)
        Feedback.objects.claim(visitor_id=visitor_id, user_id=user.pk)
    visitor_claimed.send(sender=Thread, user=user, visitor_id=visitor_id, threads=threads)


def delete_bytes(sender: Any, instance: Any, using: str, **kwargs: Any) -> None:
    """The bytes of an attachment follow its row, however it was deleted, once that is certain."""
    from .attachments import delete_file

    def delete() -> None:
        try:
            delete_file(instance.file)
        except Exception:
            # The row is gone: only this tells that there are bytes left, and where.
            logger.exception("The bytes of a deleted attachment stay in the storage as %s", instance.file)

    if instance.file:
        transaction.on_commit(delete, using=using, robust=True)
