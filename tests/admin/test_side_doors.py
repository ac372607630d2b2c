"""What is said leaves the admin by no side door: staff who may do everything but read see none of it anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import models, transaction
from django.test import Client, RequestFactory

from chatkit_app.flags import flag
from chatkit_app.models import (
    Approval,
    Attachment,
    AuditEntry,
    CannedReply,
    DailyStatistics,
    Label,
    Thread,
    WebhookDelivery,
)
from chatkit_app.moderation import set_status
from chatkit_app.staff import audit
from chatkit_app.staff.notes import add_note

from .conftest import make_item, make_run, make_thread, set_aside
from .test_permissions import DOINGS, Doing, filled

pytestmark = pytest.mark.django_db
WORD = "marzipan"
APP = "/admin/chatkit_app/"
READS = ("view_content", "view_hidden_context", "view_auditentry")


@pytest.fixture
def world(tmp_path: Any, settings: Any) -> dict[str, Any]:
    """One of everything, with the word wherever somebody can have written it."""
    settings.MEDIA_ROOT = tmp_path
    maria, boss = User.objects.create_user("maria"), User.objects.create_superuser("boss")
    thread = make_thread(f"A {WORD}", user=maria, metadata={"a": WORD}, last_preview=f"{WORD}!", open_flags=0)
    item = make_item(thread, text=f"Some {WORD}, please")
    hidden = make_item(thread, "hidden_context_item", payload={"content": WORD})
    tool = {"name": WORD, "call_id": "1", "arguments": {"a": WORD}, "status": "completed", "output": WORD}
    make_item(thread, "client_tool_call", payload=tool)
    said = {"content": [{"type": "output_text", "text": WORD, "annotations": []}]}
    set_aside(make_item(thread, "assistant_message", WORD, said), place=item)
    redacted = make_item(thread, redaction_reason=f"Said {WORD}", redacted_by="boss")
    flagged = flag(thread, item=item, reason=f"They said {WORD}", actor=boss)
    resolved = flag(thread, rule="sweets", reason=f"{WORD} once more")
    type(resolved).objects.filter(pk=resolved.pk).update(
        resolved_at=thread.created_at, resolution="handled", resolution_note=WORD, resolved_by="boss"
    )
    add_note(thread, actor=boss, text=f"Likes {WORD}")
    closed = make_thread(f"{WORD} too", user=maria)
    for row, status in ((thread, "locked"), (thread, "active"), (closed, "closed")):
        set_status([row], Thread.Status(status), reason=f"Because of {WORD}", actor=boss)
    audit.record(audit.Action.EXPORT, actor=boss, thread=thread, reason=f"{WORD} is evidence")
    attachment = Attachment.objects.create(
        public_id="atc_1", thread=thread, user=maria, type="file", name=f"{WORD}.txt", mime_type="text/plain"
    )
    attachment.file = default_storage.save("chatkit/doors", ContentFile(WORD.encode()))
    attachment.save()
    run = make_run(thread, user=maria, error=f"No {WORD}", context={"session": {"likes": WORD}})
    Approval.objects.create(thread=thread, state=WORD, calls=[{"item": WORD}])
    label, used = Label.objects.create(name="one"), Label.objects.create(name="two")
    thread.labels.add(used)
    return {
        "thread": thread.pk,
        "closed": closed.pk,
        "item": item.pk,
        "item_key": item.public_id,
        "hidden": hidden.pk,
        "earlier": hidden.pk + 1_000,
        "redacted": redacted.pk,
        "run": run.pk,
        "feedback": item.feedback.create(kind="negative", user=maria).pk,
        "attachment": attachment.pk,
        "flag": flagged.pk,
        "waiting": make_thread(WORD, handler="waiting", handler_reason=f"Wants {WORD}").pk,
        "cannedreply": CannedReply.objects.create(shortcut="hi", title="Hello", text="Hello").pk,
        "webhookdelivery": WebhookDelivery.objects.create(
            thread=thread,
            public_id="msg_1",
            event="staff_replied",
            url="http://127.0.0.1:1/",
            status="given_up",
            payload={"data": {"text": WORD}},
        ).pk,
        "label": label.pk,
        "used_label": used.pk,
        "auditentry": AuditEntry.objects.first().pk,  # type: ignore[union-attr]
    }


@pytest.fixture
def blind(world: dict[str, Any]) -> Client:
    """Staff with every permission, also of Django's own apps, but those to read."""
    user = User.objects.create_user("blind", is_staff=True)
    user.user_permissions.set(Permission.objects.exclude(codename__in=READS))
    client = Client()
    client.force_login(user)
    return client


class Undone(Exception):
    pass


def seen(client: Client, path: str, data: Any = None, **how: Any) -> str:
    """All that a request and what it leads to show, its headers too. What it does is undone."""
    text = ""
    try:
        with transaction.atomic():
            response: Any = client.get(path) if data is None else client.post(path, data, **how)
            text += shown(response)
            text += " ".join(str(message) for message in get_messages(response.wsgi_request))
            if response.status_code == 302:
                text += shown(client.get(response["Location"]))
            raise Undone
    except Undone:
        return text


def shown(response: Any) -> str:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return unescape(body.decode(errors="replace")) + str(response.headers)


def test_the_word_is_there_to_be_seen(world: dict[str, Any]) -> None:
    """Each page below would show it to those who may read: what the other tests do not find has to be there."""
    reader = Client()
    reader.force_login(User.objects.get(username="boss"))
    thread = f"{APP}thread/{world['thread']}/"
    for path in (
        f"{APP}thread/",
        f"{thread}change/",
        f"{thread}history/",
        f"{thread}items/{world['item']}/",
        f"{thread}notes/",
        f"{thread}delete/",
        f"{APP}thread/{world['closed']}/change/",
        f"{APP}thread/{world['closed']}/moderate/close/",
        f"{APP}run/{world['run']}/change/",
        f"{APP}attachment/",
        f"{APP}attachment/{world['attachment']}/change/",
        f"{APP}flag/",
        f"{APP}flag/{world['flag']}/change/",
        f"{APP}auditentry/",
    ):
        assert WORD in seen(reader, path), path
    assert WORD in seen(reader, f"{APP}reviewqueue/", {"do": "take", "flag": world["flag"]})


