"""Erase a person from the admin."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from chatkit_app.models import AuditEntry, Thread, ThreadItem

from .conftest import make_item, make_run, make_thread

pytestmark = pytest.mark.django_db
LIST = "/admin/chatkit_app/thread/"
MAY = ("view_thread", "view_content", "erase_owner")


@pytest.fixture
def eraser(staff: Callable[..., Client]) -> Client:
    return staff(*MAY)


def erase(client: Client, thread: Thread, owner: str, reason: str = "Asked us to") -> Any:
    return client.post(f"{LIST}{thread.pk}/erase/", {"owner": owner, "reason": reason}, follow=True)


def of_the_shop(user: Any, threads: Any) -> Any:
    return threads.filter(namespace="shop")


def test_page_tells_what_goes(eraser: Client) -> None:
    user = User.objects.create_user("ada")
    thread = make_thread("one", user=user)
    make_item(thread)
    make_run(make_thread("two", user=user, namespace="shop"), "completed", user=user)
    make_thread("other")
    html = eraser.get(f"{LIST}{thread.pk}/erase/").content.decode()
    assert "Threads: 2, items: 1, runs: 1" in html
    assert "account stays" in html
    assert "type ada" in html
    assert Thread.objects.count() == 3


def test_page_tells_no_titles_to_those_who_may_not_read(staff: Callable[..., Client]) -> None:
    thread = make_thread("my secret", visitor_id="v")
    html = staff("view_thread", "erase_owner").get(f"{LIST}{thread.pk}/erase/").content.decode()
    assert "my secret" not in html
    assert "account stays" not in html


@pytest.mark.parametrize("typed", ["ada", "ID", "user:ID"])
def test_user_is_erased_when_named_once_more(eraser: Client, typed: str) -> None:
    user = User.objects.create_user("ada")
    thread = make_thread(user=user)
    make_item(thread)
    make_thread(user=user, namespace="shop")
    other = make_thread()
    response = erase(eraser, thread, typed.replace("ID", str(user.pk)))
    assert response.redirect_chain == [(LIST, 302)]
    assert "All data of this person was erased. Threads: 2, items: 1" in response.content.decode()
    assert (list(Thread.objects.all()), ThreadItem.objects.count()) == ([other], 0)
    assert User.objects.filter(username="ada").exists()


def test_visitor_is_erased(eraser: Client) -> None:
    thread = make_thread(visitor_id="v1")
    other = make_thread(visitor_id="v2")
    erase(eraser, thread, "v1")
    assert list(Thread.objects.all()) == [other]


@pytest.mark.parametrize(
    ("owner", "reason"),
    [("bob", "x"), ("", "x"), ("ADA", "x"), ("ada", ""), ("a\x00da", "x"), ("7" * 300, "x")],
)
def test_nothing_is_erased_without_name_and_reason(eraser: Client, owner: str, reason: str) -> None:
    thread = make_thread(user=User.objects.create_user("ada"))
    response = erase(eraser, thread, owner, reason)
    assert "errorlist" in response.content.decode()
    assert Thread.objects.exists()


def test_erasure_is_in_the_audit(eraser: Client) -> None:
    thread = make_thread("my secret", visitor_id="v1")
    erase(eraser, thread, "v1")
    begun, done = AuditEntry.objects.filter(action="erase").order_by("pk")
    assert (begun.actor_name, done.owner, done.reason) == (
        eraser.staff.username,  # type: ignore[attr-defined]
        "visitor:v1",
        "Asked us to",
    )
    assert done.details == {"erased": {"thread": 1}}


@pytest.mark.parametrize("missing", ["view_thread", "erase_owner"])
def test_erasure_needs_its_permissions(staff: Callable[..., Client], missing: str) -> None:
    client = staff(*(name for name in MAY if name != missing))
    thread = make_thread(visitor_id="v")
    assert client.get(f"{LIST}{thread.pk}/erase/").status_code == 403
    assert erase(client, thread, "v").status_code == 403
    assert Thread.objects.exists()


def test_erasure_is_refused_where_a_thread_is_out_of_scope(eraser: Client, settings: Any) -> None:
    settings.CHATKIT = {"ADMIN_SCOPE": "tests.admin.test_erasure.of_the_shop"}
    thread = make_thread(visitor_id="v", namespace="shop")
    other = make_thread(visitor_id="v")
    response = erase(eraser, thread, "v")
    assert "threads that you may not see" in response.content.decode()
    assert Thread.objects.count() == 2
    assert AuditEntry.objects.filter(action="refused").exists()
    assert erase(eraser, other, "v").status_code == 404
    other.delete()
    erase(eraser, thread, "v")
    assert not Thread.objects.exists()


def test_thread_of_nobody_erases_nobody(eraser: Client) -> None:
    thread = make_thread(visitor_id="")
    make_thread(visitor_id="")
    response = erase(eraser, thread, "")
    assert "This thread has no owner." in response.content.decode()
    assert Thread.objects.count() == 2


def test_second_tab_finds_nothing_any_more(eraser: Client) -> None:
    thread = make_thread(visitor_id="v")
    erase(eraser, thread, "v")
    assert erase(eraser, thread, "v").status_code == 404
