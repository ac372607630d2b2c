"""The demo project in a process of its own, as ``manage.py demo`` serves it, and the browser's way around in it.

Its fixtures are those of ``conftest.py``.
"""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Locator, Page, async_playwright, expect

from tests import forks

from .profile import forget, new_profile
from .waiting import PATIENCE, say

CHAT = "openai-chatkit"
EMPTY = "/static/project/icon.svg"
PAUSE = 0.2
"""What takes its time takes less of it here."""
START = 180.0
"""How many seconds the demo has to start, with its migrations, on a machine that has other work."""


@pytest.fixture(scope="package")
def demo_url(tmp_path_factory: pytest.TempPathFactory, built_bundle: bool) -> Iterator[str]:
    """The demo as it is."""
    with demo_process(tmp_path_factory.mktemp("demo"), "tests.demo_settings") as url:
        yield url


@contextlib.contextmanager
def demo_process(folder: Path, settings: str) -> Iterator[str]:
    """``manage.py demo`` on a database and a folder of its own, without a key of OpenAI's."""
    demo = DemoProcess(folder, settings)
    try:
        demo.start()
        yield demo.url
    finally:
        demo.stop()


class DemoProcess:
    """``manage.py demo``, which can be killed and started again: at the same address, with what it has stored."""

    def __init__(self, folder: Path, settings: str, *, pause: float = PAUSE) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.url = f"http://localhost:{self._port}"
        self._pause = pause
        self._log = folder / "demo.log"
        unwanted = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "REDIS_URL", "DEBUG", "SECRET_KEY", "ALLOWED_HOSTS")
        self._environment = {name: value for name, value in os.environ.items() if name not in unwanted} | {
            "DJANGO_SETTINGS_MODULE": settings,
            "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
            "MEDIA_ROOT": str(folder / "media"),
            "PYTHONUNBUFFERED": "1",
        }
        self._process: forks.Fork | None = None

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        with self._log.open("w") as output:
            process = forks.start(
                ["-m", __spec__.name, str(self._port), str(self._pause)],
                environment=self._environment,
                output=output,
                errors=output,
            )
        self._process = process
        _wait_for(self._port, process, self._log)

    def kill(self) -> None:
        """End it without a word, as the kernel does when memory runs out."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.kill()


def _wait_for(port: int, process: forks.Fork, log: Path) -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"The demo did not start:\n{log.read_text()}")


def serve(port: int, pause: float) -> None:
    """What the process does."""
    import django
    from django.core.management import call_command

    django.setup()
    from chatkit_app.rendering import client_files
    from project import turn
    from tests.bundle import IS_WANTED

    turn.PAUSE = pause
    # Each of a hundred pages would load ninety modules, as the demo does with DEBUG.
    if IS_WANTED and client_files.has_bundle():
        client_files.loads_modules = lambda: False
    call_command("demo", port=port)


# The browser's


@pytest_asyncio.fixture(loop_scope="package")
async def demo_context(
    browser: Browser, demo_url: str, page_errors: list[str]
) -> AsyncIterator[BrowserContext]:
    """A visitor who has never been there."""
    async with new_profile(browser, demo_url, page_errors, width=1000, height=800) as context:
        yield context


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def demo_page(browser: Browser, demo_url: str) -> AsyncIterator[tuple[Page, list[str]]]:
    """A page that the tests of a module share, and its uncaught errors."""
    errors: list[str] = []
    async with new_profile(browser, demo_url, errors, width=1000, height=800) as context:
        yield await context.new_page(), errors


@pytest_asyncio.fixture(loop_scope="package")
async def demo(demo_page: tuple[Page, list[str]]) -> AsyncIterator[Page]:
    """The demo's page, with its start screen, for a visitor who has never been there."""
    page, errors = demo_page
    await visit(page)
    yield page
    await forget(page, EMPTY, width=1000, height=800)
    assert errors == []


@pytest_asyncio.fixture(loop_scope="package")
async def speaker(chromium_path: str, demo_url: str) -> AsyncIterator[Page]:
    """The demo in a browser whose microphone beeps."""
    from .conftest import ARGUMENTS

    arguments = [*ARGUMENTS, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=arguments)
        page = await browser.new_page(base_url=demo_url)
        page.set_default_timeout(PATIENCE * 1000)
        await visit(page)
        yield page
        await browser.close()


