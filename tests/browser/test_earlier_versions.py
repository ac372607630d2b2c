"""Messages that are edited, answers that are made again, and looking at what was there before."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from playwright.async_api import Locator, Page, expect

from chatkit_app.models import Thread, ThreadItem
from chatkit_app.takeover.handler import request_person

from .site import Site
from .test_element import messages
from .test_live import in_database
from .waiting import say

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

LOOKING = "You are looking at an earlier version."


@pytest.fixture
def real(settings: Any, pages: Site, transactional_db: None) -> None:
    """Pages whose messages can be edited, over the app's own endpoint."""
    settings.ROOT_URLCONF = "tests.browser.real_site"
    settings.CHATKIT = {"CLIENT": "bundled", "SERVER": "tests.servers.EchoServer"}
    pages.chats = [{"options": {"threadItemActions": {"retry": True, "edit": True}}}]


async def begin(page: Page, server_url: str, *texts: str) -> None:
    await page.goto(f"{server_url}/")
    for text in texts:
        await say(page, text)
        await expect(messages(page).last).to_contain_text(f"echo: {text}")
        await expect(messages(page).last.get_by_role("button", name="Copy")).to_be_visible()


async def expect_shown(page: Page, *texts: str) -> None:
    """The messages, by what they say."""
    said = page.locator("openai-chatkit .items :is(.bubble, .markdown)")
    await expect(said).to_have_text(list(texts))


