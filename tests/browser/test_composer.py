"""The composer: tools, models, quotations, what the page puts into it, and how it fits."""

from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from .site import Site, user
from .waiting import eventually, say

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

CHAT = "document.querySelector('openai-chatkit')"
TOOLS: list[dict[str, Any]] = [
    {
        "id": "web",
        "label": "Search the web",
        "shortLabel": "Web",
        "icon": "globe",
        "placeholderOverride": "Search for",
    },
    {"id": "draw", "label": "Draw an image", "icon": "images", "pinned": True, "persistent": True},
]
MODELS: list[dict[str, Any]] = [
    {"id": "old", "label": "Old", "disabled": True},
    {"id": "small", "label": "Small"},
    {"id": "big", "label": "Big", "description": "Thinks longer"},
]
AFTER_SEARCH = 300
"""Milliseconds after which what is typed would have been looked up."""
EVERYTHING = """(options) => {
    options.api.uploadStrategy = {type: "direct", uploadUrl: "/upload"};
    options.composer = {...options.composer, attachments: {enabled: true}};
    options.entities = {showComposerMenu: true, onTagSearch: async () => []};
}"""


def box(page: Page) -> Locator:
    return page.get_by_role("textbox")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


async def configure(page: Page, function: str) -> None:
    """Let a function of the page set options that are no JSON, and keep the events in ``window.events``."""
    await page.add_init_script(
        f"""(window.chatkitConfigure ??= []).push({function});
        window.events = [];
        for (const name of ["chatkit.tool.change", "chatkit.log"]) {{
            document.addEventListener(name, ({{detail}}) => events.push(detail), true);
        }}"""
    )


async def set_value(page: Page, value: dict[str, Any]) -> None:
    await page.evaluate(f"(value) => {CHAT}.setComposerValue(value)", value)


async def sent(pages: Site, count: int = 1) -> dict[str, Any]:
    """The message that was sent last, once so many have been."""
    names = ("threads.create", "threads.add_user_message")
    requests: list[dict[str, Any]] = await eventually(
        lambda: [params["input"] for name, params, _ in pages.requests if name in names][count - 1 :]
    )
    return requests[0]


async def tool_changes(page: Page) -> list[Any]:
    changes: list[Any] = await page.evaluate(
        "events.filter((event) => 'toolId' in event).map((event) => event.toolId)"
    )
    return changes


# Tools


async def test_tool_from_the_menu_goes_with_one_message(page: Page, pages: Site):
    pages.chats = [{"options": {"composer": {"tools": TOOLS}}}]
    await configure(page, "() => {}")
    await page.goto("/")
    await button(page, "Files and tools").click()
    await expect(page.get_by_role("menuitemradio")).to_have_text(["Search the web"])
    await page.get_by_role("menuitemradio", name="Search the web").click()
    await expect(box(page)).to_be_focused()
    await expect(box(page)).to_have_attribute("placeholder", "Search for")
    await expect(button(page, "Web")).to_have_attribute("aria-pressed", "true")
    await box(page).fill("hello")
    await box(page).press("Enter")
    assert (await sent(pages))["inference_options"] == {"tool_choice": {"id": "web"}}
    await expect(button(page, "Web")).to_be_hidden()
    await expect(box(page)).to_have_attribute("placeholder", "Message the AI")
    assert await tool_changes(page) == ["web", None]


async def test_pinned_tool_is_a_button_and_a_persistent_one_stays(page: Page, pages: Site):
    pages.chats = [{"options": {"composer": {"tools": TOOLS[1:]}}}]
    await page.goto("/")
    await expect(button(page, "Files and tools")).to_be_hidden()
    await button(page, "Draw an image").click()
    await box(page).fill("hello")
    await box(page).press("Enter")
    assert (await sent(pages))["inference_options"] == {"tool_choice": {"id": "draw"}}
    await expect(button(page, "Draw an image")).to_have_attribute("aria-pressed", "true")
    await button(page, "Draw an image").press("Enter")
    await expect(button(page, "Draw an image")).to_have_attribute("aria-pressed", "false")
    await expect(box(page)).to_be_focused()


async def test_only_one_tool_is_chosen_at_a_time(page: Page, pages: Site):
    pages.chats = [{"options": {"composer": {"tools": TOOLS}}}]
    await configure(page, "() => {}")
    await page.goto("/")
    await button(page, "Draw an image").click()
    await set_value(page, {"selectedToolId": "web"})
    await expect(button(page, "Draw an image")).to_have_attribute("aria-pressed", "false")
    await set_value(page, {"selectedToolId": "unheard of"})
    await set_value(page, {"selectedToolId": None})
    assert await tool_changes(page) == ["draw", "web", None]


async def test_tool_that_new_options_lack_is_chosen_no_more(page: Page, pages: Site):
    pages.chats = [{"options": {"composer": {"tools": TOOLS}}}]
    await configure(page, "(options) => { window.options = options; }")
    await page.goto("/")
    await box(page).fill("a draft")
    await set_value(page, {"selectedToolId": "web"})
    await page.evaluate(f"{CHAT}.setOptions({{...options, composer: {{}}}})")
    assert await tool_changes(page) == ["web", None]
    await expect(box(page)).to_have_value("a draft")


# Models


async def test_first_model_that_is_enabled_is_sent_until_another_is_chosen(page: Page, pages: Site):
    pages.chats = [{"options": {"composer": {"models": MODELS}}}]
    await page.goto("/")
    await box(page).fill("hello")
    await box(page).press("Enter")
    assert (await sent(pages))["inference_options"] == {"model": "small"}
    await button(page, "Model: Small").click()
    await expect(page.get_by_role("menuitemradio", name="Old")).to_have_attribute("aria-disabled", "true")
    await page.get_by_role("menuitemradio", name="Big").click()
    await say(page, "again")
    assert (await sent(pages, 2))["inference_options"] == {"model": "big"}
    await expect(button(page, "Model: Big")).to_be_visible()


