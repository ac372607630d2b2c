"""What a model reads: the items of a thread as its input."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from agents import TResponseInputItem
from agents.run_config import CallModelData, ModelInputData
from chatkit.agents import ThreadItemConverter
from chatkit.types import AssistantMessageItem, Attachment, HiddenContextItem, UserMessageTagContent
from openai.types.responses import EasyInputMessageParam, ResponseInputContentParam, ResponseInputTextParam


class DjangoThreadItemConverter(ThreadItemConverter):
    """Thread items for the model. Nothing a thread can hold raises here; override what should say more."""

    async def attachment_to_message_content(self, attachment: Attachment) -> ResponseInputContentParam:
        """A note that names the file. Override it to send what is in the file."""
        return _input_text(
            f"The user attached the file {json.dumps(attachment.name, ensure_ascii=False)} "
            f"({attachment.mime_type}). Its content is not part of this conversation."
        )

    async def tag_to_message_content(self, tag: UserMessageTagContent) -> ResponseInputContentParam:
        """The tag's name and data."""
        about = {"id": tag.id, "name": tag.text, "group": tag.group, "data": tag.data}
        known = {key: value for key, value in about.items() if value}
        return _input_text(f"<Tag>\n{json.dumps(known, ensure_ascii=False, default=str)}\n</Tag>")

    async def hidden_context_to_input(
        self, item: HiddenContextItem
    ) -> TResponseInputItem | list[TResponseInputItem] | None:
        """Hidden context as text; as JSON when it is something else."""
        if not isinstance(item.content, str):
            content = json.dumps(item.content, ensure_ascii=False, default=str)
            item = item.model_copy(update={"content": content})
        return await super().hidden_context_to_input(item)

    async def assistant_message_to_input(
        self, item: AssistantMessageItem
    ) -> TResponseInputItem | list[TResponseInputItem] | None:
        """The message as plain text, the one form both APIs take; None for an empty one: they refuse it."""
        text = "\n\n".join(part.text for part in item.content if part.text.strip())
        return EasyInputMessageParam(role="assistant", content=text) if text else None


def _input_text(text: str) -> ResponseInputTextParam:
    return ResponseInputTextParam(type="input_text", text=text)


def paired(items: list[TResponseInputItem]) -> list[TResponseInputItem]:
    """Leave out calls and outputs of function tools whose other half is missing, for example cut away."""

    def ids(kind: str) -> set[Any]:
        return {item.get("call_id") for item in items if item.get("type") == kind}

    whole = ids("function_call") & ids("function_call_output")
    return [
        item
        for item in items
        if not isinstance(item, Mapping)
        or item.get("type") not in ("function_call", "function_call_output")
        or item.get("call_id") in whole
    ]


def forget_ids(data: CallModelData[Any]) -> ModelInputData:
    """Leave out what only a provider that stores could look up.

    Reasoning is then known by its encrypted content or not at all, and without it the calls and messages that
    it led to are refused as long as they carry their ids.
    """
    items = data.model_data.input
    lost = [item for item in items if item.get("type") == "reasoning" and not item.get("encrypted_content")]
    if lost:
        kept = (dict(item) for item in items if item not in lost)
        items = [
            cast(TResponseInputItem, {key: value for key, value in item.items() if key != "id"})
            for item in kept
        ]
    return ModelInputData(input=items, instructions=data.model_data.instructions)
