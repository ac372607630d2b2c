"""Receivers of signals about things that happen elsewhere in the site."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.db import transaction
from django.db.models.signals import post_delete
from django.http import HttpRequest

from .logs import get_logger
from .signals import thread_changed, thread_handled

logger = get_logger(__name__)


def connect_receivers() -> None:
    """Connect the receivers to Django's signals, once."""
    user_logged_in.connect(claim_visitor, dispatch_uid="chatkit_claim_visitor")
    post_delete.connect(delete_bytes, sender="chatkit_app.Attachment", dispatch_uid="chatkit_delete_bytes")
    thread_changed.connect(ring_changed_thread, dispatch_uid="chatkit_ring_changed_thread")
    thread_handled.connect(ring_handled_threads, dispatch_uid="chatkit_ring_handled_threads")


def ring_changed_thread(sender: Any, thread_pk: int, version: int, **kwargs: Any) -> None:
    """Ring for a thread that has changed, so that pages which show it read what is new."""
    if _may_be_heard():
        from .live.bells import bells

        bells.ring(thread_pk, version)


def ring_handled_threads(sender: Any, thread_pks: list[int], **kwargs: Any) -> None:
    """Ring for staff alone, so that their pages read what has become of these threads."""
    if _may_be_heard():
        from .live.bells import bells

        bells.ring_staff(thread_pks)


def _may_be_heard() -> bool:
    # Channels takes a while to load: where there is no layer, only a process with sockets has somebody who hears.
    return bool(getattr(settings, "CHANNEL_LAYERS", None)) or "chatkit_app.live.hub" in sys.modules


def claim_visitor(sender: Any, request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    """Make what the visitor wrote the user's at login, and what is still on its way."""
    from .context import VISITOR_KEY, visitor_of_seed
    from .models import Thread
    from .signals import visitor_claimed
    from .store import claims

    session = getattr(request, "session", None)
    if request is None or session is None:
        return
    visitor_id = session.pop(VISITOR_KEY, None)
    # A first message that is under way makes a visitor of whom this session knows nothing.
    ids = list(dict.fromkeys(filter(None, (visitor_id, visitor_of_seed(request)))))
    if not ids:
        return
    threads = claims.claim(ids, user)
    if visitor_id or threads:
        visitor_claimed.send(sender=Thread, user=user, visitor_id=visitor_id or ids[-1], threads=threads)


def delete_bytes(sender: Any, instance: Any, using: str, **kwargs: Any) -> None:
    """Delete the bytes of an attachment after its row, however that was deleted, once it is certain."""
    from .store.stored_files import delete_file

    def delete() -> None:
        try:
            delete_file(instance.file)
        except Exception:
            # The row is gone: only this tells that there are bytes left, and where.
            logger.exception("The bytes of a deleted attachment stay in the storage as %s", instance.file)

    if instance.file:
        transaction.on_commit(delete, using=using, robust=True)
