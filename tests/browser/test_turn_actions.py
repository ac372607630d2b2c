"""What can be done with an answer: copy, rate, answer again, quote."""

from typing import Any

import pytest
from django.http import JsonResponse
from playwright.async_api import Locator, Page, expect

from .site import Site, assistant, user
from .test_items import open_thread, task, workflow

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

ALL = {"feedback": True, "retry": True}


def last(page: Page) -> Locator:
    return page.locator("openai-chatkit .item").last


async def pressed(page: Page) -> list[str | None]:
    names = ("Good answer", "Bad answer")
    buttons = [last(page).get_by_role("button", name=name) for name in names]
    return [await button.get_attribute("aria-pressed") for button in buttons]


async def select(page: Page, text: str) -> None:
    """Select with the pointer what is written in an element of this text."""
    box = await page.get_by_text(text, exact=True).bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    await page.mouse.move(box["x"] + 1, middle)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] + 20, middle, steps=4)
    await page.mouse.up()


async def test_answer_is_copied_as_it_was_written(page: Page, pages: Site):
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    widget = {"type": "widget", "widget": {"type": "Card", "children": []}, "copy_text": "A card"}
    tasks = workflow(task("Looked"))
    await open_thread(page, pages, user("When?"), tasks, assistant("In **May**."), widget)
    await last(page).get_by_role("button", name="Copy").click()
    await expect(page.get_by_role("status").filter(has_text="Copied")).to_have_count(1)
    assert await page.evaluate("navigator.clipboard.readText()") == "In **May**.\n\nA card"


async def test_answer_is_copied_on_a_page_without_a_clipboard(page: Page, pages: Site):
    await page.add_init_script(
        """Object.defineProperty(navigator, "clipboard", {value: undefined});
        document.addEventListener("copy", () => (window.copied = document.activeElement.value));"""
    )
    await open_thread(page, pages, user("When?"), assistant("In **May**."))
    await page.get_by_role("button", name="Copy").click()
    await expect(page.get_by_role("status").filter(has_text="Copied")).to_have_count(1)
    assert await page.evaluate("copied") == "In **May**."


async def test_feedback_is_sent_for_all_items_of_the_answer(page: Page, pages: Site):
    pages.replies["items.feedback"] = lambda params: {}
    await open_thread(
        page, pages, user("When?"), workflow(task("Looked")), assistant("In May."), threadItemActions=ALL
    )
    await last(page).get_by_role("button", name="Bad answer").click()
    await expect(page.get_by_role("status").filter(has_text="Thank you for your feedback.")).to_have_count(1)
    params = pages.params_of("items.feedback")
    assert (params["item_ids"], params["kind"]) == (["item_3", "item_4"], "negative")
    assert await pressed(page) == ["false", "true"]


async def test_feedback_that_is_refused_is_taken_back(page: Page, pages: Site):
    pages.replies["items.feedback"] = lambda params: JsonResponse({"message": "No."}, status=400)
    await open_thread(page, pages, user("When?"), assistant("In May."), threadItemActions=ALL)
    await last(page).get_by_role("button", name="Good answer").click()
    await expect(page.get_by_role("status").filter(has_text="could not be sent")).to_have_count(1)
    assert await pressed(page) == ["false", "false"]


async def test_feedback_is_still_there_after_a_reload(page: Page, pages: Site):
    rated: dict[str, Any] = assistant("In May.") | {"feedback": "positive"}
    await open_thread(page, pages, user("When?"), rated, threadItemActions=ALL)
    assert await pressed(page) == ["true", "false"]


async def test_answer_can_be_asked_for_again(page: Page, pages: Site):
    pages.script("threads.retry_after_item", {"type": "thread.item.done", "item": assistant("In June.")})
    await open_thread(
        page, pages, user("When?"), workflow(task("Looked")), assistant("In May."), threadItemActions=ALL
    )
    await last(page).get_by_role("button", name="Answer again").click()
    await expect(page.get_by_text("In June.", exact=True)).to_be_visible()
    assert pages.params_of("threads.retry_after_item")["item_id"] == "item_2"


async def test_answer_stays_when_another_one_is_refused(page: Page, pages: Site):
    refusal = {
        "type": "error",
        "code": "custom",
        "message": "A person has written since.",
        "allow_retry": False,
    }
    pages.script("threads.retry_after_item", refusal)
    await open_thread(page, pages, user("When?"), assistant("In May."), threadItemActions=ALL)
    await last(page).get_by_role("button", name="Answer again").click()
    await expect(page.get_by_role("alert").filter(visible=True)).to_contain_text(
        "A person has written since."
    )
    await expect(page.get_by_text("In May.", exact=True)).to_be_visible()


