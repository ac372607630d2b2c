"""The user's wish for a person, by a server's own call and by the user's button."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.contrib.auth.models import User

from chatkit_app import db
from chatkit_app.models import Run, Thread, ThreadItem
from chatkit_app.moderation import set_status, takeover
from chatkit_app.server import DjangoChatKitServer
from chatkit_app.signals import staff_needed
from chatkit_app.store import InMemoryStore
from tests.chat import Chat, Exchange, eventually, message
from tests.runs.test_runs import hold_recording
from tests.servers import SlowServer

pytestmark = pytest.mark.django_db(transaction=True)

WAIT = "I have asked our team. A person will answer you here. You can go on writing meanwhile."
WITH_STAFF = "Our team is looking after this conversation. Write a message, and a person will read it."
NOT_HERE = "This chat does not support that."
HERE = "tests.server.test_staff_request"


class CallingServer(DjangoChatKitServer):
    """Calls for a person when it is asked to, and echoes everything else."""

    async def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
        text = input_user_message.content[0].text
        if text != "a person, please":
            yield self.text_event(f"echo: {text}")
            return
        yield self.text_event("One moment.")
        await self.request_staff(thread, "Lost parcel", context)
        yield self.text_event("They are quick.")


class SayingServer(DjangoChatKitServer):
    """Tells of it in its own words."""

    async def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
        await self.request_staff(thread, "", context, message="")
        yield self.text_event("Maria will be here soon.")


class LockedServer(DjangoChatKitServer):
    """Is locked by staff in the middle of its answer."""

    async def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
        yield self.text_event("One moment.")
        rows = Thread.objects.filter(public_id=thread.id)
        await db.run(lambda: rows.update(status="locked", status_reason="Call us."))
        await self.request_staff(thread, "", context)


class MemoryServer(CallingServer):
    def __init__(self) -> None:
        super().__init__(store=InMemoryStore())


@pytest.fixture
def use_here(settings: Any) -> Any:
    def configure(server: str, *, button: bool = True, **keys: Any) -> None:
        settings.CHATKIT = {"SERVER": f"{HERE}.{server}", "STAFF": {"BUTTON": button}, **keys}

    return configure


async def press(chat: Chat, thread_id: str, action: str) -> Exchange:
    return await chat.ask(
        "threads.custom_action",
        thread_id=thread_id,
        action={"type": f"chatkit_app.{action}", "payload": None},
    )


def said(thread_id: str) -> list[str]:
    items = ThreadItem.objects.visible().filter(thread__public_id=thread_id).order_by("pk")
    return list(items.values_list("text", flat=True))


def notes() -> list[str]:
    hidden = ThreadItem.objects.filter(type="hidden_context_item").order_by("pk")
    return [payload["content"] for payload in hidden.values_list("payload", flat=True)]


def maria() -> Any:
    return User.objects.get_or_create(username="maria", defaults={"first_name": "Maria"})[0]


# --- A server's own call ------------------------------------------------------------------------------------


async def test_server_that_calls_for_a_person_ends_its_answer_and_the_user_knows_that_they_wait(use_here):
    use_here("CallingServer")
    answer = await Chat().say("a person, please")
    assert answer.text() == f"One moment.|{WAIT}|They are quick."
    last = answer.events()[-1]
    assert (last["type"], last["thread"]["handler"]["state"]) == ("thread.updated", "waiting")
    assert await db.run(said, answer.thread_id) == [
        "a person, please",
        "One moment.",
        WAIT,
        "They are quick.",
    ]
    thread = await db.run(Thread.objects.get)
    assert (thread.handler, thread.handler_reason) == ("waiting", "Lost parcel")
    assert thread.unanswered_since is not None
    assert (await db.run(Run.objects.get)).status == "completed"


async def test_user_is_told_in_their_language(use_here):
    use_here("CallingServer")
    answer = await Chat().say("a person, please", headers={"X-ChatKit-Locale": "de"})
    assert "Ich habe unserem Team Bescheid gegeben." in answer.text()


async def test_server_may_say_it_in_its_own_words(use_here):
    use_here("SayingServer")
    answer = await Chat().say("a person, please")
    assert answer.text() == "Maria will be here soon."
    assert (await db.run(Thread.objects.get)).handler == "waiting"


async def test_messages_of_a_user_who_waits_are_kept_and_not_answered(use_here):
    use_here("CallingServer")
    chat = Chat()
    thread_id = (await chat.say("a person, please")).thread_id
    answer = await chat.say("Are you there?", thread_id)
    assert answer.types() == ["thread.item.done", "stream_options", "thread.updated"]
    assert (await db.run(said, thread_id))[-1] == "Are you there?"


async def test_team_hears_of_it_once(use_here):
    use_here("CallingServer")
    heard: list[Any] = []

    def hear(thread: Any, reason: str, **kwargs: Any) -> None:
        heard.append((thread.public_id, reason))

    staff_needed.connect(hear)
    try:
        chat = Chat()
        thread_id = (await chat.say("a person, please")).thread_id
        await press(chat, thread_id, "request_staff")
    finally:
        staff_needed.disconnect(hear)
    assert heard == [(thread_id, "Lost parcel")]


async def test_thread_that_is_locked_meanwhile_waits_for_nobody(use_here):
    use_here("LockedServer")
    answer = await Chat().say("hi")
    assert answer.error()["message"] == "This conversation is locked. Call us."
    assert (await db.run(Thread.objects.get)).handler == "assistant"


async def test_call_needs_a_conversation_in_the_database(use_here):
    use_here("MemoryServer")
    assert (await Chat().say("a person, please")).error()["message"] == NOT_HERE


# --- The user's button --------------------------------------------------------------------------------------


async def test_user_asks_for_a_person_and_goes_on_with_the_assistant_instead(use_here):
    use_here("CallingServer")
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    asked = await press(chat, thread_id, "request_staff")
    assert asked.types() == ["stream_options", "thread.item.done", "thread.updated"]
    assert asked.text() == WAIT
    assert asked.events()[-1]["thread"]["handler"]["state"] == "waiting"
    stopped = await press(chat, thread_id, "stop_waiting")
    assert stopped.types() == ["stream_options", "thread.updated"]
    assert "handler" not in stopped.events()[-1]["thread"]
    assert (await db.run(Thread.objects.get)).handler == "assistant"
    (note,) = await db.run(notes)
    assert "the user stopped waiting for a person of the team. You answer the user yourself again" in note
    assert (await chat.say("more", thread_id)).text() == "echo: more"


async def test_user_who_stops_waiting_is_answered_what_they_wrote_meanwhile(use_here):
    use_here("CallingServer")
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    await press(chat, thread_id, "request_staff")
    await chat.say("Where is it?", thread_id)
    assert (await press(chat, thread_id, "stop_waiting")).text() == "echo: Where is it?"


CHOICE = {"tool_choice": {"id": "chatkit_app.request_staff"}}


@pytest.mark.parametrize("is_new", [True, False])
async def test_message_that_is_for_a_person_is_kept_for_one(use_here, is_new):
    use_here("CallingServer")
    chat = Chat()
    asked = message("Where is it?", inference_options=CHOICE)
    if is_new:
        answer = await chat.ask("threads.create", input=asked)
    else:
        thread_id = (await chat.say("hi")).thread_id
        answer = await chat.ask("threads.add_user_message", thread_id=thread_id, input=asked)
    assert answer.text() == WAIT
    assert answer.events()[-1]["thread"]["handler"]["state"] == "waiting"
    thread = await db.run(Thread.objects.get)
    assert (await db.run(said, thread.public_id))[-2:] == ["Where is it?", WAIT]
    again = await chat.ask("threads.add_user_message", thread_id=thread.public_id, input=asked)
    assert again.text() == ""


async def test_choice_of_a_person_means_nothing_where_it_is_not_offered(use_here):
    use_here("CallingServer", button=False)
    answer = await Chat().ask("threads.create", input=message("hi", inference_options=CHOICE))
    assert answer.text() == "echo: hi"


async def test_user_who_waits_already_is_told_so_once(use_here):
    use_here("CallingServer")
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    await press(chat, thread_id, "request_staff")
    again = await press(chat, thread_id, "request_staff")
    assert again.types() == ["stream_options", "thread.updated"]
    assert (await db.run(said, thread_id)).count(WAIT) == 1


async def test_person_who_was_faster_keeps_the_thread(use_here):
    use_here("CallingServer")
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    await db.run(lambda: takeover.take_over(Thread.objects.get(), actor=maria()))
    for action in ("stop_waiting", "request_staff"):
        answer = await press(chat, thread_id, action)
        assert answer.types() == ["stream_options", "thread.updated"]
        assert answer.events()[-1]["thread"]["handler"]["name"] == "Maria"


async def test_button_that_is_not_offered_does_nothing(use_here):
    use_here("CallingServer", button=False)
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    assert (await press(chat, thread_id, "request_staff")).error()["message"] == NOT_HERE
    assert (await db.run(Thread.objects.get)).handler == "assistant"


async def test_user_of_a_site_without_the_button_may_stop_waiting(use_here):
    use_here("CallingServer", button=False)
    chat = Chat()
    thread_id = (await chat.say("a person, please")).thread_id
    await press(chat, thread_id, "stop_waiting")
    assert (await db.run(Thread.objects.get)).handler == "assistant"


async def test_nobody_asks_for_a_person_in_a_locked_thread(use_here):
    use_here("CallingServer")
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    await db.run(
        lambda: set_status([Thread.objects.get()], Thread.Status.LOCKED, reason="Call us.", actor=maria())
    )
    answer = await press(chat, thread_id, "request_staff")
    assert answer.events()[0]["message"] == "This conversation is locked. Call us."
    assert (await db.run(Thread.objects.get)).handler == "assistant"


@pytest.mark.parametrize("action", ["request_staff", "stop_waiting"])
async def test_thread_of_somebody_else_is_answered_as_one_that_there_is_not(use_here, action):
    use_here("CallingServer")
    thread_id = (await Chat().say("a person, please")).thread_id
    other = Chat()
    await other.say("hi")
    foreign, absent = await press(other, thread_id, action), await press(other, "thr_absent", action)
    assert foreign.body == absent.body
    assert (await db.run(lambda: Thread.objects.get(public_id=thread_id))).handler == "waiting"


async def test_requests_for_a_person_are_limited(use_here):
    use_here("CallingServer", LIMITS={"MESSAGES_PER_MINUTE": 2})
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    await press(chat, thread_id, "request_staff")
    assert "error" in (await press(chat, thread_id, "stop_waiting")).types()
    assert (await db.run(Thread.objects.get)).handler == "waiting"


async def test_takeover_between_admission_and_the_runs_row_leaves_the_thread_to_the_person(
    use_here, monkeypatch
):
    use_here("CallingServer")
    chat = Chat()
    thread_id = (await chat.say("a person, please")).thread_id
    await chat.say("Where is it?", thread_id)
    reached, go_on = hold_recording(monkeypatch)
    stopping = asyncio.create_task(press(chat, thread_id, "stop_waiting"))
    await eventually(reached.is_set)
    await db.run(lambda: takeover.take_over(Thread.objects.get(), actor=maria()))
    go_on.set()
    assert (await stopping).text() == ""
    assert (await db.run(Thread.objects.get)).handler == "staff"


async def test_takeover_in_an_answer_that_follows_the_waiting_ends_it(use, gate, settings):
    use("SlowServer", STAFF={"BUTTON": True}, CHECKPOINT_INTERVAL=60)
    chat = Chat()
    gate.set()
    thread_id = (await chat.say("hi")).thread_id
    await press(chat, thread_id, "request_staff")
    await chat.say("more", thread_id)
    gate.clear()
    answer = await chat.begin(
        "threads.custom_action",
        thread_id=thread_id,
        action={"type": "chatkit_app.stop_waiting", "payload": None},
    )
    await answer.until('"delta":"one "')
    await db.run(lambda: takeover.take_over(Thread.objects.get(), actor=maria()))
    assert (await answer.rest()).events()[-1]["thread"]["handler"]["state"] == "staff"
    assert SlowServer.started == 2
