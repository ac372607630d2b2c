"""The SDK's server, made fit for a Django site. Subclass it and write ``respond()``::

class SupportServer(DjangoChatKitServer):
    async def respond(self, thread, input_user_message, context):
        yield self.text_event("Hello!")
"""

from __future__ import annotations

import asyncio
import binascii
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from datetime import datetime
from typing import Any, cast

from chatkit.errors import CustomStreamError, ErrorCode, StreamError
from chatkit.server import ChatKitServer, NonStreamingResult, StreamingResult
from chatkit.store import AttachmentStore, Store
from chatkit.types import (
    ActiveStatus,
    AssistantMessageContent,
    AssistantMessageItem,
    AttachmentsCreateReq,
    AttachmentsDeleteReq,
    ChatKitReq,
    ErrorEvent,
    FeedbackKind,
    InputTranscribeReq,
    ItemsListReq,
    NonStreamingReq,
    Page,
    StreamingReq,
    Thread,
    ThreadCreatedEvent,
    ThreadItemDoneEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    ThreadsAddUserMessageReq,
    ThreadsCreateReq,
    ThreadsCustomActionReq,
    ThreadsGetByIdReq,
    ThreadsListReq,
    ThreadsRetryAfterItemReq,
    ThreadsSyncCustomActionReq,
    ThreadStreamEvent,
    ThreadsUpdateReq,
    UserMessageInput,
    UserMessageItem,
    WidgetItem,
    is_streaming_req,
)
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import SchemaValidator

from .. import db
from ..conf import chatkit_settings
from ..context import RequestContext
from ..errors import InvalidRequest, NotSupported
from ..limits import counters
from ..limits.rules import check_lengths, load_limits
from ..logs import get_logger
from ..models import Thread as ThreadRow
from ..provider.runner import Answering
from ..signals import feedback_given
from ..store.attachments import DjangoAttachmentStore, signed_again
from ..store.orm import DjangoStore, NotFoundError, OwnedStore, new_id
from ..store.readable import item_text
from ..store.state import StoreState
from ..store.versioned_message import VersionedMessage
from ..takeover.handler import handler_fields
from . import staff_request, wire
from .admission import Admission, replaced_message
from .answer import Answer, note_new
from .state import AnswerState
from .titles import Title

logger = get_logger(__name__)


def _bounded(schema: Any) -> Any:
    """Return the same schema, whose errors do not grow with what is wrong.

    Lists stop at their first wrong entry: one error is told, and a million would be built. An unknown kind of a thing
    is not repeated in the error, which would hold it three times over.
    """
    if isinstance(schema, dict):
        copied = {key: _bounded(value) for key, value in schema.items()}
        if schema.get("type") == "list":
            copied["fail_fast"] = True
        elif schema.get("type") == "tagged-union":
            known = ", ".join(str(tag) for tag in schema["choices"])
            copied["custom_error_type"] = "unknown_kind"
            copied["custom_error_message"] = f"{schema['discriminator']} should be one of: {known}"
        return copied
    if isinstance(schema, (list, tuple)):
        return type(schema)(_bounded(entry) for entry in schema)
    return schema


# The SDK builds its adapter on every request, which costs more than most requests do.
_REQUEST = SchemaValidator(_bounded(TypeAdapter(ChatKitReq).core_schema))

TITLE_LENGTH = 60
_PAGE_SIZE = 20


