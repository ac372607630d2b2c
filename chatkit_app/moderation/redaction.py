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

from ..models import Approval, Attachment, EarlierItem, Flag, Run, Thread, ThreadItem
from ..runs.stopping import request_stops, withdraw
from ..signals import item_redacted
from ..staff import audit
from ..storable import original_json, storable_text
from ..store.payloads import WAITING_CALLS_KEY, kept_image_id, preview, redacted_payload, shown_of
from ..takeover import webhooks

# What Markdown is written with and nobody reads: targets of links, numbers of lists, languages of code.
_MARKUP = re.compile(r"\]\([^)]{0,1000}\)|^[ \t]*\d+[.)][ \t]|^[ \t]*(?:```|~~~)[^\n]*$", re.MULTILINE)


TELLING = 4
"""Letters and digits from which on the words of a message are taken to be its own, wherever they stand."""


class AlreadyRedacted(Exception):
    """Somebody else was faster.

    Attributes:
        item: the row, which says who and when.
    """

    def __init__(self, item: ThreadItem | EarlierItem) -> None:
        super().__init__(f"Item {item.public_id} was redacted already.")
        self.item = item


def redact(item: ThreadItem | EarlierItem, *, actor: Any, reason: str) -> ThreadItem | EarlierItem:
    """Remove what a message says, with all of its copies, and write it down.

    Copies are the search text, the thread's preview, a title with its words, quotations in later messages, files,
    errors of answers, the JSON of a structured output, what answers keep to be read again, or to go on after an
    approval, and earlier versions of the message, with all others that hold its words.
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
        ObjectDoesNotExist: when it was deleted meanwhile, or another one has taken its place.
    """
    using = router.db_for_write(ThreadItem)
    with transaction.atomic(using=using):
        # First the thread and then the item, as those lock them who write an answer.
        versions = Thread.objects.filter(pk=item.thread_id).bump()
        items: Any = type(item).objects
        row: ThreadItem | EarlierItem = items.locked().get(pk=item.pk)
        if row.redacted_at is not None:
            raise AlreadyRedacted(row)
        said, version = _Words(row.text), versions[row.thread_id]
        earlier = _versions_with(row, said)
        files = attachment_ids(row) + _files_of_none_else(earlier)
        for written in [row, *_hidden_originals(row), *earlier]:
            _leave_tombstone(written, actor=actor, reason=reason, version=version)
        _redact_quotations(row, said, files, version=version)
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
        if isinstance(row, ThreadItem):
            Flag.objects.filter(item=row, source=Flag.Source.RULE).update(reason="")
        # One by one, so that the bytes follow.
        sent_files(thread, files).delete()
        for written in (row, *earlier):
            webhooks.forget_content(thread.pk, written.public_id)
        # Why a person was wanted may quote it, too.
        Thread.objects.filter(pk=thread.pk).update(handler_reason="")
        audit.record(audit.Action.REDACT, actor=actor, thread=thread, item_key=row.public_id, reason=reason)
        transaction.on_commit(partial(_after_commit, row, earlier, thread, said, files, actor), using=using)
    return row


def others_with_words(item: ThreadItem | EarlierItem, *, hidden: bool) -> list[ThreadItem]:
    """Return the messages of the thread that have the words of this one in words of their own: a redaction leaves them.

    Args:
        item: the message.
        hidden: whether what the user does not see is looked at, too.
    """
    said = _Words(item.text)
    if not said.is_telling:
        return []
    others = ThreadItem.objects.filter(thread=item.thread_id, redacted_at__isnull=True).exclude(text="")
    rows = (others if hidden else others.visible()).exclude(pk=item.pk).order_by("pk")
    return [row for row in rows.only("pk", "text", "created_at").iterator() if said.is_in(row.text)]


def attachment_ids(item: ThreadItem | EarlierItem) -> list[str]:
    """Return the ids of the files that a message has, or that a generated image is."""
    image_id = kept_image_id(item.payload)
    return [str(file["id"]) for file in _files(item.payload)] + ([] if image_id is None else [image_id])


def sent_files(thread: Thread, ids: Iterable[str]) -> QuerySet[Attachment]:
    """Return the rows of these files of a thread."""
    return Attachment.objects.filter(thread=thread, public_id__in=list(ids))


def _leave_tombstone(row: ThreadItem | EarlierItem, *, actor: Any, reason: str, version: int) -> None:
    row.payload, row.text = redacted_payload(), ""
    row.redacted_at = timezone.now()
    row.redacted_by, row.redaction_reason = audit.name_of(actor), reason
    _save(row, "payload", "text", "redacted_at", "redacted_by", "redaction_reason", version=version)


def _save(row: ThreadItem | EarlierItem, *fields: str, version: int) -> None:
    """Write these columns, and let open pages hear of it: they show no earlier version that has not been asked for."""
    changed = list(fields)
    if isinstance(row, ThreadItem):
        row.version, row.updated_at = version, timezone.now()
        changed += ["version", "updated_at"]
    row.save(update_fields=changed)


def _hidden_originals(row: ThreadItem | EarlierItem) -> list[ThreadItem | EarlierItem]:
    """Return what the model wrote, in hidden context, where the user was shown this item."""
    return [
        each
        for items in _later(row)
        for each in items.filter(type="hidden_context_item").locked().order_by("pk")
        if row.public_id in shown_of(each.payload)
    ]


