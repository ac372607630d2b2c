"""What widgets look like that say nothing of their looks: as with the official client, to the pixel."""

from typing import Any

import pytest
from playwright.async_api import Page

from .test_widgets import GO, PIXEL, button, card, list_of, show, text

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

MEASURE = """(nodes) => nodes.map((node) => {
  const { fontSize, lineHeight, fontWeight } = getComputedStyle(node);
  return `${parseFloat(fontSize)}/${Math.round(parseFloat(lineHeight))} ${fontWeight}`;
})"""
SIZE = """(nodes) => nodes.map((node) => {
  const { width, height } = node.getBoundingClientRect();
  return [Math.round(width), Math.round(height)];
})"""
# How far each child is from the one before.
GAPS = """(parent, [end, start]) => [...parent.children].slice(1).map((child) =>
  Math.round(child.getBoundingClientRect()[start] - child.previousElementSibling.getBoundingClientRect()[end]))"""
COLUMN, ROW = ["bottom", "top"], ["right", "left"]

TITLE = {"type": "Title", "value": "Trip"}
CAPTION = {"type": "Caption", "value": "In May"}
LABEL = {"type": "Label", "value": "City", "fieldName": "city"}
INPUT = {"type": "Input", "name": "city"}
DIVIDER = {"type": "Divider"}
ICON = {"type": "Icon", "name": "star"}
PRESS = button("Go", onClickAction=GO)


def sized(kind: str, sizes: str, **props: Any) -> list[dict[str, Any]]:
    """One without a size, and one of each."""
    return [{"type": kind, **props}, *({"type": kind, **props, "size": size} for size in sizes.split())]


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        (
            sized("Text", "xs sm md lg xl", value="a"),
            ["16/24 400", "12/18 400", "14/20 400", "16/24 400", "18/29 400", "20/26 400"],
        ),
        (
            sized("Title", "sm md lg xl 2xl 3xl 4xl 5xl", value="a"),
            [
                *("20/26 500", "18/26 500", "20/26 500", "24/28 500", "32/38 500", "36/42 500"),
                *("48/50 500", "60/62 500", "72/74 500"),
            ],
        ),
        (sized("Caption", "sm md lg", value="a"), ["12/16 400", "10/13 400", "12/16 400", "14/18 400"]),
        (sized("Label", "sm md", value="a", fieldName="b"), ["14/20 500", "14/20 500", "16/24 500"]),
    ],
    ids=["Text", "Title", "Caption", "Label"],
)
async def test_text_has_the_size_and_the_line_of_its_kind(
    bench: Page, nodes: list[dict[str, Any]], expected: list[str]
):
    widget = await show(bench, card(*nodes))
    assert await widget.locator(".w-text").evaluate_all(MEASURE) == expected


@pytest.mark.parametrize(
    ("nodes", "selector", "heights"),
    [
        (
            sized("Button", "3xs 2xs xs sm md lg xl 2xl 3xl", label="Go", onClickAction=GO),
            ".w-button:visible",
            [36, 22, 24, 26, 28, 32, 36, 40, 44, 48],
        ),
        (
            sized("Input", "3xs 2xs xs sm md lg xl 2xl 3xl", name="a"),
            ".w-control",
            [32, 22, 24, 26, 28, 32, 36, 40, 44, 48],
        ),
        (sized("Textarea", "md", name="a"), ".w-control", [72, 72]),
        (sized("Select", "md lg", name="a", options=[]), ".w-control", [32, 32, 36]),
        (sized("DatePicker", "md lg", name="a"), ".w-control", [32, 32, 36]),
        (sized("Badge", "sm md lg", label="New"), ".w-badge", [20, 20, 22, 24]),
        (sized("Icon", "xs sm md lg xl 2xl 3xl", name="star"), "svg", [16, 12, 14, 16, 18, 20, 24, 32]),
    ],
    ids=["Button", "Input", "Textarea", "Select", "DatePicker", "Badge", "Icon"],
)
async def test_control_has_the_height_of_its_size(
    bench: Page, nodes: list[dict[str, Any]], selector: str, heights: list[int]
):
    widget = await show(bench, card(*nodes, size="full"))
    assert [height for _, height in await widget.locator(selector).evaluate_all(SIZE)] == heights


async def test_checkbox_and_radio_have_their_measures(bench: Page):
    widget = await show(
        bench,
        card(
            {"type": "Checkbox", "name": "a", "label": "Agreed"},
            {"type": "RadioGroup", "name": "b", "options": [{"value": "1", "label": "One"}]},
        ),
    )
    assert await widget.locator(".w-check > input").evaluate_all(SIZE) == [[18, 18], [16, 16]]
    assert await widget.locator(".w-check").evaluate_all(MEASURE) == ["14/20 400", "14/20 400"]


async def test_radios_stand_beside_one_another_unless_they_are_a_column(bench: Page):
    options = [{"value": "1", "label": "One"}, {"value": "2", "label": "Two"}]
    radios = {"type": "RadioGroup", "name": "a", "options": options}
    widget = await show(bench, card(radios, {**radios, "direction": "col"}))
    groups = widget.get_by_role("radiogroup")
    assert await groups.first.evaluate(GAPS, ROW) == [20]
    assert await groups.last.evaluate(GAPS, COLUMN) == [10]


@pytest.mark.parametrize(
    ("size", "width"), [(None, 360), ("sm", 360), ("md", 440), ("lg", 560), ("full", 900)]
)
async def test_card_has_the_width_of_its_size(bench: Page, size: str | None, width: int):
    widget = await show(bench, card(text("a"), size=size))
    [[card_width, _]] = await widget.locator(".w-card").evaluate_all(SIZE)
    frame_width = await widget.evaluate("(node) => Math.round(node.getBoundingClientRect().width)")
    assert card_width == min(width, frame_width)


