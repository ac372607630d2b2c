"""Flags: who raises them, what counts them, and that no two reviewers are given the same one."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, connections
from django.utils import timezone

from chatkit_app import db
from chatkit_app.context import RequestContext
from chatkit_app.models import AuditEntry, Feedback, Flag, Thread, ThreadItem
from chatkit_app.receivers import claim_visitor
from chatkit_app.signals import item_added, thread_flagged
from chatkit_app.staff import flags
from chatkit_app.store import DjangoStore, NotFoundError
from chatkit_app.store.state import StoreState
from chatkit_app.testing.store_contract import message
from tests.chat import Chat

pytestmark = pytest.mark.django_db
User = get_user_model()


def visitor() -> RequestContext:
    return RequestContext(visitor_id="v")


def make_user(name: str = "sam") -> Any:
    return User.objects.create_user(name, is_staff=True)


@pytest.fixture
def thread() -> Thread:
    """A visitor's thread with the messages a and b."""
    made = Thread.objects.create(public_id="t", visitor_id="v", item_count=2)
    for item_id in ("a", "b"):
        ThreadItem.objects.create(thread=made, public_id=item_id, type="assistant_message", text=item_id)
    return made


def item(public_id: str = "a") -> ThreadItem:
    return ThreadItem.objects.get(public_id=public_id)


def judge(kind: str, *item_ids: str, context: RequestContext | None = None) -> None:
    DjangoStore()._save_feedback("t", list(item_ids or ("a",)), kind, context or visitor())


def counts() -> tuple[int, int, int]:
    """Thumbs up, thumbs down and open flags, as the thread's row says."""
    row = Thread.objects.get(public_id="t")
    return row.positive_count, row.negative_count, row.open_flags


def state() -> list[tuple[str | None, str]]:
    """The flags' items and how they ended, the oldest first."""
    return list(Flag.objects.order_by("pk").values_list("item__public_id", "resolution"))


@pytest.fixture
def heard() -> Iterator[Callable[..., list[dict[str, Any]]]]:
    """Listen to a signal, and keep what it brought."""
    kept: list[tuple[Any, Any]] = []

    def listen(signal: Any, react: Callable[..., Any] = lambda **kwargs: None) -> list[dict[str, Any]]:
        arguments: list[dict[str, Any]] = []

        def keep(sender: Any, **kwargs: Any) -> None:
            del kwargs["signal"]
            arguments.append({"sender": sender, **kwargs})
            react(**kwargs)

        signal.connect(keep)
        kept.append((signal, keep))
        return arguments

    yield listen
    for signal, receiver in kept:
        signal.disconnect(receiver)


# --- Thumbs -------------------------------------------------------------------------------------------------


def test_thumbs_down_raises_a_flag(thread):
    judge("negative")
    assert state() == [("a", "")]
    assert Flag.objects.get().source == "feedback"
    assert counts() == (0, 1, 1)


def test_thumbs_down_twice_raises_one_flag(thread):
    judge("negative")
    judge("negative", "a", "b")
    assert state() == [("a", ""), ("b", "")]
    assert counts() == (0, 2, 2)


def test_thumbs_up_raises_none(thread):
    judge("positive")
    assert state() == []
    assert counts() == (1, 0, 0)


def test_thumbs_up_withdraws_the_flag(thread):
    judge("negative", "a", "b")
    judge("positive", "a")
    assert state() == [("a", "withdrawn"), ("b", "")]
    assert counts() == (1, 1, 1)
    assert Flag.objects.get(item__public_id="a").resolved_at is not None


def test_thumbs_up_leaves_the_flags_of_others(thread):
    flags.flag(thread, item=item(), rule="r")
    judge("negative")
    judge("positive")
    assert state() == [("a", ""), ("a", "withdrawn")]
    assert counts() == (1, 0, 1)


def test_same_feedback_again_does_not_reopen_what_was_resolved(thread):
    judge("negative")
    Flag.objects.update(resolved_at=timezone.now(), resolution="handled")
    judge("negative")
    assert state() == [("a", "handled")]


def test_flag_stays_while_another_owner_holds_to_the_thumbs_down(thread):
    Feedback.objects.create(item=item(), visitor_id="earlier", kind="negative")
    judge("negative")
    judge("positive")
    assert state() == [("a", "")]
    assert counts() == (1, 1, 1)


def test_deleted_item_keeps_its_flag_and_loses_its_feedback(thread):
    judge("negative", "a", "b")
    DjangoStore()._delete_item("t", "a", visitor())
    assert state() == [(None, ""), ("b", "")]
    assert counts() == (0, 1, 2)


