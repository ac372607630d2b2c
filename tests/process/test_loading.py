"""Views that are loaded by their first request."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.views import View

from chatkit_app.process import loading

made: list[dict[str, Any]] = []


class Greeting(View):
    name = ""

    @classmethod
    def as_view(cls, **options: Any) -> Any:
        made.append(options)
        return super().as_view(**options)

    async def get(self, request: HttpRequest, word: str) -> HttpResponse:
        return HttpResponse(f"{word} {self.name}")


@pytest.fixture
def view(monkeypatch: pytest.MonkeyPatch) -> Any:
    made.clear()
    monkeypatch.setattr(loading, "_loaders", [])
    return loading.loaded_late("tests.process.test_loading.Greeting", name="Ada")


async def test_view_is_made_by_its_first_request(view: Any) -> None:
    assert made == []
    request = RequestFactory().get("/")
    assert (await view(request, word="Hello")).content == b"Hello Ada"
    assert (await view(request, word="Bye")).content == b"Bye Ada"
    assert made == [{"name": "Ada"}]


def test_view_is_made_when_all_are_loaded(view: Any) -> None:
    loading.load_views()
    assert made == [{"name": "Ada"}]


def test_view_says_what_middlewares_ask_before_they_call_it(view: Any) -> None:
    assert view.csrf_exempt is True
    assert view.login_required is False
    assert view._non_atomic_requests == {"default"}
