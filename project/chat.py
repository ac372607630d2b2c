"""The demo's server and its agent. This is the file to learn from.

``DemoServer`` shows features of ChatKit on request, without a model. Everything else is answered by the
agent, with OpenAI's models or, as long as there is no ``OPENAI_API_KEY``, with the offline model.
"""

import json
import zlib
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any, cast

import openai
from agents import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrailTripwireTriggered,
    RunContextWrapper,
    StopAtTools,
    TResponseInputItem,
    function_tool,
    input_guardrail,
)
from chatkit.actions import Action
from chatkit.agents import ClientToolCall
from chatkit.types import (
    AudioInput,
    HiddenContextItem,
    ProgressUpdateEvent,
    SyncCustomActionResponse,
    ThreadItem,
    ThreadItemDoneEvent,
    ThreadItemReplacedEvent,
    ThreadMetadata,
    TranscriptionResult,
    UserMessageItem,
    UserMessageTextContent,
    WidgetItem,
)
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from chatkit_app.agents import AgentChatKitServer, DjangoAgentContext, request_staff
from chatkit_app.context import RequestContext
from chatkit_app.errors import ChatKitError
from chatkit_app.offline import has_key, is_offline

from . import features, gallery, plain_words, widgets
from .context import DemoContext
from .turn import Events, Turn

Context = RunContextWrapper[DjangoAgentContext]


# The agent, as the Agents SDK knows it


@function_tool
async def get_weather(ctx: Context, city: str) -> str:
    """Tell the weather in a city.

    Args:
        city: name of the city.
    """
    await ctx.context.stream(ProgressUpdateEvent(icon="globe", text=_("Looking out of the window…")))
    number = zlib.crc32(city.casefold().encode())
    degrees, sky = number % 30, (_("Sunny"), _("Cloudy"), _("Rain"), _("Snow, perhaps"))[number % 4]
    card = widgets.weather_card(city=city, degrees=degrees, sky=sky)
    text = _("{city}: {degrees} °C, {sky}").format(city=city, degrees=degrees, sky=sky)
    await ctx.context.stream_widget(card, copy_text=text)
    return text


@function_tool
async def get_browser(ctx: Context) -> None:
    """Ask the user's browser for its language, time zone and window size."""
    # The answer ends here. The page calls its onClientTool, and respond() goes on with what that returned.
    ctx.context.client_tool_call = ClientToolCall(name="get_browser", arguments={"details": "all"})


@input_guardrail(run_in_parallel=False)
async def no_passwords(
    ctx: Context, agent: Agent[Any], asked: str | list[TResponseInputItem]
) -> GuardrailFunctionOutput:
    """Refuse to talk about passwords. Only the new message counts, not what was said before."""
    message = ctx.context.input_user_message
    return GuardrailFunctionOutput(
        output_info=None, tripwire_triggered="password" in text_of(message).lower()
    )


agent = Agent[DjangoAgentContext](
    name="Demo",
    instructions=(
        "You are the assistant of a demo of ChatKit in Django. Answer briefly, in the user's language, in "
        "Markdown where it helps. To see what the chat can do, the user can write “show me a form” (or a "
        "widget, a workflow, some questions, …). Call a person of the team where the user asks for one."
    ),
    # A person answers in the admin: open the conversation there in a second browser, and take it over.
    tools=[get_weather, get_browser, request_staff],
    tool_use_behavior=StopAtTools(stop_at_tool_names=[get_browser.name]),
    input_guardrails=[no_passwords],
)


def text_of(message: UserMessageItem | None) -> str:
    """Return what a message says, "" where there is none."""
    return " ".join(part.text for part in message.content) if message is not None else ""


def is_free(message: UserMessageItem) -> bool:
    """Return whether there is no language model to understand a message, and no tool chosen that it is meant for."""
    return is_offline() and message.inference_options.tool_choice is None


