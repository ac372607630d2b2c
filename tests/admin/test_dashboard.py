import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chatkit_app.models import AuditEntry, DailyStatistics, Flag, Thread
from chatkit_app.models.querysets import ThreadQuerySet
from chatkit_app.staff import audit, statistics

from .conftest import make_item, make_run, make_thread

pytestmark = pytest.mark.django_db
PAGE = "/admin/chatkit_app/dailystatistics/"


def of_namespace_a(user: User, threads: ThreadQuerySet) -> ThreadQuerySet:
    return threads.filter(namespace="a")  # type: ignore[return-value]


@pytest.fixture
def reader(staff: Callable[..., Client]) -> Client:
    return staff("view_dailystatistics")


@pytest.fixture
def scoped(settings: Any) -> None:
    settings.CHATKIT = {"ADMIN_SCOPE": "tests.admin.test_dashboard.of_namespace_a"}


def store(days: int, **fields: Any) -> None:
    """Roll up the last ``days`` finished days, each with these numbers."""
    now = timezone.now()
    DailyStatistics.objects.bulk_create(
        DailyStatistics(day=statistics.today() - timedelta(days=ago), counted_at=now, **fields)
        for ago in range(2, days + 1)
    )
    yesterday = statistics.today() - timedelta(days=1)
    settled = statistics.start_of(statistics.today()) + statistics.SETTLED_AFTER
    DailyStatistics.objects.create(day=yesterday, counted_at=settled, **fields)


def days_ago(number: int) -> datetime:
    return statistics.start_of(statistics.today() - timedelta(days=number)) + timedelta(hours=12)


def figure(response: Any, label: str) -> tuple[str, str, str]:
    found = next(figure for figure in response.context["figures"] if figure.label == label)
    return found.value, found.note, found.change


def chart(response: Any, name: str) -> Any:
    return next(chart for chart in response.context["charts"] if chart.name == name)


# Who may


def test_page_is_in_the_index(reader: Client) -> None:
    assert f'<a href="{PAGE}">Statistics</a>' in reader.get("/admin/").content.decode()


def test_page_needs_its_permission(staff: Callable[..., Client]) -> None:
    client = staff("view_thread", "view_content")
    assert client.get(PAGE).status_code == 403
    assert AuditEntry.objects.get().action == AuditEntry.Action.REFUSED
    assert f'href="{PAGE}"' not in client.get("/admin/").content.decode()


def test_page_is_only_read(admin_client: Client) -> None:
    store(1)
    for method in ("post", "put", "delete"):
        assert getattr(admin_client, method)(PAGE).status_code == 405
    pk = DailyStatistics.objects.get().pk
    for path in ("add/", f"{pk}/change/", f"{pk}/delete/", f"{pk}/history/", f"{pk}/"):
        assert admin_client.get(PAGE + path).status_code == 404
    assert DailyStatistics.objects.count() == 1


# Ranges


@pytest.mark.parametrize(("query", "days"), [("", 30), ("days=7", 7), ("days=30", 30), ("days=90", 90)])
def test_range_is_chosen_by_a_link(reader: Client, query: str, days: int) -> None:
    response = reader.get(f"{PAGE}?{query}")
    assert len(chart(response, "messages").days) == days
    assert f'<a href="?days={days}" aria-current="page">{days} days</a>' in response.content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "days=",
        "days=8",
        "days=-7",
        "days=%00",
        "days=7.0",
        "days=٧",
        "days=9" * 99,
        "day__gte=2020-01-01",
        "q=x",
    ],
)
def test_wrong_range_is_the_usual_one(reader: Client, query: str) -> None:
    response = reader.get(f"{PAGE}?{query}")
    assert response.status_code == 200
    assert len(chart(response, "messages").days) == 30


# The numbers


def test_empty_site(reader: Client) -> None:
    response = reader.get(PAGE)
    assert [figure.value for figure in response.context["figures"]] == [
        *("0", "0", "0", "–", "–", "–", "0", "0", "0")
    ]
    assert {figure.change for figure in response.context["figures"]} == {""}
    assert {row[1][0] for row in chart(response, "messages").rows} == {"0"}
    assert "chatkit_statistics" not in response.content.decode()


