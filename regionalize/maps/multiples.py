"""Small multiples: one map per labeling on one page, all of one extent, with one legend."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regionalize.errors import DataError
from regionalize.maps.ground import Ground, counted
from regionalize.maps.picture import FileFormat, blank_page, check_format, drawing, fill_page, save_page
from regionalize.maps.scale import length_text, round_length
from regionalize.maps.sheet import (
    GAP,
    GREY,
    INK,
    LONGEST,
    MAP_AREA,
    MARGIN,
    MOST_ROWS_BELOW,
    NARROWEST,
    SWATCH,
    Entry,
    Legend,
    Sheet,
    Words,
)
from regionalize.maps.static import entries_of, repeated_colors
from regionalize.maps.text import Font, clean, fonts_for, unknown_letters
from regionalize.maps.units import draw_units, scale_bar, symbol

if TYPE_CHECKING:
    import pyproj

MOST_PANELS = 12
"""Maps on one page; more would be stamps."""

_PAGE_SHAPE = 1.4
"""Width over height that the maps together come nearest to."""
_SMALLEST = 150.0
"""Least width of a panel, so that its words can be read."""
_ROOM = 2.5
"""Area of all maps together, in areas of a single one."""
_HEAD = ((9.0, True, INK, 2), (7.5, False, GREY, 3))
"""Size, weight, colour and most lines of a panel's title and of the line under it."""


@dataclass(frozen=True)
class Panel:
    """One map of several: (n,) labels, clusters from 1, 0 for noise, negative for rows left out."""

    labels: ArrayLike
    title: str
    subtitle: str = ""


def draw_maps(
    geometry: NDArray[np.object_],
    panels: Sequence[Panel],
    target: Path | IO[bytes],
    *,
    file_format: FileFormat,
    title: str,
    subtitle: str = "",
    footer: str = "",
    legend_title: str = "cluster",
    crs: str | pyproj.CRS | None = None,
    names: Mapping[int, str] | None = None,
) -> tuple[str, ...]:
    """Draw the same units several times, each time in the colours of another labeling.

    A number has one colour in all maps.

    Parameters
    ----------
    geometry : (n,) object
        As `regionalize.maps.static.draw_map` takes it.
    panels : sequence of Panel
        Up to `MOST_PANELS`, read like lines of text.
    target : Path or binary file
        Where to write.
    file_format : {"png", "svg", "pdf"}
        What to write.
    title, subtitle, footer, legend_title, crs, names
        Of the page, as `draw_map` takes them.

    Returns
    -------
    tuple of str
        What the person should know of the picture.

    Raises
    ------
    DataError
        Nothing to draw, too many panels, or labels and geometries that differ in number.
    UsageError
        Another file format.

    Examples
    --------
    >>> import io, shapely
    >>> squares = shapely.box([0, 1, 2], 0, [1, 2, 3], 1)
    >>> panels = [Panel([1, 1, 2], "k-means"), Panel([1, 2, 2], "SKATER")]
    >>> draw_maps(squares, panels, io.BytesIO(), file_format="svg", title="Two ways")
    ()
    """
    check_format(file_format, "map")
    labels = [np.asarray(panel.labels, dtype=np.int64) for panel in panels]
    for label in labels:
        if len(label) != len(geometry):
            raise DataError(f"{len(label)} labels do not fit {len(geometry)} geometries")
    if not 1 <= len(panels) <= MOST_PANELS:
        raise DataError(
            f"{len(panels)} maps do not fit on one page", advice=f"draw 1 to {MOST_PANELS} at a time"
        )
    ground = Ground.survey(geometry, crs)
    present = np.unique(np.maximum(np.concatenate(labels), -1)).tolist()
    entries = entries_of(dict.fromkeys(present), names or {})
    notes = [*ground.notes, *repeated_colors(entries)]
    heads = [(clean(panel.title), clean(panel.subtitle)) for panel in panels]
    page = [clean(text) for text in (title, subtitle, footer, legend_title)]
    with drawing():
        texts = [*page, *(text for head in heads for text in head), *(entry.text for entry in entries)]
        families, unknown = fonts_for(texts)
        if unknown:
            notes.append(unknown_letters(unknown))
        sheet, corners = _compose(ground, families, heads, page, entries)
        if sheet.left_out:
            notes.append(f"the legend has room for {len(entries) - sheet.left_out} of {len(entries)} entries")
        figure, points = blank_page(sheet.width, sheet.height)
        area = sheet.map_width * sheet.map_height
        artists, kind = [], "areas"
        specks, heavy = 0, False
        for number, (label, (x, y)) in enumerate(zip(labels, corners, strict=True), 1):
            window = ground.window(x, y, sheet.map_height)
            drawn, kind, dots, much = draw_units(ground.parts, window, label, area, points, len(panels))
            for artist in drawn:
                artist.set_gid(f"map-{number}-{artist.get_gid()}")
                artist.set_rasterized(much)
            artists += drawn
            specks, heavy = max(specks, dots), heavy or much
        for x, y, entry in sheet.signs:
            artists += symbol(kind, (x, y), SWATCH, entry.label, points)
        if sheet.bar is not None:
            artists.append(scale_bar(*sheet.bar, points))
        fill_page(figure, artists, sheet.words, points)
        if specks:
            notes.append(f"{counted(specks, 'polygon')} too small to be seen are drawn as dots")
        if heavy and file_format != "png":
            notes.append(f"the layer is heavy: the {file_format.upper()} holds its units as an image")
        save_page(figure, target, file_format, page[0])
    return tuple(notes)


