"""A tool that waits for the user's approval, asked for and answered in the bundled client."""

from typing import Any

import pytest
import pytest_asyncio
from agents import Agent, function_tool
from playwright.async_api import Page, expect

from chatkit_app.testing import ScriptedModel

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

sent: list[str] = []


@function_tool(needs_approval=True)
async def send(to: str) -> str:
    """Send the letter."""
    sent.append(to)
    return f"sent to {to}"


@pytest_asyncio.fixture(loop_scope="package")
async def asked(page: Page, settings: Any, transactional_db: None) -> Page:
    """A conversation in which the tool waits."""
    sent.clear()
    model = ScriptedModel([("send", {"to": "Ann"}), "That is done."])
    settings.ROOT_URLCONF = "tests.browser.real_site"
    settings.CHATKIT = {"CLIENT": "bundled", "AGENT": Agent(name="Test", model=model, tools=[send])}
    await page.goto("/")
    await page.get_by_role("textbox").fill("Write to Ann")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Approve")).to_be_visible()
    return page


@pytest.mark.parametrize(("button", "called"), [("Approve", ["Ann"]), ("Reject", [])])
async def test_answer_goes_on_once_its_tool_is_decided_on(asked: Page, button: str, called: list[str]):
    assert sent == []
    await asked.get_by_role("button", name=button).click()
    await expect(asked.get_by_text("That is done.", exact=True)).to_be_visible()
    assert sent == called
    await expect(asked.get_by_role("button", name="Approve")).to_have_count(0)
