"""Options, methods and events that belong to no one part of the element."""

from typing import Any, get_args

import pytest
from chatkit.widgets import CurveType
from playwright.async_api import Page, expect

from .site import Site, assistant, user
from .test_composer import CHAT, box, button, configure, sent

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]


PATHS = "(curves) => curves.map((curve) => curve.getAttribute('d'))"


async def listen(page: Page, event: str) -> None:
    """Keep the details of an event in ``window.details``."""
    await page.add_init_script(
        f"""window.details = [];
        document.addEventListener("chatkit.{event}", ({{detail}}) => details.push(detail), true);"""
    )


async def send(page: Page, message: dict[str, Any]) -> None:
    await page.evaluate(f"(message) => {CHAT}.sendUserMessage(message)", message)


# Options


async def test_frame_title_names_the_chat(page: Page, pages: Site):
    pages.chats = [{"options": {"frameTitle": "Ask the shop"}}]
    await page.goto("/")
    await expect(page.get_by_role("region", name="Ask the shop")).to_be_visible()


async def test_without_a_frame_title_the_chat_has_a_name(page: Page, pages: Site):
    await page.goto("/")
    await expect(page.get_by_role("region", name="Chat", exact=True)).to_be_visible()


async def test_locale_goes_before_the_language_of_the_page(page: Page, pages: Site):
    workflow = {"type": "custom", "tasks": [], "summary": {"duration": 12}, "expanded": False}
    thread = pages.add_thread("T", user("?"), {"type": "workflow", "workflow": workflow})
    pages.chats = [{"thread": thread, "options": {"locale": "de"}}]
    await page.goto("/")
    await expect(page.locator("openai-chatkit .item").last).to_contain_text("12 Sekunden")


async def test_api_names_the_endpoint_and_how_to_ask_it(page: Page, pages: Site):
    await page.goto("/")
    await page.evaluate(
        f"""() => {{
            window.asked = [];
            const answer = async (url, {{method, body}}) => {{
                asked.push([String(url), method, JSON.parse(body).type]);
                return new Response('{{"data": [], "has_more": false}}');
            }};
            {CHAT}.setOptions({{api: {{url: "/elsewhere", domainKey: "domain-key", fetch: answer}}}});
            return {CHAT}.showHistory();
        }}"""
    )
    assert await page.evaluate("asked") == [["/elsewhere", "POST", "threads.list"]]
    assert pages.requests == []


async def test_placeholder_is_shown_and_names_the_field(page: Page, pages: Site):
    pages.chats = [{"options": {"composer": {"placeholder": "Ask the shop"}}}]
    await page.goto("/")
    await expect(page.get_by_role("textbox", name="Ask the shop")).to_have_attribute(
        "placeholder", "Ask the shop"
    )


async def test_header_can_be_left_out(page: Page, pages: Site):
    pages.chats = [{"options": {"header": {"enabled": False}}}]
    await page.goto("/")
    await expect(box(page)).to_be_visible()
    await expect(button(page, "Show conversations")).to_be_hidden()


async def test_disclaimer_of_high_contrast_is_as_dark_as_the_text(page: Page, pages: Site):
    colours = []
    for contrast in (False, True):
        text = {"text": "It can be **wrong**.", "highContrast": contrast}
        pages.chats = [{"options": {"disclaimer": text}}]
        await page.goto("/")
        said = page.locator("openai-chatkit [part=disclaimer] p")
        await expect(said.locator("strong")).to_have_text("wrong")
        colours.append(await said.evaluate("(node) => getComputedStyle(node).color"))
    text_colour = await box(page).evaluate("(node) => getComputedStyle(node).color")
    assert colours[0] != colours[1] == text_colour


async def test_action_of_the_page_is_told_of_its_widget(page: Page, pages: Site):
    copy = {"type": "copy", "payload": {"id": 7}, "handler": "client"}
    card = {"type": "Card", "children": [{"type": "Button", "label": "Copy it", "onClickAction": copy}]}
    pages.chats = [{"thread": pages.add_thread("T", {"type": "widget", "id": "item_w", "widget": card})}]
    await configure(
        page, "(options) => { options.widgets = {onAction: async (...told) => { window.told = told; }}; }"
    )
    await page.goto("/")
    await button(page, "Copy it").click()
    action = {"type": "copy", "payload": {"id": 7}}
    assert await page.evaluate("told") == [action, {"id": "item_w", "widget": card}]
    assert "threads.custom_action" not in pages.operations()


async def test_every_curve_of_the_sdk_is_drawn(page: Page, pages: Site):
    def chart(curve: str) -> dict[str, Any]:
        data = [{"day": day, "sold": sold} for day, sold in enumerate([1, 5, 2, 8])]
        series = {"type": "line", "dataKey": "sold", "curveType": curve}
        node = {"type": "Chart", "data": data, "series": [series], "xAxis": "day", "height": 150}
        return {"type": "widget", "widget": {"type": "Card", "children": [node]}}

    pages.page_size = 100
    pages.chats = [{"thread": pages.add_thread("T", *[chart(curve) for curve in get_args(CurveType)])}]
    await page.goto("/")
    curves = page.locator("openai-chatkit .chart-curve")
    await expect(curves).to_have_count(15)
    drawn = dict(zip(get_args(CurveType), await curves.evaluate_all(PATHS), strict=True))
    assert [curve for curve, path in drawn.items() if path == drawn["linear"]] == ["linear", "linearClosed"]


# Methods


