"""The review queue: one flag after the other, with what is needed to decide about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import Flag, ReviewQueue, ThreadItem
from ..models.querysets import HIDDEN_ITEM_TYPES, FlagQuerySet
from ..staff import audit, flags, scope
from .base import ReadingAdmin, RecordAdmin, may
from .content import LongText, age, ago, item_name, long_text, shorten
from .pages import page_url
from .paginator import MAX_COUNT

BEFORE, AFTER = 4, 3
"""Messages that are shown around the flagged one."""

_SKIPPED = "chatkit_skipped_flags"
_MAX_SKIPPED = 200
_MAX_PK = 2**63 - 1


class ResolutionForm(forms.Form):
    """A form that asks how a flag ends."""

    resolution = forms.ChoiceField(
        label=gettext_lazy("Resolution"),
        choices=[
            (choice.value, choice.label) for choice in (Flag.Resolution.HANDLED, Flag.Resolution.UNFOUNDED)
        ],
        initial=Flag.Resolution.HANDLED,
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"}),
        help_text=gettext_lazy("For other staff. It stays with the flag."),
    )


@dataclass(frozen=True, kw_only=True)
class Message:
    """An item as the review shows it."""

    item: ThreadItem
    name: str
    text: LongText
    is_flagged: bool

    @property
    def is_hidden(self) -> bool:
        """Whether only the model was to read it."""
        return self.item.type in HIDDEN_ITEM_TYPES


def may_review(request: HttpRequest) -> bool:
    """Return whether the user of the request may review flags. Who does has to see their threads."""
    return may(request, "moderate") and request.user.has_perm("chatkit_app.view_thread")


@admin.register(ReviewQueue)
class ReviewAdmin(RecordAdmin):
    """The queue in the place of a list of its rows."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_review(request)

    def get_queryset(self, request: HttpRequest) -> Any:
        # Flags, and not rows of another name, for all who hear of them.
        rows = scope.within(Flag.objects.order_by("-pk"), request.user)
        rows = rows.select_related("thread__user", "item", "claimed_by")
        return rows.defer("thread__metadata", "item__payload", "item__text")

    def get_urls(self) -> list[Any]:
        # No list, and no page of a single row: flags have theirs.
        view = self.admin_site.admin_view(self.changelist_view)
        return [path("", view, name="chatkit_app_reviewqueue_changelist")]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return review_view(self, request)


def review_view(model_admin: ReadingAdmin, request: HttpRequest) -> HttpResponse:
    """Show the flag that one has taken (GET). Take one, resolve it, skip it or leave it (POST)."""
    if not model_admin.has_moderate_permission(request):
        raise PermissionDenied
    if request.method in ("GET", "HEAD"):
        return _page(model_admin, request, ResolutionForm())
    if request.method != "POST":
        return HttpResponseNotAllowed(["GET", "POST"])
    among: Any = scope.within(Flag.objects.all(), request.user)
    match request.POST.get("do"):
        case "take":
            return _take(model_admin, request, among)
        case "resolve":
            return _resolve(model_admin, request, among)
        case "skip":
            return _skip(model_admin, request, among)
        case "leave":
            if (pk := _flag_pk(request)) is not None:
                flags.release(pk, request.user)
            request.session.pop(_SKIPPED, None)
            return HttpResponseRedirect(_url(model_admin, "flag"))
        case _:
            raise SuspiciousOperation("The review queue knows no such button.")


# --- What the buttons do ------------------------------------------------------------------------------------


def _take(model_admin: ReadingAdmin, request: HttpRequest, among: FlagQuerySet) -> HttpResponse:
    if "flag" not in request.POST:
        return _next(model_admin, request, among)
    flag = _posted_flag(request, among)
    held = flags.taken_by(request.user, among=among)
    if not flags.claim(flag.pk, request.user, among=among):
        _tell_too_late(model_admin, request, flag)
    elif held is not None and held.pk != flag.pk:
        # One at a time: what is chosen comes in place of what was given.
        flags.release(held.pk, request.user)
    return HttpResponseRedirect(_url(model_admin, "reviewqueue"))


def _resolve(model_admin: ReadingAdmin, request: HttpRequest, among: FlagQuerySet) -> HttpResponse:
    flag = _posted_flag(request, among)
    form = ResolutionForm(request.POST)
    if not form.is_valid():
        if flags.taken_by(request.user, among=among) == flag:
            return _page(model_admin, request, form)
        _tell_too_late(model_admin, request, flag)
        return _next(model_admin, request, among)
    resolution, note = Flag.Resolution(form.cleaned_data["resolution"]), form.cleaned_data["note"]
    if flags.resolve(flag, actor=request.user, resolution=resolution, note=note):
        model_admin.message_user(request, _("The flag was resolved."), messages.SUCCESS)
    else:
        _tell_too_late(model_admin, request, flag)
        if note:
            model_admin.message_user(
                request, _("Your note was not saved: %(note)s") % {"note": note}, messages.WARNING
            )
    return _next(model_admin, request, among)


def _skip(model_admin: ReadingAdmin, request: HttpRequest, among: FlagQuerySet) -> HttpResponse:
    skipped = _posted_flag(request, among).pk
    flags.release(skipped, request.user)
    others = [pk for pk in request.session.get(_SKIPPED, []) if pk != skipped]
    request.session[_SKIPPED] = [*others, skipped][-_MAX_SKIPPED:]
    return _next(model_admin, request, among, skipped=skipped)


