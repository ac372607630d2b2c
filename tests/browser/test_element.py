"""The bundled element: a conversation in Chromium with nothing but the site."""

import json
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from chatkit_app.rendering.element_strings import element_strings

from .site import Site, assistant, user
from .waiting import eventually, say

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

CHAT = "document.querySelector('openai-chatkit')"


def box(page: Page) -> Locator:
    return page.get_by_role("textbox")


def messages(page: Page) -> Locator:
    return page.locator("openai-chatkit ol.items > li")


async def record_events(page: Page) -> None:
    """Keep the element's events in ``window.events``."""
    await page.add_init_script(
        """
        window.events = [];
        for (const name of ["ready", "error", "effect", "thread.change", "response.start", "response.end",
                            "thread.load.start", "thread.load.end", "history.open", "history.close"]) {
          document.addEventListener(`chatkit.${name}`, ({detail}) => {
            events.push(detail?.threadId ? `${name} ${detail.threadId}` : name);
          }, true);
        }
        """
    )


# A conversation


async def test_message_is_answered(page: Page, pages: Site):
    await page.goto("/")
    await say(page, "hello")
    await expect(messages(page)).to_have_text(["Youhello", "AssistantYou said: hello"])
    assert pages.requests[0][1] == {
        "input": {
            "content": [{"type": "input_text", "text": "hello"}],
            "attachments": [],
            "inference_options": {},
        }
    }


async def test_each_chat_names_its_frame(page: Page, pages: Site):
    pages.chats = [{"id": "one"}, {"id": "two"}]
    await page.goto("/")
    for chat, messages_then in (("one", 2), ("two", 2), ("one", 4)):
        await page.locator(f"#{chat}").get_by_role("textbox").fill("hi")
        await page.locator(f"#{chat}").get_by_role("textbox").press("Enter")
        await expect(page.locator(f"#{chat} ol.items > li")).to_have_count(messages_then)
    frames = [headers["Chatkit-Frame-Instance-Id"] for _, _, headers in pages.requests]
    assert frames[0] == frames[2] != frames[1]


async def test_second_message_goes_into_the_same_thread(page: Page, pages: Site):
    await page.goto("/")
    await say(page, "hello")
    await expect(messages(page)).to_have_count(2)
    await expect(page.get_by_role("heading", name="About hello")).to_be_visible()
    await say(page, "again")
    await expect(messages(page)).to_have_count(4)
    assert pages.operations() == ["threads.create", "threads.add_user_message"]
    assert pages.requests[1][1]["thread_id"] == "thr_1"


async def test_answer_grows_while_it_is_written(page: Page):
    await page.goto("/")
    await say(page, "slow")
    answer = messages(page).nth(1)
    await expect(answer).to_contain_text("word word")
    before = len(await answer.inner_text())
    await page.wait_for_function(
        f"(n) => {CHAT}.shadowRoot.querySelector('.assistant').innerText.length > n", arg=before
    )
    await expect(page.get_by_role("button", name="Stop answering")).to_be_visible()


async def test_progress_is_shown_until_there_is_an_answer(page: Page):
    await page.goto("/")
    await say(page, "progress")
    await expect(page.get_by_text("Looking it up")).to_be_visible()


async def test_stop_keeps_the_text_and_stops_the_run(page: Page, pages: Site):
    await page.goto("/")
    await say(page, "slow")
    await expect(messages(page).nth(1)).to_contain_text("word word")
    await page.get_by_role("button", name="Stop answering").click()
    await expect(page.get_by_text("You stopped this answer.").first).to_be_visible()
    await eventually(lambda: "stop" in pages.operations())
    await expect(messages(page).nth(1)).to_contain_text("word word")
    await expect(page.get_by_role("button", name="Send message")).to_be_visible()


async def test_events_tell_the_page_of_an_answer(page: Page):
    await record_events(page)
    await page.goto("/")
    await say(page, "hello")
    await expect(messages(page)).to_have_count(2)
    await page.wait_for_function("() => events.includes('response.end')")
    assert await page.evaluate("events") == [
        "ready",
        "response.start",
        "thread.change thr_1",
        "response.end",
    ]


