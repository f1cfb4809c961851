"""Panels of one size in rows: a page of small plots with shared axes, one or more clusters in each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from regionalize.maps.colors import cluster_color
from regionalize.maps.picture import blank_page, fill_page
from regionalize.maps.sheet import GAP, GREY, LEADING, MARGIN, SWATCH, Surround, Words
from regionalize.maps.text import Font
from regionalize.maps.units import symbol

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure
    from matplotlib.transforms import Transform

PAGE_SHAPE = 1.3
"""Width over height that a page comes nearest to."""
NARROWEST = 300.0
"""Width that a title needs."""


@dataclass(frozen=True)
class Key:
    """A cluster in the head of a panel: its label, name and units."""

    label: int
    name: str
    units: int


def columns_for(count: int, wide: float, high: float, most: int) -> int:
    """Return in how many columns panels `wide` and `high` come nearest to the shape of a page.

    Examples
    --------
    >>> columns_for(6, 100.0, 100.0, 8), columns_for(6, 100.0, 400.0, 8)
    (3, 6)
    """

    def fault(columns: int) -> float:
        rows = math.ceil(count / columns)
        return abs(math.log(columns * wide / (rows * high) / PAGE_SHAPE)) + (rows * columns - count) / count

    return min(range(1, min(count, most) + 1), key=fault)


class Panels:
    """Where the panels of a page are, in points from the lower left corner.

    Parameters
    ----------
    families : list of str
        Fonts.
    said : (str, str, str)
        Title, subtitle and source line.
    heads : sequence of sequence of Key
        The clusters of each panel; read like lines of text.
    size : (float, float)
        Of one panel without its axes.
    left, below : float
        Room for the words left of the first column, and below every panel.
    columns : int
        Panels in a row.

    Attributes
    ----------
    corners : list of (float, float)
        Lower left corner of each panel.
    """

    def __init__(
        self,
        families: list[str],
        said: tuple[str, str, str],
        heads: Sequence[Sequence[Key]],
        size: tuple[float, float],
        *,
        left: float,
        below: float,
        columns: int,
    ) -> None:
        self.small, self.bold = Font(families, 7.0), Font(families, 8.0, bold=True)
        self.size, self.columns, self.count = size, columns, len(heads)
        wide, high = size
        inside = max(left + columns * (wide + GAP) - GAP, NARROWEST)
        around = Surround.of(families, *said, inside)
        placed = [list(self._keys(head)) for head in heads]
        rows = [placed[start : start + columns] for start in range(0, len(placed), columns)]
        depths = [max(1 + max((line for _, line, _ in head), default=0) for head in row) for row in rows]
        body = sum(depth * LEADING + 3 + high + below for depth in depths)
        foot = around.under + (GAP / 2 if around.below else 0.0)
        self.width = math.ceil(inside + 2 * MARGIN)
        self.height = math.ceil(2 * MARGIN + around.over + GAP / 2 + body + foot)
        self.words = [*around.head(self.height), *around.foot()]
        self.signs: list[tuple[float, float, int]] = []
        self.corners: list[tuple[float, float]] = []
        top = self.height - MARGIN - around.over - GAP / 2
        for row, depth in zip(rows, depths, strict=True):
            for place, head in enumerate(row):
                x = MARGIN + left + place * (wide + GAP)
                lowest = top - depth * LEADING
                for key, line, shift in head:
                    last = max(line for _, line, _ in head)
                    self._write(key, x + shift, lowest + (last - line) * LEADING + 4)
                self.corners.append((x, lowest - 3 - high))
            top -= depth * LEADING + 3 + high + below

    def _keys(self, head: Sequence[Key]) -> Iterator[tuple[Key, int, float]]:
        """Yield every key of a panel with its line and where it begins."""
        line, x = 0, 0.0
        for key in head:
            wide = SWATCH[0] + 5 + self._name_width(key) + 6 + self.small.width(units_of(key))
            if x and x + wide > self.size[0]:
                line, x = line + 1, 0.0
            yield key, line, x
            x += wide + GAP

    def _name_width(self, key: Key) -> float:
        """Width of a name, no more than leaves room for the units."""
        room = self.size[0] - SWATCH[0] - 11 - self.small.width(units_of(key))
        return min(self.bold.width(key.name), room)

    def _write(self, key: Key, x: float, y: float) -> None:
        """Put down sign, name and units of a cluster."""
        wide = self._name_width(key)
        self.signs.append((x, y - 1, key.label))
        x += SWATCH[0] + 5
        self.words.append(Words(x, y, self.bold.fit(key.name, wide + 0.01), self.bold))
        self.words.append(Words(x + wide + 6, y, units_of(key), self.small, GREY))

    def starts_row(self, place: int) -> bool:
        """Whether a panel is the first of its row."""
        return place % self.columns == 0

    def ends_column(self, place: int) -> bool:
        """Whether no panel is below."""
        return place + self.columns >= self.count

    def blank(self) -> tuple[Figure, Transform]:
        """Return the empty page."""
        return blank_page(self.width, self.height)

    def fill(
        self, figure: Figure, artists: list[Artist], words: Iterable[Words], points: Transform, kind: str
    ) -> None:
        """Put everything on the page, with signs of a `kind` in the heads."""
        for x, y, label in self.signs:
            artists += symbol(kind, (x, y), SWATCH, label, points, cluster_color)
        fill_page(figure, artists, [*self.words, *words], points)


def units_of(key: Key) -> str:
    """Write how many units a cluster has.

    Examples
    --------
    >>> units_of(Key(1, "west", 1200))
    'n = 1,200'
    """
    return f"n = {key.units:,}"
