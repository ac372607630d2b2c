"""The user's wish for a person: what a server, a tool of an agent and the user's own button do about it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, cast

from chatkit.store import NotFoundError
from chatkit.types import (
    StreamingReq,
    ThreadMetadata,
    ThreadsCustomActionReq,
    ThreadStreamEvent,
    UserMessageInput,
    UserMessageItem,
)
from django.utils.translation import gettext as _
from django.utils.translation import override

from .. import db
from ..conf import chatkit_settings
from ..errors import NotSupported, ThreadReadOnly
from ..models import Thread as ThreadRow
from ..models import ThreadItem as ItemRow
from ..provider.endings import EndingState
from ..store import codec
from ..store.state import StoreState
from ..takeover import handler
from . import wire
from .state import AnswerState

if TYPE_CHECKING:
    from ..context import RequestContext
    from .base import DjangoChatKitServer

REQUEST = "chatkit_app.request_staff"
"""Type of the action by which a user asks for a person, and the choice of a tool by which a message does."""
STOP_WAITING = "chatkit_app.stop_waiting"
"""Type of the action by which they would rather have the assistant again."""


def is_action(request: StreamingReq) -> bool:
    """Return whether a request is one of these two actions, and none of the site's."""
    return isinstance(request, ThreadsCustomActionReq) and request.params.action.type in (
        REQUEST,
        STOP_WAITING,
    )


def require_offered(request: Any) -> None:
    """Refuse an action that this site does not offer. Whoever waits may stop waiting in any case.

    Raises:
        NotSupported: when it is one.
    """
    if request.params.action.type == REQUEST and not chatkit_settings.staff.button:
        raise NotSupported(_("This chat does not support that."))


def is_asked_for(message: UserMessageInput) -> bool:
    """Return whether a message is to be answered by a person, as the user has chosen in the composer."""
    choice = message.inference_options.tool_choice
    return choice is not None and choice.id == REQUEST and chatkit_settings.staff.button


async def request_staff(
    thread: ThreadMetadata, reason: str, context: RequestContext, *, message: str | None = None
) -> None:
    """Have the user wait for a person: ``DjangoChatKitServer.request_staff()``, for a thread of a ``DjangoStore``."""
    with override(context.locale):
        text = _waiting_message() if message is None else message
    told = await db.run(_request, thread.id, reason, text, context)
    if told is not None:
        context.state(AnswerState).told.append(told)
    # A model that calls for a person, and says nothing else, has answered.
    context.state(EndingState).is_given = True


async def call(
    server: DjangoChatKitServer, thread: ThreadMetadata, context: RequestContext
) -> AsyncGenerator[ThreadStreamEvent, None]:
    """Yield the answer to a user who asks for a person: none but that they are called."""
    await server.request_staff(thread, "", context)
    return
    yield


async def act(
    server: DjangoChatKitServer, thread: ThreadMetadata, action: str, context: RequestContext
) -> AsyncGenerator[ThreadStreamEvent, None]:
    """Yield what comes of a user's own action. Who stops waiting is answered what they have written meanwhile."""
    if action == REQUEST:
        await server.request_staff(thread, "", context)
        return
    if not await db.run(_stop_waiting, thread.id, context):
        return  # a person was faster
    yield wire.thread_event(thread)
    message = await _unanswered_message(server, thread, context)
    if message is not None:
        answer = cast("AsyncGenerator[ThreadStreamEvent, None]", server.respond(thread, message, context))
        async with aclosing(answer) as events:
            async for event in events:
                yield event


def _waiting_message() -> str:
    return _("I have asked our team. A person will answer you here. You can go on writing meanwhile.")


def _request(thread_id: str, reason: str, text: str, context: RequestContext) -> Any:
    try:
        thread, told = handler.request_person(_pk(thread_id, context), reason=reason, message=text)
    except ThreadRow.DoesNotExist:
        raise NotFoundError(f"Thread {thread_id!r} not found") from None
    if thread.is_read_only:
        raise ThreadReadOnly(codec.decode_thread(thread).status)
    return None if told is None else codec.decode_item(told, thread_id=thread_id, locale=context.locale)


def _stop_waiting(thread_id: str, context: RequestContext) -> bool:
    try:
        thread = handler.stop_waiting(_pk(thread_id, context))
    except ThreadRow.DoesNotExist:
        raise NotFoundError(f"Thread {thread_id!r} not found") from None
    return thread.handler == ThreadRow.Handler.ASSISTANT


def _pk(thread_id: str, context: RequestContext) -> int:
    """Return the thread's key. One that was found once stays the owner's for the rest of the request."""
    pk = context.state(StoreState).thread_pks.get(thread_id)
    if pk is None:
        mine = ThreadRow.objects.on_writer().owned_by(context)
        pk = mine.filter(public_id=thread_id).values_list("pk", flat=True).first()
    if pk is None:
        raise NotFoundError(f"Thread {thread_id!r} not found")
    return pk


async def _unanswered_message(
    server: DjangoChatKitServer, thread: ThreadMetadata, context: RequestContext
) -> UserMessageItem | None:
    """Return the last word in the thread, if it is the user's."""
    found = await db.run(_last_word, thread.id, context)
    if found is None:
        return None
    item = await server.store.load_item(thread.id, found, context)
    return item if isinstance(item, UserMessageItem) else None


def _last_word(thread_id: str, context: RequestContext) -> str | None:
    items = ItemRow.objects.on_writer().visible().filter(thread_id=_pk(thread_id, context))
    words = items.exclude(type=ItemRow.Type.END_OF_TURN)
    return words.order_by("-pk").values_list("public_id", flat=True).first()
