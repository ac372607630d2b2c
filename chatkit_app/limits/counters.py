"""Counters of what has been used of the limits, in the database, so that all server processes count together.

One statement raises all counters of a request, or none: of two processes, only one lets the last request through. A
counter begins with its first use and starts again when its time is over.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from chatkit.types import ThreadsCreateReq
from django.conf import settings
from django.db import connections, router, transaction
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from .. import database_context
from ..conf import chatkit_settings
from ..errors import LimitReached, TooManyAnswers
from ..logs import get_logger
from ..models import AnswerLease, LimitCounter
from ..models.querysets import LimitQuerySet
from ..process.identity import current_process, find_dead
from ..signals import limit_reached
from ..statements import Delete, parameter
from .rules import Limits, LimitsState, limits_of

if TYPE_CHECKING:
    from chatkit.types import StreamingReq

    from ..context import RequestContext

logger = get_logger(__name__)

Scope = Literal["owner", "address"]

_END_LEASE = Delete(lambda: AnswerLease.objects.filter(run_id=parameter(AnswerLease, "run_id")))

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_NEVER_REACHED = 2**62


@dataclass(frozen=True)
class Use:
    """The use that a request makes of one limit."""

    limit: str
    window: timedelta
    scope: Scope = "owner"
    amount: int = 1


MESSAGE_USES = (
    Use("MESSAGES_PER_MINUTE", MINUTE),
    Use("MESSAGES_PER_DAY", DAY),
    Use("ADDRESS_MESSAGES_PER_MINUTE", MINUTE, "address"),
)
THREAD_USES = (Use("THREADS_PER_DAY", DAY),)
RECORDING_USES = (
    Use("RECORDINGS_PER_MINUTE", MINUTE),
    Use("RECORDINGS_PER_DAY", DAY),
    Use("ADDRESS_MESSAGES_PER_MINUTE", MINUTE, "address"),
)
FILE_USES = (Use("FILES_PER_DAY", DAY),)
VISITOR_USES = (Use("ADDRESS_VISITORS_PER_HOUR", HOUR, "address"),)
# Counted by leases. Those who count an owner's answers take turns by the lock of a counter, which these are for
# where no other limit has one.
ANSWER_USES = (
    Use("ANSWERS_AT_ONCE", DAY),
    Use("ADDRESS_ANSWERS_AT_ONCE", DAY, "address"),
)


def file_bytes(size: int) -> Use:
    """Return the use of ``FILE_BYTES_PER_DAY`` by a file of this size in bytes."""
    return Use("FILE_BYTES_PER_DAY", DAY, amount=size)


@dataclass(frozen=True)
class _Counted:
    """A use with whose it is, and what is allowed."""

    use: Use
    key: str
    allowed: int


class _Refused(Exception):
    """An exception that rolls back what the other counters of the request have counted."""


def spend(context: RequestContext, uses: Sequence[Use]) -> None:
    """Count what a request uses. Call it in a database worker, before anything is stored or paid.

    Raises:
        LimitReached: when it is too much of one of them; then nothing is counted.
    """
    counted = _with_limits(context, uses)
    if counted:
        _spend(context, counted, run_id="")


def begin_answer(request: StreamingReq, context: RequestContext, run_id: str) -> None:
    """Count a request that an answer is made for, and the answer among those that are made at once.

    Raises:
        LimitReached, TooManyAnswers: when it is too much; then nothing is counted.
    """
    new_thread = THREAD_USES if isinstance(request, ThreadsCreateReq) else ()
    counted = _with_limits(context, (*MESSAGE_USES, *new_thread))
    limits = limits_of(context)
    for use in ANSWER_USES:
        if limits[use.limit] is not None and not any(each.use.scope == use.scope for each in counted):
            counted += _with_limits(context, (use,), allowed=_NEVER_REACHED)
    _spend(context, counted, run_id=run_id)


def end_answer(run_id: str) -> None:
    """Record that the answer is no longer being made."""
    _END_LEASE().run(run_id=run_id)


def renew_answers(run_ids: Collection[str]) -> None:
    """Record that these answers are still being made, in this process."""
    AnswerLease.objects.filter(pk__in=run_ids).update(expires_at=timezone.now() + _lease_time())


def count_expired() -> int:
    """Return how many rows ``prune_expired()`` would delete now."""
    return LimitCounter.objects.over().count() + AnswerLease.objects.over().count()


def prune_expired() -> int:
    """Delete counters and leases whose time is over. Returns how many these were."""
    return LimitCounter.objects.over().delete()[0] + AnswerLease.objects.over().delete()[0]


# --- Who ----------------------------------------------------------------------------------------------------


def _who(context: RequestContext, scope: Scope) -> str:
    """Return whose counter it is; empty when it cannot be known."""
    if scope == "address":
        return context.state(LimitsState).address_key
    if context.user_id is not None:
        return f"user:{context.user_id}"
    return f"visitor:{context.visitor_id}" if context.visitor_id else ""


def _key(context: RequestContext, scope: Scope, name: str) -> str:
    parts = (database_context.partition(), context.namespace, scope, _who(context, scope), name)
    return _hashed("\n".join(parts), settings.SECRET_KEY)


@lru_cache(maxsize=4096)
def _hashed(text: str, secret: str | bytes) -> str:
    # Kept, since each message asks for half a dozen.
    return salted_hmac("chatkit_app.limits", text, secret=secret, algorithm="sha256").hexdigest()


def _with_limits(
    context: RequestContext, uses: Sequence[Use], *, allowed: int | None = None
) -> list[_Counted]:
    """Return those of the uses that are limited at all."""
    limits = limits_of(context)
    return [
        _Counted(use, _key(context, use.scope, use.limit), limit)
        for use in uses
        if (limit := limits[use.limit] if allowed is None else allowed) is not None
        and _who(context, use.scope)
    ]


# --- Counting -----------------------------------------------------------------------------------------------


def _spend(context: RequestContext, counted: list[_Counted], *, run_id: str) -> None:
    now = timezone.now()
    using = router.db_for_write(LimitCounter)
    try:
        never = next((each for each in counted if each.use.amount > each.allowed), None)
        if never is not None:
            raise LimitReached(limit=never.use.limit)
        # A single counter is raised by a single statement, or not at all.
        is_one = len(counted) == 1 and not run_id
        try:
            with nullcontext() if is_one else transaction.atomic(using=using):
                if counted and _raise_counters(counted, now, using) < len(counted):
                    raise _Refused
                if run_id:
                    _take_lease(context, run_id, now)
        except _Refused:
            raise _refusal(counted, now) from None
    except LimitReached as error:
        logger.warning("%s has reached the limit %s", _who(context, "owner") or "A new visitor", error.limit)
        limit_reached.send_robust(sender=LimitCounter, limit=error.limit, until=error.until, context=context)
        raise


def _raise_counters(counted: list[_Counted], now: datetime, using: str) -> int:
    """Raise those that have room, each row locked until the transaction ends. Returns how many these were.

    The ORM has no upsert that adds, nor one with a condition; this one is the same for PostgreSQL and SQLite.
    """
    connection = connections[using]
    table = connection.ops.quote_name(LimitCounter._meta.db_table)
    rows = ", ".join(["(%s, %s, %s, %s)"] * len(counted))
    expires_at = LimitCounter._meta.get_field("expires_at")

    def moment(value: datetime) -> Any:
        return expires_at.get_db_prep_value(value, connection)

    values: list[Any] = []
    for each in sorted(counted, key=lambda each: each.key):  # all requests lock them in one order
        values += [each.key, each.use.amount, each.allowed, moment(now + each.use.window)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {table} AS used (key, count, allowed, expires_at) VALUES {rows}
            ON CONFLICT (key) DO UPDATE SET
                count = CASE WHEN used.expires_at <= %s THEN excluded.count ELSE used.count + excluded.count END,
                expires_at = CASE WHEN used.expires_at <= %s THEN excluded.expires_at ELSE used.expires_at END,
                allowed = excluded.allowed
            WHERE used.expires_at <= %s OR used.count + excluded.count <= excluded.allowed
            """,
            [*values, moment(now), moment(now), moment(now)],
        )
        return int(cursor.rowcount)


