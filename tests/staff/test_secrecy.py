"""Neither the model nor the user is ever told what staff keep about a thread."""

import json

import pytest
from agents import Agent
from django.contrib.auth import get_user_model

from chatkit_app import db
from chatkit_app.models import Label, Thread, ThreadItem
from chatkit_app.staff import flags
from chatkit_app.staff.assignment import assign
from chatkit_app.staff.labels import change_labels
from chatkit_app.staff.notes import add_note
from chatkit_app.testing import ScriptedModel
from tests.chat import Chat

pytestmark = pytest.mark.django_db
User = get_user_model()


@pytest.mark.django_db(transaction=True)
async def test_nothing_of_staff_reaches_the_model_or_the_user(settings):
    model = ScriptedModel(["One", "Two"])
    settings.CHATKIT = {"AGENT": Agent(name="Test", model=model)}
    chat = Chat()
    thread_id = (await chat.say("Question 1")).thread_id

    def keep_all() -> None:
        staff = User.objects.create_user("staff-marker", is_staff=True)
        thread = Thread.objects.get(public_id=thread_id)
        item = ThreadItem.objects.filter(thread=thread).earliest("pk")
        add_note(thread, actor=staff, text="note-marker")
        change_labels([thread], actor=staff, add=[Label.objects.create(name="label-marker")])
        assign([thread], staff, actor=staff)
        flags.flag(thread, item=item, reason="flag-marker", actor=staff)
        flag_pk = flags.claim_next(staff, among=flags.Flag.objects.all())
        flag = flags.Flag.objects.get(pk=flag_pk)
        flags.resolve(flag, actor=staff, resolution=flag.Resolution.HANDLED, note="resolution-marker")

    await db.run(keep_all)
    answers = [
        await chat.say("Question 2", thread_id),
        await chat.ask("threads.get_by_id", thread_id=thread_id),
        await chat.ask("threads.list", limit=10, order="desc"),
        await chat.ask("items.list", thread_id=thread_id, order="asc", limit=100),
    ]
    assert "Question 2" in answers[3].body.decode()
    assert "Question 2" in json.dumps(model.inputs[1])
    assert "marker" not in b"".join(answer.body for answer in answers).decode()
    assert "marker" not in json.dumps(model.inputs)
