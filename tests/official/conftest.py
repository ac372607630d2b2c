"""The official client's files, served in the place where its script and its frame are, to the demo.

They are OpenAI's, and no part of the repository. ``CHATKIT_OFFICIAL`` names a folder that has them::

    vendor/chatkit.js           the script
    vendor/index-….html         its frame, under the name that the script asks for
    assets/ck1/…                what the frame loads
"""

import mimetypes
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Route, async_playwright

from tests.browser.conftest import ARGUMENTS, browser, chromium_path  # noqa: F401
from tests.browser.demo_site import DemoProcess, demo_process
from tests.browser.waiting import PATIENCE

HOST = "https://cdn.platform.openai.com"
SCRIPTS = "/deployments/chatkit/"


@pytest.fixture(scope="package")
def official_files() -> Path:
    folder = os.environ.get("CHATKIT_OFFICIAL", "")
    if not folder:
        pytest.skip("CHATKIT_OFFICIAL names no folder with the official client's files.")
    if not (Path(folder) / "vendor" / "chatkit.js").is_file():
        pytest.skip(f"There is no vendor/chatkit.js in {folder}, which CHATKIT_OFFICIAL names.")
    return Path(folder)


@pytest.fixture(scope="package")
def official_url(official_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The demo, whose pages load the official client."""
    with demo_process(tmp_path_factory.mktemp("demo"), "tests.official.settings") as url:
        yield url


def files_of(folder: Path) -> Callable[[Route], Awaitable[None]]:
    """Return what answers the client's requests with the files in a folder."""

    async def serve(route: Route) -> None:
        path = urlsplit(route.request.url).path
        inside = f"vendor/{path.removeprefix(SCRIPTS)}" if path.startswith(SCRIPTS) else path.lstrip("/")
        file = folder / inside
        # What the snapshot lacks, and what the client would tell OpenAI, comes to nothing.
        if not file.resolve().is_relative_to(folder.resolve()) or not file.is_file():
            await route.abort()
            return
        content_type = mimetypes.guess_type(file.name)[0] or "text/plain"
        headers = {"Access-Control-Allow-Origin": "*"}
        await route.fulfill(body=file.read_bytes(), content_type=content_type, headers=headers)

    return serve


@asynccontextmanager
async def visit(browser: Browser, url: str, files: Path) -> AsyncIterator[BrowserContext]:  # noqa: F811
    """A visitor who has never been there."""
    context = await browser.new_context(base_url=url, viewport={"width": 1000, "height": 800})
    context.set_default_timeout(PATIENCE * 1000)
    await context.route(f"{HOST}/**", files_of(files))
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="package")
async def visitor(official_files: Path, official_url: str, browser: Browser) -> AsyncIterator[BrowserContext]:  # noqa: F811
    """A visitor who has never been there."""
    async with visit(browser, official_url, official_files) as context:
        yield context


@pytest_asyncio.fixture(loop_scope="package")
async def page(visitor: BrowserContext) -> Page:
    page = await visitor.new_page()
    await page.goto("/")
    return page


@pytest_asyncio.fixture(loop_scope="package")
async def speaker(official_files: Path, official_url: str, chromium_path: str) -> AsyncIterator[Page]:  # noqa: F811
    """A visitor's page in a browser whose microphone beeps."""
    arguments = [*ARGUMENTS, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=arguments)
        async with visit(browser, official_url, official_files) as context:
            page = await context.new_page()
            await page.goto("/")
            yield page
        await browser.close()


@pytest.fixture
def mortal(official_files: Path, tmp_path: Path) -> Iterator[DemoProcess]:
    """A demo that only one test has, and may kill. It takes its time: the client lags behind with an answer."""
    demo = DemoProcess(tmp_path, "tests.official.settings", pause=1.0)
    try:
        demo.start()
        yield demo
    finally:
        demo.stop()
