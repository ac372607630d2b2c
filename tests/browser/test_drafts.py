"""What somebody has written and not sent, across reloads of the page."""

from typing import Any

import pytest
import pytest_asyncio
from django.contrib.auth.models import User
from django.test import Client
from playwright.async_api import BrowserContext, Page, expect

from .real_site import in_database

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

CHAT = "document.querySelector('openai-chatkit')"


@pytest_asyncio.fixture(loop_scope="package")
async def chat(page: Page, pages: Any, settings: Any, transactional_db: None) -> Page:
    """A page that knows who is there, and shows the last thread again."""
    settings.ROOT_URLCONF = "tests.browser.real_site"
    settings.CHATKIT = {"CLIENT": "bundled", "SERVER": "tests.browser.real_site.SlowServer"}
    pages.chats = [{"persist": True}]
    await page.goto("/members/")
    return page


async def write(page: Page, text: str) -> None:
    await page.get_by_role("textbox").fill(text)


async def send(page: Page) -> None:
    await write(page, "hello")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Hello to you.", exact=True)).to_be_visible()


async def shows(page: Page, text: str) -> None:
    await expect(page.get_by_role("textbox")).to_have_value(text)


async def log_in(context: BrowserContext, server_url: str, name: str) -> None:
    def make() -> str:
        client = Client()
        client.force_login(User.objects.get_or_create(username=name)[0])
        return client.cookies["sessionid"].value

    await context.add_cookies([{"name": "sessionid", "value": await in_database(make), "url": server_url}])


async def test_unsent_words_are_there_after_a_reload(chat: Page):
    await write(chat, "Where is my\nparcel?")
    await chat.reload()
    await shows(chat, "Where is my\nparcel?")
    await write(chat, "")
    await chat.reload()
    await shows(chat, "")


async def test_unsent_words_in_a_thread_are_there_when_it_is_shown_again(chat: Page):
    await send(chat)
    await write(chat, "And what else?")
    await chat.reload()
    await expect(chat.get_by_text("Hello to you.", exact=True)).to_be_visible()
    await shows(chat, "And what else?")


async def test_words_that_were_sent_are_not_there_again(chat: Page):
    await send(chat)
    await chat.reload()
    await expect(chat.get_by_text("Hello to you.", exact=True)).to_be_visible()
    await shows(chat, "")


async def test_unsent_words_of_a_thread_are_not_those_of_a_new_chat(chat: Page, pages: Any):
    await send(chat)
    await write(chat, "For this thread")
    pages.chats = [{}]
    await chat.goto("/members/")
    await shows(chat, "")


async def test_unsent_words_go_along_to_a_new_chat(chat: Page):
    await send(chat)
    await write(chat, "Something else")
    await chat.evaluate(f"{CHAT}.setThreadId(null)")
    await chat.reload()
    await shows(chat, "Something else")


async def test_unsent_words_are_shown_to_nobody_else(chat: Page, context: BrowserContext, server_url: str):
    await log_in(context, server_url, "ada")
    await chat.reload()
    await write(chat, "My illness")
    await chat.reload()
    await shows(chat, "My illness")
    await log_in(context, server_url, "ben")
    await chat.reload()
    await shows(chat, "")
    # Nor are they left in the browser.
    assert "illness" not in await chat.evaluate("JSON.stringify({...sessionStorage})")


async def test_unsent_words_of_who_logs_out_are_shown_to_no_visitor(
    chat: Page, context: BrowserContext, server_url: str
):
    await log_in(context, server_url, "ada")
    await chat.reload()
    await write(chat, "My illness")
    await context.clear_cookies(name="sessionid")
    await chat.reload()
    await shows(chat, "")


async def test_chat_of_a_browser_that_keeps_nothing_works_without(chat: Page):
    await chat.add_init_script(
        "Object.defineProperty(window, 'sessionStorage', { get() { throw new DOMException('no'); } });"
    )
    await chat.reload()
    await write(chat, "lost")
    await chat.reload()
    await shows(chat, "")
    await send(chat)
