"""Conversations as files."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from unittest.mock import Mock

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from chatkit_app.models import Attachment, EarlierItem, Feedback, Thread, ThreadItem
from chatkit_app.moderation import exports, takeover
from chatkit_app.moderation.export_formats import defuse_formula, fenced
from chatkit_app.moderation.exports import Export, Format
from chatkit_app.server import wire
from chatkit_app.store import codec
from chatkit_app.takeover import handler
from chatkit_app.testing.sample_items import sample_items
from tests.admin.conftest import make_item, make_items, make_thread

pytestmark = pytest.mark.django_db
MOMENT = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)


def export(*threads: Thread, format: Format = Format.JSONL, **options: Any) -> str:
    keys = [thread.pk for thread in threads]
    return "".join(Export(Thread.objects.filter(pk__in=keys), format=format, **options))


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def make_message(thread: Thread, text: str, **fields: Any) -> ThreadItem:
    payload = {"content": [{"type": "input_text", "text": text}], "inference_options": {}, "attachments": []}
    return make_item(thread, text=text, payload=payload, created_at=MOMENT, **fields)


def make_call(thread: Thread) -> ThreadItem:
    payload = {
        "call_id": "c1",
        "name": "locate",
        "status": "completed",
        "arguments": {"street": "secret lane"},
        "output": "secret place",
    }
    return make_item(thread, "client_tool_call", "locate", payload)


# --- JSONL --------------------------------------------------------------------------------------------------


def test_jsonl_has_a_thread_and_its_items() -> None:
    user = User.objects.create_user("ada")
    thread = make_thread("Hello", user=user, public_id="thr_a", created_at=MOMENT, last_activity=MOMENT)
    item = make_message(thread, "one\ntwo")
    Feedback.objects.create(item=item, kind="negative", user=user, updated_at=MOMENT)
    assert lines(export(thread)) == [
        {
            "kind": "thread",
            "thread": {
                "id": "thr_a",
                "title": "Hello",
                "created_at": "2026-01-31T12:30:00Z",
                "status": {"type": "active"},
                "metadata": {},
            },
            "owner": f"user:{user.pk}",
            "owner_name": "ada",
            "namespace": "",
            "last_activity": "2026-01-31T12:30:00Z",
        },
        {
            "kind": "item",
            "item": {
                "id": item.public_id,
                "thread_id": "thr_a",
                "created_at": "2026-01-31T12:30:00Z",
                "type": "user_message",
                "content": [{"type": "input_text", "text": "one\ntwo"}],
                "attachments": [],
                "inference_options": {},
            },
            "feedback": [{"kind": "negative", "owner": f"user:{user.pk}", "at": "2026-01-31T12:30:00Z"}],
        },
    ]


@pytest.mark.parametrize("format", Format)
def test_every_type_of_item_is_exported(format: Format) -> None:
    thread = make_thread()
    samples = sample_items(thread_id=thread.public_id)
    for item in samples:
        ThreadItem.objects.create(thread=thread, **codec.encode_item(item))
    job = Export(Thread.objects.all(), format=format, hidden=True)
    text = "".join(job)
    assert job.items_done == len(samples)
    if format == Format.JSONL:
        exported = [line["item"] for line in lines(text)[1:]]
        expected = [wire.with_utc_offset(item).model_dump(mode="json", exclude_none=True) for item in samples]
        assert [item["type"] for item in exported] == [item["type"] for item in expected]
        assert [item.get("widget") for item in exported] == [item.get("widget") for item in expected]


def test_item_that_the_sdk_cannot_read_is_exported_as_stored() -> None:
    thread = make_thread()
    make_item(thread, "hologram", payload={"beam": "blue"}, created_at=MOMENT)
    assert lines(export(thread))[1]["item"] == {
        "beam": "blue",
        "id": ThreadItem.objects.get().public_id,
        "thread_id": thread.public_id,
        "created_at": "2026-01-31T12:30:00Z",
        "type": "hologram",
    }


def test_signed_urls_of_files_are_left_out() -> None:
    thread = make_thread()
    picture = {
        "id": "atc_1",
        "type": "image",
        "name": "p.png",
        "mime_type": "image/png",
        "preview_url": "https://example.com/chatkit/attachments/atc_1/file?signature=letmein",
    }
    make_item(thread, payload={"content": [], "inference_options": {}, "attachments": [picture]})
    text = export(thread)
    assert "letmein" not in text
    assert lines(text)[1]["item"]["attachments"][0]["preview_url"].endswith("/attachments/atc_1/file")


def test_jsonl_is_one_line_for_each_row_to_every_reader() -> None:
    thread = make_thread("one\u2028two\x85three\ntwo")
    assert len(export(thread).splitlines()) == 1


# --- Who may ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", Format)
def test_hidden_context_is_left_out(format: Format) -> None:
    thread = make_thread()
    make_item(thread, "hidden_context_item", payload={"content": "secret advice"})
    make_item(thread, "sdk_hidden_context", payload={"content": "secret advice"})
    make_call(thread)
    text = export(thread, format=format)
    assert "secret" not in text
    assert "locate" in text


@pytest.mark.parametrize("format", Format)
def test_hidden_context_is_exported_for_those_who_may_read_it(format: Format) -> None:
    thread = make_thread()
    make_item(thread, "hidden_context_item", payload={"content": "secret advice"})
    make_call(thread)
    text = export(thread, format=format, hidden=True)
    assert ["secret advice" in text, "secret lane" in text, "secret place" in text] == [True, True, True]


def test_thread_that_is_not_allowed_is_left_out() -> None:
    first, second = make_thread("first"), make_thread("second")
    text = export(first, second, allowed=lambda thread: thread.pk == second.pk)
    assert [line["thread"]["title"] for line in lines(text)] == ["second"]


@pytest.mark.parametrize("format", Format)
def test_redacted_message_is_a_tombstone_even_where_its_text_still_stands(format: Format) -> None:
    thread = make_thread()
    make_message(
        thread, "my secret", redacted_at=MOMENT, redacted_by="mod", redaction_reason="a phone number"
    )
    text = export(thread, format=format, hidden=True)
    assert "my secret" not in text
    assert ["removed by a moderator" in text, "a phone number" in text, "mod" in text] == [True, True, True]


# --- CSV ----------------------------------------------------------------------------------------------------


def test_csv_has_a_row_for_each_item() -> None:
    thread = make_thread("Hello", visitor_id="v1", public_id="thr_a")
    item = make_message(thread, 'say "hi", please')
    Feedback.objects.create(item=item, kind="positive", visitor_id="v1")
    text = export(thread, format=Format.CSV)
    assert text == (
        "\ufeffthread,title,owner,status,item,type,hidden,time,text,feedback,redacted,author,earlier\r\n"
        f"thr_a,Hello,visitor:v1,active,{item.public_id},user_message,no,2026-01-31T12:30:00Z,"
        '"say ""hi"", please",positive,,,\r\n'
    )


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "  =1",
        '"=1',
        "'=1",
        "\u200b=1",
        "\ufeff =1",
        "\xa0@x",
        "＝1",
        "＋1",
        "－1",
        "＠x",
        "\x00=1",
        "“=1",
        " \t=1",
        "\u2060\u00ad-1",
    ],
)
def test_formula_is_defused(cell: str) -> None:
    assert defuse_formula(cell).startswith("'")


@pytest.mark.parametrize("cell", ["", "1+1=2", "a@b.c", "see below", "«quoted»", "3 - 2"])
def test_text_that_is_no_formula_stays(cell: str) -> None:
    assert defuse_formula(cell) == cell


@pytest.mark.parametrize(
    ("cell", "expected"),
    [("hi\n=1", "hi\n'=1"), ("hi;=1", "hi;'=1"), ("hi\r\n @x", "hi\r\n' @x"), ("hi\t+1", "hi\t'+1")],
)
def test_formula_inside_a_text_is_defused(cell: str, expected: str) -> None:
    assert defuse_formula(cell) == expected


def test_formulas_are_defused_in_every_column() -> None:
    user = User.objects.create_user("@ada")
    thread = make_thread("=title", user=user, public_id="=id")
    make_message(thread, "=text", redacted_at=None)
    (row,) = rows(export(thread, format=Format.CSV))
    assert (row["thread"], row["title"], row["owner"], row["text"]) == ("'=id", "'=title", "'@ada", "'=text")


def test_long_run_of_blanks_costs_little() -> None:
    blanks = " \n" * 200_000
    assert len(defuse_formula(blanks)) == 400_000


# --- Markdown -----------------------------------------------------------------------------------------------


def test_markdown_is_a_transcript() -> None:
    thread = make_thread("Hello", visitor_id="v1", public_id="thr_a", created_at=MOMENT, last_activity=MOMENT)
    item = make_message(thread, "# one\n![x](https://example.com)")
    Feedback.objects.create(item=item, kind="positive", visitor_id="v1")
    assert export(thread, format=Format.MARKDOWN) == (
        "# Conversations\n\n## Thread\n\n```text\nTitle: Hello\nThread: thr_a\nOwner: visitor:v1\n"
        "Status: active\nCreated: 2026-01-31T12:30:00Z\nLast activity: 2026-01-31T12:30:00Z\n```\n"
        "\n### User message · 2026-01-31T12:30:00Z\n\n(positive)\n\n"
        "```text\n# one\n![x](https://example.com)\n```\n"
    )


def test_fence_is_longer_than_any_in_the_text() -> None:
    assert fenced("````\nout") == "`````text\n````\nout\n`````\n"


def test_control_characters_do_nothing_in_a_transcript() -> None:
    assert fenced("a\x00\x1b[2J\u202eb\tc") == "```text\na\ufffd\ufffd[2J\ufffdb\tc\n```\n"


def test_title_cannot_leave_its_fence() -> None:
    thread = make_thread("x\n```\n# loud")
    assert "Title: x ``` # loud\n" in export(thread, format=Format.MARKDOWN)


# --- Reading ------------------------------------------------------------------------------------------------


def test_export_has_every_item_once_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "PAGE_SIZE", 3)
    monkeypatch.setattr(exports, "PLAN_SIZE", 2)
    # Counts that are wrong, as those of a thread that is being written to.
    sizes = [(7, 7), (0, 0), (1, 1), (3, 3), (4, 0), (2, 50), (1, 1), (1, 1)]
    threads = []
    for size, count in sizes:
        threads.append(make_thread(item_count=count))
        make_items(threads[-1], size)
    found = lines(export(*threads))
    told = [(line["kind"], line[line["kind"]]["id"]) for line in found]
    expected = []
    for thread, (size, _) in zip(threads, sizes, strict=True):
        expected += [("thread", thread.public_id), *(("item", f"bulk_{index}") for index in range(size))]
    assert told == expected


@pytest.mark.parametrize(("threads", "size"), [(100, 1), (1, 100)])
def test_number_of_queries_follows_the_pages_alone(threads: int, size: int) -> None:
    for _ in range(threads):
        thread = make_thread(item_count=size)
        make_items(thread, size)
    with CaptureQueriesContext(connection) as queries:
        list(Export(Thread.objects.all(), format=Format.JSONL))
    # The plan twice, and of the one page items, threads, feedback and earlier versions.
    assert len(queries) == 6


def test_first_piece_comes_before_the_rest_is_read(django_assert_num_queries: Callable[..., Any]) -> None:
    thread = make_thread(item_count=450)
    make_items(thread, 450)
    job = Export(Thread.objects.all(), format=Format.CSV)
    with django_assert_num_queries(4):
        # None of its thread's earlier versions, since that has more.
        first = next(job)
    assert (len(rows(first)), job.items_done, job.threads_done) == (200, 200, 1)


def test_thread_that_vanishes_is_left_out_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "PAGE_SIZE", 2)
    first, second = make_thread("first", item_count=4), make_thread("second", item_count=1)
    make_items(first, 4)
    make_items(second, 1)
    job = Export(Thread.objects.all(), format=Format.JSONL)
    text = next(job)
    first.delete()
    text += "".join(job)
    assert [line["kind"] for line in lines(text)] == ["thread", "item", "item", "thread", "item"]


def test_item_that_is_redacted_meanwhile_is_redacted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "PAGE_SIZE", 1)
    thread = make_thread(item_count=2)
    make_message(thread, "fine")
    secret = make_message(thread, "secret")
    job = Export(Thread.objects.all(), format=Format.MARKDOWN)
    text = next(job)
    ThreadItem.objects.filter(pk=secret.pk).update(redacted_at=timezone.now())
    text += "".join(job)
    assert ("fine" in text, "secret" in text) == (True, False)


def test_step_that_failed_can_be_taken_again(monkeypatch: pytest.MonkeyPatch) -> None:
    thread = make_thread("x")
    make_items(thread, 1)
    job = Export(Thread.objects.all(), format=Format.JSONL)
    with monkeypatch.context() as broken:
        broken.setattr(exports, "_grouped", Mock(side_effect=OSError("away")))
        with pytest.raises(OSError, match="away"):
            next(job)
    assert [line["kind"] for line in lines("".join(job))] == ["thread", "item"]


def test_export_of_nothing_is_only_a_beginning() -> None:
    nothing = Thread.objects.none()
    assert "".join(Export(nothing, format=Format.JSONL)) == ""
    assert "".join(Export(nothing, format=Format.CSV)).startswith("\ufeffthread,title")


@pytest.mark.parametrize("format", Format)
def test_export_that_breaks_off_says_so(format: Format) -> None:
    assert "INCOMPLETE" in Export(Thread.objects.all(), format=format).incomplete()


def test_export_speaks_the_language_in_which_it_was_asked_for() -> None:
    make_item(make_thread())
    with translation.override("de"):
        job = Export(Thread.objects.all(), format=Format.MARKDOWN)
    assert "Nachricht des Benutzers" in "".join(job)


# --- Earlier versions ---------------------------------------------------------------------------------------


def make_earlier(thread: Thread, place: ThreadItem, text: str, **fields: Any) -> EarlierItem:
    row = make_message(thread, text)
    values = {"of": "message", "number": 1, "replaced_at": MOMENT, "redacted_at": None} | fields
    copied = {name: getattr(row, name) for name in ("public_id", "type", "payload", "text", "created_at")}
    row_pk = row.pk
    row.delete()
    return EarlierItem.objects.create(id=row_pk, thread=thread, place=place.public_id, **(copied | values))


def test_earlier_versions_follow_their_thread_and_say_what_they_are() -> None:
    thread, other = make_thread("first", item_count=1), make_thread("second", item_count=1)
    item = make_message(thread, "shown")
    row = make_earlier(thread, item, "as it was")
    make_message(other, "else")
    found = lines(export(thread, other))
    assert [line["kind"] for line in found] == ["thread", "item", "earlier_item", "thread", "item"]
    assert found[2]["item"]["content"][0]["text"] == "as it was"
    assert found[2]["earlier"] == {
        "item": item.public_id,
        "of": "message",
        "version": 1,
        "replaced_at": "2026-01-31T12:30:00Z",
    }
    assert found[2]["item"]["id"] == row.public_id


def test_many_earlier_versions_are_read_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "PAGE_SIZE", 2)
    thread, other = make_thread(item_count=1), make_thread(item_count=1)
    item = make_message(thread, "shown")
    for number in range(5):
        make_earlier(thread, item, f"version {number}", number=number)
    make_message(other, "else")
    texts = [line["item"]["content"][0]["text"] for line in lines(export(thread, other)) if "item" in line]
    assert texts == ["shown", *(f"version {number}" for number in range(5)), "else"]


def test_earlier_versions_are_marked_for_spreadsheets_and_readers() -> None:
    thread = make_thread(item_count=1)
    make_earlier(thread, make_message(thread, "shown"), "as it was", of="answer", number=3)
    table = rows(export(thread, format=Format.CSV))
    assert [(row["text"], row["earlier"]) for row in table] == [("shown", ""), ("as it was", "answer 3")]
    assert "(earlier version)\n\n```text\nas it was" in export(thread, format=Format.MARKDOWN)


def test_redacted_earlier_version_stays_out() -> None:
    thread = make_thread(item_count=1)
    make_earlier(thread, make_message(thread, "shown"), "secret", redacted_at=MOMENT)
    for format in Format:
        assert "secret" not in export(thread, format=format)


# --- After a person has answered ----------------------------------------------------------------------------


@pytest.mark.parametrize("format", Format)
def test_export_tells_the_story_of_a_takeover_without_the_instruction(format: Format) -> None:
    maria = User.objects.create_superuser("maria", first_name="Maria")
    thread = make_thread("Parcel")
    make_message(thread, "I want a person.")
    handler.request_person(thread.pk, reason="Parcel lost", message="Somebody of our team comes.")
    takeover.take_over(thread, actor=maria)
    form = Attachment.objects.create(
        public_id="atc_1", thread=thread, name="form.txt", mime_type="text/plain", type="file", size=3
    )
    takeover.reply(thread, "Please fill in this form.", actor=maria, attachments=[form])
    make_message(thread, "Here it is.")
    takeover.hand_back(thread, actor=maria, instruction="Offer a refund.")
    text = export(thread, format=format)
    story = ["I want a person.", "Somebody of our team comes.", "Please fill in this form.", "Here it is."]
    places = [text.index(said) for said in story]
    assert places == sorted(places)
    assert "Maria" in text
    assert "form.txt" in text
    assert "Offer a refund." not in text
    assert "Offer a refund." in export(thread, format=format, hidden=True)
