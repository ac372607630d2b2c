"""The list of conversations: its pages, its days, its search, and what can be done with a conversation in it."""

import datetime
import time
from typing import Any

import pytest
import pytest_asyncio
from django.http import JsonResponse
from playwright.async_api import Locator, Page, expect

from .site import Site, assistant, user
from .waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]


@pytest_asyncio.fixture(loop_scope="package")
async def page(reused_page: Page) -> Page:
    return reused_page


MANAGED = {"options": {"history": {"showRename": True, "showDelete": True}}}


def row(page: Page, name: str) -> Locator:
    return page.locator("openai-chatkit .thread-row").filter(has_text=name)


def titles(page: Page) -> Locator:
    return page.locator("openai-chatkit .thread-title")


def search(page: Page) -> Locator:
    return page.get_by_role("searchbox", name="Search conversations")


async def show(page: Page) -> None:
    await page.goto("/")
    await page.get_by_role("button", name="Show conversations").click()


def lists(pages: Site) -> list[dict[str, Any]]:
    return [params for operation, params, _ in pages.requests if operation == "threads.list"]


def page_by_page(pages: Site, size: int, fails_at: int | None = None) -> None:
    """Answer ``threads.list`` with pages of this size, and one of the requests with a failure."""

    def reply(params: dict[str, Any]) -> Any:
        if len(lists(pages)) == fails_at:
            return JsonResponse({}, status=500)
        threads = [thread | {"items": {"data": [], "has_more": False}} for thread in pages.threads.values()][
            ::-1
        ]
        ids = [thread["id"] for thread in threads]
        start = ids.index(params["after"]) + 1 if params.get("after") else 0
        return {"data": threads[start : start + size], "has_more": start + size < len(ids)}

    pages.replies["threads.list"] = reply


def deletes(pages: Site) -> None:
    pages.replies["threads.delete"] = lambda params: pages.threads.pop(params["thread_id"]) and {}


def renames(pages: Site) -> None:
    def reply(params: dict[str, Any]) -> dict[str, Any]:
        pages.threads[params["thread_id"]]["title"] = params["title"]
        return pages.threads[params["thread_id"]] | {"items": {"data": [], "has_more": False}}

    pages.replies["threads.update"] = reply


# What is listed


async def test_history_loads_the_next_page_as_one_scrolls(page: Page, pages: Site):
    for number in range(60):
        pages.add_thread(f"Talk {number}")
    page_by_page(pages, 20)
    await show(page)
    await expect(titles(page)).to_have_count(20)
    assert lists(pages) == [{"limit": 50, "order": "desc"}]
    await row(page, "Talk 40").scroll_into_view_if_needed()
    await expect(titles(page)).to_have_count(40)
    await row(page, "Talk 20").scroll_into_view_if_needed()
    await expect(titles(page)).to_have_count(60)
    assert [params.get("after") for params in lists(pages)] == [None, "thr_41", "thr_21"]
    await expect(page.get_by_role("button", name="Show more")).to_be_hidden()


async def test_history_fills_the_window_with_pages(page: Page, pages: Site):
    for number in range(9):
        pages.add_thread(f"Talk {number}")
    page_by_page(pages, 3)
    await show(page)
    await expect(titles(page)).to_have_count(9)


async def test_history_of_a_server_that_repeats_itself_ends(page: Page, pages: Site):
    pages.add_thread("Only one")
    threads = [thread | {"items": {"data": []}} for thread in pages.threads.values()]
    pages.replies["threads.list"] = lambda params: {"data": threads, "has_more": True}
    await show(page)
    await expect(page.get_by_role("button", name="Show more")).to_be_hidden()
    await eventually(lambda: len(lists(pages)) == 2)
    await page.wait_for_timeout(300)
    assert len(lists(pages)) == 2
    await expect(titles(page)).to_have_text(["Only one"])


async def test_history_that_fails_can_be_tried_again(page: Page, pages: Site):
    pages.add_thread("Here")
    page_by_page(pages, 20, fails_at=1)
    await show(page)
    await expect(
        page.get_by_role("alert").filter(has_text="The conversations could not be loaded.")
    ).to_be_visible()
    await page.get_by_role("button", name="Retry").press("Enter")
    await expect(titles(page)).to_have_text(["Here"])
    await expect(page.get_by_text("The conversations could not be loaded.")).to_be_hidden()


async def test_history_whose_next_page_fails_keeps_what_it_has(page: Page, pages: Site):
    for name in ["Older", "Newer"]:
        pages.add_thread(name)
    page_by_page(pages, 1, fails_at=2)
    await show(page)
    await page.get_by_role("button", name="Retry").click()
    await expect(titles(page)).to_have_text(["Newer", "Older"])


