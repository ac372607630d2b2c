"""A run that waits for its user to approve what it wants to do."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .conversation import Thread
from .querysets import WriterQuerySet


class Approval(models.Model):
    """Calls of tools that are to be approved, and what their run needs to go on.

    There is one per thread at most, and only as long as something is open: what was decided stands in the widgets.
    """

    thread = models.OneToOneField(
        Thread, verbose_name=_("thread"), on_delete=models.CASCADE, related_name="approval"
    )
    # As the Agents SDK writes it, with the conversation that the run was given.
    state = models.TextField(_("state"))
    # Of each call, in the order of the run's own list: {"item": id of its widget, "approved": true, false or null}.
    calls = models.JSONField(_("calls"), default=list)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    objects = WriterQuerySet.as_manager()

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        default_permissions = ()

    def __str__(self) -> str:
        return f"approval {self.pk}"
