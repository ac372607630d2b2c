"""One thread item of every kind, with every field set: what a store must give back as it was."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chatkit.types import Attachment as SDKAttachment
from chatkit.types import ThreadItem
from chatkit.widgets import WidgetTemplate
from pydantic import TypeAdapter

# What databases, JSON and browsers stumble over: NUL, characters beyond 16 bits or for private use, quotes.
HARD_TEXT = 'NUL \x00, \U0001f600, \uf8ff0000 \uf8ff, \ufffe, \u2028, \\u0000, "quoted", <script>'
HARD_JSON = {
    "\x00key\uf8ff": HARD_TEXT,
    "numbers": [0, -1, 2**63, 10**100, 0.1, 1e-300, 1e23, 1.7976931348623157e308, True],
    "nothing": [None, {}, [], ""],
}

_ITEMS: TypeAdapter[list[ThreadItem]] = TypeAdapter(list[ThreadItem])
_ATTACHMENTS: TypeAdapter[list[SDKAttachment]] = TypeAdapter(list[SDKAttachment])

_SOURCE = {"title": "Title", "description": "About", "timestamp": "2025-01-31", "group": "Group"}
_URL_SOURCE = _SOURCE | {"type": "url", "url": "https://example.com/", "attribution": "Example"}
_FILE_SOURCE = _SOURCE | {"type": "file", "filename": "plan.pdf"}
_ENTITY_SOURCE = _SOURCE | {
    "type": "entity",
    "id": "entity",
    "icon": "star",
    "label": "Label",
    "inline_label": "Inline",
    "interactive": True,
    "data": HARD_JSON,
    "preview": "lazy",
}
_TASKS = [
    {
        "type": "custom",
        "title": "Custom",
        "icon": "bolt",
        "content": HARD_TEXT,
        "status_indicator": "loading",
    },
    {
        "type": "web_search",
        "title": "Search",
        "title_query": "Query",
        "queries": ["one", "two"],
        "sources": [_URL_SOURCE],
        "status_indicator": "complete",
    },
    {"type": "thought", "title": "Thought", "content": "Hm", "status_indicator": "none"},
    {"type": "file", "title": "File", "sources": [_FILE_SOURCE], "status_indicator": "complete"},
    {"type": "image", "title": "Image", "status_indicator": "complete"},
]
_ACTION = {
    "type": "buy",
    "payload": HARD_JSON | {"nothing": []},
    "handler": "client",
    "loadingBehavior": "container",
    "streaming": False,
}
_CHART = {
    "type": "Chart",
    "data": [{"day": "Mon", "sold": 3, "share": 0.5}],
    "series": [
        {"type": "bar", "label": "Sold", "dataKey": "sold", "stack": "a", "color": "blue"},
        {"type": "area", "label": "Share", "dataKey": "share", "curveType": "natural"},
        {"type": "line", "label": "Line", "dataKey": "sold", "color": {"dark": "red", "light": "pink"}},
    ],
    "xAxis": {"dataKey": "day", "hide": True, "labels": {"Mon": "Monday"}},
}
_CARD = {
    "type": "Card",
    "key": "k",
    "id": "i",
    "asForm": True,
    "background": {"dark": "black", "light": "white"},
    "padding": {"x": 1.5, "y": "2rem"},
    "status": {"text": "Ready", "icon": "check"},
    "confirm": {"label": "Yes", "action": _ACTION},
    "children": [
        {"type": "Text", "value": HARD_TEXT, "editable": {"name": "note", "required": True}},
        {"type": "Title", "value": "Title", "size": "3xl"},
        {"type": "Caption", "value": "Caption", "maxLines": 2},
        {"type": "Badge", "label": "New", "pill": True},
        {"type": "Markdown", "value": "**bold**", "streaming": False},
        _CHART,
        {"type": "Box", "direction": "row", "border": {"size": 1, "style": "dashed"}, "children": []},
        {"type": "Row", "gap": 2, "children": [{"type": "Spacer", "minSize": "auto"}]},
        {"type": "Col", "margin": {"top": 1.0}, "children": [{"type": "Divider", "flush": True}]},
        {"type": "Icon", "name": "star", "size": "xl"},
        {"type": "Image", "src": "https://example.com/a.png", "alt": "A", "aspectRatio": 1.5},
        {"type": "Button", "label": "Buy", "onClickAction": _ACTION, "submit": False},
        {
            "type": "Form",
            "onSubmitAction": _ACTION,
            "children": [
                {"type": "Label", "value": "Name", "fieldName": "name"},
                {"type": "Input", "name": "name", "inputType": "email", "pattern": ".+"},
                {"type": "Textarea", "name": "text", "rows": 3},
                {"type": "Checkbox", "name": "ok", "defaultChecked": True},
                {"type": "Select", "name": "s", "options": [{"value": "a", "label": "A", "disabled": True}]},
                {"type": "RadioGroup", "name": "r", "options": [{"value": "a", "label": "A"}]},
                {"type": "DatePicker", "name": "d", "min": "2025-01-31T12:00:00+01:00"},
            ],
        },
        {"type": "Transition", "children": {"type": "Text", "value": "moving"}},
        {"type": "FromTheFuture", "unknown": {"field": [1]}},
    ],
}
_LIST_VIEW = {
    "type": "ListView",
    "limit": "auto",
    "status": {"text": "Shop", "favicon": "https://example.com/icon.png", "frame": True},
    "children": [
        {"type": "ListViewItem", "onClickAction": _ACTION, "children": [{"type": "Text", "value": "row"}]}
    ],
}
_BASIC = {"type": "Basic", "children": {"type": "Text", "value": "basic", "unknown": 1}, "unknown": "x"}
_TEMPLATE = """
    {"type": "Card", "unknown": {"field": [1]}, "children": [
        {"type": "Text", "value": {{ (text) | tojson }}, "unknown": true},
        {"type": "Row", "children": {"type": "Button", "label": "Go", "unknown": "x"}}
    ]}
