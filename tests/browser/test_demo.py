"""The demo project with the bundled element and nothing else: each of its features by hand."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.forks import ROOT

from .demo_site import (
    CHAT,
    Cable,
    answers,
    box,
    button,
    end_of_answer,
    items,
    operation,
    pick,
    pick_and_wait,
    prompts,
    record,
    recorded,
    visit,
    widgets,
)
from .waiting import say

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

STATIC = ROOT / "project" / "static" / "project"
TITLE = f"{CHAT} .main .title"
WIDGETS = 10
"""In "Show me every widget"."""


async def test_every_prompt_of_the_demo_is_tried():
    tree = ast.parse(Path(__file__).read_text())
    names = [node.name for node in tree.body if isinstance(node, ast.AsyncFunctionDef)]
    tried = [prompt for prompt in prompts() if any(name.startswith(f"test_{slug(prompt)}") for name in names)]
    assert tried == prompts()


def slug(label: str) -> str:
    return re.sub(r"[^a-z ]", "", label.lower()).replace(" ", "_")


async def test_prompts_have_their_icons(demo: Page):
    await expect(button(demo, "Is it warm in Lisbon?").locator("svg")).to_have_attribute("data-icon", "globe")
    await expect(button(demo, "More…").locator("svg")).to_have_attribute("data-icon", "dots-horizontal")


# The start screen


async def test_is_it_warm_in_lisbon_is_answered_by_a_tool(demo: Page):
    await pick_and_wait(demo, "Is it warm in Lisbon?")
    await expect(widgets(demo)).to_contain_text("Lisbon")


async def test_where_is_my_order_is_answered_by_a_widget(demo: Page):
    await pick_and_wait(demo, "Where is my order?")
    await expect(answers(demo)).to_have_text(
        "Order 1042 left our roastery this morning and is with the courier now."
    )
    await expect(widgets(demo)).to_contain_text("Order 1042On its way")


async def test_book_a_table_is_answered_by_a_form(demo: Page):
    await pick_and_wait(demo, "Book a table")
    await expect(answers(demo)).to_have_text("With pleasure. Tell me when, and for how many:")
    await expect(widgets(demo).get_by_label("Name")).to_be_visible()


async def test_plan_a_trip_by_night_train_is_answered_by_steps(demo: Page):
    await pick_and_wait(demo, "Plan a trip by night train")
    await expect(answers(demo)).to_have_text("The trip is planned.")


async def test_talk_to_a_person_has_the_user_wait_for_one(demo: Page):
    await pick_and_wait(demo, "Talk to a person")
    await expect(answers(demo)).to_have_text(
        "I have asked our team. A person will answer you here. You can go on writing meanwhile."
    )


async def test_more_offers_the_rest_and_sends_what_is_pressed(demo: Page):
    await pick_and_wait(demo, "More…")
    await widgets(demo).get_by_role("button", name="A widget that writes").click()
    await end_of_answer(demo)
    await expect(demo.locator(f"{CHAT} .item.user").last).to_contain_text("Show me a streamed widget")
    await expect(widgets(demo).last.locator("strong")).to_have_text("a widget")


# The agent


async def test_a_tool_is_called_and_shows_a_widget(demo: Page):
    await pick_and_wait(demo, "A tool")
    await expect(widgets(demo)).to_have_text("Paris8 °CRain")
    await expect(answers(demo)).to_have_text("The tool answered: Paris: 8 °C, Rain")


async def test_a_client_tool_runs_in_the_page(demo: Page):
    await pick_and_wait(demo, "A client tool")
    await expect(answers(demo)).to_contain_text('"language": "en-US"')
    await expect(answers(demo)).to_contain_text("1000 \\u00d7 800")


async def test_a_refusal_is_told_and_cannot_be_retried(demo: Page):
    await pick_and_wait(demo, "A refusal")
    alert = demo.locator(CHAT).get_by_role("alert").filter(visible=True)
    await expect(alert).to_contain_text(
        "I do not talk about passwords. A guardrail of the agent has seen to that."
    )
    await expect(button(demo, "Retry")).to_be_hidden()


# Widgets


async def test_a_widget_replaces_itself_by_an_action(demo: Page):
    await pick_and_wait(demo, "A widget")
    await expect(widgets(demo)).to_contain_text("Order 1042On its way")
    await record(demo, ".progress-text")
    await button(demo, "Track").click()
    await expect(widgets(demo)).to_contain_text("Next door")
    await expect(widgets(demo)).not_to_contain_text("On its way")
    await expect(button(demo, "Track")).to_be_disabled()
    await expect(answers(demo)).to_have_text("Your order is next door, at number 12.")
    await expect(widgets(demo)).to_have_count(1)
    assert "Asking the courier…" in await recorded(demo)


async def test_a_widget_is_changed_by_a_sync_action_alone(demo: Page):
    await pick_and_wait(demo, "A widget")
    favourite = button(demo, "Favourite")
    empty = await favourite.locator("svg").inner_html()
    async with demo.expect_request(lambda request: operation(request, "threads.sync_custom_action")) as asked:
        await favourite.click()
    sent = (await asked.value).post_data_json
    assert sent["params"]["action"] == {"type": "order.favourite", "payload": {"favourite": True}}
    await expect(favourite.locator("svg")).not_to_have_js_property("innerHTML", empty)
    async with demo.expect_request(lambda request: operation(request, "threads.sync_custom_action")) as asked:
        await favourite.click()
    assert (await asked.value).post_data_json["params"]["action"]["payload"] == {"favourite": False}
    await expect(favourite.locator("svg")).to_have_js_property("innerHTML", empty)
    await expect(items(demo)).to_have_count(2)


async def test_a_widget_lets_the_page_act(demo: Page):
    await demo.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await pick_and_wait(demo, "A widget")
    await button(demo, "Copy the number").click()
    await demo.wait_for_function("navigator.clipboard.readText().then((text) => text === '1042')")


async def test_a_widget_that_writes_grows(demo: Page):
    whole = "A noteThis note is a widget. It is sent once, and then only what is new in it."
    await record(demo, ".widget")
    await pick_and_wait(demo, "A widget that writes")
    await expect(widgets(demo)).to_have_text(whole)
    states = await recorded(demo)
    assert len(states) > 3
    assert sorted(states, key=len) == states
    await expect(widgets(demo).locator("strong")).to_have_text("a widget")


async def test_a_chart_shows_its_series(demo: Page):
    await pick_and_wait(demo, "A chart")
    chart = widgets(demo)
    await expect(chart.locator("svg").first).to_be_visible()
    for name in ("Espresso", "Filter", "Tea", "Filter, as a line"):
        await expect(chart.locator(".chart-legend").get_by_text(name, exact=True)).to_be_visible()
    table = chart.get_by_role("table")
    await expect(table.get_by_role("row")).to_have_count(6)


async def test_a_form_sends_its_values_and_gives_way_to_a_card(demo: Page):
    await pick_and_wait(demo, "A form")
    form = widgets(demo)
    await button(demo, "Book").click()
    await expect(form.get_by_label("Name")).to_be_focused()  # it is required
    await form.get_by_label("Name").fill("Ada")
    await form.get_by_label("Guests").select_option("3")
    await form.get_by_label("Day", exact=True).fill("2027-05-04")
    await form.get_by_label("Wishes").fill("No\nsugar")
    await form.get_by_label("By the window").check()
    async with demo.expect_request(lambda request: operation(request, "threads.custom_action")) as asked:
        await button(demo, "Book").click()
    assert (await asked.value).post_data_json["params"]["action"] == {
        "type": "table.book",
        "payload": {
            "restaurant": "Café Demo",
            "name": "Ada",
            "guests": "3",
            "day": "2027-05-04",
            "wishes": "No\nsugar",
            "window": True,
        },
    }
    await expect(widgets(demo)).to_have_text("BookedA table for 3, in the name of Ada.")
    await expect(answers(demo)).to_have_text("Your table is booked.")


async def every_widget(page: Page) -> None:
    await pick_and_wait(page, "Every widget")
    await expect(widgets(page)).to_have_count(WIDGETS)


async def right_of(node: Locator) -> float:
    bounds = await node.bounding_box()
    assert bounds is not None
    return round(bounds["x"] + bounds["width"])


async def test_every_widget_is_shown(demo: Page):
    await every_widget(demo)
    text, layout, buttons, fields, approval, folded, coffees, table, chart, pages = [
        widgets(demo).nth(number) for number in range(WIDGETS)
    ]
    for shown in ("3xl", "Text of size xl", "Slanted and struck through", "A caption", "discovery"):
        await expect(text.get_by_text(shown, exact=True).first).to_be_visible()
    await expect(text.get_by_role("link", name="link")).to_have_attribute(
        "href", "https://www.djangoproject.com/"
    )
    for name in ("star", "cube", "bolt", "globe", "check-circle"):
        await expect(text.locator(f"svg[data-icon={name}]")).to_be_visible()
    await expect(layout.get_by_role("img", name="A landscape")).to_have_count(2)
    for picture in await layout.get_by_role("img", name="A landscape").all():
        await expect(picture).not_to_have_js_property("naturalWidth", 0)
    await expect(layout.get_by_text("Two parts")).to_be_visible()
    row = layout.locator(":has(> .w-badge)").last
    assert await right_of(layout.get_by_text("At the end")) == await right_of(row)  # beyond the spacer
    await expect(buttons.get_by_role("button")).to_have_count(8 * 4 + 6 + 4 + 1)
    await expect(buttons.get_by_role("button", name="Not now")).to_be_disabled()
    await expect(fields.locator("input, textarea, select")).to_have_count(6 + 1 + 2 + 1 + 3 + 2)
    await expect(approval.get_by_role("textbox")).to_have_count(2)
    await expect(folded.get_by_text("To twelve customers, this morning.")).to_be_hidden()
    await expect(coffees.get_by_role("listitem")).to_have_count(3)
    await expect(table.get_by_role("columnheader")).to_have_text(["Coffee", "Price", "In stock"])
    await expect(table.get_by_role("cell", name="Bags altogether")).to_have_attribute("colspan", "2")
    await expect(chart.locator("svg").first).to_be_visible()
    await expect(pages).to_contain_text("Page 1 of 3")


async def test_every_widget_button_tells_which_it_is(demo: Page):
    await every_widget(demo)
    await button(demo, "As wide as the card").click()
    await expect(answers(demo)).to_have_text("You pressed “As wide as the card”.")


async def test_every_widget_field_arrives(demo: Page):
    await every_widget(demo)
    fields = widgets(demo).nth(3)
    for kind, value in (("text", "a"), ("email", "a@b.example"), ("number", "7"), ("password", "x")):
        await fields.get_by_label(kind, exact=True).fill(value)
    await fields.get_by_label("tel", exact=True).fill("112")
    await fields.get_by_label("url", exact=True).fill("https://example.com/")
    await fields.get_by_label("Notes").fill("written")
    await fields.get_by_label("Colour").select_option("green")
    await fields.get_by_label("Shade").select_option("red")
    await fields.get_by_label("Day", exact=True).fill("2027-05-04")
    await fields.get_by_label("Fast").check()
    await fields.get_by_role("button", name="Send").click()
    await expect(answers(demo)).to_have_count(0)  # one box has to be ticked
    await fields.get_by_label("I have read all of this").check()
    await fields.get_by_label("Write to me").uncheck()
    async with demo.expect_request(lambda request: operation(request, "threads.custom_action")) as asked:
        await fields.get_by_role("button", name="Send").click()
    assert (await asked.value).post_data_json["params"]["action"]["payload"] == {
        "text": "a",
        "email": "a@b.example",
        "number": "7",
        "password": "x",
        "tel": "112",
        "url": "https://example.com/",
        "notes": "written",
        "colour": "green",
        "shade": "red",
        "day": "2027-05-04",
        "pace": "fast",
        "agreed": True,
        "letter": False,
    }
    await expect(answers(demo)).to_contain_text('"pace": "fast"')


async def test_every_widget_card_is_confirmed_and_cancelled(demo: Page):
    await every_widget(demo)
    approval = widgets(demo).nth(4)
    await approval.get_by_role("textbox").first.fill("Changed")
    await approval.get_by_role("button", name="Send").click()
    await expect(answers(demo).first).to_contain_text('"subject": "Changed"')
    await expect(answers(demo).first).to_contain_text('"letter": true')
    await approval.get_by_role("button", name="Discard").click()
    await expect(answers(demo).last).to_have_text("You pressed “discard”.")


async def test_every_widget_list_and_folded_card_open(demo: Page):
    await every_widget(demo)
    folded, coffees = widgets(demo).nth(5), widgets(demo).nth(6)
    await folded.get_by_role("button", name="Show details").click()
    await expect(folded.get_by_text("To twelve customers, this morning.")).to_be_visible()
    await coffees.get_by_role("button", name="Show 4 more").click()
    await expect(coffees.get_by_role("listitem")).to_have_count(7)
    await coffees.get_by_role("button", name="Coffee number 7").click()
    await expect(answers(demo)).to_have_text("You pressed “coffee 7”.")


async def test_every_widget_page_is_turned(demo: Page):
    await every_widget(demo)
    pages = widgets(demo).nth(9)
    for title in ("Page 2 of 3", "Page 3 of 3", "Page 1 of 3"):
        await pages.get_by_role("button", name="Turn the page").click()
        await expect(pages.get_by_text(title)).to_be_visible()


# Items


async def test_a_workflow_ticks_off_its_tasks_and_says_what_was_done(demo: Page):
    tasks = demo.locator(f"{CHAT} .task")
    await record(demo, ".task:nth-child(2) .task-body > :first-child")
    await pick_and_wait(demo, "A workflow")
    assert await recorded(demo) == ["SearchingLoading…", "SearchingDone"]
    await expect(answers(demo)).to_have_text("The trip is planned.")
    summary = button(demo, "Planned the trip")
    await expect(summary).to_have_attribute("aria-expanded", "false")
    await expect(tasks.nth(0)).to_be_hidden()
    await summary.click()
    await expect(tasks).to_have_count(5)
    await expect(tasks.nth(4)).to_contain_text("CheckingDoneEvery connection can be caught.")
    await expect(tasks.nth(1)).to_contain_text("sleeper cars")
    link = tasks.nth(1).get_by_role("link", name="The Django documentation")
    await expect(link).to_have_attribute("href", "https://docs.djangoproject.com/")


async def test_a_task_stands_alone(demo: Page):
    await pick_and_wait(demo, "A task")
    await expect(items(demo).last).to_contain_text("Saved the timetable")


async def test_questions_are_answered_and_the_answer_goes_on(demo: Page):
    await pick_and_wait(demo, "Questions")
    await expect(answers(demo)).to_have_text("Three questions about your trip:")
    await demo.get_by_label("Spring").check()
    await button(demo, "Next").click()
    await demo.get_by_label("By train").check()
    await demo.get_by_label("On foot").check()
    await button(demo, "Next").click()
    await demo.get_by_label("Where to?").fill("Lisbon")
    await button(demo, "Submit").click()
    await expect(answers(demo).last).to_contain_text("Thank you. You answered:")
    await end_of_answer(demo)
    for said in ("Spring", "By train", "On foot", "Lisbon"):
        await expect(answers(demo).last).to_contain_text(said)
    await expect(button(demo, "Submit")).to_have_count(0)
    await expect(items(demo).nth(2)).to_contain_text("Lisbon")


async def test_questions_can_be_skipped(demo: Page):
    await pick_and_wait(demo, "Questions")
    for _ in range(3):
        await button(demo, "Skip").click()
    await end_of_answer(demo)
    await expect(items(demo).nth(2)).to_contain_text("Skipped")
    await expect(answers(demo)).to_have_count(2)


async def test_sources_are_cited_and_listed(demo: Page):
    await pick_and_wait(demo, "Sources")
    citations = answers(demo).locator(".citation")
    await expect(citations).to_have_count(3)
    page = demo.locator(CHAT).get_by_role("link", name="Source: The Django documentation")
    await expect(page).to_have_attribute("href", "https://docs.djangoproject.com/")
    await page.hover()
    await expect(demo.get_by_text("Models, views, templates and everything else.")).to_be_visible()
    await demo.get_by_text("Sources · 3").click()
    await expect(items(demo).last.get_by_text("features.py").last).to_be_visible()


async def test_sources_of_the_page_are_previewed_and_can_be_clicked(demo: Page):
    await pick_and_wait(demo, "Sources")
    product = button(demo, "Source: Coffee")
    await product.hover()
    await expect(demo.get_by_text("12 €")).to_be_visible()
    await product.click()
    await expect(items(demo).nth(2)).to_have_text("YouTell me more: Coffee")
    await end_of_answer(demo)
    await expect(answers(demo)).to_have_count(2)


async def test_an_image_is_made_enlarged_and_offered_for_download(demo: Page):
    progress = demo.locator(CHAT).get_by_role("progressbar", name="Making an image…")
    await record(demo, ".image-progress", "aria-valuenow")
    await pick_and_wait(demo, "An image")
    assert await recorded(demo) == ["0", "30"]
    picture = items(demo).last.locator("img")
    await expect(picture).to_have_attribute("src", re.compile("landscape.png$"))
    await expect(progress).to_be_hidden()
    await expect(items(demo).last.get_by_role("link", name="Download")).to_have_attribute(
        "href", re.compile("landscape.png$")
    )
    await button(demo, "Enlarge image: Image").click()
    dialog = demo.locator(CHAT).get_by_role("dialog")
    await expect(dialog.get_by_role("img")).to_be_visible()
    await dialog.get_by_role("button", name="Close").click()
    await expect(dialog).to_have_count(0)


async def test_a_long_answer_is_markdown_of_every_kind(demo: Page):
    await pick_and_wait(demo, "A long answer")
    answer = answers(demo)
    await expect(answer.get_by_role("heading")).to_have_text(
        ["How to make a cup of coffee", "What you need", "What you do", "A last word"]
    )
    await expect(answer.locator("ul ul > li")).to_have_text(["with burrs", "not with blades"])
    await expect(answer.locator("ol > li")).to_have_count(3)
    await expect(answer.get_by_role("row")).to_have_count(4)
    await expect(answer.locator("pre")).to_contain_text("for cup in order.cups.all():")
    await expect(answer.locator("blockquote")).to_have_text("Coffee is a language in itself.")
    await expect(answer.locator("b, script")).to_have_count(0)
    await expect(answer).to_contain_text("<script>this does not run</script>")


async def test_progress_is_told_in_its_steps_and_goes(demo: Page):
    await record(demo, ".progress-text")
    await pick_and_wait(demo, "Progress")
    assert await recorded(demo) == ["Answering…", "Looking for beans…", "Grinding…"]
    await expect(demo.locator(f"{CHAT} .progress")).to_be_hidden()
    await expect(answers(demo)).to_have_text("The coffee is ready.")


async def test_a_notice_is_shown_with_its_link(demo: Page):
    await pick_and_wait(demo, "A notice")
    notice = demo.locator(f"{CHAT} .notice")
    await expect(notice).to_have_text("Nearly used upYou have 2 messages left today. More")
    await expect(notice.get_by_role("link", name="More")).to_have_attribute(
        "href", "https://www.djangoproject.com/"
    )


async def test_notices_of_each_level_are_told_apart(demo: Page):
    await pick_and_wait(demo, "Notices of each level")
    notices = demo.locator(f"{CHAT} .notice")
    await expect(notices).to_have_count(3)
    levels = await notices.evaluate_all("(all) => all.map((notice) => notice.dataset.level)")
    assert levels == ["info", "warning", "danger"]
    await expect(notices.nth(2)).to_contain_text("Sold outNothing is left.")


async def test_an_effect_on_the_page_is_seen(demo: Page):
    await pick(demo, "An effect on the page")
    page = demo.locator(".page .chat")
    await expect(page).to_have_class(re.compile("celebrating"))
    await expect(page).to_have_attribute("style", re.compile("#7c3aed"))


async def test_hidden_context_stays_on_the_server(demo: Page):
    await pick_and_wait(demo, "Hidden context")
    await expect(answers(demo)).to_contain_text("I have made a note that only the model can read")
    await demo.reload()
    await expect(answers(demo)).to_contain_text("I have made a note")
    await expect(demo.locator(CHAT)).not_to_contain_text("gold card")
    await expect(items(demo)).to_have_count(2)


async def test_the_end_of_a_turn_shows_nothing_of_its_own(demo: Page):
    await pick_and_wait(demo, "The end of a turn")
    await expect(items(demo).filter(visible=True)).to_have_text(
        ["YouShow me the end of a turn", "AssistantThis is all I have to say."]
    )


async def test_a_closed_conversation_takes_no_more_messages(demo: Page):
    await pick_and_wait(demo, "A closed conversation")
    await expect(box(demo)).to_be_hidden()
    await expect(demo.locator(f"{CHAT} .composer")).to_contain_text("The demo has closed this conversation.")
    await demo.reload()
    await expect(demo.locator(f"{CHAT} .composer")).to_contain_text("The demo has closed this conversation.")
    await button(demo, "New chat").click()
    await expect(box(demo)).to_be_visible()


async def test_a_failure_can_be_retried(demo: Page):
    await record(demo, ".progress-text")
    await pick(demo, "A failure")
    await expect(button(demo, "Retry")).to_be_visible()
    async with demo.expect_request(lambda request: operation(request, "threads.retry_after_item")):
        await button(demo, "Retry").click()
    # The first failure's button may be there until the second answer has begun.
    await demo.wait_for_function(
        "seen.filter((text) => text === 'Something is about to go wrong…').length === 2"
    )
    await end_of_answer(demo)
    await expect(button(demo, "Retry")).to_be_visible()
    await expect(items(demo)).to_have_text(["YouShow me a failure"])


# Files


def files(page: Page) -> Any:
    return page.get_by_role("list", name="Attached files").get_by_role("listitem")


async def choose(page: Page, *paths: Path) -> None:
    """By the menu and the browser's own dialog."""
    await button(page, "Files and tools").click()
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("menuitem", name="Attach files").click()
    await (await chooser.value).set_files([str(path) for path in paths])


