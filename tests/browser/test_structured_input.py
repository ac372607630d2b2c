"""Questions of the assistant: the form, what it sends, and what is left of it."""

from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from .site import Site, assistant, user
from .test_items import open_thread

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]


@pytest_asyncio.fixture(loop_scope="package")
async def page(reused_page: Page) -> Page:
    return reused_page


WHERE = {
    "type": "multiple_choice",
    "id": "where",
    "question": "Where do you live?",
    "options": [{"value": "North"}, {"value": "South"}],
    "multiple": False,
}
SEEN = WHERE | {
    "id": "seen",
    "question": "What have you seen?",
    "options": [{"value": "Swifts"}, {"value": "Swallows"}],
    "multiple": True,
}
MORE = {"type": "freeform", "id": "more", "question": "Anything else?", "description": "In your own words"}


def questions(*inputs: dict[str, Any], status: str = "pending") -> dict[str, Any]:
    return {"type": "structured_input", "status": status, "inputs": list(inputs)}


def group(page: Page, question: str) -> Locator:
    return page.get_by_role("group", name=question)


async def ask(page: Page, pages: Site, *inputs: dict[str, Any]) -> None:
    """Have these asked, all of them at once."""
    await begin(page, pages, *inputs)
    if len(inputs) > 1:
        await page.get_by_role("button", name="Expand").click()


async def begin(page: Page, pages: Site, *inputs: dict[str, Any]) -> None:
    pages.script(
        "threads.add_structured_input", {"type": "thread.item.done", "item": assistant("Thank you.")}
    )
    await open_thread(page, pages, user("Ask me"), questions(*inputs))


def sent(pages: Site) -> dict[str, Any]:
    return pages.params_of("threads.add_structured_input")["input"]


async def submit(page: Page) -> None:
    await page.get_by_role("button", name="Submit").click()
    await expect(page.get_by_text("Thank you.", exact=True)).to_be_visible()


async def test_answers_are_sent_by_question(page: Page, pages: Site):
    await ask(page, pages, WHERE, SEEN, MORE)
    await group(page, "Where do you live?").get_by_label("South").check()
    await group(page, "What have you seen?").get_by_label("Swifts").check()
    await group(page, "What have you seen?").get_by_label("Swallows").check()
    await group(page, "Anything else?").get_by_role("textbox").fill("No")
    await submit(page)
    assert pages.params_of("threads.add_structured_input")["item_id"] == "item_3"
    assert sent(pages) == {
        "status": "answered",
        "answers": {
            "where": {"values": ["South"], "skipped": False},
            "seen": {"values": ["Swifts", "Swallows"], "skipped": False},
            "more": {"values": ["No"], "skipped": False},
        },
    }


async def test_another_answer_takes_the_place_of_a_choice(page: Page, pages: Site):
    await ask(page, pages, WHERE)
    await page.get_by_label("North").check()
    await group(page, "Where do you live?").get_by_role("textbox").fill("East")
    await submit(page)
    assert sent(pages)["answers"] == {"where": {"values": ["East"], "skipped": False}}


async def test_another_answer_comes_with_several_choices(page: Page, pages: Site):
    await ask(page, pages, SEEN)
    await page.get_by_label("Swifts").check()
    await group(page, "What have you seen?").get_by_role("textbox").fill("Bats")
    await submit(page)
    assert sent(pages)["answers"] == {"seen": {"values": ["Swifts", "Bats"], "skipped": False}}


async def test_another_answer_is_left_out_once_something_else_is_chosen(page: Page, pages: Site):
    await ask(page, pages, WHERE)
    await group(page, "Where do you live?").get_by_role("textbox").fill("East")
    await page.get_by_label("North").check()
    await submit(page)
    assert sent(pages)["answers"] == {"where": {"values": ["North"], "skipped": False}}


async def test_question_can_be_skipped(page: Page, pages: Site):
    await ask(page, pages, WHERE, MORE)
    await page.get_by_label("North").check()
    await group(page, "Where do you live?").get_by_role("button", name="Skip").click()
    await expect(page.get_by_label("North")).to_be_disabled()
    await group(page, "Anything else?").get_by_role("textbox").fill("No")
    await submit(page)
    assert sent(pages) == {
        "status": "answered",
        "answers": {"where": {"values": [], "skipped": True}, "more": {"values": ["No"], "skipped": False}},
    }


