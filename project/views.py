from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from chatkit_app.offline import is_offline


def chat_page(request: HttpRequest) -> HttpResponse:
    """Return the page with the chat."""
    return render(request, "chat.html", {"offline": is_offline()})


def launcher_page(request: HttpRequest) -> HttpResponse:
    """Return a page of the site with the chat in its corner."""
    return render(request, "launcher.html")
