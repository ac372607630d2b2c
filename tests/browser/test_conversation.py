"""Several conversations in one element, broken connections, and threads that are longer than a page."""

import json
import re
import threading
from typing import Any

import pytest
from playwright.async_api import Locator, Page, Route, expect

from .site import Site, assistant, user
from .test_element import CHAT, box, messages
from .waiting import eventually, say

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]


def text_delta(item: str, delta: str) -> dict[str, Any]:
    update = {"type": "assistant_message.content_part.text_delta", "content_index": 0, "delta": delta}
    return {"type": "thread.item.updated", "item_id": item, "update": update}


def added(item: str, text: str = "") -> dict[str, Any]:
    return {"type": "thread.item.added", "item": {"id": item, **assistant(text)}}


def done(item: str, text: str) -> dict[str, Any]:
    return {"type": "thread.item.done", "item": {"id": item, **assistant(text)}}


def scroller(page: Page) -> Locator:
    return page.get_by_role("region", name="Messages")


# While an answer is written


async def test_words_that_come_one_after_the_other_are_shown_together(page: Page, pages: Site):
    """Whatever is shown has the page laid out and painted: no more than twenty times a second."""
    second, third, end = (threading.Event() for _ in range(3))
    told = {"type": "client_effect", "name": "told", "data": {}}
    pages.script(
        "count",
        *(added("a", "one "), second, text_delta("a", "two "), told, third, text_delta("a", "three "), told),
        *(end, done("a", "one two three ")),
    )
    await page.clock.install()
    await page.goto("/")
    await say(page, "count")
    answer = messages(page).nth(1)
    await expect(answer).to_contain_text("one")
    listen = "addEventListener('chatkit.effect', () => resolve(true), {once: true})"
    waiting = f"() => {{ window.told = new Promise((resolve) => {CHAT}.{listen}); }}"
    await page.clock.pause_at(await page.evaluate("Date.now() + 1000"))
    await page.evaluate(waiting)
    second.set()
    assert await page.evaluate("window.told")
    await page.clock.run_for(20)
    # At once, since nothing was shown for a second.
    await expect(answer).to_contain_text("two")
    await page.evaluate(waiting)
    third.set()
    assert await page.evaluate("window.told")
    await page.clock.run_for(20)
    await expect(answer).not_to_contain_text("three")
    await page.clock.run_for(60)
    await expect(answer).to_contain_text("three")
    end.set()


# Several conversations


async def test_answer_goes_on_while_another_thread_is_shown(page: Page, pages: Site):
    other = pages.add_thread("Other", user("old"), assistant("old answer"))
    gate = threading.Event()
    pages.script(
        "count",
        added("a"),
        text_delta("a", "one "),
        gate,
        text_delta("a", "two "),
        0.2,
        done("a", "one two three"),
    )
    await page.goto("/")
    await say(page, "count")
    await expect(messages(page).nth(1)).to_contain_text("one")
    await page.evaluate(f"(id) => {CHAT}.setThreadId(id)", other)
    await expect(messages(page).nth(1)).to_contain_text("old answer")
    await page.evaluate(f"(id) => {CHAT}.setThreadId(id)", list(pages.threads)[-1])
    await expect(messages(page).first).to_contain_text("count")
    await expect(page.get_by_role("button", name="Stop answering")).to_be_visible()
    gate.set()
    await expect(messages(page).nth(1)).to_contain_text("one two three")
    assert [params for name, params, _ in pages.requests if name == "threads.get_by_id"] == [
        {"thread_id": other}
    ]


async def test_client_tool_of_a_thread_in_the_background_is_answered(page: Page, pages: Site):
    other = pages.add_thread("Other", user("old"))
    call = {"type": "client_tool_call", "status": "pending", "call_id": "c", "name": "where", "arguments": {}}
    gate = threading.Event()
    pages.script("look", gate, {"type": "thread.item.done", "item": call})
    await page.add_init_script(
        "window.chatkitConfigure = [(o) => { o.onClientTool = () => ({here: true}); }];"
    )
    await page.goto("/")
    await say(page, "look")
    await expect(page.get_by_role("button", name="Stop answering")).to_be_visible()
    await page.evaluate(f"(id) => {CHAT}.setThreadId(id)", other)
    await expect(messages(page)).to_have_text([re.compile("old")])
    gate.set()
    await eventually(lambda: "threads.add_client_tool_output" in pages.operations())
    assert pages.params_of("threads.add_client_tool_output")["result"] == {"here": True}
    await expect(messages(page)).to_have_count(1)


