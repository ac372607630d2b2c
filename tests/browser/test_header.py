"""The header: its buttons, and the title that can be edited where it stands."""

from typing import Any

import pytest
import pytest_asyncio
from django.http import JsonResponse
from playwright.async_api import Locator, Page, expect

from .site import Site, assistant, user

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]


@pytest_asyncio.fixture(loop_scope="package")
async def page(reused_page: Page) -> Page:
    return reused_page


ICONS = {
    "sidebar-left": "Sidebar",
    "sidebar-floating-open-right": "Sidebar",
    "collapse-left": "Sidebar",
    "double-chevron-right": "Sidebar",
    "expand-large": "Expand",
    "collapse-small": "Collapse",
    "hamburger": "Menu",
    "dots-vertical-circle": "Menu",
    "back-small": "Back",
    "home-alt": "Home",
    "close": "Close",
    "settings-cog": "Settings",
    "share": "Share",
    "light-mode": "Light mode",
    "dark-mode": "Dark mode",
    "chat-temporary": "chat temporary",
}


def title(page: Page) -> Locator:
    return page.locator("openai-chatkit .main .title")


def field(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Title of the conversation")


def thread(pages: Site, **options: Any) -> str:
    thread_id = pages.add_thread("First title", user("hi"), assistant("hello"))
    pages.chats = [{"thread": thread_id, "options": {"history": {"showRename": True}} | options}]
    return thread_id


def accept(pages: Site) -> None:
    def rename(params: dict[str, Any]) -> dict[str, Any]:
        pages.threads[params["thread_id"]]["title"] = params["title"]
        return pages.threads[params["thread_id"]] | {"items": {"data": [], "has_more": False}}

    pages.replies["threads.update"] = rename


async def edit(page: Page, text: str) -> None:
    await page.get_by_role("button", name="First title").click()
    await field(page).fill(text)
    await field(page).press("Enter")


async def test_icons_of_the_page_s_own_buttons_are_named(page: Page):
    await page.goto("/")
    names = await page.evaluate(
        """async (icons) => {
            const chat = document.querySelector("openai-chatkit");
            const button = () => chat.shadowRoot.querySelector(".header-actions:not(:first-child) button");
            const names = [];
            for (const icon of icons) {
                chat.setOptions({api: {url: "/chatkit/", domainKey: "x"}, header: {rightAction: {icon}}});
                while (!button()) await new Promise(requestAnimationFrame);
                names.push(button().ariaLabel);
            }
            return names;
        }""",
        list(ICONS),
    )
    assert names == list(ICONS.values())


async def test_header_can_be_switched_off_part_by_part(page: Page, pages: Site):
    options = {"header": {"title": {"enabled": False}}, "history": {"enabled": False, "showRename": True}}
    thread(pages, **options)
    await page.goto("/")
    await expect(page.get_by_role("button", name="New chat")).to_be_visible()
    await expect(page.get_by_text("First title")).to_be_hidden()
    await expect(page.get_by_role("button", name="Show conversations")).to_be_hidden()


async def test_static_title_stands_for_that_of_the_thread(page: Page, pages: Site):
    thread(pages, header={"title": {"text": "Support"}})
    await page.goto("/")
    await expect(title(page)).to_have_text("Support")
    await expect(title(page).get_by_role("button")).to_have_count(0)


async def test_title_cannot_be_edited_unless_the_option_says_so(page: Page, pages: Site):
    thread(pages, history={"enabled": True})
    await page.goto("/")
    await expect(title(page)).to_have_text("First title")
    await expect(title(page).get_by_role("button")).to_have_count(0)


@pytest.mark.parametrize("options", [{}, {"history": {"enabled": True}}], ids=["to be edited", "to be read"])
async def test_long_title_ends_in_an_ellipsis_within_the_header(
    page: Page, pages: Site, options: dict[str, Any]
):
    thread_id = thread(pages, **options)
    pages.threads[thread_id]["title"] = "Card number 4111 1111 1111 1111, and much more about it " * 3
    await page.set_viewport_size({"width": 390, "height": 700})
    await page.goto("/")
    text = title(page).locator("bdi")
    await expect(text).to_contain_text("Card number")
    is_cut, sticks_out = await text.evaluate(
        """(bdi) => {
            const end = (node) => node.getBoundingClientRect().right;
            return [bdi.scrollWidth > bdi.clientWidth, end(bdi) > end(bdi.closest(".title")) + 0.5];
        }"""
    )
    assert (is_cut, sticks_out) == (True, False)


async def test_title_is_saved_by_enter(page: Page, pages: Site):
    thread_id = thread(pages)
    accept(pages)
    await page.goto("/")
    await edit(page, "  Second   title ")
    await expect(page.get_by_role("button", name="Second title")).to_be_focused()
    assert pages.params_of("threads.update") == {"thread_id": thread_id, "title": "Second title"}


async def test_title_is_saved_by_leaving_it(page: Page, pages: Site):
    thread(pages)
    accept(pages)
    await page.goto("/")
    await page.get_by_role("button", name="First title").click()
    await field(page).fill("Second title")
    await page.locator("openai-chatkit .composer [aria-label='Message the AI']").click()
    await expect(title(page)).to_have_text("Second title")
    await expect(page.locator("openai-chatkit .composer [aria-label='Message the AI']")).to_be_focused()


async def test_title_is_left_alone_by_escape(page: Page, pages: Site):
    thread(pages)
    await page.goto("/")
    await page.get_by_role("button", name="First title").press("Enter")
    await field(page).fill("Second title")
    await field(page).press("Escape")
    await expect(page.get_by_role("button", name="First title")).to_be_focused()
    assert "threads.update" not in pages.operations()


async def test_title_that_is_empty_is_refused(page: Page, pages: Site):
    thread(pages)
    await page.goto("/")
    await edit(page, "   ")
    await expect(page.get_by_role("alert").filter(has_text="A title is needed.")).to_be_visible()
    await expect(field(page)).to_be_focused()
    assert "threads.update" not in pages.operations()


@pytest.mark.parametrize(
    ("body", "told"), [({"message": "Too rude."}, "Too rude."), ({}, "The title could not be changed.")]
)
async def test_title_that_the_server_refuses_is_told(page: Page, pages: Site, body: Any, told: str):
    thread(pages)
    pages.replies["threads.update"] = lambda params: JsonResponse(body, status=400)
    await page.goto("/")
    await edit(page, "Second title")
    await expect(page.get_by_role("alert").filter(has_text=told)).to_be_visible()
    await expect(field(page)).to_have_value("Second title")
    await field(page).press("Escape")
    await expect(title(page)).to_have_text("First title")


async def test_enter_that_ends_a_composition_does_not_save_the_title(page: Page, pages: Site):
    thread(pages)
    await page.goto("/")
    await page.get_by_role("button", name="First title").click()
    await field(page).fill("にほん")
    await field(page).evaluate(
        """(node) => node.dispatchEvent(
            new KeyboardEvent("keydown", {key: "Enter", isComposing: true, bubbles: true, cancelable: true}))"""
    )
    await expect(field(page)).to_be_visible()
    assert "threads.update" not in pages.operations()


async def test_new_chat_ends_the_editing_of_a_title(page: Page, pages: Site):
    thread(pages)
    await page.goto("/")
    await page.get_by_role("button", name="First title").click()
    await page.evaluate("document.querySelector('openai-chatkit').setThreadId(null)")
    await expect(field(page)).to_have_count(0)
    await expect(title(page)).to_have_text("")


async def test_title_that_turns_the_direction_is_only_a_title(page: Page, pages: Site):
    thread_id = thread(pages)
    pages.threads[thread_id]["title"] = "exe\u202egpj\u2066.doc\n" + "long " * 400
    await page.set_viewport_size({"width": 320, "height": 600})
    await page.goto("/")
    await expect(title(page)).to_contain_text("exegpj.doc long")
    assert await page.evaluate("document.documentElement.scrollWidth") == 320
    await expect(page.get_by_role("button", name="Show conversations")).to_be_in_viewport(ratio=1)
