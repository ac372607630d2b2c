"""Export conversations from the admin."""

import csv
import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from chatkit_app import db
from chatkit_app.admin import exports as page
from chatkit_app.models import AuditEntry, Thread, ThreadItem
from chatkit_app.moderation import exports
from tests.chat import Chat

from .conftest import make_item, make_items, make_thread

pytestmark = pytest.mark.django_db
LIST = "/admin/chatkit_app/thread/"
MAY = ("view_thread", "view_content", "export_thread")


@pytest.fixture
def exporter(staff: Callable[..., Client]) -> Client:
    return staff(*MAY)


def body(response: Any) -> str:
    return b"".join(response.streaming_content).decode()


def ask(client: Client, thread: Thread, query: str = "", **data: Any) -> Any:
    data = {"format": "jsonl", "reason": "Legal asked", **data}
    return client.post(f"{LIST}{thread.pk}/export/{query}", data)


def act(client: Client, *threads: Thread, query: str = "", **data: Any) -> Any:
    keys = [thread.pk for thread in threads]
    return client.post(
        LIST + query,
        {
            "action": "export_threads",
            "_selected_action": keys,
            "format": "jsonl",
            "reason": "Legal asked",
            **data,
        },
    )


def titles(text: str) -> list[str]:
    found = [json.loads(line) for line in text.split("\n") if line]
    return [line["thread"]["title"] for line in found if line["kind"] == "thread"]


# --- One thread ---------------------------------------------------------------------------------------------


def test_page_asks_for_format_and_reason(exporter: Client) -> None:
    thread = make_thread("Hello")
    html = exporter.get(f"{LIST}{thread.pk}/export/").content.decode()
    assert re.findall(r'<option value="(\w+)">', html) == ["jsonl", "csv", "markdown"]
    assert 'name="reason"' in html
    assert 'name="hidden"' not in html
    assert not AuditEntry.objects.filter(action="export").exists()


def test_thread_is_sent_as_a_file(exporter: Client) -> None:
    thread = make_thread("Hello", public_id="thr_1/../Ü")
    make_item(thread, text="=1+1")
    response = ask(exporter, thread, format="csv")
    assert response.status_code == 200
    assert re.fullmatch(
        r'attachment; filename="chatkit-thread-thr_1-\d{4}-\d\d-\d\d\.csv"', response["Content-Disposition"]
    )
    assert (response["Content-Type"], response["X-Content-Type-Options"]) == (
        "text/csv; charset=utf-8",
        "nosniff",
    )
    assert "no-store" in response["Cache-Control"]
    (row,) = csv.DictReader(io.StringIO(body(response).removeprefix("\ufeff")))
    assert (row["title"], row["text"]) == ("Hello", "'=1+1")


def test_other_threads_are_not_part_of_it(exporter: Client) -> None:
    thread = make_thread("mine", visitor_id="v")
    make_thread("other", visitor_id="v")
    assert titles(body(ask(exporter, thread))) == ["mine"]


@pytest.mark.parametrize("data", [{"reason": ""}, {"reason": " "}, {"format": "xml"}, {"reason": "x" * 1001}])
def test_nothing_is_sent_without_format_and_reason(exporter: Client, data: dict[str, Any]) -> None:
    response = ask(exporter, make_thread(), **data)
    assert not response.streaming
    assert "errorlist" in response.content.decode()
    assert not AuditEntry.objects.filter(action="export").exists()


def test_export_is_in_the_audit_before_the_first_byte(exporter: Client) -> None:
    thread = make_thread("Hello", public_id="thr_1", visitor_id="v")
    response = ask(exporter, thread)
    entry = AuditEntry.objects.get(action="export")
    assert (entry.thread_key, entry.owner, entry.reason) == ("thr_1", "visitor:v", "Legal asked")
    assert entry.details == {"format": "jsonl", "hidden": False, "count": 1}
    assert LogEntry.objects.get().get_change_message() == "Exported"
    response.close()


def test_hidden_context_needs_its_permission(staff: Callable[..., Client], exporter: Client) -> None:
    thread = make_thread()
    make_item(thread, "hidden_context_item", payload={"content": "secret"})
    reader = staff(*MAY, "view_hidden_context")
    assert "secret" not in body(ask(exporter, thread, hidden="on"))
    assert "secret" not in body(ask(reader, thread))
    assert "secret" in body(ask(reader, thread, hidden="on"))
    assert [entry.details["hidden"] for entry in AuditEntry.objects.order_by("pk")] == [False, False, True]