def test_login_leaves_the_counts_right(thread, rf):
    user = make_user()
    Feedback.objects.create(item=item("a"), user=user, kind="positive")
    judge("negative", "a", "b")
    request = rf.post("/login")
    request.session = {"_chatkit_visitor": "v"}
    claim_visitor(None, request, user)
    assert counts() == (1, 1, 1)
    assert state() == [("a", "withdrawn"), ("b", "")]
    assert set(Feedback.objects.values_list("user", "visitor_id")) == {(user.pk, "")}


# --- Staff and rules ----------------------------------------------------------------------------------------


def test_staff_flag_is_in_the_audit(thread):
    flags.flag(thread, item=item(), reason="Rude", actor=make_user("sam"))
    flag = Flag.objects.get()
    assert (flag.source, flag.raised_by, flag.reason, flag.item) == ("staff", "sam", "Rude", item())
    assert counts() == (0, 0, 1)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.thread_key, entry.item_key, entry.reason, entry.details) == (
        "flag",
        "t",
        "a",
        "Rude",
        {"flag": flag.pk},
    )


def test_rule_flags_an_item_once_at_a_time(thread):
    first = flags.flag(thread, item=item(), rule="card-number", reason="1")
    assert flags.flag(thread, item=item(), rule="card-number", reason="2") == first
    flags.flag(thread, item=item(), rule="other-rule")
    flags.flag(thread, rule="card-number")
    assert counts() == (0, 0, 3)
    Flag.objects.filter(pk=first.pk).update(resolved_at=timezone.now(), resolution="handled")
    assert flags.flag(thread, item=item(), rule="card-number") != first
    assert not AuditEntry.objects.exists()


def test_staff_flags_with_different_reasons_are_all_kept(thread):
    sam = make_user()
    flags.flag(thread, reason="One", actor=sam)
    flags.flag(thread, reason="Two", actor=sam)
    flags.flag(thread, reason="Two", actor=sam)
    assert list(Flag.objects.order_by("pk").values_list("reason", flat=True)) == ["One", "Two"]
    assert AuditEntry.objects.count() == 2


def test_flag_of_a_deleted_item_is_kept_without_it(thread):
    gone = item()
    ThreadItem.objects.filter(pk=gone.pk).delete()
    assert flags.flag(thread, item=gone, rule="r").item is None


@pytest.mark.parametrize("by", [{}, {"rule": "r", "actor": "somebody"}])
def test_flag_is_raised_by_a_rule_or_by_staff(thread, by):
    with pytest.raises(ValueError, match="by a rule or by a staff member"):
        flags.flag(thread, **by)


def test_item_of_another_thread_is_refused(thread):
    with pytest.raises(ValueError, match="another thread's"):
        flags.flag(Thread.objects.create(public_id="u"), item=item(), rule="r")


def test_flag_of_a_deleted_thread_is_refused(thread):
    Thread.objects.all().delete()
    with pytest.raises(Thread.DoesNotExist):
        flags.flag(thread, rule="r")


# --- Signals ------------------------------------------------------------------------------------------------


def test_each_new_flag_is_told(thread, heard, django_capture_on_commit_callbacks):
    told = heard(thread_flagged)
    with django_capture_on_commit_callbacks(execute=True):
        judge("negative", "a", "b")
        judge("positive", "b")
        flags.flag(thread, rule="r")
        flags.flag(thread, rule="r")
    first, second, third = Flag.objects.order_by("pk")
    assert [entry["flag"] for entry in told] == [first, second, third]
    assert told[0]["sender"] is Flag


@pytest.mark.django_db(transaction=True)
async def test_each_item_is_told_once_when_it_is_whole(heard, thread):
    told = heard(item_added)
    store, context = DjangoStore(), visitor()
    await store.load_thread("t", context)
    await store.checkpoint([(message("c", "unfin"), context)])
    assert told == []
    await store.add_thread_item("t", message("c", "unfinished no more"), context)
    await store.save_item("t", message("c", "Changed"), context)
    await store.add_thread_item("t", message("d", "At once"), visitor())
    await store.save_item("t", message("d", "Changed by another request"), visitor())
    assert [(entry["sender"], entry["item"].text) for entry in told] == [
        (ThreadItem, "unfinished no more"),
        (ThreadItem, "At once"),
    ]
    assert told[0]["item"].thread == thread


@pytest.mark.django_db(transaction=True)
async def test_item_that_is_taken_back_unfinished_is_not_told(heard, thread):
    told = heard(item_added)
    store, context = DjangoStore(), visitor()
    await store.load_thread("t", context)
    await store.checkpoint([(message("c"), context)])
    await store.delete_thread_item("t", "c", context)
    assert told == []


