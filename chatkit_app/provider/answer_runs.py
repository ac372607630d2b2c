"""The runs of agents that are made for one answer: what they cost, and that they end with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from agents import Model, RunResultStreaming
from agents.usage import Usage as TokenUsage
from chatkit.agents import AgentContext
from chatkit.types import ProgressUpdateEvent

from ..context import Usage

# How long a stopped answer waits for its models to have let go.
STOP_TIMEOUT = 2.0


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """So many tokens: of the input, those of them that were cached, of the output."""

    input: int = 0
    cached: int = 0
    output: int = 0

    @classmethod
    def of(cls, usage: TokenUsage) -> Tokens:
        cached = usage.input_tokens_details.cached_tokens or 0
        return cls(input=usage.input_tokens, cached=cached, output=usage.output_tokens)


_Figures = tuple[int | None, int | None, int | None]


def _figures(usage: Usage) -> _Figures:
    return usage.input_tokens, usage.cached_tokens, usage.output_tokens


@dataclass(kw_only=True)
class _Counted:
    usage: TokenUsage
    counted: Tokens


@dataclass(kw_only=True)
class AnswerRuns:
    """Of one request: ``context.state(AnswerRuns)``."""

    # By the id of the SDK's count, which an agent used as a tool shares with the run that calls it.
    _counts: dict[int, _Counted] = field(default_factory=dict)
    _streamed: list[tuple[asyncio.AbstractEventLoop, RunResultStreaming]] = field(default_factory=list)
    _tasks: list[asyncio.Task[Any]] = field(default_factory=list)
    _added: _Figures = (None, None, None)
    _model: str = ""

    def note_model(self, model: Model) -> None:
        """Note who answers, for runs whose events say nothing of it."""
        self._model = self._model or str(getattr(model, "model", "") or getattr(model, "name", ""))

    def count(self, usage: TokenUsage, *, counted: Tokens | None = None) -> None:
        """Count what this run costs, once, however often it is named.

        Args:
            usage: the SDK's count, which grows while the run goes on.
            counted: what is in it and has been counted before; all of it, unless given.
        """
        counted = Tokens.of(usage) if counted is None else counted
        self._counts.setdefault(id(usage), _Counted(usage=usage, counted=counted))

    def add_to(self, usage: Usage) -> None:
        """Add what has come to the costs of the runs since the last time."""
        for each in list(self._counts.values()):
            now, before = Tokens.of(each.usage), each.counted
            if now != before:
                usage.input_tokens = (usage.input_tokens or 0) + now.input - before.input
                usage.cached_tokens = (usage.cached_tokens or 0) + now.cached - before.cached
                usage.output_tokens = (usage.output_tokens or 0) + now.output - before.output
            each.counted = now
        self._added = _figures(usage)

    def settle(self, usage: Usage) -> None:
        """Add what is left, unless the site has counted for itself."""
        usage.model = usage.model or self._model
        if _figures(usage) == self._added:
            self.add_to(usage)

    def follow(self, result: RunResultStreaming) -> None:
        """Count a streamed run from here on, and end it with the answer."""
        self.count(result.context_wrapper.usage)
        self._streamed.append((asyncio.get_running_loop(), result))

    def end_after_turn(self) -> None:
        """Let the streamed runs ask no model any more, once the tools are done that run now."""
        for _loop, result in self._streamed:
            result.cancel(mode="after_turn")

    @contextmanager
    def in_task(self) -> Iterator[None]:
        """Have the current task cancelled when the answer is stopped meanwhile."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.append(task)
        try:
            yield
        finally:
            self._tasks.remove(task)

    async def end(self, *, stopped: bool) -> None:
        """End what nobody reads any more.

        Args:
            stopped: whether the answer was stopped. A ``Runner.run()`` that a task of the site's own waits for goes on
                behind an answer that has come to its end.
        """
        here, ending = asyncio.get_running_loop(), []
        for task in self._tasks if stopped else ():
            if task.get_loop() is not here:
                _in_loop(task.get_loop(), task.cancel)
            elif task is not asyncio.current_task():
                task.cancel()
                ending.append(task)
        streamed, self._streamed = self._streamed, []
        for loop, result in streamed:
            if loop is here:
                ending.append(asyncio.create_task(stop_run(result)))
            else:
                _in_loop(loop, result.cancel)
        if ending:
            await asyncio.wait(ending, timeout=STOP_TIMEOUT)


def _in_loop(loop: asyncio.AbstractEventLoop, function: Callable[[], object]) -> None:
    """Call it in a loop of another thread, as of a synchronous tool that calls ``asyncio.run()``."""
    with suppress(RuntimeError):  # it has come to its end
        loop.call_soon_threadsafe(function)


async def stop_run(result: RunResultStreaming) -> None:
    """End a streamed run of this event loop if it is still going, and wait a moment until its model has let go."""
    result.cancel()
    context = result.context_wrapper.context
    if isinstance(context, AgentContext):
        # The SDK may have left a reader waiting for the tools' events.
        context._events.put_nowait(ProgressUpdateEvent(text=""))
    task = result.run_loop_task
    if task is not None and not task.done():
        await asyncio.wait({task}, timeout=STOP_TIMEOUT)
