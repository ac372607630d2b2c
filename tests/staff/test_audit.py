import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core import serializers
from django.db import transaction
from django.db.models.deletion import Collector

from chatkit_app.models import AppendOnly, AuditEntry, Thread
from chatkit_app.staff import audit

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor() -> User:
    return User.objects.create_user("moderator")


@pytest.fixture
def thread() -> Thread:
    return Thread.objects.create(public_id="thr_1", title="A private title", visitor_id="v1")


@pytest.fixture
def entry(actor: User, thread: Thread) -> AuditEntry:
    audit.record(audit.Action.LOCK, actor=actor, thread=thread, reason="Spam")
    return AuditEntry.objects.get()


# --- What is written ----------------------------------------------------------------------------------------


def test_entry_names_everything_by_value(actor: User, thread: Thread) -> None:
    audit.record(audit.Action.REDACT, actor=actor, thread=thread, item_key="msg_1", reason="A name", copies=3)
    (entry,) = AuditEntry.objects.values(
        "action", "actor_key", "actor_name", "thread_key", "item_key", "owner", "reason", "details"
    )
    assert entry == {
        "action": "redact",
        "actor_key": str(actor.pk),
        "actor_name": "moderator",
        "thread_key": "thr_1",
        "item_key": "msg_1",
        "owner": "visitor:v1",
        "reason": "A name",
        "details": {"copies": 3},
    }


def test_each_of_many_threads_has_its_entry(actor: User, thread: Thread) -> None:
    other = Thread.objects.create(public_id="thr_2", user=actor)
    audit.record(audit.Action.CLOSE, actor=actor, threads=[thread, other])
    assert list(AuditEntry.objects.order_by("pk").values_list("thread_key", "owner")) == [
        ("thr_1", "visitor:v1"),
        ("thr_2", f"user:{actor.pk}"),
    ]


def test_entry_of_a_command_has_no_actor(thread: Thread) -> None:
    audit.record(audit.Action.EXPORT, actor=None, thread=thread)
    entry = AuditEntry.objects.get()
    assert (entry.actor_key, entry.actor_name) == ("", "")
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    ("action", "messages"),
    [
        ("lock", ["Locked"]),
        ("redact", ["Redacted"]),
        ("export", ["Exported"]),
        ("read", []),
        ("search", []),
        ("refused", []),
    ],
)
def test_only_what_was_done_is_in_the_history(
    actor: User, thread: Thread, action: str, messages: list[str]
) -> None:
    audit.record(audit.Action(action), actor=actor, thread=thread, reason="Spam")
    assert [entry.change_message for entry in LogEntry.objects.all()] == messages
    assert AuditEntry.objects.count() == 1


def test_no_title_is_written_down(actor: User, thread: Thread) -> None:
    audit.record(audit.Action.LOCK, actor=actor, thread=thread)
    assert "private" not in serializers.serialize(
        "json", [*AuditEntry.objects.all(), *LogEntry.objects.all()]
    )


def test_what_no_database_takes_is_replaced(actor: User) -> None:
    audit.record(audit.Action.READ, actor=actor, reason="a\x00b\ud800", path=["/\x00", {"\x00": 1}])
    entry = AuditEntry.objects.get()
    assert (entry.reason, entry.details) == ("a\ufffdb\ufffd", {"path": ["/\ufffd", {"\ufffd": 1}]})


def test_audit_is_kept_on_a_site_without_the_admin() -> None:
    code = """
import django
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "chatkit_app"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
django.setup()
from django.contrib.auth.models import User
from django.core.management import call_command
call_command("migrate", verbosity=0, skip_checks=True)
from chatkit_app.staff import audit
from chatkit_app.models import AuditEntry, Thread
thread = Thread.objects.create(public_id="thr_1")
audit.record(audit.Action.LOCK, actor=User.objects.create_user("anna"), thread=thread)
print(AuditEntry.objects.get().actor_name)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "anna\n"


# --- Append only --------------------------------------------------------------------------------------------


def save(entry: AuditEntry) -> None:
    entry.reason = "Nothing"
    entry.save()


def save_columns(entry: AuditEntry) -> None:
    entry.reason = "Nothing"
    entry.save(update_fields=["reason"])


def save_row(entry: AuditEntry) -> None:
    entry.reason = "Nothing"
    entry.save_base(force_update=True)


def bulk_update(entry: AuditEntry) -> None:
    entry.reason = "Nothing"
    AuditEntry.objects.bulk_update([entry], ["reason"])


def upsert(entry: AuditEntry) -> None:
    AuditEntry.objects.bulk_create(
        [AuditEntry(pk=entry.pk, action="read")],
        update_conflicts=True,
        unique_fields=["pk"],
        update_fields=["action"],
    )


def load_fixture(entry: AuditEntry) -> None:
    row = {"model": "chatkit_app.auditentry", "pk": entry.pk, "fields": {"action": "read"}}
    for loaded in serializers.deserialize("json", json.dumps([row])):
        loaded.save()


def collect(entry: AuditEntry) -> None:
    collector = Collector(using="default")
    collector.collect([entry])
    collector.delete()


CHANGES: dict[str, Callable[[AuditEntry], Any]] = {
    "save": save,
    "save some columns": save_columns,
    "save_base": save_row,
    "save under its key": lambda entry: AuditEntry(pk=entry.pk, action="read").save(),
    "force an update": lambda entry: AuditEntry(pk=entry.pk, action="read").save(force_update=True),
    "update": lambda entry: AuditEntry.objects.filter(pk=entry.pk).update(reason="Nothing"),
    "update all": lambda entry: AuditEntry.objects.update(reason="Nothing"),
    "update by the base manager": lambda entry: AuditEntry._base_manager.update(reason="Nothing"),
    "bulk_update": bulk_update,
    "update_or_create": lambda entry: AuditEntry.objects.update_or_create(
        pk=entry.pk, defaults={"reason": "Nothing"}
    ),
    "upsert": upsert,
    "load a fixture": load_fixture,
    "delete": lambda entry: entry.delete(),
    "delete a queryset": lambda entry: AuditEntry.objects.filter(pk=entry.pk).delete(),
    "delete by the base manager": lambda entry: AuditEntry._base_manager.all().delete(),
    "delete at once": lambda entry: AuditEntry._base_manager.all()._raw_delete("default"),
    "delete what is collected": collect,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_entry_stays_as_it_is(entry: AuditEntry, change: Callable[[AuditEntry], Any]) -> None:
    with pytest.raises(AppendOnly), transaction.atomic():
        change(entry)
    assert list(AuditEntry.objects.values_list("action", "reason")) == [("lock", "Spam")]


def test_entries_of_a_fixture_can_be_added() -> None:
    row = {"model": "chatkit_app.auditentry", "pk": 7, "fields": {"action": "lock", "reason": "Spam"}}
    for loaded in serializers.deserialize("json", json.dumps([row])):
        loaded.save()
    assert AuditEntry.objects.get(pk=7).reason == "Spam"


def test_entry_outlives_whom_it_names(actor: User, thread: Thread, entry: AuditEntry) -> None:
    thread.delete()
    actor.delete()
    assert not LogEntry.objects.exists()
    kept = AuditEntry.objects.get()
    assert (kept.actor_name, kept.thread_key, kept.owner, kept.reason) == (
        "moderator",
        "thr_1",
        "visitor:v1",
        "Spam",
    )