def test_chart_tells_failed_from_interrupted_and_stopped_answers(reader: Client) -> None:
    for status in ("completed", "failed", "lost", "lost", "stopped", "stopped", "stopped"):
        make_run(status=status)
    response = reader.get(f"{PAGE}?days=7")
    errors = chart(response, "errors")
    assert [series.label for series in errors.series] == ["Failed", "Interrupted", "Stopped"]
    assert errors.rows[-1][1] == ["1", "2", "3"]
    assert figure(response, "Failed answers")[:2] == ("1", "14.3% of all answers")


def test_headline_adds_stored_days_and_today(reader: Client) -> None:
    store(
        13,
        threads=10,
        messages=100,
        owners=20,
        answers=80,
        errors=4,
        positive=6,
        negative=2,
        times={"4844": 90, "9439": 10},
        first_tokens={"1050": 100},
        tokens={"gpt": {"answers": 80, "input": 100_000, "cached": 0, "output": 20_000}},
    )
    thread = make_thread(created_at=timezone.now())
    make_item(thread, created_at=timezone.now())
    make_run(thread, "completed", visitor_id="v", model="gpt", input_tokens=1, output_tokens=1)
    response = reader.get(f"{PAGE}?days=7")
    assert figure(response, "Messages of users") == ("601", "", "±0%")
    assert figure(response, "New threads") == ("61", "", "±0%")
    assert figure(response, "Active owners per day")[0] == "17"
    assert figure(response, "Feedback rate") == (
        "10%",
        "75% of it positive",
        "±0 points",
    )
    assert figure(response, "Answer time, median") == ("4.65\xa0s", "first words after 1\xa0s", "±0%")
    assert figure(response, "Answer time, 95th percentile")[0] == "9\xa0s"
    assert figure(response, "Failed answers") == ("24", "5% of all answers", "")
    beside_the_rate = '5% of all answers <bdi class="chatkit-change">±0 points</bdi></dd>'
    assert beside_the_rate in response.content.decode()
    assert figure(response, "Tokens") == ("720k", "600k in, 120k out", "±0%")


def test_changes_compare_finished_days_with_as_many_before(reader: Client) -> None:
    store(13, messages=10, answers=100, errors=5)
    newest = DailyStatistics.objects.filter(day__gte=statistics.today() - timedelta(days=6))
    newest.update(messages=15, errors=2)
    response = reader.get(f"{PAGE}?days=7")
    assert figure(response, "Messages of users")[2] == "+50%"
    assert '<bdi class="chatkit-change">−3 points</bdi>' in response.content.decode()
    assert figure(response, "New threads")[2] == ""


def test_no_comparison_with_days_that_nobody_counted(reader: Client) -> None:
    make_thread(created_at=days_ago(5))
    store(5, messages=10)
    assert figure(reader.get(f"{PAGE}?days=7"), "Messages of users") == ("50", "", "")


def test_open_flags_with_their_ages(reader: Client) -> None:
    thread = make_thread()
    for days in (1, 2, 15):
        Flag.objects.create(
            thread=thread, source="staff", created_at=timezone.now() - timedelta(days=days, minutes=1)
        )
    Flag.objects.create(thread=thread, source="staff", resolved_at=timezone.now())
    assert figure(reader.get(PAGE), "Open flags") == (
        "3",
        "oldest: 2\xa0weeks, median: 2\xa0days",
        "",
    )


def test_open_flag_that_was_raised_just_now(reader: Client) -> None:
    Flag.objects.create(thread=make_thread(), source="staff", created_at=timezone.now())
    note = figure(reader.get(PAGE), "Open flags")[1]
    assert note == "oldest: less than a minute, median: less than a minute"


