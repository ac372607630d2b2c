"""``manage.py make_conversations``: what it refuses and what it makes."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, Q, Sum

from chatkit_app.models import Feedback, Flag, Run, Thread, ThreadItem
from chatkit_app.store.codec import decode_item
from project.crowd import make_crowd
from project.management.commands.make_conversations import Command

pytestmark = pytest.mark.django_db


def make(*args: str) -> str:
    output = StringIO()
    call_command(Command(stdout=output), *args, verbosity=0)
    return output.getvalue()


@pytest.mark.django_db(transaction=True)
def test_command_makes_as_many_as_it_was_told() -> None:
    assert "Made 30 threads with 200 items." in make("--threads", "30", "--items", "200")
    assert Thread.objects.count() == 30
    assert ThreadItem.objects.count() == 200
    assert Thread.objects.aggregate(items=Sum("item_count"))["items"] == 200


@pytest.mark.django_db(transaction=True)
def test_command_refuses_where_there_are_conversations() -> None:
    make("--threads", "2")
    with pytest.raises(CommandError, match="There are conversations in this database"):
        make("--threads", "2")
    make("--threads", "2", "--seed", "2", "--add")
    assert Thread.objects.count() == 4


@pytest.mark.parametrize(
    "args", [("--threads", "0"), ("--threads", "5", "--items", "4"), ("--threads", "-1")]
)
def test_command_refuses_numbers_that_make_no_sense(args: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="Ask for at least one thread"):
        make(*args)
    assert not Thread.objects.exists()


def test_crowd_is_such_as_the_app_would_have_stored() -> None:
    make_crowd(threads=300, items=3000)
    for item in ThreadItem.objects.select_related("thread"):
        decode_item(item, thread_id=item.thread.public_id)
    counted = {
        (thread.item_count, thread.positive_count, thread.negative_count, thread.open_flags)
        != (thread.items_there, thread.positive_there, thread.negative_there, thread.flags_there)
        for thread in Thread.objects.annotate(
            items_there=Count("items", distinct=True),
            positive_there=Count(
                "items__feedback", distinct=True, filter=Q(items__feedback__kind="positive")
            ),
            negative_there=Count(
                "items__feedback", distinct=True, filter=Q(items__feedback__kind="negative")
            ),
            flags_there=Count("flags", distinct=True, filter=Q(flags__resolved_at__isnull=True)),
        )
    }
    assert counted == {False}
    assert Feedback.objects.exists()
    assert Flag.objects.exists()
    assert Run.objects.filter(total_ms__gt=0, output_tokens__gt=0, first_token_ms__gt=0).exists()
    # What comes next gets a key of its own.
    thread = Thread.objects.create(public_id="thr_next", visitor_id="v")
    assert Thread.objects.order_by("pk").last() == thread


def test_crowd_is_the_same_each_time() -> None:
    make_crowd(threads=20, items=100)
    first = set(Thread.objects.values_list("public_id", "title", "item_count"))
    Thread.objects.all().delete()
    make_crowd(threads=20, items=100)
    assert set(Thread.objects.values_list("public_id", "title", "item_count")) == first
