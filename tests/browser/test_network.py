"""A tour of the whole demo: no request leaves the site, and a strict Content-Security-Policy has nothing to say."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page, Route, expect

from tests.forks import ROOT

from .demo_site import (
    CHAT,
    answers,
    box,
    button,
    end_of_answer,
    pick_and_wait,
    prompts,
    visit,
    widgets,
)
from .waiting import say

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'self'; require-trusted-types-for 'script'"
)
# Every violation, also of what is in a shadow tree, and errors that somebody may swallow.
WATCH = """
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sourceFile, lineNumber }) =>
  console.error(`Violation of ${violatedDirective}: ${blockedURI} at ${sourceFile}:${lineNumber}`));
"""


class Traveller:
    """A page, and what was heard of it on the way."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.urls: list[str] = []
        self.errors: list[str] = []
        page.context.on("request", lambda request: self.urls.append(request.url))
        page.on("console", self._hear)

    def _hear(self, message: Any) -> None:
        # Chromium takes a page whose requests a test looks at for one of somewhere else, and refuses it sockets.
        is_refused = "ws://localhost" in message.text and "LOCAL_NETWORK_ACCESS" in message.text
        if message.type in ("error", "warning") and not is_refused:
            self.errors.append(message.text)


async def see_everything(page: Page) -> None:
    """Each prompt of the start screen, and what can be done with what it shows."""
    await visit(page)
    for prompt in prompts():
        await pick_and_wait(page, prompt)
        if prompt in ACTS:
            await ACTS[prompt](page)
        await button(page, "New chat").click()
        await expect(button(page, "More…")).to_be_visible()
    await page.reload()


async def use_the_order(page: Page) -> None:
    await button(page, "Favourite").click()
    await button(page, "Track").click()
    await expect(answers(page)).to_have_text("Your order is next door, at number 12.")


async def fill_in_the_form(page: Page) -> None:
    await widgets(page).get_by_label("Name").fill("Ada")
    await button(page, "Book").click()
    await expect(answers(page)).to_have_text("Your table is booked.")


async def answer_the_questions(page: Page) -> None:
    await page.get_by_label("Spring").check()
    await button(page, "Next").click()
    await page.get_by_label("By train").check()
    await button(page, "Next").click()
    await page.get_by_label("Where to?").fill("Lisbon")
    await button(page, "Submit").click()
    await expect(answers(page).last).to_contain_text("Thank you.")


async def open_the_sources(page: Page) -> None:
    await page.locator(CHAT).get_by_role("link", name="Source: The Django documentation").hover()
    await expect(page.get_by_text("Models, views, templates and everything else.")).to_be_visible()
    await page.get_by_text("Sources · 3").click()
    await button(page, "Source: Coffee").hover()
    await expect(page.get_by_text("12 €")).to_be_visible()
    # Its preview is above other buttons.
    await page.mouse.move(1, 1)
    await expect(page.get_by_text("12 €")).to_be_hidden()


async def enlarge_the_image(page: Page) -> None:
    await button(page, "Enlarge image: Image").click()
    await page.keyboard.press("Escape")


async def look_at_the_chart(page: Page) -> None:
    await page.locator(f"{CHAT} .chart-plot").hover()


async def use_every_widget(page: Page) -> None:
    await button(page, "Turn the page").click()
    await button(page, "Show 4 more").click()
    await button(page, "Show details").click()
    await button(page, "As wide as the card").click()
    await expect(answers(page)).to_have_text("You pressed “As wide as the card”.")


async def attach_an_image(page: Page) -> None:
    picture = ROOT / "project" / "static" / "project" / "landscape.png"
    await page.locator(f"{CHAT} input[type=file]").set_input_files(str(picture))
    await expect(page.locator(f"{CHAT} .file")).to_have_attribute("data-state", "ready")
    await say(page, "Here it is")
    await end_of_answer(page)
    image = button(page, "Enlarge image: landscape.png").locator("img")
    await expect(image).not_to_have_js_property("naturalWidth", 0)


async def use_the_composer(page: Page) -> None:
    """Menus, mentions, commands, the history and what can be done with an answer."""
    await button(page, "Good answer").click()
    await button(page, "Quote").click()
    await button(page, "Files and tools").click()
    await page.keyboard.press("Escape")
    await box(page).press_sequentially("@cof")
    await page.get_by_role("option", name="Coffee").click()
    await box(page).press("Enter")
    await end_of_answer(page)
    await button(page, "Answer again").last.click()
    await end_of_answer(page)
    await button(page, "Show conversations").click()
    await page.locator(f"{CHAT} .thread-item").first.get_by_role("button", name="Actions").click()
    await page.get_by_role("menuitem", name="Delete").click()
    await page.locator(CHAT).get_by_role("alertdialog").get_by_role("button", name="Cancel").click()
    await page.keyboard.press("Escape")


ACTS = {
    "A widget": use_the_order,
    "Every widget": use_every_widget,
    "A chart": look_at_the_chart,
    "A form": fill_in_the_form,
    "Questions": answer_the_questions,
    "Sources": open_the_sources,
    "An image": enlarge_the_image,
    "A file": attach_an_image,
    "Progress": use_the_composer,
}


@pytest_asyncio.fixture(loop_scope="package")
async def traveller(demo_context: BrowserContext, demo_url: str) -> AsyncIterator[Traveller]:
    async def with_policy(route: Route) -> None:
        response = await route.fetch()
        await route.fulfill(
            response=response, headers={**response.headers, "content-security-policy": POLICY}
        )

    await demo_context.route(f"{demo_url}/", with_policy)
    page = await demo_context.new_page()
    await page.add_init_script(WATCH)
    yield Traveller(page)


async def test_tour_stays_within_the_site_and_its_policy(traveller: Traveller, demo_url: str):
    await see_everything(traveller.page)
    elsewhere = {urlsplit(url)._replace(path="", query="", fragment="").geturl() for url in traveller.urls}
    assert elsewhere - {"blob:", "data:"} == {demo_url}
    assert traveller.errors == []
    assert len(traveller.urls) > len(prompts())


async def test_policy_is_in_force(traveller: Traveller):
    await visit(traveller.page)
    await traveller.page.evaluate("() => { const link = document.createElement('div'); link.style = ''; }")
    await traveller.page.evaluate(
        """() => {
            const image = document.body.appendChild(new Image());
            image.src = "https://elsewhere.example/pixel.png";
            return new Promise((resolve) => (image.onerror = resolve)).then(() => null);
        }"""
    )
    assert [error for error in traveller.errors if error.startswith("Violation of img-src")] != []