def _versions_with(row: ThreadItem | EarlierItem, said: _Words) -> list[EarlierItem]:
    """Return what is part of an earlier version of the message, or says in any earlier version what it says."""
    earlier = EarlierItem.objects.filter(thread=row.thread_id, redacted_at__isnull=True).exclude(pk=row.pk)
    found: dict[int, EarlierItem] = {}
    if isinstance(row, ThreadItem):
        own = earlier.filter(**_place_of(row))
        while new := [each for each in own.locked().order_by("pk") if each.pk not in found]:
            found |= {each.pk: each for each in new}
            # Those have had other answers themselves.
            messages = [each.public_id for each in new if each.type == ThreadItem.Type.USER_MESSAGE]
            own = earlier.filter(place__in=messages)
    for each in earlier.exclude(text="").exclude(pk__in=found).locked().order_by("pk").iterator():
        if said.is_in(each.text):
            found |= {each.pk: each} | {hidden.pk: hidden for hidden in _earlier_originals(each)}
    return [found[pk] for pk in sorted(found)]


def _files_of_none_else(earlier: list[EarlierItem]) -> list[str]:
    """Return the ids of the files of these that no message has which is shown: an edit keeps those it had."""
    ids = [file for each in earlier for file in attachment_ids(each)]
    if not ids:
        return []
    shown = ThreadItem.objects.filter(thread=earlier[0].thread_id, redacted_at__isnull=True)
    others = {
        file for each in shown.filter(type="user_message").only("payload") for file in attachment_ids(each)
    }
    return [file for file in ids if file not in others]


def _earlier_originals(row: EarlierItem) -> list[EarlierItem]:
    return [each for each in _hidden_originals(row) if isinstance(each, EarlierItem)]


def _place_of(row: ThreadItem) -> dict[str, str]:
    """Return where earlier versions of this item are."""
    if row.type == ThreadItem.Type.USER_MESSAGE:
        return {"place": row.public_id, "of": EarlierItem.Of.MESSAGE}
    before = ThreadItem.objects.filter(thread=row.thread_id, pk__lt=row.pk, type=ThreadItem.Type.USER_MESSAGE)
    asked = before.order_by("-pk").values_list("public_id", flat=True).first()
    return {"place": asked or "", "of": EarlierItem.Of.ANSWER}


def _later(row: ThreadItem | EarlierItem) -> list[Any]:
    """Return the items after this one, those of earlier versions too, that are not redacted."""
    later = {"thread": row.thread_id, "pk__gt": row.pk, "redacted_at__isnull": True}
    return [ThreadItem.objects.filter(**later), EarlierItem.objects.filter(**later)]


def _redact_quotations(
    row: ThreadItem | EarlierItem, said: _Words, files: list[str], *, version: int
) -> None:
    for items in _later(row):
        for copy in items.filter(type="user_message").locked().order_by("pk"):
            _redact_quotation(copy, said, files, version=version)


def _redact_quotation(row: ThreadItem | EarlierItem, said: _Words, files: list[str], *, version: int) -> None:
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
        if "attachments" in changes:
            # The search finds a message by the names of its files, too.
            row.text = _text_of(row)
        _save(row, "payload", "text", version=version)


def _text_of(row: ThreadItem | EarlierItem) -> str:
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


def _rewrite_thread(thread: Thread, row: ThreadItem | EarlierItem, said: _Words) -> None:
    items = ThreadItem.objects.filter(thread=thread)
    texts = items.visible().exclude(text="").order_by("-pk").values_list("text", flat=True)
    thread.last_preview = preview(texts.first() or "")
    first = items.filter(type="user_message").order_by("pk").values_list("public_id", flat=True).first()
    # The title of most threads is made of their first message, in whatever words; or of what stood in its place.
    has_words = said.holds(thread.title) or (said.is_telling and said.is_in(thread.title))
    if has_words or first in (row.public_id, getattr(row, "place", None)):
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


def _after_commit(
    row: ThreadItem | EarlierItem,
    earlier: list[EarlierItem],
    thread: Thread,
    said: _Words,
    files: list[str],
    actor: Any,
) -> None:
    # Not before others can read that it is redacted: an answer that begins now reads nothing of it.
    withdraw(thread.public_id)
    request_stops(Run.objects.filter(thread=thread))
    with transaction.atomic(using=router.db_for_write(ThreadItem)):
        # A quotation may have been sent, and an answer to it begun, while nobody could see the redaction yet.
        for version in Thread.objects.filter(pk=row.thread_id).bump().values():
            _redact_quotations(row, said, files, version=version)
        _withdraw(Run.objects.filter(thread=thread))
        Approval.objects.filter(thread=thread).delete()
    for written in (row, *earlier):
        item_redacted.send_robust(sender=type(written), item=written, actor=actor)


class _Words:
    """The words of a message, to be found again however they are written: only letters and digits count.

    What a reader selects on a page has lost its Markdown.
    """

    def __init__(self, text: str) -> None:
        self._written = _letters(text)
        self._shown = _letters(html.unescape(_MARKUP.sub(" ", text)))

    @property
    def is_telling(self) -> bool:
        """There is enough of it to be found by: "yes" is in many a text."""
        return len(self._written) >= TELLING

    def holds(self, text: str) -> bool:
        """Return whether a text is a part of it."""
        letters = _letters(text)
        return bool(letters) and (letters in self._written or letters in self._shown)

    def is_in(self, text: str) -> bool:
        """Return whether it is a part of a text."""
        return bool(self._written) and self._written in _letters(text)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
