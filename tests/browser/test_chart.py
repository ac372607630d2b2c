"""The widget `Chart`: what is drawn, what is told, and what bad data do to it."""

import math
from itertools import pairwise
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

MONTHS = [
    {"month": "January", "sold": 12000, "spent": 8000},
    {"month": "February", "sold": 4000, "spent": -2000},
    {"month": "March", "sold": 16000, "spent": 6000},
]
SOLD = {"type": "bar", "dataKey": "sold", "label": "Sold"}
SPENT = {"type": "bar", "dataKey": "spent", "label": "Spent"}


class Chart:
    """A chart alone in a page, 400 px wide."""

    def __init__(self, page: Page):
        self.page = page
        self.node: Locator = page.locator(".chart")
        self.plot: Locator = page.locator(".chart-plot")
        self.tip: Locator = page.locator(".chart-tip")

    async def show(self, *series: Any, **props: Any) -> None:
        props = {"type": "Chart", "xAxis": "month", "data": MONTHS, "series": list(series), **props}
        await self.page.evaluate("(props) => chart.update(props)", props)
        # Drawn before the next frame.
        await self.page.evaluate(
            "new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))"
        )

    async def texts(self) -> list[str]:
        """The labels of the axes."""
        return await self.plot.locator("svg text").all_text_contents()

    async def boxes(self, selector: str) -> list[dict[str, float]]:
        script = "(nodes) => nodes.map((node) => node.getBoundingClientRect().toJSON())"
        boxes: list[dict[str, float]] = await self.page.locator(selector).evaluate_all(script)
        return boxes

    async def fills(self) -> list[str]:
        script = "(nodes) => nodes.map((node) => getComputedStyle(node).fill)"
        fills: list[str] = await self.page.locator(".chart-bar").evaluate_all(script)
        return fills

    async def announced(self) -> list[str]:
        announced: list[str] = await self.page.evaluate("announced")
        return announced


@pytest_asyncio.fixture(loop_scope="package")
async def chart(bench: Page) -> Chart:
    await bench.evaluate(
        """async () => {
          const {ChartView} = await import(CLIENT + "/element/widgets/chart.js");
          const {STRINGS} = await import(CLIENT + "/element/strings.js");
          const {styleSheet} = await import(CLIENT + "/element/style-sheet.js");
          for (const name of ["views/frame", "widgets/index"]) await import(`${CLIENT}/element/${name}.js`);
          document.adoptedStyleSheets = [styleSheet()];
          window.announced = [];
          window.chart = new ChartView({
            text: (key, values = {}) => STRINGS[key].replace(/{(\\w+)}/g, (_, name) => values[name]),
            language: "en",
            announce: (text) => announced.push(text),
          });
          const frame = document.createElement("div");
          frame.className = "frame";
          frame.dataset.scheme = "light";
          frame.style.cssText = "inline-size: 400px; block-size: auto";
          frame.append(chart.node);
          document.body.replaceChildren(frame);
        }"""
    )
    return Chart(bench)


# What is drawn


async def test_bars_stand_on_the_zero_line_and_below_it(chart: Chart):
    await chart.show(SPENT)
    zero = (await chart.boxes(".chart-zero"))[0]["y"]
    (bars,) = await chart.boxes(".chart-bar")
    assert bars["top"] < zero - 20
    assert bars["bottom"] > zero + 20


async def test_stacked_bars_stand_on_each_other(chart: Chart):
    await chart.show({**SOLD, "stack": "all"}, {**SPENT, "stack": "all"}, data=MONTHS[:1])
    sold, spent = await chart.boxes(".chart-bar")
    assert spent["bottom"] == pytest.approx(sold["top"], abs=0.5)
    assert (spent["left"], spent["right"]) == (sold["left"], sold["right"])
    assert spent["height"] / sold["height"] == pytest.approx(8 / 12, abs=0.02)


async def test_bars_of_a_row_stand_side_by_side_with_their_gaps(chart: Chart):
    await chart.show(SOLD, SPENT, barGap=10, barCategoryGap=30, data=[*MONTHS, *MONTHS])
    sold, spent = await chart.boxes(".chart-bar")
    width = (400 / 6 - 30 - 10) / 2
    assert spent["left"] - sold["left"] == pytest.approx(width + 10, abs=0.5)


