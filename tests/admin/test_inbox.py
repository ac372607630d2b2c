import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from chatkit_app.admin import paginator
from chatkit_app.models import Assignment, Label, Thread

from .conftest import make_item, make_run, make_thread

pytestmark = pytest.mark.django_db
LIST = "/admin/chatkit_app/thread/"


@pytest.fixture
def reader(staff: Callable[..., Client]) -> Client:
    return staff("view_thread", "view_content")


def found(client: Client, query: str) -> list[str]:
    response = client.get(f"{LIST}?{query}")
    assert response.status_code == 200
    return [thread.title for thread in response.context["cl"].result_list]


def test_list_shows_a_thread(reader: Client) -> None:
    user = User.objects.create_user("maria")
    make_thread("Lost parcel", user=user, status="locked", item_count=3, last_preview="It arrived.")
    html = reader.get(LIST).content.decode()
    assert '<bdi class="chatkit-title">Lost parcel</bdi>' in html
    assert "<bdi>maria</bdi>" in html
    assert 'aria-label="status: locked">locked</span>' in html
    assert '<td class="field-item_count">3</td>' in html
    assert '<bdi class="chatkit-preview">It arrived.</bdi>' in html


def test_list_shows_a_thread_without_a_title(reader: Client) -> None:
    make_thread(public_id="thr_untitled")
    assert '<bdi class="chatkit-title">Untitled thread</bdi>' in reader.get(LIST).content.decode()


def test_list_is_called_inbox(reader: Client) -> None:
    html = reader.get(LIST).content.decode()
    assert "<h1>Inbox</h1>" in html
    assert "&rsaquo; Inbox\n" in html


def test_inbox_is_called_so_wherever_the_admin_leads_to_it(staff: Callable[..., Client]) -> None:
    client = staff("view_thread")
    make_thread("x")
    for page in ("/admin/", "/admin/chatkit_app/", LIST):
        html = client.get(page).content.decode()
        assert set(re.findall(rf'<a href="{LIST}"[^>]*>([^<]+)</a>', html)) - {"View"} == {"Inbox"}
    # What is in it is still counted as what it is.
    assert re.search(r'class="paginator">\s*1 thread\s', client.get(LIST).content.decode())
    make_thread("y")
    assert re.search(r'class="paginator">\s*2 threads\s', client.get(LIST).content.decode())


def test_list_tells_when_and_on_hover_exactly_when(reader: Client) -> None:
    make_thread("x", last_activity=datetime(2025, 6, 9, 21, 30, tzinfo=UTC))
    html = reader.get(LIST).content.decode()
    assert (
        '<time datetime="2025-06-09T23:30:00+02:00" title="06/09/2025 11:30 p.m.">06/09/2025</time>' in html
    )


def test_empty_list_says_how_it_is_filled(reader: Client) -> None:
    assert "No conversation yet." in reader.get(LIST).content.decode()


def test_list_in_which_nothing_matches_leads_back_to_all(reader: Client) -> None:
    make_thread("x")
    html = reader.get(f"{LIST}?status__exact=locked").content.decode()
    assert 'Nothing matches. <a href="?">Show everything</a>' in html
    assert "No conversation yet." not in html


def test_list_shows_a_visitor(reader: Client) -> None:
    make_thread("x", visitor_id="0123456789abcdef")
    assert '<span title="0123456789abcdef">visitor 01234567…</span>' in reader.get(LIST).content.decode()


def test_list_begins_with_the_latest_activity(reader: Client) -> None:
    now = timezone.now()
    make_thread("older", last_activity=now - timedelta(days=1))
    make_thread("latest", last_activity=now)
    make_thread("oldest", last_activity=now - timedelta(days=9))
    assert found(reader, "") == ["latest", "older", "oldest"]


