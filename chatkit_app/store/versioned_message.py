"""A user's message that has been edited, or answered again, as the SDK's objects have it."""

from __future__ import annotations

from chatkit.types import Attachment, InferenceOptions, UserMessageContent, UserMessageItem
from pydantic import Field


class VersionedMessage(UserMessageItem):
    """A user's message of which there are earlier versions, or of whose answer.

    To whatever knows the SDK's types only it is a user's message like any other.

    Attributes:
        earlier: how many there are, of the ``"message"`` and of the ``"answer"``. They have columns of their own, and
            no store writes them.
    """

    # Once more, since the SDK declares them before the classes that they name.
    content: list[UserMessageContent]
    attachments: list[Attachment] = Field(default_factory=list)
    inference_options: InferenceOptions
    earlier: dict[str, int] = Field(default_factory=dict, exclude=True)
