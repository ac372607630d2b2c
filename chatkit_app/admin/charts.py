"""Charts as SVG: drawn here, coloured by the admin's style sheet, told apart without colour too.

A chart is one picture to a screen reader; its numbers are in the table that every page shows with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Literal

from django.utils.formats import date_format, number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext as _

Style = Literal["first", "second", "third", "fourth", "rest", "bad"]
"""How a series looks: a colour, and a pattern or dashes of its own."""

WIDTH, HEIGHT = 480, 210
LEFT, RIGHT, TOP, BOTTOM = 62, 8, 12, 28
INNER_WIDTH, INNER_HEIGHT = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
GRID_LINES = 4
"""Horizontal lines that a chart has at most above its ground."""

# What fills the bars that are not plain: strokes of the series' colour on its paler ground.
_PATTERNS = {
    "bad": "M-1 1L1 -1M0 6L6 0M5 7L7 5",
    "second": "M0 3H6",
    "third": "M3 0V6",
    "fourth": "M0 0L6 6M6 0L0 6",
    "rest": "M2.5 2.5H3.5M2.5 3.5H3.5",
}


# Words for numbers


def whole_number(value: float) -> str:
    """Return a number with all its digits, grouped as in the active language."""
    return number_format(round(value), force_grouping=True)


def short_number(value: float) -> str:
    """Return a number in few characters: ``0.4``, ``12k``, ``1.5M``."""
    for size, text in ((10**9, _("%(number)sbn")), (10**6, _("%(number)sM")), (10**4, _("%(number)sk"))):
        if value >= size:
            unit = 10**3 if size == 10**4 else size
            return text % {"number": _at_most(value / unit, 1)}
    return _at_most(value, 1 if value < 10 else 0)


def seconds(milliseconds: float) -> str:
    """Return a time in seconds, with as many digits as matter."""
    value = milliseconds / 1000
    text = _("%(number)s s") % {"number": _at_most(value, 2 if value < 10 else 1 if value < 100 else 0)}
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def percent(share: float) -> str:
    """Return a share of one in per cent."""
    return _("%(number)s%%") % {"number": _at_most(share * 100, 1)}


def points(share: float) -> str:
    """Return a difference of two shares, in percentage points."""
    return _("%(number)s points") % {"number": _at_most(share * 100, 1)}


def day_name(day: date) -> str:
    """Return a day without its year."""
    return date_format(day, "MONTH_DAY_FORMAT")


def _at_most(value: float, digits: int) -> str:
    rounded = round(value, digits)
    while digits and rounded == round(rounded, digits - 1):
        digits -= 1
    return number_format(rounded, decimal_pos=digits, force_grouping=True)


# Charts


@dataclass(frozen=True, kw_only=True)
class Series:
    """One kind of number, day by day. None where there is none.

    Attributes:
        is_line: drawn as a line instead of a bar; bars stand on those of the series before.
    """

    label: str
    values: Sequence[int | None]
    style: Style = "first"
    is_line: bool = False


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Numbers by day, as a picture and as rows.

    Attributes:
        name: unlike that of any other chart on the page; letters only.
        note: what should be known of the numbers.
        days: the names of the days, oldest first.
        in_full: writes a number for those who want to know it.
        in_short: writes it beside the axis.
    """

    name: str
    title: str
    days: Sequence[str]
    series: Sequence[Series]
    note: str = ""
    in_full: Callable[[float], str] = whole_number
    in_short: Callable[[float], str] = short_number

    @property
    def svg(self) -> SafeString:
        """The picture."""
        return format_html(
            '<svg class="chatkit-chart" viewBox="0 0 {} {}" role="img" direction="ltr"'
            ' aria-labelledby="chatkit-{}-title chatkit-{}-desc">'
            '<title id="chatkit-{}-title">{}</title><desc id="chatkit-{}-desc">{}</desc>'
            "<defs>{}</defs>{}{}{}{}</svg>",
            *(WIDTH, HEIGHT, self.name, self.name, self.name, self.title, self.name, self._description()),
            self._patterns(),
            format_html_join("", "{}", ((part,) for part in self._axes())),
            format_html_join("", "{}", ((part,) for part in self._bars())),
            format_html_join("", "{}", ((part,) for part in self._lines())),
            self._tips(),
        )

    @property
    def legend(self) -> list[tuple[SafeString, str]]:
        """A sample of each series' look, and what it is called. Empty where there is but one."""
        if len(self.series) < 2:
            return []
        return [(self._swatch(series), series.label) for series in self.series]

    @cached_property
    def rows(self) -> list[tuple[str, list[str]]]:
        """The same numbers for a table: each day with one of every series."""
        return [
            (day, [self._cell(series.values[index]) for series in self.series])
            for index, day in enumerate(self.days)
        ]

    def _cell(self, value: int | None) -> str:
        return "–" if value is None else self.in_full(value)

    def _description(self) -> str:
        told = []
        for series in self.series:
            known = [(value, -index) for index, value in enumerate(series.values) if value is not None]
            if known:
                highest, index = max(known)
                told.append(
                    _("%(label)s: at most %(number)s, on %(day)s.")
                    % {
                        "label": series.label,
                        "number": self.in_full(highest),
                        "day": self.days[-index],
                    }
                )
        return " ".join([*told, _("All numbers are in the table.")])

    # Where things are

    @cached_property
    def _is_mirrored(self) -> bool:
        return get_language_bidi()

    @cached_property
    def _ticks(self) -> list[int]:
        heights = [value for series in self.series if series.is_line for value in series.values if value]
        bars = [series.values for series in self.series if not series.is_line]
        heights += [sum(value or 0 for value in column) for column in zip(*bars, strict=True)]
        return ticks(max(heights, default=0))

    def _x(self, position: float) -> float:
        """Return where a day is in the picture; where people read from the right, time goes from there too."""
        x = LEFT + INNER_WIDTH * position / len(self.days)
        return round(WIDTH - x if self._is_mirrored else x, 1)

    def _y(self, value: float, highest: int) -> float:
        return round(TOP + INNER_HEIGHT * (1 - value / highest), 1)

    # What is drawn

    def _axes(self) -> Iterator[SafeString]:
        marks = self._ticks
        bidi = self._is_mirrored
        edge, outside, inside = (WIDTH - LEFT, "start", "end") if bidi else (LEFT, "end", "start")
        for mark in marks:
            y = self._y(mark, marks[-1])
            yield format_html(
                '<path class="{}" d="M{} {}H{}"/><text x="{}" y="{}" text-anchor="{}">{}</text>',
                "chatkit-grid" if mark else "chatkit-ground",
                *(edge, y, RIGHT if bidi else WIDTH - RIGHT),
                *(edge + 6 if bidi else edge - 6, y + 4, outside, self.in_short(mark)),
            )
        count = len(self.days)
        places = {
            0: (0.0, inside),
            count // 2: (count // 2 + 0.5, "middle"),
            count - 1: (float(count), outside),
        }
        if count < 3:
            places = {index: (index + 0.5, "middle") for index in range(count)}
        for index, (position, anchor) in places.items():
            yield format_html(
                '<text x="{}" y="{}" text-anchor="{}">{}</text>',
                *(self._x(position), HEIGHT - 8, anchor, self.days[index]),
            )

    def _bars(self) -> Iterator[SafeString]:
        highest = self._ticks[-1]
        ground = [0] * len(self.days)
        for series in self.series:
            if series.is_line:
                continue
            path = []
            for index, value in enumerate(series.values):
                if value:
                    left, right = sorted((self._x(index + 0.12), self._x(index + 0.88)))
                    low, high = self._y(ground[index], highest), self._y(ground[index] + value, highest)
                    path.append(f"M{left} {low}V{high}H{right}V{low}z")
                    ground[index] += value
            yield format_html(
                '<path class="chatkit-bar chatkit-series-{}" fill="{}" d="{}"/>',
                *(series.style, self._fill(series), "".join(path)),
            )

    def _lines(self) -> Iterator[SafeString]:
        highest = self._ticks[-1]
        for series in self.series:
            if not series.is_line:
                continue
            path, pen = [], "M"
            for index, value in enumerate(series.values):
                if value is None:
                    pen = "M"
                    continue
                # A line of no length is a dot: a day between two of which nothing is known.
                x, y = self._x(index + 0.5), self._y(value, highest)
                path.append(f"M{x} {y}h.01" if pen == "M" else f"L{x} {y}")
                pen = "L"
            yield format_html(
                '<path class="chatkit-halo" d="{}"/><path class="chatkit-line chatkit-series-{}" d="{}"/>',
                *("".join(path), series.style, "".join(path)),
            )

    def _tips(self) -> SafeString:
        """Return the texts that a pointer shows over each day."""
        return format_html_join(
            "",
            '<rect class="chatkit-tip" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>',
            (
                (
                    *(min(self._x(index), self._x(index + 1)), TOP, round(INNER_WIDTH / len(self.days), 1)),
                    *(INNER_HEIGHT, f"{day}: {'; '.join(self._labelled(cells))}"),
                )
                for index, (day, cells) in enumerate(self.rows)
            ),
        )

    def _labelled(self, cells: Sequence[str]) -> Iterator[str]:
        for series, cell in zip(self.series, cells, strict=True):
            yield f"{series.label} {cell}"

    def _fill(self, series: Series) -> str:
        return f"url(#chatkit-{self.name}-{series.style})" if series.style in _PATTERNS else "currentColor"

    def _patterns(self) -> SafeString:
        used = [series.style for series in self.series if series.style in _PATTERNS and not series.is_line]
        return format_html_join(
            "",
            '<pattern id="chatkit-{}-{}" class="chatkit-series-{}" width="6" height="6"'
            ' patternUnits="userSpaceOnUse"><rect width="6" height="6"/><path d="{}"/></pattern>',
            ((self.name, style, style, _PATTERNS[style]) for style in used),
        )

    def _swatch(self, series: Series) -> SafeString:
        if series.is_line:
            drawn = format_html('<path class="chatkit-line chatkit-series-{}" d="M0 7H24"/>', series.style)
        else:
            drawn = format_html(
                '<path class="chatkit-bar chatkit-series-{}" fill="{}" d="M1 1H23V13H1z"/>',
                *(series.style, self._fill(series)),
            )
        return format_html(
            '<svg class="chatkit-swatch" viewBox="0 0 24 14" aria-hidden="true">{}</svg>', drawn
        )


def ticks(highest: int) -> list[int]:
    """Return zero and a few round numbers, the last of which is not below the highest."""
    wanted = max(math.ceil(highest / GRID_LINES), 1)
    size = 10 ** (len(str(wanted)) - 1)
    step = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= wanted)
    return list(range(0, max(-(-highest // step), 1) * step + 1, step))
