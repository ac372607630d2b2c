"""What an answer rests on: marks in its text, cards beside them, and a list below."""

import threading
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from .site import Site, assistant, user
from .test_items import open_thread
from .waiting import say

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]


@pytest_asyncio.fixture(loop_scope="package")
async def page(reused_page: Page) -> Page:
    return reused_page


PAGE = {
    "type": "url",
    "url": "https://www.birds.example/swifts",
    "title": "When swifts come",
    "attribution": "Bird Journal",
    "description": "Forty years of records.",
    "timestamp": "2025-01-31",
}
FILE = {"type": "file", "filename": "notes.pdf", "title": "Field notes"}
ENTITY = {"type": "entity", "id": "e1", "title": "Harry Potter", "inline_label": "Harry", "data": {"a": "b"}}


def cited(text: str, *annotations: tuple[dict[str, Any], int | None]) -> dict[str, Any]:
    item = assistant(text)
    item["content"][0]["annotations"] = [
        {"type": "annotation", "source": source, "index": index} for source, index in annotations
    ]
    return item


def answer(page: Page) -> Locator:
    return page.locator("openai-chatkit .parts")


async def test_mark_stands_behind_what_it_belongs_to(page: Page, pages: Site):
    await open_thread(page, pages, user("When?"), cited("In May. Or June.", (PAGE, 7), (FILE, None)))
    await expect(answer(page)).to_have_text("In May.Bird Journal Or June.notes.pdf")


async def test_full_stop_stands_close_to_the_mark_before_it(page: Page, pages: Site):
    await open_thread(page, pages, user("When?"), cited("In May.", (PAGE, 6)))
    mark = page.get_by_role("link", name="Source: When swifts come")
    await expect(mark).to_have_css("margin-right", "0px")


async def test_mark_is_placed_by_characters_as_python_counts_them(page: Page, pages: Site):
    await open_thread(page, pages, user("When?"), cited("😀😀 May. Or June.", (PAGE, 7)))
    await expect(answer(page)).to_have_text("😀😀 May.Bird Journal Or June.")


async def test_mark_of_a_page_is_a_link(page: Page, pages: Site):
    await open_thread(page, pages, user("When?"), cited("In May.", (PAGE, 7)))
    mark = page.get_by_role("link", name="Source: When swifts come")
    await expect(mark).to_have_attribute("href", "https://www.birds.example/swifts")
    await expect(mark).to_have_attribute("rel", "noopener noreferrer nofollow")


async def test_mark_of_a_page_without_attribution_names_its_site(page: Page, pages: Site):
    source = {key: value for key, value in PAGE.items() if key != "attribution"}
    await open_thread(page, pages, user("When?"), cited("In May.", (source, 7)))
    await expect(answer(page)).to_have_text("In May.birds.example")


async def test_mark_of_an_unsafe_url_leads_nowhere(page: Page, pages: Site):
    source = PAGE | {"url": "javascript:alert(1)"}
    await open_thread(page, pages, user("When?"), cited("In May.", (source, 7)))
    await expect(page.get_by_role("button", name="Source: When swifts come")).to_be_visible()
    await expect(page.locator("openai-chatkit").get_by_role("link")).to_have_count(0)


async def test_card_of_a_page_comes_with_the_pointer_and_goes_with_it(page: Page, pages: Site):
    await open_thread(page, pages, user("When?"), cited("In May.", (PAGE, 7)))
    await page.get_by_role("link", name="Source: When swifts come").hover()
    card = page.locator("openai-chatkit .card")
    await expect(card).to_have_text("Bird JournalWhen swifts comeForty years of records.Jan 31, 2025")
    await page.mouse.move(5, 5)
    await expect(card).to_have_count(0)


async def test_card_comes_with_the_keyboard_and_closes_by_escape(page: Page, pages: Site):
    await open_thread(page, pages, user("When?"), cited("In May.", (FILE, 7)))
    mark = page.get_by_role("button", name="Source: Field notes")
    await page.get_by_role("button", name="Copy").focus()
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Shift+Tab")
    await expect(mark).to_be_focused()
    await expect(page.locator("openai-chatkit .card")).to_have_text("notes.pdfField notes")
    await page.keyboard.press("Escape")
    await expect(page.locator("openai-chatkit .card")).to_have_count(0)
    await expect(mark).to_be_focused()


async def test_sources_of_one_place_share_a_mark(page: Page, pages: Site):
    await open_thread(page, pages, user("When?"), cited("In May.", (PAGE, 7), (FILE, 7), (ENTITY, 7)))
    await expect(answer(page)).to_have_text("In May.Bird Journal +2")
    await page.get_by_role("button", name="Source: When swifts come, Field notes, Harry Potter").click()
    card = page.locator("openai-chatkit .card")
    await expect(card.get_by_role("listitem")).to_have_text(
        ["When swifts comeBird Journal", "Field notesnotes.pdf", "Harry Potter"]
    )
    await page.keyboard.press("Tab")
    await expect(card.get_by_role("link", name="When swifts come")).to_be_focused()