async def test_message_sent_by_code_during_an_answer_waits_for_its_end(page: Page, pages: Site):
    gate = threading.Event()
    pages.script("first", added("a"), gate, done("a", "first answer"))
    await page.goto("/")
    await say(page, "first")
    await expect(page.get_by_role("button", name="Stop answering")).to_be_visible()
    await page.evaluate(f"void {CHAT}.sendUserMessage({{text: 'second'}})")
    gate.set()
    await expect(messages(page)).to_have_count(4)
    await expect(messages(page).nth(1)).to_contain_text("first answer")
    await expect(messages(page).nth(2)).to_contain_text("second")


async def test_custom_action_is_sent_and_answered(page: Page, pages: Site):
    thread = pages.add_thread("T", user("hi"))
    pages.chats = [{"thread": thread}]
    pages.script("threads.custom_action", done("a", "acted"))
    await page.goto("/")
    await expect(messages(page)).to_have_count(1)
    await page.evaluate(f"{CHAT}.sendCustomAction({{type: 'go', payload: {{n: 1}}}}, 'item_9')")
    await expect(messages(page).nth(1)).to_contain_text("acted")
    assert pages.params_of("threads.custom_action") == {
        "thread_id": thread,
        "item_id": "item_9",
        "action": {"type": "go", "payload": {"n": 1}},
    }


# Stream events


async def test_items_are_replaced_and_removed(page: Page, pages: Site):
    pages.script(
        "change",
        done("a", "first"),
        done("b", "second"),
        {"type": "thread.item.replaced", "item": {"id": "a", **assistant("instead")}},
        {"type": "thread.item.removed", "item_id": "b"},
    )
    await page.goto("/")
    await say(page, "change")
    await expect(messages(page)).to_have_count(2)
    await expect(messages(page).nth(1)).to_contain_text("instead")


@pytest.mark.parametrize("level", ["info", "warning", "danger"])
async def test_notice_is_shown_in_its_level(page: Page, pages: Site, level: str):
    notice = {
        "type": "notice",
        "level": level,
        "title": "Mind",
        "message": "See [this](https://example.com/).",
    }
    pages.script("notice", notice)
    await page.goto("/")
    await say(page, "notice")
    shown = page.locator(f"openai-chatkit .notice[data-level={level}]")
    await expect(shown).to_contain_text("Mind")
    link = shown.get_by_role("link", name="this")
    await expect(link).to_have_attribute("href", "https://example.com/")
    # In the notice's own colour: that of other links is made for the page.
    colour = await shown.evaluate("(node) => getComputedStyle(node).color")
    await expect(link).to_have_css("color", colour)


async def test_progress_is_shown_with_its_icon(page: Page, pages: Site):
    pages.script(
        "wait", {"type": "progress_update", "text": "Searching", "icon": "search"}, 3, done("a", "found")
    )
    await page.goto("/")
    await say(page, "wait")
    progress = page.locator("openai-chatkit .progress")
    await expect(progress.get_by_text("Searching", exact=True)).to_be_visible()
    await expect(progress.locator("svg")).to_have_attribute("data-icon", "search")


