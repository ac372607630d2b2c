"""A message that a person of the staff has written, as the SDK's objects have it."""

from __future__ import annotations

from chatkit.types import AssistantMessageContent, AssistantMessageItem, Attachment
from pydantic import BaseModel, Field


class Author(BaseModel):
    """The person who wrote it, as the user is shown them."""

    name: str


class StaffMessage(AssistantMessageItem):
    """An assistant's message that says which person wrote it.

    To whatever knows the SDK's types only it is an assistant's message like any other.

    Attributes:
        author: who wrote it. It has a column of its own, and no store writes it.
        attachments: the files that were sent with it.
        urls: where they can be had for a while, by their ids. Signed when it is read, and never stored.
    """

    # Once more, since the SDK declares it before the class that it names.
    content: list[AssistantMessageContent]
    author: Author
    attachments: list[Attachment] = Field(default_factory=list)
    urls: dict[str, str] = Field(default_factory=dict, exclude=True)
