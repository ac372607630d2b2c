"""Notes about threads."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils.module_loading import import_string

from chatkit_app.models import AuditEntry, Note, Thread

from .conftest import make_thread
from .thread_pages import LIST, page

pytestmark = pytest.mark.django_db


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
        ("notes", "chatkit_app.admin.notes.add_note", {"text": "A note"}),
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
