"""Whatever an open page shows of a thread raises its version, and is announced once it is committed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from chatkit.types import LockedStatus, ThreadMetadata
from django.contrib.auth.models import AbstractUser
from django.db import connection, connections, transaction

from chatkit_app import db
from chatkit_app.context import RequestContext
from chatkit_app.models import RemovedItem, Thread, ThreadItem
from chatkit_app.moderation import set_status, takeover
from chatkit_app.moderation.redaction import AlreadyRedacted, redact
from chatkit_app.signals import thread_changed
from chatkit_app.store import DjangoStore
from chatkit_app.store.state import StoreState
from chatkit_app.testing.store_contract import NOON, message
from tests.chat import rows_become

pytestmark = pytest.mark.django_db(transaction=True)


def visitor() -> RequestContext:
    return RequestContext(visitor_id="v")


@pytest.fixture
async def store(transactional_db: None) -> DjangoStore:
    """A store in which the visitor has the thread "t"."""
    made = DjangoStore()
    await made.save_thread(ThreadMetadata(id="t", created_at=NOON), visitor())
    return made


@pytest.fixture
def announced() -> Iterator[list[int]]:
    """Versions of the thread, as they are announced, with what the database said of them at that moment."""
    heard: list[int] = []

    def hear(sender: Any, thread_pk: int, version: int, **_: Any) -> None:
        assert Thread.objects.get(pk=thread_pk).version >= version
        heard.append(version)

    thread_changed.connect(hear, sender=Thread)
    yield heard
    thread_changed.disconnect(hear, sender=Thread)


def versions() -> tuple[int, dict[str, int]]:
    """Return the thread's version and those of its items."""
    items = ThreadItem.objects.order_by("pk").values_list("public_id", "version")
    return Thread.objects.get(public_id="t").version, dict(items)


async def seen() -> tuple[int, dict[str, int]]:
    return await db.run(versions)


async def test_item_that_is_added_has_the_new_version(store: DjangoStore, announced: list[int]) -> None:
    await store.add_thread_item("t", message("a"), visitor())
    await store.add_thread_item("t", message("b"), visitor())
    assert await seen() == (2, {"a": 1, "b": 2})
    assert announced == [1, 2]


async def test_item_that_is_replaced_has_the_new_version(store: DjangoStore, announced: list[int]) -> None:
    context = visitor()
    await store.add_thread_item("t", message("a", "First"), context)
    await store.add_thread_item("t", message("b"), context)
    await store.save_item("t", message("a", "Changed"), context)
    assert await seen() == (3, {"a": 3, "b": 2})
    assert announced == [1, 2, 3]


async def test_item_that_is_added_again_raises_the_version_once(
    store: DjangoStore, announced: list[int]
) -> None:
    await store.add_thread_item("t", message("a", "First"), visitor())
    await store.add_thread_item("t", message("a", "Again"), visitor())
    assert await seen() == (2, {"a": 2})
    assert announced == [1, 2]


async def test_unfinished_item_has_the_new_version(store: DjangoStore, announced: list[int]) -> None:
    context = visitor()
    await store.load_thread("t", context)
    await store.checkpoint([(message("a", "Half"), context), (message("b", "Half"), context)])
    await store.checkpoint([(message("a", "Half of it"), context)])
    assert await seen() == (2, {"a": 2, "b": 1})
    assert announced == [1, 2]


async def test_item_that_is_removed_leaves_a_trace(store: DjangoStore, announced: list[int]) -> None:
    await store.add_thread_item("t", message("a"), visitor())
    await store.delete_thread_item("t", "a", visitor())
    assert await seen() == (2, {})
    assert announced == [1, 2]
    removed = await db.run(lambda: list(RemovedItem.objects.values_list("thread__public_id", "public_id")))
    assert removed == [("t", "a")]
    assert await db.run(lambda: RemovedItem.objects.get().version) == 2


async def test_removal_of_an_unknown_item_changes_nothing(store: DjangoStore, announced: list[int]) -> None:
    await store.delete_thread_item("t", "a", visitor())
    assert await seen() == (0, {})
    assert announced == []


async def test_deleted_thread_takes_the_traces_along(store: DjangoStore) -> None:
    await store.add_thread_item("t", message("a"), visitor())
    await store.delete_thread_item("t", "a", visitor())
    await store.delete_thread("t", visitor())
    assert await db.run(RemovedItem.objects.count) == 0


@pytest.mark.parametrize(
    "change", [{"title": "Parcels"}, {"status": LockedStatus(reason="Why")}], ids=["title", "status"]
)
async def test_what_the_server_changes_of_a_thread_raises_its_version(
    store: DjangoStore, announced: list[int], change: dict[str, Any]
) -> None:
    context = visitor()
    thread = await store.load_thread("t", context)
    await store.save_thread(thread.model_copy(update=change), context)
    assert await seen() == (1, {})
    assert announced == [1]


async def test_metadata_which_no_page_shows_raises_no_version(
    store: DjangoStore, announced: list[int]
) -> None:
    context = visitor()
    thread = await store.load_thread("t", context)
    await store.save_thread(thread.model_copy(update={"metadata": {"a": 1}}), context)
    assert await seen() == (0, {})
    assert announced == []


