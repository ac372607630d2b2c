"""Presses in the course of which something changes: what was pressed is still there at the release."""

from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from .site import Site, assistant, user

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

CHAT = "document.querySelector('openai-chatkit')"
SET_OPTIONS = "chatkitConfigure.push((options) => { options.frameTitle = `Chat at ${performance.now()}`; })"


async def press(page: Page, target: Locator, *, meanwhile: str = SET_OPTIONS) -> None:
    await target.hover()
    await page.mouse.down()
    await page.evaluate(meanwhile)
    await page.mouse.up()


async def test_prompt_is_sent_when_the_page_sets_options_meanwhile(page: Page, pages: Site):
    prompts = [{"label": label, "prompt": label} for label in ("First", "Second", "Second")]
    pages.chats = [{"options": {"startScreen": {"prompts": prompts}}}]
    await page.goto("/")
    await expect(page.locator("openai-chatkit .prompt")).to_have_text(["First", "Second", "Second"])
    await press(page, page.locator("openai-chatkit .prompt").last)
    await expect(page.get_by_text("You said: Second", exact=True)).to_be_visible()


async def test_prompts_that_the_page_changes_are_those_that_are_shown(page: Page, pages: Site):
    pages.chats = [{"options": {"startScreen": {"prompts": [{"label": "Old", "prompt": "old"}]}}}]
    await page.goto("/")
    await expect(page.get_by_role("button", name="Old")).to_be_visible()
    await page.evaluate(
        "chatkitConfigure.push((o) => { o.startScreen = {prompts: [{label: 'Old', prompt: 'new'}]}; })"
    )
    await page.get_by_role("button", name="Old").click()
    await expect(page.get_by_text("You said: new", exact=True)).to_be_visible()


async def test_page_s_own_button_is_clicked_when_its_icon_changes_meanwhile(page: Page):
    await page.add_init_script(
        """window.clicks = [];
        window.chatkitConfigure = [(options) => {
            options.header = {leftAction: {icon: "home", onClick: () => clicks.push("home")}};
        }];"""
    )
    await page.goto("/")
    change = """chatkitConfigure.push((options) => {
        options.header = {leftAction: {icon: "settings-cog", onClick: () => clicks.push("settings")}};
    })"""
    await press(page, page.get_by_role("button", name="Home"), meanwhile=change)
    assert await page.evaluate("clicks") == ["settings"]
    await expect(page.get_by_role("button", name="Settings")).to_be_visible()


async def test_tool_is_chosen_when_the_page_renames_it_meanwhile(page: Page, pages: Site):
    tool = {"id": "search", "label": "Search", "icon": "search", "pinned": True}
    pages.chats = [{"options": {"composer": {"tools": [tool]}}}]
    await page.goto("/")
    change = "chatkitConfigure.push((options) => { options.composer.tools[0].label = 'Look it up'; })"
    await press(page, page.get_by_role("button", name="Search"), meanwhile=change)
    await expect(page.get_by_role("button", name="Look it up")).to_have_attribute("aria-pressed", "true")


@pytest_asyncio.fixture(loop_scope="package")
async def listed(page: Page, pages: Site) -> str:
    """Two conversations in the open history; the first one's title."""
    pages.chats = [{"options": {"history": {"showDelete": True}}}]
    pages.add_thread("Newer", user("hi"), assistant("Hello."))
    await page.goto("/")
    await page.get_by_role("button", name="Show conversations").click()
    await expect(page.get_by_text("Newer")).to_be_visible()
    return "Newer"


async def test_conversation_is_opened_when_the_page_sets_options_meanwhile(page: Page, listed: str):
    await press(page, page.get_by_text(listed))
    await expect(page.get_by_text("Hello.")).to_be_visible()