async def test_a_file_is_uploaded_sent_and_told_of(demo: Page, tmp_path: Path):
    await pick_and_wait(demo, "A file")
    await expect(answers(demo)).to_contain_text("Attach a picture, a PDF document or a text")
    notes = tmp_path / "notes.txt"
    notes.write_text("hello")
    await choose(demo, notes, STATIC / "landscape.png")
    await expect(files(demo)).to_have_count(2)
    await expect(files(demo).nth(1).locator("canvas")).to_be_visible()
    for number in (0, 1):
        await expect(files(demo).nth(number)).to_have_attribute("data-state", "ready")
    await say(demo, "What is in them?")
    await end_of_answer(demo)
    await expect(answers(demo).last).to_contain_text("You have sent me 2 files:")
    await expect(answers(demo).last).to_contain_text("notes.txt: 5\xa0bytes, text/plain")
    await expect(answers(demo).last).to_contain_text("landscape.png")
    message = items(demo).nth(2)
    await expect(message.locator(".attached-file")).to_contain_text("notes.txt")
    await expect(files(demo)).to_have_count(0)
    picture = message.get_by_role("button", name="Enlarge image: landscape.png")
    await expect(picture.locator("img")).not_to_have_js_property("naturalWidth", 0)
    await picture.click()
    await expect(demo.locator(CHAT).get_by_role("dialog").get_by_role("img")).to_be_visible()
    await demo.keyboard.press("Escape")
    await demo.reload()
    await expect(picture.locator("img")).not_to_have_js_property("naturalWidth", 0)


