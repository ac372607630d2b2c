"""Earlier versions of messages and answers: what stood in a thread before it was edited, or answered again."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .conversation import Run, Thread, ThreadItem
from .querysets import EarlierItemQuerySet


class EarlierItem(models.Model):
    """An item of an earlier version. Its thread's owner and staff look at it there; no model reads it."""

    class Of(models.TextChoices):
        MESSAGE = "message", _("message")
        ANSWER = "answer", _("answer")

    # No person of the staff wrote it, since nobody replaces what they write.
    author_id = None
    author_name = ""

    # The key that it had among the items: the order in which they were said.
    id = models.BigIntegerField(primary_key=True)
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="earlier_items", db_index=False)
    run = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="earlier_items")
    # The id of the message at which it is looked at; whether that was another one before, or had another answer; and
    # which of these versions it is part of.
    place = models.CharField(max_length=255)
    of = models.CharField(max_length=10, choices=Of.choices)
    number = models.PositiveIntegerField()
    public_id = models.CharField(max_length=255)
    type = models.CharField(max_length=40, choices=ThreadItem.Type.choices)
    payload = models.JSONField(default=dict)
    text = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    replaced_at = models.DateTimeField(default=timezone.now)
    redacted_at = models.DateTimeField(null=True, blank=True)
    redacted_by = models.CharField(max_length=150, blank=True, default="")
    redaction_reason = models.TextField(blank=True, default="")
    # Of a message that is itself part of an earlier version.
    earlier_messages = models.PositiveIntegerField(default=0)
    earlier_answers = models.PositiveIntegerField(default=0)

    objects = EarlierItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("earlier item")
        verbose_name_plural = _("earlier items")
        default_permissions = ()
        indexes = [
            models.Index(fields=["thread", "place", "of", "number", "id"], name="chatkit_earlier_place"),
            models.Index(fields=["thread", "id"], name="chatkit_earlier_order"),
            models.Index(fields=["created_at"], name="chatkit_earlier_created"),
        ]

    def __str__(self) -> str:
        return self.public_id
