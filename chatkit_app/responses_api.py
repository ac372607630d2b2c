"""What only OpenAI's Responses API takes, and which requests may therefore carry it."""

from __future__ import annotations

import os
import re
from typing import Any

from agents import Agent, Model, OpenAIResponsesModel, RunConfig
from agents.models import get_default_model

ENCRYPTED_REASONING = "reasoning.encrypted_content"

# The "chat" models of the series do not reason.
_REASONING_MODELS = re.compile(r"(?:openai/)?(?:gpt-5(?!.*-chat)|o[1-9](?:-|$))")


def knows_storing(model: str | Model | None) -> bool:
    """Whether a request may carry ``store``: servers other than OpenAI's may refuse what is new to them."""
    if isinstance(model, Model):
        return isinstance(model, OpenAIResponsesModel)
    return not os.environ.get("OPENAI_BASE_URL")


def keeping_reasoning(agent: Agent[Any], run_config: RunConfig) -> Agent[Any]:
    """The agent, asking for its reasoning in encrypted form where nothing is stored.

    It is the only form in which later requests of the same answer can carry it. Models that do not reason
    refuse to be asked, so this is a setting of the agent and not of the run: agents that it hands over to
    may use others.
    """
    settings = agent.model_settings.resolve(run_config.model_settings)
    include = settings.response_include or []
    if (
        settings.store is not False
        or ENCRYPTED_REASONING in include
        or run_config.model is not None  # then the agent's model is not the one that answers
        or not knows_storing(agent.model)
        or not _reasons(agent)
    ):
        return agent
    own = agent.model_settings
    asking = [*(own.response_include or []), ENCRYPTED_REASONING]
    return agent.clone(model_settings=own.resolve({"response_include": asking}))


def _reasons(agent: Agent[Any]) -> bool:
    model = agent.model
    name = getattr(model, "model", None) if isinstance(model, Model) else model or get_default_model()
    reasoning = agent.model_settings.reasoning
    off = reasoning is not None and reasoning.effort == "none"
    return isinstance(name, str) and _REASONING_MODELS.match(name) is not None and not off
