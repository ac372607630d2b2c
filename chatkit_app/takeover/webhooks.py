"""Webhooks: what happens between users and staff, told to other systems.

What is to be told is a row, written with what it tells of, so that neither is without the other. It is sent after the
commit, signed as standardwebhooks.com describes it, and tried again for days when its receiver is away.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone

from ..conf import WEBHOOK_EVENTS, chatkit_settings
from ..models import Thread, WebhookDelivery
from ..storable import storable_json, storable_text
from . import later

STAFF_NEEDED, STAFF_OVERDUE, STAFF_REPLIED, HANDLER_CHANGED = WEBHOOK_EVENTS

TIMEOUT = 10.0
"""Seconds that a receiver may take to accept a connection, and for each part of its answer."""
DELAYS = tuple(
    timedelta(**delay)
    for delay in (
        {"seconds": 5},
        {"minutes": 5},
        {"minutes": 30},
        {"hours": 2},
        {"hours": 5},
        {"hours": 10},
        {"hours": 14},
        {"hours": 20},
        {"hours": 24},
    )
)
"""How long after each attempt the next one is made. After the last it is given up."""
LEASE = timedelta(minutes=2)
"""How long one who sends keeps others from sending the same."""
KEPT = timedelta(days=30)
"""How long a delivery that is over can be looked at."""
_AT_ONCE = 50
_ERROR_LENGTH = 500
_Status = WebhookDelivery.Status


def record(event: str, thread: Thread, *, content: Mapping[str, str] | None = None, **facts: Any) -> None:
    """Have the receivers of an event told of it. Call it in the transaction of what has happened.

    Args:
        event: one of ``WEBHOOK_EVENTS``.
        thread: the thread, as it is now.
        content: what was said, for those who want it.
        facts: what else JSON can hold.
    """
    hooks = [hook for hook in chatkit_settings.staff.webhooks if event in hook.get("events", WEBHOOK_EVENTS)]
    if not hooks:
        return
    data = {
        "thread": thread.public_id,
        "owner": thread.owner,
        "namespace": thread.namespace,
        "handler": str(thread.handler),
        "user_is_present": thread.user_is_present,
        **facts,
    }
    now = timezone.now()
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(
            thread=thread,
            public_id=f"msg_{secrets.token_hex(16)}",
            event=event,
            url=hook["url"],
            payload=storable_json(
                {
                    "type": event,
                    "timestamp": now.isoformat(),
                    "data": data | (dict(content or {}) if hook.get("content") else {}),
                }
            ),
        )
        for hook in hooks
    )
    later.do_after_commit(deliver_due)


def deliver_due() -> list[WebhookDelivery]:
    """Send what is due. Two of them at once share the work.

    Returns:
        What was tried, as it is now.
    """
    rows = WebhookDelivery.objects.on_writer()
    due = rows.filter(status=_Status.WAITING, next_attempt_at__lte=timezone.now())
    tried = []
    for pk in list(due.order_by("next_attempt_at", "pk").values_list("pk", flat=True)[:_AT_ONCE]):
        # Whoever comes first sends it. Should they be killed, it is due again.
        if due.filter(pk=pk).update(next_attempt_at=timezone.now() + LEASE):
            delivery = rows.filter(pk=pk).first()
            if delivery is not None:
                tried.append(send(delivery))
    return tried


def send_again(delivery: WebhookDelivery) -> None:
    """Have one sent once more, whatever has become of it, and its attempts begin anew."""
    WebhookDelivery.objects.filter(pk=delivery.pk).update(
        status=_Status.WAITING, attempts=0, next_attempt_at=timezone.now()
    )
    later.do_after_commit(deliver_due)


def send(delivery: WebhookDelivery) -> WebhookDelivery:
    """Send one now, and write down what has come of it."""
    hook = next((hook for hook in chatkit_settings.staff.webhooks if hook["url"] == delivery.url), None)
    status, problem = None, "This receiver is not in CHATKIT any more."
    if hook is not None:
        status, problem = _post(delivery, str(hook.get("secret", "")))
    now = timezone.now()
    delivery.attempts += 1
    delivery.last_status, delivery.last_error = status, storable_text(problem)[:_ERROR_LENGTH]
    is_over = hook is None or status == http.client.GONE or delivery.attempts > len(DELAYS)
    if not problem:
        delivery.status, delivery.delivered_at, delivery.next_attempt_at = _Status.DELIVERED, now, None
    elif is_over:
        delivery.status, delivery.next_attempt_at = _Status.GIVEN_UP, None
    else:
        delivery.next_attempt_at = now + DELAYS[delivery.attempts - 1]
    # One whose thread was erased meanwhile is not brought back.
    WebhookDelivery.objects.filter(pk=delivery.pk).update(
        attempts=delivery.attempts,
        last_status=delivery.last_status,
        last_error=delivery.last_error,
        status=delivery.status,
        delivered_at=delivery.delivered_at,
        next_attempt_at=delivery.next_attempt_at,
    )
    return delivery


def prune() -> int:
    """Delete deliveries that are over and old. Returns how many these were."""
    over = WebhookDelivery.objects.exclude(status=_Status.WAITING)
    return over.filter(created_at__lt=timezone.now() - KEPT).delete()[0]


def forget_content(thread_pk: int, item_key: str) -> None:
    """Take out of what is to be sent, or was, what a message said that is redacted."""
    for delivery in WebhookDelivery.objects.on_writer().filter(thread=thread_pk, event=STAFF_REPLIED):
        data = delivery.payload.get("data", {})
        if data.get("item") == item_key and data.pop("text", None) is not None:
            delivery.save(update_fields=["payload"])


def signature(secret: str, *, id: str, timestamp: int, body: bytes) -> str:
    """Return the header ``webhook-signature`` of a request.

    Args:
        secret: the receiver's. One that begins with ``whsec_`` is base64 behind that, any other is taken as it is.
        id: the header ``webhook-id``.
        timestamp: the header ``webhook-timestamp``, in seconds.
        body: the request's.
    """
    key = base64.b64decode(secret[6:]) if secret.startswith("whsec_") else secret.encode()
    signed = f"{id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: what is signed for one receiver is nobody else's."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def _post(delivery: WebhookDelivery, secret: str) -> tuple[int | None, str]:
    """Return the status of the receiver's answer, if there was one, and what was wrong, if anything."""
    if urlsplit(delivery.url).scheme not in ("http", "https"):
        return None, "Its address is none of the web."
    body = json.dumps(delivery.payload, ensure_ascii=False, separators=(",", ":")).encode()
    timestamp = int(timezone.now().timestamp())
    # Not by httpx, which the openai package brings along: its newer versions bring another one.
    request = urllib.request.Request(
        delivery.url,
        data=body,
        method="POST",
        headers={
            "Content-Type": "application/json",
            "User-Agent": "django-openai-chatkit",
            "webhook-id": delivery.public_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(secret, id=delivery.public_id, timestamp=timestamp, body=body),
        },
    )
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=TIMEOUT) as response:
            return response.status, ""
    except urllib.error.HTTPError as error:
        error.close()
        return error.code, f"It answered with {error.code}."
    except (OSError, http.client.HTTPException, ValueError) as error:
        return None, str(getattr(error, "reason", None) or error) or type(error).__name__
