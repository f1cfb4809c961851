"""Small multiples: one map per labeling on one page, all of one extent, with one legend."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regionalize.errors import DataError
from regionalize.maps.classes import cluster_entries, draw_classes, read_classes
from regionalize.maps.picture import FileFormat, check_format
from regionalize.maps.sheet import (
    GAP,
    GREY,
    INK,
    LONGEST,
    MAP_AREA,
    MARGIN,
    MOST_ROWS_BELOW,
    NARROWEST,
    Captions,
    Entry,
    Frame,
    Legend,
    Sheet,
    stacked,
)
from regionalize.maps.text import Font, clean

if TYPE_CHECKING:
    import pyproj

    from regionalize.maps.ground import Ground

MOST_PANELS = 16
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
    dissolve_lines: bool = False,
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
    title, subtitle, footer, legend_title, crs, names, dissolve_lines
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
    labelings = [read_classes(panel.labels, geometry) for panel in panels]
    if not 1 <= len(panels) <= MOST_PANELS:
        raise DataError(
            f"{len(panels)} maps do not fit on one page", advice=f"draw 1 to {MOST_PANELS} at a time"
        )
    present = np.unique(np.maximum(np.concatenate(labelings), -1)).tolist()
    heads = [(clean(panel.title), clean(panel.subtitle)) for panel in panels]
    return draw_classes(
        geometry,
        labelings,
        target,
        file_format=file_format,
        captions=Captions(title, subtitle, footer, legend_title),
        entries=cluster_entries(dict.fromkeys(present), names or {}),
        layout=partial(_compose, heads),
        crs=crs,
        outlines=labelings if dissolve_lines else [],
        other_words=[text for head in heads for text in head],
    )


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
    heads: Sequence[tuple[str, str]],
    ground: Ground,
    families: list[str],
    captions: Captions,
    entries: Sequence[Entry],
) -> Sheet:
    """Work out the sheet of several maps, as `regionalize.maps.sheet.compose` does for one."""
    fonts = [Font(families, size, bold=bold) for size, bold, _, _ in _HEAD]
    usual = fonts[0].leading + 2 * fonts[1].leading
    columns, scale = _columns(len(heads), ground.size, usual)
    wide, high = ground.size[0] * scale, ground.size[1] * scale
    cell = max(wide, _SMALLEST)
    over_maps = [list(_lines(fonts, head, cell)) for head in heads]
    rows = [over_maps[start : start + columns] for start in range(0, len(heads), columns)]
    head_heights = [max(sum(font.leading for font, _, _ in lines) for lines in row) + 4 for row in rows]
    body = sum(head_heights) + len(rows) * (high + GAP) - GAP

    inside = max(columns * (cell + GAP) - GAP, NARROWEST)
    legend = Legend(captions.legend_title, entries, families)
    legend.arrange(MOST_ROWS_BELOW, max(int((inside + GAP) // (legend.column + GAP)), 1))
    frame = Frame(
        families,
        captions,
        max(inside, legend.width),
        legend_row=legend.height + GAP / 2,
        metres=None if ground.metres is None else ground.metres / scale,
        north=ground.north,
    )
    sheet = frame.sheet(wide, high, body)
    top = frame.body_low + body
    for row, head in zip(rows, head_heights, strict=True):
        for place, lines in enumerate(row):
            x = MARGIN + place * (cell + GAP)
            sheet.words += stacked(lines, x, top)
            sheet.maps.append((x, top - head - high))
        top -= head + high + GAP
    legend.place(sheet, MARGIN, frame.legend_top - GAP / 2)
    frame.finish(sheet, min(0.5 * wide, 110.0))
    return sheet


def _lines(fonts: Sequence[Font], head: tuple[str, str], width: float) -> Iterator[tuple[Font, str, str]]:
    """Break the words over a map into lines: font, text and colour of each."""
    for font, (_, _, color, most), text in zip(fonts, _HEAD, head, strict=True):
        for line in font.wrap(text, width, most):
            yield font, line, color