def test_open_flags_are_linked_for_those_who_may_see_them(staff: Callable[..., Client]) -> None:
    link = '<a href="/admin/chatkit_app/flag/">Open flags</a>'
    assert link in staff("view_dailystatistics", "view_flag").get(PAGE).content.decode()
    assert link not in staff("view_dailystatistics").get(PAGE).content.decode()


def test_table_tells_each_day(reader: Client) -> None:
    store(60, messages=1234, threads=5)
    html = reader.get(f"{PAGE}?days=7").content.decode()
    table = html.partition("<caption>Messages and threads per day</caption>")[2].partition("</table>")[0]
    assert re.findall(r'<th scope="col"><bdi>(.+?)</bdi>', table) == ["Messages of users", "New threads"]
    assert table.count('<th scope="row">') == 7
    assert table.count("<td>1,234</td><td>5</td>") == 6
    assert table.count(" (so far)</th><td>0</td><td>0</td>") == 1


def test_models_beyond_the_first_are_shown_as_one(reader: Client) -> None:
    used = {f"model {number}": {"answers": 1, "input": number, "output": 0} for number in range(1, 8)}
    store(13, tokens=used)
    response = reader.get(f"{PAGE}?days=7")
    labels = [series.label for series in chart(response, "tokens").series]
    assert labels == ["model 7", "model 6", "model 5", "model 4", "Other models"]
    assert chart(response, "tokens").rows[0][1] == ["7", "6", "5", "4", "6"]
    assert response.context["models"][-1] == ("Other models", ["18", "36", "0", "0"])


def test_hostile_model_name_is_text(reader: Client) -> None:
    name = "</svg><img src=x onerror=alert(1)>\u202e" + "x" * 200
    store(13, tokens={name: {"answers": 1, "input": 1, "output": 1}, "": {"input": 5}})
    html = reader.get(PAGE).content.decode()
    assert "<img" not in html
    assert "\u202e" not in html
    assert "&lt;/svg&gt;&lt;img src=x onerror=alert(1)&gt;" in html
    assert "Unnamed model" in html


def test_page_has_nothing_inline(reader: Client) -> None:
    store(60, messages=3, answers=3, times={"10": 3})
    html = reader.get(PAGE).content.decode()
    content = html.partition('class="chatkit-dashboard"')[2].partition("</main>")[0]
    assert not re.search(r"<script|\sstyle=|\son\w+=", content)
    pictures = re.findall(r'<svg class="chatkit-chart".+?</svg>', content, re.S)
    assert len(pictures) == 6
    for picture in pictures:
        ElementTree.fromstring(picture)
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids))


def test_page_without_time_zones(reader: Client, settings: Any) -> None:
    settings.USE_TZ = False
    client, thread = reader, make_thread(created_at=days_ago(2), last_activity=days_ago(1))
    client.force_login(client.staff)  # type: ignore[attr-defined]
    Flag.objects.create(thread=thread, source="staff", created_at=days_ago(2))
    response = client.get(PAGE)
    assert (figure(response, "New threads")[0], figure(response, "Open flags")[0]) == ("1", "1")


def test_page_in_a_right_to_left_language(reader: Client, settings: Any) -> None:
    settings.LANGUAGES = [("ar", "Arabic")]
    store(60, messages=10)
    response = reader.get(PAGE, headers={"accept-language": "ar"})
    assert '<html lang="ar" dir="rtl">' in response.content.decode()
    assert response.status_code == 200


# Days that nobody counted


def test_few_missing_days_are_counted_by_the_page(reader: Client) -> None:
    make_thread(created_at=days_ago(3))
    response = reader.get(PAGE)
    assert figure(response, "New threads")[0] == "1"
    assert DailyStatistics.objects.count() == 3
    assert "chatkit_statistics" not in response.content.decode()


def test_many_missing_days_are_said_to_be_missing(reader: Client) -> None:
    make_thread(created_at=days_ago(10))
    response = reader.get(PAGE)
    html = response.content.decode()
    assert "7 days are not counted yet" in html
    assert "manage.py chatkit_statistics --days 10</code>" in html
    assert DailyStatistics.objects.count() == 3
    assert [cells[0] for _, cells in chart(response, "messages").rows][-12:] == [
        *("0", "–", "–", "–", "–", "–", "–", "–", "0", "0", "0", "0")
    ]


