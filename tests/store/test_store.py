"""Both stores keep the contract; what only the database's store has to do comes after it."""

import asyncio
import itertools
from datetime import datetime
from typing import Any

import pytest
from chatkit.store import NotFoundError
from chatkit.types import ActiveStatus, ClosedStatus, LockedStatus, ThreadMetadata
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chatkit_app import db
from chatkit_app.context import RequestContext
from chatkit_app.models import Attachment, Feedback, Run, Thread, ThreadItem
from chatkit_app.receivers import claim_visitor
from chatkit_app.store import DjangoStore, InMemoryStore, codec
from chatkit_app.store.readable import item_text
from chatkit_app.store.state import StoreState
from chatkit_app.testing import StoreContract
from chatkit_app.testing.sample_items import sample_attachments
from chatkit_app.testing.store_contract import NOON, message

User = get_user_model()
names = itertools.count()


def new_user() -> Any:
    return User.objects.create(username=f"user-{next(names)}")


class TestInMemoryStore(StoreContract):
    def make_store(self):
        return InMemoryStore()


@pytest.mark.django_db(transaction=True)
class TestDjangoStore(StoreContract):
    def make_store(self):
        return DjangoStore()

    async def make_user_id(self):
        return (await db.run(new_user)).pk


def visitor() -> RequestContext:
    return RequestContext(visitor_id="v")


def hidden(item_id: str) -> Any:
    return codec._ITEM.validate_python(
        {
            "type": "hidden_context_item",
            "id": item_id,
            "thread_id": "t",
            "created_at": NOON,
            "content": "secret",
        }
    )


@pytest.fixture
async def store(transactional_db) -> DjangoStore:
    """A store in which the visitor has the thread "t"."""
    made = DjangoStore()
    await made.save_thread(ThreadMetadata(id="t", created_at=NOON), visitor())
    return made


def row() -> Thread:
    return Thread.objects.get(public_id="t")


async def counters() -> tuple[int, str, int]:
    """What the thread's row says, and how many items there are."""
    thread = await db.run(row)
    return thread.item_count, thread.last_preview, await db.run(ThreadItem.objects.count)


# Counters


async def test_counters_after_add(store):
    await store.add_thread_item("t", message("a", "First"), visitor())
    await store.add_thread_item("t", message("b", "Second\n line"), visitor())
    assert await counters() == (2, "Second line", 2)


async def test_counters_after_adding_again(store):
    context = visitor()
    await store.add_thread_item("t", message("a", "First"), context)
    await store.add_thread_item("t", message("a", "Changed"), context)
    await store.add_thread_item("t", message("a", "Again"), visitor())
    assert await counters() == (1, "Again", 1)


async def test_counters_after_hidden_item(store):
    await store.add_thread_item("t", message("a", "Shown"), visitor())
    await store.add_thread_item("t", hidden("h"), visitor())
    assert await counters() == (2, "Shown", 2)


async def test_counters_after_delete(store):
    await store.add_thread_item("t", message("a", "First"), visitor())
    await store.add_thread_item("t", hidden("h"), visitor())
    await store.add_thread_item("t", message("b", "Second"), visitor())
    await store.delete_thread_item("t", "b", visitor())
    assert await counters() == (2, "First", 2)


async def test_counters_after_deleting_nothing(store):
    await store.add_thread_item("t", message("a", "First"), visitor())
    await store.delete_thread_item("t", "unknown", visitor())
    assert await counters() == (1, "First", 1)


async def test_counters_after_deleting_all(store):
    await store.add_thread_item("t", message("a", "First"), visitor())
    await store.delete_thread_item("t", "a", visitor())
    assert await counters() == (0, "", 0)


async def test_last_activity_follows_items(store):
    await db.run(Thread.objects.update, last_activity=NOON.astimezone())
    await store.add_thread_item("t", message("a"), visitor())
    added = (await db.run(row)).last_activity
    await store.save_item("t", message("a", "Changed"), visitor())
    saved = (await db.run(row)).last_activity
    assert NOON.astimezone() < added < saved


# Threads


async def test_lock_of_staff_survives_a_save_of_a_stale_copy(store):
    context = visitor()
    thread = await store.load_thread("t", context)
    await db.run(Thread.objects.update, status="locked", status_reason="Be kind")
    thread.title = "New title"
    await store.save_thread(thread, context)
    stored = await store.load_thread("t", visitor())
    assert (stored.title, stored.status) == ("New title", LockedStatus(reason="Be kind"))