def button(page: Page | Locator, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


async def edit(page: Page, text: str) -> None:
    """Edit the last message by keyboard alone."""
    await button(page, "Edit message").focus()
    await page.keyboard.press("Enter")
    field = page.get_by_role("textbox", name="Edit message")
    await expect(field).to_be_focused()
    await field.fill(text)
    await field.press("Enter")


async def test_message_is_edited_and_its_earlier_version_looked_at(real: None, page: Page, server_url: str):
    await begin(page, server_url, "one", "two")
    await edit(page, "three")
    await expect_shown(page, "one", "echo: one", "three", "echo: three")
    actions = page.get_by_role("group", name="Actions for this message")
    await expect(actions).to_contain_text("2 of 2")
    await button(actions, "Earlier version").click()
    await expect_shown(page, "one", "echo: one", "two", "echo: two")
    await expect(actions).to_contain_text("1 of 2")
    await expect(page.get_by_text(LOOKING)).to_be_visible()
    await expect(button(page, "Edit message")).to_have_count(0)
    await button(page, "Show the latest").click()
    await expect_shown(page, "one", "echo: one", "three", "echo: three")
    await expect(page.get_by_text(LOOKING)).to_be_hidden()
    texts = await in_database(lambda: list(ThreadItem.objects.order_by("pk").values_list("text", flat=True)))
    assert texts == ["one", "echo: one", "three", "echo: three"]


async def test_answers_are_paged_by_keyboard(real: None, page: Page, server_url: str):
    await begin(page, server_url, "one")
    await button(page, "Answer again").click()
    group = page.get_by_role("group", name="Actions for this answer")
    await expect(group).to_contain_text("2 of 2")
    before, after = button(group, "Earlier version"), button(group, "Later version")
    await before.focus()
    await page.keyboard.press("Enter")
    await expect(group).to_contain_text("1 of 2")
    await expect(before).to_be_focused()
    await expect(before).to_have_attribute("aria-disabled", "true")
    await expect(button(group, "Answer again")).to_be_hidden()
    await after.focus()
    await page.keyboard.press("Enter")
    await expect(group).to_contain_text("2 of 2")
    await expect(page.get_by_text(LOOKING)).to_be_hidden()


async def test_earlier_versions_are_there_after_a_reload(
    real: None, pages: Site, page: Page, server_url: str
):
    pages.chats[0]["persist"] = True
    await begin(page, server_url, "one")
    await edit(page, "two")
    await expect_shown(page, "two", "echo: two")
    await page.reload()
    await expect_shown(page, "two", "echo: two")
    await button(page, "Earlier version").click()
    await expect_shown(page, "one", "echo: one")


async def test_what_is_written_beside_an_earlier_version_goes_to_the_last(
    real: None, page: Page, server_url: str
):
    await begin(page, server_url, "one")
    await edit(page, "two")
    await expect_shown(page, "two", "echo: two")
    await button(page, "Earlier version").click()
    await expect_shown(page, "one", "echo: one")
    await say(page, "three")
    await expect_shown(page, "two", "echo: two", "three", "echo: three")
    await expect(page.get_by_text(LOOKING)).to_be_hidden()


async def test_editor_has_the_width_of_the_column_and_is_in_sight(real: None, page: Page, server_url: str):
    await page.set_viewport_size({"width": 800, "height": 420})
    await begin(page, server_url, "one", "a\n" * 5)
    await page.keyboard.press("Escape")
    await button(page, "Edit message").click()
    editor = page.locator("openai-chatkit .message-editor")
    assert await editor.evaluate("(form) => form.offsetWidth === form.closest('ol').offsetWidth")
    field = page.get_by_role("textbox", name="Edit message")
    await field.fill("two")
    assert await field.evaluate(
        "(input) => input.clientHeight >= 3 * parseFloat(getComputedStyle(input).lineHeight)"
    )
    # Two frames: what follows the end of the conversation has had its say.
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    await expect(field).to_be_in_viewport(ratio=1)


async def test_another_answer_moves_no_button(real: None, page: Page, server_url: str):
    await begin(page, server_url, "one")
    copy = button(page, "Copy")
    place = await copy.bounding_box()
    await button(page, "Answer again").click()
    await expect(page.get_by_role("group", name="Actions for this answer")).to_contain_text("2 of 2")
    assert await copy.bounding_box() == place


async def test_escape_leaves_the_message_as_it_was(real: None, page: Page, server_url: str):
    await begin(page, server_url, "one")
    await button(page, "Edit message").click()
    field = page.get_by_role("textbox", name="Edit message")
    await field.fill("two")
    await field.press("Escape")
    await expect(field).to_have_count(0)
    await expect(button(page, "Edit message")).to_be_focused()
    await expect_shown(page, "one", "echo: one")


async def test_message_is_only_edited_where_the_page_offers_it(
    real: None, pages: Site, page: Page, server_url: str
):
    pages.chats = [{"options": {"threadItemActions": {"retry": True}}}]
    await begin(page, server_url, "one")
    await expect(button(page, "Answer again")).to_be_visible()
    await expect(button(page, "Edit message")).to_have_count(0)


async def test_message_stays_when_its_edit_is_refused(real: None, page: Page, server_url: str):
    await begin(page, server_url, "one")
    messages_of_users = ThreadItem.objects.filter(type="user_message")
    # Behind the page's back.
    await in_database(lambda: messages_of_users.update(redacted_at=timezone.now()))
    await edit(page, "two")
    alert = page.get_by_role("alert").filter(visible=True)
    await expect(alert).to_contain_text("This does not fit the conversation.")
    # What was written is still there to be copied, or sent again.
    field = page.get_by_role("textbox", name="Edit message")
    await expect(field).to_have_value("two")
    await expect(field).to_be_focused()
    await field.press("Escape")
    await expect_shown(page, "one", "echo: one")


async def test_refused_edit_goes_to_the_composer_when_a_person_has_come(
    real: None, page: Page, server_url: str
):
    await begin(page, server_url, "one")
    await button(page, "Edit message").click()
    field = page.get_by_role("textbox", name="Edit message")
    await field.fill("two")
    await in_database(lambda: request_person(Thread.objects.get().pk))
    await expect(page.get_by_text("You are waiting for a person of our team.")).to_be_visible()
    await field.press("Enter")
    await expect(page.get_by_role("textbox", name="Message our team")).to_have_value("two")
