"""Units as points of a plane of two variables or components, in the colours of their clusters."""

from __future__ import annotations

import math
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regionalize.errors import DataError
from regionalize.maps.classes import cluster_entries, repeated_colors
from regionalize.maps.colors import cluster_color
from regionalize.maps.picture import FileFormat, blank_page, check_format, drawing, fill_page, save_page
from regionalize.maps.plots.axes import Scale, numbers_text, rules_across, rules_up, sorted_out
from regionalize.maps.sheet import (
    GAP,
    GREY,
    INK,
    LEADING,
    MARGIN,
    SWATCH,
    Entry,
    Legend,
    Sheet,
    Surround,
    Words,
    stacked,
)
from regionalize.maps.text import Font, clean, fonts_for, unknown_letters
from regionalize.maps.units import markers, symbol
from regionalize.model.partition import count_labels

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure
    from matplotlib.transforms import Transform

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MOST_CLOUDS = 12
"""Panels on one page; more would be stamps."""
MOST_POINTS = 20_000
"""Above these a vector file would be slow to open: the points go in as an image."""
SIDES = ((400.0, 400.0, 180.0), (250.0, 220.0, 120.0))
"""Width, most and least height of the only panel, and of one of several."""
INSET = 8.0
"""Room around the points."""
LEFT, BELOW = 40.0, 20.0
"""Room for the numbers of the axes."""
NAMED = 40
"""Centres with their names in them; where there are more, they are marks without."""
LONGEST_NAME = 60.0
SPREAD = 0.34
"""How far units on a strip are from its middle, in strips."""
GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Cloud:
    """One panel: the units in the colours of one labeling.

    Attributes
    ----------
    labels : (n,) int
        Clusters from 1; 0 for noise; negative for units that are not drawn.
    title, subtitle : str
        Over the panel.
    centers : mapping of int to (float, ...)
        Place of each cluster's centre, in the coordinates of the points.
    """

    labels: ArrayLike
    title: str = ""
    subtitle: str = ""
    centers: Mapping[int, Sequence[float]] = field(default_factory=dict)


def draw_scatter(
    places: NDArray[np.floating],
    clouds: Sequence[Cloud],
    target: pathlib.Path | IO[bytes],
    *,
    file_format: FileFormat,
    axes: Sequence[str],
    title: str,
    subtitle: str = "",
    footer: str = "",
    alike: bool = False,
    names: Mapping[int, str] | None = None,
) -> tuple[str, ...]:
    """Draw units as points, and the centres of their clusters.

    One coordinate makes a strip per cluster, in which height means nothing.

    Parameters
    ----------
    places : (n, 2) or (n, 1) float
        Coordinates of the units; one that is not a number leaves its unit out.
    clouds : sequence of Cloud
        One, or up to `MOST_CLOUDS` panels of the same axes.
    target : Path or binary file
        Where to write. A path is overwritten as it is: the caller sees to safe replacement.
    file_format : {"png", "svg", "pdf"}
        What to write.
    axes : sequence of str
        What each coordinate is.
    title, subtitle, footer : str
        Lines above and below.
    alike : bool
        One length is the same on both axes, so that distances can be compared.
    names : mapping of int to str, optional
        What clusters are called where that is not their number.

    Returns
    -------
    tuple of str
        What the person should know of the picture.

    Raises
    ------
    DataError
        Nothing to draw, or too many panels.
    UsageError
        Another file format.

    Examples
    --------
    >>> import io
    >>> cloud = Cloud([1, 1, 2], centers={1: (0.5, 0.0), 2: (4.0, 4.0)})
    >>> at = np.array([[0.0, 0], [1, 0], [4, 4]])
    >>> draw_scatter(at, [cloud], io.BytesIO(), file_format="svg", axes=("a", "b"), title="k-means, k = 2")
    ()
    """
    check_format(file_format, "plot")
    if not 1 <= len(clouds) <= MOST_CLOUDS:
        raise DataError(f"{len(clouds)} panels do not fit on one page", advice=f"draw 1 to {MOST_CLOUDS}")
    labels = [np.asarray(cloud.labels, dtype=np.int64) for cloud in clouds]
    placed = np.isfinite(places).all(axis=1)
    seen = [placed & (label >= 0) for label in labels]
    if not any(some.any() for some in seen):
        raise DataError("there is nothing to draw: no unit has values", advice="leave the plot out")
    count = count_labels(np.concatenate([a[b] for a, b in zip(labels, seen, strict=True)]))
    count |= {label: count.get(label, 0) for cloud in clouds for label in cloud.centers}
    entries = cluster_entries(count if len(clouds) == 1 else dict.fromkeys(count), names or {})
    notes = repeated_colors(entries)
    page_words = clean(title), clean(subtitle), clean(footer)
    heads = [(clean(cloud.title), clean(cloud.subtitle)) for cloud in clouds]
    axes = [clean(name) for name in axes]
    with drawing():
        said = [
            *page_words,
            *axes,
            *(text for head in heads for text in head),
            *(entry.text for entry in entries),
        ]
        families, unknown = fonts_for(said)
        page = _Page(np.asarray(places, dtype=np.float64), seen, labels, clouds, entries, families, alike)
        page.compose(heads, axes, page_words)
        if page.sheet.left_out:
            shown = len(entries) - page.sheet.left_out
            notes.append(f"the legend has room for {shown} of {len(entries)} entries")
        if unknown:
            notes.append(unknown_letters(unknown))
        if page.heavy and file_format != "png":
            notes.append(f"the plot is heavy: the {file_format.upper()} holds its points as an image")
        save_page(page.draw(), target, file_format, page_words[0])
    return tuple(notes)


