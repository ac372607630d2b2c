"""A thread's page in the admin while it is open: what is said comes in by itself, and who else is there."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from playwright.async_api import Browser, BrowserContext, Page, WebSocketRoute, expect

from chatkit_app.models import AuditEntry, CannedReply, Label, Thread
from chatkit_app.moderation import set_status
from chatkit_app.moderation.redaction import redact
from chatkit_app.takeover.handler import request_person
from chatkit_app.takeover.messages import add_message

from .profile import new_profile
from .real_site import KEEP_TYPING, in_database

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]


@pytest.fixture
def live_site(settings: Any, pages: Any, transactional_db: None) -> None:
    settings.ROOT_URLCONF = "tests.browser.real_site"
    settings.CHATKIT = {"CLIENT": "bundled", "SERVER": "tests.browser.real_site.SlowServer"}


def login(name: str) -> str:
    """A superuser of this name; the key of their session."""
    client = Client()
    user, _is_new = User.objects.get_or_create(
        username=name, defaults={"first_name": name.title(), "is_staff": True, "is_superuser": True}
    )
    client.force_login(user)
    return client.cookies["sessionid"].value


class Office:
    """A user's page, and browsers of the staff."""

    def __init__(self, user: Page, browser: Browser, url: str, errors: list[str]) -> None:
        self.user = user
        self._browser = browser
        self._url = url
        self._errors = errors

    async def ask(self, text: str) -> None:
        box = self.user.get_by_role("textbox")
        await box.fill(text)
        await box.press("Enter")

    @asynccontextmanager
    async def staff(self, name: str) -> AsyncIterator[Page]:
        """The page of the only thread, of a member of the staff."""
        key = await in_database(lambda: login(name))
        pk = await in_database(lambda: Thread.objects.get().pk)
        async with new_profile(self._browser, self._url, self._errors, width=1280, height=900) as context:
            await context.add_cookies([{"name": "sessionid", "value": key, "url": self._url}])
            page = await context.new_page()
            await page.goto(f"/admin/chatkit_app/thread/{pk}/change/")
            yield page


@pytest_asyncio.fixture(loop_scope="package")
async def office(
    live_site: None,
    page: Page,
    browser: Browser,
    context: BrowserContext,
    server_url: str,
    page_errors: list[str],
) -> Office:
    """A user who has been answered once."""
    office = Office(page, browser, server_url, page_errors)
    await page.goto(f"{server_url}/")
    await office.ask("hello")
    await expect(said(page, "Hello to you.")).to_be_visible()
    return office


def said(page: Page, text: str) -> Any:
    """What stands among the messages."""
    return page.get_by_role("list").get_by_text(text, exact=True)


async def test_answer_grows_on_the_page_word_by_word(office: Office) -> None:
    async with office.staff("maria") as page:
        await expect(said(page, "Hello to you.")).to_be_visible()
        await office.ask("count, please")
        await expect(said(page, "count, please")).to_be_visible()
        answer = page.locator("openai-chatkit .item").last
        await expect(answer).to_contain_text("1 2 3")
        assert "60" not in await answer.inner_text()
        await expect(page.get_by_text("An answer is being generated.")).to_be_visible()
        await expect(answer).to_contain_text("58 59 60")
        await expect(page.get_by_text("An answer is being generated.")).to_be_hidden()
        # With what staff know of each, once.
        await expect(page.locator("openai-chatkit > [slot]")).to_have_count(4)
        await expect(page.locator("openai-chatkit > [slot]").last).to_contain_text("Raw data")
    deeds = await in_database(
        lambda: list(AuditEntry.objects.order_by("pk").values_list("details", flat=True))
    )
    assert [deed.get("count", "run" in deed) for deed in deeds][:1] == [2]
    assert any(deed.get("followed") for deed in deeds)


async def test_what_stands_beside_the_transcript_follows(office: Office) -> None:
    async with office.staff("maria") as page:
        await expect(said(page, "Hello to you.")).to_be_visible()
        ben = await in_database(lambda: User.objects.create_superuser("ben", first_name="Ben"))
        await in_database(
            lambda: set_status([Thread.objects.get()], Thread.Status.LOCKED, reason="Spam", actor=ben)
        )
        await expect(page.locator(".field-status_badge").get_by_text("locked")).to_be_visible()
        await expect(page.locator("#events").get_by_text("Spam")).to_be_visible()
        item = await in_database(lambda: Thread.objects.get().items.get(text="Hello to you."))
        await in_database(lambda: redact(item, actor=ben, reason="Wrong"))
        await expect(said(page, "Hello to you.")).to_be_hidden()
        await expect(page.get_by_text("Redacted by ben")).to_be_visible()


