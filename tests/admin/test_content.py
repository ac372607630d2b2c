from typing import Any

import pytest

from chatkit_app.admin.content import describe, long_text, raw, shorten, visible
from chatkit_app.models import ThreadItem


def read(item_type: str, payload: Any) -> list[tuple[str, str]]:
    return [(part.label, part.text.head) for part in describe(item_type, payload)]


def test_user_message_shows_tags_quote_attachments_and_choices() -> None:
    payload = {
        "content": [
            {"type": "input_text", "text": "Where is "},
            {"type": "input_tag", "id": "order_7", "text": "Order 7", "data": {}},
        ],
        "quoted_text": "It was sent.",
        "attachments": [{"type": "image", "name": "a.svg", "mime_type": "image/svg+xml"}],
        "inference_options": {"model": "large", "tool_choice": {"id": "track"}},
    }
    assert read("user_message", payload) == [
        ("Quoted", "It was sent."),
        ("", "Where is @Order 7"),
        ("@Order 7", '{\n  "id": "order_7"\n}'),
        ("Attachment", "a.svg (image/svg+xml)"),
        ("Chosen model", "large"),
        ("Chosen tool", "track"),
    ]


def test_assistant_message_shows_its_sources() -> None:
    source = {"type": "url", "title": "Terms", "url": "javascript:alert(1)"}
    payload = {"content": [{"text": "Yes.", "annotations": [{"source": source}]}]}
    assert read("assistant_message", payload) == [("", "Yes."), ("Source", "Terms — javascript:alert(1)")]


def test_client_tool_call_shows_arguments_and_result() -> None:
    payload = {"name": "locate", "status": "completed", "arguments": {"city": True}, "output": "Köln"}
    assert read("client_tool_call", payload) == [
        ("Tool", "locate"),
        ("Status", "completed"),
        ("Arguments", '{\n  "city": true\n}'),
        ("Result", "Köln"),
    ]


def test_widget_is_shown_as_an_outline() -> None:
    widget = {
        "type": "Card",
        "children": [
            {"type": "Text", "value": "Hello", "size": "lg"},
            {"type": "Row", "children": [{"type": "Image", "src": "https://e.example/p.png", "alt": "Map"}]},
            {"type": "Button", "label": "Go", "onClickAction": {"type": "go", "payload": {}}},
        ],
        "confirm": {"label": "Save", "action": {"type": "save"}},
    }
    assert read("widget", {"widget": widget}) == [
        (
            "",
            "Card\n"
            "  confirm: Save | action → save\n"
            "  Text: Hello\n"
            "  Row\n"
            "    Image: Map | src: https://e.example/p.png\n"
            "  Button: Go | onClickAction → go",
        )
    ]


def test_widget_nested_too_deep_is_cut() -> None:
    widget: dict[str, Any] = {"type": "Text", "value": "bottom"}
    for _ in range(100):
        widget = {"type": "Box", "children": [widget]}
    (part,) = describe("widget", {"widget": widget})
    assert part.text.head.splitlines()[-1].strip() == "…"
    assert "bottom" not in part.text.head


def test_generated_image_is_an_address() -> None:
    payload = {"image": {"id": "i", "url": "https://e.example/a.png"}}
    assert read("generated_image", payload) == [
        ("Address of the image (not loaded)", "https://e.example/a.png")
    ]


def test_generated_image_without_an_image_says_so() -> None:
    assert read("generated_image", {"image": None}) == [("", "No image yet.")]


def test_structured_input_shows_questions_and_answers() -> None:
    payload = {
        "status": "answered",
        "inputs": [
            {
                "question": "When?",
                "options": [{"value": "am"}, {"value": "pm"}],
                "answer": {"values": ["pm"]},
            },
            {"question": "Why?", "description": "In short", "answer": {"skipped": True}},
            {"question": "Who?", "answer": None},
        ],
    }
    assert read("structured_input", payload) == [
        ("Status", "answered"),
        ("Question", "When?"),
        ("Choices", "am · pm"),
        ("Answer", "pm"),
        ("Question", "Why?"),
        ("", "In short"),
        ("Answer", "skipped"),
        ("Question", "Who?"),
    ]


