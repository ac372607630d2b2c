"""What fingers do: push panels away, and write above a keyboard that covers the page."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import CDPSession, Locator, Page, expect

from .site import Site, assistant, user
from .test_element import CHAT, box, messages
from .test_launcher import LAUNCHER, composer, panel
from .waiting import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

PHONE: Any = {"width": 390, "height": 844}
FILLED = (
    "openai-chatkit { position: fixed; inset: 0; inline-size: 100% !important; block-size: 100% !important }"
)


@pytest_asyncio.fixture(loop_scope="package")
async def finger(page: Page) -> CDPSession:
    """A phone's screen, which a finger can be put on."""
    await page.set_viewport_size(PHONE)
    cdp = await page.context.new_cdp_session(page)
    await cdp.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    return cdp


async def swipe(finger: CDPSession, start: tuple[float, float], end: tuple[float, float]) -> None:
    async def touch(kind: str, *points: tuple[float, float]) -> None:
        touched = [{"x": x, "y": y} for x, y in points]
        await finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touched})  # type: ignore[arg-type]

    await touch("touchStart", start)
    for step in range(1, 6):
        part = step / 5
        x, y = (a + (b - a) * part for a, b in zip(start, end, strict=True))
        await touch("touchMove", (x, y))
    await touch("touchEnd")


async def until(happens: Callable[[], Awaitable[bool]]) -> None:
    """The first finger has loaded what is for fingers: do it again until that is there."""
    async with asyncio.timeout(PATIENCE):
        while not await happens():
            await asyncio.sleep(0.02)


def history(page: Page) -> Locator:
    return page.get_by_role("region", name="Conversations")


async def open_history(page: Page) -> None:
    await page.evaluate(f"{CHAT}.showHistory()")
    await expect(history(page)).to_be_visible()


@pytest.mark.parametrize(("direction", "start", "end"), [("ltr", 60, 330), ("rtl", 330, 60)])
async def test_history_is_pushed_away(
    page: Page, pages: Site, finger: CDPSession, direction: str, start: int, end: int
):
    pages.add_thread("One", user("hi"))
    await page.goto("/")
    await page.add_style_tag(content=FILLED)
    await page.evaluate(f"(dir) => {{ {CHAT}.dir = dir; }}", direction)
    await open_history(page)

    async def is_gone() -> bool:
        await swipe(finger, (start, 500), (end, 500))
        return await history(page).is_hidden()

    await until(is_gone)
    await expect(box(page)).to_be_visible()
    await open_history(page)
    await expect(history(page)).to_have_css("translate", "none")
    # It goes the other way, not far enough, or up and down.
    for target in [(start - (end - start) / 6, 500), (start + (end - start) / 12, 500), (start, 300)]:
        await swipe(finger, (start, 500), target)
    await expect(history(page)).to_have_css("translate", "none")
    await expect(history(page)).to_be_visible()


async def test_history_closes_by_the_phones_way_back(page: Page, pages: Site):
    await page.add_init_script(
        "window.CloseWatcher = class { constructor() { window.watcher = this; } destroy() { this.isGone = true; } }"
    )
    await page.goto("/")
    await open_history(page)
    await page.evaluate("watcher.onclose()")
    await expect(history(page)).to_be_hidden()
    assert await page.evaluate("watcher.isGone")


async def test_launcher_is_pushed_away_by_its_header_alone(page: Page, pages: Site, finger: CDPSession):
    pages.chats = [{"launcher": True}]
    await page.goto("/")
    await page.evaluate(f"{LAUNCHER}.open()")
    await expect(composer(page)).to_be_visible()
    await swipe(finger, (195, 400), (195, 800))
    await swipe(finger, (195, 25), (195, 60))
    await expect(panel(page)).to_have_css("translate", "0px")
    await expect(panel(page)).to_be_visible()
    await swipe(finger, (195, 25), (195, 600))
    await expect(panel(page)).to_be_hidden()
    await page.evaluate(f"{LAUNCHER}.open()")
    await expect(panel(page)).to_have_css("translate", "0px")


KEYBOARD = """(height) => {
    for (const [name, value] of Object.entries({height, offsetTop: 0}))
        Object.defineProperty(visualViewport, name, {configurable: true, get: () => value});
    visualViewport.dispatchEvent(new Event("resize"));
}"""


async def test_composer_stays_above_a_keyboard_that_covers_the_page(
    page: Page, pages: Site, finger: CDPSession
):
    thread = pages.add_thread(
        "Long", *[kind(f"line {n}\n\n" * 8) for n in range(3) for kind in (user, assistant)]
    )
    pages.page_size = 100
    pages.chats = [{"thread": thread}]
    await page.goto("/")
    await page.add_style_tag(content=FILLED)
    await expect(messages(page)).to_have_count(6)
    await box(page).focus()

    async def is_above() -> bool:
        await swipe(finger, (195, 300), (195, 300))
        await page.evaluate(KEYBOARD, 500)
        return await bottom(box(page)) <= 500

    await until(is_above)
    # What was at the end of the thread still is.
    await until(lambda: is_within(messages(page).last, 500))
    await page.evaluate(KEYBOARD, PHONE["height"])
    assert await bottom(box(page)) > 700


async def bottom(locator: Locator) -> float:
    found = await locator.bounding_box()
    assert found is not None
    return found["y"] + found["height"]


async def is_within(locator: Locator, height: float) -> bool:
    return await bottom(locator) <= height


async def test_bars_of_a_browser_are_no_keyboard(page: Page, pages: Site, finger: CDPSession):
    await page.goto("/")
    await page.add_style_tag(content=FILLED)
    await box(page).focus()
    await swipe(finger, (195, 300), (195, 300))
    before = await box(page).bounding_box()
    await page.evaluate(KEYBOARD, PHONE["height"] - 60)
    assert await box(page).bounding_box() == before
