"""Setting aside what another message, or another answer, takes the place of.

Everything here is called within a transaction that holds the lock of the thread's row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from ..errors import InvalidRequest
from ..models import Attachment, EarlierItem, Feedback, RemovedItem, Thread, ThreadItem
from .payloads import kept_image_id, preview

MAX_VERSIONS = 20
"""Earlier versions that are kept of a message, and of each answer: the newest of them."""
AT_ONCE = 500
"""Items that one statement sets aside."""

_Of = EarlierItem.Of


def set_answer_aside(message: ThreadItem) -> None:
    """Set aside all that comes after a message, which is to be answered again."""
    items = ThreadItem.objects.filter(thread=message.thread_id, pk__gt=message.pk)
    if _replaced(items).filter(_shown()).exists():
        _set_aside(items, thread_pk=message.thread_id, place=message.public_id, of=_Of.ANSWER)
    else:
        # An answer that had failed before it said anything: nobody would look at that.
        _remove(items, thread_pk=message.thread_id)
    number = _drop_oldest(message.thread_id, message.public_id, _Of.ANSWER)
    if number != message.earlier_answers:
        version = Thread.objects.values_list("version", flat=True).get(pk=message.thread_id)
        ThreadItem.objects.filter(pk=message.pk).update(earlier_answers=number, version=version)


def set_message_aside(message: ThreadItem, *, replaced_by: str) -> int:
    """Set aside the last of the user's messages, and all that comes after it.

    Args:
        message: its row.
        replaced_by: the id of the message that takes its place.

    Returns:
        How many earlier versions that one has.

    Raises:
        InvalidRequest: when it is not the last one, or has been redacted.
    """
    later = ThreadItem.objects.filter(thread=message.thread_id, type=message.type, pk__gt=message.pk)
    if message.redacted_at is not None or later.exists():
        raise InvalidRequest(_("This does not fit the conversation. Reload the page and try again."))
    before = EarlierItem.objects.filter(thread=message.thread_id, place=message.public_id, of=_Of.MESSAGE)
    before.update(place=replaced_by)
    items = ThreadItem.objects.filter(thread=message.thread_id, pk__gte=message.pk)
    _set_aside(items, thread_pk=message.thread_id, place=replaced_by, of=_Of.MESSAGE, edited=message.pk)
    return _drop_oldest(message.thread_id, replaced_by, _Of.MESSAGE)


def _replaced(items: Any) -> Any:
    """Leave out what stays where it is.

    Of what staff redacted a trace remains, and so does what they wrote. Notes for the model that belong to no answer
    say who answered when: without the last of them it might take itself to be silent still.
    """
    is_note = Q(type=ThreadItem.Type.HIDDEN_CONTEXT_ITEM, run__isnull=True)
    return items.filter(redacted_at__isnull=True, author_name="").exclude(is_note)


def _shown() -> Q:
    return ~Q(type__in=("end_of_turn", "client_tool_call", "hidden_context_item", "sdk_hidden_context"))


def _batches(items: Any) -> Iterator[list[ThreadItem]]:
    while rows := list(_replaced(items).locked().order_by("pk")[:AT_ONCE]):
        yield rows


def _set_aside(items: Any, *, thread_pk: int, place: str, of: str, edited: int | None = None) -> None:
    versions = EarlierItem.objects.filter(thread=thread_pk).versions(place, of)
    number, now = (versions[-1] if versions else 0) + 1, timezone.now()
    for rows in _batches(items):
        EarlierItem.objects.bulk_create(
            EarlierItem(
                id=row.pk,
                thread_id=thread_pk,
                run_id=row.run_id,
                place=place,
                of=of,
                number=number,
                public_id=row.public_id,
                type=row.type,
                payload=row.payload,
                text=row.text,
                created_at=row.created_at,
                replaced_at=now,
                # Those before a message that is edited are told with the one in its place.
                earlier_messages=0 if row.pk == edited else row.earlier_messages,
                earlier_answers=row.earlier_answers,
            )
            for row in rows
        )
        _delete(rows, thread_pk=thread_pk)


def _remove(items: Any, *, thread_pk: int) -> None:
    for rows in _batches(items):
        _delete(rows, thread_pk=thread_pk)


def _delete(rows: list[ThreadItem], *, thread_pk: int) -> None:
    """Take rows out of the thread: what it tells of itself changes, and open pages hear of it."""
    items, threads = ThreadItem.objects.filter(thread=thread_pk), Thread.objects.filter(pk=thread_pk)
    _number, deleted = items.filter(pk__in=[row.pk for row in rows]).delete()
    if deleted.get(Feedback._meta.label):
        threads.recount_feedback()
    texts = items.visible().exclude(text="").order_by("-id").values_list("text", flat=True)
    shown = preview(texts.first() or "")
    [version] = threads.bump(item_count=F("item_count") - len(rows), last_preview=shown).values()
    RemovedItem.objects.bulk_create(
        RemovedItem(thread_id=thread_pk, public_id=row.public_id, version=version) for row in rows
    )


def _drop_oldest(thread_pk: int, place: str, of: str) -> int:
    """Delete versions beyond the number that is kept, with what was said there again. Returns how many are left."""
    earlier = EarlierItem.objects.filter(thread=thread_pk)
    versions = earlier.versions(place, of)
    dropped = versions[:-MAX_VERSIONS]
    rows = earlier.filter(place=place, of=of, number__in=dropped) if dropped else earlier.none()
    while found := list(rows.values_list("pk", "public_id", "type", "payload")):
        images = [kept_image_id(payload) for _pk, _id, kind, payload in found if kind == "generated_image"]
        Attachment.objects.filter(thread=thread_pk, public_id__in=images).delete()
        EarlierItem.objects.filter(pk__in=[pk for pk, *_rest in found]).delete()
        # Those of a message that is gone.
        messages = [public_id for _pk, public_id, kind, _payload in found if kind == "user_message"]
        rows = earlier.filter(place__in=messages)
    return len(versions) - len(dropped)
