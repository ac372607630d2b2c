"""Forms in widgets: what their fields add to the payload of an action, and when they may be sent."""

from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from .site import Site
from .test_widgets import GO, acts, button, card, show, text, update

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]


@pytest_asyncio.fixture(loop_scope="package")
async def page(bench: Page) -> Page:
    return bench


def form(*children: Any, **action: Any) -> dict[str, Any]:
    return {"type": "Form", "onSubmitAction": {"type": "save", **action}, "children": list(children)}


def field(name: str, value: str = "", kind: str = "Input", **props: Any) -> dict[str, Any]:
    return {"type": kind, "name": name, "defaultValue": value, **props}


SAVE = button("Save", submit=True)
SIZES = [{"value": "s", "label": "Small"}, {"value": "m", "label": "Medium"}]


# What is collected


async def test_form_adds_its_fields_to_the_payload(page: Page, pages: Site):
    children = [
        field("todo.title", "Tea"),
        field("todo.notes", "Green", "Textarea"),
        field("size", "m", "Select", options=SIZES),
        field("day", "2025-03-01T10:00:00Z", "DatePicker"),
        {"type": "Checkbox", "name": "gift", "defaultChecked": True},
        {"type": "Checkbox", "name": "rush"},
        field("how", "s", "RadioGroup", options=SIZES),
        field("unset", "", "RadioGroup", options=SIZES),
        text("Old", editable={"name": "label"}),
        SAVE,
    ]
    widget = await show(page, card(form(*children, payload={"id": 7, "todo": {"list": 3}})))
    await widget.get_by_role("textbox", name="todo.title").fill("Coffee")
    await widget.get_by_role("textbox", name="label").fill("New")
    await widget.get_by_role("button", name="Save").click()
    payload = {
        "id": 7,
        "todo": {"list": 3, "title": "Coffee", "notes": "Green"},
        "size": "m",
        "day": "2025-03-01",
        "gift": True,
        "rush": False,
        "how": "s",
        "unset": "",
        "label": "New",
    }
    assert await acts(page) == [["save", payload]]
    await expect(widget).to_have_attribute("aria-busy", "true")


async def test_payload_keeps_what_it_has(page: Page, pages: Site):
    widget = await show(
        page, card(form(field("id", "typed"), field("a.b", "typed"), SAVE, payload={"id": 7, "a": 1}))
    )
    await widget.get_by_role("button").click()
    assert await acts(page) == [["save", {"id": 7, "a": 1}]]


async def test_every_action_out_of_a_form_carries_its_fields(page: Page, pages: Site):
    draft = button("Draft", onClickAction={"type": "draft", "payload": {"id": 7}})
    widget = await show(page, card(field("outside", "x"), form(field("title", "Tea", required=True), draft)))
    await widget.get_by_role("textbox", name="title").fill("")
    await widget.get_by_role("button").click()
    assert await acts(page) == [["draft", {"id": 7, "title": ""}]]


async def test_form_leaves_out_what_is_disabled_or_in_another_form(page: Page, pages: Site):
    inner = form(field("inner", "1"), button("Inner", submit=True))
    widget = await show(page, card(form(field("a", "1"), field("b", "2", disabled=True), inner, SAVE)))
    await widget.get_by_role("button", name="Inner").click()
    await page.evaluate("finish()")
    await widget.get_by_role("button", name="Save").click()
    assert await acts(page) == [["save", {"inner": "1"}], ["save", {"a": "1"}]]


async def test_names_cannot_reach_prototypes_or_hide_the_form(page: Page, pages: Site):
    names = ["__proto__.polluted", "constructor.prototype.polluted", "a.__proto__", ".", "elements", "submit"]
    names += ["querySelectorAll", "requestSubmit", "closest"]
    widget = await show(page, card(form(*[field(name, "x") for name in names], SAVE)))
    await widget.get_by_role("button").click()
    expected = {"elements": "x", "submit": "x", "querySelectorAll": "x", "requestSubmit": "x", "closest": "x"}
    assert await acts(page) == [["save", expected]]
    assert await page.evaluate("({}).polluted") is None


async def test_payload_that_is_no_object_is_sent_as_it_is(page: Page, pages: Site):
    widget = await show(page, card(form(field("a", "1"), SAVE, payload=[1, 2])))
    await widget.get_by_role("button").click()
    assert await acts(page) == [["save", [1, 2]]]


# When it is sent


async def test_form_is_not_sent_before_it_is_valid(page: Page, pages: Site):
    children = [field("name", required=True), field("code", "x1", "Textarea", pattern="[a-z]+"), SAVE]
    widget = await show(page, card(form(*children)))
    name, code = widget.get_by_role("textbox", name="name"), widget.get_by_role("textbox", name="code")
    await widget.get_by_role("button").click()
    await expect(name).to_be_focused()
    await name.fill("Ada")
    await widget.get_by_role("button").click()
    await expect(code).to_be_focused()
    await code.fill("abc")
    assert await acts(page) == []
    await widget.get_by_role("button").click()
    assert await acts(page) == [["save", {"name": "Ada", "code": "abc"}]]