async def test_title_that_an_answer_makes_raises_the_version(
    store: DjangoStore, announced: list[int]
) -> None:
    context = visitor()
    thread = await store.load_thread("t", context)
    context.state(StoreState).run_pk = 0
    await store.save_thread(thread.model_copy(update={"title": "Parcels"}), context)
    assert await seen() == (1, {})
    assert announced == [1]


async def test_status_that_staff_set_raises_the_version(store: DjangoStore, announced: list[int]) -> None:
    def lock() -> None:
        set_status([Thread.objects.get()], Thread.Status.LOCKED, reason="Rude", actor=None)

    await db.run(lock)
    await db.run(lock)  # It has that status already.
    assert await seen() == (1, {})
    assert announced == [1]


async def test_redacted_item_has_the_new_version(store: DjangoStore, announced: list[int]) -> None:
    await store.add_thread_item("t", message("a", "secret"), visitor())
    await store.add_thread_item("t", message("b"), visitor())
    await db.run(lambda: redact(ThreadItem.objects.get(public_id="a"), actor=None, reason="Private"))
    # Quotations that came while nobody could see the redaction yet are looked for once more.
    assert await seen() == (4, {"a": 3, "b": 2})
    assert sorted(announced) == [1, 2, 3, 4]


async def test_quotation_that_is_redacted_has_the_new_version(store: DjangoStore) -> None:
    await store.add_thread_item("t", message("a", "secret"), visitor())
    await store.add_thread_item("t", message("b"), visitor())
    payload = {"content": [], "attachments": [], "quoted_text": "secret"}
    quoting = ThreadItem.objects.filter(public_id="b")
    await db.run(lambda: quoting.update(type="user_message", payload=payload))
    await db.run(lambda: redact(ThreadItem.objects.get(public_id="a"), actor=None, reason="Private"))
    assert await seen() == (4, {"a": 3, "b": 3})


async def test_second_redaction_raises_no_version(store: DjangoStore) -> None:
    await store.add_thread_item("t", message("a", "secret"), visitor())
    await db.run(lambda: redact(ThreadItem.objects.get(), actor=None, reason="Private"))
    before = await seen()
    with pytest.raises(AlreadyRedacted):
        await db.run(lambda: redact(ThreadItem.objects.get(), actor=None, reason="Private"))
    assert await seen() == before


async def test_text_that_is_not_written_over_a_redaction_raises_no_version(
    store: DjangoStore, announced: list[int]
) -> None:
    context = visitor()
    await store.add_thread_item("t", message("a", "secret"), context)
    await db.run(lambda: redact(ThreadItem.objects.get(), actor=None, reason="Private"))
    before = await seen()
    announced.clear()
    await store.save_item("t", message("a", "secret again"), context)
    assert await seen() == before
    assert announced == []
    assert await db.run(lambda: Thread.objects.get().last_preview) == ""


def test_person_who_takes_over_raises_the_version(
    announced: list[int], django_user_model: type[AbstractUser]
) -> None:
    maria = django_user_model.objects.create_user("maria", is_staff=True)
    thread = Thread.objects.create(public_id="t", visitor_id="v")
    takeover.take_over(thread, actor=maria)
    version, [note] = versions()[0], versions()[1].values()
    assert (version, note) == (2, 1)
    assert sorted(announced) == [1, 2]


def test_message_of_a_person_has_the_new_version(
    announced: list[int], django_user_model: type[AbstractUser]
) -> None:
    maria = django_user_model.objects.create_user("maria", is_staff=True)
    thread = Thread.objects.create(public_id="t", visitor_id="v")
    takeover.take_over(thread, actor=maria)
    announced.clear()
    item = takeover.reply(thread, "Hello", actor=maria)
    assert versions()[0] == item.version == 3
    assert announced == [3]


def test_change_that_is_rolled_back_is_not_announced(announced: list[int]) -> None:
    thread = Thread.objects.create(public_id="t", visitor_id="v")
    with transaction.atomic():
        Thread.objects.filter(pk=thread.pk).bump(title="Parcels")
        transaction.set_rollback(True)
    assert versions() == (0, {})
    assert announced == []


def test_several_threads_are_changed_at_once() -> None:
    threads = [Thread.objects.create(public_id=f"t{n}", visitor_id="v", version=n) for n in (3, 5)]
    chosen = Thread.objects.filter(pk__in=[thread.pk for thread in threads])
    assert chosen.bump(title="Parcels") == {threads[0].pk: 4, threads[1].pk: 6}
    assert list(Thread.objects.order_by("pk").values_list("version", "title")) == [
        (4, "Parcels"),
        (6, "Parcels"),
    ]


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time")
def test_versions_are_committed_in_their_order() -> None:
    """An item that comes while another change is not committed yet waits, and has the later version."""
    thread = Thread.objects.create(public_id="t", visitor_id="v")

    def add() -> None:
        try:
            async_to_sync(DjangoStore().add_thread_item)("t", message("a"), visitor())
        finally:
            connections.close_all()

    other = threading.Thread(target=add)
    with transaction.atomic():
        assert Thread.objects.filter(pk=thread.pk).bump(title="Parcels") == {thread.pk: 1}
        other.start()
        async_to_sync(rows_become)(is_somebody_waiting)
        assert not ThreadItem.objects.exists()
    other.join()
    assert versions() == (2, {"a": 2})


def is_somebody_waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])
