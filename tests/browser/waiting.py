"""Waiting for what the page does in its own time.

The bounds are for a machine that is slow or has other work: they end a test that would wait for ever, and say
nothing about how long anything may take.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from playwright.async_api import Page, expect

PATIENCE = 30.0
"""How many seconds anything is waited for, here and by Playwright."""

expect.set_options(timeout=PATIENCE * 1000)


async def eventually(condition: Callable[[], Any]) -> Any:
    """Wait until the condition holds, and return what it gave."""
    deadline = time.monotonic() + PATIENCE
    while not (result := condition()):
        assert time.monotonic() < deadline, "It did not happen in time."
        await asyncio.sleep(0.02)
    return result


async def say(page: Page, text: str) -> None:
    """Write a message and send it, once it can be sent: Enter does nothing while the last answer goes on."""
    box = page.locator(".composer textarea")
    await box.fill(text)
    await expect(page.locator(".composer .send")).to_be_enabled()
    await box.press("Enter")
