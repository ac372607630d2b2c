"""An open page shows what happens elsewhere without being reloaded."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from playwright.async_api import BrowserContext, Locator, Page, expect

from chatkit_app.live import bells
from chatkit_app.models import Attachment, Thread, ThreadItem
from chatkit_app.moderation import set_status, takeover
from chatkit_app.moderation.redaction import redact
from chatkit_app.takeover.handler import request_person, stop_waiting

from .conftest import serve_official
from .real_site import KEEP_TYPING, in_database
from .waiting import eventually, say

pytestmark = pytest.mark.asyncio(loop_scope="package")

WAIT = "I have asked our team. A person will answer you here. You can go on writing meanwhile."


@pytest.fixture
def live_site(settings: Any, pages: Any, transactional_db: None) -> None:
    settings.ROOT_URLCONF = "tests.browser.real_site"
    settings.CHATKIT = {"CLIENT": "bundled", "SERVER": "tests.browser.real_site.SlowServer"}


def frames(page: Page, event: str) -> list[str]:
    """What the page sends through its sockets from now on (``framesent``), or is sent (``framereceived``)."""
    kept: list[str] = []
    page.on("websocket", lambda socket: socket.on(event, lambda text: kept.append(str(text))))
    return kept


async def begin(page: Page, server_url: str) -> None:
    """A conversation of one turn, which is followed."""
    sent = frames(page, "framesent")
    await page.goto(f"{server_url}/")
    box = page.get_by_role("textbox")
    await box.fill("hello")
    await box.press("Enter")
    await expect(said(page, "Hello to you.")).to_be_visible()
    await eventually(lambda: any("follow" in text for text in sent))


def said(page: Page, text: str) -> Any:
    """What stands among the messages."""
    return page.get_by_role("list").get_by_text(text, exact=True)


def maria() -> Any:
    return User.objects.create_superuser("maria", first_name="Maria")


async def test_page_shows_what_a_person_does_to_its_conversation(
    live_site: None, page: Page, server_url: str
) -> None:
    await begin(page, server_url)
    staff = await in_database(maria)
    await in_database(lambda: takeover.take_over(Thread.objects.get(), actor=staff))
    await expect(page.get_by_text("You are talking to Maria.")).to_be_visible()
    await expect(page.get_by_role("textbox", name="Message Maria")).to_be_visible()
    await in_database(lambda: takeover.reply(Thread.objects.get(), "I can **help**.", actor=staff))
    await expect(said(page, "I can help.")).to_be_visible()
    await expect(said(page, "Maria")).to_be_visible()
    pk = await in_database(lambda: Thread.objects.get().pk)
    message = {"type": "chatkit.typing", "thread": pk, "staff": staff.pk}
    bells.bells.send(bells.groups.of_thread(pk), message)
    await expect(page.get_by_text("Maria is typing…")).to_be_visible()
    await in_database(lambda: takeover.hand_back(Thread.objects.get(), actor=staff))
    await expect(page.get_by_text("The assistant answers you again.")).to_be_visible()
    await expect(page.get_by_text("Maria is typing…")).to_be_hidden()
    await expect(page.get_by_role("textbox", name="Message the AI")).to_be_visible()
    await in_database(lambda: takeover.take_over(Thread.objects.get(), actor=staff))
    await expect(page.get_by_text("You are talking to Maria.")).to_be_visible()
    await in_database(
        lambda: redact(ThreadItem.objects.get(text="Hello to you."), actor=staff, reason="Wrong")
    )
    await expect(said(page, "This message was removed by a moderator.")).to_be_visible()
    await expect(said(page, "Hello to you.")).to_be_hidden()
    await in_database(
        lambda: set_status(
            [Thread.objects.get()], Thread.Status.LOCKED, reason="Please call us.", actor=staff
        )
    )
    await expect(page.get_by_text("Please call us.")).to_be_visible()
    # Nobody can be talked to in a thread that is locked.
    await expect(page.get_by_text("You are talking to Maria.")).to_be_hidden()


async def test_what_a_person_writes_comes_in_sight_of_those_who_are_at_the_end(
    live_site: None, page: Page, server_url: str
) -> None:
    await page.set_viewport_size({"width": 800, "height": 400})
    await begin(page, server_url)
    staff = await in_database(maria)
    await in_database(lambda: takeover.take_over(Thread.objects.get(), actor=staff))
    await expect(page.get_by_role("textbox", name="Message Maria")).to_be_visible()
    await say(page, "Are you there?")
    for number in range(5):
        text = f"I am here. {number}"
        await in_database(lambda text=text: takeover.reply(Thread.objects.get(), text, actor=staff))
        await expect(said(page, text)).to_be_in_viewport(ratio=1)
        await expect(page.get_by_role("button", name="New messages")).to_be_hidden()


async def test_tools_and_models_are_the_assistants(
    live_site: None, page: Page, server_url: str, settings: Any
) -> None:
    tools = [
        {"id": "search", "label": "Search", "pinned": True, "persistent": True},
        {"id": "draw", "label": "Draw"},
    ]
    composer = {"tools": tools, "models": [{"id": "small", "label": "Small"}]}
    settings.CHATKIT = {**settings.CHATKIT, "OPTIONS": {"composer": composer}}
    await begin(page, server_url)
    search = page.get_by_role("button", name="Search")
    offered = [
        search,
        page.get_by_role("button", name="Model: Small"),
        page.get_by_role("button", name="Files and tools"),
    ]
    for button in offered:
        await expect(button).to_be_visible()
    await search.click()
    staff = await in_database(maria)
    await in_database(lambda: takeover.take_over(Thread.objects.get(), actor=staff))
    for button in offered:
        await expect(button).to_be_hidden()
    box = page.get_by_role("textbox", name="Message Maria")
    async with page.expect_request(lambda request: "add_user_message" in (request.post_data or "")) as sent:
        await box.fill("Are you there?")
        await box.press("Enter")
    assert (await sent.value).post_data_json["params"]["input"]["inference_options"] == {}
    await in_database(lambda: takeover.hand_back(Thread.objects.get(), actor=staff))
    for button in offered:
        await expect(button).to_be_visible()
    await expect(search).to_have_attribute("aria-pressed", "true")


async def test_person_without_a_name_is_one_of_the_team(live_site: None, page: Page, server_url: str) -> None:
    await begin(page, server_url)
    staff = await in_database(lambda: User.objects.create_superuser("admin2"))
    await in_database(lambda: takeover.take_over(Thread.objects.get(), actor=staff))
    await expect(page.get_by_text("You are talking to a person of our team.")).to_be_visible()
    await expect(page.get_by_role("textbox", name="Message our team")).to_be_visible()
    pk = await in_database(lambda: Thread.objects.get().pk)
    message = {"type": "chatkit.typing", "thread": pk, "staff": staff.pk}
    bells.bells.send(bells.groups.of_thread(pk), message)
    await expect(page.get_by_text("Our team is typing…")).to_be_visible()
    await in_database(lambda: takeover.reply(Thread.objects.get(), "I can help.", actor=staff))
    await expect(said(page, "Our team")).to_be_visible()
    await expect(page.get_by_text("admin2")).to_have_count(0)


async def test_nothing_is_answered_again_while_a_person_answers(
    live_site: None, page: Page, server_url: str, settings: Any
) -> None:
    settings.CHATKIT = {**settings.CHATKIT, "OPTIONS": {"threadItemActions": {"retry": True}}}
    await begin(page, server_url)
    again = page.get_by_role("button", name="Answer again")
    await expect(again).to_be_visible()
    staff = await in_database(maria)
    await in_database(lambda: takeover.take_over(Thread.objects.get(), actor=staff))
    await expect(again).to_be_hidden()
    await in_database(lambda: takeover.hand_back(Thread.objects.get(), actor=staff))
    await expect(again).to_be_visible()


async def test_person_types_no_more_when_their_message_is_there(
    live_site: None, page: Page, server_url: str
) -> None:
    await page.add_init_script(KEEP_TYPING)
    await begin(page, server_url)
    staff = await in_database(maria)
    await in_database(lambda: takeover.take_over(Thread.objects.get(), actor=staff))
    await expect(page.get_by_text("You are talking to Maria.")).to_be_visible()
    pk = await in_database(lambda: Thread.objects.get().pk)

    def reply(text: str) -> None:
        takeover.reply(Thread.objects.get(), text, actor=staff)

    for text in ("One.", "Two."):
        message = {"type": "chatkit.typing", "thread": pk, "staff": staff.pk}
        bells.bells.send(bells.groups.of_thread(pk), message)
        await expect(page.get_by_text("Maria is typing…")).to_be_visible()
        await in_database(partial(reply, text))
        await expect(said(page, text)).to_be_visible()
        await expect(page.get_by_text("Maria is typing…")).to_be_hidden()


async def test_user_gets_a_file_that_a_person_sends(
    live_site: None, page: Page, server_url: str, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    await begin(page, server_url)

    def send() -> None:
        thread = Thread.objects.get()
        staff = maria()
        file = Attachment.objects.create(
            public_id="atc_1",
            thread=thread,
            user_id=thread.user_id,
            visitor_id=thread.visitor_id,
            type="file",
            name="bill.txt",
            mime_type="text/plain",
            file=default_storage.save("chatkit/bill", ContentFile(b"12 euros")),
            size=8,
        )
        takeover.take_over(thread, actor=staff)
        takeover.reply(thread, "Here it is.", actor=staff, attachments=[file])

    await in_database(send)
    await expect(said(page, "Here it is.")).to_be_visible()
    link = page.get_by_role("link", name="bill.txt")
    response = await page.request.get(str(await link.get_attribute("href")))
    assert (response.status, await response.body()) == (200, b"12 euros")


@pytest.fixture
def staffed_site(live_site: None, settings: Any) -> None:
    settings.CHATKIT |= {"STAFF": {"BUTTON": True}}


async def test_user_asks_for_a_person_and_goes_back_to_the_assistant(
    staffed_site: None, page: Page, server_url: str
) -> None:
    await page.goto(f"{server_url}/")
    person = page.get_by_role("button", name="Talk to a person")
    box = page.get_by_role("textbox")
    await expect(box).to_be_visible()
    await expect(person).to_be_hidden()
    await box.fill("hello")
    await box.press("Enter")
    await expect(said(page, "Hello to you.")).to_be_visible()
    await person.click()
    await expect(said(page, WAIT)).to_be_visible()
    await expect(page.get_by_text("You are waiting for a person of our team.")).to_be_visible()
    await expect(page.get_by_role("textbox", name="Message our team")).to_be_visible()
    await expect(person).to_be_hidden()
    await box.fill("hello")
    await box.press("Enter")
    await expect(said(page, "hello")).to_have_count(2)
    await expect(page.get_by_text("Answering…")).to_be_hidden()
    assert await in_database(lambda: Thread.objects.get().handler) == "waiting"
    await page.get_by_role("button", name="Stop waiting").click()
    await expect(said(page, "Hello to you.")).to_have_count(2)
    await expect(page.get_by_text("You are waiting for a person of our team.")).to_be_hidden()
    await expect(person).to_be_visible()


async def open_official(page: Page, server_url: str, settings: Any) -> Locator:
    """The page with the stand-in of the official client."""
    settings.CHATKIT |= {"CLIENT": "openai", "SCRIPT_URL": "https://cdn.example/chatkit.js"}
    await serve_official(page)
    await page.goto(f"{server_url}/")
    await page.wait_for_function("document.querySelector('openai-chatkit')?.options")
    return page.locator("openai-chatkit")


async def begin_official(page: Page, server_url: str, settings: Any) -> Locator:
    """A conversation of one turn, which the stand-in shows."""
    element = await open_official(page, server_url, settings)
    await element.evaluate("(element) => element.send('hello')")
    thread_id = await in_database(lambda: Thread.objects.get().public_id)
    await element.evaluate("(element, id) => element.changeThread(id)", thread_id)
    return element


async def test_official_client_offers_a_person_among_its_tools(
    staffed_site: None, page: Page, server_url: str, settings: Any
) -> None:
    element = await open_official(page, server_url, settings)
    tools = await element.evaluate("(element) => element.options.composer.tools")
    assert tools == [{"id": "chatkit_app.request_staff", "label": "Talk to a person", "icon": "lifesaver"}]


async def test_official_client_offers_to_stop_waiting_as_long_as_somebody_waits(
    staffed_site: None, page: Page, server_url: str, settings: Any
) -> None:
    sent = frames(page, "framesent")
    element = await begin_official(page, server_url, settings)
    await eventually(lambda: any("follow" in text for text in sent))
    tools = "document.querySelector('openai-chatkit').options.composer.tools.map(({ label }) => label).join()"
    await in_database(lambda: request_person(Thread.objects.get().pk))
    await page.wait_for_function(f"{tools} === 'Stop waiting'")
    await element.evaluate(
        """(element) => {
            element.sendCustomAction = (action) => (window.sent = action);
            const detail = { toolId: "chatkit_app.stop_waiting" };
            element.dispatchEvent(new CustomEvent("chatkit.tool.change", { detail }));
        }"""
    )
    assert await page.evaluate("window.sent") == {"type": "chatkit_app.stop_waiting"}
    await in_database(lambda: stop_waiting(Thread.objects.get().pk))
    await page.wait_for_function(f"{tools} === 'Talk to a person'")


async def test_page_shows_what_is_answered_in_another_tab(
    live_site: None, page: Page, context: BrowserContext, server_url: str
) -> None:
    await begin(page, server_url)
    thread_id = await in_database(lambda: Thread.objects.get().public_id)
    other = await context.new_page()
    await other.goto(f"{server_url}/")
    await other.evaluate(f"document.querySelector('openai-chatkit').setThreadId('{thread_id}')")
    await expect(said(other, "Hello to you.")).to_be_visible()
    box = other.get_by_role("textbox")
    await box.fill("hello")
    await box.press("Enter")
    await expect(said(page, "Hello to you.")).to_have_count(2)
    assert await in_database(ThreadItem.objects.count) == 4


async def test_element_hears_that_the_server_is_there_again(
    live_site: None, page: Page, server_url: str
) -> None:
    sockets: list[Any] = []

    def pass_on(socket: Any) -> None:
        sockets.append(socket)
        socket.connect_to_server()

    await page.route_web_socket("**", pass_on)
    await begin(page, server_url)
    await page.evaluate("document.querySelector('openai-chatkit').tryNow = () => { window.isBack = true; }")
    staff = await in_database(maria)
    # Only a socket on which something was heard has been there.
    await in_database(lambda: takeover.take_over(Thread.objects.get(), actor=staff))
    await expect(page.get_by_text("You are talking to Maria.")).to_be_visible()
    await sockets[0].close()
    await page.wait_for_function("window.isBack")


async def test_official_client_asks_at_the_end_of_an_answer_whether_somebody_waits(
    staffed_site: None, page: Page, server_url: str, settings: Any
) -> None:
    told = frames(page, "framereceived")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/changes?" in request.url else None)
    element = await begin_official(page, server_url, settings)
    await eventually(lambda: asked)
    await element.evaluate("(element) => element.dispatchEvent(new CustomEvent('chatkit.response.start'))")
    asked.clear()
    heard = len(told)
    # Followed or not: what is committed before is told when it is.
    while len(told) == heard:
        await in_database(lambda: Thread.objects.bump(title="Parcels"))
        await page.wait_for_timeout(200)
    assert asked == []
    await element.evaluate("(element) => element.dispatchEvent(new CustomEvent('chatkit.response.end'))")
    await eventually(lambda: asked)