@pytest.mark.parametrize("missing", MAY)
def test_export_needs_its_permissions(staff: Callable[..., Client], missing: str) -> None:
    client = staff(*(name for name in MAY if name != missing))
    thread = make_thread()
    assert client.get(f"{LIST}{thread.pk}/export/").status_code == 403
    assert ask(client, thread).status_code == 403
    act(client, thread, post="yes")
    assert not AuditEntry.objects.filter(action="export").exists()


def of_the_shop(user: Any, threads: Any) -> Any:
    return threads.filter(namespace="shop")


def test_thread_outside_of_the_scope_is_absent(exporter: Client, settings: Any) -> None:
    settings.CHATKIT = {"ADMIN_SCOPE": "tests.admin.test_exports.of_the_shop"}
    inside, outside = make_thread("in", namespace="shop"), make_thread("out")
    assert ask(exporter, outside).status_code == 404
    assert titles(body(act(exporter, inside, outside, post="yes"))) == ["in"]
    assert titles(body(act(exporter, inside, post="yes", select_across="1"))) == ["in"]


# --- One owner ----------------------------------------------------------------------------------------------


def test_all_threads_of_the_owner_are_exported(exporter: Client) -> None:
    user = User.objects.create_user("ada")
    thread = make_thread("one", user=user)
    make_thread("two", user=user, namespace="shop")
    make_thread("other")
    html = exporter.get(f"{LIST}{thread.pk}/export/?owner=1").content.decode()
    assert "2 threads:" in html
    response = ask(exporter, thread, "?owner=1")
    assert f"chatkit-owner-user-{user.pk}-" in response["Content-Disposition"]
    assert titles(body(response)) == ["one", "two"]
    entry = AuditEntry.objects.get(action="export")
    assert (entry.owner, entry.details["whole_owner"], entry.details["count"]) == (f"user:{user.pk}", True, 2)


def test_threads_of_the_owner_outside_of_the_scope_are_left_out(exporter: Client, settings: Any) -> None:
    settings.CHATKIT = {"ADMIN_SCOPE": "tests.admin.test_exports.of_the_shop"}
    thread = make_thread("in", visitor_id="v", namespace="shop")
    make_thread("out", visitor_id="v")
    assert titles(body(ask(exporter, thread, "?owner=1"))) == ["in"]


def test_thread_of_nobody_has_no_owner_to_export(exporter: Client) -> None:
    thread = make_thread(visitor_id="")
    make_thread("another of nobody", visitor_id="")
    response = ask(exporter, thread, "?owner=1")
    assert response["Location"] == f"{LIST}{thread.pk}/change/"


# --- A selection --------------------------------------------------------------------------------------------


def test_selection_is_exported_after_a_question(exporter: Client) -> None:
    one, two, _other = make_thread("one"), make_thread("two"), make_thread("other")
    html = act(exporter, one, two).content.decode()
    assert "2 threads:" in html
    assert titles(body(act(exporter, one, two, post="yes"))) == ["one", "two"]
    entries = AuditEntry.objects.filter(action="export").order_by("pk")
    assert {entry.thread_key for entry in entries} == {one.public_id, two.public_id}


def test_all_that_the_list_has_found_is_exported(exporter: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "MAX_AT_ONCE", 2)
    for number in range(4):
        make_thread(f"closed {number}", status="closed")
    one = make_thread("active")
    response = act(exporter, one, query="?status__exact=closed", post="yes", select_across="1")
    assert titles(body(response)) == [f"closed {number}" for number in range(4)]
    entry = AuditEntry.objects.get(action="export")
    assert (entry.thread_key, entry.details["count"]) == ("", 4)
    assert entry.details["filters"] == "status__exact=closed"


def test_count_that_is_capped_says_so(exporter: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "MAX_COUNT", 2)
    monkeypatch.setattr(page, "MAX_AT_ONCE", 2)
    threads = [make_thread() for _ in range(3)]
    html = act(exporter, threads[0], select_across="1").content.decode()
    assert "more than were counted" in html
    body(act(exporter, threads[0], post="yes", select_across="1"))
    assert AuditEntry.objects.get(action="export").details["count"] is None


