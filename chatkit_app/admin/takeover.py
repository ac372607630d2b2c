"""Pages by which a member of the staff answers in place of the assistant: take over, answer, hand back, hand on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..conf import chatkit_settings
from ..errors import ChatKitError
from ..models import Attachment, Thread, ThreadItem
from ..moderation import takeover
from ..takeover.handler import ends_with_question, holder_of
from ..takeover.names import name_for_staff, shown_name, team_name
from .base import ReadingAdmin
from .confirmation import ConfirmedAction
from .content import age, call_of, moment, shorten
from .pages import page_url

MAX_LENGTH = 20_000
"""Characters of an answer."""
PLACE = "#chatkit-desk"
"""Where a thread's page has the buttons and the form."""


class DeskAction(ConfirmedAction):
    """A page of whoever answers, or is about to. Afterwards they are where they can write."""

    permission = "reply"

    def perform(self, threads: Sequence[Thread], form: Any) -> HttpResponseBase | None:
        try:
            return self.act(threads[0], form) or HttpResponseRedirect(
                page_url(self.model_admin, threads[0]) + PLACE
            )
        except Thread.DoesNotExist:  # deleted just now
            raise Http404 from None
        except takeover.NotTaken:
            form.add_error(None, self.not_taken(threads[0]))
            return self.ask(threads, form)

    def act(self, thread: Thread, form: Any) -> HttpResponseBase | None:
        """Do it.

        Raises:
            NotTaken: when the thread is not with this member of the staff.
        """
        raise NotImplementedError

    def require_taken(self, thread: Thread) -> None:
        """Raise ``NotTaken`` for a thread that somebody else answers in."""
        thread.refresh_from_db(fields=["handler"])
        holder = holder_of(thread)
        if holder is not None and holder != self.request.user:
            raise takeover.NotTaken

    def not_taken(self, thread: Thread) -> str:
        """Return that somebody else has the thread, or nobody."""
        holder = holder_of(Thread.objects.get(pk=thread.pk))
        if holder is None:
            return _("You do not have this conversation any more. Take it over to answer.")
        return _("%(name)s has this conversation now.") % {"name": shorten(name_for_staff(holder), 60)}


class TakeForm(forms.Form):
    """A form that knows who had the thread when it was shown."""

    holder = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)


class TakeOver(DeskAction):
    """The page that takes a thread over, or from somebody."""

    title = gettext_lazy("Take over")
    question = gettext_lazy(
        "You answer in place of the assistant. What it is writing now ends, and what there is of it stays."
    )

    def make_form(self, threads: Sequence[Thread], data: Any) -> TakeForm:
        holder = holder_of(threads[0])
        return TakeForm(data, initial={"holder": "" if holder is None else holder.pk})

    def facts(self, threads: Sequence[Thread]) -> list[str]:
        holder, name = holder_of(threads[0]), shown_name(self.request.user)
        facts = [_("The user is shown this name: %(name)s") % {"name": shorten(name or team_name(), 60)}]
        if holder is not None and holder != self.request.user:
            facts.append(taken_by(holder, threads[0].handler_since))
        return facts

    def act(self, thread: Thread, form: Any) -> HttpResponseBase | None:
        holder = holder_of(thread)
        is_meant = holder is not None and str(holder.pk) == form.cleaned_data["holder"]
        try:
            takeover.take_over(thread, actor=self.request.user, take_from=holder if is_meant else None)
        except takeover.AlreadyTaken as error:
            # Who was slower is asked whether they mean it.
            fresh = TakeForm({"holder": error.holder.pk})
            fresh.add_error(None, taken_by(error.holder, error.since))
            return self.ask([Thread.objects.get(pk=thread.pk)], fresh)
        self.tell(_("You answer in this conversation now."))
        return None


def taken_by(holder: Any, since: Any) -> str:
    """Return who has a thread, and since when."""
    facts = {"name": shorten(name_for_staff(holder), 60), "time": moment(since) if since else "–"}
    return _("%(name)s answers here since %(time)s.") % facts


