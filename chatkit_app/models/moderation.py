"""Records of staff about a thread: labels, notes, an assignee, flags. No model and no user reads any of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .conversation import Thread, ThreadItem
from .querysets import FlagQuerySet

NAME_LENGTH = 150
"""Characters of the name that is kept of a staff member who may be gone one day."""


class Label(models.Model):
    """A word that staff sort threads by."""

    class Color(models.TextChoices):
        GREY = "grey", _("grey")
        BLUE = "blue", _("blue")
        GREEN = "green", _("green")
        YELLOW = "yellow", _("yellow")
        RED = "red", _("red")

    name = models.CharField(_("name"), max_length=50, unique=True)
    color = models.CharField(_("colour"), max_length=10, choices=Color.choices, default=Color.GREY)

    class Meta:
        verbose_name = _("label")
        verbose_name_plural = _("labels")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Assignment(models.Model):
    """The staff member who looks after a thread."""

    thread = models.OneToOneField(
        Thread, verbose_name=_("thread"), on_delete=models.CASCADE, related_name="assignment"
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("assignee"), on_delete=models.CASCADE, related_name="+"
    )
    assigned_at = models.DateTimeField(_("assigned"), default=timezone.now)

    class Meta:
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")

    def __str__(self) -> str:
        return f"{self.thread_id}: {self.assignee_id}"


class Note(models.Model):
    """A note that one staff member writes about a thread for the others."""

    thread = models.ForeignKey(
        Thread, verbose_name=_("thread"), on_delete=models.CASCADE, related_name="notes"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    author_name = models.CharField(_("name of the author"), max_length=NAME_LENGTH)
    text = models.TextField(_("text"))
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")

    def __str__(self) -> str:
        return f"{self.pk}"


class Flag(models.Model):
    """Something in a thread that somebody should look at."""

    class Source(models.TextChoices):
        FEEDBACK = "feedback", _("feedback")
        STAFF = "staff", _("staff")
        RULE = "rule", _("rule")

    class Resolution(models.TextChoices):
        HANDLED = "handled", _("handled")
        UNFOUNDED = "unfounded", _("nothing to do")
        WITHDRAWN = "withdrawn", _("withdrawn")

    thread = models.ForeignKey(
        Thread, verbose_name=_("thread"), on_delete=models.CASCADE, related_name="flags"
    )
    item = models.ForeignKey(
        ThreadItem,
        verbose_name=_("item"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="flags",
    )
    source = models.CharField(_("source"), max_length=10, choices=Source.choices)
    raised_by = models.CharField(
        _("raised by"),
        max_length=NAME_LENGTH,
        blank=True,
        default="",
        help_text=_("A staff member or a rule."),
    )
    reason = models.TextField(_("reason"), blank=True, default="")
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("reviewer"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    claimed_at = models.DateTimeField(_("taken"), null=True, blank=True)
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)
    resolved_by = models.CharField(_("resolved by"), max_length=NAME_LENGTH, blank=True, default="")
    resolution = models.CharField(
        _("resolution"), max_length=10, choices=Resolution.choices, blank=True, default=""
    )
    resolution_note = models.TextField(_("note on the resolution"), blank=True, default="")

    objects = FlagQuerySet.as_manager()

    class Meta:
        verbose_name = _("flag")
        verbose_name_plural = _("flags")
        indexes = [
            models.Index(fields=["id"], condition=Q(resolved_at__isnull=True), name="chatkit_flag_open"),
            models.Index(fields=["created_at"], name="chatkit_flag_created"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["item"],
                condition=Q(source="feedback", resolved_at__isnull=True),
                name="chatkit_one_feedback_flag_per_item",
            )
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.pk}"


class ReviewQueue(Flag):
    """The open flags, as a page of their own in the admin: it lists there what is a model, and nothing else."""

    class Meta:
        proxy = True
        # Who may review is told by the permission to moderate.
        default_permissions = ()
        verbose_name = _("review queue")
        verbose_name_plural = _("review queue")
