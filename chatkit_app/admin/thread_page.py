"""A thread's own page: what was said, and beside it who asked, how it was answered and what staff did."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.db.models import BigIntegerField, Case, F, QuerySet, Value, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import get_language_bidi, gettext_lazy
from django.utils.translation import gettext as _

from ..models import AuditEntry, Flag, Note, Run, Thread
from ..rendering.element import page_config
from ..storable import original_json
from .base import ReadingAdmin
from .content import long_text, pretty_json, raw, shorten, visible
from .live_thread import state_of, thread_fields
from .pages import TITLE_LENGTH, list_url, page_url, thread_heading
from .quiet import is_quiet
from .status import TRANSITIONS
from .takeover import desk_context
from .transcript import FROM_FIRST_ITEM, ItemPage, Transcript, item_key

RUNS_SHOWN = 10
EVENTS_SHOWN = 30

# What the element of a reader has not: nobody writes, rates or leaves here.
READER_OPTIONS = {
    "locale": None,  # the page's own, not the users'
    "header": {"enabled": False},
    "history": {"enabled": False},
    "threadItemActions": {"feedback": False, "retry": False},
}
# Told by the flag and the note themselves, or by nothing that happened to the thread.
_NOT_EVENTS = (
    AuditEntry.Action.READ,
    AuditEntry.Action.SEARCH,
    AuditEntry.Action.REFUSED,
    AuditEntry.Action.NOTE,
    AuditEntry.Action.FLAG,
)


class ThreadPage(ReadingAdmin):
    """The page of one thread."""

    fieldsets = (
        (
            None,
            {
                "fields": (
                    "whole_title",
                    "owner_and_threads",
                    "status_badge",
                    "reason",
                    "feedback_counts",
                    "last_activity",
                    "item_count",
                )
            },
        ),
        (
            gettext_lazy("More"),
            {
                "classes": ("collapse",),
                "fields": ("namespace", "created_at", "image_domains", "metadata_json"),
            },
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Thread | None = None) -> list[Any]:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return fieldsets
        told = {"reason": bool(obj.status_reason), "whole_title": len(obj.title) > TITLE_LENGTH}
        return [
            (name, {**options, "fields": [field for field in options["fields"] if told.get(field, True)]})
            for name, options in fieldsets
        ]

    @admin.display(description=gettext_lazy("title"))
    def whole_title(self, obj: Thread) -> str:
        return format_html("<bdi>{}</bdi>", long_text(obj.title).head) if obj.title else ""

    @admin.display(description=gettext_lazy("owner"))
    def owner_and_threads(self, obj: Thread) -> str:
        query = {"user": obj.user_id} if obj.user_id is not None else {"visitor_id": obj.visitor_id}
        return format_html(
            '{} (<a href="{}?{}">{}</a>)',
            self.owner_label(obj),
            list_url(self),
            urlencode(query),
            _("all threads"),
        )

    @admin.display(description=gettext_lazy("reason"))
    def reason(self, obj: Thread) -> str:
        return visible(obj.status_reason[:4000])

    @admin.display(description=gettext_lazy("feedback"))
    def feedback_counts(self, obj: Thread) -> str:
        return _("%(positive)d positive, %(negative)d negative") % {
            "positive": obj.positive_count,
            "negative": obj.negative_count,
        }

    @admin.display(description=gettext_lazy("allowed image domains"))
    def image_domains(self, obj: Thread) -> str:
        domains = obj.allowed_image_domains
        return ", ".join(visible(str(domain)) for domain in domains) if isinstance(domains, list) else ""

    @admin.display(description=gettext_lazy("metadata"))
    def metadata_json(self, obj: Thread) -> str:
        return format_html('<pre class="chatkit-code">{}</pre>', long_text(raw(obj.metadata)).head)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Thread | None = None,
    ) -> HttpResponse:
        assert obj is not None
        may_read = self.has_content_permission(request, obj)
        may_moderate = self.has_moderate_permission(request, obj)
        may_audit = self.has_audit_permission(request, obj)
        runs = list(Run.objects.filter(thread=obj).order_by("-pk")[: RUNS_SHOWN + 1])
        labels, assignee = _case(obj)
        context |= {
            "title": thread_heading(obj, may_read=may_read),
            "subtitle": None,
            "may_read": may_read,
            "may_view_runs": request.user.has_perm("chatkit_app.view_run"),
            "may_moderate": may_moderate,
            "may_export": self.has_export_permission(request, obj),
            "may_erase": self.has_erase_permission(request, obj),
            "has_owner": bool(obj.owner),
            "transitions": [
                (name, transition)
                for name, transition in TRANSITIONS.items()
                if may_moderate and transition.status != obj.status
            ],
            "running": next((run for run in runs if run.status == Run.Status.RUNNING), None),
            "runs": [
                {
                    "row": run,
                    "model": shorten(run.model, 80),
                    "error": shorten(run.error, 500) if may_read else "",
                }
                for run in runs[:RUNS_SHOWN]
            ],
            "has_more_runs": len(runs) > RUNS_SHOWN,
            "session_context": list(_session_context(runs)) if may_read else [],
            **desk_context(self, request, obj),
            "labels": labels,
            "assignee": assignee,
            "events": _events(obj, may_read=may_read, may_moderate=may_moderate, may_audit=may_audit),
            **(_transcript_context(self, request, obj, runs) if may_read and not is_quiet(request) else {}),
        }
        if is_quiet(request):
            # What was to be said on the next page is not said to a script.
            context["messages"] = ()
        return super().render_change_form(request, context, add, change, form_url, obj)


def _transcript_context(
    model_admin: ReadingAdmin, request: HttpRequest, thread: Thread, runs: list[Run]
) -> dict[str, Any]:
    transcript = Transcript(model_admin, request, thread)
    wanted = request.GET.get("item", "")
    pk = item_key(wanted)
    page: ItemPage | None = None
    if pk is not None or wanted == FROM_FIRST_ITEM:
        page = transcript.starting_at(pk)
    if wanted and page is None:
        model_admin.message_user(
            request, _("There is no such message in this thread. These are the latest."), messages.WARNING
        )
    starts_somewhere = page is not None
    page = page or transcript.latest()
    has_earlier = (pk is not None and transcript.has_before(pk)) if starts_somewhere else page.has_more
    items = page.newest_first()
    config = page_config(
        request,
        url=page_url(model_admin, thread, "transcript"),
        thread=thread.public_id,
        options={**READER_OPTIONS, "frameTitle": _("Transcript")},
    )
    return {
        "transcript": {
            "config": config,
            "thread": thread_fields(thread),
            "live": _live_config(model_admin, thread, runs, user=request.user),
            "isLatest": not (starts_somewhere and page.has_more),
            "page": {"data": items, "has_more": has_earlier},
            "linked": f"item-{pk}" if starts_somewhere and pk is not None and items else None,
        },
        "plain_items": page.as_read(),
        "direction": "rtl" if get_language_bidi() else "ltr",
        "is_empty": not items,
        "shows_hidden": transcript.shows_hidden,
        "has_earlier": has_earlier,
        "later": items[0]["staff"]["pk"] if starts_somewhere and page.has_more else None,
    }


def _live_config(model_admin: ReadingAdmin, thread: Thread, runs: list[Run], *, user: Any) -> dict[str, Any]:
    """Return what the page needs to hear of changes, and to tell them."""
    run = {"pk": runs[0].pk, "status": runs[0].status} if runs else None
    return {
        "pk": thread.pk,
        # Nobody finds what another one wrote who was logged in before.
        "draftKey": f"chatkit-draft-{thread.pk}-{user.pk}",
        "version": thread.version,
        "state": state_of(thread, run),
        "changesUrl": page_url(model_admin, thread, "changes"),
        # The key of a run stands where the first one's would.
        "runEventsUrl": page_url(model_admin, thread, "run_events", 0),
        "earlierUrl": page_url(model_admin, thread, "earlier"),
        "cannedUrl": page_url(model_admin, thread, "canned"),
        "strings": {
            "canned": _("Canned replies"),
            "cannedFound": _("Canned replies: {count}"),
            "alsoHere": _("Also here: {names}"),
            "preview": _("Preview"),
            "offline": _("This could not be sent. What you wrote is still here; try again."),
            "refused": _("The site has refused this. Reload the page and try again."),
            "typing": _("{name} is typing…"),
            "userTyping": _("The user is typing…"),
        },
    }


def _case(thread: Thread) -> tuple[list[dict[str, str]], str]:
    """Return the thread's labels and the name of who looks after it, in one query."""
    name = f"assignment__assignee__{get_user_model().USERNAME_FIELD}"
    rows = Thread.objects.filter(pk=thread.pk).order_by("labels__name")
    found = list(rows.values_list("labels__name", "labels__color", name))
    labels = [{"name": label, "color": color} for label, color, _assignee in found if label is not None]
    return labels, next((shorten(str(assignee), 60) for *_label, assignee in found if assignee), "")