def _refusal(counted: list[_Counted], now: datetime) -> LimitReached:
    """Return the refusal for what is full, and until when: of several, for what is full for longest."""
    known = LimitCounter.objects.on_writer().in_bulk([each.key for each in counted])
    full = [
        (known[each.key].expires_at, each.use.limit)
        for each in counted
        if each.key in known and known[each.key].count + each.use.amount > each.allowed
    ]
    until, limit = max(full, default=(now, counted[0].use.limit))
    return LimitReached(limit=limit, until=max(until, now))


# --- Answers at once ----------------------------------------------------------------------------------------


def _lease_time() -> timedelta:
    """Return how long a lease lasts. The keeper of a process's answers renews them at least every two seconds."""
    return timedelta(seconds=max(4 * chatkit_settings.checkpoint_interval, 6.0))


def _take_lease(context: RequestContext, run_id: str, now: datetime) -> None:
    owner_key, address_key = (
        _key(context, use.scope, "answers") if _who(context, use.scope) else "" for use in ANSWER_USES
    )
    lease = AnswerLease(
        run_id=run_id,
        owner_key=owner_key,
        address_key=address_key,
        process=current_process(),
        expires_at=now + _lease_time(),
    )
    if _insert_where_room(lease, limits_of(context), now):
        return
    # Not its own: the connection may have broken just after it was taken.
    others = AnswerLease.objects.on_writer().filter(expires_at__gt=now).exclude(pk=run_id)
    others = others.filter(Q(owner_key=owner_key) | Q(address_key=address_key))
    full = _full_limit(lease, others, limits_of(context))
    if full and _end_leases_of_dead(others):
        full = _full_limit(lease, others, limits_of(context))
    if full:
        raise TooManyAnswers(limit=full)
    AnswerLease.objects.bulk_create([lease], ignore_conflicts=True)


