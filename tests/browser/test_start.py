"""The start screen: a greeting and prompts to begin with."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from .site import Site
from .waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]


def start(**screen: Any) -> list[dict[str, Any]]:
    return [{"options": {"startScreen": screen}}]


async def test_prompt_of_rich_content_is_sent_as_it_is(page: Page, pages: Site):
    content = [
        {"type": "input_text", "text": "Tell me of "},
        {"type": "input_tag", "id": "p1", "text": "Ada", "group": "People", "data": {"born": "1815"}},
    ]
    pages.chats = start(prompts=[{"label": "About Ada", "prompt": content, "icon": "user"}])
    await page.goto("/")
    await page.get_by_role("button", name="About Ada").press("Enter")
    await expect(page.locator("openai-chatkit .start")).to_be_hidden()
    await eventually(lambda: "threads.create" in pages.operations())
    assert pages.params_of("threads.create")["input"]["content"] == content


async def test_prompts_stand_in_two_columns_where_there_is_room(page: Page, pages: Site):
    pages.chats = start(prompts=[{"label": f"Prompt {i}", "prompt": "?"} for i in range(19)])
    await page.goto("/")
    first, second = (
        page.get_by_role("button", name="Prompt 0"),
        page.get_by_role("button", name="Prompt 1").first,
    )
    wide = [await first.bounding_box(), await second.bounding_box()]
    assert wide[0]["y"] == wide[1]["y"]
    await page.set_viewport_size({"width": 320, "height": 600})
    narrow = [await first.bounding_box(), await second.bounding_box()]
    assert narrow[0]["x"] == narrow[1]["x"]


async def test_prompts_that_do_not_fit_can_be_scrolled_to(page: Page, pages: Site):
    pages.chats = start(prompts=[{"label": f"Prompt {i}", "prompt": "?"} for i in range(40)])
    await page.set_viewport_size({"width": 320, "height": 500})
    await page.goto("/")
    await page.get_by_role("button", name="Prompt 39").focus()
    await expect(page.get_by_role("button", name="Prompt 39")).to_be_in_viewport(ratio=1)
    assert await page.evaluate("document.documentElement.scrollWidth") == 320


async def test_start_screen_of_wrong_types_is_shown_as_far_as_it_goes(page: Page, pages: Site):
    prompts = [None, 7, {"label": {"x": 1}, "prompt": 5, "icon": []}, {"label": "Fine", "prompt": "?"}]
    pages.chats = start(greeting=["no"], prompts=prompts)
    await page.goto("/")
    await expect(page.get_by_role("button", name="Fine")).to_be_visible()
    pages.chats = start(prompts={"label": "x"})
    await page.goto("/")
    await expect(page.get_by_role("heading", name="What can I help with today?")).to_be_visible()
