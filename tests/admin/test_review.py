"""The list of flags, and the queue in which they are reviewed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Q
from django.test import Client
from django.utils import timezone

from chatkit_app.models import AuditEntry, Flag, Thread, ThreadItem
from chatkit_app.staff import flags

from .conftest import make_item, make_thread

pytestmark = pytest.mark.django_db
LIST = "/admin/chatkit_app/flag/"
REVIEW = "/admin/chatkit_app/reviewqueue/"


def only_mine(user: Any, threads: Any) -> Any:
    return threads.filter(namespace="mine")


@pytest.fixture
def scoped(settings: Any) -> None:
    settings.CHATKIT = {"ADMIN_SCOPE": f"{__name__}.only_mine"}


def make_flag(thread: Thread | None = None, item: ThreadItem | None = None, **fields: Any) -> Flag:
    thread = thread or make_thread("A title")
    fields.setdefault("rule", f"rule-{Flag.objects.count()}")
    return flags.flag(thread, item=item, **fields)


def press(client: Client, button: str, flag: Flag | None = None, **data: Any) -> Any:
    if flag is not None:
        data["flag"] = flag.pk
    return client.post(REVIEW, {"do": button, **data})


def resolve(client: Client, flag: Flag, note: str = "", resolution: str = "handled") -> Any:
    return press(client, "resolve", flag, resolution=resolution, note=note)


def html(client: Client, url: str = REVIEW) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def mine(client: Client) -> int | None:
    """The flag that this client is reviewing."""
    held = flags.taken_by(client.staff, among=Flag.objects.all())  # type: ignore[attr-defined]
    return held.pk if held else None


# --- The list -----------------------------------------------------------------------------------------------


def listed(client: Client, query: str = "") -> set[Flag]:
    return set(client.get(f"{LIST}?{query}").context["cl"].result_list)


@pytest.fixture
def four_flags(moderator: Client) -> dict[str, Flag]:
    made = {name: make_flag(rule=name) for name in ("free", "taken", "resolved", "old")}
    Flag.objects.filter(rule_is("taken")).update(claimed_by=moderator.staff, claimed_at=timezone.now())  # type: ignore[attr-defined]
    Flag.objects.filter(rule_is("resolved")).update(resolved_at=timezone.now(), resolution="handled")
    Flag.objects.filter(rule_is("old")).update(
        created_at=timezone.now() - timedelta(days=8), source="feedback"
    )
    return made


def rule_is(name: str) -> Any:
    return Q(raised_by=name)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"free", "taken", "old"}),
        ("state=open", {"free", "taken", "old"}),
        ("state=taken", {"taken"}),
        ("state=resolved", {"resolved"}),
        ("state=all", {"free", "taken", "resolved", "old"}),
        ("source__exact=feedback", {"old"}),
        ("reviewer=me", {"taken"}),
        ("reviewer=nobody", {"free", "old"}),
        ("older_than=7", {"old"}),
        ("older_than=30", set()),
        ("older_than=x", {"free", "taken", "old"}),
    ],
)
def test_list_is_filtered(
    moderator: Client, four_flags: dict[str, Flag], query: str, expected: set[str]
) -> None:
    assert listed(moderator, query) == {four_flags[name] for name in expected}


def test_list_is_searched_by_thread_id(moderator: Client) -> None:
    flag, _other = make_flag(), make_flag()
    assert listed(moderator, f"q={flag.thread.public_id}") == {flag}
    assert listed(moderator, f"q={flag.thread.public_id[:-1]}") == set()
    assert moderator.get(f"{LIST}?q=a%00b").status_code == 200


@pytest.mark.parametrize("lookup", ["reason__startswith=x", "thread__title__startswith=x", "thread__user=1"])
def test_list_answers_no_other_question(moderator: Client, lookup: str) -> None:
    assert moderator.get(f"{LIST}?{lookup}").status_code == 400


@pytest.mark.parametrize("number", [1, 30])
def test_list_takes_a_fixed_number_of_queries(
    moderator: Client, django_assert_max_num_queries: Any, number: int
) -> None:
    for index in range(number):
        thread = make_thread(f"Thread {index}", user=User.objects.create_user(f"user{index}"))
        flag = make_flag(thread, make_item(thread, text="x"))
        Flag.objects.filter(pk=flag.pk).update(claimed_by=thread.user, claimed_at=timezone.now())
    with django_assert_max_num_queries(6):
        assert len(listed(moderator)) == number


def test_list_escapes_what_a_flag_says(moderator: Client) -> None:
    make_flag(make_thread("<b>Title</b>"), reason="<script>\u202e</script>", rule="<i>")
    text = html(moderator, LIST)
    assert "&lt;script&gt;[U+202E]&lt;/script&gt;" in text
    assert "&lt;b&gt;Title&lt;/b&gt;" in text
    assert "<i>" not in text


def test_review_tells_how_old_a_flag_is(moderator: Client) -> None:
    flag = make_flag()
    press(moderator, "take")
    assert "(just now)" in html(moderator)
    Flag.objects.filter(pk=flag.pk).update(created_at=timezone.now() - timedelta(minutes=5, seconds=1))
    assert "(5\xa0minutes ago)" in html(moderator)


def test_flags_page_tells_how_it_ended(moderator: Client) -> None:
    flag = make_flag(reason="A reason")
    press(moderator, "take")
    resolve(moderator, flag, note="A note")
    text = html(moderator, f"{LIST}{flag.pk}/change/")
    assert "A reason" in text
    assert "A note" in text
    assert 'value="take"' not in text


def test_reading_a_flag_is_in_the_audit(moderator: Client, staff: Callable[..., Client]) -> None:
    flag = make_flag(reason="A reason")
    staff("view_flag").get(f"{LIST}{flag.pk}/change/")
    assert not AuditEntry.objects.exists()
    moderator.get(f"{LIST}{flag.pk}/change/")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.thread_key) == ("read", flag.thread.public_id)
    assert entry.details == {"page": "flag", "flag": flag.pk}


def test_flags_page_leads_to_its_review(moderator: Client) -> None:
    _older, flag = make_flag(), make_flag()
    assert f'name="flag" value="{flag.pk}"' in html(moderator, f"{LIST}{flag.pk}/change/")
    press(moderator, "take", flag)
    assert mine(moderator) == flag.pk


# --- The queue ----------------------------------------------------------------------------------------------


def test_empty_queue_says_so(moderator: Client) -> None:
    page = html(moderator)
    assert "The queue is empty" in page
    assert "Here they come one at a time, the oldest first" in page
    assert '<a href="/admin/chatkit_app/thread/">Inbox</a>' in page
    assert press(moderator, "take")["Location"] == REVIEW


def test_looking_takes_nothing(moderator: Client) -> None:
    make_flag()
    page = html(moderator)
    assert "1 flag is open." in page
    assert ">just now</time>" in page
    assert mine(moderator) is None


def test_review_shows_the_flag_with_the_messages_around_it(moderator: Client) -> None:
    thread = make_thread("Order 12")
    items = [make_item(thread, text=f"message {number}") for number in range(12)]
    make_item(thread, "end_of_turn")
    flag = make_flag(thread, items[6], reason="Look at that")
    press(moderator, "take")
    text = html(moderator)
    shown = [number for number in range(12) if f">message {number}<" in text]
    assert shown == [2, 3, 4, 5, 6, 7, 8, 9]
    assert text.count("chatkit-is-flagged") == 1
    assert "Look at that" in text
    assert "Order 12" in text
    assert f"/admin/chatkit_app/thread/{thread.pk}/change/?item={items[6].pk}" in text
    entry = AuditEntry.objects.get(action="read")
    assert (entry.thread_key, entry.item_key, entry.details) == (
        thread.public_id,
        items[6].public_id,
        {"page": "review", "flag": flag.pk, "hidden": False},
    )


def test_review_shows_a_redacted_message_as_redacted(moderator: Client) -> None:
    item = make_item(make_thread("x"), redacted_at=timezone.now())
    press(moderator, "take", make_flag(item.thread, item))
    shown = html(moderator)
    assert '<span class="chatkit-badge chatkit-hidden">redacted</span>' in shown
    assert "No text" not in shown


def test_review_of_a_whole_thread_shows_its_latest_messages(moderator: Client) -> None:
    thread = make_thread("x")
    for number in range(12):
        make_item(thread, text=f"message {number}")
    make_flag(thread)
    press(moderator, "take")
    text = html(moderator)
    assert [number for number in range(12) if f">message {number}<" in text] == [4, 5, 6, 7, 8, 9, 10, 11]


def test_review_leads_to_what_can_be_done(moderator: Client, staff: Callable[..., Client]) -> None:
    thread = make_thread("x")
    item = make_item(thread, text="bad")
    flag = make_flag(thread, item)
    lock, redact = f"thread/{thread.pk}/moderate/lock/", f"thread/{thread.pk}/items/{item.pk}/redact/"
    press(moderator, "take")
    assert [lock in html(moderator), redact in html(moderator)] == [True, False]
    press(moderator, "leave", flag)
    redactor = staff("view_thread", "view_flag", "view_content", "moderate_thread", "redact_item")
    press(redactor, "take")
    assert redact in html(redactor)
    Thread.objects.update(status="locked")
    assert lock not in html(redactor)


def test_review_escapes_what_messages_say(moderator: Client) -> None:
    thread = make_thread("x")
    make_flag(thread, make_item(thread, text="<script>alert(1)</script>\u202e" + "long " * 1000))
    press(moderator, "take")
    text = html(moderator)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;[U+202E]" in text
    assert "<script>alert" not in text
    assert "Show all 5026 characters" in text


def test_resolving_goes_on_to_the_next(moderator: Client) -> None:
    first, second = make_flag(), make_flag()
    press(moderator, "take")
    response = resolve(moderator, first, "A private note", "unfounded")
    assert response["Location"] == REVIEW
    first.refresh_from_db()
    assert (first.resolution, first.resolution_note, first.resolved_by) == (
        "unfounded",
        "A private note",
        moderator.staff.username,  # type: ignore[attr-defined]
    )
    assert mine(moderator) == second.pk
    assert AuditEntry.objects.get(action="resolve").details == {"flag": first.pk, "resolution": "unfounded"}
    assert Thread.objects.get(pk=first.thread_id).open_flags == 0


@pytest.mark.parametrize(
    "data",
    [
        {"resolution": "withdrawn"},
        {"resolution": ""},
        {"resolution": "handled", "note": "x" * 1001},
        {"resolution": "handled", "note": "a\x00b"},
    ],
)
def test_wrong_resolution_is_refused_and_the_note_kept(moderator: Client, data: dict[str, str]) -> None:
    flag = make_flag()
    press(moderator, "take")
    response = press(moderator, "resolve", flag, **data)
    assert response.status_code == 200
    assert response.context["form"].errors
    flag.refresh_from_db()
    assert flag.resolved_at is None


def test_wrong_resolution_of_another_flag_is_not_shown_as_this_one_s(moderator: Client) -> None:
    first, second = make_flag(), make_flag()
    press(moderator, "take")
    resolve(moderator, first)
    assert press(moderator, "resolve", first, resolution="", note="meant for the first").status_code == 302
    text = html(moderator)
    assert "This flag was already resolved by" in text
    assert "meant for the first" not in text
    assert mine(moderator) == second.pk


def test_skipped_flag_comes_back_last(moderator: Client) -> None:
    first, second, third = make_flag(), make_flag(), make_flag()
    press(moderator, "take")
    press(moderator, "skip", first)
    assert mine(moderator) == second.pk
    press(moderator, "skip", second)
    resolve(moderator, third)
    assert mine(moderator) == first.pk
    resolve(moderator, first)
    press(moderator, "skip", second)
    assert mine(moderator) == second.pk
    assert "There is no other flag to review now." in html(moderator)


def test_skipped_flag_is_free_for_others(moderator: Client, staff: Callable[..., Client]) -> None:
    first, _second = make_flag(), make_flag()
    press(moderator, "take")
    press(moderator, "skip", first)
    other = staff("view_thread", "moderate_thread")
    press(other, "take")
    assert mine(other) == first.pk


def test_leaving_gives_the_flag_back(moderator: Client) -> None:
    first, _second = make_flag(), make_flag()
    press(moderator, "take")
    assert press(moderator, "leave", first)["Location"] == LIST
    assert mine(moderator) is None
    press(moderator, "take")
    assert mine(moderator) == first.pk


def test_two_reviewers_get_different_flags(moderator: Client, staff: Callable[..., Client]) -> None:
    first, second = make_flag(), make_flag()
    other, third = staff("view_thread", "moderate_thread"), staff("view_thread", "moderate_thread")
    for client in (moderator, other, third):
        press(client, "take")
    assert [mine(client) for client in (moderator, other, third)] == [first.pk, second.pk, None]
    assert "Every open flag is being reviewed by somebody else." in html(third)


def test_late_resolution_is_told_and_changes_nothing(moderator: Client, staff: Callable[..., Client]) -> None:
    flag = make_flag()
    press(moderator, "take")
    Flag.objects.update(claimed_at=timezone.now() - timedelta(minutes=20))
    other = staff("view_thread", "moderate_thread")
    press(other, "take")
    name = other.staff.username  # type: ignore[attr-defined]
    resolve(moderator, flag, "My <note>", "unfounded")
    text = html(moderator)
    assert f"This flag is now being reviewed by {name}; nothing was changed." in text
    assert "Your note was not saved: My &lt;note&gt;" in text
    resolve(other, flag)
    resolve(moderator, flag, "", "unfounded")
    assert f"This flag was already resolved by {name}; nothing was changed." in html(moderator)
    flag.refresh_from_db()
    assert (flag.resolution, flag.resolved_by) == ("handled", name)
    assert AuditEntry.objects.filter(action="resolve").count() == 1


def test_second_tab_is_told_that_the_flag_is_resolved(moderator: Client) -> None:
    flag = make_flag()
    press(moderator, "take")
    resolve(moderator, flag)
    resolve(moderator, flag, "", "unfounded")
    assert "This flag was already resolved by" in html(moderator)
    flag.refresh_from_db()
    assert flag.resolution == "handled"


def test_flag_that_another_is_reviewing_is_not_taken(moderator: Client, staff: Callable[..., Client]) -> None:
    flag = make_flag()
    press(moderator, "take")
    other = staff("view_thread", "moderate_thread")
    press(other, "take", flag)
    assert mine(moderator) == flag.pk
    assert "is now being reviewed by" in html(other)


def test_taking_another_flag_gives_the_first_back(moderator: Client) -> None:
    first, second = make_flag(), make_flag()
    press(moderator, "take", first)
    press(moderator, "take", second)
    assert mine(moderator) == second.pk
    assert Flag.objects.get(pk=first.pk).claimed_by is None


@pytest.mark.parametrize("number", ["", "x", "-1", "9" * 30, "999999"])
@pytest.mark.parametrize("button", ["resolve", "skip"])
def test_absent_flags_are_not_found(moderator: Client, button: str, number: str) -> None:
    assert moderator.post(REVIEW, {"do": button, "flag": number}).status_code == 404


@pytest.mark.parametrize("button", ["", "burn", "resolve\x00"])
def test_unknown_buttons_are_refused(moderator: Client, button: str) -> None:
    assert moderator.post(REVIEW, {"do": button}).status_code == 400


def test_review_refuses_other_methods(moderator: Client) -> None:
    assert moderator.put(REVIEW).status_code == 405


@pytest.mark.parametrize("number", [1, 30])
def test_review_takes_a_fixed_number_of_queries(
    moderator: Client, django_assert_max_num_queries: Any, number: int
) -> None:
    for _index in range(number):
        thread = make_thread("x")
        items = [make_item(thread, text="y") for _ in range(3)]
        make_flag(thread, items[1])
    press(moderator, "take")
    with django_assert_max_num_queries(9):
        html(moderator)


# --- Who may ------------------------------------------------------------------------------------------------

ROLES: dict[str, tuple[list[str], set[str]]] = {
    "nobody": ([], set()),
    "reader": (["view_thread", "view_content"], set()),
    "viewer of flags": (["view_flag"], {"list"}),
    "blind moderator": (["moderate_thread"], set()),
    "moderator": (["view_thread", "moderate_thread"], {"list", "review", "take"}),
}


@pytest.mark.parametrize("role", ROLES)
def test_permissions(staff: Callable[..., Client], role: str) -> None:
    permissions, expected = ROLES[role]
    client = staff(*permissions)
    make_flag()
    allowed = {"list"} if client.get(LIST).status_code == 200 else set()
    allowed |= {"review"} if client.get(REVIEW).status_code == 200 else set()
    press(client, "take")
    allowed |= {"take"} if mine(client) else set()
    assert allowed == expected


def test_who_may_not_read_is_told_facts_only(staff: Callable[..., Client]) -> None:
    client = staff("view_thread", "moderate_thread")
    thread = make_thread("secret title")
    flag = make_flag(thread, make_item(thread, text="secret text"), reason="secret reason")
    press(client, "take")
    pages = html(client) + html(client, LIST) + html(client, f"{LIST}{flag.pk}/change/")
    assert "secret" not in pages
    assert thread.public_id in pages
    assert not AuditEntry.objects.filter(action="read").exists()


@pytest.mark.parametrize("may_read_hidden", [False, True])
def test_hidden_context_needs_its_permission(staff: Callable[..., Client], may_read_hidden: bool) -> None:
    thread = make_thread("x")
    make_flag(thread, make_item(thread, "hidden_context_item", text="only for the model"))
    permissions = ["view_thread", "view_content", "moderate_thread"]
    client = staff(*permissions, *(["view_hidden_context"] if may_read_hidden else []))
    press(client, "take")
    text = html(client)
    assert ("only for the model" in text) == may_read_hidden
    assert ("you may not read it" in text) != may_read_hidden


@pytest.mark.usefixtures("scoped")
def test_flags_out_of_scope_do_not_exist(moderator: Client) -> None:
    theirs = make_flag(make_thread("x", namespace="theirs"))
    own = make_flag(make_thread("x", namespace="mine"))
    assert listed(moderator) == {own}
    assert moderator.get(f"{LIST}{theirs.pk}/change/").status_code == 302
    assert press(moderator, "take", theirs).status_code == 404
    press(moderator, "take")
    assert mine(moderator) == own.pk
    assert "1 flag is open." in html(moderator)
    assert resolve(moderator, theirs).status_code == 404
    resolve(moderator, own)
    assert mine(moderator) is None
    assert "The queue is empty" in html(moderator)


def test_forged_requests_are_refused(staff: Callable[..., Client]) -> None:
    make_flag()
    client = staff("view_thread", "moderate_thread", enforce_csrf_checks=True)
    assert press(client, "take").status_code == 403
    assert mine(client) is None


# --- Where it is --------------------------------------------------------------------------------------------


def test_queue_is_in_the_index_for_those_who_may_review(
    moderator: Client, staff: Callable[..., Client]
) -> None:
    entry = f'<a href="{REVIEW}">Review queue</a>'
    assert entry in moderator.get("/admin/").content.decode()
    assert entry not in staff("view_thread", "view_flag").get("/admin/").content.decode()