async def test_line_has_a_gap_where_there_is_no_number(chart: Chart):
    rows = [{"month": n, "sold": None if n == 2 else n} for n in range(5)]
    await chart.show({**SOLD, "type": "line"}, data=rows)
    path = await chart.plot.locator(".chart-curve").get_attribute("d")
    assert path is not None
    assert path.count("M") == 2


async def test_curve_is_of_its_type(chart: Chart):
    commands = {
        "": "C",
        "linear": "L",
        "linearClosed": "L",
        "step": "H",
        "stepBefore": "V",
        "monotone": "C",
        "basisOpen": "C",
    }
    for curve, command in commands.items():
        await chart.show({**SOLD, "type": "line", "curveType": curve})
        path = await chart.plot.locator(".chart-curve").get_attribute("d")
        assert path is not None
        assert next(letter for letter in path[1:] if letter.isalpha()) == command


async def test_smooth_curve_stays_between_its_points(chart: Chart):
    rows = [{"month": n, "sold": sold} for n, sold in enumerate([0, 0, 10, 10, 0])]
    await chart.show({**SOLD, "type": "line", "curveType": "natural"}, data=rows)
    extent = await chart.plot.locator(".chart-curve").evaluate("(path) => path.getBBox().height")
    await chart.show({**SOLD, "type": "line", "curveType": "linear"}, data=rows)
    assert extent == await chart.plot.locator(".chart-curve").evaluate("(path) => path.getBBox().height")


async def test_area_stands_on_the_one_below(chart: Chart):
    await chart.show(
        {**SOLD, "type": "area", "stack": "a"}, {**SPENT, "type": "area", "stack": "a"}, data=MONTHS[::2]
    )
    _, spent = await chart.boxes(".chart-area")
    sold, _ = await chart.boxes(".chart-curve")
    assert spent["bottom"] == pytest.approx(sold["bottom"], abs=0.5)


async def test_ticks_are_round_and_short(chart: Chart):
    await chart.show(SOLD, showYAxis=True)
    assert (await chart.texts())[:5] == ["0", "5,000", "10K", "15K", "20K"]


async def test_axis_of_values_is_shown_when_asked_for(chart: Chart):
    await chart.show(SOLD)
    assert await chart.texts() == ["January", "February", "March"]


async def test_labels_of_the_x_axis_can_be_others(chart: Chart):
    await chart.show(SOLD, xAxis={"dataKey": "month", "labels": {"January": "Jan"}})
    assert await chart.texts() == ["Jan", "February", "March"]


async def test_x_axis_can_be_hidden(chart: Chart):
    await chart.show(SOLD, xAxis={"dataKey": "month", "hide": True})
    assert [text for text in await chart.texts() if text] == []


async def test_labels_never_overlap(chart: Chart):
    rows = [{"month": f"Day number {n}", "sold": n} for n in range(60)]
    await chart.show(SOLD, data=rows)
    labels = [box for box in await chart.boxes(".chart-plot svg text") if box["width"]]
    assert len(labels) > 2
    assert all(a["right"] < b["left"] for a, b in pairwise(labels))


async def test_few_long_labels_are_all_there_slanted(chart: Chart):
    await chart.show(SOLD, data=[{"month": f"Long name {n}", "sold": n} for n in range(8)])
    assert len(await chart.texts()) == 8
    frame = await chart.page.locator(".frame").bounding_box()
    assert frame is not None
    assert all(box["left"] >= frame["x"] for box in await chart.boxes(".chart-plot svg text"))


async def test_it_is_drawn_again_for_another_width(chart: Chart):
    await chart.show(SOLD)
    await chart.page.locator(".frame").evaluate("(frame) => { frame.style.inlineSize = '250px'; }")
    await expect(chart.plot).to_have_css("width", "250px")
    await chart.page.wait_for_function(
        "() => { const w = chart.node.querySelector('.chart-bar').getBBox().width; return 150 < w && w < 250; }"
    )


async def test_it_waits_until_it_is_in_the_page(chart: Chart):
    await chart.page.evaluate("chart.node.remove()")
    await chart.show(SOLD)
    await expect(chart.page.locator(".chart-bar")).to_have_count(0)
    await chart.page.evaluate("document.querySelector('.frame').append(chart.node)")
    await expect(chart.page.locator(".chart-bar")).to_have_count(1)


