"""Who looks after a thread."""

from typing import Any

import pytest
from django.test import Client

from chatkit_app.models import AuditEntry

from .conftest import make_thread
from .thread_pages import LIST, act, assignee, make_staff, page

pytestmark = pytest.mark.django_db


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
    assert 'value="a-user"' not in html


def test_selected_threads_are_assigned(moderator: Client) -> None:
    one, two = make_thread("one"), make_thread("two")
    name = moderator.staff.username  # type: ignore[attr-defined]
    assert f'value="{name}"' in act(moderator, "assign_threads", one, two).content.decode()
    act(moderator, "assign_threads", one, two, post="yes", user=name)
    assert [assignee(one), assignee(two)] == [name, name]
    act(moderator, "unassign_threads", one)
    assert [assignee(one), assignee(two)] == [None, name]
    assert AuditEntry.objects.filter(action="assign").count() == 3
