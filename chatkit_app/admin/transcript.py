"""One page of a thread's items, found by keyset, each as readable text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse

from ..models import Feedback, Thread, ThreadItem
from ..querysets import HIDDEN_ITEM_TYPES
from .base import ReadingAdmin
from .content import LongText, Part, describe, long_text, raw, visible

PAGE_SIZE = 50
_MAX_PK = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An item as the page shows it."""

    item: ThreadItem
    parts: list[Part]
    raw: LongText
    feedback: list[Feedback]

    @property
    def is_hidden(self) -> bool:
        """Whether only the model was to read it."""
        return self.item.type in HIDDEN_ITEM_TYPES


@dataclass(frozen=True, kw_only=True)
class Transcript:
    """A page of items in order, with the cursors of its neighbours (None where there is no neighbour)."""

    entries: list[Entry]
    earlier: int | None
    later: int | None


def cursor(parameters: Mapping[str, str], name: str) -> int | None:
    """A primary key from the query string; None when it is absent or nonsense."""
    try:
        value = int(parameters.get(name, ""))
    except ValueError:
        return None
    return value if 0 <= value <= _MAX_PK else None


def read_transcript(thread: Thread, *, after: int | None = None, before: int | None = None) -> Transcript:
    """The page of items behind or in front of a cursor; without one, the latest page."""
    items = ThreadItem.objects.filter(thread=thread).defer("text")
    if after is not None:
        found = list(items.filter(pk__gt=after).order_by("pk")[: PAGE_SIZE + 1])
        rows = found[:PAGE_SIZE]
        has_later = len(found) > PAGE_SIZE
        has_earlier = bool(rows) and items.filter(pk__lt=rows[0].pk).exists()
    else:
        behind = items if before is None else items.filter(pk__lt=before)
        found = list(behind.order_by("-pk")[: PAGE_SIZE + 1])
        rows = found[:PAGE_SIZE][::-1]
        has_earlier = len(found) > PAGE_SIZE
        has_later = before is not None and bool(rows) and items.filter(pk__gt=rows[-1].pk).exists()
    verdicts = _feedback(rows)
    return Transcript(
        entries=[
            Entry(
                item=row,
                parts=describe(row.type, row.payload),
                raw=long_text(raw(row.payload)),
                feedback=verdicts[row.pk],
            )
            for row in rows
        ],
        earlier=rows[0].pk if has_earlier else None,
        later=rows[-1].pk if has_later else None,
    )


def _feedback(rows: list[ThreadItem]) -> defaultdict[int, list[Feedback]]:
    by_item: defaultdict[int, list[Feedback]] = defaultdict(list)
    if rows:
        for verdict in Feedback.objects.filter(item__in=rows).order_by("pk"):
            by_item[verdict.item_id].append(verdict)
    return by_item


def item_view(model_admin: ReadingAdmin, request: HttpRequest, object_id: str, item_pk: int) -> HttpResponse:
    """One item whole, however long, as plain text that no browser takes for anything else."""
    thread = model_admin.find(request, object_id, "content")
    item = ThreadItem.objects.filter(thread=thread, pk=item_pk).first()
    if item is None:
        raise Http404
    parts = [visible(item.text)] if item.text else []
    parts += [visible(raw(item.payload))]
    response = HttpResponse("\n\n".join(parts), content_type="text/plain; charset=utf-8")
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
