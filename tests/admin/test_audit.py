from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import OperationalError, connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.formats import date_format

from chatkit_app.models import AuditEntry, Thread
from chatkit_app.staff import audit

from .conftest import make_item, make_thread

pytestmark = pytest.mark.django_db
APP = "/admin/chatkit_app/"
LIST = f"{APP}auditentry/"


@pytest.fixture
def auditor(staff: Callable[..., Client]) -> Client:
    return staff("view_auditentry", "view_thread")


@pytest.fixture
def anna() -> User:
    return User.objects.create_user("anna", is_staff=True)


def rows(client: Client, query: str = "") -> list[AuditEntry]:
    response = client.get(f"{LIST}?{query}")
    assert response.status_code == 200
    return list(response.context["cl"].result_list)


def refusals() -> list[tuple[str, str, int]]:
    entries = AuditEntry.objects.filter(action="refused").order_by("pk")
    return [(entry.details["method"], entry.details["path"], entry.details["status"]) for entry in entries]


# --- The list -----------------------------------------------------------------------------------------------


def test_list_shows_an_entry(auditor: Client, anna: User) -> None:
    thread = make_thread("A title", public_id="thr_1", visitor_id="v1")
    audit.record(audit.Action.REDACT, actor=anna, thread=thread, item_key="msg_1", reason="<b>Name</b>", n=3)
    html = auditor.get(LIST).content.decode()
    for text in (
        "<bdi>anna</bdi>",
        '<span class="chatkit-badge chatkit-audit-redact">redacted</span>',
        f'<a href="{APP}thread/{thread.pk}/change/"><bdi>thr_1</bdi></a>',
        '<bdi class="chatkit-preview">&lt;b&gt;Name&lt;/b&gt;</bdi>',
        '<div class="chatkit-entry-facts">Message: msg_1. n: 3</div>',
    ):
        assert text in html
    assert "A title" not in html


def test_page_of_an_entry_shows_all_of_it(auditor: Client, anna: User) -> None:
    reason = "Because " * 40
    thread = make_thread(public_id="thr_1", visitor_id="v1")
    audit.record(audit.Action.LOCK, actor=anna, thread=thread, item_key="msg_1", reason=reason, a=[1])
    html = auditor.get(f"{LIST}{AuditEntry.objects.get().pk}/change/").content.decode()
    for text in (reason.strip(), "anna", str(anna.pk), "thr_1", "msg_1", "visitor:v1", "&quot;a&quot;: ["):
        assert text in html


def test_list_tells_details_in_sentences(auditor: Client) -> None:
    audit.record(audit.Action.ERASE, actor=None, erased={"run": 2, "thread": 1})
    html = auditor.get(LIST).content.decode()
    assert '<div class="chatkit-entry-facts">Erased: run 2, thread 1.</div>' in html


def test_list_begins_with_the_newest(auditor: Client, anna: User) -> None:
    for action in (audit.Action.LOCK, audit.Action.REOPEN):
        audit.record(action, actor=anna)
    assert [entry.action for entry in rows(auditor)] == ["reopen", "lock"]


def test_entry_of_a_command_says_so(auditor: Client) -> None:
    audit.record(audit.Action.EXPORT, actor=None)
    assert "<bdi>a command</bdi>" in auditor.get(LIST).content.decode()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("action__exact=lock", ["lock"]),
        ("staff=anna", ["lock"]),
        ("staff=ann", []),
        ("staff={anna.pk}", ["lock"]),
        ("q=thr_1", ["lock"]),
        ("q=thr_", []),
        ("q=msg_1", ["read"]),
        ("q=visitor:v2", ["read"]),
        ("q=bert", ["read"]),
    ],
)
def test_entries_are_found(auditor: Client, anna: User, query: str, expected: list[str]) -> None:
    bert = User.objects.create_user("bert")
    audit.record(audit.Action.LOCK, actor=anna, thread=make_thread(public_id="thr_1", visitor_id="v1"))
    second = make_thread(public_id="thr_2", visitor_id="v2")
    audit.record(audit.Action.READ, actor=bert, thread=second, item_key="msg_1")
    assert [entry.action for entry in rows(auditor, query.format(anna=anna))] == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("from=2025-03-01&to=2025-03-31", ["lock"]),
        ("from=2025-04-01", ["read"]),
        ("to=nonsense", ["read", "lock"]),
    ],
)
def test_entries_are_found_by_date(auditor: Client, query: str, expected: list[str]) -> None:
    for day, action in (("2025-03-31T23:00", "lock"), ("2025-04-01T00:00", "read")):
        moment = timezone.make_aware(datetime.fromisoformat(day))
        AuditEntry.objects.create(action=action, created_at=moment)
    assert [entry.action for entry in rows(auditor, query)] == expected


