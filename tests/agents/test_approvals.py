"""Tools that wait for the user's approval: asked for in the conversation, answered once, gone on with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, ClassVar

import openai
import pytest
from agents import Agent, HostedMCPTool, OpenAIResponsesModel, function_tool
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.db import SessionStore

from chatkit_app import db
from chatkit_app.agents import AgentChatKitServer
from chatkit_app.agents.approvals import arguments_of
from chatkit_app.models import Approval, Run, ThreadItem
from chatkit_app.moderation.erasure import Person, erase
from chatkit_app.moderation.redaction import redact
from chatkit_app.runs.registry import live_runs
from chatkit_app.store import InMemoryStore
from tests.agents.test_server import Chat as DirectChat
from tests.chat import Chat, Exchange
from tests.openai_server import Turn

pytestmark = pytest.mark.django_db(transaction=True)

SEND = Turn(call=("send", {"to": "Ann", "copies": 2}))
DELETE = Turn(mcp=("delete_page", {"page": 7}))
BOTH = Turn(mcp=("delete_page", {"page": 7}), call=("send", {"to": "Ann"}))
ANSWERED = "This has been answered already."
NO_WAY_ON = "The assistant can no longer go on from here. Please ask again."

sent: list[str] = []


@pytest.fixture(autouse=True)
def nothing_sent() -> None:
    sent.clear()


@function_tool(needs_approval=True)
async def send(to: str, copies: int = 1) -> str:
    """Send the letter."""
    sent.append(to)
    return f"sent {copies} to {to}"


def docs() -> HostedMCPTool:
    return HostedMCPTool(
        tool_config={
            "type": "mcp",
            "server_label": "docs",
            "server_url": "https://example.com/mcp",
            "headers": {"X-Key": "secret-key"},
            "require_approval": "always",
        }
    )


@pytest.fixture
def use_tools(openai_client: openai.AsyncOpenAI, settings: Any) -> Callable[..., None]:
    """Make, as at the start of a process, an agent with these tools whose model is at ``api``."""

    def use(*tools: Any, **keys: Any) -> None:
        model = OpenAIResponsesModel(model="gpt-5", openai_client=openai_client)
        settings.CHATKIT = {"AGENT": Agent(name="Test", model=model, tools=list(tools)), **keys}

    use(send, docs())
    return use


def widgets(exchange: Exchange, kind: str = "thread.item.done") -> list[dict[str, Any]]:
    items = [event["item"] for event in exchange.events() if event["type"] == kind]
    return [item for item in items if item["type"] == "widget"]


def words(widget: Any) -> list[str]:
    """What a widget shows, from top to bottom."""
    if isinstance(widget, list):
        return [text for child in widget for text in words(child)]
    own = [widget[name] for name in ("value", "label") if name in widget]
    return own + words(widget.get("children", []))


def notices(exchange: Exchange) -> list[str]:
    return [event["message"] for event in exchange.events() if event["type"] == "notice"]


def press(item: dict[str, Any], label: str) -> dict[str, Any]:
    """The parameters of the action that the button with this label carries."""
    (row,) = [child for child in item["widget"]["children"] if child.get("key") == "open"]
    (action,) = [button["onClickAction"] for button in row["children"] if button["label"] == label]
    action = {"type": action["type"], "payload": action["payload"]}
    return {"thread_id": item["thread_id"], "item_id": item["id"], "action": action}


async def answer(chat: Chat, item: dict[str, Any], label: str) -> Exchange:
    return await chat.ask("threads.custom_action", **press(item, label))


async def approvals_kept() -> int:
    return await db.run(lambda: Approval.objects.count())


# Asking


@pytest.mark.parametrize(
    ("turn", "shown"),
    [
        pytest.param(
            SEND,
            ["The assistant asks for your approval", "send", "to", "Ann", "copies", "2", "Approve", "Reject"],
            id="function tool",
        ),
        pytest.param(
            DELETE,
            [
                "The assistant asks for your approval",
                "delete_page (docs)",
                "page",
                "7",
                "Approve",
                "Reject",
            ],
            id="hosted MCP",
        ),
    ],
)
async def test_tool_is_asked_for_with_name_and_arguments_and_not_called(turn, shown, api, use_tools):
    api.script(turn)
    asked = await Chat().say("Do it")
    (item,) = widgets(asked)
    assert words(item["widget"]) == shown
    assert "error" not in asked.types()
    assert sent == []
    assert await db.run(lambda: Run.objects.get().status) == "completed"


async def test_question_is_in_the_users_language(api, use_tools):
    api.script(SEND)
    asked = await Chat().say("Mach", headers={"X-ChatKit-Locale": "de"})
    assert words(widgets(asked)[0]["widget"])[-2:] == ["Genehmigen", "Ablehnen"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"a": ["b"]}', [("a", '[\n  "b"\n]')]),
        ("not json", [("", "not json")]),
        ("[1]", [("", "[1]")]),
        (None, []),
    ],
)
def test_arguments_are_shown_whatever_the_model_wrote(text, shown):
    assert arguments_of(text) == shown


async def test_kept_state_has_no_secrets_and_no_session(api, use_tools):
    chat = Chat()

    def make_session() -> str:
        session = SessionStore()
        session["plan"] = "secret-plan"
        session.save()
        return str(session.session_key)

    chat.cookies["sessionid"] = await db.run(make_session)
    api.script(BOTH)
    await chat.say("Do it")
    state = await db.run(lambda: Approval.objects.get().state)
    assert "Do it" in state
    assert "secret-key" not in state
    assert "secret-plan" not in state
    assert "sk-test" not in state


async def test_store_that_cannot_keep_approvals_says_so(api, use_tools, caplog):
    api.script(SEND)
    events = await DirectChat(AgentChatKitServer(InMemoryStore())).say("Do it")
    (error,) = [event for event in events if event["type"] == "error"]
    assert error["message"] == "The assistant is not set up correctly. Please tell the site's staff."
    assert "use it as your server's store" in caplog.text


# Answering


async def test_approved_function_is_called_and_the_answer_goes_on(api, use_tools):
    api.script(SEND, "It is on its way")
    chat = Chat()
    (item,) = widgets(await chat.say("Do it"))
    answered = await answer(chat, item, "Approve")
    assert answered.text() == "It is on its way"
    assert sent == ["Ann"]
    (replaced,) = widgets(answered, "thread.item.replaced")
    assert words(replaced["widget"])[-1] == "Approved"
    assert "Reject" not in words(replaced["widget"])
    output = api.requests[1].body["input"][-1]
    assert (output["type"], output["output"]) == ("function_call_output", "sent 2 to Ann")
    assert await approvals_kept() == 0
    items = await chat.items(item["thread_id"])
    assert [stored["type"] for stored in items] == ["user_message", "widget", "assistant_message"]
    assert words(items[1]["widget"])[-1] == "Approved"


async def test_rejected_function_is_not_called_and_the_model_knows(api, use_tools):
    api.script(SEND, "Then not")
    chat = Chat()
    (item,) = widgets(await chat.say("Do it"))
    answered = await answer(chat, item, "Reject")
    assert answered.text() == "Then not"
    assert sent == []
    assert words(widgets(answered, "thread.item.replaced")[0]["widget"])[-1] == "Rejected"
    assert api.requests[1].body["input"][-1]["output"] == "Tool execution was not approved."


@pytest.mark.parametrize(("label", "approve"), [("Approve", True), ("Reject", False)])
async def test_hosted_mcp_is_told_the_answer(label, approve, api, use_tools):
    api.script(DELETE, "Done with it")
    chat = Chat()
    (item,) = widgets(await chat.say("Do it"))
    answered = await answer(chat, item, label)
    assert answered.text() == "Done with it"
    told = [part for part in api.requests[1].body["input"] if part.get("type") == "mcp_approval_response"]
    assert [(part["approval_request_id"], part["approve"]) for part in told] == [("mcpr_1", approve)]


async def test_run_goes_on_when_each_of_its_calls_is_answered(api, use_tools):
    api.script(BOTH, "Sent and kept")
    chat = Chat()
    asked = {words(item["widget"])[1]: item for item in widgets(await chat.say("Do it"))}
    waiting = await answer(chat, asked["delete_page (docs)"], "Reject")
    assert waiting.text() == ""
    assert len(api.requests) == 1
    answered = await answer(chat, asked["send"], "Approve")
    assert answered.text() == "Sent and kept"
    assert sent == ["Ann"]
    told = [part for part in api.requests[1].body["input"] if part.get("type") == "mcp_approval_response"]
    assert [part["approve"] for part in told] == [False]


async def test_run_that_asks_again_can_be_answered_again(api, use_tools):
    api.script(SEND, Turn(call=("send", {"to": "Bob"})), "Both sent")
    chat = Chat()
    (item,) = widgets(await chat.say("Do it"))
    again = await answer(chat, item, "Approve")
    answered = await answer(chat, widgets(again)[0], "Approve")
    assert answered.text() == "Both sent"
    assert sent == ["Ann", "Bob"]


async def test_conversation_goes_on_after_the_answer(api, use_tools):
    api.script(SEND, "Sent", "You are welcome")
    chat = Chat()
    (item,) = widgets(await chat.say("Do it"))
    await answer(chat, item, "Approve")
    assert (await chat.say("Thanks", item["thread_id"])).text() == "You are welcome"


async def test_each_run_counts_only_its_own_tokens(api, use_tools):
    api.script(SEND, "Sent")
    chat = Chat()
    (item,) = widgets(await chat.say("Do it"))
    await answer(chat, item, "Approve")
    used = await db.run(
        lambda: list(Run.objects.order_by("pk").values_list("input_tokens", "cached_tokens", "output_tokens"))
    )
    assert used == [(100, 40, 7), (100, 40, 7)]


async def test_answer_after_a_restart_goes_on(api, use_tools):
    api.script(BOTH, "Sent and deleted")
    chat = Chat()
    first, second = widgets(await chat.say("Do it"))
    live_runs.clear()
    use_tools(send, docs())
    await answer(chat, first, "Approve")
    use_tools(send, docs())
    assert (await answer(chat, second, "Approve")).text() == "Sent and deleted"
    assert sent == ["Ann"]


# Once, and by the owner only


async def test_second_answer_gets_a_calm_reply_and_the_widget_as_it_is(api, use_tools):
    api.script(SEND, "Sent")
    chat = Chat()
    (item,) = widgets(await chat.say("Do it"))
    await answer(chat, item, "Approve")
    late = await answer(chat, item, "Reject")
    assert notices(late) == [ANSWERED]
    assert "error" not in late.types()
    assert words(widgets(late, "thread.item.replaced")[0]["widget"])[-1] == "Approved"
    assert sent == ["Ann"]
    assert len(api.requests) == 2


async def test_two_answers_at_once_call_the_tool_once(api, use_tools):
    api.script(SEND, "Sent", "Sent twice")
    chat, tab = Chat(), Chat(frame="frame-2")
    (item,) = widgets(await chat.say("Do it"))
    tab.cookies = chat.cookies
    await asyncio.gather(answer(chat, item, "Approve"), answer(tab, item, "Approve"))
    assert sent == ["Ann"]
    assert len(api.requests) == 2


async def test_somebody_else_cannot_answer(api, use_tools):
    api.script(SEND, "Hello", "Sent")
    chat, stranger = Chat(), Chat()
    (item,) = widgets(await chat.say("Do it"))
    await stranger.say("Hi")
    refused = await answer(stranger, item, "Approve")
    assert refused.error()["message"] == "This conversation or part of it no longer exists."
    assert sent == []
    assert (await answer(chat, item, "Approve")).text() == "Sent"


async def test_action_of_ours_from_another_widget_answers_nothing(api, use_tools):
    api.script(SEND, "Hello")
    chat = Chat()
    (item,) = widgets(await chat.say("Do it"))

    def forge() -> None:
        row = ThreadItem.objects.get(type="widget")
        ThreadItem.objects.create(
            thread=row.thread, public_id="msg_other", type="widget", payload=row.payload, text="x"
        )

    await db.run(forge)
    late = await answer(chat, item | {"id": "msg_other"}, "Approve")
    assert notices(late) == [NO_WAY_ON]
    assert sent == []
    assert await approvals_kept() == 1


# Waiting in vain


async def test_message_meanwhile_ends_the_waiting(api, use_tools):
    api.script(SEND, "Never mind")
    chat = Chat()
    (item,) = widgets(await chat.say("Do it"))
    message = await chat.say("Rather not", item["thread_id"])
    assert message.text() == "Never mind"
    (closed,) = widgets(message, "thread.item.replaced")
    assert (closed["id"], words(closed["widget"])[-1]) == (item["id"], "Not approved")
    assert await approvals_kept() == 0
    late = await answer(chat, item, "Approve")
    assert notices(late) == [ANSWERED]
    assert sent == []
    assert "Not approved" in json.dumps(api.requests[1].body["input"])


async def test_retry_meanwhile_ends_the_waiting(api, use_tools):
    api.script(SEND, "Another answer")
    chat = Chat()
    asked = await chat.say("Do it")
    (item,) = widgets(asked)
    question = (await chat.items(item["thread_id"]))[0]
    again = await chat.ask("threads.retry_after_item", thread_id=item["thread_id"], item_id=question["id"])
    assert again.text() == "Another answer"
    assert await approvals_kept() == 0


@pytest.mark.parametrize(
    ("turn", "left"),
    [
        pytest.param(SEND, docs(), id="function tool"),
        pytest.param(DELETE, send, id="hosted MCP"),
    ],
)
async def test_answer_for_an_agent_without_the_tool_ends_readably(turn, left, api, use_tools):
    api.script(turn)
    chat = Chat()
    (item,) = widgets(await chat.say("Do it"))
    use_tools(left)
    answered = await answer(chat, item, "Approve")
    assert answered.error()["message"] == NO_WAY_ON
    assert sent == []
    assert await approvals_kept() == 0


async def test_state_that_cannot_be_read_ends_readably(api, use_tools, caplog):
    api.script(SEND)
    chat = Chat()
    (item,) = widgets(await chat.say("Do it"))
    await db.run(lambda: Approval.objects.update(state='{"$schemaVersion": "99.0"}'))
    answered = await answer(chat, item, "Approve")
    assert answered.error()["message"] == NO_WAY_ON
    assert "A run that waited for an approval cannot go on" in caplog.text


# Privacy


@pytest.mark.parametrize("type", ["user_message", "widget"])
async def test_redaction_takes_the_kept_state_along(type, api, use_tools):
    api.script(SEND)
    chat = Chat()
    (item,) = widgets(await chat.say("Do it"))

    def redact_it() -> None:
        staff = get_user_model().objects.create(username="staff")
        redact(ThreadItem.objects.get(type=type), actor=staff, reason="")

    await db.run(redact_it)
    assert await approvals_kept() == 0
    answered = await answer(chat, item, "Approve")
    if type == "user_message":
        assert notices(answered) == [NO_WAY_ON]
        assert words(widgets(answered, "thread.item.replaced")[0]["widget"])[-1] == "Not approved"
    else:
        assert answered.types() == ["error"]
    assert sent == []


async def test_run_that_read_what_was_redacted_meanwhile_keeps_nothing(api, use_tools):
    api.script(Turn(call=("redact_now", {})), SEND)

    @function_tool
    async def redact_now() -> str:
        """Redact the question."""
        await db.run(lambda: Run.objects.update(withdrawn=True))
        return "redacted"

    use_tools(redact_now, send)
    answered = await Chat().say("Do it")
    assert answered.error()["message"] == "The answer was interrupted. Please try again."
    assert await approvals_kept() == 0


async def test_kept_state_goes_with_its_thread(api, use_tools):
    api.script(SEND)
    chat = Chat()
    (item,) = widgets(await chat.say("Do it"))
    await chat.ask("threads.delete", thread_id=item["thread_id"])
    assert await approvals_kept() == 0


async def test_kept_state_is_erased_with_its_person_and_counted(api, use_tools):
    api.script(SEND)
    await Chat().say("Do it")

    def erase_all() -> tuple[int, int]:
        person = Person(visitor_id=Run.objects.get().visitor_id)
        return person.holdings()["approval"], erase(person, actor=None)["approval"]

    assert await db.run(erase_all) == (1, 1)
    assert await approvals_kept() == 0


class CountingServer(AgentChatKitServer):
    asked: ClassVar[list[str]] = []

    def get_run_config(self, agent: Agent[Any], thread: Any, context: Any) -> Any:
        self.asked.append(agent.name)
        return super().get_run_config(agent, thread, context)


async def test_settings_of_a_run_are_asked_for_once(api, use_tools, monkeypatch):
    monkeypatch.setattr(CountingServer, "asked", [])
    use_tools(send, SERVER="tests.agents.test_approvals.CountingServer")
    api.script(SEND, Turn(text="Sent."))
    chat = Chat()
    (item,) = widgets(await chat.say("Send it"))
    assert CountingServer.asked == ["Test"]
    assert (await answer(chat, item, "Approve")).text() == "Sent."
    assert CountingServer.asked == ["Test", "Test"]
