import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone

from chatkit_app.models import Assignment, AuditEntry, EarlierItem, Flag, Label, Note, Thread, ThreadItem
from chatkit_app.server import wire
from chatkit_app.staff.audit import Action, record
from chatkit_app.store import codec, payloads
from chatkit_app.testing.sample_items import sample_items

from .conftest import make_item, make_items, make_run, make_thread, set_aside

pytestmark = pytest.mark.django_db

READER = ("view_thread", "view_content")


@pytest.fixture
def reader(staff: Callable[..., Client]) -> Client:
    return staff(*READER)


@pytest.fixture
def deep_reader(staff: Callable[..., Client]) -> Client:
    """Who reads what only the model was told, too."""
    return staff(*READER, "view_hidden_context")


def url(thread: Thread, page: str = "change/") -> str:
    return f"/admin/chatkit_app/thread/{thread.pk}/{page}"


def page(client: Client, thread: Thread, query: str = "") -> str:
    response = client.get(f"{url(thread)}?{query}")
    assert response.status_code == 200
    return response.content.decode()


def transcript(client: Client, thread: Thread, query: str = "") -> dict[str, Any]:
    """What the page gives the element."""
    found = re.search(
        r'<script id="chatkit-transcript-data"[^>]*>(.*?)</script>', page(client, thread, query)
    )
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def items(client: Client, thread: Thread, query: str = "") -> list[dict[str, Any]]:
    """The items of the page, the oldest first."""
    return list(reversed(transcript(client, thread, query)["page"]["data"]))


def facts(client: Client, thread: Thread) -> dict[str, Any]:
    (item,) = items(client, thread)
    staff: dict[str, Any] = item["staff"]
    return staff


def older(client: Client, thread: Thread, after: object) -> Any:
    body = {"type": "items.list", "params": {"thread_id": thread.public_id, "after": after, "order": "desc"}}
    return client.post(url(thread, "transcript/"), json.dumps(body), content_type="application/json")


def reads() -> list[dict[str, Any]]:
    return [entry.details for entry in AuditEntry.objects.filter(action="read").order_by("pk")]


# --- What the element is given ------------------------------------------------------------------------------


def test_every_type_of_item_is_given_as_users_get_it(deep_reader: Client) -> None:
    thread = make_thread("x")
    samples = sample_items(thread_id=thread.public_id)
    for sample in samples:
        ThreadItem.objects.create(thread=thread, **codec.encode_item(sample))
    given = [{k: v for k, v in item.items() if k != "staff"} for item in items(deep_reader, thread)]
    assert given == [json.loads(wire.to_wire(sample)) for sample in samples]
    assert {item["type"] for item in given} == set(ThreadItem.Type.values)


def plain(client: Client, thread: Thread) -> list[str]:
    """The texts of the page itself, without the script."""
    return re.findall(r'<div class="chatkit-text" dir="auto">(.*?)</div>', page(client, thread), re.DOTALL)


def test_page_itself_has_the_texts_in_their_order_and_escaped(reader: Client) -> None:
    thread = make_thread("x")
    make_item(thread, text="first <b>")
    make_item(thread, text="x" * 5_000)
    make_item(
        thread,
        text="gone",
        payload=payloads.redacted_payload(),
        redacted_at=timezone.now(),
        redacted_by="ada",
    )
    first, second, third = plain(reader, thread)
    assert first == "first &lt;b&gt;"
    assert second.endswith("x…")
    assert len(second) < 5_000
    assert third == "This message was removed by a moderator."


def test_page_itself_has_no_text_that_only_the_model_was_told(reader: Client) -> None:
    thread = make_thread("x")
    make_item(thread, "hidden_context_item", payload={"content": "the plan"})
    make_item(thread, text="seen")
    assert plain(reader, thread) == ["seen"]
    assert "the plan" not in page(reader, thread)


def test_broken_item_does_not_take_the_others_with_it(reader: Client) -> None:
    thread = make_thread("x")
    make_item(thread, text="before")
    make_item(thread, "widget", payload={"content": [{"text": "what is left"}]})
    make_item(thread, "user_message", payload=[])
    make_item(thread, text="after")
    given = items(reader, thread)
    assert [item["type"] for item in given] == ["user_message", "unreadable", "unreadable", "user_message"]
    assert given[1]["payload"] == {"content": [{"text": "what is left"}]}
    assert given[1]["staff"]["label"] == "Widget"
    assert given[1]["staff"]["remarks"] == ["It is stored in a form that cannot be shown as the user saw it."]


