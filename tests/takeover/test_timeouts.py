"""Users who wait for too long."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from chatkit_app.models import Assignment, AuditEntry, Run, Thread, ThreadItem
from chatkit_app.moderation.takeover import reply, take_over
from chatkit_app.takeover.handler import note_unanswered
from chatkit_app.takeover.timeouts import release_overdue

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def taken(settings: Any) -> Thread:
    settings.CHATKIT = {"STAFF": {"TIMEOUT": 60}}
    thread = Thread.objects.create(public_id="t", visitor_id="v")
    return take_over(thread, actor=User.objects.create(username="maria"))


def waits_for(thread: Thread, time: timedelta) -> None:
    Thread.objects.filter(pk=thread.pk).update(unanswered_since=timezone.now() - time)


def test_thread_that_is_left_unanswered_waits_for_the_team_and_the_user_is_told(taken):
    waits_for(taken, 2 * MINUTE)
    assert release_overdue() == [taken]
    taken.refresh_from_db()
    assert taken.handler == "waiting"
    assert not Assignment.objects.exists()
    told = ThreadItem.objects.visible().get()
    assert told.text.startswith("Nobody could answer you so far.")
    assert told.author_name == ""
    assert AuditEntry.objects.latest("pk").action == "hand_on"


def test_user_is_told_in_the_language_of_their_last_message(taken):
    Run.objects.create(public_id="r", thread=taken, operation="x", status="held", context={"locale": "de"})
    waits_for(taken, 2 * MINUTE)
    release_overdue()
    assert ThreadItem.objects.visible().get().text.startswith("Bisher konnte Ihnen niemand antworten.")


def test_wait_is_as_long_as_since_the_first_message_without_an_answer(taken):
    note_unanswered(taken.pk)
    since = Thread.objects.get().unanswered_since
    note_unanswered(taken.pk)
    assert Thread.objects.get().unanswered_since == since is not None
    assert release_overdue() == []


def test_person_who_has_answered_may_wait_for_the_user(taken):
    waits_for(taken, 2 * MINUTE)
    reply(taken, "Yes.", actor=User.objects.get())
    assert release_overdue() == []


def test_thread_is_kept_where_there_is_no_limit(taken, settings):
    settings.CHATKIT = {"STAFF": {"TIMEOUT": None}}
    waits_for(taken, 1000 * MINUTE)
    assert release_overdue() == []


def test_command_names_the_threads_that_wait_again(taken):
    waits_for(taken, 2 * MINUTE)
    out = StringIO()
    call_command("chatkit_staff", stdout=out)
    call_command("chatkit_staff", stdout=out)
    assert out.getvalue() == "t waits for a person again\nNobody waits for too long.\n"


def test_thread_of_a_member_of_the_staff_who_was_deleted_waits_for_the_team(taken, settings):
    settings.CHATKIT = {"STAFF": {"TIMEOUT": None}}
    User.objects.get().delete()
    assert release_overdue() == [taken]
    taken.refresh_from_db()
    assert taken.handler == "waiting"
    assert release_overdue() == []