async def test_title_of_staff_survives_a_save_of_something_else(store):
    context = visitor()
    thread = await store.load_thread("t", context)
    await db.run(Thread.objects.update, title="By staff", metadata={"by": "staff"})
    thread.allowed_image_domains = ["example.com"]
    await store.save_thread(thread, context)
    stored = await store.load_thread("t", visitor())
    assert (stored.title, stored.metadata) == ("By staff", {"by": "staff"})
    assert stored.allowed_image_domains == ["example.com"]


async def test_status_is_written_over_the_status_that_was_seen(store):
    context = visitor()
    thread = await store.load_thread("t", context)
    thread.status = ClosedStatus(reason="Done")
    await store.save_thread(thread, context)
    thread.status = ActiveStatus()
    await store.save_thread(thread, context)
    assert (await store.load_thread("t", visitor())).status == ActiveStatus()


async def test_status_is_not_written_over_one_that_was_not_seen(store):
    context = visitor()
    thread = await store.load_thread("t", context)
    await db.run(Thread.objects.update, status="closed", status_reason="By staff")
    thread.status = LockedStatus(reason="By the server")
    await store.save_thread(thread, context)
    assert (await store.load_thread("t", visitor())).status == ClosedStatus(reason="By staff")


async def test_status_is_written_over_a_reason_that_staff_left_behind(store):
    await db.run(Thread.objects.update, status="active", status_reason="Reopened by staff")
    context = visitor()
    thread = await store.load_thread("t", context)
    thread.status = LockedStatus(reason="By the server")
    await store.save_thread(thread, context)
    assert (await store.load_thread("t", visitor())).status == LockedStatus(reason="By the server")


@pytest.mark.parametrize("changes", [{"title": "New"}, {"status": LockedStatus()}])
async def test_saving_a_thread_that_was_deleted_meanwhile_is_refused(store, changes):
    context = visitor()
    thread = await store.load_thread("t", context)
    await store.delete_thread("t", visitor())
    with pytest.raises(NotFoundError):
        await store.save_thread(thread.model_copy(update=changes), context)
    assert await db.run(Thread.objects.count) == 0


async def test_saving_an_unchanged_thread_writes_nothing(store, worker_queries):
    context = visitor()
    thread = await store.load_thread("t", context)
    assert await worker_queries(store._save_thread, thread, context) == []


async def test_thread_belongs_to_who_made_it(transactional_db):
    user = await db.run(new_user)
    context = RequestContext(user_id=user.pk, visitor_id="also", namespace="shop")
    await DjangoStore().save_thread(ThreadMetadata(id="t", created_at=NOON), context)
    thread = await db.run(row)
    assert (thread.user_id, thread.visitor_id, thread.namespace) == (user.pk, "", "shop")


# Items


async def test_adding_to_a_thread_that_was_deleted_meanwhile_is_refused(store):
    context = visitor()
    await store.add_thread_item("t", message("a"), context)
    await store.delete_thread("t", visitor())
    for item in (message("a", "Changed"), message("b")):
        with pytest.raises(NotFoundError):
            await store.add_thread_item("t", item, context)
    assert await db.run(ThreadItem.objects.count) == 0


async def test_feedback_in_a_thread_that_was_deleted_meanwhile_is_refused(store):
    context = visitor()
    await store.add_thread_item("t", message("a"), context)
    await store.delete_thread("t", visitor())
    with pytest.raises(NotFoundError):
        await store.save_feedback("t", ["a"], "positive", context)


async def test_many_adding_the_same_id_at_once_make_one_item(store):
    await asyncio.gather(
        *(store.add_thread_item("t", message("a", f"Copy {number}"), visitor()) for number in range(12))
    )
    count, preview, items = await counters()
    stored = await store.load_item("t", "a", visitor())
    assert (count, items) == (1, 1)
    assert item_text(stored) == preview


async def test_many_adding_at_once_are_all_counted(store):
    await asyncio.gather(
        *(store.add_thread_item("t", message(f"i{number}"), visitor()) for number in range(12))
    )
    assert await counters() == (12, "Hello", 12)


async def test_item_knows_the_run_that_made_it(store):
    run = await db.run(Run.objects.create, public_id="run", visitor_id="v", operation="threads.create")
    context = visitor()
    context.state(StoreState).run_pk = run.pk
    await store.add_thread_item("t", message("a"), context)
    assert await db.run(lambda: ThreadItem.objects.get().run_id) == run.pk


async def test_item_remembers_when_it_was_changed(store):
    await store.add_thread_item("t", message("a"), visitor())
    before = await db.run(ThreadItem.objects.get)
    await store.save_item("t", message("a", "Changed"), visitor())
    after = await db.run(ThreadItem.objects.get)
    assert (after.pk, after.created_at) == (before.pk, before.created_at)
    assert after.updated_at > before.updated_at


