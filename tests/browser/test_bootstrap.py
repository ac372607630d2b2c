"""The bootstrap module: what it does for whichever client the page has."""

import asyncio
import itertools
import re
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from .conftest import serve_official
from .site import Site, assistant, user
from .waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

CHAT = "document.querySelector('openai-chatkit')"
READY = f"() => {CHAT}.options"


async def open_official(page: Page) -> None:
    await page.goto("/")
    await page.wait_for_function(READY)


async def send(page: Page, text: str) -> None:
    """Send, and do not wait for the answer."""
    await page.evaluate(f"(text) => void {CHAT}.send(text)", text)


def headers_of(site: Site, operation: str) -> dict[str, str]:
    return next(headers for name, _, headers in site.requests if name == operation)


# Options


async def test_options_are_given_to_the_official_client(official: Page, pages: Site):
    pages.chats = [{"options": {"theme": "dark", "api": {"uploadStrategy": {"type": "two_phase"}}}}]
    await open_official(official)
    options = await official.evaluate(f"JSON.parse(JSON.stringify({CHAT}.options))")
    assert options == {
        "theme": "dark",
        "locale": "en",
        "api": {"domainKey": "local-dev", "url": "/chatkit", "uploadStrategy": {"type": "two_phase"}},
    }


async def test_configure_before_the_module_changes_the_options(official: Page):
    await official.add_init_script(
        "(window.chatkitConfigure ??= []).push((options) => { options.frameTitle = 'Early'; });"
    )
    await open_official(official)
    assert await official.evaluate(f"{CHAT}.options.frameTitle") == "Early"
    assert await official.evaluate(f"{CHAT}.calls") == ["setOptions"]


async def test_configure_after_the_module_sets_the_options_again(official: Page):
    await open_official(official)
    await official.evaluate(
        "(window.chatkitConfigure ??= []).push((options) => { options.onClientTool = () => ({done: true}); })"
    )
    assert await official.evaluate(f"{CHAT}.options.onClientTool()") == {"done": True}
    assert await official.evaluate(f"{CHAT}.options.api.url") == "/chatkit"
    assert await official.evaluate(f"{CHAT}.calls") == ["setOptions", "setOptions"]


async def test_configure_is_called_once_for_each_chat(official: Page, pages: Site):
    pages.chats = [{"id": "one"}, {"id": "two"}]
    await official.add_init_script(
        "window.seen = []; (window.chatkitConfigure ??= []).push((_, element) => { seen.push(element.id); });"
    )
    await open_official(official)
    await official.evaluate("chatkitConfigure.push((_, element) => { seen.push(`late ${element.id}`); })")
    assert await official.evaluate("seen") == ["one", "two", "late one", "late two"]


async def test_configure_that_fails_leaves_the_chat_working(official: Page):
    await official.add_init_script(
        "window.chatkitConfigure = [() => { throw new Error('mine'); }, (o) => { o.frameTitle = 'Second'; }];"
    )
    await open_official(official)
    assert await official.evaluate(f"{CHAT}.options.frameTitle") == "Second"


async def test_place_of_the_chat_shows_its_outline_while_the_scripts_are_on_their_way(page: Page):
    come = asyncio.Event()

    async def hold(route: Route) -> None:
        await come.wait()
        await route.continue_()

    outline = f"""() => {{
        const chat = {CHAT};
        const style = getComputedStyle(chat, "::after");
        const {{ width, height }} = chat.getBoundingClientRect();
        return [style.content, style.borderTopWidth, width, height];
    }}"""
    await page.route("**/element/index*.js", hold)
    await page.goto("/", wait_until="commit")
    await page.wait_for_selector("openai-chatkit[data-chatkit=started]", state="attached")
    content, border, *size = await page.evaluate(outline)
    assert (content, border) == ('""', "1px")
    come.set()
    await expect(page.get_by_role("textbox")).to_be_visible()
    content, _, *size_after = await page.evaluate(outline)
    assert (content, size_after) == ("none", size)


async def test_outline_of_the_chat_gives_way_to_what_says_that_it_does_not_come(page: Page):
    await page.route("**/element/index*.js", lambda route: route.abort())
    await page.goto("/")
    await expect(page.locator("openai-chatkit > .chatkit-unavailable")).to_be_visible()
    assert await page.evaluate(f"getComputedStyle({CHAT}, '::after').content") == "none"