class DemoServer(AgentChatKitServer):
    """The server of the demo: ``CHATKIT["SERVER"]``."""

    async def respond(
        self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: RequestContext
    ) -> Events:
        """Show a feature if the message asks for one, and leave the rest to the agent."""
        turn = Turn(self, thread, cast(DemoContext, context))
        files = input_user_message.attachments if input_user_message is not None else []
        text = text_of(input_user_message)
        is_to_be_guessed = input_user_message is not None and is_free(input_user_message)
        meant = plain_words.prompt_for(text) if is_to_be_guessed else text
        feature = features.find(text) or features.find(meant or "")
        if files and is_offline():
            answer = features.describe_files(turn, files)
        elif feature is not None:
            answer = feature(turn)
        elif meant is None:
            answer = features.offer(turn)
        else:
            answer = super().respond(thread, input_user_message, context)
        async with aclosing(answer) as events:  # so that a stopped answer stops at once
            async for event in events:
                yield event

    async def get_input(
        self, history: Sequence[ThreadItem], context: RequestContext
    ) -> list[TResponseInputItem]:
        """Return what the agent reads: without a language model, the newest message in words that it understands."""
        newest = history[-1] if history else None
        if isinstance(newest, UserMessageItem) and is_free(newest):
            meant = plain_words.prompt_for(text_of(newest))
            if meant is not None:
                content = [UserMessageTextContent(text=meant)]
                history = [*history[:-1], newest.model_copy(update={"content": content})]
        return await super().get_input(history, context)

    async def action(
        self,
        thread: ThreadMetadata,
        action: Action[str, Any],
        sender: WidgetItem | None,
        context: RequestContext,
    ) -> Events:
        """Answer a button of a widget, or a form: what it carries comes from the browser and can be anything."""
        turn = Turn(self, thread, cast(DemoContext, context))
        payload = action.payload if isinstance(action.payload, dict) else {}
        match action.type:
            case "order.track" if sender is not None:
                yield ProgressUpdateEvent(icon="map-pin", text=_("Asking the courier…"))
                await turn.pause(2)
                card = widgets.order_card(status=_("Next door"), tracked=True)
                yield ThreadItemReplacedEvent(item=sender.model_copy(update={"widget": card}))
                async for event in turn.say(_("Your order is next door, at number 12.")):
                    yield event
            case "table.book" if sender is not None:
                name = str(payload.get("name") or _("a guest"))[:100]
                guests = str(payload.get("guests") or 2)[:10]
                card = widgets.booked_card(name=name, guests=guests)
                yield ThreadItemReplacedEvent(item=sender.model_copy(update={"widget": card}))
                # So that the model knows of it when the user talks about it.
                note = f"The user booked a table for {guests} in the name of {name}."
                yield ThreadItemDoneEvent(item=turn.new(HiddenContextItem, content=note))
                yield self.text_event(_("Your table is booked."))
            case "gallery.pressed":
                yield self.text_event(_("You pressed “{}”.").format(str(payload.get("button"))[:100]))
            case "gallery.sent":
                values = json.dumps(payload, ensure_ascii=False, indent=2)[:4000]
                yield self.text_event(_("The form has sent:") + f"\n\n```json\n{values}\n```")
            case "page.greeted":
                # Sent by the page itself: see the command “greet” in project/static/project/page.js.
                yield self.text_event(_("The page says: {}").format(str(payload.get("text"))[:200]))
            case _unknown:
                raise ChatKitError(_("This button does nothing here."))

    async def sync_action(
        self,
        thread: ThreadMetadata,
        action: Action[str, Any],
        sender: WidgetItem | None,
        context: RequestContext,
    ) -> SyncCustomActionResponse:
        """Answer a button that only changes its own widget: no stream, no message."""
        payload = action.payload if isinstance(action.payload, dict) else {}
        match action.type:
            case "order.favourite" if sender is not None:
                favourite = payload.get("favourite") is True
                card = widgets.order_card(status=_("On its way"), favourite=favourite)
            case "gallery.turned" if sender is not None:
                page = payload.get("page")
                card = gallery.transition(int(page) if isinstance(page, int) else 1)
            case _unknown:
                raise ChatKitError(_("This button does nothing here."))
        item = sender.model_copy(update={"widget": card})
        await self.store.save_item(thread.id, item, context)
        return SyncCustomActionResponse(updated_item=item)

    async def transcribe(self, audio_input: AudioInput, context: RequestContext) -> TranscriptionResult:
        """Return what was said into the microphone. Offline there is no one to understand it, so it is only weighed."""
        if is_offline():
            weight = filesizeformat(len(audio_input.data))
            text = _("(a dictation of {size}, without a model to understand it)").format(size=weight)
            return TranscriptionResult(text=text)
        kind = audio_input.media_type.rpartition("/")[2]
        recording = (f"dictation.{kind}", audio_input.data, audio_input.media_type)
        try:
            async with openai.AsyncOpenAI(api_key=None if has_key() else "none") as client:
                heard = await client.audio.transcriptions.create(
                    model="gpt-4o-mini-transcribe", file=recording
                )
        except openai.OpenAIError as error:
            raise self.describe_error(error, context) or error from error
        return TranscriptionResult(text=heard.text)

    def describe_error(self, error: Exception, context: RequestContext) -> ChatKitError | None:
        """Return the refusal in the demo's own words."""
        if isinstance(error, InputGuardrailTripwireTriggered):
            return ChatKitError(
                _("I do not talk about passwords. A guardrail of the agent has seen to that.")
            )
        return super().describe_error(error, context)