async def test_enter_sends_a_form_of_several_fields_without_a_button(page: Page, pages: Site):
    widget = await show(page, card(form(field("a"), field("b"), field("c", kind="Textarea"))))
    await widget.get_by_role("textbox", name="c").press("Enter")
    await widget.get_by_role("textbox", name="a").dispatch_event(
        "keydown", {"key": "Enter", "isComposing": True}
    )
    assert await acts(page) == []
    await widget.get_by_role("textbox", name="a").press("Enter")
    assert await acts(page) == [["save", {"a": "", "b": "", "c": "\n"}]]


async def test_action_of_a_submit_button_goes_before_that_of_its_form(page: Page, pages: Site):
    publish = button("Publish", submit=True, onClickAction={"type": "publish"})
    widget = await show(page, card(form(field("a", required=True), publish)))
    await widget.get_by_role("button").click()
    assert await acts(page) == []
    await widget.get_by_role("textbox").fill("x")
    await widget.get_by_role("button").click()
    assert await acts(page) == [["publish", {"a": "x"}]]


async def test_card_as_form_validates_for_confirm_and_not_for_cancel(page: Page, pages: Site):
    ask = {
        "confirm": {"label": "Yes", "action": {"type": "yes"}},
        "cancel": {"label": "No", "action": {"type": "no"}},
    }
    widget = await show(page, card(field("a", required=True), asForm=True, **ask))
    await widget.get_by_role("button", name="Yes").click()
    assert await acts(page) == []
    await widget.get_by_role("button", name="No").click()
    await page.evaluate("finish()")
    await widget.get_by_role("textbox").fill("x")
    await widget.get_by_role("textbox").press("Enter")
    assert await acts(page) == [["no", {"a": ""}], ["yes", {"a": "x"}]]


async def test_card_that_is_no_form_sends_no_fields(page: Page, pages: Site):
    widget = await show(page, card(field("a", "x"), confirm={"label": "Yes", "action": GO}))
    await widget.get_by_role("button").click()
    assert await acts(page) == [["go", None]]


# Fields by themselves


async def test_change_of_a_field_is_sent_under_its_name(page: Page, pages: Site):
    change = {"type": "change", "payload": {"id": 7}}
    children = [
        field("size", kind="Select", options=SIZES, onChangeAction=change),
        field("day", kind="DatePicker", onChangeAction=change, ariaLabel="Day"),
        {"type": "Checkbox", "name": "gift", "label": "Gift", "onChangeAction": change},
        field("how", kind="RadioGroup", options=SIZES, onChangeAction=change),
    ]
    widget = await show(page, card(*children))
    await widget.get_by_role("combobox").select_option("m")
    await widget.get_by_label("Day", exact=True).fill("2025-03-02")
    await widget.get_by_label("Day", exact=True).blur()
    await widget.get_by_role("checkbox").check()
    await widget.get_by_role("radio", name="Small").check()
    payloads = [payload for _, payload in await acts(page)]
    assert payloads == [
        {"id": 7, "size": "m"},
        {"id": 7, "day": "2025-03-02"},
        {"id": 7, "gift": True},
        {"id": 7, "how": "s"},
    ]
    await expect(widget.locator("[aria-busy]")).to_have_count(0)


async def test_choice_can_be_taken_back(page: Page, pages: Site):
    select = field(
        "size", "m", "Select", options=SIZES, clearable=True, placeholder="Size", onChangeAction=GO
    )
    widget = await show(page, card(select))
    await widget.get_by_role("button", name="Clear").click()
    await expect(widget.get_by_role("combobox")).to_have_value("")
    await expect(widget.get_by_role("button", name="Clear")).to_be_hidden()
    await expect(widget.get_by_role("combobox")).to_be_focused()
    assert await acts(page) == [["go", {"size": ""}]]


async def test_label_names_the_field_of_its_form(page: Page, pages: Site):
    def labelled(value: str) -> dict[str, Any]:
        return form({"type": "Label", "value": value, "fieldName": "name"}, field("name", placeholder="…"))

    widget = await show(page, card(labelled("Guest"), labelled("Host")))
    await widget.get_by_text("Host").click()
    await expect(widget.get_by_role("textbox", name="Host", exact=True)).to_be_focused()
    await expect(widget.get_by_role("textbox", name="Guest", exact=True)).to_have_count(1)


async def test_new_default_takes_the_place_of_what_nobody_has_changed(page: Page, pages: Site):
    def fields(value: str) -> list[dict[str, Any]]:
        choice: dict[str, Any] = {"kind": "Select", "options": SIZES}
        return [field("a", value), field("b", value), field("c", value, **choice), field("d", "s", **choice)]

    widget = await show(page, card(*fields("s")))
    await widget.get_by_role("textbox", name="b").fill("typed")
    await widget.get_by_role("combobox", name="d").select_option("m")
    await update(page, card(*fields("m")))
    values = await widget.locator("[data-name]").evaluate_all("(fields) => fields.map(({ value }) => value)")
    assert values == ["m", "typed", "m", "m"]


