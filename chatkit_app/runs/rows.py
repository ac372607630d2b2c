"""The rows of runs: how they began and how they ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from chatkit.types import ThreadItemReplacedEvent, ThreadStreamEvent
from django.db import IntegrityError
from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils import timezone

from .. import db
from ..errors import ThreadBusy, ThreadReadOnly, ThreadWithStaff
from ..models import EarlierItem, VisitorClaim
from ..models import Run as RunRow
from ..models import Thread as ThreadRow
from ..models import ThreadItem as ItemRow
from ..models.querysets import owner_values
from ..process.identity import current_process
from ..server import wire
from ..server.admission import hold
from ..signals import run_finished
from ..statements import Insert, Select, Update, parameter
from ..storable import is_storable_id, storable_json, storable_text
from ..store import claims, codec
from ..store.cut_answers import lost_before
from ..store.queries import threads_of
from ..takeover.handler import handler_fields
from .heartbeats import mark_lost

if TYPE_CHECKING:
    from ..context import RequestContext, Usage

REPEAT_WINDOW = timedelta(seconds=30)

_OUTCOME = (
    "status",
    "failure",
    "error",
    "delivered",
    "model",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "first_token_ms",
    "total_ms",
    "finished_at",
)


def _repeated() -> Any:
    """Select the run that a request has begun before, unless it has been lost, or has reached somebody."""
    goes_on = Q(status=RunRow.Status.RUNNING, heartbeat_at__gte=parameter(RunRow, "heartbeat_at"))
    has_ended = Q(delivered=False, finished_at__gte=parameter(RunRow, "finished_at"))
    runs = RunRow.objects.filter(goes_on | has_ended, request_key=parameter(RunRow, "request_key"))
    return runs.exclude(request_key="").order_by("pk").values_list("pk")[:1]


def _named() -> Any:
    """Select the run that a request of this name has begun before, unless it came to nothing."""
    goes_on = Q(status=RunRow.Status.RUNNING, heartbeat_at__gte=parameter(RunRow, "heartbeat_at"))
    is_done = Q(status__in=_DONE)
    has_stored = Exists(ItemRow.objects.visible().filter(run_id=OuterRef("pk")))
    # Or another message took the place of this one since.
    had_stored = Exists(EarlierItem.objects.visible().filter(run_id=OuterRef("pk")))
    runs = RunRow.objects.filter(
        goes_on | is_done | has_stored | had_stored, request_key=parameter(RunRow, "request_key")
    )
    return runs.order_by("-pk").values_list("pk")[:1]


def _claimed_by(name: str) -> Subquery:
    """Return an expression for the user whom a visitor has become, whose id is the parameter of this name."""
    claims_of = VisitorClaim.objects.filter(visitor_id=parameter(VisitorClaim, "visitor_id", name))
    return Subquery(claims_of.values("user_id")[:1])


def _entry(kind: str, *, asks_claim: bool, asked: str) -> Any:
    """Select the owner's thread that a message is sent to, and what else is asked of every message.

    Args:
        kind: that of the owner.
        asks_claim: whether the session's visitor may have logged in.
        asked: what is known of the request, by which a run is found that it has begun before.
    """
    threads = threads_of(kind)
    if asks_claim:
        threads = threads.annotate(claimed_by=_claimed_by("claimed_visitor_id"))
    if asked:
        threads = threads.annotate(begun_run=Subquery(_named() if asked == "named" else _repeated()))
    return threads[:1]


_DONE = (RunRow.Status.COMPLETED, RunRow.Status.HELD)
_REPEATED = Select(_repeated)
# Who sends it again may be faster than a replica is.
_NAMED = Select(_named, on_writer=True)
_ENTRY = Select(_entry, on_writer=True)
_INSERT = Insert(RunRow)


def _ended() -> Any:
    """Select a run and how it ends, and whether staff did something to it, or to its thread, while it went on.

    Of the thread it tells how it was when the run's row was not locked yet. Who has changed it since wanted to stop the
    run, and has either come to the row before this, or found that it had ended.
    """
    as_usual = Q(status=ThreadRow.Status.ACTIVE, handler=ThreadRow.Handler.ASSISTANT)
    threads = ThreadRow.objects.filter(pk=OuterRef("thread_id")).exclude(as_usual)
    runs = RunRow.objects.annotate(changed_thread=Subquery(threads.values("pk")[:1]))
    return runs.filter(pk=parameter(RunRow, "id")), {name: parameter(RunRow, name) for name in _OUTCOME}


_END = Update(_ended, returning=["withdrawn", "stop_requested", "changed_thread"])


def _thread_state() -> Any:
    """Select a thread's status, who answers there, and who its visitor has become since the request came in."""
    threads = ThreadRow.objects.filter(pk=parameter(ThreadRow, "id"))
    return threads.annotate(claimed_by=_claimed_by("visitor_id")).values_list(
        "status", "handler", "claimed_by"
    )


