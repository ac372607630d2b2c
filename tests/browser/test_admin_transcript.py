"""A thread's page in the admin: the bundled element, read-only, fed by the admin itself."""

from typing import Any

import pytest
import pytest_asyncio
from django.contrib.auth.models import User
from django.test import Client
from playwright.async_api import BrowserContext, Page, expect

from chatkit_app.models import Thread, ThreadItem
from chatkit_app.store import codec
from chatkit_app.testing.sample_items import sample_items
from tests.admin.conftest import make_item, make_items, make_thread

from .axe import violations

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]


class Desk:
    """A staff member at a thread's page."""

    def __init__(self, page: Page, thread: Thread) -> None:
        self.page = page
        self.thread = thread
        self.items = page.locator("openai-chatkit .thread .item")
        self.rows = page.locator("openai-chatkit > [slot]")
        self.scroller = page.locator("openai-chatkit .thread .scroller")
        self.requests: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))

    async def open(self, query: str = "") -> None:
        await self.page.goto(f"/admin/chatkit_app/thread/{self.thread.pk}/change/{query}")


@pytest.fixture
def thread(transactional_db: None) -> Thread:
    return make_thread("Lost parcel")


@pytest.fixture
def session_key(transactional_db: None) -> str:
    client = Client()
    client.force_login(User.objects.create_superuser("anna"))
    return client.cookies["sessionid"].value


@pytest.fixture
def samples(thread: Thread) -> list[ThreadItem]:
    """One item of every kind, and what is hard to read in one."""
    rows = [codec.encode_item(item) for item in sample_items(thread_id=thread.public_id)]
    return [ThreadItem.objects.create(thread=thread, **fields) for fields in rows]


@pytest.fixture
def long(thread: Thread) -> list[ThreadItem]:
    return make_items(thread, 120)


@pytest.fixture
def hidden(thread: Thread) -> ThreadItem:
    return make_item(thread, "hidden_context_item", payload={"content": "the plan"})


@pytest.fixture
def broken(thread: Thread) -> ThreadItem:
    return make_item(thread, "widget", payload={"content": [{"text": "what is left"}]})


@pytest_asyncio.fixture(loop_scope="package")
async def desk(
    context: BrowserContext, page: Page, server_url: str, thread: Thread, session_key: str, settings: Any
) -> Desk:
    settings.ROOT_URLCONF = "tests.urls"
    settings.CHATKIT = {}
    await context.add_cookies([{"name": "sessionid", "value": session_key, "url": server_url}])
    return Desk(page, thread)


async def test_every_type_of_item_is_shown_with_its_row(samples: list[ThreadItem], desk: Desk):
    await desk.open()
    await expect(desk.items).to_have_count(len(samples))
    await expect(desk.rows).to_have_count(len(samples))
    assert await desk.page.get_by_text("This content cannot be shown").count() == 0
    # Each row stands in its own item.
    placed = await desk.rows.evaluate_all(
        "(rows) => rows.map((row) => [row.slot, row.assignedSlot?.parentNode.matches('.item')])"
    )
    assert sorted(placed) == sorted([f"item-{row.public_id}", True] for row in samples)


async def test_nothing_is_loaded_from_elsewhere_and_nothing_can_be_sent(
    samples: list[ThreadItem], desk: Desk
):
    await desk.open()
    await expect(desk.items).to_have_count(len(samples))
    for name in ("Send message", "Answer again", "Good answer", "New chat", "Show conversations"):
        await expect(desk.page.get_by_role("button", name=name)).to_have_count(0)
    await expect(desk.page.get_by_role("button", name="Go").first).to_be_disabled()
    assert [url for url in desk.requests if not url.startswith(("http://localhost", "data:", "blob:"))] == []


@pytest.mark.parametrize(
    ("files", "answer"),
    [
        ("**/static/**", {"status": 404}),
        ("**/transcript.js", {"status": 404}),
        ("**/transcript.js", {"content_type": "text/javascript", "body": "const broken"}),
    ],
    ids=["nothing is served", "missing", "broken"],
)
async def test_transcript_can_be_read_when_its_script_does_not_run(
    long: list[ThreadItem], desk: Desk, page_errors: list[str], files: str, answer: dict[str, Any]
):
    await desk.page.route(files, lambda route: route.fulfill(**answer))
    await desk.open()
    items = desk.page.get_by_role("article")
    await expect(items).to_have_count(50)
    item = items.last
    await expect(item.get_by_text("message <119>")).to_be_visible()
    await expect(item.get_by_role("link", name="Raw data")).to_be_visible()
    page_errors.clear()


