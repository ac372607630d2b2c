"""Admission: what is refused before anything is stored, such as a message in a locked thread."""

from __future__ import annotations

from typing import Any

from chatkit.store import AttachmentStore, NotFoundError, Store
from chatkit.types import (
    ClientToolCallItem,
    StreamingReq,
    StructuredInputItem,
    ThreadMetadata,
    ThreadsAddClientToolOutputReq,
    ThreadsAddStructuredInputReq,
    ThreadsAddUserMessageReq,
    ThreadsCreateReq,
    ThreadsCustomActionReq,
    ThreadsRetryAfterItemReq,
    UserMessageItem,
    WidgetItem,
)
from django.utils.translation import gettext as _

from ..context import RequestContext
from ..errors import (
    AnsweredByStaff,
    InvalidRequest,
    NotSupported,
    ThreadFull,
    ThreadReadOnly,
    ThreadWithStaff,
)
from ..limits.rules import check_lengths, load_limits
from ..models import Thread as ThreadRow
from ..store.attachments import DjangoAttachmentStore, attachment_settings
from ..store.orm import DjangoStore
from ..store.state import StoreState
from . import staff_request
from .state import AnswerState

MESSAGES = frozenset(
    {
        "threads.create",
        "threads.add_user_message",
        "threads.add_client_tool_output",
        "threads.add_structured_input",
    }
)
"""Operations that bring something to be kept, whoever answers it. The others ask for what only an answer gives."""

REPLACES = "chatkit_app.replaces"
"""In the metadata of a message, the id of the one that it is an edit of."""


def hold(operation: str, context: RequestContext, *, is_held: bool) -> None:
    """Let what the user sends be kept without an answer, because a person has the thread; or be answered.

    Raises:
        ThreadWithStaff: when there is nothing to be kept.
    """
    if context.state(AnswerState).is_about_staff:
        return
    if is_held and (operation not in MESSAGES or context.state(AnswerState).is_edit):
        raise ThreadWithStaff
    context.state(AnswerState).is_held = is_held


def replaced_message(request: StreamingReq) -> str | None:
    """Return the id of the message that is edited by a request, if it is an edit.

    Raises:
        InvalidRequest: when it names none.
    """
    if not isinstance(request, ThreadsAddUserMessageReq) or REPLACES not in request.metadata:
        return None
    message_id = request.metadata[REPLACES]
    if not isinstance(message_id, str):
        raise InvalidRequest(_("Not a valid ChatKit request: {}").format(REPLACES))
    return message_id