async def test_what_a_person_wrote_is_not_asked_for_again(page: Page, pages: Site):
    written = assistant("In July.") | {"author": {"name": "Maria"}}
    await open_thread(page, pages, user("When?"), written, threadItemActions=ALL)
    buttons = last(page).get_by_role("group", name="Actions for this answer").get_by_role("button")
    await expect(buttons.first).to_be_visible()
    await expect(last(page).get_by_role("button", name="Answer again")).to_be_hidden()


async def test_actions_that_were_not_asked_for_are_not_there(page: Page, pages: Site):
    await open_thread(page, pages, user("When?"), assistant("In May."))
    buttons = last(page).get_by_role("group", name="Actions for this answer").get_by_role("button")
    await expect(buttons).to_have_count(2)
    assert [await button.get_attribute("aria-label") for button in await buttons.all()] == ["Copy", "Quote"]


async def test_reader_can_only_copy(page: Page, pages: Site):
    await open_thread(page, pages, user("When?"), assistant("In May."))
    await page.locator("openai-chatkit").evaluate(
        """(node) => {
          node.setAttribute("readonly", "");
          node.setOptions({api: {url: "/chatkit"}, threadItemActions: {feedback: true, retry: true}});
        }"""
    )
    await expect(last(page).get_by_role("button")).to_have_count(1)
    await expect(last(page).get_by_role("button", name="Copy")).to_be_visible()


async def test_whole_answer_is_quoted_in_short(page: Page, pages: Site):
    pages.script("Why?", {"type": "thread.item.done", "item": assistant("Because.")})
    await open_thread(page, pages, user("When?"), assistant("x" * 400))
    await last(page).get_by_role("button", name="Quote").click()
    await page.get_by_role("textbox").fill("Why?")
    await page.get_by_role("textbox").press("Enter")
    await expect(page.get_by_text("Because.", exact=True)).to_be_visible()
    quoted = pages.params_of("threads.add_user_message")["input"]["quoted_text"]
    assert quoted == "x" * 300 + "…"


async def test_selection_is_quoted_by_the_button_of_the_answer(page: Page, pages: Site):
    pages.script("Why?", {"type": "thread.item.done", "item": assistant("Because.")})
    await open_thread(page, pages, user("When?"), assistant("In **May**, mostly."))
    await page.get_by_text("May", exact=True).evaluate(
        """(node) => {
          const range = document.createRange();
          range.selectNodeContents(node);
          node.getRootNode().getSelection().addRange(range);
        }"""
    )
    await last(page).get_by_role("button", name="Quote").click()
    await page.get_by_role("textbox").fill("Why?")
    await page.get_by_role("textbox").press("Enter")
    await expect(page.get_by_text("Because.", exact=True)).to_be_visible()
    assert pages.params_of("threads.add_user_message")["input"]["quoted_text"] == "May"


async def test_selecting_with_the_pointer_offers_to_quote(page: Page, pages: Site):
    await open_thread(page, pages, user("When?"), assistant("First.\n\nSecond."))
    await select(page, "Second.")
    offer = page.locator("openai-chatkit .popover").get_by_role("button", name="Quote")
    await offer.click()
    await expect(offer).to_have_count(0)
    await expect(page.locator("openai-chatkit .composer")).to_contain_text("Second.")
    await expect(page.get_by_role("textbox")).to_be_focused()


async def test_offer_to_quote_goes_with_a_click_elsewhere(page: Page, pages: Site):
    await open_thread(page, pages, user("When?"), assistant("First.\n\nSecond."))
    await select(page, "Second.")
    offer = page.locator("openai-chatkit .popover").get_by_role("button", name="Quote")
    await expect(offer).to_be_visible()
    await page.get_by_text("First.", exact=True).click()
    await expect(offer).to_have_count(0)


async def test_actions_of_an_answer_come_when_it_is_finished(page: Page, pages: Site):
    started = {"type": "thread.item.added", "item": assistant("In May.") | {"id": "item_a"}}
    done = {"type": "thread.item.done", "item": assistant("In May.") | {"id": "item_a"}}
    pages.script("When?", started, 1, done)
    await page.goto("/")
    await page.get_by_role("textbox").fill("When?")
    await page.get_by_role("textbox").press("Enter")
    await expect(page.get_by_text("In May.", exact=True)).to_be_visible()
    await expect(page.get_by_role("button", name="Copy")).to_be_hidden()
    await expect(page.get_by_role("button", name="Copy")).to_be_visible()
