"""Views that are loaded by their first request, and the SDK with them, which takes seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt

AsyncView = Callable[..., Awaitable[HttpResponseBase]]
View = Callable[..., HttpResponseBase]
"""A view as URL patterns take it: Django's types know none that are asynchronous."""

_loaders: list[Callable[[], AsyncView]] = []


def loaded_late(path: str, **options: Any) -> View:
    """Return a class-based view as ``as_view()`` does, without importing it.

    Args:
        path: dotted path of an ``EndpointView``.
        options: its own, as ``as_view()`` takes them.
    """
    loaded: list[AsyncView] = []

    def load() -> AsyncView:
        if not loaded:
            loaded.append(import_string(path).as_view(**options))
        return loaded[0]

    _loaders.append(load)

    async def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # In a thread, since other requests go on meanwhile.
        found = loaded[0] if loaded else await asyncio.to_thread(load)
        return await found(request, *args, **kwargs)

    # As EndpointView has them, for handlers and middlewares that look at a view before they call it.
    view.login_required = False  # type: ignore[attr-defined]
    return cast(View, transaction.non_atomic_requests(csrf_exempt(cast(Any, view))))


def load_views() -> None:
    """Load all of them now, so that no visitor waits for it."""
    for load in _loaders:
        load()
