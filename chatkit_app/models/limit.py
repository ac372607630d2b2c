"""Uses of the limits, and by whom as far as it can be known without names or addresses."""

from __future__ import annotations

from django.db import models

from .querysets import LimitQuerySet


class LimitCounter(models.Model):
    """The use that one owner or one address has made of one limit since its first.

    ``key`` is a keyed hash of who and what: a row tells nobody's name or address. It is counted anew after
    ``expires_at``.
    """

    key = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveBigIntegerField()
    allowed = models.PositiveBigIntegerField()
    expires_at = models.DateTimeField()

    objects = LimitQuerySet["LimitCounter"].as_manager()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["expires_at"], name="chatkit_counter_expiry")]

    def __str__(self) -> str:
        return self.key


class AnswerLease(models.Model):
    """An answer that is being made, as the limits of answers at once see it.

    The process that makes it renews its lease, so that those of a process that has died run out. ``process`` is its
    name, where the system has one.
    """

    run_id = models.CharField(max_length=64, primary_key=True)
    owner_key = models.CharField(max_length=64)
    address_key = models.CharField(max_length=64, blank=True, default="")
    process = models.CharField(max_length=255, blank=True, default="")
    expires_at = models.DateTimeField()

    objects = LimitQuerySet["AnswerLease"].as_manager()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["owner_key"], name="chatkit_lease_owner"),
            models.Index(fields=["address_key"], name="chatkit_lease_address"),
            models.Index(fields=["expires_at"], name="chatkit_lease_expiry"),
        ]

    def __str__(self) -> str:
        return self.run_id