async def test_message_of_the_page_is_sent_with_all_it_has(page: Page, pages: Site):
    content = [{"type": "input_tag", "id": "p1", "text": "Ada"}, {"type": "input_text", "text": " was right"}]
    attachment = {"type": "file", "id": "att_1", "name": "a.txt", "mime_type": "text/plain"}
    await page.goto("/")
    await expect(box(page)).to_be_visible()
    await send(
        page,
        {
            "content": content,
            "reply": "Really?",
            "attachments": [attachment],
            "toolChoice": {"id": "web"},
            "model": "big",
        },
    )
    assert await sent(pages) == {
        "content": content,
        "attachments": ["att_1"],
        "quoted_text": "Really?",
        "inference_options": {"tool_choice": {"id": "web"}, "model": "big"},
    }


async def test_message_of_the_page_leaves_the_composer_alone(page: Page, pages: Site):
    await page.goto("/")
    await box(page).fill("half a sen")
    await send(page, {"text": "from code"})
    await expect(page.locator("openai-chatkit .item")).to_have_count(2)
    await expect(box(page)).to_have_value("half a sen")


async def test_history_is_shown_and_hidden_by_the_page(page: Page, pages: Site):
    await page.goto("/")
    await expect(box(page)).to_be_visible()
    await page.evaluate(f"{CHAT}.showHistory()")
    await expect(page.get_by_role("heading", name="Conversations")).to_be_visible()
    await page.evaluate(f"{CHAT}.hideHistory()")
    await expect(page.get_by_role("heading", name="Conversations")).to_be_hidden()


# Events


async def test_error_is_told_to_the_page(page: Page, pages: Site):
    await page.add_init_script(
        """window.told = [];
        document.addEventListener("chatkit.error", ({detail}) =>
            told.push([detail.error instanceof Error, detail.error.message]), true);"""
    )
    await page.goto("/")
    await box(page).fill("fail")
    await box(page).press("Enter")
    await expect(page.get_by_role("alert").filter(visible=True)).to_contain_text("The model is tired.")
    assert await page.evaluate("told") == [[True, "The model is tired."]]


async def test_new_chat_is_told_to_the_page(page: Page, pages: Site):
    await listen(page, "thread.change")
    pages.chats = [{"thread": pages.add_thread("T", user("?"), assistant("!"))}]
    await page.goto("/")
    await page.wait_for_function("details.length === 1")
    await button(page, "New chat").click()
    await page.wait_for_function("details.length === 2")
    assert await page.evaluate("details") == [{"threadId": "thr_1"}, {"threadId": None}]


async def test_change_of_thread_is_told_once(page: Page, pages: Site):
    await listen(page, "thread.change")
    pages.chats = [{"thread": pages.add_thread("T", user("?"), assistant("!"))}]
    other = pages.add_thread("U", user("?"), assistant("!"))
    await page.goto("/")
    await page.wait_for_function("details.length === 1")
    await page.evaluate(f"(id) => {CHAT}.setThreadId(id)", other)
    assert await page.evaluate("details") == [{"threadId": "thr_1"}, {"threadId": other}]


async def test_thread_that_could_not_be_opened_is_told_as_none(page: Page, pages: Site):
    await listen(page, "thread.change")
    pages.chats = [{"thread": pages.add_thread("T", user("?"), assistant("!"))}]
    await page.goto("/")
    await page.wait_for_function("details.length === 1")
    await page.evaluate(f"{CHAT}.setThreadId('thr_gone')")
    assert await page.evaluate("details") == [{"threadId": "thr_1"}, {"threadId": None}]


# Updates of items


async def test_parts_of_a_message_are_added_and_done(page: Page, pages: Site):
    def update(kind: str, **fields: Any) -> dict[str, Any]:
        named = {"type": f"assistant_message.content_part.{kind}", **fields}
        return {"type": "thread.item.updated", "item_id": "a", "update": named}

    def part(text: str) -> dict[str, Any]:
        return {"type": "output_text", "text": text, "annotations": []}

    pages.script(
        "parts",
        {"type": "thread.item.added", "item": {"id": "a", "type": "assistant_message", "content": []}},
        update("added", content_index=0, content=part("One")),
        update("text_delta", content_index=0, delta=" and a half"),
        update("added", content_index=1, content=part("Two")),
        update("done", content_index=1, content=part("Second")),
        60,
    )
    await page.goto("/")
    await box(page).fill("parts")
    await box(page).press("Enter")
    paragraphs = page.locator("openai-chatkit .item.assistant p")
    await expect(paragraphs).to_have_text(["One and a half", "Second"])


async def test_root_of_a_widget_is_replaced(page: Page, pages: Site):
    def card(text: str) -> dict[str, Any]:
        return {"type": "Card", "children": [{"type": "Text", "value": text}]}

    replaced = {"type": "widget.root.updated", "widget": card("After")}
    pages.script(
        "widget",
        {"type": "thread.item.added", "item": {"id": "w", "type": "widget", "widget": card("Before")}},
        {"type": "thread.item.updated", "item_id": "w", "update": replaced},
        60,
    )
    await page.goto("/")
    await box(page).fill("widget")
    await box(page).press("Enter")
    await expect(page.locator("openai-chatkit .widget")).to_have_text("After")


async def test_title_of_the_thread_comes_with_an_update(page: Page, pages: Site):
    await page.goto("/")
    await box(page).fill("hello")
    await box(page).press("Enter")
    await expect(page.locator("openai-chatkit .main .title")).to_have_text("About hello")
