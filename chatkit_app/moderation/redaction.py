"""Redaction of one message: what it said, and every copy of that which the app keeps.

The row stays as a tombstone, with who did it, when and why. What it said is gone for good: for the user, for staff,
for the search, for exports and for the model.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from functools import partial
from typing import Any

from django.db import router, transaction
from django.db.models import QuerySet
from django.utils import timezone

from ..models import Approval, Attachment, Flag, Run, Thread, ThreadItem
from ..runs.stopping import request_stops, withdraw
from ..signals import item_redacted
from ..staff import audit
from ..storable import original_json, storable_text
from ..store.payloads import WAITING_CALLS_KEY, kept_image_id, preview, redacted_payload, shown_of
from ..takeover import webhooks

# What Markdown is written with and nobody reads: targets of links, numbers of lists, languages of code.
_MARKUP = re.compile(r"\]\([^)]{0,1000}\)|^[ \t]*\d+[.)][ \t]|^[ \t]*(?:```|~~~)[^\n]*$", re.MULTILINE)


class AlreadyRedacted(Exception):
    """Somebody else was faster.

    Attributes:
        item: the row, which says who and when.
    """

    def __init__(self, item: ThreadItem) -> None:
        super().__init__(f"Item {item.public_id} was redacted already.")
        self.item = item


def redact(item: ThreadItem, *, actor: Any, reason: str) -> ThreadItem:
    """Remove what a message says, with all of its copies, and write it down.

    Copies are the search text, the thread's preview and title, quotations in later messages, files, errors of
    answers, the JSON of a structured output, and what answers keep to be read again, or to go on after an approval.
    An answer that is being written in the thread is stopped, since its model has read the message. ``item_redacted``
    is sent for what else a site keeps.

    Args:
        item: what the caller has found the staff member may redact.
        actor: the staff member who does it.
        reason: for staff only.

    Returns:
        The row as it is now.

    Raises:
        AlreadyRedacted: when it was redacted before.
        ThreadItem.DoesNotExist: when it was deleted meanwhile.
    """
    using = router.db_for_write(ThreadItem)
    with transaction.atomic(using=using):
        # First the thread and then the item, as those lock them who write an answer.
        versions = Thread.objects.filter(pk=item.thread_id).bump()
        row = ThreadItem.objects.locked().get(pk=item.pk)
        if row.redacted_at is not None:
            raise AlreadyRedacted(row)
        said, files = _Words(row.text), attachment_ids(row)
        for written in [row, *_hidden_originals(row)]:
            written.version = versions[row.thread_id]
            _leave_tombstone(written, actor=actor, reason=reason)
        _redact_quotations(row, said, files, version=row.version)
        thread = Thread.objects.get(pk=row.thread_id)
        _rewrite_thread(thread, row, said)
        runs = Run.objects.filter(thread=thread)
        _rewrite_errors(runs, said)
        _withdraw(runs)
        # A run that waits for an approval has read the message.
        Approval.objects.filter(thread=thread).delete()
        # So has the model that wrote what the browser was to be asked for.
        _forget_waiting_calls(thread)
        # What a rule says of a message may quote it.
        Flag.objects.filter(item=row, source=Flag.Source.RULE).update(reason="")
        # One by one, so that the bytes follow.
        sent_files(thread, files).delete()
        webhooks.forget_content(thread.pk, row.public_id)
        # Why a person was wanted may quote it, too.
        Thread.objects.filter(pk=thread.pk).update(handler_reason="")
        audit.record(audit.Action.REDACT, actor=actor, thread=thread, item_key=row.public_id, reason=reason)
        transaction.on_commit(partial(_after_commit, row, thread, said, files, actor), using=using)
    return row


def attachment_ids(item: ThreadItem) -> list[str]:
    """Return the ids of the files that a message has, or that a generated image is."""
    image_id = kept_image_id(item.payload)
    return [str(file["id"]) for file in _files(item.payload)] + ([] if image_id is None else [image_id])


def sent_files(thread: Thread, ids: Iterable[str]) -> QuerySet[Attachment]:
    """Return the rows of these files of a thread."""
    return Attachment.objects.filter(thread=thread, public_id__in=list(ids))


def _leave_tombstone(row: ThreadItem, *, actor: Any, reason: str) -> None:
    row.payload, row.text = redacted_payload(), ""
    row.redacted_at = row.updated_at = timezone.now()
    row.redacted_by, row.redaction_reason = audit.name_of(actor), reason
    row.save(
        update_fields=[
            "payload",
            "text",
            "updated_at",
            "redacted_at",
            "redacted_by",
            "redaction_reason",
            "version",
        ]
    )


def _hidden_originals(row: ThreadItem) -> list[ThreadItem]:
    """Return what the model wrote, in hidden context, where the user was shown this item."""
    later = ThreadItem.objects.filter(thread=row.thread_id, pk__gt=row.pk, redacted_at__isnull=True)
    hidden = later.filter(type="hidden_context_item").locked().order_by("pk")
    return [each for each in hidden if row.public_id in shown_of(each.payload)]


def _redact_quotations(row: ThreadItem, said: _Words, files: list[str], *, version: int) -> None:
    later = ThreadItem.objects.filter(thread=row.thread_id, pk__gt=row.pk, redacted_at__isnull=True)
    for copy in later.filter(type="user_message").locked().order_by("pk"):
        _redact_quotation(copy, said, files, version=version)


def _redact_quotation(row: ThreadItem, said: _Words, files: list[str], *, version: int) -> None:
    """Take the quotation of the message and its files out of a later one."""
    changes: dict[str, Any] = {}
    quoted = row.payload.get("quoted_text") if isinstance(row.payload, dict) else None
    if isinstance(quoted, str) and said.holds(original_json(quoted)):
        changes["quoted_text"] = None
    sent = _files(row.payload)
    kept = [file for file in sent if str(file["id"]) not in files]
    if len(kept) < len(sent):
        changes["attachments"] = kept
    if changes:
        row.payload = row.payload | changes
        row.version = version
        if "attachments" in changes:
            # The search finds a message by the names of its files, too.
            row.text = _text_of(row)
        row.save(update_fields=["payload", "text", "version"])


def _text_of(row: ThreadItem) -> str:
    # Late, since the SDK takes seconds to load, and Django starts without it.
    from ..store import codec
    from ..store.readable import item_text

    try:
        return storable_text(item_text(codec.decode_item(row, thread_id="")))
    except ValueError:  # The SDK cannot read it; then nobody searches in it.
        return ""


def _files(payload: Any) -> list[dict[str, Any]]:
    """Return the files in a payload. A row that is broken can be redacted like another one."""
    files = payload.get("attachments") if isinstance(payload, dict) else None
    return (
        [file for file in files if isinstance(file, dict) and "id" in file] if isinstance(files, list) else []
    )


def _rewrite_thread(thread: Thread, row: ThreadItem, said: _Words) -> None:
    items = ThreadItem.objects.filter(thread=thread)
    texts = items.visible().exclude(text="").order_by("-pk").values_list("text", flat=True)
    thread.last_preview = preview(texts.first() or "")
    first = items.filter(type="user_message").order_by("pk").values_list("pk", flat=True).first()
    # The title of most threads is made of their first message, in whatever words.
    if first == row.pk or said.holds(thread.title):
        thread.title = ""
    thread.save(update_fields=["last_preview", "title"])


def _forget_waiting_calls(thread: Thread) -> None:
    if isinstance(thread.metadata, dict) and thread.metadata.pop(WAITING_CALLS_KEY, None) is not None:
        thread.save(update_fields=["metadata"])


def _rewrite_errors(runs: QuerySet[Run], said: _Words) -> None:
    failed = runs.exclude(error="").values_list("pk", "error")
    telling = [pk for pk, error in failed if said.is_in(error)]
    if telling:
        Run.objects.filter(pk__in=telling).update(error="")


def _withdraw(runs: QuerySet[Run]) -> None:
    runs.filter(withdrawn=False).update(withdrawn=True)


def _after_commit(row: ThreadItem, thread: Thread, said: _Words, files: list[str], actor: Any) -> None:
    # Not before others can read that it is redacted: an answer that begins now reads nothing of it.
    withdraw(thread.public_id)
    request_stops(Run.objects.filter(thread=thread))
    with transaction.atomic(using=router.db_for_write(ThreadItem)):
        # A quotation may have been sent, and an answer to it begun, while nobody could see the redaction yet.
        for version in Thread.objects.filter(pk=row.thread_id).bump().values():
            _redact_quotations(row, said, files, version=version)
        _withdraw(Run.objects.filter(thread=thread))
        Approval.objects.filter(thread=thread).delete()
    item_redacted.send_robust(sender=ThreadItem, item=row, actor=actor)


class _Words:
    """The words of a message, to be found again however they are written: only letters and digits count.

    What a reader selects on a page has lost its Markdown.
    """

    def __init__(self, text: str) -> None:
        self._written = _letters(text)
        self._shown = _letters(html.unescape(_MARKUP.sub(" ", text)))

    def holds(self, text: str) -> bool:
        """Return whether a text is a part of it."""
        letters = _letters(text)
        return bool(letters) and (letters in self._written or letters in self._shown)

    def is_in(self, text: str) -> bool:
        """Return whether it is a part of a text."""
        return bool(self._written) and self._written in _letters(text)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