def _session_context(runs: list[Run]) -> Iterable[tuple[str, str]]:
    """Yield what is known of who asked last, by its name."""
    context = next((run.context for run in runs if isinstance(run.context, dict) and run.context), {})
    for name, value in original_json(context).items():
        entries = value.items() if isinstance(value, dict) else [(name, value)]
        for key, entry in entries:
            text = entry if isinstance(entry, str) else pretty_json(entry)
            yield shorten(str(key), 60), shorten(text, 300)


def _events(thread: Thread, *, may_read: bool, may_moderate: bool, may_audit: bool) -> list[dict[str, Any]]:
    """Return the newest notes, flags and acts of staff, in one query: those that this reader may know of."""
    no_item = Value(0, output_field=BigIntegerField())
    flags = Flag.objects.filter(thread=thread).order_by()
    state = Case(When(resolved_at__isnull=True, then=Value("open")), default=F("resolution"))
    # Each row: what it is, when, whose, more of what it is, text, and the item that it concerns.
    parts: list[QuerySet[Any, Any]] = [
        flags.values_list(
            Value("flag"),
            "created_at",
            "raised_by",
            state,
            "reason" if may_read else Value(""),
            Coalesce("item_id", no_item),
        )
    ]
    if may_read and may_moderate:
        notes = Note.objects.filter(thread=thread).order_by()
        parts.append(
            notes.values_list(Value("note"), "created_at", "author_name", Value(""), "text", no_item)
        )
    if may_audit:
        deeds = AuditEntry.objects.filter(thread_key=thread.public_id).exclude(action__in=_NOT_EVENTS)
        parts.append(
            deeds.order_by().values_list(
                Value("deed"), "created_at", "actor_name", "action", "reason", no_item
            )
        )
    first, *others = parts
    joined = first.union(*others, all=True) if others else first
    rows = joined.order_by("-created_at")[:EVENTS_SHOWN]
    return [_event(*row) for row in rows]


def _event(kind: str, at: Any, who: str, state: str, text: str, item: int) -> dict[str, Any]:
    if kind == "deed":
        label = str(AuditEntry.Action(state).label)
    elif kind == "flag":
        label = _("Flag (open)") if state == "open" else _("Flag (resolved)")
    else:
        label = _("Note")
    return {
        "kind": kind,
        "label": label,
        "at": at,
        "who": shorten(who, 60),
        "text": long_text(text).head,
        "item": item or None,
    }
