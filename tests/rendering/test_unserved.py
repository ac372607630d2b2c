"""The client's files that a browser asks for in vain."""

import logging
from typing import Any

import pytest
from django.test import AsyncClient, Client
from django.urls import include, path

from chatkit_app.rendering import unserved
from chatkit_app.rendering.client_files import client_url


@pytest.fixture(autouse=True)
def _nothing_told(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(unserved, "_told", set())
    settings.ROOT_URLCONF = __name__


urlpatterns = [path("", include("chatkit_app.urls"))]


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage() for record in caplog.records if record.name == "chatkit_app.rendering.unserved"
    ]


def test_script_that_is_not_found_is_told_with_its_address_and_what_to_do(caplog):
    address = client_url("bootstrap.js")
    Client().get(address)
    assert told(caplog) == [
        f"{address} was not found, so the chat does not appear. Run collectstatic after each upgrade, and let the "
        "web server or WhiteNoise serve STATIC_ROOT at STATIC_URL."
    ]


async def test_script_that_is_not_found_under_asgi_is_told_to_developers(caplog, settings):
    settings.DEBUG = True
    address = client_url("chatkit.css")
    await AsyncClient().get(address)
    assert told(caplog) == [
        f'{address} was not found, so the chat does not appear. "runserver" serves static files by itself; for '
        "another server add staticfiles_urlpatterns() from django.contrib.staticfiles.urls to the urlpatterns, or "
        "use WhiteNoise."
    ]


def test_files_of_one_version_are_told_of_once(caplog):
    for name in ("bootstrap.js", "chatkit.css"):
        Client().get(client_url(name))
    assert len(told(caplog)) == 1


@pytest.mark.parametrize(
    "address", ["/nothing", "/static/chatkit_app/0123456789abcdef/bootstrap.js", "/static/admin/css/base.css"]
)
def test_other_addresses_are_left_to_django(caplog, address):
    Client().get(address)
    assert told(caplog) == []
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
