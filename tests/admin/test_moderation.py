from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.admin.sites import site
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from chatkit_app.admin import pages
from chatkit_app.admin import threads as threads_module
from chatkit_app.models import AuditEntry, Feedback, Run, Thread, ThreadItem

from .conftest import make_item, make_items, make_run, make_thread

pytestmark = pytest.mark.django_db
LIST = "/admin/chatkit_app/thread/"
RUNS = "/admin/chatkit_app/run/"


def status_of(thread: Thread) -> tuple[str, str]:
    thread.refresh_from_db()
    return thread.status, thread.status_reason


def moderate(client: Client, thread: Thread, name: str, reason: str = "Because") -> Any:
    return client.post(f"{LIST}{thread.pk}/moderate/{name}/", {"reason": reason})


def act(client: Client, action: str, *rows: Any, url: str = LIST, **data: Any) -> Any:
    return client.post(url, {"action": action, "_selected_action": [row.pk for row in rows], **data})


# --- One thread ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("lock", ("active", ""), ("locked", "Because")),
        ("close", ("active", ""), ("closed", "Because")),
        ("reopen", ("locked", "Spam"), ("active", "")),
    ],
)
def test_status_is_changed(
    moderator: Client, name: str, before: tuple[str, str], after: tuple[str, str]
) -> None:
    thread = make_thread("x", status=before[0], status_reason=before[1])
    response = moderate(moderator, thread, name)
    assert (response.status_code, response["Location"]) == (302, f"{LIST}{thread.pk}/change/")
    assert status_of(thread) == after


@pytest.mark.parametrize(
    ("name", "message"),
    [("lock", "Locked: Because"), ("close", "Closed: Because"), ("reopen", "Reopened: Because")],
)
def test_status_change_is_in_the_history_with_its_reason(moderator: Client, name: str, message: str) -> None:
    thread = make_thread("A private title", public_id="thr_logged", status="closed")
    moderate(moderator, thread, name)
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.user, entry.change_message, entry.object_repr) == (
        str(thread.pk),
        moderator.staff,  # type: ignore[attr-defined]
        message,
        "thr_logged",
    )
    assert message in moderator.get(f"{LIST}{thread.pk}/history/").content.decode()


def test_status_change_writes_no_other_column(moderator: Client) -> None:
    thread = make_thread("x")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        moderate(moderator, thread, "lock")
    (update,) = [
        query["sql"] for query in queries if query["sql"].startswith('UPDATE "chatkit_app_thread" SET')
    ]
    written = update[update.index("SET") : update.index("WHERE")]
    assert written.count(" = ") == 2
    assert '"status" = ' in written
    assert '"status_reason" = ' in written


@pytest.mark.parametrize("reason", ["", "   ", "a\x00b", "x" * 1001])
def test_status_change_wants_a_reason(moderator: Client, reason: str) -> None:
    thread = make_thread("x")
    response = moderate(moderator, thread, "lock", reason)
    assert response.status_code == 200
    assert response.context["form"].errors["reason"]
    assert "The user reads this." in response.content.decode()
    assert status_of(thread) == ("active", "")
    assert not LogEntry.objects.exists()


def test_status_page_asks_and_changes_nothing(moderator: Client) -> None:
    thread = make_thread("<b>Bold</b>")
    html = moderator.get(f"{LIST}{thread.pk}/moderate/lock/").content.decode()
    assert "&lt;b&gt;Bold&lt;/b&gt;" in html
    assert 'name="reason"' in html
    assert status_of(thread) == ("active", "")


def test_thread_page_offers_what_can_be_done(moderator: Client) -> None:
    thread = make_thread("x", status="locked")
    html = moderator.get(f"{LIST}{thread.pk}/change/").content.decode()
    offered = [name for name in ("lock", "close", "reopen") if f"{LIST}{thread.pk}/moderate/{name}/" in html]
    assert offered == ["close", "reopen"]


