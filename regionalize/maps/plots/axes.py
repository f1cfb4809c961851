"""Axes of plots: places of values, round numbers, the lines at them; and rows of a legend."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from regionalize.maps.sheet import GAP, GREY, MARGIN, Words
from regionalize.maps.text import Font

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.transforms import Transform

RULE = "#e6e6e6"
"""Lines at round numbers, light enough to stay behind."""
LEGEND_ROW = 13.0
SIGN = 26.0
"""Room for the sign of a legend's entry."""


@dataclass(frozen=True)
class Scale:
    """A stretch of the page, `length` points from `start`, and the values at its ends.

    Examples
    --------
    >>> Scale(0.0, 10.0, start=100.0, length=50.0).place(5.0)
    125.0
    """

    low: float
    high: float
    start: float
    length: float

    def place(self, value: float) -> float:
        """Return where a value is; the middle where there is but one."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return self.start + share * self.length

    def rounded(self, most: int, whole: bool = False) -> list[float]:
        """Return round numbers on this stretch, about `most` of them."""
        return [value for value in round_values(self.low, self.high, most, whole) if self.holds(value)]

    def holds(self, value: float) -> bool:
        """Whether a value is on this stretch, rounding apart."""
        slack = 1e-9 * (self.high - self.low)
        return self.low - slack <= value <= self.high + slack


def round_values(low: float, high: float, most: int, whole: bool = False) -> list[float]:
    """Return about `most` round numbers, from the last at or below `low` to the first at or above `high`.

    Examples
    --------
    >>> round_values(13, 58, 5)
    [10.0, 20.0, 30.0, 40.0, 50.0, 60.0]
    """
    from matplotlib.ticker import MaxNLocator

    return [float(value) + 0.0 for value in MaxNLocator(most, integer=whole).tick_values(low, high)]


def numbers_text(values: Sequence[float]) -> list[str]:
    """Write the numbers of an axis alike, with as many digits as one of them needs.

    Examples
    --------
    >>> numbers_text([0.0, 0.25, 0.5]), numbers_text([0.0, 2000.0]), numbers_text([0.0, 2e6])
    (['0.00', '0.25', '0.50'], ['0', '2,000'], ['0', '2e+06'])
    """
    digits = max((len(f"{value:g}".partition(".")[2]) for value in values if abs(value) < 1e6), default=0)
    return [f"{value:,.{digits}f}" if abs(value) < 1e6 else f"{value:g}" for value in values]


def line(
    xs: Sequence[float], ys: Sequence[float], points: Transform, color: str, zorder: float, width: float = 0.6
) -> Artist:
    """Return a thin line."""
    from matplotlib.lines import Line2D

    return Line2D(list(xs), list(ys), transform=points, color=color, lw=width, zorder=zorder)


def rules_across(
    ys: Iterable[float], texts: Iterable[str], ends: tuple[float, float], font: Font, points: Transform
) -> Iterator[Artist | Words]:
    """Yield a light line from left to right at every height, with its number on the left."""
    left, right = ends
    for y, text in zip(ys, texts, strict=True):
        yield line([left, right], [y, y], points, RULE, 0)
        yield Words(left - 4, y - 2.5, text, font, GREY, right=True)


def rules_up(
    xs: Iterable[float], texts: Iterable[str], ends: tuple[float, float], font: Font, points: Transform
) -> Iterator[Artist | Words]:
    """Yield a light line upwards at every place, with its number below."""
    bottom, top = ends
    for x, text in zip(xs, texts, strict=True):
        yield line([x, x], [bottom, top], points, RULE, 0)
        yield centred(x, bottom - 9, text, font)


def ticks_below(
    xs: Iterable[float], texts: Iterable[str], bottom: float, font: Font, points: Transform
) -> Iterator[Artist | Words]:
    """Yield a short tick under an axis at every place, with its number below."""
    for x, text in zip(xs, texts, strict=True):
        yield line([x, x], [bottom, bottom - 3], points, GREY, 2)
        yield centred(x, bottom - 11, text, font)


def centred(x: float, y: float, text: str, font: Font, color: str = GREY) -> Words:
    """Return words whose middle is at x."""
    return Words(x - font.width(text) / 2, y, text, font, color)


def sorted_out(things: Iterable[Artist | Words]) -> tuple[list[Artist], list[Words]]:
    """Tell shapes and words apart."""
    artists: list[Artist] = []
    words: list[Words] = []
    for thing in things:
        if isinstance(thing, Words):
            words.append(thing)
        else:
            artists.append(thing)
    return artists, words


def legend_rows(names: Sequence[str], font: Font, inside: float) -> list[list[tuple[int, float]]]:
    """Return which entry of a legend begins where, row by row, in columns of one width."""
    rows: list[list[tuple[int, float]]] = []
    x = inside
    wide = max((font.width(name) for name in names), default=0.0) + SIGN + GAP
    for number in range(len(names)):
        if not rows or x + wide > MARGIN + inside:
            rows.append([])
            x = MARGIN
        rows[-1].append((number, x))
        x += wide
    return rows
