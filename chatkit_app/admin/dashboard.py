"""Statistics of the site, day by day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..conf import chatkit_settings
from ..models import DailyStatistics, Flag
from ..staff import scope, statistics
from ..staff.answering import count_answering
from ..staff.statistics import percentile
from .base import ReadingAdmin
from .charts import Chart, Series, Style, day_name, percent, points, seconds, short_number, whole_number
from .content import age, shorten

DAY_RANGES = (7, 30, 90)
MAX_COUNTED = 3
"""Finished days that one view of the page counts, if nobody has."""

MODELS_SHOWN = 4
_MODEL_STYLES: tuple[Style, ...] = ("first", "second", "third", "fourth")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number of the headline."""

    label: str
    value: str
    note: str = ""
    change: str = ""
    note_change: str = ""
    """How the number in the note has changed."""
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Period:
    """The days of the page, and those before it.

    Attributes:
        days: oldest first; the last is today.
        counted: the numbers of each day; those of which none are known are missing.
        uncounted: finished days that somebody should count.
        comparable: finished days of the period, and as many before it; empty unless all of them are known.
    """

    days: Sequence[date]
    counted: statistics.Days
    uncounted: Sequence[date] = ()
    comparable: tuple[Sequence[DailyStatistics], Sequence[DailyStatistics]] = ((), ())

    @cached_property
    def rows(self) -> list[DailyStatistics]:
        return [self.counted[day] for day in self.days if day in self.counted]

    @cached_property
    def total(self) -> DailyStatistics:
        return statistics.total(self.rows)

    def values(self, value: Callable[[DailyStatistics], int | None]) -> list[int | None]:
        """Return a number of each day, None where the day is not known."""
        return [value(self.counted[day]) if day in self.counted else None for day in self.days]


@admin.register(DailyStatistics)
class DashboardAdmin(ReadingAdmin):
    """A page of statistics in the place of a list of days.

    What is stored is of the whole site. Under ``CHATKIT["ADMIN_SCOPE"]`` nobody is shown it: all days are counted anew,
    from the threads of the staff member.
    """

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[Any]:
        # No page of a single row: it would tell of the whole site.
        view = self.admin_site.admin_view(self.changelist_view)
        return [path("", view, name="chatkit_app_dailystatistics_changelist")]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        is_scoped = chatkit_settings.admin_scope is not None
        length = _length(request, default=7 if is_scoped else 30)
        period = _scoped_period(request.user, length) if is_scoped else _period(length)
        context = self.page_context(
            request,
            title=_("Statistics"),
            ranges=[
                (days, ngettext("%(count)d day", "%(count)d days", days) % {"count": days}, days == length)
                for days in DAY_RANGES
            ],
            is_scoped=is_scoped,
            uncounted=len(period.uncounted),
            command=_command(period.uncounted),
            figures=[*_figures(period), self._flag_figure(request)],
            charts=_charts(period),
            models=_models(period),
            people=_people(period, scope.threads_of(request.user) if is_scoped else None),
            **(extra_context or {}),
        )
        return TemplateResponse(request, "admin/chatkit_app/dashboard.html", context)

    def _flag_figure(self, request: HttpRequest) -> Figure:
        found = statistics.open_flags(scope.within(Flag.objects.all(), request.user))
        age = _("oldest: %(oldest)s, median: %(median)s") % {
            "oldest": _age(found.oldest),
            "median": _age(found.median),
        }
        may_view = request.user.has_perm("chatkit_app.view_flag") and self.admin_site.is_registered(Flag)
        return Figure(
            label=_("Open flags"),
            value=whole_number(found.number),
            note=age if found.number else "",
            url=reverse(f"{self.admin_site.name}:chatkit_app_flag_changelist") if may_view else "",
        )


def _length(request: HttpRequest, *, default: int) -> int:
    return next((days for days in DAY_RANGES if request.GET.get("days") == str(days)), default)


def _command(uncounted: Sequence[date]) -> str:
    return (
        f"manage.py chatkit_statistics --days {(statistics.today() - uncounted[0]).days}" if uncounted else ""
    )


# The days


