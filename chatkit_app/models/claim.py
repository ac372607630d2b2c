"""Visitors who have logged in, for as long as something of theirs may still be on its way."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from .querysets import WriterQuerySet


class VisitorClaim(models.Model):
    """A visitor who has become a user. Kept for a day, for what was sent before the login and is stored after it."""

    visitor_id = models.CharField(max_length=64, primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    claimed_at = models.DateTimeField(default=timezone.now)

    objects = WriterQuerySet["VisitorClaim"].as_manager()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["claimed_at"], name="chatkit_claim_time")]

    def __str__(self) -> str:
        return f"user:{self.user_id}"