async def test_methods_send_and_switch(page: Page, pages: Site):
    thread = pages.add_thread("Earlier", user("old question"), assistant("old answer"))
    await page.goto("/")
    await expect(box(page)).to_be_visible()
    await page.evaluate(f"(id) => {CHAT}.setThreadId(id)", thread)
    await expect(messages(page)).to_have_count(2)
    await page.evaluate(f"{CHAT}.sendUserMessage({{text: 'from code', newThread: true, model: 'big'}})")
    await expect(messages(page)).to_have_text(["Youfrom code", "AssistantYou said: from code"])
    assert pages.requests[-1][1]["input"]["inference_options"] == {"model": "big"}
    await page.evaluate(f"{CHAT}.setThreadId(null)")
    await expect(page.get_by_text("What can I help with today?")).to_be_visible()
    await page.evaluate(f"document.body.focus(), {CHAT}.focusComposer()")
    await expect(box(page)).to_be_focused()


async def test_fetch_updates_shows_what_the_server_has(page: Page, pages: Site):
    thread = pages.add_thread("Earlier", user("question"))
    pages.chats = [{"thread": thread}]
    await page.goto("/")
    await expect(messages(page)).to_have_count(1)
    pages.threads[thread]["items"].append(pages.item(thread, **assistant("written elsewhere")))
    await page.evaluate(f"{CHAT}.fetchUpdates()")
    await expect(messages(page)).to_have_count(2)


# When it goes wrong


async def test_client_tool_is_called_and_its_result_sent(page: Page, pages: Site):
    await page.add_init_script(
        """window.chatkitConfigure = [(options) => {
             options.onClientTool = async ({name, params}) => ({name, exact: params.exact, path: location.pathname});
           }];"""
    )
    await page.goto("/")
    await say(page, "tool")
    await expect(messages(page).nth(1)).to_contain_text('{"name": "where", "exact": true, "path": "/"}')
    assert pages.operations() == ["threads.create", "threads.add_client_tool_output"]


async def test_client_tool_that_fails_is_told(page: Page, pages: Site):
    await page.add_init_script(
        "window.chatkitConfigure = [(o) => { o.onClientTool = () => { throw new Error('no'); }; }];"
    )
    await page.goto("/")
    await say(page, "tool")
    await expect(page.get_by_role("alert")).to_be_visible()
    assert pages.operations() == ["threads.create"]


async def test_error_event_is_shown_and_retry_asks_after_the_message(page: Page, pages: Site):
    await page.goto("/")
    await say(page, "fail")
    await expect(page.get_by_role("alert")).to_contain_text("The model is tired.")
    await page.get_by_role("button", name="Retry").click()
    await expect(messages(page)).to_have_text(["Youfail", "AssistantYou said: retried"])
    await expect(page.get_by_role("alert")).to_be_hidden()
    assert pages.requests[-1][:2] == (
        "threads.retry_after_item",
        {"thread_id": "thr_1", "item_id": "item_2"},
    )


async def test_connection_that_breaks_is_told_and_can_be_retried(page: Page, pages: Site):
    await page.goto("/")
    await say(page, "break")
    await expect(page.get_by_role("alert")).to_contain_text("The connection was lost.")
    await expect(page.get_by_text("So far.")).to_be_visible()
    await page.get_by_role("button", name="Retry").click()
    await expect(messages(page)).to_have_text(["Youbreak", "AssistantYou said: retried"])


async def test_server_that_cannot_be_reached_keeps_the_message_for_retry(page: Page, pages: Site):
    await page.goto("/")
    await page.route("**/chatkit", lambda route: route.abort())
    await say(page, "hello")
    await expect(page.get_by_role("alert")).to_contain_text("The connection was lost.")
    await expect(messages(page)).to_have_text(["YouhelloNot sent"])
    await page.unroute("**/chatkit")
    await page.get_by_role("button", name="Retry").click()
    await expect(messages(page)).to_have_text(["Youhello", "AssistantYou said: hello"])


