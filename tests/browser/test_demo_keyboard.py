"""The demo project by keyboard alone, from the loading of the page: there is no mouse here."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from .demo_site import CHAT, answers, box, button, end_of_answer, hidden_prompt, items, operation, widgets

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

STEPS = 120
"""More presses of a key than it takes to get anywhere in these pages."""

# The name of what has the focus, as a screen reader would say it, and whether it can be seen that it has it.
FOCUSED = """() => {
  let node = document.activeElement;
  while (node.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
  const byId = (id) => node.getRootNode().getElementById(id)?.textContent;
  const name = byId(node.getAttribute("aria-labelledby")) || node.getAttribute("aria-label") ||
    node.labels?.[0]?.textContent || node.textContent;
  const active = byId(node.getAttribute("aria-activedescendant"));
  return { name: name.trim(), active: active ?? null, tag: node.localName, visible: node.checkVisibility() };
}"""


async def focused(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = await page.evaluate(FOCUSED)
    return found


async def walk(page: Page, name: str, key: str = "Tab") -> None:
    """Press a key until something of that name has the focus."""
    passed = []
    for _ in range(STEPS):
        current = await focused(page)
        if current["name"] == name and current["visible"]:
            return
        passed.append(current["name"][:40])
        await page.keyboard.press(key)
    pytest.fail(f"{key} does not lead to {name!r}, but to {passed}.")


async def press(page: Page, name: str, key: str = "Tab") -> None:
    """Go to a button, and press it."""
    await walk(page, name, key)
    await page.keyboard.press("Enter")


async def pick(page: Page, label: str) -> None:
    """Choose a prompt of the start screen, as the first thing in the page, or write what is behind its "More…"."""
    if prompt := hidden_prompt(label):
        await write(page, prompt)
        await page.keyboard.press("Enter")
    else:
        await press(page, label)
    await end_of_answer(page)


async def write(page: Page, text: str) -> None:
    await walk(page, "Ask us anything", "Shift+Tab")
    await page.keyboard.type(text)


async def choose(page: Page, option: str) -> None:
    """From the list above the composer."""
    await expect(page.get_by_role("option", name=option)).to_be_visible()
    for _ in range(STEPS):
        if option in ((await focused(page))["active"] or ""):
            break
        await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")


async def sent(page: Page, key: str = "Enter") -> dict[str, Any]:
    """The message that a key sends."""
    names = ("threads.create", "threads.add_user_message")
    async with page.expect_request(lambda request: any(operation(request, name) for name in names)) as asked:
        await page.keyboard.press(key)
    params: dict[str, Any] = (await asked.value).post_data_json["params"]["input"]
    return params


# Widgets


async def test_prompt_is_picked_and_the_focus_stays_in_the_chat(demo: Page):
    await pick(demo, "Where is my order?")
    await expect(widgets(demo)).to_contain_text("Order 1042On its way")
    assert (await focused(demo))["tag"] != "body"


async def test_widget_is_used(demo: Page):
    await demo.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await pick(demo, "A widget")
    await press(demo, "Favourite", "Shift+Tab")
    await demo.wait_for_load_state("networkidle")
    assert (await focused(demo))["name"] == "Favourite"
    await press(demo, "Copy the number")
    await demo.wait_for_function("navigator.clipboard.readText().then((text) => text === '1042')")
    await press(demo, "Track", "Shift+Tab")
    await expect(answers(demo)).to_have_text("Your order is next door, at number 12.")


async def test_form_is_filled_in_and_sent(demo: Page):
    await pick(demo, "A form")
    await walk(demo, "Name", "Shift+Tab")
    await demo.keyboard.type("Ada")
    await walk(demo, "Guests")
    # Opens the list, goes on to the next, and takes it.
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        await demo.keyboard.press(key)
    await walk(demo, "Day")
    await demo.keyboard.type("05042027")
    await walk(demo, "Wishes")
    await demo.keyboard.type("None")
    await walk(demo, "By the window")
    await demo.keyboard.press("Space")
    await walk(demo, "Book")
    async with demo.expect_request(lambda request: operation(request, "threads.custom_action")) as asked:
        await demo.keyboard.press("Enter")
    assert (await asked.value).post_data_json["params"]["action"]["payload"] == {
        "restaurant": "Café Demo",
        "name": "Ada",
        "guests": "3",
        "day": "2027-05-04",
        "wishes": "None",
        "window": True,
    }
    await expect(widgets(demo)).to_have_text("BookedA table for 3, in the name of Ada.")


async def test_every_widget_is_used(demo: Page):
    await pick(demo, "Every widget")
    await press(demo, "Turn the page", "Shift+Tab")
    await expect(widgets(demo).nth(9)).to_contain_text("Page 2 of 3")
    await press(demo, "Show 4 more", "Shift+Tab")
    await expect(widgets(demo).nth(6).get_by_role("listitem")).to_have_count(7)
    assert "Coffee number 4" in (await focused(demo))["name"]
    await press(demo, "Show details", "Shift+Tab")
    await expect(demo.get_by_text("To twelve customers, this morning.")).to_be_visible()
    await press(demo, "Discard", "Shift+Tab")
    await expect(answers(demo)).to_have_text("You pressed “discard”.")


async def test_form_of_all_fields_is_filled_in(demo: Page):
    await pick(demo, "Every widget")
    await walk(demo, "I have read all of this", "Shift+Tab")
    await demo.keyboard.press("Space")
    await walk(demo, "Slow", "Shift+Tab")
    await demo.keyboard.press("ArrowRight")
    await walk(demo, "Colour", "Shift+Tab")
    await demo.keyboard.press("G")
    await walk(demo, "text", "Shift+Tab")
    await demo.keyboard.type("typed")
    async with demo.expect_request(lambda request: operation(request, "threads.custom_action")) as asked:
        await demo.keyboard.press("Enter")
    payload = (await asked.value).post_data_json["params"]["action"]["payload"]
    assert payload | {"text": "typed", "colour": "green", "pace": "fast", "agreed": True} == payload


async def test_numbers_of_a_chart_are_walked_through(demo: Page):
    await pick(demo, "A chart")
    await walk(demo, "Chart: Espresso, Filter, Tea, Filter, as a line", "Shift+Tab")
    await demo.keyboard.press("End")
    await expect(demo.locator(f"{CHAT} .chart-tip")).to_have_text(re.compile("24"))


# Items


async def test_workflow_is_opened(demo: Page):
    await pick(demo, "A workflow")
    await press(demo, "Planned the trip", "Shift+Tab")
    await expect(demo.get_by_text("Every connection can be caught.")).to_be_visible()
    await walk(demo, "The Django documentationdjangoproject.com")


async def test_questions_are_answered(demo: Page):
    await pick(demo, "Questions")
    await walk(demo, "Autumn", "ArrowDown")
    await press(demo, "Next")
    await walk(demo, "By bicycle")
    await demo.keyboard.press("Space")
    await press(demo, "Next")
    await walk(demo, "Where to?")
    await demo.keyboard.type("Lisbon")
    await press(demo, "Submit")
    await expect(answers(demo)).to_have_count(2)
    await end_of_answer(demo)
    for said in ("Autumn", "By bicycle", "Lisbon"):
        await expect(answers(demo).last).to_contain_text(said)


async def test_questions_are_skipped(demo: Page):
    await pick(demo, "Questions")
    for number in ("1", "2", "3"):
        await expect(demo.get_by_text(f"{number} of 3")).to_be_visible()
        await press(demo, "Skip")
    await expect(items(demo).nth(2)).to_contain_text("Skipped")


async def test_source_is_previewed_and_clicked(demo: Page):
    await pick(demo, "Sources")
    await walk(demo, "Source: Coffee", "Shift+Tab")
    await expect(demo.get_by_text("12 €")).to_be_visible()
    await demo.keyboard.press("Enter")
    await expect(items(demo).nth(2)).to_have_text("YouTell me more: Coffee")


async def test_image_is_enlarged(demo: Page):
    await pick(demo, "An image")
    await press(demo, "Enlarge image: Image", "Shift+Tab")
    await expect(demo.locator(CHAT).get_by_role("dialog")).to_be_visible()
    await demo.keyboard.press("Escape")
    await expect(demo.locator(CHAT).get_by_role("dialog")).to_have_count(0)
    assert (await focused(demo))["name"] == "Enlarge image: Image"


async def test_link_of_a_notice_is_reached(demo: Page):
    await pick(demo, "A notice")
    await walk(demo, "More", "Shift+Tab")


async def test_failure_is_retried(demo: Page):
    await pick(demo, "A failure")
    await walk(demo, "Retry", "Shift+Tab")
    async with demo.expect_request(lambda request: operation(request, "threads.retry_after_item")):
        await demo.keyboard.press("Enter")


async def test_closed_conversation_is_left(demo: Page):
    await pick(demo, "A closed conversation")
    await expect(box(demo)).to_be_hidden()
    assert (await focused(demo))["name"] == "Messages"
    await press(demo, "New chat", "Shift+Tab")
    await expect(box(demo)).to_be_focused()


# The composer


async def test_file_is_attached_and_removed(demo: Page):
    # Without a listener the browser would show its dialog before Playwright can keep it from that.
    demo.on("filechooser", lambda chooser: None)
    await press(demo, "Files and tools")
    async with demo.expect_file_chooser() as chooser:
        await demo.keyboard.press("Enter")
    notes: Any = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"hello"}
    await (await chooser.value).set_files([notes])
    attached = demo.get_by_role("list", name="Attached files").get_by_role("listitem")
    await expect(attached).to_have_attribute("data-state", "ready")
    await press(demo, "Remove notes.txt", "Shift+Tab")
    await expect(attached).to_have_count(0)
    await expect(box(demo)).to_be_focused()


async def test_tool_and_model_go_with_a_message(demo: Page):
    await press(demo, "Weather")
    await press(demo, "Model: Fast")
    await demo.keyboard.press("ArrowDown")
    await demo.keyboard.press("Enter")
    await walk(demo, "A city", "Shift+Tab")
    await demo.keyboard.type("Rome")
    options = (await sent(demo))["inference_options"]
    assert options == {"tool_choice": {"id": "get_weather"}, "model": "gpt-4.1"}
    await end_of_answer(demo)
    await expect(widgets(demo)).to_contain_text("Rome")


async def test_persistent_tool_is_chosen_and_taken_back(demo: Page):
    await press(demo, "Files and tools")
    await demo.keyboard.press("End")
    await demo.keyboard.press("Enter")
    await expect(box(demo)).to_be_focused()
    await press(demo, "Browser")
    await expect(button(demo, "Browser")).to_have_count(0)
    await expect(box(demo)).to_be_focused()


async def test_product_is_mentioned(demo: Page):
    await write(demo, "About @gri")
    await choose(demo, "Grinder")
    content = (await sent(demo))["content"]
    assert [(part["type"], part["text"]) for part in content][:2] == [
        ("input_text", "About "),
        ("input_tag", "Grinder"),
    ]


async def test_commands_are_run(demo: Page):
    await write(demo, "/prod")
    await choose(demo, "Product")
    await choose(demo, "Coffee")
    await expect(box(demo)).to_have_value("@Coffee ")
    await sent(demo)
    await end_of_answer(demo)
    await demo.keyboard.type("/gre")
    await choose(demo, "Greet")
    await expect(answers(demo).last).to_have_text("The page says: Hello from the page!")
    await end_of_answer(demo)
    await demo.keyboard.type("/cle")
    await choose(demo, "Clear")
    await expect(demo.get_by_text("Welcome to Café Demo. What can I do for you?")).to_be_visible()


async def test_dictation_is_finished_and_discarded(speaker: Page):
    await press(speaker, "Dictate")
    await expect(button(speaker, "Finish dictating")).to_be_focused()
    await speaker.keyboard.press("Enter")
    await expect(box(speaker)).to_have_value(re.compile("a dictation of"))
    await press(speaker, "Dictate")
    await expect(button(speaker, "Finish dictating")).to_be_visible()
    await speaker.keyboard.press("Escape")
    await expect(button(speaker, "Dictate")).to_be_visible()
    await expect(box(speaker)).to_be_focused()


# Answers and conversations


async def test_answer_is_stopped(demo: Page):
    await write(demo, "Show me a long answer")
    await demo.keyboard.press("Enter")
    await expect(answers(demo)).to_contain_text("How to make")
    await press(demo, "Stop answering", "Shift+Tab")
    await expect(demo.locator(f"{CHAT} .stopped")).to_be_visible()
    await expect(box(demo)).to_be_focused()


async def test_answer_is_copied_rated_quoted_and_asked_for_again(demo: Page):
    await demo.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await pick(demo, "Progress")
    await press(demo, "Copy", "Shift+Tab")
    await demo.wait_for_function(
        "navigator.clipboard.readText().then((text) => text === 'The coffee is ready.')"
    )
    await press(demo, "Bad answer")
    await expect(button(demo, "Bad answer")).to_have_attribute("aria-pressed", "true")
    await press(demo, "Quote")
    await expect(box(demo)).to_be_focused()
    await demo.keyboard.type("Really?")
    assert (await sent(demo))["quoted_text"] == "The coffee is ready."
    await end_of_answer(demo)
    await walk(demo, "Answer again", "Shift+Tab")
    async with demo.expect_request(lambda request: operation(request, "threads.retry_after_item")):
        await demo.keyboard.press("Enter")


async def test_conversation_is_renamed_in_the_header(demo: Page):
    await pick(demo, "A task")
    await press(demo, "Show me a task", "Shift+Tab")
    await expect(demo.get_by_role("textbox", name="Title of the conversation")).to_be_focused()
    await demo.keyboard.type("Timetables")
    await demo.keyboard.press("Enter")
    await expect(demo.locator(f"{CHAT} .main .title")).to_have_text("Timetables")
    assert (await focused(demo))["name"] == "Timetables"


async def test_history_is_walked_renamed_deleted_and_left(demo: Page):
    await pick(demo, "A task")
    await press(demo, "New chat", "Shift+Tab")
    await pick(demo, "Progress")
    await press(demo, "Show conversations", "Shift+Tab")
    rows = demo.locator(f"{CHAT} .thread-item")
    await expect(rows).to_have_count(2)
    await demo.keyboard.press("ArrowDown")
    await demo.keyboard.press("ArrowDown")
    await demo.keyboard.press("F2")
    await demo.keyboard.type("Timetables")
    await demo.keyboard.press("Enter")
    await expect(rows.nth(1)).to_contain_text("Timetables")
    await demo.keyboard.press("ArrowUp")
    await demo.keyboard.press("Delete")
    await press(demo, "Delete")
    await expect(rows).to_have_count(1)
    await demo.keyboard.press("Enter")
    await expect(demo.locator(f"{CHAT} .main .title")).to_have_text("Timetables")
    await press(demo, "Show conversations", "Shift+Tab")
    await demo.keyboard.press("Escape")
    assert (await focused(demo))["name"] == "Show conversations"


async def test_messages_are_scrolled(demo: Page):
    await pick(demo, "Every widget")
    await walk(demo, "Messages", "Shift+Tab")
    scroller = demo.locator(f"{CHAT} .thread .scroller")
    newest = widgets(demo).last
    await demo.keyboard.press("Home")
    await expect(scroller).to_have_js_property("scrollTop", 0)
    await expect(newest).not_to_be_in_viewport()
    await demo.keyboard.press("End")
    await expect(newest).to_be_in_viewport()
