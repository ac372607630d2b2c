from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation

from chatkit_app.admin import search
from chatkit_app.admin.search import Found, Search, marked, parse, remarks
from chatkit_app.models import AuditEntry, Label, ThreadItem

from .conftest import make_item, make_run, make_thread

LIST = "/admin/chatkit_app/thread/"


@pytest.fixture
def reader(staff: Callable[..., Client]) -> Client:
    return staff("view_thread", "view_content")


def found(client: Client, typed: str, **filters: str) -> list[str]:
    response = client.get(LIST, {"q": typed, **filters})
    assert response.status_code == 200
    return sorted(thread.title for thread in response.context["cl"].result_list)


def told(client: Client, typed: str) -> list[str]:
    return [str(message) for message in client.get(LIST, {"q": typed}).context["messages"]]


# --- What was typed -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("", Search()),
        ("red  green", Search(words=("red", "green"))),
        ('"red green" blue', Search(words=("red green", "blue"))),
        ("«red green»", Search(words=("red green",))),
        ("“red green”", Search(words=("red green",))),
        ('"not closed', Search(words=("not closed",))),
        ('"" \'', Search(words=("'",))),
        ("https://example.com/ 12:30", Search(words=("https://example.com/", "12:30"))),
        ("user:maria USER:7", Search(users=("maria", "7"))),
        ('label:"needs reply" label:vip', Search(labels=("needs reply", "vip"))),
        ("status:Locked", Search(statuses=("locked",))),
        ("status:gone", Search(misunderstood=("status:gone",))),
        ("before:soon after:", Search(misunderstood=("before:soon", "after:"))),
        ('user:"" label: x', Search(words=("x",), misunderstood=('user:""', "label:"))),
        ("a b c d e f g h i j k", Search(words=tuple("abcdefghij"), misunderstood=("k",))),
    ],
)
def test_parse_takes_apart_what_was_typed(typed: str, meant: Search) -> None:
    assert parse(typed) == meant


def test_parse_takes_days_as_those_of_the_site() -> None:
    meant = parse("after:2025-06-10 before:2025-06-12 before:2025-07-01")
    assert meant.after == datetime(2025, 6, 9, 22, tzinfo=UTC)
    assert meant.before == datetime(2025, 6, 11, 22, tzinfo=UTC)


# --- What is found ------------------------------------------------------------------------------------------


def test_search_finds_titles_and_messages_once_each(reader: Client) -> None:
    make_thread("My PARCEL")
    thread = make_thread("Delivery")
    for _ in range(3):
        make_item(thread, text="the parcel is late")
    make_item(make_thread("Invoice"), text="something else")
    assert found(reader, "parcel") == ["Delivery", "My PARCEL"]


def test_search_wants_every_word_in_one_message(reader: Client) -> None:
    make_item(make_thread("one"), text="red and green")
    make_item(make_thread("two"), text="green and red")
    three = make_thread("three")
    make_item(three, text="red")
    make_item(three, text="green")
    make_thread("red title, green title")
    assert found(reader, "red green") == ["one", "red title, green title", "two"]
    assert found(reader, '"red and green"') == ["one"]


def test_search_finds_nothing_in_what_only_the_model_was_told(reader: Client) -> None:
    make_item(make_thread("x"), "hidden_context_item", text="", payload={"content": "secret"})
    assert found(reader, "secret") == []


@pytest.mark.parametrize("typed", ["thr_abcdef", "visitor-zyx", "maria.curie"])
def test_search_finds_whole_ids_and_names_without_permission_to_read(
    staff: Callable[..., Client], typed: str
) -> None:
    make_thread("by id", public_id="thr_abcdef")
    make_thread("by visitor", visitor_id="visitor-zyx")
    make_thread("by name", user=User.objects.create_user("maria.curie"))
    client = staff("view_thread")
    assert len(found(client, typed)) == 1
    assert found(client, typed[:-1]) == []


def test_search_of_content_takes_the_permission_to_read(staff: Callable[..., Client]) -> None:
    make_item(make_thread("parcel"), text="parcel")
    client = staff("view_thread")
    assert found(client, "parcel") == []
    assert told(client, "parcel") == [
        "You may not read what threads say: only whole ids and names were looked for."
    ]


def test_search_by_user(reader: Client) -> None:
    maria = User.objects.create_user("maria.curie")
    make_thread("hers", user=maria)
    make_thread("his", user=User.objects.create_user("pierre"))
    visitor = "0123456789abcdef0123456789abcdef"
    make_thread("a visitor's", visitor_id=visitor)
    assert found(reader, "user:MARIA") == ["hers"]
    assert found(reader, f"user:{maria.pk}") == ["hers"]
    assert found(reader, f"user:{visitor}") == ["a visitor's"]
    assert found(reader, "user:maria user:pierre") == ["hers", "his"]
    assert found(reader, f"user:{10**30}") == []