async def test_chat_that_comes_later_is_started(page: Page):
    await page.goto("/")
    await expect(page.get_by_role("textbox")).to_have_count(1)
    await page.evaluate(
        f"""() => {{
            const copy = {CHAT}.cloneNode(true);
            copy.dataset.chatkit = "";
            document.body.append(copy);
        }}"""
    )
    await expect(page.get_by_role("textbox")).to_have_count(2)


# Options that the official client refuses


async def given_options(page: Page) -> dict[str, Any]:
    """The options that the official client has taken."""
    await open_official(page)
    return await page.evaluate(f"JSON.parse(JSON.stringify({CHAT}.options))")


async def test_option_that_the_client_does_not_know_is_left_out_and_named(
    official: Page, pages: Site, settings
):
    settings.CHATKIT = settings.CHATKIT | {"CLIENT": "auto"}
    pages.chats = [{"options": {"commands": {"enabled": True}, "frameTitle": "Kept"}}]
    said: list[str] = []
    official.on("console", lambda message: said.append(message.text) if message.type == "warning" else None)
    options = await given_options(official)
    assert options == {
        "frameTitle": "Kept",
        "locale": "en",
        "api": {"domainKey": "local-dev", "url": "/chatkit"},
    }
    assert [text.split(" Error")[0] for text in said] == [
        "The chat's client refuses these options and is used without them: commands."
    ]


async def test_refusal_that_names_no_option_leaves_what_a_chat_needs(official: Page, pages: Site):
    pages.chats = [{"options": {"composer": {"attachments": {"enabled": True}}}}]
    assert await given_options(official) == {
        "locale": "en",
        "api": {"domainKey": "local-dev", "url": "/chatkit"},
    }


async def test_refusal_of_what_a_chat_needs_is_shown_in_the_element_s_place(official: Page):
    await official.add_init_script("window.chatkitConfigure = [(options) => { options.api = {}; }];")
    await official.goto("/")
    await expect(official.get_by_role("alert")).to_have_text(
        "The chat could not be loaded. Reload the page to try again."
    )


async def test_option_that_is_refused_later_keeps_no_other_from_being_set(
    official: Page, page_errors: list[str]
):
    await open_official(official)
    await official.evaluate("chatkitConfigure.push((o) => { o.frameTitle = 'Late'; o.ghost = 1; })")
    await official.wait_for_function(f"() => {CHAT}.options.frameTitle === 'Late'")
    assert await official.evaluate(f"'ghost' in {CHAT}.options") is False
    # The client's own, which nothing can catch.
    await eventually(lambda: page_errors)
    assert page_errors.pop() == 'chatKit.setOptions():\n✖ Unrecognized key: "ghost"'


async def test_word_of_a_refusal_from_elsewhere_changes_nothing(official: Page, pages: Site):
    pages.chats = [{"options": {"frameTitle": "Kept"}}]
    await open_official(official)
    await official.evaluate(
        """() => {
            const error = new Error('chatKit.setOptions():\\n✖ Unrecognized key: "frameTitle"');
            dispatchEvent(new MessageEvent("message", {data: {error}, origin: "https://elsewhere.example"}));
            chatkitConfigure.push(() => {});
        }"""
    )
    assert await official.evaluate(f"{CHAT}.options.frameTitle") == "Kept"


async def test_configure_is_called_for_the_element_that_takes_a_refused_one_s_place(
    official: Page, pages: Site
):
    pages.chats = [{"id": "mine", "options": {"commands": {"enabled": True}}}]
    await official.add_init_script(
        """window.heard = [];
        window.chatkitConfigure = [(_, element) => {
            element.addEventListener("chatkit.thread.change", ({detail}) => heard.push(detail.threadId));
        }];"""
    )
    await open_official(official)
    assert await official.evaluate(f"{CHAT}.id") == "mine"
    await official.evaluate(f"{CHAT}.send('hello')")
    assert await official.evaluate("heard") == ["thr_1"]


# Fetch


