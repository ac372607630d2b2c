"""Messages from anywhere in the site."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import transaction

from chatkit_app.live import asay, say
from chatkit_app.models import AuditEntry, Thread, ThreadItem
from chatkit_app.moderation.takeover import take_over
from chatkit_app.signals import item_added, staff_replied, thread_changed
from chatkit_app.takeover.handler import note_unanswered
from tests.chat import Chat

pytestmark = pytest.mark.django_db


@pytest.fixture
def thread() -> Thread:
    return Thread.objects.create(public_id="thr_1", visitor_id="v")


@pytest.fixture
def maria() -> Any:
    return User.objects.create(username="maria", first_name="Maria")


@pytest.fixture
def heard() -> Any:
    """What signals tell, in their order."""
    found: list[Any] = []

    def hear(signal: Any, **kwargs: Any) -> None:
        names = {item_added: "added", staff_replied: "replied", thread_changed: "changed"}
        found.append(names[signal])

    signals = (item_added, staff_replied, thread_changed)
    for signal in signals:
        signal.connect(hear)
    yield found
    for signal in signals:
        signal.disconnect(hear)


@pytest.mark.parametrize("name", ["row", "pk", "public_id"])
def test_message_is_the_assistants_unless_somebody_says_it(thread, name):
    named = {"row": thread, "pk": thread.pk, "public_id": thread.public_id}[name]
    item = say(named, "Your parcel has **left**.")
    assert (item.thread, item.type, item.text) == (thread, "assistant_message", "Your parcel has **left**.")
    assert (item.author, item.author_name) == (None, "")
    thread.refresh_from_db()
    assert (thread.version, thread.item_count, thread.last_preview) == (1, 1, "Your parcel has left.")
    assert (thread.handler, item.version) == ("assistant", 1)


def test_message_of_a_member_of_the_staff_names_them_and_is_in_the_audit(thread, maria):
    item = say(thread, "It has left.", by=maria)
    assert (item.author, item.author_name) == (maria, "Maria")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_name, entry.item_key) == ("reply", "maria", item.public_id)


def test_word_of_the_staff_ends_the_users_waiting_for_one(thread, maria):
    take_over(thread, actor=maria)
    note_unanswered(thread.pk)
    say(thread, "It leaves.")
    assert Thread.objects.get().unanswered_since is not None
    say(thread, "It has left.", by=maria)
    assert Thread.objects.get().unanswered_since is None


def test_message_in_a_locked_thread_is_said(thread):
    Thread.objects.update(status="locked")
    assert say(thread, "We have looked at it.").pk


@pytest.mark.parametrize("named", [7, "thr_absent"])
def test_thread_that_there_is_not(named):
    with pytest.raises(Thread.DoesNotExist):
        say(named, "hi")


@pytest.mark.django_db(transaction=True)
def test_pages_hear_of_it_after_the_commit(thread, maria, heard):
    with transaction.atomic():
        say(thread, "It has left.", by=maria)
        assert heard == []
    assert sorted(heard) == ["added", "changed", "replied"]


@pytest.mark.django_db(transaction=True)
def test_message_that_is_rolled_back_is_not_said(thread, heard):
    with transaction.atomic():
        say(thread, "It has left.")
        transaction.set_rollback(True)
    assert (heard, ThreadItem.objects.count()) == ([], 0)


@pytest.mark.django_db(transaction=True)
async def test_open_page_reads_what_was_said_and_the_model_does_too(use):
    use("EchoServer")
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    before = (await chat.ask("threads.get_by_id", thread_id=thread_id)).json()["version"]
    await asay(thread_id, "Your parcel has left.")
    path = f"/chatkit/threads/{thread_id}/changes?after={before}"
    changes = (await (await chat.open("GET", path)).rest()).json()
    (told,) = changes["thread"]["items"]["data"]
    assert told["content"][0]["text"] == "Your parcel has left."


def test_command_says_it_and_prints_its_id(thread, maria):
    out = StringIO()
    call_command("chatkit_say", "thr_1", "It has left.", "--by", "maria", stdout=out)
    item = ThreadItem.objects.get()
    assert (item.text, item.author, out.getvalue()) == ("It has left.", maria, f"{item.public_id}\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["thr_1", "hi", "--by", "nobody"], "There is no user nobody."),
        (["thr_2", "hi"], "There is no thread thr_2."),
    ],
)
def test_command_says_what_there_is_not(thread, arguments, message):
    with pytest.raises(CommandError, match=message):
        call_command("chatkit_say", *arguments)
