"""The formats of an export: JSONL for programs, CSV for spreadsheets, Markdown for people."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Protocol
from urllib.parse import urlsplit, urlunsplit

from django.db.models import TextChoices
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from ..models import EarlierItem, Feedback, Thread, ThreadItem
from ..models.querysets import HIDDEN_ITEM_TYPES
from ..storable import original_json
from ..store.payloads import redacted_payload

# Ends of lines for some readers, though not for JSON.
_LINE_END = re.compile("[\x85\u2028\u2029]")
# What a terminal obeys, and what makes a text read as another one.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Format(TextChoices):
    JSONL = "jsonl", "JSONL"
    CSV = "csv", "CSV"
    MARKDOWN = "markdown", "Markdown"

    @property
    def extension(self) -> str:
        return "md" if self == Format.MARKDOWN else self.value

    @property
    def content_type(self) -> str:
        types = {
            Format.JSONL: "application/x-ndjson",
            Format.CSV: "text/csv",
            Format.MARKDOWN: "text/markdown",
        }
        return f"{types[self]}; charset=utf-8"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An item and the feedback on it.

    Attributes:
        image_url: a generated image whole, as a ``data:`` URL; empty where it is left out.
    """

    row: ThreadItem | EarlierItem
    thread: Thread
    feedback: list[Feedback]
    hidden: bool
    image_url: str = ""

    def __post_init__(self) -> None:
        if self.row.redacted_at is not None:
            # Whatever may still stand there, by whatever way it came: nobody reads it here.
            self.row.payload, self.row.text = redacted_payload(), ""

    @property
    def redaction(self) -> dict[str, str] | None:
        if self.row.redacted_at is None:
            return None
        return {
            "at": _moment(self.row.redacted_at),
            "by": self.row.redacted_by,
            "reason": self.row.redaction_reason,
        }

    @property
    def earlier(self) -> dict[str, Any] | None:
        """Which earlier version of what it is part of, if it is one's."""
        if not isinstance(self.row, EarlierItem):
            return None
        return {
            "item": self.row.place,
            "of": self.row.of,
            "version": self.row.number,
            "replaced_at": _moment(self.row.replaced_at),
        }

    def data(self) -> dict[str, Any]:
        """Return the item as the SDK gives it; as it is stored, where the SDK cannot read it."""
        found: dict[str, Any]
        try:
            found = _decoded_item(self.row, self.thread).model_dump(
                mode="json", by_alias=True, exclude_none=True
            )
        except Exception:  # whatever may have come into the table: the other items are still wanted
            found = self._stored() | self.columns()
        for attachment in _dicts(found.get("attachments")):
            # These let in whoever has them.
            attachment.pop("upload_descriptor", None)
            if isinstance(attachment.get("preview_url"), str):
                attachment["preview_url"] = _without_query(attachment["preview_url"])
        if self.image_url:
            found["image"]["url"] = self.image_url
        if self.row.type == "client_tool_call" and not self.hidden:
            found.pop("arguments", None)
            found.pop("output", None)
        return found

    def text(self) -> str:
        """Return what a person reads of the item."""
        if self.redaction is not None:
            return _("This message was removed by a moderator.")
        if self.row.type in HIDDEN_ITEM_TYPES:
            return _readable(self._stored().get("content", ""))
        if self.row.type == "client_tool_call" and self.hidden:
            call = self._stored()
            parts = [self.row.text, _readable(call.get("arguments", {})), _readable(call.get("output", ""))]
            return "\n".join(part for part in parts if part)
        return self.row.text

    def _stored(self) -> dict[str, Any]:
        try:
            stored = original_json(self.row.payload)
        except RecursionError:
            return {}
        return stored if isinstance(stored, dict) else {}

    def columns(self) -> dict[str, Any]:
        """Return the fields that every item has, from the columns of its row."""
        return {
            "id": self.row.public_id,
            "thread_id": self.thread.public_id,
            "created_at": _moment(self.row.created_at),
            "type": self.row.type,
        }


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _without_query(url: str) -> str:
    try:
        return urlunsplit(urlsplit(url)._replace(query="", fragment=""))
    except ValueError:
        return ""


