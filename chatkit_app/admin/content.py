"""The content of a conversation as plain text for staff.

Nothing here is HTML, a link or an image: whatever it is, templates escape it like other text.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.timesince import timesince
from django.utils.timezone import is_aware, localtime, now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..models import EarlierItem, Thread, ThreadItem
from ..storable import original_json

HEAD_LENGTH = 2_000
HEAD_LINES = 40
FULL_LENGTH = 20_000

# Control characters, halves of surrogate pairs, and the bidi overrides that make text read as something else.
_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """Return the text with control characters that can be seen and do nothing: a NUL reads ``[U+0000]``."""
    return _INVISIBLE.sub(lambda match: f"[U+{ord(match[0]):04X}]", text)


def shorten(text: str, length: int = 100) -> str:
    """Return one line of at most ``length`` characters, for lists and headings."""
    line = visible(" ".join(text[: length * 4].split()))
    return line if len(line) <= length else line[: length - 1] + "…"


def item_name(item: ThreadItem | EarlierItem) -> str:
    """Return what a message is called: by who wrote it where that is a person of the staff, else by its type."""
    if item.author_name and item.type == ThreadItem.Type.ASSISTANT_MESSAGE:
        return _("Message from %(name)s") % {"name": shorten(item.author_name, 60)}
    return capfirst(shorten(str(item.get_type_display()), 60))


def call_of(thread: Thread, length: int = 500) -> str:
    """Return why staff were called to a thread, if somebody has said it."""
    reason = shorten(thread.handler_reason, length)
    return _("Why the team was called: %(reason)s") % {"reason": reason} if reason else ""


def moment(value: datetime) -> str:
    """Return a date and time as lists and messages show it, in the current time zone."""
    return date_format(localtime(value) if is_aware(value) else value, "SHORT_DATETIME_FORMAT")


def ago(value: datetime) -> str:
    """Return how long ago something was, as HTML: one short line, the exact time on hover; after a week the day."""
    shown = localtime(value) if is_aware(value) else value
    minutes = int((now() - value).total_seconds() // 60)
    days = minutes // (24 * 60)
    if minutes < 1:
        text = _("just now")
    elif minutes < 60:
        text = _("%(count)d min ago") % {"count": minutes}
    elif days < 1:
        text = _("%(count)d h ago") % {"count": minutes // 60}
    elif days < 7:
        text = ngettext("%(count)d day ago", "%(count)d days ago", days) % {"count": days}
    else:
        text = date_format(shown, "SHORT_DATE_FORMAT")
    return format_html('<time datetime="{}" title="{}">{}</time>', shown.isoformat(), moment(value), text)


def age(value: datetime) -> str:
    """Return how long ago something was, as "5 minutes"; empty within the first one: Django counts no less."""
    return timesince(value, now(), depth=1) if now() - value >= timedelta(minutes=1) else ""


def pretty_json(value: Any) -> str:
    """Return JSON as a person reads it."""
    try:
        return json.dumps(value, indent=2, ensure_ascii=False, default=str)
    except (RecursionError, TypeError, ValueError):
        return _("This data cannot be shown.")


@dataclass(frozen=True, kw_only=True)
class LongText:
    """A text that may be too long for a page.

    Attributes:
        head: its beginning, or all of it.
        full: as much of it as a page bears; empty when ``head`` is all.
        length: how long it really is.
        is_cut: whether even ``full`` is not all of it.
    """

    head: str
    full: str = ""
    length: int = 0
    is_cut: bool = False


def long_text(text: str) -> LongText:
    """Divide a text into what a page shows at once and what it shows when asked."""
    full = text[:FULL_LENGTH]
    head = "\n".join(full[:HEAD_LENGTH].split("\n")[:HEAD_LINES])
    if len(head) == len(text):
        return LongText(head=visible(text), length=len(text))
    return LongText(
        head=visible(head) + "…", full=visible(full), length=len(text), is_cut=len(text) > FULL_LENGTH
    )


def raw(payload: Any) -> str:
    """Return the stored data, as JSON."""
    try:
        return pretty_json(original_json(payload))
    except RecursionError:
        return _("This data cannot be shown.")