class _Page:
    """Where everything is, in points from the lower left corner."""

    def __init__(
        self,
        places: FloatArray,
        seen: list[NDArray[np.bool_]],
        labels: list[IntArray],
        clouds: Sequence[Cloud],
        entries: list[Entry],
        families: list[str],
        alike: bool,
    ) -> None:
        self.seen, self.labels, self.entries = seen, labels, entries
        self.families = families
        self.small, self.bold = Font(families, 7.0), Font(families, 6.5, bold=True)
        self.width, most, least = SIDES[len(clouds) > 1]
        self.is_strip = places.shape[1] == 1
        self.places, self.centers = places, [dict(cloud.centers) for cloud in clouds]
        if self.is_strip:
            self._lay_strips(labels)
            self.height = min(max(len(entries) * 30.0, least), 2 * most)
        drawn = self.places[np.any(seen, axis=0)]
        ends = [drawn, *(np.array([*of.values()]) for of in self.centers if of)]
        low, high = (
            np.min([np.min(some, axis=0) for some in ends], axis=0),
            np.max([np.max(some, axis=0) for some in ends], axis=0),
        )
        if self.is_strip:
            low[1], high[1] = 0.5 - len(entries), 0.5
        else:
            wide, high_ = (high - low).tolist()
            shape = high_ / wide if alike and wide else 0.8
            self.height = float(np.clip(shape * self.width, least, most))
        self.across = Scale(low[0], high[0], 0.0, self.width - 2 * INSET)
        self.up = Scale(low[1], high[1], 0.0, self.height - 2 * INSET)
        if alike and not self.is_strip:
            self._equalise()
        self.heavy = sum(int(some.sum()) for some in seen) > MOST_POINTS

    def _lay_strips(self, labels: list[IntArray]) -> None:
        """Give every unit and centre the height of its cluster's strip; units are spread within it."""
        strip = {entry.label: -float(place) for place, entry in enumerate(self.entries)}
        n = len(self.places)
        shift = ((np.arange(n) * GOLDEN) % 1 - 0.5) * 2 * SPREAD
        self.strips = []
        for label in labels:
            own = np.array([strip.get(int(value), 0.0) for value in label.tolist()])
            self.strips.append(own + shift)
        self.places = np.column_stack([self.places[:, 0], np.zeros(n)])
        self.centers = [
            {label: (place[0], strip[label]) for label, place in of.items()} for of in self.centers
        ]

    def _equalise(self) -> None:
        """Widen one axis until a length is the same on both."""
        scales = [self.across, self.up]
        per_point = max((one.high - one.low) / one.length for one in scales) or 1.0
        wider = []
        for one in scales:
            middle, half = (one.low + one.high) / 2, per_point * one.length / 2
            wider.append(Scale(middle - half, middle + half, one.start, one.length))
        self.across, self.up = wider

    def compose(self, heads: list[tuple[str, str]], axes: Sequence[str], said: tuple[str, str, str]) -> None:
        """Work out the sheet, and the lower left corner of every panel on it."""
        several = len(heads) > 1
        legend = Legend("cluster", self.entries, self.families)
        fonts = [Font(self.families, 9.0, bold=True), Font(self.families, 7.5)]
        over_panels = [
            [
                (font, line, ink)
                for font, text, ink in zip(fonts, head, (INK, GREY), strict=True)
                for line in font.wrap(text, self.width, 3)
            ]
            for head in heads
        ]
        columns = 1 if not several else min(math.ceil(math.sqrt(len(heads))), 3)
        rows = [over_panels[start : start + columns] for start in range(0, len(heads), columns)]
        heights = [max(sum(font.leading for font, _, _ in lines) for lines in row) + 6 for row in rows]
        cell = LEFT + self.width
        if several:
            inside = max(columns * (cell + GAP) - GAP, 330.0)
            legend.arrange(12, max(int((inside + GAP) // (legend.column + GAP)), 1))
        else:
            most = max(int(self.height / LEADING) - 2, 16)
            legend.arrange(most, min(math.ceil(len(self.entries) / most), 3))
            inside = cell + GAP + legend.width
        inside = max(inside, legend.width)
        around = Surround.of(self.families, *said, inside)
        room = inside if several else self.width
        told = [
            [(self.small, line, GREY) for line in self.small.wrap(f"{arrow} {name}", room, 2)]
            for arrow, name in zip("→↑", axes, strict=False)
        ]
        named = [line for lines in (told if several else told[1:]) for line in lines]
        last = [] if several else told[0]
        body = sum(heights) + len(rows) * (self.height + BELOW)
        body += (len(named) + len(last)) * self.small.leading + 6
        body = max(body, legend.height) if not several else body
        under = around.under + GAP / 2 + (legend.height + GAP / 2 if several else 0.0)
        width = math.ceil(inside + 2 * MARGIN)
        height = math.ceil(2 * MARGIN + around.over + GAP / 2 + body + under)
        self.sheet = Sheet(width, height, self.width, self.height)
        self.sheet.words += [*around.head(height), *around.foot()]
        top = height - MARGIN - around.over - GAP / 2
        if several:
            legend.place(self.sheet, MARGIN, MARGIN + around.under + GAP / 2 + legend.height)
        else:
            legend.place(self.sheet, MARGIN + cell + GAP, top)
        self.sheet.words += stacked(named, MARGIN + (0.0 if several else LEFT), top)
        top -= len(named) * self.small.leading + 6
        self.corners = []
        for row, head in zip(rows, heights, strict=True):
            for place, lines in enumerate(row):
                x = MARGIN + LEFT + place * (cell + GAP)
                self.sheet.words += stacked(lines, x, top)
                self.corners.append((x, top - head - self.height))
            top -= head + self.height + BELOW
        self.sheet.words += stacked(last, MARGIN + LEFT, top + 4)

    def draw(self) -> Figure:
        """Put everything on the page."""
        figure, points = blank_page(self.sheet.width, self.sheet.height)
        artists, words = sorted_out(
            thing for place, corner in enumerate(self.corners) for thing in self._panel(place, corner, points)
        )
        for x, y, entry in self.sheet.signs:
            artists += symbol("markers", (x, y), SWATCH, entry.label, points, cluster_color)
        fill_page(figure, artists, [*self.sheet.words, *words], points)
        return figure

    def _panel(self, number: int, corner: tuple[float, float], points: Transform) -> Iterator[Artist | Words]:
        """Axes, units and centres of one panel whose lower left corner is given."""
        left, bottom = corner
        across, up = (
            Scale(one.low, one.high, start + INSET, one.length)
            for one, start in ((self.across, left), (self.up, bottom))
        )
        ticks = across.rounded(6)
        ends = bottom, bottom + self.height
        yield from rules_up([across.place(x) for x in ticks], numbers_text(ticks), ends, self.small, points)
        if not self.is_strip:
            ticks = up.rounded(6)
            ends = left, left + self.width
            yield from rules_across(
                [up.place(y) for y in ticks], numbers_text(ticks), ends, self.small, points
            )
        chosen, own = self.seen[number], self.labels[number]
        places = self.places[chosen]
        if self.is_strip:
            places = np.column_stack([places[:, 0], self.strips[number][chosen]])
        at = np.column_stack([_places(across, places[:, 0]), _places(up, places[:, 1])])
        size = float(np.clip(0.45 * math.sqrt(self.width * self.height / max(len(at), 1)), 1.2, 5.5))
        for artist in markers(
            np.round(at, 2), own[chosen], points, size, f"units-{number + 1}", cluster_color
        ):
            artist.set_rasterized(self.heavy)
            yield artist
        for label, place in sorted(self.centers[number].items(), reverse=True):  # the largest on top
            yield from self._center(label, (across.place(place[0]), up.place(place[1])), number, points)

    def _center(
        self, label: int, place: tuple[float, float], number: int, points: Transform
    ) -> Iterator[Artist | Words]:
        """Mark a centre by a white disc with the cluster's name, in its colour."""
        from matplotlib.patches import Circle, FancyBboxPatch
        from matplotlib.text import Text

        x, y = place
        name = next(entry.text for entry in self.entries if entry.label == label)
        text = self.bold.fit(name, LONGEST_NAME) if len(self.centers[number]) <= NAMED else ""
        high = 10.5 if text else 5.0
        wide = max(self.bold.width(text) + 4.5, high) if text else high
        for color, width in ((INK, 2.4), (cluster_color(label), 1.5)):
            patch = (
                Circle((x, y), high / 2)
                if wide == high
                else FancyBboxPatch(
                    (x - wide / 2, y - high / 2),
                    wide,
                    high,
                    boxstyle=f"round,pad=0,rounding_size={high / 2}",
                )
            )
            patch.set(
                transform=points,
                facecolor="white",
                edgecolor=color,
                linewidth=width,
                zorder=3,
                gid=f"center-{number + 1}-{label}",
            )
            yield patch
        if text:
            yield Text(
                x,
                y,
                text,
                transform=points,
                fontproperties=self.bold.properties,
                color=INK,
                ha="center",
                va="center_baseline",
                parse_math=False,
                zorder=3,
            )


def _places(scale: Scale, values: FloatArray) -> FloatArray:
    """Return where many values are, in points."""
    wide = scale.high - scale.low
    share = (values - scale.low) / wide if wide else np.full(len(values), 0.5)
    at: FloatArray = scale.start + share * scale.length
    return at
