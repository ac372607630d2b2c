"""Middlewares that know nothing of async."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

Handler = Callable[[HttpRequest], HttpResponse]


def simple(get_response: Handler) -> Handler:
    """As Django's documentation has it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    return middleware


class SyncOnly:
    async_capable = False

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)