@pytest.mark.parametrize(
    "path", ["999999/moderate/lock/", "x/moderate/lock/", "1/moderate/burn/", "999999/stop/1/"]
)
def test_absent_threads_and_actions_are_not_found(moderator: Client, path: str) -> None:
    assert moderator.post(LIST + path, {"reason": "x"}).status_code == 404


# --- Stopping -----------------------------------------------------------------------------------------------


def test_running_answer_is_stopped(moderator: Client) -> None:
    thread = make_thread("x")
    run = make_run(thread)
    page = moderator.get(f"{LIST}{thread.pk}/change/").content.decode()
    assert f'action="{LIST}{thread.pk}/stop/{run.pk}/"' in page
    response = moderator.post(f"{LIST}{thread.pk}/stop/{run.pk}/")
    assert response["Location"] == f"{LIST}{thread.pk}/change/"
    run.refresh_from_db()
    assert run.stop_requested
    assert LogEntry.objects.get().change_message == "Stopped an answer"
    assert LogEntry.objects.get().object_id == str(thread.pk)


def test_ended_answer_is_left_alone(moderator: Client) -> None:
    thread = make_thread("x")
    run = make_run(thread, "completed")
    response = moderator.post(f"{LIST}{thread.pk}/stop/{run.pk}/", follow=True)
    assert "The answer had already ended." in response.content.decode()
    assert f"{LIST}{thread.pk}/stop/" not in response.content.decode()
    run.refresh_from_db()
    assert not run.stop_requested
    assert not LogEntry.objects.exists()


def test_stop_refuses_get(moderator: Client) -> None:
    run = make_run(make_thread("x"))
    assert moderator.get(f"{LIST}{run.thread_id}/stop/{run.pk}/").status_code == 405
    run.refresh_from_db()
    assert not run.stop_requested


def test_answer_of_another_thread_is_not_found(moderator: Client) -> None:
    run = make_run(make_thread("x"))
    other = make_thread("y")
    assert moderator.post(f"{LIST}{other.pk}/stop/{run.pk}/").status_code == 404
    run.refresh_from_db()
    assert not run.stop_requested


def test_selected_answers_are_stopped(staff: Callable[..., Client]) -> None:
    running, ended, orphan = make_run(make_thread("x")), make_run(make_thread("y"), "failed"), make_run()
    client = staff("view_run", "moderate_thread")
    act(client, "stop_runs", running, ended, orphan, url=RUNS)
    assert set(Run.objects.filter(stop_requested=True)) == {running, orphan}
    assert AuditEntry.objects.filter(action="stop").count() == 2


# --- Several threads ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("lock_threads", ("locked", "Because")),
        ("close_threads", ("closed", "Because")),
        ("reopen_threads", ("active", "")),
    ],
)
def test_selected_threads_are_changed(moderator: Client, action: str, expected: tuple[str, str]) -> None:
    one, two, other = make_thread("one"), make_thread("two"), make_thread("other", status="closed")
    question = act(moderator, action, one, two).content.decode()
    assert "2 threads:" in question
    assert status_of(one) == ("active", "")
    response = act(moderator, action, one, two, post="yes", reason="Because")
    assert response.status_code == 302
    assert [status_of(one), status_of(two), status_of(other)] == [expected, expected, ("closed", "")]
    assert LogEntry.objects.count() == 2


def test_question_carries_the_selection_along(moderator: Client) -> None:
    one, two = make_thread("one"), make_thread("two")
    html = act(moderator, "lock_threads", one, two).content.decode()
    for thread in (one, two):
        assert f'<input type="hidden" name="_selected_action" value="{thread.pk}">' in html
    assert '<input type="hidden" name="action" value="lock_threads">' in html


def test_selected_threads_want_a_reason(moderator: Client) -> None:
    thread = make_thread("x")
    response = act(moderator, "lock_threads", thread, post="yes", reason="")
    assert response.context["form"].errors["reason"]
    assert status_of(thread) == ("active", "")


