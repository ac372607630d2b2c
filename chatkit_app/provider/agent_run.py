"""One run of an agent, while it streams."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import aclosing
from typing import Any, cast

from agents import (
    ModelRefusalError,
    RunErrorHandlerInput,
    RunErrorHandlerResult,
    RunResultStreaming,
    StreamEvent,
)
from agents.exceptions import _mark_error_to_drain_stream_events
from chatkit.agents import AgentContext, ResponseStreamConverter
from chatkit.agents import stream_agent_response as sdk_stream_agent_response
from chatkit.types import ThreadItemRemovedEvent, ThreadStreamEvent

from ..context import RequestContext
from ..store.orm import DjangoStore
from .answer_runs import AnswerRuns, stop_run
from .citations import PatientConverter
from .endings import Ending, EndingState, NoAnswer
from .generated_images import ImageCalls, with_kept_image
from .model_events import ModelEvents, text_of
from .structured_outputs import ShowOutput, StructuredOutputs, as_markdown, show


async def stream_agent_response(
    context: AgentContext[RequestContext],
    result: RunResultStreaming,
    *,
    converter: ResponseStreamConverter | None = None,
    show_output: ShowOutput | None = None,
) -> AsyncGenerator[ThreadStreamEvent, None]:
    """Yield the events of an answer from a run of yours: the SDK's function of this name, made safe for a site.

    A citation that cannot be read is left out, and the answer goes on; a refusal by the model is an answer. When the
    reader stops, so does the model. What the run cost is added to the context's ``usage``, however it ends.

    Args:
        context: what the run was given as its context.
        result: what ``Runner.run_streamed()`` returned.
        converter: the SDK's own unless given.
        show_output: makes of an output that is no text (``output_type``) what the user is shown; called with the output
            and the context. A list of its fields unless given.

    Raises:
        NoAnswer: when the run is over and has given the user nothing.
    """
    run = AgentRun(result, context, show_output=show_output)
    stream = sdk_stream_agent_response(
        context, run.as_result(), converter=PatientConverter(converter or ResponseStreamConverter())
    )
    try:
        async with aclosing(cast("AsyncGenerator[ThreadStreamEvent, None]", stream)) as events:
            async for made in events:
                event = made
                if isinstance(context.store, DjangoStore):
                    # Here already, since an answer that is one image depends on it.
                    event = await with_kept_image(made, context.request_context)
                    if event is not made and isinstance(event, ThreadItemRemovedEvent):
                        run.ending.lose_image()
                run.ending.show(event)
                yield event
        has_ended_well = result.interruptions or context.request_context.state(EndingState).is_given
        nothing = None if has_ended_well else run.no_answer_error()
        if nothing is not None:
            for removal in run.ending.removals():
                yield removal
            raise nothing
    finally:
        state = context.request_context.state(EndingState)
        state.reason = run.ending.reason or state.reason
        await run.stop()


class AgentRun:
    """A streamed run, as ``stream_agent_response`` reads it, which can be left at any point.

    Attributes:
        ending: how it ends, as far as it is known.
    """

    def __init__(
        self,
        result: RunResultStreaming,
        agent_context: AgentContext[RequestContext],
        *,
        show_output: ShowOutput | None = None,
    ) -> None:
        self._result = result
        # The SDK's own: a result whose events are readable already is not made so twice.
        self._events = type(result).stream_events(result)
        self._usage = agent_context.request_context.usage
        self._runs = agent_context.request_context.state(AnswerRuns)
        self._runs.count(result.context_wrapper.usage)
        self._read = ModelEvents(agent_context.generate_id)
        self._readable: deque[StreamEvent] = deque()
        self._agent_context = agent_context
        self._image_calls = ImageCalls(agent_context)
        show_output = show_output or (lambda output, _context: as_markdown(output))
        self._outputs = StructuredOutputs(
            result.current_agent, lambda output, text: show(output, text, show_output, agent_context)
        )
        self.ending = Ending()

    def as_result(self) -> RunResultStreaming:
        return cast(RunResultStreaming, self)

    def stream_events(self) -> AsyncIterator[StreamEvent]:
        return self

    def __aiter__(self) -> AsyncIterator[StreamEvent]:
        return self

    def __anext__(self) -> Awaitable[StreamEvent]:
        # The SDK asks in a task, which it forgets when its reader leaves at the moment that the run ends or fails.
        asking = asyncio.ensure_future(self._next())
        asking.add_done_callback(_retrieve_exception)
        return asking

    async def _next(self) -> StreamEvent:
        while not self._readable:
            try:
                event = await anext(self._events)
            except Exception as error:
                if isinstance(error, StopAsyncIteration):
                    self._readable.extend(self._read.finish())
                    if self._readable:
                        break
                if isinstance(error, ModelRefusalError) and self._read.refusal:
                    raise StopAsyncIteration from None  # the user has read the model's answer
                raise
            if event.type == "raw_response_event":
                self.ending.hear(event.data)
                if text_of(event.data, "type") == "response.created":
                    self._usage.model = text_of(event.data, "response", "model")
            for shown in await self._outputs.read(event):
                self._readable.extend(self._read.read(shown))
        # One by one: what the SDK did with the one before has to be known.
        return self._image_calls.follow(self._readable.popleft())

    def no_answer_error(self) -> NoAnswer | None:
        """Return the error to raise when the run is over and has given the user nothing."""
        return self.ending.no_answer_error(self._result)

    async def stop(self) -> None:
        """End the run if it is still going, and count what it cost."""
        await stop_run(self._result)
        self._runs.add_to(self._usage)


def make_events_readable(result: RunResultStreaming) -> None:
    """Let the events of a run be readable for the SDK's ``stream_agent_response``, too, which a site may call.

    Args:
        result: of a run whose context is that of an answer; one of another context is left as it is.
    """
    context = result.context_wrapper.context
    if isinstance(context, AgentContext) and isinstance(context.request_context, RequestContext):
        result.stream_events = lambda: AgentRun(result, context)  # type: ignore[method-assign]


def keep_refusal(data: RunErrorHandlerInput[Any]) -> RunErrorHandlerResult | None:
    """Make of a refusal what it is to the user, an answer; for ``error_handlers`` of a run.

    Where an answer is a text, the refusal is one, and output guardrails see it. It cannot be an output of another
    type: there the run ends in its ``ModelRefusalError``, but not before all that the model said has been read.
    """
    error = data.error
    if isinstance(error, ModelRefusalError) and data.run_data.last_agent.output_type in (None, str):
        return RunErrorHandlerResult(final_output=error.refusal, include_in_history=False)
    _mark_error_to_drain_stream_events(error)
    return None


def _retrieve_exception(task: asyncio.Task[StreamEvent]) -> None:
    """Spare the log an exception "never retrieved": who waits for the task is given it all the same."""
    if not task.cancelled():
        task.exception()
