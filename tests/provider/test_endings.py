"""Runs that end without an answer: the user is told, staff read why, and the log says what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import openai
import pytest
from agents import Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, RunContextWrapper, function_tool
from chatkit.agents import ClientToolCall
from chatkit.types import CustomTask, NoticeEvent, ProgressUpdateEvent, Workflow
from chatkit.widgets import Card, Text

from chatkit_app import db
from chatkit_app.agents import DjangoAgentContext
from chatkit_app.models import Run
from tests.chat import Chat
from tests.openai_server import Turn

pytestmark = pytest.mark.django_db(transaction=True)

FAILED = "The assistant failed to finish its answer."
WEB_SEARCH = {
    "id": "ws_1",
    "type": "web_search_call",
    "status": "completed",
    "action": {"type": "search", "query": "x"},
}

Context = RunContextWrapper[DjangoAgentContext]


@pytest.fixture
def use_agent(openai_client: openai.AsyncOpenAI, settings: Any) -> Callable[..., None]:
    """Let an agent answer whose model is at ``api``."""

    def use(model_class: Any = OpenAIResponsesModel, **fields: Any) -> None:
        model = model_class(model="gpt-test", openai_client=openai_client)
        settings.CHATKIT = {"AGENT": Agent(name="Test", model=model, **fields)}

    return use


async def run_row() -> tuple[str, str]:
    row = await db.run(lambda: Run.objects.get())
    return row.status, row.error


@pytest.mark.parametrize(
    ("turn", "reason"),
    [
        pytest.param(Turn(silent=True), "no answer: no output at all", id="no output"),
        pytest.param(Turn(text=""), "no answer: an empty text", id="empty text"),
        pytest.param(Turn(text=" "), "no answer: an empty text", id="blank text"),
        pytest.param(Turn(silent=True, reasoning=True), "no answer: only reasoning", id="only reasoning"),
        pytest.param(Turn(text="", incomplete="content_filter"), "incomplete: content_filter", id="filtered"),
        pytest.param(
            Turn(text="One", incomplete="max_output_tokens"), "incomplete: max_output_tokens", id="cut"
        ),
        pytest.param(Turn(text="One", failed=True), "failed: server_error", id="failed"),
    ],
)
async def test_run_without_an_answer_is_failed_and_says_why(turn, reason, api, use_agent):
    api.script(turn)
    use_agent()
    answer = await Chat().say("Hi")
    assert (answer.error()["message"], answer.error()["allow_retry"]) == (FAILED, True)
    assert await run_row() == ("failed", f"{FAILED} ({reason})")


async def test_empty_text_of_chat_completions_is_no_answer(api, use_agent):
    api.script(Turn(text=""))
    use_agent(OpenAIChatCompletionsModel)
    chat = Chat()
    answer = await chat.say("Hi")
    assert answer.error()["message"] == FAILED
    assert [item["type"] for item in await chat.items(answer.thread_id)] == ["user_message"]


async def test_empty_message_is_taken_off_the_screen_and_out_of_the_thread(api, use_agent):
    api.script(Turn(text=""))
    use_agent()
    chat = Chat()
    answer = await chat.say("Hi")
    (added,) = [event["item"]["id"] for event in answer.events() if event["type"] == "thread.item.added"]
    assert {"type": "thread.item.removed", "item_id": added} in answer.events()
    assert [item["type"] for item in await chat.items(answer.thread_id)] == ["user_message"]


async def test_text_that_is_cut_off_stays_beside_the_error(api, use_agent):
    api.script(Turn(text="One two", incomplete="max_output_tokens"))
    use_agent()
    chat = Chat()
    answer = await chat.say("Hi")
    assert answer.error()["message"] == FAILED
    items = await chat.items(answer.thread_id)
    assert [part["text"] for item in items[1:] for part in item["content"]] == ["One two"]


async def test_retry_of_a_missing_answer_gets_one(api, use_agent):
    api.script(Turn(silent=True), "Hello")
    use_agent()
    chat = Chat()
    first = await chat.say("Hi")
    (asked,) = await chat.items(first.thread_id)
    again = await chat.ask("threads.retry_after_item", thread_id=first.thread_id, item_id=asked["id"])
    assert again.text() == "Hello"
    assert "error" not in again.types()


async def test_log_says_what_to_do(api, use_agent, caplog):
    api.script(Turn(text=""))
    use_agent()
    await Chat().say("Hi")
    assert "The user was given no answer: an empty text. Look at the agent's instructions" in caplog.text


async def test_tool_that_ends_the_run_and_shows_nothing_is_no_answer(api, use_agent, caplog):
    @function_tool
    async def note(ctx: Context) -> str:
        """Take a note."""
        await ctx.context.stream(ProgressUpdateEvent(text="Noting…"))
        return "noted"

    api.script(Turn(call=("note", {})))
    use_agent(tools=[note], tool_use_behavior="stop_on_first_tool")
    answer = await Chat().say("Hi")
    assert answer.error()["message"] == FAILED
    assert (await run_row())[1] == f"{FAILED} (no answer: a tool ended the run and showed nothing)"
    assert "let it stream a widget or a text" in caplog.text


async def show_widget(context: DjangoAgentContext) -> None:
    await context.stream_widget(Card(children=[Text(value="Seen")]))


async def show_notice(context: DjangoAgentContext) -> None:
    await context.stream(NoticeEvent(level="info", message="Seen"))


async def show_workflow(context: DjangoAgentContext) -> None:
    await context.start_workflow(Workflow(type="custom", tasks=[CustomTask(title="Seen")]))


async def call_the_page(context: DjangoAgentContext) -> None:
    context.client_tool_call = ClientToolCall(name="page", arguments={})


@pytest.mark.parametrize("show", [show_widget, show_notice, show_workflow, call_the_page])
async def test_tool_that_ends_the_run_and_shows_something_is_an_answer(show, api, use_agent):
    @function_tool
    async def tool(ctx: Context) -> None:
        """Show it."""
        await show(ctx.context)

    api.script(Turn(call=("tool", {})))
    use_agent(tools=[tool], tool_use_behavior="stop_on_first_tool")
    answer = await Chat().say("Hi")
    assert "error" not in answer.types()
    assert await run_row() == ("completed", "")


async def test_hosted_tool_before_a_text_is_an_answer(api, use_agent):
    api.script(Turn(text="Found", hosted=(WEB_SEARCH,)))
    use_agent()
    answer = await Chat().say("Hi")
    assert answer.text() == "Found"
    assert await run_row() == ("completed", "")


async def test_empty_text_after_a_widget_is_an_answer(api, use_agent):
    @function_tool
    async def tool(ctx: Context) -> None:
        """Show it."""
        await show_widget(ctx.context)

    api.script(Turn(call=("tool", {})), Turn(text=""))
    use_agent(tools=[tool])
    answer = await Chat().say("Hi")
    assert "error" not in answer.types()
    assert await run_row() == ("completed", "")
