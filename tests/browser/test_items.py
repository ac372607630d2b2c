"""The items of a thread: messages, workflows, tasks and images, as users and staff see them."""

import base64
import threading
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from .site import Site, assistant, user
from .waiting import say

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]


@pytest_asyncio.fixture(loop_scope="package")
async def page(reused_page: Page) -> Page:
    return reused_page


PIXEL = base64.b64encode(base64.b64decode("R0lGODlhAQABAIAAAAUEBAAAACwAAAAAAQABAAACAkQBADs=")).decode()
IMAGE = f"data:image/gif;base64,{PIXEL}"


async def open_thread(page: Page, pages: Site, *items: dict[str, Any], **options: Any) -> str:
    thread = pages.add_thread("Thread", *items)
    pages.page_size = 100
    pages.chats = [{"thread": thread, "options": options}]
    await page.goto("/")
    await expect(page.locator("openai-chatkit .item").first).to_be_visible()
    return thread


def items(page: Page) -> Locator:
    return page.locator("openai-chatkit .item")


def message(*content: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return user("") | {"content": list(content)} | fields


def text(value: str) -> dict[str, Any]:
    return {"type": "input_text", "text": value}


def tag(value: str, **fields: Any) -> dict[str, Any]:
    return {"type": "input_tag", "id": "tag_1", "text": value, "data": {"age": "17"}, **fields}


def workflow(*tasks: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "type": "workflow",
        "workflow": {"type": "custom", "tasks": list(tasks), "expanded": False} | fields,
    }


def task(title: str, state: str = "none", **fields: Any) -> dict[str, Any]:
    return {"type": "custom", "title": title, "status_indicator": state, **fields}


# User messages


async def test_tags_stand_where_they_were_put(page: Page, pages: Site):
    await open_thread(page, pages, message(text("Ask "), tag("Harry"), text(" and\n"), tag("Ron"), text(".")))
    await expect(page.locator("openai-chatkit .bubble")).to_have_text(
        "Ask Harry and\nRon.", use_inner_text=True
    )


async def test_tag_that_is_interactive_tells_the_page(page: Page, pages: Site):
    await open_thread(page, pages, message(tag("Harry", interactive=True, group="People"), tag("Ron")))
    await page.evaluate(
        """document.querySelector("openai-chatkit").setOptions({
          api: {url: "/chatkit"}, entities: {onClick: (entity) => (window.clicked = entity)},
        })"""
    )
    await expect(page.get_by_role("button", name="Ron")).to_have_count(0)
    await page.get_by_role("button", name="Harry").press("Enter")
    assert await page.evaluate("clicked") == {
        "id": "tag_1",
        "title": "Harry",
        "group": "People",
        "data": {"age": "17"},
        "interactive": True,
    }


async def test_tag_shows_the_preview_of_the_page(page: Page, pages: Site):
    await open_thread(page, pages, message(tag("Harry", interactive=True)))
    await page.evaluate(
        """document.querySelector("openai-chatkit").setOptions({
          api: {url: "/chatkit"},
          entities: {onRequestPreview: async ({title}) => ({
            preview: {type: "Basic", children: [{type: "Text", value: `About ${title}`}]},
          })},
        })"""
    )
    await page.get_by_role("button", name="Harry").hover()
    await expect(page.get_by_text("About Harry")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_text("About Harry")).to_have_count(0)


async def test_quote_is_above_the_message(page: Page, pages: Site):
    await open_thread(page, pages, message(text("Why?"), quoted_text="It rains."))
    await expect(page.locator("openai-chatkit blockquote")).to_have_text("It rains.")


async def test_attached_file_says_its_name_and_kind(page: Page, pages: Site):
    file = {"type": "file", "id": "atc_1", "name": "plan", "mime_type": "application/pdf"}
    await open_thread(page, pages, message(text("Read this"), attachments=[file]))
    await expect(page.get_by_role("listitem").filter(has_text="plan").last).to_have_text("planPDF")


async def test_attached_image_opens_large_and_gives_the_focus_back(page: Page, pages: Site):
    image = {
        "type": "image",
        "id": "atc_1",
        "name": "dot.gif",
        "mime_type": "image/gif",
        "preview_url": IMAGE,
    }
    await open_thread(page, pages, message(text("Look"), attachments=[image]))
    button = page.get_by_role("button", name="Enlarge image: dot.gif")
    await button.press("Enter")
    await expect(page.get_by_role("dialog", name="dot.gif")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(button).to_be_focused()


async def test_attached_image_of_another_site_is_loaded_when_asked_for(page: Page, pages: Site):
    await page.route("https://img.example/a.gif", lambda route: route.fulfill(body=base64.b64decode(PIXEL)))
    image = {"type": "image", "name": "a.gif", "mime_type": "image/gif"}
    image |= {"id": "a", "preview_url": "https://img.example/a.gif"}
    await open_thread(page, pages, message(text("Look"), attachments=[image]))
    await page.get_by_role("button", name="Show image from img.example").click()
    await expect(page.get_by_role("button", name="Enlarge image: a.gif")).to_be_visible()


# Workflows and tasks


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ({"summary": {"title": "Asked around"}}, "Asked around"),
        ({"summary": {"duration": 63}}, "Worked for 1 min 3 sec"),
        ({"summary": {"duration": 0}}, "Worked for 0 seconds"),
        ({"summary": {"duration": 3601}, "type": "reasoning"}, "Thought for 1 hr 1 sec"),
        ({}, "Second"),
        ({"tasks": []}, "Done"),
    ],
)
async def test_workflow_is_called_after_what_it_did(
    fields: dict[str, Any], title: str, page: Page, pages: Site
):
    await open_thread(page, pages, user("Work"), workflow(task("First"), task("Second"), **fields))
    await expect(items(page).nth(1).get_by_role("button").first).to_have_text(title)


