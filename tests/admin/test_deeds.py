"""What the audit keeps as details, in sentences."""

from typing import Any

import pytest
from django.utils.translation import override

from chatkit_app.admin.deeds import deed
from chatkit_app.models import AuditEntry

TOLD: dict[str, tuple[str, dict[str, Any], str]] = {
    "transcript": (
        "read",
        {"first": "msg_1", "last": "msg_9", "count": 9, "hidden": True},
        "Read 9 messages, from msg_1 to msg_9. Also what only the model was told.",
    ),
    "one message": ("read", {"count": 1, "hidden": False}, "Read 1 message."),
    "notes": ("read", {"page": "notes", "count": 2}, "Read the notes about the thread."),
    "review": (
        "read",
        {"page": "review", "flag": 7, "hidden": False},
        "Read what flag 7 is about, in the review queue.",
    ),
    "flag": ("read", {"page": "flag", "flag": 7}, "Read what flag 7 is about."),
    "run": ("read", {"run": "run_1"}, "Read how the answer run_1 was made."),
    "file": ("read", {"attachment": "atc_1"}, "Read of the file atc_1."),
    "file, opened": ("read", {"attachment": "atc_1", "opened": True}, "Opened the file atc_1."),
    "search": ("search", {"found": 3}, "Found 3 threads."),
    "search for files": ("search", {"found": 1, "list": "attachments"}, "Found 1 file."),
    "autocompletion": ("search", {"page": "autocomplete"}, "Looked for a thread to select."),
    "labels": (
        "label",
        {"added": ["vip", "bug"], "removed": ["spam"]},
        "Gave it: vip, bug. Took away: spam.",
    ),
    "assigned": ("assign", {"assignee": "3", "assignee_name": "hugo"}, "Assigned it to hugo."),
    "unassigned": ("assign", {"assignee": "", "assignee_name": ""}, "Assigned it to nobody."),
    "flagged": ("flag", {"flag": 7}, "Raised flag 7."),
    "resolved": ("resolve", {"flag": 7, "resolution": "unfounded"}, "Ended flag 7: nothing to do."),
    "note": ("note", {"note": 5}, "Wrote note 5."),
    "stopped": ("stop", {"run": "run_1"}, "Stopped the answer run_1."),
    "export": (
        "export",
        {"format": "csv", "count": 2, "hidden": False, "filters": "label=3"},
        "Exported 2 threads as csv. filters: label=3",
    ),
    "export of very many": ("export", {"format": "csv", "count": None}, "Exported many threads as csv."),
    "erasure, begun": ("erase", {"begun": True}, "Began to erase all data of the person."),
    "erasure": ("erase", {"erased": {"run": 2, "thread": 1}}, "Erased: run 2, thread 1."),
    "erasure of nothing": ("erase", {"erased": {}}, "There was nothing to erase."),
    "deleted file": ("delete", {"attachment": "atc_1"}, "Deleted the file atc_1."),
    "refused": (
        "refused",
        {"method": "GET", "path": "/admin/", "status": 403, "query": "a=b"},
        "Asked for /admin/ (GET) and was answered with 403. query: a=b",
    ),
    "locked": ("lock", {}, ""),
    "webhook": ("read", {"delivery": "msg_1"}, "Read what the webhook msg_1 told."),
    "taken over": ("take", {"waited_ms": None, "taken_from": "", "taken_from_name": ""}, ""),
    "taken from somebody": (
        "take",
        {"waited_ms": 200_000, "taken_from": "3", "taken_from_name": "hugo"},
        "Took it from hugo. The user had waited for 3 minutes.",
    ),
    "answered": ("reply", {"waited_ms": 2_340}, "The user had waited for 2.34 s."),
    "answered without a wait": ("reply", {"waited_ms": None}, ""),
    "handed back": ("hand_back", {"instructed": False}, ""),
    "handed back with an instruction": (
        "hand_back",
        {"instructed": True},
        "With an instruction for the assistant.",
    ),
}


@pytest.mark.parametrize("case", TOLD)
def test_deed_is_told_in_sentences(case: str) -> None:
    action, details, told = TOLD[case]
    assert deed(AuditEntry(action=action, details=details)) == told


def test_deed_names_the_message() -> None:
    assert deed(AuditEntry(action="redact", item_key="msg_1")) == "Message: msg_1."


def test_deed_tells_when_a_message_was_said_in_place_of_its_id() -> None:
    entry = AuditEntry(
        action="read", details={"first": "msg_1", "last": "msg_9", "count": 2}, item_key="msg_1"
    )
    assert deed(entry, {"msg_1": "12:03"}) == "Read 2 messages, from 12:03 to msg_9. Message: 12:03."


@pytest.mark.parametrize("action", AuditEntry.Action.values)
def test_deed_of_details_that_nobody_knows_tells_them_as_they_are(action: str) -> None:
    assert deed(AuditEntry(action=action, details={"odd": {"a": 1}})).endswith("odd: a 1")


def test_deed_is_told_in_the_reader_s_language() -> None:
    with override("de"):
        assert deed(AuditEntry(action="note", details={"note": 5})) == "Hat Notiz 5 geschrieben."
