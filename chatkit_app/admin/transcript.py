"""A thread's items for staff: what the read-only element shows, and what staff know of each beside it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.urls import NoReverseMatch, reverse
from django.utils.formats import date_format
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext as _

from ..models import Attachment, EarlierItem, Feedback, RemovedItem, Thread, ThreadItem
from ..models.querysets import HIDDEN_ITEM_TYPES
from ..rendering.element import endpoint_urls
from ..staff import audit
from ..storable import is_storable_id, original_json
from .base import ReadingAdmin
from .content import item_name, long_text, raw, shorten, visible
from .pages import page_url

PAGE_SIZE = 50
PAGE_LENGTH = 1_000_000
"""Characters of JSON after which a page ends, however few items it has."""
FROM_FIRST_ITEM = "first"
"""In place of an item's key: the first one."""

UNSEEN_TYPES = (*HIDDEN_ITEM_TYPES, ThreadItem.Type.CLIENT_TOOL_CALL)
"""What no user sees. Who lacks the permission for hidden context sees no more of it than that a tool was called."""
_UNREADABLE = "unreadable"
_MAX_PK = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class ItemPage:
    """Some items as the element takes them, each with what staff know of it as ``staff``.

    Attributes:
        items: in the order in which they were read.
        has_more: whether there are more in that direction.
        texts: of each what there is to read, or the beginning of that, for those who read it without the element.
    """

    items: list[dict[str, Any]]
    has_more: bool
    texts: list[str]

    def newest_first(self) -> list[dict[str, Any]]:
        return sorted(self.items, key=_place, reverse=True)

    def as_read(self) -> list[dict[str, Any]]:
        """Return what staff know of each item, with its text, the oldest first."""
        rows = [item["staff"] | {"text": text} for item, text in zip(self.items, self.texts, strict=True)]
        return sorted(rows, key=lambda row: int(row["pk"]))


def _place(item: dict[str, Any]) -> int:
    return int(item["staff"]["pk"])


