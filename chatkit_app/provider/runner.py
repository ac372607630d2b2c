"""The runner of every run of an agent that is made for an answer, whoever starts it.

A ``respond()`` may call ``Runner.run_streamed()`` as OpenAI documents it, and so may a tool, a guardrail or a
``title_for()``. ``Runner`` passes every call on to the SDK's default runner, which can be set.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from inspect import isawaitable
from typing import Any, cast

import openai
from agents import (
    Agent,
    Model,
    ModelProvider,
    ModelSettings,
    MultiProvider,
    RunConfig,
    RunResult,
    RunResultStreaming,
    RunState,
)
from agents.run import (
    AgentRunner,
    CallModelData,
    ModelInputData,
    get_default_agent_runner,
    set_default_agent_runner,
)

from ..offline.credentials import has_key, is_offline
from ..offline.model import OfflineProvider
from ..process.threads import install_site_threads, on_site_threads
from .agent_graph import copy_for_run, in_threads, reachable
from .agent_run import keep_refusal, make_events_readable
from .converter import forget_ids
from .responses_api import unstored_settings

_answering: ContextVar[bool] = ContextVar("chatkit_answering", default=False)


@contextmanager
def answering() -> Iterator[None]:
    """Treat the runs of agents in the block as made for an answer; others are none of our business.

    Has to be entered in a running event loop, whose threads are looked after from then on.
    """
    install_site_threads()
    if not isinstance(get_default_agent_runner(), AnswerRunner):
        set_default_agent_runner(AnswerRunner(get_default_agent_runner()))
    before = _answering.get()
    _answering.set(True)
    try:
        yield
    finally:
        # Not by a token: a generator may be closed in another context than the one it began in.
        _answering.set(before)


def default_provider() -> ModelProvider:
    """Return the provider of models without one of their own: OpenAI, a compatible server, or this process."""
    if is_offline():
        return OfflineProvider()
    if not os.environ.get("OPENAI_BASE_URL"):
        return MultiProvider()
    return MultiProvider(
        # Many such servers want no key, but the client insists on one.
        openai_api_key=None if has_key() else "none",
        # Their model names have slashes: "meta-llama/Llama-3.3-70B".
        openai_prefix_mode="model_id",
        unknown_prefix_mode="model_id",
    )


class AnswerRunner(AgentRunner):
    """A default runner that prepares the runs that belong to an answer and leaves them to the one before it.

    Such a run stores nothing at the provider unless its agent or its ``RunConfig`` says so, and models that cannot be
    had for want of a key are the offline model. What a model refuses to say is its answer, and the SDK can read
    whatever its server sends.

    Args:
        runner: the one before it, the SDK's or the site's.
    """

    def __init__(self, runner: AgentRunner) -> None:
        self.runner = runner

    async def run(self, starting_agent: Agent[Any], input: Any, **options: Any) -> RunResult:
        return await self.runner.run(_prepared(starting_agent, input, options), input, **options)

    def run_sync(self, starting_agent: Agent[Any], input: Any, **options: Any) -> RunResult:
        return self.runner.run_sync(_prepared(starting_agent, input, options), input, **options)

    def run_streamed(self, starting_agent: Agent[Any], input: Any, **options: Any) -> RunResultStreaming:
        result = self.runner.run_streamed(_prepared(starting_agent, input, options), input, **options)
        if _answering.get():
            make_events_readable(result)
        return result


def _prepared(agent: Agent[Any], input: Any, options: dict[str, Any]) -> Agent[Any]:
    """Return the agent to run in place of this one. Changes the run's ``RunConfig`` in its options."""
    if not _answering.get():
        return agent
    config = _run_config(options.get("run_config"))
    config = replace(config, **in_threads(config))
    options["run_config"] = config
    handlers = {kind: on_site_threads(own) for kind, own in (options.get("error_handlers") or {}).items()}
    options["error_handlers"] = {"model_refusal": keep_refusal} | handlers
    if isinstance(input, RunState):
        # Its agents are in it.
        if all(_stores_nothing(unstored_settings(each, config)) for each in reachable(agent)):
            config.model_settings = ModelSettings(store=False).resolve(config.model_settings)
    else:
        agent = copy_for_run(agent, config)
    config.call_model_input_filter = _forgetting(config)
    return agent


def _run_config(given: RunConfig | Mapping[str, Any] | None) -> RunConfig:
    """Return a copy, with models that can be had."""
    if isinstance(given, RunConfig):
        return replace(given, model_provider=_OrDefaultProvider(given.model_provider))
    fields = dict(given or {})
    provider = fields.pop("model_provider", None)
    return RunConfig(
        **fields, model_provider=default_provider() if provider is None else _OrDefaultProvider(provider)
    )


class _OrDefaultProvider(ModelProvider):
    """A provider, and the default one for models that it cannot make, as one without a key."""

    def __init__(self, provider: ModelProvider) -> None:
        self._provider = provider

    def get_model(self, model_name: str | None) -> Model:
        try:
            return self._provider.get_model(model_name)
        except openai.OpenAIError:
            return default_provider().get_model(model_name)

    async def aclose(self) -> None:
        await self._provider.aclose()


def _stores_nothing(settings: ModelSettings) -> bool:
    return settings.store is False


def _forgetting(config: RunConfig) -> Any:
    """Return the run's own filter of what the model is sent, followed by that of requests that are not stored."""
    own = config.call_model_input_filter

    async def forgetting(data: CallModelData[Any]) -> ModelInputData:
        if own is not None:
            filtered = own(data)
            data = replace(data, model_data=await filtered if isawaitable(filtered) else filtered)
        # As it is sent: the agents of the run are fit for it.
        if _stores_nothing(data.agent.model_settings.resolve(config.model_settings)):
            return forget_ids(data)
        return data.model_data

    return cast(Any, forgetting)
