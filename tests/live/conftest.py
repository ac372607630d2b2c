"""A channel layer: the one in memory, and Redis where it is installed."""

from __future__ import annotations

import pytest

from chatkit_app.live import bells, layer
from tests.chat import PATIENCE


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