_THREAD_STATE = Select(_thread_state, on_writer=True)
# Runs that staff have done something to while they went on.
_CONCERNED = Select(
    lambda: (
        RunRow.objects.filter(
            Q(withdrawn=True)
            | ~Q(thread__status=ThreadRow.Status.ACTIVE)
            | ~Q(thread__handler=ThreadRow.Handler.ASSISTANT)
        )
        .filter(pk=parameter(RunRow, "id"))
        .values_list("pk")
    )
)


@dataclass(frozen=True, kw_only=True)
class RunStart:
    """The facts that are known of an answer when it begins."""

    public_id: str
    thread_pk: int | None
    operation: str
    request_key: str
    context: RequestContext


@dataclass(frozen=True, kw_only=True)
class RunOutcome:
    """The end of an answer, and its cost.

    Attributes:
        failure: what kind of failure it was, if it was one.
        error: what was wrong, for staff.
        delivered: whether a reader got it to its end, or is about to.
        first_token_ms, total_ms: since its beginning; None for an answer without a text.
    """

    status: RunRow.Status
    failure: RunRow.Failure | None
    error: str
    delivered: bool
    usage: Usage
    first_token_ms: int | None
    total_ms: int


def record_start(start: RunStart) -> int:
    """Give a run its row. Returns the row's key.

    A visitor who has logged in meanwhile becomes the user, and so does the context. Where a person of the staff took
    the thread over meanwhile, or handed it back, the context says so.

    Raises:
        ThreadBusy: when the thread has another one that is running.
        ThreadReadOnly: when staff locked or closed the thread after the request had been admitted.
        ThreadWithStaff: when they took it over, and the request brings nothing that they could read.
    """
    pk = _insert(start)
    # Staff write the status, or who answers, and then look for answers to stop; here it is the row first and then the
    # status. Of two who write before they look, one at least sees the other.
    if start.thread_pk is None:
        claims.settle(start.context)
        return pk
    visitor_id = start.context.visitor_id or ""
    found = _THREAD_STATE().first(id=start.thread_pk, visitor_id=visitor_id)
    status, handler, claimed_by = found or (ThreadRow.Status.ACTIVE, ThreadRow.Handler.ASSISTANT, None)
    if claimed_by is not None:
        claims.settle(start.context)
    is_active = status == ThreadRow.Status.ACTIVE
    thread = None if is_active else ThreadRow.objects.on_writer().filter(pk=start.thread_pk).first()
    try:
        if thread is not None and thread.is_read_only:
            raise ThreadReadOnly(codec.decode_thread(thread).status)
        hold(start.operation, start.context, is_held=handler != ThreadRow.Handler.ASSISTANT)
    except (ThreadReadOnly, ThreadWithStaff):
        RunRow.objects.filter(pk=pk).update(
            status=RunRow.Status.STOPPED, delivered=True, finished_at=timezone.now()
        )
        raise
    return pk


def _insert(start: RunStart) -> int:
    context = start.context
    fields = {
        "public_id": start.public_id,
        "thread_id": start.thread_pk,
        "user_id": context.user_id,
        "visitor_id": "" if context.user_id is not None else (context.visitor_id or ""),
        "namespace": context.namespace,
        "operation": start.operation,
        "request_key": start.request_key,
        "process": current_process(),
        "context": storable_json(context.for_staff()),
    }
    for _attempt in (1, 2):
        try:
            with db.savepoint(RunRow):
                return int(_INSERT().run(**fields))
        except IntegrityError:
            mine = RunRow.objects.filter(public_id=start.public_id).first()
            if mine is not None:  # the connection broke after the row was written
                return int(mine.pk)
            if start.thread_pk is None or not mark_lost(RunRow.objects.filter(thread_id=start.thread_pk)):
                break
    raise ThreadBusy


def record_end(pk: int, outcome: RunOutcome, *, locale: str | None) -> list[ThreadStreamEvent]:
    """Write down how a run ended. Returns what staff did meanwhile, for its readers."""
    usage = outcome.usage
    fields: dict[str, Any] = {
        "status": outcome.status,
        "failure": outcome.failure or "",
        "error": storable_text(outcome.error)[:2000],
        "delivered": outcome.delivered,
        "model": storable_text(usage.model)[:200],
        "input_tokens": usage.input_tokens,
        "cached_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
        "first_token_ms": outcome.first_token_ms,
        "total_ms": outcome.total_ms,
        "finished_at": timezone.now(),
    }
    withdrawn, *others = _END().new_values(id=pk, **fields) or (False,)
    if withdrawn and fields["error"]:
        # What was redacted while the answer was made may be quoted there.
        RunRow.objects.filter(pk=pk, withdrawn=True).update(error="")
    if run_finished.has_listeners(RunRow):
        row = RunRow.objects.filter(pk=pk).first()
        if row is not None:
            run_finished.send(sender=RunRow, run=row)
    return _events(pk, locale=locale) if withdrawn or any(others) else []


