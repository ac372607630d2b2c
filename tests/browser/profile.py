"""A browser profile that nobody has used before."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from django.templatetags.static import static
from playwright.async_api import Browser, BrowserContext, Page

from chatkit_app.rendering.client_files import modules_folder

from .waiting import PATIENCE


@asynccontextmanager
async def new_profile(
    browser: Browser, base_url: str, page_errors: list[str], *, width: int = 900, height: int = 700
) -> AsyncIterator[BrowserContext]:
    """A context of its own; uncaught errors of its pages are kept in the list, and fail the test.

    Scripts of tests find the client's modules under ``CLIENT``.
    """
    context = await browser.new_context(base_url=base_url, viewport={"width": width, "height": height})
    context.set_default_timeout(PATIENCE * 1000)
    await context.add_init_script(f"window.CLIENT = {json.dumps(static(modules_folder()))};")
    context.on("weberror", lambda error: page_errors.append(str(error.error)))
    yield context
    await context.close()
    assert page_errors == []


async def forget(page: Page, empty: str, *, width: int = 900, height: int = 700) -> None:
    """Make a page, and the profile that it has for itself, as good as new.

    But for scripts that run before the page's, and for headers.

    Args:
        empty: the URL of something of the same site that does nothing. For a page of another site the browser would
            begin a process.
    """
    context = page.context
    await context.set_offline(False)
    await page.unroute_all(behavior="ignoreErrors")
    await page.goto(empty)
    await page.evaluate("localStorage.clear(); sessionStorage.clear()")
    await context.clear_cookies()
    await context.clear_permissions()
    await page.emulate_media(reduced_motion="null", color_scheme="null")
    await page.set_viewport_size({"width": width, "height": height})
    await page.mouse.move(0, 0)
