"""Permanent deletion: threads with all that hangs on them, everything of one person, what is too old."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Self, TypeVar

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import OperationalError, connections, router, transaction
from django.db.models import CASCADE, DO_NOTHING, SET_NULL, Model, Q, QuerySet
from django.db.models.deletion import get_candidate_relations_to_delete
from django.db.models.signals import post_delete, pre_delete
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from ..models import (
    Approval,
    Attachment,
    EarlierItem,
    Feedback,
    Flag,
    Note,
    OwnedModel,
    Run,
    Thread,
    ThreadItem,
    VisitorClaim,
)
from ..models.querysets import FeedbackQuerySet, RunQuerySet, ThreadQuerySet
from ..runs.stopping import request_stop
from ..staff import audit, flags
from ..storable import is_storable_text
from ..store.stored_files import UNSENT_AGE

BATCH_SIZE = 200
"""Threads that one transaction deletes."""
ATTEMPTS = 3

_Result = TypeVar("_Result")


# --- Whose --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Person:
    """A user, or a visitor who has not logged in, in all namespaces."""

    user_id: Any = None
    visitor_id: str = ""

    def __post_init__(self) -> None:
        if (self.user_id is None) == (not self.visitor_id):
            raise ValueError("A person is either a user or a visitor.")

    @classmethod
    def of(cls, row: OwnedModel) -> Self | None:
        """Return the owner of a row, if it has one."""
        if row.user_id is None and not row.visitor_id:
            return None
        return cls(user_id=row.user_id, visitor_id="" if row.user_id is not None else row.visitor_id)

    @classmethod
    def named(cls, name: str) -> Self:
        """Return the user with this name, or with this id. ``user:7`` is the id in any case, as the audit writes it.

        Raises:
            LookupError: when there is none, or when the one has for a name what is another's id.
        """
        users = get_user_model()._default_manager
        by_name = by_id = None
        if is_storable_text(name):
            if not name.startswith("user:"):
                by_name = users.filter(**{get_user_model().USERNAME_FIELD: name}).first()
            # Primary keys of all kinds: most names are none.
            with suppress(ValueError, OverflowError, ValidationError):
                by_id = users.filter(pk=name.removeprefix("user:")).first()
        if by_name is not None and by_id is not None and by_name != by_id:
            raise LookupError(
                _("One user has the name %(name)s and another one the id. Say user:%(pk)s or user:%(other)s.")
                % {"name": name, "pk": by_name.pk, "other": by_id.pk}
            )
        found = by_name or by_id
        if found is None:
            raise LookupError(_("There is no user %(name)s.") % {"name": name})
        return cls(user_id=found.pk)

    @property
    def key(self) -> str:
        """As ``Thread.owner`` and the audit name them."""
        return f"user:{self.user_id}" if self.user_id is not None else f"visitor:{self.visitor_id}"

    @property
    def condition(self) -> Q:
        """The condition that this person's rows fulfil."""
        if self.user_id is not None:
            return Q(user_id=self.user_id)
        return Q(user_id__isnull=True, visitor_id=self.visitor_id)

    def threads(self) -> ThreadQuerySet:
        return Thread.objects.filter(self.condition)

    def holdings(self) -> Counter[str]:
        """Return how many rows ``erase()`` would delete now, by the name of their model."""
        threads = self.threads().order_by().values("pk")
        counts = Counter(thread=self.threads().count())
        for model in (ThreadItem, EarlierItem, Approval, Note, Flag):
            counts[_name_of(model)] = model._default_manager.filter(thread__in=threads).count()
        for owned, path in ((Attachment, "thread"), (Run, "thread"), (Feedback, "item__thread")):
            rows = owned._default_manager.all()
            others = rows.filter(**{f"{path}__in": threads}).exclude(self.condition)
            counts[_name_of(owned)] = rows.filter(self.condition).count() + others.count()
        return counts


def summary(counts: Counter[str]) -> str:
    """Return counts by the names of models as a line to read: "Threads: 2, items: 10"."""
    models = (Thread, ThreadItem, EarlierItem, Approval, Attachment, Run, Feedback, Note, Flag)
    parts = [
        f"{Thread.PLURAL if model is Thread else model._meta.verbose_name_plural}: {count}"
        for model in models
        if (count := counts[_name_of(model)])
    ]
    return str(capfirst(", ".join(parts))) or _("nothing")


def _name_of(model: type[Model]) -> str:
    return model._meta.model_name or ""


# --- Threads ------------------------------------------------------------------------------------------------


def delete_threads(threads: ThreadQuerySet) -> Counter[str]:
    """Stop the answers that are being made in these threads, and delete them with all that hangs on them.

    Give it some hundreds at a time: they are one transaction. Where a thread is being written to at this moment,
    either the writer comes first and its item goes too, or it finds no thread any more.

    Returns:
        How many rows went, by the name of their model (``"thread"``, ``"threaditem"``, …).
    """
    keys = list(threads.order_by("pk").values_list("pk", flat=True))
    stop_answers(Run.objects.filter(thread__in=keys))
    return _in_transaction(partial(_delete_locked, keys))


