"""Visitors who log in: what they wrote becomes the user's, also what is stored while they do so.

Login writes down that the visitor is claimed before it looks for what is the visitor's; whoever stores something for a
visitor looks for a claim afterwards. Of two that meet, one at least sees the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib.auth import get_user_model
from django.db import router, transaction
from django.utils import timezone

from ..models import Attachment, Feedback, Run, Thread, VisitorClaim
from ..signals import visitor_claimed
from ..staff import flags
from ..statements import Select, parameter

if TYPE_CHECKING:
    from ..context import RequestContext

Found = TypeVar("Found")

_CLAIM = Select(
    lambda: VisitorClaim.objects.filter(visitor_id=parameter(VisitorClaim, "visitor_id")).values_list(
        "user_id"
    ),
    on_writer=True,
)

# Longer than any request is under way.
CLAIM_AGE = timedelta(days=1)


class VisitorHasLoggedIn(Exception):
    """A visitor asks for something who has become a user meanwhile."""


def claim(visitor_ids: Iterable[str], user: Any) -> int:
    """Make everything of these visitors the user's, and what will still come of them. Returns how many threads."""
    using = router.db_for_write(VisitorClaim)
    ids = list(visitor_ids)
    with transaction.atomic(using=using):
        forget_old_claims()
        VisitorClaim.objects.bulk_create(
            [VisitorClaim(visitor_id=visitor_id, user_id=user.pk) for visitor_id in ids],
            update_conflicts=True,
            unique_fields=["visitor_id"],
            update_fields=["user", "claimed_at"],
        )
    threads = sum(_take(visitor_id, user.pk) for visitor_id in ids)
    if transaction.get_connection(using).in_atomic_block:
        # Nobody else sees the claim before this transaction ends (ATOMIC_REQUESTS).
        transaction.on_commit(lambda: [settle_visitor(each) for each in ids], using=using, robust=True)
    return threads


def forget_old_claims() -> None:
    """Delete the claims that nothing can be on its way for any more."""
    VisitorClaim.objects.filter(claimed_at__lt=timezone.now() - CLAIM_AGE).delete()


def _take(visitor_id: str, user_id: Any) -> int:
    """Make all that is the visitor's the user's, but for feedback where the user has given some."""
    with transaction.atomic(using=router.db_for_write(Thread)):
        threads = Thread.objects.claim(visitor_id=visitor_id, user_id=user_id)
        Attachment.objects.claim(visitor_id=visitor_id, user_id=user_id)
        Run.objects.claim(visitor_id=visitor_id, user_id=user_id)
        judged = Feedback.objects.filter(user_id=user_id).values("item_id")
        outdone = Feedback.objects.filter(user__isnull=True, visitor_id=visitor_id, item_id__in=judged)
        for thread_pk in sorted(set(outdone.values_list("item__thread_id", flat=True))):
            flags.drop_feedback(thread_pk, outdone)
        Feedback.objects.claim(visitor_id=visitor_id, user_id=user_id)
    return threads


def is_claimed(visitor_id: str) -> bool:
    """Return whether this visitor has logged in."""
    return bool(visitor_id) and bool(_CLAIM().rows(visitor_id=visitor_id))


def settle(context: RequestContext) -> None:
    """Claim what was stored for a visitor who has logged in meanwhile. Call it after the transaction.

    A visitor who has logged in meanwhile becomes the user, and so does the context.
    """
    if context.user_id is None and context.visitor_id:
        user_id = settle_visitor(context.visitor_id)
        if user_id is not None:
            context.user_id, context.visitor_id = user_id, None


def find(ask: Callable[[], Found | None], context: RequestContext) -> Found | None:
    """Return what a query finds of the context's own; asked again, as the user, after a login in between."""
    found = ask()
    if found is None and context.visitor_id:
        settle(context)
        if context.user_id is not None:
            found = ask()
    return found


def settle_visitor(visitor_id: str) -> Any:
    """Claim what has come too late for the login. Returns the user's key, or None when there was no login."""
    claimed = _CLAIM().first(visitor_id=visitor_id)
    if claimed is None:
        return None
    [user_id] = claimed
    threads = _take(visitor_id, user_id)
    if threads and visitor_claimed.has_listeners(Thread):
        user = get_user_model()._default_manager.get(pk=user_id)
        visitor_claimed.send(sender=Thread, user=user, visitor_id=visitor_id, threads=threads)
    return user_id
