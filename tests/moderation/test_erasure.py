"""Rows that go for good."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chatkit_app import db
from chatkit_app.models import (
    Assignment,
    Attachment,
    AuditEntry,
    Feedback,
    Flag,
    Label,
    Note,
    Run,
    Thread,
    ThreadItem,
    VisitorClaim,
)
from chatkit_app.moderation import erasure
from chatkit_app.moderation.erasure import Person, Retention, delete_threads, erase, prune
from chatkit_app.staff import audit
from tests.admin.conftest import make_item, make_items, make_run, make_thread
from tests.chat import Chat
from tests.servers import SlowServer

pytestmark = pytest.mark.django_db
OLD = timedelta(days=100)
TABLES = (Thread, ThreadItem, Run, Feedback, Attachment, Note, Flag, Assignment, Thread.labels.through)


def make_file(thread: Thread | None = None, **fields: Any) -> Attachment:
    number = Attachment.objects.count()
    name = default_storage.save(f"chatkit/{number}", ContentFile(b"bytes"))
    return Attachment.objects.create(
        public_id=f"atc_{number}", thread=thread, type="file", name="x.txt", file=name, **fields
    )


def make_full_thread(**fields: Any) -> Thread:
    """A thread with a row in every table."""
    thread = make_thread("x", **fields)
    run = make_run(thread, "completed")
    item = make_item(thread, text="hi", run=run)
    Feedback.objects.create(item=item, kind="negative", visitor_id="somebody")
    Flag.objects.create(thread=thread, item=item, source="staff")
    Note.objects.create(thread=thread, author_name="mod", text="rude")
    Assignment.objects.create(
        thread=thread, assignee=User.objects.get_or_create(username="mod", is_staff=True)[0]
    )
    thread.labels.add(Label.objects.get_or_create(name="spam")[0])
    make_file(thread)
    return thread


def counts() -> list[int]:
    return [model._default_manager.count() for model in TABLES]


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Any) -> Any:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


# --- Whose --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fields", [{}, {"user_id": 1, "visitor_id": "v"}])
def test_person_is_either_a_user_or_a_visitor(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="either a user or a visitor"):
        Person(**fields)


def test_owner_of_a_row_is_a_person() -> None:
    user = User.objects.create_user("ada")
    assert Person.of(Thread(user=user)) == Person(user_id=user.pk)
    assert Person.of(Thread(visitor_id="v")) == Person(visitor_id="v")
    assert Person.of(Thread()) is None


def test_user_is_found_by_name_and_by_id() -> None:
    user = User.objects.create_user("ada")
    expected = Person(user_id=user.pk)
    assert [Person.named(name) for name in ("ada", str(user.pk), f"user:{user.pk}")] == [expected] * 3


@pytest.mark.parametrize("name", ["nobody", "user:", "user:ada", "999999", "a\x00b", "9" * 50, ""])
def test_user_who_does_not_exist_is_not_found(name: str) -> None:
    User.objects.create_user("ada")
    with pytest.raises(LookupError, match="There is no user"):
        Person.named(name)


def test_name_that_is_the_id_of_another_is_refused() -> None:
    other = User.objects.create_user("ada")
    user = User.objects.create_user(str(other.pk))
    with pytest.raises(LookupError, match=f"Say user:{user.pk} or user:{other.pk}"):
        Person.named(str(other.pk))
    assert Person.named(f"user:{other.pk}") == Person(user_id=other.pk)


# --- Threads ------------------------------------------------------------------------------------------------


def test_deleting_a_thread_takes_the_rows_of_every_table() -> None:
    thread, kept = make_full_thread(), make_full_thread()
    deleted = delete_threads(Thread.objects.filter(pk=thread.pk))
    assert counts() == [1] * len(TABLES)
    assert Thread.objects.get() == kept
    assert deleted == Counter(
        thread=1,
        threaditem=1,
        run=1,
        feedback=1,
        attachment=1,
        note=1,
        flag=1,
        assignment=1,
        thread_labels=1,
    )


def test_deleting_threads_loads_no_items(django_assert_max_num_queries: Callable[..., Any]) -> None:
    for _ in range(3):
        make_items(make_thread(), 200)
    with CaptureQueriesContext(connection) as queries:
        delete_threads(Thread.objects.all())
    assert [
        query["sql"] for query in queries if '"payload"' in query["sql"] and "threaditem" in query["sql"]
    ] == []
    assert len(queries) < 25


def test_what_another_app_hangs_on_items_is_deleted_as_it_wishes(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db.models.signals import post_delete

    gone: list[int] = []

    def note(sender: Any, instance: Any, **kwargs: Any) -> None:
        gone.append(instance.pk)

    item = make_item(make_thread())
    post_delete.connect(note, sender=ThreadItem)
    try:
        delete_threads(Thread.objects.all())
    finally:
        post_delete.disconnect(note, sender=ThreadItem)
    assert gone == [item.pk]


@pytest.mark.django_db(transaction=True)
def test_bytes_of_files_go_with_their_thread(files: Any) -> None:
    make_file(make_thread())
    delete_threads(Thread.objects.all())
    assert [path for path in files.rglob("*") if path.is_file()] == []


@pytest.mark.django_db(transaction=True)
def test_deletion_that_another_one_was_in_the_way_of_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    make_thread()
    calls: list[int] = []
    original = erasure.delete_rows

    def delete(rows: Any) -> Counter[str]:
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError("deadlock detected")
        return original(rows)

    monkeypatch.setattr(erasure, "delete_rows", delete)
    delete_threads(Thread.objects.all())
    assert not Thread.objects.exists()


@pytest.mark.django_db(transaction=True)
async def test_answer_that_is_running_stops_and_leaves_nothing(settings: Any) -> None:
    settings.CHATKIT = {"SERVER": "tests.servers.PacedServer", "CHECKPOINT_INTERVAL": 0.05}
    chat = Chat()
    answer = await chat.begin_saying("1000")
    await answer.until('"delta":"3 "')
    await db.run(lambda: delete_threads(Thread.objects.all()))
    await answer.rest()
    assert await db.run(counts) == [0] * len(TABLES)
    assert "999 " not in answer.text()


# --- A person -----------------------------------------------------------------------------------------------


def test_everything_of_a_user_is_erased() -> None:
    user, other = User.objects.create_user("ada"), User.objects.create_user("bob")
    make_full_thread(user=user)
    make_full_thread(user=user, namespace="shop")
    kept = make_full_thread(user=other)
    Feedback.objects.create(item=kept.items.get(), kind="positive", user=user)
    Feedback.objects.create(item=make_item(kept), kind="negative", user=user)
    Flag.objects.create(thread=kept, item=kept.items.last(), source="feedback")
    kept_threads = Thread.objects.filter(pk=kept.pk)
    kept_threads.recount_feedback()
    kept_threads.recount_flags()
    make_run(None, "failed", user=user)
    make_file(user=user)
    person = Person(user_id=user.pk)
    assert person.holdings() == Counter(
        thread=2, threaditem=2, attachment=3, run=3, feedback=4, note=2, flag=2
    )
    erased = erase(person, actor=None)
    assert counts() == [1, 2, 1, 1, 1, 1, 2, 1, 1]
    assert kept_threads.values_list("positive_count", "negative_count", "open_flags").get() == (0, 1, 1)
    assert (erased["thread"], erased["attachment"], erased["feedback"], erased["run"]) == (2, 3, 4, 3)
    assert User.objects.filter(pk=user.pk).exists()
    assert person.holdings().total() == 0


def test_erasure_of_a_user_forgets_which_visitor_that_was() -> None:
    user, other = User.objects.create_user("ada"), User.objects.create_user("bob")
    VisitorClaim.objects.create(visitor_id="v", user=user)
    VisitorClaim.objects.create(visitor_id="w", user=other)
    erase(Person(user_id=user.pk), actor=None)
    assert list(VisitorClaim.objects.values_list("visitor_id", flat=True)) == ["w"]


def test_everything_of_a_visitor_is_erased() -> None:
    make_full_thread(visitor_id="v1")
    make_full_thread(visitor_id="v2")
    make_run(None, "failed", visitor_id="v1")
    make_file(visitor_id="v1")
    erase(Person(visitor_id="v1"), actor=None)
    assert Thread.objects.get().visitor_id == "v2"
    assert counts() == [1] * len(TABLES)


def test_erasure_goes_on_over_many_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "BATCH_SIZE", 2)
    sizes = []
    monkeypatch.setattr(erasure, "_delete_history", lambda keys: sizes.append(len(keys)))
    for _ in range(5):
        make_thread(visitor_id="v")
    assert erase(Person(visitor_id="v"), actor=None)["thread"] == 5
    assert sizes == [2, 2, 1]


def test_audit_keeps_the_erasure_and_its_history_does_not() -> None:
    staff = User.objects.create_user("lin")
    thread, other = make_full_thread(visitor_id="v"), make_thread()
    audit.record(audit.Action.LOCK, actor=staff, threads=[thread, other], reason="swears")
    erase(Person(visitor_id="v"), actor=staff, reason="asked us to")
    begun, done = AuditEntry.objects.filter(action="erase").order_by("pk")
    assert (begun.actor_name, begun.owner, begun.reason) == ("lin", "visitor:v", "asked us to")
    assert begun.details == {"begun": True}
    assert (done.details["erased"]["thread"], done.details["erased"]["threaditem"]) == (1, 1)
    assert [entry.object_id for entry in LogEntry.objects.all()] == [str(other.pk)]


def test_erasure_that_crashed_is_in_the_audit_and_can_be_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "BATCH_SIZE", 1)
    for _ in range(3):
        make_full_thread(visitor_id="v")
    with monkeypatch.context() as broken:
        broken.setattr(erasure, "_erase_feedback", lambda feedback: 1 / 0)
        make_run(None, "failed", visitor_id="v")
        with pytest.raises(ZeroDivisionError):
            erase(Person(visitor_id="v"), actor=None)
    assert AuditEntry.objects.get().details == {"begun": True}
    assert counts() == [0] * len(TABLES)
    thread = make_full_thread(visitor_id="v")
    assert erase(Person(visitor_id="v"), actor=None)["thread"] == 1
    assert not Thread.objects.filter(pk=thread.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_erasure_is_complete_although_the_person_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    make_thread(visitor_id="v")
    original = erasure.delete_threads
    written = []

    def delete(threads: Any) -> Counter[str]:
        deleted = original(threads)
        if len(written) < 3:
            written.append(make_full_thread(visitor_id="v"))
        return deleted

    monkeypatch.setattr(erasure, "delete_threads", delete)
    erase(Person(visitor_id="v"), actor=None)
    assert len(written) == 3
    assert counts() == [0] * len(TABLES)


@pytest.mark.django_db(transaction=True)
async def test_running_answer_brings_no_rows_back(settings: Any) -> None:
    settings.CHATKIT = {"SERVER": "tests.servers.SlowServer", "CHECKPOINT_INTERVAL": 0.05}
    SlowServer.gate = asyncio.Event()
    user = await db.run(lambda: User.objects.create_user("ada"))
    chat = Chat()
    await chat.log_in(user)
    answer = await chat.begin_saying("hi")
    await answer.until('"delta":"one "')
    await db.run(lambda: erase(Person(user_id=user.pk), actor=None))
    SlowServer.gate.set()
    await answer.rest()
    assert await db.run(counts) == [0] * len(TABLES)


# --- Retention ----------------------------------------------------------------------------------------------


def make_old(**fields: Any) -> Thread:
    return make_thread(last_activity=timezone.now() - OLD, **fields)


def pruned(batch_size: int = 500, **criteria: Any) -> list[Counter[str]]:
    before = timezone.now() - timedelta(days=90)
    return list(prune(Retention(before=before, **criteria), batch_size=batch_size))


def test_old_threads_go_and_others_stay() -> None:
    for thread in (make_full_thread(), make_full_thread()):
        thread.last_activity = timezone.now() - OLD
        thread.save()
    kept = make_full_thread()
    deleted = pruned()
    assert (deleted[0]["thread"], deleted[0]["threaditem"]) == (2, 2)
    assert list(Thread.objects.all()) == [kept]
    assert counts() == [1] * len(TABLES)


def test_threads_are_pruned_in_batches() -> None:
    moment = timezone.now() - OLD
    for _ in range(5):
        make_thread(last_activity=moment)
    assert [step["thread"] for step in pruned(batch_size=2)] == [2, 2, 1]


@pytest.mark.parametrize(
    ("criteria", "left"),
    [
        ({"namespace": ""}, {"shop"}),
        ({"namespace": "shop"}, {"anonymous", "closed", "flagged", "user"}),
        ({"anonymous": True}, {"user"}),
        ({"status": "closed"}, {"anonymous", "flagged", "shop", "user"}),
        ({"keep_flagged": True}, {"flagged"}),
    ],
)
def test_criteria_narrow_what_goes(criteria: dict[str, Any], left: set[str]) -> None:
    make_old(title="anonymous")
    make_old(title="user", user=User.objects.create_user("ada"))
    make_old(title="closed", status="closed")
    make_old(title="flagged", open_flags=1)
    make_old(title="shop", namespace="shop")
    pruned(**criteria)
    assert set(Thread.objects.values_list("title", flat=True)) == left


def test_runs_without_threads_and_unsent_files_go_too() -> None:
    old, new = timezone.now() - OLD, timezone.now()
    kept = [make_run(None, "failed", started_at=new), make_run(None, "running", started_at=old)]
    kept.append(make_run(make_thread(), "completed", started_at=old))
    make_run(None, "failed", started_at=old)
    kept_files = [make_file(created_at=new), make_file(make_thread(), created_at=old)]
    make_file(created_at=old)
    assert pruned() == [Counter(run=1), Counter(attachment=1)]
    assert list(Run.objects.order_by("pk")) == kept
    assert list(Attachment.objects.order_by("pk")) == kept_files


def test_file_of_today_is_not_unsent_yet() -> None:
    make_file(created_at=timezone.now() - timedelta(hours=2))
    assert list(prune(Retention(before=timezone.now() - timedelta(hours=1)))) == []


def test_thread_that_was_just_revived_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    thread = make_old()
    original = erasure.stop_answers

    def revive(runs: Any) -> None:
        Thread.objects.filter(pk=thread.pk).update(last_activity=timezone.now())
        original(runs)

    monkeypatch.setattr(erasure, "stop_answers", revive)
    assert pruned() == [Counter()]
    assert list(Thread.objects.all()) == [thread]


def test_pruning_is_one_entry_of_the_audit() -> None:
    make_old(namespace="shop")
    make_old(namespace="shop")
    pruned(batch_size=1, namespace="shop")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_key) == ("delete", "")
    assert entry.details["deleted"] == {"thread": 2}
    assert entry.details["retention"]["namespace"] == "shop"


def test_pruning_that_is_broken_off_tells_the_audit_how_far_it_came() -> None:
    for _ in range(3):
        make_old()
    with closing(prune(Retention(before=timezone.now()), batch_size=1)) as steps:
        next(steps)
    assert AuditEntry.objects.get().details["deleted"] == {"thread": 1}
    assert Thread.objects.count() == 2
    pruned()
    assert Thread.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_two_who_prune_share_the_work() -> None:
    for _ in range(40):
        make_items(make_old(), 3)
    totals: list[int] = []

    def work() -> None:
        try:
            totals.append(sum(step["thread"] for step in pruned(batch_size=3)))
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(totals) == 40
    assert Thread.objects.count() == 0