async def test_question_that_was_skipped_can_be_answered_after_all(page: Page, pages: Site):
    await ask(page, pages, WHERE, MORE)
    await group(page, "Anything else?").get_by_role("button", name="Skip").click()
    await group(page, "Anything else?").get_by_role("button", name="Skip", pressed=True).click()
    await group(page, "Anything else?").get_by_role("textbox").fill("Yes")
    await submit(page)
    assert sent(pages)["answers"]["more"] == {"values": ["Yes"], "skipped": False}


async def test_all_can_be_skipped(page: Page, pages: Site):
    await ask(page, pages, WHERE, MORE)
    await page.get_by_label("North").check()
    await page.get_by_role("button", name="Skip all").click()
    await expect(page.get_by_text("Thank you.", exact=True)).to_be_visible()
    skipped = {"values": [], "skipped": True}
    assert sent(pages) == {"status": "skipped", "answers": {"where": skipped, "more": skipped}}


async def test_form_without_an_answer_is_not_sent(page: Page, pages: Site):
    await ask(page, pages, WHERE)
    await expect(page.get_by_role("button", name="Submit")).to_be_disabled()
    await page.get_by_role("button", name="Submit").dispatch_event("click")
    await page.get_by_label("North").check()
    await expect(page.get_by_role("button", name="Submit")).to_be_enabled()
    assert "threads.add_structured_input" not in pages.operations()


async def test_enter_does_not_send_half_a_form(page: Page, pages: Site):
    await ask(page, pages, WHERE, MORE)
    field = group(page, "Where do you live?").get_by_role("textbox")
    await field.fill("East")
    await field.press("Enter")
    await group(page, "Anything else?").get_by_role("textbox").fill("No")
    assert "threads.add_structured_input" not in pages.operations()
    await field.press("Enter")
    await expect(page.get_by_text("Thank you.", exact=True)).to_be_visible()


async def test_form_is_sent_by_keyboard_alone(page: Page, pages: Site):
    await ask(page, pages, WHERE)
    await page.get_by_label("North").focus()
    for key in ("ArrowDown", "Tab", "Tab", "Tab", "Enter"):
        await page.keyboard.press(key)
    await expect(page.get_by_text("Thank you.", exact=True)).to_be_visible()
    assert sent(pages)["answers"] == {"where": {"values": ["South"], "skipped": False}}


async def test_form_is_sent_once(page: Page, pages: Site):
    done = {"type": "thread.item.done", "item": assistant("Thank you.")}
    pages.script("threads.add_structured_input", 0.5, done)
    await open_thread(page, pages, user("Ask me"), questions(WHERE))
    await page.get_by_label("North").check()
    for _ in range(3):
        await page.get_by_role("button", name="Submit").dispatch_event("click")
    await expect(page.get_by_text("Thank you.", exact=True)).to_be_visible()
    assert pages.operations().count("threads.add_structured_input") == 1


async def test_answers_take_the_place_of_the_form(page: Page, pages: Site):
    await open_thread(page, pages, user("Ask me"), questions(WHERE))
    answered = WHERE | {"answer": {"values": ["North"], "skipped": False}}
    replaced = questions(answered, status="answered") | {"id": "item_3"}
    pages.script("threads.add_structured_input", {"type": "thread.item.replaced", "item": replaced})
    await page.get_by_label("North").check()
    await page.get_by_role("button", name="Submit").click()
    await expect(page.get_by_role("definition")).to_have_text("North")
    await expect(page.get_by_role("radio")).to_have_count(0)


async def test_answers_can_be_read(page: Page, pages: Site):
    await open_thread(
        page,
        pages,
        user("Ask me"),
        questions(
            SEEN | {"answer": {"values": ["Swifts", "Bats"], "skipped": False}},
            MORE | {"answer": {"values": [], "skipped": True}},
            status="answered",
        ),
    )
    await expect(page.get_by_role("term")).to_have_text(["What have you seen?", "Anything else?"])
    await expect(page.get_by_role("definition")).to_have_text(["Swifts", "Bats", "Skipped"])