def test_element_s_actions_are_off(reader: Client, settings: Any) -> None:
    settings.CHATKIT = {
        "OPTIONS": {"threadItemActions": {"feedback": True, "retry": True}, "locale": "de", "theme": "dark"}
    }
    thread = make_thread("x")
    make_item(thread)
    config = transcript(reader, thread)["config"]
    assert config["options"]["threadItemActions"] == {"feedback": False, "retry": False}
    assert config["options"]["header"] == {"enabled": False}
    assert config["options"]["theme"] == "dark"
    assert config["endpoint"] == url(thread, "transcript/")
    assert (config["locale"], config["strings"]["answerAgain"]) == ("en", "Answer again")
    assert "<openai-chatkit readonly" in page(reader, thread)


def test_element_may_load_no_image_that_only_users_trust(reader: Client) -> None:
    thread = make_thread("x", allowed_image_domains=["images.example"])
    make_item(thread)
    assert set(transcript(reader, thread)["thread"]) == {"id", "created_at", "status"}


def test_picture_of_a_message_has_a_fresh_address(reader: Client, settings: Any) -> None:
    settings.CHATKIT = {"ATTACHMENTS": {"STORAGE": "default"}}
    thread = make_thread("x")
    old = "http://elsewhere.example/chatkit/attachments/atc_1/file?signature=old"
    picture = {
        "id": "atc_1",
        "type": "image",
        "name": "a.png",
        "mime_type": "image/png",
        "preview_url": old,
    }
    make_item(thread, payload={"content": [], "attachments": [picture], "inference_options": {}})
    (item,) = items(reader, thread)
    address = item["attachments"][0]["preview_url"]
    assert address.startswith("http://testserver/chatkit/attachments/atc_1/file?signature=")
    assert "old" not in address


# --- What only the model was told ---------------------------------------------------------------------------

CALL = {
    "name": "locate",
    "status": "completed",
    "call_id": "c",
    "arguments": {"a": "secret"},
    "output": "secret",
}


def test_hidden_context_is_given_to_who_may_read_it_and_marked(deep_reader: Client) -> None:
    thread = make_thread("x")
    make_item(thread, "hidden_context_item", payload={"content": "secret plan"})
    (item,) = items(deep_reader, thread)
    assert item["content"] == "secret plan"
    assert item["staff"]["badges"] == [{"kind": "hidden", "text": "hidden from the user"}]
    assert reads() == [{"first": item["id"], "last": item["id"], "count": 1, "hidden": True}]


@pytest.mark.parametrize("hidden_type", ["hidden_context_item", "sdk_hidden_context"])
def test_hidden_context_is_left_out_for_others(reader: Client, hidden_type: str) -> None:
    thread = make_thread("x")
    hidden = make_item(thread, hidden_type, payload={"content": "secret plan"})
    make_item(thread, text="Hello")
    html = page(reader, thread)
    assert "secret plan" not in html
    assert "What only the model was told is left out." in html
    assert [item["type"] for item in items(reader, thread, f"item={hidden.pk}")] == ["user_message"]
    assert [entry["hidden"] for entry in reads()] == [False, False]


def test_tool_call_has_its_arguments_for_who_may_read_them(deep_reader: Client) -> None:
    thread = make_thread("x")
    make_item(thread, "client_tool_call", payload=CALL)
    (item,) = items(deep_reader, thread)
    assert (item["arguments"], item["output"]) == ({"a": "secret"}, "secret")
    assert item["staff"]["badges"] == [{"kind": "hidden", "text": "hidden from the user"}]


@pytest.mark.parametrize("payload", [CALL, {"arguments": "secret, and broken"}])
def test_tool_call_is_without_its_arguments_for_others(reader: Client, payload: dict[str, Any]) -> None:
    thread = make_thread("x")
    make_item(thread, "client_tool_call", payload=payload)
    assert "secret" not in page(reader, thread)
    assert [link["text"] for link in facts(reader, thread)["links"]] == []


# --- Beside each item ---------------------------------------------------------------------------------------


def test_item_has_its_type_time_and_link(reader: Client) -> None:
    thread = make_thread("x")
    item = make_item(thread, "end_of_turn", payload={})
    found = facts(reader, thread)
    assert (found["label"], found["url"]) == ("End of turn", f"{url(thread)}?item={item.pk}")
    assert found["datetime"].startswith(item.created_at.strftime("%Y-%m-"))


