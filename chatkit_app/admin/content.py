"""What an item says, as plain text for staff.

Nothing here is HTML, a link or an image: whatever a conversation holds, templates escape it like other text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from django.utils.translation import gettext as _

HEAD_LENGTH = 2_000
HEAD_LINES = 40
FULL_LENGTH = 20_000
MAX_DEPTH = 30

# Control characters, halves of surrogate pairs, and the bidi overrides that make text read as something else.
_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """Text whose control characters can be seen and do nothing: a NUL reads ``[U+0000]``."""
    return _INVISIBLE.sub(lambda match: f"[U+{ord(match[0]):04X}]", text)


def shorten(text: str, length: int = 100) -> str:
    """One line of at most ``length`` characters, for lists and headings."""
    line = visible(" ".join(text[: length * 4].split()))
    return line if len(line) <= length else line[: length - 1] + "…"


def pretty_json(value: Any) -> str:
    """JSON as a person reads it."""
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


@dataclass(frozen=True, kw_only=True)
class Part:
    """One labelled piece of an item."""

    text: LongText
    label: str = ""
    kind: Literal["text", "quote", "code", "note"] = "text"


def describe(item_type: str, payload: Any) -> list[Part]:
    """The readable parts of an item of any type, also of one that this version does not know.

    Args:
        item_type: the item's ``type``.
        payload: its ``payload``, as stored. Any JSON is taken; what has an unexpected shape is shown as JSON.
    """
    try:
        content = _original_json(payload)
        read = _READERS.get(item_type)
        if read is None or not isinstance(content, Mapping):
            return [_part(pretty_json(content), kind="code")]
        return [part for part in read(content) if part.text.length]
    except RecursionError:
        return [_part(_("This data cannot be shown."), kind="note")]


def raw(payload: Any) -> str:
    """The stored data, as JSON."""
    try:
        return pretty_json(_original_json(payload))
    except RecursionError:
        return _("This data cannot be shown.")


def _original_json(payload: Any) -> Any:
    # Imported late: the codec brings the SDK, and the admin is loaded by every management command.
    from ..codec import original_json

    return original_json(payload)


def _part(text: str, label: str = "", kind: Literal["text", "quote", "code", "note"] = "text") -> Part:
    return Part(text=long_text(text), label=label, kind=kind)


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def _string(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else pretty_json(value)


def _strings(value: Any) -> list[str]:
    return [_string(entry) for entry in value] if isinstance(value, list) else []


def _user_message(content: Mapping[str, Any]) -> Iterator[Part]:
    yield _part(_string(content.get("quoted_text")), label=_("Quoted"), kind="quote")
    yield _part(
        "".join(
            ("@" if part.get("type") == "input_tag" else "") + _string(part.get("text"))
            for part in _dicts(content.get("content"))
        )
    )
    for tag in _dicts(content.get("content")):
        if tag.get("type") == "input_tag":
            details = {key: tag[key] for key in ("id", "group", "data") if tag.get(key)}
            yield _part(pretty_json(details), label=f"@{shorten(_string(tag.get('text')))}", kind="code")
    for attachment in _dicts(content.get("attachments")):
        yield _part(
            f"{_string(attachment.get('name'))} ({_string(attachment.get('mime_type'))})",
            label=_("Attachment"),
            kind="note",
        )
    options = _dict(content.get("inference_options"))
    yield _part(_string(options.get("model")), label=_("Chosen model"), kind="note")
    yield _part(_string(_dict(options.get("tool_choice")).get("id")), label=_("Chosen tool"), kind="note")


def _assistant_message(content: Mapping[str, Any]) -> Iterator[Part]:
    for part in _dicts(content.get("content")):
        yield _part(_string(part.get("text")))
        for annotation in _dicts(part.get("annotations")):
            yield _part(_source(_dict(annotation.get("source"))), label=_("Source"), kind="note")


def _source(source: Mapping[str, Any]) -> str:
    place = source.get("url") or source.get("filename") or source.get("id")
    return " — ".join(filter(None, (_string(source.get("title")), _string(place))))


def _client_tool_call(content: Mapping[str, Any]) -> Iterator[Part]:
    yield _part(_string(content.get("name")), label=_("Tool"))
    yield _part(_string(content.get("status")), label=_("Status"), kind="note")
    yield _part(pretty_json(content.get("arguments")), label=_("Arguments"), kind="code")
    if content.get("output") is not None:
        yield _part(_string(content["output"]), label=_("Result"), kind="code")


def _generated_image(content: Mapping[str, Any]) -> Iterator[Part]:
    url = _string(_dict(content.get("image")).get("url"))
    yield _part(url or _("No image yet."), label=_("Address of the image (not loaded)") if url else "")


def _structured_input(content: Mapping[str, Any]) -> Iterator[Part]:
    yield _part(_string(content.get("status")), label=_("Status"), kind="note")
    for question in _dicts(content.get("inputs")):
        yield _part(_string(question.get("question")), label=_("Question"))
        yield _part(_string(question.get("description")), kind="note")
        options = [_string(option.get("value")) for option in _dicts(question.get("options"))]
        yield _part(" · ".join(options), label=_("Choices"), kind="note")
        answer = _dict(question.get("answer"))
        if answer.get("skipped"):
            yield _part(_("skipped"), label=_("Answer"))
        elif answer:
            yield _part("\n".join(_strings(answer.get("values"))), label=_("Answer"))


def _task(task: Mapping[str, Any]) -> Iterator[Part]:
    labels = {
        "web_search": _("Web search"),
        "thought": _("Thought"),
        "file": _("Files"),
        "image": _("Image"),
    }
    label = labels.get(_string(task.get("type")), _("Task"))
    if task.get("status_indicator") == "loading":
        label = _("%(label)s (not finished)") % {"label": label}
    lines = [_string(task.get("title")) or _string(task.get("title_query")), _string(task.get("content"))]
    lines += [f"“{query}”" for query in _strings(task.get("queries"))]
    lines += [f"• {_source(source)}" for source in _dicts(task.get("sources"))]
    yield _part("\n".join(line for line in lines if line) or "—", label=label)


def _workflow(content: Mapping[str, Any]) -> Iterator[Part]:
    workflow = _dict(content.get("workflow"))
    summary = _dict(workflow.get("summary"))
    yield _part(_string(summary.get("title")), label=_("Summary"))
    if isinstance(summary.get("duration"), int):
        yield _part(_("%(seconds)d s") % {"seconds": summary["duration"]}, label=_("Duration"), kind="note")
    for task in _dicts(workflow.get("tasks")):
        yield from _task(task)


def _hidden_context(content: Mapping[str, Any]) -> Iterator[Part]:
    yield _part(
        _string(content.get("content")), kind="text" if isinstance(content.get("content"), str) else "code"
    )


def _end_of_turn(content: Mapping[str, Any]) -> Iterator[Part]:
    return iter(())


def _widget(content: Mapping[str, Any]) -> Iterator[Part]:
    yield _part("\n".join(_outline(content.get("widget"))), kind="code")


# What a person reads of a widget's component; the rest is looks, and in the raw data.
_COMPONENT_TEXT = ("value", "label", "title", "text", "alt", "placeholder", "name", "src", "url", "code")
_COMPONENT_PARTS = ("status", "confirm", "cancel", "options", "children", "data")


def _outline(node: Any, depth: int = 0, label: str = "") -> Iterator[str]:
    """A widget's components, one per line, indented as they are nested."""
    indent = "  " * depth
    if depth > MAX_DEPTH:
        yield f"{indent}…"
    elif isinstance(node, list):
        for child in node:
            yield from _outline(child, depth)
    elif isinstance(node, Mapping):
        texts = [
            f"{key}: {_string(node[key])}"
            if key in ("placeholder", "name", "src", "url")
            else _string(node[key])
            for key in _COMPONENT_TEXT
            if node.get(key) not in (None, "")
        ]
        actions = [
            f"{key} → {shorten(_string(_dict(action).get('type')))}"
            for key, action in node.items()
            if key.lower().endswith("action") and isinstance(action, Mapping)
        ]
        heading = _string(node.get("type")) or label
        yield indent + ": ".join(filter(None, (heading, " | ".join(texts + actions))))
        for key in _COMPONENT_PARTS:
            yield from _outline(node.get(key), depth + 1, label=key)
    elif node is not None:
        yield f"{indent}{_string(node)}"


_READERS = {
    "user_message": _user_message,
    "assistant_message": _assistant_message,
    "client_tool_call": _client_tool_call,
    "widget": _widget,
    "generated_image": _generated_image,
    "structured_input": _structured_input,
    "workflow": _workflow,
    "task": lambda content: _task(_dict(content.get("task"))),
    "hidden_context_item": _hidden_context,
    "sdk_hidden_context": _hidden_context,
    "end_of_turn": _end_of_turn,
}
