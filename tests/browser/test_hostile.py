"""What a hostile server, or a model that is told to be one, may send: nothing runs, and the rest stays readable."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import pytest_asyncio
from chatkit.types import ThreadItem
from playwright.async_api import ConsoleMessage, Page, expect
from pydantic import TypeAdapter

from chatkit_app.testing.sample_items import sample_items

from .site import Site, assistant, user
from .test_items import open_thread

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]


@pytest_asyncio.fixture(loop_scope="package")
async def page(reused_page: Page) -> Page:
    return reused_page


REMOVED = object()
TEXTS = {
    "markup": (
        '<img src=x onerror="window.pwned = 1"></style></script><script>window.pwned = 1</script>'
        "[x](javascript:window.pwned=1) ![x](https://evil.example/x.png) \u202egpj.exe\u2066\u2067 \ud800 \udc00\ud83d"
    ),
    "javascript": "javascript:window.pwned=1",
    "data": "data:text/html,<script>window.pwned=1</script>",
    "site": "https://evil.example/x.png",
    "style": "red; background: url(https://evil.example/x.png)",
    "prototype": "__proto__",
}
OTHERS = {
    "null": None,
    "number": 7,
    "list": [None, 7, [[]], {}],
    "object": {},
    "true": True,
    "empty": "",
    "removed": REMOVED,
}
#: What a megabyte is tried with.
LONG = ("text", "title", "content", "question", "value", "name", "description", "quoted_text", "label", "url")
#: What may be anything, and is passed on as it is.
OPAQUE = ("data", "payload", "arguments", "output", "metadata", "labels")

ITEMS: list[dict[str, Any]] = TypeAdapter(list[ThreadItem]).dump_python(
    sample_items(thread_id=""), mode="json", exclude_none=True, exclude={"__all__": {"id", "thread_id"}}
)
CARD = next(item for item in ITEMS if item.get("widget", {}).get("type") == "Card")
SAMPLES = [
    *(item for item in ITEMS if item is not CARD),
    CARD | {"widget": CARD["widget"] | {"children": []}},
    *(CARD | {"widget": {"type": "Card", "children": [child]}} for child in CARD["widget"]["children"]),
]
LOOK_INSIDE = """
() => {
  const root = document.querySelector("openai-chatkit").shadowRoot;
  for (const node of root.querySelectorAll("summary, .toggle, button.citation, .item a")) {
    node.dispatchEvent(new PointerEvent("pointerenter"));
    if (node.tagName !== "A") node.click();
  }
  return {
    pwned: window.pwned ?? null,
    links: [...new Set([...root.querySelectorAll("[href]")].map(({protocol}) => protocol))].sort(),
    scripts: root.querySelectorAll("script, iframe, object, embed, [onerror], [onload]").length,
  };
}
"""


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to everything in a value."""
    if path:
        yield path
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        if path[-1:] not in [(key,) for key in OPAQUE]:
            yield from paths_of(child, (*path, key))


def with_value(value: Any, path: tuple[Any, ...], replacement: Any) -> Any:
    changed = copy.deepcopy(value)
    parent = changed
    for key in path[:-1]:
        parent = parent[key]
    if replacement is REMOVED:
        del parent[path[-1]]
    else:
        parent[path[-1]] = replacement
    return changed


def value_at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def variants(samples: list[dict[str, Any]], replacement: Any, *, texts_only: bool) -> list[dict[str, Any]]:
    """Every sample with each of its fields replaced, one at a time."""
    return [
        with_value(sample, path, replacement)
        for sample in samples
        for path in paths_of(sample)
        if not (texts_only and not isinstance(value_at(sample, path), str))
        if not (texts_only and path[-1] == "type")
    ]


class Witness:
    """What a page did that it should not have done."""

    def __init__(self, page: Page) -> None:
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.dialogs: list[str] = []
        self.page = page
        page.on("console", self._hear)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("dialog", lambda dialog: self.dialogs.append(dialog.message))

    def _hear(self, told: ConsoleMessage) -> None:
        # An image of the site itself that is not there does no harm.
        if told.type == "error" and not told.text.startswith("Failed to load resource"):
            self.errors.append(told.text)

    async def swears(self) -> None:
        found = await self.page.evaluate(LOOK_INSIDE)
        assert found["pwned"] is None
        assert found["scripts"] == 0
        assert set(found["links"]) <= {
            "http:",
            "https:",
            "mailto:",
            "tel:",
            "chatkit-link:",
            "data:",
            "blob:",
        }
        assert [
            url for url in self.requests if not url.startswith(("http://localhost:", "data:", "blob:"))
        ] == []
        assert self.dialogs == []
        assert self.errors == []