async def test_transcript_that_is_drawn_leaves_nothing_of_the_plain_one(
    samples: list[ThreadItem], desk: Desk
):
    await desk.open()
    await expect(desk.items).to_have_count(len(samples))
    await expect(desk.page.locator(".chatkit-plain")).to_have_count(0)


async def test_hidden_items_and_tool_calls_are_marked_and_can_be_opened(hidden: ThreadItem, desk: Desk):
    await desk.open()
    await expect(desk.rows).to_contain_text("hidden from the user")
    await desk.items.locator("summary").click()
    await expect(desk.items.get_by_text("the plan")).to_be_visible()


async def test_broken_item_shows_what_there_is_to_read(broken: ThreadItem, desk: Desk):
    await desk.open()
    await expect(desk.items.locator(".fallback")).to_have_text("what is left")


async def test_scrolling_up_brings_older_items(long: list[ThreadItem], desk: Desk):
    await desk.open()
    await expect(desk.items).to_have_count(50)
    to_the_end = await desk.scroller.evaluate(
        "(node) => node.scrollHeight - node.scrollTop - node.clientHeight"
    )
    assert to_the_end < 2
    for _ in range(10):
        await desk.scroller.evaluate("(node) => node.scrollTo(0, 0)")
        if await desk.items.count() == 120:
            break
        await desk.page.wait_for_timeout(200)
    await expect(desk.items).to_have_count(120)
    await expect(desk.items.first).to_contain_text("message <0>")
    await expect(desk.rows).to_have_count(120)


async def test_linked_item_is_in_sight_and_marked(long: list[ThreadItem], desk: Desk):
    await desk.open(f"?item={long[30].pk}")
    row = desk.page.locator("[aria-current=true]")
    await expect(row).to_have_id(f"item-{long[30].pk}")
    # Older ones come in above it, and it stays.
    await expect(desk.items).to_have_count(80)
    await expect(row).to_be_in_viewport(ratio=1)
    await expect(desk.items.last).to_contain_text("message <79>")


async def test_older_items_that_cannot_be_had_are_told(long: list[ThreadItem], desk: Desk):
    await desk.page.route("**/transcript/", lambda route: route.fulfill(status=500))
    await desk.open()
    await desk.scroller.evaluate("(node) => node.scrollTo(0, 0)")
    await expect(
        desk.page.get_by_role("alert").filter(has_text="Not everything could be loaded.")
    ).to_be_visible()


async def test_page_runs_under_a_strict_policy(samples: list[ThreadItem], desk: Desk):
    async def add_policy(route: Any) -> None:
        response = await route.fetch()
        policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:"
        await route.fulfill(
            response=response, headers={**response.headers, "content-security-policy": policy}
        )

    problems: list[str] = []
    desk.page.on(
        "console", lambda message: problems.append(message.text) if message.type == "error" else None
    )
    await desk.page.route("**/change/", add_policy)
    await desk.open()
    await expect(desk.items).to_have_count(len(samples))
    # A socket of a page that a test has put in the site's place is none of the site's, to the browser.
    others = ("favicon", "404", "LOCAL_NETWORK_ACCESS")
    assert [text for text in problems if not any(part in text for part in others)] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_transcript_follows_the_admin_s_colours(samples: list[ThreadItem], desk: Desk, scheme: Any):
    await desk.page.emulate_media(color_scheme=scheme)
    await desk.open()
    await expect(desk.page.locator("openai-chatkit .frame")).to_have_attribute("data-scheme", scheme)
    await expect(desk.items).to_have_count(len(samples))
    assert await violations(desk.page) == []


async def test_links_of_an_item_are_reached_by_keyboard_in_order(
    hidden: ThreadItem, broken: ThreadItem, desk: Desk
):
    await desk.open()
    await expect(desk.items).to_have_count(2)
    await desk.scroller.focus()
    reached = []
    for _ in range(8):
        await desk.page.keyboard.press("Tab")
        reached.append(
            await desk.page.evaluate("() => document.activeElement.closest('[slot]')?.slot ?? null")
        )
    slots = [f"item-{item.public_id}" for item in (hidden, broken)]
    # The permalink, "Redact", "Flag" and "Raw data" of each; between them what there is to open in the first.
    assert [slot for slot in reached if slot] == [slots[0]] * 4 + [slots[1]] * 3


async def test_page_fits_a_phone(samples: list[ThreadItem], desk: Desk):
    await desk.page.set_viewport_size({"width": 400, "height": 800})
    await desk.open()
    await expect(desk.items).to_have_count(len(samples))
    assert await desk.page.evaluate("document.documentElement.scrollWidth") <= 400
