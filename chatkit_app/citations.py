"""Citations, read so that one of them never ends an answer.

The SDK's ``stream_agent_response`` accepts only some classes of the ``openai`` package, complete in every field.
The event that announces a citation carries others, and not every server sends every field.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from agents import StreamEvent
from chatkit.agents import ResponseStreamConverter
from chatkit.types import Annotation
from openai.types.responses.response_output_text import Annotation as OpenAIAnnotation
from openai.types.responses.response_output_text import (
    AnnotationContainerFileCitation,
    AnnotationFileCitation,
    AnnotationURLCitation,
)
from pydantic import BaseModel, TypeAdapter, ValidationError

logger = logging.getLogger(__name__)

_Citation = TypeVar("_Citation")

_ANNOTATION: TypeAdapter[OpenAIAnnotation] = TypeAdapter(OpenAIAnnotation)
_FILE_CITATIONS = ("file_citation", "container_file_citation")


def with_readable_citations(event: StreamEvent) -> StreamEvent | None:
    """The event with citations that the SDK accepts, or None if it only announces one that cannot be read.

    What is changed is a copy: the run goes on with the model's own words.
    """
    if event.type != "raw_response_event":
        return event
    data: Any = event.data
    changes: dict[str, Any] = {}
    if data.type == "response.output_text.annotation.added":
        changes["annotation"] = _readable(data.annotation)
        if changes["annotation"] is None:
            return None
    elif data.type == "response.content_part.added":
        changes["part"] = _with_readable(data.part)
    elif data.type in ("response.output_item.added", "response.output_item.done"):
        item = data.item
        if item.type != "message":
            return event
        content = [_with_readable(part) for part in getattr(item, "content", None) or []]
        changes["item"] = item.model_copy(update={"content": content})
    else:
        return event
    return type(event)(data=data.model_copy(update=changes))


def _with_readable(part: Any) -> Any:
    if part.type != "output_text":
        return part
    annotations = [_readable(annotation) for annotation in getattr(part, "annotations", None) or []]
    return part.model_copy(update={"annotations": [found for found in annotations if found is not None]})


def _readable(annotation: Any) -> OpenAIAnnotation | None:
    # The client checks nothing that it receives, so any field may be missing and of any type.
    fields = annotation.model_dump(warnings=False) if isinstance(annotation, BaseModel) else annotation
    if isinstance(fields, dict):
        if fields.get("type") == "url_citation" and fields.get("title") is None:
            fields = fields | {"title": fields.get("url")}
        elif fields.get("type") in _FILE_CITATIONS and fields.get("filename") is None:
            # A site's converter may find the name by the file's id. The SDK's leaves the citation out.
            fields = fields | {"filename": ""}
    try:
        return _ANNOTATION.validate_python(fields)
    except ValidationError as error:
        wrong = sorted({".".join(map(str, entry["loc"])) for entry in error.errors(include_input=False)})
        logger.warning("A citation could not be read and was left out: %s", ", ".join(wrong))
        return None


class PatientConverter(ResponseStreamConverter):
    """A converter that leaves out a citation or an image where the one inside it fails.

    Args:
        converter: the site's own.
    """

    def __init__(self, converter: ResponseStreamConverter) -> None:
        super().__init__(partial_images=converter.partial_images)
        self._converter = converter

    async def base64_image_to_url(
        self, image_id: str, base64_image: str, partial_image_index: int | None = None
    ) -> str:
        """The URL of an image; an empty one, which nobody keeps or shows, where the site's converter fails."""
        try:
            return await self._converter.base64_image_to_url(image_id, base64_image, partial_image_index)
        except Exception:
            logger.exception("The response converter failed on an image, which was left out")
            return ""

    def partial_image_index_to_progress(self, partial_image_index: int) -> float:
        return self._converter.partial_image_index_to_progress(partial_image_index)

    async def file_citation_to_annotation(self, file_citation: AnnotationFileCitation) -> Annotation | None:
        return await _or_none(self._converter.file_citation_to_annotation, file_citation)

    async def container_file_citation_to_annotation(
        self, container_file_citation: AnnotationContainerFileCitation
    ) -> Annotation | None:
        return await _or_none(self._converter.container_file_citation_to_annotation, container_file_citation)

    async def url_citation_to_annotation(self, url_citation: AnnotationURLCitation) -> Annotation | None:
        return await _or_none(self._converter.url_citation_to_annotation, url_citation)


async def _or_none(
    convert: Callable[[_Citation], Awaitable[Annotation | None]], citation: _Citation
) -> Annotation | None:
    try:
        annotation = await convert(citation)
        if annotation is None or isinstance(annotation, Annotation):
            return annotation
        raise TypeError(f"{type(annotation).__name__} is no chatkit.types.Annotation.")
    except Exception:
        logger.exception("The response converter failed on a citation, which was left out")
        return None