async def test_events_that_make_no_sense_are_passed_over(page: Page, pages: Site):
    odd: list[Any] = [
        {"type": "thread.item.added", "item": None},
        {"type": "thread.item.added", "item": 7},
        {"type": "thread.item.updated", "item_id": "nobody", "update": None},
        {"type": "thread.updated", "thread": 7},
        {"type": "stream_options"},
        {"type": "client_effect"},
        {"type": "from_the_future", "item": {}},
        {"no": "type"},
        added("a"),
        {
            "type": "thread.item.updated",
            "item_id": "a",
            "update": {"type": "workflow.task.added", "task_index": 1e9},
        },
        {
            "type": "thread.item.updated",
            "item_id": "a",
            "update": {
                "type": "assistant_message.content_part.text_delta",
                "content_index": 4e9,
                "delta": "x",
            },
        },
        text_delta("a", "still here"),
    ]
    pages.script("odd", *odd)
    await page.goto("/")
    await say(page, "odd")
    await expect(messages(page).nth(1)).to_contain_text("still here")
    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_deeplink_is_told_to_the_page(page: Page, pages: Site):
    text = "[open](chatkit-link://order/open?id=7)"
    pages.chats = [{"thread": pages.add_thread("T", user("?"), assistant(text))}]
    await page.goto("/")
    await page.evaluate(
        f"{CHAT}.addEventListener('chatkit.deeplink', ({{detail}}) => {{ window.deeplink = detail; }})"
    )
    await messages(page).get_by_role("link", name="open").click()
    assert await page.evaluate("deeplink") == {"name": "order/open", "data": {"id": "7"}}


async def test_log_tells_what_was_done_but_not_what_was_said(page: Page, pages: Site):
    await page.add_init_script(
        """window.logs = [];
        document.addEventListener("chatkit.log", ({detail}) => logs.push(detail), true);"""
    )
    await page.goto("/")
    await say(page, "my secret")
    await expect(messages(page)).to_have_count(2)
    logs = await page.evaluate("logs")
    assert {"name": "message.send", "data": {"hasAttachments": False}} in logs
    assert "my secret" not in str(logs)


# Broken connections


def frames(*events: dict[str, Any]) -> str:
    return "".join(f"data: {json.dumps(event)}\n\n" for event in events)


async def serve_run(page: Page, answers: list[Any]) -> list[str]:
    """Answer the requests for a run's events, a status or a body each; returns the URLs that were asked."""
    asked: list[str] = []

    async def serve(route: Route) -> None:
        answer = answers[min(len(asked), len(answers) - 1)]
        asked.append(route.request.url)
        if answer == "abort":
            await route.abort()
        elif isinstance(answer, int):
            await route.fulfill(status=answer)
        else:
            await route.fulfill(
                content_type="text/event-stream", body=answer, headers={"X-ChatKit-Run": "run_1"}
            )

    await page.route("**/chatkit/runs/*/events", serve)
    return asked


BROKEN_FETCH = """() => {
    const real = window.fetch;
    window.fetch = async (input, init) => {
        const response = await real(input, init);
        const url = input instanceof Request ? input.url : String(input);
        if (!url.endsWith("/chatkit") || !response.headers.get("X-ChatKit-Run")) return response;
        const reader = response.body.getReader();
        const body = new ReadableStream({
            async pull(controller) {
                const {done, value} = await reader.read();
                if (done) controller.error(new TypeError("network")); else controller.enqueue(value);
            },
        });
        return new Response(body, {status: response.status, headers: response.headers});
    };
}"""


async def test_broken_connection_is_taken_up_again(page: Page, pages: Site):
    pages.script("count", added("a"), text_delta("a", "one "))
    again = frames(
        {"type": "thread.item.added", "item": pages.item("thr_1", **assistant("")) | {"id": "a"}},
        text_delta("a", "one "),
        text_delta("a", "two"),
    )
    asked = await serve_run(page, ["abort", again])
    await page.add_init_script(f"({BROKEN_FETCH})()")
    await page.goto("/")
    await say(page, "count")
    await expect(page.get_by_text("The connection was lost. Reconnecting…")).to_be_visible()
    await expect(messages(page).nth(1)).to_contain_text("one two")
    await expect(messages(page)).to_have_count(2)
    await expect(page.get_by_role("alert")).to_have_count(0)
    assert [url.rpartition("/chatkit/")[2] for url in asked] == ["runs/run_1/events", "runs/run_1/events"]


