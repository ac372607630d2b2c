"""The base of the app's stores: who owns what, ids that cannot be guessed, and pages."""

from __future__ import annotations

import functools
import secrets
from typing import Any

from chatkit.store import NotFoundError, Store, StoreItemType, default_generate_id
from chatkit.types import Page, ThreadItem, ThreadMetadata

from ..context import RequestContext
from .state import StoreState

__all__ = ["NoOwner", "NotFoundError", "OwnedStore", "new_id", "sdk_page"]


class NoOwner(Exception):
    """Something was to be stored for a context that has neither a user nor a visitor."""

    def __init__(self) -> None:
        super().__init__(
            "The context has neither user_id nor visitor_id, so nothing can be stored for it. "
            "Build contexts with RequestContext.from_request(), or set one of the two."
        )


class OwnedStore(Store[RequestContext]):
    """The SDK's ``Store`` and what the app's server asks of one besides.

    Whatever is asked, only what belongs to the context's owner, in its namespace, is seen or changed.
    """

    def generate_thread_id(self, context: RequestContext) -> str:
        return new_id("thread")

    def generate_item_id(
        self, item_type: StoreItemType, thread: ThreadMetadata, context: RequestContext
    ) -> str:
        item_id = new_id(item_type)
        context.state(StoreState).new_ids.add(item_id)
        return item_id

    async def load_visible_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: RequestContext
    ) -> Page[ThreadItem]:
        """Load a page like ``load_thread_items()`` without hidden items; these are left out before the page is cut.

        The owner's feedback on the items, if there is any, is put into ``context.state(StoreState).feedback``.
        """
        raise NotImplementedError

    async def checkpoint(self, unfinished: list[tuple[ThreadItem, RequestContext]]) -> None:
        """Save what there is of items that are still being written, of many answers at once."""

    async def save_feedback(
        self, thread_id: str, item_ids: list[str], kind: str, context: RequestContext
    ) -> list[str]:
        """Record the owner's feedback, replacing an earlier one.

        Returns:
            The ids of those of the items that exist and that a user may see, in the given order.

        Raises:
            NotFoundError: when none of them does.
        """
        raise NotImplementedError


def new_id(item_type: StoreItemType) -> str:
    """Return an id with the SDK's prefix for this type and 128 random bits."""
    return f"{_prefix(item_type)}_{secrets.token_hex(16)}"


@functools.cache
def _prefix(item_type: StoreItemType) -> str:
    return default_generate_id(item_type).rsplit("_", 1)[0]


def sdk_page(rows: list[Any], has_more: bool) -> Page[Any]:
    """Return the SDK's page of these objects; its cursor is the id of the last one."""
    return Page(data=rows, has_more=has_more, after=rows[-1].id if has_more and rows else None)