async def test_refusal_is_shown_in_the_server_s_words_without_retry(page: Page):
    await page.goto("/")
    await say(page, "refused")
    await expect(page.get_by_role("alert")).to_contain_text("You are not allowed to say that.")
    await expect(page.get_by_role("button", name="Retry")).to_be_hidden()


async def test_page_of_html_instead_of_a_stream_is_an_error(page: Page):
    await page.goto("/")
    await page.route(
        "**/chatkit", lambda route: route.fulfill(content_type="text/html", body="<h1>Log in</h1>")
    )
    await say(page, "hello")
    await expect(page.get_by_role("alert")).to_contain_text("Something went wrong.")


async def test_thread_that_is_gone_is_told(page: Page, pages: Site):
    pages.chats = [{"thread": "thr_gone"}]
    await page.goto("/")
    await expect(page.get_by_role("alert")).to_contain_text("There is no such conversation.")


async def test_remembered_thread_that_is_gone_becomes_a_new_chat(page: Page, pages: Site):
    pages.chats = [{"persist": True}]
    await page.goto("/missing.js")
    await page.evaluate("sessionStorage.setItem('chatkit:/chatkit:thread', 'thr_gone')")
    await page.goto("/")
    await expect(page.get_by_text("What can I help with today?")).to_be_visible()
    await expect(page.get_by_role("alert")).to_be_hidden()


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (
            {"type": "locked", "reason": "We are looking into it."},
            "This conversation is locked. We are looking into it.",
        ),
        ({"type": "closed"}, "This conversation is closed."),
    ],
)
async def test_thread_that_staff_have_shut_takes_no_message(
    page: Page, pages: Site, status: dict[str, Any], text: str
):
    thread = pages.add_thread("Shut", user("hi"))
    pages.threads[thread]["status"] = status
    pages.chats = [{"thread": thread}]
    await page.goto("/")
    await expect(page.get_by_text(text, exact=True)).to_be_visible()
    await expect(box(page)).to_be_hidden()
    # It stands where one would write, and looks like it.
    corner = await page.locator("openai-chatkit .box").evaluate(
        "(node) => getComputedStyle(node).borderRadius"
    )
    await expect(page.get_by_text(text, exact=True)).to_have_css("border-radius", corner)


async def test_widgets_of_a_thread_that_is_shut_offer_what_the_page_does_alone(page: Page, pages: Site):
    buttons = [
        {"type": "Button", "label": "Order", "onClickAction": {"type": "order"}},
        {"type": "Button", "label": "Copy", "onClickAction": {"type": "copy", "handler": "client"}},
    ]
    field = {"type": "Input", "name": "guests", "placeholder": "Guests"}
    widget = {"type": "widget", "widget": {"type": "Card", "children": [*buttons, field]}}
    thread = pages.add_thread("Shut", user("hi"), widget)
    pages.chats = [{"thread": thread}]
    await page.goto("/")
    await expect(page.get_by_role("button", name="Order")).to_be_enabled()
    pages.threads[thread]["status"] = {"type": "locked"}
    await page.evaluate(f"{CHAT}.fetchUpdates()")
    await expect(page.get_by_role("button", name="Order")).to_be_disabled()
    await expect(page.get_by_role("textbox", name="Guests")).to_be_disabled()
    await expect(page.get_by_role("button", name="Copy")).to_be_enabled()
    pages.threads[thread]["status"] = {"type": "active"}
    await page.evaluate(f"{CHAT}.fetchUpdates()")
    await expect(page.get_by_role("button", name="Order")).to_be_enabled()


# Threads


