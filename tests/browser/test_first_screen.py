"""The README's first screen, done to the letter in an empty folder: a project that answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.async_api import Browser, expect

from tests.docs.blocks import FIRST_SCREEN
from tests.docs.reader import SERVE, Reader

from .profile import new_profile

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]


@pytest.fixture(scope="module")
def reader(chromium_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    reader = Reader(tmp_path_factory.mktemp("first"))
    try:
        reader.follow(FIRST_SCREEN, until=SERVE)
        reader.serve(SERVE)
        yield reader
    finally:
        reader.leave()


async def test_first_screen_leads_to_an_answer(reader: Reader, browser: Browser):
    errors: list[str] = []
    async with new_profile(browser, f"http://localhost:{reader.port}", errors) as context:
        page = await context.new_page()
        await page.goto("/chat/")
        await expect(page).to_have_title("Chat")
        await page.get_by_role("textbox").fill("Hello")
        await page.keyboard.press("Enter")
        answer = page.locator("openai-chatkit .assistant-message, openai-chatkit [part~=assistant-message]")
        await expect(answer.first).to_contain_text("offline")
        # Nothing but the chat, from edge to edge.
        box = await page.locator("openai-chatkit").bounding_box()
        size = page.viewport_size
        assert box == {"x": 0, "y": 0, **size}
        # It is kept: the page comes back with it.
        await page.reload()
        await expect(answer.first).to_contain_text("offline")
    assert errors == []


async def test_first_screen_has_no_warnings(reader: Reader):
    told = reader.run("python manage.py check")
    assert "(chatkit.I100)" in told
    assert "chatkit.W" not in told
    assert "chatkit.E" not in told
    assert "chatkit." not in reader.run("python manage.py makemigrations --check --dry-run")


async def test_first_screen_under_a_server_without_static_files_says_so(reader: Reader, browser: Browser):
    port = reader.serve("python -m uvicorn mysite.asgi:application --log-level warning --port")
    errors: list[str] = []
    async with new_profile(browser, f"http://localhost:{port}", errors) as context:
        page = await context.new_page()
        await page.goto("/chat/")
        alert = page.get_by_role("alert")
        await expect(alert).to_contain_text("The chat could not be loaded.")
        await expect(alert).to_contain_text("static files are not served")
    logged = reader.output.read_text()
    assert "was not found, so the chat does not appear." in logged
    assert "staticfiles_urlpatterns()" in logged
