"""Delete threads in the admin."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from chatkit_app import db
from chatkit_app.admin import threads as threads_module
from chatkit_app.models import AuditEntry, Run, Thread, ThreadItem
from tests.chat import Chat
from tests.servers import SlowServer

from .conftest import make_items, make_run, make_thread

LIST = "/admin/chatkit_app/thread/"
MAY = ("view_thread", "view_content", "delete_thread")

pytestmark = pytest.mark.django_db


def delete(client: Client, *threads: Thread) -> Any:
    keys = [thread.pk for thread in threads]
    return client.post(LIST, {"action": "delete_selected", "_selected_action": keys, "post": "yes"})


def test_deleting_takes_the_same_number_of_queries_for_many_items(staff: Callable[..., Client]) -> None:
    client = staff(*MAY)
    used = []
    # The first time Django looks up the content type.
    for size in (1, 2, 300):
        threads = [make_thread(), make_thread()]
        for thread in threads:
            make_items(thread, size)
        with CaptureQueriesContext(connection) as queries:
            delete(client, *threads)
        used.append(len(queries))
    assert used[1] == used[2]
    assert ThreadItem.objects.count() == 0


def test_deleted_threads_are_in_the_audit_and_in_the_history(staff: Callable[..., Client]) -> None:
    threads = [make_thread(public_id="thr_1"), make_thread(public_id="thr_2")]
    delete(staff(*MAY), *threads)
    entries = AuditEntry.objects.filter(action="delete").order_by("thread_key")
    assert [entry.thread_key for entry in entries] == ["thr_1", "thr_2"]
    assert sorted(LogEntry.objects.values_list("object_repr", flat=True)) == ["thr_1", "thr_2"]


def test_deletion_that_fails_is_not_in_the_audit(
    staff: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = make_thread()
    monkeypatch.setattr(threads_module, "delete_threads", lambda threads: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        delete(staff(*MAY), thread)
    assert (AuditEntry.objects.filter(action="delete").count(), Thread.objects.count()) == (0, 1)


@pytest.mark.parametrize("selected", [True, False])
def test_running_answer_is_asked_to_stop(
    staff: Callable[..., Client], monkeypatch: pytest.MonkeyPatch, selected: bool
) -> None:
    from chatkit_app.moderation import erasure

    thread = make_thread()
    run = make_run(thread)
    stopped: list[int] = []
    monkeypatch.setattr(erasure, "request_stop", lambda *, run_pk: stopped.append(run_pk))
    client = staff(*MAY)
    if selected:
        delete(client, thread)
    else:
        client.post(f"{LIST}{thread.pk}/delete/", {"post": "yes"})
    assert stopped == [run.pk]
    assert (Run.objects.count(), Thread.objects.count()) == (0, 0)


@pytest.mark.django_db(transaction=True)
async def test_user_sees_the_answer_end_when_staff_delete_the_thread(
    settings: Any, staff: Callable[..., Client]
) -> None:
    settings.CHATKIT = {"SERVER": "tests.servers.SlowServer", "CHECKPOINT_INTERVAL": 0.05}
    SlowServer.gate = asyncio.Event()
    answer = await Chat().begin_saying("hi")
    await answer.until('"delta":"one "')

    def delete_it() -> None:
        delete(staff(*MAY), Thread.objects.get())

    await db.run(delete_it)
    # The gate was never opened: it ends since it was stopped.
    await answer.rest()
    assert await db.run(
        lambda: (Thread.objects.count(), ThreadItem.objects.count(), Run.objects.count())
    ) == (0, 0, 0)