async def test_history_lists_threads_and_opens_one(page: Page, pages: Site):
    pages.add_thread(
        "First talk", user("a"), assistant("b"), user("c"), assistant("d"), user("e"), assistant("f")
    )
    pages.add_thread("Second talk")
    await record_events(page)
    await page.goto("/")
    await page.get_by_role("button", name="Show conversations").click()
    rows = page.locator("openai-chatkit .thread-title")
    await expect(rows).to_have_text(["Second talk", "First talk"])
    await page.get_by_role("button", name="First talk").click()
    await expect(messages(page)).to_have_text(
        ["Youa", "Assistantb", "Youc", "Assistantd", "Youe", "Assistantf"]
    )
    pages_asked = [
        (params["order"], params.get("after")) for name, params, _ in pages.requests if name == "items.list"
    ]
    assert pages_asked == [("desc", None), ("desc", "item_6"), ("desc", "item_4")]
    assert await page.evaluate("events") == [
        "ready",
        "history.open",
        "history.close",
        "thread.load.start thr_1",
        "thread.change thr_1",
        "thread.load.end thr_1",
    ]


async def test_history_is_usable_with_the_keyboard(page: Page, pages: Site):
    pages.add_thread("First talk", user("a"))
    pages.add_thread("Second talk", user("b"))
    await page.goto("/")
    await page.get_by_role("button", name="Show conversations").press("Enter")
    await expect(page.get_by_role("button", name="First talk")).to_be_visible()
    for key in ["ArrowDown", "ArrowDown", "Enter"]:
        await page.keyboard.press(key)
    await expect(messages(page)).to_have_text(["Youa"])
    await expect(box(page)).to_be_focused()
    await page.get_by_role("button", name="Show conversations").press("Enter")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Show conversations")).to_be_focused()


async def test_new_chat_while_an_answer_is_written_stops_nothing(page: Page, pages: Site):
    await page.goto("/")
    await say(page, "slow")
    await expect(messages(page).nth(1)).to_contain_text("word word")
    await page.get_by_role("button", name="New chat").click()
    await expect(page.get_by_text("What can I help with today?")).to_be_visible()
    await page.wait_for_timeout(500)
    await expect(messages(page)).to_have_count(0)
    assert "stop" not in pages.operations()


async def test_persist_reopens_the_thread(page: Page, pages: Site):
    pages.chats = [{"persist": "local"}]
    await page.goto("/")
    await say(page, "hello")
    await expect(messages(page)).to_have_count(2)
    await page.reload()
    await expect(messages(page)).to_have_text(["Youhello", "AssistantYou said: hello"])


async def test_two_elements_hold_two_conversations(page: Page, pages: Site):
    pages.chats = [{"id": "one"}, {"id": "two"}]
    await page.goto("/")
    await page.locator("#two").get_by_role("textbox").fill("second")
    await page.locator("#two").get_by_role("textbox").press("Enter")
    await expect(page.locator("#two ol.items > li")).to_have_count(2)
    await expect(page.locator("#one ol.items > li")).to_have_count(0)


# What is shown


async def test_start_screen_prompt_sends_its_message(page: Page, pages: Site):
    screen = {"greeting": "Welcome!", "prompts": [{"label": "Ask this", "prompt": "the long question"}]}
    pages.chats = [
        {
            "options": {
                "startScreen": screen,
                "composer": {"placeholder": "Write here"},
                "disclaimer": {"text": "See [our terms](https://example.com/)."},
            }
        }
    ]
    await page.goto("/")
    await expect(page.get_by_text("Welcome!")).to_be_visible()
    await expect(page.get_by_role("link", name="our terms")).to_have_attribute("href", "https://example.com/")
    await expect(page.get_by_placeholder("Write here")).to_be_visible()
    await page.get_by_role("button", name="Ask this").click()
    await expect(messages(page).first).to_have_text("Youthe long question")


async def test_items_that_users_do_not_see_are_left_out(page: Page, pages: Site):
    thread = pages.add_thread(
        "Mixed",
        user("hi"),
        {"type": "end_of_turn"},
        {"type": "client_tool_call", "name": "x", "call_id": "c", "arguments": {}, "status": "completed"},
        {"type": "from_the_future"},
    )
    pages.chats = [{"thread": thread}]
    await page.goto("/")
    await expect(messages(page)).to_have_text(["Youhi", "This part of the answer cannot be shown here."])


