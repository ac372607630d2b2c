"""axe-core finds nothing serious, in any state of the chat."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from chatkit_app.testing.sample_items import sample_items
from tests.js import package

from .axe import violations
from .site import Site, assistant, user
from .waiting import say

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]


@pytest_asyncio.fixture(loop_scope="package")
async def page(reused_page: Page) -> Page:
    return reused_page


State = Callable[[Page, Site], Awaitable[None]]


@pytest.fixture(scope="module", autouse=True)
def _axe() -> None:
    package("axe-core")


def show(pages: Site, thread: str | None = None, **options: Any) -> None:
    """What the chat of the page opens with."""
    pages.chats[0]["thread"] = thread
    pages.chats[0]["options"] |= options


# The states


async def start_screen(page: Page, pages: Site) -> None:
    prompts = [{"label": "What can you do?", "prompt": "What can you do?", "icon": "sparkle"}]
    show(pages, startScreen={"greeting": "Good morning!", "prompts": prompts})
    await page.goto("/")
    await expect(page.get_by_text("Good morning!")).to_be_visible()


async def every_option(page: Page, pages: Site) -> None:
    show(
        pages,
        header={
            "title": {"text": "Support"},
            "leftAction": {"icon": "home"},
            "rightAction": {"icon": "settings-cog"},
        },
        composer={
            "attachments": {"enabled": True},
            "dictation": {"enabled": True},
            "tools": [
                {"id": "web", "label": "Search the web", "icon": "globe"},
                {"id": "map", "label": "Map", "icon": "map-pin", "pinned": True},
            ],
            "models": [{"id": "big", "label": "Big", "default": True}, {"id": "small", "label": "Small"}],
        },
        disclaimer={"text": "It can be wrong. [Read more](/about)"},
        threadItemActions={"feedback": True, "retry": True},
    )
    show(pages, pages.add_thread("Coffee", user("Which beans?"), assistant("Dark ones.")))
    await page.goto("/")
    await expect(page.get_by_text("It can be wrong.")).to_be_visible()
    await expect(page.get_by_text("Dark ones.")).to_be_visible()


async def menu_of_the_composer(page: Page, pages: Site) -> None:
    await every_option(page, pages)
    await page.get_by_role("button", name="Files and tools").click()
    await expect(page.get_by_role("menu")).to_be_visible()


async def every_kind_of_item(page: Page, pages: Site) -> None:
    items = [
        item.model_dump(mode="json", exclude_none=True, exclude={"thread_id"})
        for item in sample_items(thread_id="")
        if "hidden" not in item.type
    ]
    pages.page_size = len(items)
    show(pages, pages.add_thread("Everything", *items, assistant("The end of it.")))
    await page.goto("/")
    await expect(page.get_by_text("The end of it.")).to_be_visible()


async def history(page: Page, pages: Site) -> None:
    show(pages, pages.add_thread("Coffee", user("Which beans?"), assistant("**Dark** ones.")))
    pages.add_thread("Tea")
    await page.goto("/")
    await page.get_by_role("button", name="Show conversations").click()
    await expect(page.get_by_text("Tea")).to_be_visible()


async def title_being_changed(page: Page, pages: Site) -> None:
    show(pages, history={"showRename": True, "showDelete": True})
    await history(page, pages)
    await page.get_by_role("button", name="Actions").first.click()
    await page.get_by_role("menuitem", name="Rename").click()
    await expect(page.get_by_role("textbox", name="Title of the conversation")).to_be_visible()


async def deletion_to_be_confirmed(page: Page, pages: Site) -> None:
    show(pages, history={"showRename": True, "showDelete": True})
    await history(page, pages)
    await page.get_by_role("button", name="Actions").first.click()
    await page.get_by_role("menuitem", name="Delete").click()
    await expect(page.get_by_role("alertdialog")).to_be_visible()


async def empty_history(page: Page, pages: Site) -> None:
    await page.goto("/")
    await page.get_by_role("button", name="Show conversations").click()
    await expect(page.get_by_text("No conversations yet.")).to_be_visible()


async def answer_that_is_being_written(page: Page, pages: Site) -> None:
    await page.goto("/")
    await say(page, "progress")
    await expect(page.get_by_text("Looking it up")).to_be_visible()


async def questions_to_answer(page: Page, pages: Site) -> None:
    choice = {"id": "colour", "type": "multiple_choice", "question": "Which colour?", "multiple": True}
    inputs = [
        choice | {"options": [{"value": "red"}, {"value": "blue"}]},
        {"id": "why", "type": "freeform", "question": "Why?", "description": "In your own words."},
    ]
    item = {"type": "structured_input", "status": "pending", "inputs": inputs}
    pages.script("ask me", {"type": "thread.item.done", "item": item})
    await page.goto("/")
    await say(page, "ask me")
    await expect(page.get_by_role("group", name="Which colour?")).to_be_visible()


async def error_with_retry(page: Page, pages: Site) -> None:
    await page.goto("/")
    await say(page, "fail")
    await expect(page.get_by_role("button", name="Retry")).to_be_visible()


async def notices(page: Page, pages: Site) -> None:
    levels = ("info", "warning", "danger")
    pages.script("hi", *({"type": "notice", "level": level, "message": f"A {level}."} for level in levels))
    await page.goto("/")
    await say(page, "hi")
    await expect(page.get_by_text("A danger.")).to_be_visible()


async def locked_thread(page: Page, pages: Site) -> None:
    thread = pages.add_thread("Coffee", user("Which beans?"), assistant("Dark ones."))
    pages.threads[thread]["status"] = {"type": "locked", "reason": "Locked by the teacher."}
    show(pages, thread)
    await page.goto("/")
    await expect(page.get_by_text("Locked by the teacher.")).to_be_visible()


STATES: list[State] = [
    start_screen,
    every_option,
    menu_of_the_composer,
    every_kind_of_item,
    history,
    empty_history,
    title_being_changed,
    deletion_to_be_confirmed,
    questions_to_answer,
    answer_that_is_being_written,
    error_with_retry,
    notices,
    locked_thread,
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
async def test_state_keeps_nobody_out(page: Page, pages: Site, state: State, scheme: str):
    pages.chats = [{"options": {"theme": scheme}}]
    # Colours on their way from one to the other would be measured as they are just then.
    await page.emulate_media(reduced_motion="reduce")
    await state(page, pages)
    assert await violations(page) == []


async def test_each_message_has_a_heading_that_says_who_speaks(page: Page, pages: Site):
    """Screen readers go from one to the next; those of an answer are beneath its own."""
    person = assistant("# Hours\n\nUntil six.") | {"author": {"name": "Ada"}}
    pages.chats = [
        {"thread": pages.add_thread("Opening", user("When?"), assistant("# Now\n\n## Or soon"), person)}
    ]
    await page.goto("/")
    headings = page.locator("openai-chatkit").get_by_role("heading")
    await expect(headings).to_have_text(["Opening", "You", "Assistant", "Now", "Or soon", "Ada", "Hours"])
    cdp = await page.context.new_cdp_session(page)
    nodes = (await cdp.send("Accessibility.getFullAXTree"))["nodes"]
    found = [node for node in nodes if node.get("role", {}).get("value") == "heading"]
    levels = [(node["name"]["value"], node["properties"][0]["value"]["value"]) for node in found]
    assert levels == [
        ("Opening", 2),
        ("You", 3),
        ("Assistant", 3),
        ("Now", 4),
        ("Or soon", 5),
        ("Ada", 3),
        ("Hours", 4),
    ]
