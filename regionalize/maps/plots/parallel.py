"""Parallel coordinates: an axis for every variable, and where on it the clusters lie.

Axes lie under each other, so that the names of many variables can be read without turning the head; a
cluster is a line from the top down through its medians, with a ribbon from quartile to quartile.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regionalize.errors import DataError
from regionalize.maps.classes import cluster_entries
from regionalize.maps.colors import cluster_color, cluster_turn
from regionalize.maps.picture import FileFormat, check_format, drawing, save_page
from regionalize.maps.plots.axes import Scale, centred, line, rules_up, sorted_out
from regionalize.maps.plots.panels import Key, Panels, columns_for
from regionalize.maps.sheet import GREY, MARGIN, Entry, Words
from regionalize.maps.text import Font, clean, fonts_for, unknown_letters
from regionalize.maps.units import DASHES, name_of
from regionalize.model.partition import count_labels

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.transforms import Transform

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

TOGETHER = 3
"""Clusters in one panel; where there are more, each has its own."""
MOST_PANELS = 60
MOST_VARIABLES = 120
"""What fits on a page."""
FEW = 30
"""Units of a cluster that are drawn one by one."""
SIDES = ((340.0, 380.0, 13.0, 34.0), (128.0, 250.0, 9.0, 20.0))
"""Width, height, and least and most room for a variable, of the only panel and of one of several."""
BELOW = 20.0
LONGEST_NAME = 130.0
LEAST = 2.0
"""Standard deviations from the mean that are always shown …"""
MOST = 4.0
"""… and beyond which no single unit widens the axes."""


def draw_parallel(
    values: NDArray[np.floating],
    labels: ArrayLike,
    target: pathlib.Path | IO[bytes],
    *,
    file_format: FileFormat,
    variables: Sequence[str],
    title: str,
    subtitle: str = "",
    footer: str = "",
    names: Mapping[int, str] | None = None,
) -> tuple[str, ...]:
    """Draw clusters over all variables, each standardised by the mean and standard deviation of all units.

    Up to `TOGETHER` clusters share a panel; more of them have a panel each, with the medians of the others in
    grey. Units of clusters that have few are thin lines.

    Parameters
    ----------
    values : (n, p) float
        Variables in original units.
    labels : (n,) int
        Clusters from 1; 0 for noise; units of negative labels take no part.
    target : Path or binary file
        Where to write. A path is overwritten as it is: the caller sees to safe replacement.
    file_format : {"png", "svg", "pdf"}
        What to write.
    variables : sequence of str
        Names of the p variables.
    title, subtitle, footer : str
        Lines above and below.
    names : mapping of int to str, optional
        What clusters are called where that is not their number.

    Returns
    -------
    tuple of str
        What the person should know of the picture.

    Raises
    ------
    DataError
        No unit, or no variable.
    UsageError
        Another file format.

    Examples
    --------
    >>> import io
    >>> values = np.array([[0.0, 5], [1, 7], [9, 2]])
    >>> said = {"variables": ["a", "b"], "title": "k-means, k = 2"}
    >>> draw_parallel(values, [1, 1, 2], io.BytesIO(), file_format="svg", **said)
    ()
    """
    check_format(file_format, "plot")
    label = np.asarray(labels, dtype=np.int64)
    used = label >= 0
    raw, label = np.asarray(values, dtype=np.float64)[used, :MOST_VARIABLES], label[used]
    if not raw.size:
        raise DataError("there is nothing to draw: no unit has variables", advice="leave the plot out")
    entries = cluster_entries(count_labels(label), names or {})
    shown = entries[:MOST_PANELS]
    groups = [shown] if len(shown) <= TOGETHER else [[entry] for entry in shown]
    said = clean(title), clean(subtitle), clean(footer)
    with drawing():
        named = [clean(name) for name in variables[:MOST_VARIABLES]]
        families, unknown = fonts_for([*said, *named, *(entry.text for entry in shown)])
        plot = _Plot(raw, label, entries, named, families)
        page = plot.page(families, said, groups)
        figure, points = page.blank()
        artists, words = sorted_out(
            thing for place, group in enumerate(groups) for thing in plot.panel(page, place, group, points)
        )
        page.fill(figure, artists, words, points, "lines")
        save_page(figure, target, file_format, said[0])
    notes = [unknown_letters(unknown)] if unknown else []
    if len(entries) > len(shown):
        notes.append(f"the plot shows {len(shown)} of {len(entries)} clusters, the first")
    if len(variables) > MOST_VARIABLES:
        notes.append(f"the plot shows {MOST_VARIABLES} of {len(variables)} variables, the first")
    return tuple(notes)


def standardise(raw: FloatArray) -> FloatArray:
    """Return columns less their mean, over their standard deviation (divisor n - 1); constant ones are zero.

    Examples
    --------
    >>> standardise(np.array([[1.0, 5], [2, 5], [3, 5]])).tolist()
    [[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0]]
    """
    away = raw - raw.mean(axis=0)
    peak = np.abs(away).max(axis=0)
    constant = peak <= 1e-14 * np.abs(raw).max(axis=0)
    away = np.where(constant, 0.0, away / np.where(constant, 1.0, peak))  # squares of large values overflow
    spread = np.sqrt((away**2).sum(axis=0) / max(len(raw) - 1, 1))
    scaled: FloatArray = away / np.where(constant, 1.0, spread)
    return scaled


def _number(value: float) -> str:
    """Write a number so that it can be read: in full where that is not long.

    Examples
    --------
    >>> _number(649300.4), _number(37.5), _number(0.00012345), _number(2.5e12)
    ('649,300', '37.5', '0.0001234', '2.5e+12')
    """
    return f"{value:,.0f}" if 1e3 <= abs(value) < 1e9 else f"{value:.4g}"


class _Plot:
    """What is in the panels."""

    def __init__(
        self, raw: FloatArray, label: IntArray, entries: list[Entry], named: list[str], families: list[str]
    ) -> None:
        self.label, self.named = label, named
        self.z = standardise(raw)
        self.quartiles = {
            entry.label: np.quantile(self.z[label == entry.label], (0.25, 0.5, 0.75), axis=0)
            for entry in entries
        }
        self.small, self.fine = Font(families, 7.0), Font(families, 6.0)
        ends = zip(raw.min(axis=0).tolist(), raw.max(axis=0).tolist(), strict=True)
        self.ranges = [f"{_number(low)} … {_number(high)}" for low, high in ends]
        self.extent = self.z.min(axis=0), self.z.max(axis=0)
        inner = np.stack(list(self.quartiles.values()))
        low = min(-LEAST, max(-MOST, float(self.z.min())), float(inner.min()) - 0.2)
        high = max(LEAST, min(MOST, float(self.z.max())), float(inner.max()) + 0.2)
        self.low, self.high = low, high

    def page(self, families: list[str], said: tuple[str, str, str], groups: list[list[Entry]]) -> Panels:
        """Work out the page."""
        wide, high, least, most = SIDES[len(groups) > 1]
        self.pitch = float(np.clip(high / len(self.named), least, most))
        self.names = [self.small.fit(name, LONGEST_NAME) for name in self.named]
        self.beside = max(self.fine.width(text) for text in self.ranges) + 6
        left = max(map(self.small.width, self.names)) + self.beside + 8
        size = wide, self.pitch * len(self.named)
        columns = columns_for(len(groups), size[0] + 16, size[1] + BELOW + 16, 10)
        heads = [[Key(entry.label, entry.text, entry.count or 0) for entry in group] for group in groups]
        return Panels(families, said, heads, size, left=left, below=BELOW, columns=columns)

    def panel(
        self, page: Panels, place: int, group: list[Entry], points: Transform
    ) -> Iterator[Artist | Words]:
        """Axes, ribbons and lines of one panel."""
        (left, bottom), (wide, high) = page.corners[place], page.size
        across = Scale(self.low, self.high, left, wide)
        ys = [bottom + high - (row + 0.5) * self.pitch for row in range(len(self.named))]
        ticks = across.rounded(6 if wide > 200 else 4, whole=True)
        places = [across.place(tick) for tick in ticks]
        texts = [f"{tick:+g}" if tick else "mean" for tick in ticks]
        yield from rules_up(places, texts, (bottom, bottom + high), self.fine, points)
        yield line([across.place(0.0)] * 2, [bottom, bottom + high], points, "#a6a6a6", 1)
        for row, y in enumerate(ys):
            ends = [across.place(min(max(float(of[row]), self.low), self.high)) for of in self.extent]
            yield line(ends, [y, y], points, "#c8c8c8", 1)
        if page.starts_row(place):
            yield from self._names(ys, left, bottom)
        own = [entry.label for entry in group]
        if len(group) == 1:
            others = [self.quartiles[one][1] for one in self.quartiles if one not in own]
            if others:
                yield self._lines(np.array(others), across, ys, "#bdbdbd", 0.5, "other-medians", points)
        for entry in group:
            yield from self._cluster(entry, across, ys, points)

    def _names(self, ys: list[float], left: float, bottom: float) -> Iterator[Words]:
        """Name the axes, with the range of each in original units."""
        for y, name, text in zip(ys, self.names, self.ranges, strict=True):
            yield Words(left - self.beside - 4, y - 2.5, name, self.small, right=True)
            yield Words(left - 4, y - 2.2, text, self.fine, GREY, right=True)
        middle = max(left - self.beside / 2 - 4, MARGIN)
        yield centred(middle, bottom - 9, "least … most", self.fine)

    def _cluster(
        self, entry: Entry, across: Scale, ys: list[float], points: Transform
    ) -> Iterator[Artist | Words]:
        """Units where they are few, the ribbon, and the line of medians of one cluster."""
        from matplotlib.lines import Line2D
        from matplotlib.patches import Polygon

        color, name = cluster_color(entry.label), name_of(entry.label)
        low, middle, high = self.quartiles[entry.label]
        heights = ys if len(ys) > 1 else [ys[0] + 4, ys[0] - 4]
        sides = [np.repeat(side, 2) if len(ys) == 1 else side for side in (low, high)]
        if (entry.count or 0) <= FEW:
            units = self.z[self.label == entry.label]
            yield self._lines(units, across, ys, color, 0.4, f"units-{name}", points)
        left, right = ([across.place(value) for value in side.tolist()] for side in sides)
        outline = [*zip(left, heights, strict=True), *reversed(list(zip(right, heights, strict=True)))]
        yield Polygon(
            outline,
            transform=points,
            facecolor=color,
            alpha=0.35,
            edgecolor=color,
            linewidth=0.4,
            zorder=2,
            gid=f"quartiles-{name}",
        )
        dash: Any = DASHES[cluster_turn(entry.label) % len(DASHES)]
        yield Line2D(
            [across.place(value) for value in middle.tolist()],
            ys,
            transform=points,
            color=color,
            linestyle=dash,
            lw=1.6,
            marker="o",
            ms=3.0,
            mec="white",
            mew=0.3,
            zorder=3,
            gid=f"medians-{name}",
        )

    def _lines(
        self,
        rows: FloatArray,
        across: Scale,
        ys: list[float],
        color: str,
        width: float,
        name: str,
        points: Transform,
    ) -> Artist:
        """Make one path of a line for every row; beyond the axes it runs along their end."""
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        clipped = np.clip(rows, self.low, self.high)
        lines = [
            list(zip([across.place(value) for value in row], ys, strict=True)) for row in clipped.tolist()
        ]
        codes = [code for one in lines for code in (Path.MOVETO, *[Path.LINETO] * (len(one) - 1))]
        return PathPatch(
            Path(np.concatenate(lines), codes),
            transform=points,
            facecolor="none",
            edgecolor=color,
            linewidth=width,
            alpha=0.5,
            zorder=1.5,
            gid=name,
        )