@pytest.mark.parametrize(("query", "column"), [("", "id"), ("from=2025-01-01", "created_at")])
def test_list_is_sorted_by_what_has_an_index(auditor: Client, query: str, column: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        rows(auditor, query)
    (listed,) = [sql["sql"] for sql in queries if "ORDER BY" in sql["sql"] and "LIMIT" not in sql["sql"]]
    assert f'ORDER BY "chatkit_app_auditentry"."{column}" DESC' in listed


@pytest.mark.parametrize("number", [3, 45])
def test_list_takes_the_same_queries_for_any_number_of_rows(
    auditor: Client, anna: User, django_assert_num_queries: Any, number: int
) -> None:
    audit.record(audit.Action.READ, actor=anna, threads=[make_thread() for _ in range(number)])
    # Session, staff member, two for permissions, count, rows, threads of the rows.
    with django_assert_num_queries(7):
        response = auditor.get(LIST)
    assert response.content.count(b"chatkit_app/thread/") >= number


def test_thread_that_is_gone_has_no_link(auditor: Client, anna: User) -> None:
    thread = make_thread(public_id="thr_gone")
    audit.record(audit.Action.READ, actor=anna, thread=thread)
    thread.delete()
    html = auditor.get(LIST).content.decode()
    assert '<td class="field-thread_label"><bdi>thr_gone</bdi></td>' in html


def test_auditor_who_may_see_no_threads_is_led_to_none(staff: Callable[..., Client], anna: User) -> None:
    audit.record(audit.Action.READ, actor=anna, thread=make_thread(public_id="thr_1"))
    html = staff("view_auditentry").get(LIST).content.decode()
    assert '<td class="field-thread_label"><bdi>thr_1</bdi></td>' in html


def test_entries_cannot_be_changed_or_deleted(admin_client: Client, anna: User) -> None:
    audit.record(audit.Action.LOCK, actor=anna)
    entry = AuditEntry.objects.get()
    html = admin_client.get(f"{LIST}{entry.pk}/change/").content.decode()
    assert "deletelink" not in html
    assert 'name="_save"' not in html
    for path in ("change/", "delete/"):
        assert admin_client.post(f"{LIST}{entry.pk}/{path}", {"post": "yes", "reason": ""}).status_code == 403
    assert admin_client.get(f"{LIST}add/").status_code == 403
    admin_client.post(LIST, {"action": "delete_selected", "_selected_action": entry.pk, "post": "yes"})
    assert AuditEntry.objects.filter(pk=entry.pk, action="lock").exists()


def test_entries_outlive_deletions_in_the_admin(admin_client: Client, staff: Callable[..., Client]) -> None:
    owner = User.objects.create_user("maria")
    thread = make_thread("x", user=owner, public_id="thr_1")
    client = staff("view_thread", "moderate_thread")
    client.post(f"{APP}thread/{thread.pk}/moderate/lock/", {"reason": "Spam"})
    moderator: User = client.staff  # type: ignore[attr-defined]
    admin_client.post(f"{APP}thread/{thread.pk}/delete/", {"post": "yes"})
    for user in (owner, moderator):
        assert admin_client.post(f"/admin/auth/user/{user.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Thread.objects.exists()
    assert not User.objects.filter(pk__in=[owner.pk, moderator.pk]).exists()
    assert not LogEntry.objects.filter(user_id=moderator.pk).exists()
    html = admin_client.get(f"{LIST}?q=thr_1").content.decode()
    for text in (moderator.username, "Spam", "locked", "deleted"):
        assert text in html
    assert AuditEntry.objects.filter(thread_key="thr_1", owner=f"user:{owner.pk}").count() == 2


# --- Refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "thread/{0}/moderate/lock/", 403),
        ("get", "thread/999999/change/", 404),
        ("get", "thread/x/moderate/lock/", 403),
        ("get", "thread/?title__startswith=a", 400),
        ("get", "run/", 403),
        ("get", "attachment/1/file/", 403),
        ("post", "thread/{0}/change/", 403),
        ("post", "thread/{0}/delete/", 403),
        ("get", "thread/{0}/stop/1/", 405),
    ],
)
def test_refusals_are_written_down(staff: Callable[..., Client], method: str, path: str, status: int) -> None:
    client = staff("view_thread")
    path = APP + path.format(make_thread("x").pk)
    response = getattr(client, method)(path)
    # Django sends who asks for a page that is not there back to the start.
    assert response.status_code == (302 if status == 404 else status)
    bare = path.partition("?")[0]
    assert refusals() == [(method.upper(), bare, response.status_code)]
    assert AuditEntry.objects.get().actor_name == client.staff.username  # type: ignore[attr-defined]


