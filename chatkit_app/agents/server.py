"""The default server: an agent of the Agents SDK answers.

``CHATKIT["AGENT"]`` names an ``agents.Agent``, or a function of the context that returns one, or of the context and
the thread::

    CHATKIT = {"AGENT": "shop.chat.agent"}

    # shop/chat.py
    agent = Agent(name="Shop", instructions="Help our customers.", tools=[find_order])

    def agent_for(context):  # or a function, sync or async; a sync one may query the database
        return Agent(name="Shop", instructions=f"Answer in {context.locale}.")

    def agent_for(context, thread):  # thread: chatkit.types.ThreadMetadata
        return agents_by_topic[thread.metadata.get("topic", "shop")]

Which model answers: an agent's own ``Model`` object is used as it is. Everything else goes to OpenAI
with ``OPENAI_API_KEY``, or to the compatible server at ``OPENAI_BASE_URL``; with neither, the offline
model answers. ``OPENAI_DEFAULT_MODEL`` is the model of agents that name none.

A server that speaks Chat Completions only needs one line where your project starts (an
``AppConfig.ready()``)::

    agents.set_default_openai_api("chat_completions")

or, for one agent, a model object: ``Agent(model=OpenAIChatCompletionsModel(model=…, openai_client=…))``.

What leaves the machine: the conversation goes to the model and nowhere else. No traces are exported
unless ``CHATKIT["TRACING"]`` is on, and OpenAI is asked not to store the requests unless the agent's own
``ModelSettings(store=True)``, or that of a run of your own, says so. Servers behind ``OPENAI_BASE_URL`` and
models that are not OpenAI's are not told anything about storing: give the agent
``ModelSettings(store=False)`` if they know it.
"""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing, contextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

from agents import (
    Agent,
    Model,
    ModelProvider,
    ModelSettings,
    RunConfig,
    RunContextWrapper,
    Runner,
    RunState,
    TResponseInputItem,
    UserError,
)
from chatkit.agents import ResponseStreamConverter, ThreadItemConverter
from chatkit.errors import BaseStreamError
from chatkit.types import (
    NoticeEvent,
    StreamingReq,
    ThreadItem,
    ThreadItemDoneEvent,
    ThreadItemReplacedEvent,
    ThreadMetadata,
    ThreadsCreateReq,
    ThreadsCustomActionReq,
    ThreadsRetryAfterItemReq,
    ThreadStreamEvent,
    UserMessageItem,
    WidgetItem,
)
from django.utils.translation import override

from ..conf import chatkit_settings
from ..context import RequestContext
from ..errors import ChatKitError
from ..logs import get_logger
from ..process.threads import on_site_threads
from ..provider.agent_context import DjangoAgentContext
from ..provider.agent_graph import copy_for_run
from ..provider.agent_run import stream_agent_response
from ..provider.converter import DjangoThreadItemConverter, paired
from ..provider.generated_images import newest_images, with_image_content
from ..provider.runner import Answering, default_provider
from ..provider.structured_outputs import as_markdown, with_raw_outputs
from ..server.base import DjangoChatKitServer
from ..server.state import AnswerState
from ..store.attachments import DjangoAttachmentStore, read_files
from . import approvals
from .client_tools import ClientToolCalls, next_call
from .errors import REFUSAL_ERRORS, describe
from .handoffs import Handoffs
from .mcp_servers import connected
from .model_history import newest_turns
from .setting import configured_agent

logger = get_logger(__name__)

INSTRUCTIONS = (
    "You are a helpful assistant on a website. Answer in the language of the user, briefly and correctly, "
    "in Markdown where it helps. Say so when you do not know."
)

MODEL_FILE_BYTES = 20 * 1024 * 1024
MODEL_IMAGES = 3
"""So many of the images that it has made does the model see again, the newest."""
PARTIAL_IMAGES = 3
"""So many unfinished images of one can be asked for, by the reference of the Responses API."""


