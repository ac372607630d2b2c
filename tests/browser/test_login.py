"""A chat for those who have logged in, with either client."""

from typing import Any

import pytest
import pytest_asyncio
from django.contrib.auth.models import User
from django.test import Client
from playwright.async_api import BrowserContext, Page, expect

from .conftest import serve_official

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

CHAT = "document.querySelector('openai-chatkit')"
ENDED = "Your session has ended. Reload the page and log in again."


@pytest.fixture
def session_key(transactional_db: None) -> str:
    client = Client()
    client.force_login(User.objects.create_user("ada"))
    return client.cookies["sessionid"].value


@pytest_asyncio.fixture(loop_scope="package")
async def members(page: Page, settings: Any, transactional_db: None) -> Page:
    settings.ROOT_URLCONF = "tests.browser.real_site"
    settings.CHATKIT = {
        "CLIENT": "bundled",
        "LOGIN_REQUIRED": True,
        "SERVER": "tests.browser.real_site.SlowServer",
        "SCRIPT_URL": "https://cdn.example/chatkit.js",
    }
    await page.route("**/accounts/login/**", lambda route: route.fulfill(body="Log in here"))
    return page


async def log_in(context: BrowserContext, server_url: str, session_key: str) -> None:
    await context.add_cookies([{"name": "sessionid", "value": session_key, "url": server_url}])


@pytest.mark.parametrize("client", ["bundled", "openai"])
async def test_visitor_is_led_to_the_login_page_and_back(members: Page, settings, client: str):
    settings.CHATKIT = settings.CHATKIT | {"CLIENT": client}
    await members.goto("/members/")
    await expect(members.get_by_text("Please log in to go on.")).to_be_visible()
    await expect(members.locator("openai-chatkit")).to_have_count(0)
    await members.get_by_role("link", name="Log in").click()
    await members.wait_for_url("**/accounts/login/?next=/members/")


async def test_user_has_the_chat_until_the_session_ends(
    members: Page, context: BrowserContext, server_url: str, session_key: str
):
    await log_in(context, server_url, session_key)
    await members.goto("/members/")
    await members.get_by_role("textbox").fill("hello")
    await members.keyboard.press("Enter")
    await expect(members.get_by_text("Hello to you.", exact=True)).to_be_visible()
    await context.clear_cookies(name="sessionid")
    await members.get_by_role("textbox").fill("hello")
    await members.keyboard.press("Enter")
    await expect(members.get_by_role("alert")).to_contain_text(ENDED)


async def test_official_client_is_told_that_the_session_has_ended(
    members: Page, context: BrowserContext, server_url: str, session_key: str, settings
):
    settings.CHATKIT = settings.CHATKIT | {"CLIENT": "openai"}
    await serve_official(members)
    await log_in(context, server_url, session_key)
    await members.goto("/members/")
    await members.wait_for_function(f"() => {CHAT}.options")
    await context.clear_cookies(name="sessionid")
    await members.evaluate(f"{CHAT}.send('hello')")
    assert ENDED in await members.evaluate(f"{CHAT}.text")


async def test_page_that_cannot_tell_who_is_there_says_no_more_than_to_log_in(
    members: Page, context: BrowserContext, server_url: str
):
    # The cookie of a session that somebody has, though nobody is logged in with it.
    await log_in(context, server_url, "a" * 32)
    await members.goto("/")
    await members.get_by_role("textbox").fill("hello")
    await members.keyboard.press("Enter")
    await expect(members.get_by_role("alert")).to_contain_text("Please log in to go on.")
