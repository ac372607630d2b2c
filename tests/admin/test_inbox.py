from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from chatkit_app.admin import paginator
from chatkit_app.models import Thread

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
    assert "<bdi>Lost parcel</bdi>" in html
    assert "<bdi>maria</bdi>" in html
    assert '<span class="chatkit-badge chatkit-locked">locked</span>' in html
    assert '<td class="field-item_count">3</td>' in html
    assert '<bdi class="chatkit-preview">It arrived.</bdi>' in html


def test_list_shows_the_id_of_a_thread_without_a_title(reader: Client) -> None:
    make_thread(public_id="thr_untitled")
    assert "<bdi>thr_untitled</bdi>" in reader.get(LIST).content.decode()


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
    client = staff(f"view_{page}", f"delete_{page}", "moderate_thread")
    # Session, staff member, two for permissions, count, rows.
    with django_assert_num_queries(6):
        response = client.get(f"/admin/chatkit_app/{page}/")
    assert len(response.context["cl"].result_list) == rows


def test_search_and_filters_take_eight_queries_at_most(
    reader: Client, django_assert_max_num_queries: Any
) -> None:
    make_item(make_thread("a"), text="parcel")
    with django_assert_max_num_queries(8):
        reader.get(f"{LIST}?q=parcel+sent&status__exact=active&owner_kind=visitor&namespace=")


# --- Search -------------------------------------------------------------------------------------------------


def test_search_finds_titles_and_messages_once_each(reader: Client) -> None:
    make_thread("My PARCEL")
    thread = make_thread("Delivery")
    for _ in range(3):
        make_item(thread, text="the parcel is late")
    make_item(make_thread("Invoice"), text="something else")
    assert sorted(found(reader, "q=parcel")) == ["Delivery", "My PARCEL"]


def test_search_wants_every_word_and_keeps_phrases(reader: Client) -> None:
    make_item(make_thread("one"), text="red green")
    make_item(make_thread("two"), text="green red")
    make_item(make_thread("three"), text="red")
    assert sorted(found(reader, "q=red+green")) == ["one", "two"]
    assert found(reader, 'q="red green"') == ["one"]


def test_search_finds_whole_ids_only(reader: Client) -> None:
    make_thread("by id", public_id="thr_abcdef", visitor_id="visitor-zyx")
    assert found(reader, "q=thr_abcdef") == ["by id"]
    assert found(reader, "q=visitor-zyx") == ["by id"]
    assert found(reader, "q=thr_abc") == []


def test_search_finds_a_user_s_name(reader: Client) -> None:
    make_thread("hers", user=User.objects.create_user("maria.curie"))
    make_thread("his", user=User.objects.create_user("pierre"))
    assert found(reader, "q=maria") == ["hers"]


@pytest.mark.parametrize("query", ["%00", "'", '"', "%25_", "a%00b", "'' \"\"", "%5C", "%ED%A0%80"])
def test_search_for_strange_characters_is_answered(reader: Client, query: str) -> None:
    assert reader.get(f"{LIST}?q={query}").status_code == 200


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
    form = html[html.index('<li><form method="get">') :]
    form = form[: form.index("</form>")]
    assert '<input type="hidden" name="status__exact" value="locked">' in form
    assert '<input type="hidden" name="q" value="x">' in form


def test_filter_by_activity(reader: Client) -> None:
    make_thread("old", last_activity=timezone.now() - timedelta(days=30))
    make_thread("new")
    since = (timezone.now() - timedelta(days=7)).strftime("%Y-%m-%d")
    assert found(reader, f"last_activity__gte={since}+00:00:00%2B00:00") == ["new"]


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
    ],
)
def test_probing_other_columns_is_refused(reader: Client, query: str) -> None:
    assert reader.get(f"{LIST}?{query}").status_code == 400


@pytest.mark.parametrize(
    "query", ["user=x", "last_activity__gte=never", "p=999999", "o=99", "status__exact=x"]
)
def test_nonsense_in_the_query_is_answered(reader: Client, query: str) -> None:
    assert reader.get(f"{LIST}?{query}", follow=True).status_code == 200


# --- Counting -----------------------------------------------------------------------------------------------


def test_count_stops_at_its_cap(reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paginator, "MAX_COUNT", 4)
    for index in range(6):
        make_thread(f"{index}")
    response = reader.get(LIST)
    assert response.context["cl"].result_count == 4
    assert "more than 4 threads: search or filter to find older ones" in response.content.decode()


def test_count_below_its_cap_is_exact(reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paginator, "MAX_COUNT", 4)
    for index in range(4):
        make_thread(f"{index}")
    response = reader.get(LIST)
    assert response.context["cl"].result_count == 4
    assert "more than" not in response.content.decode()


def test_threads_cannot_be_added(admin_client: Client) -> None:
    assert admin_client.get(f"{LIST}add/").status_code == 403
    assert f"{LIST}add/" not in admin_client.get(LIST).content.decode()
    assert Thread.objects.count() == 0