async def test_markdown_becomes_elements(page: Page, pages: Site):
    text = (
        "# Plan\n\nSome **bold** and `code`.\n\n1. one\n2. two\n   - nested\n\n```py\nx = 1 < 2\n```\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n> quoted\n\nsee [docs](https://example.com/a_(b)) and https://example.org."
    )
    pages.chats = [{"thread": pages.add_thread("M", user("?"), assistant(text))}]
    await page.goto("/")
    answer = messages(page).nth(1)
    await expect(answer.get_by_role("heading", name="Plan")).to_be_visible()
    await expect(answer.locator("strong")).to_have_text("bold")
    await expect(answer.locator("ol > li")).to_have_count(2)
    await expect(answer.locator("ol > li ul > li")).to_have_text("nested")
    await expect(answer.locator("pre")).to_have_text("x = 1 < 2")
    await expect(answer.locator("td")).to_have_text(["1", "2"])
    await expect(answer.locator("blockquote")).to_have_text("quoted")
    hrefs = [await link.get_attribute("href") for link in await answer.get_by_role("link").all()]
    assert hrefs == ["https://example.com/a_(b)", "https://example.org/"]


HOSTILE = [
    "<img src=x onerror=\"document.title='owned'\">",
    "<script>document.title='owned'</script>",
    "[click](javascript:document.title='owned')",
    "[click](data:text/html,<script>alert(1)</script>)",
    "<a href=\"javascript:document.title='owned'\">x</a> ![x](javascript:alert(1))",
    "[a](\tjava\nscript:alert(1)) [b](JaVaScRiPt:alert(1)) <javascript:alert(1)>",
    "```\n</code></pre><svg onload=\"document.title='owned'\">\n```",
]


async def test_hostile_content_is_only_text(page: Page, pages: Site):
    items = [kind(text) for text in HOSTILE for kind in (user, assistant)]
    widget = {"type": "widget", "widget": {"type": "Card"}, "copy_text": HOSTILE[0]}
    thread = pages.add_thread(HOSTILE[0], *items, widget)
    pages.threads[thread]["status"] = {"type": "locked", "reason": HOSTILE[0]}
    pages.chats = [{"thread": thread, "options": {"startScreen": {"greeting": HOSTILE[0]}}}]
    await page.goto("/")
    await expect(messages(page)).to_have_count(len(items) + 1)
    await page.get_by_role("button", name="Show conversations").click()
    await expect(page.locator("openai-chatkit .thread-row")).to_have_count(1)
    found = await page.evaluate(
        f"""() => {{
            const root = {CHAT}.shadowRoot;
            const attributes = [...root.querySelectorAll("*")].flatMap((node) => [...node.attributes]);
            return {{
                tags: root.querySelectorAll("img, script, iframe, object, embed, style, svg[onload]").length,
                links: root.querySelectorAll("a").length,
                handlers: attributes.filter(({{name}}) => name.startsWith("on")).length,
                title: document.title,
            }};
        }}"""
    )
    assert found == {"tags": 0, "links": 0, "handlers": 0, "title": "Page"}
    await expect(messages(page).first).to_contain_text("<img src=x onerror=")


MARKERS = ["`", "**a ", "[", "[a](", "> ", ">", "- ", "_a", "~~a", "|", "![", "<http://"]


async def test_text_of_nothing_but_markers_is_shown(page: Page, pages: Site):
    items = [assistant(marker * 3000) for marker in MARKERS]
    pages.page_size = 100
    pages.chats = [{"thread": pages.add_thread("Markers", *items)}]
    await page.goto("/")
    await expect(messages(page)).to_have_count(len(MARKERS))
    await expect(page.get_by_text("This part of the answer cannot be shown here.")).to_have_count(0)


