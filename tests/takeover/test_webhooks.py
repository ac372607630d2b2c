"""Webhooks: who is told what, and what becomes of it when the receiver is unwell."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from chatkit_app.models import Thread, ThreadItem, WebhookDelivery
from chatkit_app.moderation.redaction import redact
from chatkit_app.moderation.takeover import hand_back, hand_on, reply, take_over
from chatkit_app.takeover import later, webhooks
from chatkit_app.takeover.handler import request_person

pytestmark = pytest.mark.django_db
SECRET = "whsec_" + base64.b64encode(b"a secret of 24 bytes or s").decode()


class Receiver:
    """A server that keeps what it is sent, and answers with one status."""

    def __init__(self) -> None:
        self.status = 204
        self.location = ""
        self.hangs = False
        self.requests: list[tuple[dict[str, str], bytes]] = []
        receiver, self.let_go = self, threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append(({k.lower(): v for k, v in self.headers.items()}, body))
                if receiver.hangs:
                    receiver.let_go.wait(20)
                    return
                self.send_response(receiver.status)
                if receiver.location:
                    self.send_header("Location", receiver.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self) -> None:
        self.let_go.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    found = Receiver()
    settings.CHATKIT = {"STAFF": {"WEBHOOKS": [{"url": found.url, "secret": SECRET}]}}
    yield found
    found.close()


@pytest.fixture
def thread() -> Thread:
    return Thread.objects.create(public_id="thr_1", visitor_id="v", namespace="shop")


@pytest.fixture
def maria() -> Any:
    return User.objects.create(username="maria", first_name="Maria")


def told() -> list[tuple[str, Any]]:
    rows = WebhookDelivery.objects.order_by("pk")
    return [(row.event, row.payload["data"]["handler"]) for row in rows]


def make(thread: Thread, url: str, **fields: Any) -> WebhookDelivery:
    return WebhookDelivery.objects.create(
        **{"thread": thread, "public_id": "msg_1", "event": "staff_needed", "url": url} | fields
    )


# --- What is told -------------------------------------------------------------------------------------------


def test_whole_way_of_a_conversation_is_told(receiver, thread, maria):
    request_person(thread.pk, reason="Lost parcel")
    take_over(thread, actor=maria)
    item = reply(thread, "It is here.", actor=maria)
    hand_on(thread, actor=maria)
    hand_back(thread, actor=maria)
    assert told() == [
        ("handler_changed", "waiting"),
        ("staff_needed", "waiting"),
        ("handler_changed", "staff"),
        ("staff_replied", "staff"),
        ("handler_changed", "waiting"),
        ("staff_needed", "waiting"),
        ("handler_changed", "assistant"),
    ]
    payload = WebhookDelivery.objects.get(event="staff_replied").payload
    assert payload["data"] == {
        "thread": "thr_1",
        "owner": "visitor:v",
        "namespace": "shop",
        "handler": "staff",
        "user_is_present": False,
        "item": item.public_id,
    }
    # What was said, and why, is for those who want it.
    everything = json.dumps(list(WebhookDelivery.objects.values_list("payload", flat=True)))
    assert "Lost parcel" not in everything
    assert "It is here." not in everything


def test_content_is_told_to_who_wants_it_until_it_is_redacted(settings, thread, maria):
    hook = {"url": "http://127.0.0.1:1/", "secret": "s", "content": True, "events": ["staff_replied"]}
    settings.CHATKIT = {"STAFF": {"WEBHOOKS": [hook]}}
    take_over(thread, actor=maria)
    item = reply(thread, "It is here.", actor=maria)
    (delivery,) = WebhookDelivery.objects.all()
    assert delivery.payload["data"]["text"] == "It is here."
    redact(item, actor=maria, reason="x")
    delivery.refresh_from_db()
    assert "text" not in delivery.payload["data"]


def test_site_without_webhooks_writes_nothing(thread):
    request_person(thread.pk)
    assert not WebhookDelivery.objects.exists()


def test_delivery_goes_with_its_thread(receiver, thread):
    request_person(thread.pk)
    thread.delete()
    assert not WebhookDelivery.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_webhook_is_sent_after_the_commit_and_signed(receiver, thread):
    request_person(thread.pk)
    later.wait()
    sent = {json.loads(body)["type"]: (headers, body) for headers, body in receiver.requests}
    assert sent.keys() == {"handler_changed", "staff_needed"}
    headers, body = sent["staff_needed"]
    delivery = WebhookDelivery.objects.get(event="staff_needed")
    assert (delivery.status, delivery.attempts, delivery.last_status) == ("delivered", 1, 204)
    assert headers["webhook-id"] == delivery.public_id
    signed = f"{delivery.public_id}.{headers['webhook-timestamp']}.".encode() + body
    expected = hmac.new(b"a secret of 24 bytes or s", signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(expected).decode()


def test_signature_is_that_of_the_standard():
    # The example of the specification's own libraries.
    assert (
        webhooks.signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            id="msg_p5jXN8AQM9LWM0D4loKWxJek",
            timestamp=1614265330,
            body=b'{"test": 2432232314}',
        )
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


# --- Bad days -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [500, 404, 429])
def test_receiver_that_fails_is_tried_again_later(receiver, thread, status):
    receiver.status = status
    delivery = webhooks.send(make(thread, receiver.url))
    assert (delivery.status, delivery.attempts, delivery.last_status) == ("waiting", 1, status)
    assert delivery.last_error == f"It answered with {status}."
    assert timezone.now() < delivery.next_attempt_at < timezone.now() + timedelta(seconds=6)


def test_redirect_is_not_followed(receiver, thread):
    receiver.status, receiver.location = 302, receiver.url
    delivery = webhooks.send(make(thread, receiver.url))
    assert (delivery.status, delivery.last_status) == ("waiting", 302)
    assert len(receiver.requests) == 1


def test_receiver_that_hangs_is_left(receiver, thread, monkeypatch):
    monkeypatch.setattr(webhooks, "TIMEOUT", 0.2)
    receiver.hangs = True
    delivery = webhooks.send(make(thread, receiver.url))
    assert (delivery.status, delivery.last_status, delivery.last_error) == ("waiting", None, "timed out")


def test_receiver_that_is_not_there_is_tried_again(settings, thread):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
    settings.CHATKIT = {"STAFF": {"WEBHOOKS": [{"url": url, "secret": SECRET}]}}
    delivery = webhooks.send(make(thread, url))
    assert (delivery.status, delivery.last_status) == ("waiting", None)
    assert "refused" in delivery.last_error


def test_receiver_that_is_gone_is_given_up(receiver, thread):
    receiver.status = 410
    assert webhooks.send(make(thread, receiver.url)).status == "given_up"


def test_receiver_that_never_answers_is_given_up_after_ten_attempts(receiver, thread):
    receiver.status = 500
    delivery = webhooks.send(make(thread, receiver.url, attempts=9))
    assert (delivery.status, delivery.attempts, delivery.next_attempt_at) == ("given_up", 10, None)


def test_receiver_that_was_taken_out_of_the_settings_is_given_up(receiver, thread):
    delivery = webhooks.send(make(thread, "http://127.0.0.1:1/other"))
    assert (delivery.status, receiver.requests) == ("given_up", [])


def test_only_what_is_due_is_sent_and_once(receiver, thread):
    make(thread, receiver.url, next_attempt_at=timezone.now() + timedelta(minutes=1))
    due = make(thread, receiver.url, public_id="msg_2")
    assert webhooks.deliver_due() == [due]
    assert webhooks.deliver_due() == []
    assert len(receiver.requests) == 1


def test_delivery_of_a_process_that_was_killed_is_due_again(receiver, thread):
    make(thread, receiver.url, next_attempt_at=timezone.now() - timedelta(seconds=1))
    assert [row.status for row in webhooks.deliver_due()] == ["delivered"]


def test_delivery_that_was_given_up_can_be_sent_again(receiver, thread):
    delivery = make(thread, receiver.url, status="given_up", attempts=10, next_attempt_at=None)
    webhooks.send_again(delivery)
    (sent,) = webhooks.deliver_due()
    assert (sent.status, sent.attempts) == ("delivered", 1)


def test_old_deliveries_go(thread):
    old = timezone.now() - timedelta(days=31)
    make(thread, "http://x.example/", created_at=old, status="delivered")
    kept = make(thread, "http://x.example/", public_id="msg_2", created_at=old)
    assert webhooks.prune() == 1
    assert WebhookDelivery.objects.get() == kept


def test_command_sends_what_is_due_and_says_what_came_of_it(receiver, thread):
    make(thread, receiver.url)
    out = StringIO()
    call_command("chatkit_staff", stdout=out)
    assert out.getvalue() == f"staff_needed to {receiver.url}: delivered\n"
    assert ThreadItem.objects.count() == 0