@pytest.mark.django_db(transaction=True)
async def test_rule_flags_what_a_user_writes(heard, settings):
    settings.CHATKIT = {"SERVER": "tests.servers.EchoServer"}

    def look_for_numbers(item: ThreadItem) -> None:
        if item.type == "user_message" and "4111" in item.text:
            flags.flag(item.thread, item=item, rule="card-number")

    heard(item_added, look_for_numbers)
    answer = await Chat().say("My card is 4111")

    def found() -> tuple[str, int]:
        flag = Flag.objects.select_related("thread", "item").get()
        assert flag.item is not None
        assert flag.thread.public_id == answer.thread_id
        return flag.item.text, flag.thread.open_flags

    assert await db.run(found) == ("My card is 4111", 1)


@pytest.mark.django_db(transaction=True)
async def test_rule_that_fails_harms_no_answer(heard, settings, caplog):
    settings.CHATKIT = {"SERVER": "tests.servers.EchoServer"}

    def fail(item: ThreadItem) -> None:
        raise RuntimeError("rule")

    heard(item_added, fail)
    answer = await Chat().say("hi")
    assert "error" not in answer.types()
    assert "rule" in caplog.text


# --- Reviewing ----------------------------------------------------------------------------------------------


def raise_flags(thread: Thread, number: int) -> list[int]:
    return [flags.flag(thread, rule=f"rule-{index}").pk for index in range(number)]


def claim(reviewer: Any, *skipped: int) -> int | None:
    return flags.claim_next(reviewer, among=Flag.objects.all(), skipped=skipped)


def test_reviewers_are_given_different_flags(thread):
    first, second = raise_flags(thread, 2)
    assert [claim(make_user(name)) for name in "xyz"] == [first, second, None]


def test_reviewer_is_given_the_same_flag_until_it_is_finished_with(thread):
    first, second = raise_flags(thread, 2)
    sam = make_user()
    assert [claim(sam), claim(sam)] == [first, first]
    flags.release(first, sam)
    assert claim(sam, first) == second


def test_flag_of_an_idle_reviewer_is_given_to_another(thread):
    (pk,) = raise_flags(thread, 1)
    sam, kim = make_user("sam"), make_user("kim")
    claim(sam)
    Flag.objects.update(claimed_at=timezone.now() - timedelta(minutes=14))
    assert claim(kim) is None
    Flag.objects.update(claimed_at=timezone.now() - timedelta(minutes=16))
    assert claim(kim) == pk
    assert flags.taken_by(sam, among=Flag.objects.all()) is None


def test_idle_reviewer_keeps_the_flag_that_nobody_took(thread):
    (pk,) = raise_flags(thread, 1)
    sam = make_user()
    claim(sam)
    Flag.objects.update(claimed_at=timezone.now() - timedelta(hours=1))
    assert claim(sam) == pk
    assert Flag.objects.get().claimed_at > timezone.now() - timedelta(minutes=1)


def test_skipped_flags_come_last_in_their_order(thread):
    first, second, third = raise_flags(thread, 3)
    sam = make_user()
    order = []
    for skipped in [(third, first), (first,), ()]:
        pk = claim(sam, *skipped)
        order.append(pk)
        Flag.objects.filter(pk=pk).update(resolved_at=timezone.now(), resolution="handled")
    assert order == [second, third, first]


def test_resolution_is_kept_counted_and_audited(thread):
    judge("negative")
    sam = make_user()
    claim(sam)
    flag = Flag.objects.get()
    assert flags.resolve(flag, actor=sam, resolution=Flag.Resolution.UNFOUNDED, note="A private note")
    flag.refresh_from_db()
    assert (flag.resolution, flag.resolved_by, flag.resolution_note) == ("unfounded", "sam", "A private note")
    assert flag.resolved_at is not None
    assert counts() == (0, 1, 0)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.thread_key, entry.item_key, entry.reason, entry.details) == (
        "resolve",
        "t",
        "a",
        "",
        {"flag": flag.pk, "resolution": "unfounded"},
    )


@pytest.mark.parametrize("meanwhile", ["taken over", "resolved", "withdrawn", "given back"])
def test_resolution_never_overwrites_what_happened_meanwhile(thread, meanwhile):
    judge("negative")
    sam, kim = make_user("sam"), make_user("kim")
    claim(sam)
    flag = Flag.objects.get()
    match meanwhile:
        case "taken over":
            Flag.objects.update(claimed_at=timezone.now() - timedelta(hours=1))
            claim(kim)
        case "resolved":
            assert flags.resolve(flag, actor=sam, resolution=Flag.Resolution.HANDLED)
        case "withdrawn":
            judge("positive")
        case _:
            flags.release(flag.pk, sam)
    before = Flag.objects.values().get()
    entries = AuditEntry.objects.count()
    assert not flags.resolve(flag, actor=sam, resolution=Flag.Resolution.UNFOUNDED)
    assert Flag.objects.values().get() == before
    assert AuditEntry.objects.count() == entries


