"""A channel layer: the one in memory, and Redis where it is installed."""

from __future__ import annotations

import pytest

from chatkit_app.live import bells, layer


@pytest.fixture(params=["memory", "redis"])
def any_layer(request: pytest.FixtureRequest) -> str:
    """The site's channel layer is the one in memory, and then Redis."""
    if request.param == "redis":
        request.getfixturevalue("redis")
    return str(request.param)


@pytest.fixture(autouse=True)
def no_bells_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins with a layer that has not failed, and with nothing to be rung."""
    bells.bells.forget()
    monkeypatch.setattr(layer, "state", layer.LayerState())