async def test_a_file_is_pasted_and_dropped(demo: Page):
    await box(demo).evaluate(
        """(input) => {
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File(["hello"], "pasted.txt", {type: "text/plain"}));
            input.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true}));
        }"""
    )
    transfer = await demo.evaluate_handle(
        """() => {
            const transfer = new DataTransfer();
            transfer.items.add(new File(["hello"], "dropped.txt", {type: "text/plain"}));
            return transfer;
        }"""
    )
    await demo.locator(f"{CHAT} .thread").dispatch_event("dragenter", {"dataTransfer": transfer})
    await expect(demo.get_by_text("Drop files here")).to_be_visible()
    await demo.locator(f"{CHAT} .drop-zone").dispatch_event("drop", {"dataTransfer": transfer})
    await expect(files(demo)).to_have_text([re.compile(r"^pasted\.txt"), re.compile(r"^dropped\.txt")])
    for number in (0, 1):
        await expect(files(demo).nth(number)).to_have_attribute("data-state", "ready")
    await say(demo, "Two files")
    await end_of_answer(demo)
    await expect(answers(demo)).to_contain_text("You have sent me 2 files:")


async def test_a_file_that_is_not_taken_is_refused_before_it_is_sent(demo: Page, tmp_path: Path):
    requests: list[str] = []
    demo.on(
        "request", lambda request: requests.append(request.url) if "/static/" not in request.url else None
    )
    program = tmp_path / "program.exe"
    program.write_bytes(b"MZ")
    large = tmp_path / "large.txt"
    with large.open("wb") as output:
        output.truncate(50 * 1024 * 1024)
    await choose(demo, program, large)
    problem = demo.locator(f"{CHAT} .composer").get_by_role("alert")
    await expect(problem).to_contain_text("program.exe is of a type that is not accepted here.")
    await expect(problem).to_contain_text("large.txt is larger than")
    await expect(files(demo)).to_have_count(0)
    assert requests == []


