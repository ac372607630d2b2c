"""Rows that somebody attacks: a superuser's session, and threads for staff to act on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import count
from typing import Any

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone

from chatkit_app.flags import flag
from chatkit_app.models import (
    Assignment,
    Attachment,
    AuditEntry,
    CannedReply,
    EarlierItem,
    Label,
    Run,
    Thread,
    ThreadItem,
    WebhookDelivery,
)
from chatkit_app.staff import audit
from chatkit_app.staff.notes import add_note
from chatkit_app.storable import storable_text
from chatkit_app.store import codec

from .mirror import ITEM, items

_numbers = count(1)


def superuser_session(name: str = "boss") -> str:
    """The key of a session of a superuser of this name."""
    client = Client()
    client.force_login(User.objects.create_superuser(name))
    return client.cookies["sessionid"].value


def make_thread(title: str, **fields: Any) -> Thread:
    number = next(_numbers)
    return Thread.objects.create(
        public_id=f"thr_corpus_{number}",
        visitor_id="" if "user" in fields else f"visitor-{number}",
        title=storable_text(title),
        last_activity=timezone.now(),
        **fields,
    )


def make_item(thread: Thread, fields: dict[str, Any]) -> ThreadItem:
    """An item of these fields of the SDK's."""
    own = {"id": f"msg_corpus_{next(_numbers)}", "thread_id": thread.public_id, "created_at": datetime.now()}
    columns = codec.encode_item(ITEM.validate_python(fields | own))
    return ThreadItem.objects.create(thread=thread, **columns)


def said(text: str) -> dict[str, Any]:
    content = [
        {"type": "input_text", "text": text},
        {"type": "input_tag", "id": text, "text": text, "data": {}},
    ]
    return {
        "type": "user_message",
        "content": content,
        "attachments": [],
        "quoted_text": text,
        "inference_options": {"model": text},
    }


def thread_and_item() -> tuple[int, int]:
    """A thread with one item. Returns their keys."""
    thread = make_thread("x")
    return thread.pk, make_item(thread, said("x")).pk


def conversation(texts: Sequence[str], **fields: Any) -> Thread:
    """A thread with what the user said, and an answer of another type, for each text."""
    thread = make_thread(texts[0][:200], **fields)
    for number, text in enumerate(texts):
        make_item(thread, said(text))
        answers = list(items(text))
        make_item(thread, answers[number % len(answers)])
    return thread


def staff_rows(thread: Thread, texts: Sequence[str], actor: User) -> dict[str, Any]:
    """What staff keep of a thread, in these texts. Returns the keys of the rows, by what they are."""
    short = [text[:50] for text in map(storable_text, texts) if text[:50]]
    label = None
    for text in short:
        label, _made = Label.objects.get_or_create(name=text)
        thread.labels.add(label)
    raised, entry, run, attachment, feedback = None, None, None, None, None
    first = thread.items.order_by("pk").first()
    assert first is not None
    for text in map(storable_text, texts):
        add_note(thread, actor=actor, text=text)
        raised = flag(thread, item=first, rule=text[:50], reason=text)
        audit.record(audit.Action.EXPORT, actor=actor, thread=thread, reason=text[:1000], query=text)
        run = Run.objects.create(
            public_id=f"run_corpus_{next(_numbers)}",
            thread=thread,
            operation="threads.create",
            status="failed",
            model=text[:100],
            error=text[:200],
            visitor_id=thread.visitor_id,
        )
        attachment = Attachment.objects.create(
            public_id=f"atc_corpus_{next(_numbers)}",
            thread=thread,
            visitor_id=thread.visitor_id,
            type="file",
            name=text[:200],
            mime_type=text[:255],
            payload={"preview_url": text},
        )
    assert attachment is not None
    attachment.file = default_storage.save("chatkit/corpus", ContentFile(texts[-1].encode(errors="replace")))
    attachment.save()
    Assignment.objects.create(thread=thread, assignee=actor)
    last = thread.items.latest("pk")
    earlier = EarlierItem.objects.create(
        id=last.pk + 1_000_000,
        thread=thread,
        place=first.public_id,
        of="answer",
        number=1,
        public_id=f"{last.public_id}_before",
        type=first.type,
        payload=first.payload,
        text=first.text,
        created_at=first.created_at,
    )
    feedback = first.feedback.create(kind="negative", visitor_id=thread.visitor_id)
    entry = AuditEntry.objects.latest("pk")
    canned = CannedReply.objects.create(
        shortcut=f"corpus-{next(_numbers)}", title=short[-1], text=storable_text(texts[-1])
    )
    delivery = WebhookDelivery.objects.create(
        thread=thread,
        public_id=f"msg_corpus_{next(_numbers)}",
        event="staff_replied",
        url="http://127.0.0.1:1/",
        payload={"data": {"text": storable_text(texts[-1])}},
        status="given_up",
    )
    assert label
    assert raised
    assert run
    return {
        "thread": thread.pk,
        "item": first.pk,
        "item_key": first.public_id,
        "earlier": earlier.pk,
        "run": run.pk,
        "feedback": feedback.pk,
        "attachment": attachment.pk,
        "flag": raised.pk,
        "label": label.pk,
        "auditentry": entry.pk,
        "waiting": thread.pk,
        "cannedreply": canned.pk,
        "webhookdelivery": delivery.pk,
    }
