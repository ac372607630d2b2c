"""A small server that speaks OpenAI's Responses and Chat Completions streams over real HTTP.

Each request is answered by the next ``Turn`` of its script, and recorded. Responses may be asked for as a whole, too.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

ERRORS = {
    401: {
        "message": "Incorrect API key provided: sk-secret.",
        "type": "invalid_request_error",
        "code": "invalid_api_key",
    },
    404: {
        "message": "The model `x` does not exist",
        "type": "invalid_request_error",
        "code": "model_not_found",
    },
    429: {
        "message": "Rate limit reached for organization org-secret",
        "type": "requests",
        "code": "rate_limit_exceeded",
    },
    500: {"message": "The server had an error", "type": "server_error", "code": None},
}


@dataclass(kw_only=True)
class ImageCall:
    """An image that the model makes.

    Attributes:
        result: the image in base64; None for a call that fails.
        partials: unfinished images in base64, sent one after the other.
        delay: seconds before the end.
    """

    result: str | None
    partials: tuple[str, ...] = ()
    delay: float = 0.0


@dataclass(kw_only=True)
class Turn:
    """One answer.

    Attributes:
        text: what is said, streamed word by word.
        refusal: what is said instead when the model declines to answer, or after the text when there is one.
        call: name and arguments of a function to call, instead of a text.
        calls: other functions that are called before it in the same turn.
        status: another HTTP status than 200 answers with OpenAI's JSON error.
        code: the error's code, in place of the usual one.
        drop_after: how many words are sent before the connection breaks.
        delay: seconds before each word.
        failed: end with ``response.failed`` (Responses only).
        incomplete: end with ``response.incomplete``, for this reason (Responses only).
        silent: end behind ``reasoning`` and ``hosted``, without a message (Responses only).
        reasoning: begin with a reasoning item, encrypted when that is asked for (Responses only).
        hosted: other items that come before the answer, each complete (Responses only).
        images: calls of the image tool that come before the answer (Responses only).
        parallel: begin all of these before the first one ends.
        ids: the id of the message or the call when it begins and when it is done (Responses only).
        mcp: name and arguments of a tool of the hosted MCP server "docs" that wants approval, and ends the turn unless
            there is a call as well (Responses only).
        annotations: the text's citations, each announced on its own and repeated in what is done; None leaves
            out the field, as some servers do (Responses only).
        alter: what becomes of each event, as other servers send it; None for one that is not sent (Responses only).
    """

    text: str = ""
    refusal: str = ""
    call: tuple[str, dict[str, Any]] | None = None
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()
    status: int = 200
    code: str | None = None
    drop_after: int | None = None
    delay: float = 0.0
    failed: bool = False
    incomplete: str = ""
    silent: bool = False
    reasoning: bool = False
    hosted: tuple[dict[str, Any], ...] = ()
    images: tuple[ImageCall, ...] = ()
    parallel: bool = False
    ids: tuple[Any, Any] | None = None
    mcp: tuple[str, dict[str, Any]] | None = None
    annotations: list[Any] | None = field(default_factory=list)
    alter: Callable[[dict[str, Any]], dict[str, Any] | None] | None = None


@dataclass
class Recorded:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class DroppedError(Exception):
    pass


@dataclass
class OpenAIServer:
    """The server's script and what it saw.

    Attributes:
        turns: what is left of the script.
        requests: every request.
        words: how many words it got to send in all.
        hung_up: set when a client closed the connection before the answer's end.
    """

    url: str
    turns: list[Turn] = field(default_factory=list)
    requests: list[Recorded] = field(default_factory=list)
    words: int = 0
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    started: asyncio.Event = field(default_factory=asyncio.Event)

    def script(self, *turns: Turn | str) -> None:
        self.turns = [Turn(text=turn) if isinstance(turn, str) else turn for turn in turns]

    # HTTP

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read(reader)
            if request is not None:
                await self._answer(request, reader, writer)
        except DroppedError:
            writer.transport.abort()
        except ConnectionError:
            self.hung_up.set()
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(
        self, request: Recorded, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.requests.append(request)
        turn = self.turns.pop(0)
        if turn.status != 200:
            error = ERRORS[turn.status] | ({"code": turn.code} if turn.code else {})
            body = json.dumps({"error": error}).encode()
            head = f"HTTP/1.1 {turn.status} Error\r\nContent-Type: application/json\r\nConnection: close\r\n"
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            await writer.drain()
            return
        events = (
            self._responses(turn, request.body)
            if request.path.endswith("/responses")
            else self._completions(turn, request.body)
        )
        closed = asyncio.ensure_future(reader.read())
        send = _send if request.body.get("stream") else _send_whole
        sending = asyncio.ensure_future(send(events, writer))
        try:
            await asyncio.wait({closed, sending}, return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                self.hung_up.set()
            else:
                sending.result()
        finally:
            for task in (closed, sending):
                task.cancel()
            await asyncio.gather(closed, sending, return_exceptions=True)

    async def _words(self, turn: Turn, said: str) -> AsyncIterator[str]:
        for number, word in enumerate(said.split(" ")):
            if number == turn.drop_after:
                raise DroppedError
            await asyncio.sleep(turn.delay)
            self.words += 1
            self.started.set()
            yield word if number == 0 else f" {word}"

    # Responses

    async def _responses(self, turn: Turn, asked: dict[str, Any]) -> AsyncIterator[str]:
        n = len(self.requests)
        number = -1
        response: dict[str, Any] = {
            "id": f"resp_{n}",
            "object": "response",
            "created_at": 1_700_000_000,
            "status": "in_progress",
            "model": f"{asked['model']}-2025",
            "output": [],
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
        }

        def event(kind: str, **fields: Any) -> str:
            nonlocal number
            number += 1
            sent: dict[str, Any] | None = {"type": kind, "sequence_number": number, **fields}
            if turn.alter is not None:
                sent = turn.alter(json.loads(json.dumps(sent)))
            return "" if sent is None else f"event: {kind}\ndata: {json.dumps(sent)}\n\n"

        output: list[dict[str, Any]] = []
        yield event("response.created", response=response)
        yield event("response.in_progress", response=response)
        if turn.reasoning:
            item = {"id": f"rs_{n}", "type": "reasoning", "summary": []}
            if "reasoning.encrypted_content" in asked.get("include", []):
                item["encrypted_content"] = f"secret {n}"
            yield event("response.output_item.added", output_index=0, item=item)
            yield event("response.output_item.done", output_index=0, item=item)
            output.append(item)
        for item in turn.hosted:
            yield event("response.output_item.added", output_index=len(output), item=item)
            yield event("response.output_item.done", output_index=len(output), item=item)
            output.append(item)
        async for kind, fields in _image_events(turn, n, len(output)):
            yield event(kind, **fields)
            if kind == "response.output_item.done":
                output.append(fields["item"])
        if turn.mcp is not None:
            name, arguments = turn.mcp[0], json.dumps(turn.mcp[1])
            server = {"server_label": "docs"}
            tools = [
                {"name": name, "input_schema": {"type": "object"}, "annotations": None, "description": ""}
            ]
            listed = {"id": f"mcpl_{n}", "type": "mcp_list_tools", **server, "tools": tools, "error": None}
            at = {"output_index": len(output), "item_id": listed["id"]}
            yield event("response.output_item.added", output_index=len(output), item=listed | {"tools": []})
            yield event("response.mcp_list_tools.in_progress", **at)
            yield event("response.mcp_list_tools.completed", **at)
            yield event("response.output_item.done", output_index=len(output), item=listed)
            output.append(listed)
            wanted = {"id": f"mcpr_{n}", "type": "mcp_approval_request", **server, "name": name}
            wanted["arguments"] = arguments
            yield event("response.output_item.added", output_index=len(output), item=wanted)
            yield event("response.output_item.done", output_index=len(output), item=wanted)
            output.append(wanted)
        for name, given in turn.calls:
            at, item_id, arguments = len(output), f"fc_{n}_{len(output)}", json.dumps(given)
            called = {"id": item_id, "type": "function_call", "call_id": f"call_{n}_{at}", "name": name}
            begun_call = {**called, "arguments": "", "status": "in_progress"}
            yield event("response.output_item.added", output_index=at, item=begun_call)
            yield event(
                "response.function_call_arguments.done",
                output_index=at,
                item_id=item_id,
                name=name,
                arguments=arguments,
            )
            called |= {"arguments": arguments, "status": "completed"}
            yield event("response.output_item.done", output_index=at, item=called)
            output.append(called)
        place: dict[str, Any] = {"output_index": len(output)}
        item: dict[str, Any] | None = None
        if turn.silent or (turn.mcp is not None and turn.call is None):
            pass
        elif turn.call is not None:
            name, arguments = turn.call[0], json.dumps(turn.call[1])
            begun, done_id = turn.ids or (f"fc_{n}", f"fc_{n}")
            item = {"id": begun, "type": "function_call", "call_id": f"call_{n}", "name": name}
            added = {**item, "arguments": "", "status": "in_progress"}
            yield event("response.output_item.added", **place, item=added)
            for piece in (arguments[:4], arguments[4:]):
                yield event("response.function_call_arguments.delta", **place, item_id=begun, delta=piece)
            yield event(
                "response.function_call_arguments.done",
                **place,
                item_id=begun,
                name=name,
                arguments=arguments,
            )
            item |= {"id": done_id, "arguments": arguments, "status": "completed"}
        else:
            begun, done_id = turn.ids or (f"msg_{n}", f"msg_{n}")
            item = {"id": begun, "type": "message", "role": "assistant"}
            content: list[dict[str, Any]] = []
            yield event(
                "response.output_item.added", **place, item={**item, "status": "in_progress", "content": []}
            )
            inside = {**place, "item_id": begun, "content_index": 0}
            if turn.text or not turn.refusal:
                part: dict[str, Any] = {"type": "output_text", "logprobs": []}
                if turn.annotations is not None:
                    part["annotations"] = []
                yield event("response.content_part.added", **inside, part={**part, "text": ""})
                async for word in self._words(turn, turn.text):
                    yield event("response.output_text.delta", **inside, delta=word, logprobs=[])
                if turn.failed:
                    error = {"code": "server_error", "message": "secret detail"}
                    yield event("response.failed", response={**response, "status": "failed", "error": error})
                    return
                if turn.incomplete:
                    part |= {"text": turn.text, "annotations": []}
                    item |= {"status": "incomplete", "content": [part]}
                    yield event("response.output_text.done", **inside, text=turn.text, logprobs=[])
                    yield event("response.content_part.done", **inside, part=part)
                    yield event("response.output_item.done", **place, item=item)
                    cut = {"status": "incomplete", "incomplete_details": {"reason": turn.incomplete}}
                    yield event(
                        "response.incomplete", response={**response, **cut, "output": [*output, item]}
                    )
                    return
                for index, annotation in enumerate(turn.annotations or []):
                    fields = {**inside, "annotation_index": index, "annotation": annotation}
                    yield event("response.output_text.annotation.added", **fields)
                yield event("response.output_text.done", **inside, text=turn.text, logprobs=[])
                part["text"] = turn.text
                if turn.annotations is not None:
                    part["annotations"] = turn.annotations
                yield event("response.content_part.done", **inside, part=part)
                content.append(part)
            if turn.refusal:
                inside["content_index"] = len(content)
                yield event("response.content_part.added", **inside, part={"type": "refusal", "refusal": ""})
                async for word in self._words(turn, turn.refusal):
                    yield event("response.refusal.delta", **inside, delta=word)
                yield event("response.refusal.done", **inside, refusal=turn.refusal)
                part = {"type": "refusal", "refusal": turn.refusal}
                yield event("response.content_part.done", **inside, part=part)
                content.append(part)
            item |= {"id": done_id, "status": "completed", "content": content}
        if item is not None:
            yield event("response.output_item.done", **place, item=item)
            output.append(item)
        usage = {
            "input_tokens": 100,
            "input_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 0},
            "output_tokens": 7,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 107,
        }
        done = {**response, "status": "completed", "output": output, "usage": usage}
        yield event("response.completed", response=done)

    # Chat Completions

    async def _completions(self, turn: Turn, asked: dict[str, Any]) -> AsyncIterator[str]:
        n = len(self.requests)

        def chunk(delta: dict[str, Any] | None, finish: str | None = None, **fields: Any) -> str:
            choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
            data = {
                "id": f"chatcmpl-{n}",
                "object": "chat.completion.chunk",
                "created": 1_700_000_000,
                "model": f"{asked['model']}-2025",
                "choices": choices,
                **fields,
            }
            return f"data: {json.dumps(data)}\n\n"

        yield chunk({"role": "assistant", "content": None if turn.call else "", "refusal": None})
        if turn.call is not None:
            name, arguments = turn.call[0], json.dumps(turn.call[1])
            function = {"name": name, "arguments": ""}
            for at, (other, given) in enumerate(turn.calls):
                whole = {"name": other, "arguments": json.dumps(given)}
                call = {"index": at, "id": f"call_{n}_{at}", "type": "function", "function": whole}
                yield chunk({"tool_calls": [call]})
            at = len(turn.calls)
            call = {"index": at, "id": f"call_{n}", "type": "function", "function": function}
            yield chunk({"tool_calls": [call]})
            for piece in (arguments[:4], arguments[4:]):
                yield chunk({"tool_calls": [{"index": at, "function": {"arguments": piece}}]})
            yield chunk({}, "tool_calls")
        else:
            if turn.text or not turn.refusal:
                async for word in self._words(turn, turn.text):
                    yield chunk({"content": word})
            if turn.refusal:
                async for word in self._words(turn, turn.refusal):
                    yield chunk({"refusal": word})
            yield chunk({}, "stop")
        if (asked.get("stream_options") or {}).get("include_usage"):
            usage = {
                "prompt_tokens": 90,
                "completion_tokens": 8,
                "total_tokens": 98,
                "prompt_tokens_details": {"cached_tokens": 30},
            }
            yield chunk(None, usage=usage)
        yield "data: [DONE]\n\n"


async def _image_events(turn: Turn, n: int, first: int) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """What is sent of calls of the image tool: kinds of events and their fields."""
    begun = []
    ended = []
    for number, call in enumerate(turn.images):
        place: dict[str, Any] = {"output_index": first + number}
        item: dict[str, Any] = {"id": f"ig_{n}_{number}", "type": "image_generation_call"}
        about = {**place, "item_id": item["id"]}
        drawn = {"background": "opaque", "output_format": "png", "quality": "low", "size": "1024x1024"}
        begun.append(
            [
                ("response.output_item.added", {**place, "item": {**item, "status": "in_progress"}}),
                ("response.image_generation_call.in_progress", about),
                ("response.image_generation_call.generating", about),
            ]
        )
        sketches = [
            (
                "response.image_generation_call.partial_image",
                {**about, **drawn, "partial_image_index": index, "partial_image_b64": partial},
            )
            for index, partial in enumerate(call.partials)
        ]
        failed = call.result is None
        done = {**item, **drawn, "action": "generate", "revised_prompt": "A cat", "result": call.result}
        done["status"] = "failed" if failed else "completed"
        completed = [] if failed else [("response.image_generation_call.completed", about)]
        end = [*completed, ("response.output_item.done", {**place, "item": done})]
        ended.append((sketches, call.delay, end))
    if turn.parallel:
        for events in begun:
            for entry in events:
                yield entry
    for events, (sketches, delay, end) in zip(begun, ended, strict=True):
        for entry in [*([] if turn.parallel else events), *sketches]:
            yield entry
        await asyncio.sleep(delay)
        for entry in end:
            yield entry


async def _read(reader: asyncio.StreamReader) -> Recorded | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.strip().split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
    body = await reader.readexactly(int(headers["content-length"]))
    return Recorded(first.split(" ")[1], headers, json.loads(body))


async def _send_whole(events: AsyncIterator[str], writer: asyncio.StreamWriter) -> None:
    """Answer a request that wants no stream: with the response as its last event has it (Responses only)."""
    last = [event async for event in events][-1]
    body = json.dumps(json.loads(last.partition("data: ")[2])["response"]).encode()
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    await writer.drain()


async def _send(events: AsyncIterator[str], writer: asyncio.StreamWriter) -> None:
    writer.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    async for event in events:
        data = event.encode()
        if not data:
            continue  # in chunks, it would be the end
        writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    await writer.drain()


@asynccontextmanager
async def openai_server() -> AsyncIterator[OpenAIServer]:
    """A running server on a free port of this machine; ``url`` is what goes into ``base_url``."""
    state = OpenAIServer("")
    server = await asyncio.start_server(state.serve, "127.0.0.1", 0)
    state.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield state
    finally:
        server.close()
        await server.wait_closed()