async def test_lost_answer_is_looked_for_at_once_when_the_reader_wants_it(page: Page, pages: Site):
    pages.script("count", added("a"), text_delta("a", "one "))
    item = pages.item("thr_1", **assistant("one two")) | {"id": "a"}
    asked = await serve_run(page, [frames({"type": "thread.item.done", "item": item})])
    await page.add_init_script(f"({BROKEN_FETCH})()")
    # A browser that takes itself for offline waits for a minute.
    await page.add_init_script("Object.defineProperty(navigator, 'onLine', {value: false})")
    await page.goto("/")
    await say(page, "count")
    await expect(page.get_by_text("The connection was lost. Reconnecting…")).to_be_visible()
    assert asked == []
    await page.get_by_role("button", name="Try now").click()
    await expect(messages(page).nth(1)).to_contain_text("one two")
    await expect(page.get_by_role("button", name="Try now")).to_be_hidden()


async def test_effect_is_told_once_when_an_answer_is_read_again(page: Page, pages: Site):
    effect = {"type": "client_effect", "name": "celebrate", "data": {}}
    pages.script("party", effect, added("a"))
    item = pages.item("thr_1", **assistant("fun")) | {"id": "a"}
    await serve_run(page, [frames(effect, {"type": "thread.item.done", "item": item}, effect)])
    await page.add_init_script(
        f"""({BROKEN_FETCH})(); window.effects = 0;
        document.addEventListener("chatkit.effect", () => {{ window.effects += 1; }}, true);"""
    )
    await page.goto("/")
    await say(page, "party")
    await expect(messages(page).nth(1)).to_contain_text("fun")
    await page.wait_for_function("effects === 2")


async def test_answer_that_can_not_be_followed_is_read_from_the_thread(page: Page, pages: Site):
    pages.script("count", done("a", "complete"), added("b", "cut"))
    await serve_run(page, [404])
    await page.add_init_script(f"({BROKEN_FETCH})()")
    await page.goto("/")
    await say(page, "count")
    await expect(messages(page)).to_have_count(2)
    await expect(messages(page).nth(1)).to_contain_text("complete")
    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_stop_while_reconnecting_ends_the_waiting(page: Page, pages: Site):
    pages.script(
        "count", {"type": "stream_options", "stream_options": {"allow_cancel": True}}, added("a", "one")
    )
    await serve_run(page, ["abort"])
    await page.add_init_script(f"({BROKEN_FETCH})()")
    await page.goto("/")
    await say(page, "count")
    await expect(page.get_by_text("Reconnecting")).to_be_visible()
    await page.get_by_role("button", name="Stop answering").click()
    await expect(page.get_by_role("button", name="Send message")).to_be_visible()
    await expect(messages(page).nth(1)).to_contain_text("one")


async def test_message_that_could_not_be_sent_is_sent_when_the_browser_is_online_again(
    page: Page, pages: Site
):
    await page.goto("/")
    await expect(box(page)).to_be_visible()
    await page.context.set_offline(True)
    await say(page, "hello")
    await expect(page.get_by_role("alert")).to_contain_text("The connection was lost.")
    await page.context.set_offline(False)
    await expect(messages(page).nth(1)).to_contain_text("You said: hello")
    assert pages.operations() == ["threads.create"]


async def test_message_that_failed_is_not_sent_after_its_chat_was_left(page: Page, pages: Site):
    await page.goto("/")
    await expect(box(page)).to_be_visible()
    await page.context.set_offline(True)
    await say(page, "left behind")
    await expect(page.get_by_role("alert")).to_contain_text("The connection was lost.")
    await page.evaluate(f"{CHAT}.setThreadId(null)")
    await page.context.set_offline(False)
    await say(page, "hello")
    await expect(messages(page).nth(1)).to_contain_text("You said: hello")
    assert [params["input"]["content"][0]["text"] for _, params, _ in pages.requests] == ["hello"]


async def test_action_that_could_not_be_sent_is_what_retry_sends(page: Page, pages: Site):
    pages.chats = [{"thread": pages.add_thread("T", user("hi"), assistant("hello"))}]
    pages.script("threads.custom_action", done("a", "acted"))
    await page.goto("/")
    await expect(messages(page)).to_have_count(2)
    await page.route("**/chatkit", lambda route: route.abort(), times=1)
    await page.evaluate(f"{CHAT}.sendCustomAction({{type: 'act'}})")
    await page.get_by_role("button", name="Retry").click()
    await expect(messages(page)).to_have_text(["Youhi", "Assistanthello", "Assistantacted"])
    assert pages.operations() == ["threads.get_by_id", "threads.custom_action"]