async def test_malformed_item_does_not_take_the_others_with_it(page: Page, pages: Site):
    broken = {"type": "assistant_message", "content": "text"}
    pages.chats = [{"thread": pages.add_thread("Broken", user("hi"), broken, assistant("fine"))}]
    await page.goto("/")
    await expect(messages(page)).to_have_text(["Youhi", "Assistant", "Assistantfine"])


async def test_strict_csp_is_kept(page: Page, pages: Site):
    violations: list[str] = []
    page.on("console", lambda message: violations.append(message.text) if message.type == "error" else None)
    pages.csp = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; require-trusted-types-for 'script'"
    )
    theme = {"colorScheme": "dark", "color": {"accent": {"primary": "#0a7a4b", "level": 1}}}
    pages.chats = [{"options": {"theme": theme}}]
    await page.goto("/")
    await say(page, "hello")
    await expect(messages(page)).to_have_count(2)
    button = page.get_by_role("button", name="Send message")
    await box(page).fill("more")
    await expect(button).to_have_css("background-color", "rgb(10, 122, 75)")
    assert violations == []


@pytest.mark.parametrize(
    ("theme", "background"),
    [
        (None, "rgb(255, 255, 255)"),
        ("dark", "rgb(24, 24, 27)"),
        (
            {"colorScheme": "dark", "color": {"surface": {"background": "#123456", "foreground": "#fff"}}},
            "rgb(18, 52, 86)",
        ),
    ],
)
async def test_theme_colours_the_surface(page: Page, pages: Site, theme: Any, background: str):
    pages.chats = [{"options": {"theme": theme} if theme else {}}]
    await page.goto("/")
    await expect(page.locator("openai-chatkit .frame")).to_have_css("background-color", background)


async def test_narrow_page_does_not_scroll_sideways(page: Page, pages: Site):
    text = "averyveryverylongwordwithoutanyplacetobreak" * 5 + "\n\n```\n" + "x" * 300 + "\n```"
    pages.chats = [{"thread": pages.add_thread("T" * 200, user(text), assistant(text))}]
    await page.set_viewport_size({"width": 320, "height": 600})
    await page.goto("/")
    await expect(messages(page)).to_have_count(2)
    scroller = page.get_by_role("region", name="Messages")
    assert await scroller.evaluate("(node) => node.scrollWidth - node.clientWidth") == 0
    assert await page.evaluate("document.documentElement.scrollWidth") == 320


async def test_right_to_left_language_turns_the_chat_around(page: Page, settings):
    settings.LANGUAGE_CODE = "ar"
    settings.LANGUAGES = [("ar", "Arabic")]
    await page.goto("/")
    await expect(box(page)).to_be_visible()
    send = await page.locator("openai-chatkit .send").bounding_box()
    field = await box(page).bounding_box()
    assert send["x"] < field["x"]


# Hands and ears


async def test_shift_enter_breaks_the_line(page: Page):
    await page.goto("/")
    await box(page).fill("one")
    await box(page).press("Shift+Enter")
    await page.keyboard.type("two")
    await expect(box(page)).to_have_value("one\ntwo")
    await expect(messages(page)).to_have_count(0)


async def test_enter_that_ends_a_composition_sends_nothing(page: Page):
    await page.goto("/")
    await box(page).fill("にほん")
    await box(page).evaluate(
        """(node) => node.dispatchEvent(
            new KeyboardEvent("keydown", {key: "Enter", isComposing: true, bubbles: true}))"""
    )
    await expect(box(page)).to_have_value("にほん")
    await box(page).press("Enter")
    await expect(messages(page).first).to_have_text("Youにほん")


async def test_enter_while_an_answer_is_written_keeps_the_text(page: Page, pages: Site):
    await page.goto("/")
    await say(page, "slow")
    await expect(messages(page).nth(1)).to_contain_text("word")
    await say(page, "next")
    await expect(box(page)).to_have_value("next")
    assert pages.operations() == ["threads.create"]


