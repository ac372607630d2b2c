"""Plain text of an item, as a person would read it: for lists, searches, titles and exports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chatkit.types import StructuredInputItem, ThreadItem, UserMessageItem, WidgetItem, WorkflowItem

from .staff_message import StaffMessage

_READABLE_WIDGET_KEYS = ("value", "title", "label", "text", "caption", "placeholder", "alt", "children")


def item_text(item: ThreadItem) -> str:
    """Return what a person would read of an item; empty for what is only the model's."""
    return "\n".join(part for part in _readable_parts(item) if part)


def _readable_parts(item: ThreadItem) -> Iterator[str]:
    match item.type:
        case "user_message":
            assert isinstance(item, UserMessageItem)
            yield "".join(f"@{part.text}" if part.type == "input_tag" else part.text for part in item.content)
            yield from (attachment.name for attachment in item.attachments)
        case "assistant_message":
            yield "".join(part.text for part in item.content)
            if isinstance(item, StaffMessage):
                yield from (attachment.name for attachment in item.attachments)
        case "widget":
            assert isinstance(item, WidgetItem)
            yield item.copy_text or "\n".join(_widget_text(item.widget.model_dump(mode="json")))
        case "structured_input":
            assert isinstance(item, StructuredInputItem)
            for question in item.inputs:
                yield question.question
                yield ", ".join(question.answer.values) if question.answer else ""
        case "workflow":
            assert isinstance(item, WorkflowItem)
            yield getattr(item.workflow.summary, "title", None) or ""
            for task in item.workflow.tasks:
                yield task.title or ""
                yield getattr(task, "content", None) or ""
        case "task":
            yield item.task.title or ""
            yield getattr(item.task, "content", None) or ""
        case "client_tool_call":
            yield item.name


def _widget_text(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for child in node:
            if isinstance(child, Mapping):
                yield from _widget_text(child)
    elif isinstance(node, Mapping):
        for key in _READABLE_WIDGET_KEYS:
            if isinstance(node.get(key), (str, list, Mapping)):
                yield from _widget_text(node[key])
