"""Parameters that only OpenAI's own APIs take, and the requests that may therefore carry them."""

from __future__ import annotations

import os
import re
from typing import Any

from agents import Agent, Model, ModelSettings, OpenAIChatCompletionsModel, OpenAIResponsesModel, RunConfig
from agents.models import get_default_model, get_default_model_settings
from agents.models.openai_client_utils import is_official_openai_client

ENCRYPTED_REASONING = "reasoning.encrypted_content"

# The "chat" models of the series do not reason.
_REASONING_MODELS = re.compile(r"(?:openai/)?(?:gpt-5(?!.*-chat)|o[1-9](?:-|$))")


def knows_storing(model: str | Model | None) -> bool:
    """Return whether a request may carry ``store``: servers other than OpenAI's may refuse what is new to them."""
    if isinstance(model, OpenAIChatCompletionsModel):
        return is_official_openai_client(model._get_client())
    if isinstance(model, Model):
        return isinstance(model, OpenAIResponsesModel)
    prefix, slash, _name = (model or "").partition("/")
    return not os.environ.get("OPENAI_BASE_URL") and (not slash or prefix == "openai")


def unstored_settings(agent: Agent[Any], run_config: RunConfig) -> ModelSettings:
    """Return the agent's model settings, with which the provider stores nothing that nobody has asked it to store.

    Reasoning is asked for in encrypted form where nothing is stored: it is the only form in which later requests of
    the same answer can carry it. Models that do not reason refuse to be asked.

    Args:
        agent: as it was made. What it says of ``store`` stays.
        run_config: of the run that it is to take part in. What it says stays, too.
    """
    model = agent.model if run_config.model is None else run_config.model
    settings = agent.model_settings
    if run_config.model is not None and settings == _defaults_of(agent.model):
        settings = _defaults_of(model)  # as the SDK does it, which will not know them for defaults any more
    if not knows_storing(model):
        return settings
    asked = settings.resolve(run_config.model_settings)
    if asked.store is None:
        settings = settings.resolve({"store": False})
    elif asked.store:
        return settings
    include = asked.response_include or []
    if ENCRYPTED_REASONING not in include and _reasons(model, asked):
        settings = settings.resolve({"response_include": [*include, ENCRYPTED_REASONING]})
    return settings


def _defaults_of(model: str | Model | None) -> ModelSettings:
    if isinstance(model, Model):
        return ModelSettings()
    return get_default_model_settings() if model is None else get_default_model_settings(model)


def _reasons(model: str | Model | None, settings: ModelSettings) -> bool:
    name = getattr(model, "model", None) if isinstance(model, Model) else model or get_default_model()
    off = settings.reasoning is not None and settings.reasoning.effort == "none"
    return isinstance(name, str) and _REASONING_MODELS.match(name) is not None and not off
