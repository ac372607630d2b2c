"""How fast the bundled element is: long answers, long threads. ``python -m tests.benchmarks.element``.

Prints one line for each case, or for those that are named (``"one list"``, ``thread``).
Figures of different machines, or of a machine that is busy, do not compare.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import django
from django.conf import settings
from playwright.async_api import Browser, CDPSession, Page, async_playwright

SHAPES: dict[str, Callable[[int], str]] = {
    "paragraphs": lambda number: "\n\n" if number % 60 == 59 else f"word{number} ",
    "one paragraph": lambda number: f"word{number} ",
    "one list": lambda number: f"\n- item {number} " if number % 8 == 0 else "word ",
    "one code block": lambda number: (
        ("```py\n" if number == 0 else "") + (f"x = {number}\n" if number % 5 == 0 else "x ")
    ),
    "one table": lambda number: (
        ("| a | b |\n|---|---|\n" if number == 0 else "")
        + {0: f"| row {number} ", 6: "| **b** |\n"}.get(number % 7, "word ")
    ),
    "bold and links": lambda number: f"**bold {number}** [link](https://example.com/{number}) `code` ",
}
TOKENS_PER_SECOND = 200

FRAMES = """() => {
    window.frames = []; let last = performance.now();
    const tick = (now) => { frames.push(now - last); last = now; requestAnimationFrame(tick); };
    requestAnimationFrame(tick);
    window.longTasks = [];
    new PerformanceObserver((list) => longTasks.push(...list.getEntries().map((e) => e.duration)))
        .observe({type: "longtask"});
}"""


def delta(text: str) -> dict[str, Any]:
    update = {"type": "assistant_message.content_part.text_delta", "content_index": 0, "delta": text}
    return {"type": "thread.item.updated", "item_id": "answer", "update": update}


async def events(shape: Callable[[int], str], count: int) -> AsyncIterator[dict[str, Any]]:
    thread = {"id": "thr", "title": "T", "created_at": "2025-01-01T00:00:00Z", "status": {"type": "active"}}
    yield {"type": "thread.created", "thread": thread | {"items": {"data": [], "has_more": False}}}
    content = [{"type": "output_text", "text": "", "annotations": []}]
    item = {"id": "answer", "thread_id": "thr", "created_at": "2025-01-01T00:00:00Z", "content": content}
    yield {"type": "thread.item.added", "item": item | {"type": "assistant_message"}}
    started = asyncio.get_running_loop().time()
    for number in range(count):
        yield delta(shape(number))
        ahead = started + number / TOKENS_PER_SECOND - asyncio.get_running_loop().time()
        if ahead > 0.002:
            await asyncio.sleep(ahead)


async def metrics(client: CDPSession) -> dict[str, float]:
    found = await client.send("Performance.getMetrics")
    return {metric["name"]: metric["value"] for metric in found["metrics"]}


async def open_page(browser: Browser, url: str) -> tuple[Page, CDPSession]:
    page = await browser.new_page(viewport={"width": 900, "height": 700})
    await page.goto(url)
    await page.get_by_role("textbox").wait_for()
    client = await page.context.new_cdp_session(page)
    await client.send("Performance.enable")
    return page, client


async def measure_answer(browser: Browser, url: str, name: str, count: int) -> None:
    from django.http import StreamingHttpResponse

    from tests.browser import site

    async def frames() -> AsyncIterator[bytes]:
        async for event in events(SHAPES[name], count):
            yield b"data: " + json.dumps(event).encode() + b"\n\n"

    async def stream(operation: str, params: dict[str, Any]) -> StreamingHttpResponse:
        return StreamingHttpResponse(frames(), content_type="text/event-stream")

    site._stream = stream
    page, client = await open_page(browser, url)
    await page.evaluate(FRAMES)
    before = await metrics(client)
    await page.get_by_role("textbox").fill("go")
    await page.get_by_role("textbox").press("Enter")
    seconds = count / TOKENS_PER_SECOND
    done = "() => document.querySelector('openai-chatkit').shadowRoot.querySelector('.items')?.children.length >= 2"
    await page.wait_for_function(done)
    idle = "() => !document.querySelector('openai-chatkit').shadowRoot.querySelector('[aria-busy]')"
    await page.wait_for_function(idle, timeout=(seconds + 60) * 1000)
    after = await metrics(client)
    spent = {
        key: round((after[key] - before[key]) * 1000)
        for key in ("ScriptDuration", "LayoutDuration", "TaskDuration")
    }
    longest = await page.evaluate("Math.max(0, ...longTasks)")
    frame = await page.evaluate("Math.max(...frames.slice(5))")
    length = await page.evaluate(
        "document.querySelector('openai-chatkit').shadowRoot.querySelector('.items').innerText.length"
    )
    print(
        f"{name}, {count} tokens ({length} characters): script {spent['ScriptDuration']} ms, "
        f"layout {spent['LayoutDuration']} ms, all tasks {spent['TaskDuration']} ms, "
        f"longest task {longest:.0f} ms, longest frame {frame:.0f} ms",
        flush=True,
    )
    await page.close()


async def measure_thread(browser: Browser, url: str, count: int) -> None:
    from tests.browser.site import assistant, site, user

    text = (
        "Some **bold** text with `code`, a [link](https://example.com) and a list:\n\n- one\n- two\n- three"
    )
    items = [kind(text) for _ in range(count // 2) for kind in (user, assistant)]
    thread = site.add_thread("Long", *items)
    site.page_size = 100
    page, _client = await open_page(browser, url)
    await page.evaluate(FRAMES)
    opened = await page.evaluate(
        """async (thread) => {
            const chat = document.querySelector("openai-chatkit");
            const start = performance.now();
            await chat.setThreadId(thread);
            await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
            return performance.now() - start;
        }""",
        thread,
    )
    scrolled = await page.evaluate(
        """async (count) => {
            const root = document.querySelector("openai-chatkit").shadowRoot;
            const scroller = root.querySelector(".scroller");
            const items = root.querySelector(".items");
            const start = performance.now();
            frames.length = 0; longTasks.length = 0;
            while (items.children.length < count && performance.now() - start < 120000) {
                scroller.scrollBy(0, -400);
                await new Promise(requestAnimationFrame);
            }
            const sorted = [...frames].sort((a, b) => a - b);
            return {
                items: items.children.length,
                seconds: (performance.now() - start) / 1000,
                median: sorted[sorted.length >> 1],
                p95: sorted[Math.floor(sorted.length * 0.95)],
                longest: Math.max(0, ...longTasks),
            };
        }""",
        count,
    )
    print(
        f"thread of {count} items: opened in {opened:.0f} ms; scrolled up to {scrolled['items']} items in "
        f"{scrolled['seconds']:.0f} s, frames {scrolled['median']:.0f} ms (p95 {scrolled['p95']:.0f}), "
        f"longest task {scrolled['longest']:.0f} ms",
        flush=True,
    )
    await page.close()


async def main() -> None:
    import uvicorn
    from django.core.asgi import get_asgi_application

    from tests.browser.conftest import ARGUMENTS, find_chromium, serve_static

    path = find_chromium()
    if path is None:
        sys.exit("Chromium is not installed: apt-get install chromium-headless-shell, or set CHROMIUM.")

    settings.ROOT_URLCONF = "tests.browser.site"
    settings.CHATKIT = {"CLIENT": "bundled", "OPTIONS": {"thread": {"autoScroll": True}}}
    config = uvicorn.Config(
        serve_static(get_asgi_application()), port=8799, log_level="critical", ws="none", lifespan="off"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        url = "http://localhost:8799/"
        chosen = sys.argv[1:] or [*SHAPES, "thread"]
        for name in chosen:
            if name == "thread":
                await measure_thread(browser, url, 5_000)
                continue
            for count in (2_500, 10_000):
                await measure_answer(browser, url, name, count)
        await browser.close()
    server.should_exit = True
    await serving


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    asyncio.run(main())
