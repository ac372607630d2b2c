"""Pages with a socket, and a channel layer: the one in memory, and Redis where it is installed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from chatkit_app.live import bells, layer
from tests.chat import PATIENCE, Chat
from tests.live.pages import Opener, Page


@pytest.fixture
async def open_page() -> AsyncIterator[Opener]:
    """Opens pages, and closes them in the end."""
    pages: list[Page] = []

    async def open(chat: Chat, *args: Any, **options: Any) -> Page:
        pages.append(Page(chat, *args, **options))
        return await pages[-1].open()

    yield open
    for page in pages:
        await page.close()


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.processes)])
def any_layer(request: pytest.FixtureRequest) -> str:
    """The site's channel layer is the one in memory, and then Redis."""
    if request.param == "redis":
        request.getfixturevalue("redis")
    return str(request.param)


@pytest.fixture(autouse=True)
def patient_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins with nothing to be rung, and with a layer that has not failed and may be slow.

    On a busy machine one call of it may take longer than a site waits, which would have the test's bells dropped.
    """
    bells.bells.forget()
    monkeypatch.setattr(layer, "state", layer.LayerState())
    monkeypatch.setattr(layer, "PATIENCE", PATIENCE)