class Admission:
    """The part of a server that refuses what cannot be answered."""

    store: Store[RequestContext]

    @property
    def attachment_store(self) -> AttachmentStore[RequestContext] | None:
        raise NotImplementedError

    async def admit(self, request: StreamingReq, context: RequestContext) -> None:
        """Refuse what cannot be answered, before anything is stored. Override it to refuse more.

        Raises:
            NotFoundError: when something it names does not exist for this owner.
            ThreadReadOnly: when staff locked or closed the thread.
            ThreadWithStaff: when a person answers there, and it is no message, or the edit of one.
            NotSupported: when users cannot ask for a person themselves, or the store keeps no earlier versions.
            AnsweredByStaff: when it would take away what a person wrote.
            ThreadFull: when the thread has as many items as it may have.
            InvalidRequest: when it does not fit the state of the conversation, or is too long.
        """
        limits = await load_limits(context)
        check_lengths(request, limits)
        replaced = replaced_message(request)
        context.state(AnswerState).is_edit = replaced is not None
        if not isinstance(request, ThreadsCreateReq):
            thread = await self.load_writable_thread(request.params.thread_id, context)
            allowed = limits["ITEMS_PER_THREAD"]
            # To ask for the same answer again takes items away first, and so does an edit.
            adds = not isinstance(request, ThreadsRetryAfterItemReq) and replaced is None
            if (
                adds
                and allowed is not None
                and context.state(StoreState).item_counts.get(thread.id, 0) >= allowed
            ):
                raise ThreadFull
            context.state(StoreState).fresh_threads[thread.id] = thread
            if staff_request.is_action(request):
                staff_request.require_offered(request)
                context.state(AnswerState).is_about_staff = True
            handler = context.state(StoreState).handlers.get(thread.id, ThreadRow.Handler.ASSISTANT)
            hold(request.type, context, is_held=handler != ThreadRow.Handler.ASSISTANT)
        context.state(AnswerState).admitted = request
        match request:
            case ThreadsCreateReq() | ThreadsAddUserMessageReq():
                message = request.params.input
                if not message.attachments and not any(part.text.strip() for part in message.content):
                    raise InvalidRequest(_("The message is empty."))
                context.state(AnswerState).asks_for_staff = staff_request.is_asked_for(message)
                await self._admit_attachments(request, context)
                if replaced is not None:
                    await self._admit_edit(request, replaced, context)
            case ThreadsAddClientToolOutputReq():
                await self._expect_pending_tool_call(request.params.thread_id, context)
            case ThreadsRetryAfterItemReq():
                await self._expect_message(request.params.thread_id, request.params.item_id, context)
            case ThreadsAddStructuredInputReq():
                item = await self.expect_item(request, StructuredInputItem, context)
                if item.status != "pending":
                    raise InvalidRequest(_("This has been answered already."))
            case ThreadsCustomActionReq() if request.params.item_id:
                await self.expect_item(request, WidgetItem, context)

    async def _admit_edit(self, request: Any, replaced: str, context: RequestContext) -> None:
        if not isinstance(self.store, DjangoStore):
            raise NotSupported(_("This chat does not support that."))
        await self._expect_message(request.params.thread_id, replaced, context)

    async def _expect_message(self, thread_id: str, message_id: str, context: RequestContext) -> None:
        """Expect one of the user's messages, after which no person of the staff has written anything."""
        await self._expect(thread_id, message_id, UserMessageItem, context)
        if isinstance(self.store, DjangoStore) and await self.store.has_word_of_staff(
            thread_id, message_id, context
        ):
            raise AnsweredByStaff

    async def _admit_attachments(
        self, request: ThreadsCreateReq | ThreadsAddUserMessageReq, context: RequestContext
    ) -> None:
        ids = request.params.input.attachments
        is_ours = isinstance(self.attachment_store, DjangoAttachmentStore)
        if is_ours and len(ids) > (allowed := attachment_settings().max_count):
            raise InvalidRequest(_("A message can have {} files at most.").format(allowed))
        for attachment_id in ids:
            try:
                attachment = await self.store.load_attachment(attachment_id, context)
            except NotFoundError:
                told = _("A file is not there any more. Remove it, or upload it again.")
                raise InvalidRequest(told) from None
            if is_ours and attachment.upload_descriptor is not None:
                told = _("{} has not been uploaded completely. Remove it, or wait for it.")
                raise InvalidRequest(told.format(attachment.name))
            if is_ours and attachment.thread_id not in (None, getattr(request.params, "thread_id", None)):
                told = _("{} belongs to another conversation. Remove it, and upload it again.")
                raise InvalidRequest(told.format(attachment.name))

    async def load_writable_thread(self, thread_id: str, context: RequestContext) -> ThreadMetadata:
        """Return the owner's thread, as the store has it now.

        Raises:
            NotFoundError: when the owner has no such thread.
            ThreadReadOnly: when staff locked or closed it.
        """
        thread = await self.store.load_thread(thread_id, context)
        if thread.status.type != "active":
            raise ThreadReadOnly(thread.status)
        return thread

    async def _expect_pending_tool_call(self, thread_id: str, context: RequestContext) -> None:
        last = await self.store.load_thread_items(thread_id, None, 1, "desc", context)
        if not any(isinstance(item, ClientToolCallItem) and item.status == "pending" for item in last.data):
            raise InvalidRequest(_("Nothing in this conversation waits for a tool's result."))

    async def expect_item(self, request: Any, kind: type[Any], context: RequestContext) -> Any:
        """Return the item that a request names.

        Raises:
            NotFoundError: when the owner has no such item.
            InvalidRequest: when it is of another kind.
        """
        return await self._expect(request.params.thread_id, request.params.item_id, kind, context)

    async def _expect(self, thread_id: str, item_id: str, kind: type[Any], context: RequestContext) -> Any:
        item = await self.store.load_item(thread_id, item_id, context)
        if not isinstance(item, kind):
            raise InvalidRequest(_("This does not fit the conversation. Reload the page and try again."))
        return item
