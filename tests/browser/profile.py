"""A browser profile that nobody has used before."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from django.templatetags.static import static
from playwright.async_api import Browser, BrowserContext

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
