"""Views that are loaded by their first request, and the SDK with them, which takes seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.utils.module_loading import import_string

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

    view.endpoint_options = options  # type: ignore[attr-defined]
    return without_site_rules(view)


def endpoint_options(view: Any) -> dict[str, Any] | None:
    """Return what the endpoint of a view was made with; None for a view that is none of an endpoint's."""
    return getattr(view, "endpoint_options", None)


def without_site_rules(view: Any) -> View:
    """Say on a view of the endpoint what handlers and middlewares ask before they call it.

    No redirect to a login page, which a client would post its message to again and again; no CSRF check, which is
    made by hand where there is something to protect, in a way that the client can show; and no transaction for the
    whole request (``ATOMIC_REQUESTS``), with which Django serves no async view.
    """
    view.login_required = False
    view.csrf_exempt = True
    return cast(View, transaction.non_atomic_requests(view))


def load_views() -> None:
    """Load all of them now, so that no visitor waits for it."""
    for load in _loaders:
        load()
