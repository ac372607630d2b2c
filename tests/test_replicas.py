"""On a site that reads from a replica, which may be behind the times, what is decided is read where it is written."""

from typing import Any

import pytest

from chatkit_app.context import RequestContext
from chatkit_app.errors import ThreadReadOnly
from chatkit_app.models import Flag, Run, Thread, ThreadItem
from chatkit_app.moderation import set_status
from chatkit_app.moderation.redaction import redact
from chatkit_app.runs import rows
from chatkit_app.staff import flags
from chatkit_app.store import DjangoStore
from chatkit_app.store.state import StoreState

pytestmark = pytest.mark.django_db(transaction=True)


class Router:
    """Whoever reads from the replica fails: there is none."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "replica"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"

    def allow_relation(self, *objects: Any, **hints: Any) -> bool:
        return True


@pytest.fixture
def thread() -> Thread:
    made = Thread.objects.create(public_id="t", visitor_id="v", item_count=2, last_preview="secret")
    for text in ("first", "secret"):
        ThreadItem.objects.create(thread=made, public_id=text, type="assistant_message", text=text)
    return made


@pytest.fixture
def item(thread: Thread) -> ThreadItem:
    return ThreadItem.objects.get(public_id="secret")


@pytest.fixture
def replica(settings: Any, item: ThreadItem) -> Any:
    def end() -> None:
        settings.DATABASE_ROUTERS = []

    settings.DATABASE_ROUTERS = [f"{__name__}.Router"]
    return end


def test_redaction_makes_the_preview_of_what_is_left(thread: Thread, item: ThreadItem, replica: Any) -> None:
    redact(item, actor=None, reason="Private data")
    replica()
    thread.refresh_from_db()
    assert thread.last_preview == "first"


def test_flags_and_feedback_are_counted(thread: Thread, item: ThreadItem, replica: Any) -> None:
    context = RequestContext(visitor_id="v")
    context.state(StoreState).thread_pks["t"] = thread.pk
    for _again in range(2):
        flags.flag(thread, item=item, rule="rule")
        DjangoStore()._save_feedback("t", ["secret"], "negative", context)
    replica()
    thread.refresh_from_db()
    assert (thread.open_flags, thread.negative_count, Flag.objects.count()) == (2, 1, 2)


def test_lock_stops_the_answers(thread: Thread, replica: Any) -> None:
    run = Run.objects.create(public_id="run", thread=thread, operation="threads.create")
    set_status([thread], Thread.Status.LOCKED, reason="Spam", actor=None)
    replica()
    run.refresh_from_db()
    assert run.stop_requested


def test_lock_refuses_an_answer(thread: Thread, replica: Any) -> None:
    set_status([thread], Thread.Status.LOCKED, reason="Spam", actor=None)
    start = rows.RunStart(
        public_id="run",
        thread_pk=thread.pk,
        operation="threads.add_user_message",
        request_key="",
        context=RequestContext(visitor_id="v"),
    )
    with pytest.raises(ThreadReadOnly):
        rows.record_start(start)
