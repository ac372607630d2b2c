"""Citations, read so that one of them never ends an answer.

The SDK's ``stream_agent_response`` accepts only some classes of the ``openai`` package, complete in every field.
The event that announces a citation carries others, and not every server sends every field.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from chatkit.agents import ResponseStreamConverter
from chatkit.types import Annotation
from openai.types.responses.response_output_text import Annotation as OpenAIAnnotation
from openai.types.responses.response_output_text import (
    AnnotationContainerFileCitation,
    AnnotationFileCitation,
    AnnotationURLCitation,
)
from pydantic import BaseModel, TypeAdapter, ValidationError

from ..logs import get_logger

logger = get_logger(__name__)

_Citation = TypeVar("_Citation")

_ANNOTATION: TypeAdapter[OpenAIAnnotation] = TypeAdapter(OpenAIAnnotation)
# Compared, not looked up: what a provider sends may have no hash.
_FILE_CITATIONS = ("file_citation", "container_file_citation")


def read_citation(annotation: Any, *, end: int) -> tuple[OpenAIAnnotation | None, str]:
    """Return the citation as the SDK accepts it, or None and the names of the fields that cannot be read.

    Args:
        annotation: what a provider sent. Any field may be missing and of any type.
        end: of the text, where the citation is shown when it does not say where.
    """
    fields = annotation.model_dump(warnings=False) if isinstance(annotation, BaseModel) else annotation
    if isinstance(fields, dict):
        fields = dict(fields)
        kind = fields.get("type")
        if kind == "url_citation" and not isinstance(fields.get("title"), str):
            fields["title"] = fields.get("url")
        elif kind in _FILE_CITATIONS and not isinstance(fields.get("filename"), str):
            # A site's converter may find the name by the file's id. The SDK's leaves the citation out.
            fields["filename"] = ""
        for name in ("start_index", "end_index", "index"):
            if not isinstance(fields.get(name), int):
                fields[name] = end
    try:
        return _ANNOTATION.validate_python(fields), ""
    except ValidationError as error:
        wrong = {".".join(map(str, entry["loc"])) for entry in error.errors(include_input=False)}
        return None, ", ".join(sorted(wrong))


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
        """Return the URL of an image; an empty one, which nobody keeps or shows, where the site's converter fails."""
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
