"""The earlier versions of a message, or of its answer, for whoever looks at them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatkit.store import NotFoundError
from chatkit.types import Page

from ..models import EarlierItem
from ..storable import is_storable_id
from ..store import codec
from ..store.attachments import signed_again
from . import wire

if TYPE_CHECKING:
    from ..context import RequestContext

PAGE_SIZE = 100


def load_earlier(
    thread_id: str, context: RequestContext, *, place: str, of: str, number: int, after: str | None = None
) -> bytes:
    """Return a page of an earlier version as JSON, in the form of ``items.list``.

    Call it in a thread that may query the database.

    Args:
        thread_id: the SDK's id.
        context: whoever asks; only the owner's threads are seen.
        place: the id of the message that was edited, or answered again.
        of: an ``EarlierItem.Of``, which of the two.
        number: which version, from 1 for the oldest that is kept.
        after: the id of the last item that is there already.

    Raises:
        NotFoundError: when there is no such version, or it is somebody else's.
    """
    rows, has_more = [], False
    if all(is_storable_id(given) for given in (thread_id, place, after or "-")):
        owned: Any = EarlierItem.objects.owned_by(context)
        version = owned.filter(thread__public_id=thread_id).version(place, of, number)
        rows, has_more = version.visible().page(after=after, limit=PAGE_SIZE, order="asc")
    if not rows and after is None:
        raise NotFoundError(f"Version {number} of {place!r} not found")
    items = [
        signed_again(codec.decode_item(row, thread_id=thread_id, locale=context.locale), context.endpoint_url)
        for row in rows
    ]
    return wire.to_wire(Page(data=items, has_more=has_more))