def test_workflow_shows_summary_and_tasks() -> None:
    payload = {
        "workflow": {
            "summary": {"duration": 12},
            "tasks": [
                {
                    "type": "web_search",
                    "title": "Search",
                    "queries": ["q"],
                    "sources": [{"title": "T", "url": "u"}],
                },
                {"type": "thought", "content": "Hm.", "status_indicator": "loading"},
            ],
        }
    }
    assert read("workflow", payload) == [
        ("Duration", "12 s"),
        ("Web search", "Search\n“q”\n• T — u"),
        ("Thought (not finished)", "Hm."),
    ]


def test_task_shows_its_files() -> None:
    payload = {"task": {"type": "file", "title": "Read", "sources": [{"title": "T", "filename": "t.pdf"}]}}
    assert read("task", payload) == [("Files", "Read\n• T — t.pdf")]


@pytest.mark.parametrize("item_type", ["hidden_context_item", "sdk_hidden_context"])
def test_hidden_context_is_shown(item_type: str) -> None:
    assert read(item_type, {"content": "The user is premium."}) == [("", "The user is premium.")]


def test_hidden_context_that_is_no_text_is_json() -> None:
    assert read("hidden_context_item", {"content": {"a": 1}}) == [("", '{\n  "a": 1\n}')]


def test_end_of_turn_says_nothing() -> None:
    assert read("end_of_turn", {}) == []


def test_unknown_type_is_json() -> None:
    assert read("hologram", {"a": [1]}) == [("", '{\n  "a": [\n    1\n  ]\n}')]


KNOWN_TYPES = ThreadItem.Type.values
NONSENSE: list[Any] = [None, 7, "x", [], [[]], {}, {"content": 7}, {"content": [7, None]}]
NONSENSE += [
    {key: value} for key in ("widget", "workflow", "task", "image", "inputs") for value in (7, [7], {"x": 7})
]


@pytest.mark.parametrize("item_type", KNOWN_TYPES)
@pytest.mark.parametrize("payload", NONSENSE)
def test_payload_of_any_shape_is_described(item_type: str, payload: Any) -> None:
    assert isinstance(describe(item_type, payload), list)
    assert isinstance(raw(payload), str)


def test_payload_nested_beyond_the_stack_is_told() -> None:
    payload: Any = {}
    for _ in range(5000):
        payload = {"children": [payload]}
    assert read("widget", payload) == [("", "This data cannot be shown.")]
    assert raw(payload) == "This data cannot be shown."


def test_escaped_nul_is_shown_as_what_it_was() -> None:
    payload = {"content": [{"text": "a\uf8ff0000b"}]}
    assert read("assistant_message", payload) == [("", "a[U+0000]b")]


def test_escaped_surrogate_can_be_encoded() -> None:
    payload = {"content": [{"text": "a\uf8ffd800b"}]}
    assert read("assistant_message", payload) == [("", "a[U+D800]b")]


def test_bidi_overrides_are_shown() -> None:
    assert visible("photo\u202egpj.exe\u2066") == "photo[U+202E]gpj.exe[U+2066]"


def test_line_breaks_and_right_to_left_text_stay() -> None:
    assert visible("שלום\n\tمرحبا\r\n\u200f") == "שלום\n\tمرحبا\r\n\u200f"


def test_short_text_is_shown_whole() -> None:
    text = long_text("Hello")
    assert (text.head, text.full, text.length, text.is_cut) == ("Hello", "", 5, False)


def test_long_text_has_a_head_and_the_rest() -> None:
    text = long_text("x" * 3000)
    assert (text.head, text.full, text.length, text.is_cut) == ("x" * 2000 + "…", "x" * 3000, 3000, False)


def test_text_of_many_lines_has_a_head() -> None:
    text = long_text("x\n" * 100)
    assert (text.head, len(text.full)) == ("x\n" * 39 + "x…", 200)


def test_text_of_a_megabyte_is_cut() -> None:
    text = long_text("x" * 1_000_000)
    assert (len(text.head), len(text.full), text.length, text.is_cut) == (2001, 20_000, 1_000_000, True)


def test_shorten_makes_one_line() -> None:
    assert shorten("a\n\n  b " + "c" * 200, 10) == "a b ccccc…"