async def test_staff_see_who_else_is_there_and_who_types(office: Office) -> None:
    async with office.staff("maria") as page, office.staff("ben") as other:
        await expect(page.get_by_text("Also here: Ben")).to_be_visible()
        await expect(other.get_by_text("Also here: Maria")).to_be_visible()
        # Told only where somebody answers who could see it.
        await in_database(lambda: request_person(Thread.objects.get().pk))
        await expect(office.user.get_by_text("You are waiting for a person")).to_be_visible()
        await office.user.get_by_role("textbox").press_sequentially("Are you")
        await expect(page.get_by_text("The user is typing…")).to_be_visible()
        await other.close()
        await expect(page.get_by_text("Also here: Ben")).to_be_hidden()


async def test_user_types_no_more_when_their_message_is_there(office: Office) -> None:
    await in_database(lambda: request_person(Thread.objects.get().pk))
    await expect(office.user.get_by_text("You are waiting for a person")).to_be_visible()
    async with office.staff("maria") as page:
        await page.add_init_script(KEEP_TYPING)
        await page.reload()
        await expect(said(page, "Hello to you.")).to_be_visible()
        box = office.user.get_by_role("textbox")
        await box.press_sequentially("Are you")
        # Told every two seconds, and only while the page's socket is there.
        while not await page.get_by_text("The user is typing…").is_visible():
            await box.press_sequentially("?")
        await box.press("Enter")
        await expect(page.get_by_role("list").get_by_text("Are you")).to_be_visible()
        await expect(page.get_by_text("The user is typing…")).to_be_hidden()


async def test_who_else_is_there_is_not_told_without_a_socket(office: Office) -> None:
    async with office.staff("maria") as page, office.staff("ben"):
        sockets: list[WebSocketRoute] = []

        def let_the_first_through(socket: WebSocketRoute) -> None:
            sockets.append(socket)
            if len(sockets) == 1:
                socket.connect_to_server()

        await page.route_web_socket(re.compile("/ws/chatkit/staff/"), let_the_first_through)
        await page.reload()
        await expect(page.get_by_text("Also here: Ben")).to_be_visible()
        await sockets[0].close(code=4000)
        await expect(page.get_by_text("Also here: Ben")).to_be_hidden()


async def test_person_takes_over_answers_and_hands_back(
    office: Office, settings: Any, tmp_path: Path, server_url: str
) -> None:
    settings.MEDIA_ROOT = tmp_path
    settings.CHATKIT = settings.CHATKIT | {"ATTACHMENTS": {}}
    await in_database(lambda: request_person(Thread.objects.get().pk, reason="Wants a human"))
    await in_database(
        lambda: CannedReply.objects.create(shortcut="hello", title="Greeting", text="Hello, I am {staff}.")
    )
    user = office.user
    await expect(user.get_by_text("You are waiting for a person")).to_be_visible()
    async with office.staff("maria") as page, office.staff("ben") as other:
        await expect(page.get_by_text("The user has been waiting for a person")).to_be_visible()
        await expect(page.get_by_text("Wants a human")).to_be_visible()
        await page.get_by_role("button", name="Take over").click()
        await expect(user.get_by_text("You are talking to Maria.")).to_be_visible()
        await expect(other.get_by_role("link", name="Take from Maria…")).to_be_visible()
        field = page.get_by_label("Answer", exact=True)
        # By the keyboard alone: a canned reply, more of it, and away it goes.
        await field.press_sequentially("/hel")
        await expect(page.get_by_role("option", name="/hello Greeting")).to_be_visible()
        await expect(user.get_by_text("Maria is typing…")).to_be_visible()
        await field.press("Enter")
        await expect(field).to_have_value("Hello, I am Maria.")
        await field.press_sequentially(" **How** can I help?")
        await page.get_by_role("button", name="Preview").click()
        preview = page.locator("#chatkit-preview")
        await expect(preview.locator("strong").get_by_text("How")).to_be_visible()
        # A draft outlives a reload.
        await page.reload()
        await expect(field).to_have_value("Hello, I am Maria. **How** can I help?")
        await field.press("Control+Enter")
        await expect(said(user, "Hello, I am Maria. How can I help?")).to_be_visible()
        await expect(said(page, "Hello, I am Maria. How can I help?")).to_be_visible()
        await expect(field).to_have_value("")
        # With a failing network nothing is lost.
        await page.route("**/reply/", lambda route: route.abort())
        await field.fill("Once more")
        await field.press("Control+Enter")
        await expect(page.get_by_role("alert").get_by_text("This could not be sent.")).to_be_visible()
        await expect(field).to_have_value("Once more")
        await page.unroute("**/reply/")
        # A file each way.
        await page.locator("#chatkit-reply [type=file]").set_input_files(
            {"name": "form.txt", "mimeType": "text/plain", "buffer": b"Please fill in."}
        )
        await page.get_by_role("button", name="Send").click()
        await expect(said(user, "Once more")).to_be_visible()
        await expect(user.get_by_text("form.txt")).to_be_visible()
        await office.ask("It is still broken")
        await expect(said(page, "It is still broken")).to_be_visible()
        await page.get_by_text("Hand back…").click()
        await page.get_by_label("Instruction for the assistant").fill("Offer a refund")
        await page.get_by_role("button", name="Hand back").click()
        await expect(page.get_by_text("The assistant answers in this conversation.")).to_be_visible()
        await expect(field).to_be_hidden()
        await expect(user.get_by_text("The assistant answers you again.")).to_be_visible()
    deeds = await in_database(
        lambda: list(
            AuditEntry.objects.exclude(action="read").order_by("pk").values_list("action", "actor_name")
        )
    )
    assert deeds == [(name, "maria") for name in ("take", "reply", "reply", "hand_back")]


