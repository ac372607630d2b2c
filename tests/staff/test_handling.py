"""What only staff see of threads is announced as soon as it is committed, and its reading is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chatkit_app.models import Label, Thread, ThreadItem
from chatkit_app.signals import thread_handled
from chatkit_app.staff import audit, flags
from chatkit_app.staff.assignment import assign
from chatkit_app.staff.labels import change_labels
from chatkit_app.staff.notes import add_note

pytestmark = pytest.mark.django_db


@pytest.fixture
def announced(django_capture_on_commit_callbacks: Any) -> Iterator[Callable[[Callable[[], Any]], list[Any]]]:
    """Do something, and return the keys of threads that are announced after its commit."""
    heard: list[list[int]] = []

    def hear(sender: Any, thread_pks: list[int], **_: Any) -> None:
        heard.append(thread_pks)

    def during(act: Callable[[], Any]) -> list[Any]:
        heard.clear()
        with django_capture_on_commit_callbacks(execute=True):
            act()
            assert heard == []
        return list(heard)

    thread_handled.connect(hear, sender=Thread)
    yield during
    thread_handled.disconnect(hear, sender=Thread)


def test_what_staff_do_is_announced(announced: Any, threads: list[Thread], sam: Any) -> None:
    first, second, _third = threads
    label = Label.objects.create(name="vip")
    assert announced(lambda: add_note(first, actor=sam, text="Rude")) == [[first.pk]]
    assert announced(lambda: assign([first], sam, actor=sam)) == [[first.pk]]
    labelled = announced(lambda: change_labels([first, second], actor=sam, add=[label]))
    assert labelled == [[first.pk, second.pk]]
    # Nothing has changed by the same once more.
    assert announced(lambda: change_labels([first, second], actor=sam, add=[label])) == []


def test_what_is_only_read_is_not(announced: Any, threads: list[Thread], sam: Any) -> None:
    for action in (audit.Action.READ, audit.Action.SEARCH, audit.Action.REFUSED):
        assert announced(lambda action=action: audit.record(action, actor=sam, thread=threads[0])) == []


def test_flags_and_what_users_think_are_announced(announced: Any, threads: list[Thread]) -> None:
    thread = threads[0]
    item = ThreadItem.objects.create(thread=thread, public_id="a", type="assistant_message")
    assert announced(lambda: flags.flag(thread, rule="cards")) == [[thread.pk]]
    assert announced(lambda: flags.follow_feedback(thread.pk, [item.pk], "positive")) == [[thread.pk]]
