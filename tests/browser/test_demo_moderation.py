"""The demo's moderator and the demo's user, in two browsers at the same time."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from .demo_site import CHAT, box, end_of_answer, items, operation, pick_and_wait
from .profile import new_profile
from .waiting import say

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

INBOX = "/admin/chatkit_app/thread/"


@pytest_asyncio.fixture(loop_scope="package")
async def desk(browser: Browser, demo_url: str, page_errors: list[str]) -> AsyncIterator[Page]:
    """The admin's inbox, in a browser of its own."""
    async with new_profile(browser, demo_url, page_errors, width=1280, height=900) as context:
        page = await context.new_page()
        await page.goto(INBOX)
        await page.get_by_label("Username:").fill("admin")
        await page.get_by_label("Password:").fill("admin")
        await page.get_by_role("button", name="Log in").click()
        await expect(page.locator("#result_list")).to_be_visible()
        yield page


async def find(desk: Page, words: str) -> None:
    await desk.goto(INBOX)
    await desk.locator("#searchbar").fill(words)
    await desk.locator("#searchbar").press("Enter")


async def test_moderator_finds_reads_redacts_and_locks_and_the_user_is_told(demo: Page, desk: Page):
    await say(demo, "My secret word is xylophonist")
    await end_of_answer(demo)
    await say(demo, "Show me a widget")
    await end_of_answer(demo)
    await say(demo, "Show me a workflow")
    await end_of_answer(demo)

    # Found by a word that somebody wrote,
    await find(desk, "XYLOPHONIST")
    await expect(desk.locator("#result_list mark").first).to_have_text("xylophonist")
    await desk.locator("#result_list tbody tr").get_by_role("link").first.click()

    # read with its widget and its workflow,
    thread = desk.url
    await expect(desk.locator(f"{CHAT} .item .widget").last).to_be_visible()
    await expect(desk.locator(f"{CHAT} [part~=workflow]")).to_be_visible()
    said = desk.locator(f"{CHAT} .item", has_text="My secret word is xylophonist").first
    await expect(said).to_be_visible()

    # one message redacted,
    # Older items come behind newer ones among the element's children; its slots put them into their order.
    row = desk.get_by_role("group", name="User message").last
    await row.get_by_role("link", name="Redact").click()
    await desk.get_by_label("Reason:").fill("A secret")
    await desk.get_by_role("button", name="Redact").click()
    await expect(desk.locator(f"{CHAT} .item").first).to_contain_text(
        "This message was removed by a moderator."
    )
    await expect(desk.get_by_text("A secret").first).to_be_visible()

    # the thread locked with a reason,
    await desk.get_by_role("link", name="Lock the thread").click()
    await desk.get_by_label("Reason:").fill("Please call us.")
    await desk.get_by_role("button", name="Lock").click()
    await expect(desk.locator(".chatkit-locked").first).to_have_text("locked")

    # and the user is told the reason in place of the box, without asking for the page again.
    await expect(demo.locator(f"{CHAT} .main")).to_contain_text("Please call us.")
    await expect(box(demo)).to_be_hidden()
    await demo.reload()
    await expect(items(demo).first).to_have_text(re.compile("This message was removed by a moderator."))

    # The audit has all of it, the newest first.
    await desk.goto(thread.replace("/change/", "/history/"))
    history = desk.locator("#content table tbody tr")
    told = " ".join(await history.all_inner_texts()).lower()
    for deed in ("locked", "redacted", "read"):
        assert deed in told
    for reason in ("please call us.", "a secret"):
        assert reason in told
    await desk.goto("/admin/chatkit_app/auditentry/")
    await expect(desk.locator("#result_list")).to_contain_text("XYLOPHONIST")


async def test_thumbs_down_comes_to_the_review(demo: Page, desk: Page):
    await pick_and_wait(demo, "A task")
    async with demo.expect_response(lambda response: operation(response.request, "items.feedback")):
        await demo.locator(CHAT).get_by_role("button", name="Bad answer").first.click()
    await desk.goto("/admin/chatkit_app/flag/")
    flag = desk.locator("#result_list tbody tr", has_text="Show me a task")
    await flag.get_by_role("link", name="Feedback").click()
    await desk.get_by_role("button", name="Review this flag").click()
    await expect(desk.get_by_role("button", name="Resolve and next")).to_be_visible()
