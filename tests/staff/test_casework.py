"""What staff keep about threads, that it is audited, and that neither the model nor the user is ever told."""

import json
from typing import Any

import pytest
from agents import Agent
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model

from chatkit_app import db
from chatkit_app.models import Assignment, AuditEntry, Label, Note, Thread, ThreadItem
from chatkit_app.staff import casework, flags
from chatkit_app.testing import ScriptedModel
from tests.chat import Chat

pytestmark = pytest.mark.django_db
User = get_user_model()


@pytest.fixture
def sam() -> Any:
    return User.objects.create_user("sam", is_staff=True)


@pytest.fixture
def threads() -> list[Thread]:
    return [Thread.objects.create(public_id=f"t{index}", visitor_id="v") for index in range(3)]


def labels_of(thread: Thread) -> list[str]:
    return [label.name for label in thread.labels.all()]


def audit() -> list[tuple[str, str, str, dict[str, Any]]]:
    entries = AuditEntry.objects.order_by("pk")
    return list(entries.values_list("action", "thread_key", "reason", "details"))


# --- Notes --------------------------------------------------------------------------------------------------


def test_note_keeps_its_authors_name(threads, sam):
    casework.add_note(threads[0], author=sam, text="Called back.")
    LogEntry.objects.all().delete()
    sam.delete()
    note = Note.objects.get()
    assert (note.thread, note.author, note.author_name, note.text) == (
        threads[0],
        None,
        "sam",
        "Called back.",
    )


def test_note_is_audited_without_its_text(threads, sam):
    note = casework.add_note(threads[0], author=sam, text="secret")
    assert audit() == [("note", "t0", "", {"note": note.pk})]
    assert LogEntry.objects.get().change_message == "Wrote a note"


def test_note_on_a_deleted_thread_is_refused(threads, sam):
    Thread.objects.all().delete()
    with pytest.raises(Thread.DoesNotExist):
        casework.add_note(threads[0], author=sam, text="x")
    assert audit() == []


# --- Labels -------------------------------------------------------------------------------------------------


def test_labels_are_put_on_and_taken_off(threads, sam):
    bug, spam, vip = (Label.objects.create(name=name) for name in ("bug", "spam", "vip"))
    threads[0].labels.set([bug, spam])
    threads[1].labels.set([vip])
    assert casework.change_labels(threads, actor=sam, add=[vip], remove=[bug]) == 2
    assert [labels_of(thread) for thread in threads] == [["spam", "vip"], ["vip"], ["vip"]]
    assert sorted(audit()) == [
        ("label", "t0", "", {"added": ["vip"], "removed": ["bug"]}),
        ("label", "t2", "", {"added": ["vip"], "removed": []}),
    ]


def test_labels_that_change_nothing_are_not_audited(threads, sam):
    bug = Label.objects.create(name="bug")
    threads[0].labels.add(bug)
    assert casework.change_labels(threads[:1], actor=sam, add=[bug]) == 0
    assert audit() == []


def test_deleted_label_and_thread_are_passed_over(threads, sam):
    bug, spam = Label.objects.create(name="bug"), Label.objects.create(name="spam")
    Label.objects.filter(name="bug").delete()
    Thread.objects.filter(public_id="t0").delete()
    assert casework.change_labels(threads, actor=sam, add=[bug, spam]) == 2
    assert [labels_of(thread) for thread in threads[1:]] == [["spam"], ["spam"]]


def test_labels_of_many_threads_take_a_fixed_number_of_queries(sam, django_assert_max_num_queries):
    label = Label.objects.create(name="x")
    many = Thread.objects.bulk_create(Thread(public_id=f"m{index}") for index in range(300))
    with django_assert_max_num_queries(15):
        assert casework.change_labels(many, actor=sam, add=[label]) == 300


# --- Assignees ----------------------------------------------------------------------------------------------


def test_last_assignment_wins_and_all_are_audited(threads, sam):
    kim = User.objects.create_user("kim", is_staff=True)
    assert casework.assign(threads[:2], kim, actor=sam) == 2
    assert casework.assign(threads[:1], sam, actor=kim) == 1
    assert casework.assign(threads[:1], sam, actor=kim) == 0
    assert dict(Assignment.objects.values_list("thread__public_id", "assignee__username")) == {
        "t0": "sam",
        "t1": "kim",
    }
    kims, sams = ({"assignee": str(user.pk), "assignee_name": user.username} for user in (kim, sam))
    assert audit() == [
        ("assign", "t0", "", kims),
        ("assign", "t1", "", kims),
        ("assign", "t0", "", sams),
    ]


def test_assignment_is_taken_away(threads, sam):
    casework.assign(threads[:1], sam, actor=sam)
    assert casework.assign(threads, None, actor=sam) == 1
    assert not Assignment.objects.exists()
    assert audit()[-1] == ("assign", "t0", "", {"assignee": "", "assignee_name": ""})


# --- Neither the model nor the user -------------------------------------------------------------------------


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
        casework.add_note(thread, author=staff, text="note-marker")
        casework.change_labels([thread], actor=staff, add=[Label.objects.create(name="label-marker")])
        casework.assign([thread], staff, actor=staff)
        flags.flag(thread, item=item, reason="flag-marker", actor=staff)
        flag_pk = flags.claim_next(staff, among=flags.Flag.objects.all())
        flag = flags.Flag.objects.get(pk=flag_pk)
        flags.resolve(flag, reviewer=staff, resolution=flag.Resolution.HANDLED, note="resolution-marker")

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
