"""The output of a model without a network: items, and their stream as the Responses API streams it."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, cast

from agents import ModelResponse, TResponseInputItem, Usage
from agents.items import TResponseStreamEvent
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseContentPartAddedEvent,
    ResponseContentPartDoneEvent,
    ResponseCreatedEvent,
    ResponseFunctionCallArgumentsDeltaEvent,
    ResponseFunctionCallArgumentsDoneEvent,
    ResponseFunctionToolCall,
    ResponseInProgressEvent,
    ResponseOutputItemAddedEvent,
    ResponseOutputItemDoneEvent,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseTextDeltaEvent,
    ResponseTextDoneEvent,
    ResponseUsage,
)
from openai.types.responses.response_usage import InputTokensDetails, OutputTokensDetails


def message(text: str) -> ResponseOutputMessage:
    """Return an assistant message with an id of its own."""
    return ResponseOutputMessage(
        id=f"msg_{secrets.token_hex(16)}",
        type="message",
        role="assistant",
        status="completed",
        content=[ResponseOutputText(type="output_text", text=text, annotations=[], logprobs=[])],
    )


def tool_call(name: str, arguments: Mapping[str, Any]) -> ResponseFunctionToolCall:
    """Return a call of a function tool, with ids of its own."""
    return ResponseFunctionToolCall(
        id=f"fc_{secrets.token_hex(16)}",
        call_id=f"call_{secrets.token_hex(16)}",
        type="function_call",
        name=name,
        arguments=json.dumps(arguments, ensure_ascii=False),
        status="completed",
    )


def whole_response(
    output: Sequence[ResponseOutputMessage | ResponseFunctionToolCall],
    *,
    input: str | list[TResponseInputItem],
) -> ModelResponse:
    """Return what ``Model.get_response`` returns for these output items, token counts estimated."""
    tokens = _estimate_usage(output, input)
    usage = Usage(
        requests=1,
        input_tokens=tokens.input_tokens,
        output_tokens=tokens.output_tokens,
        total_tokens=tokens.total_tokens,
    )
    return ModelResponse(output=list(output), usage=usage, response_id=None)


async def stream_response(
    output: Sequence[ResponseOutputMessage | ResponseFunctionToolCall],
    *,
    input: str | list[TResponseInputItem],
    model: str,
    delay: float = 0.0,
) -> AsyncIterator[TResponseStreamEvent]:
    """Stream output items as the Responses API does, word by word, token counts estimated.

    Args:
        output: messages and tool calls, complete.
        input: what the model was asked; counted as input tokens.
        model: the name the response carries.
        delay: seconds between two words.
    """
    response = Response(
        id=f"resp_{secrets.token_hex(16)}",
        created_at=int(time.time()),
        model=model,
        object="response",
        output=[],
        parallel_tool_calls=True,
        tool_choice="auto",
        tools=[],
        status="in_progress",
    )
    number = -1

    def event(kind: type[Any], **fields: Any) -> TResponseStreamEvent:
        nonlocal number
        number += 1
        return cast(TResponseStreamEvent, kind(sequence_number=number, **fields))

    yield event(ResponseCreatedEvent, type="response.created", response=response)
    yield event(ResponseInProgressEvent, type="response.in_progress", response=response)
    for index, item in enumerate(output):
        place: dict[str, Any] = {"output_index": index, "item_id": item.id}
        opening: dict[str, Any] = (
            {"content": []} if isinstance(item, ResponseOutputMessage) else {"arguments": ""}
        )
        yield event(
            ResponseOutputItemAddedEvent,
            type="response.output_item.added",
            output_index=index,
            item=item.model_copy(update={"status": "in_progress", **opening}),
        )
        if isinstance(item, ResponseOutputMessage):
            part = cast(ResponseOutputText, item.content[0])
            place["content_index"] = 0
            yield event(
                ResponseContentPartAddedEvent,
                type="response.content_part.added",
                part=part.model_copy(update={"text": ""}),
                **place,
            )
            for word in re.findall(r"\s*\S+|\s+$", part.text):
                # Also at a delay of zero: a model that never waits could not be stopped.
                await asyncio.sleep(delay)
                yield event(
                    ResponseTextDeltaEvent,
                    type="response.output_text.delta",
                    delta=word,
                    logprobs=[],
                    **place,
                )
            yield event(
                ResponseTextDoneEvent, type="response.output_text.done", text=part.text, logprobs=[], **place
            )
            yield event(ResponseContentPartDoneEvent, type="response.content_part.done", part=part, **place)
        else:
            await asyncio.sleep(delay)
            yield event(
                ResponseFunctionCallArgumentsDeltaEvent,
                type="response.function_call_arguments.delta",
                delta=item.arguments,
                **place,
            )
            yield event(
                ResponseFunctionCallArgumentsDoneEvent,
                type="response.function_call_arguments.done",
                arguments=item.arguments,
                name=item.name,
                **place,
            )
        yield event(
            ResponseOutputItemDoneEvent, type="response.output_item.done", output_index=index, item=item
        )
    done = response.model_copy(
        update={"status": "completed", "output": list(output), "usage": _estimate_usage(output, input)}
    )
    yield event(ResponseCompletedEvent, type="response.completed", response=done)


def _estimate_usage(
    output: Sequence[ResponseOutputMessage | ResponseFunctionToolCall],
    input: str | list[TResponseInputItem],
) -> ResponseUsage:
    """Estimate the usage of tokens: four characters to one, as is usual for English."""
    asked = len(json.dumps(input, default=str)) // 4 + 1
    said = sum(
        len(item.arguments if isinstance(item, ResponseFunctionToolCall) else _text_of(item))
        for item in output
    )
    answered = said // 4 + 1
    return ResponseUsage(
        input_tokens=asked,
        input_tokens_details=InputTokensDetails.model_validate({"cached_tokens": 0, "cache_write_tokens": 0}),
        output_tokens=answered,
        output_tokens_details=OutputTokensDetails(reasoning_tokens=0),
        total_tokens=asked + answered,
    )


def _text_of(answer: ResponseOutputMessage) -> str:
    return "".join(part.text for part in answer.content if isinstance(part, ResponseOutputText))