def test_refused_question_is_written_down(staff: Callable[..., Client]) -> None:
    staff("view_thread").get(f"{APP}thread/?title__startswith=a")
    assert AuditEntry.objects.get().details["query"] == "title__startswith=a"


def test_forged_request_is_written_down(staff: Callable[..., Client]) -> None:
    thread = make_thread("x")
    client = staff("view_thread", "moderate_thread", enforce_csrf_checks=True)
    path = f"{APP}thread/{thread.pk}/moderate/lock/"
    assert client.post(path, {"reason": "x"}).status_code == 403
    assert refusals() == [("POST", path, 403)]
    assert Thread.objects.get().status == "active"


def test_page_with_its_token_is_let_through(staff: Callable[..., Client]) -> None:
    thread = make_thread("x")
    client = staff("view_thread", "moderate_thread", enforce_csrf_checks=True)
    path = f"{APP}thread/{thread.pk}/moderate/lock/"
    token = client.get(path).cookies["csrftoken"].value
    assert client.post(path, {"reason": "x", "csrfmiddlewaretoken": token}).status_code == 302
    assert refusals() == []


@pytest.mark.parametrize("user", [None, "somebody"])
def test_those_who_are_not_staff_write_nothing(client: Client, user: str | None) -> None:
    if user:
        client.force_login(User.objects.create_user(user))
    assert client.get(f"{APP}thread/1/moderate/lock/").status_code == 302
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_refusal_outlives_the_transaction_of_its_request(
    staff: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = staff("view_thread")
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)
    assert client.get(f"{APP}run/").status_code == 403
    assert refusals() == [("GET", f"{APP}run/", 403)]


@pytest.mark.django_db(transaction=True)
def test_pages_are_transactions_where_requests_are(
    moderator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = make_thread("x")
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)

    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("after the change")

    monkeypatch.setattr("chatkit_app.admin.base.ReadingAdmin.message_user", fail)
    with pytest.raises(RuntimeError, match="after the change"):
        moderator.post(f"{APP}thread/{thread.pk}/moderate/lock/", {"reason": "x"})
    assert Thread.objects.get().status == "active"
    assert not AuditEntry.objects.exists()


def interrupted(state: str) -> OperationalError:
    cause: Any = Exception()
    cause.sqlstate = state
    error = OperationalError("another transaction was in the way")
    error.__cause__ = cause
    return error


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("atomic", [False, True])
def test_page_that_met_a_deadlock_is_tried_again(
    moderator: Client, monkeypatch: pytest.MonkeyPatch, atomic: bool
) -> None:
    thread = make_thread("x")
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", atomic)
    record, errors = audit.record, [interrupted("40P01"), interrupted("40001")]

    def fail_twice(*args: Any, **kwargs: Any) -> None:
        if errors:
            raise errors.pop()
        record(*args, **kwargs)

    monkeypatch.setattr("chatkit_app.staff.audit.record", fail_twice)
    response = moderator.post(f"{APP}thread/{thread.pk}/moderate/lock/", {"reason": "Spam"})
    assert response.status_code == 302
    thread.refresh_from_db()
    assert (thread.status, AuditEntry.objects.get().action) == ("locked", "lock")


@pytest.mark.parametrize(("state", "tries"), [("40P01", 3), ("53300", 1)])
def test_page_that_cannot_be_had_fails(
    moderator: Client, monkeypatch: pytest.MonkeyPatch, state: str, tries: int
) -> None:
    tried: list[str] = []

    def fail(*args: Any, **kwargs: Any) -> None:
        tried.append(state)
        raise interrupted(state)

    monkeypatch.setattr("chatkit_app.staff.audit.record", fail)
    path = f"{APP}thread/{make_thread('x').pk}/moderate/lock/"
    with pytest.raises(OperationalError):
        moderator.post(path, {"reason": "Spam"})
    assert len(tried) == tries


def test_flood_of_refusals_is_cut_off(staff: Callable[..., Client], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "REFUSALS_A_MINUTE", 3)
    client, other = staff("view_thread"), staff("view_thread")
    for _ in range(5):
        assert client.get(f"{APP}run/").status_code == 403
    assert AuditEntry.objects.count() == 3
    other.get(f"{APP}run/")
    assert AuditEntry.objects.count() == 4


def test_refusals_of_an_hour_ago_do_not_count(
    staff: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "REFUSALS_A_MINUTE", 1)
    client = staff()
    hour_ago = timezone.now() - timedelta(hours=1)
    AuditEntry.objects.create(
        action="refused",
        actor_key=str(client.staff.pk),  # type: ignore[attr-defined]
        created_at=hour_ago,
    )
    client.get(f"{APP}run/")
    assert AuditEntry.objects.count() == 2