async def test_fetch_adds_csrf_token_and_locale_for_the_endpoint(
    official: Page, pages: Site, server_url: str
):
    language = {"name": "django_language", "value": "pt-br", "url": server_url}
    await official.context.add_cookies([language])
    await open_official(official)
    assert await official.evaluate(f"{CHAT}.options.locale") == "pt-BR"
    await send(official, "hello")
    await eventually(lambda: "threads.create" in pages.operations())
    headers = headers_of(pages, "threads.create")
    cookies = {cookie["name"]: cookie["value"] for cookie in await official.context.cookies()}
    assert headers["X-Csrftoken"] == cookies["csrftoken"]
    assert headers["X-Chatkit-Locale"] == "pt-br"
    assert headers["Chatkit-Frame-Instance-Id"] == "frame_1"
    assert headers["Content-Type"] == "application/json"


async def test_fetch_sends_the_cookie_of_a_login_in_another_tab(official: Page, pages: Site, server_url: str):
    await open_official(official)
    await official.context.add_cookies([{"name": "csrftoken", "value": "fresh", "url": server_url}])
    await send(official, "hello")
    await eventually(lambda: "threads.create" in pages.operations())
    assert headers_of(pages, "threads.create")["X-Csrftoken"] == "fresh"


async def test_fetch_without_a_readable_cookie_sends_the_page_s_token(official: Page, pages: Site, settings):
    settings.CSRF_COOKIE_HTTPONLY = True
    await open_official(official)
    await send(official, "hello")
    await eventually(lambda: "threads.create" in pages.operations())
    assert len(headers_of(pages, "threads.create")["X-Csrftoken"]) == 64


async def test_fetch_adds_the_token_for_uploads_to_the_site(official: Page, pages: Site):
    await open_official(official)
    await official.evaluate(f"{CHAT}.options.api.fetch('/upload', {{method: 'POST', body: new FormData()}})")
    assert "X-Csrftoken" in headers_of(pages, "upload")


@pytest.mark.parametrize("argument", ["url", "new URL(url)", "new Request(url, init)"])
async def test_fetch_leaves_other_hosts_alone(official: Page, argument: str):
    seen: list[dict[str, str]] = []

    async def bucket(route: Route) -> None:
        seen.append(await route.request.all_headers())
        await route.fulfill(headers={"Access-Control-Allow-Origin": "*"}, body="{}")

    await official.route("https://bucket.example/**", bucket)
    await open_official(official)
    await official.evaluate(
        f"""() => {{
            const url = "https://bucket.example/file";
            const init = {{method: "POST", body: "bytes"}};
            return {CHAT}.options.api.fetch({argument}, init);
        }}"""
    )
    assert [name for name in seen[0] if "csrf" in name or "chatkit" in name or name == "cookie"] == []


TWO_AT_ONCE = f"""async () => {{
    const ask = async (type, params) => {{
        const init = {{method: "POST", body: JSON.stringify({{type, params}})}};
        return (await {CHAT}.options.api.fetch("/chatkit", init)).text();
    }};
    const content = [{{type: "input_text", text: "hello"}}];
    const message = {{input: {{content, attachments: [], inference_options: {{}}}}}};
    await ask("threads.list", {{}});
    await Promise.all([ask("threads.create", message), ask("threads.create", message)]);
    return JSON.parse(await ask("threads.list", {{}})).data.length;
}}"""
"""Sends two first messages at once, and tells how many conversations the visitor has then."""


async def test_fetch_makes_a_new_visitor_s_first_requests_one_visitor_s(
    official: Page, settings, transactional_db: None
):
    settings.ROOT_URLCONF = "tests.browser.real_site"
    settings.CHATKIT = settings.CHATKIT | {"SERVER": "tests.browser.real_site.SlowServer"}
    await open_official(official)
    assert await official.evaluate(TWO_AT_ONCE) == 2


async def test_fetch_makes_one_visitor_again_after_a_logout_in_another_tab(
    official: Page, settings, transactional_db: None
):
    settings.ROOT_URLCONF = "tests.browser.real_site"
    settings.CHATKIT = settings.CHATKIT | {"SERVER": "tests.browser.real_site.SlowServer"}
    await open_official(official)
    assert await official.evaluate(TWO_AT_ONCE) == 2
    await official.context.clear_cookies(name="sessionid")
    assert await official.evaluate(TWO_AT_ONCE) == 2


