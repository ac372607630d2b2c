"""Canned replies: what staff say to users again and again."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

SHORTCUT = RegexValidator(r"^[\w-]+\Z", _("Use letters, digits, “-” and “_” only."))


class CannedReply(models.Model):
    """A reply that staff find by "/" and its shortcut while they answer a user."""

    shortcut = models.CharField(
        _("shortcut"), max_length=50, validators=[SHORTCUT], help_text=_("Found by “/” and its beginning.")
    )
    title = models.CharField(_("title"), max_length=100)
    text = models.TextField(
        _("text"),
        max_length=20_000,
        help_text=_("Markdown. {user} becomes the user’s name, {staff} the name of whoever answers."),
    )
    namespace = models.CharField(
        _("namespace"),
        max_length=100,
        blank=True,
        default="",
        help_text=_("Offered only in threads of this namespace; in all of them when it is empty."),
    )
    language = models.CharField(
        _("language"),
        max_length=20,
        blank=True,
        default="",
        help_text=_("Offered only to users of this language, such as “de”; to all of them when it is empty."),
    )

    class Meta:
        verbose_name = _("canned reply")
        verbose_name_plural = _("canned replies")
        ordering = ["shortcut", "namespace", "language"]
        constraints = [
            models.UniqueConstraint(
                fields=["shortcut", "namespace", "language"], name="chatkit_canned_reply_shortcut"
            )
        ]

    def __str__(self) -> str:
        return self.shortcut