async def test_entity_without_an_inline_label_is_marked_by_its_icon(page: Page, pages: Site):
    source = {"type": "entity", "id": "e1", "title": "Harry Potter", "icon": "user"}
    await open_thread(page, pages, user("Who?"), cited("Him.", (source, 4)))
    await expect(answer(page)).to_have_text("Him.")
    await expect(answer(page).locator("svg[data-icon=user]")).to_be_visible()


async def test_entity_that_is_interactive_tells_the_page(page: Page, pages: Site):
    await open_thread(page, pages, user("Who?"), cited("Him.", (ENTITY | {"interactive": True}, 4)))
    await page.evaluate(
        """document.querySelector("openai-chatkit").setOptions({
          api: {url: "/chatkit"},
          entities: {
            onClick: (entity) => (window.clicked = entity),
            onRequestPreview: async ({id}) => ({
              preview: {type: "Basic", children: [{type: "Text", value: `Preview ${id}`}]},
            }),
          },
        })"""
    )
    mark = page.get_by_role("button", name="Source: Harry Potter")
    await mark.hover()
    await expect(page.get_by_text("Preview e1")).to_be_visible()
    await mark.click()
    clicked = await page.evaluate("clicked")
    assert (clicked["id"], clicked["title"], clicked["data"]) == ("e1", "Harry Potter", {"a": "b"})


async def test_preview_that_comes_late_is_shown_once(page: Page, pages: Site):
    await open_thread(page, pages, user("Who?"), cited("Him.", (ENTITY | {"interactive": True}, 4)))
    await page.evaluate(
        """document.querySelector("openai-chatkit").setOptions({
          api: {url: "/chatkit"},
          entities: {onRequestPreview: () => new Promise((resolve) => (window.asked ??= []).push(resolve))},
        })"""
    )
    mark = page.get_by_role("button", name="Source: Harry Potter")
    await mark.focus()
    await mark.blur()
    await mark.focus()
    await page.evaluate(
        """asked.map((resolve) => resolve({
          preview: {type: "Basic", children: [{type: "Text", value: `Preview of ${asked.length}`}]},
        }))"""
    )
    await expect(page.get_by_text("Preview of 2")).to_be_visible()
    await expect(page.locator("openai-chatkit .card")).to_have_count(1)


async def test_sources_are_listed_once_and_by_group(page: Page, pages: Site):
    papers = PAGE | {"group": "Papers"}
    item = cited("In May. Or June.", (papers, 7), (FILE, 7), (papers, None))
    await open_thread(page, pages, user("When?"), item)
    await page.get_by_text("Sources · 2").click()
    await expect(page.locator("openai-chatkit details .source-lists")).to_have_text(
        "Field notesnotes.pdfPapersWhen swifts comeBird Journal"
    )


async def test_sources_are_listed_when_the_answer_is_there(page: Page, pages: Site):
    update = {"type": "assistant_message.content_part.annotation_added", "content_index": 0}
    annotations = [{"type": "annotation", "source": source, "index": 7} for source in (PAGE, FILE)]
    events: list[dict[str, Any]] = [
        {"type": "thread.item.updated", "item_id": "item_a", "update": update | added}
        for added in (
            {"annotation_index": 0, "annotation": annotations[0]},
            {"annotation_index": 1, "annotation": annotations[1]},
        )
    ]
    done = {"type": "thread.item.done", "item": cited("In May.", (PAGE, 7), (FILE, 7)) | {"id": "item_a"}}
    started = {"type": "thread.item.added", "item": assistant("In May.") | {"id": "item_a"}}
    first, second = threading.Event(), threading.Event()
    pages.script("go", started, events[0], first, events[1], second, done)
    await page.goto("/")
    await page.get_by_role("textbox").fill("go")
    await page.get_by_role("textbox").press("Enter")
    await expect(answer(page)).to_have_text("In May.Bird Journal")
    first.set()
    await expect(answer(page)).to_have_text("In May.Bird Journal +1")
    second.set()
    await expect(page.get_by_text("Sources · 2")).to_be_visible()


async def test_mark_that_is_pressed_stays_when_another_comes(page: Page, pages: Site):
    gate = threading.Event()
    second = {
        "type": "assistant_message.content_part.annotation_added",
        "content_index": 0,
        "annotation_index": 1,
        "annotation": {"type": "annotation", "source": FILE, "index": 2},
    }
    pages.script(
        "go",
        {"type": "thread.item.added", "item": cited("In May.", (PAGE, 7)) | {"id": "item_a"}},
        gate,
        {"type": "thread.item.updated", "item_id": "item_a", "update": second},
        30,
    )
    await page.goto("/")
    await say(page, "go")
    mark = await page.get_by_role("link", name="Source: When swifts come").element_handle()
    gate.set()
    await expect(answer(page)).to_have_text("Innotes.pdf May.Bird Journal")
    assert await mark.evaluate("(node) => node.isConnected")


async def test_sources_ask_no_other_site_for_anything(page: Page, pages: Site):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await open_thread(page, pages, user("When?"), cited("In May.", (PAGE, 7)))
    await page.get_by_text("Sources · 1").click()
    await page.get_by_role("link", name="Source: When swifts come").hover()
    await expect(page.locator("openai-chatkit .card")).to_be_visible()
    assert [url for url in asked if "example" in url] == []
