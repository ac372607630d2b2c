"""Dictation: what is said into the microphone (Chromium's own, which beeps) becomes text."""

import base64
import threading
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from django.http import JsonResponse
from playwright.async_api import Browser, Page, async_playwright, expect

from .conftest import ARGUMENTS
from .site import Site
from .test_composer import box, button
from .waiting import PATIENCE, eventually

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

WATCH = """
window.tracks = [];
const original = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (constraints) => {
    const stream = await original(constraints);
    tracks.push(...stream.getTracks());
    return stream;
};
"""


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def recording_browser(chromium_path: str) -> AsyncIterator[Browser]:
    arguments = [*ARGUMENTS, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=arguments)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="package")
async def speaking(recording_browser: Browser, server_url: str, pages: Site) -> AsyncIterator[Page]:
    """A page with a microphone, whose tracks are kept in ``window.tracks``."""
    pages.chats = [{"options": {"composer": {"dictation": {"enabled": True}}}}]
    pages.replies["input.transcribe"] = lambda params: {"text": " what I said "}
    context = await recording_browser.new_context(base_url=server_url)
    context.set_default_timeout(PATIENCE * 1000)
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    page = await context.new_page()
    await page.add_init_script(WATCH)
    yield page
    await context.close()
    assert errors == []


async def all_tracks_have_ended(page: Page) -> bool:
    ended: bool = await page.evaluate(
        "tracks.length > 0 && tracks.every(({readyState}) => readyState === 'ended')"
    )
    return ended


async def test_speech_becomes_text_at_the_caret(speaking: Page, pages: Site):
    await speaking.goto("/")
    await box(speaking).fill("Before. After.")
    await box(speaking).evaluate("(node) => node.setSelectionRange(7, 7)")
    await button(speaking, "Dictate").click()
    await expect(speaking.get_by_role("timer")).to_have_text("0:01")
    await expect(button(speaking, "Send message")).to_have_attribute("aria-disabled", "true")
    await button(speaking, "Finish dictating").click()
    await expect(box(speaking)).to_have_value("Before. what I said After.")
    params = pages.params_of("input.transcribe")
    assert params["mime_type"] == "audio/webm;codecs=opus"
    assert base64.b64decode(params["audio_base64"], validate=True).startswith(b"\x1a\x45\xdf\xa3")
    assert await all_tracks_have_ended(speaking)
    await expect(speaking.get_by_role("timer")).to_be_hidden()
    await expect(button(speaking, "Send message")).to_have_attribute("aria-disabled", "false")


async def test_dictation_takes_the_place_of_sending_while_there_is_nothing_to_send(speaking: Page):
    await speaking.goto("/")
    await expect(button(speaking, "Dictate")).to_be_visible()
    await expect(button(speaking, "Send message")).to_be_hidden()
    await box(speaking).fill("Hello")
    await expect(button(speaking, "Send message")).to_be_visible()
    await expect(button(speaking, "Dictate")).to_be_visible()
    await box(speaking).fill("")
    await expect(button(speaking, "Send message")).to_be_hidden()


async def test_focus_stays_on_the_button_that_takes_the_place_of_stopping(speaking: Page, pages: Site):
    go_on = threading.Event()
    options = {"type": "stream_options", "stream_options": {"allow_cancel": True}}
    pages.script("wait", options, go_on)
    await speaking.goto("/")
    await box(speaking).fill("wait")
    await speaking.keyboard.press("Enter")
    await button(speaking, "Stop answering").focus()
    go_on.set()
    await expect(button(speaking, "Dictate")).to_be_focused()


@pytest.mark.parametrize("by_key", [True, False])
async def test_recording_that_is_called_off_goes_nowhere(speaking: Page, pages: Site, by_key: bool):
    await speaking.goto("/")
    await button(speaking, "Dictate").click()
    await expect(button(speaking, "Finish dictating")).to_be_visible()
    if by_key:
        await speaking.keyboard.press("Escape")
    else:
        await button(speaking, "Discard the recording").click()
    await expect(button(speaking, "Dictate")).to_be_visible()
    await expect(box(speaking)).to_be_focused()
    await speaking.wait_for_function("tracks.every(({readyState}) => readyState === 'ended')")
    assert await all_tracks_have_ended(speaking)
    assert pages.requests == []
    await expect(speaking.get_by_role("alert")).to_be_hidden()


async def test_microphone_that_is_denied_is_told(speaking: Page):
    await speaking.add_init_script(
        """navigator.mediaDevices.getUserMedia = async () => {
            throw new DOMException("no", "NotAllowedError");
        };"""
    )
    await speaking.goto("/")
    await button(speaking, "Dictate").click()
    await expect(speaking.get_by_role("alert")).to_contain_text("The microphone is blocked.")
    await expect(button(speaking, "Dictate")).to_be_visible()


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (JsonResponse({"message": "no"}, status=500), "The dictation failed."),
        ({"text": "  "}, "Nothing was heard."),
        ({"text": ["x"]}, "Nothing was heard."),
    ],
)
async def test_transcription_that_gives_nothing_is_told(
    speaking: Page, pages: Site, reply: object, text: str
):
    pages.replies["input.transcribe"] = lambda params: reply
    await speaking.goto("/")
    await button(speaking, "Dictate").click()
    await button(speaking, "Finish dictating").click()
    await expect(speaking.get_by_role("alert")).to_have_text(text)
    await expect(button(speaking, "Dictate")).to_be_visible()
    assert await all_tracks_have_ended(speaking)


async def test_chat_that_is_taken_away_lets_go_of_the_microphone(speaking: Page, pages: Site):
    await speaking.goto("/")
    await button(speaking, "Dictate").click()
    await expect(button(speaking, "Finish dictating")).to_be_visible()
    await speaking.evaluate("document.querySelector('openai-chatkit').remove()")
    await speaking.wait_for_function("tracks.every(({readyState}) => readyState === 'ended')")
    assert pages.requests == []


@pytest.mark.parametrize(
    "script", ["delete window.MediaRecorder;", "delete Navigator.prototype.mediaDevices;"]
)
async def test_dictation_is_not_offered_where_nothing_can_be_recorded(page: Page, pages: Site, script: str):
    pages.chats = [{"options": {"composer": {"dictation": {"enabled": True}}}}]
    await page.add_init_script(script)
    await page.goto("/")
    await expect(box(page)).to_be_visible()
    await expect(button(page, "Dictate")).to_be_hidden()


async def test_dictation_is_off_unless_it_is_asked_for(speaking: Page, pages: Site):
    pages.chats = [{}]
    await speaking.goto("/")
    await expect(box(speaking)).to_be_visible()
    await expect(button(speaking, "Dictate")).to_be_hidden()
    await eventually(lambda: pages.requests == [])
