"""A model's events, as the SDK's ``stream_agent_response`` can read them.

The client of the ``openai`` package checks nothing that it receives: any field of an event may be missing, null, or of
any type, and servers that are compatible with OpenAI's send such events. The SDK takes every field for granted.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from agents import RawResponsesStreamEvent, RunItemStreamEvent, StreamEvent
from openai.types.responses import (
    ResponseContentPartAddedEvent,
    ResponseFunctionToolCall,
    ResponseOutputItemAddedEvent,
    ResponseOutputItemDoneEvent,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseReasoningItem,
    ResponseTextDeltaEvent,
)
from openai.types.responses.response_output_item import ImageGenerationCall
from openai.types.responses.response_output_text import Annotation

from ..logs import get_logger
from .citations import read_citation

logger = get_logger(__name__)

# The parts of a message that have a text, and where it is. Some servers call a text what it is.
_TEXTS = {"output_text": "text", "text": "text", "refusal": "refusal"}


def field_of(value: Any, *names: str) -> Any:
    """Return what is there by these names, one inside the other, or None: of an object, or a dictionary of one."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
    return value


def text_of(value: Any, *names: str) -> str:
    """Return what is there by these names if it is a text; an empty one if not."""
    found = field_of(value, *names)
    return found if isinstance(found, str) else ""


def index_of(value: Any, name: str) -> int | None:
    """Return what is there by these names if it can be the place of something."""
    found = field_of(value, name)
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None


def parts_of(message: Any) -> list[Any]:
    """Return the parts of a message; none if they cannot be read."""
    content = field_of(message, "content")
    return content if isinstance(content, list) else []


def refusals_of(message: Any) -> list[Any]:
    """Return those of its parts in which the model declines to answer, with words."""
    return [
        part for part in parts_of(message) if text_of(part, "type") == "refusal" and text_of(part, "refusal")
    ]


@dataclass
class _Part:
    """A text of a message, as far as it has been streamed."""

    text: str = ""
    citations: list[Annotation] = field(default_factory=list)

    def as_content(self) -> ResponseOutputText:
        return ResponseOutputText(type="output_text", text=self.text, annotations=list(self.citations))


@dataclass
class _Message:
    """A message that has begun. Its parts are numbered without gaps, whatever the provider left out or we do."""

    id: str
    parts: dict[int, _Part] = field(default_factory=dict)  # by the provider's index

    def part(self, index: int | None) -> tuple[int, _Part, bool]:
        """Return the provider's part of this index, or the newest: its own index, itself, and whether it is new."""
        key = index if index is not None else next(reversed(self.parts), 0)
        is_new = key not in self.parts
        part = self.parts.setdefault(key, _Part())
        return list(self.parts).index(key), part, is_new