def _next(
    model_admin: ReadingAdmin, request: HttpRequest, among: FlagQuerySet, *, skipped: int | None = None
) -> HttpResponse:
    pk = flags.claim_next(request.user, among=among, skipped=request.session.get(_SKIPPED, []))
    if pk is None and among.open().exists():
        model_admin.message_user(
            request, _("Every open flag is being reviewed by somebody else."), messages.INFO
        )
    elif pk is not None and pk == skipped:
        model_admin.message_user(request, _("There is no other flag to review now."), messages.INFO)
    return HttpResponseRedirect(_url(model_admin, "reviewqueue"))


def _posted_flag(request: HttpRequest, among: FlagQuerySet) -> Flag:
    pk = _flag_pk(request)
    flag = None if pk is None else among.filter(pk=pk).select_related("thread", "item").first()
    if flag is None:
        raise Http404
    return flag


def _flag_pk(request: HttpRequest) -> int | None:
    try:
        pk = int(request.POST.get("flag", ""))
    except ValueError:
        return None
    return pk if 0 <= pk <= _MAX_PK else None


def _tell_too_late(model_admin: ReadingAdmin, request: HttpRequest, flag: Flag) -> None:
    now = Flag.objects.filter(pk=flag.pk).select_related("claimed_by").first()
    if now is None:
        text = _("The flag was deleted with its thread.")
    elif now.resolution == Flag.Resolution.WITHDRAWN:
        text = _("The user has withdrawn the feedback in the meantime; there is nothing left to resolve.")
    elif now.resolved_at is not None:
        text = _("This flag was already resolved by %(name)s; nothing was changed.") % {
            "name": now.resolved_by
        }
    elif now.claimed_by is not None:
        text = _("This flag is now being reviewed by %(name)s; nothing was changed.") % {
            "name": now.claimed_by.get_username()
        }
    else:
        text = _("You are no longer reviewing this flag; nothing was changed.")
    model_admin.message_user(request, text, messages.WARNING)


# --- The page -----------------------------------------------------------------------------------------------


def _page(model_admin: ReadingAdmin, request: HttpRequest, form: ResolutionForm) -> HttpResponse:
    among: Any = model_admin.get_queryset(request)
    flag = flags.taken_by(request.user, among=among)
    context: dict[str, Any] = {
        "title": _("Review queue"),
        "flag": flag,
        "open_count": among.open().order_by()[: MAX_COUNT + 1].count(),
        "back": _url(model_admin, "flag"),
    }
    if flag is not None:
        context |= _flag_context(model_admin, request, flag) | {"form": form, "media": model_admin.media}
    else:
        oldest = among.open().order_by("id").values_list("created_at", flat=True).first()
        context |= {
            "inbox": _url(model_admin, "thread"),
            "oldest": ago(oldest) if oldest is not None else "",
        }
    return TemplateResponse(
        request, "admin/chatkit_app/flag/review.html", model_admin.page_context(request, **context)
    )


def _flag_context(model_admin: ReadingAdmin, request: HttpRequest, flag: Flag) -> dict[str, Any]:
    assert flag.claimed_at is not None
    may_read = model_admin.has_content_permission(request, flag)
    may_read_hidden = model_admin.has_hidden_permission(request, flag)
    around = _around(flag, hidden=may_read_hidden) if may_read else []
    if may_read:
        record_reading(request, flag, page="review", hidden=any(message.is_hidden for message in around))
    return {
        "thread": flag.thread,
        "thread_title": shorten(flag.thread.title) if may_read else "",
        "owner": model_admin.owner_label(flag.thread),
        "transcript_url": page_url(model_admin, flag.thread) + place_of(flag),
        "raised": age(flag.created_at),
        "reason": long_text(flag.reason) if may_read else LongText(head=""),
        "may_read": may_read,
        "may_lock": not flag.thread.is_read_only,
        "may_redact": flag.item is not None
        and flag.item.redacted_at is None
        and model_admin.has_redact_permission(request, flag),
        "messages_around": around,
        "is_out_of_sight": flag.item is not None
        and flag.item.type in HIDDEN_ITEM_TYPES
        and not may_read_hidden,
        "yours_until": flag.claimed_at + flags.REVIEW_TIME,
    }


def record_reading(request: HttpRequest, flag: Flag, *, page: str, **details: Any) -> None:
    """Record in the audit that the user read what a flag is about, on this page."""
    audit.record(
        audit.Action.READ,
        actor=request.user,
        thread=flag.thread,
        item_key="" if flag.item is None else flag.item.public_id,
        page=page,
        flag=flag.pk,
        **details,
    )


def place_of(flag: Flag) -> str:
    """Return what leads to the flagged message, behind the URL of the thread's page."""
    return "" if flag.item_id is None else f"?item={flag.item_id}"


def _around(flag: Flag, *, hidden: bool) -> list[Message]:
    """Return the flagged message and its neighbours; the latest ones where none is flagged."""
    items = ThreadItem.objects.filter(thread=flag.thread_id).exclude(type=ThreadItem.Type.END_OF_TURN)
    items = items.defer("payload") if hidden else items.visible().defer("payload")
    if flag.item_id is None:
        rows = list(items.order_by("-pk")[: BEFORE + 1 + AFTER])[::-1]
    else:
        rows = list(items.filter(pk__lte=flag.item_id).order_by("-pk")[: BEFORE + 1])[::-1]
        rows += items.filter(pk__gt=flag.item_id).order_by("pk")[:AFTER]
    return [
        Message(item=row, name=item_name(row), text=long_text(row.text), is_flagged=row.pk == flag.item_id)
        for row in rows
    ]


def _url(model_admin: ReadingAdmin, model: str) -> str:
    return reverse(f"{model_admin.admin_site.name}:chatkit_app_{model}_changelist")
