"""Labels, put on threads and taken off."""

from collections.abc import Callable

import pytest
from django.test import Client

from chatkit_app.models import AuditEntry, Label, Thread

from .conftest import make_thread
from .thread_pages import LABELS, LIST, act, names, page

pytestmark = pytest.mark.django_db


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