async def visit(page: Page) -> None:
    await page.goto("/")
    await expect(box(page)).to_be_visible()


def box(page: Page) -> Locator:
    """What is written in."""
    return page.locator(f"{CHAT} .composer textarea")


def button(page: Page, name: str) -> Locator:
    return page.locator(CHAT).get_by_role("button", name=name, exact=True)


def items(page: Page) -> Locator:
    return page.locator(f"{CHAT} .item")


def answers(page: Page) -> Locator:
    """What the assistant has said in words."""
    return page.locator(f"{CHAT} .item.assistant .parts")


def widgets(page: Page) -> Locator:
    return page.locator(f"{CHAT} .item .widget")


async def pick(page: Page, label: str) -> None:
    """Press a prompt of the start screen, or write what is behind its "More…"."""
    if prompt := hidden_prompt(label):
        await say(page, prompt)
    else:
        await button(page, label).click()


def hidden_prompt(label: str) -> str | None:
    """Return what a prompt behind "More…" sends."""
    from project.prompts import EVERYTHING

    return next((prompt["prompt"] for prompt in EVERYTHING if prompt["label"] == label), None)


async def end_of_answer(page: Page) -> None:
    await expect(page.locator(f"{CHAT} .items")).not_to_have_attribute("aria-busy", "true")


async def pick_and_wait(page: Page, label: str) -> None:
    await pick(page, label)
    await end_of_answer(page)


def prompts() -> list[str]:
    """The labels of all that the demo offers to be asked, on its start screen and behind "More…"."""
    from project.prompts import EVERYTHING, WELCOME

    return [prompt["label"] for prompt in [*WELCOME, *EVERYTHING]]


RECORD = """([selector, attribute]) => {
  const { shadowRoot } = document.querySelector("openai-chatkit");
  const seen = (window.seen = []);
  const look = () => {
    for (const node of shadowRoot.querySelectorAll(selector)) {
      const shown = attribute ? node.getAttribute(attribute) : node.textContent;
      if (node.checkVisibility() && seen.at(-1) !== shown) seen.push(shown);
    }
  };
  const what = { subtree: true, childList: true, characterData: true, attributes: true };
  new MutationObserver(look).observe(shadowRoot, what);
}"""


async def record(page: Page, selector: str, attribute: str = "") -> None:
    """Keep what nodes say, or have as an attribute, for as short as it may be seen: see ``recorded()``."""
    await page.evaluate(RECORD, [selector, attribute])


async def recorded(page: Page) -> list[str]:
    seen: list[str] = await page.evaluate("seen")
    return seen


def operation(request: Any, name: str) -> bool:
    """Whether a request of the browser is for this operation of the endpoint."""
    sent = request.post_data_json if request.method == "POST" and request.url.endswith("/chatkit") else None
    return isinstance(sent, dict) and sent.get("type") == name


class Cable:
    """What connects the browser with the demo, and can be cut.

    The browser's own "offline" leaves an answer alone that is on its way already.
    """

    def __init__(self, demo_url: str) -> None:
        self._port = int(demo_url.rpartition(":")[2])
        self._writers: set[asyncio.StreamWriter] = set()
        self._is_cut = False

    async def __aenter__(self) -> "Cable":
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.url = f"http://localhost:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *error: object) -> None:
        self.cut()
        self._server.close()
        await self._server.wait_closed()

    def cut(self) -> None:
        self._is_cut = True
        for writer in self._writers:
            writer.transport.abort()

    def mend(self) -> None:
        self._is_cut = False

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if not self._is_cut:
                there = await asyncio.open_connection("127.0.0.1", self._port)
                self._writers.add(there[1])
                await asyncio.gather(_pass_on(reader, there[1]), _pass_on(there[0], writer))
        finally:
            writer.transport.abort()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort() if writer.transport.is_closing() else writer.close()


if __name__ == "__main__":
    serve(int(sys.argv[1]), float(sys.argv[2]))