async def test_a_file_that_is_removed_is_not_sent(demo: Page):
    await choose(demo, STATIC / "landscape.png")
    await expect(files(demo)).to_have_attribute("data-state", "ready")
    async with demo.expect_request(lambda request: operation(request, "attachments.delete")):
        await button(demo, "Remove landscape.png").click()
    await expect(files(demo)).to_have_count(0)


# The composer


async def sent_options(page: Page, text: str) -> dict[str, Any]:
    """The inference options that go with a message."""
    request_of = ("threads.create", "threads.add_user_message")
    async with page.expect_request(
        lambda request: any(operation(request, name) for name in request_of)
    ) as asked:
        await say(page, text)
    await end_of_answer(page)
    options: dict[str, Any] = (await asked.value).post_data_json["params"]["input"]["inference_options"]
    return options


async def test_pinned_tool_goes_with_one_message(demo: Page):
    await button(demo, "Weather").click()
    await expect(box(demo)).to_have_attribute("placeholder", "A city")
    assert (await sent_options(demo, "Rome"))["tool_choice"] == {"id": "get_weather"}
    await expect(widgets(demo)).to_contain_text("Rome")
    await expect(button(demo, "Weather")).to_have_attribute("aria-pressed", "false")
    assert "tool_choice" not in await sent_options(demo, "hello")