async def test_form_is_not_for_those_who_only_read(page: Page, pages: Site):
    await open_thread(page, pages, user("Ask me"), questions(WHERE))
    await page.locator("openai-chatkit").evaluate(
        """(node) => { node.setAttribute("readonly", ""); node.setOptions({api: {url: "/chatkit"}}); }"""
    )
    await expect(page.get_by_role("definition")).to_have_text("Not answered yet")
    await expect(page.get_by_role("radio")).to_have_count(0)


async def test_what_is_typed_stays_when_the_thread_is_read_again(page: Page, pages: Site):
    await ask(page, pages, MORE)
    await group(page, "Anything else?").get_by_role("textbox").fill("Half a sen")
    await page.evaluate("document.querySelector('openai-chatkit').fetchUpdates()")
    await expect(group(page, "Anything else?").get_by_role("textbox")).to_have_value("Half a sen")


async def test_new_options_leave_a_half_filled_form_alone(page: Page, pages: Site):
    await ask(page, pages, MORE)
    field = group(page, "Anything else?").get_by_role("textbox")
    await field.fill("Half a sen")
    await page.locator("openai-chatkit").evaluate(
        "(node) => node.setOptions({api: {url: '/chatkit'}, theme: 'dark'})"
    )
    await expect(page.locator("openai-chatkit .frame")).to_have_attribute("data-scheme", "dark")
    await expect(field).to_have_value("Half a sen")
    await expect(field).to_be_focused()


# One by one


async def test_questions_are_asked_one_by_one_in_place_of_the_composer(page: Page, pages: Site):
    await begin(page, pages, WHERE, SEEN, MORE)
    await expect(page.get_by_text("1 of 3")).to_be_visible()
    await expect(page.get_by_role("textbox", name="Message the AI")).to_be_hidden()
    await expect(group(page, "What have you seen?")).to_be_hidden()
    await expect(page.get_by_role("button", name="Next")).to_be_disabled()
    await page.get_by_label("South").check()
    await page.get_by_role("button", name="Next").click()
    await expect(page.get_by_text("2 of 3")).to_be_visible()
    await expect(page.get_by_label("Swifts")).to_be_focused()
    await page.get_by_label("Swallows").check()
    await page.get_by_role("button", name="Next").click()
    await group(page, "Anything else?").get_by_role("textbox").fill("No")
    await submit(page)
    assert sent(pages)["status"] == "answered"
    values = {name: answer["values"] for name, answer in sent(pages)["answers"].items()}
    assert values == {"where": ["South"], "seen": ["Swallows"], "more": ["No"]}
    await expect(page.get_by_role("textbox", name="Message the AI")).to_be_visible()


async def test_question_before_is_gone_back_to_with_its_answer(page: Page, pages: Site):
    await begin(page, pages, WHERE, MORE)
    await page.get_by_label("South").check()
    await page.get_by_role("button", name="Next").click()
    await page.get_by_role("button", name="Previous question").click()
    await expect(page.get_by_label("South")).to_be_checked()
    await expect(page.get_by_role("button", name="Previous question")).to_be_hidden()


async def test_question_asked_alone_can_be_skipped(page: Page, pages: Site):
    await begin(page, pages, WHERE, MORE)
    await page.get_by_label("South").check()
    await page.get_by_role("button", name="Skip").click()
    await group(page, "Anything else?").get_by_role("textbox").fill("Yes")
    await submit(page)
    skipped = {"values": [], "skipped": True}
    assert sent(pages)["answers"] == {"where": skipped, "more": {"values": ["Yes"], "skipped": False}}


async def test_questions_that_are_all_skipped_one_by_one_are_sent_as_skipped(page: Page, pages: Site):
    await begin(page, pages, MORE)
    await expect(page.get_by_text("1 of 1")).to_be_hidden()
    await page.get_by_role("button", name="Skip").click()
    await expect(page.get_by_text("Thank you.", exact=True)).to_be_visible()
    assert sent(pages)["status"] == "skipped"


async def test_all_questions_are_shown_to_who_asks_for_them(page: Page, pages: Site):
    await begin(page, pages, WHERE, MORE)
    await page.get_by_label("South").check()
    await page.get_by_role("button", name="Expand").click()
    await expect(group(page, "Anything else?")).to_be_visible()
    await expect(page.get_by_label("South")).to_be_checked()
    await expect(page.get_by_role("textbox", name="Message the AI")).to_be_visible()