@pytest.mark.parametrize("fold", [0, 1])
async def test_hour_that_comes_twice_is_told_apart(store, fold):
    created_at = datetime(2025, 10, 26, 2, 30, fold=fold)
    await store.add_thread_item("t", message("a", created_at=created_at), visitor())
    stored = await store.load_item("t", "a", visitor())
    await store.save_item("t", stored, visitor())
    item = await db.run(ThreadItem.objects.get)
    assert stored.created_at == created_at
    assert item.created_at.isoformat() == f"2025-10-26T0{fold}:30:00+00:00"


# Checkpoints


async def test_checkpoint_adds_and_replaces(store):
    context = visitor()
    await store.load_thread("t", context)
    await store.checkpoint([(message("a", "Half"), context)])
    await store.checkpoint([(message("a", "Half of it"), context)])
    assert await store.load_item("t", "a", visitor()) == message("a", "Half of it")
    assert (await db.run(row)).item_count == 1


async def test_checkpoint_of_an_item_that_was_redacted_leaves_it_so(store):
    context = visitor()
    await store.load_thread("t", context)
    await store.checkpoint([(message("a", "Half"), context)])
    await db.run(ThreadItem.objects.update, redacted_at=timezone.now(), payload={}, text="")
    await store.checkpoint([(message("a", "Half of it"), context), (message("b", "Another"), context)])
    assert await db.run(lambda: list(ThreadItem.objects.order_by("pk").values_list("text", flat=True))) == [
        "",
        "Another",
    ]


async def test_checkpoint_of_an_item_that_was_removed_does_not_bring_it_back(store):
    context = visitor()
    await store.load_thread("t", context)
    await store.checkpoint([(message("a", "Half"), context)])
    await db.run(lambda: ThreadItem.objects.all().delete())
    await store.checkpoint([(message("a", "Half of it"), context)])
    assert await db.run(ThreadItem.objects.count) == 0


async def test_checkpoint_gives_an_item_the_version_of_its_thread(store):
    context = visitor()
    await store.load_thread("t", context)
    for text in ("Half", "Half of it"):
        await store.checkpoint([(message("a", text), context)])
    versions = await db.run(ThreadItem.objects.values_list("version", "thread__version").get)
    assert versions == (2, 2)


async def test_checkpoint_of_two_items_of_one_thread_counts_both(store):
    context = visitor()
    await store.load_thread("t", context)
    await store.checkpoint([(message("a"), context), (message("b"), context)])
    assert (await db.run(row)).item_count == 2


async def test_checkpoint_repeated_after_a_broken_connection_counts_once(store):
    for _ in range(2):  # the first one was committed, but nobody came to know
        context = visitor()
        await store.load_thread("t", context)
        await store.checkpoint([(message("a"), context)])
    assert (await db.run(row)).item_count == 1


async def test_item_finished_after_its_checkpoint_is_counted_once(store):
    context = visitor()
    await store.load_thread("t", context)
    await store.checkpoint([(message("a", "Half"), context)])
    await store.add_thread_item("t", message("a", "Whole"), context)
    assert await counters() == (1, "Whole", 1)


async def test_checkpoint_of_a_deleted_thread_loses_nothing_of_the_others(store):
    await store.save_thread(ThreadMetadata(id="gone", created_at=NOON), visitor())
    mine, others = visitor(), visitor()
    await store.load_thread("t", mine)
    await store.load_thread("gone", others)
    await store.delete_thread("gone", visitor())
    lost = message("b").model_copy(update={"thread_id": "gone"})
    await store.checkpoint([(lost, others), (message("a"), mine)])
    assert await db.run(lambda: list(ThreadItem.objects.values_list("public_id", flat=True))) == ["a"]


@pytest.mark.parametrize("finish", ["save", "delete"])
async def test_checkpoint_on_its_way_never_wins(store, finish):
    context = visitor()
    await store.load_thread("t", context)
    go_on = asyncio.Event()

    async def late() -> None:
        await go_on.wait()
        await store.checkpoint([(message("a", "Half"), context)])

    context.state(StoreState).checkpoint = asyncio.ensure_future(late())
    if finish == "save":
        ending = asyncio.ensure_future(store.add_thread_item("t", message("a", "Whole"), context))
    else:
        ending = asyncio.ensure_future(store.delete_thread_item("t", "a", context))
    await asyncio.wait([ending], timeout=0.3)
    go_on.set()
    await asyncio.gather(ending, context.state(StoreState).checkpoint)
    page = await store.load_thread_items("t", None, 10, "asc", visitor())
    assert page.data == ([message("a", "Whole")] if finish == "save" else [])


# Feedback and attachments