async def test_history_without_conversations_says_so(page: Page, pages: Site):
    await show(page)
    await expect(page.get_by_role("status").filter(has_text="No conversations yet.")).to_be_visible()
    await expect(search(page)).to_be_hidden()


async def test_history_is_grouped_by_day(page: Page, pages: Site):
    await page.clock.install(time=datetime.datetime(2026, 3, 18, 15, 0))
    days = [
        "2024-12-31T12:00:00",
        "2026-01-05T12:00:00",
        "2026-03-12T12:00:00",
        "2026-03-17T09:30:00",
        "2026-03-18T08:05:00",
    ]
    for day in days:
        pages.threads[pages.add_thread(day)]["created_at"] = day
    await show(page)
    groups = page.locator("openai-chatkit .threads h3")
    await expect(groups).to_have_text(["Today", "Yesterday", "Previous 7 days", "January", "December 2024"])
    when = page.locator("openai-chatkit .thread-row time")
    await expect(when).to_have_text([r"8:05 AM", "9:30 AM", "Mar 12", "Jan 5", "Dec 31"])


async def test_history_marks_the_conversation_that_is_open(page: Page, pages: Site):
    pages.chats = [{"thread": pages.add_thread("Open", user("a"))}]
    pages.add_thread("Other")
    await show(page)
    await expect(row(page, "Open")).to_have_attribute("aria-current", "true")
    await expect(row(page, "Other")).not_to_have_attribute("aria-current", "true")


async def test_history_begins_with_a_new_chat(page: Page, pages: Site):
    thread = pages.add_thread("Old")
    pages.chats = [{"thread": thread}]
    await page.set_viewport_size({"width": 390, "height": 700})
    await page.goto("/")
    await page.get_by_role("button", name="Show conversations").click()
    begin = page.locator("openai-chatkit .history-new")
    await expect(begin).to_have_text("New chat")
    await begin.click()
    await expect(page.get_by_role("textbox", name="Message the AI")).to_be_focused()
    assert (
        await page.evaluate(
            "document.querySelector('openai-chatkit').shadowRoot.querySelector('.items').children.length"
        )
        == 0
    )


async def test_history_shows_which_conversation_is_being_answered(page: Page, pages: Site):
    pages.add_thread("Quiet")
    await page.goto("/")
    await page.locator("openai-chatkit .composer [aria-label='Message the AI']").fill("slow")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("word word")).to_be_visible()
    await page.get_by_role("button", name="New chat").click()
    await page.get_by_role("button", name="Show conversations").click()
    await expect(row(page, "Untitled").get_by_role("img", name="Answering…")).to_be_visible()
    await expect(row(page, "Quiet").get_by_role("img", name="Answering…")).to_be_hidden()


async def test_history_of_wrong_types_shows_what_it_can(page: Page, pages: Site):
    good = {
        "id": "thr_9",
        "title": "Good",
        "created_at": "2025-03-01T12:00:00Z",
        "status": {"type": "active"},
    }
    data = [
        None,
        "thread",
        {"id": 5},
        {"id": "thr_1", "title": {"x": 1}, "created_at": "yesterday"},
        {"id": "thr_2", "title": "a\u202eb\ud800" + "x" * 5000, "created_at": None},
        good,
        good,
    ]
    pages.replies["threads.list"] = lambda params: {"data": data, "has_more": "no"}
    await page.set_viewport_size({"width": 320, "height": 600})
    await show(page)
    await expect(titles(page)).to_have_count(4)
    await expect(titles(page).nth(1)).to_have_text("Untitled conversation")
    await expect(titles(page).last).to_have_text("Good")
    assert await page.evaluate("document.documentElement.scrollWidth") == 320


# Searching


async def test_search_leaves_the_titles_that_have_it(page: Page, pages: Site):
    for name in ["Apple pie", "Pear tart", "apple juice", "Plum", "Fig", "Date", "Lime"]:
        pages.add_thread(name)
    await show(page)
    await search(page).fill("APPLE")
    await expect(titles(page)).to_have_text(["apple juice", "Apple pie"])
    await search(page).press("ArrowDown")
    await expect(row(page, "apple juice")).to_be_focused()
    await search(page).fill("melon")
    await expect(page.get_by_role("status").filter(has_text="Nothing found.")).to_be_visible()
    await search(page).press("Escape")
    await expect(titles(page)).to_have_count(7)
    await search(page).press("Escape")
    await expect(search(page)).to_be_hidden()


# Renaming and deleting


async def test_history_without_the_options_has_no_menus(page: Page, pages: Site):
    pages.add_thread("Talk", user("a"))
    await show(page)
    await expect(row(page, "Talk")).to_be_visible()
    await expect(page.get_by_role("button", name="Actions")).to_have_count(0)
    await row(page, "Talk").press("Delete")
    await expect(page.get_by_role("alertdialog")).to_have_count(0)