def _period(length: int) -> Period:
    """Return the period from what is stored, with today as it is now."""
    today = statistics.today()
    first, yesterday = today - timedelta(days=2 * length - 1), today - timedelta(days=1)
    stored = statistics.stored(first, yesterday)
    due = statistics.due(first, yesterday, among=stored)
    newest, uncounted = due[-MAX_COUNTED:], due[:-MAX_COUNTED]
    stored |= {row.day: row for row in statistics.store_days(newest)}
    days = statistics.days_between(today - timedelta(days=length - 1), today)
    # Before the first thread there is nothing to count, and nothing happened.
    began = [day for day in days if day not in stored and day not in uncounted]
    counted = {day: DailyStatistics(day=day) for day in began} | stored | {today: statistics.count_day(today)}
    return _compared(Period(days=days, counted=counted, uncounted=uncounted), stored)


def _scoped_period(user: Any, length: int) -> Period:
    """Return the period counted now, from the threads in a staff member's scope."""
    today = statistics.today()
    first = today - timedelta(days=2 * length - 1)
    counted = statistics.count_days(first, today, scope.threads_of(user))
    return _compared(Period(days=[*counted][-length:], counted=counted), counted)


def _compared(period: Period, known: statistics.Days) -> Period:
    finished = period.days[:-1]
    before = [day - timedelta(days=len(finished)) for day in finished]
    if not known.keys() >= {*finished, *before}:
        return period
    return replace(period, comparable=([known[day] for day in finished], [known[day] for day in before]))


# The headline


def _figures(period: Period) -> list[Figure]:
    whole = period.total
    now, before = (statistics.total(rows) for rows in period.comparable)

    def change(value: Callable[[DailyStatistics], float | None]) -> str:
        return _change(value(now), value(before))

    def change_of_share(value: Callable[[DailyStatistics], float | None]) -> str:
        return _change_of_share(value(now), value(before))

    feedback = whole.positive + whole.negative
    return [
        Figure(
            label=_("Messages of users"),
            value=whole_number(whole.messages),
            change=change(lambda t: t.messages),
        ),
        Figure(label=_("New threads"), value=whole_number(whole.threads), change=change(lambda t: t.threads)),
        Figure(
            label=_("Active owners per day"),
            value=short_number(whole.owners / max(len(period.rows), 1)),
            note=_("users and visitors, on average"),
            change=change(lambda t: t.owners),
        ),
        Figure(
            label=_("Feedback rate"),
            value=_share(_feedback_rate(whole)),
            note=_("%(share)s of it positive")
            % {"share": _share(whole.positive / feedback if feedback else None)},
            change=change_of_share(_feedback_rate),
        ),
        Figure(
            label=_("Answer time, median"),
            value=_time(percentile(whole.times, 0.5)),
            note=_("first words after %(time)s") % {"time": _time(percentile(whole.first_tokens, 0.5))},
            change=change(lambda t: percentile(t.times, 0.5)),
        ),
        Figure(
            label=_("Answer time, 95th percentile"),
            value=_time(percentile(whole.times, 0.95)),
            note=_("first words after %(time)s") % {"time": _time(percentile(whole.first_tokens, 0.95))},
            change=change(lambda t: percentile(t.times, 0.95)),
        ),
        Figure(
            label=_("Failed answers"),
            value=whole_number(whole.errors),
            note=_("%(share)s of all answers") % {"share": _share(_error_rate(whole))},
            note_change=change_of_share(_error_rate),
        ),
        Figure(
            label=_("Tokens"),
            value=short_number(_tokens(whole)),
            note=_("%(input)s in, %(output)s out")
            % {"input": short_number(_used(whole, "input")), "output": short_number(_used(whole, "output"))},
            change=change(_tokens),
        ),
    ]


def _feedback_rate(row: DailyStatistics) -> float | None:
    return (row.positive + row.negative) / row.answers if row.answers else None


def _error_rate(row: DailyStatistics) -> float | None:
    return row.errors / row.answers if row.answers else None


def _used(row: DailyStatistics, name: str) -> int:
    return sum(used.get(name, 0) for used in row.tokens.values())


def _tokens(row: DailyStatistics) -> int:
    return _used(row, "input") + _used(row, "output")


def _share(share: float | None) -> str:
    return "–" if share is None else percent(share)


def _time(milliseconds: int | None) -> str:
    return "–" if milliseconds is None else seconds(milliseconds)


def _age(moment: datetime | None) -> str:
    return "–" if moment is None else age(moment) or _("less than a minute")


def _change(now: float | None, before: float | None) -> str:
    return _signed((now - before) / before, percent) if now is not None and before else ""


def _change_of_share(now: float | None, before: float | None) -> str:
    return "" if now is None or before is None else _signed(now - before, points)


