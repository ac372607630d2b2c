"""Threads out of a staff member's scope are as absent, on every page, in every list and for every action."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from chatkit_app.models import AuditEntry, Flag, Thread
from chatkit_app.staff import audit

from .conftest import make_item, make_run, make_thread
from .test_permissions import APP, DOINGS, Doing, everything, files, filled, is_allowed, world  # noqa: F401

pytestmark = pytest.mark.django_db

ABOUT_THREADS = ("thread", "run", "feedback", "attachment", "flag")
IDS = tuple(f"{{{name}}}" for name in ABOUT_THREADS)


def mine(user: Any, threads: Any) -> Any:
    return threads.filter(namespace="mine")


@pytest.fixture(autouse=True)
def scope(settings: Any) -> None:
    settings.CHATKIT = {"ADMIN_SCOPE": "tests.admin.test_scope.mine"}


@pytest.fixture
def hidden_world(world: dict[str, Any]) -> dict[str, Any]:  # noqa: F811
    """One of everything, all of it out of scope."""
    return world


@pytest.fixture
def visible_world(world: dict[str, Any]) -> dict[str, Any]:  # noqa: F811
    """One of everything, all of it in scope."""
    Thread.objects.update(namespace="mine")
    return world


def about_threads(doing: Doing) -> bool:
    return bool(doing.needs) and any(
        name in text for name in IDS for text in (doing.path, str(doing.data or {}))
    )


CONCERNED = {name: doing for name, doing in DOINGS.items() if about_threads(doing)}


def answer(client: Client, doing: Doing, world: dict[str, Any]) -> tuple[int, str]:  # noqa: F811
    path, data = APP + filled(doing.path, world), filled(doing.data, world)
    how: dict[str, Any] = {"content_type": "application/json"} if doing.json else {}
    response: Any = client.get(path) if data is None else client.post(path, data, **how)
    return response.status_code, response.headers.get("Location", "")


@pytest.mark.parametrize("doing", CONCERNED.values(), ids=CONCERNED.keys())
def test_out_of_scope_is_as_absent(admin_client: Client, hidden_world: dict[str, Any], doing: Doing) -> None:
    before = everything()
    absent = {name: 987654 if name in ABOUT_THREADS else value for name, value in hidden_world.items()}
    assert answer(admin_client, doing, hidden_world) == answer(admin_client, doing, absent)
    assert everything() == before
    told = AuditEntry.objects.exclude(pk=hidden_world["auditentry"]).values_list("action", flat=True)
    assert list(told) == ([] if doing.action else ["refused", "refused"])


@pytest.mark.parametrize("doing", CONCERNED.values(), ids=CONCERNED.keys())
def test_in_scope_is_there(admin_client: Client, visible_world: dict[str, Any], doing: Doing) -> None:
    assert is_allowed(admin_client, doing, visible_world)


LISTS = {
    "threads": ("thread/", "thr_seen", "thr_unseen"),
    "search": ("thread/?q=parcel", "thr_seen", "thr_unseen"),
    "search by id": ("thread/?q=thr_unseen", "0 threads", "/thread/{unseen}/"),
    "search by user": ("thread/?q=user:maria", "thr_seen", "thr_unseen"),
    "threads of a user": ("thread/?user={user}", "thr_seen", "thr_unseen"),
    "runs": ("run/", "run_seen", "run_unseen"),
    "runs of a thread": ("run/?thread={unseen}", "0 runs", "run_unseen"),
    "run by id": ("run/?q=run_unseen", "0 runs", "/run/{unseen_run}/"),
    "runs by the id of their thread": ("run/?q=thr_unseen", "0 runs", "run_unseen"),
    "feedback": ("feedback/", "?item={seen_item}", "?item={unseen_item}"),
    "files": ("attachment/", "atc_seen", "atc_unseen"),
    "files of a thread": ("attachment/?thread={unseen}", "0 attachments", "atc_unseen"),
    "flags": ("flag/", "thr_seen", "thr_unseen"),
    "flags by thread": ("flag/?q=thr_unseen", "0 flags", "/flag/{unseen_flag}/"),
    "review": ("reviewqueue/", "Review queue", "thr_unseen"),
    "audit": ("auditentry/", "thr_seen", "thr_unseen"),
    "audit by thread": ("auditentry/?q=thr_unseen", "0 audit", "Unseen reason"),
    "dashboard": ("dailystatistics/", "model-seen", "model-unseen"),
}


@pytest.fixture
def both() -> dict[str, Any]:
    """Two threads of one user, one of them in scope."""
    maria = User.objects.create_user("maria")
    found: dict[str, Any] = {"user": maria.pk}
    for name, namespace in (("seen", "mine"), ("unseen", "theirs")):
        thread = make_thread(public_id=f"thr_{name}", user=maria, namespace=namespace)
        item = make_item(thread, text="parcel")
        item.feedback.create(kind="negative", user=maria)
        now = timezone.now()
        run = make_run(
            thread,
            "completed",
            model=f"model-{name}",
            input_tokens=1,
            output_tokens=1,
            started_at=now - timedelta(minutes=1),
            finished_at=now,
        )
        run.public_id = f"run_{name}"
        run.save()
        thread.attachments.create(public_id=f"atc_{name}", type="file", mime_type="a/b", user=maria)
        flag = Flag.objects.create(thread=thread, item=item, source="staff")
        audit.record(audit.Action.LOCK, actor=maria, thread=thread, reason=f"{name.title()} reason")
        found |= {
            name: thread.pk,
            f"{name}_item": item.pk,
            f"{name}_run": run.pk,
            f"{name}_flag": flag.pk,
        }
    return found


@pytest.mark.parametrize(("path", "there", "absent"), LISTS.values(), ids=LISTS.keys())
def test_lists_show_what_is_in_scope(
    staff: Callable[..., Client], both: dict[str, Any], path: str, there: str, absent: str
) -> None:
    client = staff(
        "view_thread",
        "view_content",
        "view_run",
        "view_feedback",
        "view_attachment",
        "view_flag",
        "moderate_thread",
        "view_auditentry",
        "view_dailystatistics",
    )
    response = client.get(APP + path.format(**both))
    assert response.status_code == 200
    html = response.content.decode().replace('value="thr_unseen"', "")
    assert there.format(**both) in html
    assert absent.format(**both) not in html


def test_own_entries_are_seen_out_of_scope(staff: Callable[..., Client], both: dict[str, Any]) -> None:
    client = staff("view_auditentry")
    unseen = Thread.objects.get(pk=both["unseen"])
    audit.record(audit.Action.READ, actor=client.staff, thread=unseen)  # type: ignore[attr-defined]
    html = client.get(f"{APP}auditentry/").content.decode()
    assert html.count("thr_unseen") == 1
    assert f"/thread/{unseen.pk}/" not in html


def test_entry_out_of_scope_is_as_absent(admin_client: Client, both: dict[str, Any]) -> None:
    entry = AuditEntry.objects.get(thread_key="thr_unseen")
    seen, unseen, absent = (
        admin_client.get(f"{APP}auditentry/{pk}/change/").status_code
        for pk in (AuditEntry.objects.get(thread_key="thr_seen").pk, entry.pk, 987654)
    )
    assert (seen, unseen, absent) == (200, 302, 302)


@pytest.mark.parametrize("action", ["lock_threads", "delete_selected"])
def test_whole_list_is_no_more_than_the_scope(
    admin_client: Client, both: dict[str, Any], action: str
) -> None:
    data = {"action": action, "_selected_action": both["unseen"], "select_across": "1", "post": "yes"}
    admin_client.post(f"{APP}thread/", {**data, "reason": "x"})
    assert Thread.objects.get(pk=both["unseen"]).status == "active"
    assert not Thread.objects.filter(pk=both["seen"], status="active").exists()


@pytest.mark.parametrize("path", ["thread/", "thread/?user={user}"])
def test_export_is_no_more_than_the_scope(admin_client: Client, both: dict[str, Any], path: str) -> None:
    data = {"action": "export_threads", "_selected_action": both["unseen"], "select_across": "1"}
    sent = {"post": "yes", "reason": "x", "format": "jsonl"}
    response = admin_client.post(APP + path.format(**both), {**data, **sent})
    exported = b"".join(response.streaming_content)  # type: ignore[arg-type]
    assert b"thr_seen" in exported
    assert b"thr_unseen" not in exported


def test_export_of_an_owner_is_no_more_than_the_scope(admin_client: Client, both: dict[str, Any]) -> None:
    path = f"{APP}thread/{both['seen']}/export/?owner=1"
    response = admin_client.post(path, {"reason": "x", "format": "jsonl"})
    exported = b"".join(response.streaming_content)  # type: ignore[arg-type]
    assert b"thr_seen" in exported
    assert b"thr_unseen" not in exported


def test_person_with_threads_out_of_scope_is_not_erased(admin_client: Client, both: dict[str, Any]) -> None:
    admin_client.post(f"{APP}thread/{both['seen']}/erase/", {"reason": "x", "owner": "maria"})
    assert Thread.objects.count() == 2


def test_review_gives_no_flag_out_of_scope(admin_client: Client, both: dict[str, Any]) -> None:
    for _ in range(3):
        admin_client.post(f"{APP}reviewqueue/", {"do": "take"})
        admin_client.post(
            f"{APP}reviewqueue/", {"do": "resolve", "flag": both["seen_flag"], "resolution": "handled"}
        )
    assert Flag.objects.get(pk=both["unseen_flag"]).claimed_by is None
    assert Flag.objects.get(pk=both["seen_flag"]).resolved_at is not None


@pytest.mark.parametrize(
    ("term", "found"), [("thr_seen", ["thr_seen"]), ("thr_unseen", []), ("parcel", ["thr_seen"])]
)
def test_autocomplete_finds_what_is_in_scope(
    admin_client: Client, both: dict[str, Any], term: str, found: list[str]
) -> None:
    query = {"app_label": "chatkit_app", "model_name": "run", "field_name": "thread", "term": term}
    results = admin_client.get("/admin/autocomplete/", query).json()["results"]
    assert [result["text"] for result in results] == found


def test_autocomplete_finds_no_content_for_those_who_may_not_read(
    staff: Callable[..., Client], both: dict[str, Any]
) -> None:
    query = {"app_label": "chatkit_app", "model_name": "run", "field_name": "thread", "term": "parcel"}
    assert staff("view_thread").get("/admin/autocomplete/", query).json()["results"] == []
    assert staff("view_run").get("/admin/autocomplete/", query).status_code == 403
