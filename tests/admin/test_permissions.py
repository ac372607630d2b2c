"""Who may do what: every page and every action of the admin, and every permission that it takes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.admin.sites import site
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import Model
from django.test import Client, RequestFactory

from chatkit_app.models import (
    Assignment,
    Attachment,
    AuditEntry,
    CannedReply,
    DailyStatistics,
    Flag,
    Label,
    Thread,
    WebhookDelivery,
)
from tests.extent import IS_WHOLE

from .conftest import make_item, make_run, make_thread, set_aside

pytestmark = pytest.mark.django_db
APP = "/admin/chatkit_app/"


@dataclass(frozen=True, kw_only=True)
class Doing:
    """A request, and what it takes.

    Attributes:
        url: the end of the URL's name.
        path: behind the app's own, with the names of what is there.
        data: what is posted; None for a GET.
        needs: sets of permissions, any of which is enough; none where nobody may.
        may_come_to_nothing: whether more has to be true than that one may: the form is shown again then.
    """

    url: str
    path: str
    data: dict[str, Any] | None = None
    needs: tuple[str, ...] = ()
    json: bool = False
    action: str = ""
    may_come_to_nothing: bool = False


def page(url: str, path: str, *needs: str) -> Doing:
    return Doing(url=url, path=path, needs=needs)


def post(url: str, path: str, *needs: str, json: bool = False, **data: Any) -> Doing:
    return Doing(url=url, path=path, data=data, needs=needs, json=json)


def act(model: str, action: str, *needs: str, **data: Any) -> Doing:
    row = {"_selected_action": f"{{{model}}}", "action": action, "post": "yes", **data}
    return Doing(url=f"{model}_changelist", path=f"{model}/", data=row, needs=needs, action=action)


READ = "view_thread view_content"
HIDDEN = f"{READ} view_hidden_context"
MODERATE = "view_thread moderate_thread"
REPLY = f"{READ} reply_thread"

DOINGS = {
    # The inbox
    "inbox": page("thread_changelist", "thread/", "view_thread"),
    "counts": page("thread_counts", "thread/counts/", "view_thread"),
    "search": page("thread_changelist", "thread/?q=word", "view_thread"),
    "lock selected": act("thread", "lock_threads", MODERATE, reason="x"),
    "close selected": act("thread", "close_threads", MODERATE, reason="x"),
    "reopen selected": act("thread", "reopen_threads", MODERATE, reason="x", _selected_action="{closed}"),
    "label selected": act("thread", "add_label", MODERATE, label="{label}"),
    "unlabel selected": act("thread", "remove_label", MODERATE, label="{used_label}"),
    "assign selected": act("thread", "assign_threads", MODERATE, user="colleague"),
    "unassign selected": act("thread", "unassign_threads", MODERATE),
    "export selected": act("thread", "export_threads", f"{READ} export_thread", format="jsonl", reason="x"),
    "delete selected": act("thread", "delete_selected", "view_thread delete_thread"),
    # A thread
    "thread": page("thread_change", "thread/{thread}/change/", "view_thread"),
    "thread, saved": post("thread_change", "thread/{thread}/change/", title="x"),
    "thread, added": post("thread_add", "thread/add/", title="x"),
    "history": page("thread_history", "thread/{thread}/history/", "view_thread"),
    "item": page("thread_item", "thread/{thread}/items/{item}/", READ),
    "hidden item": page("thread_item", "thread/{thread}/items/{hidden}/", HIDDEN),
    "transcript": post(
        "thread_transcript",
        "thread/{thread}/transcript/",
        READ,
        json=True,
        type="items.list",
        params={"after": "{item_key}"},
    ),
    "changes": page("thread_changes", "thread/{thread}/changes/?after=0", READ),
    "earlier version": page(
        "thread_earlier", "thread/{thread}/earlier/?item={item_key}&of=answer&number=1", READ
    ),
    "item of an earlier version": page("thread_item", "thread/{thread}/items/{earlier}/", READ),
    "changes, by POST": post("thread_changes", "thread/{thread}/changes/"),
    # Under WSGI nobody: tests/admin/test_live_thread.py.
    "follow an answer": page("thread_run_events", "thread/{thread}/runs/{run}/events/"),
    "transcript, by GET": page("thread_transcript", "thread/{thread}/transcript/"),
    "lock?": page("thread_moderate", "thread/{thread}/moderate/lock/", MODERATE),
    "lock": post("thread_moderate", "thread/{thread}/moderate/lock/", MODERATE, reason="x"),
    "close": post("thread_moderate", "thread/{thread}/moderate/close/", MODERATE, reason="x"),
    "reopen": post("thread_moderate", "thread/{closed}/moderate/reopen/", MODERATE, reason="x"),
    "stop": post("thread_stop", "thread/{thread}/stop/{run}/", MODERATE),
    "stop, by GET": page("thread_stop", "thread/{thread}/stop/{run}/"),
    "redact?": page("thread_redact", "thread/{thread}/items/{item}/redact/", f"{READ} redact_item"),
    "redact": post(
        "thread_redact", "thread/{thread}/items/{item}/redact/", f"{READ} redact_item", reason="x"
    ),
    "redact hidden": post(
        "thread_redact", "thread/{thread}/items/{hidden}/redact/", f"{HIDDEN} redact_item", reason="x"
    ),
    "redact an earlier version": post(
        "thread_redact", "thread/{thread}/items/{earlier}/redact/", f"{READ} redact_item", reason="x"
    ),
    "flag?": page("thread_flag", "thread/{thread}/flag/", MODERATE),
    "flag": post("thread_flag", "thread/{thread}/flag/", MODERATE, reason="x"),
    "notes": page("thread_notes", "thread/{thread}/notes/", f"{READ} moderate_thread"),
    "note": post("thread_notes", "thread/{thread}/notes/", f"{READ} moderate_thread", text="x"),
    "labels?": page("thread_labels", "thread/{thread}/labels/", MODERATE),
    "labels": post("thread_labels", "thread/{thread}/labels/", MODERATE, labels=["{used_label}", "{label}"]),
    "assign?": page("thread_assign", "thread/{thread}/assign/", MODERATE),
    "assign": post("thread_assign", "thread/{thread}/assign/", MODERATE, user="colleague"),
    "unassign": post("thread_unassign", "thread/{thread}/unassign/", MODERATE),
    "unassign, by GET": page("thread_unassign", "thread/{thread}/unassign/"),
    "take over?": page("thread_take", "thread/{thread}/take/", REPLY),
    "take over": post("thread_take", "thread/{thread}/take/", REPLY),
    "answer?": page("thread_reply", "thread/{thread}/reply/", REPLY),
    # Of who may, only whoever has taken the thread over.
    "answer": Doing(
        url="thread_reply",
        path="thread/{thread}/reply/",
        data={"text": "x"},
        needs=(REPLY,),
        may_come_to_nothing=True,
    ),
    "hand back?": page("thread_hand_back", "thread/{thread}/hand-back/", REPLY),
    "hand back": post("thread_hand_back", "thread/{waiting}/hand-back/", REPLY, instruction="x"),
    "hand on?": page("thread_hand_on", "thread/{thread}/hand-on/", REPLY),
    "hand on": post("thread_hand_on", "thread/{thread}/hand-on/", REPLY, reason="x"),
    "canned replies to choose from": page("thread_canned", "thread/{thread}/canned/", REPLY),
    "canned replies, by POST": post("thread_canned", "thread/{thread}/canned/"),
    "export?": page("thread_export", "thread/{thread}/export/", f"{READ} export_thread"),
    "export": post(
        "thread_export", "thread/{thread}/export/", f"{READ} export_thread", format="csv", reason="x"
    ),
    "erase?": page("thread_erase", "thread/{thread}/erase/", "view_thread erase_owner"),
    "erase": post(
        "thread_erase", "thread/{thread}/erase/", "view_thread erase_owner", owner="maria", reason="x"
    ),
    "delete?": page("thread_delete", "thread/{thread}/delete/", "delete_thread"),
    "delete": post("thread_delete", "thread/{thread}/delete/", "delete_thread", post="yes"),
    # Answers
    "runs": page("run_changelist", "run/", "view_run"),
    "stop selected": act("run", "stop_runs", "view_run moderate_thread"),
    "run": page("run_change", "run/{run}/change/", "view_run"),
    "run, saved": post("run_change", "run/{run}/change/", status="lost"),
    "run, added": post("run_add", "run/add/"),
    "run, deleted": post("run_delete", "run/{run}/delete/", post="yes"),
    "history of a run": page("run_history", "run/{run}/history/", "view_run"),
    # Feedback
    "feedback list": page("feedback_changelist", "feedback/", "view_feedback"),
    "feedback": page("feedback_change", "feedback/{feedback}/change/", "view_feedback"),
    "feedback, saved": post("feedback_change", "feedback/{feedback}/change/", kind="positive"),
    "feedback, added": post("feedback_add", "feedback/add/"),
    "feedback, deleted": post("feedback_delete", "feedback/{feedback}/delete/", post="yes"),
    "history of feedback": page("feedback_history", "feedback/{feedback}/history/", "view_feedback"),
    # Files
    "files": page("attachment_changelist", "attachment/", "view_attachment"),
    "delete selected files": act("attachment", "delete_selected", "view_attachment delete_attachment"),
    "file": page("attachment_change", "attachment/{attachment}/change/", "view_attachment"),
    "file, opened": page("attachment_file", "attachment/{attachment}/file/", "view_attachment view_content"),
    "file, posted": post("attachment_file", "attachment/{attachment}/file/"),
    "file, saved": post("attachment_change", "attachment/{attachment}/change/", name="x"),
    "file, added": post("attachment_add", "attachment/add/"),
    "file, deleted?": page("attachment_delete", "attachment/{attachment}/delete/", "delete_attachment"),
    "file, deleted": post(
        "attachment_delete", "attachment/{attachment}/delete/", "delete_attachment", post="yes"
    ),
    "history of a file": page("attachment_history", "attachment/{attachment}/history/", "view_attachment"),
    # Flags
    "flags": page("flag_changelist", "flag/", "view_flag", MODERATE),
    "one flag": page("flag_change", "flag/{flag}/change/", "view_flag", MODERATE),
    "one flag, saved": post("flag_change", "flag/{flag}/change/", reason="x"),
    "one flag, added": post("flag_add", "flag/add/"),
    "one flag, deleted": post("flag_delete", "flag/{flag}/delete/", post="yes"),
    "history of a flag": page("flag_history", "flag/{flag}/history/", "view_flag", MODERATE),
    "review": page("reviewqueue_changelist", "reviewqueue/", MODERATE),
    "take a flag": post("reviewqueue_changelist", "reviewqueue/", MODERATE, do="take", flag="{flag}"),
    "resolve a flag": post(
        "reviewqueue_changelist", "reviewqueue/", MODERATE, do="resolve", flag="{flag}", resolution="handled"
    ),
    # Labels
    "label list": page("label_changelist", "label/", "view_label", "change_label"),
    "delete selected labels": act("label", "delete_selected", "view_label delete_label"),
    "label": page("label_change", "label/{label}/change/", "view_label", "change_label"),
    "label, saved": post("label_change", "label/{label}/change/", "change_label", name="x", color="red"),
    "label, added": post("label_add", "label/add/", "add_label", name="x", color="red"),
    "label, deleted": post("label_delete", "label/{label}/delete/", "delete_label", post="yes"),
    "history of a label": page("label_history", "label/{label}/history/", "view_label", "change_label"),
    # Webhooks
    "webhooks": page("webhookdelivery_changelist", "webhookdelivery/", "view_webhookdelivery"),
    "send selected again": act("webhookdelivery", "send_again", "view_webhookdelivery moderate_thread"),
    "webhook": page(
        "webhookdelivery_change", "webhookdelivery/{webhookdelivery}/change/", "view_webhookdelivery"
    ),
    "webhook, again": post(
        "webhookdelivery_again",
        "webhookdelivery/{webhookdelivery}/again/",
        "view_webhookdelivery moderate_thread",
    ),
    "webhook, again, by GET": page("webhookdelivery_again", "webhookdelivery/{webhookdelivery}/again/"),
    "webhook, saved": post(
        "webhookdelivery_change", "webhookdelivery/{webhookdelivery}/change/", status="waiting"
    ),
    "webhook, added": post("webhookdelivery_add", "webhookdelivery/add/"),
    "webhook, deleted": post(
        "webhookdelivery_delete", "webhookdelivery/{webhookdelivery}/delete/", post="yes"
    ),
    "history of a webhook": page(
        "webhookdelivery_history", "webhookdelivery/{webhookdelivery}/history/", "view_webhookdelivery"
    ),
    # Canned replies
    "canned": page("cannedreply_changelist", "cannedreply/", "view_cannedreply", "change_cannedreply"),
    "delete selected canned": act("cannedreply", "delete_selected", "view_cannedreply delete_cannedreply"),
    "one canned": page(
        "cannedreply_change", "cannedreply/{cannedreply}/change/", "view_cannedreply", "change_cannedreply"
    ),
    "one canned, saved": post(
        "cannedreply_change",
        "cannedreply/{cannedreply}/change/",
        "change_cannedreply",
        shortcut="x",
        title="x",
        text="x",
    ),
    "one canned, added": post(
        "cannedreply_add", "cannedreply/add/", "add_cannedreply", shortcut="x", title="x", text="x"
    ),
    "one canned, deleted": post(
        "cannedreply_delete", "cannedreply/{cannedreply}/delete/", "delete_cannedreply", post="yes"
    ),
    "history of one canned": page(
        "cannedreply_history",
        "cannedreply/{cannedreply}/history/",
        "view_cannedreply",
        "change_cannedreply",
    ),
    # Numbers
    "dashboard": page("dailystatistics_changelist", "dailystatistics/", "view_dailystatistics"),
    # The audit
    "audit": page("auditentry_changelist", "auditentry/", "view_auditentry"),
    "entry": page("auditentry_change", "auditentry/{auditentry}/change/", "view_auditentry"),
    "entry, saved": post("auditentry_change", "auditentry/{auditentry}/change/", reason="x"),
    "entry, added": post("auditentry_add", "auditentry/add/", action="read"),
    "entry, deleted": post("auditentry_delete", "auditentry/{auditentry}/delete/", post="yes"),
    "history of an entry": page("auditentry_history", "auditentry/{auditentry}/history/", "view_auditentry"),
}

LISTS = "view_thread view_run view_feedback view_attachment view_flag view_label view_dailystatistics"
# As sites have them. The least that is enough for something, and the most that is not, are tried in any case.
ROLES = {
    "viewer": LISTS,
    "reader": f"{LISTS} view_content",
    "confidant": f"{LISTS} view_content view_hidden_context",
    "moderator": f"{LISTS} view_content moderate_thread",
    "redactor": f"{LISTS} view_content redact_item",
    "exporter": f"{LISTS} view_content export_thread",
    "eraser": f"{LISTS} erase_owner",
    "auditor": f"{LISTS} view_auditentry",
    "helper": f"{LISTS} view_content reply_thread",
}


@pytest.fixture
def world() -> dict[str, Any]:
    """One of everything."""
    maria = User.objects.create_user("maria")
    colleague = User.objects.create_superuser("colleague")
    thread = make_thread("A title", user=maria)
    item = make_item(thread, text="word")
    hidden = make_item(thread, "hidden_context_item", payload={"content": "secret"})
    said = {"content": [{"type": "output_text", "text": "word", "annotations": []}]}
    earlier = set_aside(make_item(thread, "assistant_message", "word", said), place=item)
    label, used = Label.objects.create(name="one"), Label.objects.create(name="two")
    thread.labels.add(used)
    Assignment.objects.create(thread=thread, assignee=maria)
    attachment = Attachment.objects.create(
        public_id="atc_1", thread=thread, user=maria, type="file", name="a.txt", mime_type="text/plain"
    )
    attachment.file = default_storage.save("chatkit/permissions", ContentFile(b"word"))
    attachment.save()
    return {
        "thread": thread.pk,
        "closed": make_thread("Another", status="closed").pk,
        "item": item.pk,
        "item_key": item.public_id,
        "hidden": hidden.pk,
        "earlier": earlier.pk,
        "run": make_run(thread, user=maria).pk,
        "feedback": item.feedback.create(kind="negative", user=maria).pk,
        "attachment": attachment.pk,
        "flag": Flag.objects.create(thread=thread, item=item, source="staff", reason="look").pk,
        "waiting": make_thread("Waiting", handler="waiting").pk,
        "cannedreply": CannedReply.objects.create(shortcut="hi", title="Hello", text="Hello {user}").pk,
        "label": label.pk,
        "used_label": used.pk,
        "webhookdelivery": WebhookDelivery.objects.create(
            thread=thread,
            public_id="msg_1",
            event="staff_needed",
            url="http://127.0.0.1:1/",
            status="given_up",
        ).pk,
        "auditentry": AuditEntry.objects.create(action="lock", actor_name=colleague.username).pk,
    }


@pytest.fixture(autouse=True)
def files(tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def filled(value: Any, world: dict[str, Any]) -> Any:
    if isinstance(value, str):
        return value.format(**world)
    if isinstance(value, dict):
        return {name: filled(entry, world) for name, entry in value.items()}
    return [filled(entry, world) for entry in value] if isinstance(value, list) else value


def is_allowed(client: Client, doing: Doing, world: dict[str, Any]) -> bool:
    path, data = APP + filled(doing.path, world), filled(doing.data, world)
    how = {"content_type": "application/json"} if doing.json else {}
    response: Any = client.get(path) if data is None else client.post(path, data, **how)
    if response.status_code in (400, 403, 404, 405):
        return False
    assert response.status_code in (200, 302)
    if response.streaming:
        assert b"word" in b"".join(response.streaming_content)
    if response.headers.get("Location", "").startswith("/admin/login/"):
        return False
    # What an action that is not one's own leads to: the list, with or without a word.
    told = [str(message) for message in get_messages(response.wsgi_request)]
    is_list = response.status_code == 200 and not response.streaming
    return not (doing.action and (is_list or "No action selected." in told))


def everything(*but: type[Model]) -> dict[str, list[Any]]:
    """All rows of the app, but those of the audit, the numbers and these models."""
    models = [*apps.get_app_config("chatkit_app").get_models(), Thread.labels.through]
    with connection.cursor() as cursor:
        # It is asked hundreds of times, and models would take most of that.
        return {
            model.__name__: _rows_of(cursor, model)
            for model in models
            if model not in (AuditEntry, DailyStatistics, *but)
        }


def _rows_of(cursor: Any, model: type[Model]) -> list[Any]:
    table, key = model._meta.db_table, model._meta.pk.column
    cursor.execute(f'SELECT * FROM "{table}" ORDER BY "{key}"')
    return list(cursor.fetchall())


def session_of(user: User) -> str:
    """The key of a session in which this user is logged in."""
    client = Client()
    client.force_login(user)
    return str(client.session.session_key)


class Undone(Exception):
    pass


def tried(
    user: User | None, session: str, doing: Doing, world: dict[str, Any], before: dict[str, list[Any]]
) -> bool:
    """Whether this user may, without doing it for good. Who may not has changed nothing; who may has."""
    # A new browser with the user's session: nothing of what another try has left in it.
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = session
    try:
        with transaction.atomic():
            allowed = is_allowed(client, doing, world)
            entries = set(AuditEntry.objects.exclude(pk=world["auditentry"]).values_list("action", flat=True))
            if not allowed:
                assert doing.data is None or everything() == before
                is_staff = user is not None and user.is_staff and user.is_active
                # An action that one may not do is not offered, and not even understood.
                assert entries == {"refused"} if is_staff and not doing.action else entries <= {"refused"}
            elif doing.data is not None and not doing.json and not doing.may_come_to_nothing:
                assert entries - {"refused"} or everything() != before
            raise Undone(allowed)
    except Undone as undone:
        return bool(undone.args[0])


@pytest.mark.parametrize("doing", DOINGS.values(), ids=DOINGS.keys())
def test_permissions(doing: Doing, world: dict[str, Any]) -> None:
    known = {p.codename: p for p in Permission.objects.filter(content_type__app_label="chatkit_app")}
    needed = sorted(set(" ".join(doing.needs).split()))
    roles: dict[str, set[str]] = {"staff": set()}
    if IS_WHOLE:
        roles |= {name: set(permissions.split()) for name, permissions in ROLES.items()}
    roles |= {f"who may {needs}": set(needs.split()) for needs in doing.needs}
    # For Django, who may change something may see it.
    roles |= {
        f"all but {permission}": known.keys() - {permission, permission.replace("view_", "change_")}
        for permission in needed
    }
    if not doing.needs:
        roles["all"] = set(known)
    expected = {
        name: any(set(needs.split()) <= role for needs in doing.needs) for name, role in roles.items()
    }
    found, before = {}, everything()
    staff = User.objects.create_user("staff", is_staff=True)
    session = session_of(staff)
    for name, permissions in roles.items():
        staff.user_permissions.set(known[permission] for permission in permissions)
        found[name] = tried(staff, session, doing, world, before)
    somebody = User.objects.create_user("somebody")
    somebody.user_permissions.set(known.values())
    gone = User.objects.create_superuser("gone", is_active=False)
    superuser = User.objects.create_superuser("superuser")
    found |= {
        "anonymous": tried(None, "", doing, world, before),
        "not staff": tried(somebody, session_of(somebody), doing, world, before),
        "inactive": tried(gone, session_of(gone), doing, world, before),
        "superuser": tried(superuser, session_of(superuser), doing, world, before),
    }
    expected |= {"anonymous": False, "not staff": False, "inactive": False, "superuser": bool(doing.needs)}
    assert found == expected


@pytest.mark.parametrize(
    ("permissions", "actions"),
    [
        (READ, []),
        (
            f"{READ} moderate_thread",
            [
                "lock_threads",
                "close_threads",
                "reopen_threads",
                "add_label",
                "remove_label",
                "assign_threads",
                "unassign_threads",
            ],
        ),
        (f"{READ} export_thread", ["export_threads"]),
        (f"{READ} delete_thread", ["delete_selected"]),
    ],
)
def test_actions_are_offered_to_those_who_may(
    staff: Callable[..., Client], permissions: str, actions: list[str]
) -> None:
    make_thread("x")
    response = staff(*permissions.split()).get(f"{APP}thread/")
    form = response.context.get("action_form")
    offered = [name for name, _label in form.fields["action"].choices if name] if form else []
    assert offered == actions


@pytest.mark.parametrize(
    ("permissions", "links"),
    [
        (READ, []),
        (f"{READ} redact_item", ["redact"]),
        (f"{READ} moderate_thread", ["moderate/lock", "stop", "flag", "notes", "labels", "assign"]),
        (f"{READ} export_thread", ["export"]),
        (f"{READ} erase_owner", ["erase"]),
        (f"{READ} delete_thread", ["delete"]),
    ],
)
def test_pages_are_offered_to_those_who_may(
    staff: Callable[..., Client],
    world: dict[str, Any],
    permissions: str,
    links: list[str],
) -> None:
    page = f"{APP}thread/{world['thread']}/"
    html = staff(*permissions.split()).get(f"{page}change/").content.decode()
    known = ("moderate/lock", "stop", "flag", "notes", "labels", "assign", "export", "erase", "delete")
    found = [name for name in known if f"{page}{name}/" in html]
    found += ["redact"] if "/redact/" in html else []
    assert found == links


def test_every_page_is_in_the_matrix() -> None:
    named = {pattern.name for admin in registered() for pattern in admin.urls if pattern.name}
    assert {f"chatkit_app_{doing.url}" for doing in DOINGS.values()} == named


def test_every_action_is_in_the_matrix() -> None:
    request = RequestFactory().get("/")
    request.user = User.objects.create_superuser("superuser")
    offered = {
        (f"{admin.opts.model_name}_changelist", name)
        for admin in registered()
        for name in admin.get_actions(request)
    }
    assert {(doing.url, doing.action) for doing in DOINGS.values() if doing.action} == offered


def registered() -> Iterator[Any]:
    return (admin for model, admin in site._registry.items() if model._meta.app_label == "chatkit_app")