async def test_persistent_tool_from_the_menu_stays(demo: Page):
    await button(demo, "Files and tools").click()
    entry = demo.get_by_role("menuitemradio", name="My browser")
    await expect(entry.locator("svg")).to_have_attribute("data-icon", "desktop")
    await entry.click()
    for text in ("one", "two"):
        assert (await sent_options(demo, text))["tool_choice"] == {"id": "get_browser"}
        await expect(answers(demo).last).to_contain_text("timeZone")
    await button(demo, "Browser").click()
    assert "tool_choice" not in await sent_options(demo, "three")


async def test_model_is_chosen(demo: Page):
    assert (await sent_options(demo, "one"))["model"] == "gpt-4.1-mini"
    await button(demo, "Model: Fast").click()
    await expect(demo.get_by_role("menuitemradio")).to_have_text(["Fastgpt-4.1-mini", "Thoroughgpt-4.1"])
    await demo.get_by_role("menuitemradio", name="Thorough").click()
    assert (await sent_options(demo, "two"))["model"] == "gpt-4.1"


async def test_product_is_mentioned_and_previewed(demo: Page):
    await button(demo, "Mention").click()
    product = demo.get_by_role("option", name="Coffee")
    await expect(product.locator("svg")).to_have_attribute("data-icon", "cube")
    await product.click()
    await box(demo).press_sequentially("please")
    async with demo.expect_request(lambda request: operation(request, "threads.create")) as asked:
        await box(demo).press("Enter")
    content = (await asked.value).post_data_json["params"]["input"]["content"]
    assert [part["type"] for part in content] == ["input_tag", "input_text"]
    assert content[0]["data"] == {"price": "12"}
    tag = button(demo, "Coffee")
    await end_of_answer(demo)
    await tag.hover()
    await expect(demo.get_by_text("12 €")).to_be_visible()