def test_item_has_the_feedback_of_users(reader: Client) -> None:
    thread = make_thread("x")
    item = make_item(thread)
    item.feedback.create(kind="negative", visitor_id="v1")
    item.feedback.create(kind="negative", visitor_id="v2")
    item.feedback.create(kind="positive", visitor_id="v3")
    assert facts(reader, thread)["badges"] == [
        {"kind": "positive", "text": "positive"},
        {"kind": "negative", "text": "negative × 2"},
    ]


def test_message_tells_what_its_user_had_chosen(reader: Client) -> None:
    thread = make_thread("x")
    options = {"model": "large", "tool_choice": {"id": "track"}}
    make_item(thread, payload={"content": [], "inference_options": options})
    assert facts(reader, thread)["remarks"] == ["Chosen model: large", "Chosen tool: track"]


def test_redacted_item_tells_who_when_and_why(staff: Callable[..., Client]) -> None:
    thread = make_thread("x")
    item = make_item(thread, payload=payloads.redacted_payload())
    ThreadItem.objects.filter(pk=item.pk).update(
        redacted_at="2026-03-04T12:30Z", redacted_by="anna", redaction_reason="A card number"
    )
    found = facts(staff(*READER, "redact_item"), thread)
    assert found["remarks"] == ["Redacted by anna, 03/04/2026 1:30 p.m.: A card number"]
    assert [link["text"] for link in found["links"]] == ["Raw data"]


@pytest.mark.parametrize(
    ("permissions", "links"),
    [
        ((), ["Raw data"]),
        (("redact_item",), ["Redact", "Raw data"]),
        (("moderate_thread",), ["Flag", "Raw data"]),
    ],
)
def test_item_has_the_links_that_its_reader_may_follow(
    staff: Callable[..., Client], permissions: tuple[str, ...], links: list[str]
) -> None:
    thread = make_thread("x")
    make_item(thread)
    client = staff(*READER, *permissions)
    found = facts(client, thread)["links"]
    assert [link["text"] for link in found] == links
    assert [client.get(link["url"]).status_code for link in found] == [200] * len(links)


@pytest.mark.parametrize(
    ("permissions", "links"),
    [((), ["Raw data"]), (("view_attachment",), ["Raw data", "form.txt"])],
    ids=["may not open files", "may open files"],
)
def test_message_leads_to_its_file_whoever_may_open_it(
    staff: Callable[..., Client],
    settings: Any,
    tmp_path: Path,
    permissions: tuple[str, ...],
    links: list[str],
) -> None:
    settings.MEDIA_ROOT = tmp_path
    settings.CHATKIT = {"ATTACHMENTS": {}}
    thread = make_thread("x")
    file = {"type": "file", "id": "atc_1", "name": "form.txt", "mime_type": "text/plain"}
    thread.attachments.create(
        public_id="atc_1",
        type="file",
        name="form.txt",
        mime_type="text/plain",
        file=default_storage.save("form.txt", ContentFile(b"Please fill in.")),
    )
    foreign = {**file, "id": "atc_2"}
    make_thread("another").attachments.create(public_id="atc_2", type="file", name="b", mime_type="b")
    make_item(thread, payload={"content": [], "inference_options": {}, "attachments": [file, foreign]})
    client = staff(*READER, *permissions)
    found = facts(client, thread)["links"]
    assert [link["text"] for link in found] == links
    if permissions:
        assert b"".join(client.get(found[-1]["url"]).streaming_content) == b"Please fill in."


# --- Pages of items -----------------------------------------------------------------------------------------


def test_page_opens_with_the_latest_items(reader: Client) -> None:
    thread = make_thread("x")
    make_items(thread, 120)
    make_items(make_thread("another"), 5)
    data = transcript(reader, thread)
    assert [item["id"] for item in data["page"]["data"]] == [f"bulk_{n}" for n in range(119, 69, -1)]
    assert (data["page"]["has_more"], data["linked"]) == (True, None)
    html = page(reader, thread)
    assert 'href="?item=first#transcript"' in html
    assert 'rel="next"' not in html


def test_page_of_fifty_items_has_no_links_to_others(reader: Client) -> None:
    thread = make_thread("x")
    make_items(thread, 50)
    assert transcript(reader, thread)["page"]["has_more"] is False
    assert "chatkit-pager" not in page(reader, thread)