class AgentChatKitServer(DjangoChatKitServer):
    """A server whose answers come from an agent: the one that is used unless you set ``CHATKIT["SERVER"]``.

    Every step has a method of its own to override: ``get_agent``, ``get_starting_agent``, ``get_history``,
    ``get_input``, ``get_run_config``, ``get_model_provider``, ``show_output``, ``describe_error``. An ``action()`` of
    yours can answer with ``stream_agent()``.
    """

    converter: ThreadItemConverter = DjangoThreadItemConverter()
    response_converter: ResponseStreamConverter = ResponseStreamConverter(partial_images=PARTIAL_IMAGES)

    async def respond(
        self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: RequestContext
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        agent_context = DjangoAgentContext(
            thread=thread,
            store=self.store,
            request_context=context,
            input_user_message=input_user_message,
        )
        with self._described_errors(context):
            history = await self.get_history(thread, context)
            call = next_call(thread, history)
            if call is not None:
                yield ThreadItemDoneEvent(item=call.as_item(agent_context))
                return
            from_the_start = input_user_message is not None
            prepared = await self._prepare(history, agent_context, from_the_start=from_the_start)
            items = await self.get_input(history, context)
        async with aclosing(self._stream_prepared(prepared, items, agent_context)) as events:
            async for event in events:
                yield event

    async def _prepare(
        self, history: Sequence[ThreadItem], agent_context: DjangoAgentContext, *, from_the_start: bool
    ) -> _Prepared:
        thread, context = agent_context.thread, agent_context.request_context
        agent = await self.get_agent(thread, context)
        handoffs = await Handoffs.before(
            thread, history, store=self.store, context=context, from_the_start=from_the_start
        )
        starting = await on_site_threads(self.get_starting_agent)(
            agent, handoffs.last_agent(agent), thread, context
        )
        starting = await self.apply_choices(starting, history, agent_context)
        return _Prepared(agent=agent, starting_agent=starting, handoffs=handoffs)

    async def _stream_prepared(
        self, prepared: _Prepared, items: Any, agent_context: DjangoAgentContext
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        stream = self.stream_agent(
            prepared.starting_agent, items, agent_context, run_config=prepared.run_config
        )
        async with aclosing(stream) as events:
            async for event in events:
                yield event
        # An answer that failed, was withheld or stopped does not come here: it moves the thread nowhere.
        prepared.handoffs.add(prepared.agent, agent_context.last_agent)

    async def stream_agent(
        self,
        agent: Agent[Any],
        items: list[TResponseInputItem] | RunState[Any, Agent[Any]],
        agent_context: DjangoAgentContext,
        *,
        run_config: RunConfig | None = None,
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Run an agent and yield its answer.

        The MCP servers of the agent, and of those that it may hand over to, are connected for it. When the reader
        stops, so does the model. A run that waits for approvals asks for them in the conversation. What it cost is
        added to ``context.usage``, however it ends.

        Args:
            agent: the agent.
            items: what it is asked, for example from ``get_input()``; or a run that it goes on with.
            agent_context: what its tools receive.
            run_config: settings of the run; those of ``get_run_config()`` unless given.

        Raises:
            ChatKitError: with a text for the user, for every error that ``describe_error()`` knows.
        """
        context = agent_context.request_context
        calls = ClientToolCalls(agent_context, goes_on=isinstance(items, RunState))
        if run_config is None:
            run_config = await on_site_threads(self.get_run_config)(agent, agent_context.thread, context)
        async with AsyncExitStack() as stack:
            stack.enter_context(self._described_errors(context))
            await stack.enter_async_context(Answering(context))
            await stack.enter_async_context(connected(agent))
            # The run takes the language along, so that async tools speak the user's.
            with override(context.locale):
                result = Runner.run_streamed(
                    agent,
                    items,
                    # A run that goes on has it already.
                    context=None if isinstance(items, RunState) else agent_context,
                    run_config=run_config,
                )
            async with aclosing(
                stream_agent_response(
                    agent_context,
                    result,
                    converter=self.response_converter,
                    show_output=self.show_output,
                )
            ) as events:
                async for event in events:
                    for asked in calls.read(event, result):
                        yield asked
            agent_context.last_agent = result.last_agent
            if result.interruptions:
                for item in await approvals.ask(result, agent_context):
                    yield ThreadItemDoneEvent(item=item)

    # Approvals

    async def _admitted_events(
        self, request: StreamingReq, context: RequestContext
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        stream = self._answer_approval(request, context) if approvals.is_answer(request) else None
        if not isinstance(request, (ThreadsCreateReq, ThreadsCustomActionReq)):
            # The conversation goes on without what was asked for, which another answer may take the place of.
            is_told = not (
                isinstance(request, ThreadsRetryAfterItemReq) or context.state(AnswerState).is_edit
            )
            for item in await approvals.close(request.params.thread_id, self.store, context):
                if is_told:
                    yield ThreadItemReplacedEvent(item=item)
        async with aclosing(stream or super()._admitted_events(request, context)) as events:
            async for event in events:
                yield event

    async def _answer_approval(
        self, request: Any, context: RequestContext
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        params = request.params
        thread = await self.store.load_thread(params.thread_id, context)
        sender = cast(WidgetItem, await self.store.load_item(thread.id, params.item_id, context))
        approve = approvals.approves(params.action)
        events = self._process_events(
            thread, context, lambda: self._go_on(thread, sender, approve=approve, context=context)
        )
        async for event in events:
            yield event

    async def _go_on(
        self, thread: ThreadMetadata, sender: WidgetItem, *, approve: bool, context: RequestContext
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        agent_context = DjangoAgentContext(thread=thread, store=self.store, request_context=context)
        async with AsyncExitStack() as stack:
            # All that can fail comes first: then the question stays open, and can be answered again.
            with self._described_errors(context):
                history = await self.get_history(thread, context)
                prepared = await self._prepare(history, agent_context, from_the_start=True)
                agent = prepared.starting_agent
                run_config = await on_site_threads(self.get_run_config)(agent, thread, context)
                agent = copy_for_run(agent, run_config)
                await stack.enter_async_context(connected(agent))
            answered = await approvals.answer(thread, sender, approve=approve, context=context)
            yield ThreadItemReplacedEvent(item=answered.item)
            if answered.late:
                yield NoticeEvent(level="info", message=answered.late)
            if answered.waiting is None:
                return
            with self._described_errors(context):
                state = await answered.waiting.restore(agent, agent_context)
            prepared = replace(prepared, starting_agent=agent, run_config=run_config)
            async with aclosing(self._stream_prepared(prepared, state, agent_context)) as events:
                async for event in events:
                    yield event

    # The agent

    async def get_agent(self, thread: ThreadMetadata, context: RequestContext) -> Agent[Any]:
        """Return the agent that a thread begins with: ``CHATKIT["AGENT"]``, or a small general assistant.

        Raises:
            ImproperlyConfigured: when the setting leads to something that is no agent.
        """
        found = await configured_agent(thread, context)
        return Agent(name="Assistant", instructions=INSTRUCTIONS) if found is None else found

    def get_starting_agent(
        self,
        agent: Agent[Any],
        last_agent: Agent[Any] | None,
        thread: ThreadMetadata,
        context: RequestContext,
    ) -> Agent[Any]:
        """Return the agent that begins this answer: the one that the thread was handed over to, or the first one.

        Override it to begin each answer with the first one (``return agent``), or to decide otherwise.

        Args:
            agent: what ``get_agent()`` has returned.
            last_agent: the one that finished the newest answer, if it is another and ``agent`` still leads to it. A
                retry finds the one that its message was sent to.
            thread: the thread.
            context: who asks.
        """
        return last_agent or agent

    async def apply_choices(
        self, agent: Agent[Any], history: Sequence[ThreadItem], agent_context: DjangoAgentContext
    ) -> Agent[Any]:
        """Return the agent with the model and the tool that the user picked in the composer, if you offer them.

        The agent that begins the answer uses the picked model; agents it hands over to keep theirs.
        """
        context = agent_context.request_context
        asked = next((item for item in reversed(history) if isinstance(item, UserMessageItem)), None)
        model = asked.inference_options.model if asked is not None else None
        if model is not None:
            if model in await on_site_threads(self.allowed_models)(context):
                agent = _with_model(agent, model)
            else:
                logger.warning("A model that is not offered was asked for and ignored")

        message = agent_context.input_user_message
        choice = message.inference_options.tool_choice if message is not None else None
        if choice is not None:
            if choice.id in await on_site_threads(self.allowed_tools)(context):
                agent_context.tool_choice = choice.id
                async with connected(agent):
                    tools = await agent.get_all_tools(RunContextWrapper(agent_context))
                if any(tool.name == choice.id for tool in tools):
                    settings = agent.model_settings.resolve(ModelSettings(tool_choice=choice.id))
                    # Without the reset the model would have to call it again and again.
                    agent = agent.clone(model_settings=settings, reset_tool_choice=True)
            else:
                logger.warning("A tool that is not offered was asked for and ignored")
        return agent

    def allowed_models(self, context: RequestContext) -> set[str]:
        """Return the ids of the models a user may pick: those of ``CHATKIT["OPTIONS"]["composer"]["models"]``."""
        return _offered("models")

    def allowed_tools(self, context: RequestContext) -> set[str]:
        """Return the ids of the tools a user may pick: those of ``CHATKIT["OPTIONS"]["composer"]["tools"]``."""
        return _offered("tools")

    # What it is asked

    async def get_history(self, thread: ThreadMetadata, context: RequestContext) -> list[ThreadItem]:
        """Return the items the model is shown, oldest first: whole turns, each a message with all that followed it.

        They are the newest ``CHATKIT["HISTORY_LIMIT"]``, as far as they fit into ``CHATKIT["HISTORY_BYTES"]`` (files
        have a limit of their own). The newest is always among them, however long it is.
        """
        return await newest_turns(
            thread,
            self.store,
            context,
            limit=max(1, chatkit_settings.history_limit),
            size=chatkit_settings.history_bytes,
        )

    async def get_input(
        self, history: Sequence[ThreadItem], context: RequestContext
    ) -> list[TResponseInputItem]:
        """Return the history as the model reads it, without calls whose output is missing and the reverse."""
        converter, files = self.converter, await self.read_files(history, context)
        if isinstance(converter, DjangoThreadItemConverter):
            converter = converter.with_files(files)
        images = newest_images(history, limit=MODEL_IMAGES)
        history = with_raw_outputs(history)
        return paired(await converter.to_agent_input(with_image_content(history, images, files)))

    async def read_files(self, history: Sequence[ThreadItem], context: RequestContext) -> dict[str, bytes]:
        """Return the files that the model is given, by id: the newest, as far as they fit into ``MODEL_FILE_BYTES``.

        Of the images that it has made itself these are ``MODEL_IMAGES`` at most.
        """
        takes_files = isinstance(self.attachment_store, DjangoAttachmentStore)
        images = newest_images(history, limit=MODEL_IMAGES)
        newest_first: list[str] = []
        for item in reversed(history):
            if isinstance(item, UserMessageItem) and takes_files:
                newest_first += [attachment.id for attachment in item.attachments]
            elif image_id := images.get(item.id):
                newest_first.append(image_id)
        return await read_files(newest_first, context, limit=MODEL_FILE_BYTES)

    # How it is run

    def get_run_config(self, agent: Agent[Any], thread: ThreadMetadata, context: RequestContext) -> RunConfig:
        """Return the settings of the run; those the agent makes itself are left alone."""
        return RunConfig(
            model_provider=self.get_model_provider(context),
            workflow_name="ChatKit",
            group_id=thread.id if chatkit_settings.tracing else None,
        )

    def get_model_provider(self, context: RequestContext) -> ModelProvider:
        """Return the provider of models that are given by name, or not at all."""
        return default_provider()

    def show_output(self, output: Any, agent_context: DjangoAgentContext) -> Any:
        """Return what the user sees of an output that is no text, when an agent has an ``output_type``.

        The JSON itself is never sent: the model finds it in its next turn, and staff beside the conversation. Override
        it, as a sync or an async method, to show more than a list of fields::

            def show_output(self, output, agent_context):
                if isinstance(output, Plan):
                    return Card(children=[Text(value=step) for step in output.steps])
                return super().show_output(output, agent_context)

        Args:
            output: an object of the ``output_type``, of whichever agent of the run has written it.
            agent_context: what tools receive. The user's language is active.

        Returns:
            A text (Markdown), a widget, an item of a thread, a list of these, or None for nothing.
        """
        return as_markdown(output)

    # When it fails

    def describe_error(self, error: Exception, context: RequestContext) -> ChatKitError | None:
        """Return what the user is told of an error; ``None`` for the client's general text.

        The user's language is active. Override it for texts of your own::

            def describe_error(self, error, context):
                if isinstance(error, InputGuardrailTripwireTriggered):
                    return ChatKitError(_("I only talk about our products."))
                return super().describe_error(error, context)
        """
        if isinstance(error, UserError) and isinstance(error.__cause__, Exception):
            return self.describe_error(error.__cause__, context)  # a tool's own exception
        return describe(error)

    @contextmanager
    def _described_errors(self, context: RequestContext) -> Iterator[None]:
        try:
            yield
        except BaseStreamError:
            raise
        except Exception as error:
            if isinstance(error.__cause__, BaseStreamError):
                raise error.__cause__ from None  # a tool's own refusal
            with override(context.locale):
                shown = self.describe_error(error, context)
            if shown is None:
                raise
            if isinstance(error, REFUSAL_ERRORS):
                logger.info("An answer was refused: %s", type(error).__name__)
            else:
                logger.error("The agent failed: %s", type(error).__name__, exc_info=error)
            raise shown from error


@dataclass(frozen=True, kw_only=True)
class _Prepared:
    """The beginning of an answer: the thread's agent, the one that begins, and what was handed over before.

    ``run_config`` is that of a run that goes on: its agents have been made fit for it, before they came into its state.
    """

    agent: Agent[Any]
    starting_agent: Agent[Any]
    handoffs: Handoffs
    run_config: RunConfig | None = None


def _offered(kind: str) -> set[str]:
    composer = chatkit_settings.options.get("composer") or {}
    return {entry["id"] for entry in composer.get(kind) or () if not entry.get("disabled")}


def _with_model(agent: Agent[Any], name: str) -> Agent[Any]:
    """Return the agent with another model of the same provider: a model object keeps its client."""
    if not isinstance(agent.model, Model):
        return agent.clone(model=name)
    if not isinstance(getattr(agent.model, "model", None), str):
        return agent
    model = copy.copy(agent.model)
    model.model = name  # type: ignore[attr-defined]
    return agent.clone(model=model)
