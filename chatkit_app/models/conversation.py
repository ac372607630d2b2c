"""A conversation as rows.

``id`` is the order in which rows came; ``public_id`` is the id that the SDK and the browser know.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .querysets import AttachmentQuerySet, FeedbackQuerySet, RunQuerySet, ThreadItemQuerySet, ThreadQuerySet

PREVIEW_LENGTH = 200
PRESENT_FOR = timedelta(seconds=90)
"""How long after a sign of life a user is taken to be there."""


class OwnedModel(models.Model):
    """A row of a user, or of a visitor who has not logged in."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
    )
    visitor_id = models.CharField(_("visitor"), max_length=64, blank=True, default="")
    namespace = models.CharField(_("namespace"), max_length=100, blank=True, default="")

    class Meta:
        abstract = True

    @property
    def owner(self) -> str:
        """The owner by id alone: ``user:7``, ``visitor:…`` or an empty string. Follows no foreign key."""
        if self.user_id is not None:
            return f"user:{self.user_id}"
        return f"visitor:{self.visitor_id}" if self.visitor_id else ""


class Thread(OwnedModel):
    """One conversation."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("active")
        LOCKED = "locked", _("locked")
        CLOSED = "closed", _("closed")

    class Handler(models.TextChoices):
        ASSISTANT = "assistant", _("assistant")
        WAITING = "waiting", _("waiting for a person")
        STAFF = "staff", _("staff")

    public_id = models.CharField(_("id"), max_length=255, unique=True)
    title = models.TextField(_("title"), blank=True, default="")
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.ACTIVE)
    status_reason = models.TextField(
        _("reason"), blank=True, default="", help_text=_("Shown to the user when the thread is not active.")
    )
    handler = models.CharField(
        _("answered by"), max_length=10, choices=Handler.choices, default=Handler.ASSISTANT
    )
    # Who of the staff has it is the thread's Assignment.
    handler_since = models.DateTimeField(_("answered so since"), null=True, blank=True)
    handler_reason = models.TextField(
        _("why a person is wanted"), blank=True, default="", help_text=_("For staff.")
    )
    unanswered_since = models.DateTimeField(
        _("unanswered since"),
        null=True,
        blank=True,
        help_text=_("When the user began to wait for the next word of a person."),
    )
    seen_at = models.DateTimeField(
        _("seen"), null=True, blank=True, help_text=_("When the user last had the thread open.")
    )
    # The version that they have seen of it.
    seen_version = models.BigIntegerField(default=0, editable=False)
    # When mails told of an answer, and of a user who waits.
    user_mailed_at = models.DateTimeField(null=True, blank=True, editable=False)
    staff_mailed_at = models.DateTimeField(null=True, blank=True, editable=False)
    # The owner's own order: what the bundled client keeps at the top of its list, and out of it.
    pinned_at = models.DateTimeField(null=True, editable=False)
    archived_at = models.DateTimeField(null=True, editable=False)
    allowed_image_domains = models.JSONField(_("allowed image domains"), null=True, blank=True)
    metadata = models.JSONField(_("metadata"), default=dict, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    last_activity = models.DateTimeField(_("last activity"), default=timezone.now)
    item_count = models.PositiveIntegerField(_("items"), default=0)
    last_preview = models.CharField(_("last message"), max_length=PREVIEW_LENGTH, blank=True, default="")
    # Grows with everything that an open page shows of the thread, see versions.py.
    version = models.BigIntegerField(default=0, editable=False)
    # Told by other rows, and kept here so that a list of threads need not count them.
    positive_count = models.PositiveIntegerField(_("positive feedback"), default=0)
    negative_count = models.PositiveIntegerField(_("negative feedback"), default=0)
    open_flags = models.PositiveIntegerField(_("open flags"), default=0)
    labels: models.ManyToManyField[Any, Any] = models.ManyToManyField(
        "Label", verbose_name=_("labels"), blank=True, related_name="threads"
    )

    # What several are called, and counted as.
    PLURAL = _("threads")

    objects = ThreadQuerySet.as_manager()

    class Meta:
        verbose_name = _("thread")
        # What their list is called, in all that leads to it.
        verbose_name_plural = _("Inbox")
        indexes = [
            models.Index(fields=["user", "namespace", "id"], name="chatkit_thread_user"),
            models.Index(fields=["visitor_id", "namespace", "id"], name="chatkit_thread_visitor"),
            models.Index(fields=["-last_activity", "-id"], name="chatkit_thread_activity"),
            models.Index(fields=["status", "-last_activity", "-id"], name="chatkit_thread_status"),
            models.Index(fields=["namespace", "-last_activity", "-id"], name="chatkit_thread_namespace"),
            models.Index(fields=["created_at"], name="chatkit_thread_created"),
            models.Index(
                fields=["-last_activity", "-id"],
                condition=Q(positive_count__gt=0),
                name="chatkit_thread_positive",
            ),
            models.Index(
                fields=["-last_activity", "-id"],
                condition=Q(negative_count__gt=0),
                name="chatkit_thread_negative",
            ),
            models.Index(
                fields=["-last_activity", "-id"], condition=Q(open_flags__gt=0), name="chatkit_thread_flagged"
            ),
            # Few are with a person at a time, of however many there are.
            models.Index(
                fields=["handler", "handler_since"],
                condition=Q(handler__in=["waiting", "staff"]),
                name="chatkit_thread_handler",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=True) | Q(visitor_id=""), name="chatkit_thread_one_owner"
            ),
        ]
        permissions = [
            ("view_content", _("Can read what threads say")),
            ("view_hidden_context", _("Can read what only the model was told")),
            ("moderate_thread", _("Can lock, close and reopen threads, stop answers and work on flags")),
            ("reply_thread", _("Can take over threads and answer in them")),
            ("redact_item", _("Can redact messages")),
            ("export_thread", _("Can export threads")),
            ("erase_owner", _("Can erase all data of a person")),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def is_read_only(self) -> bool:
        """Whether users may no longer add to the thread (it is locked or closed)."""
        return self.status != self.Status.ACTIVE

    @property
    def is_with_staff(self) -> bool:
        """Whether a person answers in the thread, or is waited for: what users write is kept, and no model answers."""
        return self.handler != self.Handler.ASSISTANT

    @property
    def user_is_present(self) -> bool:
        """Whether the user has had the thread open a moment ago."""
        return self.seen_at is not None and timezone.now() - self.seen_at < PRESENT_FOR


class ThreadItem(models.Model):
    """One entry of a thread: a message, a widget, a tool call, …"""

    class Type(models.TextChoices):
        USER_MESSAGE = "user_message", _("user message")
        ASSISTANT_MESSAGE = "assistant_message", _("assistant message")
        CLIENT_TOOL_CALL = "client_tool_call", _("client tool call")
        WIDGET = "widget", _("widget")
        GENERATED_IMAGE = "generated_image", _("generated image")
        STRUCTURED_INPUT = "structured_input", _("structured input")
        WORKFLOW = "workflow", _("workflow")
        TASK = "task", _("task")
        HIDDEN_CONTEXT_ITEM = "hidden_context_item", _("hidden context")
        SDK_HIDDEN_CONTEXT = "sdk_hidden_context", _("hidden context of the SDK")
        END_OF_TURN = "end_of_turn", _("end of turn")

    id = models.BigAutoField(primary_key=True)
    thread = models.ForeignKey(
        Thread, verbose_name=_("thread"), on_delete=models.CASCADE, related_name="items", db_index=False
    )
    run = models.ForeignKey(
        "Run", verbose_name=_("run"), null=True, blank=True, on_delete=models.SET_NULL, related_name="items"
    )
    public_id = models.CharField(_("id"), max_length=255)
    type = models.CharField(_("type"), max_length=40, choices=Type.choices)
    payload = models.JSONField(_("payload"), default=dict)
    text = models.TextField(
        _("text"),
        blank=True,
        default="",
        help_text=_("The readable text of the item, which the search uses."),
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        help_text=_("The staff member who wrote it."),
    )
    author_name = models.CharField(
        _("name of the author"),
        max_length=150,
        blank=True,
        default="",
        help_text=_("As the user is shown it. Empty for what no person of the staff wrote."),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now)
    redacted_at = models.DateTimeField(_("redacted"), null=True, blank=True)
    redacted_by = models.CharField(_("redacted by"), max_length=150, blank=True, default="")
    redaction_reason = models.TextField(_("reason of the redaction"), blank=True, default="")
    # The thread's when the item was written last.
    version = models.BigIntegerField(default=0, editable=False)
    # Of a user's message: how many stood in its place before, and how many other answers it had.
    earlier_messages = models.PositiveIntegerField(default=0, editable=False)
    earlier_answers = models.PositiveIntegerField(default=0, editable=False)

    objects = ThreadItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("item")
        verbose_name_plural = _("items")
        indexes = [
            models.Index(fields=["thread", "id"], name="chatkit_item_order"),
            models.Index(fields=["thread", "version"], name="chatkit_item_version"),
            models.Index(fields=["created_at"], name="chatkit_item_created"),
            models.Index(fields=["author"], condition=Q(author__isnull=False), name="chatkit_item_author"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["thread", "public_id"], name="chatkit_item_id_per_thread")
        ]

    def __str__(self) -> str:
        return self.public_id


class RemovedItem(models.Model):
    """A trace of an item that was removed, so that pages which show it hear of it."""

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="removed_items", db_index=False)
    public_id = models.CharField(max_length=255)
    version = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["thread", "version"], name="chatkit_removed_version")]

    def __str__(self) -> str:
        return self.public_id


class Attachment(OwnedModel):
    """A file of a user's message: what is known of it. Its bytes are in a storage, under the name in ``file``."""

    class Type(models.TextChoices):
        FILE = "file", _("file")
        IMAGE = "image", _("image")

    public_id = models.CharField(_("id"), max_length=255, unique=True)
    thread = models.ForeignKey(
        Thread,
        verbose_name=_("thread"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="attachments",
    )
    type = models.CharField(_("type"), max_length=10, choices=Type.choices)
    name = models.TextField(_("name"))
    mime_type = models.CharField(_("MIME type"), max_length=255)
    file = models.CharField(
        _("stored as"), max_length=255, blank=True, default="", help_text=_("Empty until it is uploaded.")
    )
    size = models.PositiveBigIntegerField(_("size in bytes"), null=True, blank=True)
    payload = models.JSONField(_("payload"), default=dict, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        indexes = [
            models.Index(fields=["user", "namespace"], name="chatkit_attachment_user"),
            models.Index(fields=["visitor_id", "namespace"], name="chatkit_attachment_visitor"),
            models.Index(fields=["created_at"], name="chatkit_attachment_created"),
        ]

    def __str__(self) -> str:
        return self.public_id


class Feedback(OwnedModel):
    """A user's feedback on one item."""

    class Kind(models.TextChoices):
        POSITIVE = "positive", _("positive")
        NEGATIVE = "negative", _("negative")

    item = models.ForeignKey(
        ThreadItem, verbose_name=_("item"), on_delete=models.CASCADE, related_name="feedback"
    )
    kind = models.CharField(_("feedback"), max_length=10, choices=Kind.choices)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now)

    objects = FeedbackQuerySet.as_manager()

    class Meta:
        verbose_name = _("feedback")
        verbose_name_plural = _("feedback")
        constraints = [
            models.UniqueConstraint(
                fields=["item", "user"], condition=Q(user__isnull=False), name="chatkit_feedback_per_user"
            ),
            models.UniqueConstraint(
                fields=["item", "visitor_id"],
                condition=Q(user__isnull=True),
                name="chatkit_feedback_per_visitor",
            ),
        ]
        indexes = [
            models.Index(fields=["user"], name="chatkit_feedback_user"),
            models.Index(fields=["visitor_id"], name="chatkit_feedback_visitor"),
            models.Index(fields=["updated_at"], name="chatkit_feedback_updated"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} on item {self.item_id}"


class Run(OwnedModel):
    """The making of one answer."""

    class Status(models.TextChoices):
        RUNNING = "running", _("running")
        COMPLETED = "completed", _("completed")
        STOPPED = "stopped", _("stopped")
        HELD = "held", _("kept for a person")
        FAILED = "failed", _("failed")
        LOST = "lost", _("interrupted")

    class Failure(models.TextChoices):
        TIMEOUT = "timeout", _("took too long")
        INTERRUPTED = "interrupted", _("interrupted")
        ERROR = "error", _("error")

    public_id = models.CharField(_("id"), max_length=64, unique=True)
    thread = models.ForeignKey(
        Thread,
        verbose_name=_("thread"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="runs",
    )
    operation = models.CharField(_("operation"), max_length=40)
    request_key = models.CharField(_("request key"), max_length=64, blank=True, default="")
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.RUNNING)
    failure = models.CharField(_("failure"), max_length=20, choices=Failure.choices, blank=True, default="")
    error = models.TextField(_("error"), blank=True, default="")
    stop_requested = models.BooleanField(_("stop requested"), default=False)
    delivered = models.BooleanField(
        _("delivered"), default=False, help_text=_("Whether a reader received the whole answer.")
    )
    model = models.CharField(_("model"), max_length=200, blank=True, default="")
    input_tokens = models.PositiveIntegerField(_("input tokens"), null=True, blank=True)
    cached_tokens = models.PositiveIntegerField(_("cached input tokens"), null=True, blank=True)
    output_tokens = models.PositiveIntegerField(_("output tokens"), null=True, blank=True)
    first_token_ms = models.PositiveIntegerField(_("time to first token (ms)"), null=True, blank=True)
    total_ms = models.PositiveIntegerField(_("total time (ms)"), null=True, blank=True)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    heartbeat_at = models.DateTimeField(_("last heartbeat"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    # Empty where the system does not name it.
    process = models.CharField(max_length=255, blank=True, default="", editable=False)
    context = models.JSONField(
        _("session context"),
        default=dict,
        blank=True,
        help_text=_("What staff may know about the person who asked."),
    )
    withdrawn = models.BooleanField(
        _("withdrawn"),
        default=False,
        help_text=_("Whether the answer must not be sent again, because something in it was redacted."),
    )

    objects = RunQuerySet.as_manager()

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        indexes = [
            models.Index(fields=["user"], name="chatkit_run_user"),
            models.Index(fields=["visitor_id"], name="chatkit_run_visitor"),
            models.Index(fields=["started_at"], name="chatkit_run_started"),
            models.Index(fields=["status", "-id"], name="chatkit_run_status"),
            models.Index(fields=["model", "-id"], name="chatkit_run_model"),
            models.Index(
                fields=["request_key"], condition=~Q(request_key=""), name="chatkit_run_request_key"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["thread"], condition=Q(status="running"), name="chatkit_one_running_per_thread"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def total_tokens(self) -> int | None:
        if self.input_tokens is None or self.output_tokens is None:
            return None
        return self.input_tokens + self.output_tokens
