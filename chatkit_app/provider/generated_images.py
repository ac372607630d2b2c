"""Images that the model makes: from the calls of its tool to files beside those of users' messages.

The SDK has an image as a ``data:`` URL. Its bytes go into the storage of ``CHATKIT["ATTACHMENTS"]``, or into the
storage ``default`` where users may send no files; its item keeps a URL of ours, which is signed whenever it is sent.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from typing import Any

from agents import StreamEvent
from chatkit.agents import AgentContext
from chatkit.types import (
    GeneratedImage,
    GeneratedImageItem,
    ImageAttachment,
    ThreadItem,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadStreamEvent,
)
from django.core.files.base import ContentFile
from openai.types.responses.response_output_item import ImageGenerationCall

from .. import db
from ..conf import chatkit_settings
from ..context import RequestContext
from ..logs import get_logger
from ..models import Attachment as AttachmentRow
from ..store import codec, payloads
from ..store.attachments import make_room, sdk_attachment
from ..store.base import new_id
from ..store.file_rules import SNIFF_BYTES, picture_type
from ..store.pictures import picture_size
from ..store.stored_files import new_file_name, save_file

logger = get_logger(__name__)

_DATA = "data:"


class BrokenImageError(ValueError):
    """The data was given as an image and is none that can be shown."""


async def keep_image(item: GeneratedImageItem, context: RequestContext) -> GeneratedImageItem | None:
    """Move an image out of its item into the storage. One that is on another site stays there.

    Its file belongs to nobody's message until the store has written the item, and is deleted after a day like a file
    that was never sent when that never happens.

    Args:
        item: with the image as a ``data:`` URL.
        context: of its owner.

    Returns:
        The item with an unsigned URL of ours; None when there is no image or it cannot be stored, which is logged.
    """
    image = item.image
    if image is None or not image.url:
        return None
    if not image.url.startswith(_DATA):
        return item
    try:
        attachment = await db.run(_keep, image.url, new_id("attachment"), new_file_name(), context)
    except Exception:
        logger.exception("An image that the model made could not be kept, and was left out")
        return None
    url = str(attachment.preview_url).partition("?")[0]
    return item.model_copy(update={"image": GeneratedImage(id=attachment.id, url=url)})


async def with_kept_image(event: ThreadStreamEvent, context: RequestContext) -> ThreadStreamEvent:
    """Return the event with its generated image in the storage, or one that takes the item away if that fails."""
    if not isinstance(event, (ThreadItemDoneEvent, ThreadItemReplacedEvent)) or not isinstance(
        event.item, GeneratedImageItem
    ):
        return event
    kept = await keep_image(event.item, context)
    if kept is None:
        return ThreadItemRemovedEvent(item_id=event.item.id)
    return event.model_copy(update={"item": kept})


def _keep(url: str, attachment_id: str, file: str, context: RequestContext) -> ImageAttachment:
    content = _content(url)
    mime_type = picture_type(content[:SNIFF_BYTES])
    if not mime_type:
        raise BrokenImageError("It is no PNG, JPEG, GIF or WebP.")
    width, height = picture_size(BytesIO(content), mime_type)
    if width * height > chatkit_settings.files.max_pixels:
        raise BrokenImageError(f"It has {width} × {height} pixels.")
    name = f"image.{mime_type.removeprefix('image/')}"
    attachment = sdk_attachment(attachment_id, name, mime_type, context, metadata={"size": len(content)})
    assert isinstance(attachment, ImageAttachment)
    make_room(context)
    # The row comes first: without one, nobody would ever find the bytes.
    row, _created = AttachmentRow.objects.update_or_create(
        public_id=attachment_id,
        defaults={
            "namespace": context.namespace,
            "user_id": context.user_id,
            "visitor_id": "" if context.user_id is not None else context.visitor_id or "",
            "file": file,
            "size": len(content),
            **codec.encode_attachment(attachment),
        },
    )
    try:
        stored_as = save_file(file, ContentFile(content))
    except Exception:
        row.delete()
        raise
    if stored_as != file:
        AttachmentRow.objects.filter(pk=row.pk).update(file=stored_as)
    return attachment


def _content(url: str) -> bytes:
    head, _comma, data = url.partition(",")
    if not head.endswith(";base64"):
        raise BrokenImageError("It is not in base64.")
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise BrokenImageError("Its base64 is broken.") from error


# --- What the model sees of them again ----------------------------------------------------------------------


def newest_images(history: Sequence[ThreadItem], *, limit: int) -> dict[str, str]:
    """Return the newest images of a history, at most so many, the newest first.

    Returns:
        By the ids of their items, the ids of the attachments that they are; empty ones for those that are none.
    """
    images = [
        (item.id, item.image)
        for item in reversed(history)
        if isinstance(item, GeneratedImageItem) and item.image is not None
    ]
    return {
        item_id: image.id if payloads.is_file_url(image.url, image.id) else ""
        for item_id, image in images[:limit]
    }


def with_image_content(
    history: Iterable[ThreadItem], images: Mapping[str, str], files: Mapping[str, bytes]
) -> list[ThreadItem]:
    """Return the history as a model can read it: our URLs are good for browsers only, and for an hour.

    Args:
        history: items of a thread.
        images: those that the model is to see, from ``newest_images()``.
        files: what is in the files of these, by their ids.

    Returns:
        The items, these images as ``data:`` URLs. Items of other images, and of those whose bytes are missing, have
        none any more.
    """
    return [
        _with_content(item, images, files) if isinstance(item, GeneratedImageItem) else item
        for item in history
    ]


def _with_content(
    item: GeneratedImageItem, images: Mapping[str, str], files: Mapping[str, bytes]
) -> GeneratedImageItem:
    if item.image is None or images.get(item.id) == "":
        return item
    content = files.get(images.get(item.id, ""))
    image = None if content is None else GeneratedImage(id=item.image.id, url=_data_url(content))
    return item.model_copy(update={"image": image})


def _data_url(content: bytes) -> str:
    return f"{_DATA}{picture_type(content[:SNIFF_BYTES])};base64,{base64.b64encode(content).decode()}"


# --- While they are made ------------------------------------------------------------------------------------


class ImageCalls:
    """The items that the calls of the image tool make.

    The SDK's ``stream_agent_response`` knows of one at a time, so that of two at once the wrong one gets the image,
    and it leaves the item of one that fails as it is. ``follow()`` is given each event before the SDK is.

    Args:
        agent_context: the one that the SDK works with.
    """

    def __init__(self, agent_context: AgentContext[Any]) -> None:
        self._agent_context = agent_context
        self._items: dict[str, GeneratedImageItem] = {}
        self._added: str | None = None

    def follow(self, event: StreamEvent) -> StreamEvent:
        """Return the event, after the SDK has been told which item it is about."""
        context = self._agent_context
        if self._added is not None and context.generated_image_item is not None:
            self._items[self._added] = context.generated_image_item
            self._added = None
        if event.type != "raw_response_event":
            return event
        data: Any = event.data
        # ModelEvents has seen to it that these have the fields that are read here.
        if data.type == "response.image_generation_call.partial_image":
            context.generated_image_item = self._items.get(self._call_of(data.item_id))
        elif data.type in ("response.output_item.added", "response.output_item.done"):
            if data.item.type != "image_generation_call":
                return event
            if data.type == "response.output_item.added":
                self._added = data.item.id
            else:
                context.generated_image_item = self._items.pop(self._call_of(data.item.id), None)
                self._give_up_failed(data.item)
        return event

    def _call_of(self, call_id: str) -> str:
        """Return the call of this id; the oldest that is not done where a provider says another or none."""
        return call_id if call_id in self._items else next(iter(self._items), call_id)

    def _give_up_failed(self, call: ImageGenerationCall) -> None:
        item = self._agent_context.generated_image_item
        if item is not None and (call.status == "failed" or not call.result):
            logger.warning("The model failed to make an image, which was left out")
            self._agent_context.generated_image_item = None
            # Through the queue of the tools' events: the SDK has none for this.
            self._agent_context._events.put_nowait(ThreadItemRemovedEvent(item_id=item.id))
