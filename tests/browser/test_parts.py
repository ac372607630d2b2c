"""Parts of the element that are loaded later, and cannot be had."""

import re

import pytest
from playwright.async_api import Page, Route, expect

from .site import Site, user

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="package"),
    pytest.mark.usefixtures("bundle"),
]

WIDGET = {"type": "widget", "widget": {"type": "Card", "children": [{"type": "Text", "value": "It is dry."}]}}


async def test_part_that_cannot_be_had_is_tried_twice_and_its_item_stays_readable(page: Page, pages: Site):
    tried: list[str] = []

    async def refuse(route: Route) -> None:
        tried.append(route.request.url)
        await route.abort()

    await page.route(re.compile(r"/chunks/widget-"), refuse)
    pages.chats = [{"thread": pages.add_thread("Weather", user("Will it rain?"), WIDGET)}]
    await page.goto("/")
    await expect(page.get_by_text("It is dry.")).to_be_visible()
    assert [url.endswith("?again") for url in tried[:2]] == [False, True]
    await page.get_by_role("textbox").fill("so?")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("You said: so?", exact=True)).to_be_visible()


async def test_part_that_comes_at_the_second_attempt_is_used(page: Page, pages: Site):
    async def refuse_once(route: Route) -> None:
        await (route.continue_() if route.request.url.endswith("?again") else route.abort())

    await page.route(re.compile(r"/chunks/history-"), refuse_once)
    pages.add_thread("An older one", user("Hello"))
    await page.goto("/")
    await page.get_by_role("button", name="Show conversations").click()
    await expect(page.get_by_role("button", name="An older one")).to_be_visible()


async def test_history_that_cannot_be_had_says_so(page: Page, pages: Site):
    await page.route(re.compile(r"/chunks/history-"), lambda route: route.abort())
    pages.chats = [{"thread": pages.add_thread("An older one", user("Hello"))}]
    await page.goto("/")
    await page.get_by_role("button", name="Show conversations").click()
    await expect(page.get_by_text("This part of the chat could not be loaded.")).to_be_visible()