async def test_row_is_renamed_by_keyboard(page: Page, pages: Site):
    pages.chats = [MANAGED]
    thread = pages.add_thread("Old name", user("a"))
    renames(pages)
    await show(page)
    await row(page, "Old name").press("F2")
    field = page.get_by_role("textbox", name="Title of the conversation")
    await expect(field).to_be_focused()
    await field.fill("New name")
    await field.press("Enter")
    await expect(row(page, "New name")).to_be_focused()
    assert pages.threads[thread]["title"] == "New name"


async def test_renaming_ends_with_escape_and_the_history_stays(page: Page, pages: Site):
    pages.chats = [MANAGED]
    pages.add_thread("Old name")
    await show(page)
    await page.get_by_role("button", name="Actions").click()
    await page.get_by_role("menuitem", name="Rename").click()
    await page.keyboard.type("New")
    await page.keyboard.press("Escape")
    await expect(row(page, "Old name")).to_be_focused()
    assert "threads.update" not in pages.operations()


async def test_renaming_the_open_conversation_renames_its_header(page: Page, pages: Site):
    pages.chats = [MANAGED | {"thread": pages.add_thread("Old name", user("a"))}]
    renames(pages)
    await show(page)
    await row(page, "Old name").press("F2")
    await page.keyboard.type("New name")
    await page.keyboard.press("Enter")
    await expect(row(page, "New name")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("heading", name="New name")).to_be_visible()


async def test_row_is_deleted_by_keyboard_and_the_next_has_the_focus(page: Page, pages: Site):
    pages.chats = [MANAGED]
    for name in ["Third", "Second", "First"]:
        pages.add_thread(name)
    deletes(pages)
    await show(page)
    await row(page, "Second").press("Delete")
    await expect(page.get_by_role("alertdialog", name="Delete this conversation?")).to_contain_text("Second")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(titles(page)).to_have_text(["First", "Third"])
    await expect(row(page, "Third")).to_be_focused()
    assert [thread["title"] for thread in pages.threads.values()] == ["Third", "First"]


async def test_deleting_is_asked_for_first(page: Page, pages: Site):
    pages.chats = [MANAGED]
    pages.add_thread("Talk")
    await show(page)
    await page.get_by_role("button", name="Actions").click()
    await page.get_by_role("menuitem", name="Delete").click()
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.get_by_role("button", name="Actions")).to_be_focused()
    await expect(titles(page)).to_have_text(["Talk"])
    assert "threads.delete" not in pages.operations()


async def test_deleting_that_is_refused_is_told(page: Page, pages: Site):
    pages.chats = [MANAGED]
    pages.add_thread("Talk")
    pages.replies["threads.delete"] = lambda params: JsonResponse(
        {"message": "It is under review."}, status=403
    )
    await show(page)
    await row(page, "Talk").press("Delete")
    await page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("alert").filter(has_text="It is under review.")).to_be_visible()
    await expect(titles(page)).to_have_text(["Talk"])
    await expect(row(page, "Talk")).to_be_focused()


async def test_deleting_the_open_conversation_leaves_a_new_chat(page: Page, pages: Site):
    pages.chats = [MANAGED | {"thread": pages.add_thread("Talk", user("a"), assistant("b"))}]
    deletes(pages)
    await show(page)
    await row(page, "Talk").press("Delete")
    await page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("status").filter(has_text="No conversations yet.")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_text("What can I help with today?")).to_be_visible()


# Hands


async def test_rows_are_walked_by_keyboard(page: Page, pages: Site):
    for name in ["Third", "Second", "First"]:
        pages.add_thread(name)
    await show(page)
    await expect(titles(page)).to_have_count(3)
    for key, name in [("End", "Third"), ("ArrowUp", "Second"), ("Home", "First"), ("ArrowDown", "Second")]:
        await page.keyboard.press(key)
        await expect(row(page, name)).to_be_focused()


async def test_focus_stays_on_its_row_when_the_list_is_read_again(page: Page, pages: Site):
    for name in ["Second", "First"]:
        pages.add_thread(name)
    await show(page)
    await expect(titles(page)).to_have_count(2)
    await page.keyboard.press("Escape")
    pages.add_thread("Newest")
    threads = [thread | {"items": {"data": []}} for thread in reversed(pages.threads.values())]

    def late(params: dict[str, Any]) -> dict[str, Any]:
        time.sleep(0.5)
        return {"data": threads, "has_more": False}

    pages.replies["threads.list"] = late
    await page.get_by_role("button", name="Show conversations").click()
    await row(page, "Second").focus()
    await expect(titles(page)).to_have_count(2)
    await expect(titles(page)).to_have_text(["Newest", "First", "Second"])
    await expect(row(page, "Second")).to_be_focused()