@pytest.mark.parametrize("action", ["lock_threads", "delete_selected"])
def test_too_many_threads_at_once_are_refused(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    monkeypatch.setattr(pages, "MAX_AT_ONCE", 2)
    threads = [make_thread(f"{number}") for number in range(3)]
    response = act(admin_client, action, threads[0], select_across="1", post="yes", reason="x")
    assert response.status_code == 302
    assert "Please select at most 2 threads at a time." in admin_client.get(LIST).content.decode()
    assert Thread.objects.filter(status="active").count() == 3


def test_selected_threads_are_checked_one_by_one(moderator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, theirs = make_thread("mine"), make_thread("theirs")
    monkeypatch.setattr(
        threads_module.ThreadAdmin,
        "has_moderate_permission",
        lambda self, request, obj=None: obj is None or obj.title == "mine",
    )
    act(moderator, "lock_threads", mine, theirs, post="yes", reason="Because")
    assert [status_of(mine)[0], status_of(theirs)[0]] == ["locked", "active"]
    assert "may not do this were left out" in moderator.get(LIST).content.decode()


# --- Who may ------------------------------------------------------------------------------------------------

ROLES: dict[str, list[str]] = {
    "nobody": [],
    "reader": ["view_thread", "view_content"],
    "blind moderator": ["moderate_thread"],
    "moderator": ["view_thread", "view_content", "moderate_thread"],
    "deleter": ["view_thread", "view_content", "delete_thread"],
}
DOINGS = {
    "list": {"reader", "moderator", "deleter"},
    "read": {"reader", "moderator", "deleter"},
    "history": {"reader", "moderator", "deleter"},
    "item": {"reader", "moderator", "deleter"},
    "question": {"moderator"},
    "lock": {"moderator"},
    "stop": {"moderator"},
    "delete page": {"deleter"},
    "delete": {"deleter"},
    "lock selected": {"moderator"},
    "delete selected": {"deleter"},
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("doing", DOINGS)
def test_permissions(staff: Callable[..., Client], role: str, doing: str) -> None:
    thread = make_thread("x")
    item, run = make_item(thread, text="x"), make_run(thread)
    client = staff(*ROLES[role])
    page = f"{LIST}{thread.pk}/"
    match doing:
        case "list":
            allowed = client.get(LIST).status_code == 200
        case "read":
            allowed = client.get(f"{page}change/").status_code == 200
        case "history":
            allowed = client.get(f"{page}history/").status_code == 200
        case "item":
            allowed = client.get(f"{page}items/{item.pk}/").status_code == 200
        case "question":
            allowed = client.get(f"{page}moderate/lock/").status_code == 200
        case "lock":
            client.post(f"{page}moderate/lock/", {"reason": "x"})
            allowed = status_of(thread)[0] == "locked"
        case "stop":
            client.post(f"{page}stop/{run.pk}/")
            allowed = Run.objects.get(pk=run.pk).stop_requested
        case "delete page":
            allowed = client.get(f"{page}delete/").status_code == 200
        case "delete":
            client.post(f"{page}delete/", {"post": "yes"})
            allowed = not Thread.objects.filter(pk=thread.pk).exists()
        case "lock selected":
            act(client, "lock_threads", thread, post="yes", reason="x")
            allowed = status_of(thread)[0] == "locked"
        case _:
            act(client, "delete_selected", thread, post="yes")
            allowed = not Thread.objects.filter(pk=thread.pk).exists()
    assert allowed == (role in DOINGS[doing])


@pytest.mark.parametrize(
    ("role", "actions"),
    [
        ("reader", []),
        ("moderator", ["lock_threads", "close_threads", "reopen_threads"]),
        ("deleter", ["delete_selected"]),
    ],
)
def test_actions_are_offered_to_those_who_may(
    staff: Callable[..., Client], role: str, actions: list[str]
) -> None:
    make_thread("x")
    response = staff(*ROLES[role]).get(LIST)
    form = response.context.get("action_form")
    offered = [name for name, _label in form.fields["action"].choices if name] if form else []
    assert offered == actions


def test_reader_is_offered_no_moderation(staff: Callable[..., Client]) -> None:
    thread = make_thread("x")
    make_run(thread)
    html = staff("view_thread", "view_content").get(f"{LIST}{thread.pk}/change/").content.decode()
    assert "/moderate/" not in html
    assert "/stop/" not in html
    assert f"{LIST}{thread.pk}/delete/" not in html


@pytest.mark.parametrize("path", ["", "{0}/change/", "{0}/moderate/lock/", "{0}/stop/1/", "{0}/items/1/"])
def test_those_who_are_not_staff_are_sent_to_log_in(client: Client, path: str) -> None:
    thread = make_thread("x")
    client.force_login(User.objects.create_user("somebody"))
    response = client.get(LIST + path.format(thread.pk))
    assert response["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("path", ["{0}/moderate/lock/", "{0}/stop/{1}/", "{0}/delete/", ""])
def test_forged_requests_are_refused(staff: Callable[..., Client], path: str) -> None:
    thread = make_thread("x")
    run = make_run(thread)
    client = staff(
        "view_thread", "view_content", "moderate_thread", "delete_thread", enforce_csrf_checks=True
    )
    data = {"reason": "x", "post": "yes", "action": "lock_threads", "_selected_action": thread.pk}
    assert client.post(LIST + path.format(thread.pk, run.pk), data).status_code == 403
    assert status_of(thread) == ("active", "")
    assert not Run.objects.get(pk=run.pk).stop_requested


# --- Deletion -----------------------------------------------------------------------------------------------


def test_delete_page_counts_what_goes_along(
    staff: Callable[..., Client], django_assert_max_num_queries: Any
) -> None:
    thread = make_thread("A long one", public_id="thr_long")
    for item in make_items(thread, 500)[:2]:
        item.feedback.create(kind="positive", visitor_id="v")
    make_run(thread, "completed")
    client = staff("view_thread", "view_content", "delete_thread")
    with django_assert_max_num_queries(12):
        html = client.get(f"{LIST}{thread.pk}/delete/").content.decode()
    for count in ("Threads: 1", "Items: 500", "Runs: 1", "Feedback: 2"):
        assert f"<li>{count}</li>" in html
    assert "thr_long — A long one" in html
    assert "bulk_1" not in html
    assert len(html) < 20_000


def test_deleting_a_thread_takes_its_rows_along(staff: Callable[..., Client]) -> None:
    thread, other = make_thread("x"), make_thread("y")
    make_items(thread, 20)[0].feedback.create(kind="positive", visitor_id="v")
    kept = make_item(other, text="kept")
    make_run(thread, "completed")
    staff("view_thread", "view_content", "delete_thread").post(f"{LIST}{thread.pk}/delete/", {"post": "yes"})
    assert list(Thread.objects.all()) == [other]
    assert list(ThreadItem.objects.all()) == [kept]
    assert (Run.objects.count(), Feedback.objects.count()) == (0, 0)
    assert LogEntry.objects.get().object_repr == thread.public_id


def test_selected_threads_are_deleted_after_a_question(staff: Callable[..., Client]) -> None:
    one, two, other = make_thread("one"), make_thread("two"), make_thread("other")
    make_items(one, 3)
    client = staff("view_thread", "view_content", "delete_thread")
    question = act(client, "delete_selected", one, two).content.decode()
    assert "<li>Threads: 2</li>" in question
    assert "<li>Items: 3</li>" in question
    act(client, "delete_selected", one, two, post="yes")
    assert list(Thread.objects.all()) == [other]


def test_delete_page_of_a_user_is_not_blocked_by_conversations(admin_client: Client) -> None:
    user = User.objects.create_user("maria")
    thread = make_thread("x", user=user)
    make_item(thread, text="x").feedback.create(kind="positive", user=user)
    make_run(thread, "completed", user=user)
    admin_client.post(f"/admin/auth/user/{user.pk}/delete/", {"post": "yes"})
    assert not User.objects.filter(pk=user.pk).exists()
    assert not Thread.objects.exists()


def test_models_are_in_the_index_but_items_are_not() -> None:
    names = {model.__name__ for model in site._registry if model._meta.app_label == "chatkit_app"}
    assert names == {"Thread", "Run", "Feedback", "Attachment"}
