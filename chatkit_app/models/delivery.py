"""Webhooks that are to be sent, and those that were."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .conversation import Thread
from .querysets import DeliveryQuerySet


class WebhookDelivery(models.Model):
    """One event that is to be told to one receiver, tried until it is told or given up."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DELIVERED = "delivered", _("delivered")
        GIVEN_UP = "given_up", _("given up")

    # Goes with its thread: the payload names its owner.
    thread = models.ForeignKey(
        Thread,
        verbose_name=_("thread"),
        on_delete=models.CASCADE,
        related_name="webhook_deliveries",
    )
    # By it a receiver knows one that comes twice.
    public_id = models.CharField(_("id"), max_length=64, unique=True)
    event = models.CharField(_("event"), max_length=40)
    url = models.URLField(_("receiver"), max_length=1000)
    payload = models.JSONField(_("payload"), default=dict)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.WAITING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    last_status = models.PositiveIntegerField(_("last answer"), null=True, blank=True)
    last_error = models.TextField(_("last problem"), blank=True, default="")
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True, blank=True, default=timezone.now)
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        default_permissions = ("view",)
        indexes = [
            models.Index(
                fields=["next_attempt_at"], condition=Q(status="waiting"), name="chatkit_delivery_due"
            ),
            models.Index(fields=["status", "-id"], name="chatkit_delivery_status"),
            models.Index(fields=["created_at"], name="chatkit_delivery_created"),
        ]

    def __str__(self) -> str:
        return self.public_id