async def test_command_asks_for_a_form(demo: Page):
    await box(demo).press_sequentially("/fo")
    command = demo.get_by_role("option", name="Form")
    await expect(command).to_have_text("FormAsk for a form")
    await expect(command.locator("svg")).to_have_attribute("data-icon", "notebook-pencil")
    await command.click()
    await expect(box(demo)).to_have_value("Show me a form")


async def test_command_opens_a_menu_whose_entry_is_a_tag(demo: Page):
    await box(demo).press_sequentially("/prod")
    await demo.get_by_role("option", name="Product").click()
    await demo.get_by_role("option", name="Grinder").click()
    await expect(box(demo)).to_have_value("@Grinder ")


async def test_command_of_the_page_sends_an_action(demo: Page):
    await say(demo, "hello")
    await end_of_answer(demo)
    await box(demo).press_sequentially("/gre")
    await demo.get_by_role("option", name="Greet").click()
    await expect(answers(demo).last).to_have_text("The page says: Hello from the page!")
    await box(demo).press_sequentially("/cle")
    await demo.get_by_role("option", name="Clear").click()
    await expect(demo.get_by_text("Welcome to Café Demo. What can I do for you?")).to_be_visible()


async def test_dictation_becomes_text(speaker: Page):
    await button(speaker, "Dictate").click()
    await expect(speaker.get_by_role("timer")).to_have_text("0:01")
    await button(speaker, "Finish dictating").click()
    await expect(box(speaker)).to_have_value(
        re.compile("a dictation of .+, without a model to understand it")
    )


