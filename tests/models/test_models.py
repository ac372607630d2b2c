from typing import get_args

import pytest
from chatkit.types import ThreadItem as SDKThreadItem
from chatkit.types import ThreadStatus
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import IntegrityError, transaction

from chatkit_app.models import Attachment, Feedback, Run, Thread, ThreadItem

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return get_user_model().objects.create(username="user")


@pytest.fixture
def item():
    thread = Thread.objects.create(public_id="t", visitor_id="v")
    return ThreadItem.objects.create(thread=thread, public_id="i", type="assistant_message")


def refuse(model, **fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.create(**fields)


def test_migrations_are_complete():
    call_command("makemigrations", "chatkit_app", check=True, dry_run=True, verbosity=0)


def literals(annotated):
    return {get_args(kind.model_fields["type"].annotation)[0] for kind in get_args(get_args(annotated)[0])}


def test_item_types_are_those_of_the_sdk():
    assert set(ThreadItem.Type.values) == literals(SDKThreadItem)


def test_thread_statuses_are_those_of_the_sdk():
    assert set(Thread.Status.values) == literals(ThreadStatus)


@pytest.mark.parametrize("status", ["active", "locked", "closed"])
def test_thread_is_read_only_unless_active(status):
    assert Thread(status=status).is_read_only is (status != "active")


def test_owner_is_told_without_a_query(user, django_assert_num_queries):
    Thread.objects.create(public_id="users", user=user)
    thread = Thread.objects.get()
    with django_assert_num_queries(0):
        assert thread.owner == f"user:{user.pk}"
    assert Thread(visitor_id="v").owner == "visitor:v"
    assert Thread().owner == ""


def test_thread_has_one_owner(user):
    refuse(Thread, public_id="both", user=user, visitor_id="v")


def test_thread_id_is_unique_over_all_owners(item):
    refuse(Thread, public_id="t", visitor_id="w", namespace="other")


def test_item_id_is_unique_within_its_thread(item):
    refuse(ThreadItem, thread=item.thread, public_id="i", type="task")
    other = Thread.objects.create(public_id="other", visitor_id="v")
    assert ThreadItem.objects.create(thread=other, public_id="i", type="task").pk


def test_later_item_has_a_higher_key(item):
    later = ThreadItem.objects.create(thread=item.thread, public_id="a", type="task")
    assert later.pk > item.pk


def test_visitor_has_one_feedback_per_item(item):
    Feedback.objects.create(item=item, visitor_id="v", kind="positive")
    refuse(Feedback, item=item, visitor_id="v", kind="negative", namespace="other")
    assert Feedback.objects.create(item=item, visitor_id="w", kind="negative").pk


def test_user_has_one_feedback_per_item(item, user):
    Feedback.objects.create(item=item, user=user, kind="positive")
    refuse(Feedback, item=item, user=user, kind="negative")


def test_thread_has_one_running_answer(item):
    Run.objects.create(public_id="one", thread=item.thread, operation="threads.create")
    refuse(Run, public_id="two", thread=item.thread, operation="threads.create")
    Run.objects.update(status="completed")
    assert Run.objects.create(public_id="two", thread=item.thread, operation="threads.create").pk


def test_runs_without_a_thread_do_not_wait_for_each_other():
    for public_id in ("one", "two"):
        assert Run.objects.create(public_id=public_id, operation="threads.create").pk


def test_deleted_user_takes_everything_along(item, user):
    Thread.objects.update(user=user, visitor_id="")
    Feedback.objects.create(item=item, user=user, kind="positive")
    Run.objects.create(public_id="run", thread=item.thread, user=user, operation="threads.create")
    Attachment.objects.create(public_id="a", user=user, type="file", name="n", mime_type="m")
    user.delete()
    for model in (Thread, ThreadItem, Feedback, Run, Attachment):
        assert model.objects.count() == 0


def test_deleted_run_leaves_its_items(item):
    run = Run.objects.create(public_id="run", thread=item.thread, operation="threads.create")
    ThreadItem.objects.update(run=run)
    run.delete()
    assert ThreadItem.objects.get().run is None


@pytest.mark.parametrize(("given", "total"), [((3, 4), 7), ((0, 0), 0), ((None, 4), None), ((3, None), None)])
def test_total_tokens(given, total):
    assert Run(input_tokens=given[0], output_tokens=given[1]).total_tokens == total


def test_rows_print_their_ids(item):
    assert (str(item), str(item.thread), str(Run(public_id="run"))) == ("i", "t", "run")
    assert str(Attachment(public_id="a")) == "a"
    assert str(Feedback(kind="positive", item=item)) == f"positive on item {item.pk}"