async def test_what_is_said_below_the_fold_waits_there(office: Office) -> None:
    async with office.staff("maria") as page:
        await page.set_viewport_size({"width": 1280, "height": 500})
        for number in range(9):
            await in_database(lambda number=number: say(f"Line {number}\n\nand more"))
        await expect(said(page, "Line 8")).to_be_visible()
        scroller = page.locator("openai-chatkit .scroller")
        await scroller.evaluate("(node) => node.scrollTo(0, 0)")
        await expect(page.get_by_role("button", name="Jump to the latest message")).to_be_visible()
        await in_database(lambda: say("Something new"))
        await page.get_by_role("button", name="New messages").click()
        await expect(said(page, "Something new")).to_be_in_viewport()
        await expect(page.get_by_role("button", name="New messages")).to_be_hidden()


async def test_case_is_handled_without_a_reload_and_others_see_it(office: Office) -> None:
    await in_database(lambda: Label.objects.create(name="refund"))
    async with office.staff("maria") as page, office.staff("ben") as other, office.staff("cem") as inbox:
        await inbox.goto("/admin/chatkit_app/thread/")
        row = inbox.locator("#result_list tbody tr")
        await expect(row).to_have_count(1)
        await expect(page.get_by_text("Also here: Ben")).to_be_visible()
        await page.evaluate("window.isTheSame = true")
        case = page.get_by_role("region", name="Handling")
        await case.get_by_role("link", name="Change labels").click()
        dialog = page.get_by_role("dialog", name="Labels")
        await dialog.get_by_label("refund").check()
        await dialog.get_by_role("button", name="Save").click()
        await expect(dialog).to_be_hidden()
        await expect(page.get_by_role("status").get_by_text("The labels were saved.")).to_be_visible()
        await case.get_by_role("link", name="Assign to…").click()
        dialog = page.get_by_role("dialog", name="Assign")
        await expect(dialog.locator(".errornote")).to_be_hidden()
        await dialog.get_by_label("User name").fill("nobody")
        await dialog.get_by_role("button", name="Assign").click()
        await expect(dialog.get_by_role("alert")).to_contain_text("There is no active staff member")
        await dialog.get_by_label("User name").fill("ben")
        await dialog.get_by_role("button", name="Assign").click()
        await expect(dialog).to_be_hidden()
        await page.get_by_label("For other staff.").fill("Has called twice")
        await page.get_by_role("button", name="Save the note").click()
        for there in (page, other):
            await expect(there.locator("#case").get_by_text("refund")).to_be_visible()
            await expect(there.locator("#case").get_by_text("ben", exact=True)).to_be_visible()
            await expect(there.locator("#events").get_by_text("Has called twice")).to_be_visible()
        await expect(row.get_by_text("refund")).to_be_visible()
        await expect(row.get_by_text("→ ben")).to_be_visible()
        # Whoever looks at something else in a dialog goes back to where they were.
        await case.get_by_role("link", name="Flag the thread").press("Enter")
        await expect(page.get_by_role("dialog")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(case.get_by_role("link", name="Flag the thread")).to_be_focused()
        assert await page.evaluate("window.isTheSame")


async def test_actions_of_the_inbox_ask_in_a_dialog(office: Office) -> None:
    await in_database(lambda: Label.objects.create(name="refund"))
    async with office.staff("maria") as page:
        await page.goto("/admin/chatkit_app/thread/")
        await page.evaluate("window.isTheSame = true")
        row = page.locator("#result_list tbody tr")
        await row.get_by_role("checkbox").check()
        await page.get_by_label("Action:").select_option("add_label")
        await page.locator("button[name=index]").click()
        dialog = page.get_by_role("dialog", name="Add a label")
        await dialog.get_by_label("Label").select_option("refund")
        await dialog.get_by_role("button", name="Add").click()
        await expect(row.get_by_text("refund")).to_be_visible()
        await expect(page.get_by_role("status").get_by_text("1 thread was changed.")).to_be_visible()
        await expect(row.get_by_role("checkbox")).not_to_be_checked()
        # What asks nothing is done at once, and without a row it is told that there is none.
        await page.get_by_label("Action:").select_option("unassign_threads")
        await page.locator("button[name=index]").click()
        await expect(page.get_by_text("Items must be selected")).to_be_visible()
        assert await page.evaluate("window.isTheSame")


def say(text: str) -> None:
    with transaction.atomic():
        add_message(Thread.objects.locked().get(), text)


async def test_inbox_is_alive_and_nothing_moves_by_itself(office: Office) -> None:
    async with office.staff("maria") as page:
        await page.goto("/admin/chatkit_app/thread/")
        row = page.locator("#result_list tbody tr")
        await expect(row).to_have_count(1)
        await in_database(lambda: request_person(Thread.objects.get().pk))
        await expect(row.get_by_text("waiting, less than a minute")).to_be_visible()
        await expect(page.get_by_role("link", name="Waiting: 1")).to_be_visible()
        await expect(page).to_have_title("(1) Inbox | Django site admin")
        await office.user.evaluate("document.querySelector('openai-chatkit').setThreadId(null)")
        await office.ask("hello")
        await expect(page.get_by_role("button", name="New conversations: 1")).to_be_visible()
        await expect(row).to_have_count(1)
        await page.get_by_role("button", name="New conversations: 1").click()
        await expect(row).to_have_count(2)


async def test_inbox_counts_the_conversations_that_have_come_in(office: Office) -> None:
    async with office.staff("maria") as page:
        await page.goto("/admin/chatkit_app/thread/?o=-1")
        await office.user.evaluate("document.querySelector('openai-chatkit').setThreadId(null)")
        await office.ask("hello")
        await page.get_by_role("button", name="New conversations: 1").click()
        await expect(page.locator(".paginator")).to_have_text("2 threads")
        await page.locator("#result_list tbody input.action-select").first.check()
        await expect(page.locator(".action-counter")).to_have_text("1 of 2 selected")
        await page.locator("#action-toggle").check()
        await expect(page.locator(".action-counter")).to_have_text("2 of 2 selected")
        await page.get_by_label("Action:").select_option("lock_threads")
        await page.locator("button[name=index]").click()
        await expect(page.get_by_role("dialog")).to_be_visible()


async def test_inbox_sounds_for_who_wants_it_and_has_done_something_there(office: Office) -> None:
    """What is held back until the first press would come when it means nothing any more."""
    # To ask a page something counts as a press here.
    count = """
        window.sounds = 0;
        let hasBeenActive = false;
        addEventListener("click", () => (hasBeenActive = true), true);
        Object.defineProperty(navigator, "userActivation", { get: () => ({ hasBeenActive }) });
        window.AudioContext = class extends AudioContext { constructor() { super(); window.sounds += 1; } };
    """

    async def wait_for_person(name: str) -> None:
        await in_database(
            lambda: request_person(Thread.objects.create(public_id=name, visitor_id=name, title=name).pk)
        )

    async with office.staff("maria") as page:
        await page.add_init_script(count)
        await page.goto("/admin/chatkit_app/thread/")
        await page.get_by_label("Sound").check()
        await page.wait_for_function("window.sounds === 1")
        await page.goto("/admin/chatkit_app/thread/")
        await expect(page.get_by_label("Sound")).to_be_checked()
        await wait_for_person("first")
        await expect(page).to_have_title(re.compile(r"^\(1\) "))
        assert await page.evaluate("window.sounds") == 0
        await page.locator("h1").click()
        await wait_for_person("second")
        await expect(page).to_have_title(re.compile(r"^\(2\) "))
        await page.wait_for_function("window.sounds === 1")
        await page.get_by_label("Sound").uncheck()
        await wait_for_person("third")
        await expect(page).to_have_title(re.compile(r"^\(3\) "))
        assert await page.evaluate("window.sounds") == 1
