"""The commands that export, erase and prune."""

import csv
import io
import json
import os
import re
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from chatkit_app.models import Attachment, AuditEntry, LimitCounter, Thread, VisitorClaim
from chatkit_app.moderation import erasure, exports
from tests.admin.conftest import make_item, make_run, make_thread
from tests.admin.test_records import make_attachment

pytestmark = pytest.mark.django_db


class Terminal(io.StringIO):
    """A standard error that somebody looks at."""

    def isatty(self) -> bool:
        return True


def call(name: str, *arguments: str, **options: Any) -> str:
    out = io.StringIO()
    call_command(name, *arguments, stdout=out, **{"stderr": io.StringIO(), **options})
    return out.getvalue()


def titles(text: str) -> list[str]:
    found = [json.loads(line) for line in text.split("\n") if line]
    return [line["thread"]["title"] for line in found if line["kind"] == "thread"]


# --- chatkit_export -----------------------------------------------------------------------------------------


@pytest.fixture
def threads() -> None:
    user = User.objects.create_user("ada")
    days = timezone.now().replace(year=2026, month=1, day=10)
    make_thread("a", user=user, public_id="thr_a", last_activity=days)
    make_thread("b", user=user, public_id="thr_b", namespace="shop", last_activity=days + timedelta(days=5))
    make_thread("c", visitor_id="v", public_id="thr_c", last_activity=days + timedelta(days=10))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--all"], ["a", "b", "c"]),
        (["--thread", "thr_c", "thr_a"], ["a", "c"]),
        (["--user", "ada"], ["a", "b"]),
        (["--user", "ada", "--namespace", "shop"], ["b"]),
        (["--visitor", "v"], ["c"]),
        (["--all", "--since", "2026-01-12"], ["b", "c"]),
        (["--all", "--until", "2026-01-17T12:00"], ["a", "b"]),
        (["--all", "--since", "2026-01-12", "--until", "2026-01-17"], ["b"]),
    ],
)
def test_export_has_the_threads_that_were_asked_for(
    threads: None, arguments: list[str], expected: list[str]
) -> None:
    assert titles(call("chatkit_export", *arguments)) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "one of the arguments --thread --user --visitor --all is required"),
        (["--all", "--user", "ada"], "not allowed with argument"),
        (["--user", "nobody"], "There is no user nobody"),
        (["--visitor", ""], "either a user or a visitor"),
        (["--thread", "thr_a", "thr_x", "x\x00"], "thr_x, x"),
        (["--all", "--since", "yesterday"], "a date such as 2026-01-31 is wanted"),
        (["--all", "--since", "2026-02-31"], "a date such as 2026-01-31 is wanted"),
        (["--all", "--format", "xml"], "invalid choice: 'xml'"),
        (["--all", "--output", "/nowhere/file"], "/nowhere/file cannot be written"),
    ],
)
def test_export_says_what_is_wrong(threads: None, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call("chatkit_export", *arguments)


def test_export_writes_a_file_that_is_private(threads: None, tmp_path: Path) -> None:
    make_item(Thread.objects.get(title="a"), text="hello")
    file = tmp_path / "export.csv"
    file.write_text("an older one")
    told = call("chatkit_export", "--all", "--format", "csv", "--output", str(file))
    assert told == "Exported 3 threads.\n"
    (row,) = csv.DictReader(io.StringIO(file.read_text("utf-8-sig")))
    assert row["text"] == "hello"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_export_puts_no_file_in_the_place_of_a_pipe(threads: None, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    call("chatkit_export", "--all", "--output", str(pipe))
    assert titles(os.read(reader, 65536).decode()) == ["a", "b", "c"]
    os.close(reader)
    assert (pipe.is_fifo(), list(tmp_path.iterdir())) == (True, [pipe])


def test_export_that_breaks_off_leaves_no_file(
    threads: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "_grouped", lambda rows: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        call("chatkit_export", "--all", "--output", str(tmp_path / "export.jsonl"))
    assert list(tmp_path.iterdir()) == []


def test_export_that_breaks_off_says_so_where_it_was_written(
    threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "_grouped", lambda rows: 1 / 0)
    out = io.StringIO()
    with pytest.raises(ZeroDivisionError):
        call_command("chatkit_export", "--all", stdout=out)
    assert json.loads(out.getvalue())["kind"] == "incomplete"


def test_export_has_hidden_context_only_when_asked(threads: None) -> None:
    make_item(Thread.objects.get(title="a"), "hidden_context_item", payload={"content": "secret"})
    assert "secret" not in call("chatkit_export", "--all")
    assert "secret" in call("chatkit_export", "--all", "--hidden")


def test_export_is_in_the_audit(threads: None) -> None:
    call("chatkit_export", "--user", "ada", "--namespace", "shop", "--format", "csv")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_key) == ("export", "")
    assert entry.details == {
        "format": "csv",
        "hidden": False,
        "count": 1,
        "filters": {"user": "ada", "namespace": "shop"},
    }


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("chatkit_export", ["--all", "--output", "FILE"]), ("chatkit_prune", ["--older-than", "1h"])],
)
def test_bar_is_drawn_for_those_who_look(
    threads: None, tmp_path: Path, name: str, arguments: list[str]
) -> None:
    given = [str(tmp_path / "file") if argument == "FILE" else argument for argument in arguments]
    terminal, log = Terminal(), io.StringIO()
    call(name, *given, stderr=log)
    assert log.getvalue() == ""
    make_thread(last_activity=timezone.now() - timedelta(days=1))
    call(name, *given, stderr=terminal)
    assert " threads" in terminal.getvalue()


