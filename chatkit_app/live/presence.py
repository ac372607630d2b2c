"""Presence of staff on the page of a thread: rows, so that it is known without a channel layer as well."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from ..models import HERE_FOR, Presence
from ..takeover.names import name_for_staff

# What a process that was killed has left.
_FORGOTTEN_AFTER = timedelta(hours=1)


def arrive(thread_pk: int, *, user: Any, page: str) -> None:
    """Note that somebody has opened the page of a thread."""
    now = timezone.now()
    Presence.objects.filter(seen_at__lt=now - _FORGOTTEN_AFTER).delete()
    Presence.objects.update_or_create(thread_id=thread_pk, page=page, defaults={"user": user, "seen_at": now})


def leave(page: str, *, thread_pk: int | None = None) -> None:
    """Note that a page is gone: from one thread, or altogether."""
    rows = Presence.objects.filter(page=page)
    (rows if thread_pk is None else rows.filter(thread_id=thread_pk)).delete()


def touch(pages: Iterable[str]) -> None:
    """Note that these pages are still there."""
    Presence.objects.filter(page__in=list(pages)).update(seen_at=timezone.now())


def people_at(thread_pk: int) -> list[dict[str, Any]]:
    """Return who is there, each once, in the order in which they came: ``{"id", "name"}``."""
    since = timezone.now() - HERE_FOR
    rows = Presence.objects.filter(thread_id=thread_pk, seen_at__gte=since).select_related("user")
    users = {row.user.pk: row.user for row in rows.order_by("pk")}
    return [{"id": str(pk), "name": name_for_staff(user)} for pk, user in users.items()]
