"""The element that pages move about, take out and put back: what goes on, what ends, and what is let go of."""

import asyncio
import time

import pytest
from playwright.async_api import Page, expect

from .site import Site
from .waiting import PATIENCE, say

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

CHAT = "document.querySelector('openai-chatkit')"


async def expect_collected(page: Page) -> None:
    """That nothing holds the element that ``gone`` is a weak reference to."""
    deadline = time.monotonic() + PATIENCE
    while not await page.evaluate("gone.deref() === undefined"):
        assert time.monotonic() < deadline, "Something still holds the element."
        await page.request_gc()
        await asyncio.sleep(0.1)


async def test_element_that_is_removed_is_let_go_of(page: Page):
    await page.goto("/")
    await expect(page.get_by_role("textbox")).to_be_visible()
    await page.evaluate(f"() => {{ window.gone = new WeakRef({CHAT}); {CHAT}.remove(); }}")
    await expect_collected(page)


async def test_element_that_is_removed_in_mid_answer_is_let_go_of(page: Page):
    await page.goto("/")
    await say(page, "slow")
    await expect(page.locator("openai-chatkit .item").nth(1)).to_contain_text("word")
    await page.evaluate(f"() => {{ window.gone = new WeakRef({CHAT}); {CHAT}.remove(); }}")
    await expect_collected(page)


async def test_element_that_is_removed_with_an_open_menu_is_let_go_of(page: Page, pages: Site):
    models = [{"id": "small", "label": "Small"}, {"id": "big", "label": "Big"}]
    pages.chats = [{"options": {"composer": {"models": models}}}]
    await page.goto("/")
    await page.get_by_role("button", name="Small").click()
    await expect(page.get_by_role("menu")).to_be_visible()
    await page.evaluate(f"() => {{ window.gone = new WeakRef({CHAT}); {CHAT}.remove(); }}")
    # What has kept the menu in its place hears of it when there is something to do.
    await page.evaluate("dispatchEvent(new Event('resize'))")
    await expect_collected(page)


async def test_element_that_is_removed_waits_for_no_network(page: Page, pages: Site):
    pages.chats = [{"thread": pages.add_thread("T")}]
    await page.goto("/")
    await expect(page.get_by_role("textbox")).to_be_visible()
    await page.route("**/chatkit", lambda route: route.abort())
    await say(page, "lost")
    await expect(page.get_by_role("alert")).to_be_visible()
    await page.unroute("**/chatkit")
    await page.evaluate(f"() => {{ window.chat = {CHAT}; chat.remove(); }}")
    await page.evaluate("new Promise((removed) => setTimeout(removed))")
    await page.evaluate("dispatchEvent(new Event('online'))")
    await page.evaluate("document.body.append(chat)")
    await expect(page.get_by_role("alert")).to_be_visible()
    # What is new the page may ask for; it is the message that waits.
    assert [name for name in pages.operations() if name != "changes"] == ["threads.get_by_id"]
    await page.evaluate("dispatchEvent(new Event('online'))")
    await expect(page.get_by_text("You said: lost", exact=True)).to_be_visible()


async def test_element_that_comes_back_takes_options_again(page: Page):
    await page.goto("/")
    await expect(page.get_by_role("textbox")).to_be_visible()
    await page.evaluate(f"() => {{ window.chat = {CHAT}; chat.remove(); }}")
    await page.evaluate("document.body.append(chat)")
    await page.evaluate("chatkitConfigure.push((options) => { options.composer = {placeholder: 'Again'}; })")
    await expect(page.get_by_placeholder("Again")).to_be_visible()
