"""Parts of the element that are loaded later, and cannot be had."""

import asyncio
import re

import pytest
from playwright.async_api import Page, Route, expect

from .site import Site, assistant, user
from .waiting import PATIENCE

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


async def test_text_stays_readable_without_what_shows_it(page: Page, pages: Site):
    is_tried_again = asyncio.Event()

    async def refuse(route: Route) -> None:
        if route.request.url.endswith("?again"):
            is_tried_again.set()
        await route.abort()

    await page.route(re.compile(r"/chunks/markdown-"), refuse)
    pages.chats = [
        {"thread": pages.add_thread("Weather", user("Will it rain?"), assistant("**No**:\n\n- dry"))}
    ]
    await page.goto("/")
    await expect(page.get_by_text("**No**:\n\n- dry")).to_be_visible()
    await asyncio.wait_for(is_tried_again.wait(), PATIENCE)
    await page.get_by_role("textbox").fill("so?")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("You said: so?", exact=True)).to_be_visible()


async def test_text_is_shown_as_it_is_meant_once_what_shows_it_is_there(page: Page, pages: Site):
    arrival = asyncio.Event()

    async def hold(route: Route) -> None:
        await arrival.wait()
        await route.continue_()

    await page.route(re.compile(r"/chunks/markdown-"), hold)
    pages.chats = [{"thread": pages.add_thread("Weather", user("Will it rain?"), assistant("**No**."))}]
    await page.goto("/", wait_until="commit")
    await expect(page.get_by_text("**No**.")).to_be_visible()
    arrival.set()
    await expect(page.locator("strong")).to_have_text("No")
    await expect(page.get_by_text("**No**.")).to_have_count(0)


async def test_history_that_cannot_be_had_says_so(page: Page, pages: Site):
    await page.route(re.compile(r"/chunks/history-"), lambda route: route.abort())
    pages.chats = [{"thread": pages.add_thread("An older one", user("Hello"))}]
    await page.goto("/")
    await page.get_by_role("button", name="Show conversations").click()
    await expect(page.get_by_text("This part of the chat could not be loaded.")).to_be_visible()
