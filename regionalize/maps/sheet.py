"""The sheet around a map: what goes where, worked out in points before anything is drawn.

Title on top, map below it with the legend beside (or under a wide map), then scale bar and source line.
The page takes the shape of the layer, so that tall and wide layers fill it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from regionalize.maps.scale import length_text, round_length
from regionalize.maps.text import Font, clean

if TYPE_CHECKING:
    from regionalize.maps.ground import Ground

INK, GREY = "#1a1a1a", "#666666"

MARGIN = 18.0
GAP = 16.0
MAP_AREA = 500.0 * 480.0
"""Square points of map, whatever its shape …"""
LONGEST = 660.0
"""… unless a side would be longer than this."""
NARROWEST = 330.0
"""Width that a title needs."""
WIDE = 1.7
"""Maps wider than this, relative to height, have the legend below."""

SWATCH = (14.0, 8.5)
ARROW = 16.0
"""Length of the arrow to north."""
LEADING = 13.0
LONGEST_NAME = 150.0
MOST_COLUMNS_BESIDE = 3
MOST_ROWS_BELOW = 12
LEAST_ROWS_BESIDE = 16


@dataclass(frozen=True)
class Entry:
    """One line of the legend; without a count where it speaks of several maps."""

    label: int
    text: str
    count: int | None = None


@dataclass(frozen=True)
class Captions:
    """Words around maps: a large line and a small one above, one below, and what the colours stand for."""

    title: str
    subtitle: str = ""
    footer: str = ""
    legend_title: str = "cluster"

    def cleaned(self) -> Captions:
        """Return them as `regionalize.maps.text.clean` has them."""
        return Captions(*map(clean, (self.title, self.subtitle, self.footer, self.legend_title)))


@dataclass(frozen=True)
class Words:
    """A line of text whose left (or right) end is at (x, y) on the baseline."""

    x: float
    y: float
    text: str
    font: Font
    color: str = INK
    right: bool = False


@dataclass
class Sheet:
    """Where everything is, in points from the lower left corner of the page.

    Attributes
    ----------
    width, height : float
        The page.
    map_width, map_height : float
        The box that the layer's extent fills.
    maps : list of (float, float)
        Lower left corners of such boxes, one for every map.
    words : list of Words
        Every line of text.
    signs : list of (float, float, Entry)
        Lower left corners of the legend's signs.
    bar : (float, float, float) or None
        Left end and length of the scale bar.
    arrow : (float, float, float) or None
        Middle of the arrow to north, and where it points, in degrees clockwise from upwards.
    left_out : int
        Legend entries there was no room for.
    """

    width: float
    height: float
    map_width: float
    map_height: float
    maps: list[tuple[float, float]] = field(default_factory=list)
    words: list[Words] = field(default_factory=list)
    signs: list[tuple[float, float, Entry]] = field(default_factory=list)
    bar: tuple[float, float, float] | None = None
    arrow: tuple[float, float, float] | None = None
    left_out: int = 0


@dataclass(frozen=True)
class Surround:
    """Title, lines under it and the source line, broken into lines.

    Attributes
    ----------
    above : list of (Font, str, str)
        Font, text and colour of every line.
    below : list of str
        Lines in `small`.
    """

    above: list[tuple[Font, str, str]]
    below: list[str]
    small: Font

    @staticmethod
    def of(families: list[str], title: str, subtitle: str, footer: str, inside: float) -> Surround:
        """Break the words of a page, `inside` points wide between its margins."""
        head, sub, small = Font(families, 12.5, bold=True), Font(families, 9.0), Font(families, 7.0)
        above = [(head, line, INK) for line in head.wrap(title, inside, 3)]
        above += [(sub, line, GREY) for line in sub.wrap(subtitle, inside, 4)]
        return Surround(above, small.wrap(footer, inside, 4), small)

    @property
    def over(self) -> float:
        """Height of the lines above."""
        return sum(font.leading for font, _, _ in self.above)

    @property
    def under(self) -> float:
        """Height of the lines below."""
        return len(self.below) * self.small.leading

    def head(self, height: float) -> Iterator[Words]:
        """Put the lines above on a page `height` points high."""
        return stacked(self.above, MARGIN, height - MARGIN)

    def foot(self) -> Iterator[Words]:
        """Put the lines below on a page."""
        lines = [(self.small, line, GREY) for line in self.below]
        return stacked(lines, MARGIN, MARGIN + self.under - 0.3 * self.small.size)


def stacked(lines: Iterable[tuple[Font, str, str]], x: float, top: float) -> Iterator[Words]:
    """Put lines of font, text and colour under each other, from the upper left corner (x, top)."""
    for font, line, color in lines:
        top -= font.leading
        yield Words(x, top + 0.3 * font.size, line, font, color)


class Legend:
    """Entries in columns, read downwards, each with its sign, name and count, if it has one."""

    def __init__(self, title: str, entries: Sequence[Entry], families: list[str]) -> None:
        self.title, self.entries, self.families = title, list(entries), families
        self.font, self.bold = Font(families, 8.5), Font(families, 8.5, bold=True)
        names = [min(self.font.width(entry.text), LONGEST_NAME) for entry in entries]
        counts = [self.font.width(f"{entry.count:,}") for entry in entries if entry.count is not None]
        self.units = 12 + self.font.width("units") if counts else 0.0
        heading = min(self.bold.width(title), LONGEST_NAME) + self.units
        self.counts = 12 + max(counts) if counts else 4.0
        self.column = max(SWATCH[0] + 5 + max(names, default=0.0) + self.counts, heading)
        self.rows, self.columns = len(self.entries), 1

    def arrange(self, rows: int, columns: int) -> None:
        """Use at most `rows` and `columns`, evenly filled."""
        self.rows = min(rows, math.ceil(len(self.entries) / columns))
        self.columns = min(columns, math.ceil(len(self.entries) / self.rows))

    @property
    def left_out(self) -> int:
        """Entries without a place."""
        return max(len(self.entries) - self.rows * self.columns, 0)

    @property
    def width(self) -> float:
        """Width in points."""
        return self.columns * (self.column + GAP) - GAP

    @property
    def height(self) -> float:
        """Height in points, title included."""
        return (1 + self.rows + bool(self.left_out)) * LEADING

    def place(self, sheet: Sheet, x: float, top: float) -> None:
        """Add words and signs to `sheet`, from the upper left corner (x, top)."""
        title = self.bold.fit(self.title, self.column - self.units)
        sheet.words.append(Words(x, top - 9, title, self.bold))
        if self.units:
            sheet.words.append(Words(x + self.column, top - 9, "units", self.font, GREY, right=True))
        greys = [entry for entry in self.entries if entry.label < 1]  # few, last, and never left out
        clusters = self.entries[: min(self.rows * self.columns, len(self.entries)) - len(greys)]
        for place, entry in enumerate([*clusters, *greys]):
            column, row = divmod(place, self.rows)
            left, y = x + column * (self.column + GAP), top - 9 - (row + 1) * LEADING
            right = left + self.column
            name = self.font.fit(entry.text, self.column - SWATCH[0] - 5 - (self.counts - 4))
            sheet.signs.append((left, y - 1, entry))
            sheet.words.append(Words(left + SWATCH[0] + 5, y, name, self.font))
            if entry.count is not None:
                sheet.words.append(Words(right, y, f"{entry.count:,}", self.font, GREY, right=True))
        if self.left_out:
            y = top - 9 - (self.rows + 1) * LEADING
            sheet.words.append(Words(x, y, f"and {self.left_out:,} more", self.font, GREY))
        sheet.left_out = self.left_out


class Frame:
    """What is above and below the maps, however many: title; scale bar, legend (where below) and source line.

    Parameters
    ----------
    families : list of str
        Fonts.
    captions : Captions
        Wrapped and cut here.
    inside : float
        Width between the margins.
    legend_row : float
        Height kept free for a legend below the maps.
    metres : float or None
        Metres on the ground per point of the page; None for no scale bar.
    north : float or None
        Where north is, in degrees clockwise from upwards; None for no arrow.
    """

    def __init__(
        self,
        families: list[str],
        captions: Captions,
        inside: float,
        *,
        legend_row: float,
        metres: float | None,
        north: float | None,
    ) -> None:
        self.inside, self.metres, self.north = inside, metres, north
        self.around = Surround.of(families, captions.title, captions.subtitle, captions.footer, inside)
        foot = self.around.under + GAP / 2 if self.around.below else 0.0
        self.legend_top = MARGIN + legend_row + foot
        self.body_low = self.legend_top + (0.0 if metres is None and north is None else 26.0)

    def sheet(self, map_width: float, map_height: float, body: float) -> Sheet:
        """Return a page around a body of maps, `body` points high, with the title on it."""
        over = self.around.over + (GAP * 0.6 if self.around.above else 0.0)
        height = math.ceil(over + body + self.body_low + MARGIN)
        sheet = Sheet(math.ceil(self.inside + 2 * MARGIN), height, map_width, map_height)
        sheet.words += self.around.head(height)
        return sheet

    def finish(self, sheet: Sheet, longest: float) -> None:
        """Add the scale bar, at most `longest` points long, the arrow to north and the source line."""
        x, y, small = MARGIN, self.legend_top + 5, self.around.small
        if self.metres is not None:
            metres = round_length(longest * self.metres)
            long, text = metres / self.metres, length_text(metres)
            sheet.bar = (x, y, long)
            sheet.words.append(Words(x + long + 5, y, text, small, GREY))
            x += long + 5 + small.width(text) + GAP
        if self.north is not None:
            sheet.arrow = (x + ARROW / 2, y + ARROW / 2 - 1, self.north)
        sheet.words += self.around.foot()


def compose(ground: Ground, families: list[str], captions: Captions, entries: Sequence[Entry]) -> Sheet:
    """Work out the sheet of one map.

    Parameters
    ----------
    ground : Ground
        What the map shows.
    families : list of str
        Fonts.
    captions : Captions
        Wrapped and cut here.
    entries : sequence of Entry
        The legend.
    """
    wide, high = ground.size
    scale = min(math.sqrt(MAP_AREA / (wide * high)), LONGEST / wide, LONGEST / high)
    map_width, map_height = wide * scale, high * scale
    legend = Legend(captions.legend_title, entries, families)
    below = wide > WIDE * high
    if below:
        inside = max(map_width, NARROWEST)
        legend.arrange(MOST_ROWS_BELOW, max(int((inside + GAP) // (legend.column + GAP)), 1))
        body = map_height
    else:
        rows = max(int(map_height / LEADING) - 2, LEAST_ROWS_BESIDE)
        legend.arrange(
            rows, 1 if len(entries) <= rows else min(math.ceil(len(entries) / rows), MOST_COLUMNS_BESIDE)
        )
        body = max(map_height, legend.height)
        inside = max(map_width + GAP + legend.width, NARROWEST)
    frame = Frame(
        families,
        captions,
        max(inside, legend.width),
        legend_row=legend.height + GAP / 2 if below else 0.0,
        metres=None if ground.metres is None else ground.metres / scale,
        north=ground.north,
    )
    sheet = frame.sheet(map_width, map_height, body)
    sheet.maps.append((MARGIN, frame.body_low + (body - map_height) / 2))
    if below:
        legend.place(sheet, MARGIN, frame.legend_top - GAP / 2)
    else:
        legend.place(sheet, MARGIN + map_width + GAP, frame.body_low + body)
    frame.finish(sheet, min(0.3 * map_width, 110.0))
    return sheet
