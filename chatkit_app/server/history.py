"""The owner's list of threads, as the bundled client shows it: pinned first, archived apart; and its search."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chatkit.store import NotFoundError
from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from ..errors import InvalidRequest
from ..models import Thread as ThreadRow
from ..models import ThreadItem as ItemRow
from ..storable import is_storable_id, map_json, without_surrogates
from ..store import codec
from . import wire

if TYPE_CHECKING:
    from ..context import RequestContext

PAGE_SIZE = 50
FOUND_SIZE = 20
MAX_PINNED = 50
MAX_WORDS = 100
"""Characters that are searched for; the rest is passed over."""
THREADS_SEARCHED = 2_000
"""So many of the owner's newest threads are searched."""
BEFORE, AFTER = 24, 100
"""Characters of a message around what was found in it."""

_SAID = (ItemRow.Type.USER_MESSAGE, ItemRow.Type.ASSISTANT_MESSAGE, ItemRow.Type.WIDGET)


def load_history(
    context: RequestContext, *, search: str = "", archived: bool = False, after: str | None = None
) -> bytes:
    """Return a page of the owner's threads as JSON, the newest first. Call it in a thread that may query the database.

    Args:
        context: whoever asks; only the owner's threads are seen.
        search: what a title or a message has to say; archived threads are searched as well.
        archived: list the archived threads.
        after: the id of the last thread the page has.

    Returns:
        ``{"data", "has_more", "has_archived"}``: threads as ``threads.list`` has them, with ``pinned`` and ``archived``
        where it is so, and ``excerpt`` for a message that was found. The first page begins with all that are pinned,
        and says whether there are archived ones.
    """
    threads: Any = ThreadRow.objects.owned_by(context)
    search = search.replace("\0", "").strip()[:MAX_WORDS]
    if after is not None and not is_storable_id(after):
        return _page([], has_more=False)
    if search:
        rows, has_more = _found(threads, search).page(after=after, limit=FOUND_SIZE, order="desc")
        return _page(rows, has_more=has_more, search=search)
    if archived:
        rows, has_more = threads.archived().page(after=after, limit=PAGE_SIZE, order="desc")
        return _page(rows, has_more=has_more)
    shown = threads.unarchived()
    rows, has_more = shown.filter(pinned_at__isnull=True).page(after=after, limit=PAGE_SIZE, order="desc")
    if after is not None:
        return _page(rows, has_more=has_more)
    rows = [*shown.filter(pinned_at__isnull=False).order_by("-pinned_at", "-pk")[:MAX_PINNED], *rows]
    return _page(rows, has_more=has_more, has_archived=threads.archived().exists())


def keep_thread(
    thread_id: str, context: RequestContext, *, pinned: bool | None, archived: bool | None
) -> None:
    """Pin or archive a thread of the owner's, or take that back; None leaves it. The thread itself does not change.

    Raises:
        NotFoundError: when there is no such thread, or it is somebody else's.
        InvalidRequest: when too many are pinned.
    """
    owned: Any = ThreadRow.objects.owned_by(context)
    now = timezone.now()
    columns: dict[str, Any] = {}
    if pinned is not None:
        columns["pinned_at"] = now if pinned else None
    if archived is not None:
        columns["archived_at"] = now if archived else None
    if pinned or archived:
        # What is put away is not at the top as well.
        columns["archived_at" if pinned else "pinned_at"] = None
    if pinned and owned.filter(pinned_at__isnull=False).exclude(public_id=thread_id).count() >= MAX_PINNED:
        raise InvalidRequest(_("No more than {} conversations can be pinned.").format(MAX_PINNED))
    threads = owned.filter(public_id=thread_id) if is_storable_id(thread_id) else owned.none()
    if not (threads.update(**columns) if columns else threads.exists()):
        raise NotFoundError(f"Thread {thread_id!r} not found")


def _found(threads: Any, search: str) -> Any:
    said = ItemRow.objects.filter(
        thread_id=OuterRef("pk"), type__in=_SAID, redacted_at__isnull=True, text__icontains=search
    )
    newest = threads.order_by("-pk").values("pk")[:THREADS_SEARCHED]
    # Within a subquery: the bound is on what is looked at, and not on what is found.
    looked_at = ThreadRow.objects.filter(pk__in=Subquery(newest))
    found = looked_at.filter(Q(title__icontains=search) | Exists(said))
    return found.annotate(said=Subquery(said.order_by("-pk").values("text")[:1]))


def _page(rows: list[ThreadRow], *, has_more: bool, search: str = "", has_archived: bool = False) -> bytes:
    data = []
    for row in rows:
        thread = wire.with_utc_offset(codec.decode_thread(row))
        told = codec.json_data(thread, exclude={"metadata"}, by_alias=True, exclude_none=True)
        if row.pinned_at is not None:
            told["pinned"] = True
        if row.archived_at is not None and row.archived_at >= row.last_activity:
            told["archived"] = True
        if said := getattr(row, "said", None):
            told["excerpt"] = _excerpt(said, search)
        data.append(told)
    page = {"data": data, "has_more": has_more, "has_archived": has_archived}
    return json.dumps(map_json(page, without_surrogates), ensure_ascii=False).encode()


def _excerpt(text: str, search: str) -> str:
    """Return what stands around the first place where a text has what was searched for, in one line."""
    place = max(text.lower().find(search.lower()), 0)
    start, end = max(place - BEFORE, 0), place + len(search) + AFTER
    words = text[start:place].split(maxsplit=1)
    # Not with the end of a word, unless there is nothing else.
    before = words[-1] if start and len(words) > 1 else text[start:place]
    excerpt = " ".join((before + text[place:end]).split())
    return f"{'…' if start else ''}{excerpt}{'…' if end < len(text) else ''}"
