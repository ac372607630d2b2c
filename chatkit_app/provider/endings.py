"""Endings of an agent's run. Its stream does not tell them: one that gave the user nothing ends like any other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agents import ModelBehaviorError, RunResultStreaming
from chatkit.types import (
    AssistantMessageItem,
    EndOfTurnItem,
    GeneratedImageItem,
    HiddenContextItem,
    ProgressUpdateEvent,
    SDKHiddenContextItem,
    StreamOptionsEvent,
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
    ThreadUpdatedEvent,
    WorkflowItem,
)

from .model_events import text_of

# What goes by without leaving anything that the user could take for an answer. What a newer SDK brings is one.
_PASSING = (
    ProgressUpdateEvent,
    StreamOptionsEvent,
    ThreadItemRemovedEvent,
    ThreadItemUpdatedEvent,
    ThreadUpdatedEvent,
)

_TOOL_ADVICE = (
    "A tool ended the run (tool_use_behavior), and what it returns is not shown: let it stream a widget or a text "
    "with ctx.context.stream()."
)
_MODEL_ADVICE = (
    "Look at the agent's instructions, and at max_tokens of its ModelSettings if the model reasons; a compatible "
    "server may have lost the text."
)

_IMAGE_ADVICE = (
    "The log says above what was wrong with it: look at the storage, or at the response converter."
)


class NoAnswer(ModelBehaviorError):
    """The run is over, and the user has been given nothing."""


@dataclass(kw_only=True)
class EndingState:
    """The ending's state of one request: ``context.state(EndingState)``.

    Attributes:
        reason: why its answer failed, for staff, where the user is told less.
        is_given: whether the user has been told something beside the run: a run that says nothing is none without an
            answer then.
    """

    reason: str = ""
    is_given: bool = False


class Ending:
    """The ending so far: what the user has been given, and the last word of the model.

    Attributes:
        reason: why there is no whole answer, for staff: "incomplete: max_output_tokens", "no answer: an empty
            text". Empty as long as nothing is known against it.
    """

    def __init__(self) -> None:
        self.reason = ""
        self._given = False
        self._image_lost = False
        self._empty_messages: dict[str, None] = {}

    def hear(self, data: Any) -> None:
        """Take note of an event of the model's."""
        match text_of(data, "type"):
            case "response.incomplete":
                reason = text_of(data, "response", "incomplete_details", "reason")
                self.reason = f"incomplete: {reason or 'no reason given'}"
            case "response.failed":
                code = text_of(data, "response", "error", "code")
                self.reason = f"failed: {code or 'no reason given'}"

    def show(self, event: ThreadStreamEvent) -> None:
        """Take note of an event that goes to the user."""
        match event:
            case ThreadItemDoneEvent(item=item):
                if isinstance(item, AssistantMessageItem) and not _is_visible(item):
                    self._empty_messages[item.id] = None
                self._given |= _is_visible(item)
            case ThreadItemAddedEvent(item=item):
                # A workflow may stay open at the end of an answer.
                self._given |= isinstance(item, WorkflowItem) and _is_visible(item)
            case _:
                self._given |= not isinstance(event, _PASSING)

    def lose_image(self) -> None:
        """Take note of an image that the model made and that the user is not given."""
        self._image_lost = True

    def no_answer_error(self, result: RunResultStreaming) -> NoAnswer | None:
        """Return the error to raise when the run is over and has given the user nothing."""
        if self._given:
            return None
        items = [item.type.removesuffix("_item") for item in result.new_items]
        advice = _MODEL_ADVICE
        if items and items[-1] == "tool_call_output":
            found, advice = "a tool ended the run and showed nothing", _TOOL_ADVICE
        elif self._image_lost:
            found, advice = "an image that could not be kept", _IMAGE_ADVICE
        elif self._empty_messages:
            found = "an empty text"
        else:
            found = f"only {', '.join(dict.fromkeys(items))}" if items else "no output at all"
        self.reason = f"no answer: {found}"
        return NoAnswer(f"The user was given {self.reason}. {advice}")

    def removals(self) -> list[ThreadItemRemovedEvent]:
        """Return what takes the empty messages off the screen and out of the thread."""
        return [ThreadItemRemovedEvent(item_id=item_id) for item_id in self._empty_messages]


def _is_visible(item: ThreadItem) -> bool:
    match item:
        case AssistantMessageItem():
            return any(part.text.strip() for part in item.content)
        case GeneratedImageItem():
            return item.image is not None and bool(item.image.url)
        case WorkflowItem():
            return item.workflow.type != "reasoning"
    return not isinstance(item, (EndOfTurnItem, HiddenContextItem, SDKHiddenContextItem))