async def test_answer_that_was_cut_off_says_so_after_a_reload_and_can_be_had_again(page: Page, pages: Site):
    thread = pages.add_thread("T", user("hi"), assistant("so far"))
    pages.threads[thread]["answer"] = "cut"
    pages.chats = [{"thread": thread}]
    pages.script("threads.retry_after_item", done("a", "all of it"))
    await page.goto("/")
    await expect(page.get_by_text("The answer was interrupted. Please try again.")).to_be_visible()
    await expect(page.get_by_text("so far")).to_be_visible()
    # It is found there by who looks, and read out to nobody.
    await expect(page.get_by_role("alert")).to_have_count(0)
    await page.get_by_role("button", name="Retry").click()
    await expect(messages(page)).to_have_text(["Youhi", "Assistantall of it"])
    await expect(page.get_by_role("button", name="Retry")).to_be_hidden()


async def test_message_that_was_kept_and_never_answered_says_so_and_is_answered_when_wanted(
    page: Page, pages: Site
):
    thread = pages.add_thread("T", user("hi"), assistant("hello"), user("and now?"))
    pages.threads[thread]["answer"] = "kept"
    pages.chats = [{"thread": thread}]
    pages.script("threads.retry_after_item", done("a", "Here I am."))
    await page.goto("/")
    # On a phone the text stands beside its sign, in one line, and the button beneath it.
    await page.set_viewport_size({"width": 390, "height": 844})
    text = page.get_by_text("Not answered yet")
    await expect(text).to_be_visible()
    line = await text.evaluate("(node) => node.offsetHeight / parseFloat(getComputedStyle(node).lineHeight)")
    assert round(line) == 1
    await page.get_by_role("button", name="Let the assistant answer").click()
    await expect(messages(page)).to_have_text(
        ["Youhi", "Assistanthello", "Youand now?", "AssistantHere I am."]
    )
    await expect(page.get_by_text("Not answered yet")).to_be_hidden()


async def test_run_of_a_thread_in_the_background_is_not_remembered_for_another(page: Page, pages: Site):
    other = pages.add_thread("Other", user("old"))
    call = {"type": "client_tool_call", "status": "pending", "call_id": "c", "name": "where", "arguments": {}}
    gate = threading.Event()
    pages.script("look", gate, {"type": "thread.item.done", "item": call})
    pages.chats = [{"persist": True}]
    await page.add_init_script(
        "window.chatkitConfigure = [(o) => { o.onClientTool = () => ({here: true}); }];"
    )
    await page.goto("/")
    await say(page, "look")
    await expect(page.get_by_role("button", name="Stop answering")).to_be_visible()
    async with page.expect_response(lambda r: "tool_output" in (r.request.post_data or "")) as answered:
        await page.evaluate(f"(id) => {CHAT}.setThreadId(id)", other)
        await expect(messages(page)).to_have_text([re.compile("old")])
        gate.set()
    await (await answered.value).finished()
    stored = "(name) => sessionStorage.getItem(`chatkit:/chatkit:${name}`)"
    assert await page.evaluate(stored, "thread") == other
    assert await page.evaluate(stored, "run") is None


async def test_message_that_could_not_be_sent_stays_when_a_later_one_is(page: Page, pages: Site):
    pages.chats = [{"thread": pages.add_thread("T", user("first"))}]
    await page.goto("/")
    await expect(messages(page)).to_have_count(1)
    await page.route("**/chatkit", lambda route: route.abort())
    await say(page, "lost")
    await expect(messages(page).nth(1)).to_have_text("YoulostNot sent")
    await page.unroute("**/chatkit")
    await say(page, "second")
    await expect(messages(page).last).to_contain_text("You said: second")
    await expect(messages(page).nth(1)).to_have_text("YoulostNot sent")


