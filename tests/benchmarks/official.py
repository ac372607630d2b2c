"""What a page costs while an answer is written, beside OpenAI's client: ``python -m tests.benchmarks.official``.

``CHATKIT_OFFICIAL`` names the folder with the files of OpenAI's client, as for ``tests/official``. Both get the same
answer, from the same server at the same time, so that a machine that is busy is so for both. Prints the seconds of CPU
that the renderers of each took. Arguments: how many tokens (10,000), and clients (``bundled openai``).
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from playwright.async_api import Browser, Locator, Page, async_playwright

from .element import TOKENS_PER_SECOND, delta

PORT = 8798
SECTION = (
    "## Part {number}\n\nHere is **what matters** about part {number}, and `code` in a sentence of some length that"
    " goes on for about as long as sentences do, with [a link](https://example.com/{number}) near its end."
    " Another sentence follows, which says a little more of the same and then comes to its end.\n\n"
    "- a first point of part {number}\n- a second one, *in other words*\n- a third that is longer than the others\n\n"
    "```python\ndef part_{number}(value):\n    return value + {number}\n```\n\n"
    "A last paragraph closes the part, so that the next can begin after it without any haste at all.\n\n"
)


def words_of(count: int) -> list[str]:
    """Return the pieces of an answer as people get them: text, lists, code."""
    found: list[str] = []
    number = 0
    while len(found) < count:
        number += 1
        found += [f"{word} " for word in SECTION.format(number=number).split(" ")]
    return found[:count]


async def answer(count: int) -> AsyncIterator[dict[str, Any]]:
    from tests.browser.site import _metadata, assistant, site, user

    thread = site.threads[site.add_thread("T")]
    yield {"type": "thread.created", "thread": _metadata(thread)}
    yield {"type": "thread.item.done", "item": site.item(thread["id"], **user("go"))}
    item = site.item(thread["id"], **assistant("")) | {"id": "answer"}
    yield {"type": "thread.item.added", "item": item}
    started = asyncio.get_running_loop().time()
    words = words_of(count)
    for number, word in enumerate(words):
        yield delta(word)
        ahead = started + number / TOKENS_PER_SECOND - asyncio.get_running_loop().time()
        if ahead > 0.002:
            await asyncio.sleep(ahead)
    item["content"][0]["text"] = "".join(words)
    yield {"type": "thread.item.done", "item": item}


async def renderer_seconds(browser: Browser) -> float:
    """Return the CPU time that all renderers have taken."""
    client = await browser.new_browser_cdp_session()
    processes = (await client.send("SystemInfo.getProcessInfo"))["processInfo"]
    await client.detach()
    return sum(float(process["cpuTime"]) for process in processes if process["type"] == "renderer")


async def open_page(browser: Browser, client: str) -> tuple[Page, Locator]:
    from tests.official.conftest import HOST, files_of

    settings.CHATKIT = {"CLIENT": client}
    page = await browser.new_page(viewport={"width": 900, "height": 700})
    await page.route(f"{HOST}/**", files_of(Path(os.environ.get("CHATKIT_OFFICIAL", "."))))
    await page.goto(f"http://localhost:{PORT}/")
    chat = page if client == "bundled" else page.frame_locator("openai-chatkit iframe")
    box = chat.get_by_role("textbox").last
    await box.wait_for()
    await asyncio.sleep(3)
    return page, box


async def measure(browsers: dict[str, Browser], count: int) -> dict[str, float]:
    from django.http import StreamingHttpResponse

    from tests.browser import site as pages

    ended = asyncio.Semaphore(0)

    async def frames() -> AsyncIterator[bytes]:
        async for event in answer(count):
            yield b"data: " + json.dumps(event).encode() + b"\n\n"
        ended.release()

    async def stream(operation: str, params: dict[str, Any]) -> StreamingHttpResponse:
        return StreamingHttpResponse(frames(), content_type="text/event-stream")

    pages._stream = stream
    boxes = [(await open_page(browser, client))[1] for client, browser in browsers.items()]
    before = {client: await renderer_seconds(browser) for client, browser in browsers.items()}
    for box in boxes:
        await box.fill("go")
        await box.press("Enter")
    for _ in boxes:
        await ended.acquire()
    await asyncio.sleep(3)
    return {client: await renderer_seconds(browser) - before[client] for client, browser in browsers.items()}


async def main() -> None:
    import uvicorn
    from django.core.asgi import get_asgi_application

    from tests.browser.conftest import ARGUMENTS, find_chromium, serve_static

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    clients = sys.argv[2:] or ["bundled", "openai"]
    settings.ROOT_URLCONF = "tests.browser.site"
    application = serve_static(get_asgi_application())
    server = uvicorn.Server(
        uvicorn.Config(application, port=PORT, log_level="critical", ws="websockets-sansio", lifespan="off")
    )
    serving = asyncio.create_task(server.serve())
    async with async_playwright() as playwright:
        launch = playwright.chromium.launch
        browsers = {
            client: await launch(executable_path=find_chromium(), args=ARGUMENTS) for client in clients
        }
        spent = await measure(browsers, count)
        for client, seconds in spent.items():
            print(f"{client}, {count} tokens at {TOKENS_PER_SECOND}/s: {seconds:.1f} s of CPU", flush=True)
        if len(spent) == 2:
            print(f"{spent['bundled'] / spent['openai']:.2f} ×", flush=True)
        for browser in browsers.values():
            await browser.close()
    server.should_exit = True
    await serving


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    asyncio.run(main())
