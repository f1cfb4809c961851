"""The static cluster map: PNG, SVG and PDF, drawn offline and the same bytes every time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regionalize.errors import DataError
from regionalize.maps.colors import PALETTE
from regionalize.maps.ground import Ground, counted
from regionalize.maps.picture import FileFormat, blank_page, check_format, drawing, fill_page, save_page
from regionalize.maps.sheet import SWATCH, Entry, Sheet, compose
from regionalize.maps.text import clean, fonts_for, unknown_letters
from regionalize.maps.units import draw_units, scale_bar, symbol

if TYPE_CHECKING:
    import pyproj
    from matplotlib.figure import Figure


def draw_map(
    geometry: NDArray[np.object_],
    labels: ArrayLike,
    target: Path | IO[bytes],
    *,
    file_format: FileFormat,
    title: str,
    subtitle: str = "",
    footer: str = "",
    legend_title: str = "cluster",
    sizes: Sequence[int] | NDArray[np.int64] | None = None,
    crs: str | pyproj.CRS | None = None,
    names: Mapping[int, str] | None = None,
) -> tuple[str, ...]:
    """Draw units in the colour of their cluster, with title, legend, scale bar and source line.

    Parameters
    ----------
    geometry : (n,) object
        Shapely points, lines, polygons, their multi-parts and collections, mixed at will. Rows that are
        null, empty or not finite are left out of the picture, and counted in a note.
    labels : (n,) int
        Clusters from 1; 0 for noise, negative for rows left out: both grey.
    target : Path or binary file
        Where to write. A path is overwritten as it is: the caller sees to safe replacement.
    file_format : {"png", "svg", "pdf"}
        What to write.
    title, subtitle, footer : str
        Lines above the map, large and small, and below it. Long ones are wrapped, then cut with an
        ellipsis.
    legend_title : str
        What the colours stand for.
    sizes : (k,) int, optional
        Members of clusters 1 … k for the legend (counted from `labels` by default).
    crs : str or pyproj.CRS, optional
        Degrees are drawn with the proportions of the middle latitude, in one piece across the
        antimeridian; a projected layer gets a scale bar, where one length is true all over.
    names : mapping of int to str, optional
        Legend text by label, where it is not the number.

    Returns
    -------
    tuple of str
        What the person should know of the picture.

    Raises
    ------
    DataError
        When there is nothing to draw, or labels and geometries differ in number.
    UsageError
        For another file format.

    Examples
    --------
    >>> import io, shapely
    >>> squares = shapely.box([0, 1, 2], 0, [1, 2, 3], 1)
    >>> file = io.BytesIO()
    >>> draw_map(squares, [1, 1, 2], file, file_format="svg", title="k-means, k = 2")
    ()
    """
    check_format(file_format, "map")
    label = np.asarray(labels, dtype=np.int64)
    if len(label) != len(geometry):
        raise DataError(f"{len(label)} labels do not fit {len(geometry)} geometries")
    ground = Ground.survey(geometry, crs)
    notes = [*ground.notes]
    title, subtitle, footer, legend_title = map(clean, (title, subtitle, footer, legend_title))
    entries = _entries(label, sizes, names or {})
    notes += repeated_colors(entries)

    with drawing():
        texts = [title, subtitle, footer, legend_title, *(entry.text for entry in entries)]
        families, unknown = fonts_for(texts)
        if unknown:
            notes.append(unknown_letters(unknown))
        sheet = compose(
            ground.size,
            families,
            title=title,
            subtitle=subtitle,
            footer=footer,
            legend_title=legend_title,
            entries=entries,
            ground=ground.metres,
        )
        if sheet.left_out:
            notes.append(f"the legend has room for {len(entries) - sheet.left_out} of {len(entries)} entries")
        figure, specks, heavy = _draw(sheet, ground, label)
        if specks:
            notes.append(f"{counted(specks, 'polygon')} too small to be seen are drawn as dots")
        if heavy and file_format != "png":
            notes.append(f"the layer is heavy: the {file_format.upper()} holds its units as an image")
        save_page(figure, target, file_format, title)
    return tuple(notes)


def _draw(sheet: Sheet, ground: Ground, labels: NDArray[np.int64]) -> tuple[Figure, int, bool]:
    """Put everything on a page; return it, polygons drawn as dots, and if it is heavy for a vector file."""
    figure, points = blank_page(sheet.width, sheet.height)
    window = ground.window(sheet.map_x, sheet.map_y, sheet.map_height)
    artists, kind, specks, heavy = draw_units(
        ground.parts, window, labels, sheet.map_width * sheet.map_height, points
    )
    for artist in artists:
        artist.set_rasterized(heavy)
    for x, y, entry in sheet.signs:
        artists += symbol(kind, (x, y), SWATCH, entry.label, points)
    if sheet.bar is not None:
        artists.append(scale_bar(*sheet.bar, points))
    fill_page(figure, artists, sheet.words, points)
    return figure, specks, heavy


def repeated_colors(entries: Sequence[Entry]) -> list[str]:
    """Say which clusters have no colour of their own."""
    most = max((entry.label for entry in entries), default=0)
    if most <= len(PALETTE):
        return []
    return [
        f"only {len(PALETTE)} colours stay apart: clusters {len(PALETTE) + 1} to {most} repeat them in"
        " other tints, told apart by pattern, marker or dash"
    ]


def _entries(
    label: NDArray[np.int64], sizes: Sequence[int] | NDArray[np.int64] | None, names: Mapping[int, str]
) -> list[Entry]:
    """Legend entries of the labels that occur."""
    values, counts = np.unique(np.maximum(label, -1), return_counts=True)
    count = dict(zip(values.tolist(), counts.tolist(), strict=True))
    if sizes is not None:
        count |= {number: int(size) for number, size in enumerate(sizes, start=1) if size}
    return entries_of(count, names)


def entries_of(count: Mapping[int, int | None], names: Mapping[int, str]) -> list[Entry]:
    """Legend entries of labels and their members: clusters in order, then noise, then left out."""
    order = [*sorted(value for value in count if value > 0), *(value for value in (0, -1) if value in count)]
    known = {0: "not clustered", -1: "no data"} | dict(names)
    return [Entry(value, clean(known.get(value, value)), count[value]) for value in order]