async def test_thread_that_could_not_be_loaded_takes_no_message_elsewhere(page: Page, pages: Site):
    pages.chats = [{"thread": pages.add_thread("T", user("first"))}]
    await page.route("**/chatkit", lambda route: route.abort())
    await page.goto("/")
    await expect(page.get_by_role("alert")).to_be_visible()
    await box(page).fill("where does this go?")
    await box(page).press("Enter")
    await expect(box(page)).to_have_value("where does this go?")
    await page.unroute("**/chatkit")
    await page.get_by_role("button", name="Retry").click()
    await expect(messages(page)).to_have_count(1)
    await box(page).press("Enter")
    await expect(messages(page)).to_have_count(3)
    assert pages.operations()[-1] == "threads.add_user_message"


# Long threads


@pytest.fixture
def long_thread(pages: Site) -> str:
    pages.page_size = 100
    items = [kind(f"line {number}") for number in range(150) for kind in (user, assistant)]
    thread = pages.add_thread("Long", *items)
    pages.chats = [{"thread": thread}]
    return thread


async def test_long_thread_opens_at_its_end_with_one_page(page: Page, pages: Site, long_thread: str):
    await page.goto("/")
    await expect(messages(page).last).to_be_in_viewport()
    await expect(messages(page).last).to_contain_text("line 149")
    await expect(messages(page)).to_have_count(100)
    assert pages.operations() == ["threads.get_by_id", "items.list"]


async def test_scrolling_up_loads_older_items_and_keeps_the_place(page: Page, pages: Site, long_thread: str):
    await page.goto("/")
    await expect(messages(page)).to_have_count(100)
    marked = messages(page).filter(has_text="line 105").first
    await marked.evaluate("(node) => node.scrollIntoView({block: 'start'})")
    before = await marked.bounding_box()
    await expect(messages(page)).to_have_count(200)
    await page.wait_for_timeout(200)
    after = await marked.bounding_box()
    assert abs(after["y"] - before["y"]) < 3
    for _ in range(10):
        await scroller(page).evaluate("(node) => node.scrollTo(0, 0)")
        await page.wait_for_timeout(100)
    await expect(messages(page)).to_have_count(300)
    await expect(messages(page).first).to_contain_text("line 0")


async def test_fetch_updates_keeps_the_older_items(page: Page, pages: Site, long_thread: str):
    await page.goto("/")
    await expect(messages(page)).to_have_count(100)
    await scroller(page).evaluate("(node) => node.scrollTo(0, 0)")
    await expect(messages(page)).to_have_count(200)
    pages.threads[long_thread]["items"].append(pages.item(long_thread, **assistant("the newest")))
    await page.evaluate(f"{CHAT}.fetchUpdates()")
    await expect(messages(page)).to_have_count(201)
    await expect(messages(page).last).to_contain_text("the newest")


# Scrolling


LONG = "\n\n".join(f"paragraph {number}" for number in range(60))


@pytest.mark.parametrize(("auto_scroll", "in_sight"), [(True, True), (False, False)])
async def test_auto_scroll_follows_an_answer_only_when_it_is_wanted(
    page: Page, pages: Site, auto_scroll: bool, in_sight: bool
):
    pages.chats = [{"options": {"thread": {"autoScroll": auto_scroll}}}]
    pages.script("much", added("a"), 0.3, text_delta("a", LONG), 0.3, done("a", LONG))
    await page.goto("/")
    await say(page, "much")
    last = page.get_by_text("paragraph 59", exact=True)
    await expect(last).to_have_count(1)
    await expect(page.get_by_role("button", name="Send message")).to_be_visible()
    if in_sight:
        await expect(last).to_be_in_viewport()
    else:
        await expect(last).not_to_be_in_viewport()
        # What it answers is still in sight above it.
        await expect(messages(page).first).to_be_in_viewport(ratio=1)
        await page.get_by_role("button", name="Jump to the latest message").click()
        await expect(last).to_be_in_viewport()


