"""Conversations as files.

An ``Export`` is an iterator that reads a page of items with each step, by keyset, so that a million of them need no
more memory than a few. What is redacted, and what only the model was to know, stays out.
"""

from __future__ import annotations

import base64
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from django.db.models import QuerySet, Subquery
from django.utils import translation

from ..models import Attachment, EarlierItem, Feedback, Thread, ThreadItem
from ..store.payloads import kept_image_id
from ..store.stored_files import open_stored
from .export_formats import WRITERS, Entry, Format

__all__ = ["Export", "Format"]

PAGE_SIZE = 200
"""Items that are read at once."""
PLAN_SIZE = 1000
"""Threads that are found at once."""
IMAGES_AT_ONCE = 5
"""Generated images that are read at once."""

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True)
class _Position:
    """The place that an export has come to.

    Attributes:
        plan: threads still to be read, with the items that each is said to have.
        last: key of the last thread that was ever planned.
        item: key of the last item of the plan's first thread that was read; None where none was.
        earlier: likewise of the items of its earlier versions, once all others have been read; 0 where none was.
    """

    plan: tuple[tuple[int, int], ...] = ()
    last: int = 0
    item: int | None = None
    earlier: int | None = None


class Export(Iterator[str]):
    """The text of an export, a page of items with each step.

    A step that raises changes nothing and can be taken again. Threads are read in the order in which they were
    begun; one that vanishes meanwhile is left out from where it does.

    Args:
        threads: which; any queryset that is neither sliced nor distinct by columns.
        format: of the file.
        hidden: whether what only the model was told, and what tools were given and gave, is part of it.
        allowed: asked of each thread; those that it refuses are left out.

    Attributes:
        threads_done, items_done: how many have been written.
    """

    def __init__(
        self,
        threads: QuerySet[Thread],
        *,
        format: Format,
        hidden: bool = False,
        allowed: Callable[[Thread], bool] = lambda thread: True,
    ) -> None:
        self.threads_done = 0
        self.items_done = 0
        self._threads = threads.order_by("pk")
        self._hidden = hidden
        self._allowed = allowed
        self._writer = WRITERS[format]()
        self._with_images = format == Format.JSONL
        self._begun = False
        self._position: _Position | None = _Position()
        # A worker thread that takes the next step knows nothing of the language of the request.
        self._language = translation.get_language()

    def __next__(self) -> str:
        with translation.override(self._language):
            return self._next()

    def incomplete(self) -> str:
        """Return what to write in place of the rest after an error, so that nobody takes the file for a whole one."""
        with translation.override(self._language):
            head = "" if self._begun else self._writer.head()
            return head + self._writer.incomplete()

    def _next(self) -> str:
        text, position = "" if self._begun else self._writer.head(), self._position
        threads = items = 0
        page = ""
        while position is not None and not page:
            page, position, new_threads, new_items = self._read(position)
            threads += new_threads
            items += new_items
        if not (text := text + page):
            self._position = None
            raise StopIteration
        self._begun, self._position = True, position
        self.threads_done += threads
        self.items_done += items
        return _SURROGATE.sub("\ufffd", text)

    def _read(self, position: _Position) -> tuple[str, _Position | None, int, int]:
        """Return the text of the next page, the position behind it, and how many threads and items it has."""
        position = position if position.plan else self._planned(position)
        if not position.plan:
            return "", None, 0, 0
        if position.earlier is not None:
            return self._read_earlier(position, position.earlier)
        keys = _first_threads(position)
        rows = list(self._items(keys, position.item)[: PAGE_SIZE + 1])
        if len(rows) > (size := _page_size(rows)):
            del rows[size:]
            last = rows[-1]
            read = keys.index(last.thread_id)
            after = replace(position, plan=position.plan[read:], item=last.pk)
            keys = keys[: read + 1]
        else:
            after = replace(position, plan=position.plan[len(keys) :], item=None)
        finished = keys[:-1] if after.item is not None else keys
        if (edited := self._first_with_earlier(finished)) is not None:
            # What else there is of this thread comes next.
            after = replace(position, plan=position.plan[edited:], item=None, earlier=0)
            keys = keys[: edited + 1]
        # Read after the items: a thread that is still there now had all of them.
        threads = Thread.objects.select_related("user").in_bulk(keys)
        text, begun, written = [], 0, 0
        by_thread, feedback = _grouped(rows)
        for key in keys:
            thread = threads.get(key)
            if thread is None or not self._allowed(thread):
                continue
            if key != keys[0] or position.item is None:
                text.append(self._writer.thread(thread))
                begun += 1
            for row in by_thread[key]:
                text.append(self._written(row, thread, feedback[row.pk]))
                written += 1
        return "".join(text), after, begun, written

    def _first_with_earlier(self, keys: list[int]) -> int | None:
        """Return the place of the first of these threads in which something was edited, or answered again."""
        found = EarlierItem.objects.filter(thread__in=keys).values_list("thread_id", flat=True)
        with_earlier = set(found.distinct())
        return next((place for place, key in enumerate(keys) if key in with_earlier), None)

    def _read_earlier(self, position: _Position, last: int) -> tuple[str, _Position | None, int, int]:
        key, _count = position.plan[0]
        items = EarlierItem.objects.filter(thread=key, pk__gt=last)
        rows = list((items if self._hidden else items.visible()).order_by("pk")[: PAGE_SIZE + 1])
        has_more = len(rows) > (size := _page_size(rows))
        del rows[size:]
        after = (
            replace(position, earlier=rows[-1].pk)
            if has_more
            else replace(position, plan=position.plan[1:], item=None, earlier=None)
        )
        thread = Thread.objects.select_related("user").filter(pk=key).first()
        if thread is None or not self._allowed(thread):
            return "", after, 0, 0
        return "".join(self._written(row, thread, []) for row in rows), after, 0, len(rows)

    def _written(self, row: ThreadItem | EarlierItem, thread: Thread, feedback: list[Feedback]) -> str:
        entry = Entry(
            row=row,
            thread=thread,
            feedback=feedback,
            hidden=self._hidden,
            image_url=_image_url(row) if self._with_images else "",
        )
        return self._writer.item(entry)

    def _planned(self, position: _Position) -> _Position:
        found = self._threads.filter(pk__gt=position.last).values_list("pk", "item_count")[:PLAN_SIZE]
        plan = tuple((int(key), int(count)) for key, count in found)
        return _Position(plan=plan, last=plan[-1][0] if plan else position.last)

    def _items(self, keys: list[int], after: int | None) -> QuerySet[ThreadItem]:
        rows = ThreadItem.objects.all() if self._hidden else ThreadItem.objects.visible()
        if len(keys) > 1:
            return rows.filter(thread__in=keys).order_by("thread_id", "pk")
        # By a subquery, for the same reason as in the store: see there.
        rows = rows.filter(thread_id=Subquery(Thread.objects.filter(pk=keys[0]).values("pk")[:1]))
        return (rows if after is None else rows.filter(pk__gt=after)).order_by("pk")


