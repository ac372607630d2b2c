"""Mails to users who are away, and to staff when somebody waits."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from chatkit_app.models import Run, Thread, WebhookDelivery
from chatkit_app.moderation.takeover import reply, take_over
from chatkit_app.takeover import later, mails
from chatkit_app.takeover.handler import note_unanswered, request_person

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(hours=1)


@pytest.fixture(autouse=True)
def wanted(settings: Any) -> None:
    settings.CHATKIT = {"STAFF": {"MAIL_USERS": True, "URL": "https://shop.example/chat/"}}


@pytest.fixture
def maria() -> Any:
    return User.objects.create(username="maria", first_name="Maria")


@pytest.fixture
def thread(maria: Any) -> Thread:
    ben = User.objects.create(username="ben", email="ben@example.com")
    thread = Thread.objects.create(public_id="thr_1", user=ben)
    return take_over(thread, actor=maria)


def subjects() -> list[str]:
    return [message.subject for message in mail.outbox]


def here(ago: timedelta) -> None:
    Thread.objects.update(seen_at=timezone.now() - ago)


# --- Users --------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_absent_user_is_told_no_user_name(thread, maria, settings):
    settings.LANGUAGE_CODE = "fr"
    User.objects.filter(pk=maria.pk).update(first_name="", username="maria@shop.example")
    maria.refresh_from_db()
    reply(thread, "Here.", actor=maria)
    later.wait()
    (message,) = mail.outbox
    assert message.subject == "Notre équipe vous a répondu"
    assert "Notre équipe a répondu dans votre conversation." in message.body
    assert "maria@" not in message.message().as_string()


@pytest.mark.django_db(transaction=True)
def test_absent_user_is_told_of_an_answer_and_not_what_it_says(thread, maria):
    reply(thread, "Your <parcel> is lost.", actor=maria)
    later.wait()
    (message,) = mail.outbox
    assert (message.to, message.subject) == (["ben@example.com"], "Maria has answered you")
    assert message.body == (
        "Hello,\n\nMaria has answered in your conversation.\n\nRead it here: https://shop.example/chat/\n"
    )
    html, kind = message.alternatives[0]
    assert (kind, '<a href="https://shop.example/chat/">' in html) == ("text/html", True)
    assert "parcel" not in message.body + html


def test_user_is_told_once_until_they_have_been_there_again(thread, maria):
    for text in ("One.", "Two."):
        reply(thread, text, actor=maria)
        mails.mail_user(thread.pk)
    assert len(mail.outbox) == 1
    here(timedelta(seconds=0))
    Thread.objects.update(user_mailed_at=timezone.now() - LONG_AGO)
    here(timedelta(minutes=5))
    reply(thread, "Three.", actor=maria)
    assert mails.mail_user(thread.pk)
    assert len(mail.outbox) == 2


def test_user_is_told_in_their_language(thread, maria):
    Run.objects.create(public_id="r", thread=thread, operation="x", status="held", context={"locale": "de"})
    reply(thread, "Hallo.", actor=maria)
    mails.mail_user(thread.pk)
    assert subjects() == ["Maria hat Ihnen geantwortet"]


@pytest.mark.parametrize("why", ["off", "present", "seen", "no address", "inactive", "visitor", "redacted"])
def test_nobody_is_told_who_need_not_or_cannot_be(thread, maria, settings, why):
    reply(thread, "Hello.", actor=maria)
    match why:
        case "off":
            settings.CHATKIT = {}
        case "present":
            here(timedelta(seconds=1))
        case "seen":
            Thread.objects.update(seen_version=99)
        case "no address":
            User.objects.update(email="")
        case "inactive":
            User.objects.update(is_active=False)
        case "visitor":
            Thread.objects.update(user=None, visitor_id="v")
        case "redacted":
            thread.items.update(redacted_at=timezone.now())
    assert mails.mail_unseen() == 0
    thread.items.update(created_at=timezone.now() - timedelta(minutes=5))
    assert mails.mail_unseen() == 0
    assert mail.outbox == []


def test_user_who_left_before_they_saw_it_is_told_by_the_command(thread, maria):
    here(timedelta(seconds=1))
    reply(thread, "Hello.", actor=maria)
    here(timedelta(minutes=3))
    assert mails.mail_unseen() == 0
    thread.items.update(created_at=timezone.now() - timedelta(minutes=3))
    out = StringIO()
    call_command("chatkit_staff", stdout=out)
    assert (subjects(), out.getvalue()) == (["Maria has answered you"], "Mails to users: 1\n")


def test_mail_that_fails_is_tried_again(thread, maria, monkeypatch, caplog):
    def fail(*args: Any, **kwargs: Any) -> int:
        raise ConnectionRefusedError

    reply(thread, "Hello.", actor=maria)
    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.EmailMultiAlternatives.send", fail)
        assert not mails.mail_user(thread.pk)
    assert "A mail could not be sent" in caplog.text
    assert mails.mail_user(thread.pk)


def test_mail_whose_template_is_broken_is_sent_once_it_is_mended(thread, maria, settings, tmp_path, caplog):
    (tmp_path / "chatkit_app" / "mail").mkdir(parents=True)
    template = tmp_path / "chatkit_app" / "mail" / "answered.txt"
    template.write_text("{% broken %}")
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [tmp_path]}]
    reply(thread, "Hello.", actor=maria)
    assert not mails.mail_user(thread.pk)
    assert "A mail could not be sent" in caplog.text
    template.write_text("Come back, {{ user.username }}.")
    assert mails.mail_user(thread.pk)
    assert mail.outbox[0].body == "Come back, ben.\n"


def test_user_who_writes_is_there(thread):
    note_unanswered(thread.pk)
    assert Thread.objects.get().user_is_present


# --- Staff --------------------------------------------------------------------------------------------------


@pytest.fixture
def waiting(settings: Any) -> Thread:
    staff = {
        "MAIL_STAFF": ["team@shop.example"],
        "PATIENCE": 60,
        "URL": "https://shop.example/chat/",
        "WEBHOOKS": [{"url": "http://127.0.0.1:1/", "secret": "s", "events": ["staff_overdue"]}],
    }
    settings.CHATKIT = {"STAFF": staff}
    thread = Thread.objects.create(public_id="thr_2", visitor_id="v")
    return request_person(thread.pk, reason="Lost parcel")[0]


def waits_since(ago: timedelta) -> None:
    Thread.objects.filter(public_id="thr_2").update(handler_since=timezone.now() - ago)


def test_staff_are_told_once_of_a_user_who_waits_for_too_long(waiting):
    assert mails.tell_overdue() == []
    waits_since(LONG_AGO)
    assert mails.tell_overdue() == [waiting]
    assert mails.tell_overdue() == []
    (message,) = mail.outbox
    assert (message.to, message.subject) == (["team@shop.example"], "Somebody is waiting in the chat")
    assert f"https://shop.example/admin/chatkit_app/thread/{waiting.pk}/change/" in message.body
    assert "Lost parcel" not in message.body
    assert WebhookDelivery.objects.get().event == "staff_overdue"


def test_staff_are_told_again_of_one_who_waits_anew(waiting):
    waits_since(LONG_AGO)
    mails.tell_overdue()
    Thread.objects.update(staff_mailed_at=timezone.now() - 3 * LONG_AGO)
    assert mails.tell_overdue() == [waiting]


def test_one_whom_a_person_has_waits_no_longer(waiting, maria):
    take_over(waiting, actor=maria)
    waits_since(LONG_AGO)
    assert mails.tell_overdue() == []


def addresses_of(thread: Thread) -> list[str]:
    return [f"{thread.public_id}@shop.example"]


def test_function_of_the_thread_says_who_is_told(waiting, settings):
    settings.CHATKIT = {"STAFF": {"MAIL_STAFF": "tests.takeover.test_mails.addresses_of", "PATIENCE": 60}}
    waits_since(LONG_AGO)
    mails.tell_overdue()
    assert mail.outbox[0].to == ["thr_2@shop.example"]
    # Without an address of the site there is no link.
    assert "Open the conversation" not in mail.outbox[0].body