async def test_disclaimer_is_below_the_composer(demo: Page):
    await expect(demo.locator(f"{CHAT} .composer")).to_contain_text(
        "A demo. Without OPENAI_API_KEY the built-in offline model answers."
    )


# Answers


async def test_feedback_is_there_after_a_reload(demo: Page):
    await pick_and_wait(demo, "Progress")
    async with demo.expect_response(lambda response: operation(response.request, "items.feedback")):
        await button(demo, "Good answer").click()
    await expect(button(demo, "Good answer")).to_have_attribute("aria-pressed", "true")
    await demo.reload()
    await expect(button(demo, "Good answer")).to_have_attribute("aria-pressed", "true")
    await expect(button(demo, "Bad answer")).to_have_attribute("aria-pressed", "false")


async def test_answer_is_given_again(demo: Page):
    await pick_and_wait(demo, "A task")
    await say(demo, "Write some Markdown")
    await end_of_answer(demo)
    async with demo.expect_request(lambda request: operation(request, "threads.retry_after_item")):
        await button(demo, "Answer again").last.click()
    await end_of_answer(demo)
    await expect(items(demo)).to_have_count(4)
    await expect(answers(demo)).to_contain_text("A Markdown sample")


async def test_answer_is_copied(demo: Page):
    await demo.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await pick_and_wait(demo, "A long answer")
    await button(demo, "Copy").last.click()
    markdown = (ROOT / "project" / "long_answer.md").read_text()
    await demo.wait_for_function(
        "(start) => navigator.clipboard.readText().then((text) => text.startsWith(start))", arg=markdown[:400]
    )


async def test_answer_is_quoted(demo: Page):
    await pick_and_wait(demo, "Progress")
    await button(demo, "Quote").click()
    await expect(box(demo)).to_be_focused()
    await say(demo, "Really?")
    await end_of_answer(demo)
    await expect(items(demo).nth(2).locator("blockquote")).to_have_text("The coffee is ready.")


async def test_answer_is_stopped_and_stays_as_it_is(demo: Page):
    await pick(demo, "A long answer")
    await expect(answers(demo)).to_contain_text("What you need")
    async with demo.expect_response(re.compile("/stop$")) as stopped:
        await button(demo, "Stop answering").click()
    assert await (await stopped.value).json() == {"stopped": True}
    await expect(demo.locator(f"{CHAT} .stopped")).to_be_visible()
    await demo.reload()
    await expect(answers(demo)).to_contain_text("What you need")
    await expect(answers(demo)).not_to_contain_text("A last word")


# Conversations


async def test_title_comes_by_itself_and_is_edited_in_the_header(demo: Page):
    await pick_and_wait(demo, "A task")
    title = demo.locator(TITLE)
    await expect(title).to_have_text("Show me a task")
    await title.get_by_role("button").click()
    field = demo.locator(CHAT).get_by_role("textbox", name="Title of the conversation")
    await field.fill("Timetables")
    async with demo.expect_response(lambda response: operation(response.request, "threads.update")):
        await field.press("Enter")
    await expect(title).to_have_text("Timetables")
    await demo.reload()
    await expect(title).to_have_text("Timetables")


