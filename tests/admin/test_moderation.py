from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.admin.sites import site
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from chatkit_app.admin import pages, status
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
    ("before", "name", "message"),
    [
        ("active", "lock", "Locked"),
        ("locked", "close", "Closed"),
        ("closed", "reopen", "Reopened"),
    ],
)
def test_status_change_is_in_the_history(moderator: Client, before: str, name: str, message: str) -> None:
    thread = make_thread("A private title", public_id="thr_logged", status=before)
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
    assert written.count(" = ") == 3  # the version too
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


def test_status_page_says_the_id_of_an_untitled_thread_once(moderator: Client) -> None:
    thread = make_thread("", public_id="thr_bare")
    html = moderator.get(f"{LIST}{thread.pk}/moderate/lock/").content.decode()
    assert "<li>thr_bare (active)</li>" in html


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


# --- Two moderators -----------------------------------------------------------------------------------------


@pytest.fixture
def faster(staff: Callable[..., Client]) -> Client:
    """Another moderator, who has been faster."""
    return staff("view_thread", "view_content", "moderate_thread")


def test_moderator_who_is_late_is_told_by_whom_and_why(moderator: Client, faster: Client) -> None:
    thread = make_thread("x")
    moderate(faster, thread, "lock", "Spam")
    response = moderate(moderator, thread, "lock", "Rude")
    html = response.content.decode()
    assert f"1 thread was locked already. ({faster.staff.username}, " in html  # type: ignore[attr-defined]
    assert "The user reads: “Spam”" in html
    assert ">Rude</textarea>" in html.replace("\n", "").replace("\r", "")
    assert "Tick this to replace the reason." in html
    assert status_of(thread) == ("locked", "Spam")
    assert AuditEntry.objects.filter(action="lock").count() == 1


def test_moderator_who_is_late_may_replace_the_reason(moderator: Client, faster: Client) -> None:
    thread = make_thread("x")
    moderate(faster, thread, "lock", "Spam")
    path = f"{LIST}{thread.pk}/moderate/lock/"
    assert "Replace the reason" in moderator.get(path).content.decode()
    moderator.post(path, {"reason": "Rude", "replace": "on"})
    assert status_of(thread) == ("locked", "Rude")
    reasons = AuditEntry.objects.filter(action="lock").order_by("pk").values_list("reason", flat=True)
    assert list(reasons) == ["Spam", "Rude"]


def test_thread_that_is_open_already_is_not_reopened_again(moderator: Client, faster: Client) -> None:
    thread = make_thread("x", status="locked")
    moderate(faster, thread, "reopen")
    html = moderator.post(
        f"{LIST}{thread.pk}/moderate/reopen/", {"reason": "Because"}, follow=True
    ).content.decode()
    assert f"1 thread was open already. ({faster.staff.username}, " in html  # type: ignore[attr-defined]
    assert AuditEntry.objects.filter(action="reopen").count() == 1