async def test_fetch_sends_again_what_named_a_session_that_has_ended(
    official: Page, settings, transactional_db: None
):
    settings.ROOT_URLCONF = "tests.browser.real_site"
    settings.CHATKIT = settings.CHATKIT | {"SERVER": "tests.browser.real_site.SlowServer"}
    await open_official(official)
    await official.context.add_cookies(
        [{"name": "sessionid", "value": "x" * 32, "url": official.url, "httpOnly": True}]
    )
    assert await official.evaluate(TWO_AT_ONCE) == 2


async def test_fetch_keeps_a_seed_only_until_the_visitor_is_known(
    official: Page, settings, transactional_db: None
):
    settings.ROOT_URLCONF = "tests.browser.real_site"
    settings.CHATKIT = settings.CHATKIT | {"SERVER": "tests.browser.real_site.SlowServer"}
    sent: list[str] = []

    async def note(route: Route) -> None:
        sent.append((await route.request.all_headers()).get("cookie", ""))
        await route.continue_()

    await official.route("**/chatkit", note)
    await open_official(official)
    await official.evaluate(TWO_AT_ONCE)
    seeds = [re.findall("chatkit_first=([0-9a-f]{32})(?:;|$)", cookies) for cookies in sent]
    assert [len(found) for found in seeds] == [1, 1, 1, 1]
    assert seeds[:3] == [seeds[0], seeds[0], seeds[0]]
    assert seeds[3] != seeds[0]
    assert "chatkit_first" not in {cookie["name"] for cookie in await official.context.cookies()}


# Stop and reload


async def test_stop_is_posted_when_the_page_stays(official: Page, pages: Site):
    await open_official(official)
    await send(official, "slow")
    await official.wait_for_function(f"() => {CHAT}.text.includes('word')")
    await official.evaluate(f"{CHAT}.stop()")
    await eventually(lambda: "stop" in pages.operations())
    assert pages.requests[-1][1] == {"run": "run_1"}
    assert "X-Csrftoken" in headers_of(pages, "stop")
    assert "AbortError" in await official.evaluate(f"{CHAT}.calls")


async def test_stop_before_the_response_s_headers_waits_for_the_run(official: Page, pages: Site):
    await open_official(official)
    await send(official, "late headers")
    await eventually(lambda: "threads.create" in pages.operations())
    await official.evaluate(f"{CHAT}.stop()")
    await official.wait_for_function(f"() => {CHAT}.calls.includes('AbortError')")
    await eventually(lambda: "stop" in pages.operations())
    assert pages.requests[-1][1] == {"run": "run_1"}


async def test_reload_stops_nothing(official: Page, pages: Site):
    await open_official(official)
    await send(official, "slow")
    await official.wait_for_function(f"() => {CHAT}.text.includes('word')")
    await official.reload()
    await official.wait_for_function(READY)
    await official.wait_for_timeout(600)
    assert "stop" not in pages.operations()


async def test_reload_of_a_page_that_is_slow_to_answer_stops_nothing(official: Page, pages: Site):
    await open_official(official)
    await send(official, "slow")
    await official.wait_for_function(f"() => {CHAT}.text.includes('word')")
    pages.page_delay = 1.0
    await official.reload()
    assert "stop" not in pages.operations()


async def test_end_of_an_answer_stops_nothing(official: Page, pages: Site):
    await open_official(official)
    await official.evaluate(f"{CHAT}.send('hello')")
    assert await official.evaluate(f"{CHAT}.controller.signal.aborted")
    await official.wait_for_timeout(600)
    assert pages.operations() == ["threads.create"]


async def test_connection_that_breaks_stops_nothing(official: Page, pages: Site):
    await open_official(official)
    await official.evaluate(f"{CHAT}.send('break')")
    assert await official.evaluate(f"{CHAT}.calls") == ["setOptions", "TypeError"]
    await official.wait_for_timeout(600)
    assert pages.operations() == ["threads.create"]


