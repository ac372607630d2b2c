"""The runner of every run of an agent that is made for an answer, whoever starts it.

A ``respond()`` may call ``Runner.run_streamed()`` as OpenAI documents it, and so may a tool, a guardrail or a
``title_for()``. ``Runner`` passes every call on to the SDK's default runner, which can be set.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from inspect import isawaitable
from typing import Any, cast

import openai
from agents import (
    Agent,
    AgentsException,
    Model,
    ModelProvider,
    ModelSettings,
    MultiProvider,
    RunConfig,
    RunResult,
    RunResultStreaming,
    RunState,
    UserError,
)
from agents.run import (
    AgentRunner,
    CallModelData,
    ModelInputData,
    get_default_agent_runner,
    set_default_agent_runner,
)
from agents.usage import Usage as TokenUsage

from ..conf import chatkit_settings
from ..context import RequestContext
from ..offline.credentials import has_key, is_offline
from ..offline.model import OfflineProvider
from ..process.threads import install_site_threads, on_site_threads
from .agent_graph import copy_for_run, in_threads, reachable
from .agent_run import keep_refusal, make_events_readable
from .answer_runs import AnswerRuns, Tokens
from .converter import forget_ids
from .responses_api import unstored_settings
from .tracing import apply_tracing_setting

# Whom the runs are for that are started now. None: they belong to other code of the site.
_answered: ContextVar[RequestContext | None] = ContextVar("chatkit_answered", default=None)


class Answering:
    """Treat the runs of agents in the block as made for an answer; others are none of our business.

    Has to be entered in a running event loop, whose threads are looked after from then on. At its end the runs end
    that nobody reads any more, and what they cost is added to the context's ``usage``.

    Args:
        context: of the request that is answered.
    """

    def __init__(self, context: RequestContext) -> None:
        self._context = context
        self._before: RequestContext | None = None

    async def __aenter__(self) -> None:
        install_site_threads()
        if not isinstance(get_default_agent_runner(), AnswerRunner):
            set_default_agent_runner(AnswerRunner(get_default_agent_runner()))
        apply_tracing_setting()
        self._before = _answered.get()
        _answered.set(self._context)

    async def __aexit__(self, kind: type[BaseException] | None, error: object, traceback: object) -> None:
        # Not by a token: a generator may be closed in another context than the one it began in.
        _answered.set(self._before)
        if self._before is self._context:
            return
        runs = self._context.state(AnswerRuns)
        try:
            await runs.end(stopped=kind is not None and not issubclass(kind, Exception))
        finally:
            runs.settle(self._context.usage)


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

    Such a run stores nothing at the provider unless its agent or its ``RunConfig`` says so, is traced only where
    ``CHATKIT["TRACING"]`` says so, and models that cannot be had for want of a key are the offline model. What it costs
    is counted, and it ends when the answer is stopped. What a model refuses to say is its answer, and the SDK can read
    whatever its server sends.

    Args:
        runner: the one before it, the SDK's or the site's.
    """

    def __init__(self, runner: AgentRunner) -> None:
        self.runner = runner

    async def run(self, starting_agent: Agent[Any], input: Any, **options: Any) -> RunResult:
        context = _answered.get()
        if context is None:
            return await self.runner.run(starting_agent, input, **options)
        agent, runs = _prepared(context, starting_agent, input, options), context.state(AnswerRuns)
        with _counting(runs, input) as count, runs.in_task():
            return count(await self.runner.run(agent, input, **options))

    def run_sync(self, starting_agent: Agent[Any], input: Any, **options: Any) -> RunResult:
        context = _answered.get()
        if context is None:
            return self.runner.run_sync(starting_agent, input, **options)
        if type(self.runner) is AgentRunner:
            return super().run_sync(starting_agent, input, **options)  # by run() above, which can be stopped
        agent = _prepared(context, starting_agent, input, options)
        with _counting(context.state(AnswerRuns), input) as count:
            return count(self.runner.run_sync(agent, input, **options))

    def run_streamed(self, starting_agent: Agent[Any], input: Any, **options: Any) -> RunResultStreaming:
        context = _answered.get()
        if context is None:
            return self.runner.run_streamed(starting_agent, input, **options)
        agent = _prepared(context, starting_agent, input, options)
        result = self.runner.run_streamed(agent, input, **options)
        context.state(AnswerRuns).follow(result)
        make_events_readable(result)
        return result


@contextmanager
def _counting(runs: AnswerRuns, input: Any) -> Iterator[Callable[[RunResult], RunResult]]:
    """Count what a run costs that is not streamed: the function is given its result. One that fails has a cost too."""
    # What a run that goes on has cost before was counted then.
    earlier = input._context.usage if isinstance(input, RunState) and input._context else TokenUsage()
    counted = Tokens.of(earlier)

    def count(result: RunResult) -> RunResult:
        runs.count(result.context_wrapper.usage, counted=counted)
        return result

    try:
        yield count
    except AgentsException as error:
        if error.run_data is not None:
            runs.count(error.run_data.context_wrapper.usage, counted=counted)
        raise


def _prepared(context: RequestContext, agent: Agent[Any], input: Any, options: dict[str, Any]) -> Agent[Any]:
    """Return the agent to run in place of this one. Changes the run's ``RunConfig`` in its options."""
    runs = context.state(AnswerRuns)
    config = _run_config(options.get("run_config"), runs)
    model = agent.model if config.model is None else config.model
    if isinstance(model, Model):
        runs.note_model(model)
    config = replace(config, **in_threads(config))
    config.tracing_disabled = config.tracing_disabled or not chatkit_settings.tracing
    options["run_config"] = config
    handlers = {kind: on_site_threads(own) for kind, own in (options.get("error_handlers") or {}).items()}
    options["error_handlers"] = {"model_refusal": keep_refusal} | handlers
    if isinstance(input, RunState):
        # Its agents are in it.
        agents = list(reachable(agent))
        if all(_stores_nothing(unstored_settings(each, config)) for each in agents):
            config.model_settings = ModelSettings(store=False).resolve(config.model_settings)
        if all(each.model_settings.include_usage is None for each in agents):
            config.model_settings = ModelSettings(include_usage=True).resolve(config.model_settings)
    else:
        agent = copy_for_run(agent, config)
    config.call_model_input_filter = _forgetting(config)
    return agent


def _run_config(given: RunConfig | Mapping[str, Any] | None, runs: AnswerRuns) -> RunConfig:
    """Return a copy, with models that can be had."""
    if isinstance(given, RunConfig):
        return replace(given, model_provider=_OrDefaultProvider(given.model_provider, runs))
    fields = dict(given or {})
    provider = fields.pop("model_provider", None) or default_provider()
    return RunConfig(**fields, model_provider=_OrDefaultProvider(provider, runs))


class _OrDefaultProvider(ModelProvider):
    """A provider, and the default one for models that it cannot make, as one without a key."""

    def __init__(self, provider: ModelProvider, runs: AnswerRuns) -> None:
        self._provider = provider
        self._runs = runs

    def get_model(self, model_name: str | None) -> Model:
        try:
            model = self._provider.get_model(model_name)
        except (openai.OpenAIError, UserError):
            # Without a key; or with one, but a compatible server's model name looks like another provider's.
            model = default_provider().get_model(model_name)
        self._runs.note_model(model)
        return model

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
