"""The sheet around a map: what goes where, worked out in points before anything is drawn.

Title on top, map below it with the legend beside (or under a wide map), then scale bar and source line.
The page takes the shape of the layer, so that tall and wide layers fill it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from regionalize.maps.scale import length_text, round_length
from regionalize.maps.text import Font

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
    map_x, map_y, map_width, map_height : float
        The box that the layer's extent fills.
    words : list of Words
        Every line of text.
    signs : list of (float, float, Entry)
        Lower left corners of the legend's signs.
    bar : (float, float, float) or None
        Left end and length of the scale bar.
    left_out : int
        Legend entries there was no room for.
    """

    width: float
    height: float
    map_x: float
    map_y: float
    map_width: float
    map_height: float
    words: list[Words] = field(default_factory=list)
    signs: list[tuple[float, float, Entry]] = field(default_factory=list)
    bar: tuple[float, float, float] | None = None
    left_out: int = 0


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


def compose(
    extent: tuple[float, float],
    families: list[str],
    *,
    title: str,
    subtitle: str,
    footer: str,
    legend_title: str,
    entries: Sequence[Entry],
    ground: float | None,
) -> Sheet:
    """Work out the sheet of a map.

    Parameters
    ----------
    extent : (float, float)
        Width and height of the layer, both in the unit of its height.
    families : list of str
        Fonts.
    title, subtitle, footer, legend_title : str
        Text; wrapped and cut here.
    entries : sequence of Entry
        The legend.
    ground : float or None
        Metres on the ground per unit of `extent`; None for no scale bar.
    """
    wide, high = extent
    scale = min(math.sqrt(MAP_AREA / (wide * high)), LONGEST / wide, LONGEST / high)
    map_width, map_height = wide * scale, high * scale
    legend = Legend(legend_title, entries, families)
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
    inside = max(inside, legend.width)

    head = [
        (Font(families, 12.5, bold=True), INK, title, 3),
        (Font(families, 9.0), GREY, subtitle, 4),
    ]
    small = Font(families, 7.0)
    above = [
        (font, color, line) for font, color, text, most in head for line in font.wrap(text, inside, most)
    ]
    source = small.wrap(footer, inside, 4)

    bar_row = 0.0 if ground is None else 20.0
    legend_row = legend.height + GAP / 2 if below else 0.0
    under = legend_row + (len(source) * small.leading + GAP / 2 if source else 0.0)
    over = sum(font.leading for font, _, _ in above) + (GAP * 0.6 if above else 0.0)
    width = math.ceil(inside + 2 * MARGIN)
    height = math.ceil(over + body + bar_row + under + 2 * MARGIN)

    map_x = MARGIN
    map_y = MARGIN + under + bar_row + (body - map_height) / 2
    sheet = Sheet(width, height, map_x, map_y, map_width, map_height)
    y = height - MARGIN
    for font, color, line in above:
        y -= font.leading
        sheet.words.append(Words(MARGIN, y + 0.3 * font.size, line, font, color))
    if below:
        legend.place(sheet, MARGIN, MARGIN + under - GAP / 2)
    else:
        legend.place(sheet, map_x + map_width + GAP, MARGIN + under + bar_row + body)
    if ground is not None:
        longest = min(0.3 * map_width, 110.0)
        metres = round_length(longest * ground / scale)
        long = metres * scale / ground
        sheet.bar = (map_x, MARGIN + under + 5, long)
        sheet.words.append(Words(map_x + long + 5, MARGIN + under + 5, length_text(metres), small, GREY))
    for number, line in enumerate(reversed(source)):
        sheet.words.append(Words(MARGIN, MARGIN + number * small.leading, line, small, GREY))
    return sheet