def stop_answers(runs: RunQuerySet) -> None:
    """Stop those that are running, in whichever process. One that comes too late finds its thread gone."""
    for run_pk in runs.running().values_list("pk", flat=True):
        request_stop(run_pk=run_pk)


def _delete_locked(keys: list[int]) -> Counter[str]:
    threads = Thread.objects.filter(pk__in=keys).order_by("pk")
    found = list(threads.select_for_update().values_list("pk", flat=True))
    return delete_rows(Thread.objects.filter(pk__in=found)) if found else Counter()


def delete_rows(rows: QuerySet[Any]) -> Counter[str]:
    """Delete rows and what hangs on them with one statement for each table.

    ``QuerySet.delete()`` loads every row of every table first. That is done here only for tables whose deletions
    somebody listens to (attachments, whose bytes have to go) or that have further rules.
    """
    model = rows.model
    relations: list[Any] = list(get_candidate_relations_to_delete(model._meta))
    ways = {relation.field.remote_field.on_delete for relation in relations}
    if not ways <= {CASCADE, SET_NULL, DO_NOTHING} or _is_watched(model):
        return Counter({label.rpartition(".")[2].lower(): count for label, count in rows.delete()[1].items()})
    deleted: Counter[str] = Counter()
    using = router.db_for_write(model)
    for relation in relations:
        hanging = relation.related_model._base_manager.using(using).filter(
            **{f"{relation.field.name}__in": rows}
        )
        if relation.field.remote_field.on_delete is CASCADE:
            deleted += delete_rows(hanging)
        elif relation.field.remote_field.on_delete is SET_NULL:
            hanging.update(**{relation.field.name: None})
    deleted[_name_of(model)] += rows._raw_delete(using)
    return deleted


def _is_watched(model: type[Model]) -> bool:
    return (
        pre_delete.has_listeners(model)
        or post_delete.has_listeners(model)
        or bool(model._meta.parents)
        or any(hasattr(field, "bulk_related_objects") for field in model._meta.private_fields)
    )


def _in_transaction(work: Callable[[], _Result]) -> _Result:
    """Do it in one transaction; once more where another one was in the way."""
    using = router.db_for_write(Thread)
    nested = connections[using].in_atomic_block
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic(using=using):
                return work()
        except OperationalError:
            if nested or attempt == ATTEMPTS:
                raise
    raise AssertionError


# --- A person -----------------------------------------------------------------------------------------------


def erase(person: Person, *, actor: Any, reason: str = "") -> Counter[str]:
    """Delete everything of one person: threads with all that hangs on them, files, answers, feedback, history.

    Many short transactions, so it can be broken off, and done again. It goes on until nothing is left, also while
    the person writes. The user's own row stays, which is the site's; so does the audit, which holds no content.

    Args:
        person: whose.
        actor: the staff member who does it; None for a management command.
        reason: kept in the audit.

    Returns:
        How many rows went, by the name of their model.
    """
    # Written down before the first row goes: what breaks off in the middle has been done, too.
    audit.record(audit.Action.ERASE, actor=actor, owner=person.key, reason=reason, begun=True)
    erased: Counter[str] = Counter()
    while found := _erase_once(person):
        erased += found
    if person.user_id is not None:
        # Last, since what was on its way at a login is found by them. They tell which visitor the user was.
        VisitorClaim.objects.filter(user_id=person.user_id).delete()
    audit.record(audit.Action.ERASE, actor=actor, owner=person.key, reason=reason, erased=dict(erased))
    return erased


def _erase_once(person: Person) -> Counter[str]:
    stop_answers(Run.objects.filter(person.condition))
    erased: Counter[str] = Counter()
    for keys in _batches(person.threads()):
        _delete_history(keys)
        erased += delete_threads(Thread.objects.filter(pk__in=keys))
    for model in (Attachment, Run):
        for keys in _batches(model._default_manager.filter(person.condition)):
            erased += _in_transaction(partial(delete_rows, model._default_manager.filter(pk__in=keys)))
    erased += _erase_feedback(Feedback.objects.filter(person.condition))
    return erased


def _erase_feedback(feedback: FeedbackQuerySet) -> Counter[str]:
    """Delete this person's feedback on what others were told: their threads stay, and count again."""
    before = feedback.count()
    while (thread_pk := feedback.values_list("item__thread_id", flat=True).first()) is not None:
        with suppress(Thread.DoesNotExist):  # deleted just now, with the feedback on it
            _in_transaction(partial(flags.drop_feedback, thread_pk, feedback))
    return Counter(feedback=before) if before else Counter()


