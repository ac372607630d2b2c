"""Who may do what a page asks about."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from chatkit_app.models import Assignment, AuditEntry, Flag, Label, Note

from .conftest import make_thread
from .thread_pages import act, make_staff, names, page

pytestmark = pytest.mark.django_db


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
    settings.CHATKIT = {"ADMIN_SCOPE": "tests.admin.thread_pages.only_mine"}
    thread = make_thread("x", namespace="theirs")
    data = {"reason": "x", "text": "x", "user": moderator.staff.username}  # type: ignore[attr-defined]
    assert moderator.post(page(thread, name), data).status_code == 404
    assert not Flag.objects.exists()
    assert not Note.objects.exists()
    assert not Assignment.objects.exists()


def test_actions_leave_threads_out_of_scope_alone(moderator: Client, settings: Any) -> None:
    settings.CHATKIT = {"ADMIN_SCOPE": "tests.admin.thread_pages.only_mine"}
    bug = Label.objects.create(name="bug")
    theirs, own = make_thread("x", namespace="theirs"), make_thread("x", namespace="mine")
    act(moderator, "add_label", theirs, own, post="yes", label=bug.pk)
    assert [names(theirs), names(own)] == [[], ["bug"]]


@pytest.mark.parametrize("name", ["flag", "notes", "labels", "assign", "unassign"])
def test_forged_requests_are_refused(staff: Callable[..., Client], name: str) -> None:
    client = staff("view_thread", "view_content", "moderate_thread", enforce_csrf_checks=True)
    assert client.post(page(make_thread("x"), name), {"reason": "x", "text": "x"}).status_code == 403