# Legend and colours


async def test_legend_names_several_series_and_not_one(chart: Chart):
    await chart.show(SOLD, SPENT)
    await expect(chart.page.locator(".chart-legend li")).to_have_text(["Sold", "Spent"])
    await chart.show(SOLD)
    await expect(chart.page.locator(".chart-legend")).to_be_hidden()
    await chart.show(SOLD, showLegend=True)
    await expect(chart.page.locator(".chart-legend")).to_be_visible()


async def test_series_without_a_colour_get_different_ones(chart: Chart):
    await chart.show(*({**SOLD, "label": str(n)} for n in range(7)))
    assert len(set(await chart.fills())) == 7


async def test_color_may_be_a_token_a_step_a_css_color_or_one_for_each_scheme(chart: Chart):
    colors = ["red", "red-500", "rgb(1 2 3)", {"light": "#010203", "dark": "white"}]
    await chart.show(*({**SOLD, "color": color} for color in colors))
    token, step, css, pair = await chart.fills()
    assert token == step
    assert token.startswith("oklch(0.583")
    assert css == pair == "rgb(1, 2, 3)"
    await chart.page.locator(".frame").evaluate("(frame) => { frame.dataset.scheme = 'dark'; }")
    assert (await chart.fills())[3] == "rgb(255, 255, 255)"


async def test_color_is_one_that_loads_nothing_or_none(bench: Page):
    expected = [
        ("surface-tertiary", "surface", "var(--fill-strong)"),
        ("danger", "text", "var(--danger)"),
        ("default", "border", "var(--line)"),
        ("red-100", "text", "oklch(0.810 0.110 26)"),
        ("red-250", "text", "oklch(0.730 0.165 26)"),
        ("red-1000", "text", "oklch(0.165 0.033 26)"),
        # Greys count from the surface, which is dark at night.
        ("gray-100", "text", "light-dark(oklch(0.945 0.000 0), oklch(0.210 0.000 0))"),
        ("hsl(10 20% 30% / 50%)", "text", "hsl(10 20% 30% / 50%)"),
        ({"light": "success", "dark": "nonsense"}, "text", "var(--success)"),
        ({"light": "red", "dark": "blue"}, "text", "light-dark(red, blue)"),
        ("secondary", "surface", None),
        ("gray-2000", "text", None),
        ("teal-100", "text", None),
        ("constructor", "text", None),
        ("url(https://evil.example/)", "surface", None),
        ("var(--x, url(https://evil.example/))", "surface", None),
        ("rgb(var(--x)) url(https://evil.example/)", "surface", None),
        (r"\76 ar(--x)", "surface", None),
        ("--rgb(1)", "surface", None),
        ("red; background: blue", "surface", None),
        (7, "text", None),
        (["red"], "text", None),
        (None, "text", None),
    ]
    colors = await bench.evaluate(
        """async (values) => {
          const {color} = await import(CLIENT + "/element/widgets/colors.js");
          return values.map(([value, kind]) => color(value, kind));
        }""",
        [[value, kind] for value, kind, _ in expected],
    )
    assert colors == [color for _, _, color in expected]


# Numbers on demand


async def test_pointer_shows_the_numbers_of_a_row(chart: Chart):
    await chart.show(SOLD, SPENT)
    await chart.plot.hover(position={"x": 200, "y": 50})
    await expect(chart.tip).to_have_text("FebruarySold 4,000Spent -2,000")
    # Not by the mouse: Chromium's headless shell does not tell the page that the pointer has left.
    await chart.plot.dispatch_event("pointerleave", {"pointerType": "mouse"})
    await expect(chart.tip).to_be_hidden()


async def test_arrow_keys_tell_the_numbers_of_each_row(chart: Chart):
    await chart.show(SOLD, SPENT)
    await chart.page.keyboard.press("Tab")
    await expect(chart.plot).to_be_focused()
    for key in ("ArrowRight", "ArrowRight", "End", "ArrowRight"):
        await chart.page.keyboard.press(key)
    assert await chart.announced() == [
        "January, Sold 12,000, Spent 8,000",
        "February, Sold 4,000, Spent -2,000",
        "March, Sold 16,000, Spent 6,000",
        "March, Sold 16,000, Spent 6,000",
    ]
    await expect(chart.tip).to_contain_text("March")
    await chart.page.keyboard.press("Escape")
    await expect(chart.tip).to_be_hidden()


