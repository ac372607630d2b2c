"""Sentences that tell what an entry of the audit keeps as details."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.utils.timesince import timesince
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..models import AuditEntry, Flag
from .charts import seconds
from .content import shorten

Action = AuditEntry.Action
_ITEMS = ("first", "last")
"""Details that are ids of items."""


def deed(entry: AuditEntry, times: Mapping[str, str] | None = None) -> str:
    """Return what was done, in sentences and as one line of plain text; what no sentence tells stands behind them.

    Args:
        entry: of the audit.
        times: when the items were said that it names, by their ids. Of others the id is told.
    """
    times = times or {}
    details = {
        name: times.get(value, value) if name in _ITEMS and isinstance(value, str) else value
        for name, value in entry.details.items()
    }
    # A sentence takes from the details what it tells.
    sentences = _SENTENCES[entry.action](entry, details) if entry.action in _SENTENCES else []
    if item := entry.item_key:
        sentences.append(_("Message: %(id)s.") % {"id": times.get(item, item)})
    rest = " · ".join(
        f"{name}: {_plain(value)}" for name, value in sorted(details.items()) if value not in ("", None)
    )
    return shorten(" ".join([*sentences, rest]).strip(), 300)


def item_keys(entry: AuditEntry) -> set[str]:
    """Return the ids of the items that an entry names."""
    named = (entry.item_key, *(entry.details.get(name) for name in _ITEMS))
    return {key for key in named if key and isinstance(key, str)}


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {part}" for name, part in sorted(value.items()))
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    return str(value)


def _messages(count: Any) -> str:
    number = count if isinstance(count, int) else 0
    return ngettext("%(count)d message", "%(count)d messages", number) % {"count": number}


def _threads(count: Any) -> str:
    number = count if isinstance(count, int) else 0
    return ngettext("%(count)d thread", "%(count)d threads", number) % {"count": number}


def _read(entry: AuditEntry, details: dict[str, Any]) -> list[str]:
    count, hidden = details.pop("count", None), details.pop("hidden", False)
    told = []
    match details.pop("page", ""):
        case "notes":
            told.append(_("Read the notes about the thread."))
        case "review":
            told.append(
                _("Read what flag %(flag)s is about, in the review queue.")
                % {"flag": details.pop("flag", "–")}
            )
        case "flag":
            told.append(_("Read what flag %(flag)s is about.") % {"flag": details.pop("flag", "–")})
        case "" if "first" in details and "last" in details:
            told.append(
                _("Read %(messages)s, from %(first)s to %(last)s.")
                % {"messages": _messages(count), "first": details.pop("first"), "last": details.pop("last")}
            )
        case "" if "run" in details and details.pop("followed", False):
            told.append(_("Followed the answer %(run)s.") % {"run": details.pop("run")})
        case "" if "run" in details:
            told.append(_("Read how the answer %(run)s was made.") % {"run": details.pop("run")})
        case "" if "delivery" in details:
            told.append(_("Read what the webhook %(delivery)s told.") % {"delivery": details.pop("delivery")})
        case "" if "attachment" in details:
            told.append(
                (
                    _("Opened the file %(file)s.")
                    if details.pop("opened", False)
                    else _("Read of the file %(file)s.")
                )
                % {"file": details.pop("attachment")}
            )
        case "" if count is not None:
            told.append(_("Read %(messages)s.") % {"messages": _messages(count)})
        case page if page:
            told.append(_("Read the page “%(page)s”.") % {"page": page})
    if hidden:
        told.append(_("Also what only the model was told."))
    return told


def _search(entry: AuditEntry, details: dict[str, Any]) -> list[str]:
    page, kind, found = details.pop("page", ""), details.pop("list", ""), details.pop("found", None)
    if page == "autocomplete":
        return [_("Looked for a thread to select.")]
    if not isinstance(found, int):
        return []
    if kind == "attachments":
        return [ngettext("Found %(count)d file.", "Found %(count)d files.", found) % {"count": found}]
    return [_("Found %(threads)s.") % {"threads": _threads(found)}]


def _label(entry: AuditEntry, details: dict[str, Any]) -> list[str]:
    told = []
    if added := details.pop("added", []):
        told.append(_("Gave it: %(labels)s.") % {"labels": _plain(added)})
    if removed := details.pop("removed", []):
        told.append(_("Took away: %(labels)s.") % {"labels": _plain(removed)})
    return told


def _assign(entry: AuditEntry, details: dict[str, Any]) -> list[str]:
    key, name = details.pop("assignee", ""), details.pop("assignee_name", "")
    return [
        _("Assigned it to %(name)s.") % {"name": name or key} if name or key else _("Assigned it to nobody.")
    ]


def _take(entry: AuditEntry, details: dict[str, Any]) -> list[str]:
    key, name = details.pop("taken_from", ""), details.pop("taken_from_name", "")
    told = [_("Took it from %(name)s.") % {"name": name or key}] if name or key else []
    return [*told, *_waited(entry, details)]


def _waited(entry: AuditEntry, details: dict[str, Any]) -> list[str]:
    """Return how long the user had waited for this, if they had."""
    if not isinstance(details.get("waited_ms"), int):
        return []
    waited = timedelta(milliseconds=details["waited_ms"])
    moment = now()
    time = (
        seconds(details["waited_ms"])
        if waited < timedelta(minutes=1)
        else timesince(moment - waited, moment, depth=2)
    )
    del details["waited_ms"]
    return [_("The user had waited for %(time)s.") % {"time": time}]


def _hand_back(entry: AuditEntry, details: dict[str, Any]) -> list[str]:
    return [_("With an instruction for the assistant.")] if details.pop("instructed", False) else []


def _flag(entry: AuditEntry, details: dict[str, Any]) -> list[str]:
    return [_("Raised flag %(flag)s.") % {"flag": details.pop("flag")}] if "flag" in details else []


def _resolve(entry: AuditEntry, details: dict[str, Any]) -> list[str]:
    if not {"flag", "resolution"} <= details.keys():
        return []
    resolution = details.pop("resolution")
    label = str(Flag.Resolution(resolution).label) if resolution in Flag.Resolution.values else resolution
    return [_("Ended flag %(flag)s: %(resolution)s.") % {"flag": details.pop("flag"), "resolution": label}]


def _note(entry: AuditEntry, details: dict[str, Any]) -> list[str]:
    return [_("Wrote note %(note)s.") % {"note": details.pop("note")}] if "note" in details else []


def _stop(entry: AuditEntry, details: dict[str, Any]) -> list[str]:
    return [_("Stopped the answer %(run)s.") % {"run": details.pop("run")}] if "run" in details else []


def _export(entry: AuditEntry, details: dict[str, Any]) -> list[str]:
    format, count, hidden = (
        details.pop("format", ""),
        details.pop("count", None),
        details.pop("hidden", False),
    )
    threads = _threads(count) if count is not None else _("many threads")
    told = [_("Exported %(threads)s as %(format)s.") % {"threads": threads, "format": format}]
    return [*told, _("Also what only the model was told.")] if hidden else told


def _erase(entry: AuditEntry, details: dict[str, Any]) -> list[str]:
    if details.pop("begun", False):
        return [_("Began to erase all data of the person.")]
    erased = details.pop("erased", None)
    if not isinstance(erased, dict):
        return []
    return [_("Erased: %(rows)s.") % {"rows": _plain(erased)} if erased else _("There was nothing to erase.")]


def _delete(entry: AuditEntry, details: dict[str, Any]) -> list[str]:
    if "attachment" in details:
        return [_("Deleted the file %(file)s.") % {"file": details.pop("attachment")}]
    told = []
    if isinstance(deleted := details.pop("deleted", None), dict):
        told.append(_("Deleted: %(rows)s.") % {"rows": _plain(deleted)})
    if retention := details.pop("retention", None):
        told.append(_("Kept no longer: %(retention)s.") % {"retention": _plain(retention)})
    return told


def _resend(entry: AuditEntry, details: dict[str, Any]) -> list[str]:
    if not {"delivery", "url"} <= details.keys():
        return []
    return [
        _("Sent %(delivery)s to %(url)s again.")
        % {"delivery": details.pop("delivery"), "url": details.pop("url")}
    ]


def _refused(entry: AuditEntry, details: dict[str, Any]) -> list[str]:
    if not {"method", "path", "status"} <= details.keys():
        return []
    method, path, status = details.pop("method"), details.pop("path"), details.pop("status")
    return [
        _("Asked for %(path)s (%(method)s) and was answered with %(status)s.")
        % {"path": path, "method": method, "status": status}
    ]


_SENTENCES: Mapping[str, Callable[[AuditEntry, dict[str, Any]], list[str]]] = {
    Action.READ: _read,
    Action.SEARCH: _search,
    Action.LABEL: _label,
    Action.ASSIGN: _assign,
    Action.FLAG: _flag,
    Action.RESOLVE: _resolve,
    Action.NOTE: _note,
    Action.STOP: _stop,
    Action.TAKE: _take,
    Action.REPLY: _waited,
    Action.HAND_BACK: _hand_back,
    Action.EXPORT: _export,
    Action.ERASE: _erase,
    Action.DELETE: _delete,
    Action.RESEND: _resend,
    Action.REFUSED: _refused,
}
