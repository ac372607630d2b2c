"""What a page costs while an answer is written, beside OpenAI's client: ``python -m tests.benchmarks.official``.

``CHATKIT_OFFICIAL`` names the folder with the files of OpenAI's client, as for ``tests/official``. Each gets the same
answer, from the same server, in a browser of its own, one after the other, until what is shown no longer grows. Prints
for each the seconds of CPU that its renderers took, in how many sixtieths of a second the page has changed on the way,
and the CPU of one such change: a client that is short of CPU shows less often what has come, and would seem to take
less. Figures of a busy machine do not compare. Arguments: how many tokens (10,000), and clients (``bundled openai``).
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
from playwright.async_api import Browser, Frame, Locator, async_playwright

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


# Counting must cost next to nothing: no frames are asked for, and nothing is read.
COUNT_CHANGES = """() => {
    const root = document.querySelector("openai-chatkit")?.shadowRoot ?? document.body;
    const frames = new Set();
    const count = () => frames.add(Math.floor(performance.now() * 60 / 1000));
    new MutationObserver(count).observe(root, {subtree: true, childList: true, characterData: true});
    window.changes = () => frames.size;
    window.text = () => (root.querySelector(".items") ?? root).innerText;
}"""


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


async def open_page(browser: Browser, client: str) -> tuple[Frame, Locator]:
    from tests.official.conftest import HOST, files_of

    settings.CHATKIT = {"CLIENT": client}
    page = await browser.new_page(viewport={"width": 900, "height": 700})
    await page.route(f"{HOST}/**", files_of(Path(os.environ.get("CHATKIT_OFFICIAL", "."))))
    await page.goto(f"http://localhost:{PORT}/")
    chat = page if client == "bundled" else page.frame_locator("openai-chatkit iframe")
    box = chat.get_by_role("textbox").last
    await box.wait_for()
    frame = await (await box.element_handle()).owner_frame()
    assert frame is not None
    await asyncio.sleep(3)
    return frame, box


async def measure(browser: Browser, client: str, count: int) -> dict[str, float]:
    from django.http import StreamingHttpResponse

    from tests.browser import site as pages

    async def frames() -> AsyncIterator[bytes]:
        async for event in answer(count):
            yield b"data: " + json.dumps(event).encode() + b"\n\n"

    async def stream(operation: str, params: dict[str, Any]) -> StreamingHttpResponse:
        return StreamingHttpResponse(frames(), content_type="text/event-stream")

    pages._stream = stream
    frame, box = await open_page(browser, client)
    await frame.evaluate(COUNT_CHANGES)
    before = await renderer_seconds(browser)
    await box.fill("go")
    await box.press("Enter")
    await asyncio.sleep(count / TOKENS_PER_SECOND)
    # What comes last may be the half of a word in bold: what is shown no longer grows.
    shown, length = -1, 0
    while shown != length:
        await asyncio.sleep(3)
        shown, length = length, await frame.evaluate("() => text().length")
    seconds = await renderer_seconds(browser) - before
    changes = await frame.evaluate("() => changes()")
    return {
        "seconds": seconds,
        "changes": changes,
        "ms_per_change": 1000 * seconds / changes,
        "characters": length,
    }


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
        found: dict[str, dict[str, float]] = {}
        for client in clients:
            browser = await playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
            figures = found[client] = await measure(browser, client, count)
            await browser.close()
            print(
                f"{client}, {count} tokens at {TOKENS_PER_SECOND}/s: {figures['seconds']:.1f} s of CPU, "
                f"{figures['changes']:.0f} changes of the page, {figures['ms_per_change']:.1f} ms for each, "
                f"{figures['characters']:.0f} characters shown",
                flush=True,
            )
        if len(found) == 2:
            ours, theirs = found["bundled"], found["openai"]
            for name in ("seconds", "ms_per_change"):
                print(f"{name}: {ours[name] / theirs[name]:.2f} ×", flush=True)
    server.should_exit = True
    await serving


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    asyncio.run(main())
