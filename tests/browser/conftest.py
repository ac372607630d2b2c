"""Chromium and the site it visits.

All browser tests share one event loop, one server in a thread and one Chromium, which can reach nothing else;
each has a fresh profile.
"""

import mimetypes
import os
import shutil
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import uvicorn
from channels.routing import URLRouter
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.asgi import get_asgi_application
from django.templatetags.static import static
from playwright.async_api import Browser, BrowserContext, Page, Route, async_playwright

from chatkit_app.live.codes import NOT_HERE
from chatkit_app.rendering.client_files import modules_folder
from chatkit_app.routing import websocket_urlpatterns

# The whole app behind it takes its time to be imported; the first page that needs it would wait too long for that.
from . import real_site  # noqa: F401
from .demo_site import demo, demo_context, demo_page, demo_url, speaker  # noqa: F401
from .profile import forget, new_profile
from .site import Site, site
from .waiting import PATIENCE

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A page that a test has routed has no place in a network, and might not open sockets to this machine.
    "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets",
    # The network cut off to all but the site.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
]
# The shell, where there is one, is the same browser without a window around each page, which takes most of the time.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser")
SOCKETS = URLRouter(websocket_urlpatterns)
OFFICIAL_STUB = Path(__file__).with_name("official_stub.js")


def serve_static(application: Any) -> Any:
    """The application, with static files before it.

    Django's own handler leaves the file open when the browser goes away in mid-transfer.
    """

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await serve_sockets(scope, receive, send)
            return
        if not scope["path"].startswith("/static/"):
            await application(scope, receive, send)
            return
        file = Path(finders.find(scope["path"].removeprefix("/static/")))
        content_type = (mimetypes.guess_type(file.name)[0] or "").encode()
        headers = [(b"content-type", content_type), (b"x-content-type-options", b"nosniff")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": file.read_bytes()})

    return serve


async def serve_sockets(scope: Any, receive: Any, send: Any) -> None:
    """Pages of the scripted endpoint are told that there are no sockets; those of the real one have them."""
    if settings.ROOT_URLCONF == "tests.browser.real_site":
        await SOCKETS(scope, receive, send)
        return
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": NOT_HERE})


def empty_page() -> str:
    """The URL of something of the site that does nothing."""
    return static(f"{modules_folder()}/locale.js")


def find_chromium() -> str | None:
    """The browser that ``CHROMIUM`` names, else the first of ``BROWSERS`` that is installed."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


@pytest.fixture(scope="package")
def chromium_path() -> str:
    path = find_chromium()
    if path is None and os.environ.get("CI") == "true":
        pytest.fail("Chromium is not installed, and CI=true wants the browser tests to run.")
    if path is None:
        pytest.skip("Chromium is not installed: apt-get install chromium-headless-shell, or set CHROMIUM.")
    return path


@pytest.fixture(scope="package")
def server_url(chromium_path: str, built_bundle: bool) -> Iterator[str]:
    """A uvicorn in a thread, serving pages, endpoint and static files: the client's bundle where npm can build it."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        serve_static(get_asgi_application()),
        log_level="critical",
        ws="websockets-sansio",
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    deadline = time.monotonic() + PATIENCE
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    yield f"http://localhost:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)
    listener.close()


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def browser(chromium_path: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture
def pages(settings: Any) -> Site:
    """The site's pages and its scripted endpoint, as new."""
    settings.ROOT_URLCONF = "tests.browser.site"
    settings.CHATKIT = {"CLIENT": "bundled"}
    site.__init__()  # type: ignore[misc]
    return site


@pytest.fixture
def page_errors() -> list[str]:
    """Uncaught errors of the pages; what is left in it fails the test."""
    return []


@pytest_asyncio.fixture(loop_scope="package")
async def context(browser: Browser, server_url: str, page_errors: list[str]) -> AsyncIterator[BrowserContext]:
    """A fresh profile."""
    async with new_profile(browser, server_url, page_errors) as context:
        yield context


@pytest_asyncio.fixture(loop_scope="package")
async def page(context: BrowserContext, pages: Site) -> Page:
    return await context.new_page()


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def module_page(browser: Browser, server_url: str) -> AsyncIterator[tuple[Page, list[str]]]:
    """A page that the tests of a module share, and its uncaught errors."""
    errors: list[str] = []
    async with new_profile(browser, server_url, errors) as context:
        yield await context.new_page(), errors


@pytest_asyncio.fixture(loop_scope="package")
async def reused_page(module_page: tuple[Page, list[str]], pages: Site) -> AsyncIterator[Page]:
    """The module's page, as if it were new, which takes a third of the time of one that is.

    For tests that change nothing of it but what is put back here: no scripts that run before the page's, no headers.
    """
    page, errors = module_page
    yield page
    await forget(page, empty_page())
    assert errors == []


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def bench_page(browser: Browser, server_url: str) -> AsyncIterator[Page]:
    async with new_profile(browser, server_url, []) as context:
        page = await context.new_page()
        # Whatever is of the site, so that its modules may be imported.
        await page.goto(empty_page())
        await page.set_content('<!doctype html><html lang="en"><title>Bench</title>')
        yield page


@pytest_asyncio.fixture(loop_scope="package")
async def bench(bench_page: Page) -> Page:
    """An empty page for parts of the client without a chat around them, which the tests of a module share."""
    await bench_page.set_viewport_size({"width": 900, "height": 700})
    await bench_page.mouse.move(0, 0)
    await bench_page.evaluate("document.body.replaceChildren()")
    return bench_page


@pytest_asyncio.fixture(loop_scope="package")
async def official(page: Page, settings: Any) -> Page:
    """A page whose official script is the stand-in."""
    settings.CHATKIT = {"CLIENT": "openai", "SCRIPT_URL": "https://cdn.example/chatkit.js"}
    await serve_official(page)
    return page


async def serve_official(page: Page) -> None:
    """Let the stand-in be had where the official script is."""

    async def serve(route: Route) -> None:
        await route.fulfill(content_type="text/javascript", body=OFFICIAL_STUB.read_text())

    await page.route("https://cdn.example/chatkit.js", serve)
