"""The silhouette plot: a bar for every unit, longest first within its cluster."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regionalize.errors import DataError
from regionalize.maps.classes import cluster_entries
from regionalize.maps.colors import cluster_color
from regionalize.maps.picture import FileFormat, blank_page, check_format, drawing, fill_page, save_page
from regionalize.maps.plots.axes import Scale, line, rules_up, sorted_out
from regionalize.maps.sheet import GAP, GREY, INK, MARGIN, Surround, Words
from regionalize.maps.text import Font, clean, fonts_for, unknown_letters
from regionalize.maps.units import area, name_of
from regionalize.model.partition import count_labels

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure
    from matplotlib.transforms import Transform

FloatArray = NDArray[np.float64]

WIDTH = 360.0
HEIGHT = 430.0
"""Of all bars together, where they are many."""
THICKEST = 9.0
"""A single bar …"""
APART = 3.0
"""… and from where on there is white between bars."""
LEAST_BLOCK = 19.0
"""Room for the words of a cluster, however few its units."""
FINEST = 0.1
"""Points from one corner of an outline to the next."""
LONGEST_NAME = 110.0


@dataclass(frozen=True)
class Block:
    """A cluster on the page.

    Attributes
    ----------
    label : int
        From 1.
    name, said : str
        What is written on its left and on its right.
    values : (u,) float64
        Silhouettes of its units, falling.
    mean : float
        Of them.
    """

    label: int
    name: str
    said: str
    values: FloatArray
    mean: float


def draw_silhouettes(
    values: NDArray[np.floating],
    labels: ArrayLike,
    target: pathlib.Path | IO[bytes],
    *,
    file_format: FileFormat,
    title: str,
    subtitle: str = "",
    footer: str = "",
    sizes: Mapping[int, int] | None = None,
    names: Mapping[int, str] | None = None,
) -> tuple[str, ...]:
    """Draw silhouettes unit by unit: a bar each, sorted within clusters, with the mean of all and of each.

    Where units are too many for bars of their own, those of a cluster make an area.

    Parameters
    ----------
    values : (u,) float
        Silhouettes, -1 … 1.
    labels : (u,) int
        Clusters from 1; units of other labels are left out.
    target : Path or binary file
        Where to write. A path is overwritten as it is: the caller sees to safe replacement.
    file_format : {"png", "svg", "pdf"}
        What to write.
    title, subtitle, footer : str
        Lines above and below.
    sizes : mapping of int to int, optional
        Units by cluster, where those given are a sample.
    names : mapping of int to str, optional
        What clusters are called where that is not their number.

    Returns
    -------
    tuple of str
        What the person should know of the picture.

    Raises
    ------
    DataError
        No unit has a silhouette.
    UsageError
        Another file format.

    Examples
    --------
    >>> import io
    >>> said = {"file_format": "svg", "title": "k-means, k = 2"}
    >>> draw_silhouettes(np.array([0.8, 0.75, -0.1]), [1, 1, 2], io.BytesIO(), **said)
    ()
    """
    check_format(file_format, "plot")
    label, of_units = np.asarray(labels, dtype=np.int64), np.asarray(values, dtype=np.float64)
    used = (label > 0) & np.isfinite(of_units)
    label, of_units = label[used], of_units[used]
    if not len(label):
        raise DataError("there is nothing to draw: no unit has a silhouette", advice="leave the plot out")
    blocks = list(_blocks(of_units, label, sizes, names or {}))
    said = clean(title), clean(subtitle), clean(footer)
    with drawing():
        families, unknown = fonts_for([*said, *(block.name for block in blocks)])
        page = _Page(blocks, families, said, float(of_units.mean()))
        save_page(page.draw(), target, file_format, said[0])
    return (unknown_letters(unknown),) if unknown else ()


def _blocks(
    values: FloatArray, labels: NDArray[np.int64], sizes: Mapping[int, int] | None, names: Mapping[int, str]
) -> Iterator[Block]:
    """Sort units into clusters, and those by falling silhouette."""
    for entry in cluster_entries(count_labels(labels), names):
        own = np.sort(values[labels == entry.label])[::-1]
        units = (sizes or {}).get(entry.label, entry.count)
        below = int((own < 0).sum())
        said = f"n = {units:,}, mean {own.mean():.3f}" + (f", {below:,} below 0" if below else "")
        yield Block(entry.label, entry.text, said, own, float(own.mean()))


class _Page:
    """Where everything is, in points from the lower left corner."""

    def __init__(
        self, blocks: Sequence[Block], families: list[str], said: tuple[str, str, str], mean: float
    ) -> None:
        self.blocks, self.mean = blocks, mean
        self.small, self.bold = Font(families, 7.0), Font(families, 8.0, bold=True)
        units = sum(len(block.values) for block in blocks)
        self.bar = min(THICKEST, HEIGHT / units)
        self.names = [self.bold.fit(block.name, LONGEST_NAME) for block in blocks]
        left = MARGIN + max(map(self.bold.width, self.names)) + 6
        right = max(self.small.width(block.said) for block in blocks) + 8
        inside = left - MARGIN + WIDTH + right
        around = Surround.of(families, *said, inside)
        gap = 5.0
        self.high = [max(len(block.values) * self.bar, LEAST_BLOCK) for block in blocks]
        tall = sum(self.high) + gap * (len(blocks) + 1)
        self.bottom = MARGIN + around.under + (GAP / 2 if around.below else 0.0) + 24
        self.top = self.bottom + tall
        self.width = float(np.ceil(inside + 2 * MARGIN))
        self.height = float(np.ceil(self.top + 14 + around.over + GAP / 2 + MARGIN))
        self.words = [*around.head(self.height), *around.foot()]
        least = min(0.0, *(float(block.values[-1]) for block in blocks))
        self.across = Scale(np.floor(least * 5) / 5, 1.0, left, WIDTH)
        self.tops = []
        y = self.top - gap
        for high in self.high:
            self.tops.append(y)
            y -= high + gap

    def draw(self) -> Figure:
        """Put everything on the page."""
        figure, points = blank_page(self.width, self.height)
        artists, words = sorted_out([*self._axis(points), *self._clusters(points)])
        fill_page(figure, artists, [*self.words, *words], points)
        return figure

    def _axis(self, points: Transform) -> Iterator[Artist | Words]:
        """Round numbers, the line at zero, and the mean of all units."""
        from matplotlib.lines import Line2D

        low = round(5 * self.across.low)
        ticks = [step / 5 for step in range(low, 6)]
        texts = [f"{tick:.1f}" for tick in ticks]
        places = [self.across.place(tick) for tick in ticks]
        yield from rules_up(places, texts, (self.bottom, self.top), self.small, points)
        yield line([self.across.place(0.0)] * 2, [self.bottom, self.top], points, GREY, 2)
        yield Words(self.across.start, self.bottom - 20, "silhouette", self.small, GREY)
        at, text = self.across.place(self.mean), f"mean of all {self.mean:.3f}"
        yield Line2D(
            [at, at],
            [self.bottom, self.top + 3],
            transform=points,
            color=INK,
            lw=0.9,
            linestyle=(0, (4, 3)),
            zorder=4,
            gid="mean",
        )
        end = self.across.start + WIDTH
        shift = min(at - self.small.width(text) / 2, end - self.small.width(text))
        yield Words(max(shift, self.across.start), self.top + 6, text, self.small)

    def _clusters(self, points: Transform) -> Iterator[Artist | Words]:
        """Bars, mean and words of every cluster."""
        from matplotlib.path import Path

        for block, name, high, top in zip(self.blocks, self.names, self.high, self.tops, strict=True):
            tall = len(block.values) * self.bar
            first = top - (high - tall) / 2  # few bars are in the middle of the room for their words
            corners, codes = self._bars(block.values, first)
            gid = f"silhouettes-{name_of(block.label)}"
            yield from area(Path(corners, codes), points, block.label, 0.0, gid, cluster_color)
            at = self.across.place(block.mean)
            ends = (top, top - high)
            yield line([at, at], ends, points, INK, 3, 1.1)
            middle = top - high / 2
            yield Words(self.across.start - 6, middle - 2.9, name, self.bold, INK, right=True)
            yield Words(self.across.start + WIDTH + 8, middle - 2.5, block.said, self.small, GREY)

    def _bars(self, values: FloatArray, top: float) -> tuple[list[tuple[float, float]], list[int]]:
        """Return corners and path codes: a rectangle for every unit, or one outline of them all."""
        from matplotlib.path import Path

        zero = self.across.place(0.0)
        if self.bar >= APART:
            corners = []
            for place, value in enumerate(values.tolist()):
                x, high = self.across.place(value), top - place * self.bar - 0.4
                low = high - self.bar + 0.8
                corners += [(zero, high), (x, high), (x, low), (zero, low), (zero, high)]
            one = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
            return corners, [int(code) for code in one] * len(values)
        step = max(int(FINEST / self.bar), 1)
        chosen = np.unique([*range(0, len(values), step), len(values) - 1])
        corners = [(zero, top)]
        for place, following in zip(chosen, [*chosen[1:], len(values)], strict=True):
            x = self.across.place(float(values[place]))
            corners += [(x, top - place * self.bar), (x, top - following * self.bar)]
        corners += [(zero, top - len(values) * self.bar), (zero, top)]
        codes = [Path.MOVETO, *[Path.LINETO] * (len(corners) - 2), Path.CLOSEPOLY]
        return corners, [int(code) for code in codes]
