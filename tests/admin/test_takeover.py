"""The pages by which a person answers in place of the assistant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from chatkit_app.models import Attachment, AuditEntry, CannedReply, Run, Thread, ThreadItem
from chatkit_app.moderation import takeover

from .conftest import make_item, make_run, make_thread
from .thread_pages import LIST, make_staff, page

pytestmark = pytest.mark.django_db
QUIET = {"X-ChatKit-Quiet": "1"}


@pytest.fixture(autouse=True)
def files(tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def helper(staff: Callable[..., Client]) -> Client:
    return staff("view_thread", "view_content", "reply_thread")


@pytest.fixture
def mine(helper: Client) -> Thread:
    """A thread that the helper has taken over."""
    thread = make_thread("Lost parcel", namespace="shop")
    return takeover.take_over(thread, actor=helper.staff)  # type: ignore[attr-defined]


def said(thread: Thread) -> list[tuple[str, str]]:
    items = ThreadItem.objects.filter(thread=thread, type="assistant_message").order_by("pk")
    return [(item.author_name, item.payload["content"][0]["text"]) for item in items]


def told(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def change_page(client: Client, thread: Thread) -> str:
    return client.get(page(thread, "change")).content.decode()


# --- Taking over --------------------------------------------------------------------------------------------


def test_thread_is_taken_over(helper: Client) -> None:
    thread = make_thread("x")
    assert "Take over</button>" in change_page(helper, thread)
    response = helper.post(page(thread, "take"))
    assert response["Location"] == f"{page(thread, 'change')}#chatkit-desk"
    assert told(response) == ["You answer in this conversation now."]
    thread.refresh_from_db()
    assert thread.handler == "staff"
    html = change_page(helper, thread)
    assert "You answer in this conversation." in html
    assert 'id="chatkit-reply"' in html


def test_thread_of_another_is_taken_only_by_who_means_it(helper: Client) -> None:
    thread, kim = make_thread("x"), make_staff("kim", first_name="Kim")
    takeover.take_over(thread, actor=kim)
    assert "Take from Kim…</a>" in change_page(helper, thread)
    assert 'id="chatkit-reply"' not in change_page(helper, thread)
    # Who has not seen that Kim has it is asked first.
    response = helper.post(page(thread, "take"))
    assert "Kim answers here since" in response.content.decode()
    assert AuditEntry.objects.filter(action="take").count() == 1
    asked = helper.get(page(thread, "take")).content.decode()
    assert f'<input type="hidden" name="holder" value="{kim.pk}"' in asked
    helper.post(page(thread, "take"), {"holder": kim.pk})
    assert AuditEntry.objects.filter(action="take").count() == 2
    assert "You answer in this conversation." in change_page(helper, thread)


def test_taking_over_stops_the_answer_that_is_written(
    helper: Client, django_capture_on_commit_callbacks: Any
) -> None:
    run = make_run(make_thread("x"))
    with django_capture_on_commit_callbacks(execute=True):
        helper.post(page(run.thread, "take"))
    assert Run.objects.get(pk=run.pk).stop_requested


# --- Answering ----------------------------------------------------------------------------------------------


def test_user_is_answered_under_the_name_of_who_answers(helper: Client, mine: Thread) -> None:
    User.objects.filter(pk=helper.staff.pk).update(first_name="Anna")  # type: ignore[attr-defined]
    assert "The user reads it under the name “Anna”." in change_page(helper, mine)
    helper.post(page(mine, "reply"), {"text": "It is **here**."})
    assert said(mine) == [("Anna", "It is **here**.")]


def test_user_name_of_who_answers_is_for_staff_alone(helper: Client, mine: Thread) -> None:
    name = helper.staff.username  # type: ignore[attr-defined]
    assert "The user reads it under the name “Our team”." in change_page(helper, mine)
    helper.post(page(mine, "reply"), {"text": "It is **here**."})
    assert said(mine) == [("Our team", "It is **here**.")]
    assert AuditEntry.objects.get(action="reply").actor_name == name
    kim = make_staff("kim")
    asked = helper.get(page(takeover.take_over(make_thread("x"), actor=kim), "take")).content.decode()
    assert "kim answers here since" in asked
    assert "The user is shown this name: Our team" in asked


def test_answer_in_a_thread_that_one_has_not_is_kept_on_the_page(helper: Client) -> None:
    thread = make_thread("x")
    response = helper.post(page(thread, "reply"), {"text": "My words"})
    html = response.content.decode()
    assert "You do not have this conversation any more." in html
    assert "My words</textarea>" in html
    takeover.take_over(thread, actor=make_staff("kim", first_name="Kim"))
    assert (
        "Kim has this conversation now." in helper.post(page(thread, "reply"), {"text": "x"}).content.decode()
    )
    assert said(thread) == []


@pytest.mark.parametrize("text", ["", "   ", "x" * 20_001])
def test_answer_has_to_say_something(helper: Client, mine: Thread, text: str) -> None:
    response = helper.post(page(mine, "reply"), {"text": text})
    assert response.context["form"].errors
    assert said(mine) == []


def upload(name: str = "a.txt", content: bytes = b"word", kind: str = "text/plain") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, kind)


def test_files_are_sent_and_belong_to_the_owner_of_the_thread(
    helper: Client, mine: Thread, settings: Any
) -> None:
    settings.CHATKIT = {"ATTACHMENTS": {}}
    helper.post(
        page(mine, "reply"), {"text": "", "uploads": [upload("../a.txt"), upload("b.csv", kind="text/csv")]}
    )
    rows = Attachment.objects.order_by("pk")
    assert [(row.name, row.visitor_id, row.namespace, row.thread_id, row.size) for row in rows] == [
        ("a.txt", mine.visitor_id, "shop", mine.pk, 4),
        ("b.csv", mine.visitor_id, "shop", mine.pk, 4),
    ]
    item = ThreadItem.objects.get(type="assistant_message")
    assert [file["id"] for file in item.payload["attachments"]] == [row.public_id for row in rows]


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        (upload("a.exe", kind="application/octet-stream"), "a.exe: Files of this type cannot be sent here."),
        (
            upload("a.png", b"no picture", "image/png"),
            "a.png: The file is not a picture that can be sent here.",
        ),
        (upload("a.txt", b"x" * 20), "a.txt: The file is too large."),
    ],
)
def test_files_are_taken_by_the_rules_for_those_of_users(
    helper: Client, mine: Thread, settings: Any, file: Any, problem: str
) -> None:
    settings.CHATKIT = {"ATTACHMENTS": {"MAX_SIZE": 10}}
    file.seek(0)
    response = helper.post(page(mine, "reply"), {"text": "Look", "uploads": [upload(), file]})
    assert problem in response.content.decode()
    assert said(mine) == []
    assert Attachment.objects.count() == 0


def test_there_are_as_many_files_as_a_message_may_have(helper: Client, mine: Thread, settings: Any) -> None:
    settings.CHATKIT = {"ATTACHMENTS": {"MAX_COUNT": 1}}
    response = helper.post(page(mine, "reply"), {"text": "Look", "uploads": [upload(), upload("b.txt")]})
    assert response.context["form"].errors["uploads"] == ["No more than 1 files can be attached."]


def test_files_are_not_asked_for_where_none_are_taken(helper: Client, mine: Thread, settings: Any) -> None:
    settings.CHATKIT = {}
    assert 'type="file"' not in change_page(helper, mine)
    helper.post(page(mine, "reply"), {"text": "Look", "uploads": [upload()]})
    assert Attachment.objects.count() == 0


# --- Handing back and on ------------------------------------------------------------------------------------


def test_thread_is_handed_back_with_an_instruction(helper: Client, mine: Thread) -> None:
    response = helper.post(page(mine, "hand-back"), {"instruction": "Offer a refund."})
    assert told(response) == ["The assistant answers in this conversation again."]
    mine.refresh_from_db()
    assert mine.handler == "assistant"
    note = ThreadItem.objects.filter(type="hidden_context_item").last()
    assert note is not None
    assert "Offer a refund." in note.payload["content"]
    assert "Offer a refund." not in change_page(helper, mine)


def test_who_hands_back_is_told_of_a_message_without_an_answer(helper: Client, mine: Thread) -> None:
    hint = "The user’s last message is not answered yet."
    make_item(mine, text="And now?")
    assert hint in change_page(helper, mine)
    assert hint in helper.get(page(mine, "hand-back")).content.decode()
    takeover.reply(mine, "Here I am.", actor=helper.staff)  # type: ignore[attr-defined]
    assert hint not in change_page(helper, mine)
    assert hint not in helper.get(page(mine, "hand-back")).content.decode()


def test_thread_is_handed_to_the_team(helper: Client, mine: Thread) -> None:
    helper.post(page(mine, "hand-on"), {"reason": "Needs a lawyer"})
    mine.refresh_from_db()
    assert (mine.handler, mine.handler_reason) == ("waiting", "Needs a lawyer")
    html = change_page(helper, mine)
    assert "The user has been waiting for a person for less than a minute." in html
    assert "Why the team was called: Needs a lawyer" in html
    assert "Leave to the assistant</button>" in html


def test_user_who_waits_for_long_is_told_with_the_minutes(helper: Client) -> None:
    thread = make_thread("x", handler="waiting", handler_since=timezone.now() - timedelta(minutes=5))
    html = change_page(helper, thread)
    assert "The user has been waiting for a person for 5\xa0minutes." in html
    assert "Why the team was called" not in html


@pytest.mark.parametrize("name", ["hand-back", "hand-on"])
def test_thread_of_another_is_not_handed_away(helper: Client, name: str) -> None:
    thread = takeover.take_over(make_thread("x"), actor=make_staff("kim", first_name="Kim"))
    response = helper.post(page(thread, name))
    assert "Kim has this conversation now." in response.content.decode()
    thread.refresh_from_db()
    assert thread.handler == "staff"


# --- For the page's script ----------------------------------------------------------------------------------


def test_script_is_told_what_has_come_of_a_form(helper: Client) -> None:
    thread = make_thread("x")
    taken = helper.post(page(thread, "take"), headers=QUIET)
    assert taken.json() == {
        "messages": [{"text": "You answer in this conversation now.", "level": "success"}]
    }
    refused = helper.post(page(thread, "reply"), {"text": ""}, headers=QUIET)
    assert refused.status_code == 422
    assert refused.json() == {"errors": ["Write something, or choose a file."]}
    # And nothing is left to be said on the next page.
    assert "You answer in this conversation now." not in change_page(helper, thread)


def test_script_is_told_what_has_come_of_an_action_of_the_list(moderator: Client) -> None:
    thread = make_thread("x")
    sent = {"action": "lock_threads", "_selected_action": [thread.pk]}
    asked = moderator.post(LIST, sent, headers=QUIET)
    assert "chatkit-confirmation" in asked.content.decode()
    refused = moderator.post(LIST, sent | {"post": "yes"}, headers=QUIET)
    assert (refused.status_code, refused.json()) == (422, {"errors": ["This field is required."]})
    done = moderator.post(LIST, sent | {"post": "yes", "reason": "Spam"}, headers=QUIET)
    assert done.json() == {"messages": [{"text": "1 thread was locked.", "level": "success"}]}
    thread.refresh_from_db()
    assert thread.status == "locked"


def test_what_the_user_has_seen_is_told(helper: Client, mine: Thread) -> None:
    takeover.reply(mine, "Here", actor=helper.staff)  # type: ignore[attr-defined]
    assert "Seen at" not in change_page(helper, mine)
    Thread.objects.filter(pk=mine.pk).update(seen_at=ThreadItem.objects.latest("pk").created_at)
    assert "Seen at" in change_page(helper, mine)


# --- Canned replies -----------------------------------------------------------------------------------------


def test_canned_replies_are_those_for_the_thread_filled_in(helper: Client) -> None:
    user = make_staff("maria", first_name="Maria", is_staff=False)
    thread = make_thread("x", user=user, namespace="shop")
    make_run(thread, "completed", context={"locale": "pt-br"})
    for shortcut, namespace, language in [
        ("all", "", ""),
        ("all", "", "pt-br"),
        ("shop", "shop", ""),
        ("other", "bank", ""),
        ("german", "", "de"),
        ("brazil", "", "pt-br"),
        ("any", "", "pt"),
    ]:
        CannedReply.objects.create(
            shortcut=shortcut,
            title="t",
            text="{user}, {staff} {0} {thread}",
            namespace=namespace,
            language=language,
        )
    replies = helper.get(page(thread, "canned")).json()["replies"]
    assert [reply["shortcut"] for reply in replies] == ["all", "all", "any", "brazil", "shop"]
    assert {reply["text"] for reply in replies} == {"Maria, A nossa equipe {0} {thread}"}


@pytest.mark.parametrize("shortcut", ["", "a b", "a/b", "a\n"])
def test_shortcut_of_a_canned_reply_is_one_word(admin_client: Client, shortcut: str) -> None:
    data = {"shortcut": shortcut, "title": "t", "text": "x", "namespace": "", "language": ""}
    response = admin_client.post("/admin/chatkit_app/cannedreply/add/", data)
    if shortcut.strip() == "a":
        assert CannedReply.objects.get().shortcut == "a"
    else:
        assert response.context["adminform"].form.errors["shortcut"]


def test_assistant_message_is_no_answer_of_a_person(helper: Client, mine: Thread) -> None:
    make_item(mine, "assistant_message", payload={"content": []})
    assert "Seen at" not in change_page(helper, mine)