def test_older_items_come_page_by_page_each_once(reader: Client) -> None:
    thread = make_thread("x")
    make_items(thread, 500)
    data = transcript(reader, thread)["page"]
    seen, pages = [item["id"] for item in data["data"]], 1
    while data["has_more"]:
        data = older(reader, thread, seen[-1]).json()
        seen, pages = seen + [item["id"] for item in data["data"]], pages + 1
    assert seen == [f"bulk_{n}" for n in range(499, -1, -1)]
    assert pages == 10


def test_link_to_an_item_opens_the_page_there(reader: Client) -> None:
    thread = make_thread("x")
    made = make_items(thread, 120)
    query = f"item={made[30].pk}"
    data = transcript(reader, thread, query)
    assert [item["id"] for item in items(reader, thread, query)] == [f"bulk_{n}" for n in range(30, 80)]
    assert (data["linked"], data["page"]["has_more"]) == (f"item-{made[30].pk}", True)
    html = page(reader, thread, query)
    assert f'href="?item={made[79].pk}#transcript" rel="next"' in html
    assert 'href="?#transcript"' in html


def test_link_to_the_first_item_leads_to_nothing_before_it(reader: Client) -> None:
    thread = make_thread("x")
    first, _second = make_items(thread, 2)
    make_item(thread, "hidden_context_item", payload={"content": "the plan"}, pk=first.pk - 1)
    query = f"item={first.pk}"
    assert transcript(reader, thread, query)["page"]["has_more"] is False
    assert "chatkit-pager" not in page(reader, thread, query)


def test_message_of_the_staff_is_named_after_its_author(reader: Client) -> None:
    thread = make_thread("x")
    payload = {"content": [{"type": "output_text", "text": "Hi", "annotations": []}]}
    make_item(thread, "assistant_message", payload=payload, author_name="Maria <b>")
    make_item(thread, "assistant_message", payload=payload)
    labels = [item["staff"]["label"] for item in items(reader, thread)]
    assert labels == ["Message from Maria <b>", "Assistant message"]
    assert "<strong>Message from Maria &lt;b&gt;</strong>" in page(reader, thread)


def test_links_to_later_items_lead_to_the_end_each_once(reader: Client) -> None:
    thread = make_thread("x")
    make_items(thread, 200)
    seen: list[str] = []
    query, pages = "item=first", 0
    while query:
        seen += [item["id"] for item in items(reader, thread, query)]
        found = re.search(r'href="\?(item=\d+)#transcript" rel="next"', page(reader, thread, query))
        query, pages = found[1] if found else "", pages + 1
    # A page begins with the item that the one before it ended with.
    assert list(dict.fromkeys(seen)) == [f"bulk_{n}" for n in range(200)]
    assert (len(seen), pages) == (204, 5)


def test_first_page_has_nothing_before_it(reader: Client) -> None:
    thread = make_thread("x")
    make_items(thread, 60)
    data = transcript(reader, thread, "item=first")
    assert (data["page"]["data"][-1]["id"], data["page"]["has_more"]) == ("bulk_0", False)


@pytest.mark.parametrize("value", ["x", "-1", "0", "1e3", "9" * 30, "%00", "²", "1;drop"])
def test_link_to_no_item_shows_the_latest_page_and_says_so(reader: Client, value: str) -> None:
    thread = make_thread("x")
    make_items(thread, 3)
    html = page(reader, thread, f"item={value}")
    assert "There is no such message in this thread." in html
    assert "bulk_2" in html


def test_link_to_an_item_of_another_thread_shows_nothing_of_it(reader: Client) -> None:
    thread = make_thread("x")
    make_item(thread, text="mine")
    foreign = make_item(make_thread("y"), text="theirs")
    html = page(reader, thread, f"item={foreign.pk}")
    assert "There is no such message in this thread." in html
    assert "mine" in html
    assert "theirs" not in html


def test_page_of_megabytes_ends_early(reader: Client) -> None:
    thread = make_thread("x")
    for text in "abc":
        make_item(thread, text=text * 600_000)
    data = transcript(reader, thread)["page"]
    assert [item["content"][0]["text"][:1] for item in data["data"]] == ["c"]
    assert data["has_more"] is True
    later = older(reader, thread, data["data"][0]["id"]).json()
    assert [item["content"][0]["text"][:1] for item in later["data"]] == ["b"]


def test_older_items_are_not_given_to_who_may_not_read(staff: Callable[..., Client]) -> None:
    thread = make_thread("x")
    item = make_items(thread, 2)[1]
    assert older(staff("view_thread"), thread, item.public_id).status_code == 403


def test_older_items_are_asked_for_by_post(reader: Client) -> None:
    assert reader.get(url(make_thread("x"), "transcript/")).status_code == 405


