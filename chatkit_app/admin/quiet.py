"""Forms that a page's script sends: the same views, answered with JSON in place of a redirect or of a page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.template.response import TemplateResponse

HEADER = "X-ChatKit-Quiet"
"""Sent by a script that wants no page."""

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def is_quiet(request: HttpRequest) -> bool:
    """Return whether a script asks, which changes the page that is there."""
    return HEADER in request.headers


def answers_quietly(view: View) -> View:
    """Return the view of a page with a form, which tells a script what has come of it.

    Where the view would lead to another page, these are its ``messages``. Where it would show the form again, these are
    its ``errors``, with the status 422.
    """

    @wraps(view)
    def answer(model_admin: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(model_admin, request, *args, **kwargs)
        if request.method != "POST" or not is_quiet(request):
            return response
        if response.status_code == 302:
            told = [{"text": str(message), "level": message.level_tag} for message in get_messages(request)]
            return JsonResponse({"messages": told})
        form = (response.context_data or {}).get("form") if isinstance(response, TemplateResponse) else None
        if form is not None and form.is_bound:
            errors = [text for texts in form.errors.values() for text in texts]
            return JsonResponse({"errors": errors}, status=422)
        return response

    return cast(View, answer)