async def test_status_and_buttons_of_a_card_stand_outside_of_it(bench: Page):
    action = {"label": "Send", "action": GO}
    widget = await show(
        bench,
        card(text("a"), status={"text": "A letter"}, confirm=action, cancel={"label": "Drop", "action": GO}),
    )
    root = widget.locator("> *")
    assert await root.evaluate("(node) => [...node.children].map((child) => child.className)") == [
        "w-status",
        "w-card",
        "w-footer",
    ]
    assert await widget.get_by_role("button").all_text_contents() == ["Send", "Drop"]
    [[_, height], [_, other]] = await widget.get_by_role("button").evaluate_all(SIZE)
    assert height == other == 36


@pytest.mark.parametrize(
    ("children", "gaps"),
    [
        ([text("a"), text("b")], [0]),
        ([CAPTION, text("b"), CAPTION], [0, 4]),
        ([TITLE, text("b"), TITLE, CAPTION], [8, 8, 16]),
        ([INPUT, text("b")], [12]),
        ([text("a"), PRESS, PRESS], [12, 8]),
        ([text("a"), DIVIDER, text("b")], [16, 16]),
        ([LABEL, INPUT, LABEL, INPUT], [2, 8, 2]),
        ([{"type": "Image", "src": PIXEL, "size": 40}, text("b")], [16]),
    ],
)
async def test_children_of_a_column_are_spaced_by_what_they_are(
    bench: Page, children: list[dict[str, Any]], gaps: list[int]
):
    widget = await show(bench, card(*children))
    assert await widget.locator(".w-body").evaluate(GAPS, COLUMN) == gaps


@pytest.mark.parametrize(
    ("children", "gaps"),
    [
        ([text("a"), text("b")], [8]),
        ([PRESS, PRESS], [6]),
        ([ICON, ICON, text("b")], [2, 8]),
        ([text("a"), DIVIDER, text("b")], [12, 12]),
        ([LABEL, text("b")], [12]),
    ],
)
async def test_children_of_a_row_are_spaced_by_what_they_are(
    bench: Page, children: list[dict[str, Any]], gaps: list[int]
):
    widget = await show(bench, card({"type": "Row", "children": children}))
    assert await widget.locator(".w-body > .w-box").evaluate(GAPS, ROW) == gaps


async def test_gap_takes_the_place_of_the_spaces(bench: Page):
    widget = await show(bench, card({"type": "Col", "gap": 5, "children": [TITLE, text("b"), PRESS]}))
    assert await widget.locator(".w-body > .w-box").evaluate(GAPS, COLUMN) == [20, 20]


async def test_picture_without_a_size_gets_one_by_where_it_stands(bench: Page):
    picture = {"type": "Image", "src": PIXEL}
    widget = await show(
        bench, card(picture, {**picture, "width": 100}, {"type": "Row", "children": [picture, text("b")]})
    )
    assert await widget.locator(".w-image").evaluate_all(SIZE) == [[326, 183], [100, 100], [40, 40]]


async def test_picture_is_of_its_ratio_where_it_is_flush(bench: Page):
    await bench.evaluate(
        """() => {
          const canvas = document.createElement("canvas");
          [canvas.width, canvas.height] = [400, 300];
          window.picture = canvas.toDataURL();
        }"""
    )
    picture = await bench.evaluate("picture")
    image = {"type": "Image", "src": picture, "aspectRatio": "4 / 1", "flush": True}
    widget = await show(bench, card(image, text("b")))
    await widget.locator("img").evaluate("(image) => image.decode()")
    assert await widget.locator(".w-image").evaluate_all(SIZE) == [[358, 90]]


async def test_list_has_rows_without_a_card_and_shows_four(bench: Page):
    widget = await show(bench, list_of(7))
    rows = widget.get_by_role("listitem")
    assert [height for _, height in await rows.evaluate_all(SIZE)] == [44, 44, 44, 44]
    assert await widget.locator(".w-card").count() == 0


async def test_chart_is_as_high_as_its_width_has_it(bench: Page):
    widget = await show(
        bench, card({"type": "Chart", "data": [{"a": 1}], "series": [{"type": "bar", "dataKey": "a"}]})
    )
    assert await widget.locator(".chart").evaluate_all(SIZE) == [[326, 245]]


@pytest.mark.parametrize(("scheme", "raised"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(39, 39, 42)")])
async def test_card_is_lighter_than_the_night(bench: Page, scheme: str, raised: str):
    widget = await show(bench, card(text("a")))
    await bench.evaluate(
        "(scheme) => (place.shadowRoot.querySelector('.frame').dataset.scheme = scheme)", scheme
    )
    background = await widget.locator(".w-card").evaluate("(node) => getComputedStyle(node).backgroundColor")
    assert background == raised


@pytest.mark.parametrize(
    ("theme", "radii"),
    [
        ("", ["126px", "108px"]),
        ("pill", ["126px", "108px"]),
        ("round", ["8px", "108px"]),
        ("sharp", ["0px", "108px"]),
    ],
)
async def test_button_is_a_pill_unless_the_theme_has_corners_and_badge_always(
    bench: Page, theme: str, radii: list[str]
):
    widget = await show(bench, card(PRESS, {"type": "Badge", "label": "New"}))
    await bench.evaluate(
        "(radius) => (place.shadowRoot.querySelector('.frame').dataset.radius = radius)", theme
    )
    shown = widget.locator(":is(.w-button, .w-badge):visible")
    assert (
        await shown.evaluate_all("(nodes) => nodes.map((node) => getComputedStyle(node).borderRadius)")
        == radii
    )