def test_older_items_need_the_csrf_token(staff: Callable[..., Client]) -> None:
    client = staff(*READER, enforce_csrf_checks=True)
    assert older(client, make_thread("x"), "x").status_code == 403


def test_older_items_of_a_thread_out_of_scope_are_not_found(reader: Client, settings: Any) -> None:
    settings.CHATKIT = {"ADMIN_SCOPE": "tests.admin.test_transcript.nothing"}
    thread = make_thread("x")
    item = make_items(thread, 2)[1]
    assert older(reader, thread, item.public_id).status_code == 404


def nothing(user: object, threads: Any) -> Any:
    return threads.none()


def test_items_before_one_of_another_thread_are_none(reader: Client) -> None:
    thread = make_thread("x")
    make_items(thread, 3)
    foreign = make_item(make_thread("y"))
    assert older(reader, thread, foreign.public_id).json() == {"data": [], "has_more": False}
    assert reads() == []


@pytest.mark.parametrize("after", [None, 7, [], "a\x00b", "x" * 300, "\ud800"])
def test_nonsense_in_place_of_an_item_is_refused(reader: Client, after: object) -> None:
    assert older(reader, make_thread("x"), after).status_code == 400


@pytest.mark.parametrize(
    "body", ["", "[", "[]", "7", '{"type": "threads.delete", "params": {"after": "x"}}', "[" * 99_999]
)
def test_other_requests_than_for_items_are_refused(reader: Client, body: str) -> None:
    response = reader.post(url(make_thread("x"), "transcript/"), body, content_type="application/json")
    assert response.status_code == 400


# --- What it costs, and what is written down ----------------------------------------------------------------


