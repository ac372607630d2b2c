"""Querysets that decide who may see a row, and page the rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from django.apps import apps
from django.db import connections, models, router, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from ..statements import parameter
from . import versions

if TYPE_CHECKING:
    from . import (  # noqa: F401
        Attachment,
        EarlierItem,
        Feedback,
        Flag,
        Run,
        Thread,
        ThreadItem,
        WebhookDelivery,
    )

HIDDEN_ITEM_TYPES = ("hidden_context_item", "sdk_hidden_context")
MAX_PAGE_SIZE = 1000

_Row = TypeVar("_Row", bound=models.Model)


class Owner(Protocol):
    """The part of a request context that decides ownership."""

    @property
    def user_id(self) -> Any: ...

    @property
    def visitor_id(self) -> str | None: ...

    @property
    def namespace(self) -> str: ...


@dataclass(frozen=True)
class OwnerParameters:
    """Stands for an owner in a ``statements.Select``, whose SQL is another one for users than for visitors."""

    user_id: Any
    visitor_id: Any
    namespace: Any

    @classmethod
    def of(cls, kind: str) -> Self:
        """Return the owner of this kind, as ``owner_values()`` names it."""
        thread = apps.get_model("chatkit_app", "Thread")
        return cls(
            user_id=parameter(thread, "user_id") if kind == "user" else None,
            visitor_id=parameter(thread, "visitor_id") if kind == "visitor" else None,
            namespace=parameter(thread, "namespace"),
        )


def owner_values(context: Owner) -> tuple[str, dict[str, Any]]:
    """Return the kind of a context's owner, empty for none, and the values of its ``OwnerParameters``."""
    if context.user_id is not None:
        return "user", {"user_id": context.user_id, "namespace": context.namespace}
    if context.visitor_id:
        return "visitor", {"visitor_id": context.visitor_id, "namespace": context.namespace}
    return "", {}


class WriterQuerySet(models.QuerySet[_Row]):
    """Rows that a transaction reads where it writes them, also on a site that sends what it reads to a replica.

    What was read there, behind the times, would be written over what others have done since: a preview made of a
    message that has just been redacted, a count without the flag that has just been raised.
    """

    @property
    def db(self) -> str:
        queryset: Any = self
        writer = router.db_for_write(self.model, **queryset._hints)
        is_inside = queryset._db is None and connections[writer].in_atomic_block
        return writer if is_inside else str(super().db)

    def on_writer(self) -> Self:
        """Read where rows are written, also outside of a transaction."""
        return self.using(router.db_for_write(self.model))


class OwnedQuerySet(WriterQuerySet[_Row]):
    """Rows that belong to a user or to an anonymous visitor, within one namespace."""

    _owner_prefix = ""

    def owned_by(self, context: Owner) -> OwnedQuerySet[_Row]:
        """Keep the rows of the context's owner. The only ownership rule of the app.

        A context with neither user nor visitor owns nothing.
        """
        prefix = self._owner_prefix
        if context.user_id is not None:
            owner = Q(**{f"{prefix}user_id": context.user_id})
        elif context.visitor_id:
            owner = Q(**{f"{prefix}user_id__isnull": True, f"{prefix}visitor_id": context.visitor_id})
        else:
            return self.none()
        return self.filter(owner, **{f"{prefix}namespace": context.namespace})

    def locked(self) -> Self:
        """Lock the rows until the transaction ends, against all who lock or change them.

        Those who only refer to them, as an item that is inserted does to its thread, are not held up. They would be
        by the usual lock, and then hold up whoever has it when they change the row.
        """
        features = connections[router.db_for_write(self.model)].features
        return self.select_for_update(no_key=features.has_select_for_no_key_update)

    def claim(self, *, visitor_id: str, user_id: Any) -> int:
        """Make a visitor's rows the user's, in every namespace. Returns how many there were."""
        return self.filter(user__isnull=True, visitor_id=visitor_id).update(user_id=user_id, visitor_id="")

    def page(self, *, after: str | None, limit: int, order: str) -> tuple[list[_Row], bool]:
        """Return one keyset page in the order of the primary key.

        Args:
            after: the ``public_id`` of the last row the reader has; an unknown one gives an empty page.
            limit: rows wanted, 1 to ``MAX_PAGE_SIZE``; other numbers are brought into that range.
            order: ``"asc"`` or ``"desc"``.

        Returns:
            The rows, and whether there are more behind them.
        """
        limit = page_size(limit)
        found = list(self.page_and_next(after=after, limit=limit, order=order))
        return found[:limit], len(found) > limit

    def page_and_next(self, *, after: Any, limit: int, order: str) -> Self:
        """Return the rows of ``page()`` and the one behind them, not read yet. ``after`` may be a parameter."""
        descending = order == "desc"
        rows = self
        if after is not None:
            cursor = self.filter(public_id=after).order_by().values("pk")[:1]
            rows = rows.filter(**{"pk__lt" if descending else "pk__gt": models.Subquery(cursor)})
        return rows.order_by("-pk" if descending else "pk")[: limit + 1]


