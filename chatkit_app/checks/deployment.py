"""Checks of a chat in production: a server that streams, a domain key, a channel layer, a model."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from django.apps import apps
from django.conf import settings

from ..dotted_paths import try_import
from ..offline.credentials import is_offline
from .keys import value_of
from .messages import Messages, error, info, warning
from .paths import uses_agent


def check_asgi() -> Messages:
    """Check that the server can stream (W070, W071)."""
    if not getattr(settings, "ASGI_APPLICATION", None):
        yield warning(
            "W070",
            "ASGI_APPLICATION is not set; under WSGI no answer can be streamed.",
            'Set ASGI_APPLICATION = "<project>.asgi.application" and serve it with uvicorn or daphne.',
        )
    # That daphne stands before staticfiles is daphne's own check (daphne.E001).
    if settings.DEBUG and not apps.is_installed("daphne"):
        yield warning(
            "W071",
            "daphne is not in INSTALLED_APPS; runserver serves WSGI, where answers do not stream.",
            'Put "daphne" at the top of INSTALLED_APPS, or develop with uvicorn and silence this check '
            '(SILENCED_SYSTEM_CHECKS = ["chatkit.W071"]).',
        )


def check_domain_key() -> Messages:
    """Check that OpenAI's client has its key away from localhost (W080)."""
    if not settings.DEBUG and value_of("CLIENT") in ("openai", "auto") and not value_of("DOMAIN_KEY"):
        yield warning(
            "W080",
            'CHATKIT["DOMAIN_KEY"] is not set; OpenAI\'s client refuses to start on a public domain.',
            "Register your domain with OpenAI (platform.openai.com, Settings, Security, Domain allowlist) "
            'and put the key here, or set CHATKIT["CLIENT"] = "bundled".',
        )


def check_channel_layer() -> Messages:
    """Check that the channel layer can be loaded (E091), and tell what one in memory cannot do (I092)."""
    layers = getattr(settings, "CHANNEL_LAYERS", None)
    layer = layers.get("default") if isinstance(layers, Mapping) else None
    backend = layer.get("BACKEND") if isinstance(layer, Mapping) else None
    if not isinstance(backend, str) or backend == "channels.layers.InMemoryChannelLayer":
        if not settings.DEBUG:
            yield info(
                "I092",
                "There is no channel layer that several processes share: an open page hears at once of what its own "
                "process does, and of what others do within half a minute.",
                "Set CHANNEL_LAYERS to Redis (pip install django-openai-chatkit[redis]). One process needs none.",
            )
        return
    if backend.startswith("channels_redis.") and find_spec("channels_redis") is None:
        yield error(
            "E091",
            "CHANNEL_LAYERS names channels_redis, which is not installed.",
            "pip install django-openai-chatkit[redis]",
        )


def check_websockets() -> Messages:
    """Check that uvicorn, where it is installed, can serve WebSockets (W093)."""
    if find_spec("uvicorn") is not None and not any(map(find_spec, ("websockets", "wsproto"))):
        yield warning(
            "W093",
            "uvicorn is installed without a library for WebSockets; open pages have to poll for what is new.",
            'pip install "uvicorn[standard]", or silence this check if another server serves the site '
            '(SILENCED_SYSTEM_CHECKS = ["chatkit.W093"]).',
        )


def check_offline_model() -> Messages:
    """Tell of answers that come from no model (I100, W100). Expected while developing, a mistake in production."""
    if not uses_agent() or _brings_its_model():
        return
    if not is_offline():
        return
    message = "No OpenAI credentials are configured: the built-in offline model answers."
    hint = (
        "Set OPENAI_API_KEY in the environment, or OPENAI_BASE_URL for a compatible server, or give your "
        'Agent a model object (CHATKIT["AGENT"]).'
    )
    if settings.DEBUG:
        yield info("I100", message, hint)
    else:
        yield warning("W100", message, hint)


def _brings_its_model() -> bool:
    """Return whether the answering agent has a model that needs none of OpenAI's credentials."""
    value = value_of("AGENT")
    agent = try_import(value)[0] if isinstance(value, str) else value
    model = getattr(agent, "model", None)
    if isinstance(model, str):
        return "/" in model and not model.startswith("openai/")
    return model is not None