# --- A thread's history -------------------------------------------------------------------------------------


def test_history_shows_auditors_what_was_done_and_read(auditor: Client, anna: User) -> None:
    thread = make_thread("A title")
    item = make_item(thread, text="A word")
    audit.record(audit.Action.READ, actor=anna, thread=thread, item_key=item.public_id, count=50)
    audit.record(audit.Action.LOCK, actor=anna, thread=thread, reason="<b>Spam</b>")
    audit.record(audit.Action.LOCK, actor=anna, thread=make_thread(), reason="Another")
    response = auditor.get(f"{APP}thread/{thread.pk}/history/")
    assert [entry["row"].action for entry in response.context["entries"]] == ["lock", "read"]
    html = response.content.decode()
    for text in (
        "<bdi>anna</bdi>",
        "<bdi>&lt;b&gt;Spam&lt;/b&gt;</bdi>",
        item.public_id,
        "Read 50 messages.",
    ):
        assert text in html
    assert "Another" not in html
    assert "A word" not in html


def test_entry_leads_those_who_may_read_to_its_message(staff: Callable[..., Client], anna: User) -> None:
    thread, moment = make_thread("x"), datetime(2025, 3, 31, 12, 3, tzinfo=UTC)
    item = make_item(thread, text="A word", created_at=moment)
    audit.record(audit.Action.REDACT, actor=anna, thread=thread, item_key=item.public_id)
    entry = AuditEntry.objects.get()
    link = f'<a href="{APP}thread/{thread.pk}/change/?item={item.pk}#transcript">Show the message</a>'
    time = date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT").removesuffix(".")
    places = (LIST, f"{LIST}{entry.pk}/change/", f"{APP}thread/{thread.pk}/history/")
    reader = staff("view_auditentry", "view_thread", "view_content")
    for place in places:
        html = reader.get(place).content.decode()
        assert link in html
        assert f"Message: {time}." in html
    other = staff("view_auditentry", "view_thread")
    for place in places:
        html = other.get(place).content.decode()
        assert "Show the message" not in html
        assert f"Message: {item.public_id}." in html


def test_entry_of_a_message_out_of_scope_leads_nowhere(
    staff: Callable[..., Client], anna: User, settings: Any
) -> None:
    settings.CHATKIT = {"ADMIN_SCOPE": "tests.admin.thread_pages.only_mine"}
    mine, theirs = make_thread("x", namespace="mine"), make_thread("y", namespace="theirs")
    item = make_item(theirs, text="A word")
    # The same id in both: an entry of one is never shown the other's message.
    audit.record(audit.Action.REDACT, actor=anna, thread=mine, item_key=item.public_id)
    reader = staff("view_auditentry", "view_thread", "view_content")
    assert "Show the message" not in reader.get(LIST).content.decode()


def test_history_shows_others_what_was_done(staff: Callable[..., Client], anna: User) -> None:
    thread = make_thread("x")
    audit.record(audit.Action.READ, actor=anna, thread=thread, count=50)
    audit.record(audit.Action.LOCK, actor=anna, thread=thread, reason="Spam")
    html = staff("view_thread").get(f"{APP}thread/{thread.pk}/history/").content.decode()
    assert "Locked" in html
    assert "Spam" not in html
    assert "count: 50" not in html


def test_history_is_paged(auditor: Client, anna: User) -> None:
    thread = make_thread("x")
    for number in range(51):
        audit.record(audit.Action.LABEL, actor=anna, thread=thread, reason=f"label {number}.")
    page = f"{APP}thread/{thread.pk}/history/"
    first, second = (auditor.get(f"{page}?p={number}") for number in (1, 2))
    assert [entry["reason"] for entry in second.context["entries"]] == ["label 0."]
    assert len(first.context["entries"]) == 50
    assert '<a href="?p=2">2</a>' in first.content.decode()
    for nonsense in ("0", "-1", "x", "9" * 30, "%00"):
        assert auditor.get(f"{page}?p={nonsense}").status_code == 200


@pytest.mark.parametrize("number", [2, 40])
def test_history_takes_the_same_queries_for_any_number_of_entries(
    auditor: Client, anna: User, number: int
) -> None:
    thread = make_thread("x")
    for _ in range(number):
        audit.record(audit.Action.READ, actor=anna, thread=thread)
    with CaptureQueriesContext(connection) as queries:
        auditor.get(f"{APP}thread/{thread.pk}/history/")
    assert len(queries) <= 10