def test_no_bar_is_drawn_into_an_export(threads: None) -> None:
    terminal = Terminal()
    call("chatkit_export", "--all", stderr=terminal)
    assert terminal.getvalue() == ""


# --- chatkit_erase ------------------------------------------------------------------------------------------


def test_erase_tells_what_would_go(threads: None) -> None:
    make_item(Thread.objects.get(title="a"))
    user = User.objects.get()
    assert call("chatkit_erase", "--user", "ada", "--dry-run") == f"user:{user.pk} – Threads: 2, items: 1\n"
    assert Thread.objects.count() == 3


def test_erase_deletes_and_says_that_the_account_stays(threads: None) -> None:
    told = call("chatkit_erase", "--user", "ada", "--no-input")
    assert "Erased – Threads: 2" in told
    assert "own row stays" in told
    assert Thread.objects.get().title == "c"
    assert User.objects.get().username == "ada"


@pytest.mark.parametrize(("answer", "left"), [("v", 2), ("visitor:v", 2)])
def test_erase_asks_first(threads: None, monkeypatch: pytest.MonkeyPatch, answer: str, left: int) -> None:
    monkeypatch.setattr("builtins.input", lambda prompt: answer)
    call("chatkit_erase", "--visitor", "v")
    assert Thread.objects.count() == left


