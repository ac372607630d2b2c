"""The demo's context: what its server knows of a request, beside its owner and language."""

from dataclasses import dataclass

from django.http import HttpRequest

from chatkit_app.context import RequestContext


@dataclass(kw_only=True)
class DemoContext(RequestContext):
    """The context of the demo.

    Attributes:
        site: the address of the site, such as ``http://127.0.0.1:8000/``. OpenAI's element shows messages
            in a frame of another origin, so the addresses of images have to be whole.
    """

    site: str = "/"


def demo_context(request: HttpRequest) -> DemoContext:
    """Return the context of the demo: ``CHATKIT["CONTEXT"]``."""
    return DemoContext.from_request(request, site=request.build_absolute_uri("/"))
