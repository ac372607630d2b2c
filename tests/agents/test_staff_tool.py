"""The tool by which an agent calls for a person."""

from __future__ import annotations

from typing import Any

import pytest
from agents import Agent
from django.contrib.auth.models import User

from chatkit_app import db
from chatkit_app.agents import AgentChatKitServer, request_staff
from chatkit_app.models import Run, Thread
from chatkit_app.moderation import takeover
from chatkit_app.store import InMemoryStore
from chatkit_app.testing import ScriptedModel
from tests.chat import Chat

pytestmark = pytest.mark.django_db(transaction=True)

WAIT = "I have asked our team. A person will answer you here. You can go on writing meanwhile."
CALL = ("request_staff", {"reason": "The parcel is lost."})


def use_model(settings: Any, *turns: Any, **fields: Any) -> ScriptedModel:
    model = ScriptedModel(turns)
    agent = Agent(name="Shop", model=model, tools=[request_staff], **fields)
    settings.CHATKIT = {"AGENT": agent}
    return model


async def test_agent_that_calls_for_a_person_ends_its_turn(settings):
    model = use_model(settings, CALL, "nobody asks for this")
    answer = await Chat().say("I want a person.")
    assert answer.text() == WAIT
    assert answer.events()[-1]["thread"]["handler"]["state"] == "waiting"
    assert len(model.inputs) == 1
    thread, run = await db.run(lambda: (Thread.objects.get(), Run.objects.get()))
    assert (thread.handler, thread.handler_reason) == ("waiting", "The parcel is lost.")
    assert (run.status, run.failure) == ("completed", "")


async def test_agent_answers_again_when_the_thread_is_handed_back(settings):
    model = use_model(settings, CALL, "Hello again.")
    chat = Chat()
    thread_id = (await chat.say("I want a person.")).thread_id

    def answer_and_hand_back() -> None:
        maria = User.objects.create(username="maria", first_name="Maria")
        thread = takeover.take_over(Thread.objects.get(), actor=maria)
        takeover.reply(thread, "It is found.", actor=maria)
        takeover.hand_back(thread, actor=maria, instruction="Offer a refund.")

    await db.run(answer_and_hand_back)
    assert (await chat.say("Thanks. What now?", thread_id)).text() == "Hello again."
    asked = model.inputs[1]
    assert not [item for item in asked if item.get("type") in ("function_call", "function_call_output")]
    text = str(asked)
    assert "You answer the user yourself again" in text
    assert "The team asks of you, without the user's knowledge: Offer a refund." in text
    assert text.index("It is found.") < text.index("Offer a refund.") < text.index("What now?")


async def test_tool_of_an_agent_that_stops_at_tools_is_an_answer_too(settings):
    use_model(settings, CALL, tool_use_behavior="stop_on_first_tool")
    answer = await Chat().say("I want a person.")
    assert answer.text() == WAIT


async def test_user_is_told_in_their_language(settings):
    use_model(settings, CALL)
    answer = await Chat().say("I want a person.", headers={"X-ChatKit-Locale": "fr"})
    assert answer.text().startswith("J’ai prévenu notre équipe.")


async def test_tool_without_a_database_says_what_to_do(settings, caplog):
    use_model(settings, CALL)
    settings.CHATKIT |= {"SERVER": "tests.agents.test_staff_tool.memory_server"}
    answer = await Chat().say("I want a person.")
    assert "error" in answer.types()
    assert "request_staff needs a conversation that is kept in a DjangoStore" in caplog.text


def memory_server() -> AgentChatKitServer:
    return AgentChatKitServer(store=InMemoryStore())