def _columns(count: int, size: tuple[float, float], head: float) -> tuple[int, float]:
    """Return the columns of a page of `count` maps, and the scale of a map.

    Of all numbers of columns, the one whose page comes nearest to `_PAGE_SHAPE`, empty places counted as a
    fault.
    """
    wide, high = size
    area = min(_ROOM * MAP_AREA / count, MAP_AREA)
    scale = min(math.sqrt(area / (wide * high)), LONGEST / wide, LONGEST / high)
    width, height = max(wide * scale, _SMALLEST), high * scale + head

    def fault(columns: int) -> float:
        rows = math.ceil(count / columns)
        shape = (columns * (width + GAP)) / (rows * (height + GAP))
        return abs(math.log(shape / _PAGE_SHAPE)) + (rows * columns - count) / count

    return min(range(1, count + 1), key=fault), scale


def _compose(
    ground: Ground,
    families: list[str],
    heads: Sequence[tuple[str, str]],
    page: Sequence[str],
    entries: Sequence[Entry],
) -> tuple[Sheet, list[tuple[float, float]]]:
    """Work out the sheet, and the lower left corner of every map on it."""
    title, subtitle, footer, legend_title = page
    fonts = [Font(families, size, bold=bold) for size, bold, _, _ in _HEAD]
    usual = fonts[0].leading + 2 * fonts[1].leading
    columns, scale = _columns(len(heads), ground.size, usual)
    wide, high = ground.size[0] * scale, ground.size[1] * scale
    cell = max(wide, _SMALLEST)
    over_maps = [list(_lines(fonts, head, cell)) for head in heads]
    rows = [over_maps[start : start + columns] for start in range(0, len(heads), columns)]
    head_heights = [max(sum(font.leading for font, _, _ in lines) for lines in row) + 4 for row in rows]

    inside = max(columns * (cell + GAP) - GAP, NARROWEST)
    legend = Legend(legend_title, entries, families)
    legend.arrange(MOST_ROWS_BELOW, max(int((inside + GAP) // (legend.column + GAP)), 1))
    inside = max(inside, legend.width)
    top_fonts = ((Font(families, 12.5, bold=True), INK, title, 3), (Font(families, 9.0), GREY, subtitle, 4))
    above = [
        (font, ink, line) for font, ink, text, most in top_fonts for line in font.wrap(text, inside, most)
    ]
    small = Font(families, 7.0)
    source = small.wrap(footer, inside, 4)
    over = sum(font.leading for font, _, _ in above) + (GAP * 0.6 if above else 0.0)
    bar_row = 0.0 if ground.metres is None else 20.0
    under = legend.height + GAP / 2 + (len(source) * small.leading + GAP / 2 if source else 0.0)
    body = sum(head_heights) + len(rows) * (high + GAP) - GAP

    sheet = Sheet(
        math.ceil(inside + 2 * MARGIN),
        math.ceil(over + body + bar_row + under + 2 * MARGIN),
        MARGIN,
        MARGIN + under + bar_row,
        wide,
        high,
    )
    y = sheet.height - MARGIN
    for font, color, line in above:
        y -= font.leading
        sheet.words.append(Words(MARGIN, y + 0.3 * font.size, line, font, color))
    corners = []
    top = MARGIN + under + bar_row + body
    for row, head in zip(rows, head_heights, strict=True):
        for place, lines in enumerate(row):
            x, y = MARGIN + place * (cell + GAP), top
            for font, color, line in lines:
                y -= font.leading
                sheet.words.append(Words(x, y + 0.3 * font.size, line, font, color))
            corners.append((x, top - head - high))
        top -= head + high + GAP
    legend.place(sheet, MARGIN, MARGIN + under - GAP / 2)
    if ground.metres is not None:
        metres = round_length(min(0.5 * wide, 110.0) * ground.metres / scale)
        long = metres * scale / ground.metres
        sheet.bar = (MARGIN, MARGIN + under + 5, long)
        sheet.words.append(Words(MARGIN + long + 5, MARGIN + under + 5, length_text(metres), small, GREY))
    for number, line in enumerate(reversed(source)):
        sheet.words.append(Words(MARGIN, MARGIN + number * small.leading, line, small, GREY))
    return sheet, corners


def _lines(fonts: Sequence[Font], head: tuple[str, str], width: float) -> Iterator[tuple[Font, str, str]]:
    """Break the words over a map into lines: font, colour and text of each."""
    for font, (_, _, color, most), text in zip(fonts, _HEAD, head, strict=True):
        for line in font.wrap(text, width, most):
            yield font, color, line