def _delete_history(keys: list[int]) -> None:
    """Delete what the admin's own history says of these threads, reasons included."""
    if apps.is_installed("django.contrib.admin"):
        from django.contrib.admin.models import LogEntry

        # Not by the key of the content type: Django keeps keys for the whole process, and each tenant has its own.
        history = LogEntry.objects.filter(
            content_type__app_label=Thread._meta.app_label, content_type__model=Thread._meta.model_name
        )
        history.filter(object_id__in=[str(key) for key in keys]).delete()


def _batches(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    """Yield keys, again and again from the first, until there are no rows any more."""
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH_SIZE]):
        yield keys


# --- Retention ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Retention:
    """The ages at which things are old enough to go.

    Attributes:
        before: threads with no activity since then; answers without a thread and unsent files older than that.
        namespace: of this namespace only; None for all.
        anonymous: of visitors who have not logged in only.
        status: threads with this status only. Answers without a thread and unsent files have none, and stay.
        keep_flagged: not the threads that have an open flag.
    """

    before: datetime
    namespace: str | None = None
    anonymous: bool = False
    status: str = ""
    keep_flagged: bool = False

    def threads(self) -> ThreadQuerySet:
        threads = Thread.objects.filter(self._whose(), last_activity__lt=self.before)
        if self.status:
            threads = threads.filter(status=self.status)
        return threads.filter(open_flags=0) if self.keep_flagged else threads

    def runs(self) -> QuerySet[Run]:
        """Return the answers whose thread never came to be."""
        if self.status:
            return Run.objects.none()
        runs = Run.objects.filter(self._whose(), thread__isnull=True, started_at__lt=self.before)
        return runs.exclude(status=Run.Status.RUNNING)

    def files(self) -> QuerySet[Attachment]:
        """Return the files that were never sent; those of today may yet be."""
        if self.status:
            return Attachment.objects.none()
        before = min(self.before, timezone.now() - UNSENT_AGE)
        return Attachment.objects.unsent().filter(self._whose(), created_at__lt=before)

    def _whose(self) -> Q:
        condition = Q() if self.namespace is None else Q(namespace=self.namespace)
        return condition & Q(user_id__isnull=True) if self.anonymous else condition


def prune(retention: Retention, *, batch_size: int = 500) -> Generator[Counter[str], None, None]:
    """Delete what is too old, a batch with each step, each in a transaction of its own.

    Two of them at once share the work. However it ends, one entry of the audit tells how much went: close the
    iterator (``contextlib.closing()``) if you leave it early.

    Yields:
        How many rows the batch had, by the name of their model.
    """
    total: Counter[str] = Counter()
    try:
        for deleted in _pruned(retention, batch_size):
            total += deleted
            yield deleted
    finally:
        criteria = {
            "before": retention.before.isoformat(timespec="seconds"),
            "namespace": retention.namespace,
            "anonymous": retention.anonymous,
            "status": retention.status,
            "keep_flagged": retention.keep_flagged,
        }
        audit.record(audit.Action.DELETE, actor=None, retention=criteria, deleted=dict(total))


def _pruned(retention: Retention, batch_size: int) -> Iterator[Counter[str]]:
    after: tuple[datetime, int] | None = None
    while True:
        batch = _oldest(retention.threads(), after, batch_size)
        if not batch:
            break
        after = (batch[-1].last_activity, batch[-1].pk)
        keys = [thread.pk for thread in batch]
        stop_answers(Run.objects.filter(thread__in=keys))
        yield _in_transaction(partial(_delete_old, retention, keys))
    for rows in (retention.runs(), retention.files()):
        for keys in _keyset(rows, batch_size):
            yield _in_transaction(partial(delete_rows, rows.filter(pk__in=keys)))


def _oldest(threads: ThreadQuerySet, after: tuple[datetime, int] | None, size: int) -> list[Thread]:
    if after is not None:
        moment, key = after
        threads = threads.filter(Q(last_activity__gt=moment) | Q(pk__gt=key), last_activity__gte=moment)
    return list(threads.only("last_activity").order_by("last_activity", "pk")[:size])


def _keyset(rows: QuerySet[Any], size: int) -> Iterator[list[Any]]:
    keys: list[Any] = []
    while keys := list(
        (rows.filter(pk__gt=keys[-1]) if keys else rows).order_by("pk").values_list("pk", flat=True)[:size]
    ):
        yield keys


def _delete_old(retention: Retention, keys: list[int]) -> Counter[str]:
    """Delete those of the threads that are old under the lock too: one in which somebody has just written stays.

    One that is locked is being written to, or deleted by another who prunes.
    """
    features = connections[router.db_for_write(Thread)].features
    threads = retention.threads().filter(pk__in=keys).order_by("pk")
    locked = threads.select_for_update(skip_locked=features.has_select_for_update_skip_locked)
    found = list(locked.values_list("pk", flat=True))
    if not found:
        return Counter()
    _delete_history(found)
    return delete_rows(Thread.objects.filter(pk__in=found))