def _first_threads(position: _Position) -> list[int]:
    """Return the threads of the next page: one that is long alone, of those that are short so many as fill it."""
    keys: list[int] = []
    size = 0
    for key, count in position.plan:
        size += max(1, count)
        if keys and (size > PAGE_SIZE or position.item is not None):
            break
        keys.append(key)
    return keys


def _page_size(rows: Sequence[ThreadItem | EarlierItem]) -> int:
    """Return how many of these items make a page: an image may be as long as all the texts of one."""
    images = [number for number, row in enumerate(rows, 1) if row.type == ThreadItem.Type.GENERATED_IMAGE]
    return min(PAGE_SIZE, images[IMAGES_AT_ONCE - 1]) if len(images) >= IMAGES_AT_ONCE else PAGE_SIZE


def _image_url(row: ThreadItem | EarlierItem) -> str:
    """Return a generated image as a ``data:`` URL, since its own lets in nobody; empty when its file is gone."""
    image_id = kept_image_id(row.payload) if row.type == ThreadItem.Type.GENERATED_IMAGE else None
    if image_id is None or row.redacted_at is not None:
        return ""
    attachment = Attachment.objects.filter(thread=row.thread_id, public_id=image_id).first()
    if attachment is None:
        return ""
    try:
        with open_stored(attachment) as file:
            content = file.read()
    except FileNotFoundError:
        return ""
    return f"data:{attachment.mime_type};base64,{base64.b64encode(content).decode()}"


def _grouped(
    rows: list[ThreadItem],
) -> tuple[defaultdict[int, list[ThreadItem]], defaultdict[int, list[Feedback]]]:
    """Group items by their threads, and the feedback on them by item."""
    items: defaultdict[int, list[ThreadItem]] = defaultdict(list)
    feedback: defaultdict[int, list[Feedback]] = defaultdict(list)
    for row in rows:
        items[row.thread_id].append(row)
    if rows:
        for given in Feedback.objects.filter(item__in=[row.pk for row in rows]).order_by("pk"):
            feedback[given.item_id].append(given)
    return items, feedback