def _signed(change: float, text: Callable[[float], str]) -> str:
    sign = "+" if round(change, 3) > 0 else "−" if round(change, 3) < 0 else "±"
    return sign + text(abs(change))


# The charts


def _charts(period: Period) -> list[Chart]:
    days = [day_name(day) for day in period.days]

    def series(
        label: str,
        value: Callable[[DailyStatistics], int | None],
        style: Style = "first",
        *,
        is_line: bool = False,
    ) -> Series:
        return Series(label=label, values=period.values(value), style=style, is_line=is_line)

    return [
        Chart(
            name="messages",
            title=_("Messages and threads"),
            days=days,
            series=[
                series(_("Messages of users"), lambda t: t.messages),
                series(_("New threads"), lambda t: t.threads, "second", is_line=True),
            ],
        ),
        Chart(
            name="owners",
            title=_("Active owners"),
            note=_(
                "Users and visitors who asked for an answer on the day. Those who came on two days are counted on both."
            ),
            days=days,
            series=[series(_("Active owners"), lambda t: t.owners)],
        ),
        Chart(
            name="times",
            title=_("Answer time"),
            note=_("Of completed answers, exact to a tenth."),
            days=days,
            series=[
                series(_("Median"), lambda t: percentile(t.times, 0.5), is_line=True),
                series(_("95th percentile"), lambda t: percentile(t.times, 0.95), "second", is_line=True),
            ],
            in_full=seconds,
            in_short=seconds,
        ),
        Chart(
            name="errors",
            title=_("Failed, interrupted and stopped answers"),
            note=_("An answer is interrupted when the server that makes it is restarted or goes down."),
            days=days,
            series=[
                series(_("Failed"), lambda t: t.errors, "bad"),
                series(_("Interrupted"), lambda t: t.interrupted, "second"),
                series(_("Stopped"), lambda t: t.stopped, "rest"),
            ],
        ),
        Chart(
            name="feedback",
            title=_("Feedback"),
            note=_("Feedback by the day on which it was given or last changed."),
            days=days,
            series=[
                series(_("Positive"), lambda t: t.positive),
                series(_("Negative"), lambda t: t.negative, "bad"),
            ],
        ),
        Chart(
            name="tokens",
            title=_("Tokens by model"),
            note=_("Input and output together."),
            days=days,
            series=_token_series(period),
        ),
    ]


def _token_series(period: Period) -> list[Series]:
    def used(names: Iterable[str]) -> Callable[[DailyStatistics], int]:
        wanted = set(names)
        return lambda row: sum(
            used.get("input", 0) + used.get("output", 0)
            for name, used in row.tokens.items()
            if name in wanted
        )

    names = _by_use(period)
    found = [
        Series(label=_model_name(name), values=period.values(used([name])), style=style)
        for name, style in zip(names, _MODEL_STYLES, strict=False)
    ]
    if len(names) > MODELS_SHOWN:
        rest = period.values(used(names[MODELS_SHOWN:]))
        found.append(Series(label=_("Other models"), values=rest, style="rest"))
    return found or [Series(label=_("Tokens"), values=period.values(lambda row: 0))]


def _by_use(period: Period) -> list[str]:
    tokens = period.total.tokens
    return sorted(
        tokens, key=lambda name: (-tokens[name].get("input", 0) - tokens[name].get("output", 0), name)
    )


def _model_name(name: str) -> str:
    return shorten(name, 40) or _("Unnamed model")


def _people(period: Period, threads: Any) -> list[tuple[str, list[str]]]:
    """Return for all people who answered, and for each: threads taken over, answers, and how long users waited."""
    return [
        (
            found.name or _("All"),
            [
                whole_number(found.taken),
                whole_number(found.answers),
                _time(found.to_person),
                _time(found.to_answer),
            ],
        )
        for found in count_answering(period.days[0], period.days[-1], threads)
    ]


def _models(period: Period) -> list[tuple[str, list[str]]]:
    """Return for each model what it was used for: answers, and tokens in, of them cached, and out."""
    tokens = period.total.tokens
    names = _by_use(period)
    used = [(_model_name(name), Counter(tokens[name])) for name in names[:MODELS_SHOWN]]
    if len(names) > MODELS_SHOWN:
        rest = sum((Counter(tokens[name]) for name in names[MODELS_SHOWN:]), Counter[str]())
        used.append((_("Other models"), rest))
    columns = ("answers", "input", "cached", "output")
    return [(name, [whole_number(counter[column]) for column in columns]) for name, counter in used]
