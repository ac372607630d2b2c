from collections.abc import Callable
from datetime import date, datetime, timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from chatkit_app.models import DailyStatistics, Feedback, Flag, Run, Thread
from chatkit_app.staff import statistics

from ..admin.conftest import make_item, make_run, make_thread

pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")
DAY = date(2026, 3, 10)


def at(day: date, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=BERLIN)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Set what time it is."""

    def set_to(moment: datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: moment)

    return set_to


@pytest.fixture
def next_day(clock: Callable[[datetime], None]) -> None:
    clock(at(DAY + timedelta(days=1)))


# A day


def test_day_of_an_empty_day() -> None:
    row = statistics.count_day(DAY)
    assert [getattr(row, name) for name in statistics._COUNTS] == [0] * 9
    assert (row.times, row.first_tokens, row.tokens, row.pk) == ({}, {}, {}, None)


def test_day_counts_threads_and_messages_of_users() -> None:
    thread = make_thread(created_at=at(DAY))
    make_thread(created_at=at(DAY + timedelta(days=1)))
    make_item(thread, created_at=at(DAY))
    make_item(thread, created_at=at(DAY))
    make_item(thread, "assistant_message", created_at=at(DAY))
    make_item(thread, created_at=at(DAY - timedelta(days=1)))
    row = statistics.count_day(DAY)
    assert (row.threads, row.messages) == (1, 2)


def test_day_counts_an_owner_once() -> None:
    user = User.objects.create_user("maria")
    for owner in (
        {"user": user},
        {"user": user, "namespace": "b"},
        {"visitor_id": "v"},
        {"visitor_id": "v"},
        {},
    ):
        make_run(status="completed", started_at=at(DAY), **owner)
    assert statistics.count_day(DAY).owners == 2


def test_day_counts_answers_by_how_they_ended() -> None:
    for status in ("completed", "completed", "failed", "lost", "stopped"):
        make_run(status=status, started_at=at(DAY))
    make_run(status="running", started_at=at(DAY))
    row = statistics.count_day(DAY)
    assert (row.answers, row.errors, row.interrupted, row.stopped) == (5, 1, 1, 1)


def test_day_counts_feedback_on_the_day_they_last_changed() -> None:
    item = make_item(make_thread())
    for number, (kind, day) in enumerate(
        [("positive", 0), ("positive", 0), ("negative", 0), ("negative", 1)]
    ):
        moment = at(DAY + timedelta(days=day))
        Feedback.objects.create(item=item, visitor_id=f"v{number}", kind=kind, updated_at=moment)
    row = statistics.count_day(DAY)
    assert (row.positive, row.negative) == (2, 1)


def test_day_adds_tokens_by_model() -> None:
    usage = {"status": "completed", "started_at": at(DAY)}
    make_run(model="a", input_tokens=10, cached_tokens=4, output_tokens=3, **usage)
    make_run(model="a", input_tokens=5, output_tokens=2, **usage)
    make_run(model="", input_tokens=1, output_tokens=1, **usage)
    make_run(model="b", **usage)
    assert statistics.count_day(DAY).tokens == {
        "a": {"answers": 2, "input": 15, "cached": 4, "output": 5},
        "": {"answers": 1, "input": 1, "cached": 0, "output": 1},
    }


def test_day_keeps_times_as_histograms() -> None:
    for total, first, status in [
        (1000, 200, "completed"),
        (1010, None, "completed"),
        (0, 0, "completed"),
        (2**31 - 1, 200, "completed"),
        (50, 200, "stopped"),
    ]:
        make_run(status=status, started_at=at(DAY), total_ms=total, first_token_ms=first)
    row = statistics.count_day(DAY)
    assert row.times == {"0": 1, "1050": 2, "2263324609": 1}
    assert row.first_tokens == {"0": 1, "206": 3}


def test_day_of_threads_leaves_all_others_out() -> None:
    mine, others = make_thread(namespace="a", created_at=at(DAY)), make_thread(created_at=at(DAY))
    for thread in (mine, others, others):
        item = make_item(thread, created_at=at(DAY))
        Feedback.objects.create(item=item, visitor_id="v", kind="positive", updated_at=at(DAY))
        make_run(
            thread,
            "completed",
            started_at=at(DAY),
            visitor_id=thread.visitor_id,
            model=thread.namespace,
            input_tokens=1,
            output_tokens=1,
            total_ms=1,
            first_token_ms=1,
        )
    make_run(status="failed", started_at=at(DAY), visitor_id="nobody's")
    row = statistics.count_day(DAY, Thread.objects.filter(namespace="a"))
    assert (row.threads, row.messages, row.positive, row.owners, row.answers, row.errors) == (
        1,
        1,
        1,
        1,
        1,
        0,
    )
    assert (list(row.tokens), row.times, row.first_tokens) == (["a"], {"1": 1}, {"1": 1})


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (DAY, 24)])
def test_day_has_the_hours_of_its_time_zone(day: date, hours: int) -> None:
    start, end = statistics.start_of(day), statistics.start_of(day + timedelta(days=1))
    assert end.astimezone(ZoneInfo("UTC")) - start.astimezone(ZoneInfo("UTC")) == timedelta(hours=hours)
    for moment in (start - timedelta(minutes=1), start, end - timedelta(minutes=1), end):
        make_thread(created_at=moment)
    assert [statistics.count_day(day + timedelta(days=number)).threads for number in (-1, 0, 1)] == [1, 2, 1]
    counted = statistics.count_days(day - timedelta(days=1), day + timedelta(days=1))
    assert [row.threads for row in counted.values()] == [1, 2, 1]


def test_day_is_the_sites_whatever_the_time_zone_of_a_page() -> None:
    make_thread(created_at=at(DAY, 0, 30))
    with timezone.override("America/New_York"):
        assert [statistics.count_day(DAY - timedelta(days=1)).threads, statistics.count_day(DAY).threads] == [
            0,
            1,
        ]


def test_day_without_time_zones(settings: Any) -> None:
    settings.USE_TZ = False
    make_thread(created_at=datetime(2026, 3, 10, 0, 0), last_activity=datetime(2026, 3, 10))
    make_thread(created_at=datetime(2026, 3, 11, 0, 0), last_activity=datetime(2026, 3, 11))
    assert statistics.count_day(DAY).threads == 1
    assert statistics.first_day() == DAY
    assert [row.threads for row in statistics.store_days(statistics.due(last=DAY))] == [1]
    assert statistics.due(last=DAY) == []


def test_many_days_need_as_many_queries_as_one(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(3):
        make_thread(created_at=at(DAY + timedelta(days=number)))
    with django_assert_num_queries(7):
        statistics.count_day(DAY)
    with django_assert_num_queries(7):
        counted = statistics.count_days(DAY, DAY + timedelta(days=40))
    assert [row.threads for row in counted.values()] == [1, 1, 1, *[0] * 38]


# Rolling up


def test_due_are_the_finished_days_since_the_first_thread(next_day: None) -> None:
    assert statistics.due() == []
    make_thread(created_at=at(DAY - timedelta(days=2)))
    days = [DAY - timedelta(days=2), DAY - timedelta(days=1), DAY]
    assert statistics.due() == days
    assert statistics.due(DAY - timedelta(days=100), DAY + timedelta(days=100)) == days
    assert statistics.due(DAY) == [DAY]
    assert statistics.due(last=DAY - timedelta(days=2)) == [DAY - timedelta(days=2)]


def test_storing_days_stores_what_is_due_and_no_more(next_day: None) -> None:
    make_thread(created_at=at(DAY - timedelta(days=2)))
    make_thread(created_at=at(DAY + timedelta(days=1), 1))
    DailyStatistics.objects.create(day=DAY - timedelta(days=1), threads=7)
    statistics.store_days(statistics.due())
    assert list(DailyStatistics.objects.order_by("day").values_list("day", "threads")) == [
        (DAY - timedelta(days=2), 1),
        (DAY - timedelta(days=1), 7),
        (DAY, 0),
    ]


def test_today_is_never_stored(next_day: None) -> None:
    assert statistics.store_days([DAY + timedelta(days=1)]) == []
    assert not DailyStatistics.objects.exists()


def test_day_is_counted_again_while_it_may_change(clock: Callable[[datetime], None]) -> None:
    make_thread(created_at=at(DAY))
    run = make_run(started_at=at(DAY, 23, 59))
    clock(at(DAY + timedelta(days=1), 0, 10))
    statistics.store_days(statistics.due())
    assert DailyStatistics.objects.get().answers == 0
    Run.objects.filter(pk=run.pk).update(status="completed")
    assert statistics.due() == [DAY]
    clock(at(DAY + timedelta(days=1), 1, 0))
    statistics.store_days(statistics.due())
    assert DailyStatistics.objects.get().answers == 1
    assert statistics.due() == []


def test_stored_day_stays_when_its_rows_are_deleted(next_day: None) -> None:
    make_thread(created_at=at(DAY))
    make_thread(created_at=at(DAY))
    statistics.store_days(statistics.due())
    Thread.objects.first().delete()  # type: ignore[union-attr]
    statistics.store_days(statistics.due())
    assert DailyStatistics.objects.get().threads == 2
    statistics.store_days(statistics.due(again=True))
    assert DailyStatistics.objects.get().threads == 1


def test_storing_twice_at_once_do_no_harm(next_day: None) -> None:
    make_thread(created_at=at(DAY))
    first, second = statistics.due(), statistics.due()
    statistics.store_days(first)
    statistics.store_days(second)
    assert DailyStatistics.objects.get().threads == 1


def test_hostile_model_name_survives_being_stored(next_day: None) -> None:
    name = "\"</script>\u202e' $.[0] %s"
    make_thread(created_at=at(DAY))
    make_run(
        status="completed", started_at=at(DAY), model=name, input_tokens=2**31 - 1, output_tokens=2**31 - 1
    )
    make_run(
        status="completed", started_at=at(DAY), model=name, input_tokens=2**31 - 1, output_tokens=2**31 - 1
    )
    statistics.store_days(statistics.due())
    used = {"answers": 2, "input": 2**32 - 2, "cached": 0, "output": 2**32 - 2}
    assert DailyStatistics.objects.get().tokens == {name: used}


# The command


def count(*args: str) -> str:
    out = StringIO()
    call_command("chatkit_statistics", *args, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_command_counts_what_is_due(next_day: None) -> None:
    make_thread(created_at=at(DAY - timedelta(days=1)))
    assert count() == "Counted 2 days.\n"
    assert count() == "Counted 0 days.\n"
    assert count("--again") == "Counted 2 days.\n"
    assert count("--again", "--days", "1") == "Counted 1 day.\n"


def test_command_goes_back_as_far_as_told(next_day: None) -> None:
    make_thread(created_at=at(DAY - timedelta(days=199)))
    assert count() == "Counted 180 days.\n"
    assert count("--all") == "Counted 20 days.\n"


@pytest.mark.parametrize(
    "args", [["--days", "0"], ["--days", "-1"], ["--days", "x"], ["--days", "1", "--all"]]
)
def test_command_refuses_wrong_arguments(args: list[str]) -> None:
    with pytest.raises(CommandError):
        count(*args)


# Reading


def test_total_adds_days_up() -> None:
    rows = [
        DailyStatistics(messages=1, owners=2, times={"10": 1}, tokens={"a": {"input": 1, "output": 0}}),
        DailyStatistics(
            messages=3, owners=1, times={"10": 2, "20": 1}, tokens={"a": {"input": 2}, "b": {"input": 3}}
        ),
    ]
    whole = statistics.total(rows)
    assert (whole.messages, whole.owners, whole.times) == (4, 3, {"10": 3, "20": 1})
    assert whole.tokens == {"a": {"input": 3}, "b": {"input": 3}}


def test_percentile_without_answers() -> None:
    assert statistics.percentile({}, 0.5) is None


def test_percentile_is_told_within_a_limit() -> None:
    histogram = {"20": 1, "99": 50, "199": 49}
    assert statistics.percentile(histogram, 0.01) == 19
    assert statistics.percentile(histogram, 0.25) == 94
    assert statistics.percentile(histogram, 0.95) == 197


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95, 0.99])
def test_percentile_is_less_than_a_tenth_off(share: float) -> None:
    times = sorted(round(1.0137**number) for number in range(300, 1000))
    make_thread()
    Run.objects.bulk_create(
        Run(public_id=str(number), status="completed", total_ms=time, started_at=at(DAY))
        for number, time in enumerate(times)
    )
    exact = times[round(share * len(times)) - 1]
    found = statistics.percentile(statistics.count_day(DAY).times, share)
    assert found is not None
    assert abs(found - exact) < exact * 0.1


@pytest.mark.parametrize(("ages", "oldest", "median"), [([3], 3, 3), ([1, 5], 5, 5), ([9, 2, 4], 9, 4)])
def test_open_flags_tell_their_ages(
    ages: list[int], oldest: int, median: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    thread = make_thread()
    for age in ages:
        Flag.objects.create(thread=thread, source="staff", created_at=at(DAY - timedelta(days=age)))
    Flag.objects.create(thread=thread, source="staff", created_at=at(date(2020, 1, 1)), resolved_at=at(DAY))
    with django_assert_num_queries(1):
        found = statistics.open_flags(Flag.objects.all())
    assert found == statistics.OpenFlags(
        number=len(ages), oldest=at(DAY - timedelta(days=oldest)), median=at(DAY - timedelta(days=median))
    )


def test_no_open_flags() -> None:
    assert statistics.open_flags(Flag.objects.all()) == statistics.OpenFlags(
        number=0, oldest=None, median=None
    )