async def test_answer_is_announced_when_it_is_whole(page: Page):
    await page.goto("/")
    await say(page, "hello")
    status = page.locator("openai-chatkit [aria-live=polite]")
    await expect(status).to_have_text("Answer finished. You said: hello")
    await expect(page.locator("openai-chatkit ol.items")).not_to_have_attribute("aria-busy", "true")


async def test_answer_is_announced_without_its_markup(page: Page, pages: Site):
    pages.script("when", {"type": "thread.item.done", "item": assistant("In **May**, `probably`.")})
    await page.goto("/")
    await say(page, "when")
    status = page.locator("openai-chatkit [aria-live=polite]")
    await expect(status).to_have_text("Answer finished. In May, probably.")


async def test_strings_are_the_page_s_own(page: Page, monkeypatch):
    strings = element_strings() | {"greeting": "Wie kann ich helfen?"}
    monkeypatch.setattr("chatkit_app.rendering.element.element_strings", lambda: strings)
    await page.goto("/")
    await expect(page.get_by_text("Wie kann ich helfen?")).to_be_visible()
    await expect(page.get_by_role("button", name="Send message")).to_be_visible()


async def test_page_s_own_header_button_is_called(page: Page):
    await page.add_init_script(
        """(window.chatkitConfigure ??= []).push((options) => {
            options.header = {leftAction: {icon: "home", onClick: () => { document.title = "Home"; }}};
        })"""
    )
    await page.goto("/")
    await page.get_by_role("button", name="home").click()
    await expect(page).to_have_title("Home")


# With the app's own endpoint


@pytest.fixture
def real(pages: Site, settings: Any, transactional_db: None) -> Site:
    settings.ROOT_URLCONF = "tests.browser.real_site"
    settings.CHATKIT = {"CLIENT": "bundled", "SERVER": "tests.browser.real_site.SlowServer"}
    pages.chats = [{"persist": True}]
    return pages


def stored_answer() -> str:
    from chatkit_app.models import ThreadItem

    item = ThreadItem.objects.filter(type="assistant_message").first()
    return json.dumps(item.data) if item else ""


async def test_conversation_with_the_real_endpoint(real: Site, page: Page):
    await page.goto("/")
    await say(page, "hello")
    await expect(messages(page)).to_have_text(["Youhello", "AssistantHello to you."])
    await page.reload()
    await expect(messages(page)).to_have_text(["Youhello", "AssistantHello to you."])
    await page.get_by_role("button", name="Show conversations").click()
    await expect(page.locator("openai-chatkit .thread-row")).to_have_count(1)


async def test_stop_with_the_real_endpoint_ends_the_answer(real: Site, page: Page):
    await page.goto("/")
    await say(page, "count")
    await expect(messages(page).nth(1)).to_contain_text("1 2 3")
    async with page.expect_response("**/stop") as stopped:
        await page.get_by_role("button", name="Stop answering").click()
    assert await (await stopped.value).json() == {"stopped": True}
    await page.reload()
    await expect(messages(page).nth(1)).to_contain_text("1 2 3")
    await expect(messages(page).nth(1)).not_to_contain_text("60")


async def test_reload_with_the_real_endpoint_goes_on_with_the_answer(real: Site, page: Page):
    await page.goto("/")
    await say(page, "count")
    await expect(messages(page).nth(1)).to_contain_text("1 2 3")
    await page.reload()
    await expect(page.get_by_role("button", name="Stop answering")).to_be_visible()
    await expect(messages(page).nth(1)).to_contain_text("59 60")
    await expect(messages(page)).to_have_count(2)


async def test_two_profiles_with_the_real_endpoint_share_nothing(real: Site, page: Page, browser, server_url):
    await page.goto("/")
    await say(page, "hello")
    await expect(messages(page)).to_have_count(2)
    other = await (await browser.new_context(base_url=server_url)).new_page()
    await other.goto("/")
    await other.get_by_role("button", name="Show conversations").click()
    await expect(other.get_by_text("No conversations yet.")).to_be_visible()
    await other.context.close()
