"""Outputs of agents that have an ``output_type``: no text, and so nothing to be streamed to the user as it is.

What the model writes is kept back until it is whole, and then shown as the site says. The model's own words are kept
beside it as hidden context, for the model in its next turn and for staff.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from agents import Agent, AgentOutputSchema, AgentOutputSchemaBase, RawResponsesStreamEvent, StreamEvent
from chatkit.agents import AgentContext
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    HiddenContextItem,
    ThreadItem,
    ThreadItemDoneEvent,
    WidgetItem,
)
from chatkit.types import ThreadItemBase as _Item
from chatkit.widgets import WidgetComponentBase
from django.template.defaultfilters import yesno
from django.utils.translation import override
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from ..context import RequestContext
from ..logs import get_logger
from ..process.threads import on_site_threads
from ..store.payloads import OUTPUT_KEY, is_output
from .agent_context import item_fields
from .model_events import field_of, parts_of, refusals_of, text_of

logger = get_logger(__name__)

"""In hidden context, what the model wrote; beside it, under ``"shown"``, the ids of what the user saw in its place."""

ShowOutput = Callable[[Any, Any], Any]


def as_markdown(output: Any) -> str:
    """Return an output for reading: by its own ``__str__`` if its class has one, else its fields and values as a list.

    Args:
        output: what the agent's ``output_type`` has made of the model's JSON.
    """
    if _has_own_text(output):
        return str(output)
    value = to_jsonable_python(output, fallback=str)
    if isinstance(value, dict) and len(value) == 1:
        (value,) = value.values()
    return "\n".join(_lines(value)) if isinstance(value, (dict, list)) else _scalar(value)


def _has_own_text(output: Any) -> bool:
    defined_by = next(kind for kind in type(output).__mro__ if "__str__" in vars(kind))
    return defined_by not in (object, BaseModel) and not isinstance(output, (dict, list, int, float))


def _lines(value: Any) -> list[str]:
    if isinstance(value, dict):
        entries = [
            (f"**{name.replace('_', ' ').strip().capitalize()}:**", part) for name, part in value.items()
        ]
    else:
        entries = [("", part) for part in value]
    lines: list[str] = []
    for label, part in entries:
        if isinstance(part, (dict, list)):
            nested = _lines(part)
            lines += (
                [f"- {label}".rstrip(), *(f"  {line}" for line in nested)] if label else _item_lines(nested)
            )
        else:
            text = _scalar(part).replace("\n", "\n  ")
            lines.append(f"- {label} {text}" if label else f"- {text}")
    return lines


def _item_lines(nested: list[str]) -> list[str]:
    """Return the lines of an entry that is a list itself: its first line follows the bullet."""
    first, *rest = nested or ["- –"]
    return [first, *(f"  {line}" for line in rest)]


def _scalar(value: Any) -> str:
    if value is None or value == "":
        return "–"
    return str(yesno(value)) if isinstance(value, bool) else str(value)


class StructuredOutputs:
    """A reader of one run's events that takes the outputs that are no text out of them, and shows them.

    Args:
        agent: the agent whose events come first.
        show: shows one; called with the output and what the model wrote.
    """

    def __init__(self, agent: Agent[Any], show: Callable[[Any, str], Awaitable[None]]) -> None:
        self._agent = agent
        self._show = show
        self._streamed = ""

    async def read(self, event: StreamEvent) -> list[StreamEvent]:
        """Return the event, if the user may be told of it: as the provider sent it, for ``ModelEvents``."""
        if event.type == "agent_updated_stream_event":
            self._agent = event.new_agent
        schema = self._schema() if event.type == "raw_response_event" else None
        if schema is None:
            return [event]
        data: Any = cast(RawResponsesStreamEvent, event).data
        kind = text_of(data, "type")
        match kind:
            case "response.output_item.added" if text_of(data, "item", "type") == "message":
                self._streamed = ""
                return []
            case "response.content_part.added" | "response.content_part.done":
                # A refusal is a text, whatever the output is.
                return [event] if text_of(data, "part", "type") == "refusal" else []
            case "response.output_text.delta":
                self._streamed += text_of(data, "delta")
            case "response.output_item.done" if text_of(data, "item", "type") == "message":
                return await self._end_message(data, schema)
            case "response.completed":
                await self._show_if_whole(self._streamed, schema)  # its message was never ended
        return [] if kind.startswith("response.output_text.") else [event]

    def _schema(self) -> AgentOutputSchemaBase | None:
        kind = self._agent.output_type
        if kind is None or kind is str:
            return None
        schema = kind if isinstance(kind, AgentOutputSchemaBase) else AgentOutputSchema(kind)
        return None if schema.is_plain_text() else schema

    async def _end_message(self, data: Any, schema: AgentOutputSchemaBase) -> list[StreamEvent]:
        item = field_of(data, "item")
        refusals = refusals_of(item)
        if refusals:
            self._streamed = ""
            item = item.model_copy(update={"content": refusals})
            return [RawResponsesStreamEvent(data=data.model_copy(update={"item": item}))]
        text = "".join(text_of(part, "text") for part in parts_of(item))
        await self._show_if_whole(text or self._streamed, schema)
        return []

    async def _show_if_whole(self, text: str, schema: AgentOutputSchemaBase) -> None:
        self._streamed = ""
        if not text.strip():
            return
        try:
            output = schema.validate_json(text)
        except Exception as error:
            # If it is the run's last word, the run fails.
            logger.warning("An output that is not of its agent's type is not shown: %s", type(error).__name__)
            return
        await self._show(output, text)


async def show(
    output: Any, text: str, show_output: ShowOutput, agent_context: AgentContext[RequestContext]
) -> None:
    """Send what the site makes of an output, and keep what the model wrote.

    Raises:
        TypeError: when the site makes of it what cannot be shown.
    """
    with override(agent_context.request_context.locale):
        shown = await on_site_threads(show_output)(output, agent_context)
    if inspect.isawaitable(shown):
        shown = await shown
    parts = shown if isinstance(shown, (list, tuple)) else [shown]
    items = [_as_item(part, agent_context) for part in parts if part is not None and part != ""]
    own = HiddenContextItem(
        content={OUTPUT_KEY: text, "shown": [item.id for item in items]},
        **item_fields(agent_context, "message"),
    )
    for item in [*items, own]:
        await agent_context.stream(ThreadItemDoneEvent(item=item))


def _as_item(shown: Any, agent_context: AgentContext[RequestContext]) -> ThreadItem:
    if isinstance(shown, _Item):
        return shown  # type: ignore[return-value]
    if isinstance(shown, str):
        content = [AssistantMessageContent(text=shown)]
        return AssistantMessageItem(content=content, **item_fields(agent_context, "message"))
    if isinstance(shown, WidgetComponentBase):
        return WidgetItem(widget=shown, **item_fields(agent_context, "message"))  # type: ignore[arg-type]
    raise TypeError(
        f"show_output() returned {type(shown).__name__}; return a text, a widget, an item of a thread, a list of "
        "these, or None for nothing."
    )


def with_raw_outputs(history: Sequence[ThreadItem]) -> list[ThreadItem]:
    """Return the history as the model wrote it: its outputs in place of what the user was shown of them."""
    there = {item.id for item in history}
    written = [item for item in history if isinstance(item, HiddenContextItem) and is_output(item.content)]
    whole = {item.id for item in written if there.issuperset(item.content["shown"])}
    replaced = {shown for item in written if item.id in whole for shown in item.content["shown"]}
    left_out = replaced | {item.id for item in written} - whole
    return [
        AssistantMessageItem(
            id=item.id,
            thread_id=item.thread_id,
            created_at=item.created_at,
            content=[AssistantMessageContent(text=item.content[OUTPUT_KEY])],
        )
        if item.id in whole and isinstance(item, HiddenContextItem)
        else item
        for item in history
        if item.id not in left_out
    ]