async def test_history_renames_deletes_and_opens(demo: Page):
    for prompt in ("A task", "Progress"):
        await pick_and_wait(demo, prompt)
        await button(demo, "New chat").click()
    await button(demo, "Show conversations").click()
    rows = demo.locator(f"{CHAT} .thread-item")
    await expect(rows).to_contain_text(["Show me some progress", "Show me a task"])
    await rows.nth(1).get_by_role("button", name="Actions").click()
    await demo.get_by_role("menuitem", name="Rename").click()
    await rows.nth(1).get_by_role("textbox").fill("Timetables")
    await rows.nth(1).get_by_role("textbox").press("Enter")
    await expect(rows.nth(1)).to_contain_text("Timetables")
    await rows.nth(0).get_by_role("button", name="Actions").click()
    await demo.get_by_role("menuitem", name="Delete").click()
    dialog = demo.locator(CHAT).get_by_role("alertdialog")
    await expect(dialog).to_contain_text("Show me some progress")
    await dialog.get_by_role("button", name="Cancel").click()
    await expect(rows).to_have_count(2)
    await rows.nth(0).get_by_role("button", name="Actions").click()
    await demo.get_by_role("menuitem", name="Delete").click()
    await dialog.get_by_role("button", name="Delete").click()
    await expect(rows).to_have_count(1)
    await rows.get_by_role("button", name="Timetables").click()
    await expect(items(demo)).to_have_count(2)
    await expect(demo.locator(TITLE)).to_have_text("Timetables")


async def test_reload_in_mid_answer_goes_on_where_it_was(demo: Page):
    await pick(demo, "A long answer")
    await expect(answers(demo)).to_contain_text("What you need")
    async with demo.expect_request(re.compile(r"/runs/[^/]+/events$")):
        await demo.reload()
    await expect(answers(demo)).to_contain_text("A last word")
    await end_of_answer(demo)
    await expect(items(demo)).to_have_count(2)
    await expect(answers(demo).get_by_role("heading")).to_have_count(4)


async def test_answer_goes_on_while_another_conversation_is_shown(demo: Page):
    await pick(demo, "A long answer")
    await expect(answers(demo)).to_contain_text("How to make")
    await button(demo, "New chat").click()
    await pick(demo, "A workflow")
    await expect(demo.locator(TITLE)).to_have_text("Show me a workflow")
    await button(demo, "Show conversations").click()
    rows = demo.locator(f"{CHAT} .thread-item")
    await expect(rows.nth(0).get_by_role("img", name="Answering…")).to_be_visible()
    await rows.nth(1).locator(".thread-row").click()
    await expect(answers(demo)).to_contain_text("A last word")
    await end_of_answer(demo)
    await expect(items(demo)).to_have_count(2)
    await button(demo, "Show conversations").click()
    await rows.nth(0).locator(".thread-row").click()
    await expect(answers(demo)).to_have_text("The trip is planned.")


async def test_answer_goes_on_when_the_network_is_back(browser: Browser, demo_url: str):
    async with Cable(demo_url) as cable:
        page = await browser.new_page(base_url=cable.url)
        await visit(page)
        await pick(page, "A long answer")
        await expect(answers(page)).to_contain_text("What you need")
        cable.cut()
        await expect(page.get_by_text("The connection was lost. Reconnecting…")).to_be_visible()
        cable.mend()
        await expect(answers(page)).to_contain_text("A last word")
        await end_of_answer(page)
        await expect(items(page)).to_have_count(2)
        await expect(answers(page).get_by_role("heading")).to_have_count(4)
        await page.context.close()


async def test_message_waits_for_the_network(demo: Page):
    await demo.context.set_offline(True)
    await say(demo, "hello")
    await expect(demo.locator(CHAT).get_by_role("alert").filter(visible=True)).to_contain_text(
        "The connection was lost."
    )
    await demo.context.set_offline(False)
    await expect(answers(demo)).to_contain_text("offline model")
    await expect(items(demo)).to_have_count(3)


async def test_narrow_page_shows_the_chat_from_header_to_composer(demo: Page):
    await demo.set_viewport_size({"width": 320, "height": 800})
    await pick_and_wait(demo, "A long answer")
    await box(demo).focus()
    await expect(box(demo)).to_be_in_viewport(ratio=1)
    await expect(button(demo, "New chat")).to_be_in_viewport(ratio=1)
    assert await demo.evaluate("document.documentElement.scrollWidth") == 320


async def test_visitors_see_nothing_of_each_other(demo: Page, browser: Browser, demo_url: str):
    await pick_and_wait(demo, "A task")
    other = await browser.new_context(base_url=demo_url)
    page = await other.new_page()
    await visit(page)
    await button(page, "Show conversations").click()
    await expect(page.get_by_text("No conversations yet.")).to_be_visible()
    await other.close()


async def test_page_has_one_region_that_is_the_chat(demo: Page):
    await expect(demo.get_by_role("region", name="Chat", exact=True)).to_have_count(1)
