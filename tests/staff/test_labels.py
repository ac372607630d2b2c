"""The words that staff sort threads by."""

import pytest
from django.contrib.auth import get_user_model

from chatkit_app.models import Label, Thread
from chatkit_app.staff.labels import change_labels

from .conftest import audited

pytestmark = pytest.mark.django_db
User = get_user_model()


def labels_of(thread: Thread) -> list[str]:
    return [label.name for label in thread.labels.all()]


def test_labels_are_put_on_and_taken_off(threads, sam):
    bug, spam, vip = (Label.objects.create(name=name) for name in ("bug", "spam", "vip"))
    threads[0].labels.set([bug, spam])
    threads[1].labels.set([vip])
    assert change_labels(threads, actor=sam, add=[vip], remove=[bug]) == 2
    assert [labels_of(thread) for thread in threads] == [["spam", "vip"], ["vip"], ["vip"]]
    assert sorted(audited()) == [
        ("label", "t0", "", {"added": ["vip"], "removed": ["bug"]}),
        ("label", "t2", "", {"added": ["vip"], "removed": []}),
    ]


def test_labels_that_change_nothing_are_not_audited(threads, sam):
    bug = Label.objects.create(name="bug")
    threads[0].labels.add(bug)
    assert change_labels(threads[:1], actor=sam, add=[bug]) == 0
    assert audited() == []


def test_deleted_label_and_thread_are_passed_over(threads, sam):
    bug, spam = Label.objects.create(name="bug"), Label.objects.create(name="spam")
    Label.objects.filter(name="bug").delete()
    Thread.objects.filter(public_id="t0").delete()
    assert change_labels(threads, actor=sam, add=[bug, spam]) == 2
    assert [labels_of(thread) for thread in threads[1:]] == [["spam"], ["spam"]]


def test_labels_of_many_threads_take_a_fixed_number_of_queries(sam, django_assert_max_num_queries):
    label = Label.objects.create(name="x")
    many = Thread.objects.bulk_create(Thread(public_id=f"m{index}") for index in range(300))
    with django_assert_max_num_queries(15):
        assert change_labels(many, actor=sam, add=[label]) == 300