def test_search_by_status_label_and_days(reader: Client) -> None:
    thread = make_thread("wanted", status="locked", last_activity=datetime(2025, 6, 10, 12, tzinfo=UTC))
    thread.labels.add(Label.objects.create(name="Needs reply"), Label.objects.create(name="vip"))
    make_thread("other")
    assert found(reader, "status:locked") == ["wanted"]
    assert found(reader, "status:locked status:active") == ["other", "wanted"]
    assert found(reader, 'label:"needs reply" label:vip') == ["wanted"]
    assert found(reader, "label:vip label:none") == []
    assert found(reader, "after:2025-06-10 before:2025-06-11") == ["wanted"]
    assert found(reader, "before:2025-06-10") == []
    assert found(reader, "after:2025-06-11") == ["other"]


def test_search_narrows_words_by_operators_and_filters(reader: Client) -> None:
    for title, status, flags in (("a", "locked", 1), ("b", "locked", 0), ("c", "active", 1)):
        make_item(make_thread(title, status=status, open_flags=flags), text="parcel")
    make_thread("d", status="locked", open_flags=1)
    assert found(reader, "parcel status:locked") == ["a", "b"]
    assert found(reader, "parcel status:locked", flagged="yes") == ["a"]
    response = reader.get(LIST, {"q": "parcel status:locked"})
    assert response.context["cl"].result_count == 2


def test_search_stays_within_the_scope(reader: Client, settings: Any) -> None:
    settings.CHATKIT = {**getattr(settings, "CHATKIT", {}), "ADMIN_SCOPE": f"{__name__}.sales"}
    make_item(make_thread("ours", namespace="sales"), text="parcel")
    make_item(make_thread("theirs parcel"), text="parcel")
    assert found(reader, "parcel") == ["ours"]


def sales(user: Any, threads: Any) -> Any:
    return threads.filter(namespace="sales")


@pytest.mark.parametrize(
    "typed", ["\x00", "'", '"', "%_", "a\x00b", "'' \"\"", "\\", "\ud800", "user:\\", "x" * 5000]
)
def test_search_for_strange_characters_is_answered(reader: Client, typed: str) -> None:
    make_item(make_thread("x"), text="y")
    assert reader.get(LIST, {"q": typed.encode("utf-8", "surrogatepass")}).status_code == 200


def test_search_takes_wildcards_for_what_they_are(reader: Client) -> None:
    make_item(make_thread("percent"), text="100% sure")
    make_item(make_thread("other"), text="100 sure")
    assert found(reader, "100%") == ["percent"]
    assert found(reader, "10_") == []


# --- Bounds -------------------------------------------------------------------------------------------------