async def test_abort_for_a_reason_of_its_own_stops_nothing(official: Page, pages: Site):
    await open_official(official)
    failure = await official.evaluate(
        f"""async () => {{
            const content = [{{type: "input_text", text: "slow"}}];
            const body = JSON.stringify({{type: "threads.create", params: {{input: {{content}}}}}});
            const init = {{method: "POST", body, signal: AbortSignal.timeout(500)}};
            const response = await {CHAT}.options.api.fetch("/chatkit", init);
            const read = () => response.body.pipeTo(new WritableStream());
            return read().catch((error) => error.name);
        }}"""
    )
    assert failure == "TimeoutError"
    await official.wait_for_timeout(600)
    assert pages.operations() == ["threads.create"]


# Remembering


async def test_persist_opens_the_thread_again_after_a_reload(official: Page, pages: Site):
    pages.chats = [{"persist": True}]
    await open_official(official)
    assert await official.evaluate(f"{CHAT}.initialThread") is None
    await send(official, "hello")
    await official.wait_for_function(f"() => {CHAT}.text.includes('item.done')")
    await official.reload()
    await official.wait_for_function(READY)
    assert await official.evaluate(f"{CHAT}.initialThread") == "thr_1"


async def test_without_persist_a_reload_begins_anew(official: Page, pages: Site):
    await open_official(official)
    await send(official, "hello")
    await official.wait_for_function(f"() => {CHAT}.text.includes('item.done')")
    await official.reload()
    await official.wait_for_function(READY)
    assert await official.evaluate(f"{CHAT}.initialThread") is None


async def test_persist_gives_way_to_the_page_s_own_thread(official: Page, pages: Site):
    theirs = pages.add_thread("Named by the page", user("hi"), assistant("hello"))
    pages.chats = [{"persist": True, "thread": theirs}]
    await official.add_init_script("sessionStorage.setItem('chatkit:/chatkit:thread', 'thr_remembered')")
    await open_official(official)
    assert await official.evaluate(f"{CHAT}.initialThread") == theirs


async def test_persist_of_a_thread_that_is_gone_falls_back_to_a_new_one(official: Page, pages: Site):
    pages.chats = [{"persist": True}]
    await official.goto("/missing.js")
    await official.evaluate("sessionStorage.setItem('chatkit:/chatkit:thread', 'thr_gone')")
    await open_official(official)
    await official.wait_for_function(f"() => {CHAT}.calls.includes('setThreadId null')")
    assert await official.evaluate("sessionStorage.getItem('chatkit:/chatkit:thread')") is None


async def test_reload_in_mid_answer_tells_the_client_of_its_end(official: Page, pages: Site):
    pages.chats = [{"persist": True}]
    await open_official(official)
    await send(official, "slow")
    await official.wait_for_function(f"() => {CHAT}.text.includes('word')")
    await official.reload()
    await official.wait_for_function(f"() => {CHAT}.calls?.includes('fetchUpdates')")
    assert ("events", {"run": "run_1"}) in [request[:2] for request in pages.requests]


def answer_grows(pages: Site) -> None:
    """The thread is read in the middle of its answer at first, and whole from then on."""
    whole = itertools.chain(["half of it"], itertools.repeat("all of it"))
    pages.replies["threads.get_by_id"] = lambda params: {"id": params["thread_id"], "title": next(whole)}


async def begin_answer(official: Page, pages: Site, *, persist: bool | str = True) -> None:
    """A page that remembers its thread is in the middle of an answer."""
    pages.chats = [{"persist": persist}]
    answer_grows(pages)
    await open_official(official)
    await send(official, "slow")
    await official.wait_for_function(f"() => {CHAT}.text.includes('word')")


def shows(title: str) -> str:
    return f"() => {CHAT}.shown?.title === '{title}'"


async def test_answer_that_ends_soon_after_a_reload_is_shown_whole(official: Page, pages: Site):
    await begin_answer(official, pages)
    await official.reload()
    await official.wait_for_function(shows("all of it"))


async def test_answer_that_ends_while_another_thread_is_looked_at_is_shown_on_return(
    official: Page, pages: Site
):
    await begin_answer(official, pages)
    await official.reload()
    await official.wait_for_function(shows("half of it"))
    thread = await official.evaluate(f"{CHAT}.thread")
    await official.evaluate(f"{CHAT}.setThreadId(null)")
    await official.wait_for_timeout(2_000)
    assert pages.operations().count("threads.get_by_id") == 1
    await official.evaluate(f"(thread) => {CHAT}.setThreadId(thread)", thread)
    await official.wait_for_function(shows("all of it"))