async def test_default_model_is_chosen_and_the_page_can_choose_another(page: Page, pages: Site):
    models = [*MODELS[:2], MODELS[2] | {"default": True}]
    pages.chats = [{"options": {"composer": {"models": models}}}]
    await page.goto("/")
    await expect(button(page, "Model: Big")).to_be_visible()
    await set_value(page, {"selectedModelId": "old"})
    await expect(button(page, "Model: Big")).to_be_visible()
    await set_value(page, {"selectedModelId": "small"})
    await expect(button(page, "Model: Small")).to_be_visible()


@pytest.mark.parametrize(
    "garbage", [{"tools": [None, 5, {"label": "x"}], "models": [{}, "x"]}, {"tools": {}, "models": 3}]
)
async def test_tools_and_models_without_an_id_are_not_offered(page: Page, pages: Site, garbage: Any):
    pages.chats = [{"options": {"composer": garbage}}]
    await page.goto("/")
    await box(page).fill("hello")
    await box(page).press("Enter")
    assert (await sent(pages))["inference_options"] == {}


# Quotations and the page's own doing


async def test_reply_is_shown_and_goes_with_one_message(page: Page, pages: Site):
    await page.goto("/")
    await set_value(page, {"reply": "What you said", "text": "I doubt it"})
    await expect(page.get_by_text("What you said")).to_be_visible()
    await box(page).press("Enter")
    message = await sent(pages)
    assert message["quoted_text"] == "What you said"
    assert message["content"] == [{"type": "input_text", "text": "I doubt it"}]
    await expect(button(page, "Remove the quotation")).to_be_hidden()
    await say(page, "again")
    assert "quoted_text" not in await sent(pages, 2)


async def test_reply_can_be_removed(page: Page, pages: Site):
    await page.goto("/")
    await set_value(page, {"reply": "What you said"})
    await button(page, "Remove the quotation").click()
    await expect(page.get_by_text("What you said")).to_be_hidden()
    await expect(box(page)).to_be_focused()


async def test_value_that_is_not_given_stays(page: Page):
    await page.goto("/")
    await set_value(page, {"text": "first", "reply": "quoted"})
    await set_value(page, {"text": "second"})
    await expect(box(page)).to_have_value("second")
    await expect(page.get_by_text("quoted")).to_be_visible()
    await expect(box(page)).not_to_be_focused()


# How it fits


async def test_composer_of_nothing_but_text_is_one_row(page: Page):
    await page.goto("/")
    field = await box(page).bounding_box()
    send = await button(page, "Send message").bounding_box()
    assert field is not None
    assert send is not None
    assert field["y"] <= send["y"] < field["y"] + field["height"]
    assert send["x"] >= field["x"] + field["width"]


async def test_field_grows_with_the_text_up_to_a_maximum(page: Page):
    await page.goto("/")
    heights = []
    for lines in (1, 4, 30, 60):
        await box(page).fill("\n".join(["line"] * lines))
        heights.append(await box(page).evaluate("(node) => node.offsetHeight"))
    assert heights[0] < heights[1] < heights[2] == heights[3] < 300


async def test_everything_at_once_fits_320_pixels(page: Page, pages: Site):
    pages.chats = [{"options": {"composer": {"tools": TOOLS, "models": MODELS}}}]
    await configure(page, EVERYTHING)
    await page.set_viewport_size({"width": 320, "height": 640})
    await page.goto("/")
    await set_value(
        page,
        {
            "text": "long" * 100,
            "reply": "long" * 500,
            "selectedToolId": "web",
            "attachments": [{"type": "file", "id": "a", "name": "n" * 500, "mime_type": "text/plain"}],
        },
    )
    await expect(button(page, "Web")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") == 320
    outside = await page.evaluate(
        f"""[...{CHAT}.shadowRoot.querySelectorAll(".composer button, .composer textarea")]
            .map((node) => node.getBoundingClientRect())
            .filter(({{left, right, width}}) => width && (left < 0 || right > 320)).length"""
    )
    assert outside == 0


async def test_buttons_of_the_composer_are_large_enough_to_touch(page: Page, pages: Site):
    pages.chats = [
        {
            "options": {
                "composer": {"tools": TOOLS, "models": MODELS},
                "theme": {"typography": {"baseSize": 14}},
            }
        }
    ]
    await configure(page, EVERYTHING)
    await page.goto("/")
    await expect(button(page, "Mention")).to_be_visible()
    sizes = await page.evaluate(
        f"""[...{CHAT}.shadowRoot.querySelectorAll(".controls button")]
            .map((node) => node.getBoundingClientRect())
            .filter(({{width}}) => width)
            .map(({{width, height}}) => Math.min(width, height))"""
    )
    assert len(sizes) == 5
    assert min(sizes) >= 40


async def test_read_only_thread_hides_what_could_be_chosen(page: Page, pages: Site):
    thread = pages.add_thread("Shut", user("hi"))
    pages.threads[thread]["status"] = {"type": "locked"}
    pages.chats = [{"thread": thread, "options": {"composer": {"tools": TOOLS, "models": MODELS}}}]
    await page.goto("/")
    await expect(page.get_by_text("This conversation is locked.")).to_be_visible()
    await expect(button(page, "Draw an image")).to_be_hidden()
    await expect(button(page, "Model: Small")).to_be_hidden()