async def test_menu_in_the_history_closes_before_the_history(page: Page, pages: Site):
    pages.chats = [MANAGED]
    pages.add_thread("Talk")
    await show(page)
    await page.get_by_role("button", name="Actions").press("ArrowDown")
    await expect(page.get_by_role("menuitem", name="Rename")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Actions")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Show conversations")).to_be_focused()


# The app's own list


class Shelf:
    """What the app's own list has, which changes with what the page asks for."""

    def __init__(self, pages: Site, *titles: str) -> None:
        self.pages = pages
        self.threads = {title: pages.threads[pages.add_thread(title)] for title in titles}
        pages.history = self.reply

    def reply(self, query: dict[str, str]) -> dict[str, Any]:
        for operation, params, _ in self.pages.requests:
            if operation == "order":
                thread = self.pages.threads[params["thread"]]
                thread |= {name: params[name] for name in ("pinned", "archived") if name in params}
        rows = [{**thread, "items": None} for thread in reversed(self.threads.values())]
        if words := query.get("search"):
            found = [row for row in rows if words.lower() in (row["title"] + row.get("excerpt", "")).lower()]
            return {"data": found, "has_more": False}
        wanted = [row for row in rows if row.get("archived", False) == ("archived" in query)]
        wanted.sort(key=lambda row: not row.get("pinned", False))
        return {"data": wanted, "has_more": False, "has_archived": any(row.get("archived") for row in rows)}


async def choose(page: Page, name: str, action: str) -> None:
    item = page.locator("openai-chatkit .thread-item").filter(has_text=name)
    await item.get_by_role("button", name="Actions").click()
    await page.get_by_role("menuitem", name=action, exact=True).click()


async def test_pinned_conversations_have_a_heading_of_their_own(page: Page, pages: Site):
    Shelf(pages, "Rome", "Paris", "Oslo")
    await show(page)
    await choose(page, "Rome", "Pin")
    await expect(titles(page)).to_have_text(["Rome", "Oslo", "Paris"])
    await expect(page.locator("openai-chatkit .threads h3").first).to_have_text("Pinned")
    await expect(row(page, "Rome")).to_be_focused()
    await choose(page, "Rome", "Unpin")
    await expect(titles(page)).to_have_text(["Oslo", "Paris", "Rome"])


async def test_archived_conversations_are_apart_and_come_back(page: Page, pages: Site):
    Shelf(pages, "Rome", "Paris")
    await show(page)
    await expect(page.get_by_role("button", name="Archived conversations")).to_be_hidden()
    await choose(page, "Paris", "Archive")
    await expect(titles(page)).to_have_text(["Rome"])
    await expect(row(page, "Rome")).to_be_focused()
    await page.get_by_role("button", name="Archived conversations").click()
    await expect(page.get_by_role("heading", name="Archived conversations")).to_be_visible()
    await expect(titles(page)).to_have_text(["Paris"])
    await choose(page, "Paris", "Move out of the archive")
    await expect(titles(page)).to_have_count(0)
    await page.keyboard.press("Escape")
    await expect(titles(page)).to_have_text(["Paris", "Rome"])


async def test_search_of_what_was_said_shows_where_it_was_found(page: Page, pages: Site):
    shelf = Shelf(pages, *(f"Talk {number}" for number in range(8)))
    shelf.threads["Talk 3"]["excerpt"] = "a hotel near the Colosseum, please"
    await show(page)
    await search(page).fill("colosseum")
    await expect(titles(page)).to_have_text(["Talk 3"])
    await expect(row(page, "Talk 3").locator("mark")).to_have_text("Colosseum")
    await expect(page.locator("openai-chatkit .threads h3")).to_have_count(0)
    await search(page).press("Escape")
    await expect(titles(page)).to_have_count(8)
    await expect(page.get_by_text("a hotel near")).to_be_hidden()


async def test_search_asks_once_for_a_word_that_is_typed(page: Page, pages: Site):
    Shelf(pages, *(f"Talk {number}" for number in range(8)))
    await show(page)
    await expect(titles(page)).to_have_count(8)
    await search(page).press_sequentially("talk 5")
    await expect(titles(page)).to_have_text(["Talk 5"])
    asked = [
        params["search"] for name, params, _ in pages.requests if name == "history" and "search" in params
    ]
    assert asked[-1] == "talk 5"
    assert len(asked) < 6


async def test_order_that_is_refused_is_told(page: Page, pages: Site):
    Shelf(pages, "Rome")

    async def refuse(route: Any) -> None:
        await route.fulfill(status=400, json={"message": "No more than 50 conversations can be pinned."})

    await show(page)
    await page.route("**/chatkit/threads/*", refuse)
    await choose(page, "Rome", "Pin")
    await expect(page.get_by_role("alert").filter(has_text="No more than 50")).to_be_visible()
    await page.unroute("**/chatkit/threads/*")
