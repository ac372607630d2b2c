"""A message whose sender cannot know whether it was stored: it is stored once, and stands on the page once."""

from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from chatkit_app.models import Run, Thread, ThreadItem
from chatkit_app.runs.registry import live_runs
from tests.chat import rows_become

from .conftest import serve_official
from .test_element import messages
from .test_live import begin, in_database, live_site
from .waiting import say

__all__ = ["live_site"]

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

# What becomes of the next message, once: "before" and "after" it is stored the connection is cut; of "ended" the page
# hears what a server says that is told to end, and of "interrupted" too, whose answer is lost; "gateway" is a proxy's
# word for a server that has died, and "restarting" that of a server that takes nothing more.
CUT = """
const ask = window.fetch;
window.fetch = async (input, init) => {
  const request = new Request(input, init);
  const body = request.method === "POST" ? await request.clone().text() : "";
  if (!/"threads\\.(create|add_user_message)"/.test(body)) return ask(request);
  const stage = window.stage;
  window.stage = null;
  if (stage === "before") throw new TypeError("cut");
  if (stage === "restarting") return new Response("{}", { status: 503 });
  const response = await ask(request);
  if (!stage) return response;
  await response.text();
  if (stage === "after") throw new TypeError("cut");
  if (stage === "interrupted") await window.interrupt();
  if (stage === "gateway") return new Response("", { status: 502 });
  const error = { type: "error", code: "custom", message: "Interrupted.", allow_retry: true };
  return new Response(`data: ${JSON.stringify(error)}\\n\\n`, response);
};
"""

HELLO, ANSWER = "Youhello", "AssistantHello to you."


@pytest_asyncio.fixture(params=["first", "later"], loop_scope="package")
async def turns(request: Any, live_site: None, page: Page, server_url: str) -> list[str]:
    """What the page shows of the turn before, if there was one. The page's connection can be cut."""
    await page.add_init_script(CUT)
    if request.param == "later":
        await begin(page, server_url)
        return [HELLO, ANSWER]
    await page.goto(f"{server_url}/")
    return []


async def say_while(page: Page, stage: str) -> None:
    await page.evaluate("(stage) => { window.stage = stage; }", stage)
    await say(page, "hello")


async def retry(page: Page) -> None:
    await page.get_by_role("button", name="Retry").click()


async def expect_stored(texts: list[str]) -> None:
    def stored() -> list[str]:
        return list(ThreadItem.objects.visible().order_by("pk").values_list("text", flat=True))

    assert await in_database(stored) == texts
    assert await in_database(Thread.objects.count) == 1


def stored_of(turns: list[str]) -> list[str]:
    return ["hello", "Hello to you."] * (len(turns) // 2)


async def test_message_cut_off_before_it_was_stored_is_stored_by_retry(turns: list[str], page: Page):
    await say_while(page, "before")
    await expect(messages(page)).to_have_text([*turns, f"{HELLO}Not sent"])
    await retry(page)
    await expect(messages(page)).to_have_text([*turns, HELLO, ANSWER])
    await expect_stored(stored_of([*turns, HELLO, ANSWER]))


@pytest.mark.parametrize("stage", ["after", "ended", "gateway"])
async def test_message_cut_off_after_it_was_stored_is_not_stored_again(
    turns: list[str], page: Page, stage: str
):
    await say_while(page, stage)
    # A page that has the thread already is told of the answer, and wants nobody to press anything.
    if not turns:
        await retry(page)
    await expect(messages(page)).to_have_text([*turns, HELLO, ANSWER])
    await expect(page.get_by_role("alert")).to_be_hidden()
    await expect_stored(stored_of([*turns, HELLO, ANSWER]))
    await page.reload()
    await expect_stored(stored_of([*turns, HELLO, ANSWER]))


async def test_retry_of_a_stored_message_whose_answer_was_interrupted_has_it_answered(
    turns: list[str], page: Page
):
    def interrupt() -> None:
        live_runs.clear()
        run = Run.objects.latest("pk")
        run.items.exclude(type="user_message").delete()
        Run.objects.filter(pk=run.pk).update(status="lost", failure="interrupted", delivered=True)

    await page.expose_function("interrupt", lambda: in_database(interrupt))
    await say_while(page, "interrupted")
    await expect(page.get_by_role("alert")).to_contain_text("Interrupted.")
    await expect(messages(page)).to_have_count(len(turns) + 1)
    await retry(page)
    again = Run.objects.filter(operation="threads.retry_after_item", status="completed")
    await rows_become(again.exists)
    await expect(messages(page)).to_have_text([*turns, HELLO, ANSWER])
    await expect(page.get_by_role("alert")).to_be_hidden()
    await expect_stored(stored_of([*turns, HELLO, ANSWER]))


async def test_message_that_seemed_lost_becomes_one_with_what_the_changes_bring(
    live_site: None, page: Page, server_url: str
):
    await page.add_init_script(CUT)
    await begin(page, server_url)
    await say_while(page, "after")
    await expect(messages(page)).to_have_text([HELLO, ANSWER, HELLO, ANSWER])
    await expect(page.get_by_text("Not sent")).to_be_hidden()


async def test_message_that_seemed_lost_becomes_one_with_what_is_loaded(turns: list[str], page: Page):
    await say_while(page, "ended")
    await expect(page.get_by_role("alert")).to_be_visible()
    if not turns:
        thread_id = await in_database(lambda: Thread.objects.get().public_id)
        chat = "document.querySelector('openai-chatkit')"
        await page.evaluate(f"(id) => {chat}.setThreadId(id)", thread_id)
    await page.evaluate("document.querySelector('openai-chatkit').fetchUpdates()")
    await expect(messages(page)).to_have_text([*turns, HELLO, ANSWER])


async def test_message_is_sent_again_by_itself_to_a_server_that_comes_back(turns: list[str], page: Page):
    await say_while(page, "restarting")
    await expect(messages(page)).to_have_text([*turns, HELLO, ANSWER])
    await expect_stored(stored_of([*turns, HELLO, ANSWER]))


async def test_official_client_that_sends_a_message_again_has_it_stored_once(
    live_site: None, page: Page, server_url: str, settings: Any
):
    settings.CHATKIT |= {"CLIENT": "openai", "SCRIPT_URL": "https://cdn.example/chatkit.js"}
    await serve_official(page)
    await page.add_init_script(CUT)
    await page.goto(f"{server_url}/")
    await page.wait_for_function("document.querySelector('openai-chatkit')?.options")
    send = """async () => {
      const { fetch, url } = document.querySelector("openai-chatkit").options.api;
      const input = { content: [{ type: "input_text", text: "hello" }], attachments: [], inference_options: {} };
      const headers = { "Content-Type": "application/json", "chatkit-frame-instance-id": "frame" };
      const body = JSON.stringify({ type: "threads.create", params: { input } });
      const response = await fetch(url, { method: "POST", headers, body });
      return [response.status, (await response.text()).includes("Hello to you.")];
    }"""
    await page.evaluate("window.stage = 'gateway'")
    assert await page.evaluate(send) == [502, False]
    assert await page.evaluate(send) == [200, True]
    await expect_stored(["hello", "Hello to you."])
    # The same words on purpose.
    assert await page.evaluate(send) == [200, True]
    assert await in_database(Thread.objects.count) == 2
