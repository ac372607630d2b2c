"""The pages and actions for notes, labels, the assignee, and for raising a flag."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.module_loading import import_string

from chatkit_app.models import Assignment, AuditEntry, Flag, Label, Note, Thread

from .conftest import make_item, make_thread

pytestmark = pytest.mark.django_db
LIST = "/admin/chatkit_app/thread/"
LABELS = "/admin/chatkit_app/label/"


def only_mine(user: Any, threads: Any) -> Any:
    return threads.filter(namespace="mine")


def page(thread: Thread, name: str) -> str:
    return f"{LIST}{thread.pk}/{name}/"


def act(client: Client, action: str, *threads: Thread, **data: Any) -> Any:
    return client.post(LIST, {"action": action, "_selected_action": [row.pk for row in threads], **data})


def names(thread: Thread) -> list[str]:
    return [label.name for label in thread.labels.all()]


def assignee(thread: Thread) -> str | None:
    return Assignment.objects.filter(thread=thread).values_list("assignee__username", flat=True).first()


def make_staff(name: str, *, may_see: bool = True, **fields: Any) -> User:
    user = User.objects.create_user(name, **{"is_staff": True, "is_superuser": may_see, **fields})
    return user


# --- Flags --------------------------------------------------------------------------------------------------


def test_thread_is_flagged(moderator: Client) -> None:
    thread = make_thread("x")
    response = moderator.post(page(thread, "flag"), {"reason": "Rude"})
    assert response["Location"] == f"{LIST}{thread.pk}/change/"
    flag = Flag.objects.get()
    assert (flag.thread, flag.item, flag.source, flag.reason) == (thread, None, "staff", "Rude")
    assert flag.raised_by == moderator.staff.username  # type: ignore[attr-defined]
    assert AuditEntry.objects.get(action="flag").reason == "Rude"


def test_message_is_flagged(moderator: Client) -> None:
    thread = make_thread("x")
    item = make_item(thread, text="y")
    url = f"{page(thread, 'flag')}?item={item.pk}"
    assert f"Message {item.public_id}" in moderator.get(url).content.decode()
    moderator.post(url, {"reason": "Rude"})
    assert Flag.objects.get().item == item


@pytest.mark.parametrize("number", ["", "x", "-1", "9" * 30, "other"])
def test_message_of_another_thread_is_not_flagged(moderator: Client, number: str) -> None:
    thread, other = make_thread("x"), make_thread("y")
    item = make_item(other, text="y")
    url = f"{page(thread, 'flag')}?item={item.pk if number == 'other' else number}"
    assert moderator.post(url, {"reason": "Rude"}).status_code == 404
    assert not Flag.objects.exists()


@pytest.mark.parametrize("reason", ["", " ", "a\x00b", "x" * 1001])
def test_flag_wants_a_reason(moderator: Client, reason: str) -> None:
    response = moderator.post(page(make_thread("x"), "flag"), {"reason": reason})
    assert response.context["form"].errors["reason"]
    assert not Flag.objects.exists()


# --- Notes --------------------------------------------------------------------------------------------------


def test_note_is_kept_and_shown(moderator: Client) -> None:
    thread = make_thread("x")
    response = moderator.post(page(thread, "notes"), {"text": "<b>Called</b> back.\u202e"})
    assert response["Location"] == f"{LIST}{thread.pk}/change/"
    html = moderator.get(page(thread, "notes")).content.decode()
    assert "&lt;b&gt;Called&lt;/b&gt; back.[U+202E]" in html
    assert moderator.staff.username in html  # type: ignore[attr-defined]


def test_reading_notes_is_in_the_audit(moderator: Client) -> None:
    thread = make_thread("x")
    moderator.get(page(thread, "notes"))
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.thread_key) == ("read", thread.public_id)
    assert entry.details == {"page": "notes", "count": 0}


@pytest.mark.parametrize(
    ("name", "does", "data"),
    [
        ("flag", "chatkit_app.staff.flags.flag", {"reason": "Spam"}),
        ("notes", "chatkit_app.admin.casework.add_note", {"text": "A note"}),
    ],
)
def test_thread_that_is_deleted_meanwhile_is_not_found(
    moderator: Client, monkeypatch: pytest.MonkeyPatch, name: str, does: str, data: dict[str, str]
) -> None:
    path, do = page(make_thread("x"), name), import_string(does)

    def do_late(*args: Any, **kwargs: Any) -> Any:
        Thread.objects.all().delete()
        return do(*args, **kwargs)

    monkeypatch.setattr(does, do_late)
    assert moderator.post(path, data).status_code == 404


@pytest.mark.parametrize("text", ["", "  ", "a\x00b", "x" * 10_001])
def test_wrong_note_is_asked_for_again(moderator: Client, text: str) -> None:
    response = moderator.post(page(make_thread("x"), "notes"), {"text": text})
    assert response.context["form"].errors["text"]
    assert not Note.objects.exists()


def test_notes_are_for_those_who_may_read(staff: Callable[..., Client]) -> None:
    thread = make_thread("x")
    Note.objects.create(thread=thread, author_name="a", text="secret")
    for permissions in (["view_thread", "moderate_thread"], ["view_thread", "view_content"]):
        client = staff(*permissions)
        assert client.get(page(thread, "notes")).status_code == 403
        assert client.post(page(thread, "notes"), {"text": "x"}).status_code == 403
    assert Note.objects.count() == 1


# --- Labels -------------------------------------------------------------------------------------------------


def test_labels_are_changed(moderator: Client) -> None:
    bug, spam, vip = (Label.objects.create(name=name) for name in ("bug", "spam", "vip"))
    thread = make_thread("x")
    thread.labels.set([bug, spam])
    html = moderator.get(page(thread, "labels")).content.decode()
    assert html.count(" checked") == 2
    assert html.count('name="initial-labels"') == 2
    data = {"labels": [spam.pk, vip.pk], "initial-labels": [bug.pk, spam.pk]}
    assert moderator.post(page(thread, "labels"), data)["Location"] == f"{LIST}{thread.pk}/change/"
    assert names(thread) == ["spam", "vip"]


def test_labels_of_another_moderator_stay(moderator: Client) -> None:
    bug, spam, vip = (Label.objects.create(name=name) for name in ("bug", "spam", "vip"))
    thread = make_thread("x")
    thread.labels.set([bug, vip])  # the page was shown with spam instead of vip
    moderator.post(page(thread, "labels"), {"labels": [], "initial-labels": [bug.pk, spam.pk]})
    assert names(thread) == ["vip"]


@pytest.mark.parametrize("chosen", ["x", "9" * 30, "999999", "1\x00"])
def test_wrong_labels_are_refused(moderator: Client, chosen: str) -> None:
    thread = make_thread("x")
    thread.labels.add(Label.objects.create(name="bug"))
    response = moderator.post(page(thread, "labels"), {"labels": [chosen], "initial-labels": ["\x00"]})
    assert response.context["form"].errors["labels"]
    assert names(thread) == ["bug"]


def test_selected_threads_are_labelled(moderator: Client) -> None:
    bug = Label.objects.create(name="bug")
    one, two, other = make_thread("one"), make_thread("two"), make_thread("other")
    assert "2 threads:" in act(moderator, "add_label", one, two).content.decode()
    assert names(one) == []
    act(moderator, "add_label", one, two, post="yes", label=bug.pk)
    assert [names(thread) for thread in (one, two, other)] == [["bug"], ["bug"], []]
    act(moderator, "remove_label", one, post="yes", label=bug.pk)
    assert [names(thread) for thread in (one, two)] == [[], ["bug"]]
    assert AuditEntry.objects.filter(action="label").count() == 3


@pytest.mark.parametrize("label", ["", "x", "999", "9" * 30, "1\x00"])
def test_label_to_add_has_to_be_chosen(moderator: Client, label: str) -> None:
    response = act(moderator, "add_label", make_thread("x"), post="yes", label=label)
    assert response.context["form"].errors["label"]


def test_labels_are_made_by_those_who_may(staff: Callable[..., Client]) -> None:
    maker, moderator = staff("add_label", "view_label"), staff("view_thread", "moderate_thread")
    data = {"name": "<b>urgent</b>", "color": "red"}
    assert moderator.post(f"{LABELS}add/", data).status_code == 403
    assert maker.post(f"{LABELS}add/", data).status_code == 302
    html = maker.get(LABELS).content.decode()
    assert "&lt;b&gt;urgent&lt;/b&gt;" in html
    assert "chatkit-label-red" in html


def test_where_no_label_is_the_page_leads_those_who_may_to_labels(
    moderator: Client, staff: Callable[..., Client]
) -> None:
    thread = make_thread("x")
    maker = staff("view_thread", "moderate_thread", "add_label", "view_label")
    link = f'<a href="{LABELS}add/">There are no labels yet.'
    assert link in maker.get(f"/admin/chatkit_app/thread/{thread.pk}/labels/").content.decode()
    assert link not in moderator.get(f"/admin/chatkit_app/thread/{thread.pk}/labels/").content.decode()


def test_deleting_a_label_counts_its_threads(staff: Callable[..., Client]) -> None:
    label = Label.objects.create(name="bug")
    for number in range(3):
        make_thread(f"secret {number}").labels.add(label)
    client = staff("view_label", "delete_label")
    html = client.get(f"{LABELS}{label.pk}/delete/").content.decode()
    assert "<li>Labelled threads: 3</li>" in html
    assert "secret" not in html
    client.post(f"{LABELS}{label.pk}/delete/", {"post": "yes"})
    assert not Label.objects.exists()
    assert Thread.objects.count() == 3


# --- The assignee -------------------------------------------------------------------------------------------


def test_thread_is_assigned_and_unassigned(moderator: Client) -> None:
    thread = make_thread("x")
    make_staff("kim")
    response = moderator.post(page(thread, "assign"), {"user": "kim"})
    assert response["Location"] == f"{LIST}{thread.pk}/change/"
    assert assignee(thread) == "kim"
    moderator.post(page(thread, "assign"), {"user": moderator.staff.username})  # type: ignore[attr-defined]
    assert assignee(thread) == moderator.staff.username  # type: ignore[attr-defined]
    assert moderator.get(page(thread, "unassign")).status_code == 405
    moderator.post(page(thread, "unassign"))
    assert assignee(thread) is None


@pytest.mark.parametrize("name", ["", "nobody", "user", "former", "blind", "a\x00b", "x" * 300])
def test_threads_are_assigned_to_active_staff_who_may_see_them(moderator: Client, name: str) -> None:
    thread = make_thread("x")
    make_staff("user", is_staff=False)
    make_staff("former", is_active=False)
    make_staff("blind", may_see=False)
    response = moderator.post(page(thread, "assign"), {"user": name})
    assert response.context["form"].errors["user"]
    assert assignee(thread) is None


def test_threads_are_not_assigned_out_of_scope(moderator: Client, settings: Any) -> None:
    settings.CHATKIT = {"ADMIN_SCOPE": f"{__name__}.mine_or_named"}
    thread = make_thread("x", namespace="mine")
    make_staff("stranger")
    response = moderator.post(page(thread, "assign"), {"user": "stranger"})
    assert response.context["form"].errors["user"] == ["This staff member may not see all of these threads."]


def mine_or_named(user: Any, threads: Any) -> Any:
    return threads.none() if user.username == "stranger" else threads


def test_names_of_staff_are_offered(moderator: Client, django_assert_max_num_queries: Any) -> None:
    thread = make_thread("x")
    make_staff("<kim>")
    make_staff("a-user", is_staff=False)
    make_staff("former", is_active=False)
    for number in range(60):
        make_staff(f"staff-member-{number}")
    with django_assert_max_num_queries(7):
        html = moderator.get(page(thread, "assign")).content.decode()
    assert '<option value="&lt;kim&gt;">' in html
    assert html.count("<option") == 50
    assert "former" not in html
    assert "a-user" not in html


def test_selected_threads_are_assigned(moderator: Client) -> None:
    one, two = make_thread("one"), make_thread("two")
    name = moderator.staff.username  # type: ignore[attr-defined]
    assert f'value="{name}"' in act(moderator, "assign_threads", one, two).content.decode()
    act(moderator, "assign_threads", one, two, post="yes", user=name)
    assert [assignee(one), assignee(two)] == [name, name]
    act(moderator, "unassign_threads", one)
    assert [assignee(one), assignee(two)] == [None, name]
    assert AuditEntry.objects.filter(action="assign").count() == 3


# --- Who may ------------------------------------------------------------------------------------------------

PAGES = {
    "flag": {"reason": "x"},
    "labels": {},
    "assign": {"user": "kim"},
    "unassign": {},
}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(
    ("permissions", "allowed"),
    [
        (["view_thread", "view_content", "redact_item", "export_thread"], False),
        (["moderate_thread"], False),
        (["view_thread", "moderate_thread"], True),
    ],
)
def test_permissions(staff: Callable[..., Client], name: str, permissions: list[str], allowed: bool) -> None:
    make_staff("kim")
    thread = make_thread("x")
    response = staff(*permissions).post(page(thread, name), PAGES[name])
    assert response.status_code == (302 if allowed else 403)
    assert AuditEntry.objects.filter(action="refused").exists() != allowed


@pytest.mark.parametrize("name", ["flag", "notes", "labels", "assign", "unassign"])
def test_threads_out_of_scope_do_not_exist(moderator: Client, settings: Any, name: str) -> None:
    settings.CHATKIT = {"ADMIN_SCOPE": f"{__name__}.only_mine"}
    thread = make_thread("x", namespace="theirs")
    data = {"reason": "x", "text": "x", "user": moderator.staff.username}  # type: ignore[attr-defined]
    assert moderator.post(page(thread, name), data).status_code == 404
    assert not Flag.objects.exists()
    assert not Note.objects.exists()
    assert not Assignment.objects.exists()


def test_actions_leave_threads_out_of_scope_alone(moderator: Client, settings: Any) -> None:
    settings.CHATKIT = {"ADMIN_SCOPE": f"{__name__}.only_mine"}
    bug = Label.objects.create(name="bug")
    theirs, own = make_thread("x", namespace="theirs"), make_thread("x", namespace="mine")
    act(moderator, "add_label", theirs, own, post="yes", label=bug.pk)
    assert [names(theirs), names(own)] == [[], ["bug"]]


@pytest.mark.parametrize("name", ["flag", "notes", "labels", "assign", "unassign"])
def test_forged_requests_are_refused(staff: Callable[..., Client], name: str) -> None:
    client = staff("view_thread", "view_content", "moderate_thread", enforce_csrf_checks=True)
    assert client.post(page(make_thread("x"), name), {"reason": "x", "text": "x"}).status_code == 403
