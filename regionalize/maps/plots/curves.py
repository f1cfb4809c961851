"""Charts of figures over the number of clusters, small and side by side."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import numpy as np

from regionalize.maps.colors import cluster_color
from regionalize.maps.picture import FileFormat, blank_page, check_format, drawing, fill_page, save_page
from regionalize.maps.plots.axes import (
    LEGEND_ROW,
    SIGN,
    Scale,
    legend_rows,
    line,
    numbers_text,
    round_values,
    rules_across,
    sorted_out,
    ticks_below,
)
from regionalize.maps.sheet import GAP, GREY, MARGIN, Surround, Words
from regionalize.maps.text import Font, clean, fonts_for, unknown_letters

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure
    from matplotlib.transforms import Transform

WIDTH, HEIGHT = 225.0, 130.0
"""Of one chart without its axes, in points."""
BESIDE = 2
"""Charts in a row."""
LEFT, BELOW, ABOVE = 36.0, 28.0, 20.0
"""Room for the numbers of the axes and the title of a chart."""
PEAK = 12.0
"""Room that the words above a marked peak need."""
COLORS = tuple(cluster_color(number) for number in (5, 3, 6, 1, 7, 10, 16, 12))
"""Of the palette, those that stay dark enough for a thin line on white paper."""
DASHES = ((0, ()), (0, (5, 2)), (0, (1.2, 1.6)), (0, (6, 2, 1.2, 2)))
SIGNS = ("o", "s", "^", "D", "v", "P", "X", "*")
"""Colour, dash and sign change together, so that lines are told apart without colour too."""


@dataclass(frozen=True)
class Curve:
    """A line of a chart.

    Attributes
    ----------
    name : str
        For the legend.
    points : tuple of (int, float)
        Number of clusters and value, numbers rising.
    """

    name: str
    points: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Mark:
    """A point to be ringed: on which curve, at which of its numbers, and what is said beside it."""

    curve: int
    k: int
    text: str = ""


@dataclass(frozen=True)
class Chart:
    """A figure over the number of clusters; one without any point is not drawn."""

    title: str
    curves: tuple[Curve, ...]
    marks: tuple[Mark, ...] = ()


def draw_curves(
    charts: Sequence[Chart],
    target: pathlib.Path | IO[bytes],
    *,
    file_format: FileFormat,
    title: str,
    subtitle: str,
    footer: str,
) -> tuple[str, ...]:
    """Draw charts in rows of two, with one legend for the curves of all where there are several.

    Parameters
    ----------
    charts : sequence of Chart
        With the same names of curves in the same order.
    target : Path or binary file
        Where to write. A path is overwritten as it is: the caller sees to safe replacement.
    file_format : {"png", "svg", "pdf"}
        What to write.
    title, subtitle, footer : str
        Lines above and below.

    Returns
    -------
    tuple of str
        What the person should know of the picture.

    Raises
    ------
    UsageError
        For another file format.

    Examples
    --------
    >>> import io
    >>> chart = Chart("BSS/TSS", (Curve("", ((2, 0.4), (3, 0.5))),), (Mark(0, 3, "elbow"),))
    >>> draw_curves([chart], io.BytesIO(), file_format="svg", title="k-means", subtitle="", footer="")
    ()
    """
    check_format(file_format, "plot")
    shown = [chart for chart in charts if any(curve.points for curve in chart.curves)]
    title, subtitle, footer = clean(title), clean(subtitle), clean(footer)
    names = [clean(curve.name) for curve in charts[0].curves] if charts and len(charts[0].curves) > 1 else []
    with drawing():
        families, unknown = fonts_for([title, subtitle, footer, *names])
        page = _Page(shown, families, (title, subtitle, footer), names)
        save_page(page.draw(), target, file_format, title)
    return (unknown_letters(unknown),) if unknown else ()


class _Page:
    """Where everything is, in points from the lower left corner."""

    def __init__(
        self, charts: Sequence[Chart], families: list[str], said: tuple[str, str, str], names: Sequence[str]
    ) -> None:
        self.charts = charts
        ks = [k for chart in charts for curve in chart.curves for k, _ in curve.points]
        self.span = min(ks, default=0), max(ks, default=0)
        self.small, self.bold = Font(families, 7.0), Font(families, 8.5, bold=True)
        cell_width, cell_height = LEFT + WIDTH, ABOVE + HEIGHT + BELOW
        inside = BESIDE * cell_width + (BESIDE - 1) * GAP
        around = Surround.of(families, *said, inside)
        rows = -(-len(charts) // BESIDE)
        legend = legend_rows(names, self.small, inside)
        foot = MARGIN + around.under + GAP / 2
        legend_top = foot + len(legend) * LEGEND_ROW
        first_row = legend_top + (GAP / 2 if legend else 0.0)
        top = first_row + rows * cell_height
        self.width = float(np.ceil(inside + 2 * MARGIN))
        self.height = float(np.ceil(top + around.over + GAP / 2 + MARGIN))
        self.words = [*around.head(self.height), *around.foot()]
        self.boxes = [
            (
                MARGIN + LEFT + place % BESIDE * (cell_width + GAP),
                top - (place // BESIDE + 1) * cell_height + BELOW,
            )
            for place in range(len(charts))
        ]
        self.keys: list[tuple[int, float, float]] = []
        for row, entries in enumerate(legend):
            for number, x in entries:
                y = legend_top - (row + 1) * LEGEND_ROW + 4.0
                self.keys.append((number, x, y))
                self.words.append(Words(x + SIGN, y - 2.5, names[number], self.small))

    def draw(self) -> Figure:
        """Put everything on the page."""
        figure, points = blank_page(self.width, self.height)
        artists, words = sorted_out(
            thing
            for chart, box in zip(self.charts, self.boxes, strict=True)
            for thing in self._chart(chart, box, points)
        )
        for number, x, y in self.keys:
            artists.append(
                _line([x, x + 10, x + 20], [y] * 3, number, points, marked=[1], gid=f"key-{number}")
            )
        fill_page(figure, artists, [*self.words, *words], points)
        return figure

    def _chart(self, chart: Chart, box: tuple[float, float], points: Transform) -> Iterator[Artist | Words]:
        """Axes, lines, marks and words of one chart whose lower left corner is given."""
        from matplotlib.lines import Line2D

        left, bottom = box
        values = [value for curve in chart.curves for _, value in curve.points]
        ticks = round_values(min(values), max(values), 5)
        low, high = min(ticks[0], *values), max(ticks[-1], *values)
        peak = max(values)
        if high - peak <= PEAK / HEIGHT * (high - low) and any(
            mark.text and dict(chart.curves[mark.curve].points)[mark.k] == peak for mark in chart.marks
        ):
            high += ticks[-1] - ticks[-2]  # room for the words above it
            ticks.append(high)
        across, up = Scale(*self.span, left + 8, WIDTH - 16), Scale(low, high, bottom, HEIGHT)

        yield Words(left, bottom + HEIGHT + 7, chart.title, self.bold)
        ends = left, left + WIDTH
        yield from rules_across(
            [up.place(tick) for tick in ticks], numbers_text(ticks), ends, self.small, points
        )
        whole = [k for k in across.rounded(8, whole=True) if k.is_integer()]
        texts = [f"{k:g}" for k in whole]
        yield from ticks_below([across.place(k) for k in whole], texts, bottom, self.small, points)
        yield line(ends, [bottom, bottom], points, GREY, 2)
        yield Words(left + WIDTH, bottom - 20, "k", self.small, GREY, right=True)
        for number, curve in enumerate(chart.curves):
            if curve.points:
                xs = [across.place(k) for k, _ in curve.points]
                ys = [up.place(value) for _, value in curve.points]
                yield _line(xs, ys, number, points, marked=None, gid=f"curve-{number}")
        for mark in chart.marks:
            value = dict(chart.curves[mark.curve].points)[mark.k]
            x, y = across.place(mark.k), up.place(value)
            yield Line2D(
                [x],
                [y],
                transform=points,
                marker="o",
                ms=9,
                mfc="none",
                mec=COLORS[mark.curve % len(COLORS)],
                mew=1.2,
                zorder=4,
                gid="mark",
            )
            if mark.text:
                wide = self.small.width(mark.text)
                beside = x + 9 if x + 9 + wide < left + WIDTH else x - 9 - wide
                # above a peak, and below a bend: there the curve is not in the way
                above = value == peak and y + PEAK < bottom + HEIGHT
                yield Words(beside, y + 5 if above else max(y - 9, bottom + 3), mark.text, self.small)


def _line(
    xs: Sequence[float],
    ys: Sequence[float],
    number: int,
    points: Transform,
    *,
    marked: list[int] | None,
    gid: str,
) -> Artist:
    """Make the line of curve `number`, with its sign at every point or at those `marked`."""
    from matplotlib.lines import Line2D

    return Line2D(
        list(xs),
        list(ys),
        transform=points,
        color=COLORS[number % len(COLORS)],
        linestyle=DASHES[(number + number // len(SIGNS)) % len(DASHES)],
        lw=1.3,
        marker=SIGNS[number % len(SIGNS)],
        ms=3.6,
        markevery=marked,
        zorder=3,
        gid=gid,
    )
