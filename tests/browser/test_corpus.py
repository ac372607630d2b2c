"""Conversations made of the corpus, in the element and in the admin's transcript: nothing runs, and nothing leaves."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.async_api import BrowserContext, Page, Route, expect

from chatkit_app.models import Thread
from tests.attack import rows
from tests.attack.corpus import CORPUS
from tests.attack.mirror import items

from .site import Site, assistant
from .test_hostile import Witness, show

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
)
SHOWN = "the end of it"


@pytest.mark.parametrize("kind", CORPUS)
async def test_conversation_of_hostile_strings_is_only_text(kind: str, page: Page, pages: Site):
    pages.csp = STRICT
    shown = [item for text in CORPUS[kind] for item in (rows.said(text), *items(text))]
    await show(page, pages, shown)
    assert await page.evaluate("({}).pwned") is None


async def with_policy(route: Route) -> None:
    response = await route.fetch()
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:"
    )
    await route.fulfill(response=response, headers=response.headers | {"content-security-policy": policy})


@pytest.fixture
def session_key(transactional_db: None) -> str:
    client = Client()
    client.force_login(User.objects.create_superuser("anna"))
    return client.cookies["sessionid"].value


@pytest.fixture
def threads(transactional_db: None) -> list[Thread]:
    """One of each kind."""
    found = []
    for texts in CORPUS.values():
        thread = rows.conversation(texts)
        rows.make_item(thread, assistant(SHOWN))
        found.append(thread)
    return found


async def test_transcript_of_hostile_strings_is_only_text(
    threads: list[Thread], session_key: str, context: BrowserContext, page: Page, server_url: str, settings
):
    settings.ROOT_URLCONF = "tests.urls"
    settings.CHATKIT = {}
    await page.route("**/change/", with_policy)
    await context.add_cookies([{"name": "sessionid", "value": session_key, "url": server_url}])
    for thread in threads:
        witness = Witness(page)
        await page.goto(f"/admin/chatkit_app/thread/{thread.pk}/change/")
        await expect(page.locator("openai-chatkit .item").last).to_contain_text(SHOWN)
        await witness.swears()
