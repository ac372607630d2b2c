"""A message that was redacted is nowhere any more, whatever is being written at that moment."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from agents import Agent
from asgiref.sync import async_to_sync
from chatkit.types import ThreadMetadata
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chatkit_app import db
from chatkit_app.context import RequestContext, Usage
from chatkit_app.models import Attachment, AuditEntry, EarlierItem, Flag, Run, Thread, ThreadItem
from chatkit_app.moderation import redaction
from chatkit_app.moderation.redaction import AlreadyRedacted, redact
from chatkit_app.runs import keeper
from chatkit_app.runs import rows as run_rows
from chatkit_app.runs.registry import live_runs
from chatkit_app.runs.rows import RunOutcome, record_end
from chatkit_app.signals import item_redacted
from chatkit_app.staff import flags
from chatkit_app.store import DjangoStore, codec, earlier
from chatkit_app.store.state import StoreState
from chatkit_app.testing import ScriptedModel
from chatkit_app.testing.sample_items import sample_items
from chatkit_app.testing.store_contract import NOON
from chatkit_app.testing.store_contract import message as sdk_message
from tests.chat import Chat, Exchange, eventually, rows_become

pytestmark = pytest.mark.django_db
transactional = pytest.mark.django_db(transaction=True)

TOMBSTONE = "This message was removed by a moderator."


def item_of(public_id: str) -> ThreadItem:
    return ThreadItem.objects.get(public_id=public_id)


def redact_now(public_id: str) -> ThreadItem:
    return redact(item_of(public_id), actor=None, reason="Private data")


def everything() -> str:
    """All that the database holds, but for what is named by ids."""
    rows: list[Any] = []
    for model in (Thread, ThreadItem, Attachment, Run, Flag, AuditEntry):
        rows += model.objects.values()
    return json.dumps(rows, default=str)


def make_thread(**fields: Any) -> Thread:
    return Thread.objects.create(public_id="t", visitor_id="v", **fields)


def say(thread: Thread, text: str, type: str = "user_message", **payload: Any) -> ThreadItem:
    part = {"type": "input_text" if type == "user_message" else "output_text", "text": text}
    if type == "user_message":
        payload = {"inference_options": {}, "attachments": [], "quoted_text": None} | payload
    number = ThreadItem.objects.count()
    return ThreadItem.objects.create(
        thread=thread,
        public_id=f"item_{number}",
        type=type,
        payload={"content": [part]} | payload,
        text="\n".join([text, *(file["name"] for file in payload.get("attachments", []))]),
    )


def answer(thread: Thread, text: str) -> ThreadItem:
    return say(thread, text, "assistant_message")


# --- The row ------------------------------------------------------------------------------------------------


def test_tombstone_says_who_when_and_why_and_nothing_else():
    anna = User.objects.create_user("anna")
    item = say(make_thread(), "my secret")
    redact(item, actor=anna, reason="Private data")
    item.refresh_from_db()
    assert (item.payload, item.text, item.type) == ({"$redacted": True}, "", "user_message")
    assert (item.redacted_by, item.redaction_reason) == ("anna", "Private data")
    assert item.redacted_at is not None
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_name, entry.thread_key, entry.item_key, entry.reason) == (
        "redact",
        "anna",
        "t",
        item.public_id,
        "Private data",
    )
    assert "my secret" not in everything()


def test_what_a_rule_said_of_the_message_is_emptied() -> None:
    item = say(make_thread(), "My card is 4242-4242")
    flags.flag(item.thread, item=item, rule="card-number", reason="Found 4242-4242")
    redact_now(item.public_id)
    assert "4242-4242" not in everything()
    assert Flag.objects.get().raised_by == "card-number"


@pytest.mark.parametrize("index", range(len(sample_items(thread_id="t"))))
def test_item_of_any_type_can_be_redacted_and_read(index):
    store, context = DjangoStore(), RequestContext(visitor_id="v")
    sample = sample_items(thread_id="t")[index]

    @async_to_sync
    async def add() -> None:
        await store.save_thread(ThreadMetadata(id="t", created_at=NOON), context)
        await store.add_thread_item("t", sample, context)

    add()
    redact_now(sample.id)
    row = item_of(sample.id)
    assert row.payload == {"$redacted": True}
    item = codec.decode_item(row, thread_id="t")
    kept = {"user_message", "hidden_context_item", "sdk_hidden_context"}
    assert item.type == (sample.type if sample.type in kept else "assistant_message")
    assert TOMBSTONE in item.model_dump_json()
    bare = {"content", "id", "thread_id", "created_at", "type"}
    told = {
        name for name, value in item.model_dump(exclude_none=True, exclude_defaults=True).items() if value
    }
    assert told <= bare


def test_tombstone_is_in_the_language_of_its_reader(monkeypatch):
    item = say(make_thread(), "x")
    redact(item, actor=None, reason="x")
    monkeypatch.setattr(codec, "_", lambda text: f"{codec.translation.get_language()}: {text}")
    item.refresh_from_db()
    assert f"de: {TOMBSTONE}" in codec.decode_item(item, thread_id="t", locale="de").model_dump_json()
    assert f"en: {TOMBSTONE}" in codec.decode_item(item, thread_id="t").model_dump_json()


def test_what_is_redacted_already_is_refused():
    anna, ben = User.objects.create_user("anna"), User.objects.create_user("ben")
    item = say(make_thread(), "x")
    stale = item_of(item.public_id)
    redact(item, actor=anna, reason="First")
    with pytest.raises(AlreadyRedacted) as refused:
        redact(stale, actor=ben, reason="Second")
    assert refused.value.item.redacted_by == "anna"
    item.refresh_from_db()
    assert item.redaction_reason == "First"
    assert AuditEntry.objects.count() == 1


def test_what_is_gone_is_refused():
    item = say(make_thread(), "x")
    ThreadItem.objects.all().delete()
    with pytest.raises(ThreadItem.DoesNotExist):
        redact(item, actor=None, reason="x")


@transactional
async def test_one_of_many_at_the_same_moment_redacts():
    item = await db.run(lambda: say(make_thread(), "x"))
    tries = (db.run(redact, item, actor=None, reason=f"{number}") for number in range(6))
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["AlreadyRedacted"] * 5 + ["ThreadItem"]
    assert await db.run(AuditEntry.objects.count) == 1


@transactional
async def test_messages_of_a_thread_at_the_same_moment_are_all_redacted():
    def make() -> list[ThreadItem]:
        thread = make_thread()
        first = answer(thread, "the secret number is 42")
        return [first, *(say(thread, "why?", quoted_text="secret number") for _ in range(5))]

    items = await db.run(make)
    await asyncio.gather(*(db.run(redact, item, actor=None, reason="x") for item in items))
    assert await db.run(ThreadItem.objects.filter(payload={"$redacted": True}).count) == 6
    assert "secret" not in await db.run(everything)


# --- Copies -------------------------------------------------------------------------------------------------


def test_preview_is_that_of_the_message_before():
    thread = make_thread(last_preview="my secret")
    answer(thread, "shown")
    item = say(thread, "my secret")
    redact(item, actor=None, reason="x")
    thread.refresh_from_db()
    assert thread.last_preview == "shown"


@pytest.mark.parametrize(
    ("redacted", "title", "left"),
    [
        (0, "What the model made of it", ""),
        (1, "Sofas", "Sofas"),
        (1, "Your NUMBER: is…", ""),
        (1, "About: Your number is 42, and more", ""),
        (1, "", ""),
    ],
)
def test_title_goes_with_what_it_was_made_of(redacted, title, left):
    thread = make_thread(title=title)
    items = [say(thread, "first"), answer(thread, "Your **number** is 42")]
    redact(items[redacted], actor=None, reason="x")
    thread.refresh_from_db()
    assert thread.title == left


SAID = "The **secret** number, as [the page](https://example.com/a) says:\n\n1. forty\n2. two &amp; more"


@pytest.mark.parametrize(
    ("quoted", "left"),
    [
        ("secret number", None),
        ("THE SECRET\nnumber,   as", None),
        ("as the page says", None),
        ("forty\ntwo", None),
        ("two & more", None),
        ("something else", "something else"),
        ("…", "…"),
        (None, None),
    ],
)
def test_quotation_in_a_later_message_goes(quoted, left):
    thread = make_thread()
    item = answer(thread, SAID)
    later = say(thread, "why?", quoted_text=quoted)
    redact(item, actor=None, reason="x")
    later.refresh_from_db()
    assert (later.payload["quoted_text"], later.payload["content"][0]["text"]) == (left, "why?")


def test_quotation_of_what_has_no_text_stays():
    thread = make_thread()
    item = say(thread, "", "hidden_context_item")
    later = say(thread, "why?", quoted_text="because")
    redact(item, actor=None, reason="x")
    later.refresh_from_db()
    assert later.payload["quoted_text"] == "because"


@transactional
def test_files_go_with_their_bytes_and_from_later_messages(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    settings.CHATKIT = {"ATTACHMENTS": {"STORAGE": "default"}}
    thread, other = make_thread(), Thread.objects.create(public_id="other", visitor_id="v")

    def attach(name: str, of: Thread) -> dict[str, str]:
        file = storages["default"].save(name, ContentFile(b"bytes"))
        row = Attachment.objects.create(
            public_id=f"atc_{name}", thread=of, type="file", name=name, mime_type="text/plain", file=file
        )
        return {"type": "file", "id": row.public_id, "name": name, "mime_type": "text/plain"}

    secret, kept, foreign = (
        attach("secret.txt", thread),
        attach("kept.txt", thread),
        attach("else.txt", other),
    )
    item = say(thread, "look", attachments=[secret, foreign])
    later = say(thread, "again", attachments=[secret, kept])
    redact(item, actor=None, reason="x")
    later.refresh_from_db()
    assert [file["name"] for file in later.payload["attachments"]] == ["kept.txt"]
    assert later.text == "again\nkept.txt"
    assert set(Attachment.objects.values_list("name", flat=True)) == {"kept.txt", "else.txt"}
    assert not (tmp_path / "secret.txt").exists()
    assert (tmp_path / "kept.txt").exists()


def test_error_that_repeats_the_message_goes():
    thread = make_thread()
    item = say(thread, "card 4111-1111")
    telling, other = (
        Run.objects.create(public_id=error, thread=thread, operation="x", status="failed", error=error)
        for error in ("No card 4111 1111!", "out of memory")
    )
    redact(item, actor=None, reason="x")
    telling.refresh_from_db()
    other.refresh_from_db()
    assert (telling.error, other.error) == ("", "out of memory")


FAILED = RunOutcome(
    status=Run.Status.FAILED,
    failure=Run.Failure.ERROR,
    error="No card 4111",
    delivered=True,
    usage=Usage(model="a\x00model"),
    first_token_ms=None,
    total_ms=1,
)


@pytest.mark.parametrize(("redacted", "error"), [(True, ""), (False, "No card 4111")])
def test_error_that_comes_later_does_not_bring_it_back(redacted, error):
    thread = make_thread()
    item = say(thread, "card 4111")
    row = Run.objects.create(public_id="run", thread=thread, operation="x")
    if redacted:
        redact(item, actor=None, reason="x")
    record_end(row.pk, FAILED, locale=None)
    row.refresh_from_db()
    assert (row.status, row.error, row.model) == ("failed", error, "amodel")


def test_end_of_an_answer_that_staff_stopped_asks_once_what_they_did(django_assert_num_queries: Any):
    thread = make_thread()
    row = Run.objects.create(public_id="run", thread=thread, operation="x", stop_requested=True)
    Thread.objects.filter(pk=thread.pk).update(status=Thread.Status.LOCKED)
    # How it ended, and the run with its thread.
    with django_assert_num_queries(2):
        [event] = record_end(row.pk, FAILED, locale=None)
    assert event.thread.status.type == "locked"


def test_end_of_an_answer_that_its_user_stopped_tells_of_nothing_that_staff_did():
    row = Run.objects.create(public_id="run", thread=make_thread(), operation="x", stop_requested=True)
    assert record_end(row.pk, FAILED, locale=None) == []


@transactional
def test_site_is_told_once_it_is_certain():
    told: list[Any] = []

    def receiver(sender: Any, item: ThreadItem, actor: Any, **kwargs: Any) -> None:
        told.append((sender, item.public_id, item.text, actor, connection.in_atomic_block))
        raise ValueError("undoes nothing")

    anna = User.objects.create_user("anna")
    item = say(make_thread(), "x")
    item_redacted.connect(receiver)
    try:
        redact(item, actor=anna, reason="x")
    finally:
        item_redacted.disconnect(receiver)
    assert told == [(ThreadItem, item.public_id, "", anna, False)]
    item.refresh_from_db()
    assert item.redacted_at is not None


def test_redaction_takes_as_many_queries_in_a_long_thread():
    def queries(item: ThreadItem) -> int:
        with CaptureQueriesContext(connection) as captured:
            redact(item, actor=None, reason="x")
        return len(captured)

    thread = make_thread()
    first, second = say(thread, "one"), say(thread, "two")
    few = queries(first)
    for number in range(50):
        say(thread, f"more {number}", quoted_text="nothing of it")
    assert queries(second) == few


def test_hostile_markdown_takes_no_longer_than_other_text():
    thread = make_thread()
    item = answer(thread, "](" * 50_000)
    say(thread, "why?", quoted_text="x")
    redact(item, actor=None, reason="x")
    assert item_of(item.public_id).text == ""


@pytest.mark.parametrize("payload", [[], "text", {"attachments": [1, {}], "quoted_text": 7}, {}])
def test_broken_rows_are_redacted_and_stand_in_nobodys_way(payload):
    thread = make_thread()
    items = [
        ThreadItem.objects.create(
            thread=thread, public_id=name, type="user_message", payload=payload, text="x"
        )
        for name in ("one", "two")
    ]
    for item in items:
        redact(item, actor=None, reason="x")
    assert ThreadItem.objects.filter(payload={"$redacted": True}).count() == 2


# --- Against writers ----------------------------------------------------------------------------------------


@pytest.fixture
async def store() -> DjangoStore:
    made = DjangoStore()
    await made.save_thread(ThreadMetadata(id="t", created_at=NOON), RequestContext(visitor_id="v"))
    return made


@transactional
@pytest.mark.parametrize("knows", ["the item", "nothing"])
@pytest.mark.parametrize("way", ["add_thread_item", "save_item", "checkpoint"])
async def test_late_write_does_not_bring_the_text_back(store, way, knows):
    context = RequestContext(visitor_id="v")
    await store.add_thread_item("t", sdk_message("a", "my secret"), context)
    await db.run(redact_now, "a")
    if knows == "nothing":
        context = RequestContext(visitor_id="v")
        await store.load_thread("t", context)
    late = sdk_message("a", "my secret, longer")
    other = sdk_message("b", "other")
    if way == "checkpoint":
        await store.checkpoint([(late, context), (other, context)])
    else:
        await getattr(store, way)("t", late, context)
        await store.add_thread_item("t", other, context)
    row = await db.run(item_of, "a")
    assert (row.payload, row.text) == ({"$redacted": True}, "")
    assert (await db.run(item_of, "b")).text == "other"
    assert "my secret" not in await db.run(everything)
    assert (await db.run(Thread.objects.get)).item_count == 2


@transactional
async def test_writers_and_moderators_at_the_same_moment_leave_tombstones(store):
    """On a database where they really meet: whoever is first, the text is gone in the end."""
    context = RequestContext(visitor_id="v")
    ids = [f"i{number}" for number in range(8)]
    for item_id in ids:
        await store.add_thread_item("t", sdk_message(item_id, "my secret"), context)
    work: list[Any] = []
    for item_id in ids:
        late = sdk_message(item_id, "my secret, longer")
        work += [store.save_item("t", late, context), db.run(redact_now, item_id)]
        work += [store.checkpoint([(late, context)])]
    await asyncio.gather(*work)
    assert "my secret" not in await db.run(everything)


@transactional
async def test_trace_stays_when_the_item_is_deleted_to_be_made_anew(store):
    context = RequestContext(visitor_id="v")
    await store.add_thread_item("t", sdk_message("a", "my secret"), context)
    await db.run(redact_now, "a")
    await store.delete_thread_item("t", "a", context)
    assert (await db.run(item_of, "a")).redacted_at is not None
    assert (await db.run(Thread.objects.get)).item_count == 1


@transactional
async def test_title_that_comes_late_is_not_made_of_what_was_redacted(store):
    await store.add_thread_item("t", sdk_message("a", "my secret"), RequestContext(visitor_id="v"))
    context = RequestContext(visitor_id="v")
    thread = await store.load_thread("t", context)
    row = await db.run(Thread.objects.get)
    run = await db.run(lambda: Run.objects.create(public_id="r", thread=row, operation="x"))
    context.state(StoreState).run_pk = run.pk
    await db.run(redact_now, "a")
    thread.title, thread.metadata = "my secret", {"kept": True}
    await store.save_thread(thread, context)
    row = await db.run(Thread.objects.get)
    assert (row.title, row.metadata) == ("", {"kept": True})


# --- Against answers ----------------------------------------------------------------------------------------


async def begin(chat: Chat, thread_id: str | None = None) -> Exchange:
    """An answer that has said "one ", which is stored already."""
    answer = await chat.begin_saying("hi", thread_id)
    await answer.until('"delta":"one "')
    await rows_become(lambda: ThreadItem.objects.filter(text="one ").exists())
    return answer


async def assistant_item(exchange: Exchange) -> ThreadItem:
    items = ThreadItem.objects.filter(thread__public_id=exchange.thread_id, type="assistant_message")
    return await db.run(items.latest, "pk")


def last_text(exchange: Exchange) -> str:
    """What a page shows of the last item when the stream has ended."""
    items = {
        event["item"]["id"]: event["item"]
        for event in exchange.events()
        if event["type"].startswith("thread.item.") and "item" in event
    }
    return str(list(items.values())[-1]["content"][0]["text"])


@transactional
@pytest.mark.parametrize("place", ["this process", "another process"])
async def test_item_that_is_redacted_while_it_streams_stays_redacted(use, gate, monkeypatch, place):
    use("SlowServer")
    chat = Chat()
    answer = await begin(chat)
    item = await assistant_item(answer)
    if place == "another process":
        # It would stop at its next checkpoint; here it comes to its end before.
        monkeypatch.setattr(redaction, "request_stops", lambda rows: 0)
        monkeypatch.setattr(redaction, "withdraw", lambda thread_id: None)
    await db.run(redact_now, item.public_id)
    gate.set()
    await answer.rest()
    assert answer.types()[-2:] == ["thread.item.replaced", "thread.updated"]
    assert last_text(answer) == TOMBSTONE
    await db.run(item.refresh_from_db)
    assert (item.payload, item.text) == ({"$redacted": True}, "")
    assert "one " not in await db.run(everything)


@transactional
async def test_answer_is_stopped_whose_model_has_read_the_message(use, gate):
    use("SlowServer", CHECKPOINT_INTERVAL=60)
    chat = Chat()
    gate.set()
    first = await chat.say("my secret")
    gate.clear()
    answer = await chat.begin_saying("more", first.thread_id)
    await answer.until('"delta":"one "')
    question = await db.run(lambda: ThreadItem.objects.earliest("pk"))
    await db.run(redact_now, question.public_id)
    events = (await answer.rest()).events()
    (replaced,) = [event for event in events if event["type"] == "thread.item.replaced"]
    assert (replaced["item"]["id"], replaced["item"]["content"][0]["text"]) == (question.public_id, TOMBSTONE)
    assert "title" not in events[-1]["thread"]
    assert (await db.run(Run.objects.latest, "pk")).status == "stopped"


@transactional
@pytest.mark.parametrize("place", ["this process", "another process"])
async def test_finished_answer_is_read_again_without_what_was_redacted(use, gate, monkeypatch, place):
    use("SlowServer")
    chat = Chat()
    gate.set()
    answer = await chat.say("my secret")
    item = await assistant_item(answer)
    # As before the next heartbeat, however long the redaction takes here.
    monkeypatch.setattr(keeper, "_forget", lambda ended: None)
    if place == "another process":
        monkeypatch.setattr(redaction, "withdraw", lambda thread_id: None)
    await db.run(redact_now, item.public_id)
    assert live_runs.get(answer.run_id) is not None
    again = await (await chat.follow(answer.run_id)).rest()
    assert b"one two" not in again.body
    assert last_text(again) == TOMBSTONE


@transactional
async def test_answer_that_is_read_while_it_is_written_elsewhere_ends_in_the_tombstone(
    use, gate, monkeypatch
):
    """The reader is on another process than the answer."""
    use("SlowServer")
    monkeypatch.setattr("chatkit_app.runs.stored.POLL_INTERVAL", 0.02)
    chat = Chat()
    answer = await begin(chat)
    live = live_runs._by_id.pop(answer.run_id)
    reader = await chat.follow(answer.run_id)
    await reader.until("one ")
    live_runs._by_id[answer.run_id] = live
    item = await assistant_item(answer)
    await db.run(redact_now, item.public_id)
    assert last_text(await reader.rest()) == TOMBSTONE


@transactional
@pytest.mark.parametrize("place", ["this process", "another process"])
async def test_blind_repetition_is_not_given_what_was_redacted(use, gate, monkeypatch, place):
    use("SlowServer")
    chat = Chat()
    gate.set()
    thread_id = (await chat.say("hello")).thread_id
    gate.clear()
    answer = await begin(chat, thread_id)
    await answer.disconnect()
    gate.set()
    await rows_become(lambda: Run.objects.get(public_id=answer.run_id).status == "completed")
    item = await db.run(lambda: ThreadItem.objects.filter(type="assistant_message").latest("pk"))
    if place == "another process":
        monkeypatch.setattr(redaction, "withdraw", lambda thread_id: None)
        # As in the moment before the row is written that this process has found already.
        find = run_rows.find_entry
        monkeypatch.setattr(
            run_rows, "find_entry", lambda *args, **kw: replace(find(*args, **kw), begun=None)
        )
    await db.run(redact_now, item.public_id)
    repeated = await chat.say("hi", thread_id)
    assert repeated.run_id == answer.run_id
    assert b"one two" not in repeated.body
    assert last_text(repeated) == TOMBSTONE


@transactional
async def test_withdrawn_answer_is_forgotten_before_its_retention(use, gate):
    use("SlowServer", RUN_RETENTION=600)
    chat = Chat()
    gate.set()
    answer = await chat.say("hi")
    item = await assistant_item(answer)
    await db.run(redact_now, item.public_id)
    await eventually(lambda: live_runs.get(answer.run_id) is None)


@transactional
async def test_model_never_reads_it_again(settings):
    model = ScriptedModel(["The secret number is forty-two.", "Second", "Third", "Fourth"])
    settings.CHATKIT = {"AGENT": Agent(name="Test", model=model)}
    chat = Chat()
    thread_id = (await chat.say("My card is 4111-1111.")).thread_id
    await chat.begin(
        "threads.add_user_message",
        thread_id=thread_id,
        input={
            "content": [{"type": "input_text", "text": "Why?"}],
            "quoted_text": "secret number",
            "attachments": [],
            "inference_options": {},
        },
    )
    await rows_become(lambda: Run.objects.filter(status="completed").count() == 2)
    items = await chat.items(thread_id)
    for item in items[:2]:
        await db.run(redact_now, item["id"])
    await chat.say("And now?", thread_id)
    retried = await chat.ask("threads.retry_after_item", thread_id=thread_id, item_id=items[0]["id"])
    assert retried.text() == "Fourth"
    for asked in model.inputs[2:]:
        assert TOMBSTONE in str(asked)
        assert not any(word in str(asked) for word in ("4111-1111", "secret", "forty-two"))
    assert "4111-1111" in str(model.inputs[1])
    shown = json.dumps(await chat.items(thread_id))
    assert not any(word in shown for word in ("4111-1111", "secret number", "forty-two"))


@transactional
async def test_pending_question_that_was_redacted_takes_no_answer(use):
    use("FurnitureServer")
    chat = Chat()
    thread_id = (await chat.say("hi")).thread_id
    for public_id in ("form_1", "widget_1", "call_1"):
        await db.run(redact_now, public_id)
    for operation, params in {
        "threads.add_structured_input": {"item_id": "form_1", "input": {"status": "skipped"}},
        "threads.custom_action": {"item_id": "widget_1", "action": {"type": "buy", "payload": {}}},
        "threads.add_client_tool_output": {"result": {}},
    }.items():
        assert (await chat.ask(operation, thread_id=thread_id, **params)).types() == ["error"]


def test_quotation_that_came_unseen_is_taken_out_as_well(
    django_capture_on_commit_callbacks: Any,
) -> None:
    thread = make_thread()
    item = say(thread, "the secret")
    with django_capture_on_commit_callbacks(execute=True):
        redact(item, actor=None, reason="Private data")
        # As another connection would, whose message is seen only once the redaction is there for all.
        quoting = say(thread, "What?", quoted_text="secret")
        Run.objects.create(public_id="r", thread=thread, operation="x", status="completed")
    quoting.refresh_from_db()
    assert quoting.payload["quoted_text"] is None
    assert Run.objects.get().withdrawn


# --- Earlier versions ---------------------------------------------------------------------------------------


def ask_again(message: ThreadItem) -> None:
    earlier.set_answer_aside(message)
    message.refresh_from_db()


def edit(message: ThreadItem, text: str, **payload: Any) -> ThreadItem:
    """Put another message in the place of the last one."""
    new = f"edit of {message.public_id}"
    number = earlier.set_message_aside(message, replaced_by=new)
    row = say(message.thread, text, **payload)
    ThreadItem.objects.filter(pk=row.pk).update(public_id=new, earlier_messages=number)
    row.refresh_from_db()
    return row


def earlier_texts() -> list[str]:
    return list(EarlierItem.objects.order_by("pk").values_list("text", flat=True))


def test_earlier_versions_of_a_redacted_message_are_redacted_too():
    thread = make_thread(title="About me", item_count=9)
    first = say(thread, "My secret is 42")
    answer(thread, "Noted.")
    ask_again(first)
    answer(thread, "Thank you.")
    shown = edit(first, "My secret is forty-two")
    anna = User.objects.create_user("anna")
    redact(shown, actor=anna, reason="Private data")
    # Its answers, those that it had before too.
    assert earlier_texts() == ["", "", ""]
    row = EarlierItem.objects.get(public_id=first.public_id)
    assert (row.payload, row.redacted_by, row.redaction_reason) == (
        {"$redacted": True},
        "anna",
        "Private data",
    )
    thread.refresh_from_db()
    assert thread.title == ""


def test_earlier_answers_of_a_redacted_answer_are_redacted_too():
    thread = make_thread(item_count=9)
    asked = say(thread, "Who is it?")
    answer(thread, "It is Ada L.")
    ask_again(asked)
    shown = answer(thread, "Ada Lovelace.")
    redact_now(shown.public_id)
    assert earlier_texts() == [""]
    asked.refresh_from_db()
    assert asked.text == "Who is it?"


def test_other_earlier_versions_are_redacted_where_they_hold_the_words():
    thread = make_thread(item_count=9)
    said = say(thread, "The word is marzipan")
    asked = say(thread, "And now?")
    answer(thread, "You said: **the word is marzipan**.")
    ask_again(asked)
    answer(thread, "I do not know.")
    ask_again(asked)
    redact_now(said.public_id)
    assert earlier_texts() == ["", "I do not know."]


def test_what_the_model_wrote_for_an_earlier_answer_is_redacted_with_it():
    thread = make_thread(item_count=9)
    said = say(thread, "The word is marzipan")
    asked = say(thread, "And now?")
    shown = answer(thread, "The word is marzipan, you said.")
    ThreadItem.objects.create(
        thread=thread,
        public_id="raw",
        type="hidden_context_item",
        payload={"content": {"chatkit_app.output": "marzipan!", "shown": [shown.public_id]}},
    )
    ask_again(asked)
    redact_now(said.public_id)
    assert "marzipan" not in json.dumps(list(EarlierItem.objects.values()), default=str)


def test_quotation_in_an_earlier_version_goes():
    thread = make_thread(item_count=9)
    said = answer(thread, "The word is marzipan")
    asked = say(thread, "Why?", quoted_text="marzipan")
    edit(asked, "Why is it?")
    redact_now(said.public_id)
    row = EarlierItem.objects.get()
    assert (row.text, row.payload["quoted_text"]) == ("Why?", None)


def test_earlier_version_can_be_redacted_alone():
    thread = make_thread(title="A secret", item_count=9)
    first = say(thread, "My secret is 42")
    answered = answer(thread, "Noted.")
    shown = edit(first, "Hello")
    quoting = say(thread, "?", quoted_text="secret is 42")
    row = EarlierItem.objects.get(public_id=first.public_id)
    redact(row, actor=None, reason="Private data")
    assert earlier_texts() == ["", "Noted."]
    for item in (shown, quoting):
        item.refresh_from_db()
    assert (shown.text, quoting.payload["quoted_text"]) == ("Hello", None)
    assert AuditEntry.objects.get().item_key == first.public_id
    thread.refresh_from_db()
    assert thread.title == ""
    with pytest.raises(AlreadyRedacted):
        redact(row, actor=None, reason="Again")
    assert EarlierItem.objects.get(public_id=answered.public_id).redacted_at is None


def test_file_that_an_edit_keeps_goes_with_the_edit(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    thread = make_thread(item_count=9)
    name = storages["default"].save("a.txt", ContentFile(b"bytes"))
    Attachment.objects.create(
        public_id="atc_1", thread=thread, type="file", name="a.txt", mime_type="text/plain", file=name
    )
    file = {"type": "file", "id": "atc_1", "name": "a.txt", "mime_type": "text/plain"}
    asked = say(thread, "Look", attachments=[file])
    shown = edit(asked, "Look here", attachments=[file])
    answered = answer(thread, "A cat.")
    redact(answered, actor=None, reason="x")
    assert Attachment.objects.count() == 1
    redact(shown, actor=None, reason="x")
    assert Attachment.objects.count() == 0


def test_site_is_told_of_each_earlier_version_that_is_redacted(django_capture_on_commit_callbacks):
    told = []

    def hear(item, **kwargs):
        told.append((type(item).__name__, item.public_id))

    item_redacted.connect(hear)
    first = say(make_thread(item_count=9), "My secret is 42")
    shown = edit(first, "My secret")
    with django_capture_on_commit_callbacks(execute=True):
        redact(shown, actor=None, reason="x")
    item_redacted.disconnect(hear)
    assert told == [("ThreadItem", shown.public_id), ("EarlierItem", first.public_id)]
