"""The launcher: a button in the corner, and the chat that it opens."""

import asyncio
import re
from typing import Any

import pytest
from playwright.async_api import Locator, Page, Route, expect

from .conftest import serve_official
from .site import Site, assistant, user
from .waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

LAUNCHER = "document.querySelector('chatkit-launcher')"
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def pages(pages: Site) -> Site:
    pages.chats = [{"launcher": True}]
    return pages


def opener(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile("^Open the chat"))


def panel(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Chat")


def composer(page: Page) -> Locator:
    return page.locator("chatkit-launcher openai-chatkit").get_by_role("textbox")


def closing(page: Page) -> Locator:
    """The button in the chat's header."""
    return page.locator("openai-chatkit").get_by_role("button", name="Close", exact=True)


async def say(page: Page, text: str) -> None:
    await composer(page).fill(text)
    await composer(page).press("Enter")
    await expect(page.get_by_text(f"You said: {text}", exact=True)).to_be_visible()


def let_changes_be(pages: Site, *items: dict[str, Any], version: int = 2) -> None:
    """Answer ``changes`` with these items for whoever knows version 1, and with nothing for whoever knows more."""
    pages.changes = lambda after: {
        "version": version,
        "thread": {"items": {"data": list(items) if after < version else []}},
        "removed": [],
    }


# Opening and closing


async def test_nothing_of_the_chat_is_loaded_before_it_is_opened(page: Page, pages: Site):
    scripts: list[str] = []
    page.on("request", lambda request: scripts.append(request.url) if request.url.endswith(".js") else None)
    await page.goto("/")
    await expect(opener(page)).to_be_visible()
    assert [url for url in scripts if "bootstrap" in url or "element/index" in url] == []
    assert await page.evaluate(f"{LAUNCHER}.chat") is None
    await opener(page).click()
    await expect(composer(page)).to_be_focused()


PLACEHOLDER = f"getComputedStyle({LAUNCHER}.content, '::before').backgroundImage"
SURFACE = f"getComputedStyle({LAUNCHER}.panel).backgroundColor"


@pytest.mark.parametrize(
    ("theme", "surface"),
    [
        (None, "rgb(255, 255, 255)"),
        ({"colorScheme": "dark"}, "rgb(25, 25, 25)"),
        ({"color": {"surface": {"background": "#fef9e7", "foreground": "#fff"}}}, "rgb(254, 249, 231)"),
    ],
)
async def test_panel_has_the_chats_colours_and_a_placeholder_until_it_is_there(
    page: Page, pages: Site, theme: Any, surface: str
):
    pages.chats = [{"launcher": True, "options": {"theme": theme} if theme else {}}]
    arrived = asyncio.Event()

    async def hold(route: Route) -> None:
        await arrived.wait()
        await route.continue_()

    await page.route("**/bootstrap.js", hold)
    await page.emulate_media(color_scheme="dark")
    await page.goto("/")
    await opener(page).click()
    await expect(panel(page)).to_be_visible()
    assert "linear-gradient" in await page.evaluate(PLACEHOLDER)
    assert await page.evaluate(SURFACE) == surface
    arrived.set()
    await expect(composer(page)).to_be_visible()
    assert await page.evaluate(PLACEHOLDER) == "none"


async def test_chat_in_the_panel_answers(page: Page):
    await page.goto("/")
    await opener(page).click()
    await say(page, "hello")


async def test_escape_closes_the_panel_and_gives_the_focus_back(page: Page):
    await page.goto("/")
    await opener(page).click()
    await expect(composer(page)).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(panel(page)).to_be_hidden()
    await expect(opener(page)).to_be_focused()


async def test_escape_closes_a_menu_before_the_panel(page: Page, pages: Site):
    models = [{"id": "a", "label": "Small"}, {"id": "b", "label": "Large"}]
    pages.chats = [{"launcher": True, "options": {"composer": {"models": models}}}]
    await page.goto("/")
    await opener(page).click()
    await page.get_by_role("button", name="Small").click()
    await expect(page.get_by_role("menuitemradio", name="Large")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("menuitemradio", name="Large")).to_be_hidden()
    await expect(panel(page)).to_be_visible()


async def test_button_closes_what_it_has_opened_and_what_was_written_stays(page: Page):
    await page.goto("/")
    await opener(page).click()
    await composer(page).fill("half a sentence")
    await page.get_by_role("button", name="Close the chat").click()
    await expect(panel(page)).to_be_hidden()
    await opener(page).click()
    await expect(composer(page)).to_have_value("half a sentence")


async def test_code_opens_and_closes_it_and_is_told(page: Page):
    await page.goto("/")
    await page.evaluate("""() => {
        window.told = [];
        for (const what of ["open", "close"])
            document.addEventListener(`chatkit.launcher.${what}`, ({target}) => told.push([what, target.localName]));
    }""")
    assert await page.evaluate(f"{LAUNCHER}.open().then((chat) => chat.localName)") == "openai-chatkit"
    assert await page.evaluate(f"{LAUNCHER}.isOpen") is True
    await page.evaluate(f"{LAUNCHER}.toggle()")
    await page.evaluate(f"{LAUNCHER}.close()")
    assert await page.evaluate("told") == [["open", "chatkit-launcher"], ["close", "chatkit-launcher"]]


async def test_button_of_the_page_opens_it_by_a_command_and_has_the_focus_again(page: Page, pages: Site):
    pages.chats = [{"launcher": True, "id": "support"}]
    await page.goto("/")
    await page.evaluate("""() => {
        const button = document.createElement("button");
        button.textContent = "Ask us";
        button.setAttribute("commandfor", "support");
        button.setAttribute("command", "--toggle");
        document.body.prepend(button);
    }""")
    await page.get_by_role("button", name="Ask us").click()
    await expect(composer(page)).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Ask us")).to_be_focused()


async def test_it_works_under_a_strict_content_security_policy(page: Page, pages: Site):
    pages.csp = (
        "default-src 'none'; script-src 'nonce-abc' 'strict-dynamic'; style-src 'nonce-abc'; connect-src 'self'; "
        "img-src data:"
    )
    pages.nonce = "abc"
    await page.goto("/")
    await opener(page).click()
    await say(page, "hello")


async def test_official_client_is_inside_as_well(page: Page, pages: Site, settings: Any):
    settings.CHATKIT = {"CLIENT": "openai", "SCRIPT_URL": "https://cdn.example/chatkit.js"}
    await serve_official(page)
    await page.goto("/")
    await opener(page).click()
    await page.wait_for_function(f"{LAUNCHER}.chat?.options")
    await expect(page.locator("openai-chatkit")).to_be_visible()
    assert await page.evaluate(f"{LAUNCHER}.chat.options.api.url") == "/chatkit"


async def test_visitor_who_has_to_log_in_is_told_so_in_the_panel(page: Page, pages: Site, settings: Any):
    settings.CHATKIT = {"CLIENT": "bundled", "LOGIN_REQUIRED": True}
    settings.LOGIN_URL = "/upload"
    await page.goto("/")
    await opener(page).click()
    await expect(page.get_by_role("link", name="Log in")).to_be_visible()


# From page to page


async def test_open_panel_is_open_on_the_next_page_and_leaves_the_focus_alone(page: Page):
    await page.goto("/")
    await opener(page).click()
    await say(page, "hello")
    await page.goto("/?next")
    await expect(page.get_by_text("You said: hello", exact=True)).to_be_visible()
    assert await page.evaluate("document.activeElement.localName") == "body"


async def test_closed_panel_stays_closed_on_the_next_page(page: Page):
    await page.goto("/")
    await opener(page).click()
    await expect(composer(page)).to_be_focused()
    await page.keyboard.press("Escape")
    await page.goto("/?next")
    await expect(opener(page)).to_be_visible()
    await expect(panel(page)).to_be_hidden()


async def test_launcher_that_is_put_in_again_goes_on(page: Page):
    """As Turbo does, with the body of the next page."""
    await page.goto("/")
    await opener(page).click()
    await say(page, "hello")
    await page.evaluate("""async () => {
        const next = new DOMParser().parseFromString(await (await fetch("/?next")).text(), "text/html");
        document.body.replaceWith(document.adoptNode(next.body));
    }""")
    await expect(page.get_by_text("You said: hello", exact=True)).to_be_visible()


async def test_copy_of_a_page_has_a_chat_that_works(page: Page):
    """As Turbo does for its cache."""
    await page.goto("/")
    await opener(page).click()
    await say(page, "hello")
    await page.evaluate("document.body.replaceWith(document.body.cloneNode(true))")
    await expect(page.get_by_text("You said: hello", exact=True)).to_be_visible()
    await say(page, "again")


# On a phone


async def test_on_a_phone_it_fills_the_screen_and_its_header_closes_it(page: Page):
    await page.set_viewport_size(PHONE)
    await page.emulate_media(reduced_motion="reduce")
    await page.goto("/")
    await opener(page).click()
    await expect(composer(page)).to_be_visible()
    box = await panel(page).bounding_box()
    assert box == {"x": 0, "y": 0, **PHONE}
    await closing(page).click()
    await expect(panel(page)).to_be_hidden()
    await expect(opener(page)).to_be_focused()


async def test_on_a_phone_it_is_closed_on_the_next_page(page: Page):
    await page.set_viewport_size(PHONE)
    await page.goto("/")
    await opener(page).click()
    await expect(composer(page)).to_be_visible()
    await page.goto("/?next")
    await expect(opener(page)).to_be_visible()


async def test_header_without_room_leaves_the_bar_of_the_panel(page: Page, pages: Site):
    pages.chats = [{"launcher": True, "options": {"header": {"enabled": False}}}]
    await page.set_viewport_size(PHONE)
    await page.goto("/")
    await opener(page).click()
    await expect(composer(page)).to_be_visible()
    await panel(page).get_by_role("button", name="Close the chat").click()
    await expect(panel(page)).to_be_hidden()


async def test_window_that_becomes_wide_shows_the_panel_and_no_close_in_the_header(page: Page):
    await page.set_viewport_size(PHONE)
    await page.goto("/")
    await opener(page).click()
    await expect(closing(page)).to_be_visible()
    await page.set_viewport_size({"width": 1280, "height": 800})
    await expect(closing(page)).to_be_hidden()
    await expect(page.get_by_role("button", name="Close the chat")).to_be_visible()


# What was not seen


async def test_messages_that_come_while_it_is_closed_are_counted(page: Page, pages: Site):
    await page.goto("/")
    await opener(page).click()
    await say(page, "hello")
    let_changes_be(pages, version=1)
    await page.keyboard.press("Escape")
    await page.wait_for_function("Object.keys(sessionStorage).some((key) => key.endsWith(':seen'))")
    let_changes_be(
        pages, {"id": "a", **assistant("One")}, {"id": "b", **assistant("Two")}, {"id": "c", **user("Mine")}
    )
    await page.goto("/?next")
    await expect(page.get_by_role("button", name="Open the chat. New messages: 2")).to_be_visible()
    assert await page.evaluate(f"{LAUNCHER}.unread") == 2
    await opener(page).click()
    assert await page.evaluate(f"{LAUNCHER}.unread") == 0


async def test_what_was_there_when_it_was_closed_is_not_counted(page: Page, pages: Site):
    let_changes_be(pages, {"id": "a", **assistant("One")})
    await page.goto("/")
    await opener(page).click()
    await say(page, "hello")
    await page.keyboard.press("Escape")
    await page.wait_for_function("Object.keys(sessionStorage).some((key) => key.endsWith(':seen'))")
    await page.goto("/?next")
    await eventually(lambda: pages.operations().count("changes") == 2)
    await asyncio.wait_for(page.wait_for_load_state("networkidle"), 30)
    assert await page.evaluate(f"{LAUNCHER}.unread") == 0


async def test_page_without_a_thread_asks_nothing(page: Page, pages: Site):
    await page.goto("/")
    await expect(opener(page)).to_be_visible()
    await page.wait_for_load_state("networkidle")
    assert pages.operations() == []