@pytest.mark.parametrize("page", ["thread", "run", "feedback", "attachment"])
@pytest.mark.parametrize("rows", [3, 45])
def test_lists_take_the_same_queries_for_any_number_of_rows(
    staff: Callable[..., Client],
    django_assert_num_queries: DjangoAssertNumQueries,
    page: str,
    rows: int,
) -> None:
    for index in range(rows):
        user = User.objects.create_user(f"user{index}") if index % 2 else None
        owner: dict[str, Any] = {"user": user} if user else {"visitor_id": f"v{index}"}
        thread = make_thread(f"Thread {index}", **owner)
        item = make_item(thread, text="hello")
        item.feedback.create(kind="positive", **owner)
        make_run(thread, status="completed", **owner)
        thread.attachments.create(public_id=f"atc_{index}", type="file", name="a", mime_type="b", **owner)
        if index % 3 == 0:
            thread.labels.add(Label.objects.get_or_create(name=f"label {index % 9}")[0])
            Assignment.objects.create(thread=thread, assignee=User.objects.create_user(f"assignee{index}"))
    client = staff(f"view_{page}", "view_content", f"delete_{page}", "moderate_thread")
    assert connection.features.supports_json_field  # SQLite is asked for that once, by a query
    # Session, staff member, two for permissions, count, rows; for threads also the labels to filter by.
    with django_assert_num_queries(7 if page == "thread" else 6):
        response = client.get(f"/admin/chatkit_app/{page}/")
    assert len(response.context["cl"].result_list) == rows


@pytest.mark.parametrize("rows", [3, 45])
def test_search_takes_eight_queries_for_any_number_of_rows(
    reader: Client, django_assert_num_queries: DjangoAssertNumQueries, rows: int
) -> None:
    for index in range(rows):
        make_item(make_thread(f"{index}", user=User.objects.create_user(f"user{index}")), text="the parcel")
    assert connection.features.supports_json_field
    # As above, but for the count: the search itself and its entry in the audit.
    with django_assert_num_queries(8):
        response = reader.get(
            f"{LIST}?q=parcel+status:active&owner_kind=user&namespace=&active_from=2020-01-01"
        )
    assert len(response.context["cl"].result_list) == rows


def test_list_shows_what_hangs_on_a_thread(reader: Client) -> None:
    thread = make_thread("x", open_flags=2, positive_count=3, negative_count=1)
    thread.labels.add(Label.objects.create(name="<b>vip", color="red"), Label.objects.create(name="bug"))
    Assignment.objects.create(thread=thread, assignee=User.objects.create_user("hugo"))
    html = reader.get(LIST).content.decode()
    assert 'aria-label="open flags: 2 flags">2 flags</span>' in html
    assert ">+3</span>" in html
    assert ">−1</span>" in html
    assert '<span class="chatkit-badge chatkit-label-red"><bdi>&lt;b&gt;vip</bdi></span>' in html
    assert html.index("&lt;b&gt;vip</bdi>") < html.index("bug</bdi>")
    assert "→ <bdi>hugo</bdi>" in html


def test_list_without_content_shows_no_word_of_it(staff: Callable[..., Client]) -> None:
    thread = make_thread("Secret title", public_id="thr_known", last_preview="Secret message")
    thread.labels.add(Label.objects.create(name="billing"))
    html = staff("view_thread").get(LIST).content.decode()
    assert "Secret" not in html
    assert "<bdi>thr_known</bdi>" in html
    assert "<bdi>billing</bdi>" in html


# --- Filters ------------------------------------------------------------------------------------------------


def test_filter_by_status(reader: Client) -> None:
    make_thread("open")
    make_thread("shut", status="closed")
    assert found(reader, "status__exact=closed") == ["shut"]


def test_filter_by_kind_of_owner(reader: Client) -> None:
    make_thread("anonymous")
    make_thread("known", user=User.objects.create_user("maria"))
    assert found(reader, "owner_kind=visitor") == ["anonymous"]
    assert found(reader, "owner_kind=user") == ["known"]


def test_filter_by_namespace(reader: Client) -> None:
    make_thread("default")
    make_thread("sales", namespace="sales")
    assert found(reader, "namespace=sales") == ["sales"]
    assert found(reader, "namespace=") == ["default"]
    assert found(reader, "namespace=nothing") == []


def test_filter_by_namespace_carries_the_other_filters_along(reader: Client) -> None:
    html = reader.get(f"{LIST}?status__exact=locked&q=x").content.decode()
    form = html[html.index('name="namespace"') - 300 :]
    form = form[: form.index("</form>")]
    assert '<input type="hidden" name="status__exact" value="locked">' in form
    assert '<input type="hidden" name="q" value="x">' in form