async def test_each_answer_on_the_ready_page_comes_in_sight(page: Page, pages: Site):
    """Also those that come when the conversation fills the window already, and that to a long question."""
    await page.set_viewport_size({"width": 800, "height": 500})
    await page.goto("/ready")
    for question in ["one", "two", "three", LONG, "five"]:
        name = f"a{len(pages.operations())}"
        text = f"begin {name}\n\nmiddle\n\nend {name}"
        pages.script(question, added(name), text_delta(name, text), done(name, text))
        await say(page, question)
        await expect(page.get_by_text(f"begin {name}", exact=True)).to_be_in_viewport(ratio=1)
        await expect(page.get_by_text(f"end {name}", exact=True)).to_be_in_viewport(ratio=1)


async def test_reader_who_has_scrolled_up_is_left_there(page: Page, pages: Site):
    items = [kind(LONG) for kind in (user, assistant)]
    pages.chats = [{"thread": pages.add_thread("T", *items), "options": {"thread": {"autoScroll": True}}}]
    gate = threading.Event()
    pages.script("more", added("b"), gate, text_delta("b", LONG), 0.3, done("b", LONG))
    await page.goto("/")
    await expect(messages(page)).to_have_count(2)
    await say(page, "more")
    await expect(messages(page)).to_have_count(4)
    await scroller(page).evaluate("(node) => node.scrollTo(0, 100)")
    gate.set()
    await expect(page.get_by_role("button", name="Send message")).to_be_visible()
    assert await scroller(page).evaluate("(node) => node.scrollTop") == 100


async def test_older_items_that_fail_are_not_asked_for_with_every_scroll(
    page: Page, pages: Site, long_thread: str
):
    await page.add_init_script(
        """window.errors = 0;
        document.addEventListener("chatkit.error", () => (window.errors += 1), true);"""
    )
    await page.goto("/")
    await expect(messages(page).last).to_be_in_viewport()
    await page.route("**/chatkit", lambda route: route.abort())
    for top in [0, 30, 0, 30, 0]:
        await scroller(page).evaluate("(node, top) => node.scrollTo(0, top)", top)
        await page.wait_for_timeout(100)
    assert await page.evaluate("errors") == 1


# To be read only


async def test_readonly_element_shows_the_thread_and_takes_no_message(page: Page, pages: Site):
    pages.chats = [{"thread": pages.add_thread("T", user("hi"), assistant("hello"))}]
    await page.add_init_script(
        "new MutationObserver(() => document.querySelector('openai-chatkit')?.setAttribute('readonly', ''))"
        ".observe(document, {childList: true, subtree: true});"
    )
    await page.goto("/")
    await expect(messages(page)).to_have_count(2)
    await expect(box(page)).to_be_hidden()
    await expect(page.get_by_role("button", name="Show conversations")).to_be_hidden()


async def test_readonly_element_shows_what_users_do_not_see(page: Page, pages: Site):
    call = {"type": "client_tool_call", "status": "completed", "call_id": "c", "name": "locate"}
    call |= {"arguments": {"city": "Paris"}, "output": "found"}
    hidden = {"type": "hidden_context_item", "content": "The user is <b>premium</b>."}
    thread = pages.add_thread("T", hidden, call, {"type": "end_of_turn"})
    pages.chats = [{"thread": thread}]
    await page.goto("/")
    await expect(messages(page)).to_have_count(0)
    await page.locator("openai-chatkit").evaluate("(node) => node.setAttribute('readonly', '')")
    await page.evaluate(f"{CHAT}.setOptions({{api: {{url: '/chatkit'}}}}); {CHAT}.setThreadId('{thread}')")
    await expect(messages(page)).to_have_text(
        [
            re.compile(r"Hidden context.*The user is <b>premium</b>\.", re.S),
            re.compile("locate.*Paris.*found", re.S),
            "",
        ]
    )


async def test_readonly_that_is_set_later_closes_the_composer_and_shows_what_users_do_not_see(
    page: Page, pages: Site
):
    hidden = {"type": "hidden_context_item", "content": "The user is premium."}
    pages.chats = [{"thread": pages.add_thread("T", user("hi"), hidden)}]
    await page.goto("/")
    await expect(messages(page)).to_have_count(1)
    await page.evaluate(f"{CHAT}.setAttribute('readonly', '')")
    await expect(messages(page)).to_have_count(2)
    await expect(box(page)).to_be_hidden()