def staff_events(run_pk: int, *, locale: str | None) -> list[ThreadStreamEvent]:
    """Return events for a reader about what staff did while the run ran: redactions, the thread's status, takeovers.

    Without it an open page would show until its next reload what is no longer there.
    """
    return _events(run_pk, locale=locale) if _CONCERNED().rows(id=run_pk) else []


def _events(run_pk: int, *, locale: str | None) -> list[ThreadStreamEvent]:
    row = RunRow.objects.filter(pk=run_pk).select_related("thread").first()
    if row is None or row.thread is None or not (row.withdrawn or _is_changed(row.thread)):
        return []
    events: list[ThreadStreamEvent] = []
    if row.withdrawn:
        until = row.finished_at or timezone.now()
        redacted = ItemRow.objects.visible().filter(
            thread_id=row.thread.pk, redacted_at__range=(row.started_at, until)
        )
        for item in redacted.order_by("pk"):
            found = codec.decode_item(item, thread_id=row.thread.public_id, locale=locale)
            events.append(ThreadItemReplacedEvent(item=found))
    handler = handler_fields(row.thread) if row.thread.is_with_staff else None
    events.append(wire.thread_event(codec.decode_thread(row.thread), handler=handler))
    return events


def _is_changed(thread: ThreadRow) -> bool:
    return thread.status != ThreadRow.Status.ACTIVE or thread.is_with_staff


@dataclass(frozen=True, kw_only=True)
class Entry:
    """The state of a message before anything is done about it.

    Attributes:
        thread: the owner's thread that it is sent to; None for a new one, and for one that there is not.
        begun: the row of the run that the same request has begun before.
    """

    thread: ThreadRow | None = None
    begun: RunRow | None = None


def find_entry(
    thread_id: str | None,
    context: RequestContext,
    *,
    visitor_id: str | None,
    request_key: str,
    is_named: bool,
) -> Entry:
    """Look up what there is of a message.

    Args:
        thread_id: the thread that it is sent to; None for what is kept elsewhere, or begins one.
        context: whose thread it is.
        visitor_id: the visitor of the session; None for a user.
        request_key, is_named: as in ``RunRequest``.

    Raises:
        VisitorHasLoggedIn: when this visitor has.
    """
    kind, values = owner_values(context)
    asked = "" if not request_key else "named" if is_named else "repeated"
    if thread_id is not None and kind and is_storable_id(thread_id):
        values |= {"public_id": thread_id, **_values_of(asked, request_key)}
        if visitor_id:
            values["claimed_visitor_id"] = visitor_id
        thread: Any = _ENTRY(kind, asks_claim=bool(visitor_id), asked=asked).first(**values)
        if thread is not None:
            if visitor_id and thread.claimed_by is not None:
                raise claims.VisitorHasLoggedIn
            begun_pk = thread.begun_run if asked else None
            # Hardly ever: by all others a whole row need not be read.
            begun = None if begun_pk is None else RunRow.objects.on_writer().filter(pk=begun_pk).first()
            return Entry(thread=thread, begun=begun)
    if visitor_id and claims.is_claimed(visitor_id):
        raise claims.VisitorHasLoggedIn
    return Entry(begun=find_begun_row(request_key, is_named=is_named))


def _values_of(asked: str, request_key: str) -> dict[str, Any]:
    """Return the values of ``_named()`` or ``_repeated()``."""
    match asked:
        case "named":
            return {"request_key": request_key, "heartbeat_at": lost_before()}
        case "repeated":
            since = timezone.now() - REPEAT_WINDOW
            return {"request_key": request_key, "heartbeat_at": lost_before(), "finished_at": since}
    return {}


def find_begun_row(request_key: str, *, is_named: bool) -> RunRow | None:
    """Return the run of any process that the same request has begun before.

    Args:
        request_key: what it is known by; empty for nothing.
        is_named: whether the request has a name: then it is found unless nothing of it was stored, else as long as it
            has not reached anybody.
    """
    if not request_key:
        return None
    select = _NAMED() if is_named else _REPEATED()
    found = select.first(**_values_of("named" if is_named else "repeated", request_key))
    return None if found is None else RunRow.objects.on_writer().filter(pk=found[0]).first()


def find_withdrawn_row(public_id: str) -> RunRow | None:
    """Return the row of this run if something that it sent was redacted."""
    return RunRow.objects.on_writer().filter(public_id=public_id, withdrawn=True).first()
