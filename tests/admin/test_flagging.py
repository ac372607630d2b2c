"""Flags that staff raise."""

import pytest
from django.test import Client

from chatkit_app.models import AuditEntry, Flag

from .conftest import make_item, make_thread
from .thread_pages import LIST, page

pytestmark = pytest.mark.django_db


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
