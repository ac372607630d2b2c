"""The items of a thread as input of a model."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Mapping
from typing import Any, Self, cast

from agents import TResponseInputItem
from agents.run_config import CallModelData, ModelInputData
from chatkit.agents import ThreadItemConverter
from chatkit.types import (
    AssistantMessageItem,
    Attachment,
    GeneratedImageItem,
    HiddenContextItem,
    UserMessageTagContent,
)
from openai.types.responses import (
    EasyInputMessageParam,
    ResponseInputContentParam,
    ResponseInputFileParam,
    ResponseInputImageParam,
    ResponseInputTextParam,
)
from openai.types.responses.response_input_item_param import Message

IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
TEXT_TYPES = frozenset({"application/json", "application/xml", "application/yaml", "application/x-yaml"})
TEXT_LENGTH = 100_000

# The kinds of input that are complete without an id. The others, calls of hosted tools above all, are refused
# without theirs; so is left alone what a newer version brings.
TYPES_WITHOUT_ID = frozenset(
    {
        "additional_tools",
        "apply_patch_call",
        "apply_patch_call_output",
        "compaction",
        "compaction_trigger",
        "computer_call_output",
        "configuration_update",
        "custom_tool_call",
        "custom_tool_call_output",
        "function_call",
        "function_call_output",
        "mcp_approval_response",
        "message",
        "shell_call",
        "shell_call_output",
        "tool_search_call",
        "tool_search_output",
    }
)


class DjangoThreadItemConverter(ThreadItemConverter):
    """A converter of thread items for the model. Nothing a thread can hold raises here; override what should say more.

    Attributes:
        files: what is in the files of these items, by their ids. The model reads the others' names only.
    """

    files: Mapping[str, bytes] = {}

    def with_files(self, files: Mapping[str, bytes]) -> Self:
        """Return a converter like this one that has these files."""
        converter = copy.copy(self)
        converter.files = files
        return converter

    async def attachment_to_message_content(self, attachment: Attachment) -> ResponseInputContentParam:
        """Return the picture, the PDF or the text that the user attached; a note that names it for everything else."""
        name = json.dumps(attachment.name, ensure_ascii=False)
        about = f"The user attached the file {name} ({attachment.mime_type})."
        content = self.files.get(attachment.id)
        kind = attachment.mime_type
        if content is not None and kind in IMAGE_TYPES:
            return ResponseInputImageParam(
                type="input_image", detail="auto", image_url=_data_url(kind, content)
            )
        if content is not None and kind == "application/pdf":
            return ResponseInputFileParam(
                type="input_file", filename=attachment.name, file_data=_data_url(kind, content)
            )
        if content is not None and (kind.startswith("text/") or kind in TEXT_TYPES):
            text = content.decode("utf-8-sig", errors="replace")
            cut = f" These are its first {TEXT_LENGTH} characters." if len(text) > TEXT_LENGTH else ""
            return _input_text(f"{about}{cut}\n<File>\n{text[:TEXT_LENGTH]}\n</File>")
        return _input_text(f"{about} Its content is not part of this conversation.")

    async def generated_image_to_input(
        self, item: GeneratedImageItem
    ) -> TResponseInputItem | list[TResponseInputItem] | None:
        """Return the image; a note in its place for one that the model is not shown again."""
        if item.image is not None:
            return await super().generated_image_to_input(item)
        # Not in the assistant's own name: a model that reads such notes as its own words begins to write them.
        note = _input_text("The assistant made an image here. It is not part of this conversation any more.")
        return Message(type="message", role="user", content=[note])

    async def tag_to_message_content(self, tag: UserMessageTagContent) -> ResponseInputContentParam:
        """Return the tag's name and data."""
        about = {"id": tag.id, "name": tag.text, "group": tag.group, "data": tag.data}
        known = {key: value for key, value in about.items() if value}
        return _input_text(f"<Tag>\n{json.dumps(known, ensure_ascii=False, default=str)}\n</Tag>")

    async def hidden_context_to_input(
        self, item: HiddenContextItem
    ) -> TResponseInputItem | list[TResponseInputItem] | None:
        """Return hidden context as text; as JSON when it is something else."""
        if not isinstance(item.content, str):
            content = json.dumps(item.content, ensure_ascii=False, default=str)
            item = item.model_copy(update={"content": content})
        return await super().hidden_context_to_input(item)

    async def assistant_message_to_input(
        self, item: AssistantMessageItem
    ) -> TResponseInputItem | list[TResponseInputItem] | None:
        """Return the message as plain text, the one form both APIs take; None for an empty one: they refuse it."""
        text = "\n\n".join(part.text for part in item.content if part.text.strip())
        if hasattr(item, "author"):
            return self.staff_message_to_input(item, text)
        return EasyInputMessageParam(role="assistant", content=text) if text else None

    def staff_message_to_input(self, item: Any, text: str) -> list[TResponseInputItem]:
        """Return what a person wrote in the assistant's place, under a note that says who and when."""
        name = json.dumps(item.author.name, ensure_ascii=False)
        files = ", ".join(json.dumps(file.name, ensure_ascii=False) for file in item.attachments)
        with_files = f" They attached {files}, which is not part of this conversation." if files else ""
        # Not in the assistant's own name, for the same reason as with images.
        note = _input_text(
            f"At {item.created_at.astimezone().isoformat(timespec='minutes')} {name}, a person of the team, answered "
            f"in the assistant's place. What follows is their message, not the assistant's.{with_files}"
        )
        items: list[TResponseInputItem] = [Message(type="message", role="user", content=[note])]
        if text:
            items.append(EasyInputMessageParam(role="assistant", content=text))
        return items


def _input_text(text: str) -> ResponseInputTextParam:
    return ResponseInputTextParam(type="input_text", text=text)


def _data_url(mime_type: str, content: bytes) -> str:
    return f"data:{mime_type};base64,{base64.b64encode(content).decode()}"


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

    Reasoning is then known by its encrypted content or not at all. Without it the calls and messages that it
    led to are refused as long as they carry their ids, as far as their kind can do without one.
    """
    items = data.model_data.input
    lost = [item for item in items if item.get("type") == "reasoning" and not item.get("encrypted_content")]
    if lost:
        items = [_without_id(item) for item in items if item not in lost]
    return ModelInputData(input=items, instructions=data.model_data.instructions)


def _without_id(item: TResponseInputItem) -> TResponseInputItem:
    if item.get("type") not in TYPES_WITHOUT_ID:
        return item
    return cast(TResponseInputItem, {key: value for key, value in item.items() if key != "id"})