async def test_workflow_says_its_duration_in_the_language_of_the_chat(page: Page, pages: Site):
    items_ = [user("Work"), workflow(task("First"), summary={"duration": 12})]
    await open_thread(page, pages, *items_, locale="de")
    await expect(items(page).nth(1)).to_contain_text("12 Sekunden")


async def test_workflow_opens_and_closes(page: Page, pages: Site):
    await open_thread(page, pages, user("Work"), workflow(task("Looked", content="at the **map**")))
    toggle = items(page).nth(1).get_by_role("button", name="Looked")
    await expect(toggle).to_have_attribute("aria-expanded", "false")
    await toggle.press("Enter")
    await expect(page.get_by_text("at the map")).to_be_visible()
    await toggle.press("Space")
    await expect(page.get_by_text("at the map")).to_be_hidden()


async def test_workflow_stays_as_the_reader_left_it(page: Page, pages: Site):
    added = workflow(task("First", "loading"), expanded=True)
    update = {"type": "workflow.task.updated", "task_index": 0, "task": task("Renamed", "complete")}
    gate = threading.Event()
    pages.script(
        "go",
        {"type": "thread.item.added", "item": added | {"id": "item_w"}},
        gate,
        {"type": "thread.item.updated", "item_id": "item_w", "update": update},
        {"type": "thread.item.done", "item": workflow(task("Renamed"), expanded=True) | {"id": "item_w"}},
    )
    await page.goto("/")
    await page.get_by_role("textbox").fill("go")
    await page.get_by_role("textbox").press("Enter")
    await page.get_by_role("button", name="First", expanded=True).click()
    gate.set()
    await expect(page.get_by_role("button", name="Renamed", expanded=False)).to_be_visible()
    await expect(page.get_by_role("button", name="Send message")).to_be_visible()
    await expect(page.get_by_role("button", name="Renamed", expanded=False)).to_be_visible()


async def test_link_of_a_task_that_is_pressed_stays_when_the_task_goes_on(page: Page, pages: Site):
    gate = threading.Event()
    search = task("Searching", "loading") | {
        "type": "web_search",
        "sources": [{"type": "url", "url": "https://birds.example/", "title": "Swifts"}],
    }
    update = {"type": "workflow.task.updated", "task_index": 0, "task": search | {"title": "Searched"}}
    pages.script(
        "go",
        {"type": "thread.item.added", "item": workflow(search, expanded=True) | {"id": "item_w"}},
        gate,
        {"type": "thread.item.updated", "item_id": "item_w", "update": update},
        30,
    )
    await page.goto("/")
    await say(page, "go")
    link = await page.get_by_role("link", name="Swifts").element_handle()
    gate.set()
    await expect(page.locator("openai-chatkit .task")).to_contain_text("Searched")
    assert await link.evaluate("(node) => node.isConnected")


async def test_live_workflow_is_called_after_the_task_that_is_going_on(page: Page, pages: Site):
    tasks = [task("Searching", "loading"), task("Waiting")]
    pages.script("go", {"type": "thread.item.added", "item": workflow(*tasks, expanded=True)}, 30)
    await page.goto("/")
    await page.get_by_role("textbox").fill("go")
    await page.get_by_role("textbox").press("Enter")
    await expect(page.get_by_role("button", name="Searching")).to_be_visible()
    await expect(page.get_by_role("listitem").filter(has_text="Searching").last).to_contain_text("Loading…")


async def test_task_that_was_left_loading_loads_no_more(page: Page, pages: Site):
    await open_thread(page, pages, user("Work"), workflow(task("Searching", "loading"), expanded=True))
    await expect(page.locator("openai-chatkit .task")).to_have_text("Searching")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"type": "custom", "title": "Own", "content": "**text**"}, "Owntext"),
        (
            {"type": "web_search", "title_query": "swifts", "queries": ["apus apus"], "sources": []},
            "Searched for “swifts”apus apus",
        ),
        ({"type": "web_search", "title": "Own", "title_query": "swifts"}, "Own"),
        ({"type": "web_search"}, "Searched the web"),
        ({"type": "thought", "content": "Hm *hm*"}, "Hm hm"),
        ({"type": "thought", "title": "On it", "content": "Hm"}, "On itHm"),
        (
            {"type": "file", "sources": [{"type": "file", "filename": "a.pdf", "title": "A"}]},
            "Read filesAa.pdf",
        ),
        ({"type": "image"}, "Made an image"),
        ({"type": "hologram", "title": "New"}, "New"),
    ],
)
async def test_task_says_what_it_was(fields: dict[str, Any], said: str, page: Page, pages: Site):
    await open_thread(page, pages, user("Work"), {"type": "task", "task": fields})
    await expect(items(page).nth(1).locator(".task")).to_have_text(said)