class Transcript:
    """The items of a thread, as one staff member may read them. Each page that is read goes into the audit."""

    def __init__(self, model_admin: ReadingAdmin, request: HttpRequest, thread: Thread) -> None:
        self._admin = model_admin
        self._request = request
        self._thread = thread
        self.shows_hidden = model_admin.has_hidden_permission(request, thread)
        self._may_redact = model_admin.has_redact_permission(request, thread)
        self._may_flag = model_admin.has_moderate_permission(request, thread)
        self._endpoint_url = endpoint_url(request)
        self._places: dict[str, int] = {}

    def latest(self) -> ItemPage:
        """Return the newest items, the newest first."""
        return self._page(*self._items().page(after=None, limit=PAGE_SIZE, order="desc"))

    def before(self, public_id: str) -> ItemPage:
        """Return the items before one, the newest first."""
        return self._page(*self._items().page(after=public_id, limit=PAGE_SIZE, order="desc"))

    def changed_after(self, version: int) -> tuple[list[dict[str, Any]], list[str]] | None:
        """Return the items that came or changed after a version of the thread, and the ids of those that are gone.

        None where they are too many: the transcript is to be read anew. Who asks has read its version before.
        """
        if self._thread.version <= version:
            return [], []
        changed = self._items().using(self._thread._state.db).filter(version__gt=version)
        rows = sorted(changed.order_by("version")[: PAGE_SIZE + 1], key=lambda row: int(row.pk))
        gone = RemovedItem.objects.using(self._thread._state.db).filter(
            thread=self._thread, version__gt=version
        )
        removed = list(gone.order_by("version").values_list("public_id", flat=True)[: PAGE_SIZE + 1])
        if len(rows) > PAGE_SIZE or len(removed) > PAGE_SIZE:
            return None
        page = self._page(rows, has_more=False)
        here = {row.public_id for row in rows}
        return None if page.has_more else (page.items, [key for key in removed if key not in here])

    def starting_at(self, pk: int | None) -> ItemPage | None:
        """Return an item and those behind it; all from the first one for None. None when there is no such item."""
        items = self._items() if pk is None else self._items().filter(pk__gte=pk)
        rows, has_more = items.page(after=None, limit=PAGE_SIZE, order="asc")
        if pk is not None and (not rows or rows[0].pk != pk):
            return None
        return self._page(rows, has_more)

    def has_before(self, pk: int) -> bool:
        """Return whether there are items before one."""
        return bool(self._items().filter(pk__lt=pk).order_by().exists())

    def of_earlier(self, place: str, of: str, number: int, after: str | None) -> ItemPage | None:
        """Return a page of an earlier version of a message, or of its answer. None when there is no such version."""
        version = EarlierItem.objects.filter(thread=self._thread).version(place, of, number)
        items: Any = version if self.shows_hidden else version.visible()
        rows, has_more = items.page(after=after, limit=PAGE_SIZE, order="asc")
        return self._page(rows, has_more) if rows else None

    def _items(self) -> Any:
        items = ThreadItem.objects.filter(thread=self._thread)
        if not self.shows_hidden:
            items = items.visible()
        return items.defer("text").annotate(
            positive=_number_of_feedback(Feedback.Kind.POSITIVE),
            negative=_number_of_feedback(Feedback.Kind.NEGATIVE),
        )

    def _page(self, rows: Sequence[ThreadItem | EarlierItem], has_more: bool) -> ItemPage:
        items: list[dict[str, Any]] = []
        texts: list[str] = []
        length = 0
        for row in rows:
            wire, text = self._wire(row)
            length += len(wire)
            if items and length > PAGE_LENGTH:
                has_more = True
                break
            item = json.loads(wire)
            if row.type in UNSEEN_TYPES and not self.shows_hidden:
                for name in ("arguments", "output", "payload"):
                    item.pop(name, None)
            facts = self._facts(row)
            texts.append(long_text(text).head)
            if item["type"] == _UNREADABLE:
                facts["remarks"].append(_("It is stored in a form that cannot be shown as the user saw it."))
            items.append({**item, "staff": facts})
        self._link_files(items)
        if any(row.author_id is None or row.author_id != self._request.user.pk for row in rows[: len(items)]):
            audit.record(
                audit.Action.READ,
                actor=self._request.user,
                thread=self._thread,
                first=min(items, key=_place)["id"],
                last=max(items, key=_place)["id"],
                count=len(items),
                hidden=any(row.type in UNSEEN_TYPES for row in rows[: len(items)]) and self.shows_hidden,
            )
        return ItemPage(items=items, has_more=has_more, texts=texts)

    def _link_files(self, items: Sequence[dict[str, Any]]) -> None:
        """Add to what staff know of these items the ways to their files, if they may open them."""
        sent = [(item, file) for item in items for file in item.get("attachments") or ()]
        if not sent or not self._request.user.has_perm("chatkit_app.view_attachment"):
            return
        files = Attachment.objects.filter(
            thread=self._thread, public_id__in=[file["id"] for _item, file in sent]
        )
        pks = dict(files.values_list("public_id", "pk"))
        for item, file in sent:
            if file["id"] in pks and (url := self._file_url(pks[file["id"]])):
                item["staff"]["links"].append({"text": shorten(file["name"]) or file["id"], "url": url})

    def _file_url(self, pk: int) -> str:
        try:
            return reverse(f"{self._admin.admin_site.name}:chatkit_app_attachment_file", args=[pk])
        except NoReverseMatch:  # a site that shows no attachments in its admin
            return ""

    def _wire(self, row: ThreadItem | EarlierItem) -> tuple[str, str]:
        """Return the item as the public endpoint would send it, and what there is to read of it.

        What cannot be decoded has a type that nobody knows.
        """
        # Late, since the SDK takes seconds to load, and Django starts without it.
        from ..server import wire
        from ..store import codec
        from ..store.attachments import signed_again
        from ..store.readable import item_text

        try:
            item = codec.decode_item(row, thread_id=self._thread.public_id)
            return wire.to_wire(signed_again(item, self._endpoint_url)).decode(), item_text(item)
        except Exception:  # whatever a broken row holds, the others are to be read
            broken = {"id": row.public_id, "type": _UNREADABLE, "created_at": row.created_at.isoformat()}
            try:
                return json.dumps(broken | {"payload": original_json(row.payload)}, allow_nan=False), ""
            except (RecursionError, ValueError):
                return json.dumps(broken), ""

    # What staff know

    def _facts(self, row: ThreadItem | EarlierItem) -> dict[str, Any]:
        moment = _local(row.created_at)
        return {
            "pk": row.pk,
            "label": item_name(row),
            "time": date_format(moment, "SHORT_DATETIME_FORMAT"),
            "datetime": moment.isoformat(),
            "url": f"{page_url(self._admin, self._thread)}?item={self._shown_at(row)}",
            "badges": self._badges(row),
            "remarks": [*_choices(row), *_tombstone(row)],
            "links": [{"text": text, "url": url} for text, url in self._links(row) if url],
        }

    def _shown_at(self, row: ThreadItem | EarlierItem) -> int:
        if isinstance(row, ThreadItem):
            return row.pk
        # The same for all of a version.
        if row.place not in self._places:
            self._places[row.place] = shown_at(row)
        return self._places[row.place]

    def _badges(self, row: Any) -> list[dict[str, str]]:
        badges = [("hidden", _("hidden from the user"))] if row.type in UNSEEN_TYPES else []
        if isinstance(row, EarlierItem):
            badges.append(("earlier", _("earlier version")))
        for kind in Feedback.Kind:
            # What was thought of an earlier answer went with it.
            count = getattr(row, kind.value, 0)
            if count:
                badges.append((kind.value, f"{kind.label} × {count}" if count > 1 else str(kind.label)))
        return [{"kind": kind, "text": text} for kind, text in badges]

    def _links(self, row: ThreadItem | EarlierItem) -> Iterable[tuple[str, str]]:
        if self._may_redact and row.redacted_at is None and row.type != ThreadItem.Type.END_OF_TURN:
            yield _("Redact"), self._url("redact", row.pk)
        if self._may_flag and isinstance(row, ThreadItem):
            url = self._url("flag")
            yield _("Flag"), url and f"{url}?item={row.pk}"
        if self.shows_hidden or row.type not in UNSEEN_TYPES:
            yield _("Raw data"), self._url("item", row.pk)

    def _url(self, page: str, *args: Any) -> str:
        try:
            return page_url(self._admin, self._thread, page, *args)
        except NoReverseMatch:
            return ""