async def test_field_takes_the_focus_only_from_its_own_widget(page: Page, pages: Site):
    editor = [field("title", autoFocus=True, key="editor")]
    widget = await show(page, card(button("Edit", onClickAction=GO), *editor))
    await expect(widget.get_by_role("textbox")).not_to_be_focused()
    await update(page, card(button("Edit", onClickAction=GO)))
    await widget.get_by_role("button").focus()
    await update(page, card(*editor))
    await expect(widget.get_by_role("textbox")).to_be_focused()


async def test_date_is_bounded_by_the_days_as_written(page: Page, pages: Site):
    day = field("day", "2025-03-01T23:30:00+09:00", "DatePicker", min="2025-02-01T00:00:00", max="nonsense")
    widget = await show(page, card(day))
    date = widget.locator("input")
    assert await date.evaluate("({ value, min, max }) => [value, min, max]") == [
        "2025-03-01",
        "2025-02-01",
        "",
    ]


# The calendar


@pytest.fixture
def day() -> dict[str, Any]:
    return card(form(field("day", "2025-02-28", "DatePicker", onChangeAction=GO, max="2025-04-10")))


async def open_calendar(page: Page) -> None:
    await page.get_by_role("button", name="Choose a day").click()
    await expect(page.get_by_role("dialog")).to_be_visible()


async def test_day_is_chosen_from_a_calendar(page: Page, pages: Site, day: dict[str, Any]):
    await show(page, day)
    await open_calendar(page)
    await expect(page.get_by_role("dialog")).to_contain_text("February 2025")
    await page.get_by_role("button", name="Next month").click()
    await page.get_by_role("gridcell", name="Wednesday, March 12, 2025").get_by_role("button").click()
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(page.get_by_role("button", name="Choose a day")).to_be_focused()
    assert await acts(page) == [["go", {"day": "2025-03-12"}]]


@pytest.mark.parametrize(
    ("keys", "chosen"),
    [
        ("ArrowRight", "2025-03-01"),
        ("ArrowLeft ArrowUp", "2025-02-20"),
        ("Home", "2025-02-23"),
        ("End", "2025-03-01"),
        ("PageDown ArrowDown", "2025-04-04"),
        ("PageDown PageDown", "2025-04-10"),
        ("PageUp", "2025-01-28"),
        ("Shift+PageUp", "2024-02-28"),
    ],
)
async def test_calendar_is_walked_by_keys(
    page: Page, pages: Site, day: dict[str, Any], keys: str, chosen: str
):
    widget = await show(page, day)
    await open_calendar(page)
    for key in keys.split():
        await page.keyboard.press(key)
    await page.keyboard.press("Enter")
    await expect(widget.locator("input")).to_have_value(chosen)


async def test_calendar_is_left_without_a_choice(page: Page, pages: Site, day: dict[str, Any]):
    widget = await show(page, day)
    await open_calendar(page)
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(page.get_by_role("button", name="Choose a day")).to_be_focused()
    await expect(widget.locator("input")).to_have_value("2025-02-28")
    assert await acts(page) == []


async def test_calendar_offers_the_days_that_may_be_chosen(page: Page, pages: Site, day: dict[str, Any]):
    await show(page, day)
    await open_calendar(page)
    await page.keyboard.press("PageDown")
    await page.keyboard.press("PageDown")
    await expect(page.get_by_role("button", name="Friday, April 11, 2025")).to_be_disabled()
    await expect(page.get_by_role("button", name="Thursday, April 10, 2025")).to_be_focused()


# What is not said


@pytest.mark.parametrize(
    ("props", "background"),
    [
        ({}, "rgb(27, 27, 29)"),
        ({"style": "primary"}, "rgb(27, 27, 29)"),
        ({"style": "secondary"}, "rgba(0, 0, 0, 0)"),
    ],
)
async def test_button_is_solid_unless_it_is_secondary(
    page: Page, pages: Site, props: dict[str, Any], background: str
):
    widget = await show(page, card(button("Go", onClickAction=GO, **props)))
    await expect(widget.get_by_role("button")).to_have_css("background-color", background)


async def test_button_that_does_nothing_is_disabled(page: Page, pages: Site):
    widget = await show(page, card(button("Nothing")))
    await expect(widget.get_by_role("button")).to_be_disabled()


async def test_choices_are_as_wide_as_the_other_fields(page: Page, pages: Site):
    widget = await show(
        page,
        card(form(field("a"), field("b", "", "Select", options=SIZES), field("c", "", "DatePicker"), SAVE)),
    )
    widths = await widget.locator(":is(.w-control, .w-button):visible").evaluate_all(
        "(nodes) => nodes.map((node) => Math.round(node.getBoundingClientRect().width))"
    )
    assert len(set(widths)) == 1