async def test_feedback_can_be_changed(store):
    await store.add_thread_item("t", message("a"), visitor())
    await store.add_thread_item("t", message("b"), visitor())
    await store.save_feedback("t", ["a"], "positive", visitor())
    await store.save_feedback("t", ["a", "b"], "negative", visitor())
    rows = await db.run(lambda: list(Feedback.objects.order_by("item").values_list("kind", "visitor_id")))
    assert rows == [("negative", "v"), ("negative", "v")]


async def test_feedback_of_two_tabs_at_once_is_one_row(store):
    await store.add_thread_item("t", message("a"), visitor())
    await asyncio.gather(*(store.save_feedback("t", ["a"], "positive", visitor()) for _ in range(8)))
    assert await db.run(Feedback.objects.count) == 1


async def test_deleting_a_thread_deletes_all_rows_of_it(store):
    await store.add_thread_item("t", message("a"), visitor())
    await store.save_feedback("t", ["a"], "positive", visitor())
    await store.save_attachment(sample_attachments(thread_id="t")[0], visitor())
    await store.delete_thread("t", visitor())
    for model in (Thread, ThreadItem, Feedback, Attachment):
        assert await db.run(model.objects.count) == 0


# Login in mid-answer


async def test_visitor_who_logs_in_in_mid_answer_keeps_the_answer(store, rf):
    context = visitor()
    thread = await store.load_thread("t", context)
    await store.add_thread_item("t", message("a", "Half"), context)
    user = await db.run(new_user)

    def log_in() -> None:
        request = rf.get("/")
        request.session = {"_chatkit_visitor": "v"}
        claim_visitor(None, request, user)

    await db.run(log_in)
    assert await store.load_item("t", "a", context) == message("a", "Half")
    await store.add_thread_item("t", message("a", "Whole"), context)
    await store.add_thread_item("t", message("b", "More"), context)
    thread.title = "Title"
    await store.save_thread(thread, context)

    owner = RequestContext(user_id=user.pk)
    assert (await store.load_thread("t", owner)).title == "Title"
    page = await store.load_thread_items("t", None, 10, "asc", owner)
    assert page.data == [message("a", "Whole"), message("b", "More")]


# Cost


@pytest.fixture
def worker_queries():
    """Run a function in a database worker and return the SQL that it ran."""

    async def run(func, *args, **kwargs) -> list[str]:
        def capture() -> list[str]:
            with CaptureQueriesContext(connection) as queries:
                func(*args, **kwargs)
            return [query["sql"] for query in queries]

        return await db.run(capture)

    return run


def fill(thread: Thread, number: int) -> None:
    ThreadItem.objects.bulk_create(
        ThreadItem(
            thread=thread,
            **codec.encode_item(hidden(f"i{index}") if index % 3 == 0 else message(f"i{index}", "x")),
        )
        for index in range(number)
    )


@pytest.mark.parametrize("only_visible", [False, True])
async def test_page_of_items_takes_one_query_in_a_thread_of_any_length(store, worker_queries, only_visible):
    thread = await db.run(row)
    for number in (100, 10_000):
        await db.run(thread.items.all().delete)
        await db.run(fill, thread, number)
        for after in (None, "i1", f"i{number - 50}"):
            arguments = ("t", after, 20, "asc", visitor())
            sql = await worker_queries(store._load_items, *arguments, hidden=not only_visible)
            assert len(sql) == 1


@pytest.mark.skipif("connection.vendor != 'postgresql'")
@pytest.mark.parametrize("known", [False, True])
async def test_page_of_items_uses_the_index_at_any_depth(store, worker_queries, known):
    """Also in a thread that holds a third of all items, all of them older than the others."""

    def make_items() -> None:
        fill(Thread.objects.get(public_id="t"), 10_000)
        for number in range(200):
            fill(Thread.objects.create(public_id=f"other{number}", visitor_id="v"), 100)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE chatkit_app_threaditem, chatkit_app_thread")

    def plan(sql: str) -> str:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {sql}")
            return "\n".join(line for (line,) in cursor.fetchall())

    await db.run(make_items)
    context = visitor()
    if known:
        await store.load_thread("t", context)
    for order in ("asc", "desc"):
        for only_visible in (False, True):
            for after in (None, "i1", "i5000", "i9990"):
                arguments = ("t", after, 20, order, context)
                sql = await worker_queries(store._load_items, *arguments, hidden=not only_visible)
                assert "using chatkit_item_order on chatkit_app_threaditem " in await db.run(plan, sql[0])


async def test_item_is_added_with_a_fixed_number_of_queries(store, worker_queries):
    context = visitor()
    await store.load_thread("t", context)
    sql = await worker_queries(store._write_item, "t", message("a"), context)
    assert [statement.split()[0] for statement in sql if "chatkit_app" in statement] == ["UPDATE", "INSERT"]
