"""Canned replies as they are offered in one thread: those for its namespace and its user's language, filled in."""

from __future__ import annotations

from typing import Any

from ..models import CannedReply, Run, Thread

MAX_OFFERED = 300
"""Replies that are offered in one thread; of more the last by their shortcuts are left out."""


def offered_in(thread: Thread, *, staff_name: str) -> list[dict[str, str]]:
    """Return the replies that a member of the staff can use in this thread, with their placeholders filled in.

    Args:
        thread: the thread.
        staff_name: the name under which the user is to know the member of the staff.
    """
    languages = ["", *_languages_of(thread)]
    replies = CannedReply.objects.filter(namespace__in={"", thread.namespace}, language__in=languages)
    # The user's own language first, of what has the same shortcut.
    rows = sorted(
        replies.order_by("shortcut")[:MAX_OFFERED],
        key=lambda reply: (reply.shortcut, -languages.index(reply.language)),
    )
    values = {"{user}": _name_of(thread.user), "{staff}": staff_name}
    return [
        {"shortcut": reply.shortcut, "title": reply.title, "text": _filled(reply.text, values)}
        for reply in rows
    ]


def _filled(text: str, values: dict[str, str]) -> str:
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text


def _name_of(user: Any) -> str:
    """Return what the user of a thread is called; nothing of a visitor, of whom nobody knows that."""
    return "" if user is None else str(user.get_short_name() or user.get_username())


def _languages_of(thread: Thread) -> list[str]:
    """Return the language in which the user asked last, as far as it is known: ``["pt", "pt-br"]``."""
    context = Run.objects.filter(thread=thread).order_by("-pk").values_list("context", flat=True).first()
    locale = context.get("locale") if isinstance(context, dict) else None
    if not isinstance(locale, str) or not locale:
        return []
    code = locale.lower().replace("_", "-")
    return list(dict.fromkeys([code.partition("-")[0], code]))