def _number_of_feedback(kind: str) -> Any:
    feedback = Feedback.objects.filter(item=OuterRef("pk"), kind=kind).order_by().values("item")
    return Coalesce(Subquery(feedback.annotate(number=Count("pk")).values("number")), 0)


def _choices(row: ThreadItem | EarlierItem) -> Iterable[str]:
    """Yield what the user had chosen for a message, which the element does not show."""
    payload = row.payload if row.type == ThreadItem.Type.USER_MESSAGE else None
    options = payload.get("inference_options") if isinstance(payload, Mapping) else None
    if not isinstance(options, Mapping):
        return
    if options.get("model"):
        yield _("Chosen model: %(name)s") % {"name": shorten(str(options["model"]))}
    tool = options.get("tool_choice")
    if isinstance(tool, Mapping) and tool.get("id"):
        yield _("Chosen tool: %(name)s") % {"name": shorten(str(tool["id"]))}


def _tombstone(row: ThreadItem | EarlierItem) -> Iterable[str]:
    if row.redacted_at is None:
        return
    facts = {
        "name": shorten(row.redacted_by) or "–",
        "when": date_format(_local(row.redacted_at), "SHORT_DATETIME_FORMAT"),
        "reason": shorten(row.redaction_reason, 500) or "–",
    }
    yield _("Redacted by %(name)s, %(when)s: %(reason)s") % facts


