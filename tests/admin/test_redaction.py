"""The page that redacts one message."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from chatkit_app.models import Attachment, AuditEntry, Thread, ThreadItem
from chatkit_app.moderation.redaction import redact

from .conftest import make_item, make_thread

pytestmark = pytest.mark.django_db
LIST = "/admin/chatkit_app/thread/"
ALL = ("view_thread", "view_content", "redact_item")


@pytest.fixture
def redactor(staff: Callable[..., Client]) -> Client:
    return staff(*ALL)


def page_of(item: ThreadItem, thread: Thread | None = None) -> str:
    return f"{LIST}{(thread or item.thread).pk}/items/{item.pk}/redact/"


def is_redacted(item: ThreadItem) -> bool:
    item.refresh_from_db()
    return item.payload == {"$redacted": True}


def test_page_shows_which_message_and_what_goes_with_it(redactor: Client) -> None:
    thread = make_thread("Sofas")
    file = {"type": "file", "id": "atc_1", "name": "<b>card.png", "mime_type": "image/png"}
    payload = {"content": [], "inference_options": {}, "attachments": [file]}
    item = make_item(thread, text="my <i>secret</i> number " + "x" * 400, payload=payload)
    Attachment.objects.create(
        public_id="atc_1", thread=thread, type="file", name="<b>card.png", mime_type="image/png"
    )
    html = redactor.get(page_of(item)).content.decode()
    assert "User message of " in html
    assert "my &lt;i&gt;secret&lt;/i&gt; number xxx" in html
    assert "x" * 300 not in html
    assert "1 file: &lt;b&gt;card.png" in html
    assert "for staff only" in html
    assert not is_redacted(item)


def test_page_leads_to_others_with_the_same_words(redactor: Client, staff: Callable[..., Client]) -> None:
    thread = make_thread("Sofas")
    item = make_item(thread, text="My card is **1234-5678**.")
    again = make_item(thread, "assistant_message", text="You said: my card is 1234 5678. Is that right?")
    hidden = make_item(thread, "hidden_context_item", text="my card is 12345678")
    make_item(thread, text="My card is another one.")
    make_item(make_thread(), text="my card is 1234-5678")
    html = redactor.get(page_of(item)).content.decode()
    assert "1 other message has the same words, and stays as it is:" in html
    assert f'<a href="{LIST}{thread.pk}/change/?item={again.pk}">' in html
    assert f"?item={hidden.pk}" not in html
    seer = staff(*ALL, "view_hidden_context")
    html = seer.get(page_of(item)).content.decode()
    assert "2 other messages have the same words, and stay as they are:" in html
    assert f"?item={hidden.pk}" in html


@pytest.mark.parametrize("text", ["ja", "—", ""])
def test_page_leads_nowhere_for_words_that_are_everywhere(redactor: Client, text: str) -> None:
    thread = make_thread("Sofas")
    item = make_item(thread, text=text)
    make_item(thread, text=f"January {text}")
    html = redactor.get(page_of(item)).content.decode()
    assert "the same words" not in html


def test_reading_the_message_to_be_redacted_is_in_the_audit(redactor: Client) -> None:
    item = make_item(make_thread(), text="my secret")
    redactor.get(page_of(item))
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.thread_key, entry.item_key) == (
        "read",
        item.thread.public_id,
        item.public_id,
    )


def test_message_is_redacted_with_a_reason(redactor: Client) -> None:
    item = make_item(make_thread("Sofas"), text="my secret")
    response = redactor.post(page_of(item), {"reason": "Private data"})
    assert response["Location"] == f"{LIST}{item.thread_id}/change/?item={item.pk}"
    assert is_redacted(item)
    name = redactor.staff.username  # type: ignore[attr-defined]
    assert (item.redacted_by, item.redaction_reason) == (name, "Private data")
    assert AuditEntry.objects.get().action == "redact"
    assert LogEntry.objects.get().change_message == "Redacted"
    html = redactor.get(response["Location"]).content.decode()
    assert "The message was redacted." in html
    assert f"Redacted by {name}" in html
    assert "This message was removed by a moderator." in html
    assert "my secret" not in html


@pytest.mark.parametrize("reason", ["", "  ", "a\x00b", "x" * 1001])
def test_redaction_wants_a_reason(redactor: Client, reason: str) -> None:
    item = make_item(make_thread(), text="my secret")
    response = redactor.post(page_of(item), {"reason": reason})
    assert response.status_code == 200
    assert response.context["form"].errors["reason"]
    assert not is_redacted(item)


@pytest.mark.parametrize("method", ["get", "post"])
def test_second_tab_is_told_by_whom_it_was_done(redactor: Client, admin_user: Any, method: str) -> None:
    item = make_item(make_thread(), text="my secret")
    redact(item, actor=admin_user, reason="First")
    data = {"reason": "Second"} if method == "post" else {}
    html = getattr(redactor, method)(page_of(item), data, follow=True).content.decode()
    assert "The message was redacted already. (admin, " in html
    item.refresh_from_db()
    assert item.redaction_reason == "First"
    assert AuditEntry.objects.filter(action="redact").count() == 1


def test_faster_moderator_is_named_to_the_slower_one(
    redactor: Client, admin_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have asked at the same moment."""
    item = make_item(make_thread(), text="my secret")

    def slower(item: ThreadItem, **kwargs: Any) -> ThreadItem:
        redact(item, actor=admin_user, reason="First")
        return redact(item, **kwargs)

    monkeypatch.setattr("chatkit_app.admin.redaction.redact", slower)
    html = redactor.post(page_of(item), {"reason": "Second"}, follow=True).content.decode()
    assert "The message was redacted already. (admin, " in html