def page_size(limit: int) -> int:
    """Return how many rows a page has for a reader who wants so many."""
    return max(1, min(limit, MAX_PAGE_SIZE))


class ThreadQuerySet(OwnedQuerySet["Thread"]):
    def lock_all(self, threads: Iterable[Thread]) -> list[Thread]:
        """Lock and return those of the threads that are still there, as they are now and until the transaction ends."""
        return list(self.filter(pk__in=[thread.pk for thread in threads]).locked().order_by("pk"))

    def bump(self, **changes: Any) -> dict[int, int]:
        """Change what open pages show of these threads, and let them hear of it after the commit.

        The threads are locked until then. Items that are written in the same transaction get the new version.

        Args:
            changes: values of columns, as ``update()`` takes them; none if it is items that change.

        Returns:
            The new versions by primary key, of those threads that are still there.
        """
        with transaction.atomic(using=router.db_for_write(self.model)):
            new = {
                pk: version + 1 for pk, version in self.locked().order_by("pk").values_list("pk", "version")
            }
            if new:
                self.model._default_manager.filter(pk__in=new).update(version=F("version") + 1, **changes)
                versions.announce(self.model, new)
        return new

    def archived(self) -> ThreadQuerySet:
        """Keep those that their owner has put away, and in which nothing has happened since."""
        return self.filter(archived_at__gte=F("last_activity"))

    def unarchived(self) -> ThreadQuerySet:
        return self.filter(Q(archived_at__isnull=True) | Q(archived_at__lt=F("last_activity")))

    def recount_feedback(self) -> int:
        """Count the feedback on these threads' items again. Call it where feedback comes, changes or goes."""
        feedback = apps.get_model("chatkit_app", "Feedback")._default_manager.filter(
            item__thread=models.OuterRef("pk")
        )
        return self.update(
            positive_count=_number_of(feedback.filter(kind="positive"), by="item__thread"),
            negative_count=_number_of(feedback.filter(kind="negative"), by="item__thread"),
        )

    def recount_flags(self) -> int:
        """Count these threads' open flags again. Call it where flags come, are resolved or go."""
        flags = apps.get_model("chatkit_app", "Flag")._default_manager
        open_flags = flags.filter(thread=models.OuterRef("pk"), resolved_at__isnull=True)
        return self.update(open_flags=_number_of(open_flags, by="thread"))


def _number_of(rows: models.QuerySet[Any], *, by: str) -> Any:
    counted = rows.order_by().values(by).annotate(number=models.Count("pk")).values("number")
    return Coalesce(models.Subquery(counted), 0)


class ThreadItemQuerySet(OwnedQuerySet["ThreadItem"]):
    _owner_prefix = "thread__"

    def visible(self) -> ThreadItemQuerySet:
        """Leave out what only the model may read."""
        return self.exclude(type__in=HIDDEN_ITEM_TYPES)


class EarlierItemQuerySet(OwnedQuerySet["EarlierItem"]):
    _owner_prefix = "thread__"

    def visible(self) -> EarlierItemQuerySet:
        """Leave out what only the model may read."""
        return self.exclude(type__in=HIDDEN_ITEM_TYPES)

    def version(self, place: str, of: str, position: int) -> EarlierItemQuerySet:
        """Keep the items of one of those versions: of the first, the oldest that is kept, for 1."""
        numbers = self.versions(place, of)
        if not 1 <= position <= len(numbers):
            return self.none()
        return self.filter(place=place, of=of, number=numbers[position - 1])

    def versions(self, place: str, of: str) -> list[int]:
        """Return the numbers of the earlier versions of a message, or of its answer, the oldest first."""
        found = self.filter(place=place, of=of).order_by("number")
        return list(found.values_list("number", flat=True).distinct())


class AttachmentQuerySet(OwnedQuerySet["Attachment"]):
    def unsent(self) -> AttachmentQuerySet:
        """Keep those that are part of no message."""
        return self.filter(thread__isnull=True)


class FeedbackQuerySet(OwnedQuerySet["Feedback"]):
    pass


class RunQuerySet(OwnedQuerySet["Run"]):
    def running(self) -> RunQuerySet:
        return self.filter(status="running")


class DeliveryQuerySet(WriterQuerySet["WebhookDelivery"]):
    pass


class FlagQuerySet(WriterQuerySet["Flag"]):
    def open(self) -> FlagQuerySet:
        """Keep those that nobody has resolved."""
        return self.filter(resolved_at__isnull=True)


class LimitQuerySet(WriterQuerySet[_Row]):
    def over(self) -> Self:
        """Keep those whose time is over."""
        return self.filter(expires_at__lte=timezone.now())