def _local(moment: Any) -> Any:
    return localtime(moment) if is_aware(moment) else moment


def endpoint_url(request: HttpRequest) -> str:
    """Return the whole address beside which attachments are; empty where no endpoint is mounted."""
    try:
        return request.build_absolute_uri(endpoint_urls(request)[0].rstrip("/"))
    except ImproperlyConfigured:
        return ""


def find_item(thread: Thread, pk: int) -> ThreadItem | EarlierItem | None:
    """Return an item of a thread, or of an earlier version of what was said in it: they share their keys."""
    if pk > _MAX_PK:
        return None
    shown = ThreadItem.objects.filter(thread=thread, pk=pk).first()
    return shown or EarlierItem.objects.filter(thread=thread, pk=pk).first()


def shown_at(item: ThreadItem | EarlierItem) -> int:
    """Return the key of the item at which this one is to be seen; its own, unless it is an earlier version."""
    inner: set[int] = set()
    while isinstance(item, EarlierItem) and item.pk not in inner:
        inner.add(item.pk)
        place = {"thread": item.thread_id, "public_id": item.place}
        # That message may be part of an earlier version itself.
        outer = ThreadItem.objects.filter(**place).first() or EarlierItem.objects.filter(**place).first()
        item = outer or item
    return item.pk


def item_key(text: str) -> int | None:
    """Return a primary key from the query string; None when it is nonsense."""
    try:
        value = int(text)
    except ValueError:
        return None
    return value if 0 <= value <= _MAX_PK else None


# --- Pages --------------------------------------------------------------------------------------------------


def transcript_view(model_admin: ReadingAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Return the newest items, or those before one (POST only): ``items.list``, and nothing else of the protocol."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    thread = model_admin.find(request, object_id, "content")
    asked = _asked_after(request)
    if asked is None:
        return JsonResponse({"message": _("This page only gives the items before another one.")}, status=400)
    transcript = Transcript(model_admin, request, thread)
    page = transcript.before(asked) if asked else transcript.latest()
    return JsonResponse({"data": page.items, "has_more": page.has_more})


def _asked_after(request: HttpRequest) -> str | None:
    """Return the id of the item before which the page ends; empty for the newest page, None for anything else."""
    try:
        body = json.loads(request.body)
        after = body["params"].get("after", "") if body["type"] == "items.list" else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return after if isinstance(after, str) and (not after or is_storable_id(after)) else None


def earlier_view(model_admin: ReadingAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Return a page of an earlier version (GET only): ``?item=<id>&of=answer&number=1``, and ``&after=<id>``."""
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET"])
    thread = model_admin.find(request, object_id, "content")
    asked = request.GET
    place, after = asked.get("item", ""), asked.get("after")
    page = None
    if is_storable_id(place) and is_storable_id(after or place):
        number = item_key(asked.get("number", "")) or 0
        page = Transcript(model_admin, request, thread).of_earlier(place, asked.get("of", ""), number, after)
    if page is None:
        raise Http404
    return JsonResponse({"data": page.items, "has_more": page.has_more})


def item_view(model_admin: ReadingAdmin, request: HttpRequest, object_id: str, item_pk: int) -> HttpResponse:
    """Return one item whole, however long, as plain text that no browser takes for anything else."""
    thread = model_admin.find(request, object_id, "content")
    item = find_item(thread, item_pk)
    if item is None:
        raise Http404
    if item.type in UNSEEN_TYPES and not model_admin.has_hidden_permission(request, thread):
        raise PermissionDenied
    audit.record(
        audit.Action.READ,
        actor=request.user,
        thread=thread,
        item_key=item.public_id,
        count=1,
        hidden=item.type in UNSEEN_TYPES,
    )
    parts = [visible(item.text)] if item.text else []
    parts += [visible(raw(item.payload))]
    response = HttpResponse("\n\n".join(parts), content_type="text/plain; charset=utf-8")
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