def test_command_that_the_page_names_counts_what_is_missing(reader: Client) -> None:
    make_thread(created_at=days_ago(10))
    days = int(reader.get(PAGE).context["command"].split()[-1])
    statistics.store_days(statistics.due(statistics.today() - timedelta(days=days)))
    assert reader.get(PAGE).context["uncounted"] == 0


# Scope


def test_scoped_staff_see_their_numbers_only(reader: Client, scoped: None) -> None:
    store(60, threads=777, messages=777, owners=777, tokens={"secret": {"answers": 777, "input": 777}})
    moment = days_ago(1)
    for namespace, model in (("a", "mine"), ("b", "secret"), ("b", "secret")):
        thread = make_thread(namespace=namespace, created_at=moment)
        make_item(thread, created_at=moment)
        make_run(thread, "failed", visitor_id="v", started_at=moment, model=model, input_tokens=4)
        Flag.objects.create(thread=thread, source="staff")
    for days in (7, 30, 90):
        response = reader.get(f"{PAGE}?days={days}")
        values = {figure.label: figure.value for figure in response.context["figures"]}
        assert [
            values[label]
            for label in ("Messages of users", "New threads", "Failed answers", "Tokens", "Open flags")
        ] == [*("1", "1", "1", "4", "1")]
        html = response.content.decode()
        # A number of its own, for a token of the page may well have these digits among its letters.
        assert re.search(r"\b777\b", html) is None
        assert "secret" not in html


def test_scoped_staff_get_the_shorter_range_unasked(reader: Client, scoped: None) -> None:
    assert len(chart(reader.get(PAGE), "messages").days) == 7


def test_scoped_view_stores_nothing(reader: Client, scoped: None) -> None:
    make_thread(namespace="a", created_at=days_ago(2))
    response = reader.get(PAGE)
    assert response.context["uncounted"] == 0
    assert not DailyStatistics.objects.exists()


def test_scope_holds_for_a_superuser_too(admin_client: Client, scoped: None) -> None:
    make_thread(namespace="b")
    assert figure(admin_client.get(PAGE), "New threads")[0] == "0"


# Queries


def make_a_day(number: int) -> None:
    for _ in range(number):
        thread = make_thread()
        make_item(thread)
        make_run(
            thread,
            "completed",
            visitor_id="v",
            model=f"model {thread.pk}",
            input_tokens=1,
            total_ms=thread.pk,
        )
        Flag.objects.create(thread=thread, source="staff")


@pytest.mark.parametrize("days", [7, 90])
def test_page_needs_fourteen_queries_at_any_size(reader: Client, days: int) -> None:
    store(180, messages=1)
    counts = []
    for number in (1, 15):
        make_a_day(number)
        with CaptureQueriesContext(connection) as queries:
            assert reader.get(f"{PAGE}?days={days}").status_code == 200
        counts.append(len(queries))
    assert counts == [14, 14]


def test_scoped_page_needs_as_few(reader: Client, scoped: None) -> None:
    counts = []
    for number in (1, 15):
        make_a_day(number)
        Thread.objects.update(namespace="a")
        with CaptureQueriesContext(connection) as queries:
            assert reader.get(f"{PAGE}?days=90").status_code == 200
        counts.append(len(queries))
    assert counts == [13, 13]


def test_page_tells_who_answered_and_how_long_users_waited(reader: Client) -> None:
    assert "Answered by people" not in reader.get(PAGE).content.decode()
    maria = User.objects.create(username="maria")
    for waited in (2000, 4000):
        audit.record(audit.Action.REPLY, actor=maria, waited_ms=waited)
    html = reader.get(PAGE).content.decode()
    assert "Answered by people" in html
    row = '<tr><th scope="row"><bdi>maria</bdi></th><td>0</td><td>2</td><td>–</td>'
    assert row in html
