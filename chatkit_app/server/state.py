"""The server's state while it answers one request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatkit.types import ThreadItem, UserMessageItem

    from .titles import Title


@dataclass(kw_only=True)
class AnswerState:
    """The server's state of one request: ``context.state(AnswerState)``.

    Attributes:
        admitted: the request that has passed the checks before an answer, so that it is not checked again.
        is_held: whether the thread is with a person, so that what the user sends is kept and no model answers it.
        is_about_staff: whether it asks for a person, or not to wait for one any longer: nothing to be kept for them.
        is_edit: whether it is a message that takes the place of another one.
        asks_for_staff: whether it is a message that a person is to answer, by the user's own choice.
        told: items that are stored already and that the reader is to be told of, oldest first.
        is_answering: whether ``respond()`` or ``action()`` has been called.
        created_thread_id: the thread that ``threads.create`` has made.
        user_message: the message that is being answered.
        title: the title that is being found beside the answer.
        pending_items: the unfinished items as they are now, by their ids.
        first_text_at: when the user got the first text, by ``time.perf_counter()``.
        kept_bytes: of the answer's frames, those that are kept for readers.
    """

    admitted: object = None
    is_held: bool = False
    is_about_staff: bool = False
    is_edit: bool = False
    asks_for_staff: bool = False
    told: list[ThreadItem] = field(default_factory=list)
    is_answering: bool = False
    created_thread_id: str | None = None
    user_message: UserMessageItem | None = None
    title: Title | None = None
    pending_items: dict[str, ThreadItem] = field(default_factory=dict)
    first_text_at: float | None = None
    kept_bytes: int = 0
