"""What people answered, by the audit."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from chatkit_app.models import AuditEntry, Thread
from chatkit_app.moderation.takeover import reply, take_over
from chatkit_app.staff.answering import Answering, count_answering
from chatkit_app.takeover.handler import request_person

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 10)


def did(name: str, action: str, waited: int | None, *, day: date = DAY, thread: str = "t") -> None:
    moment = timezone.make_aware(datetime(day.year, day.month, day.day, 12))
    details = {"waited_ms": waited}
    AuditEntry.objects.create(
        actor_key=name, actor_name=name, action=action, created_at=moment, details=details, thread_key=thread
    )


def test_nobody_did_anything():
    did("maria", "note", None)
    assert count_answering(DAY, DAY) == []


def test_all_come_first_and_then_each_with_the_most_answers_first():
    for waited in (1000, 2000, 9000):
        did("maria", "reply", waited)
    did("ben", "take", 4000)
    did("maria", "take", None)
    did("ben", "reply", None)
    assert count_answering(DAY, DAY) == [
        Answering(name="", taken=2, answers=4, to_person=4000, to_answer=2000),
        Answering(name="maria", taken=1, answers=3, to_person=None, to_answer=2000),
        Answering(name="ben", taken=1, answers=1, to_person=4000, to_answer=None),
    ]


def test_other_days_do_not_count():
    did("maria", "reply", 1000, day=DAY - timedelta(days=1))
    did("maria", "reply", 2000)
    did("maria", "reply", 3000, day=DAY + timedelta(days=1))
    (_all, maria) = count_answering(DAY, DAY)
    assert (maria.answers, maria.to_answer) == (1, 2000)


def test_threads_out_of_scope_do_not_count():
    did("maria", "reply", 1000, thread="mine")
    did("maria", "reply", 2000, thread="other")
    Thread.objects.create(public_id="mine", visitor_id="v")
    (_all, maria) = count_answering(DAY, DAY, Thread.objects.all())
    assert maria.answers == 1


def test_what_people_do_is_counted():
    maria: Any = User.objects.create(username="maria")
    thread = Thread.objects.create(public_id="t", visitor_id="v")
    request_person(thread.pk)
    reply(take_over(thread, actor=maria), "Hello.", actor=maria)
    today = timezone.localdate()
    (_all, found) = count_answering(today, today)
    assert (found.name, found.taken, found.answers) == ("maria", 1, 1)
    assert found.to_person is not None
    assert found.to_answer is not None
