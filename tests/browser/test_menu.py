"""Menus, dialogs and what floats: by keyboard, in their place, and without taking the focus with them."""

from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from .site import Site

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

# A button with a menu in a tall page, in a shadow root as the element's.
SHOW = """async ({direction = "ltr", style = "", options = {}}) => {
  const { Menu } = await import(CLIENT + "/element/ui/menu.js");
  const { styleSheet } = await import(CLIENT + "/element/style-sheet.js");
  document.body.replaceChildren();
  document.body.style.cssText = "min-height: 3000px";
  document.dir = direction;
  scrollTo(0, 0);
  const host = document.body.appendChild(document.createElement("div"));
  const root = host.attachShadow({mode: "open"});
  root.adoptedStyleSheets = [styleSheet()];
  const frame = root.appendChild(document.createElement("div"));
  frame.className = "frame";
  const button = frame.appendChild(document.createElement("button"));
  button.textContent = "Open";
  button.style.cssText = `position: absolute; ${style}`;
  frame.style.blockSize = "2500px";
  window.chosen = [];
  const entry = (label, more) => ({label, onSelect: () => chosen.push(label), ...more});
  const entries = [entry("Alpha"), entry("Beta", {disabled: true}), entry("Gamma", {description: "The third"})];
  new Menu(button, () => entries, options);
}"""


async def show(page: Page, **case: Any) -> Locator:
    await page.evaluate(SHOW, case)
    return page.get_by_role("button", name="Open")


def item(page: Page, name: str) -> Locator:
    return page.get_by_role("menuitem", name=name)


async def test_menu_is_walked_by_keyboard(bench: Page):
    button = await show(bench)
    await button.press("ArrowDown")
    await expect(item(bench, "Alpha")).to_be_focused()
    for key, name in [
        ("ArrowUp", "Gamma"),
        ("ArrowDown", "Alpha"),
        ("End", "Gamma"),
        ("Home", "Alpha"),
        ("g", "Gamma"),
    ]:
        await bench.keyboard.press(key)
        await expect(item(bench, name)).to_be_focused()
    await bench.keyboard.press("Enter")
    await expect(button).to_be_focused()
    await expect(bench.get_by_role("menu")).to_be_hidden()
    assert await bench.evaluate("chosen") == ["Gamma"]


async def test_menu_entry_that_is_disabled_does_nothing(bench: Page):
    button = await show(bench)
    await button.press("Enter")
    await bench.keyboard.press("b")
    await bench.keyboard.press("Enter")
    await expect(item(bench, "Beta")).to_be_focused()
    assert await bench.evaluate("chosen") == []


async def test_escape_closes_the_menu_and_nothing_else(bench: Page):
    button = await show(bench)
    await bench.evaluate(
        "document.addEventListener('keydown', ({key}) => { if (key === 'Escape') chosen.push(key); })"
    )
    await button.press("Enter")
    await expect(button).to_have_attribute("aria-expanded", "true")
    await bench.keyboard.press("Escape")
    await expect(button).to_be_focused()
    await expect(button).to_have_attribute("aria-expanded", "false")
    assert await bench.evaluate("chosen") == []


async def test_second_press_closes_the_menu(bench: Page):
    button = await show(bench)
    await button.click()
    await expect(bench.get_by_role("menu")).to_be_visible()
    await button.click()
    await expect(bench.get_by_role("menu")).to_be_hidden()


async def test_click_elsewhere_leaves_the_focus_there(bench: Page):
    button = await show(bench)
    await bench.evaluate(
        "document.body.prepend(document.createElement('input'));"
        "document.querySelector('input').style.marginTop = '300px'"
    )
    await button.click()
    await bench.locator("input").click()
    await expect(bench.get_by_role("menu")).to_be_hidden()
    await expect(bench.locator("input")).to_be_focused()


PLACES = [
    ("ltr", "top: 20px; left: 20px", {}, ("left", "below")),
    ("ltr", "top: 20px; right: 20px", {"alignEnd": True}, ("right", "below")),
    ("rtl", "top: 20px; right: 20px", {}, ("right", "below")),
    ("rtl", "top: 20px; left: 20px", {"alignEnd": True}, ("left", "below")),
    ("ltr", "top: 560px; left: 20px", {}, ("left", "above")),
    ("ltr", "top: 300px; left: 20px", {"above": True}, ("left", "above")),
]


@pytest.mark.parametrize(("direction", "style", "options", "expected"), PLACES)
async def test_menu_stands_at_its_button(
    bench: Page, direction: str, style: str, options: Any, expected: tuple[str, str]
):
    await bench.set_viewport_size({"width": 320, "height": 600})
    button = await show(bench, direction=direction, style=style, options=options)
    await button.click()
    at, menu = await button.bounding_box(), await bench.get_by_role("menu").bounding_box()
    edge, side = expected
    if edge == "left":
        assert menu["x"] == pytest.approx(at["x"], abs=1)
    else:
        assert menu["x"] + menu["width"] == pytest.approx(at["x"] + at["width"], abs=1)
    gap = menu["y"] - at["y"] - at["height"] if side == "below" else at["y"] - menu["y"] - menu["height"]
    assert gap == pytest.approx(6, abs=1)


async def test_menu_wider_than_what_is_left_stays_in_the_window(bench: Page):
    await bench.set_viewport_size({"width": 320, "height": 600})
    button = await show(bench, style="top: 20px; right: 4px")
    await button.click()
    menu = await bench.get_by_role("menu").bounding_box()
    assert menu["x"] >= 6
    assert menu["x"] + menu["width"] <= 314


@pytest.mark.parametrize(
    "change", ["scrollTo(0, 40)", "document.body.style.paddingTop = '60px'; scrollTo(0, 1)"]
)
async def test_menu_stays_at_its_button_while_the_page_scrolls(bench: Page, change: str):
    button = await show(bench, style="top: 300px; left: 20px")
    await button.click()
    await bench.evaluate(change)
    await bench.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    at, menu = await button.bounding_box(), await bench.get_by_role("menu").bounding_box()
    assert menu["y"] - at["y"] - at["height"] == pytest.approx(6, abs=1)


ASK = """async () => {
  const { confirm } = await import(CLIENT + "/element/ui/dialog.js");
  const frame = document.querySelector("openai-chatkit").shadowRoot.querySelector(".frame");
  document.addEventListener("keydown", ({key}) => { window.heard = key; });
  confirm(frame, {title: "Sure?", text: "It is gone then.", confirm: "Yes", cancel: "No", danger: true})
    .then((answer) => { window.answer = answer; });
}"""


@pytest.mark.parametrize(
    ("keys", "answer"),
    [(["Escape"], False), (["Enter"], False), (["Tab", "Enter"], True)],
)
async def test_dialog_is_answered_by_keyboard_and_gives_the_focus_back(
    page: Page, pages: Site, keys: list[str], answer: bool
):
    await page.goto("/")
    history = page.get_by_role("button", name="Show conversations")
    await history.focus()
    await page.evaluate(ASK)
    dialog = page.get_by_role("alertdialog", name="Sure?")
    await expect(dialog).to_have_accessible_description("It is gone then.")
    await expect(dialog.get_by_role("button", name="No")).to_be_focused()
    for key in keys:
        await page.keyboard.press(key)
    await expect(dialog).to_have_count(0)
    await expect(history).to_be_focused()
    await page.wait_for_function("'answer' in window")
    assert await page.evaluate("[answer, window.heard]") == [answer, None]