class ModelEvents:
    """The events of one run. What is changed is a copy: the run goes on with the model's own words.

    What cannot be read is left out and logged, each kind once. A text that was streamed is in the message that is
    kept, whatever the end of the message says, or should that never come.

    Every message and every call of a function gets an id of ours. A provider's are no keys: some repeat them, within
    an answer or in the next one, leave them empty, make them longer than any column, or change them in mid-message.

    Args:
        new_id: makes an id for an item of this type.

    Attributes:
        refusal: whether the newest message is one in which the model declines to answer.
    """

    def __init__(self, new_id: Callable[[Literal["message", "tool_call"]], str]) -> None:
        self.refusal = False
        self._new_id = new_id
        self._message: _Message | None = None
        self._thought = ""
        self._images = 0
        self._left_out: set[str] = set()

    def read(self, event: StreamEvent) -> list[StreamEvent]:
        """Return the event in a form that the SDK reads: none when it would tell the user nothing, or more than one."""
        if event.type == "run_item_stream_event":
            return [self._with_call_id(event)]
        if event.type != "raw_response_event":
            return [event]
        return [RawResponsesStreamEvent(data=data) for data in self._read(event.data)]

    def finish(self) -> list[StreamEvent]:
        """Return what is missing when the run has ended: the end of a message."""
        return [RawResponsesStreamEvent(data=data) for data in self._end_message()]

    def _read(self, data: Any) -> list[Any]:
        match text_of(data, "type"):
            case "":
                self._leave_out("an event without a type")
                return []
            case "response.output_item.added":
                return self._item_added(data)
            case "response.output_item.done":
                return self._item_done(data)
            case "response.content_part.added":
                return self._part_added(data)
            case "response.output_text.delta" | "response.refusal.delta":
                return self._delta(data)
            case "response.output_text.done":
                return self._text_done(data)
            case "response.output_text.annotation.added":
                return self._citation_added(data)
            case "response.reasoning_summary_text.delta" | "response.reasoning_summary_text.done":
                return self._thinking(data)
            case "response.image_generation_call.partial_image":
                return self._partial_image(data)
            case "response.completed":
                return [*self._end_message(), data]
        return [data]

    def _leave_out(self, what: str) -> None:
        if what not in self._left_out:
            self._left_out.add(what)
            logger.warning("Of what the model sent, this could not be read and was left out: %s", what)

    # Items

    def _item_added(self, data: Any) -> list[Any]:
        if text_of(data, "item", "type") != "message":
            return self._other_item(data)
        ended = self._end_message()
        message = self._message = _Message(self._new_id("message"))
        self._fill(message, field_of(data, "item", "content"))
        return [*ended, _added_event(data, _as_item(message, "in_progress"))]

    def _item_done(self, data: Any) -> list[Any]:
        if text_of(data, "item", "type") != "message":
            return self._other_item(data)
        message, begun = self._begun_message(data)
        self.refusal = bool(refusals_of(field_of(data, "item")))
        self._fill(message, field_of(data, "item", "content"))
        return [*begun, *self._end_message(data)]

    def _other_item(self, data: Any) -> list[Any]:
        item = field_of(data, "item")
        match text_of(item, "type"):
            case "":
                self._leave_out(f"the item of {data.type}")
                return []
            case "reasoning":
                # The SDK wants to know no more of it.
                item = ResponseReasoningItem(type="reasoning", id=text_of(item, "id"), summary=[])
            case "image_generation_call":
                call = _image_call(text_of(item, "id"), text_of(item, "result"), text_of(item, "status"))
                if data.type == "response.output_item.done":
                    begun = self._begin_image(data, call.id)
                    self._images -= 1
                    return [*begun, data.model_copy(update={"item": call})]
                self._images += 1
                item = call
        return [data.model_copy(update={"item": item})]

    def _begin_image(self, data: Any, call_id: str) -> list[Any]:
        """Return what has to be sent before an image's beginning, if no image has begun."""
        if self._images:
            return []
        self._images = 1
        return [_added_event(data, _image_call(call_id, "", "in_progress"))]

    def _with_call_id(self, event: RunItemStreamEvent) -> RunItemStreamEvent:
        call = getattr(event.item, "raw_item", None)
        update = {"id": self._new_id("tool_call")}
        if isinstance(call, ResponseFunctionToolCall):
            call = call.model_copy(update=update)
        elif isinstance(call, dict) and call.get("type") == "function_call":
            call = call | update
        else:
            return event
        item = copy.copy(event.item)
        item.raw_item = call
        return RunItemStreamEvent(name=event.name, item=item)

    # Messages come one after another, each from "added" to "done"

    def _begun_message(self, data: Any) -> tuple[_Message, list[Any]]:
        """Return the message that has begun, and what has to be sent before of its beginning."""
        if self._message is not None:
            return self._message, []
        self._message = _Message(self._new_id("message"))
        return self._message, [_added_event(data, _as_item(self._message, "in_progress"))]

    def _end_message(self, data: Any = None) -> list[Any]:
        message, self._message = self._message, None
        if message is None:
            return []
        return [
            ResponseOutputItemDoneEvent(
                type="response.output_item.done",
                item=_as_item(message, "completed"),
                output_index=index_of(data, "output_index") or 0,
                sequence_number=index_of(data, "sequence_number") or 0,
            )
        ]

    def _fill(self, message: _Message, content: Any) -> None:
        """Give the message what its item says. What that does not say remains as it was streamed."""
        if content is not None and not isinstance(content, list):
            self._leave_out("the content of a message")
            return
        is_said = False
        for index, read in enumerate(content or []):
            name = _TEXTS.get(text_of(read, "type"))
            if name is None:
                self._leave_out("a part of a message")
                continue
            _place, part, _is_new = message.part(index)
            is_said |= bool(text_of(read, name))
            part.text = text_of(read, name) or part.text
            found = field_of(read, "annotations")
            citations = [
                self._citation(annotation, part) for annotation in (found if isinstance(found, list) else [])
            ]
            part.citations = [each for each in citations if each is not None] or part.citations
        if is_said:
            # What was streamed under a wrong index would be said twice.
            message.parts = {
                index: part for index, part in message.parts.items() if index < len(content or [])
            }

    def _part_added(self, data: Any) -> list[Any]:
        part = field_of(data, "part")
        kind = text_of(part, "type")
        if kind == "reasoning_text":
            return []  # of an item of its own, which the SDK does not show
        if kind not in _TEXTS:
            self._leave_out("a part of a message")
            return []
        index = index_of(data, "content_index")
        if index is None and self._message is not None:
            index = max(self._message.parts, default=-1) + 1
        events, place, begun = self._in_part(data, index, is_said=True)
        begun.text = text_of(part, _TEXTS[kind]) or begun.text
        return [*events, _part_event(data, place, begun)]

    def _delta(self, data: Any) -> list[Any]:
        said = field_of(data, "delta")
        if not isinstance(said, str):
            self._leave_out(f"the delta of {data.type}")
            return []
        events, place, part = self._in_part(data, index_of(data, "content_index"))
        part.text += said
        # The SDK reads a refusal only where it stands complete, in the finished message.
        delta = ResponseTextDeltaEvent.model_construct(
            type="response.output_text.delta",
            **place,
            output_index=index_of(data, "output_index") or 0,
            sequence_number=index_of(data, "sequence_number") or 0,
            delta=said,
            logprobs=field_of(data, "logprobs") or [],
        )
        return [*events, delta]

    def _text_done(self, data: Any) -> list[Any]:
        if not isinstance(field_of(data, "text"), str):
            self._leave_out("the text of response.output_text.done")
            return []
        events, place, part = self._in_part(data, index_of(data, "content_index"))
        part.text = data.text or part.text
        return [*events, data.model_copy(update=place | {"text": part.text})]

    def _citation_added(self, data: Any) -> list[Any]:
        events, place, part = self._in_part(data, index_of(data, "content_index"))
        citation = self._citation(field_of(data, "annotation"), part)
        if citation is None:
            return events
        part.citations.append(citation)
        return [*events, data.model_copy(update=place | {"annotation": citation})]

    def _citation(self, annotation: Any, part: _Part) -> Annotation | None:
        citation, wrong = read_citation(annotation, end=len(part.text))
        if citation is None:
            self._leave_out(f"a citation ({wrong})")
        return citation

    def _in_part(
        self, data: Any, index: int | None, *, is_said: bool = False
    ) -> tuple[list[Any], dict[str, Any], _Part]:
        """Return the beginning of the event's part, where it has to be sent before the event; its place; the part."""
        message, events = self._begun_message(data)
        number, part, is_new = message.part(index)
        place = {"item_id": message.id, "content_index": number}
        if is_new and not is_said:
            events.append(_part_event(data, place, part))
        return events, place, part

    # Beside messages

    def _thinking(self, data: Any) -> list[Any]:
        is_done = data.type.endswith(".done")
        name = "text" if is_done else "delta"
        said = text_of(data, name)
        if not isinstance(field_of(data, name), str):
            self._leave_out(f"the {name} of {data.type}")
        if is_done:
            said, self._thought = said or self._thought, ""
        else:
            self._thought += said
        if not said:
            return []
        place = {"item_id": text_of(data, "item_id"), "summary_index": index_of(data, "summary_index") or 0}
        return [data.model_copy(update={**place, name: said})]

    def _partial_image(self, data: Any) -> list[Any]:
        if not text_of(data, "partial_image_b64"):
            self._leave_out("an unfinished image")
            return []
        index = index_of(data, "partial_image_index") or 0
        return [data.model_copy(update={"item_id": text_of(data, "item_id"), "partial_image_index": index})]


def _as_item(message: _Message, status: Literal["in_progress", "completed"]) -> ResponseOutputMessage:
    content: list[Any] = [part.as_content() for part in message.parts.values()]
    return ResponseOutputMessage(
        type="message", role="assistant", id=message.id, status=status, content=content
    )


def _image_call(call_id: str, result: str, status: str) -> ImageGenerationCall:
    return ImageGenerationCall.model_construct(
        type="image_generation_call", id=call_id, result=result or None, status=cast(Any, status)
    )


def _added_event(data: Any, item: Any) -> ResponseOutputItemAddedEvent:
    return ResponseOutputItemAddedEvent.model_construct(
        type="response.output_item.added",
        item=item,
        output_index=index_of(data, "output_index") or 0,
        sequence_number=index_of(data, "sequence_number") or 0,
    )


def _part_event(data: Any, place: dict[str, Any], part: _Part) -> ResponseContentPartAddedEvent:
    return ResponseContentPartAddedEvent(
        type="response.content_part.added",
        **place,
        output_index=index_of(data, "output_index") or 0,
        sequence_number=index_of(data, "sequence_number") or 0,
        part=part.as_content(),
    )
