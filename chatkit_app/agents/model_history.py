"""The part of a conversation that a model is shown."""

from __future__ import annotations

from chatkit.store import Store
from chatkit.types import ThreadItem, ThreadMetadata, UserMessageItem

from ..context import RequestContext

_PAGE = 50
# Items: a conversation that goes on by actions alone, without any message, has no turns to be cut at.
_LONGEST_TURN = 1000


async def newest_turns(
    thread: ThreadMetadata, store: Store[RequestContext], context: RequestContext, *, limit: int, size: int
) -> list[ThreadItem]:
    """Return the newest items, oldest first: whole turns, each a message with all that followed it.

    Args:
        thread: the thread.
        store: where it is kept.
        context: who asks.
        limit: turns that there may be.
        size: bytes that they may have as JSON; the newest turn is there in any case.
    """
    found: list[ThreadItem] = []
    whole = turns = used = 0
    after: str | None = None
    while True:
        page = await store.load_thread_items(thread.id, after, _PAGE, "desc", context)
        for item in page.data:
            used += len(item.model_dump_json().encode())
            if (turns and used > size) or (not turns and len(found) == _LONGEST_TURN):
                return list(reversed(found[: whole or None]))
            found.append(item)
            if isinstance(item, UserMessageItem):
                whole, turns = len(found), turns + 1
                if turns == limit:
                    return list(reversed(found))
        if not page.has_more or not page.data:
            # What was there before the first message is shown, too.
            return list(reversed(found))
        after = page.after or page.data[-1].id