@pytest.mark.parametrize("answer", ["", "y", "yes", "w"])
def test_erase_takes_no_for_an_answer(threads: None, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr("builtins.input", lambda prompt: answer)
    with pytest.raises(CommandError, match=r"Nothing was erased\."):
        call("chatkit_erase", "--visitor", "v")
    assert Thread.objects.count() == 3


def test_erase_is_not_done_where_nobody_answers(threads: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", Mock(side_effect=EOFError))
    with pytest.raises(CommandError, match="Say --no-input"):
        call("chatkit_erase", "--visitor", "v")
    assert Thread.objects.count() == 3


# --- chatkit_prune ------------------------------------------------------------------------------------------


def make_old(**fields: Any) -> Thread:
    return make_thread(last_activity=timezone.now() - timedelta(days=10), **fields)


def test_prune_deletes_what_is_old() -> None:
    make_item(make_old())
    kept = make_thread()
    make_run(None, "failed", started_at=timezone.now() - timedelta(days=10))
    assert call("chatkit_prune", "--older-than", "9d") == "Deleted – Threads: 1, items: 1, runs: 1\n"
    assert list(Thread.objects.all()) == [kept]


@pytest.mark.parametrize("age", ["9d", "1w", "200h", "9D"])
def test_prune_knows_units(age: str) -> None:
    make_old()
    assert "Threads: 1" in call("chatkit_prune", "--older-than", age, "--dry-run")


@pytest.mark.parametrize("age", ["90", "d", "0d", "-1d", "1.5d", "90 days", "1y", "", "999999w", "١d"])
def test_prune_refuses_nonsense(age: str) -> None:
    make_old()
    with pytest.raises(CommandError, match=r"90d for days|before the calendar|expected one argument"):
        call("chatkit_prune", f"--older-than={age}")
    assert Thread.objects.exists()


@pytest.mark.parametrize("size", ["0", "-1", "many", "10001"])
def test_prune_refuses_batches_of_nonsense(size: str) -> None:
    with pytest.raises(CommandError, match="a number from 1 to 10000 is wanted"):
        call("chatkit_prune", "--older-than", "1d", f"--batch-size={size}")


def test_prune_tells_what_would_go() -> None:
    make_old(status="closed")
    make_old()
    make_old(status="closed", open_flags=1)
    arguments = ("--older-than", "9d", "--status", "closed", "--keep-flagged", "--dry-run")
    assert call("chatkit_prune", *arguments) == "Would delete – Threads: 1\n"
    assert (Thread.objects.count(), AuditEntry.objects.count()) == (3, 0)


@pytest.fixture
def storage(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def put_file(folder: Path, name: str, *, days: int) -> Path:
    path = folder / "chatkit" / name[:2] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    then = (timezone.now() - timedelta(days=days)).timestamp()
    os.utime(path, (then, then))
    return path


def test_prune_deletes_files_that_no_attachment_names(storage: Path) -> None:
    named, preview = put_file(storage, "aa1", days=9), put_file(storage, "aa1-preview", days=9)
    make_attachment(make_thread(), file="chatkit/aa/aa1")
    orphans = [put_file(storage, name, days=2) for name in ("aa2", "aa2-preview", "bb1-preview")]
    young = put_file(storage, "aa3", days=0)
    (storage / "photo.png").write_bytes(b"the site's own")
    arguments = ["--older-than", "9d", "--orphans"]
    assert "Would delete files that no attachment names: 3\n" in call(
        "chatkit_prune", *arguments, "--dry-run"
    )
    assert all(path.exists() for path in orphans)
    assert "Deleted files that no attachment names: 3\n" in call("chatkit_prune", *arguments)
    kept = sorted(path for path in storage.rglob("*") if path.is_file())
    assert kept == sorted([named, preview, young, storage / "photo.png"])


def test_prune_names_attachments_that_have_lost_their_file(storage: Path) -> None:
    put_file(storage, "aa1", days=0)
    thread = make_thread()
    Attachment.objects.create(thread=thread, public_id="atc_1", file="chatkit/aa/aa1")
    Attachment.objects.create(thread=thread, public_id="atc_2", file="chatkit/aa/aa2")
    Attachment.objects.create(thread=thread, public_id="atc_3", file="")
    log = io.StringIO()
    call("chatkit_prune", "--older-than", "9d", "--orphans", stderr=log)
    assert [line for line in log.getvalue().splitlines() if "Attachment" in line] == [
        "Attachment atc_2 has lost its file."
    ]


def test_prune_leaves_files_alone_unless_asked(storage: Path) -> None:
    path = put_file(storage, "aa1", days=9)
    call("chatkit_prune", "--older-than", "9d")
    assert path.exists()


def test_prune_of_a_storage_that_is_away_says_so(storage: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = storage / "away"
    with pytest.raises(CommandError, match="The storage of files cannot be read: "):
        call("chatkit_prune", "--older-than", "9d", "--orphans")


def test_prune_deletes_no_files_where_rows_are_hidden(storage: Path, settings: Any) -> None:
    path = put_file(storage, "aa1", days=9)
    settings.CHATKIT = {"DATABASE_CONTEXT": "shop.tenants.context"}
    with pytest.raises(CommandError, match="Rows of other tenants or users"):
        call("chatkit_prune", "--older-than", "9d", "--orphans")
    assert path.exists()


def test_prune_deletes_counters_of_limits_that_are_over() -> None:
    now = timezone.now()
    for key, expires_at in (("a", now), ("b", now + timedelta(hours=1))):
        LimitCounter.objects.create(key=key, count=1, allowed=1, expires_at=expires_at)
    told = call("chatkit_prune", "--older-than", "9d", "--dry-run")
    assert told == "Would delete – nothing\nWould delete counters of limits that are over: 1\n"
    told = call("chatkit_prune", "--older-than", "9d")
    assert told == "Deleted – nothing\nDeleted counters of limits that were over: 1\n"
    assert [counter.key for counter in LimitCounter.objects.all()] == ["b"]


def test_prune_deletes_claims_of_visitors_that_are_a_day_old() -> None:
    user, now = User.objects.create_user("ada"), timezone.now()
    for visitor_id, age in (("old", timedelta(days=1, seconds=1)), ("new", timedelta(hours=23))):
        VisitorClaim.objects.create(visitor_id=visitor_id, user=user, claimed_at=now - age)
    call("chatkit_prune", "--older-than", "9d")
    assert list(VisitorClaim.objects.values_list("visitor_id", flat=True)) == ["new"]


def test_prune_that_is_interrupted_tells_how_far_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        make_old()
    original, calls = erasure.delete_rows, []

    def delete(rows: Any) -> Any:
        calls.append(rows)
        if len([row for row in calls if row.model is Thread]) == 3:
            raise KeyboardInterrupt
        return original(rows)

    monkeypatch.setattr(erasure, "delete_rows", delete)
    log = io.StringIO()
    with pytest.raises(SystemExit) as stopped:
        call("chatkit_prune", "--older-than", "9d", "--batch-size", "1", stderr=log)
    assert stopped.value.code == 130
    assert re.search(r"Broken off\. Deleted so far – Threads: 2\.", log.getvalue())
    assert Thread.objects.count() == 1
    assert AuditEntry.objects.get().details["deleted"]["thread"] == 2