def test_flag_that_is_gone_with_its_thread_is_not_resolved(thread):
    raise_flags(thread, 1)
    sam = make_user()
    claim(sam)
    flag = Flag.objects.select_related("thread").get()
    Thread.objects.all().delete()
    assert not flags.resolve(flag, actor=sam, resolution=Flag.Resolution.HANDLED)
    assert not AuditEntry.objects.filter(action="resolve").exists()


def test_nobody_gives_back_what_another_reviews(thread):
    raise_flags(thread, 1)
    sam, kim = make_user("sam"), make_user("kim")
    pk = claim(sam)
    assert pk is not None
    flags.release(pk, kim)
    assert Flag.objects.get().claimed_by == sam


# --- Races --------------------------------------------------------------------------------------------------


def together(*jobs: Callable[[], Any]) -> list[Any]:
    """Run each job in a thread of its own, all at the same time, and return what they returned."""
    start = threading.Barrier(len(jobs))
    results: list[Any] = [None] * len(jobs)

    def run(index: int, job: Callable[[], Any]) -> None:
        try:
            start.wait()
            results[index] = job()
        except BaseException as error:
            results[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=entry) for entry in enumerate(jobs)]
    for worker in threads:
        worker.start()
    for worker in threads:
        worker.join()
    errors = [result for result in results if isinstance(result, BaseException)]
    assert errors == []
    return results


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("can_skip", [True, False])
def test_concurrent_reviewers_work_each_flag_once(thread, monkeypatch, can_skip):
    if can_skip and not connection.features.has_select_for_update_skip_locked:
        pytest.skip("This database cannot skip locked rows.")
    monkeypatch.setattr(type(connection.features), "has_select_for_update_skip_locked", can_skip)
    expected = raise_flags(thread, 24)

    def review(reviewer: Any) -> list[int]:
        worked = []
        while (pk := claim(reviewer)) is not None:
            flag = Flag.objects.select_related("thread", "item").get(pk=pk)
            if flags.resolve(flag, actor=reviewer, resolution=Flag.Resolution.HANDLED):
                worked.append(pk)
        return worked

    reviewers = [make_user(f"reviewer-{index}") for index in range(6)]
    worked = together(*[lambda reviewer=reviewer: review(reviewer) for reviewer in reviewers])
    assert sorted(pk for pks in worked for pk in pks) == expected
    assert AuditEntry.objects.filter(action="resolve").count() == 24
    assert counts() == (0, 0, 0)


@pytest.mark.django_db(transaction=True)
def test_concurrent_claims_of_few_flags_give_each_to_one(thread):
    expected = raise_flags(thread, 3)
    reviewers = [make_user(f"reviewer-{index}") for index in range(8)]
    claimed = together(*[lambda reviewer=reviewer: claim(reviewer) for reviewer in reviewers])
    assert sorted(pk for pk in claimed if pk is not None) == expected


@pytest.mark.django_db(transaction=True)
def test_items_are_judged_flagged_written_and_deleted_at_once(thread):
    judged = item("a")

    def write() -> None:
        context = visitor()
        context.state(StoreState).stored_items.add("a")
        for number in range(10):
            DjangoStore()._write_item("t", message("a", f"{number}"), context)

    def judge_all() -> None:
        for kind in ("negative", "positive") * 5:
            with contextlib.suppress(NotFoundError):
                judge(kind, "a")

    def raise_all() -> None:
        for number in range(10):
            flags.flag(thread, item=judged, rule=f"r{number}")

    def delete() -> None:
        for _ in range(10):
            DjangoStore()._delete_item("t", "a", visitor())

    together(write, judge_all, raise_all, delete)
    row = Thread.objects.get()
    assert row.item_count == ThreadItem.objects.count()
    assert row.open_flags == Flag.objects.open().count()
    assert row.positive_count + row.negative_count == Feedback.objects.count()


@pytest.mark.django_db(transaction=True)
def test_concurrent_feedback_and_flags_are_counted_right(thread):
    ThreadItem.objects.bulk_create(
        ThreadItem(thread=thread, public_id=f"i{index}", type="assistant_message") for index in range(4)
    )

    def toggle(index: int) -> None:
        for kind in ("negative", "positive", "negative"):
            judge(kind, "a", f"i{index}")

    together(
        *[lambda index=index: toggle(index) for index in range(4)],
        *[lambda index=index: flags.flag(thread, rule=f"r{index}") for index in range(3)],
        lambda: DjangoStore()._delete_item("t", "b", visitor()),
    )
    row = Thread.objects.get()
    feedback = Feedback.objects.filter(item__thread=row)
    assert row.open_flags == Flag.objects.open().count()
    assert Flag.objects.open().filter(source="feedback").count() == 5
    assert row.positive_count == feedback.filter(kind="positive").count() == 0
    assert row.negative_count == feedback.filter(kind="negative").count() == 5