class FilesInput(forms.ClearableFileInput):
    """A field for several files."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Files, as many as a message may have."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        uploads = [super(FilesField, self).clean(upload, initial) for upload in data or []]
        settings = chatkit_settings.attachments
        allowed = 0 if settings is None else settings.max_count
        if len(uploads) > allowed:
            raise ValidationError(_("No more than %(count)d files can be attached.") % {"count": allowed})
        return uploads


class ReplyForm(forms.Form):
    """An answer to the user."""

    text = forms.CharField(
        label=gettext_lazy("Answer"),
        required=False,
        max_length=MAX_LENGTH,
        widget=forms.Textarea(attrs={"rows": 6, "class": "vLargeTextField"}),
        help_text=gettext_lazy("Markdown is shown as such."),
    )
    uploads = FilesField(label=gettext_lazy("Files"), required=False)

    def __init__(self, data: Any = None, uploads: Any = None) -> None:
        super().__init__(data, uploads)
        if chatkit_settings.attachments is None:
            del self.fields["uploads"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not cleaned["text"] and not cleaned.get("uploads"):
            raise ValidationError(_("Write something, or choose a file."))
        return cleaned


class Reply(DeskAction):
    """The page that answers the user of a thread that one has taken over."""

    title = gettext_lazy("Answer")
    question = ""
    button = gettext_lazy("Send")

    def make_form(self, threads: Sequence[Thread], data: Any) -> ReplyForm:
        return ReplyForm(data, None if data is None else self.request.FILES)

    def act(self, thread: Thread, form: Any) -> HttpResponseBase | None:
        # Late, since the SDK takes seconds to load, and Django starts without it.
        from ..takeover import files

        self.require_taken(thread)
        kept: list[Attachment] = []
        try:
            for upload in form.cleaned_data.get("uploads", []):
                kept.append(files.keep(thread, upload))
            takeover.reply(thread, form.cleaned_data["text"], actor=self.request.user, attachments=kept)
        except ChatKitError as error:  # of a file
            _forget(kept)
            form.add_error(None, f"{shorten(upload.name, 60)}: {error.message}")
            return self.ask([thread], form)
        except Exception:
            _forget(kept)
            raise
        return None


def _forget(kept: Sequence[Attachment]) -> None:
    Attachment.objects.filter(pk__in=[attachment.pk for attachment in kept]).delete()


UNANSWERED = gettext_lazy(
    "The user’s last message is not answered yet. The assistant answers it once the user asks for that."
)


class InstructionForm(forms.Form):
    """A form that asks what the assistant is to do from now on."""

    instruction = forms.CharField(
        label=gettext_lazy("Instruction for the assistant"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
        help_text=gettext_lazy("The user does not see it."),
    )


class HandBack(DeskAction):
    """The page that lets the assistant answer again."""

    title = gettext_lazy("Hand back")
    question = gettext_lazy("The assistant answers again, from the user’s next message on.")

    def make_form(self, threads: Sequence[Thread], data: Any) -> InstructionForm:
        return InstructionForm(data)

    def facts(self, threads: Sequence[Thread]) -> list[str]:
        return [str(UNANSWERED)] if ends_with_question(threads[0]) else []

    def act(self, thread: Thread, form: Any) -> None:
        self.require_taken(thread)
        takeover.hand_back(
            thread, actor=self.request.user, instruction=form.cleaned_data["instruction"].strip()
        )
        self.tell(_("The assistant answers in this conversation again."))


class TeamForm(forms.Form):
    """A form that asks what the others should know."""

    reason = forms.CharField(
        label=gettext_lazy("For the team"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
        help_text=gettext_lazy("What the next one should know. The user does not see it."),
    )


class HandOn(DeskAction):
    """The page that leaves a thread to whoever takes it over next."""

    title = gettext_lazy("Hand to the team")
    question = gettext_lazy("The user waits until somebody else takes the conversation over.")

    def make_form(self, threads: Sequence[Thread], data: Any) -> TeamForm:
        return TeamForm(data)

    def act(self, thread: Thread, form: Any) -> None:
        self.require_taken(thread)
        takeover.hand_on(thread, actor=self.request.user, reason=form.cleaned_data["reason"].strip())
        self.tell(_("The conversation waits for somebody of the team now."))


take_view = TakeOver.as_view()
reply_view = Reply.as_view()
hand_back_view = HandBack.as_view()
hand_on_view = HandOn.as_view()


def desk_context(model_admin: ReadingAdmin, request: HttpRequest, thread: Thread) -> dict[str, Any]:
    """Return what a thread's page shows of who answers, and of what this member of the staff may do about it."""
    holder = holder_of(thread)
    is_mine = holder is not None and holder == request.user
    settings = chatkit_settings.attachments
    return {
        "may_reply": model_admin.has_reply_permission(request, thread),
        "handler": {
            "state": thread.handler,
            "label": thread.get_handler_display(),
            "since": thread.handler_since,
            "waited": age(thread.unanswered_since or thread.handler_since or thread.last_activity),
            "call": call_of(thread),
            "name": "" if holder is None else shorten(name_for_staff(holder), 60),
            "is_mine": is_mine,
            "seen_at": _seen_at(thread) if is_mine else None,
            "unanswered": UNANSWERED if is_mine and ends_with_question(thread) else "",
        },
        "seen_as": shorten(shown_name(request.user) or team_name(), 60) if is_mine else "",
        "reply_length": MAX_LENGTH,
        "takes_files": settings is not None,
        "accepted_files": "" if settings is None else ",".join(_accepted(settings.accept)),
    }


def _seen_at(thread: Thread) -> Any:
    """Return when the user had the thread open last, if that was after the last message of a person."""
    items = ThreadItem.objects.visible().filter(thread=thread).exclude(author_name="")
    said = items.order_by("-pk").values_list("created_at", flat=True).first()
    return thread.seen_at if said and thread.seen_at and thread.seen_at >= said else None


def _accepted(accept: Any) -> list[str]:
    return [name for kind, extensions in accept.items() for name in (kind, *extensions)]