async def test_menu_of_a_conversation_follows_the_options_and_stays_where_it_is(page: Page, listed: str):
    change = "chatkitConfigure.push((options) => { options.history = {showRename: true}; })"
    await press(page, page.get_by_role("button", name="Actions"), meanwhile=change)
    await expect(page.get_by_role("menuitem")).to_have_text(["Rename"])
    await page.evaluate("chatkitConfigure.push((options) => { options.history = {}; })")
    await expect(page.get_by_role("button", name="Actions")).to_be_hidden()


async def test_title_that_is_being_edited_stays_when_the_page_sets_options(page: Page, pages: Site):
    pages.chats = [{"options": {"history": {"showRename": True}}}]
    pages.add_thread("Old")
    await page.goto("/")
    await page.get_by_role("button", name="Show conversations").click()
    await page.locator("openai-chatkit .thread-row").press("F2")
    field = page.get_by_role("textbox", name="Title of the conversation")
    await field.fill("Half a ti")
    await page.evaluate(SET_OPTIONS)
    await expect(field).to_have_value("Half a ti")
    await expect(field).to_be_focused()


async def test_file_is_removed_when_it_is_drawn_again_meanwhile(page: Page, pages: Site):
    upload = {"type": "direct", "uploadUrl": "/upload"}
    attachments = {"enabled": True}
    pages.chats = [{"options": {"composer": {"attachments": attachments}, "api": {"uploadStrategy": upload}}}]
    pages.replies["attachments.delete"] = lambda params: {}
    await page.goto("/")
    await expect(page.get_by_role("textbox")).to_be_visible()
    file = {"id": "atc_1", "name": "notes.txt", "type": "file", "mime_type": "text/plain"}
    await page.evaluate(f"(file) => {CHAT}.setComposerValue({{attachments: [file]}})", file)
    await press(page, page.get_by_role("button", name="Remove notes.txt"))
    await expect(page.get_by_text("notes.txt")).to_have_count(0)


async def test_link_in_a_notice_is_followed_when_the_page_sets_options_meanwhile(page: Page, pages: Site):
    notice = {"type": "notice", "level": "info", "message": "See [the rules](chatkit-link://rules)."}
    pages.script("hi", notice)
    await page.goto("/")
    await page.evaluate(
        f"{CHAT}.addEventListener('chatkit.deeplink', ({{detail}}) => {{ window.followed = detail.name; }})"
    )
    await page.get_by_role("textbox").fill("hi")
    await page.keyboard.press("Enter")
    await press(page, page.get_by_role("link", name="the rules"))
    assert await page.evaluate("window.followed") == "rules"


def cited(text: str) -> dict[str, Any]:
    source = {"type": "url", "title": "Almanac", "url": "https://example.com/almanac"}
    content = {"type": "output_text", "text": text, "annotations": [{"type": "annotation", "source": source}]}
    return {"type": "assistant_message", "content": [content]}


async def test_sources_that_are_open_stay_so_when_the_answer_is_another_one(page: Page, pages: Site):
    thread = pages.add_thread("T", user("?"), cited("It rains."))
    pages.chats = [{"thread": thread}]
    await page.goto("/")
    await page.locator("openai-chatkit summary").click()
    link = page.locator("openai-chatkit details").get_by_role("link", name="Almanac")
    await expect(link).to_be_visible()
    pages.threads[thread]["items"][1]["content"][0]["text"] = "It pours."
    await page.evaluate(f"{CHAT}.fetchUpdates()")
    await expect(page.get_by_text("It pours.")).to_be_visible()
    await expect(link).to_be_visible()


async def test_press_on_an_icon_is_its_button_s(page: Page, pages: Site):
    pages.chats = [{"thread": pages.add_thread("T", user("?"), assistant("It rains."))}]
    await page.goto("/")
    button = page.get_by_role("button", name="Copy")
    hit = await button.evaluate(
        """(button) => {
            const {x, y, width, height} = button.getBoundingClientRect();
            return button.getRootNode().elementFromPoint(x + width / 2, y + height / 2) === button;
        }"""
    )
    assert hit
