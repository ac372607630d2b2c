"""The element in other languages: its words, its direction, and the room that long words take."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from .site import Site, assistant, user
from .test_composer import configure

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

# Every button that the element can offer.
OPTIONS = {
    "history": {"showRename": True, "showDelete": True},
    "composer": {
        "attachments": {"enabled": True},
        "dictation": {"enabled": True},
        "models": [{"id": "small", "label": "Small"}, {"id": "big", "label": "Big"}],
    },
    "threadItemActions": {"feedback": True, "retry": True},
}
UPLOADS = """(options) => { options.api.uploadStrategy = {type: "direct", uploadUrl: "/upload"}; }"""

# What sticks out of the element, or does not fit into its own box. An ellipsis is a way to fit.
STICKING_OUT = """() => {
  const host = document.querySelector("openai-chatkit");
  const { left, right } = host.getBoundingClientRect();
  const ends = (node) => node && (getComputedStyle(node).textOverflow === "ellipsis" || ends(node.parentElement));
  return [...host.shadowRoot.querySelectorAll(".frame, .frame *")].filter((node) => {
    const box = node.getBoundingClientRect();
    if (!box.width || !box.height || node.closest(".visually-hidden, svg") || ends(node)) return false;
    const isCut = getComputedStyle(node).overflowX !== "visible" && node.scrollWidth > node.clientWidth;
    return isCut || box.left < left - 0.5 || box.right > right + 0.5;
  }).map((node) => `${node.localName}.${node.className} ${node.textContent.trim().slice(0, 40)}`);
}"""

Visit = Callable[..., Awaitable[None]]


@pytest_asyncio.fixture(loop_scope="package")
async def visit(page: Page, pages: Site, settings: Any) -> Visit:
    """Opens a page in a language, at a width, with everything on that has words."""
    settings.LANGUAGES = [(code, code) for code in ("en", "ar", "de", "ja", "zh-hans")]

    async def visit(language: str, *, width: int = 900, thread: str | None = None) -> None:
        pages.chats = [{"options": OPTIONS, "thread": thread}]
        pages.page_size = 100
        await configure(page, UPLOADS)
        await page.set_viewport_size({"width": width, "height": 640})
        await page.set_extra_http_headers({"Accept-Language": language})
        await page.goto("/")
        await expect(page.get_by_role("textbox")).to_be_visible()

    return visit


@pytest.mark.parametrize(
    ("language", "greeting", "box", "buttons"),
    [
        (
            "ar",
            "كيف يمكنني مساعدتك اليوم؟",
            "اكتب إلى الذكاء الاصطناعي",
            ["عرض المحادثات", "إرفاق ملفات", "إملاء", "إرسال الرسالة"],
        ),
        (
            "de",
            "Wobei kann ich heute helfen?",
            "Nachricht an die KI",
            ["Unterhaltungen anzeigen", "Dateien anhängen", "Diktieren", "Nachricht senden"],
        ),
        (
            "ja",
            "今日はどんなご用件でしょうか？",
            "AIへのメッセージ",
            ["会話を表示", "ファイルを添付", "音声入力", "メッセージを送信"],
        ),
    ],
)
async def test_start_screen_and_composer_are_translated(
    page: Page, visit: Visit, language: str, greeting: str, box: str, buttons: list[str]
):
    await visit(language)
    await expect(page.get_by_role("heading", name=greeting)).to_be_visible()
    await expect(page.get_by_role("textbox", name=box)).to_be_visible()
    for name in buttons[:-1]:
        await expect(page.get_by_role("button", name=name)).to_be_visible()
    # One button speaks while there is nothing to send.
    await page.get_by_role("textbox", name=box).fill("?")
    await expect(page.get_by_role("button", name=buttons[-1])).to_be_visible()


async def test_answer_and_its_actions_are_translated(page: Page, pages: Site, visit: Visit):
    await visit("zh-hans", thread=pages.add_thread("Thread", user("When?"), assistant("In May.")))
    messages = page.locator("openai-chatkit ol.items > li")
    await expect(messages).to_have_text(["您When?", "助手In May."])
    actions = page.get_by_role("group", name="对此回答的操作").get_by_role("button")
    # They come with the messages' Markdown.
    await expect(actions).to_have_count(5)
    names = [await action.get_attribute("aria-label") for action in await actions.all()]
    assert names == ["复制", "回答很好", "回答不好", "重新回答", "引用"]


async def test_conversations_are_dated_in_the_language_of_the_page(page: Page, pages: Site, visit: Visit):
    pages.add_thread("Ausflug")
    await visit("de")
    await page.get_by_role("button", name="Unterhaltungen anzeigen").click()
    history = page.get_by_role("region", name="Unterhaltungen")
    await expect(history.get_by_role("heading", name="März 2025")).to_be_visible()


async def test_arabic_is_laid_out_from_right_to_left(page: Page, visit: Visit):
    await visit("ar")
    await expect(page.locator("openai-chatkit")).to_have_attribute("dir", "rtl")
    await page.get_by_role("textbox").fill("?")
    attach = await page.get_by_role("button", name="إرفاق ملفات").bounding_box()
    send = await page.get_by_role("button", name="إرسال الرسالة").bounding_box()
    assert attach is not None
    assert send is not None
    assert send["x"] + send["width"] < 450 < attach["x"]


@pytest.mark.parametrize("language", ["de", "ar"])
async def test_start_screen_fits_320_pixels(page: Page, visit: Visit, language: str):
    await visit(language, width=320)
    assert await page.evaluate(STICKING_OUT) == []
    assert await page.evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize(("language", "show"), [("de", "Unterhaltungen anzeigen"), ("ar", "عرض المحادثات")])
async def test_history_fits_320_pixels(page: Page, pages: Site, visit: Visit, language: str, show: str):
    for title in ["Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen", *[""] * 6]:
        pages.add_thread(title)
    await visit(language, width=320)
    await page.get_by_role("button", name=show).click()
    await expect(page.locator("openai-chatkit .thread-row")).to_have_count(7)
    await expect(page.get_by_role("searchbox")).to_be_visible()
    assert await page.evaluate(STICKING_OUT) == []
    assert await page.evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize(("language", "good"), [("de", "Gute Antwort"), ("ar", "إجابة جيدة")])
async def test_answer_with_its_actions_fits_320_pixels(
    page: Page, pages: Site, visit: Visit, language: str, good: str
):
    await visit(language, width=320, thread=pages.add_thread("Wann?", user("Wann?"), assistant("Im Mai.")))
    await expect(page.get_by_role("button", name=good)).to_be_visible()
    assert await page.evaluate(STICKING_OUT) == []
    assert await page.evaluate("document.documentElement.scrollWidth") == 320
