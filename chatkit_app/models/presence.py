"""Staff who have the page of a thread open."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

from .conversation import Thread

HERE_FOR = timedelta(seconds=60)
"""How long after a sign of life a member of the staff is shown as being there."""


class Presence(models.Model):
    """A page of a thread that a member of the staff has open in some tab, by its last sign of life."""

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="presences", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # Of the socket: one person may have it open twice.
    page = models.CharField(max_length=32)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["thread", "page"], name="chatkit_presence_page"),
        ]
        indexes = [models.Index(fields=["page"], name="chatkit_presence_page_key")]

    def __str__(self) -> str:
        return f"{self.user_id} at {self.thread_id}"
