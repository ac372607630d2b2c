import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from chatkit_app.admin.transcript import read_transcript
from chatkit_app.models import Thread, ThreadItem

from .conftest import make_item, make_items, make_run, make_thread

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(staff: Callable[..., Client]) -> Client:
    return staff("view_thread", "view_content")


def url(thread: Thread) -> str:
    return f"/admin/chatkit_app/thread/{thread.pk}/change/"


def page(client: Client, thread: Thread, query: str = "") -> str:
    response = client.get(f"{url(thread)}?{query}")
    assert response.status_code == 200
    return response.content.decode()


def test_page_shows_items_in_order(reader: Client) -> None:
    thread = make_thread("Lost parcel")
    make_item(thread, text="first question")
    make_item(thread, "assistant_message", payload={"content": [{"text": "first answer"}]})
    make_item(thread, "end_of_turn", payload={})
    html = page(reader, thread)
    labels = re.findall(r"<strong>([^<]+)</strong>\s*<time", html)
    assert labels == ["User message", "Assistant message", "End of turn"]
    assert html.index("first question") < html.index("first answer")


def test_page_shows_owner_status_and_reason(reader: Client) -> None:
    user = User.objects.create_user("maria")
    html = page(reader, make_thread("x", user=user, status="locked", status_reason="Spam & insults"))
    assert "<bdi>maria</bdi>" in html
    assert "chatkit-locked" in html
    assert "Spam &amp; insults" in html
    assert f"/admin/chatkit_app/thread/?user={user.pk}" in html


def test_page_shows_feedback_beside_its_item(reader: Client) -> None:
    thread = make_thread("x")
    item = make_item(thread, text="answer")
    item.feedback.create(kind="negative", visitor_id="v1")
    assert '<span class="chatkit-badge chatkit-negative" title="visitor:v1">negative</span>' in page(
        reader, thread
    )


def test_page_shows_runs(reader: Client) -> None:
    thread = make_thread("x")
    fields = {"input_tokens": 1200, "cached_tokens": 400, "output_tokens": 77}
    make_run(thread, "failed", model="gpt-x", error="Too <busy>", first_token_ms=312, total_ms=4100, **fields)
    html = page(reader, thread)
    for text in ("gpt-x", "1200 (400) / 77", "312 ms / 4100 ms", "Too &lt;busy&gt;"):
        assert text in html


def test_page_marks_what_was_hidden_from_the_user(reader: Client) -> None:
    thread = make_thread("x")
    make_item(thread, "hidden_context_item", payload={"content": "secret plan"})
    html = page(reader, thread)
    assert "secret plan" in html
    assert "hidden from the user" in html


def test_page_offers_no_form_for_the_thread_s_columns(admin_client: Client) -> None:
    thread = make_thread("Title")
    html = page(admin_client, thread)
    assert 'name="title"' not in html
    assert admin_client.post(url(thread), {"title": "Changed"}).status_code == 403
    thread.refresh_from_db()
    assert thread.title == "Title"


@pytest.mark.parametrize("number", [5, 50])
def test_page_takes_the_same_queries_for_any_number_of_items(
    reader: Client, django_assert_num_queries: Callable[..., object], number: int
) -> None:
    thread = make_thread("x", user=User.objects.create_user("maria"))
    for item in make_items(thread, number):
        item.feedback.create(kind="positive", user_id=thread.user_id)
    make_run(thread, "completed")
    # Session, staff member, two for permissions, thread, runs, items, feedback.
    with django_assert_num_queries(8):  # type: ignore[attr-defined]
        reader.get(url(thread))


# --- Paging -------------------------------------------------------------------------------------------------


def test_paging_forwards_shows_each_of_500_items_once() -> None:
    thread = make_thread("x")
    expected = [item.pk for item in make_items(thread, 500)]
    seen: list[int] = []
    after: int | None = 0
    pages = 0
    while after is not None:
        transcript = read_transcript(thread, after=after)
        seen += [entry.item.pk for entry in transcript.entries]
        after, pages = transcript.later, pages + 1
    assert seen == expected
    assert pages == 10


def test_paging_backwards_shows_each_of_500_items_once() -> None:
    thread = make_thread("x")
    expected = [item.pk for item in make_items(thread, 500)]
    transcript = read_transcript(thread)
    seen = [entry.item.pk for entry in transcript.entries]
    pages = 1
    while transcript.earlier is not None:
        transcript = read_transcript(thread, before=transcript.earlier)
        seen = [entry.item.pk for entry in transcript.entries] + seen
        pages += 1
    assert seen == expected
    assert pages == 10


def test_page_opens_at_its_end_with_links_to_what_is_before(reader: Client) -> None:
    thread = make_thread("x")
    items = make_items(thread, 120)
    make_items(make_thread("another"), 5)
    html = page(reader, thread)
    assert "message &lt;119&gt;" in html
    assert "message &lt;69&gt;" not in html
    assert f'href="?before={items[70].pk}#transcript"' in html
    assert 'rel="next"' not in html


