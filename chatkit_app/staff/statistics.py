"""Counting: what happened on a day, and what is stored so that nobody counts it twice.

A day is one of the site's own time zone (``settings.TIME_ZONE``), also where a page shows its times in another one,
and belongs to that zone's clock: some have 23 hours, some 25.

What a stored day says stays, whatever is deleted or erased later: it holds no content and nobody's id. Counting it
again (``manage.py chatkit_statistics --again``) tells what is left of it.

Times are kept as histograms whose limits grow by a tenth, from which the percentiles of any number of days can be told,
each less than a tenth (or a millisecond) from the true one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Case, Count, F, FloatField, Min, Q, QuerySet, Sum, Value, When, Window
from django.db.models.functions import Cast, Ceil, Ln, RowNumber, TruncDate
from django.utils import timezone

from ..models import DailyStatistics, EarlierItem, Feedback, Flag, Run, Thread, ThreadItem

STEP_RATIO = 1.1
"""How much larger each limit of a histogram is than the one before."""

SETTLED_AFTER = timedelta(hours=1)
"""How long after its end a day may still change, by answers that began before midnight."""

Histogram = Mapping[str, int]
Days = dict[date, DailyStatistics]

_COUNTS = (
    "threads",
    "messages",
    "owners",
    "answers",
    "errors",
    "interrupted",
    "stopped",
    "positive",
    "negative",
)
_COUNTED = (*_COUNTS, "times", "first_tokens", "tokens", "counted_at")


# Days


def today() -> date:
    """Return the day that is not over, in the site's time zone."""
    now = timezone.now()
    return (
        timezone.localtime(now, timezone.get_default_timezone()) if timezone.is_aware(now) else now
    ).date()