async def test_answer_that_ends_behind_another_thread_is_shown_on_return(official: Page, pages: Site):
    """The other thread is looked at before the answer's end is known."""
    await begin_answer(official, pages)
    is_left = asyncio.Event()

    async def hold(route: Route) -> None:
        await is_left.wait()
        await route.continue_()

    await official.route("**/runs/*/events", hold)
    await official.reload()
    await official.wait_for_function(shows("half of it"))
    thread = await official.evaluate(f"{CHAT}.thread")
    async with official.expect_response("**/runs/*/events") as told:
        await official.evaluate(f"{CHAT}.setThreadId(null)")
        is_left.set()
    await (await told.value).finished()
    await official.evaluate(f"(thread) => {CHAT}.setThreadId(thread)", thread)
    await official.wait_for_function(shows("all of it"))


async def test_answer_of_another_tab_is_shown_whole(official: Page, pages: Site):
    await begin_answer(official, pages, persist="local")
    other = await official.context.new_page()
    await serve_official(other)
    await open_official(other)
    await other.wait_for_function(shows("all of it"))


async def test_page_from_the_browser_s_cache_shows_what_came_meanwhile(official: Page, pages: Site):
    thread = pages.add_thread("Named by the page")
    pages.chats = [{"thread": thread}]
    answer_grows(pages)
    await open_official(official)
    await official.wait_for_function(shows("half of it"))
    await official.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    await official.wait_for_function(shows("all of it"))


async def test_page_that_is_shown_at_first_asks_once(official: Page, pages: Site):
    thread = pages.add_thread("Named by the page")
    pages.chats = [{"thread": thread}]
    await open_official(official)
    await official.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: false}))")
    assert await official.evaluate(f"{CHAT}.calls") == ["setOptions"]


# Loading


async def test_auto_takes_the_official_client_when_it_loads(official: Page, settings):
    settings.CHATKIT = settings.CHATKIT | {"CLIENT": "auto"}
    await open_official(official)
    assert await official.evaluate(f"{CHAT}.calls") == ["setOptions"]


async def test_auto_takes_the_bundled_element_when_the_script_is_missing(page: Page, settings):
    settings.CHATKIT = {"CLIENT": "auto", "SCRIPT_URL": "/missing.js"}
    await page.goto("/")
    await expect(page.get_by_role("textbox", name="Message the AI")).to_be_visible()


async def test_auto_takes_the_bundled_element_when_the_host_cannot_be_reached(page: Page, settings):
    settings.CHATKIT = {"CLIENT": "auto"}
    await page.goto("/")
    await expect(page.get_by_role("textbox", name="Message the AI")).to_be_visible()


async def test_auto_survives_an_official_script_that_comes_too_late(
    page: Page, settings, monkeypatch, page_errors
):
    settings.CHATKIT = {"CLIENT": "auto", "SCRIPT_URL": "/hanging.js"}
    monkeypatch.setattr("chatkit_app.rendering.element.SCRIPT_TIMEOUT", 0.2)
    await page.goto("/", wait_until="commit")
    await eventually(lambda: page_errors)
    assert "already been used" in page_errors.pop()
    await page.get_by_role("textbox").fill("hello")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("You said: hello", exact=True)).to_be_visible()


async def test_openai_without_its_script_says_so_in_the_element_s_place(page: Page, settings):
    settings.CHATKIT = {"CLIENT": "openai", "SCRIPT_URL": "/missing.js"}
    await page.goto("/")
    await expect(page.get_by_role("alert")).to_have_text(
        "The chat could not be loaded. Reload the page to try again."
    )


async def test_openai_without_its_script_names_the_way_out_in_the_console(page: Page, settings):
    settings.CHATKIT = {"CLIENT": "openai", "SCRIPT_URL": "/missing.js"}
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    await page.goto("/")
    await expect(page.get_by_role("alert")).to_be_visible()
    assert [text for text in told if 'CHATKIT["CLIENT"] = "bundled" or "auto" does without it.' in text]