def _readable(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _owner_name(thread: Thread) -> str:
    return str(thread.user.get_username()) if thread.user is not None else thread.owner


# --- Formats ------------------------------------------------------------------------------------------------


class Writer(Protocol):
    """A format: text for the beginning of the file, of a thread, for an item, and where it broke off."""

    def head(self) -> str: ...
    def thread(self, thread: Thread) -> str: ...
    def item(self, entry: Entry) -> str: ...
    def incomplete(self) -> str: ...


def _decoded_item(row: ThreadItem | EarlierItem, thread: Thread) -> Any:
    # Late, since the SDK takes seconds to load, and Django starts without it.
    from ..server import wire
    from ..store import codec

    return wire.with_utc_offset(codec.decode_item(row, thread_id=thread.public_id))


def _decoded_thread(thread: Thread) -> Any:
    # Late, likewise.
    from ..server import wire
    from ..store import codec

    return wire.with_utc_offset(codec.decode_thread(thread))


class JSONLWriter:
    """A line for each thread, followed by a line for each of its items, and for each of their earlier versions."""

    def head(self) -> str:
        return ""

    def thread(self, thread: Thread) -> str:
        try:
            data = _decoded_thread(thread).model_dump(mode="json", exclude_none=True)
        except Exception:  # as with items
            data = {"id": thread.public_id, "title": thread.title, "created_at": _moment(thread.created_at)}
        return self._line(
            kind="thread",
            thread=data,
            owner=thread.owner,
            owner_name=_owner_name(thread),
            namespace=thread.namespace,
            last_activity=_moment(thread.last_activity),
        )

    def item(self, entry: Entry) -> str:
        feedback = [
            {"kind": given.kind, "owner": given.owner, "at": _moment(given.updated_at)}
            for given in entry.feedback
        ]
        kind = "item" if entry.earlier is None else "earlier_item"
        facts = {"feedback": feedback, "redacted": entry.redaction, "earlier": entry.earlier}
        facts = {name: fact for name, fact in facts.items() if fact}
        try:
            return self._line(kind=kind, item=entry.data(), **facts)
        except RecursionError:
            return self._line(kind=kind, item=entry.columns(), **facts)

    def incomplete(self) -> str:
        return self._line(kind="incomplete", error=_incomplete())

    def _line(self, **data: Any) -> str:
        line = json.dumps(data, ensure_ascii=False, default=str)
        return _LINE_END.sub(lambda match: f"\\u{ord(match[0]):04x}", line) + "\n"


class CSVWriter:
    """A row for each item, in a form that spreadsheets read and do not compute.

    A spreadsheet that takes the semicolon for the separator sees cells where there are none, so a formula is defused
    in the middle of a text too, at the beginning of a line and behind a semicolon or a tab.
    """

    COLUMNS = (
        "thread",
        "title",
        "owner",
        "status",
        "item",
        "type",
        "hidden",
        "time",
        "text",
        "feedback",
        "redacted",
        "author",
        "earlier",
    )

    def head(self) -> str:
        # Without the mark, spreadsheets take it for another encoding.
        return "\ufeff" + self._row(self.COLUMNS)

    def thread(self, thread: Thread) -> str:
        return ""

    def item(self, entry: Entry) -> str:
        redaction, earlier = entry.redaction, entry.earlier
        return self._row(
            (
                entry.thread.public_id,
                entry.thread.title,
                _owner_name(entry.thread),
                entry.thread.status,
                entry.row.public_id,
                entry.row.type,
                "yes" if entry.row.type in HIDDEN_ITEM_TYPES else "no",
                _moment(entry.row.created_at),
                entry.text(),
                " ".join(given.kind for given in entry.feedback),
                " ".join(redaction.values()) if redaction else "",
                entry.row.author_name,
                f"{earlier['of']} {earlier['version']}" if earlier else "",
            )
        )

    def incomplete(self) -> str:
        return self._row((_incomplete(),))

    def _row(self, cells: tuple[str, ...]) -> str:
        line = io.StringIO()
        csv.writer(line).writerow([defuse_formula(cell) for cell in cells])
        return line.getvalue()


# What may stand before a formula without keeping a spreadsheet from taking it for one: blanks, quotes, and what
# cannot be seen.
_BLANK = (
    "\x00-\x08\x0b\x0c\x0e-\x20\x7f-\xa0\"'`´‘-‟‹›«»\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f"
    "\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
)
_FORMULA = re.compile(f"(\\A|[\n\r\t;])(?=[{_BLANK}]*[-=+@＝＋－＠﹦﹢﹣﹫])")
_TABBED = re.compile(f"\\A[{_BLANK}]*[\t\r]")


def defuse_formula(cell: str) -> str:
    """Return the cell, with an apostrophe before what a spreadsheet would take for a formula."""
    cell = _FORMULA.sub(r"\1'", cell.replace("\x00", ""))
    return f"'{cell}" if _TABBED.match(cell) else cell


class MarkdownWriter:
    """A transcript to read. What people wrote stands in fences, so that it is no heading, link, image or HTML."""

    TYPES: ClassVar[dict[str, Any]] = dict(ThreadItem.Type.choices)

    def head(self) -> str:
        return f"# {_('Conversations')}\n"

    def thread(self, thread: Thread) -> str:
        facts = {
            _("Title"): thread.title,
            _("Thread"): thread.public_id,
            _("Owner"): _owner_name(thread),
            _("Namespace"): thread.namespace,
            _("Status"): " – ".join(filter(None, (str(thread.get_status_display()), thread.status_reason))),
            _("Created"): _moment(thread.created_at),
            _("Last activity"): _moment(thread.last_activity),
        }
        lines = [f"{name}: {' '.join(value.split())}" for name, value in facts.items() if value]
        return f"\n## {_('Thread')}\n\n{fenced(chr(10).join(lines))}"

    def item(self, entry: Entry) -> str:
        label = self.TYPES.get(entry.row.type, _("item"))
        if entry.row.author_name and entry.row.type == ThreadItem.Type.ASSISTANT_MESSAGE:
            # The name stands in the fence, with what they wrote.
            label = _("message of the team")
        heading = f"{capfirst(str(label))} · {_moment(entry.row.created_at)}"
        notes = [str(given.get_kind_display()) for given in entry.feedback]
        if entry.earlier is not None:
            notes.append(_("earlier version"))
        if entry.row.type in HIDDEN_ITEM_TYPES:
            notes.append(_("hidden from the user"))
        text = entry.text()
        if entry.row.author_name:
            text = f"{entry.row.author_name}:\n{text}"
        if redaction := entry.redaction:
            text += "\n" + " · ".join(filter(None, redaction.values()))
        body = fenced(text) if text else ""
        return f"\n### {heading}\n\n" + (f"({', '.join(notes)})\n\n" if notes else "") + body

    def incomplete(self) -> str:
        return f"\n**{_incomplete()}**\n"


def fenced(text: str) -> str:
    """Return the text between fences that are longer than any in it; control characters do nothing any more."""
    text = _CONTROL.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}\n"


def _incomplete() -> str:
    return _("INCOMPLETE: an error broke this export off here.")


WRITERS: dict[Format, type[Writer]] = {
    Format.JSONL: JSONLWriter,
    Format.CSV: CSVWriter,
    Format.MARKDOWN: MarkdownWriter,
}