def test_page_in_the_middle_has_links_both_ways(reader: Client) -> None:
    thread = make_thread("x")
    items = make_items(thread, 120)
    html = page(reader, thread, f"after={items[29].pk}")
    assert html.count(f'id="item-{items[30].pk}"') == 1
    assert html.count(f'id="item-{items[79].pk}"') == 1
    assert f'href="?before={items[30].pk}#transcript"' in html
    assert f'href="?after={items[79].pk}#transcript"' in html


def test_page_of_fifty_items_has_no_links() -> None:
    thread = make_thread("x")
    make_items(thread, 50)
    transcript = read_transcript(thread)
    assert (transcript.earlier, transcript.later) == (None, None)


@pytest.mark.parametrize("value", ["x", "-1", "1e3", "", "9" * 30, "%00", "²", "1;drop"])
@pytest.mark.parametrize("name", ["after", "before"])
def test_nonsense_for_a_cursor_shows_the_latest_page(reader: Client, name: str, value: str) -> None:
    thread = make_thread("x")
    make_items(thread, 3)
    assert "message &lt;2&gt;" in page(reader, thread, f"{name}={value}")


# --- Hostile content ----------------------------------------------------------------------------------------

HOSTILE = "<script>alert(1)</script><img src=https://evil.example/p onerror=alert(1)>\"'&\u202e\u2066"


def test_hostile_text_is_escaped_everywhere(reader: Client) -> None:
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
    payloads = {
        "user_message": {
            "content": [{"type": "input_tag", "id": HOSTILE, "text": HOSTILE, "data": {HOSTILE: 1}}],
            "attachments": [
                {"name": HOSTILE, "mime_type": HOSTILE, "preview_url": "https://evil.example/a.svg"}
            ],
            "quoted_text": HOSTILE,
        },
        "assistant_message": {"content": [{"text": f"[x](javascript:alert(1)) {HOSTILE}"}]},
        "widget": {
            "widget": {"type": HOSTILE, "children": [{"type": "Image", "src": "https://evil.example/x"}]}
        },
        "generated_image": {"image": {"url": "data:image/svg+xml,<svg onload=alert(1)>"}},
        "workflow": {
            "workflow": {"tasks": [{"sources": [{"title": HOSTILE, "url": "javascript:alert(1)"}]}]}
        },
        HOSTILE[:40]: {"x": HOSTILE},
    }
    for item_type, payload in payloads.items():
        make_item(thread, item_type, text=HOSTILE, payload=payload)
    make_run(thread, "failed", error=HOSTILE, model=HOSTILE)
    for html in (page(reader, thread), reader.get("/admin/chatkit_app/thread/").content.decode()):
        assert "<script>alert" not in html
        assert "<img src=https" not in html
        assert "<svg onload" not in html
        assert "\u202e" not in html
        assert 'href="javascript' not in html
        assert 'src="https://evil' not in html
        assert 'href="https://evil' not in html
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_nul_in_a_payload_is_shown_by_its_number(reader: Client) -> None:
    thread = make_thread("x")
    make_item(thread, payload={"content": [{"type": "input_text", "text": "a\uf8ff0000b"}]})
    html = page(reader, thread)
    assert "a[U+0000]b" in html
    assert "\x00" not in html


def test_text_of_a_megabyte_leaves_the_page_small(reader: Client) -> None:
    thread = make_thread("x")
    item = make_item(thread, text="y" * 1_000_000)
    html = page(reader, thread)
    assert len(html) < 100_000
    assert "Show more of 1000000 characters" in html
    assert f"/admin/chatkit_app/thread/{thread.pk}/items/{item.pk}/" in html


# --- One item whole -----------------------------------------------------------------------------------------


def test_item_is_plain_text_that_cannot_run(reader: Client) -> None:
    thread = make_thread("x")
    item = make_item(thread, text="<script>alert(1)</script>" + "y" * 1_000_000)
    response = reader.get(f"/admin/chatkit_app/thread/{thread.pk}/items/{item.pk}/")
    assert response.content.decode().startswith("<script>alert(1)</script>yyy")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_item_of_another_thread_is_not_found(reader: Client) -> None:
    item = make_item(make_thread("x"), text="x")
    other = make_thread("y")
    assert reader.get(f"/admin/chatkit_app/thread/{other.pk}/items/{item.pk}/").status_code == 404


def test_item_needs_the_permission_to_read(staff: Callable[..., Client]) -> None:
    item: ThreadItem = make_item(make_thread("x"), text="x")
    path = f"/admin/chatkit_app/thread/{item.thread_id}/items/{item.pk}/"
    assert staff("moderate_thread").get(path).status_code == 403