def test_message_that_is_deleted_meanwhile_is_not_found(
    redactor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = make_item(make_thread(), text="my secret")

    def slower(item: ThreadItem, **kwargs: Any) -> ThreadItem:
        ThreadItem.objects.all().delete()
        return redact(item, **kwargs)

    monkeypatch.setattr("chatkit_app.admin.redaction.redact", slower)
    assert redactor.post(page_of(item), {"reason": "x"}).status_code == 404


@pytest.mark.parametrize(
    ("permissions", "may"),
    [
        (ALL, True),
        (("view_thread", "view_content"), False),
        (("view_thread", "redact_item"), False),
        (("view_content", "redact_item"), False),
        (("view_thread", "view_content", "moderate_thread", "delete_thread"), False),
    ],
)
def test_only_those_redact_who_may_and_may_read(
    staff: Callable[..., Client], permissions: tuple[str, ...], may: bool
) -> None:
    item = make_item(make_thread(), text="my secret")
    client = staff(*permissions)
    assert (client.get(page_of(item)).status_code == 200) is may
    client.post(page_of(item), {"reason": "x"})
    assert is_redacted(item) is may
    assert AuditEntry.objects.filter(action="refused").count() == (0 if may else 2)


@pytest.mark.parametrize("type", ["hidden_context_item", "sdk_hidden_context", "client_tool_call"])
def test_hidden_items_are_redacted_by_those_who_may_see_them(staff: Callable[..., Client], type: str) -> None:
    item = make_item(make_thread(), type, payload={"content": "my secret"})
    client = staff(*ALL)
    assert client.get(page_of(item)).status_code == 403
    assert client.post(page_of(item), {"reason": "x"}).status_code == 403
    assert not is_redacted(item)
    seeing = staff(*ALL, "view_hidden_context")
    assert "my secret" in seeing.get(page_of(item)).content.decode()
    seeing.post(page_of(item), {"reason": "x"})
    assert is_redacted(item)


def test_item_of_another_thread_is_not_found(redactor: Client) -> None:
    item = make_item(make_thread(), text="my secret")
    assert redactor.post(page_of(item, make_thread()), {"reason": "x"}).status_code == 404
    assert not is_redacted(item)


@pytest.mark.parametrize("place", ["999999", "9" * 30])
def test_item_that_is_not_there_is_not_found(redactor: Client, place: str) -> None:
    thread = make_thread()
    for path in (f"{thread.pk}/items/{place}", f"{place}/items/1"):
        response = redactor.post(f"{LIST}{path}/redact/", {"reason": "x"})
        assert response.status_code == 404


def test_end_of_a_turn_holds_nothing_to_redact(redactor: Client) -> None:
    item = make_item(make_thread(), "end_of_turn", payload={})
    assert redactor.post(page_of(item), {"reason": "x"}).status_code == 404


def only_sales(user: Any, threads: Any) -> Any:
    return threads.filter(namespace="sales")


def test_item_out_of_scope_is_not_found(redactor: Client, settings: Any) -> None:
    settings.CHATKIT = {"ADMIN_SCOPE": f"{__name__}.only_sales"}
    mine, theirs = (make_item(make_thread(namespace=name), text="my secret") for name in ("sales", "hr"))
    assert redactor.post(page_of(theirs), {"reason": "x"}).status_code == 404
    assert not is_redacted(theirs)
    redactor.post(page_of(mine), {"reason": "x"})
    assert is_redacted(mine)


def test_forged_redaction_is_refused(staff: Callable[..., Client]) -> None:
    item = make_item(make_thread(), text="my secret")
    client = staff(*ALL, enforce_csrf_checks=True)
    assert client.post(page_of(item), {"reason": "x"}).status_code == 403
    assert not is_redacted(item)