@pytest.mark.parametrize("number", [5, 500])
def test_page_takes_the_same_queries_for_any_number_of_items(
    staff: Callable[..., Client], django_assert_num_queries: Callable[..., Any], number: int
) -> None:
    client = staff(
        *READER, "view_hidden_context", "moderate_thread", "redact_item", "view_auditentry", "view_run"
    )
    user = User.objects.create_user("maria")
    thread = make_thread("x", user=user)
    for item in make_items(thread, number)[:50]:
        item.feedback.create(kind="positive", user=user)
    for _ in range(number // 5):
        make_run(thread, "completed")
        Note.objects.create(thread=thread, author=user, author_name="maria", text="Hm")
    thread.labels.set(Label.objects.create(name=str(n)) for n in range(number // 5))
    Assignment.objects.create(thread=thread, assignee=user)
    page(client, thread)
    # Session, staff member, two for permissions, thread, items, runs, labels and assignee, events, deed, audit.
    with django_assert_num_queries(11):
        page(client, thread)
    # Session, staff member, two for permissions, thread, items, audit.
    with django_assert_num_queries(7):
        older(client, thread, "bulk_4")


def test_every_page_that_is_read_is_in_the_audit(reader: Client) -> None:
    thread = make_thread("x", user=User.objects.create_user("maria"))
    make_items(thread, 60)
    page(reader, thread)
    older(reader, thread, "bulk_10")
    assert reads() == [
        {"first": "bulk_10", "last": "bulk_59", "count": 50, "hidden": False},
        {"first": "bulk_0", "last": "bulk_9", "count": 10, "hidden": False},
    ]
    entry = AuditEntry.objects.latest("pk")
    assert entry.actor_name == reader.staff.get_username()  # type: ignore[attr-defined]
    assert (entry.thread_key, entry.owner) == (thread.public_id, thread.owner)


# --- Without the permission to read -------------------------------------------------------------------------


def test_page_without_the_permission_to_read_tells_nothing_that_is_said(staff: Callable[..., Client]) -> None:
    user = User.objects.create_user("maria")
    thread = make_thread("SECRET", user=user, metadata={"a": "SECRET"}, last_preview="SECRET")
    item = make_item(thread, text="SECRET")
    context = {"session": {"a": "SECRET"}}
    make_run(thread, "failed", model="gpt-x", error="SECRET", total_ms=4100, context=context)
    Note.objects.create(thread=thread, author=user, author_name="maria", text="SECRET")
    Flag.objects.create(thread=thread, item=item, source="staff", raised_by="anna", reason="SECRET")
    html = page(staff("view_thread", "moderate_thread", "view_auditentry"), thread)
    for text in ("gpt-x", "4100 ms in total", "<bdi>maria</bdi>", "Flag (open)", "anna"):
        assert text in html
    assert "SECRET" not in html
    assert "chatkit-transcript" not in html
    assert reads() == []


# --- Beside the transcript ----------------------------------------------------------------------------------


def test_page_tells_of_no_reason_where_there_is_none(reader: Client) -> None:
    assert "field-reason" not in page(reader, make_thread("x"))


def test_only_the_thread_is_what_can_be_closed(admin_client: Client, moderator: Client) -> None:
    thread = make_thread("x")
    html = page(admin_client, thread)
    assert "deletelink" in html
    assert "closelink" not in html
    assert "submit-row" not in page(moderator, thread)


def test_page_shows_owner_status_and_reason(reader: Client) -> None:
    user = User.objects.create_user("maria")
    html = page(reader, make_thread("x", user=user, status="locked", status_reason="Spam & insults"))
    assert "field-reason" in html
    assert "<bdi>maria</bdi>" in html
    assert "chatkit-locked" in html
    assert "Spam &amp; insults" in html
    assert f"/admin/chatkit_app/thread/?user={user.pk}" in html


def test_page_shows_feedback(reader: Client) -> None:
    assert "3 positive, 1 negative" in page(reader, make_thread("x", positive_count=3, negative_count=1))


def test_page_shows_runs(reader: Client) -> None:
    thread = make_thread("x")
    fields = {"input_tokens": 1200, "cached_tokens": 400, "output_tokens": 77}
    make_run(thread, "failed", model="gpt-x", error="Too <busy>", first_token_ms=312, total_ms=4100, **fields)
    html = page(reader, thread)
    for text in (
        "gpt-x",
        "Tokens: 1200 in (400 cached), 77 out",
        "First token after 312 ms, 4100 ms in total",
        "Too &lt;busy&gt;",
    ):
        assert text in html


def test_page_shows_the_session_context_of_the_newest_run_that_has_one(reader: Client) -> None:
    thread = make_thread("x")
    make_run(thread, "completed", context={"locale": "fr", "session": {"plan": "old"}})
    make_run(
        thread, "completed", context={"locale": "de", "session": {"plan": "<gold>\uf8ff0000", "visits": 3}}
    )
    make_run(thread, "completed")
    html = page(reader, thread)
    found = re.findall(r"<dt><bdi>(.*?)</bdi></dt><dd><bdi>(.*?)</bdi></dd>", html)
    assert found == [("locale", "de"), ("plan", "&lt;gold&gt;[U+0000]"), ("visits", "3")]


def test_page_says_that_an_answer_is_running(moderator: Client) -> None:
    thread = make_thread("x")
    run = make_run(thread)
    html = page(moderator, thread)
    assert "An answer is being generated." in html
    assert '<a href="?#transcript">Reload</a>' in html
    assert f'action="{url(thread, f"stop/{run.pk}/")}"' in html


def test_page_shows_labels_and_assignee(reader: Client) -> None:
    thread = make_thread("x")
    thread.labels.set([Label.objects.create(name="<b>vip</b>"), Label.objects.create(name="refund")])
    Assignment.objects.create(thread=thread, assignee=User.objects.create_user("anna"))
    html = page(reader, thread)
    assert html.index("&lt;b&gt;vip&lt;/b&gt;") < html.index("refund")
    assert "<bdi>anna</bdi>" in html


def make_events(thread: Thread) -> ThreadItem:
    anna = User.objects.create_user("anna")
    item = make_item(thread, text="Hello")
    record(Action.LOCK, actor=anna, thread=thread, reason="the reason")
    record(Action.READ, actor=anna, thread=thread)
    Flag.objects.create(thread=thread, item=item, source="staff", raised_by="anna", reason="the flag")
    Note.objects.create(thread=thread, author=anna, author_name="anna", text="the <note>")
    return item


def test_page_shows_notes_flags_and_what_staff_did_newest_first(staff: Callable[..., Client]) -> None:
    thread = make_thread("x")
    item = make_events(thread)
    html = page(staff(*READER, "moderate_thread", "view_auditentry"), thread)
    assert re.findall(r"<strong>(\w[^<]*)</strong>\s*<bdi>anna</bdi>", html) == [
        "Note",
        "Flag (open)",
        "Locked",
    ]
    for text in ("the &lt;note&gt;", "the flag", "the reason", f'href="?item={item.pk}#transcript"'):
        assert text in html


def test_what_staff_did_is_shown_to_readers_of_the_audit_only(reader: Client) -> None:
    thread = make_thread("x")
    make_events(thread)
    html = page(reader, thread)
    assert "the flag" in html
    assert "the reason" not in html


def test_notes_are_shown_to_moderators_only(reader: Client, staff: Callable[..., Client]) -> None:
    thread = make_thread("x")
    make_events(thread)
    assert "the &lt;note&gt;" not in page(reader, thread)
    assert "the &lt;note&gt;" in page(staff(*READER, "moderate_thread"), thread)


def test_page_offers_no_form_for_the_thread_s_columns(admin_client: Client) -> None:
    thread = make_thread("Title")
    html = page(admin_client, thread)
    assert 'name="title"' not in html
    assert admin_client.post(url(thread), {"title": "Changed"}).status_code == 403
    thread.refresh_from_db()
    assert thread.title == "Title"


# --- Hostile content ----------------------------------------------------------------------------------------

HOSTILE = "<script>alert(1)</script><img src=https://evil.example/p onerror=alert(1)>\"'&\u202e\u2066"


def test_hostile_text_is_escaped_everywhere(deep_reader: Client) -> None:
    user = User.objects.create_user(HOSTILE[:100])
    thread = make_thread(
        HOSTILE,
        user=user,
        status="locked",
        status_reason=HOSTILE,
        metadata={HOSTILE: HOSTILE},
        allowed_image_domains=[HOSTILE],
        last_preview=HOSTILE[:200],
    )
    options = {"model": HOSTILE, "tool_choice": {"id": HOSTILE}}
    make_item(thread, payload={"content": [], "quoted_text": HOSTILE, "inference_options": options})
    for item_type in [*ThreadItem.Type.values, HOSTILE[:40]]:
        make_item(thread, item_type, text=HOSTILE, payload={"content": HOSTILE, HOSTILE: HOSTILE})
    make_item(thread, redacted_at=thread.created_at, redacted_by=HOSTILE, redaction_reason=HOSTILE)
    make_run(thread, "failed", error=HOSTILE, model=HOSTILE, context={HOSTILE: {HOSTILE: HOSTILE}})
    Note.objects.create(thread=thread, author_name=HOSTILE, text=HOSTILE)
    Flag.objects.create(thread=thread, source="rule", raised_by=HOSTILE, reason=HOSTILE)
    html = page(deep_reader, thread)
    assert "<script>alert" not in html
    assert "<img src=https" not in html
    assert "\u202e" not in html
    assert 'href="https://evil' not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


# --- One item whole -----------------------------------------------------------------------------------------


def test_item_is_plain_text_that_cannot_run(reader: Client) -> None:
    thread = make_thread("x")
    item = make_item(thread, text="<script>alert(1)</script>" + "y" * 1_000_000)
    response = reader.get(url(thread, f"items/{item.pk}/"))
    assert response.content.decode().startswith("<script>alert(1)</script>yyy")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.item_key, entry.details) == (
        "read",
        item.public_id,
        {"count": 1, "hidden": False},
    )


@pytest.mark.parametrize("other", ["foreign", str(10**30)])
def test_item_of_another_thread_is_not_found(reader: Client, other: str) -> None:
    item = make_item(make_thread("x"), text="x")
    key = item.pk if other == "foreign" else other
    assert reader.get(url(make_thread("y"), f"items/{key}/")).status_code == 404


def test_item_needs_the_permission_to_read(staff: Callable[..., Client]) -> None:
    item = make_item(make_thread("x"), text="x")
    assert staff("moderate_thread").get(url(item.thread, f"items/{item.pk}/")).status_code == 403


@pytest.mark.parametrize("item_type", ["hidden_context_item", "sdk_hidden_context", "client_tool_call"])
def test_item_that_only_the_model_was_told_needs_its_permission(
    reader: Client, deep_reader: Client, item_type: str
) -> None:
    item = make_item(make_thread("x"), item_type, payload={"content": "secret"})
    path = url(item.thread, f"items/{item.pk}/")
    assert reader.get(path).status_code == 403
    assert "secret" in deep_reader.get(path).content.decode()


# --- The heading --------------------------------------------------------------------------------------------


def test_page_is_headed_by_the_title_with_the_id_to_copy_under_it(reader: Client) -> None:
    thread = make_thread("Lost parcel", public_id="thr_known")
    html = page(reader, thread)
    assert "<h1>Lost parcel</h1>" in html
    assert '<code id="chatkit-id" dir="ltr">thr_known</code>' in html
    assert '<button type="button" hidden data-chatkit-copies="chatkit-id"' in html
    assert '&rsaquo; <bdi data-chatkit-part="crumb">Lost parcel</bdi>' in html


def test_long_title_is_whole_among_the_facts(reader: Client) -> None:
    title = "long " * 40 + "end"
    assert f"<bdi>{title}</bdi>" in page(reader, make_thread(title))
    assert "field-whole_title" not in page(reader, make_thread("short"))


def test_page_without_the_permission_to_read_is_not_headed_by_the_title(staff: Callable[..., Client]) -> None:
    html = page(staff("view_thread"), make_thread("Secret title"))
    assert "<h1>Thread</h1>" in html
    assert "Secret" not in html


# --- Earlier versions ---------------------------------------------------------------------------------------


@pytest.fixture
def edited() -> Thread:
    """A thread whose only message was edited, and whose answer was made again."""
    thread = make_thread("x")
    first = make_item(thread, text="My first words")
    shown = make_item(thread, text="My words", earlier_messages=1, earlier_answers=1)
    set_aside(first, place=shown, of="message")
    set_aside(make_item(thread, "assistant_message", "Earlier", answer("Earlier")), place=shown)
    set_aside(make_item(thread, "hidden_context_item", payload={"content": "hm"}), place=shown)
    return thread


def answer(text: str) -> dict[str, Any]:
    return {"content": [{"type": "output_text", "text": text, "annotations": []}]}


def version(client: Client, thread: Thread, of: str, asked: Any = None) -> Any:
    place = thread.items.get().public_id
    return client.get(url(thread, "earlier/"), {"item": place, "of": of, "number": 1} | (asked or {}))


def test_staff_see_what_is_shown_and_how_many_earlier_versions_there_are(
    reader: Client, edited: Thread
) -> None:
    (item,) = items(reader, edited)
    assert item["content"][0]["text"] == "My words"
    assert item["earlier"] == {"message": 1, "answer": 1}
    assert "My first words" not in page(reader, edited)


def test_staff_look_at_an_earlier_version(reader: Client, edited: Thread) -> None:
    told = version(reader, edited, "message").json()
    (item,) = told["data"]
    shown = edited.items.get()
    assert item["content"][0]["text"] == "My first words"
    assert item["staff"]["url"] == f"{url(edited)}?item={shown.pk}"
    assert item["staff"]["badges"] == [{"kind": "earlier", "text": "earlier version"}]
    assert [link["text"] for link in item["staff"]["links"]] == ["Raw data"]
    assert reads()[-1]["count"] == 1
    assert reads()[-1]["first"] == item["id"]


def test_hidden_part_of_an_earlier_version_takes_its_own_permission(
    reader: Client, deep_reader: Client, edited: Thread
) -> None:
    types = [
        [item["type"] for item in version(client, edited, "answer").json()["data"]]
        for client in (reader, deep_reader)
    ]
    assert types == [["assistant_message"], ["assistant_message", "hidden_context_item"]]


@pytest.mark.parametrize(
    "asked",
    [
        {"number": 2},
        {"number": "x"},
        {"of": "other"},
        {"item": "msg_unknown"},
        {"item": "\0"},
        {"after": "\0"},
    ],
    ids=repr,
)
def test_earlier_version_that_there_is_not_is_not_found(
    reader: Client, edited: Thread, asked: dict[str, Any]
) -> None:
    assert version(reader, edited, "message", asked).status_code == 404


def test_earlier_version_is_read_only(reader: Client, edited: Thread) -> None:
    assert reader.post(url(edited, "earlier/")).status_code == 405


def test_raw_data_of_an_earlier_version_can_be_read(reader: Client, edited: Thread) -> None:
    pk = EarlierItem.objects.get(of="message").pk
    assert "My first words" in reader.get(url(edited, f"items/{pk}/")).content.decode()


def test_earlier_version_is_redacted_on_the_page_of_its_thread(
    staff: Callable[..., Client], edited: Thread
) -> None:
    client = staff(*READER, "redact_item")
    (item,) = version(client, edited, "message").json()["data"]
    redact = item["staff"]["links"][0]["url"]
    assert "My first words" in client.get(redact).content.decode()
    response = client.post(redact, {"reason": "Private"})
    assert response["Location"] == f"{url(edited)}?item={edited.items.get().pk}"
    (item,) = version(client, edited, "message").json()["data"]
    assert item["content"][0]["text"] == "This message was removed by a moderator."
    assert item["staff"]["remarks"][0].startswith("Redacted by ")