async def test_readonly_that_is_taken_away_lets_users_write_again(page: Page, pages: Site):
    hidden = {"type": "hidden_context_item", "content": "The user is premium."}
    pages.chats = [{"thread": pages.add_thread("T", user("hi"), hidden)}]
    await page.goto("/")
    await page.evaluate(f"{CHAT}.setAttribute('readonly', '')")
    await expect(messages(page)).to_have_count(2)
    await page.evaluate(f"{CHAT}.removeAttribute('readonly')")
    await expect(messages(page)).to_have_count(1)
    await expect(box(page)).to_be_visible()


async def test_readonly_element_has_a_slot_for_what_the_page_says_of_an_item(page: Page, pages: Site):
    thread = pages.add_thread("T", user("hi"))
    pages.chats = [{"thread": thread}]
    await page.goto("/")
    await page.evaluate(
        f"""() => {{
          {CHAT}.setAttribute("readonly", "");
          {CHAT}.append(Object.assign(document.createElement("p"), {{slot: "item-item_2", textContent: "Of hi"}}));
          {CHAT}.setOptions({{api: {{url: "/chatkit"}}}});
          return {CHAT}.setThreadId("{thread}");
        }}"""
    )
    await expect(page.get_by_text("Of hi")).to_be_visible()
    beside = await page.evaluate("() => document.querySelector('[slot]').assignedSlot.parentNode.innerText")
    assert "hi" in beside


async def test_readonly_element_sends_nothing_from_its_start_screen(page: Page, pages: Site):
    screen = {"prompts": [{"label": "Ask this", "prompt": "hello"}]}
    pages.chats = [{"options": {"startScreen": screen}}]
    await page.goto("/")
    await page.locator("openai-chatkit").evaluate("(node) => node.setAttribute('readonly', '')")
    await page.evaluate(f"{CHAT}.setOptions({{api: {{url: '/chatkit'}}, startScreen: {json.dumps(screen)}}})")
    await page.get_by_role("button", name="Ask this").click()
    await page.evaluate(f"{CHAT}.sendUserMessage({{text: 'hello'}})")
    assert pages.operations() == []
    await expect(messages(page)).to_have_count(0)


# Taken from the page


async def shown_length(page: Page) -> int:
    return await page.evaluate("chat.shadowRoot.textContent.length")


async def test_element_that_is_removed_reads_no_further_and_stops_nothing(page: Page, pages: Site):
    await page.goto("/")
    await say(page, "slow")
    await expect(messages(page).nth(1)).to_contain_text("word")
    await page.evaluate(f"() => {{ window.chat = {CHAT}; chat.remove(); }}")
    await page.wait_for_timeout(300)
    length = await shown_length(page)
    await page.wait_for_timeout(1_000)
    assert await shown_length(page) == length
    assert pages.operations() == ["threads.create"]


async def test_element_that_is_moved_reads_on(page: Page, pages: Site):
    pages.script("count", added("a"), text_delta("a", "one "), 1.0, done("a", "one two"))
    await page.goto("/")
    await say(page, "count")
    await expect(messages(page).nth(1)).to_contain_text("one")
    await page.evaluate(f"document.body.append({CHAT})")
    await expect(messages(page).nth(1)).to_contain_text("one two")
    assert pages.operations() == ["threads.create"]


async def test_element_that_comes_back_goes_on_with_its_answer(
    page: Page, pages: Site, settings, transactional_db: None
):
    settings.ROOT_URLCONF = "tests.browser.real_site"
    settings.CHATKIT = {"CLIENT": "bundled", "SERVER": "tests.browser.real_site.SlowServer"}
    await page.goto("/")
    await say(page, "count")
    await expect(messages(page).nth(1)).to_contain_text("1 2 3")
    await page.evaluate(f"() => {{ window.chat = {CHAT}; chat.remove(); }}")
    await page.wait_for_timeout(500)
    await page.evaluate("document.body.append(chat)")
    await expect(messages(page).nth(1)).to_contain_text("58 59 60")
    await expect(page.get_by_role("button", name="Stop answering")).to_have_count(0)
