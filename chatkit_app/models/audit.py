"""The audit: what staff did, and what they read."""

from __future__ import annotations

from typing import Any, Never

from django.db import models
from django.db.models import Q
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .moderation import NAME_LENGTH


class AppendOnly(Exception):
    """The audit was to be changed. Entries are added with ``staff.audit.record()``, and stay as they are."""

    def __init__(self) -> None:
        super().__init__(
            "Audit entries cannot be changed or deleted. Add a new one with chatkit_app.staff.audit.record()."
        )


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    """Rows that can be added and read. ``bulk_update()`` and ``update_or_create()`` end in what is refused here."""

    def bulk_create(self, *args: Any, update_conflicts: bool = False, **kwargs: Any) -> list[AuditEntry]:
        if update_conflicts:
            raise AppendOnly
        return super().bulk_create(*args, **kwargs)

    def update(self, **kwargs: Any) -> Never:
        raise AppendOnly

    def _update(self, values: Any, returning_fields: Any = None) -> int:
        # What save() tries before it inserts a row that brings its primary key along, as those of a fixture do.
        if self.exists():
            raise AppendOnly
        return 0

    def delete(self) -> Never:
        raise AppendOnly

    def _raw_delete(self, using: str | None) -> Never:
        raise AppendOnly


class AuditEntry(models.Model):
    """One thing that one staff member did or read.

    It names everything by value and nothing by foreign key: the staff member, the thread and the message may be
    deleted, and the entry stays. It never holds what a message says.

    No way of the ORM changes or deletes an entry. Whoever writes SQL can; the database itself keeps the application
    from it with ``REVOKE UPDATE, DELETE, TRUNCATE ON chatkit_app_auditentry FROM <role>``.
    """

    class Action(models.TextChoices):
        READ = "read", _("read")
        SEARCH = "search", _("searched")
        LOCK = "lock", _("locked")
        CLOSE = "close", _("closed")
        REOPEN = "reopen", _("reopened")
        STOP = "stop", _("stopped an answer")
        TAKE = "take", _("took over")
        REPLY = "reply", _("answered")
        HAND_BACK = "hand_back", _("handed back")
        HAND_ON = "hand_on", _("handed to the team")
        REDACT = "redact", _("redacted")
        NOTE = "note", _("wrote a note")
        LABEL = "label", _("changed labels")
        ASSIGN = "assign", _("assigned")
        FLAG = "flag", _("flagged")
        RESOLVE = "resolve", _("resolved a flag")
        EXPORT = "export", _("exported")
        DELETE = "delete", _("deleted")
        ERASE = "erase", _("erased a person")
        RESEND = "resend", _("sent a webhook again")
        REFUSED = "refused", _("was refused")

    created_at = models.DateTimeField(_("when"), default=timezone.now, editable=False)
    actor_key = models.CharField(_("id of the staff member"), max_length=64, blank=True, default="")
    actor_name = models.CharField(_("staff member"), max_length=NAME_LENGTH, blank=True, default="")
    action = models.CharField(_("action"), max_length=10, choices=Action.choices)
    thread_key = models.CharField(_("thread"), max_length=255, blank=True, default="")
    item_key = models.CharField(_("item"), max_length=255, blank=True, default="")
    owner = models.CharField(_("owner"), max_length=100, blank=True, default="")
    reason = models.TextField(_("reason"), blank=True, default="")
    details = models.JSONField(_("details"), default=dict, blank=True)

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        default_permissions = ("view",)
        # Also for what Django does on its own: save(), refresh_from_db(), deletions.
        base_manager_name = "objects"
        indexes = [
            models.Index(fields=["thread_key", "-id"], name="chatkit_audit_thread"),
            models.Index(fields=["actor_key", "-id"], name="chatkit_audit_actor"),
            models.Index(fields=["actor_name", "-id"], name="chatkit_audit_name"),
            models.Index(fields=["action", "-id"], name="chatkit_audit_action"),
            models.Index(fields=["owner", "-id"], name="chatkit_audit_owner"),
            models.Index(fields=["item_key", "-id"], condition=~Q(item_key=""), name="chatkit_audit_item"),
            models.Index(fields=["created_at"], name="chatkit_audit_created"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Never:
        raise AppendOnly


@receiver(pre_delete, sender=AuditEntry)
def refuse_deletion(**kwargs: Any) -> Never:
    """Refuse a deletion by what gathers rows itself, as the admin does, and asks neither the row nor the queryset."""
    raise AppendOnly
