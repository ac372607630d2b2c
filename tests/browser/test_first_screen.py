"""The README's first screen, done to the letter in an empty folder: a project that answers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.attack.served import free_port
from tests.docs.blocks import FIRST_SCREEN

from .profile import new_profile
from .waiting import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

# What the tests themselves run in stands for these.
DONE = {"python3 -m venv venv && source venv/bin/activate", "pip install ./django-openai-chatkit"}
SERVE = "python manage.py runserver"


class Reader:
    """Follows the blocks from the first to the last, as a shell and an editor do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = {"PATH": path, "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        self.output = folder / "output"
        self.servers: list[subprocess.Popen[bytes]] = []

    def follow(self) -> None:
        for block in FIRST_SCREEN:
            if block.language == "console":
                for command in block.commands:
                    if command == SERVE:
                        self.port = self.serve(SERVE)
                        return
                    if command not in DONE:
                        self.run(command)
            elif block.language == "python":
                self.write(block.file, block.code)

    def run(self, command: str) -> str:
        shell = f"set -e; {command}; pwd > {self.folder}/place"
        done = subprocess.run(
            ["bash", "-c", shell], cwd=self.place, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    @property
    def place(self) -> Path:
        """Where the last command has gone to."""
        place = self.folder / "place"
        return Path(place.read_text().strip()) if place.exists() else self.folder

    def write(self, name: str, code: str) -> None:
        file = self.place / name
        assert file.exists()
        is_added = ", at its end" in code.partition("\n")[0]
        file.write_text(f"{file.read_text()}\n{code}" if is_added else code)

    def serve(self, command: str) -> int:
        """Start a server by a command that takes the port at its end; return the port once it answers."""
        port = free_port()
        with self.output.open("wb") as output:
            server = subprocess.Popen(
                ["bash", "-c", f"exec {command} {port}"],
                cwd=self.place,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.servers.append(server)
        deadline = time.monotonic() + 2 * PATIENCE
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/chatkit/health", timeout=PATIENCE).close()
                return port
            except (urllib.error.URLError, ConnectionError):
                assert server.poll() is None, self.output.read_text()
                assert time.monotonic() < deadline, self.output.read_text()
                time.sleep(0.1)

    def leave(self) -> None:
        for server in self.servers:
            # runserver's reloader, and the server that it has started.
            os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(PATIENCE)
            finally:
                if server.poll() is None:
                    os.killpg(server.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def reader(chromium_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    reader = Reader(tmp_path_factory.mktemp("first"))
    try:
        reader.follow()
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