def test_search_that_is_capped_says_so(exporter: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatkit_app.admin.search.MESSAGES_SEARCHED", 1)
    threads = [make_thread("tea") for _ in range(3)]
    html = act(exporter, threads[0], query="?q=tea", select_across="1").content.decode()
    assert "only the threads in the list are exported" in html
    assert "only the threads in the list are exported" not in act(exporter, threads[0]).content.decode()


def test_number_of_queries_of_the_question_is_constant(
    exporter: Client, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    threads = [make_thread() for _ in range(40)]
    with django_assert_max_num_queries(15):
        act(exporter, *threads)


# --- The stream ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("post", [{}, {"post": "yes"}])
def test_selected_threads_are_never_read_all_at_once(exporter: Client, post: dict[str, str]) -> None:
    first = make_thread("a")
    for _number in range(3):
        make_thread("b")
    with CaptureQueriesContext(connection) as queries:
        act(exporter, first, select_across="1", **post)
    read = [query["sql"] for query in queries if '"chatkit_app_thread"."metadata"' in query["sql"]]
    assert read
    assert [sql for sql in read if " LIMIT " not in sql] == []


def test_file_is_sent_while_it_is_read(exporter: Client) -> None:
    thread = make_thread(item_count=450)
    make_items(thread, 450)
    response = ask(exporter, thread)
    first = next(iter(response.streaming_content)).decode()
    ThreadItem.objects.filter(public_id="bulk_449").delete()
    rest = body(response)
    assert ("bulk_0" in first, "bulk_199" in first, "bulk_200" in first) == (True, True, False)
    assert ("bulk_448" in rest, "bulk_449" in rest) == (True, False)


def test_stream_that_breaks_off_says_so(
    exporter: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    thread = make_thread(item_count=250)
    make_items(thread, 250)
    response = ask(exporter, thread, format="csv")
    pieces = iter(response.streaming_content)
    next(pieces)
    monkeypatch.setattr(exports, "_grouped", lambda rows: 1 / 0)
    assert b"".join(pieces).decode() == "INCOMPLETE: an error broke this export off here.\r\n"
    assert "An export broke off" in caplog.text


@pytest.fixture
async def chat() -> Chat:
    """A browser of a staff member, before the whole site as an ASGI application."""

    def make_user() -> User:
        user = User.objects.create_user("lin", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=MAY))
        return user

    chat = Chat()
    await chat.log_in(await db.run(make_user))
    return chat


FORM = b"format=jsonl&reason=Legal&csrfmiddlewaretoken=" + b"t" * 32
FORM_HEADERS = {"content-type": "application/x-www-form-urlencoded"}


def make_long_thread() -> Thread:
    thread = make_thread(item_count=1000)
    make_items(thread, 1000)
    return thread


@pytest.mark.django_db(transaction=True)
async def test_file_is_sent_while_it_is_read_under_asgi(chat: Chat) -> None:
    thread = await db.run(make_long_thread)
    exchange = await chat.open("POST", f"{LIST}{thread.pk}/export/", FORM, FORM_HEADERS)
    await exchange.until("bulk_0")
    assert (exchange.ended, b"bulk_999" in exchange.body) == (False, False)
    await exchange.rest()
    lines = exchange.body.decode().strip().split("\n")
    assert [json.loads(line)["kind"] for line in lines] == ["thread"] + ["item"] * 1000


@pytest.mark.django_db(transaction=True)
async def test_client_that_goes_away_ends_the_export(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    thread = await db.run(make_long_thread)
    steps: list[int] = []
    original = exports.Export._read

    def read(self: Any, position: Any) -> Any:
        steps.append(1)
        return original(self, position)

    monkeypatch.setattr(exports.Export, "_read", read)
    exchange = await chat.open("POST", f"{LIST}{thread.pk}/export/", FORM, FORM_HEADERS)
    await exchange.until("bulk_0")
    await exchange.disconnect()
    taken = len(steps)
    # The worker is free, and nobody takes another step.
    assert await db.run(Thread.objects.count) == 1
    assert len(steps) == taken < 6


@pytest.mark.django_db(transaction=True)
async def test_stream_that_breaks_off_under_asgi_says_so(
    chat: Chat, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    thread = await db.run(make_long_thread)
    monkeypatch.setattr(exports, "_grouped", lambda rows: 1 / 0)
    exchange = await (await chat.open("POST", f"{LIST}{thread.pk}/export/", FORM, FORM_HEADERS)).rest()
    assert json.loads(exchange.body)["kind"] == "incomplete"
    assert "An export broke off" in caplog.text
