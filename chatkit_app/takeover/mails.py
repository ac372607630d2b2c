"""Mails: to users who have not seen an answer, and to staff when somebody waits for too long.

Nothing of what was said is in them, unless the site's own templates put it there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin

from django.core.mail import EmailMultiAlternatives
from django.db.models import F, Q
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils import timezone, translation

from ..conf import chatkit_settings
from ..dotted_paths import import_path
from ..logs import get_logger
from ..models import Thread, ThreadItem
from . import later, webhooks
from .handler import WAITING, language_of

logger = get_logger(__name__)

UNSEEN_FOR = timedelta(minutes=2)
"""How long an answer may be unseen before an absent user is told of it who was there when it came."""
_LOOKED_BACK = timedelta(days=1)
_FOLDER = "chatkit_app/mail"


# --- Users --------------------------------------------------------------------------------------------------


def mail_after_commit(thread: Thread) -> None:
    """Tell the user of what a person has just written, if they are not there. Call it in the transaction of that."""
    if chatkit_settings.staff.mail_users and thread.user_id is not None and not thread.user_is_present:
        later.do_after_commit(mail_user, thread.pk)


def mail_unseen() -> int:
    """Tell users who have gone of what they have not seen. Returns how many mails were sent."""
    if not chatkit_settings.staff.mail_users:
        return 0
    now = timezone.now()
    unseen = ThreadItem.objects.filter(
        author__isnull=False,
        created_at__range=(now - _LOOKED_BACK, now - UNSEEN_FOR),
        version__gt=F("thread__seen_version"),
        thread__user__isnull=False,
    )
    keys = list(unseen.order_by("thread").values_list("thread", flat=True).distinct())
    return sum(mail_user(pk) for pk in keys)


def mail_user(thread_pk: int) -> bool:
    """Tell the user of a thread that a person has answered, once until they have been there again.

    Returns:
        Whether a mail was sent: not to somebody who is there, has no address, has seen it or was told already.
    """
    thread = Thread.objects.on_writer().select_related("user").filter(pk=thread_pk).first()
    user: Any = None if thread is None else thread.user
    if thread is None or user is None or not user.is_active or thread.user_is_present:
        return False
    address = getattr(user, user.get_email_field_name(), "")
    unseen = ThreadItem.objects.on_writer().visible().filter(thread=thread, version__gt=thread.seen_version)
    item = unseen.exclude(author_name="").filter(redacted_at__isnull=True).order_by("-pk").first()
    if not address or item is None or not _claim(thread, "user_mailed_at", since="seen_at"):
        return False
    with translation.override(language_of(thread)):
        context = {"thread": thread, "item": item, "user": user, "name": item.author_name}
        return _send(thread, "user_mailed_at", "answered", [address], context)


# --- Staff --------------------------------------------------------------------------------------------------


def tell_overdue() -> list[Thread]:
    """Tell staff, and webhooks, once of each user who has waited for longer than ``CHATKIT["STAFF"]["PATIENCE"]``.

    Returns:
        Their threads.
    """
    before = timezone.now() - timedelta(seconds=chatkit_settings.staff.patience)
    waiting = Thread.objects.filter(handler=WAITING, handler_since__lt=before)
    untold = waiting.filter(Q(staff_mailed_at__isnull=True) | Q(staff_mailed_at__lt=F("handler_since")))
    told = []
    for thread in untold.select_related("user").order_by("pk"):
        if _claim(thread, "staff_mailed_at", since="handler_since"):
            told.append(thread)
            webhooks.record(webhooks.STAFF_OVERDUE, thread, content={"reason": thread.handler_reason})
            addresses = _staff_addresses(thread)
            if addresses:
                _send(thread, "staff_mailed_at", "waiting", addresses, {"thread": thread})
    return told


def _staff_addresses(thread: Thread) -> list[str]:
    given = chatkit_settings.staff.mail_staff
    if isinstance(given, str):
        given = import_path(given, named_by='CHATKIT["STAFF"]["MAIL_STAFF"]')(thread)
    return list(given)


# --- Both ---------------------------------------------------------------------------------------------------


def _claim(thread: Thread, column: str, *, since: str) -> bool:
    """Return whether nobody else has told of it, and nobody will."""
    untold = Q(**{f"{column}__isnull": True}) | Q(**{f"{column}__lt": F(since)})
    return bool(Thread.objects.filter(untold, pk=thread.pk).update(**{column: timezone.now()}))


def _send(thread: Thread, column: str, name: str, addresses: Sequence[str], context: dict[str, Any]) -> bool:
    url = chatkit_settings.staff.url or ""
    context = context | {"url": url, "admin_url": _admin_url(thread, url)}
    try:
        # Templates may be the site's own, and wrong.
        _mail(name, addresses, context).send()
    except Exception:
        logger.exception("A mail could not be sent; the next chatkit_staff tries again")
        Thread.objects.filter(pk=thread.pk).update(**{column: None})
        return False
    return True


def _mail(name: str, addresses: Sequence[str], context: dict[str, Any]) -> EmailMultiAlternatives:
    subject = " ".join(render_to_string(f"{_FOLDER}/{name}_subject.txt", context).split())
    text = render_to_string(f"{_FOLDER}/{name}.txt", context).strip()
    mail = EmailMultiAlternatives(subject, f"{text}\n", to=addresses)
    mail.attach_alternative(render_to_string(f"{_FOLDER}/{name}.html", context), "text/html")
    return mail


def _admin_url(thread: Thread, url: str) -> str:
    try:
        path = reverse("admin:chatkit_app_thread_change", args=[thread.pk])
    except NoReverseMatch:
        return ""
    return urljoin(url, path) if url else ""