def days_between(first: date, last: date) -> list[date]:
    """Return all days from the first to the last, both included."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def start_of(day: date) -> datetime:
    """Return the moment at which a day begins."""
    midnight = datetime.combine(day, time.min)
    # A naive moment is what rows hold with USE_TZ = False.
    zone = timezone.get_default_timezone()
    return timezone.make_aware(midnight, zone) if timezone.is_aware(timezone.now()) else midnight


def first_day() -> date | None:
    """Return the day of the oldest thread, or None while there is none."""
    oldest = Thread.objects.aggregate(oldest=Min("created_at"))["oldest"]
    if oldest is None:
        return None
    zone = timezone.get_default_timezone()
    return (timezone.localtime(oldest, zone) if timezone.is_aware(oldest) else oldest).date()


# Counting


def count_day(day: date, threads: QuerySet[Thread] | None = None) -> DailyStatistics:
    """Count one day, as it is now. The row is not saved.

    Args:
        day: also one that is not over.
        threads: what to keep to, for staff who may know of these threads only; everything unless given.
    """
    return count_days(day, day, threads)[day]


def count_days(first: date, last: date, threads: QuerySet[Thread] | None = None) -> Days:
    """Count each of these days, as ``count_day`` does, in seven queries however many days there are."""
    now = timezone.now()
    counted = {day: DailyStatistics(day=day, counted_at=now) for day in days_between(first, last)}

    def by_day(rows: QuerySet[Any], moment: str, thread: str) -> Any:
        if threads is not None:
            rows = rows.filter(**{f"{thread}__in": threads.order_by().values("pk")})
        rows = rows.filter(
            **{f"{moment}__gte": start_of(first), f"{moment}__lt": start_of(last + timedelta(days=1))}
        )
        day = TruncDate(moment, tzinfo=timezone.get_default_timezone())
        return rows.annotate(day=day).order_by().values("day")

    new_threads = by_day(Thread.objects.all(), "created_at", "pk")
    for row in new_threads.annotate(number=Count("pk")):
        counted[row["day"]].threads = row["number"]

    for model in (ThreadItem, EarlierItem):  # those that were edited since were sent all the same
        messages = model._default_manager.filter(type=ThreadItem.Type.USER_MESSAGE)
        for row in by_day(messages, "created_at", "thread").annotate(number=Count("pk")):
            counted[row["day"]].messages += row["number"]

    feedback = by_day(Feedback.objects.all(), "updated_at", "item__thread")
    for row in feedback.values("day", "kind").annotate(number=Count("pk")):
        setattr(counted[row["day"]], row["kind"], row["number"])

    runs = by_day(Run.objects.all(), "started_at", "thread")
    for row in runs.annotate(
        users=Count("user_id", distinct=True),
        visitors=Count("visitor_id", distinct=True, filter=~Q(visitor_id="")),
        answers=Count("pk", filter=~Q(status__in=(Run.Status.RUNNING, Run.Status.HELD))),
        errors=Count("pk", filter=Q(status=Run.Status.FAILED)),
        interrupted=Count("pk", filter=Q(status=Run.Status.LOST)),
        stopped=Count("pk", filter=Q(status=Run.Status.STOPPED)),
    ):
        found = counted[row["day"]]
        found.owners = row["users"] + row["visitors"]
        for name in ("answers", "errors", "interrupted", "stopped"):
            setattr(found, name, row[name])

    with_usage = runs.exclude(input_tokens__isnull=True, output_tokens__isnull=True)
    for row in with_usage.values("day", "model").annotate(
        answers=Count("pk"),
        input=Sum("input_tokens"),
        cached=Sum("cached_tokens"),
        output=Sum("output_tokens"),
    ):
        counted[row["day"]].tokens[row["model"]] = {
            name: row[name] or 0 for name in ("answers", "input", "cached", "output")
        }

    completed = When(status=Run.Status.COMPLETED, then=_step("total_ms"))
    timed = runs.annotate(total=Case(completed), first=_step("first_token_ms"))
    for row in timed.values("day", "total", "first").annotate(number=Count("pk")):
        found = counted[row["day"]]
        _add(found.times, row["total"], row["number"])
        _add(found.first_tokens, row["first"], row["number"])
    return counted


def _step(milliseconds: str) -> Any:
    """Return which power of ``STEP_RATIO`` is the limit of a time; one is added, since zero has no logarithm."""
    return Ceil(Ln(Cast(milliseconds, FloatField()) + Value(1.0)) / Value(math.log(STEP_RATIO)))


def _add(histogram: dict[str, int], step: float | None, number: int) -> None:
    if step is not None:
        limit = str(math.floor(STEP_RATIO ** int(step)) - 1)
        histogram[limit] = histogram.get(limit, 0) + number


# What is stored


def stored(first: date, last: date) -> Days:
    """Return what is stored of these days."""
    return {row.day: row for row in DailyStatistics.objects.filter(day__gte=first, day__lte=last)}


def due(
    first: date | None = None,
    last: date | None = None,
    *,
    among: Days | None = None,
    again: bool = False,
) -> list[date]:
    """Return the finished days, oldest first, that are not stored, or were when they could still change.

    Args:
        first: the first day to look at; the oldest thread's unless given, and never before that.
        last: the last one; yesterday unless given, and never after it.
        among: what is stored of these days, if that is known.
        again: all of them, stored or not.
    """
    yesterday = today() - timedelta(days=1)
    last = yesterday if last is None else min(last, yesterday)
    if (
        among is not None
        and first is not None
        and not again
        and _settled(among).issuperset(days_between(first, last))
    ):
        return []
    oldest = first_day()
    if oldest is None:
        return []
    first = oldest if first is None else max(first, oldest)
    settled = set() if again else _settled(stored(first, last) if among is None else among)
    return [day for day in days_between(first, last) if day not in settled]


def _settled(rows: Days) -> set[date]:
    return {
        day
        for day, row in rows.items()
        if row.counted_at >= start_of(day + timedelta(days=1)) + SETTLED_AFTER
    }


def store_days(days: Iterable[date]) -> list[DailyStatistics]:
    """Count these days and store them, one by one. Who does so at the same time does no harm.

    Args:
        days: as ``due`` gives them. Days that are not over are left out.
    """
    rows = []
    for day in days:
        if day < today():
            row = count_day(day)
            DailyStatistics.objects.bulk_create(
                [row], update_conflicts=True, unique_fields=["day"], update_fields=_COUNTED
            )
            rows.append(row)
    return rows


# Reading


def total(rows: Iterable[DailyStatistics]) -> DailyStatistics:
    """Return many days as one. Its ``owners`` are those of each day added up: who came on two days is counted twice."""
    whole = DailyStatistics()
    times, first_tokens = Counter[str](), Counter[str]()
    for row in rows:
        for name in _COUNTS:
            setattr(whole, name, getattr(whole, name) + getattr(row, name))
        times.update(row.times)
        first_tokens.update(row.first_tokens)
        for model, used in row.tokens.items():
            whole.tokens[model] = dict(Counter(whole.tokens.get(model, {})) + Counter(used))
    whole.times, whole.first_tokens = dict(times), dict(first_tokens)
    return whole


def percentile(histogram: Histogram, share: float) -> int | None:
    """Return the milliseconds within which this share of the answers was done; None without answers.

    Answers of one limit are taken to be spread evenly below it, so this is hardly ever a tenth off.
    """
    rank = math.ceil(share * sum(histogram.values()))
    seen = 0
    for limit, number in sorted((int(limit), number) for limit, number in histogram.items()):
        seen += number
        if seen >= rank:
            below = (limit + 1) / STEP_RATIO - 1
            return round(limit - (limit - below) * (seen - rank + 0.5) / number)
    return None


@dataclass(frozen=True, kw_only=True)
class OpenFlags:
    """The open flags: how many wait, and since when the oldest and the middle one do."""

    number: int = 0
    oldest: datetime | None = None
    median: datetime | None = None


def open_flags(flags: QuerySet[Flag]) -> OpenFlags:
    """Look at those of the flags that nobody has resolved, in one query."""
    rows = flags.filter(resolved_at__isnull=True).annotate(
        number=Window(Count("pk")), place=Window(RowNumber(), order_by="created_at")
    )
    picked = rows.filter(Q(place=1) | Q(place=(F("number") + 1) / 2)).order_by("place")
    found = list(picked.values_list("number", "created_at"))
    return OpenFlags(number=found[0][0], oldest=found[0][1], median=found[-1][1]) if found else OpenFlags()