"""


def sample_attachments(*, thread_id: str | None = None) -> list[SDKAttachment]:
    """Return a file and an image, with every field set."""
    shared = {
        "thread_id": thread_id,
        "upload_descriptor": {
            "url": "https://example.com/upload?x=1",
            "method": "PUT",
            "headers": {"X-Token": HARD_TEXT},
        },
        "metadata": HARD_JSON,
    }
    file = {"type": "file", "id": "atc_file", "name": "plan \U0001f600.pdf", "mime_type": "application/pdf"}
    image = {
        "type": "image",
        "id": "atc_image",
        "name": "photo.png",
        "mime_type": "image/png",
        "preview_url": "https://example.com/photo.png?size=1",
    }
    return _ATTACHMENTS.validate_python([shared | file, shared | image])


def sample_items(*, thread_id: str) -> list[ThreadItem]:
    """Return items of all 11 types; of every kind of content, source, task, question and widget there is."""
    contents: list[dict[str, Any]] = [
        {
            "type": "user_message",
            "content": [
                {"type": "input_text", "text": HARD_TEXT},
                {
                    "type": "input_tag",
                    "id": "tag",
                    "text": "Tag",
                    "data": HARD_JSON,
                    "group": "Group",
                    "interactive": True,
                },
            ],
            "attachments": sample_attachments(thread_id=thread_id),
            "quoted_text": HARD_TEXT,
            "inference_options": {"tool_choice": {"id": "tool"}, "model": "model"},
        },
        {
            "type": "assistant_message",
            "content": [
                {
                    "type": "output_text",
                    "text": HARD_TEXT,
                    "annotations": [
                        {"type": "annotation", "source": source, "index": index}
                        for index, source in enumerate((_URL_SOURCE, _FILE_SOURCE, _ENTITY_SOURCE))
                    ],
                },
                {"type": "output_text", "text": "", "annotations": []},
            ],
        },
        {
            "type": "client_tool_call",
            "status": "completed",
            "call_id": "call",
            "name": "locate",
            "arguments": HARD_JSON,
            "output": HARD_JSON,
        },
        {
            "type": "client_tool_call",
            "status": "pending",
            "call_id": "call",
            "name": "locate",
            "arguments": {},
            "output": None,
        },
        {"type": "generated_image", "image": {"id": "image", "url": "https://example.com/image.png"}},
        {"type": "generated_image", "image": None},
        {
            "type": "structured_input",
            "status": "answered",
            "inputs": [
                {
                    "type": "multiple_choice",
                    "id": "colour",
                    "question": HARD_TEXT,
                    "answer": {"values": ["red", "blue"], "skipped": False},
                    "options": [{"value": "red"}, {"value": "blue"}],
                    "multiple": True,
                },
                {
                    "type": "freeform",
                    "id": "why",
                    "question": "Why?",
                    "answer": {"values": [], "skipped": True},
                    "description": "In your own words",
                },
            ],
        },
        {
            "type": "workflow",
            "workflow": {
                "type": "custom",
                "tasks": _TASKS,
                "summary": {"title": HARD_TEXT, "icon": "bolt"},
                "expanded": True,
            },
        },
        {
            "type": "workflow",
            "workflow": {"type": "reasoning", "tasks": [], "summary": {"duration": 7}, "expanded": False},
        },
        *({"type": "task", "task": task} for task in _TASKS),
        {"type": "hidden_context_item", "content": HARD_JSON},
        {"type": "hidden_context_item", "content": None},
        {"type": "sdk_hidden_context", "content": HARD_TEXT},
        {"type": "end_of_turn"},
        {"type": "widget", "widget": _CARD, "copy_text": HARD_TEXT},
        {"type": "widget", "widget": _LIST_VIEW, "copy_text": None},
        {"type": "widget", "widget": _BASIC, "copy_text": ""},
    ]
    template = WidgetTemplate({"version": "1.0", "name": "sample", "template": _TEMPLATE})
    contents.append({"type": "widget", "widget": template.build({"text": HARD_TEXT}), "copy_text": None})
    base = {"thread_id": thread_id, "created_at": datetime(2025, 1, 31, 23, 59, 59, 999999)}
    return _ITEMS.validate_python(
        [base | content | {"id": f"item_{index}"} for index, content in enumerate(contents)]
    )