def test_filter_by_activity_includes_both_days(reader: Client) -> None:
    # 23:30 in Berlin, which is the tests' time zone.
    for day in (9, 10, 11, 12):
        make_thread(f"{day}", last_activity=datetime(2025, 6, day, 21, 30, tzinfo=UTC))
    assert found(reader, "active_from=2025-06-10&active_to=2025-06-11") == ["11", "10"]
    assert found(reader, "active_from=2025-06-11") == ["12", "11"]
    assert found(reader, "active_to=2025-06-10") == ["10", "9"]


@pytest.mark.parametrize("day", ["never", "2025-13-01", "0001-01-01", "9999-12-31", "<b>", "٢٠٢٥-٠١-٠١"])
def test_filter_by_a_day_that_is_none_tells_so_and_shows_all(reader: Client, day: str) -> None:
    make_thread("x")
    response = reader.get(LIST, {"active_from": day, "active_to": day})
    assert len(response.context["cl"].result_list) == 1
    told = [str(message) for message in response.context["messages"]]
    assert told == [f"“{day}” is not a date; write it as 2025-01-31."] * 2
    assert "<b>”" not in response.content.decode()


def test_filter_by_activity_keeps_the_choices_and_shows_the_days(reader: Client) -> None:
    html = reader.get(LIST, {"active_from": "2025-06-10", "flagged": "no"}).content.decode()
    form = html[html.index('<input type="hidden" name="flagged"') :]
    assert '<input type="hidden" name="flagged" value="no">' in form
    assert 'name="active_from" value="2025-06-10"' in form


def test_filter_by_feedback(reader: Client) -> None:
    make_thread("liked", positive_count=1)
    make_thread("disliked", negative_count=2)
    make_thread("nothing")
    assert found(reader, "feedback=positive") == ["liked"]
    assert found(reader, "feedback=negative") == ["disliked"]
    assert found(reader, "feedback=none") == ["nothing"]


def test_filter_by_flags(reader: Client) -> None:
    make_thread("flagged", open_flags=1)
    make_thread("peaceful")
    assert found(reader, "flagged=yes") == ["flagged"]
    assert found(reader, "flagged=no") == ["peaceful"]


def test_filter_by_assignee(reader: Client) -> None:
    other = User.objects.create_user("hugo")
    Assignment.objects.create(thread=make_thread("mine"), assignee=reader.staff)  # type: ignore[attr-defined]
    Assignment.objects.create(thread=make_thread("his"), assignee=other)
    make_thread("nobody's")
    assert found(reader, "assignee=me") == ["mine"]
    assert found(reader, "assignee=nobody") == ["nobody's"]
    assert sorted(found(reader, "assignee=somebody")) == ["his", "mine"]
    assert found(reader, f"assignee={other.pk}") == ["his"]


def test_filter_by_label(reader: Client) -> None:
    bug, vip = (Label.objects.create(name=name) for name in ("bug", "vip"))
    make_thread("both").labels.add(bug, vip)
    make_thread("neither")
    make_thread("one").labels.add(vip)
    assert found(reader, f"label={bug.pk}") == ["both"]
    assert sorted(found(reader, f"label={vip.pk}")) == ["both", "one"]


def test_filter_by_owner(reader: Client) -> None:
    user = User.objects.create_user("maria")
    make_thread("hers", user=user)
    make_thread("anonymous", visitor_id="v1")
    assert found(reader, f"user={user.pk}") == ["hers"]
    assert found(reader, "visitor_id=v1") == ["anonymous"]


@pytest.mark.parametrize(
    "query",
    [
        "title__startswith=a",
        "metadata__contains=a",
        "user__password__startswith=a",
        "items__text__contains=a",
        "status_reason=a",
        "namespace=%00",
        "status__exact=%00",
        "owner_kind=user%00",
        "user=x",
        "last_activity__gte=never",
        "assignment__assignee__password__startswith=a",
        "labels__name=a",
    ],
)
def test_probing_other_columns_is_refused(reader: Client, query: str) -> None:
    assert reader.get(f"{LIST}?{query}").status_code == 400


@pytest.mark.parametrize(
    "query",
    ["p=999999", "o=99", "status__exact=x", "label=x", f"label={10**30}", "assignee=x", f"assignee={10**30}"],
)
def test_nonsense_in_the_query_is_answered(reader: Client, query: str) -> None:
    Label.objects.create(name="bug")
    assert reader.get(f"{LIST}?{query}", follow=True).status_code == 200


# --- Counting -----------------------------------------------------------------------------------------------


