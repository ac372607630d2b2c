"""The list of webhook deliveries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from chatkit_app.models import AuditEntry, WebhookDelivery

from .conftest import make_thread

pytestmark = pytest.mark.django_db
LIST = "/admin/chatkit_app/webhookdelivery/"


@pytest.fixture
def delivery() -> WebhookDelivery:
    return WebhookDelivery.objects.create(
        thread=make_thread("A title", public_id="thr_1", visitor_id="v"),
        public_id="msg_1",
        event="staff_replied",
        url="https://hooks.example/chat",
        payload={"data": {"text": "It is <here>."}},
        status="given_up",
        attempts=10,
        last_status=500,
        last_error="It answered with 500.",
        next_attempt_at=None,
        created_at=timezone.now() - timedelta(hours=1),
    )


def test_list_says_what_was_told_to_whom_and_what_came_of_it(
    staff: Callable[..., Client], delivery: WebhookDelivery
) -> None:
    html = staff("view_webhookdelivery", "view_content").get(LIST).content.decode()
    for text in (
        "staff_replied",
        "https://hooks.example/chat",
        '<span class="chatkit-badge chatkit-given_up">given up</span>',
        "It answered with 500.",
        "A title",
    ):
        assert text in html


@pytest.mark.parametrize(("permissions", "shown"), [((), False), (("view_content",), True)])
def test_payload_is_for_those_who_may_read(
    staff: Callable[..., Client], delivery: WebhookDelivery, permissions: Any, shown: bool
) -> None:
    html = staff("view_webhookdelivery", *permissions).get(f"{LIST}{delivery.pk}/change/").content.decode()
    assert ("It is &lt;here&gt;." in html) is shown
    assert ("A title" in html) is shown
    assert AuditEntry.objects.filter(action="read").exists() is shown


def test_delivery_is_sent_again_and_the_audit_says_by_whom(
    staff: Callable[..., Client], delivery: WebhookDelivery
) -> None:
    client = staff("view_webhookdelivery", "moderate_thread")
    page = client.get(f"{LIST}{delivery.pk}/change/").content.decode()
    assert f'action="{LIST}{delivery.pk}/again/"' in page
    response = client.post(f"{LIST}{delivery.pk}/again/", follow=True)
    assert "It is being sent again." in response.content.decode()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == ("waiting", 0)
    assert delivery.next_attempt_at is not None
    entry = AuditEntry.objects.get(action="resend")
    assert entry.details == {"delivery": "msg_1", "url": "https://hooks.example/chat"}


def test_button_is_for_those_who_may(staff: Callable[..., Client], delivery: WebhookDelivery) -> None:
    page = staff("view_webhookdelivery").get(f"{LIST}{delivery.pk}/change/").content.decode()
    assert "/again/" not in page


def test_delivery_of_a_thread_out_of_scope_is_not_seen(
    staff: Callable[..., Client], delivery: WebhookDelivery, settings: Any
) -> None:
    settings.CHATKIT = {"ADMIN_SCOPE": "tests.admin.test_deliveries.nothing"}
    client = staff("view_webhookdelivery", "moderate_thread")
    assert "hooks.example" not in client.get(LIST).content.decode()
    assert client.post(f"{LIST}{delivery.pk}/again/").status_code == 404


def nothing(user: Any, threads: Any) -> Any:
    return threads.none()