async def show(page: Page, pages: Site, items: list[dict[str, Any]]) -> None:
    """Open a thread of these items, and wait for the ordinary one after them."""
    witness = Witness(page)
    await open_thread(page, pages, user("Ready?"), *items, user("And now?"), assistant("Still here."))
    last = page.locator("openai-chatkit .item").last
    await expect(last).to_have_text("AssistantStill here.")
    await witness.swears()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
async def test_text_of_an_item_is_only_text(text: str, page: Page, pages: Site):
    await show(page, pages, variants(SAMPLES, text, texts_only=True))


@pytest.mark.parametrize("value", OTHERS.values(), ids=OTHERS.keys())
async def test_item_with_a_wrong_value_leaves_the_rest_readable(value: Any, page: Page, pages: Site):
    await show(page, pages, variants(SAMPLES, value, texts_only=False))


async def test_text_of_a_megabyte_leaves_the_rest_readable(page: Page, pages: Site):
    # Each of these fields once in each type of item.
    longest = {
        (item["type"], path[-1]): with_value(item, path, "x" * 1_000_000)
        for item in SAMPLES
        if item["type"] != "workflow"  # its tasks are those of tasks
        for path in paths_of(item)
        if path[-1] in LONG and isinstance(value_at(item, path), str)
    }
    await show(page, pages, [*longest.values()])


# Streams

TASK = {"type": "custom", "title": "Task", "content": "Content", "status_indicator": "loading"}
PART = {"type": "output_text", "text": "Text", "annotations": []}
SOURCE = {"type": "url", "url": "https://example.com/", "title": "Title"}
UPDATES: list[tuple[str, dict[str, Any]]] = [
    ("message", {"type": "assistant_message.content_part.added", "content_index": 0, "content": PART}),
    ("message", {"type": "assistant_message.content_part.text_delta", "content_index": 0, "delta": "More"}),
    (
        "message",
        {
            "type": "assistant_message.content_part.annotation_added",
            "content_index": 0,
            "annotation_index": 0,
            "annotation": {"type": "annotation", "index": 1, "source": SOURCE},
        },
    ),
    ("message", {"type": "assistant_message.content_part.done", "content_index": 0, "content": PART}),
    ("workflow", {"type": "workflow.task.added", "task_index": 0, "task": TASK}),
    ("workflow", {"type": "workflow.task.updated", "task_index": 0, "task": TASK}),
    ("image", {"type": "generated_image.updated", "image": {"id": "i", "url": "data:,"}, "progress": 0.5}),
    (
        "widget",
        {"type": "widget.streaming_text.value_delta", "component_id": "t", "delta": "x", "done": False},
    ),
    (
        "widget",
        {
            "type": "widget.component.updated",
            "component_id": "t",
            "component": {"type": "Text", "id": "t", "value": "x"},
        },
    ),
    ("widget", {"type": "widget.root.updated", "widget": {"type": "Card", "children": []}}),
]
EVENTS: list[dict[str, Any]] = [
    *({"type": "thread.item.updated", "item_id": item, "update": update} for item, update in UPDATES),
    {"type": "progress_update", "text": "Working", "icon": "bolt"},
    {"type": "notice", "level": "info", "message": "**Note**", "title": "Title"},
    {"type": "client_effect", "name": "effect", "data": {}},
    {"type": "stream_options", "stream_options": {"allow_cancel": True}},
    {"type": "thread.item.removed", "item_id": "nothing"},
]
STARTED: list[dict[str, Any]] = [
    {"type": "thread.item.added", "item": assistant("Hello") | {"id": "message"}},
    {
        "type": "thread.item.added",
        "item": {"id": "workflow", "type": "workflow", "workflow": {"type": "custom", "tasks": [TASK]}},
    },
    {"type": "thread.item.added", "item": {"id": "image", "type": "generated_image"}},
    {
        "type": "thread.item.added",
        "item": {
            "id": "widget",
            "type": "widget",
            "widget": {"type": "Card", "children": [{"type": "Text", "id": "t", "value": ""}]},
        },
    },
]


async def test_stream_with_wrong_values_goes_on(page: Page, pages: Site):
    texts = [event for text in TEXTS.values() for event in variants(EVENTS, text, texts_only=True)]
    others = [event for value in OTHERS.values() for event in variants(EVENTS, value, texts_only=False)]
    done = {"type": "thread.item.done", "item": assistant("Still here.")}
    pages.script("go", *STARTED, *texts, *others, done)
    witness = Witness(page)
    await page.goto("/")
    await page.get_by_role("textbox").fill("go")
    await page.get_by_role("textbox").press("Enter")
    await expect(page.get_by_text("Still here.", exact=True)).to_be_visible(timeout=30_000)
    await witness.swears()