class DjangoChatKitServer(Admission, ChatKitServer[RequestContext]):
    """A ChatKit server over Django's database, called without arguments by ``CHATKIT["SERVER"]``.

    Args:
        store: where threads are kept; ``DjangoStore()`` unless given.
        attachment_store: where files are kept; ``DjangoAttachmentStore()`` unless given, as soon as
            ``CHATKIT["ATTACHMENTS"]`` is set and the store is a ``DjangoStore``.
    """

    store: Store[RequestContext]

    def __init__(
        self,
        store: Store[RequestContext] | None = None,
        attachment_store: AttachmentStore[RequestContext] | None = None,
    ) -> None:
        super().__init__(store if store is not None else DjangoStore(), attachment_store)

    @property
    def attachment_store(self) -> AttachmentStore[RequestContext] | None:
        if self._attachment_store is None and chatkit_settings.attachments is not None:
            return DjangoAttachmentStore() if isinstance(self.store, DjangoStore) else None
        return self._attachment_store

    @attachment_store.setter
    def attachment_store(self, attachment_store: AttachmentStore[RequestContext] | None) -> None:
        self._attachment_store = attachment_store

    # For subclasses

    def text_event(self, text: str) -> ThreadItemDoneEvent:
        """Return one complete assistant message, to be yielded by ``respond()`` or ``action()``."""
        item = AssistantMessageItem(
            id=new_id("message"),
            thread_id="",  # filled in on its way out: only the stream knows its thread
            created_at=datetime.now(),
            content=[AssistantMessageContent(text=text)],
        )
        note_new(item)
        return ThreadItemDoneEvent(item=item)

    async def title_for(
        self, thread: ThreadMetadata, message: UserMessageItem, context: RequestContext
    ) -> str | None:
        """Return a title for a thread that has none. The beginning of the first message, unless overridden.

        Runs beside the answer and may take up to ten seconds, so it can ask a model. ``None`` leaves the
        thread without a title.
        """
        # Far more than a title can have: a text of megabytes is not cut into words for it.
        text = " ".join(item_text(message)[: TITLE_LENGTH * 20].split())
        return Truncator(text).chars(TITLE_LENGTH, truncate="…") or None

    async def request_staff(
        self, thread: ThreadMetadata, reason: str, context: RequestContext, *, message: str | None = None
    ) -> None:
        """Have the user wait for a person of your team. Call it in ``respond()`` or ``action()``.

        What is yielded after it is shown as usual. From then on what the user writes is kept for the team, and
        ``respond()`` is not called until they, or the user, let the assistant answer again. ``staff_needed`` tells your
        team. Where a person has the thread already, or is waited for, it changes nothing but the reason.

        Args:
            thread: the thread.
            reason: what the team is to know. The user does not see it.
            context: who asks.
            message: what the user is told, and finds in the conversation later. A sentence in their language unless
                given; an empty one if you say it yourself.

        Raises:
            ThreadReadOnly: when staff locked or closed the thread meanwhile.
            NotSupported: when the conversation is not kept in a ``DjangoStore``.
        """
        if not isinstance(self.store, DjangoStore):
            raise NotSupported(_("This chat does not support that."))
        await staff_request.request_staff(thread, reason, context, message=message)

    # Requests

    def parse(self, body: str | bytes | bytearray) -> ChatKitReq:
        """Return a request's body as the SDK's request object.

        Raises:
            InvalidRequest: when it is no ChatKit request.
        """
        try:
            return cast(ChatKitReq, _REQUEST.validate_json(body))
        except ValidationError as error:
            raise InvalidRequest.from_validation(error) from None

    async def process(
        self, request: str | bytes | bytearray, context: RequestContext
    ) -> StreamingResult | NonStreamingResult:
        parsed = self.parse(request)
        if is_streaming_req(parsed):
            return StreamingResult(self._frames(parsed, context))
        return NonStreamingResult(await self.reply(parsed, context))

    async def _frames(self, request: StreamingReq, context: RequestContext) -> AsyncGenerator[bytes, None]:
        async with aclosing(self.stream(request, context)) as events:
            async for event in events:
                yield wire.to_frame(event)

    async def stream(
        self, request: StreamingReq, context: RequestContext
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Yield the events that answer a streaming request. Whatever goes wrong ends in an error event.

        Has to be driven by one task from first to last. Override it to look at what the user gets; to change an
        answer before it is stored and sent, override ``process_event()``.
        """
        async with Answering(context):
            try:
                async with aclosing(self._process_streaming_impl(request, context)) as events:
                    async for event in events:
                        yield event
            except Exception as error:
                yield self.error_event(error)

    async def process_event(
        self, event: ThreadStreamEvent, thread: ThreadMetadata, context: RequestContext
    ) -> ThreadStreamEvent | None:
        """Look at an event of ``respond()`` or ``action()`` before it is stored and sent. Override it to moderate.

        Args:
            event: any event, also each piece of a text (``ThreadItemUpdatedEvent``). Items still have the ids that
                they were given by whoever made them.

        Returns:
            The event, or another one in its place; None leaves it out.

        Raises:
            Exception: to end the answer, as one of ``respond()`` does. A ``ChatKitError`` shows its text. What the user
                has read by then stays in the conversation, unless ``ThreadItemRemovedEvent`` was returned before.
        """
        return event

    def prefetch(self, request: NonStreamingReq, context: RequestContext) -> None:
        """Load what ``reply()`` will ask the store for, in the worker that has let the request in.

        Each question would be a piece of work for a worker otherwise. Another store is asked when it is time.
        """
        store = self.store
        if not isinstance(store, DjangoStore):
            return
        match request:
            case ThreadsListReq(params=params):
                store.prefetch_threads(params.limit or _PAGE_SIZE, params.after, params.order, context)
            case ItemsListReq(params=params):
                limit = params.limit or _PAGE_SIZE
                store.prefetch_items(params.thread_id, params.after, limit, params.order, context)
            case ThreadsGetByIdReq(params=params):
                store.prefetch_thread(params.thread_id, context)
                store.prefetch_items(params.thread_id, None, _PAGE_SIZE, "asc", context)

    async def reply(self, request: NonStreamingReq, context: RequestContext) -> bytes:
        """Return the JSON that answers any other request.

        Raises:
            NotFoundError: when something it names does not exist for this owner.
            ThreadReadOnly, InvalidRequest, NotSupported: what their names say.
        """
        async with Answering(context):
            return await self._process_non_streaming(request, context)

    @staticmethod
    def error_event(error: BaseException) -> ErrorEvent:
        """Return what the user is shown of an error. Only errors that were written for users show their text."""
        match error:
            case CustomStreamError():
                return ErrorEvent(code="custom", message=error.message, allow_retry=error.allow_retry)
            case StreamError():
                return ErrorEvent(code=error.code, allow_retry=error.allow_retry)
            case NotFoundError():
                return ErrorEvent(
                    code="custom", message=_("This conversation or part of it no longer exists.")
                )
        logger.error("The answer failed", exc_info=error)
        return ErrorEvent(code=ErrorCode.STREAM_ERROR, allow_retry=True)

    # What the SDK calls

    def _serialize(self, obj: BaseModel) -> bytes:
        return wire.to_wire(obj)

    async def _process_streaming_impl(
        self, request: StreamingReq, context: RequestContext
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        if context.state(AnswerState).admitted is not request:
            await self.admit(request, context)
        async with aclosing(self._admitted_events(request, context)) as events:
            async for event in events:
                # A word is none, which is quicker told so.
                is_word = type(event) is ThreadItemUpdatedEvent
                if (
                    not is_word
                    and isinstance(event, ThreadItemDoneEvent)
                    and isinstance(event.item, UserMessageItem)
                ):
                    context.state(AnswerState).user_message = event.item
                yield event

    def _admitted_events(
        self, request: StreamingReq, context: RequestContext
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        if isinstance(request, ThreadsCreateReq):
            return self._create_thread(request, context)
        if isinstance(request, ThreadsCustomActionReq) and staff_request.is_action(request):
            return self._act_about_staff(request, context)
        if isinstance(request, ThreadsAddUserMessageReq) and context.state(AnswerState).is_edit:
            return self._replace_message(request, context)
        if isinstance(request, ThreadsRetryAfterItemReq) and isinstance(self.store, DjangoStore):
            return self._answer_again(request, self.store, context)
        return super()._process_streaming_impl(request, context)

    async def _act_about_staff(
        self, request: ThreadsCustomActionReq, context: RequestContext
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        thread = await self.store.load_thread(request.params.thread_id, context)
        events = self._process_events(
            thread, context, lambda: staff_request.act(self, thread, request.params.action.type, context)
        )
        async for event in events:
            yield event

    async def _answer_again(
        self, request: ThreadsRetryAfterItemReq, store: DjangoStore, context: RequestContext
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Answer a message again, as the SDK does it, except that the answer before is kept."""
        thread = await store.load_thread(request.params.thread_id, context)
        message = await store.set_answer_aside(thread.id, request.params.item_id, context)
        if isinstance(message, VersionedMessage):
            yield ThreadItemReplacedEvent(item=signed_again(message, context.endpoint_url))
        async for event in self._answer(thread, cast(UserMessageItem, message), context):
            yield event

    async def _replace_message(
        self, request: ThreadsAddUserMessageReq, context: RequestContext
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Put a message in the place of another one, which is kept with its answer, and answer it."""
        store = cast(DjangoStore, self.store)
        replaced = cast(str, replaced_message(request))
        thread = await store.load_thread(request.params.thread_id, context)
        message = await self._build_user_message_item(request.params.input, thread, context)
        for attachment in message.attachments:
            await store.save_attachment(attachment, context)
        stored = await store.replace_message(thread.id, replaced, message, context)
        message = cast(UserMessageItem, signed_again(stored, context.endpoint_url))
        yield ThreadItemDoneEvent(item=message)
        async for event in self._answer(thread, message, context):
            yield event

    def _answer(
        self, thread: ThreadMetadata, message: UserMessageItem, context: RequestContext
    ) -> AsyncIterator[ThreadStreamEvent]:
        return self._process_events(thread, context, lambda: self.respond(thread, message, context))

    async def _create_thread(
        self, request: ThreadsCreateReq, context: RequestContext
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Create the thread as the SDK does it, except that a title that needs no waiting is there from the start."""
        thread_id = context.state(StoreState).new_thread_id or self.store.generate_thread_id(context)
        thread = Thread(id=thread_id, created_at=datetime.now(), items=Page())
        message = await self._build_user_message_item(request.params.input, thread, context)
        title = context.state(AnswerState).title = Title(self, thread, message, context)
        try:
            await asyncio.sleep(0)
            title.apply_to(thread)
            await self.store.save_thread(ThreadMetadata(**thread.model_dump()), context)
            context.state(AnswerState).created_thread_id = thread.id
            yield ThreadCreatedEvent(thread=self._to_thread_response(thread))
            async for event in self._process_new_thread_item_respond(thread, message, context):
                yield event
        finally:
            title.cancel()

    def _process_events(
        self,
        thread: ThreadMetadata,
        context: RequestContext,
        stream: Callable[[], AsyncIterator[ThreadStreamEvent]],
    ) -> AsyncIterator[ThreadStreamEvent]:
        return Answer(self, thread, context).events(stream)

    async def _process_non_streaming(self, request: NonStreamingReq, context: RequestContext) -> bytes:
        check_lengths(request, await load_limits(context))
        match request:
            case ItemsListReq(params=params):
                page = await self._load_visible_items(
                    params.thread_id, params.after, params.limit or _PAGE_SIZE, params.order, context
                )
                return wire.to_wire(page, feedback=context.state(StoreState).feedback)
            case ThreadsGetByIdReq(params=params):
                thread = self._to_thread_response(await self._load_full_thread(params.thread_id, context))
                handler = await self._load_handler(params.thread_id, context)
                state = context.state(StoreState)
                version = state.versions.get(params.thread_id)
                # What cannot be asked for again need not be told: a person answers, or nobody does any more.
                may_be_answered = handler is None and isinstance(thread.status, ActiveStatus)
                return wire.to_wire(
                    thread,
                    feedback=state.feedback,
                    handler=handler,
                    version=version,
                    answer=state.left_as.get(params.thread_id, "") if may_be_answered else "",
                )
            case ThreadsUpdateReq():
                await self.load_writable_thread(request.params.thread_id, context)
            case ThreadsSyncCustomActionReq():
                await self.load_writable_thread(request.params.thread_id, context)
                if request.params.item_id:
                    await self.expect_item(request, WidgetItem, context)
                await db.run(counters.spend, context, counters.MESSAGE_USES)
            case AttachmentsCreateReq() | AttachmentsDeleteReq() if self.attachment_store is None:
                raise NotSupported(_("This chat takes no files."))
            case AttachmentsDeleteReq():
                # The SDK has the file deleted before it asks whose it is.
                await self.store.load_attachment(request.params.attachment_id, context)
            case InputTranscribeReq() if not request.params.audio_base64.isascii():
                raise InvalidRequest(_("The recording is not valid base64."))
            case InputTranscribeReq():
                await db.run(counters.spend, context, counters.RECORDING_USES)
        try:
            return await super()._process_non_streaming(request, context)
        except binascii.Error:
            raise InvalidRequest(_("The recording is not valid base64.")) from None
        except NotImplementedError as error:
            if isinstance(request, (InputTranscribeReq, ThreadsSyncCustomActionReq, AttachmentsCreateReq)):
                logger.warning("%s is not supported by %s: %s", request.type, type(self).__name__, error)
                raise NotSupported(_("This chat does not support that.")) from None
            raise

    async def _load_full_thread(self, thread_id: str, context: RequestContext) -> Thread:
        thread = await self.store.load_thread(thread_id, context)
        items = await self._load_visible_items(thread_id, None, _PAGE_SIZE, "asc", context)
        return Thread(**thread.model_dump(), items=items)

    async def _load_handler(self, thread_id: str, context: RequestContext) -> dict[str, Any] | None:
        """Return who answers in a thread that was loaded just now; None for the assistant."""
        state = context.state(StoreState)
        if state.handlers.get(thread_id, ThreadRow.Handler.ASSISTANT) == ThreadRow.Handler.ASSISTANT:
            return None
        return await db.run(lambda: handler_fields(ThreadRow.objects.get(pk=state.thread_pks[thread_id])))

    async def _load_visible_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: RequestContext
    ) -> Any:
        if isinstance(self.store, OwnedStore):
            page = await self.store.load_visible_items(thread_id, after, limit, order, context)
        else:
            page = await self.store.load_thread_items(thread_id, after, limit, order, context)
        page.data = [signed_again(item, context.endpoint_url) for item in page.data]
        return page

    async def _build_user_message_item(
        self, input: UserMessageInput, thread: ThreadMetadata, context: RequestContext
    ) -> UserMessageItem:
        item = await super()._build_user_message_item(input, thread, context)
        if message_id := context.state(StoreState).message_id:
            item = item.model_copy(update={"id": message_id})
        return signed_again(item, context.endpoint_url)

    async def add_feedback(
        self, thread_id: str, item_ids: list[str], feedback: FeedbackKind, context: RequestContext
    ) -> None:
        """Keep the owner's feedback on these items, in place of an earlier one, and send ``feedback_given``."""
        if not isinstance(self.store, OwnedStore):
            raise NotSupported(_("This chat does not take feedback."))
        known = await self.store.save_feedback(thread_id, item_ids, feedback, context)
        if feedback_given.has_listeners(type(self)):
            await db.run(
                lambda: feedback_given.send(
                    sender=type(self), thread_id=thread_id, item_ids=known, kind=feedback, context=context
                )
            )