async def test_openai_without_its_script_names_the_way_out_to_developers(page: Page, settings):
    settings.CHATKIT = {"CLIENT": "openai", "SCRIPT_URL": "/missing.js"}
    settings.DEBUG = True
    await page.goto("/")
    cause = page.get_by_role("alert").locator("p[lang=en]")
    await expect(cause).to_contain_text("The script /missing.js could not be loaded.")
    await expect(cause).to_contain_text('CHATKIT["CLIENT"] = "bundled" or "auto" does without it.')


UNAVAILABLE = "The chat could not be loaded. Reload the page to try again."
STRICT = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'"
WAIT_TEN_SECONDS = (
    "() => document.getAnimations().forEach((animation) => { animation.currentTime = 10_001; })"
)


@pytest.mark.parametrize("client", ["bundled", "openai", "auto"])
async def test_without_static_files_the_page_says_so_at_once(page: Page, pages: Site, settings, client: str):
    settings.CHATKIT = {"CLIENT": client}
    pages.csp = STRICT
    await page.route("**/static/**", lambda route: route.fulfill(status=404))
    await page.goto("/")
    await expect(page.get_by_role("alert")).to_have_text(UNAVAILABLE)


async def test_without_static_files_developers_are_told_what_to_do(page: Page, settings):
    settings.DEBUG = True
    await page.route("**/static/**", lambda route: route.fulfill(status=404))
    await page.goto("/")
    await expect(page.get_by_role("alert")).to_contain_text("static files are not served")
    address = await page.get_by_role("alert").get_by_role("link").get_attribute("href")
    assert re.fullmatch(r"/static/chatkit_app/[0-9a-f]{16}/bootstrap\.js", address)


@pytest.mark.usefixtures("modules")
@pytest.mark.parametrize("file", ["bootstrap.js", "fetch.js"])
@pytest.mark.parametrize(
    "answer",
    [
        {"status": 404},
        {"content_type": "text/javascript", "body": "const broken"},
        {"content_type": "text/html"},
    ],
    ids=["missing", "broken", "a page"],
)
async def test_script_that_does_not_run_is_told_after_a_while(
    page: Page, pages: Site, page_errors: list[str], file: str, answer: dict[str, Any]
):
    pages.csp = STRICT
    await page.route(f"**/{file}", lambda route: route.fulfill(**answer))
    await page.goto("/")
    # The element is there by now, with nothing to show.
    await page.wait_for_function("() => customElements.get('openai-chatkit')")
    await expect(page.get_by_text(UNAVAILABLE)).to_be_hidden()
    await page.evaluate(WAIT_TEN_SECONDS)
    await expect(page.get_by_text(UNAVAILABLE)).to_be_visible()
    page_errors.clear()


async def test_script_that_the_policy_blocks_is_told_after_a_while(page: Page, pages: Site):
    pages.csp = "default-src 'none'; style-src 'self'"
    await page.goto("/")
    await expect(page.get_by_text(UNAVAILABLE)).to_be_hidden()
    await page.evaluate(WAIT_TEN_SECONDS)
    await expect(page.get_by_text(UNAVAILABLE)).to_be_visible()


async def test_chat_that_runs_leaves_nothing_of_that(page: Page):
    await page.goto("/")
    await expect(page.get_by_role("textbox")).to_be_visible()
    await expect(page.get_by_text(UNAVAILABLE)).to_have_count(0)


async def test_chat_that_cannot_be_started_says_so(page: Page):
    await page.add_init_script(
        """window.chatkitConfigure = [(options) => {
            Object.defineProperty(options, "theme", {enumerable: true, get() { throw new Error("mine"); }});
        }];"""
    )
    await page.goto("/")
    await expect(page.get_by_text(UNAVAILABLE)).to_be_visible()


async def test_official_script_gets_the_page_s_nonce(official: Page, pages: Site):
    pages.nonce = "abc123"
    pages.csp = "default-src 'self'; script-src 'nonce-abc123' 'strict-dynamic'"
    await open_official(official)
    assert await official.evaluate(f"{CHAT}.calls") == ["setOptions"]


async def test_without_javascript_the_page_says_what_is_missing(browser, server_url, pages: Site):
    context = await browser.new_context(base_url=server_url, java_script_enabled=False)
    page = await context.new_page()
    await page.goto("/")
    await expect(page.locator("noscript")).to_be_visible()
    assert await page.locator("noscript").inner_text() == "The chat needs JavaScript."
    await context.close()