def test_count_stops_at_its_cap(reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paginator.CappedPaginator, "max_count", 4)
    for index in range(6):
        make_thread(f"{index}")
    response = reader.get(LIST)
    assert response.context["cl"].result_count == 4
    assert "more than 4 threads: search or filter to find older ones" in response.content.decode()


def test_count_below_its_cap_is_exact(reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paginator.CappedPaginator, "max_count", 4)
    for index in range(4):
        make_thread(f"{index}")
    response = reader.get(LIST)
    assert response.context["cl"].result_count == 4
    assert "more than" not in response.content.decode()


def test_threads_cannot_be_added(admin_client: Client) -> None:
    assert admin_client.get(f"{LIST}add/").status_code == 403
    assert f"{LIST}add/" not in admin_client.get(LIST).content.decode()
    assert Thread.objects.count() == 0


@pytest.mark.skipif("connection.vendor != 'postgresql'")
def test_count_of_a_large_table_is_the_planner_s_estimate(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paginator.CappedPaginator, "max_count", 4)
    for index in range(12):
        make_thread(f"{index}")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE chatkit_app_thread")
    response = reader.get(LIST)
    assert response.context["cl"].result_count == 4
    assert "about 12 threads, the first 4 here: search or filter to find others" in response.content.decode()
    assert "more than 4 threads" in reader.get(f"{LIST}?status__exact=active").content.decode()


# --- Who answers --------------------------------------------------------------------------------------------


@pytest.fixture
def queue(reader: Client) -> list[Thread]:
    """One thread of each handler; the reader has one, and two users wait."""
    now = timezone.now()
    me = reader.staff  # type: ignore[attr-defined]
    mine = make_thread("mine", handler="staff", handler_since=now)
    Assignment.objects.create(thread=mine, assignee=me)
    return [
        mine,
        make_thread("later", handler="waiting", handler_since=now - timedelta(minutes=5)),
        make_thread("earlier", handler="waiting", handler_since=now - timedelta(hours=5)),
        make_thread("theirs", handler="staff", handler_since=now),
        make_run(make_thread("assisted")).thread,
    ]


@pytest.mark.parametrize(
    ("handler", "titles"),
    [
        ("waiting", ["earlier", "later"]),
        ("mine", ["mine"]),
        ("assistant", ["assisted"]),
        ("running", ["assisted"]),
        ("nonsense", []),
    ],
)
def test_list_is_filtered_by_who_answers(
    reader: Client, queue: list[Thread], handler: str, titles: list[str]
) -> None:
    assert found(reader, f"handler={handler}") == titles


def test_list_tells_who_answers(reader: Client, queue: list[Thread]) -> None:
    html = reader.get(LIST).content.decode()
    assert "waiting, 5\xa0hours" in html
    assert reader.staff.username in html  # type: ignore[attr-defined]
    assert "being written" in html


def test_list_tells_of_who_began_to_wait_just_now(reader: Client) -> None:
    make_thread(handler="waiting", handler_since=timezone.now() - timedelta(seconds=30))
    html = reader.get(LIST).content.decode()
    assert "waiting, less than a minute" in html
    assert "0\xa0minutes" not in html


def test_list_tells_why_the_team_was_called(reader: Client, staff: Callable[..., Client]) -> None:
    make_thread(handler="waiting", handler_since=timezone.now(), handler_reason="The parcel is lost.")
    assert "Why the team was called: The parcel is lost." in reader.get(LIST).content.decode()
    assert "The parcel is lost." not in staff("view_thread").get(LIST).content.decode()


def test_header_counts_what_waits(reader: Client, staff: Callable[..., Client], queue: list[Thread]) -> None:
    assert 'data-counts="/admin/chatkit_app/thread/counts/"' in reader.get(LIST).content.decode()
    assert reader.get(f"{LIST}counts/").json() == {"waiting": 2, "flags": None}
    moderator = staff("view_thread", "moderate_thread")
    assert moderator.get(f"{LIST}counts/").json() == {"waiting": 2, "flags": 0}


def nobody(user: User, threads: object) -> object:
    return Thread.objects.none()


def test_header_counts_what_is_in_scope(reader: Client, queue: list[Thread], settings: Any) -> None:
    settings.CHATKIT = {"ADMIN_SCOPE": f"{__name__}.nobody"}
    assert reader.get(f"{LIST}counts/").json() == {"waiting": 0, "flags": None}