async def test_no_numbers_are_shown_when_they_are_not_wanted(chart: Chart):
    await chart.show(SOLD, showTooltip=False)
    await chart.plot.hover(position={"x": 200, "y": 50})
    await expect(chart.tip).to_be_hidden()
    await expect(chart.plot).not_to_have_attribute("tabindex", "0")


async def test_it_has_a_name_and_a_table_to_be_read(chart: Chart):
    await chart.show(SOLD, SPENT)
    await expect(chart.page.get_by_role("img", name="Chart: Sold, Spent")).to_be_visible()
    await expect(chart.page.get_by_role("row")).to_have_text(
        ["SoldSpent", "January12,0008,000", "February4,000-2,000", "March16,0006,000"]
    )
    await expect(chart.page.get_by_role("table", name="Sold, Spent")).to_have_count(1)


# Bad data


async def test_ten_thousand_rows_are_drawn_with_their_peaks(chart: Chart):
    rows = [{"month": n, "sold": 1000 if n == 7777 else math.sin(n)} for n in range(10_000)]
    await chart.show({**SOLD, "type": "line"}, data=rows, showYAxis=True)
    path = await chart.plot.locator(".chart-curve").get_attribute("d")
    assert path is not None
    assert 100 < path.count("C") < 400
    (line,) = await chart.boxes(".chart-curve")
    assert line["height"] > 100
    await expect(chart.page.get_by_role("row")).to_have_count(101)
    await expect(chart.page.locator("caption")).to_have_text("Sold (100 of 10000 rows)")


async def test_without_data_it_says_so(chart: Chart):
    for data in ([], None, "rows", {"a": 1}):
        await chart.show(SOLD, data=data)
        await expect(chart.plot.locator("svg")).to_have_text("There is nothing to show yet.")


WRONG: list[dict[str, Any]] = [
    {"series": None},
    {"series": ["x", 7, None, [], {}, {"dataKey": ["sold"]}, {"type": "pie", "dataKey": "sold"}]},
    {
        "series": [
            {"dataKey": "__proto__"},
            {"dataKey": "constructor", "label": {"a": 1}, "stack": [], "color": 5},
        ]
    },
    {"series": [{"type": "line", "dataKey": "sold", "curveType": {"a": 1}}] * 200},
    {"data": [{"month": {"a": 1}, "sold": "12"}, {"month": None, "sold": True}, {"sold": "twelve"}, []]},
    {"data": [{"month": "\ud800" * 5000, "sold": 1e308}, {"month": "b", "sold": -1e308}]},
    {"data": [{"month": "tiny", "sold": 5e-324}]},
    {"data": [{"sold": 0}, {"sold": 0}]},
    {"xAxis": 7},
    {"xAxis": {"dataKey": {}, "labels": "none", "hide": "yes"}},
    {"xAxis": {"dataKey": "month", "labels": {"January": {"a": 1}}}},
    {"barGap": "wide", "barCategoryGap": -1e9},
    {"barGap": 1e9, "barCategoryGap": 1e9},
    {"showYAxis": "yes", "showLegend": 0, "showTooltip": "no"},
]


async def test_wrong_data_draw_what_can_be_drawn(chart: Chart):
    kinds = [{**SOLD, "type": kind, "stack": "s"} for kind in ("bar", "line", "area")]
    for props in WRONG:
        await chart.show(*kinds, **props)
        await chart.plot.hover(position={"x": 100, "y": 50})
        drawing = await chart.plot.locator("svg").inner_html()
        # A bar that is drawn backwards would be one with "h-".
        assert not any(word in drawing for word in ("NaN", "Infinity", "undefined", "h-")), props


async def test_update_replaces_what_was_there(chart: Chart):
    await chart.show(SOLD, SPENT)
    await chart.show({**SOLD, "type": "line"}, data=MONTHS[:2])
    await expect(chart.page.locator(".chart-bar")).to_have_count(0)
    await expect(chart.page.get_by_role("row")).to_have_count(3)
