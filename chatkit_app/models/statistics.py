"""Statistics of one day."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class DailyStatistics(models.Model):
    """The counts of one day, stored so that nobody counts them again.

    ``times`` and ``first_tokens`` are histograms, ``{"<upper limit in ms>": answers}``, from which percentiles of any
    number of days can be told. ``tokens`` is ``{"<model>": {"answers": …, "input": …, "cached": …, "output": …}}``.
    """

    day = models.DateField(_("day"), unique=True)
    threads = models.PositiveIntegerField(_("new threads"), default=0)
    messages = models.PositiveIntegerField(_("messages of users"), default=0)
    owners = models.PositiveIntegerField(_("active owners"), default=0)
    answers = models.PositiveIntegerField(_("answers"), default=0)
    errors = models.PositiveIntegerField(_("failed answers"), default=0)
    interrupted = models.PositiveIntegerField(_("interrupted answers"), default=0)
    stopped = models.PositiveIntegerField(_("stopped answers"), default=0)
    positive = models.PositiveIntegerField(_("positive feedback"), default=0)
    negative = models.PositiveIntegerField(_("negative feedback"), default=0)
    times = models.JSONField(_("answer times"), default=dict)
    first_tokens = models.JSONField(_("times to first token"), default=dict)
    tokens = models.JSONField(_("tokens by model"), default=dict)
    counted_at = models.DateTimeField(_("counted"), default=timezone.now)

    class Meta:
        verbose_name = _("day")
        verbose_name_plural = _("statistics")
        default_permissions = ("view",)
        ordering = ["-day"]

    def __str__(self) -> str:
        return self.day.isoformat()
