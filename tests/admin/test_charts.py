import re
from xml.etree import ElementTree

import pytest
from django.utils import translation

from chatkit_app.admin.charts import Chart, Series, percent, seconds, short_number, ticks, whole_number

SVG = re.compile(r"[MLHVhz][0-9. -]*")


def chart(*series: Series, days: int = 3, **fields: object) -> Chart:
    names = [f"March {number}" for number in range(1, days + 1)]
    return Chart(name="test", title="Messages", days=names, series=series, **fields)  # type: ignore[arg-type]


def bars(*values: int | None, label: str = "Messages", **fields: object) -> Series:
    return Series(label=label, values=values, **fields)  # type: ignore[arg-type]


def paths(drawn: Chart, kind: str) -> list[str]:
    return [
        path.attrib["d"]
        for path in ElementTree.fromstring(drawn.svg).iter("path")
        if path.get("class", "").startswith(kind)
    ]


def texts(drawn: Chart) -> list[tuple[str | None, str, str]]:
    found = ElementTree.fromstring(drawn.svg).iter("text")
    return [(text.text, text.attrib["x"], text.attrib["text-anchor"]) for text in found]


def test_chart_is_one_picture_with_a_name_and_a_description() -> None:
    root = ElementTree.fromstring(chart(bars(1, 5, None)).svg)
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"] == "chatkit-test-title chatkit-test-desc"
    assert [root[0].text, root[1].text] == [
        "Messages",
        "Messages: at most 5, on March 2. All numbers are in the table.",
    ]


def test_bars_stand_on_those_before() -> None:
    drawn = chart(bars(1, 2), bars(3, 2), days=2)
    assert paths(drawn, "chatkit-bar") == [
        "M86.6 182.0V139.5H242.4V182.0zM291.6 182.0V97.0H447.4V182.0z",
        "M86.6 139.5V12.0H242.4V139.5zM291.6 97.0V12.0H447.4V97.0z",
    ]


def test_line_breaks_where_nothing_is_known() -> None:
    drawn = chart(bars(1, None, 3, 4, is_line=True), days=4)
    assert paths(drawn, "chatkit-line") == ["M113.2 139.5h.01M318.2 54.5h.01L420.8 12.0"]


def test_series_are_told_apart_without_colour() -> None:
    svg = chart(bars(1, 1, 1), bars(1, 1, 1, style="second"), bars(1, 1, 1, style="bad")).svg
    assert re.findall(r'class="chatkit-bar [^"]+" fill="([^"]+)"', svg) == [
        "currentColor",
        "url(#chatkit-test-second)",
        "url(#chatkit-test-bad)",
    ]
    assert len(set(re.findall(r'</?rect[^>]*/><path d="([^"]+)"/></pattern>', svg))) == 2


def test_legend_only_where_there_is_something_to_tell_apart() -> None:
    assert chart(bars(1, 1, 1)).legend == []
    assert [label for _, label in chart(bars(1, 1, 1, label="a"), bars(1, 1, 1, label="b")).legend] == [
        "a",
        "b",
    ]


def test_rows_hold_the_same_numbers() -> None:
    assert chart(bars(1, None, 12_000), bars(2, 0, 3)).rows == [
        ("March 1", ["1", "2"]),
        ("March 2", ["–", "0"]),
        ("March 3", ["12,000", "3"]),
    ]


@pytest.mark.parametrize(
    ("values", "tops"),
    [
        ([0, 0, 0], ["0", "1"]),
        ([None, None, None], ["0", "1"]),
        ([1, 1, 1], ["0", "1"]),
        ([10**15, 0, 1], ["0", "500,000bn", "1,000,000bn"]),
    ],
)
def test_axis_of_unusual_numbers(values: list[int | None], tops: list[str]) -> None:
    assert [text for text, _, _ in texts(chart(bars(*values)))][: len(tops)] == tops


def test_chart_of_one_day() -> None:
    drawn = chart(bars(4), bars(2, is_line=True), days=1)
    assert texts(drawn)[-1] == ("March 1", "267.0", "middle")
    assert paths(drawn, "chatkit-line") == ["M267.0 97.0h.01"]


def test_days_are_named_at_both_ends_and_in_the_middle() -> None:
    assert texts(chart(bars(*range(9)), days=9))[-3:] == [
        ("March 1", "62.0", "start"),
        ("March 5", "267.0", "middle"),
        ("March 9", "472.0", "end"),
    ]


def test_time_goes_from_the_right_where_people_read_from_the_right() -> None:
    with translation.override("ar"):
        drawn = chart(bars(*range(9)), days=9)
        assert texts(drawn)[-3:] == [
            ("March 1", "418.0", "end"),
            ("March 5", "213.0", "middle"),
            ("March 9", "8.0", "start"),
        ]
        assert texts(drawn)[0] == ("0", "424", "start")


def test_hostile_names_are_text() -> None:
    name = "</title><script>alert(1)</script>\"' onload="
    drawn = chart(bars(1, 2, 3, label=name), bars(1, 2, 3, label=name))
    root = ElementTree.fromstring(drawn.svg)
    assert root.find(".//script") is None
    assert name in (root[1].text or "")
    assert "<script" not in drawn.svg


def test_chart_needs_no_inline_style_or_script() -> None:
    svg = chart(bars(1, 2, 3), bars(1, 2, 3, style="rest"), bars(3, 2, 1, is_line=True)).svg
    assert not re.search(r"\sstyle=|<style|\son\w+=|href=", svg)


@pytest.mark.parametrize(
    ("highest", "expected"),
    [
        (0, [0, 1]),
        (3, [0, 1, 2, 3]),
        (5, [0, 2, 4, 6]),
        (9, [0, 5, 10]),
        (100, [0, 50, 100]),
        (4001, [0, 2000, 4000, 6000]),
    ],
)
def test_ticks_are_round_numbers(highest: int, expected: list[int]) -> None:
    assert ticks(highest) == expected


def test_numbers_in_words() -> None:
    assert [whole_number(n) for n in (0, 1234567)] == ["0", "1,234,567"]
    assert [short_number(n) for n in (0.25, 1.96, 26.4)] == ["0.2", "2", "26"]
    assert [short_number(n) for n in (0, 9999, 12_345, 1_000_000, 2_540_000, 3 * 10**9)] == [
        *("0", "9,999", "12.3k", "1M", "2.5M", "3bn")
    ]
    assert [seconds(n) for n in (0, 850, 4830, 12_340, 125_400)] == [
        *("0\xa0s", "0.85\xa0s", "4.83\xa0s", "12.3\xa0s", "125\xa0s")
    ]
    assert [percent(share) for share in (0, 0.0556, 1, 12.5)] == ["0%", "5.6%", "100%", "1,250%"]


def test_numbers_are_those_of_the_language() -> None:
    with translation.override("de"):
        assert [whole_number(1234567), short_number(12_345)[:4], percent(0.0556)[:3]] == [
            *("1.234.567", "12,3", "5,6")
        ]