async def test_search_links_to_what_it_found(page: Page, pages: Site):
    found = {"type": "url", "title": "Swifts", "url": "https://birds.example/swifts"}
    await open_thread(
        page, pages, user("Work"), {"type": "task", "task": {"type": "web_search", "sources": [found]}}
    )
    link = page.get_by_role("link", name="Swifts birds.example")
    await expect(link).to_have_attribute("href", "https://birds.example/swifts")
    await expect(link).to_have_attribute("target", "_blank")


# Generated images


def generated(**fields: Any) -> dict[str, Any]:
    return {"type": "generated_image", **fields}


async def test_generated_image_can_be_enlarged_and_downloaded(page: Page, pages: Site):
    await open_thread(page, pages, user("Draw"), generated(image={"id": "img_1", "url": IMAGE}))
    await expect(page.get_by_role("link", name="Download")).to_have_attribute("href", IMAGE)
    await page.get_by_role("button", name="Enlarge image: Image").click()
    await expect(page.get_by_role("dialog", name="Image")).to_be_visible()
    await page.get_by_role("button", name="Close").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_generated_image_of_another_site_is_not_offered_as_a_download(page: Page, pages: Site):
    image = {"id": "img_1", "url": "https://img.example/a.png"}
    await open_thread(page, pages, user("Draw"), generated(image=image))
    await expect(page.get_by_role("button", name="Show image from img.example")).to_be_visible()
    await expect(page.get_by_role("link", name="Download")).to_have_count(0)


async def test_generated_image_whose_address_is_none_has_its_name(page: Page, pages: Site):
    await open_thread(page, pages, user("Draw"), generated(image={"id": "img_1", "url": "https://[::1"}))
    await expect(items(page).nth(1).locator(".remote-image")).to_have_text("Image")
    await expect(page.get_by_role("link", name="Download")).to_have_count(0)


async def test_generated_image_shows_how_far_it_is(page: Page, pages: Site):
    update = {"type": "generated_image.updated", "image": {"id": "img_1", "url": IMAGE}}
    pages.script(
        "draw",
        {"type": "thread.item.added", "item": generated(id="item_g")},
        {"type": "thread.item.updated", "item_id": "item_g", "update": update | {"progress": 0.25}},
        30,
    )
    await page.goto("/")
    await page.get_by_role("textbox").fill("draw")
    await page.get_by_role("textbox").press("Enter")
    await expect(page.get_by_role("progressbar", name="Making an image…")).to_have_attribute(
        "aria-valuenow", "25"
    )
    await expect(page.get_by_role("button", name="Enlarge image: Image")).to_be_visible()


async def test_generated_image_without_an_image_says_so(page: Page, pages: Site):
    await open_thread(page, pages, user("Draw"), generated())
    await expect(page.get_by_text("The image was not finished.")).to_be_visible()
    await expect(page.get_by_role("progressbar")).to_have_count(0)


# What else there may be


async def test_unknown_item_says_what_is_readable_in_it(page: Page, pages: Site):
    hologram = {"type": "hologram", "title": "Something new", "data": {"rows": [{"label": "inside"}], "x": 1}}
    await open_thread(page, pages, user("Look"), hologram, assistant("It is new."))
    await expect(items(page)).to_have_text(["YouLook", "Something new inside", "AssistantIt is new."])


async def test_unknown_item_without_anything_readable_says_so(page: Page, pages: Site):
    await open_thread(page, pages, user("Look"), {"type": "constructor"})
    await expect(items(page).nth(1)).to_have_text("This part of the answer cannot be shown here.")


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (
            {"type": "client_tool_call", "name": "locate", "arguments": {"exact": True}, "output": ["here"]},
            'Tool call locateArguments{\n  "exact": true\n}Output[\n  "here"\n]',
        ),
        ({"type": "client_tool_call", "name": "locate", "arguments": {}}, "Tool call locateArguments{}"),
        ({"type": "hidden_context_item", "content": "The user pays."}, "Hidden context The user pays."),
        ({"type": "sdk_hidden_context", "content": {"a": 1}}, 'Hidden context {\n  "a": 1\n}'),
    ],
)
async def test_records_can_be_shown_to_staff(item: dict[str, Any], said: str, page: Page, pages: Site):
    await page.goto("/")
    shown = await page.evaluate(
        """async (item) => {
          const {createItemView} = await import(CLIENT + "/element/items/index.js");
          const {STRINGS} = await import(CLIENT + "/element/strings.js");
          const workflow = await import(CLIENT + "/element/items/workflow.js");
          const host = {text: (key) => STRINGS[key], isReadOnly: true, part: () => workflow};
          const view = createItemView(host, item);
          view.update(item);
          return view.node.textContent;
        }""",
        item,
    )
    assert shown == said