@pytest.mark.parametrize("doing", DOINGS.values(), ids=DOINGS.keys())
def test_no_page_and_no_action_shows_it(doing: Doing, world: dict[str, Any], blind: Client) -> None:
    how = {"content_type": "application/json"} if doing.json else {}
    assert WORD not in seen(blind, APP + filled(doing.path, world), filled(doing.data, world), **how)


@pytest.mark.parametrize(
    "path",
    [
        "/admin/",
        "/admin/chatkit_app/",
        "/admin/auth/user/",
        "/admin/auth/user/{maria}/delete/",
        "/admin/auth/user/{maria}/history/",
        f"{APP}thread/?_popup=1&_to_field=id",
        f"{APP}thread/{{thread}}/change/?_popup=1",
        f"{APP}thread/{{closed}}/change/",
        f"{APP}thread/{{closed}}/history/",
        f"{APP}thread/{{closed}}/moderate/close/",
        f"{APP}thread/{{closed}}/moderate/lock/",
        f"{APP}thread/{{thread}}/items/{{redacted}}/",
        f"{APP}flag/?state=all",
        f"{APP}flag/?state=resolved",
        f"{APP}reviewqueue/?flag={{flag}}",
        "/admin/autocomplete/?app_label=chatkit_app&model_name=flag&field_name=thread&term=",
    ],
)
def test_no_page_of_the_admin_around_ours_shows_it(path: str, world: dict[str, Any], blind: Client) -> None:
    path = path.format(**world, maria=User.objects.get(username="maria").pk)
    assert WORD not in seen(blind, path)


@pytest.mark.parametrize(
    ("path", "data"),
    [
        (f"{APP}thread/{{closed}}/moderate/close/", {"reason": "Again"}),
        (f"{APP}thread/{{thread}}/moderate/reopen/", {"reason": "Again"}),
        ("/admin/auth/user/", {"action": "delete_selected", "_selected_action": "{maria}"}),
    ],
)
def test_no_message_tells_it(path: str, data: Any, world: dict[str, Any], blind: Client) -> None:
    names = world | {"maria": User.objects.get(username="maria").pk}
    assert WORD not in seen(blind, filled(path, names), filled(data, names))


def test_no_history_keeps_it(world: dict[str, Any]) -> None:
    """Whoever may see this table, by whatever page a site has for it, need not be one who may read."""
    entries = LogEntry.objects.values_list("change_message", "object_repr")
    assert {message for message, _name in entries} >= {"Locked", "Reopened", "Closed", "Exported", "Flagged"}
    assert WORD not in str(list(entries))


def rows() -> Iterator[models.Model]:
    for model in apps.get_app_config("chatkit_app").get_models():
        if model is not DailyStatistics:
            yield from model._default_manager.all()


def test_no_row_is_named_after_it(world: dict[str, Any]) -> None:
    """As a deletion's confirmation, an autocompletion, a pop-up and a foreign key's widget of any app name rows."""
    assert [repr(row) for row in rows() if WORD in str(row) + repr(row)] == []


@pytest.mark.parametrize("word", [WORD, WORD[:5], f'"{WORD}"', f"A {WORD}"])
@pytest.mark.parametrize("model", ["thread", "run", "feedback", "attachment", "flag"])
def test_no_search_tells_whether_it_is_there(
    model: str, word: str, world: dict[str, Any], blind: Client
) -> None:
    """Searching for what is said finds as much as searching for what nobody has said."""

    def found(text: str) -> int:
        response: Any = blind.get(f"{APP}{model}/", {"q": text})
        return len(response.context["cl"].result_list)

    assert found(word) == found("nougat")


@pytest.mark.parametrize(
    "query",
    [
        f"title__startswith={WORD}",
        f"title={WORD}",
        f"status_reason__contains={WORD}",
        f"metadata__a={WORD}",
        f"items__text__contains={WORD}",
        f"flags__reason__contains={WORD}",
        f"notes__text__contains={WORD}",
        f"last_preview__contains={WORD}",
        "o=1",
    ],
)
def test_no_filter_tells_whether_it_is_there(query: str, world: dict[str, Any], blind: Client) -> None:
    response: Any = blind.get(f"{APP}thread/?{query}", follow=True)
    other: Any = blind.get(f"{APP}thread/?{query.replace(WORD, 'nougat')}", follow=True)
    assert WORD not in shown(response).replace(query, "")
    assert response.status_code == other.status_code
    count = [
        len(r.context["cl"].result_list) if r.context and "cl" in r.context else 0 for r in (response, other)
    ]
    assert count[0] == count[1]


def test_no_autocompletion_of_another_app_searches_in_it(world: dict[str, Any], blind: Client) -> None:
    """A site's own model with a foreign key to a thread offers what the list's search finds."""
    request = RequestFactory().get("/admin/autocomplete/")
    request.user = User.objects.get(username="blind")
    for name in ("Thread", "Run", "Attachment", "Flag"):
        model = apps.get_model("chatkit_app", name)
        model_admin: Any = admin.site._registry[model]
        everything = model_admin.get_queryset(request)
        counts = [
            model_admin.get_search_results(request, everything, word)[0].count() for word in (WORD, "nougat")
        ]
        assert counts[0] == counts[1], name
