"""Makes the pictures of README and docs from the demo: ``python docs/pictures.py``.

Needs what the tests need: the extra ``demo``, Playwright and a Chromium (``CHROMIUM=/path/to/one``, or one in
``PATH``). The demo is served on a database of its own, without a key, so the pictures come out alike each time. Commit
them when the looks of the chat, the demo or the admin have changed.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "pictures"
MOST_BYTES = 100 * 1000
PATIENCE = 120.0
expect.set_options(timeout=PATIENCE * 1000)
# What the machine has of these must not be in a picture, or answer in it.
UNWANTED = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "DATABASE_URL", "REDIS_URL", "DEBUG", "SECRET_KEY")


def chat(page: Page) -> None:
    """A question, and its answer with a widget."""
    page.goto("/")
    composer = page.locator("openai-chatkit").get_by_role("textbox")
    composer.fill("Where is my order?")
    composer.press("Enter")
    expect(page.locator("openai-chatkit [part~=widget]").first).to_be_visible()
    is_done(page)


def inbox(page: Page) -> None:
    """What staff see first."""
    log_in(page)
    page.goto("/admin/chatkit_app/thread/")
    expect(page.locator("#result_list")).to_be_visible()


def transcript(page: Page) -> None:
    """One conversation, as staff read it."""
    inbox(page)
    page.locator("#result_list tbody th a").nth(1).click()
    expect(page.locator("openai-chatkit").first).to_be_visible()
    expect(page.locator("openai-chatkit [part~=item]").first).to_be_visible()


# Name, size of the window in CSS pixels, and what leads there.
PICTURES: list[tuple[str, int, int, Callable[[Page], None]]] = [
    ("chat", 1100, 720, chat),
    ("inbox", 1280, 720, inbox),
    ("transcript", 1280, 800, transcript),
]


def log_in(page: Page) -> None:
    page.goto("/admin/login/?next=/admin/")
    page.locator("#id_username").fill("admin")
    page.locator("#id_password").fill("admin")
    page.locator("#id_password").press("Enter")
    page.wait_for_url("**/admin/")


def is_done(page: Page) -> None:
    """Wait until the answer has ended: its composer sends again."""
    expect(page.locator("openai-chatkit [part~=turn-actions]").last).to_be_visible(timeout=PATIENCE * 1000)


@contextmanager
def demo() -> Iterator[str]:
    """Serve the demo on a database of its own."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        environment = {name: value for name, value in os.environ.items() if name not in UNWANTED} | {
            "DJANGO_SETTINGS_MODULE": "project.settings",
            "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
            "MEDIA_ROOT": f"{folder}/media",
        }
        command = [sys.executable, "manage.py", "demo", "--port", str(port)]
        server = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            wait_for(port, server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(PATIENCE)


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("The demo has not started: python manage.py demo says why.")


def take(
    browser: Browser, url: str, name: str, width: int, height: int, show: Callable[[Page], None]
) -> None:
    """Take one picture, in the best quality that its size allows."""
    size = {"width": width, "height": height}
    context = browser.new_context(
        base_url=url, viewport=size, device_scale_factor=2, locale="en", reduced_motion="reduce"
    )
    page = context.new_page()
    show(page)
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement?.blur()")
    page.wait_for_load_state("networkidle")
    screen = Image.open(BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    context.close()
    for quality in range(90, 30, -10):
        content = BytesIO()
        screen.save(content, "WEBP", quality=quality, method=6)
        if content.tell() <= MOST_BYTES:
            break
    (FOLDER / f"{name}.webp").write_bytes(content.getvalue())
    sys.stdout.write(f"{name}.webp: {content.tell():,} bytes, quality {quality}\n")


def main() -> None:
    names = ("chromium-headless-shell", "chromium", "google-chrome")
    chromium = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    with demo() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, width, height, show in PICTURES:
            take(browser, url, name, width, height, show)
        browser.close()


if __name__ == "__main__":
    main()
