"""A returning browser that keeps all static files for a year, and a site that has been upgraded meanwhile."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from playwright.async_api import Browser, Page, expect

from ..client_versions import STORAGES, client_version
from .site import Site

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

YEAR = 31_536_000


class QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


class Deployments:
    """An address under which one deployment of the site follows another."""

    def __init__(self) -> None:
        self.server = ThreadedWSGIServer(("127.0.0.1", 0), QuietHandler)
        self.asked: list[str] = []
        self.url = f"http://localhost:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def deploy(self) -> None:
        """Collect the static files, and serve them and the pages by a new application."""
        call_command("collectstatic", interactive=False, verbosity=0)
        application = get_wsgi_application()

        def serve(environ: Any, start_response: Any) -> Any:
            self.asked.append(environ["PATH_INFO"])
            return application(environ, start_response)

        self.server.set_app(serve)


@pytest.fixture
def deployments() -> Iterator[Deployments]:
    deployments = Deployments()
    yield deployments
    deployments.server.shutdown()
    deployments.server.server_close()


@pytest.fixture
def use_storage(settings: Any, tmp_path: Path, pages: Site) -> Callable[[str, str], None]:
    """Serve static files by WhiteNoise, from a folder of their own, to be kept for a year."""

    def use(kind: str, folder: str) -> None:
        (tmp_path / folder).mkdir()
        settings.STATICFILES_FINDERS = ["chatkit_app.finders.ClientFinder"]
        settings.STATIC_ROOT = str(tmp_path / folder)
        settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": STORAGES[kind]}}
        settings.WHITENOISE_MAX_AGE = YEAR
        settings.MIDDLEWARE = ["whitenoise.middleware.WhiteNoiseMiddleware", *settings.MIDDLEWARE]

    return use


async def versions(page: Page, url: str) -> set[str]:
    """Those of all modules that a page with a chat has run."""
    await page.goto(url)
    await expect(page.get_by_role("textbox", name="Message the AI")).to_be_visible()
    return set(await page.evaluate("versions"))


@pytest.mark.parametrize("kind", ["plain", "manifest", "whitenoise", "rewritten imports"])
async def test_browser_with_the_old_modules_gets_all_of_the_new_ones(
    browser: Browser, deployments: Deployments, use_storage: Any, tmp_path: Path, kind: str
):
    context = await browser.new_context()
    page = await context.new_page()
    use_storage(kind, "old")
    with client_version(tmp_path / "old client", "old"):
        deployments.deploy()
        assert await versions(page, deployments.url) == {"old"}

        deployments.asked.clear()
        assert await versions(page, deployments.url) == {"old"}
        assert deployments.asked == ["/"]

    use_storage(kind, "new")
    with client_version(tmp_path / "new client", "new"):
        deployments.deploy()
        assert await versions(page, deployments.url) == {"new"}
    await context.close()