def test_search_looks_at_the_newest_messages_and_says_so(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MESSAGES_SEARCHED", 2)
    for title in "abcd":
        make_item(make_thread(title), text="parcel")
    # One more than that is read, to know that there are more.
    assert found(reader, "parcel") == ["b", "c", "d"]
    assert told(reader, "parcel") == [
        "More than 2 messages have these words; the newest were looked at. "
        "Add a word, a user or a date to find older ones."
    ]


def test_search_among_few_threads_finds_old_messages(reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MESSAGES_SEARCHED", 2)
    make_item(make_thread("old", status="locked"), text="parcel")
    for title in "abcd":
        make_item(make_thread(title), text="parcel")
    assert found(reader, "parcel status:locked") == ["old"]
    assert told(reader, "parcel status:locked") == []
    monkeypatch.setattr(search, "THREADS_SEARCHED", 2)
    assert len(told(reader, "parcel status:active")) == 1


def test_search_for_short_words_looks_at_the_newest_messages(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "ROWS_SEARCHED_FOR_SHORT_WORDS", 2)
    for title in "klm":
        make_item(make_thread(title), text="OK then")
    assert found(reader, "ok") == ["l", "m"]
    assert told(reader, "ok") == ["Words of one or two letters are looked for in the newest 2 messages only."]


# --- What is shown ------------------------------------------------------------------------------------------


def test_list_shows_the_found_words_of_the_newest_message(reader: Client) -> None:
    thread = make_thread("A parcel", last_preview="Something else")
    make_item(thread, text="my parcel, long ago")
    make_item(thread, text="x" * 300 + " the <b>Parcel</b>\nis late " + "y" * 300)
    make_item(thread, text="Something else")
    html = reader.get(LIST, {"q": "parcel late"}).content.decode()
    assert "&lt;b&gt;<mark>Parcel</mark>&lt;/b&gt; is <mark>late</mark> yyy" in html
    assert '<bdi class="chatkit-preview">…xxx' in html
    assert '<bdi class="chatkit-title">A <mark>parcel</mark></bdi>' in html
    assert "Something else" not in html


def test_list_shows_the_last_message_where_the_title_was_found(reader: Client) -> None:
    make_thread("A parcel", last_preview="Good bye")
    assert '<bdi class="chatkit-preview">Good bye</bdi>' in reader.get(LIST, {"q": "parcel"}).content.decode()


@pytest.mark.parametrize(
    ("text", "words", "html"),
    [
        ("a <b> c", ["<b>"], "a <mark>&lt;b&gt;</mark> c"),
        ("a & b", ["amp"], "a &amp; b"),
        ("foobar", ["foo", "foobar"], "<mark>foobar</mark>"),
        ("red  green", ["red green"], "<mark>red green</mark>"),
        ("x\u202ey", ["y"], "x[U+202E]<mark>y</mark>"),
        ("(a+) x", ["(a+)"], "<mark>(a+)</mark> x"),
        ("<i>", [], "&lt;i&gt;"),
    ],
)
def test_marked_escapes_what_it_marks(text: str, words: list[str], html: str) -> None:
    from django.utils.html import conditional_escape

    assert conditional_escape(marked(text, words)) == html


def test_list_tells_what_was_not_understood(reader: Client) -> None:
    make_thread("x")
    assert told(reader, "status:gone word before:1") == [
        "“status:gone” was not understood.",
        "“before:1” was not understood.",
    ]


def test_remarks_on_a_plain_result_are_none() -> None:
    assert remarks(parse("parcel"), Found(), may_read=True) == []


# --- The audit ----------------------------------------------------------------------------------------------


def test_search_is_in_the_audit(reader: Client) -> None:
    make_item(make_thread("x"), text="parcel")
    reader.get(LIST)
    reader.get(LIST, {"q": "parcel status:active"})
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.reason, entry.details) == ("search", "parcel status:active", {"found": 1})
    assert entry.actor_name == reader.staff.username  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "data", [{}, {"action": "lock_threads", "select_across": "1", "_selected_action": "1"}]
)
def test_search_by_post_is_in_the_audit_too(moderator: Client, data: dict[str, str]) -> None:
    make_item(make_thread("a title"), text="parcel")
    assert b"a title" in moderator.post(f"{LIST}?q=parcel", data).content
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.reason) == ("search", "parcel")


def autocomplete(client: Client, term: str, field: str = "flag.thread") -> list[str]:
    model, _, name = field.partition(".")
    query = {"app_label": "chatkit_app", "model_name": model, "field_name": name, "term": term}
    response = client.get("/admin/autocomplete/", query)
    assert response.status_code == 200
    return [found["text"] for found in response.json()["results"]]


def test_search_by_autocompletion_is_in_the_audit_too(reader: Client) -> None:
    thread = make_thread("x")
    make_item(thread, text="parcel")
    assert autocomplete(reader, "parcel") == [thread.public_id]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.reason, entry.details) == ("search", "parcel", {"page": "autocomplete"})


@pytest.mark.parametrize("field", ["flag.thread", "threaditem.run"])
def test_autocompletion_of_strange_characters_finds_nothing(admin_client: Client, field: str) -> None:
    make_run(make_thread("x"))
    assert autocomplete(admin_client, "a\x00", field) == []


def test_search_of_redacted_text_finds_nothing(reader: Client) -> None:
    item = make_item(make_thread("x"), text="parcel")
    ThreadItem.objects.filter(pk=item.pk).update(text="")
    assert found(reader, "parcel") == []


def test_action_reaches_all_that_a_search_found(staff: Callable[..., Client]) -> None:
    client = staff("view_thread", "view_content", "moderate_thread")
    threads = [make_thread(title) for title in "ab"]
    for thread in threads:
        make_item(thread, text="parcel")
    other = make_thread("c")
    data = {
        "action": "lock_threads",
        "_selected_action": [threads[0].pk],
        "select_across": "1",
        "post": "yes",
        "reason": "Spam",
    }
    response = client.post(f"{LIST}?q=parcel", data, follow=True)
    assert response.status_code == 200
    for thread in [*threads, other]:
        thread.refresh_from_db()
    assert [thread.status for thread in [*threads, other]] == ["locked", "locked", "active"]


@pytest.mark.parametrize("permissions", [(), ("view_content",), ("moderate_thread",)])
def test_list_takes_the_permission_to_view(
    staff: Callable[..., Client], permissions: tuple[str, ...]
) -> None:
    assert staff(*permissions).get(LIST, {"q": "parcel"}).status_code == 403
    assert not AuditEntry.objects.filter(action="search").exists()


def test_status_is_known_by_the_name_that_is_shown() -> None:
    with translation.override("de"):
        assert parse("status:Gesperrt").statuses == ("locked",)
