"""What people do with the official client, in the demo."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    FrameLocator,
    Locator,
    Page,
    Request,
    expect,
)

from tests.browser.demo_site import DemoProcess
from tests.browser.waiting import PATIENCE

from .conftest import visit

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

END_OF_LONG_ANSWER = "A last word"


def chat(page: Page) -> FrameLocator:
    return page.frame_locator("openai-chatkit iframe")


def button(page: Page, name: str) -> Locator:
    return chat(page).get_by_role("button", name=name, exact=True)


async def say(page: Page, text: str) -> None:
    box = chat(page).get_by_role("textbox").last
    await box.click()
    await box.fill(text)
    # As long as it stops an answer, the button does not send, and neither does Enter.
    await expect(button(page, "Stop response")).to_be_hidden()
    await box.press("Enter")


def said(page: Page, text: str) -> Locator:
    """What stands in the last answer."""
    return chat(page).get_by_role("article").last.get_by_text(text).first


def asks(operation: str) -> Any:
    def is_it(request: Request) -> bool:
        return bool(request.post_data) and json.loads(request.post_data or "{}").get("type") == operation

    return is_it


def needs(official_files: Path, chunk: str) -> None:
    if not list((official_files / "assets" / "ck1").glob(f"{chunk}-*.js")):
        pytest.skip(f"The client's files have no part {chunk!r}, without which it shows nothing of this.")


async def test_page_goes_on_without_the_options_that_the_client_refuses(page: Page):
    """The demo offers commands, which this client does not know."""
    await expect(chat(page).get_by_role("textbox")).to_be_visible()
    await expect(button(page, "Where is my order?")).to_be_visible()


async def test_answer_streams_and_can_be_stopped(page: Page):
    await say(page, "Show me a long answer")
    # The client lags behind with the words: of a short answer none may be shown before its end.
    await expect(chat(page).get_by_role("article").last).to_contain_text("The assistant said")
    async with page.expect_request(lambda request: request.url.endswith("/stop")) as stop:
        # Not by the pointer, which would wait for the button to stand still.
        await button(page, "Stop response").press("Enter")
    response = await (await stop.value).response()
    assert response is not None
    assert response.ok
    await expect(button(page, "Stop response")).to_be_hidden()
    await page.reload()
    await expect(chat(page).get_by_text("Show me a long answer", exact=True).last).to_be_visible()
    await expect(chat(page).get_by_text(END_OF_LONG_ANSWER)).to_have_count(0)


async def test_reload_in_mid_answer_shows_all_of_it_in_the_end(page: Page):
    await say(page, "Show me a long answer")
    await expect(said(page, "How to make a cup of coffee")).to_be_visible()
    await page.reload()
    await expect(said(page, END_OF_LONG_ANSWER)).to_be_visible()


async def test_history_opens_renames_and_deletes(page: Page):
    await say(page, "Show me a task")
    await expect(said(page, "Saved the timetable")).to_be_visible()
    await button(page, "New chat").click()
    await say(page, "Show me a notice")
    await expect(said(page, "There is a notice for you.")).to_be_visible()
    await button(page, "Conversation history").click()
    await button(page, "Show me a task").click()
    await expect(said(page, "Saved the timetable")).to_be_visible()
    await button(page, "Conversation history").click()
    await open_menu(page, "Show me a task")
    async with page.expect_response(lambda response: asks("threads.delete")(response.request)) as deleted:
        await chat(page).get_by_role("menuitem", name="Delete").click()
        await chat(page).get_by_role("dialog").get_by_role("button", name="Delete").click()
    assert (await deleted.value).ok
    await expect(button(page, "Show me a task")).to_have_count(0)
    await open_menu(page, "Show me a notice")
    await chat(page).get_by_role("menuitem", name="Rename").click()
    async with page.expect_response(lambda response: asks("threads.update")(response.request)) as renamed:
        dialog = chat(page).get_by_role("dialog", name="Rename chat")
        await dialog.get_by_role("textbox").fill("Beans")
        await dialog.get_by_role("button", name="Submit").click()
    assert (await renamed.value).ok
    await page.reload()
    await button(page, "Conversation history").click()
    await expect(button(page, "Beans")).to_be_visible()


async def open_menu(page: Page, name: str) -> None:
    row = button(page, name)
    await row.hover()
    await row.get_by_role("button").click()


async def test_feedback_and_another_answer(page: Page):
    await say(page, "Show me the hidden context")
    answer = "I have made a note that only the model can read"
    await expect(said(page, answer)).to_be_visible()
    async with page.expect_response(lambda response: asks("items.feedback")(response.request)) as rated:
        await button(page, "Thumbs up").click()
    assert (await rated.value).ok
    async with page.expect_response(
        lambda response: asks("threads.retry_after_item")(response.request)
    ) as again:
        await button(page, "Regenerate message").click()
    assert (await again.value).ok
    await expect(said(page, answer)).to_be_visible()
    await expect(chat(page).get_by_text(answer)).to_have_count(1)


async def test_three_files_are_the_first_that_a_visitor_sends(page: Page):
    uploads: list[str] = []
    page.on("requestfinished", lambda request: uploads.append(f"{request.method} {where(request)}"))
    await attach_three_files(page)
    assert [upload for upload in uploads if "/attachments" in upload] == ["POST /chatkit/attachments"] * 3
    await say(page, "Look at these")
    await expect(said(page, "You have sent me 3 files:")).to_be_visible()


async def test_three_files_are_announced_and_then_sent_by_a_visitor_who_is_new(visitor: BrowserContext):
    page = await visitor.new_page()
    await page.add_init_script(TWO_PHASES)
    uploads: list[str] = []
    page.on("requestfinished", lambda request: uploads.append(f"{request.method} {where(request)}"))
    await page.goto("/")
    await attach_three_files(page)
    sent = [upload for upload in uploads if "/attachments/" in upload]
    assert [upload.rpartition("/")[0] for upload in sent] == ["PUT /chatkit/attachments"] * 3
    await say(page, "Look at these")
    await expect(said(page, "You have sent me 3 files:")).to_be_visible()


TWO_PHASES = """window.chatkitConfigure = [
    (options) => { options.api.uploadStrategy = {type: "two_phase"}; },
];"""


async def attach_three_files(page: Page) -> None:
    """Attach them, and wait until they have been sent."""
    files = [
        {"name": f"{name}.txt", "mimeType": "text/plain", "buffer": b"words"}
        for name in ("one", "two", "three")
    ]
    await expect(chat(page).get_by_role("textbox")).to_be_visible()
    await chat(page).locator("input[type=file]").first.set_input_files(files)  # type: ignore[arg-type]
    for name in ("one", "two", "three"):
        await expect(chat(page).get_by_text(f"{name}.txt").first).to_be_visible()
    await page.wait_for_load_state("networkidle")


def where(request: Request) -> str:
    return urlsplit(request.url).path


async def test_buttons_of_a_widget_are_answered(page: Page):
    await say(page, "Show me a widget")
    await button(page, "Favourite").click()
    await expect(said(page, "Order 1042")).to_be_visible()
    async with page.expect_response(
        lambda response: asks("threads.custom_action")(response.request)
    ) as tracked:
        await button(page, "Track").click()
    assert (await tracked.value).ok
    await expect(button(page, "Track")).to_be_disabled()


async def test_form_is_sent_with_what_was_entered(page: Page):
    await say(page, "Show me a form")
    await chat(page).get_by_role("textbox", name="Name").fill("Ada")
    await chat(page).get_by_role("textbox", name="Wishes").fill("A quiet place")
    async with page.expect_request(asks("threads.custom_action")) as sent:
        await button(page, "Book").click()
    payload = json.loads((await sent.value).post_data or "{}")["params"]["action"]["payload"]
    assert (payload["name"], payload["wishes"]) == ("Ada", "A quiet place")


async def test_tool_runs_in_the_page_and_its_result_is_answered(page: Page):
    await say(page, "What does my browser tell you?")
    await expect(said(page, "1000 × 800").or_(said(page, "1000 \\u00d7 800"))).to_be_visible()


async def test_questions_are_answered_one_by_one(page: Page):
    await say(page, "Show me some questions")
    await chat(page).get_by_role("radio", name="Autumn").check()
    await expect(chat(page).get_by_text("2 of 3")).to_be_visible()
    async with page.expect_response(
        lambda response: asks("threads.add_structured_input")(response.request)
    ) as sent:
        await button(page, "Skip questions").click()
    assert (await sent.value).ok


async def test_workflow_comes_to_its_end(page: Page, official_files: Path):
    needs(official_files, "LottieIcon")
    await say(page, "Show me a workflow")
    await expect(said(page, "The trip is planned.")).to_be_visible()


async def test_generated_image_is_shown(page: Page, official_files: Path):
    needs(official_files, "image-generation")
    await say(page, "Show me an image")
    await expect(chat(page).get_by_role("article").last.locator("img[src*='landscape']")).to_be_visible()


async def test_failure_can_be_tried_again(page: Page):
    await say(page, "Show me a failure")
    async with page.expect_request(asks("threads.retry_after_item")):
        await button(page, "Retry").click()
    await expect(button(page, "Retry")).to_be_visible()


async def test_notice_is_shown(page: Page):
    await say(page, "Show me a notice")
    await expect(chat(page).get_by_text("Nearly used up")).to_be_visible()


async def test_closed_conversation_says_why_and_takes_no_more(page: Page):
    await say(page, "Show me a closed conversation")
    await expect(chat(page).get_by_text("The demo has closed this conversation.")).to_be_visible()
    await expect(chat(page).get_by_role("textbox")).to_have_count(0)


async def test_entity_is_found_and_sent(page: Page):
    await chat(page).get_by_role("textbox").click()
    await page.keyboard.type("Tell me of @cof")
    await chat(page).get_by_text("Coffee", exact=True).first.click()
    async with page.expect_request(asks("threads.create")) as sent:
        await page.keyboard.press("Enter")
    content = json.loads((await sent.value).post_data or "{}")["params"]["input"]["content"]
    assert [part["id"] for part in content if part["type"] == "input_tag"] == ["coffee"]


async def test_model_and_tool_go_with_the_message(page: Page):
    await button(page, "Fast").click()
    await chat(page).get_by_role("option", name="Thorough").click()
    await button(page, "Weather").click()
    # The tool has a placeholder of its own.
    await expect(chat(page).get_by_role("textbox", name="A city")).to_be_visible()
    async with page.expect_request(asks("threads.create")) as sent:
        await say(page, "Lisbon")
    options = json.loads((await sent.value).post_data or "{}")["params"]["input"]["inference_options"]
    assert options == {"model": "gpt-4.1", "tool_choice": {"id": "get_weather"}}
    await expect(said(page, "Lisbon")).to_be_visible()


async def test_dictation_is_written_into_the_composer(speaker: Page):
    await expect(chat(speaker).get_by_role("textbox")).to_be_visible()
    # It has no name, nor has the one that takes its place.
    await chat(speaker).get_by_role("button").last.click()
    await expect(chat(speaker).locator("canvas, [class*=Waveform]").first).to_be_visible()
    async with speaker.expect_request(asks("input.transcribe")) as sent:
        await chat(speaker).get_by_role("button").last.click()
    params = json.loads((await sent.value).post_data or "{}")["params"]
    assert params["mime_type"].startswith("audio/webm")
    box = chat(speaker).get_by_role("textbox")
    await expect(box).to_contain_text("without a model to understand it")


async def test_answer_of_a_server_that_is_killed_is_kept_and_can_be_asked_for_again(
    browser: Browser, mortal: DemoProcess, official_files: Path
):
    async with visit(browser, mortal.url, official_files) as visitor:
        page = await visitor.new_page()
        await page.goto("/")
        await say(page, "Show me a long answer")
        # What is unfinished is saved every second or so: this far in, there is something to be kept.
        await expect(said(page, "What you do")).to_be_visible()
        mortal.kill()
        await expect(button(page, "Retry")).to_be_visible()
        mortal.start()
        await page.reload()
        await expect(chat(page).get_by_text("Show me a long answer", exact=True).last).to_be_visible()
        await expect(said(page, "How to make a cup of coffee")).to_be_visible()
        async with page.expect_request(asks("threads.retry_after_item")):
            await button(page, "Regenerate message").click()
        await expect(said(page, END_OF_LONG_ANSWER)).to_be_visible()


async def test_session_that_has_ended_does_not_swallow_the_message(page: Page, visitor: BrowserContext):
    await say(page, "Show me a task")
    await expect(said(page, "Saved the timetable")).to_be_visible()
    await visitor.clear_cookies(name="sessionid")
    await say(page, "Are you still there?")
    await expect(said(page, "This conversation or part of it no longer exists.")).to_be_visible()


async def test_person_takes_over_answers_and_hands_back(page: Page, browser: Browser, official_url: str):
    await say(page, "Show me a task")
    await expect(said(page, "Saved the timetable")).to_be_visible()
    await choose_tool(page, "Talk to a person")
    await say(page, "I have a question")
    await expect(said(page, "I have asked our team.")).to_be_visible()
    await say(page, "Show me a notice")
    await expect(chat(page).get_by_text("Show me a notice", exact=True)).to_be_visible()
    # Whoever changes their mind is answered by the assistant what they have written meanwhile.
    await button(page, "Stop waiting").click()
    await expect(said(page, "There is a notice for you.")).to_be_visible()
    await expect(button(page, "Stop waiting")).to_have_count(0)
    await choose_tool(page, "Talk to a person")
    await say(page, "I do want to ask a person")
    await expect(said(page, "I have asked our team.")).to_be_visible()
    async with staff_page(browser, official_url) as staff:
        # Whoever has waited longest comes first, and others wait in the samples.
        await staff.goto("/admin/chatkit_app/thread/?handler=waiting")
        await staff.get_by_role("link", name="Show me a task").click()
        await staff.get_by_role("button", name="Take over").click()
        answer = staff.get_by_label("Answer", exact=True)
        await answer.fill("Here **I** am.")
        await answer.press("Control+Enter")
        # Without a reload, and with their name.
        await expect(said(page, "Here I am.")).to_be_visible()
        await expect(said(page, "Anna")).to_be_visible()
        await expect(button(page, "Stop waiting")).to_have_count(0)
        await say(page, "Thank you")
        await expect(staff.get_by_role("list").get_by_text("Thank you", exact=True)).to_be_visible()
        await staff.get_by_text("Hand back…").click()
        await staff.get_by_role("button", name="Hand back", exact=True).click()
        await expect(staff.get_by_text("The assistant answers in this conversation.")).to_be_visible()
        await say(page, "Show me a long answer")
        await expect(said(page, "How to make a cup of coffee")).to_be_visible()


async def test_lock_is_shown_without_a_reload(page: Page, browser: Browser, official_url: str):
    await say(page, "Show me a long answer")
    await expect(said(page, "How to make a cup of coffee")).to_be_visible()
    async with staff_page(browser, official_url) as staff:
        await open_newest(staff)
        await staff.get_by_role("link", name="Lock").click()
        await staff.get_by_label("Reason").fill("We are closed today.")
        await staff.get_by_role("button", name="Lock").click()
        # It stands where one would write.
        box = chat(page).get_by_role("textbox", name="We are closed today.")
        await expect(box).to_have_attribute("contenteditable", "false")


async def open_newest(staff: Page) -> None:
    """Open the conversation in which something was written last."""
    await staff.goto("/admin/chatkit_app/thread/")
    await staff.locator("#result_list tbody th a").first.click()


async def choose_tool(page: Page, name: str) -> None:
    await chat(page).locator("button[aria-haspopup=menu]").first.click()
    await chat(page).get_by_role("menuitem", name=name).click()


@asynccontextmanager
async def staff_page(browser: Browser, url: str) -> AsyncIterator[Page]:
    """A page of the demo's administrator."""
    context = await browser.new_context(base_url=url, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE * 1000)
    page = await context.new_page()
    await page.goto("/admin/login/?next=/admin/")
    await page.get_by_label("Username").fill("admin")
    await page.get_by_label("Password").fill("admin")
    await page.locator("[type=submit]").click()
    await page.wait_for_url("**/admin/")
    yield page
    await context.close()


async def test_chat_works_in_the_panel_of_the_launcher(page: Page):
    await page.goto("/launcher/")
    await page.get_by_role("button", name="Open the chat").click()
    await say(page, "Show me a notice")
    await expect(said(page, "There is a notice for you.")).to_be_visible()
    await page.get_by_role("button", name="Close the chat").click()
    await expect(page.locator("openai-chatkit")).to_be_hidden()