def test_moderator_who_is_late_by_a_moment_is_told_so(
    moderator: Client, faster: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one comes between the look at the thread and the change."""
    thread = make_thread("x")
    change = status.set_status

    def slower(threads: list[Thread], *args: Any, **kwargs: Any) -> list[Thread]:
        monkeypatch.setattr(status, "set_status", change)
        moderate(faster, thread, "lock", "Spam")
        return change(threads, *args, **kwargs)

    monkeypatch.setattr(status, "set_status", slower)
    html = moderator.post(
        f"{LIST}{thread.pk}/moderate/lock/", {"reason": "Rude"}, follow=True
    ).content.decode()
    assert f"1 thread was locked already. ({faster.staff.username}, " in html  # type: ignore[attr-defined]
    assert status_of(thread) == ("locked", "Spam")


def test_thread_that_is_deleted_meanwhile_is_not_found(
    moderator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = make_thread("x")
    change = status.set_status

    def slower(threads: list[Thread], *args: Any, **kwargs: Any) -> list[Thread]:
        Thread.objects.all().delete()
        return change(threads, *args, **kwargs)

    monkeypatch.setattr(status, "set_status", slower)
    assert moderate(moderator, thread, "lock").status_code == 404


def test_status_that_nobody_of_the_staff_gave_has_no_name(moderator: Client) -> None:
    thread = make_thread("x", status="locked", status_reason="By the server")
    html = moderator.get(f"{LIST}{thread.pk}/moderate/lock/").content.decode()
    assert "1 thread was locked already. The user reads: “By the server”" in html


def test_selected_threads_that_are_locked_already_are_left_alone_and_counted(moderator: Client) -> None:
    one, two = make_thread("one"), make_thread("two", status="locked", status_reason="Spam")
    act(moderator, "lock_threads", one, two, post="yes", reason="Rude")
    assert [status_of(one), status_of(two)] == [("locked", "Rude"), ("locked", "Spam")]
    html = moderator.get(LIST).content.decode()
    assert "1 thread was locked." in html
    assert "1 thread was locked already." in html
    assert AuditEntry.objects.filter(action="lock").count() == 1


def test_lock_stops_the_answer_that_is_being_written(
    moderator: Client, django_capture_on_commit_callbacks: Any
) -> None:
    thread, other = make_thread("x"), make_thread("y")
    run, untouched = make_run(thread), make_run(other)
    with django_capture_on_commit_callbacks(execute=True):
        moderate(moderator, thread, "lock")
    run.refresh_from_db()
    untouched.refresh_from_db()
    assert (run.stop_requested, untouched.stop_requested) == (True, False)


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


def only_sales(user: Any, threads: Any) -> Any:
    return threads.filter(namespace="sales")


def test_answer_out_of_scope_is_not_stopped(moderator: Client, settings: Any) -> None:
    settings.CHATKIT = {"ADMIN_SCOPE": f"{__name__}.only_sales"}
    run = make_run(make_thread("x", namespace="hr"))
    assert moderator.post(f"{LIST}{run.thread_id}/stop/{run.pk}/").status_code == 404
    assert moderate(moderator, run.thread, "lock").status_code == 404
    run.refresh_from_db()
    assert not run.stop_requested
    assert status_of(run.thread) == ("active", "")


def test_selected_answers_are_stopped(staff: Callable[..., Client]) -> None:
    running, ended, orphan = make_run(make_thread("x")), make_run(make_thread("y"), "failed"), make_run()
    client = staff("view_run", "moderate_thread")
    act(client, "stop_runs", running, ended, orphan, url=RUNS)
    assert set(Run.objects.filter(stop_requested=True)) == {running, orphan}
    assert AuditEntry.objects.filter(action="stop").count() == 2


# --- Several threads ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "action", "expected"),
    [
        ("active", "lock_threads", ("locked", "Because")),
        ("active", "close_threads", ("closed", "Because")),
        ("locked", "reopen_threads", ("active", "")),
    ],
)
def test_selected_threads_are_changed(
    moderator: Client, before: str, action: str, expected: tuple[str, str]
) -> None:
    one, two = (make_thread(title, status=before) for title in ("one", "two"))
    other = make_thread("other", status="closed")
    question = act(moderator, action, one, two).content.decode()
    assert "2 threads:" in question
    assert status_of(one) == (before, "")
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
    assert "you do not have permission were left out" in moderator.get(LIST).content.decode()


# --- Deletion -----------------------------------------------------------------------------------------------


def test_delete_page_counts_what_goes_along(
    staff: Callable[..., Client], django_assert_max_num_queries: Any
) -> None:
    thread = make_thread("A long one", public_id="thr_long")
    for item in make_items(thread, 500)[:2]:
        item.feedback.create(kind="positive", visitor_id="v")
    make_run(thread, "completed")
    client = staff("view_thread", "view_content", "delete_thread")
    with django_assert_max_num_queries(16):
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
    assert "delete the selected threads?" in question
    assert "<li>Items: 3</li>" in question
    done = client.post(
        LIST,
        {"action": "delete_selected", "_selected_action": [one.pk, two.pk], "post": "yes"},
        follow=True,
    )
    assert "2 threads were deleted." in done.content.decode()
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
    assert names >= {"Thread", "Run", "Feedback", "Attachment"}
    assert "ThreadItem" not in names