def _insert_where_room(lease: AnswerLease, limits: Limits, now: datetime) -> bool:
    """Insert the lease unless that makes too many, in one statement, which the ORM has none for."""
    using = router.db_for_write(AnswerLease)
    connection = connections[using]
    fields = AnswerLease._meta.concrete_fields
    quote = connection.ops.quote_name
    table, columns = (
        quote(AnswerLease._meta.db_table),
        ", ".join(quote(field.column or "") for field in fields),
    )
    expires_at = AnswerLease._meta.get_field("expires_at")
    params = [field.get_db_prep_save(getattr(lease, field.attname), connection) for field in fields]
    conditions = []
    for use in ANSWER_USES:
        key, allowed = getattr(lease, f"{use.scope}_key"), limits[use.limit]
        if key and allowed is not None:
            of_same = (
                f"SELECT COUNT(*) FROM {table} WHERE {quote(f'{use.scope}_key')} = %s AND expires_at > %s"
            )
            conditions.append(f"({of_same}) < %s")
            params += [key, expires_at.get_db_prep_save(now, connection), allowed]
    where = " AND ".join(conditions) or "1 = 1"
    placeholders = ", ".join(["%s"] * len(fields))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({columns}) SELECT {placeholders} WHERE {where} ON CONFLICT DO NOTHING",
            params,
        )
        return bool(cursor.rowcount)


def _full_limit(lease: AnswerLease, others: LimitQuerySet[AnswerLease], limits: Limits) -> str:
    """Return the limit that has no room for this lease beside the others; empty when there is room."""
    found = others.aggregate(
        owner=Count("pk", filter=Q(owner_key=lease.owner_key)),
        address=Count("pk", filter=Q(address_key=lease.address_key)),
    )
    for use in ANSWER_USES:
        key, allowed = getattr(lease, f"{use.scope}_key"), limits[use.limit]
        if key and allowed is not None and found[use.scope] >= allowed:
            return use.limit
    return ""


def _end_leases_of_dead(leases: LimitQuerySet[AnswerLease]) -> int:
    """End those whose process has died. Returns how many there were."""
    dead = find_dead(leases.order_by().values_list("process", flat=True).distinct())
    return AnswerLease.objects.filter(process__in=dead).delete()[0] if dead else 0
