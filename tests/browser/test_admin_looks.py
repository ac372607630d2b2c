"""Every page of the admin, stock and under django-unfold: light and dark, wide and narrow, from left and from right."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Route, expect

from tests.js import package

from .axe import violations
from .demo_site import demo_process
from .waiting import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

SAMPLE = "Everything a conversation can hold"
ADMIN = "/admin/chatkit_app/"
ROWS = "#result_list tbody th a"
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 400, "height": 800}
# The search box of the stock admin has its own faults, and the element its own tests.
NOT_OURS = ("#toolbar", "openai-chatkit")
# Which the stock admin keeps; unfold needs inline scripts and styles, and eval.
POLICY = "default-src 'self'; img-src 'self' data: blob:"


SHAPELESS = """() => [...document.querySelectorAll(
  "#content :is(.chatkit-badge, textarea, select, input:is([type=text], [type=date]), .button, .closelink)"
)].filter((node) => {
  const { borderTopStyle, backgroundColor } = getComputedStyle(node);
  return node.checkVisibility() && borderTopStyle === "none" && backgroundColor === "rgba(0, 0, 0, 0)";
}).map((node) => node.outerHTML.slice(0, 100))"""
"""What has neither a border nor a background, but should."""


@pytest.fixture(scope="module", params=["stock", "unfold"])
def look(request: pytest.FixtureRequest) -> str:
    if request.param == "unfold":
        pytest.importorskip("unfold")
    return str(request.param)


@pytest.fixture(scope="module")
def site_url(
    look: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    package("axe-core")
    if look == "stock":
        yield request.getfixturevalue("demo_url")
        return
    with demo_process(tmp_path_factory.mktemp(look), "tests.unfold_settings") as url:
        yield url


class Tour:
    """A staff member who visits the pages, and what went wrong on the way."""

    def __init__(self, page: Page, look: str) -> None:
        self.page = page
        self.look = look
        self.wrong: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.wrong.append(f"{page.url}: {error}"))

    def _heard(self, message: object) -> None:
        # A socket of a page that a test has put in the site's place is none of the site's, to the browser.
        is_ours = "LOCAL_NETWORK_ACCESS" not in getattr(message, "text", "")
        if is_ours and getattr(message, "type", "") in ("error", "warning"):
            self.wrong.append(f"{self.page.url}: {getattr(message, 'text', message)}")

    async def visit(self, path: str) -> None:
        response = await self.page.goto(path)
        if response is None or response.status != 200:
            self.wrong.append(f"{path}: {response and response.status}")
            return
        await self.look_around(path)

    async def look_around(self, path: str) -> None:
        """That the page is as wide as its window, that its parts have shapes, and what axe finds in ours."""
        for size in (WIDE, NARROW):
            await self.page.set_viewport_size(size)  # type: ignore[arg-type]
            overflow = await self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if overflow > 0:
                self.wrong.append(f"{path}: {overflow} px too wide at {size['width']}")
        self.wrong += [f"{path}: without a shape: {found}" for found in await self.page.evaluate(SHAPELESS)]
        self.wrong += [f"{path}: {found}" for found in await violations(self.page, "#content", NOT_OURS)]

    async def first(self, links: str) -> str:
        """Where the first such link of the page leads to."""
        return await self.page.locator(links).first.get_attribute("href") or ""


@pytest_asyncio.fixture(loop_scope="package", params=["light", "dark"])
async def tour(
    request: pytest.FixtureRequest, browser: Browser, site_url: str, look: str
) -> AsyncIterator[Tour]:
    """Light in English, or dark in Arabic."""
    context: BrowserContext = await browser.new_context(
        base_url=site_url,
        color_scheme=request.param,
        locale={"light": "en", "dark": "ar"}[request.param],
        viewport=WIDE,  # type: ignore[arg-type]
    )
    context.set_default_timeout(PATIENCE * 1000)
    page = await context.new_page()
    if look == "stock":
        await page.route("**/admin/**", _with_policy)
    await page.goto("/admin/login/")
    await page.fill("[name=username]", "admin")
    await page.fill("[name=password]", "admin")
    await page.click("[type=submit]")
    yield Tour(page, look)
    await context.close()


async def _with_policy(route: Route) -> None:
    if route.request.resource_type != "document" or route.request.method != "GET":
        await route.fallback()
        return
    response = await route.fetch(max_redirects=0)
    headers = {**response.headers, "content-security-policy": POLICY}
    await route.fulfill(response=response, headers=headers)


async def test_every_page_looks_right(tour: Tour):
    await tour.visit(f"{ADMIN}thread/?q=%22{SAMPLE}%22")
    thread = (await tour.first(ROWS)).partition("change/")[0]
    await tour.visit(f"{thread}change/")
    await expect(tour.page.locator("openai-chatkit .item").last).to_be_visible()
    redact = await tour.first("openai-chatkit a[href*=redact]")
    forms = ("moderate/lock/", "flag/", "notes/", "labels/", "assign/", "export/", "erase/", "delete/")
    for path in (redact, *(thread + form for form in forms), f"{thread}history/"):
        await tour.visit(path)

    for name in ("flag", "auditentry", "run", "feedback"):
        await tour.visit(f"{ADMIN}{name}/")
        await tour.visit(await tour.first(ROWS))
    for path in ("attachment/", "label/", "label/add/", "dailystatistics/"):
        await tour.visit(ADMIN + path)

    await tour.page.goto(f"{ADMIN}reviewqueue/")
    resolve = tour.page.locator(".chatkit-resolve")
    await tour.page.locator("[name=do][value=take]").or_(resolve).first.wait_for()
    if not await resolve.is_visible():
        await tour.page.click("[name=do][value=take]")
    await expect(resolve).to_be_visible()
    await tour.look_around("a flag's review")

    assert tour.wrong == []
